"""Colours as people write them: ``"#20a0ff"``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

RGB = tuple[int, int, int]
"""Red, green and blue (0..255, sRGB)."""

_HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


def is_hex(text: Any) -> bool:
    """Whether this is a colour such as ``"#20a0ff"``, in capitals or not."""
    return isinstance(text, str) and _HEX.fullmatch(text) is not None


def rgb(color: str) -> RGB:
    """Red, green and blue of a colour.

    Args:
        color: ``"#rrggbb"``.

    Raises:
        ValueError: It is no such colour.

    Example:
        >>> rgb("#20a0ff")
        (32, 160, 255)
    """
    if not is_hex(color):
        raise ValueError(f'{color!r} is not a colour such as "#20a0ff"')
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def to_hex(color: Iterable[Any]) -> str:
    """Three whole numbers in 0..255 (those of an array, too) as ``"#rrggbb"``.

    Example:
        >>> to_hex((32, 160, 255))
        '#20a0ff'
    """
    red, green, blue = (int(channel) for channel in color)
    return f"#{red:02x}{green:02x}{blue:02x}"
