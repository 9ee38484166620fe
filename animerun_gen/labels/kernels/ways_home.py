"""The way there and back of every pixel."""

from __future__ import annotations

import math

import numpy as np

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import between, corners_of, is_inside, is_known

kernel = compiled.kernels(__name__)


@kernel
def find_occluded(forward, backward, threshold, unknown_from):  # type: ignore[no-untyped-def]
    """``(H, W)`` bool, True where occluded; a component of at least ``unknown_from`` is no motion.

    ``backward`` is flat.
    """
    height, width, _ = forward.shape
    occluded = np.ones((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            u, v = np.float64(forward[row, column, 0]), np.float64(forward[row, column, 1])
            if not is_inside(column + u, row + v, width, height):
                continue
            a, b, c, d, across, down = corners_of(column + u, row + v, width, height, 2)
            # what has no weight is not mixed in, so it may well be unknown
            if across == 0.0:
                b, d = a, c
            if down == 0.0:
                c, d = a, b
            if not (
                is_known(backward, a, unknown_from)
                and is_known(backward, b, unknown_from)
                and is_known(backward, c, unknown_from)
                and is_known(backward, d, unknown_from)
            ):
                continue
            u += between(backward, a, b, c, d, across, down)
            v += between(backward, a + 1, b + 1, c + 1, d + 1, across, down)
            occluded[row, column] = not math.sqrt(u * u + v * v) <= threshold
    return occluded
