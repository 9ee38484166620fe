"""Which pixels a triangle covers, row by row.

Edge functions are always evaluated as ``(a * x + b * y) + c`` in float64.  Rounding never turns an order round, so the
*rounded* value, too, only grows or only shrinks along a row: where it changes its sign is guessed and then set right
by evaluation (:func:`_narrow`).  The pixels found in this way are exactly those that a test of every pixel would find.
"""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.motion.kernels.projection import ROUNDING

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)

EDGE_SLACK = 1e-6
"""Pixels by which a triangle's bounds are widened: rounding may put an edge just beside a pixel centre it touches."""


@kernel
def crossing_of(edge):  # type: ignore[no-untyped-def]
    """Where an edge meets the rows, roughly: at ``x = slope * row + start`` (no numbers where it lies along them)."""
    a, b, c = edge
    return -b / a, -c / a


@kernel
def _narrow(edge, crossing, row, first, last):  # type: ignore[no-untyped-def]
    """What is left of the columns ``first .. last`` of a row where an edge function is not negative."""
    a, b, c = edge
    here = b * row
    guess = crossing[0] * row + crossing[1]
    if a > 0.0:
        column = int(np.ceil(min(guess, last + 1.0))) if guess > first else first
        while column > first and a * (column - 1) + here + c >= 0.0:
            column -= 1
        while column <= last and not a * column + here + c >= 0.0:
            column += 1
        return column, last
    if a < 0.0:
        column = int(np.floor(max(guess, first - 1.0))) if guess < last else last
        while column < last and a * (column + 1) + here + c >= 0.0:
            column += 1
        while column >= first and not a * column + here + c >= 0.0:
            column -= 1
        return first, column
    if a * first + here + c >= 0.0:
        return first, last
    return first, first - 1


@kernel
def span_in(edges, crossings, row, low, high):  # type: ignore[no-untyped-def]
    """First and last of the columns ``low .. high`` of a row in which none of three edge functions is negative."""
    first, last = _narrow(edges[0], crossings[0], row, low, high)
    first, last = _narrow(edges[1], crossings[1], row, first, last)
    return _narrow(edges[2], crossings[2], row, first, last)


@kernel
def _clipped_extent(p, q, r, clip_start):  # type: ignore[no-untyped-def]
    """Smallest and largest x and y of the part of a triangle beyond ``clip_start``; nearer points project anywhere."""
    x_low = np.inf
    x_high = -np.inf
    y_low = np.inf
    y_high = -np.inf
    for a, b in ((p, q), (q, r), (r, p)):
        if a[2] >= clip_start:
            x_low = min(x_low, a[4])
            x_high = max(x_high, a[4])
            y_low = min(y_low, a[5])
            y_high = max(y_high, a[5])
        if (a[2] >= clip_start) != (b[2] >= clip_start):
            t = (clip_start - a[2]) / (b[2] - a[2])
            w = a[3] + t * (b[3] - a[3])
            x = (a[0] + t * (b[0] - a[0])) / w
            y = (a[1] + t * (b[1] - a[1])) / w
            x_low = min(x_low, x)
            x_high = max(x_high, x)
            y_low = min(y_low, y)
            y_high = max(y_high, y)
    return x_low, x_high, y_low, y_high


@kernel
def bounds_of(p, q, r, view, margin):  # type: ignore[no-untyped-def]
    """Pixels ``(x0, x1, y0, y1)``, inclusive, that a triangle may cover; ``x0 > x1`` when there are none.

    With a ``margin`` of 0 the pixels whose centres it may cover, with 0.5 those of which it may touch any point.
    """
    clip_start, _, width, height = view
    if p[2] >= clip_start and q[2] >= clip_start and r[2] >= clip_start:
        x_low = min(p[4], q[4], r[4])
        x_high = max(p[4], q[4], r[4])
        y_low = min(p[5], q[5], r[5])
        y_high = max(p[5], q[5], r[5])
    else:
        x_low, x_high, y_low, y_high = _clipped_extent(p, q, r, clip_start)
    slack = EDGE_SLACK + margin
    x0 = max(np.ceil(x_low - slack), 0.0)
    x1 = min(np.floor(x_high + slack), width - 1.0)
    y0 = max(np.ceil(y_low - slack), 0.0)
    y1 = min(np.floor(y_high + slack), height - 1.0)
    # written so that coordinates that are no numbers fail
    if x0 <= x1 and y0 <= y1:
        return int(x0), int(x1), int(y0), int(y1)
    return 0, -1, 0, -1


@kernel
def nearest_depth_of(p, q, r):  # type: ignore[no-untyped-def]
    """A distance along the view axis that no computed depth of a triangle falls below."""
    greatest = max(abs(p[2]), abs(q[2]), abs(r[2]))
    return min(p[2], q[2], r[2]) - ROUNDING * greatest
