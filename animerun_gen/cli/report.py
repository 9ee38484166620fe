"""``report``: make pages to look at a dataset in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.report import DEFAULT_SIZE
from animerun_gen.settings import File, Number, setting
from animerun_gen.terminal import complain, say


@dataclass(frozen=True)
class Report:
    """Make pages to look at a dataset in a browser."""

    name: ClassVar = "report"
    summary: ClassVar = "make HTML pages to browse a dataset"
    description: ClassVar = """\
Makes pages to look at a dataset in a browser: for each cut its pictures in layers, curves of its quality figures with
their thresholds, the worst pairs first, and what it was made with; and an index with all cuts, totals, histograms,
splits and licences. The pages need neither network nor server. A dataset that was downloaded, or is incomplete, is
shown as far as it goes.

    animerun-gen report out/toy
    animerun-gen report out/toy --cut courier --out pages --video
"""

    dataset: Path = shared.dataset()
    output: Path | None = setting(
        None,
        names=("--out",),
        reads=File(),
        metavar="FOLDER",
        help="folder for the pages (default: 'report' inside the dataset)",
    )
    cuts: tuple[str, ...] = shared.cuts("make only the pages of these cuts; the index lists all of them")
    title: str | None = setting(
        None, metavar="TEXT", help="what the index calls the dataset (default: the name of its folder)"
    )
    workers: int = shared.workers()
    max_size: float = setting(
        DEFAULT_SIZE,
        reads=Number("a size in megabytes of 1 or more", 1, 999_999),
        metavar="MB",
        help="largest size of a page; longer clips are shown smaller (default: {default})",
    )
    video: bool = setting(
        False, help="write a video of each clip beside its page: frame, line art, flow and segments side by side"
    )

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.report.build import build_report

        report = build_report(self.dataset, self.output, self.cuts, self.workers, self.max_size, self.title)
        for sentence in report.sentences:
            complain(sentence)
        for page in report.pages:
            say(f"{page}: {page.stat().st_size / 1e6:.1f} MB")
        for page in report.unchanged:
            say(f"{page}: unchanged")
        if self.video:
            self._write_videos((*report.pages, *report.unchanged))
        say(f"open {report.index} in a browser")
        return 1 if report.failed else 0

    def _write_videos(self, pages: Sequence[Path]) -> None:
        from animerun_gen.dataset import ClipFiles
        from animerun_gen.publish.preview import write_video

        for page in pages:
            # a page lies in the folder of its split and has the name of its cut
            clip = ClipFiles(self.dataset, page.parent.name, page.stem)
            video = page.with_suffix(".mp4")
            plays = write_video(video, [clip], again=True)
            say(f"{video}: {video.stat().st_size / 1e6:.1f} MB; {plays}")
