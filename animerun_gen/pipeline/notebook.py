"""What whoever does a run's chunks notes down for whoever does them later, maybe on another machine.

A worker that is killed cannot tell how often it began a chunk.  So that is written into the dataset's hidden folder
before it begins.  A note that cannot be written is kept in memory, and lost with the worker.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from animerun_gen.dataset.files import read_json, write_json
from animerun_gen.errors import DatasetError

Mark = Literal["at", "left", "begun", "taken back", "refused", "given up"]
"""A chunk is given to a place; it leaves that place; it is begun there; that attempt does not count; a machine had no
room for it; it was given up, with a sentence."""


@dataclass(frozen=True)
class Notebook:
    """The notes of one run.

    Attributes:
        folder: Where they are; None: only in memory.
    """

    folder: Path | None
    _pages: dict[str, Page] = field(default_factory=dict, compare=False)
    _marked: set[str] = field(default_factory=set, compare=False)

    def begin(self) -> None:
        """Make its folder."""
        if self.folder is not None:
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)

    def end(self) -> None:
        """Remove it: nothing of the run is done any more."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def page(self, name: str) -> Page:
        """What is noted of a chunk, or of a part of one.

        Args:
            name: The same in all attempts.
        """
        if name not in self._pages:
            self._pages[name] = Page(self._file(f"chunk {name}"))
        return self._pages[name]

    def mark(self, what: str) -> None:
        """Note something about a cut."""
        self._marked.add(what)
        if (file := self._file(what)) is not None:
            with suppress(OSError):
                file.touch()

    def has_mark(self, what: str) -> bool:
        """Whether that was noted."""
        file = self._file(what)
        return what in self._marked or (file is not None and file.exists())

    def write_helpers(self, helpers: Mapping[str, str]) -> None:
        """Note who can help with the run, and on which machine each is."""
        if (file := self._file("helpers")) is not None:
            with suppress(DatasetError):
                write_json(file, dict(helpers))

    def helpers(self) -> dict[str, str]:
        """Who can help with the run, as far as that could be noted."""
        file = self._file("helpers")
        with suppress(DatasetError):
            return {} if file is None else dict(read_json(file))
        return {}

    def _file(self, name: str) -> Path | None:
        # names of cuts may be longer than those of files may
        digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
        return None if self.folder is None else self.folder / digest


@dataclass
class Page:
    """What is noted of a chunk.

    Attributes:
        file: Where; None: only in memory.
    """

    file: Path | None
    _notes: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.file is not None:
            # the end of a line may be missing
            with suppress(OSError, ValueError, TypeError):
                for line in self.file.read_text(encoding="utf-8").splitlines():
                    mark, text = json.loads(line)
                    self._notes.append((mark, text))

    def note(self, mark: Mark, text: str = "") -> None:
        """Add a note; the disk has it when this returns, where it has room."""
        self._notes.append((mark, text))
        if self.file is None:
            return
        with suppress(OSError):
            descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(descriptor, (json.dumps([mark, text]) + "\n").encode())
            finally:
                os.close(descriptor)

    @property
    def attempts(self) -> int:
        """How often it was begun, as far as that counts."""
        return len(self.all("begun")) - len(self.all("taken back"))

    @property
    def places(self) -> list[str]:
        """Where it is done, or was when that place was lost."""
        places: list[str] = []
        for mark, text in self._notes:
            if mark == "at":
                places.append(text)
            elif mark == "left" and places:
                places.pop()
        return places

    def all(self, mark: Mark) -> list[str]:
        """The texts of all notes with a mark."""
        return [text for one, text in self._notes if one == mark]
