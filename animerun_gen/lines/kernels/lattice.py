"""How places between neighbouring cells of a lattice, pixels or texels, follow each other along a border."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def follow(values, across, down):  # type: ignore[no-untyped-def]
    """Join the places where borders cross between neighbours (marching squares).

    Args:
        values: ``(H, W)``, what tells cells apart.
        across: ``(H, W - 1)`` int, the number of the place between a cell and the next one of its row; -1 for none.
        down: ``(H - 1, W)`` int, the same between a cell and the one below it.

    Returns:
        ``(k, 2)`` int32, pieces between two places, in the order of rows, and ``(m, 3)`` int32, the
        places of three borders that meet.  Where two borders go through a square of four cells, those with the greater
        value are parted.
    """
    height, width = values.shape
    # each place is in two squares at most
    most = 0
    for links in (across, down):
        for place in links.ravel():
            most += place >= 0
    pieces = np.empty((2 * most + 2, 2), np.int32)
    meetings = np.empty((most + 1, 3), np.int32)
    count = met = 0
    found = np.empty(4, np.int32)
    for row in range(height - 1):
        for column in range(width - 1):
            top, right = across[row, column], down[row, column + 1]
            bottom, left = across[row + 1, column], down[row, column]
            there = 0
            for place in (top, right, bottom, left):
                if place >= 0:
                    found[there] = place
                    there += 1
            if there == 2:
                pieces[count, 0], pieces[count, 1] = found[0], found[1]
                count += 1
            elif there == 3:
                meetings[met] = found[:3]
                met += 1
            elif there == 4:
                one, other = values[row, column], values[row, column + 1]
                is_one = one == values[row + 1, column + 1]
                # the diagonal that is one, or the darker one of two
                if is_one and (one < other or other != values[row + 1, column]):
                    pieces[count, 0], pieces[count, 1] = top, right
                    pieces[count + 1, 0], pieces[count + 1, 1] = bottom, left
                else:
                    pieces[count, 0], pieces[count, 1] = left, top
                    pieces[count + 1, 0], pieces[count + 1, 1] = right, bottom
                count += 2
    return pieces[:count].copy(), meetings[:met].copy()
