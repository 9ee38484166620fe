"""Compiled loops over the pixels of frames, flow and segments."""

from __future__ import annotations

import math

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def count_levels(picture, luminance, differences):  # type: ignore[no-untyped-def]
    """Add the grey levels of a picture, and the steps from each pixel to its right neighbour, to histograms.

    The luminance is that of ITU-R BT.601, rounded to a grey level, in whole numbers, so that it is the same everywhere.

    Args:
        picture: ``(H, W, 3)`` uint8, RGB.
        luminance: ``(256,)`` int64, what is added to.
        differences: ``(511,)`` int64, what is added to: place 255 + d counts steps of d levels.
    """
    for row in range(picture.shape[0]):
        before = np.int64(0)
        for column in range(picture.shape[1]):
            # with a sign: Python's int would leave them without one here
            red, green = np.int64(picture[row, column, 0]), np.int64(picture[row, column, 1])
            blue = np.int64(picture[row, column, 2])
            # 0.299, 0.587 and 0.114 of 65536
            level = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
            luminance[level] += 1
            if column > 0:
                differences[255 + level - before] += 1
            before = level


@kernel
def count_changed(one, other, tolerance):  # type: ignore[no-untyped-def]
    """How many pixels of two pictures differ at all, and by more than ``tolerance`` in some channel.

    Args:
        one: ``(H, W, 3)`` uint8.
        other: The same.
        tolerance: Levels.
    """
    differing = beyond = 0
    for row in range(one.shape[0]):
        for column in range(one.shape[1]):
            largest = np.int64(0)
            for channel in range(3):
                apart = abs(np.int64(one[row, column, channel]) - np.int64(other[row, column, channel]))
                largest = max(largest, apart)
            if largest > 0:
                differing += 1
            if largest > tolerance:
                beyond += 1
    return differing, beyond


@kernel
def count_motion(flow, valid, scale_x, scale_y, still, histogram):  # type: ignore[no-untyped-def]
    """Sum up the lengths of the known motion, and add them to a histogram of whole pixels.

    Args:
        flow: ``(H, W, 2)`` float32, pixels.
        valid: ``(H, W)`` bool.
        scale_x: What u is multiplied with for the histogram and the second sum.
        scale_y: The same for v.
        still: Pixels; what is not longer than this does not move.
        histogram: ``(N,)`` int64, what is added to; its last place counts what is longer as well.

    Returns:
        Number of known pixels, sum of their lengths, sum of the scaled lengths, number of those that move, sum of their
        lengths, and the longest.
    """
    known = moving = 0
    total = scaled_total = moving_total = longest = 0.0
    last = len(histogram) - 1
    for row in range(flow.shape[0]):
        for column in range(flow.shape[1]):
            if not valid[row, column]:
                continue
            u, v = float(flow[row, column, 0]), float(flow[row, column, 1])
            length = math.sqrt(u * u + v * v)
            u, v = u * scale_x, v * scale_y
            scaled = math.sqrt(u * u + v * v)
            known += 1
            total += length
            scaled_total += scaled
            if length > still:
                moving += 1
                moving_total += length
                longest = max(longest, length)
            histogram[min(int(scaled), last)] += 1
    return known, total, scaled_total, moving, moving_total, longest


@kernel
def survey(segments, areas, sums):  # type: ignore[no-untyped-def]
    """The pixels of each segment, and the sums of their coordinates.

    Args:
        segments: ``(H, W)`` int32, from 0.
        areas: ``(N,)`` int64, what is added to.
        sums: ``(N, 2)`` int64, what is added to: x and y.
    """
    for row in range(segments.shape[0]):
        for column in range(segments.shape[1]):
            label = segments[row, column]
            areas[label] += 1
            sums[label, 0] += column
            sums[label, 1] += row
