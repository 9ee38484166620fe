"""The lines of a colour frame as they are drawn (``lines.style``): what colour passes draw them from.

A file is a compressed ``.npz`` file of the arrays in :data:`ARRAYS`, which ``numpy.load`` reads without this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.named_arrays import ArrayFile, NamedArray

MOST_UNPACKED = 1 << 31
"""Bytes that the arrays of a file may have."""


class InkSource(IntEnum):
    """Where the colour of a line comes from, which says what becomes of it in other colours.

    Attributes:
        FIXED: It is the same whatever the surface's colour is.
        SURFACE: It is made from the colour of the surface that it bounds.
        MATERIAL: Somebody chose it for that surface: it counts where the surface's material keeps its colours, and
            elsewhere it is made from the surface's colour.
    """

    FIXED = 0
    SURFACE = 1
    MATERIAL = 2


ARRAYS: dict[str, NamedArray] = {
    "size": NamedArray("int32", (2,), "Height and width of the picture."),
    "pixel": NamedArray(
        "int32", ("N",), "Pixels that lines cover, ascending: the row times the picture's width, plus the column."
    ),
    "coverage": NamedArray("uint8", ("N",), "How much of the pixel the line covers; 255 is all of it."),
    "color": NamedArray("uint8", ("N", 3), "Its colour in `Frame_Anime/<cut>/original`: red, green, blue."),
    "source": NamedArray(
        "uint8",
        ("N",),
        "Where the colour comes from: 0 fixed, 1 the flat colour at `owner`, 2 chosen for the material there.",
    ),
    "owner": NamedArray("int32", ("N",), "The pixel of the surface that the line bounds, counted as `pixel` is."),
    "material": NamedArray("uint16", ("N",), "The material of that surface, as in `MaterialId`."),
    "stroke": NamedArray("int32", ("K",), "Pixels that show strokes which the film draws itself (Grease Pencil)."),
}
"""What the file holds, in this order; ``"N"`` stands for pixels of lines, ``"K"`` for those of strokes."""


@dataclass(frozen=True)
class LineInk:
    """The lines of a colour frame, on ``N`` pixels; :data:`ARRAYS` says what each array means.

    Attributes:
        size: ``(2,)`` int32, height and width.
        pixel: ``(N,)`` int32, ascending.
        coverage: ``(N,)`` uint8.
        color: ``(N, 3)`` uint8.
        source: ``(N,)`` uint8, see :class:`InkSource`.
        owner: ``(N,)`` int32.
        material: ``(N,)`` uint16.
        stroke: ``(K,)`` int32, ascending.
    """

    size: npt.NDArray[np.int32]
    pixel: npt.NDArray[np.int32]
    coverage: npt.NDArray[np.uint8]
    color: npt.NDArray[np.uint8]
    source: npt.NDArray[np.uint8]
    owner: npt.NDArray[np.int32]
    material: npt.NDArray[np.uint16]
    stroke: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.pixel)

    def picture(self) -> npt.NDArray[np.uint8]:
        """``(H, W, 4)`` uint8: the lines alone, their colours not multiplied by alpha, which is their coverage."""
        height, width = self.size.tolist()
        found = np.zeros((height * width, 4), np.uint8)
        found[self.pixel] = np.column_stack([self.color, self.coverage])
        return found.reshape(height, width, 4)


def write_line_ink(path: Path, ink: LineInk) -> None:
    """Write the lines of a frame.

    Args:
        path: the file.
        ink: what :func:`read_line_ink` will return.

    Raises:
        ValueError: an array has another type or shape, or the arrays contradict each other.
        DatasetError: the file cannot be written.
    """
    _FILE.write(path, ink)


def read_line_ink(path: Path) -> LineInk:
    """Read what :func:`write_line_ink` wrote.

    Args:
        path: the file.

    Raises:
        DatasetError: the file is missing or damaged, or its arrays contradict each other.

    Example:
        >>> ink = read_line_ink(Path("out/television/train/LineInk/television/0003.npz"))  # doctest: +SKIP
        >>> ink.picture()[..., 3].mean() / 255  # doctest: +SKIP
    """
    return LineInk(**_FILE.read(path))


def _contradiction(arrays: Mapping[str, npt.NDArray[Any]]) -> str | None:
    height, width = arrays["size"].tolist()
    if height < 1 or width < 1:
        return f"a picture of {height} x {width} pixels is none"
    for name in ("pixel", "owner", "stroke"):
        if ((arrays[name] < 0) | (arrays[name] >= height * width)).any():
            return f"{name} has a pixel outside of the picture"
    if any((np.diff(arrays[name]) <= 0).any() for name in ("pixel", "stroke")):
        return "pixels are not in ascending order"
    if (arrays["coverage"] == 0).any():
        return "a line covers nothing of a pixel that it is listed at"
    if not np.isin(arrays["source"], list(InkSource)).all():
        return "a colour comes from where none can come from"
    return None


_FILE = ArrayFile("lines", ARRAYS, MOST_UNPACKED, _contradiction)
