"""The way there and back of every pixel."""

from __future__ import annotations

import math

import numpy as np

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import between, corners_of, is_inside, is_known, value_at

kernel = compiled.kernels(__name__)


@kernel
def find_ways_home(flow, back, unknown_from, moving, away, closest):  # type: ignore[no-untyped-def]
    """Fill ``away`` and ``closest``, see :class:`animerun_gen.labels.ways_home.WaysHome`.

    ``back`` is flat.  A component of at least ``unknown_from`` is no motion, and what moves by at most ``moving``
    pixels does not move.
    """
    height, width = away.shape
    for row in range(height):
        for column in range(width):
            away[row, column] = closest[row, column] = np.nan
            u, v = np.float64(flow[row, column, 0]), np.float64(flow[row, column, 1])
            if not is_inside(column + u, row + v, width, height):
                continue
            a, b, c, d, across, down = corners_of(column + u, row + v, width, height, 2)
            # what has no weight is not mixed in, so it may well be unknown
            if across == 0.0:
                b, d = a, c
            if down == 0.0:
                c, d = a, b
            if not (
                is_known(back, a, unknown_from)
                and is_known(back, b, unknown_from)
                and is_known(back, c, unknown_from)
                and is_known(back, d, unknown_from)
            ):
                continue
            back_u = between(back, a, b, c, d, across, down)
            back_v = between(back, a + 1, b + 1, c + 1, d + 1, across, down)
            squared = (u + back_u) ** 2 + (v + back_v) ** 2
            away[row, column] = math.sqrt(squared)
            if max(u * u + v * v, back_u * back_u + back_v * back_v) > moving * moving:
                for corner in (a, b, c, d):
                    squared = min(squared, (u + value_at(back, corner)) ** 2 + (v + value_at(back, corner + 1)) ** 2)
                closest[row, column] = math.sqrt(squared)
