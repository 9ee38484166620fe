"""``animerun-gen cut rename``: give a cut of a dataset another name.

A cut is renamed by moving its folders, one after the other.  Until the last one has its new name, a note in the hidden
folder says what is under way, so that whoever opens the dataset next goes on with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen.config.model import CutConfig, is_safe_name
from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.files import read_json, remove_file, write_json
from animerun_gen.dataset.modalities import SPLITS
from animerun_gen.dataset.split_lists import write_split_lists
from animerun_gen.errors import DatasetError, UsageError
from animerun_gen.pipeline.keeping.places import (
    files_beside,
    hidden_places,
    is_known,
    known_cuts,
    require_cut,
    split_places,
    splits_of,
)
from animerun_gen.pipeline.state.clearing import remove_stage
from animerun_gen.pipeline.state.fingerprints import fingerprints
from animerun_gen.pipeline.state.ledger import Checksums, CutLedger, read_ledger, write_ledger
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.manifest_file import read_manifest
from animerun_gen.pipeline.state.on_disk import key_of


class _Renaming(BaseModel):
    """What is under way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old: str
    new: str


def renaming_file(root: Path) -> Path:
    """The note that says which cut is being renamed."""
    return layout.state_folder(root) / "renaming.json"


def rename_cut(root: Path, old: str, new: str) -> list[str]:
    """Give a cut another name.

    Colour passes are designed by the cut's name.  They are removed where they can be made again without a Blender,
    which is the caller's: brought up to date, the cut is what it would be had it always had its name.

    Args:
        root: Root folder of the dataset.
        old: Its name.
        new: Its new name.

    Returns:
        What was done, a sentence each.

    Raises:
        UsageError: The new name cannot be, or there is such a cut; nothing is changed then.
        NoDatasetError: There is no such dataset or cut.
        BusyError: A run is writing to the dataset.
        DatasetError: Something cannot be moved; run the same command again when that is mended.
    """
    if not is_safe_name(new):
        raise UsageError(
            f"{new!r} cannot be the name of a cut",
            remedy="use up to 100 letters a-z, digits, dots, hyphens and underscores, and begin with a letter or digit",
        )
    is_under_way = _under_way(root) == _Renaming(old=old, new=new)
    if not is_under_way:
        _require_possible(root, old, new)
    with exclusive(root):
        finish_renaming(root)
        if not is_under_way:
            _require_possible(root, old, new)
            write_json(renaming_file(root), _Renaming(old=old, new=new).model_dump())
            finish_renaming(root)
    return [
        f"renamed cut '{old}' to '{new}'",
        f"set its name to '{new}' in its YAML file as well: 'animerun-gen generate' with the old name makes "
        f"'{old}' again",
    ]


def finish_renaming(root: Path) -> None:
    """Go on with what was killed on the way, if anything was.  Each step may have been done before.

    Args:
        root: Root folder of the dataset; the caller holds its lock.

    Raises:
        DatasetError: Something cannot be moved.
    """
    under_way = _under_way(root)
    if under_way is None:
        remove_file(renaming_file(root))
        return
    old, new = under_way.old, under_way.new
    if _can_redo_passes(read_ledger(root, old)):
        for split in splits_of(root, old):
            remove_stage(ClipWriter(root, split, old), "recolor")
        remove_file(layout.recolor_file(root, old))
    for split in splits_of(root, old):
        for source in split_places(root, split, old):
            _move(source, _renamed(source, old, new))
    _rewrite_files_beside(root, old, new)
    _rewrite_ledger(root, old, new)
    for path in hidden_places(root, old):
        _move(path, _renamed(path, old, new))
    write_split_lists(root)
    remove_file(renaming_file(root))


def _require_possible(root: Path, old: str, new: str) -> None:
    require_cut(root, old)
    if old == new:
        raise UsageError(f"cut '{old}' has that name already", remedy="give another one")
    # a file system that does not tell a from A may be next
    alike = [cut for cut in known_cuts(root) if cut.lower() == new.lower() and cut != old]
    if alike or is_known(root, new):
        raise UsageError(
            f"has a cut '{(alike or [new])[0]}' already", root, "choose another name, or remove that cut first"
        )


def _under_way(root: Path) -> _Renaming | None:
    try:
        return _Renaming.model_validate(read_json(renaming_file(root)))
    # there is none, or it was never written wholly
    except (DatasetError, ValidationError):
        return None


def _renamed(path: Path, old: str, new: str) -> Path:
    """A place of the old cut as that of the new one: its own name is the cut's, with an ending in some."""
    return path.with_name(new + path.name.removeprefix(old))


def _move(source: Path, target: Path) -> None:
    if not os.path.lexists(source):
        return
    try:
        os.rename(source, target)
    except OSError as error:
        raise DatasetError(
            f"cannot be renamed to {target.name} ({error.strerror})",
            source,
            "correct that and run the same command again",
        ) from error


def _can_redo_passes(kept: CutLedger) -> bool:
    """Whether colour passes can be made again from what is there, by this version of the program."""
    made_from = kept.origin
    try:
        config = CutConfig.model_validate(made_from.config)
        now = fingerprints(config, made_from.engine, made_from.source)
    # nothing says what it was made from, or its palette is gone
    except (DatasetError, ValidationError):
        return False
    return all(now[stage] == made_from.fingerprints.get(stage) for stage in ("pictures", "motion"))


def _rewrite_files_beside(root: Path, old: str, new: str) -> None:
    """The files beside the splits under the new name, which they have inside as well."""
    for of in (layout.quality_file, layout.recolor_file):
        with suppress(DatasetError):
            data = read_json(of(root, old))
            if isinstance(data, dict):
                write_json(of(root, new), {**data, "cut": new})
    with suppress(DatasetError):
        manifest, _ = read_manifest(layout.manifest_file(root, old))
        named = _new_names(root, old, new)
        files = {named(name): digest for name, digest in manifest.files.items() if (root / named(name)).exists()}
        for of in (layout.quality_file, layout.recolor_file):
            # the manifest has them since it was written, and they are others now
            if (name := of(root, new).relative_to(root).as_posix()) in files:
                files[name] = file_digest(root / name)
        config = {**manifest.config, "name": new}
        write_json(
            layout.manifest_file(root, new),
            manifest.model_copy(update={"cut": new, "config": config, "files": files}).model_dump(),
        )
    # the manifest last: until then all of it can be written again
    for path in files_beside(root, old):
        remove_file(path)


def _rewrite_ledger(root: Path, old: str, new: str) -> None:
    """The ledger under the new name; what is kept there of the old quality file is left out."""
    kept = read_ledger(root, old)
    if not kept.begun:
        return
    made_from = kept.origin.model_copy(update={"config": {**kept.origin.config, "name": new}})
    if _can_redo_passes(kept):
        prints = {stage: digest for stage, digest in made_from.fingerprints.items() if stage != "recolor"}
        made_from = made_from.model_copy(update={"fingerprints": prints})
    named, split = _new_names(root, old, new), str(made_from.config.get("split"))
    # files of the splits are kept without the split, see on_disk.key_of
    files = {
        key_of(named(f"{split}/{key}"), split) if named(key) == key else named(key): known
        for key, known in kept.checksums.files.items()
    }
    renamed = kept.model_copy(update={"made_from": made_from, "judged": None, "checksums": Checksums(files=files)})
    write_ledger(root, new, renamed)
    remove_file(layout.ledger_file(root, old))


def _new_names(root: Path, old: str, new: str) -> Callable[[str], str]:
    """Gives the name of a cut's file, below the root of the dataset, as it is under the cut's new name."""
    places = [*files_beside(root, new), *(place for split in SPLITS for place in split_places(root, split, new))]
    before = {
        PurePosixPath(_renamed(place, new, old).relative_to(root).as_posix()): place.relative_to(root).as_posix()
        for place in places
    }

    def named(name: str) -> str:
        path = PurePosixPath(name)
        for above in (path, *path.parents):
            if above in before:
                return (PurePosixPath(before[above]) / path.relative_to(above)).as_posix()
        return name

    return named


def config_of(root: Path, cut: str) -> CutConfig | None:
    """What a cut was made from; None where nothing says."""
    try:
        return CutConfig.model_validate(read_ledger(root, cut).origin.config)
    except ValidationError:
        return None
