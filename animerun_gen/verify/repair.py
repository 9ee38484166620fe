"""Makes damaged files of a dataset again, and only those: ``animerun-gen verify --repair``.

What a cut was made from is in its record, so no configuration is needed.  Before anything is removed it is made sure
that nothing has changed since: otherwise the other files would be out of date as well, and all would be made again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pydantic import ValidationError

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more, counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.files import remove_file
from animerun_gen.dataset.listing import modalities_there
from animerun_gen.engines.blenders import Engine
from animerun_gen.errors import AnimerunGenError, DatasetError
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.fingerprints import fingerprints
from animerun_gen.pipeline.state.inputs import look_at_inputs
from animerun_gen.pipeline.state.ledger import CutLedger, move_over, read_ledger
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.manifest import SHOWN_NAMES
from animerun_gen.verify.checked_manifest import CheckedManifest
from animerun_gen.verify.cut_report import DAMAGED, CutReport
from animerun_gen.verify.findings import changed

RENDERED = ("pictures", "motion")
"""The stages that only a Blender makes."""


@dataclass(frozen=True)
class _Repair:
    """What there is to do for a cut.

    Attributes:
        config: The cut.
        kept: What is written down about it.
        damaged: The files to remove, by name.
        renders: Whether Blender is needed for what is lacking.
    """

    config: CutConfig
    kept: CutLedger
    damaged: tuple[str, ...]
    renders: bool


def repair(
    root: Path,
    reports: Iterable[CutReport],
    find_engine: Callable[[], Engine],
    say: Callable[[str], None],
    workers: int = 1,
) -> list[str]:
    """Remove the damaged files of a dataset and make them, and those that are missing, again.

    Args:
        root: Root folder of the dataset.
        reports: What ``verify`` found.
        find_engine: Finds the Blender that renders; asked only where it is needed.
        say: Takes what is done, a sentence each.
        workers: Processes that work side by side.

    Returns:
        The cuts that something was done for.

    Raises:
        AnimerunGenError: Nothing could be begun.
    """
    repairs, engine = [], None
    for report in reports:
        if not any(defect.kind in (*DAMAGED, "missing", "manifest") for defect in report.defects):
            continue
        try:
            plan = _plan(root, report)
            if plan.renders:
                engine = engine or find_engine()
            _require_same(plan, engine if plan.renders else None)
        except AnimerunGenError as error:
            say(f"{report.cut or 'what is beside the cuts'} cannot be repaired: {error}")
            continue
        if plan.damaged:
            names = and_more(plan.damaged, SHOWN_NAMES)
            say(f"{report.cut}: {counted(len(plan.damaged), 'damaged file')} will be made again: {names}")
        repairs.append(plan)
    if not repairs:
        return []
    with exclusive(root):
        move_over(root)
        for plan in repairs:
            for name in plan.damaged:
                remove_file(root / name)
            for file in _figures_of(root, plan):
                remove_file(file)
    for renders in (True, False):
        chosen = [plan for plan in repairs if plan.renders is renders]
        if not chosen:
            continue
        decided = {plan.config.name: plan.kept.origin.decided for plan in chosen}
        options = Options(root, engine if renders else None, workers=workers, render=renders)
        for line in describe(generate([plan.config for plan in chosen], options, decided), root):
            say(line)
    return [plan.config.name for plan in repairs]


def _plan(root: Path, report: CutReport) -> _Repair:
    kept = read_ledger(root, report.cut)
    try:
        config = CutConfig.model_validate(kept.origin.config)
    except ValidationError:
        config = None
    is_its = config is not None and (config.name, config.split) == (report.cut, report.split)
    if config is None or not is_its or not kept.origin.fingerprints:
        raise DatasetError(
            "there is no record of what it was made from",
            remedy="run 'animerun-gen generate' with its configuration, which makes it again, or download its files "
            "again",
        )
    checksums = CheckedManifest.read(root, report.cut).files
    defects = report.defects
    damaged = sorted({one.file for one in defects if _is_damaged(root, one.file, one.kind, checksums)})
    stages = {
        what.stage
        for what in modalities_there(root, config.split, config.name)
        for name in (*damaged, *(one.file for one in defects if one.kind == "missing"))
        if (root / name).is_relative_to(what.cut_folder(root, config.split, config.name))
        or what.cut_folder(root, config.split, config.name).is_relative_to(root / name)
    }
    return _Repair(config, kept, tuple(damaged), bool(stages & set(RENDERED)))


def _is_damaged(root: Path, name: str, kind: str, checksums: Mapping[str, str]) -> bool:
    """Whether a defect is one of the file itself, which it will not have when it is made again."""
    path = root / name
    if kind not in DAMAGED or path.is_dir() or not os.path.lexists(path):
        return False
    # a file that is what was made would be made just so again
    return path.is_symlink() or name not in checksums or changed(root, name, checksums[name]) is not None


def _figures_of(root: Path, plan: _Repair) -> list[Path]:
    """The kept figures that may have been made from a damaged file."""
    config = plan.config
    numbers = config.frame_numbers
    named = [
        what.frame_of(Path(name).name)
        for name in plan.damaged
        for what in modalities_there(root, config.split, config.name)
        if (root / name).parent == what.cut_folder(root, config.split, config.name)
    ]
    # a table is of all frames
    frames = set(numbers) if None in named else set(named)
    figures = [layout.frame_figures_file(root, config.name, frame) for frame in numbers if frame in frames]
    for earlier, later in pairwise(numbers):
        if frames & {earlier, later}:
            figures.append(layout.pair_figures_file(root, config.name, earlier))
    return figures


def _require_same(plan: _Repair, engine: Engine | None) -> None:
    """See whether what is made now goes with what is there.

    Raises:
        DatasetError: It does not.
    """
    config, record = plan.config, plan.kept.origin
    again = "run 'animerun-gen generate' with its configuration, which makes all of it again"
    if engine is not None:
        if engine.version != record.engine:
            raise DatasetError(
                f"it was made with {record.engine}, and this is {engine.version}",
                remedy=f"name that Blender with --blender, or {again}",
            )
        if config.trust_scripts:
            raise DatasetError(
                "the scripts of its film are to run (trust_scripts), and a dataset may not ask for that",
                remedy="delete the damaged files and run 'animerun-gen generate' with its configuration, which makes "
                "just these again",
            )
        if not config.source.is_file():
            raise DatasetError(
                f"its film {config.source} is not there",
                remedy="put it there and run the same command again",
            )
        now = look_at_inputs(plan.kept, config.source)
        film = [str(config.source)] if now.source != record.source else []
        if others := [*film, *now.under_way, *now.changed]:
            raise DatasetError(f"{others[0]} has changed since it was made", remedy=again)
    if fingerprints(config, record.engine, record.source) != record.fingerprints:
        raise DatasetError("it was made by another version of this program or with another palette", remedy=again)
