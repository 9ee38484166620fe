"""What files of several arrays have in common: a table that says what each array is, and looking whether it is that."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import files
from animerun_gen.errors import DatasetError


@dataclass(frozen=True)
class NamedArray:
    """One array of a file.

    Attributes:
        dtype: Type of its elements; ``"str"`` for text.
        shape: Its shape; a letter stands for a length that is the same wherever the letter is, ``"S+1"`` for one more.
        meaning: One sentence about it.
    """

    dtype: str
    shape: tuple[str | int, ...]
    meaning: str


def misshapen(
    arrays: Mapping[str, npt.NDArray[Any]], table: Mapping[str, NamedArray], optional: Collection[str] = ()
) -> str | None:
    """Which array has not the type and shape that a table says, as the end of a sentence; None where all have.

    Those that are ``optional`` may all be missing, but not some of them.
    """
    lengths: dict[str, int] = {}
    for name, what in table.items():
        if name in optional and arrays.keys().isdisjoint(optional):
            continue
        if name not in arrays:
            return f"{name} is missing"
        array = arrays[name]
        is_right = array.dtype.kind == "U" if what.dtype == "str" else array.dtype == what.dtype
        if not is_right or array.ndim != len(what.shape):
            return f"{name} is {array.dtype} in {array.ndim} dimensions"
        for side, wanted in zip(array.shape, what.shape, strict=True):
            if isinstance(wanted, str) and wanted.endswith("+1"):
                wanted, side = wanted.removesuffix("+1"), side - 1
            known = wanted if isinstance(wanted, int) else lengths.setdefault(wanted, side)
            if side != known:
                return f"{name} has {side} entries where there should be {known}"
    return None


def require_moderate(path: Path, most: int) -> None:
    """See whether a file of arrays unpacks to what a frame may have.

    Args:
        path: The file.
        most: Bytes that its arrays may have together.

    Raises:
        DatasetError: They have more; what is no archive at all is found when it is read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(files.read_regular(path))) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile):
        return
    if size > most:
        raise DatasetError(f"would unpack to {size} bytes, more than a frame can have", path, files.AGAIN)


@dataclass(frozen=True)
class ArrayFile:
    """A kind of file that holds the arrays of a frame.

    Attributes:
        content: What it holds, as sentences name it.
        table: Its arrays, in order.
        most_unpacked: Bytes that they may have together.
        contradiction: What is wrong with arrays of the right types and shapes, as the end of a sentence; None where
            they are sound.
        optional: Those of the arrays that are None, all of them, where a frame has nothing of their kind; a file then
            lacks them.
    """

    content: str
    table: Mapping[str, NamedArray]
    most_unpacked: int
    contradiction: Callable[[Mapping[str, npt.NDArray[Any]]], str | None]
    optional: tuple[str, ...] = ()

    def write(self, path: Path, holder: object) -> None:
        """Write the arrays that something has as attributes of their names.

        Raises:
            ValueError: an array has another type or shape, or the arrays contradict each other.
            DatasetError: the file cannot be written.
        """
        there = [name for name in self.table if name not in self.optional or getattr(holder, name) is not None]
        arrays = {name: np.asarray(getattr(holder, name)) for name in there}
        problem = self._problem(arrays)
        if problem is not None:
            raise ValueError(f"{self.content}: {problem}")
        files.write_arrays(path, arrays)

    def read(self, path: Path) -> dict[str, npt.NDArray[Any]]:
        """Read what :meth:`write` wrote.

        Raises:
            DatasetError: the file is missing or damaged, or its arrays contradict each other.
        """
        require_moderate(path, self.most_unpacked)
        arrays = files.read_arrays(path, tuple(self.table), self.optional)
        problem = self._problem(arrays)
        if problem is not None:
            raise DatasetError(f"holds no {self.content}: {problem}", path, files.AGAIN)
        return arrays

    def _problem(self, arrays: Mapping[str, npt.NDArray[Any]]) -> str | None:
        return misshapen(arrays, self.table, self.optional) or self.contradiction(arrays)
