"""Where two regions are open to each other."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.union_find import join, root

kernel = compiled.kernels(__name__)


@kernel
def borders(regions, room):  # type: ignore[no-untyped-def]
    """The borders between regions: unbroken runs of pairs of neighbouring pixels of the same two regions.

    Returns:
        For each border the smaller and the larger label, the number of pairs without room in one of the pixels, and the
        left or upper pixel (flat index) of the pair with most room, -1 where none has any.  In the order of their first
        pairs.
    """
    height, width = regions.shape
    # A pair of pixels has a crack between them: right of a pixel, or below it.
    right, below = np.full((height, width), -1, np.int32), np.full((height, width), -1, np.int32)
    count = 0
    for row in range(height):
        for column in range(width):
            if column + 1 < width and regions[row, column] != regions[row, column + 1]:
                right[row, column] = count
                count += 1
            if row + 1 < height and regions[row, column] != regions[row + 1, column]:
                below[row, column] = count
                count += 1
    first, second, pixel = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.intp)
    passable = np.empty(count, room.dtype)
    for row in range(height):
        for column in range(width):
            # as most pixels have none
            if right[row, column] < 0 and below[row, column] < 0:
                continue
            for crack, down, across in ((right[row, column], 0, 1), (below[row, column], 1, 0)):
                if crack >= 0:
                    here, there = regions[row, column], regions[row + down, column + across]
                    first[crack], second[crack] = min(here, there), max(here, there)
                    pixel[crack] = row * width + column
                    passable[crack] = min(room[row, column], room[row + down, column + across])

    # Up to four cracks meet where four pixels do; those between the same two regions belong together.
    parent = np.arange(count)
    for row in range(height - 1):
        for column in range(width - 1):
            meeting = (right[row, column], right[row + 1, column], below[row, column], below[row, column + 1])
            # where fewer than two do, nothing does
            if (meeting[0] >= 0) + (meeting[1] >= 0) + (meeting[2] >= 0) + (meeting[3] >= 0) < 2:
                continue
            for one in range(3):
                for other in range(one + 1, 4):
                    if (
                        meeting[one] >= 0
                        and meeting[other] >= 0
                        and first[meeting[one]] == first[meeting[other]]
                        and second[meeting[one]] == second[meeting[other]]
                    ):
                        join(parent, meeting[one], meeting[other])

    number, border_count = np.full(count, -1), 0
    border_first, border_second = np.empty(count, np.int32), np.empty(count, np.int32)
    wall, widest, most = np.zeros(count, np.int64), np.full(count, -1), np.zeros(count, room.dtype)
    for crack in range(count):
        # Its root is its smallest crack, so it comes first.
        border = root(parent, crack)
        if border == crack:
            border_first[border_count], border_second[border_count] = first[crack], second[crack]
            number[crack] = border_count
            border_count += 1
        border = number[border]
        if passable[crack] > most[border]:
            most[border], widest[border] = passable[crack], pixel[crack]
        elif passable[crack] == 0:
            wall[border] += 1
    return border_first[:border_count], border_second[:border_count], wall[:border_count], widest[:border_count]
