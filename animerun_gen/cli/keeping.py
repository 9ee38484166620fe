"""``cut``, ``merge`` and ``compare``: keep a dataset."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.errors import UsageError
from animerun_gen.settings import Choice, File, setting
from animerun_gen.terminal import say


@dataclass(frozen=True)
class Cut:
    """Remove or rename cuts of a dataset."""

    name: ClassVar = "cut"
    summary: ClassVar = "remove or rename cuts of a dataset"
    description: ClassVar = """\
Removes cuts of a dataset with everything that belongs to them, or gives one another name. It may be stopped at any
moment; the same command goes on. docs/keeping.md says what becomes of manifests, colour passes and split lists.

    animerun-gen cut remove out/toy courier still
    animerun-gen cut rename out/toy courier fox
"""

    action: str = setting(placed=True, reads=Choice(("remove", "rename")), metavar="remove|rename", help="what to do")
    dataset: Path = shared.dataset()
    cuts: tuple[str, ...] = setting(
        placed=True,
        several=True,
        metavar="CUT",
        help="remove: names of cuts; rename: the name of a cut and its new one",
    )

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.pipeline.keeping.remove import remove_cuts

        if self.action == "remove":
            for line in remove_cuts(self.dataset, self.cuts):
                say(line)
            return 0
        if len(self.cuts) != 2:
            raise UsageError(
                f"cut rename takes the name of a cut and its new name, not {len(self.cuts)} names",
                remedy="write animerun-gen cut rename DATASET CUT NEW_NAME",
            )
        return self._rename(*self.cuts)

    def _rename(self, old: str, new: str) -> int:
        from animerun_gen.pipeline.keeping.rename import config_of, rename_cut
        from animerun_gen.pipeline.options import Options
        from animerun_gen.pipeline.run import generate
        from animerun_gen.pipeline.state.ledger import read_ledger

        for line in rename_cut(self.dataset, old, new):
            say(line)
        config = config_of(self.dataset, new)
        if config is None:
            return 0
        # what bears the name inside, or is designed by it, is made again
        decided = {new: read_ledger(self.dataset, new).origin.decided}
        [summary] = generate([config], Options(self.dataset, render=False), decided)
        if summary.recolored:
            say(f"colours of passes depend on the cut's name: {summary.recolored} frames were recoloured")
        for failure in summary.failures:
            say(f"not brought up to date: {failure}")
        return 1 if summary.failures or summary.damaged else 0


@dataclass(frozen=True)
class Merge:
    """Bring the cuts of several datasets together."""

    name: ClassVar = "merge"
    summary: ClassVar = "copy the cuts of several datasets into one"
    description: ClassVar = """\
Copies all cuts of some datasets into another one, with their manifests and all that later runs know of them. The
others are only read. Cuts of one name must be alike, to the byte; else nothing is copied. Every file that arrives is
held against the manifest. It may be stopped at any moment; the same command goes on.

    animerun-gen merge out/monday out/tuesday --into out/all
"""

    sources: tuple[Path, ...] = setting(
        placed=True, several=True, reads=File(), metavar="DATASET", help="root folders of the datasets to copy"
    )
    into: Path = setting(reads=File(), metavar="DATASET", help="root folder of the dataset that takes their cuts")

    def run(self) -> int:
        from animerun_gen.pipeline.keeping.merge import merge_datasets

        merged = merge_datasets(self.sources, self.into)
        for line in merged.said:
            say(line)
        return 1 if merged.damaged else 0


@dataclass(frozen=True)
class Compare:
    """Say how two datasets differ."""

    name: ClassVar = "compare"
    summary: ClassVar = "say which cuts, figures and bytes of two datasets differ"
    description: ClassVar = """\
Says how two datasets differ: cuts that one of them lacks, settings, versions, quality figures, and files that are not
alike to the byte, with the place of the first difference. Both are only read.

    animerun-gen compare out/before out/after
    animerun-gen compare out/before out/after --cut courier --json differences.json

Exits with status 0 when both have the same cuts, alike to the byte, 1 when not, and 2 when one is no dataset.
"""

    dataset: Path = shared.dataset()
    other: Path = setting(placed=True, reads=File(), metavar="OTHER", help="root folder of the dataset to compare with")
    cuts: tuple[str, ...] = shared.cuts("compare these cuts only")
    json: Path | None = shared.json_file()

    def run(self) -> int:
        from animerun_gen.dataset.files import write_json
        from animerun_gen.pipeline.keeping.compare import compare_datasets, describe_comparison

        found = compare_datasets(self.dataset, self.other, self.cuts)
        for line in describe_comparison(found, self.dataset, self.other):
            say(line)
        if self.json is not None:
            results = {
                "version": 1,
                "datasets": [str(self.dataset), str(self.other)],
                "alike": found.alike,
                "only": list(found.only),
                "cuts": [{**asdict(cut), "alike": cut.alike} for cut in found.cuts],
            }
            write_json(self.json, results)
        return 0 if found.alike else 1
