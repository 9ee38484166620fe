"""The way there and back of every pixel."""

from __future__ import annotations

import math

import numpy as np

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import corners_of, is_inside, is_known, mixed, value_at

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
            a_u, a_v = value_at(back, a), value_at(back, a + 1)
            b_u, b_v = value_at(back, b), value_at(back, b + 1)
            c_u, c_v = value_at(back, c), value_at(back, c + 1)
            d_u, d_v = value_at(back, d), value_at(back, d + 1)
            if not (
                is_known(a_u, a_v, unknown_from)
                & is_known(b_u, b_v, unknown_from)
                & is_known(c_u, c_v, unknown_from)
                & is_known(d_u, d_v, unknown_from)
            ):
                continue
            back_u = mixed(a_u, b_u, c_u, d_u, across, down)
            back_v = mixed(a_v, b_v, c_v, d_v, across, down)
            squared = _squared(u + back_u, v + back_v)
            away[row, column] = math.sqrt(squared)
            if max(_squared(u, v), _squared(back_u, back_v)) > moving * moving:
                upper = min(_squared(u + a_u, v + a_v), _squared(u + b_u, v + b_v))
                lower = min(_squared(u + c_u, v + c_v), _squared(u + d_u, v + d_v))
                closest[row, column] = math.sqrt(min(squared, upper, lower))


@kernel
def _squared(x, y):  # type: ignore[no-untyped-def]
    return x * x + y * y
