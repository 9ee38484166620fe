"""``verify``: check a dataset, and repair it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from animerun_gen.cli import shared
from animerun_gen.settings import setting
from animerun_gen.terminal import say

if TYPE_CHECKING:
    from animerun_gen.verify.cut_report import CutReport


@dataclass(frozen=True)
class Verify:
    """Check a dataset, and repair it."""

    name: ClassVar = "verify"
    summary: ClassVar = "check a dataset for missing, damaged or inconsistent files"
    description: ClassVar = """\
Checks that a dataset is complete and consistent: every file of every frame, shapes and types, labels
without gaps, matches that name segments, motion and masks that agree, and checksums against the manifest. Every defect
is a line with its file. The dataset is only read; docs/verify.md says what is looked at. Of a dataset that was made
elsewhere, such as a downloaded AnimeRun, it checks what the layout demands. With --repair it removes what is damaged,
then makes it and whatever else is missing again, from what the dataset says it was made from.

    animerun-gen verify out/toy
    animerun-gen verify out/toy --cut courier --workers 4
    animerun-gen verify out/toy --repair

Exits with status 0 when nothing is wrong, 1 when something is, and 2 when there is no such dataset or cut.
"""

    dataset: Path = shared.dataset()
    cuts: tuple[str, ...] = shared.cuts("check these cuts only")
    workers: int = shared.workers()
    quick: bool = setting(False, help="check names and headers only, not checksums or the content of large files")
    repair: bool = setting(False, help="remove damaged files, then make them and any missing ones again")
    blender: str | None = shared.blender("repair with this installed Blender (3.4 or newer) instead of the bpy module")
    json: Path | None = shared.json_file()

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.config.messages import counted
        from animerun_gen.dataset.files import write_json
        from animerun_gen.verify.run import places

        if self.blender is not None:
            from animerun_gen.engines.blenders import find_program

            # found missing before hours of looking, not after
            find_program(self.blender)
        reports = self._look()
        if self.repair and self._repaired(reports):
            # whether that was enough, and what is left to be done
            reports = self._look()
        defects = sum(len(report.defects) for report in reports)
        files = sum(report.files for report in reports)
        cuts = sum(bool(report.cut) for report in reports)
        scope = " (headers alone, no checksums)" if self.quick else ""
        found = f"{counted(defects, 'defect')} in {places(self.dataset, reports)}" if defects else "no defect"
        say(f"{counted(cuts, 'cut')}, {counted(files, 'file')}{scope}: {found}")
        if self.json is not None:
            results = {
                "version": 1,
                "dataset": str(self.dataset),
                "quick": self.quick,
                "defects": defects,
                "cuts": [asdict(report) for report in reports],
            }
            write_json(self.json, results)
        return 1 if defects else 0

    def _look(self) -> list[CutReport]:
        from animerun_gen.verify.run import describe, verify

        reports = verify(self.dataset, self.cuts, self.workers, self.quick)
        for line in describe(reports):
            say(line)
        return reports

    def _repaired(self, reports: Sequence[CutReport]) -> bool:
        """Whether anything was repaired of what was found."""
        # the pipeline brings along what is not needed to look at a dataset
        from animerun_gen.engines.blenders import find_engine
        from animerun_gen.verify.repair import repair

        return bool(repair(self.dataset, reports, lambda: find_engine(self.blender), say, self.workers))
