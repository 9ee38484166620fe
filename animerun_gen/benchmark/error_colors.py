"""Errors as colours: a few steps, which brightness alone puts in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.evaluation import Swatch

COLORS = (
    (0, 0, 0),
    (70, 24, 120),
    (150, 32, 112),
    (214, 62, 66),
    (248, 138, 26),
    (252, 220, 90),
    (255, 255, 240),
)
"""From no error to the largest."""


def paint_errors(errors: npt.NDArray[Any], steps: Sequence[float]) -> npt.NDArray[np.uint8]:
    """Errors in colours.

    Args:
        errors: ``(H, W)``.
        steps: Where the colour changes, ascending, one less than there are :data:`COLORS`; each belongs to the darker
            side.

    Returns:
        ``(H, W, 3)`` uint8, RGB.

    Example:
        >>> paint_errors(np.array([[0.5, 1.0, 99.0]]), (1, 2, 3, 4, 5, 6)).tolist()
        [[[0, 0, 0], [0, 0, 0], [255, 255, 240]]]
    """
    return np.array(COLORS, np.uint8)[np.searchsorted(steps, errors, side="left")]


def error_legend(what: str, steps: Sequence[float], unit: str) -> tuple[Swatch, ...]:
    """What the colours mean.

    Example:
        >>> [swatch.meaning for swatch in error_legend("error", (1, 3, 5, 10, 20, 50), "px")][::6]
        ['error up to 1 px', 'above 50']
    """
    limits = [f"{step:g}" for step in steps]
    meanings = [f"{what} up to {limits[0]} {unit}", *(f"up to {limit}" for limit in limits[1:]), f"above {limits[-1]}"]
    return tuple(
        Swatch(f"#{red:02x}{green:02x}{blue:02x}", meaning)
        for (red, green, blue), meaning in zip(COLORS, meanings, strict=True)
    )
