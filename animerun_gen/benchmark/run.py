"""Runs an evaluation clip by clip; what was measured is kept, so that a run that was stopped goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen import __version__
from animerun_gen.benchmark.compare import read_comparable
from animerun_gen.benchmark.evaluation import ClipToMeasure, Evaluation
from animerun_gen.benchmark.results import RESULT, Averages, Clip, Pair, Result, write_result
from animerun_gen.benchmark.tables import markdown
from animerun_gen.dataset.files import read_json, remove_stale_temporaries, write_json, write_text
from animerun_gen.errors import DatasetError
from animerun_gen.progress import Progress

TABLE = "table.md"
"""The tables of a result in the folder of an evaluation."""

PAGE = "index.html"
"""The page of a result there."""

CLIPS = "clips"
"""The folder of what was measured of each clip."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    basis: str
    pairs: tuple[Pair, ...]


@dataclass
class Evaluated:
    """What became of an evaluation.

    Attributes:
        folder: Where it lies.
        result: The result; None where a clip could not be measured.
        others: The results that it was compared with.
        files: The files that were written.
        failures: What could not be measured, in sentences.
    """

    folder: Path
    result: Result | None = None
    others: list[Result] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def evaluate(evaluation: Evaluation, output: Path, compare: Sequence[Path] = (), worst: int = 12) -> Evaluated:
    """Measure a method on a dataset.  Run again, it goes on where it was stopped.

    Args:
        evaluation: What measures.
        output: Folder for the result.
        compare: Results to show it beside.
        worst: Number of pairs that the page shows.

    Raises:
        UsageError: What it is to be compared with is no result on the same pairs and labels.
        DatasetError: A file cannot be written.
    """
    others = [read_comparable(path, evaluation.kind, evaluation.measured, evaluation.method) for path in compare]
    remove_stale_temporaries(output)
    found = Evaluated(output, others=others)
    clips = evaluation.clips()
    kept = {clip: None if clip.again else _read_kept(output, clip) for clip in clips}
    if any(pairs is None for pairs in kept.values()):
        # nobody takes the figures of other predictions for these
        for name in (RESULT, TABLE, PAGE):
            (output / name).unlink(missing_ok=True)
    measured: list[Clip] = []
    to_measure = sum(clip.pairs for clip in clips if kept[clip] is None)
    with Progress(to_measure, "pair", "evaluating", delay=1.0) as progress:
        for clip in clips:
            pairs = kept[clip]
            if pairs is None:
                try:
                    pairs = tuple(evaluation.measure(clip, progress.advance))
                except DatasetError as error:
                    found.failures.append(f"cut '{clip.cut}': {error}")
                    continue
                write_json(_kept_file(output, clip), _Kept(basis=clip.basis, pairs=pairs).model_dump(mode="json"))
            measured.append(Clip.of(clip.split, clip.cut, pairs, evaluation.columns))
    if found.failures:
        return found
    averages = Averages.of((pair for clip in measured for pair in clip.pairs), evaluation.columns)
    found.result = Result(
        program=f"animerun-gen {__version__}",
        kind=evaluation.kind,
        measured=evaluation.measured,
        method=evaluation.method,
        columns=tuple(evaluation.columns),
        average=evaluation.average,
        averages=averages,
        clips=tuple(measured),
        remarks=(*evaluation.remarks(averages.counts), *_about_weights(evaluation)),
    )
    found.files.append(write_result(output, found.result))
    write_text(output / TABLE, markdown(found.result, others))
    # drawing needs more libraries than measuring
    from animerun_gen.benchmark.page import make_page

    with Progress(min(worst, found.result.pairs), "pair", "drawing", delay=1.0) as progress:
        page = make_page(evaluation, found.result, others, worst, progress.advance)
    write_text(output / PAGE, page)
    found.files += [output / TABLE, output / PAGE]
    return found


def _about_weights(evaluation: Evaluation) -> list[str]:
    if evaluation.method.weights != "random":
        return []
    return ["The weights of this method are random: it was seen that it runs, and nothing else."]


def _kept_file(output: Path, clip: ClipToMeasure) -> Path:
    return output / CLIPS / clip.split / f"{clip.cut}.json"


def _read_kept(output: Path, clip: ClipToMeasure) -> tuple[Pair, ...] | None:
    with suppress(DatasetError, ValidationError):
        kept = _Kept.model_validate(read_json(_kept_file(output, clip)))
        if kept.basis == clip.basis and len(kept.pairs) == clip.pairs:
            return kept.pairs
    return None
