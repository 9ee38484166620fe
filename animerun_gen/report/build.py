"""Makes the pages of a dataset: one for each cut and one that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from animerun_gen.dataset import ClipFiles, Dataset, written_aside
from animerun_gen.errors import DatasetError, NoDatasetError
from animerun_gen.progress import Progress
from animerun_gen.report import DEFAULT_SIZE, figures
from animerun_gen.report.facts import CutFacts, collect_facts
from animerun_gen.report.index import IndexRow, make_index
from animerun_gen.report.page import make_page
from animerun_gen.report.pool import start_pool


@dataclass
class Report:
    """What was made.

    Attributes:
        index: The page to open.
        pages: The pages of cuts that were written now.
        sentences: What could not be read or drawn.
        failed: Whether a cut that was asked for has no page.
    """

    index: Path
    pages: list[Path] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    failed: bool = False


def build_report(
    root: Path, output: Path | None = None, cuts: Sequence[str] = (), workers: int = 1, max_size: float = DEFAULT_SIZE
) -> Report:
    """Draw the pages of a dataset.

    Args:
        root: Root folder of the dataset.
        output: Folder for the pages; None for ``report`` inside the dataset.
        cuts: Names of the cuts whose pages to make; all by default.  The index lists all cuts in any case.
        workers: Processes that draw side by side.
        max_size: Megabytes that a page may have.

    Raises:
        NoDatasetError: It is no dataset, or has no cut or none of a name.
        DatasetError: A folder cannot be read, or a page cannot be written.
    """
    dataset = Dataset(root)
    clips = dataset.clips()
    if not clips:
        raise NoDatasetError(
            f"{root} has no cuts to report on: no folder Frame_Anime/<cut>/original in it contains frames"
        )
    for cut in cuts:
        # of which there must be one
        dataset.clip(cut)
    output = root / "report" if output is None else output
    report = Report(output / "index.html")
    rows: list[IndexRow] = []
    known = [_try_facts(clip) for clip in clips]
    total = sum(
        len(facts.frames) for clip, (facts, _) in zip(clips, known, strict=True) if facts and _wanted(clip, cuts)
    )
    with Progress(total, "frame", "drawing") as progress, start_pool(workers) as pool:
        for clip, (facts, problem) in zip(clips, known, strict=True):
            name = PurePosixPath(clip.split, f"{clip.cut}.html")
            path = output / name
            problems: list[str] = []
            if facts is not None and _wanted(clip, cuts):
                try:
                    page = make_page(facts, pool, round(max_size * 1e6), progress.advance)
                except DatasetError as error:
                    report.failed, problems = True, [str(error)]
                else:
                    with written_aside(path) as temporary:
                        temporary.write_text(page.text, encoding="utf-8")
                    report.pages.append(path)
                    problems = page.problems
            elif facts is None and _wanted(clip, cuts):
                report.failed = True
                problems = [problem]
            report.sentences += [f"cut '{clip.cut}': {one}" for one in problems]
            rows.append(
                IndexRow(
                    clip=clip,
                    facts=facts,
                    problem=problem,
                    page=name if path.is_file() and facts is not None else None,
                    verdict="incomplete" if facts is None else figures.verdict(facts, problems),
                )
            )
        with written_aside(report.index) as temporary:
            temporary.write_text(make_index(rows), encoding="utf-8")
    return report


def _wanted(clip: ClipFiles, cuts: Sequence[str]) -> bool:
    return not cuts or clip.cut in cuts


def _try_facts(clip: ClipFiles) -> tuple[CutFacts | None, str]:
    try:
        return collect_facts(clip), ""
    except DatasetError as error:
        return None, str(error.below(clip.root))
