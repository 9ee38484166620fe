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
    for row in range(height):
        for column in range(width):
            level[row, column] = True
            for x in range(max(column - REACH, 0), min(column + REACH, width - 1) + 1):
                level[row, column] &= tones[row, x] == tones[row, column]
    for row in range(height):
        top, bottom = max(row - REACH, 0), min(row + REACH, height - 1)
        for column in range(width):
            own = tones[row, column]
            found[row, column] = own
            if own == BACKGROUND:
                continue
            left, right = max(column - REACH, 0), min(column + REACH, width - 1)
            alike = True
            for y in range(top, bottom + 1):
                alike &= level[y, column] & (tones[y, column] == own)
            if alike:
                continue
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
    parent = np.empty(height * width, np.int64)
    changed = True
    while changed:
        changed = False
        for place in range(height * width):
            parent[place] = place
        for row in range(height):
            for column in range(width):
                own = tones[row, column]
                if own == BACKGROUND:
                    continue
                place = row * width + column
                if column and tones[row, column - 1] == own and instances[row, column - 1] == instances[row, column]:
                    join(parent, place, place - 1)
                if row and tones[row - 1, column] == own and instances[row - 1, column] == instances[row, column]:
                    join(parent, place, place - width)
        size = np.zeros(height * width, np.int64)
        for place in range(height * width):
            parent[place] = root(parent, place)
            size[parent[place]] += 1
        number = np.full(height * width, -1, np.int64)
        count = 0
        for row in range(height):
            for column in range(width):
                place = parent[row * width + column]
                if place == row * width + column and tones[row, column] != BACKGROUND and size[place] < smallest:
                    number[place] = count
                    count += 1
        if count == 0:
            return
        borders = np.zeros((count, 4), np.int64)
        waits = np.zeros(count, np.bool_)
        for row in range(height):
            for column in range(width):
                here = parent[row * width + column]
                for down, across in ((0, 1), (1, 0)):
                    y, x = row + down, column + across
                    if y >= height or x >= width or instances[y, x] != instances[row, column]:
                        continue
                    there = parent[y * width + x]
                    if there == here or tones[y, x] == BACKGROUND or tones[row, column] == BACKGROUND:
                        continue
                    one, other = number[here], number[there]
                    if one >= 0:
                        borders[one, tones[y, x]] += 1
                    if other >= 0:
                        borders[other, tones[row, column]] += 1
                    if one >= 0 and other >= 0:
                        # the one that begins later goes first where both are as large
                        if size[here] < size[there] or (size[here] == size[there] and here > there):
                            waits[other] = True
                        else:
                            waits[one] = True
        for row in range(height):
            for column in range(width):
                one = number[parent[row * width + column]]
                if one < 0 or waits[one]:
                    continue
                most = 0
                for tone in range(1, 4):
                    if borders[one, tone] > borders[one, most]:
                        most = tone
                if borders[one, most] > 0:
                    tones[row, column] = most
                    changed = True
