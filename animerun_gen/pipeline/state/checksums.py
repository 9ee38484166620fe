"""The checksums of a cut's files that were computed before, so that a run with nothing to do reads no file.

What is remembered holds as long as size, times and inode of a file are what they were.  Nothing here, and nowhere in
this program, compares a file's times with the clock: clocks jump.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import read_json, write_json
from animerun_gen.errors import DatasetError

VERSION = 2
"""Of the file's form; another one is as good as none."""


@dataclass(frozen=True)
class Remembered:
    """What an earlier run knew of a cut.

    Attributes:
        files: Path of a file below the folder of its split to its mark and, behind a space, its SHA-256; see
            :func:`animerun_gen.pipeline.state.on_disk.mark`.
        summed_up: Marks of the manifest and of the record that belong to these files, as long as nothing is wrong;
            empty otherwise.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    summed_up: str = ""

    @classmethod
    def read(cls, output: Path, cut: str) -> Remembered:
        """What is remembered; nothing where there is nothing, or nothing that can be read."""
        try:
            data = read_json(layout.checksums_file(output, cut))
        except DatasetError:
            return cls()
        if not isinstance(data, dict) or data.get("version") != VERSION:
            return cls()
        files, summed_up = data.get("files"), data.get("summed_up")
        if not isinstance(files, dict) or not isinstance(summed_up, str):
            return cls()
        return cls(files, summed_up) if all(isinstance(value, str) for value in files.values()) else cls()

    def write(self, output: Path, cut: str) -> None:
        """Remember it for the next run.

        Raises:
            DatasetError: It cannot be written.
        """
        data = {"version": VERSION, "files": dict(self.files), "summed_up": self.summed_up}
        write_json(layout.checksums_file(output, cut), data)

    def digest(self, key: str, mark: str) -> str:
        """The SHA-256 of a file that has this mark now; empty where it is not known."""
        known, _, digest = self.files.get(key, "").rpartition(" ")
        return digest if known == mark else ""
