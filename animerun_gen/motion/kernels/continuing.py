"""Finds the nearest of some pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


def nearest_known(
    known: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of each wanted pixel the known one whose centre is nearest; of several, the first in raster order.

    Args:
        known: ``(H, W)`` bool, at least one of them True.
        wanted: ``(H, W)`` bool.

    Returns:
        Rows and columns of the nearest ones, ``(n,)`` int64 each, for the wanted pixels in raster order.
    """
    places = np.argwhere(wanted)
    above = _nearest_in_column(known)
    below = known.shape[0] - 1 - _nearest_in_column(known[::-1])[::-1]
    found = np.empty_like(places)
    _search(above, below, places, found)
    return found[:, 0], found[:, 1]


def _nearest_in_column(known: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """The row of the nearest known pixel at or above each pixel; where none is, one that is never near."""
    height = len(known)
    rows = np.where(known, np.arange(height)[:, None], -4 * (height + known.shape[1]))
    return np.maximum.accumulate(rows, axis=0)


@kernel
def _search(above, below, places, found):  # type: ignore[no-untyped-def]
    """Fill ``found``: from column to column away from each place, as long as a column may hold something nearer."""
    width = above.shape[1]
    for n in range(len(places)):
        row, column = places[n, 0], places[n, 1]
        best = np.int64(1) << 62
        best_row = best_column = np.int64(0)
        for across in range(width):
            if across * across > best:
                break
            for x in (column - across, column + across):
                if x < 0 or x >= width:
                    continue
                for y in (above[row, x], below[row, x]):
                    distance = across * across + (row - y) * (row - y)
                    if distance < best or (distance == best and (y < best_row or (y == best_row and x < best_column))):
                        best, best_row, best_column = distance, y, x
        found[n, 0], found[n, 1] = best_row, best_column
