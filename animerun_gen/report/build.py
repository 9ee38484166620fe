"""Makes the pages of a dataset: one for each cut and one that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from animerun_gen.dataset import ClipFiles, Dataset, written_aside
from animerun_gen.dataset.listing import Entry, list_cut
from animerun_gen.engines.pool import start_pool
from animerun_gen.errors import DatasetError, NoDatasetError
from animerun_gen.progress import Progress
from animerun_gen.report import DEFAULT_SIZE, figures
from animerun_gen.report.drawn import DrawnPage, basis_of, is_current, read_drawn, write_drawn
from animerun_gen.report.facts import CutFacts, collect_facts
from animerun_gen.report.index import IndexRow, make_index
from animerun_gen.report.statistics import PAGE, for_index, read_statistics
from animerun_gen.report.statistics import make_page as make_page_of_statistics
from animerun_gen.report.totals import Counted
from animerun_gen.statistics import plots


@dataclass
class Report:
    """What was made.

    Attributes:
        index: The page to open.
        pages: The pages of cuts that were written now.
        unchanged: The pages that show what there is already.
        sentences: What could not be read or drawn.
        failed: Whether a cut that was asked for has no page.
    """

    index: Path
    pages: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    failed: bool = False


def build_report(
    root: Path,
    output: Path | None = None,
    cuts: Sequence[str] = (),
    workers: int = 1,
    max_size: float = DEFAULT_SIZE,
    title: str | None = None,
) -> Report:
    """Draw the pages of a dataset; one of a cut that has not changed since it was drawn is left as it is.

    Args:
        root: Root folder of the dataset.
        output: Folder for the pages; None for ``report`` inside the dataset.
        cuts: Names of the cuts whose pages to make; all by default.  The index lists all cuts in any case.
        workers: Processes that draw side by side.
        max_size: Megabytes that a page may have.
        title: What the index calls the dataset; by default the name of its folder.

    Raises:
        NoDatasetError: It is no dataset, or has no cut or none of a name.
        DatasetError: A folder cannot be read, or a page cannot be written.
    """
    dataset = Dataset(root)
    clips = dataset.clips()
    if not clips:
        raise NoDatasetError(
            "has no cuts to report on: no folder Frame_Anime/<cut>/original in it contains frames",
            root,
            "give the root folder of a dataset",
        )
    for cut in cuts:
        # of which there must be one
        dataset.clip(cut)
    output = root / "report" if output is None else output
    report = Report(output / "index.html")
    rows: list[IndexRow] = []
    budget = round(max_size * 1e6)
    known = [_try_facts(clip) for clip in clips]
    drawn = read_drawn(output)
    pages = {clip: PurePosixPath(clip.split, f"{clip.cut}.html") for clip in clips}
    listed = {clip: list(list_cut(clip.root, clip.split, clip.cut)) for clip in clips}
    bases = {clip: basis_of(clip, listed[clip], budget) for clip in clips}
    current = {clip for clip, name in pages.items() if is_current(output / name, drawn.get(str(name)), bases[clip])}
    to_draw = {
        clip
        for clip, (facts, _) in zip(clips, known, strict=True)
        if facts is not None and _wanted(clip, cuts) and clip not in current
    }
    total = sum(len(facts.frames) for clip, (facts, _) in zip(clips, known, strict=True) if facts and clip in to_draw)
    with (
        Progress(total, "frame", "drawing") as progress,
        start_pool(workers if to_draw else 1, "a process that draws pictures") as pool,
    ):
        for clip, (facts, problem) in zip(clips, known, strict=True):
            name = pages[clip]
            path = output / name
            problems: list[str] = []
            if facts is not None and clip in to_draw:
                # the compiled kernels take their time to load, which pages that are there need not spend
                from animerun_gen.report.page import make_page

                try:
                    page = make_page(facts, pool, budget, progress.advance)
                except DatasetError as error:
                    report.failed, problems = True, [str(error)]
                else:
                    with written_aside(path) as temporary:
                        temporary.write_text(page.text, encoding="utf-8")
                    report.pages.append(path)
                    problems = page.problems
                    drawn[str(name)] = DrawnPage(
                        basis=bases[clip], size=path.stat().st_size, problems=tuple(page.problems)
                    )
            elif facts is not None and clip in current:
                problems = list(drawn[str(name)].problems)
                if _wanted(clip, cuts):
                    report.unchanged.append(path)
            elif facts is None and _wanted(clip, cuts):
                report.failed = True
                problems = [problem]
            report.sentences += [f"cut '{clip.cut}': {one}" for one in problems if _wanted(clip, cuts)]
            rows.append(
                IndexRow(
                    counted=Counted(clip, facts, *_count(listed[clip])),
                    problem=problem,
                    page=name if path.is_file() and facts is not None else None,
                    verdict="incomplete" if facts is None else figures.verdict(facts, problems),
                )
            )
        counted = _statistics(root, output, report)
        with written_aside(report.index) as temporary:
            temporary.write_text(make_index(rows, title or root.resolve().name, counted), encoding="utf-8")
        if report.pages:
            write_drawn(output, drawn)
    return report


def _statistics(root: Path, output: Path, report: Report) -> dict[str, Any] | None:
    """Make the page of the statistics inside a dataset; what the index shows of it, None where there are none."""
    try:
        found = read_statistics(root)
    except DatasetError as error:
        report.sentences.append(str(error))
        return None
    if found is None:
        return None
    drawn = plots.draw(found)
    with written_aside(output / PAGE) as temporary:
        temporary.write_text(make_page_of_statistics(found, drawn), encoding="utf-8")
    return for_index(found, drawn)


def _count(listed: Sequence[Entry]) -> tuple[int, int]:
    """Bytes of the files of a cut, and how many forward flows are among them."""
    files = [entry for entry in listed if entry.belongs]
    size = sum(entry.status.st_size for entry in files if entry.status is not None)
    return size, sum(entry.modality.name == "flow_forward" for entry in files)


def _wanted(clip: ClipFiles, cuts: Sequence[str]) -> bool:
    return not cuts or clip.cut in cuts


def _try_facts(clip: ClipFiles) -> tuple[CutFacts | None, str]:
    try:
        return collect_facts(clip), ""
    except DatasetError as error:
        return None, str(error.below(clip.root))
