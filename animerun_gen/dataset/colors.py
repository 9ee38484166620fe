"""The colour of each material, as ``colors.json`` beside the flat frames has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from animerun_gen.color.hexadecimal import RGB, is_hex, rgb
from animerun_gen.dataset.files import read_json, write_table
from animerun_gen.errors import DatasetError

IMAGE = "image"
"""What stands in the table for several colours that stay as they are: an image, or vertex colours."""

CHANGING = "changing"
"""What stands in the table for several colours that are others in other frames."""

Color = str | Mapping[int, str]
"""``"#rrggbb"``, :data:`IMAGE`, :data:`CHANGING`, or of a colour that changes that of each frame."""


@dataclass(frozen=True)
class ColorTable:
    """The colours of a cut's materials.

    Attributes:
        colors: Material id to what it is painted with.
    """

    colors: Mapping[int, Color]

    def at(self, frame: int) -> dict[int, RGB | None]:
        """The colour of each material in a frame, 0..255; None where it has no single one.

        Raises:
            KeyError: A colour changes, and the table does not have that of this frame.
        """
        here = {number: color if isinstance(color, str) else color[frame] for number, color in self.colors.items()}
        return {number: _rgb(color) for number, color in here.items()}

    def lasting(self) -> dict[int, RGB | None]:
        """The colour that each material has throughout the clip, 0..255; None where it has no single one."""
        return {number: _rgb(color) if isinstance(color, str) else None for number, color in self.colors.items()}

    def differing(self, one: int, other: int) -> frozenset[int]:
        """The materials that are not painted in the same colours in two frames."""
        return frozenset(
            number
            for number, color in self.colors.items()
            if (color == CHANGING if isinstance(color, str) else color.get(one) != color.get(other))
        )

    def frames_lacking(self, frames: range | tuple[int, ...]) -> dict[int, int]:
        """Materials whose colour changes, and of each the first of these frames whose colour is not there."""
        found = {}
        for number, color in self.colors.items():
            lacking = None if isinstance(color, str) else next((frame for frame in frames if frame not in color), None)
            if lacking is not None:
                found[number] = lacking
        return found


def write_colors(path: Path, table: ColorTable) -> None:
    """Write what :func:`read_colors` will return.

    Raises:
        DatasetError: The file cannot be written.
    """
    write_table(
        path,
        {
            str(number): color if isinstance(color, str) else {str(frame): color[frame] for frame in sorted(color)}
            for number, color in table.colors.items()
        },
    )


def read_colors(path: Path) -> ColorTable:
    """Read a table of colours.

    Raises:
        DatasetError: The file is missing, no JSON, or no such table.
    """
    table = read_json(path)
    if not isinstance(table, dict) or not all(map(_is_number, table)):
        raise _damaged(path, "holds no table from ids to colours")
    return ColorTable({int(number): _color(path, number, color) for number, color in table.items()})


def _color(path: Path, number: str, color: Any) -> Color:
    if isinstance(color, str) and (color in {IMAGE, CHANGING} or is_hex(color)):
        return color
    if isinstance(color, dict) and color and all(_is_frame(frame) and is_hex(one) for frame, one in color.items()):
        return {int(frame): one for frame, one in color.items()}
    raise _damaged(path, f"gives id {number} no colour: {str(color)[:40]!r}")


def _rgb(color: str) -> RGB | None:
    if color in {IMAGE, CHANGING}:
        return None
    return rgb(color)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _is_frame(text: str) -> bool:
    return _is_number(text.removeprefix("-"))


def _damaged(path: Path, what: str) -> DatasetError:
    return DatasetError(what, path, "delete it and run 'animerun-gen generate' again")
