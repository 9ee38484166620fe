"""Makes the pages of a dataset: one for each cut and one that lists them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from animerun_gen.dataset import ClipFiles, Dataset, written_aside
from animerun_gen.engines.pool import start_pool
from animerun_gen.errors import DatasetError, NoDatasetError
from animerun_gen.progress import Progress
from animerun_gen.report import figures
from animerun_gen.report.facts import CutFacts, collect_facts
from animerun_gen.report.index import IndexRow, make_index
from animerun_gen.report.page import make_page
from animerun_gen.terminal import complain, say

DEFAULT_SIZE = 20.0
"""Megabytes (of 1000 kilobytes) that a page may have."""


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
    with Progress(total, "frame", "drawing") as progress, start_pool(workers, "a process that draws pictures") as pool:
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
        return None, str(error).replace(f"{clip.root}/", "")


def run_report(options: argparse.Namespace) -> int:
    """Carry out ``report`` as the command line asks.

    Args:
        options: What :func:`animerun_gen.cli.build_parser` parsed.

    Returns:
        Exit status: 1 when a cut has no page.

    Raises:
        DatasetError: Nothing could be begun.
    """
    report = build_report(options.dataset, options.out, options.cut or (), options.workers, options.max_size)
    for sentence in report.sentences:
        complain(sentence)
    for page in report.pages:
        say(f"{page}: {page.stat().st_size / 1e6:.1f} MB")
    say(f"open {report.index} in a browser")
    return 1 if report.failed else 0
