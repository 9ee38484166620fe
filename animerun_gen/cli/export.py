"""``export``: write a dataset in the layout of another one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.settings import File, setting
from animerun_gen.terminal import complain, say


@dataclass(frozen=True)
class Export:
    """Write a dataset in the layout of another one."""

    name: ClassVar = "export"
    summary: ClassVar = "write a dataset in the layout that other code reads"
    description: ClassVar = """\
Writes a dataset in the folders and files that the readers of another dataset expect, so that training code made for it
runs as it is: sintel, spring, kitti, tapvid, cotracker, pointodyssey, paintbucket, linkto, animeinbet or svg
(docs/export.md says what each holds). Labels are exact or marked as unknown; what a layout cannot mark is left out and
counted. Run again, the command goes on where it stopped; what has changed in the dataset is made again. The folder
holds the cuts that were asked for and no others.

    animerun-gen export out/toy --layout sintel --out out/toy_sintel --link
    animerun-gen export out/toy --layout paintbucket --out out/toy_paintbucket --cut courier
"""

    dataset: Path = shared.dataset()
    layout: str = setting(metavar="NAME", help="the layout to write")
    output: Path = setting(
        names=("--out",), reads=File(), metavar="FOLDER", help="folder to write to: a new one, or an earlier export"
    )
    link: bool = setting(
        False, help="make unchanged files hard links of the dataset's instead of copies, where the disk can"
    )
    cuts: tuple[str, ...] = shared.cuts("export these cuts only")
    splits: tuple[str, ...] = setting(
        (), names=("--split",), several=True, metavar="NAME", help="export these splits only"
    )
    pictures: str = setting(
        "frame",
        metavar="NAME",
        help="the pictures that readers see: frame, flat, contour, or a colour pass: color_1 (default: {default})",
    )

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.config.messages import counted
        from animerun_gen.export.run import export

        done = export(
            self.dataset,
            self.layout,
            self.output,
            link=self.link,
            cuts=self.cuts,
            splits=self.splits,
            pictures=self.pictures,
        )
        for sentence in done.sentences:
            say(sentence)
        for sentence in done.failures:
            complain(sentence)
        unchanged = f", {len(done.unchanged)} unchanged" if done.unchanged else ""
        say(f"{counted(len(done.made), 'cut')} exported to {done.root}{unchanged}")
        for name, count in sorted(done.counts.items()):
            say(f"  {name.replace('_', ' ')}: {count:,}")
        return 1 if done.failures else 0
