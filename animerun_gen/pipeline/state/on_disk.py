"""What of a cut is on disk: one look at its folders, shared by everything that asks."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import is_whole_png, open_regular, read_regular
from animerun_gen.dataset.headers import read_header
from animerun_gen.dataset.listing import Entry, list_cut
from animerun_gen.dataset.modalities import Modality
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.ledger import Checksums

Pair = tuple[int, int]
"""Two frames of a clip, the earlier one first."""


class FilesOnDisk:
    """The files of a cut as they were at one look, until something is about to be made.

    A run with nothing to do asks hundreds of thousands of times whether a file is there; a look at each folder answers
    all of it.  From :meth:`expect_changes` on, every question goes to the disk.

    Args:
        root: Root folder of the dataset.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cut: Name of the cut.
        remembered: What an earlier run knew of them.
        look: Whether to look at all folders now; without, every question goes to the disk, as :meth:`expect_changes`
            has it.

    Attributes:
        before: The mark (see :func:`mark`) of every file of the cut as the run found it, by its path below the root.
        vouched: The SHA-256 of each of these that an earlier run knew with this mark.

    Raises:
        DatasetError: A folder cannot be read.
    """

    def __init__(
        self, root: Path, split: str, cut: str, remembered: Checksums | None = None, look: bool = True
    ) -> None:
        self.root = root
        self.split = split
        self.cut = cut
        self.before: dict[str, str] = {}
        self.vouched: dict[str, str] = {}
        self._entries: list[Entry] = []
        self._marks: dict[str, str] = {}
        self._frames: dict[str, set[int]] = {}
        self._records: set[str] = set()
        self._changing = not look
        self._remembered = remembered or Checksums()
        if look:
            self.look_again()

    def look_again(self) -> None:
        """Look at the folders anew, because what was there has been cleared up.

        Raises:
            DatasetError: A folder cannot be read.
        """
        self._look()
        self.before = {**self._marks, **self._beside()}
        self.vouched = self._digests(self.before)

    def expect_changes(self) -> None:
        """From now on files are being made, by whatever process."""
        self._changing = True

    def with_all(self, modalities: Iterable[Modality], frames: Iterable[int]) -> set[int]:
        """Those of some frames that have their file of each of some modalities; an empty one does not count."""
        found = set(frames)
        for what in modalities:
            if self._changing:
                found = {frame for frame in found if has_content(what.path(self.root, self.split, self.cut, frame))}
            else:
                found &= self._frames.get(what.name, set())
        return found

    def pairs_with_all(self, modalities: Collection[Modality], pairs: Collection[Pair]) -> set[Pair]:
        """Those of some pairs that have all their files.

        Args:
            modalities: The kinds of files of a pair that count: forward ones lie at its earlier frame, backward ones at
                its later frame.
            pairs: The pairs.
        """
        begin = self.with_all((m for m in modalities if m.kind == "forward"), (earlier for earlier, _ in pairs))
        end = self.with_all((m for m in modalities if m.kind == "backward"), (later for _, later in pairs))
        return {(earlier, later) for earlier, later in pairs if earlier in begin and later in end}

    def with_records(self, frames: Iterable[int]) -> set[int]:
        """Those of some frames that have a record of their camera; an empty one does not count."""
        if self._changing:
            return {one for one in frames if has_content(layout.camera_record(self.root, self.cut, one))}
        return {one for one in frames if layout.camera_record(self.root, self.cut, one).name in self._records}

    def frames(self, what: Modality) -> Collection[int]:
        """The frames that had their file of a modality at the last look."""
        return self._frames.get(what.name, ())

    @property
    def entries(self) -> list[Entry]:
        """Everything that lay in the folders of the cut at the last look."""
        return self._entries

    def everything_now(self) -> dict[str, str]:
        """The same with the files that the dataset has of a cut beside its splits.

        Raises:
            DatasetError: A folder cannot be read.
        """
        return {**self.now(), **self._beside()}

    def known(self, marks: Mapping[str, str]) -> dict[str, str]:
        """The SHA-256 of each file that an earlier run knew with the mark that it has, by name."""
        return self.vouched if marks == self.before else self._digests(marks)

    def now(self) -> dict[str, str]:
        """The mark of every file of the cut as it is now, by its path below the root; no more changes are expected.

        Raises:
            DatasetError: A folder cannot be read.
        """
        if self._changing:
            self._look()
            self._changing = False
        return self._marks

    def _digests(self, marks: Mapping[str, str]) -> dict[str, str]:
        known, split = self._remembered, self.split
        return {name: digest for name, mark in marks.items() if (digest := known.digest(key_of(name, split), mark))}

    def _beside(self) -> dict[str, str]:
        marks = {}
        for path in layout.files_beside(self.root, self.split, self.cut):
            with suppress(OSError):
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    marks[path.relative_to(self.root).as_posix()] = mark(status)
        return marks

    def _look(self) -> None:
        self._entries = list(list_cut(self.root, self.split, self.cut))
        self._marks, self._frames = {}, {}
        for entry in self._entries:
            if not entry.belongs or entry.status is None:
                continue
            self._marks[entry.name] = mark(entry.status)
            if entry.frame is not None and entry.status.st_size:
                self._frames.setdefault(entry.modality.name, set()).add(entry.frame)
        self._records = set()
        with suppress(OSError), os.scandir(layout.camera_records_folder(self.root, self.cut)) as records:
            self._records.update(record.name for record in records if has_content(Path(record.path)))


def has_content(path: Path) -> bool:
    """Whether a file is there; an empty one, as a power failure may leave it, and what is no file do not count."""
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_size > 0 and stat.S_ISREG(status.st_mode)


def key_of(name: str, split: str) -> str:
    """By what a file's checksum is remembered: a cut that moves to the other split takes its files along."""
    return name.removeprefix(f"{split}/")


def mark(status: os.stat_result) -> str:
    """Changes whenever the file does, even where someone puts its time of change back."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def is_whole(path: Path, what: Modality) -> bool:
    """Whether a file is as long as it says, and of one that carries checksums, whether they are right.

    Nothing of its values is looked at.  What a failing machine leaves behind (a file cut short, or zeros in place of
    what was written) is recognised by it in every file but one whose zeros begin behind the header.

    Args:
        path: The file.
        what: Its modality.
    """
    try:
        if path.suffix == ".json":
            data = read_regular(path)
            return data.endswith(b"\n") and isinstance(json.loads(data), dict)
        if path.suffix == ".npz":
            with open_regular(path) as file, zipfile.ZipFile(file) as archive:
                return archive.testzip() is None
        read_header(path, what)
        return path.suffix != ".png" or is_whole_png(read_regular(path))
    # foreign bytes fail in many ways
    except (DatasetError, OSError, ValueError, RecursionError, zipfile.BadZipFile, zipfile.LargeZipFile, EOFError):
        return False
