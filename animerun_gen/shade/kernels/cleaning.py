"""Borders of the shade as a hand draws them: without specks and without teeth of single pixels."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.shade.tone import BACKGROUND, BASE, HIGHLIGHT, SHADOW
from animerun_gen.union_find import join, root

kernel = compiled.kernels(__name__)

REACH = 2
"""Half the width of the square in which pixels vote, in pixels."""

ALIKE = 0.7
"""Least cosine between the normals of pixels that vote for each other: no border is rounded at an edge."""

FLUSH = 3.0
"""Widths of a pixel by which the planes of pixels that vote for each other may be apart, for each pixel between."""


@kernel
def vote(tones, instances, normals, places, sizes, found):  # type: ignore[no-untyped-def]
    """Fill ``found`` (H, W) with what most pixels of the same surface around each pixel say.

    Args:
        tones: ``(H, W)`` uint8.
        instances: ``(H, W)`` int32, what pixels that may vote for each other have in common.
        normals: ``(H, W, 3)`` float32.
        places: ``(H, W, 3)`` float32.
        sizes: ``(H, W)`` float32, the width of a pixel where its surface is.
        found: Takes the tones.
    """
    height, width = tones.shape
    # whether the pixels of a row around a pixel have its tone
    level = np.empty((height, width), np.bool_)
    alike = np.empty(width, np.bool_)
    for row in range(height):
        _mark_level(tones[row], level[row])
    for row in range(height):
        top, bottom = max(row - REACH, 0), min(row + REACH, height - 1)
        _mark_alike(tones, level, row, top, bottom, alike)
        for column in range(width):
            own = tones[row, column]
            found[row, column] = own
            if alike[column] or own == BACKGROUND:
                continue
            left, right = max(column - REACH, 0), min(column + REACH, width - 1)
            dark = lit = high = 0
            for y in range(top, bottom + 1):
                for x in range(left, right + 1):
                    if _belong_together(row, column, y, x, instances, normals, places, sizes):
                        tone = tones[y, x]
                        dark += tone == SHADOW
                        lit += tone == BASE
                        high += tone == HIGHLIGHT
            if dark > lit + high or (dark == lit + high and own == SHADOW):
                found[row, column] = SHADOW
            elif high > lit or (high == lit and own == HIGHLIGHT):
                found[row, column] = HIGHLIGHT
            else:
                found[row, column] = BASE


@kernel
def _mark_level(tones, level):  # type: ignore[no-untyped-def]
    """Fill ``level`` (W,) where the pixels of a row as far as :data:`REACH` have a pixel's tone.

    Without branches, so that processors run many pixels at a time.
    """
    width = len(tones)
    level[:] = True
    for away in range(1, REACH + 1):
        for column in range(width - away):
            level[column] &= tones[column] == tones[column + away]
        for column in range(away, width):
            level[column] &= tones[column] == tones[column - away]


@kernel
def _mark_alike(tones, level, row, top, bottom, alike):  # type: ignore[no-untyped-def]
    """Fill ``alike`` (W,) where all the pixels around one of a row have its tone, in the same way."""
    alike[:] = True
    for y in range(top, bottom + 1):
        for column in range(len(alike)):
            alike[column] &= level[y, column] & (tones[y, column] == tones[row, column])


@kernel
def _belong_together(row, column, y, x, instances, normals, places, sizes):  # type: ignore[no-untyped-def]
    """Whether two pixels show one piece of a surface, without an edge or a step between."""
    if instances[y, x] != instances[row, column]:
        return False
    cosine = np.float32(0.0)
    apart = np.float32(0.0)
    apart_there = np.float32(0.0)
    for axis in range(3):
        here, there = normals[row, column, axis], normals[y, x, axis]
        between = places[y, x, axis] - places[row, column, axis]
        cosine += here * there
        apart += here * between
        apart_there += there * between
    if cosine < ALIKE:
        return False
    allowed = FLUSH * max(abs(y - row), abs(x - column)) * max(sizes[row, column], sizes[y, x])
    return abs(apart) <= allowed and abs(apart_there) <= allowed


@kernel
def merge_small(tones, instances, smallest):  # type: ignore[no-untyped-def]
    """Give regions of fewer pixels than ``smallest`` the tone of what they border on most, in place.

    A region is what hangs together, side by side, of one tone and one instance; only what is of the same instance is
    its neighbour, so that what is small as a whole keeps its tone.  Of small neighbours the smaller one goes first.
    """
    height, width = tones.shape
    # stretches of a row of one tone and one instance, one after the other
    start = np.empty(height * width, np.int32)
    first = np.empty(height + 1, np.int64)
    while True:
        runs = _find_runs(tones, instances, start, first)
        parent = np.arange(runs)
        size = np.zeros(runs, np.int64)
        for row in range(1, height):
            above, here = first[row - 1], first[row]
            while above < first[row] and here < first[row + 1]:
                if _may_join(tones, instances, row - 1, start[above], row, start[here]):
                    join(parent, above, here)
                above, here = _next_pair(
                    above, here, _end(start, first, row - 1, above, width), start, first, row, width
                )
        for row in range(height):
            for run in range(first[row], first[row + 1]):
                parent[run] = root(parent, run)
                size[parent[run]] += _end(start, first, row, run, width) - start[run]
        number = np.full(runs, -1, np.int64)
        count = 0
        for row in range(height):
            for run in range(first[row], first[row + 1]):
                if parent[run] == run and tones[row, start[run]] != BACKGROUND and size[run] < smallest:
                    number[run] = count
                    count += 1
        if count == 0:
            return
        borders = np.zeros((count, 4), np.int64)
        waits = np.zeros(count, np.bool_)
        for row in range(height):
            for run in range(first[row], first[row + 1] - 1):
                here, there = (row, start[run], parent[run]), (row, start[run + 1], parent[run + 1])
                _note_border(tones, instances, here, there, 1, number, size, borders, waits)
        for row in range(1, height):
            above, here = first[row - 1], first[row]
            while above < first[row] and here < first[row + 1]:
                end = _end(start, first, row - 1, above, width)
                length = min(end, _end(start, first, row, here, width)) - max(start[above], start[here])
                upper, lower = (row - 1, start[above], parent[above]), (row, start[here], parent[here])
                _note_border(tones, instances, upper, lower, length, number, size, borders, waits)
                above, here = _next_pair(above, here, end, start, first, row, width)
        changed = False
        for row in range(height):
            for run in range(first[row], first[row + 1]):
                one = number[parent[run]]
                if one < 0 or waits[one]:
                    continue
                most = 0
                for tone in range(1, 4):
                    if borders[one, tone] > borders[one, most]:
                        most = tone
                if borders[one, most] > 0:
                    tones[row, start[run] : _end(start, first, row, run, width)] = most
                    changed = True
        if not changed:
            return


@kernel
def _find_runs(tones, instances, start, first):  # type: ignore[no-untyped-def]
    """Fill in the first column of each run, row by row, and the first run of each row; how many there are."""
    height, width = tones.shape
    count = 0
    for row in range(height):
        first[row] = count
        for column in range(width):
            if (
                column == 0
                or tones[row, column] != tones[row, column - 1]
                or instances[row, column] != instances[row, column - 1]
            ):
                start[count] = column
                count += 1
    first[height] = count
    return count


@kernel
def _end(start, first, row, run, width):  # type: ignore[no-untyped-def]
    """The column behind a run of a row."""
    return start[run + 1] if run + 1 < first[row + 1] else width


@kernel
def _next_pair(above, here, end_above, start, first, row, width):  # type: ignore[no-untyped-def]
    """The next two runs of a row and of the row above it that touch."""
    end_here = _end(start, first, row, here, width)
    return above + (end_above <= end_here), here + (end_here <= end_above)


@kernel
def _may_join(tones, instances, y, x, row, column):  # type: ignore[no-untyped-def]
    """Whether two pixels that touch are of one region."""
    tone = tones[row, column]
    return tone != BACKGROUND and tones[y, x] == tone and instances[y, x] == instances[row, column]


@kernel
def _note_border(tones, instances, one, other, length, number, size, borders, waits):  # type: ignore[no-untyped-def]
    """Count a border between two runs, each given by its row, its first column and its region."""
    row, column, here = one
    y, x, there = other
    if here == there or instances[row, column] != instances[y, x]:
        return
    if tones[row, column] == BACKGROUND or tones[y, x] == BACKGROUND:
        return
    if number[here] >= 0:
        borders[number[here], tones[y, x]] += length
    if number[there] >= 0:
        borders[number[there], tones[row, column]] += length
    if number[here] >= 0 and number[there] >= 0:
        # the one that begins later goes first where both are as large
        if size[here] < size[there] or (size[here] == size[there] and here > there):
            waits[number[there]] = True
        else:
            waits[number[here]] = True
