"""``stats``: the figures of the paper's Table 1 and Figure 4, of datasets of ours and of others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.settings import File, Whole, setting
from animerun_gen.terminal import complain, say


@dataclass(frozen=True)
class Stats:
    """Count segments, motion, occlusion, held frames and grey levels of datasets."""

    name: ClassVar = "stats"
    summary: ClassVar = "count what datasets hold, as the paper's Table 1 and Figure 4 do"
    description: ClassVar = """\
Counts the segments, matches, motion, occlusion, held frames and grey levels of datasets: all figures of the paper's
Table 1 and Figure 4, of each dataset, film, split and clip (docs/statistics.md says what each means). It takes what
this project makes, the published AnimeRun, Sintel, Creative Flow+, ATD-12K, FlyingThings3D, LinkTo-Anime, and plain
folders of frames. With a reference it says how far they are from it, with --compare also in words. The folder gets
statistics.json, statistics.md, index.html, and the plots as SVG and PNG. Run again, the command goes on where it
stopped.

    animerun-gen stats out/toy --out out/toy/statistics
    animerun-gen stats out/toy --reference frames_of_an_episode --compare --out out/compared --workers 2
"""

    datasets: tuple[Path, ...] = setting(
        several=True,
        placed=True,
        reads=File(),
        metavar="DATASET",
        help="root folders of datasets, or folders of frames",
    )
    output: Path = setting(
        names=("--out",), reads=File(), metavar="FOLDER", help="folder for the figures, the plots and the page"
    )
    reference: Path | None = setting(
        None,
        reads=File(),
        metavar="DATASET",
        help="what the others are held against: a dataset, one of those above or another one, or a folder of frames",
    )
    compare: bool = setting(
        False, help="say in words on which side of the reference they err, and which keys of a configuration bear on it"
    )
    pictures: str | None = setting(
        None,
        metavar="NAME",
        help="the pictures whose levels are counted: frame, contour, color_1, clean ..., or all: the frame and its "
        "colour passes, or all styles (default: frame, or what the layout has first)",
    )
    frame_width: int | None = setting(
        None,
        reads=Whole(16, 16384),
        metavar="PIXELS",
        help="bring frames to this width before levels are counted, so that sets of other sizes can be compared",
    )
    workers: int = shared.workers()

    def run(self) -> int:
        from animerun_gen.errors import UsageError

        if self.compare and self.reference is None:
            raise UsageError("--compare needs something to compare with", remedy="name it with --reference")
        reference = [] if self.reference is None else [self.reference]
        shared.require_output(self.output, [*self.datasets, *reference])
        # libraries that the helps of commands can do without
        from animerun_gen.dataset import written_aside
        from animerun_gen.dataset.files import write_json, write_text
        from animerun_gen.report.statistics import make_page
        from animerun_gen.statistics import plots, table
        from animerun_gen.statistics.advice import advise
        from animerun_gen.statistics.run import count, describe

        found = count(
            self.datasets,
            self.output,
            reference=self.reference,
            pictures=self.pictures,
            frame_width=self.frame_width,
            workers=self.workers,
        )
        statistics = found.statistics
        if self.compare:
            statistics = statistics.model_copy(update={"advice": advise(statistics)})
        drawn = plots.draw(statistics)
        plots.write(drawn, self.output)
        write_json(self.output / "statistics.json", statistics.model_dump(mode="json"))
        write_text(self.output / "statistics.md", table.markdown(statistics, [plot.name for plot in drawn]))
        page = self.output / "index.html"
        with written_aside(page) as temporary:
            temporary.write_text(make_page(statistics, drawn), encoding="utf-8")
        for sentence in found.failures:
            complain(sentence)
        headings, rows = table.table_1(statistics)
        for row in rows:
            say("; ".join(f"{name} {value}" for name, value in zip(["", *headings[1:]], row, strict=True)).strip())
        for advice in statistics.advice:
            say(advice.sentence)
        say(f"{describe(statistics)}; open {page} in a browser")
        return 1 if found.failures else 0
