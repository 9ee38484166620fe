"""Regions that grow where a ball rolls, and their numbers."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


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
