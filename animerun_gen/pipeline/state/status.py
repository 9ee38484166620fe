"""Says how far a dataset is: ``animerun-gen status``.

Only the dataset is read, and nothing is locked, so it may be asked while a run is going on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import Dataset
from animerun_gen.dataset.listing import list_cut
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.errors import NoDatasetError
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.state.coverage import describe_coverage, has_cameras, has_tracks, measure_coverage
from animerun_gen.pipeline.state.fingerprints import STAGES
from animerun_gen.pipeline.state.ledger import CutLedger, read_ledger
from animerun_gen.pipeline.state.lock import holder
from animerun_gen.pipeline.state.manifest import SHOWN_NAMES, Damage, find_damage
from animerun_gen.pipeline.state.on_disk import FilesOnDisk
from animerun_gen.terminal import as_command

State = Literal["complete", "running", "incomplete", "unchecked", "damaged", "failed"]

MOST_TO_CHECK = 64 << 20
"""Bytes of touched files of a cut whose checksums are computed."""

SHOWN_FAILURES = 3
"""So many sentences about a cut are printed; the file for other programs has all of them."""


@dataclass(frozen=True)
class StageStatus:
    """How far a stage of a cut is.

    Attributes:
        done: Files that are there.
        total: Files that the cut's configuration asks for.
    """

    done: int
    total: int


@dataclass(frozen=True)
class CutStatus:
    """How far a cut is.

    Attributes:
        cut: Its name.
        split: ``"train"``, ``"val"`` or ``"test"``; empty where its record cannot be read.
        state: ``"complete"``; ``"failed"`` where the last run of it ended with failures; ``"running"`` where it is
            neither, and a run is going on; ``"incomplete"`` where something is missing; ``"damaged"`` where files are
            not what was made; ``"unchecked"`` where that is not known of so many that it would take long to find out.
        stages: Each stage that has files of it, by name.
        missing: What is missing, a sentence each.
        failures: What the last run of it ended with, a sentence each.
        damage: Which files are not what was made, or were not looked into, a sentence each.
    """

    cut: str
    split: str
    state: State
    stages: dict[str, StageStatus] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DatasetStatus:
    """How far a dataset is.

    Attributes:
        running: Number of the process that writes to it; 0 where the system does not tell; None: none does.
        cuts: The cuts that were begun here, by name.
        foreign: Cuts that were not made here, by name.
        gone: Cuts that were made here, and of which nothing is there any more, by name.
    """

    running: int | None
    cuts: list[CutStatus]
    foreign: list[str]
    gone: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every cut is."""
        return all(cut.state == "complete" for cut in self.cuts)


def read_status(root: Path) -> DatasetStatus:
    """Look at a dataset.

    Args:
        root: Its root folder.

    Raises:
        NoDatasetError: There is none, or it was not made here.
        DatasetError: A folder cannot be read.
    """
    if not root.is_dir():
        raise NoDatasetError("is not a folder", root, "give the root folder of a dataset")
    # ledgers begin with what no name of a cut does while they are being written
    names = sorted(file.stem for file in layout.ledger_file(root, "any").parent.glob("[!.]*.json"))
    # something is known of a cut that is split at its camera cuts as well, but only its clips are made
    begun = {name: kept for name in names if (kept := read_ledger(root, name)).begun}
    there = {clip.cut for clip in Dataset(root).clips()} if any((root / split).is_dir() for split in SPLITS) else set()
    if not begun and there:
        raise NoDatasetError(
            "was made elsewhere: it has no record of what its cuts were made from",
            root,
            f"check it with: {as_command('animerun-gen', 'verify', root)}",
        )
    if not begun:
        raise NoDatasetError(
            "is not a dataset: no cut has been started there", root, "give the folder that --out named"
        )
    running = holder(root)
    gone = [] if running is not None else [cut for cut, kept in begun.items() if _is_gone(root, cut, kept)]
    cuts = [_cut_status(root, cut, kept, running is not None) for cut, kept in begun.items() if cut not in gone]
    return DatasetStatus(running, cuts, sorted(there - set(begun)), gone)


def _is_gone(root: Path, cut: str, kept: CutLedger) -> bool:
    """Whether a cut was there once and somebody deleted its folders; one of which nothing was ever made is not gone."""
    was_there = bool(kept.checksums.files) or layout.manifest_file(root, cut).exists()
    return was_there and not any(next(list_cut(root, split, cut), None) for split in SPLITS)


def _cut_status(root: Path, cut: str, kept: CutLedger, running: bool) -> CutStatus:
    record, failures = kept.origin, list(kept.failures)
    try:
        config = CutConfig.model_validate(record.config)
    except ValidationError:
        damaged = f"{layout.ledger_file(root, cut)} cannot be read: the next run makes the cut again"
        return CutStatus(cut, "", "failed" if failures else "incomplete", missing=[damaged], failures=failures)
    found = FilesOnDisk(root, config.split, cut, kept.checksums)
    wanted = Wanted.of(config)
    stages = {}
    for stage in STAGES:
        done = total = 0
        for what in wanted.modalities:
            if what.stage != stage:
                continue
            if what.kind == "clip":
                total += 1
                done += has_tracks(config, root)
            else:
                frames = what.frames(config.frame_numbers)
                total += len(frames)
                done += len(found.with_all([what], frames))
        if stage == "motion":
            # the two files of cameras count as one: neither is there without the other
            total += 1
            done += has_cameras(config, root)
        if total:
            stages[stage] = StageStatus(done, total)
    coverage = measure_coverage(wanted, root, STAGES, found)
    missing = describe_coverage(coverage)
    if coverage.complete and not layout.quality_file(root, cut).is_file():
        missing.append("the quality figures are missing")
    if coverage.complete and not record.fingerprints:
        missing.append("the files are out of date, and the next run makes them again")
    damage = find_damage(root, found, record, most=MOST_TO_CHECK)
    state: State = "complete"
    if failures:
        state = "failed"
    elif missing and running:
        state = "running"
    elif damage.files:
        state = "damaged"
    elif missing:
        state = "incomplete"
    elif damage.unchecked:
        state = "unchecked"
    return CutStatus(cut, config.split, state, stages, missing, failures, _describe_damage(damage))


def _describe_damage(damage: Damage) -> list[str]:
    if damage.files:
        return [f"files changed since they were made: {len(damage.files)} ({and_more(damage.files, SHOWN_NAMES)})"]
    if damage.unchecked:
        return [
            f"{damage.unchecked} files were copied or touched after their checksums were computed; verify checks "
            "them, and so does generate"
        ]
    return []


def describe_status(status: DatasetStatus, root: Path) -> list[str]:
    """How far a dataset is in words: a table of the cuts, what is missing and why, and how to make it."""
    table = [["cut", "split", "state", *STAGES]]
    for cut in status.cuts:
        figures = [
            f"{cut.stages[name].done}/{cut.stages[name].total}" if name in cut.stages else "-" for name in STAGES
        ]
        table.append([cut.cut, cut.split or "-", cut.state, *figures])
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    for cut in status.cuts:
        lines += [f"{cut.cut}: {sentence}" for sentence in cut.missing]
        lines += [f"{cut.cut}: {sentence}" for sentence in cut.damage]
        lines += [f"{cut.cut}: failed: {sentence}" for sentence in cut.failures[:SHOWN_FAILURES]]
        if len(cut.failures) > SHOWN_FAILURES:
            lines.append(f"{cut.cut}: failed {len(cut.failures) - SHOWN_FAILURES} more times")
    if status.foreign:
        lines.append(f"made elsewhere, not checked: {', '.join(status.foreign)}")
    for gone in status.gone:
        forget = as_command("animerun-gen", "cut", "remove", root, gone)
        lines.append(f"{gone}: its folders were deleted; forget it with: {forget}")
    done = sum(cut.state == "complete" for cut in status.cuts)
    lines.append(f"{done} of {len(status.cuts)} cuts are complete")
    if status.running is not None:
        process = f" (process {status.running})" if status.running else ""
        lines.append(f"a run is writing to the dataset{process}; it may still be writing the missing files")
        return lines
    states = {cut.state for cut in status.cuts}
    if "unchecked" in states:
        lines.append(f"check what was touched with: {as_command('animerun-gen', 'verify', root)}")
    if "damaged" in states:
        lines.append(f"remake damaged files with: {as_command('animerun-gen', 'verify', root, '--repair')}")
    if states & {"failed", "incomplete"}:
        command = as_command("animerun-gen", "generate", "CONFIG_OR_FOLDER", "--out", root)
        lines.append(f"make missing files with: {command}")
    return lines


def as_json(status: DatasetStatus, root: Path) -> dict[str, Any]:
    """The same for other programs."""
    return {
        "version": 1,
        "dataset": str(root),
        "complete": status.complete,
        "running": status.running,
        "cuts": [asdict(cut) for cut in status.cuts],
        "foreign": status.foreign,
        "gone": status.gone,
    }
