"""``animerun-gen merge``: bring the cuts of several datasets together in one.

A cut is copied file by file; what says that it was made by this program, its manifest and its ledger, comes last.
Until then a note in the hidden folder says that it is being copied, so that a merge that was killed goes on with it,
and nobody takes half a cut for a whole one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from animerun_gen.config.messages import and_more, counted
from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.dataset.files import read_json, remove_stale_temporaries, write_json, written_aside
from animerun_gen.dataset.split_lists import write_split_lists
from animerun_gen.errors import BusyError, DatasetError, UsageError
from animerun_gen.pipeline.keeping.compare import first_difference
from animerun_gen.pipeline.keeping.places import (
    files_beside,
    hidden_places,
    is_known,
    known_cuts,
    require_dataset,
    split_places,
    splits_of,
)
from animerun_gen.pipeline.keeping.remove import remove_place
from animerun_gen.pipeline.keeping.rename import finish_renaming
from animerun_gen.pipeline.state.ledger import Checksums, move_over, read_ledger, write_ledger
from animerun_gen.pipeline.state.lock import exclusive, holder
from animerun_gen.pipeline.state.manifest_file import read_manifest
from animerun_gen.pipeline.state.on_disk import key_of, mark
from animerun_gen.progress import Progress
from animerun_gen.terminal import as_command

SHOWN = 5
"""So many cuts or files are named in a sentence."""


@dataclass(frozen=True)
class _Copy:
    """A cut that is to be copied.

    Attributes:
        source: Root folder of its dataset.
        cut: Its name.
    """

    source: Path
    cut: str

    def files(self) -> list[Path]:
        """Its files, by their paths below the root, in the order in which they are copied."""
        found: list[Path] = []
        for split in splits_of(self.source, self.cut):
            for place in split_places(self.source, split, self.cut):
                found += _files_in(place)
        hidden = hidden_places(self.source, self.cut)
        ledger = layout.ledger_file(self.source, self.cut)
        for place in hidden:
            found += _files_in(place) if place != ledger else []
        found += [path for path in files_beside(self.source, self.cut) if path.is_file()]
        return [path.relative_to(self.source) for path in found]


@dataclass(frozen=True)
class Merged:
    """What came of a merge.

    Attributes:
        said: What was done, a sentence each.
        damaged: Files that are not what the manifest of their cut says, by name; they are copied as they are.
    """

    said: list[str]
    damaged: list[str]


def merge_datasets(sources: Sequence[Path], target: Path) -> Merged:
    """Copy all cuts of some datasets into another one.

    Args:
        sources: Root folders of datasets; they are only read.
        target: Root folder of the dataset that takes them; made where it does not exist.

    Raises:
        NoDatasetError: A source is no dataset.
        UsageError: Two cuts have one name and are not the same; then nothing is copied.
        BusyError: A run is writing to one of the datasets.
        DatasetError: Something cannot be read or written.
    """
    for source in sources:
        require_dataset(source)
        if os.path.realpath(source) == os.path.realpath(target):
            raise UsageError(f"{source} is to be merged into itself", remedy="name another dataset")
    with exclusive(target):
        remove_stale_temporaries(target)
        move_over(target)
        finish_renaming(target)
        copies, alike = _planned(sources, target)
        said, damaged = [], []
        counts = {copy: copy.files() for copy in copies}
        with Progress(sum(map(len, counts.values())), "file", "copying") as progress:
            for copy, files in counts.items():
                _require_idle(copy.source)
                damaged += _copy_cut(copy, files, target, progress)
                said.append(f"copied cut '{copy.cut}' from {copy.source}: {counted(len(files), 'file')}")
        for source in sources:
            _copy_parents(source, target)
        write_split_lists(target)
    if alike:
        said.append(f"{counted(alike, 'cut')} {'was' if alike == 1 else 'were'} there already, alike to the byte")
    if damaged:
        said.append(
            f"{counted(len(damaged), 'file')} changed since they were made, before they were copied: "
            f"{and_more(damaged, SHOWN)}; make them again with: "
            + as_command("animerun-gen", "verify", target, "--repair")
        )
    return Merged(said, damaged)


def _planned(sources: Sequence[Path], target: Path) -> tuple[list[_Copy], int]:
    """The cuts that are to be copied, and how many are there already."""
    copies: dict[str, _Copy] = {}
    alike: set[_Copy] = set()
    conflicts = []
    for source in sources:
        _require_idle(source)
        for cut in known_cuts(source):
            if not splits_of(source, cut):
                # known and not there: nothing is copied of it
                continue
            copy = _Copy(source, cut)
            other = copies.setdefault(cut.lower(), copy)
            if other != copy:
                if other.cut != cut or not _are_same(copy, other.source):
                    conflicts.append(f"'{cut}' of {source} and of {other.source}")
                else:
                    alike.add(copy)
            elif _note(target, cut).exists():
                if (of := _noted(target, cut)) is not None and of != str(source.absolute()):
                    conflicts.append(f"'{cut}', whose copying from {of} was not finished")
            elif is_known(target, cut):
                if _are_same(copy, target):
                    alike.add(copy)
                else:
                    conflicts.append(f"'{cut}' of {source} and of {target}")
    if conflicts:
        raise UsageError(
            f"cuts of one name differ: {and_more(conflicts, SHOWN)}; nothing was copied",
            remedy="rename one with 'animerun-gen cut rename', or remove it with 'animerun-gen cut remove'",
        )
    return [copy for copy in copies.values() if copy not in alike], len(alike)


def _require_idle(source: Path) -> None:
    if (process := holder(source)) is not None:
        raise BusyError(
            f"another run{f' (process {process})' if process else ''} is writing to {source}",
            remedy="wait for it or stop it",
        )


def _are_same(copy: _Copy, target: Path) -> bool:
    """Whether another dataset has the files of a cut, and no others, alike; what is hidden does not count."""
    state = layout.state_folder(copy.source).name
    files = {path for path in copy.files() if path.parts[0] != state}
    others = {path for path in _Copy(target, copy.cut).files() if path.parts[0] != state}
    return files == others and all(first_difference(copy.source / path, target / path) is None for path in files)


def _copy_cut(copy: _Copy, files: Sequence[Path], target: Path, progress: Progress) -> list[str]:
    """Copy a cut; returns the files that are not what its manifest says."""
    cut = copy.cut
    split = splits_of(copy.source, cut)[0]
    write_json(_note(target, cut), {"source": str(copy.source.absolute())})
    try:
        known = read_manifest(layout.manifest_file(copy.source, cut))[0].files
    except DatasetError:
        known = {}
    damaged, checksums = [], {}
    for path in files:
        digest = _copy_file(copy.source / path, target / path)
        name = path.as_posix()
        if name in known and digest != known[name]:
            damaged.append(name)
        elif name in known:
            checksums[key_of(name, split)] = f"{mark((target / path).stat())} {digest}"
        progress.advance(cut)
    kept = read_ledger(copy.source, cut)
    if kept.begun:
        # what was found out about files of the other folder by their marks is not true here
        moved = kept.model_copy(update={"checksums": Checksums(files=checksums), "judged": None, "reading": {}})
        write_ledger(target, cut, moved)
    remove_place(_note(target, cut))
    with suppress(OSError):
        _note(target, cut).parent.rmdir()
    return damaged


def _copy_parents(source: Path, target: Path) -> None:
    """Copy what is known of cuts that are split at their camera cuts: only their stretches have files."""
    for cut in known_cuts(source):
        kept, there = read_ledger(source, cut), layout.ledger_file(target, cut)
        if kept.camera_marks is not None and not kept.begun and not os.path.lexists(there):
            write_ledger(target, cut, kept)


def _copy_file(source: Path, target: Path) -> str:
    """Copy a file, unless it is there already; returns the SHA-256 of what is there now."""
    digest = file_digest(source)
    with suppress(OSError, DatasetError):
        if target.stat().st_size == source.stat().st_size and file_digest(target) == digest:
            return digest
    try:
        with written_aside(target) as temporary:
            shutil.copyfile(source, temporary)
            shutil.copystat(source, temporary)
    except OSError as error:
        raise DatasetError(
            f"cannot be copied to {target} ({error.strerror})", source, "correct that and run the same command again"
        ) from error
    copied = file_digest(target)
    if copied != digest:
        raise DatasetError("was copied and reads as something else now", target, "check the disk")
    return copied


def _files_in(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place] if place.is_file() else []
    return sorted(Path(folder, name) for folder, _, names in os.walk(place) for name in names)


def _note(target: Path, cut: str) -> Path:
    """Says that a cut is being copied, and from where."""
    return layout.state_folder(target) / "merging" / f"{cut}.json"


def _noted(target: Path, cut: str) -> str | None:
    with suppress(DatasetError):
        data = read_json(_note(target, cut))
        if isinstance(data, dict) and isinstance(data.get("source"), str):
            return str(data["source"])
    return None
