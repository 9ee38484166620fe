"""The folder that an export is written to: what is there, what it was made from, and how a file gets there."""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen.dataset.files import read_json, refused, remove_stale_temporaries, write_if_changed, written_aside
from animerun_gen.errors import DatasetError, UsageError

TABLE = "export.json"
"""Lies in the folder's root and says what is in it; without it the folder is somebody else's."""

_NO_LINK = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES)
"""What the system says where a file cannot have a second name: another disk, or one that has no such names."""


class ExportedClip(BaseModel):
    """What the table of an export says of one cut.

    Attributes:
        basis: Checksum of everything that decides what is written.
        done: Whether all of it was written.
        frames: Numbers of the dataset's frames, in the order of the export's.
        counts: How many pixels, points or files had to be marked, left out or linked.
        remarks: What a user of the export has to know about the cut, in sentences.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    basis: str
    done: bool = False
    frames: tuple[int, ...] = ()
    counts: dict[str, int] = {}
    remarks: tuple[str, ...] = ()


class ExportTable(BaseModel):
    """What the table of an export holds.

    Attributes:
        version: Of this form.
        made_by: What made it.
        layout: Name of the layout.
        pictures: Which pictures were exported.
        clips: What is there of each cut, by ``<split>/<cut>``.
    """

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    made_by: Literal["animerun-gen"] = "animerun-gen"
    layout: str
    pictures: str
    clips: dict[str, ExportedClip] = {}


class ExportFolder:
    """An export that is being written.

    Args:
        root: The folder.
        layout: Name of the layout.
        pictures: Which pictures are exported.
        link: Whether files that are the dataset's own, byte for byte, become second names of them.

    Raises:
        UsageError: There is something else in the folder.
        DatasetError: It cannot be read.
    """

    def __init__(self, root: Path, layout: str, pictures: str, link: bool) -> None:
        self.root = root
        self._link = link
        self.table = _read_table(root, layout, pictures)
        remove_stale_temporaries(root)
        self.write_table()

    def write_table(self) -> None:
        """Write down what is there."""
        write_if_changed(self.root / TABLE, self.table.model_dump())

    def is_current(self, key: str, basis: str) -> bool:
        """Whether all of a cut is there and was made from just this."""
        known = self.table.clips.get(key)
        return known is not None and known.done and known.basis == basis

    def begin(self, key: str, basis: str, frames: tuple[int, ...]) -> None:
        """A cut is going to be written.

        Args:
            key: ``<split>/<cut>``.
            basis: Checksum of everything that decides what is written.
            frames: The frames of the clip.
        """
        self.table.clips[key] = ExportedClip(basis=basis, frames=frames)
        self.write_table()

    def finish(self, key: str, counts: Counter[str], remarks: list[str]) -> None:
        """All of a cut is written."""
        known = self.table.clips[key]
        counted = {name: count for name, count in sorted(counts.items()) if count}
        self.table.clips[key] = known.model_copy(update={"done": True, "counts": counted, "remarks": tuple(remarks)})
        self.write_table()

    def drop(self, keys: Collection[str], places: Iterable[Path]) -> None:
        """Remove cuts: readers that list folders must find neither half of one nor what is out of date.

        Args:
            keys: The cuts, ``<split>/<cut>``.
            places: Their files and folders.

        Raises:
            DatasetError: A file cannot be removed.
        """
        for key in keys:
            # first, so that a run that is killed here does not take for complete what it finds
            if key in self.table.clips:
                self.table.clips[key] = self.table.clips[key].model_copy(update={"basis": "", "done": False})
        self.write_table()
        for place in places:
            remove(place)
        for key in keys:
            self.table.clips.pop(key, None)
        self.write_table()

    def put(self, path: Path, write: Callable[[Path], None]) -> None:
        """Write a file, unless a run that was killed has written it.

        Args:
            path: Its place.
            write: Writes it there, whole or not at all.

        Raises:
            DatasetError: It cannot be written.
        """
        if not path.is_file():
            write(path)

    def put_bytes(self, path: Path, make: Callable[[], bytes]) -> None:
        """The same for a file whose content is made in memory.

        Raises:
            DatasetError: It cannot be written.
        """
        if not path.is_file():
            with written_aside(path) as temporary:
                temporary.write_bytes(make())

    def put_copy(self, path: Path, source: Path, counts: Counter[str]) -> None:
        """Put a file of the dataset at a place of the export, as a second name of it where that is wanted and can be.

        Args:
            path: Its place.
            source: The dataset's file.
            counts: Counts ``linked_files`` and ``copied_files``.

        Raises:
            DatasetError: It cannot be read or written.
        """
        if not path.is_file() and not (self._link and _linked(source, path)):
            with written_aside(path) as temporary:
                shutil.copyfile(source, temporary)
        counts["linked_files" if path.samefile(source) else "copied_files"] += 1


def _linked(source: Path, path: Path) -> bool:
    """Whether the file could be given a second name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, path)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise refused("cannot be written", path, error) from error
    return True


def remove(place: Path) -> None:
    """Remove a file or folder of an export, where it is there.

    Raises:
        DatasetError: The system refuses.
    """
    try:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            with suppress(FileNotFoundError):
                place.unlink()
    except OSError as error:
        raise refused("cannot be removed", place, error) from error


def _read_table(root: Path, layout: str, pictures: str) -> ExportTable:
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return ExportTable(layout=layout, pictures=pictures)
    another = "choose another folder with --out"
    if not root.is_dir():
        raise UsageError("is a file, not a folder", root, another)
    if not (root / TABLE).is_file():
        raise UsageError(f"holds files that no export has put there: it has no {TABLE}", root, another)
    try:
        table = ExportTable.model_validate(read_json(root / TABLE))
    except (DatasetError, ValidationError) as error:
        raise UsageError("is not the table of an export that this version can read", root / TABLE, another) from error
    if (table.layout, table.pictures) != (layout, pictures):
        raise UsageError(
            f"holds an export to the layout {table.layout} with the pictures '{table.pictures}', not to {layout} with "
            f"'{pictures}'",
            root,
            another,
        )
    return table
