"""The compiled loops behind the labels.  All arrays are in C order."""

from __future__ import annotations

import math

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def flow_targets(flow, among):  # type: ignore[no-untyped-def]
    """The three arrays of :class:`animerun_gen.labels.sampling.FlowTargets`."""
    height, width = among.shape
    count = 0
    for row in range(height):
        for column in range(width):
            if among[row, column] and _is_inside(
                column + np.float64(flow[row, column, 0]), row + np.float64(flow[row, column, 1]), width, height
            ):
                count += 1
    pixel, x, y = np.empty(count, np.intp), np.empty(count), np.empty(count)
    count = 0
    for row in range(height):
        for column in range(width):
            at_x, at_y = column + np.float64(flow[row, column, 0]), row + np.float64(flow[row, column, 1])
            if among[row, column] and _is_inside(at_x, at_y, width, height):
                pixel[count], x[count], y[count] = row * width + column, at_x, at_y
                count += 1
    return pixel, x, y


@kernel
def _is_inside(x, y, width, height):  # type: ignore[no-untyped-def]
    """Whether a place lies in the frame; False for unknown motion too: 1e10 leads out of it, NaN compares False."""
    return x >= -0.5 and x < width - 0.5 and y >= -0.5 and y < height - 0.5


@kernel
def sample_bilinear(picture, x, y):  # type: ignore[no-untyped-def]
    """``(C, N)`` samples of ``(H, W, C)``."""
    height, width, channels = picture.shape
    sampled = np.empty((channels, len(x)))
    for point in range(len(x)):
        left, right, across = _columns_around(x[point], width)
        top, bottom, down = _columns_around(y[point], height)
        for channel in range(channels):
            upper = _between(picture[top, left, channel], picture[top, right, channel], across)
            lower = _between(picture[bottom, left, channel], picture[bottom, right, channel], across)
            sampled[channel, point] = _between(upper, lower, down)
    return sampled


@kernel
def _columns_around(x, width):  # type: ignore[no-untyped-def]
    """The columns (or rows) left and right of a coordinate, and how much of the way between them it lies."""
    if np.isnan(x):
        return 0, 0, np.nan
    x = min(max(x, 0.0), width - 1.0)
    left = int(x)
    return left, min(left + 1, width - 1), x - left


@kernel
def _between(start, end, share):  # type: ignore[no-untyped-def]
    """The value at ``share`` of the way; exactly ``start`` if both are equal, so a still picture samples to itself."""
    return np.float64(start) + share * (np.float64(end) - np.float64(start))


@kernel
def occlusion_mask(forward, backward, threshold, unknown_from):  # type: ignore[no-untyped-def]
    """``(H, W)`` bool, True where occluded; a component of at least ``unknown_from`` is no motion."""
    height, width, _ = forward.shape
    occluded = np.ones((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            u, v = np.float64(forward[row, column, 0]), np.float64(forward[row, column, 1])
            if not _is_inside(column + u, row + v, width, height):
                continue
            left, right, across = _columns_around(column + u, width)
            top, bottom, down = _columns_around(row + v, height)
            # What has no weight is not mixed in, so it may well be unknown.
            if across == 0:
                right = left
            if down == 0:
                bottom = top
            if not (
                _known(backward[top, left], unknown_from)
                and _known(backward[top, right], unknown_from)
                and _known(backward[bottom, left], unknown_from)
                and _known(backward[bottom, right], unknown_from)
            ):
                continue
            for axis in range(2):
                back = _between(
                    _between(backward[top, left, axis], backward[top, right, axis], across),
                    _between(backward[bottom, left, axis], backward[bottom, right, axis], across),
                    down,
                )
                if axis == 0:
                    u += back
                else:
                    v += back
            occluded[row, column] = not math.sqrt(u * u + v * v) <= threshold
    return occluded


@kernel
def _known(vector, unknown_from):  # type: ignore[no-untyped-def]
    """As :func:`animerun_gen.conventions.known_flow`: NaN compares False."""
    return abs(vector[0]) < unknown_from and abs(vector[1]) < unknown_from


@kernel
def runs_of_votes(segments_source, segments_target, flow, occlusion):  # type: ignore[no-untyped-def]
    """The votes as source label, target label and number of votes.

    Neighbouring pixels mostly cast the same vote, so runs of equal votes are counted before anything is sorted.
    """
    height, width = segments_source.shape
    source, target, length = (
        np.empty(height * width, np.int64),
        np.empty(height * width, np.int64),
        np.empty(height * width, np.int64),
    )
    last = -1
    for row in range(height):
        for column in range(width):
            if occlusion[row, column]:
                continue
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            if not (_is_inside(x, y, width, height) and _is_inner(segments_source, row, column)):
                continue
            here = segments_source[row, column]
            there = segments_target[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))]
            if last < 0 or source[last] != here or target[last] != there:
                last += 1
                source[last], target[last], length[last] = here, there, 0
            length[last] += 1
    return source[: last + 1], target[: last + 1], length[: last + 1]


@kernel
def _is_inner(segments, row, column):  # type: ignore[no-untyped-def]
    """Whether the part of a pixel's 3x3 neighbourhood that is in the frame holds nothing but its own segment."""
    height, width = segments.shape
    for near_row in range(max(row - 1, 0), min(row + 2, height)):
        for near_column in range(max(column - 1, 0), min(column + 2, width)):
            if segments[near_row, near_column] != segments[row, column]:
                return False
    return True


@kernel
def first_roomy_pixels(labels, components, component_count, room, at_least):  # type: ignore[no-untyped-def]
    """``(component_count,)``: the first pixel of each component that has no label and so much room, or -1."""
    first = np.full(component_count, -1, np.intp)
    for pixel in range(len(labels)):
        if labels[pixel] == 0 and room[pixel] >= at_least and first[components[pixel]] < 0:
            first[components[pixel]] = pixel
    return first


@kernel
def claim(labels, components, owner, shared, room, more_than):  # type: ignore[no-untyped-def]
    """Labels, in place, the empty pixels with so much room by the owners of their components.

    Returns:
        Those that lie in shared components instead, which stay as they are.
    """
    contested = np.empty(len(labels), np.intp)
    count = 0
    for pixel in range(len(labels)):
        if labels[pixel] == 0 and room[pixel] > more_than:
            if shared[components[pixel]]:
                contested[count] = pixel
                count += 1
            else:
                labels[pixel] = owner[components[pixel]]
    return contested[:count]


@kernel
def spread(labels, empty, width):  # type: ignore[no-untyped-def]
    """Lets regions grow over the ``empty`` pixels (flat indices), all at one speed; where two meet the smaller wins."""
    waiting = empty.copy()
    reached, reached_label = np.empty_like(waiting), np.empty(len(waiting), labels.dtype)
    count = len(waiting)
    while count > 0:
        reached_count = waiting_count = 0
        for index in range(count):
            pixel = waiting[index]
            nearest = 0
            for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
                label = labels[neighbour]
                if label > 0 and (nearest == 0 or label < nearest):
                    nearest = label
            if nearest > 0:
                reached[reached_count], reached_label[reached_count] = pixel, nearest
                reached_count += 1
            else:
                waiting[waiting_count] = pixel
                waiting_count += 1
        if reached_count == 0:
            break
        # Only now, or a region would grow faster along the order of the pixels than against it.
        for index in range(reached_count):
            labels[reached[index]] = reached_label[index]
        count = waiting_count


@kernel
def fill_with_nearest(regions, nearest, nearest_count):  # type: ignore[no-untyped-def]
    """``regions``, 0 replaced by the label of the pixel, not 0, that has the same number in ``nearest``."""
    height, width = regions.shape
    region_of = np.zeros(nearest_count, regions.dtype)
    for row in range(height):
        for column in range(width):
            if regions[row, column] > 0:
                region_of[nearest[row, column]] = regions[row, column]
    filled = np.empty_like(regions)
    for row in range(height):
        for column in range(width):
            filled[row, column] = region_of[nearest[row, column]]
    return filled


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


@kernel
def root(parent, item):  # type: ignore[no-untyped-def]
    """The smallest of all items that are joined to this one."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@kernel
def join(parent, one, other):  # type: ignore[no-untyped-def]
    """Joins the sets that two items belong to."""
    one, other = root(parent, one), root(parent, other)
    parent[max(one, other)] = min(one, other)


@kernel
def most_room_near(regions, room, row, column, reach, first, second):  # type: ignore[no-untyped-def]
    """The most room that two regions have within ``reach`` of a pixel, each."""
    height, width = regions.shape
    most_first = most_second = 0.0
    for y in range(max(row - reach, 0), min(row + reach + 1, height)):
        for x in range(max(column - reach, 0), min(column + reach + 1, width)):
            if (y - row) ** 2 + (x - column) ** 2 > reach**2:
                continue
            if regions[y, x] == first:
                most_first = max(most_first, room[y, x])
            elif regions[y, x] == second:
                most_second = max(most_second, room[y, x])
    return most_first, most_second


@kernel
def number_by_first_pixel(regions, label_count, start):  # type: ignore[no-untyped-def]
    """Positive labels below ``label_count`` renumbered contiguously from ``start`` in raster order; 0 stays."""
    height, width = regions.shape
    number = np.full(label_count, -1, np.int32)
    number[0] = 0
    following = start
    numbered = np.empty((height, width), np.int32)
    for row in range(height):
        for column in range(width):
            label = regions[row, column]
            if number[label] < 0:
                number[label] = following
                following += 1
            numbered[row, column] = number[label]
    return numbered
