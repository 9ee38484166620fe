"""Which pixels are near a line."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def find_near(lines, half_widths):  # type: ignore[no-untyped-def]
    """``(H, W)`` bool, True in the disc around each pixel that is True in ``lines``.

    Args:
        lines: ``(H, W)`` bool.
        half_widths: ``(R + 1,)`` int64: how far to the side a disc reaches, by the distance of the row from its centre.
    """
    height, width = lines.shape
    reach = len(half_widths) - 1
    # rows to the nearest line of the same column, as far as discs reach
    down = np.empty((height, width), np.int32)
    for column in range(width):
        down[0, column] = 0 if lines[0, column] else reach + 1
    for row in range(1, height):
        for column in range(width):
            down[row, column] = 0 if lines[row, column] else min(down[row - 1, column] + 1, reach + 1)
    for row in range(height - 2, -1, -1):
        for column in range(width):
            down[row, column] = min(down[row, column], down[row + 1, column] + 1)
    near = np.empty((height, width), np.bool_)
    # how many stretches begin and end at each pixel of a row
    change = np.zeros(width + 1, np.int32)
    for row in range(height):
        for column in range(width):
            distance = down[row, column]
            if distance <= reach:
                half = half_widths[distance]
                change[max(column - half, 0)] += 1
                change[min(column + half, width - 1) + 1] -= 1
        covering = 0
        for column in range(width):
            covering += change[column]
            near[row, column] = covering > 0
            change[column] = 0
        change[width] = 0
    return near


@kernel
def make_exact(distances):  # type: ignore[no-untyped-def]
    """Replace distances, float32, by the roots of the whole numbers that their squares are closest to."""
    for place in range(len(distances)):
        distance = np.float64(distances[place])
        distances[place] = np.sqrt(np.rint(distance * distance))
