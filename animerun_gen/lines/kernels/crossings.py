"""Which edges cross each other in the picture."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy")


@kernel
def sort_into_cells(ends, side, columns, rows):  # type: ignore[no-untyped-def]
    """The edges of each cell, as ``members[start[c]:start[c + 1]]``; an edge is in all that it touches."""
    start = np.zeros(columns * rows + 1, np.int64)
    for n in range(len(ends)):
        x0, x1, y0, y1 = _cells_of(ends[n], side, columns, rows)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                if _meets(ends[n], x, y, side):
                    start[y * columns + x + 1] += 1
    for c in range(columns * rows):
        start[c + 1] += start[c]
    members = np.empty(start[-1], np.int64)
    filled = start[:-1].copy()
    for n in range(len(ends)):
        x0, x1, y0, y1 = _cells_of(ends[n], side, columns, rows)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                if _meets(ends[n], x, y, side):
                    members[filled[y * columns + x]] = n
                    filled[y * columns + x] += 1
    return start, members


@kernel
def _cells_of(end, side, columns, rows):  # type: ignore[no-untyped-def]
    """First and last column and row of the cells in which an edge may lie."""
    x_low, x_high = min(end[0], end[2]) + 0.5, max(end[0], end[2]) + 0.5
    y_low, y_high = min(end[1], end[3]) + 0.5, max(end[1], end[3]) + 0.5
    return (
        min(max(int(x_low / side), 0), columns - 1),
        min(max(int(x_high / side), 0), columns - 1),
        min(max(int(y_low / side), 0), rows - 1),
        min(max(int(y_high / side), 0), rows - 1),
    )


@kernel
def _meets(end, x, y, side):  # type: ignore[no-untyped-def]
    """Whether the line on which an edge lies touches a cell, or nearly so."""
    dx, dy = end[2] - end[0], end[3] - end[1]
    reach = 0.5 * side * (abs(dx) + abs(dy)) + 1e-6 * side * (abs(dx) + abs(dy) + side)
    return abs(dx * ((y + 0.5) * side - 0.5 - end[1]) - dy * ((x + 0.5) * side - 0.5 - end[0])) <= reach


@kernel
def count_in_cells(ends, points, hides, side, columns, start, members):  # type: ignore[no-untyped-def]
    """Pairs of edges that cross; each is counted in the cell that holds the crossing."""
    crossings = 0
    for cell in range(len(start) - 1):
        for m in range(start[cell], start[cell + 1]):
            a = members[m]
            ax, ay = ends[a, 0], ends[a, 1]
            adx, ady = ends[a, 2] - ax, ends[a, 3] - ay
            for n in range(m + 1, start[cell + 1]):
                b = members[n]
                if not hides[a] and not hides[b]:
                    continue
                bx, by = ends[b, 0] - ax, ends[b, 1] - ay
                bdx, bdy = ends[b, 2] - ends[b, 0], ends[b, 3] - ends[b, 1]
                # both ends of b on two sides of a, and both ends of a on two sides of b
                if (adx * by - ady * bx) * (adx * (by + bdy) - ady * (bx + bdx)) >= 0.0:
                    continue
                before = bdx * -by - bdy * -bx
                after = bdx * (ady - by) - bdy * (adx - bx)
                if before * after >= 0.0:
                    continue
                if points[a, 0] == points[b, 0] or points[a, 0] == points[b, 1]:
                    continue
                if points[a, 1] == points[b, 0] or points[a, 1] == points[b, 1]:
                    continue
                along = before / (before - after)
                x = int((ax + along * adx + 0.5) / side)
                y = int((ay + along * ady + 0.5) / side)
                if min(x, columns - 1) + columns * y == cell:
                    crossings += 1
    return crossings
