"""Where the shade parts segments."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.union_find import join, root

kernel = compiled.kernels(__name__)


@kernel
def spread_tones(tones, segments, waiting):  # type: ignore[no-untyped-def]
    """Give the pixels ``waiting`` (flat indices, of tone 0) the tone of the nearest pixel of their segment, in place.

    Distance is counted in steps to the side, up and down; of several tones as near the smallest wins.  What has nothing
    to take over stays 0.
    """
    height, width = tones.shape
    reached, tone_of = np.empty_like(waiting), np.empty(len(waiting), tones.dtype)
    waiting = waiting.copy()
    count = len(waiting)
    while count > 0:
        found = still = 0
        for index in range(count):
            row, column = waiting[index] // width, waiting[index] % width
            nearest = tones[row, column]
            for down, across in ((-1, 0), (0, -1), (0, 1), (1, 0)):
                y, x = row + down, column + across
                if 0 <= y < height and 0 <= x < width and segments[y, x] == segments[row, column]:
                    tone = tones[y, x]
                    if tone > 0 and (nearest == 0 or tone < nearest):
                        nearest = tone
            if nearest > 0:
                reached[found], tone_of[found] = waiting[index], nearest
                found += 1
            else:
                waiting[still] = waiting[index]
                still += 1
        if found == 0:
            return
        # only now, or tones would spread faster along the order of the pixels than against it
        for index in range(found):
            tones[reached[index] // width, reached[index] % width] = tone_of[index]
        count = still


@kernel
def components(segments, tones):  # type: ignore[no-untyped-def]
    """``(H, W)`` int32: pieces, side by side, of one segment and one tone, numbered from 0 by their first pixels."""
    height, width = segments.shape
    parent = np.arange(height * width)
    for row in range(height):
        for column in range(width):
            place = row * width + column
            if (
                column
                and segments[row, column - 1] == segments[row, column]
                and tones[row, column - 1] == tones[row, column]
            ):
                join(parent, place, place - 1)
            if (
                row
                and segments[row - 1, column] == segments[row, column]
                and tones[row - 1, column] == tones[row, column]
            ):
                join(parent, place, place - width)
    numbers = np.empty((height, width), np.int32)
    count = 0
    for row in range(height):
        for column in range(width):
            place = row * width + column
            first = root(parent, place)
            if first == place:
                numbers[row, column] = count
                count += 1
            else:
                numbers[row, column] = numbers[first // width, first % width]
    return numbers
