"""Where a flow field leads, and what lies there between the pixels."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def is_inside(x, y, width, height):  # type: ignore[no-untyped-def]
    """Whether a place lies in the frame; False for unknown motion too: 1e10 leads out of it, NaN compares False."""
    return x >= -0.5 and x < width - 0.5 and y >= -0.5 and y < height - 0.5


@kernel
def flow_targets(flow, among):  # type: ignore[no-untyped-def]
    """The three arrays of :class:`animerun_gen.labels.sampling.FlowTargets`."""
    height, width = among.shape
    count = 0
    for row in range(height):
        for column in range(width):
            if among[row, column] and is_inside(
                column + np.float64(flow[row, column, 0]), row + np.float64(flow[row, column, 1]), width, height
            ):
                count += 1
    pixel, x, y = np.empty(count, np.intp), np.empty(count), np.empty(count)
    count = 0
    for row in range(height):
        for column in range(width):
            at_x, at_y = column + np.float64(flow[row, column, 0]), row + np.float64(flow[row, column, 1])
            if among[row, column] and is_inside(at_x, at_y, width, height):
                pixel[count], x[count], y[count] = row * width + column, at_x, at_y
                count += 1
    return pixel, x, y


@kernel
def corners_of(x, y, width, height, channels):  # type: ignore[no-untyped-def]
    """The four pixels around a place, as indices of their first channels, and the place's shares between them.

    The picture's border continues outwards.
    """
    x = min(max(x, 0.0), width - 1.0)
    y = min(max(y, 0.0), height - 1.0)
    left, top = int(x), int(y)
    top_left = (top * width + left) * channels
    bottom_left = top_left + (width * channels if top < height - 1 else 0)
    to_right = channels if left < width - 1 else 0
    return top_left, top_left + to_right, bottom_left, bottom_left + to_right, x - left, y - top


@kernel
def between(values, a, b, c, d, across, down):  # type: ignore[no-untyped-def]
    """The bilinear sample between four values of a flat picture; exactly theirs where they are equal."""
    return mixed(value_at(values, a), value_at(values, b), value_at(values, c), value_at(values, d), across, down)


@kernel
def mixed(top_left, top_right, bottom_left, bottom_right, across, down):  # type: ignore[no-untyped-def]
    """The bilinear mixture of four numbers."""
    upper = top_left + across * (top_right - top_left)
    lower = bottom_left + across * (bottom_right - bottom_left)
    return upper + down * (lower - upper)


@kernel
def value_at(values, index):  # type: ignore[no-untyped-def]
    """A value of a flat picture, float64."""
    # unsigned: signed indices cost a test, each, whether they count from the end
    return np.float64(values[np.uint64(index)])


@kernel
def is_known(u, v, unknown_from):  # type: ignore[no-untyped-def]
    """Whether a vector is one, as :func:`animerun_gen.conventions.known_flow` has it: NaN is none."""
    # both are looked at, without a branch
    return (abs(u) < unknown_from) & (abs(v) < unknown_from)


@kernel
def sample_bilinear(picture, channels, width, height, x, y):  # type: ignore[no-untyped-def]
    """``(C, N)`` samples of a flat picture; NaN where a coordinate is."""
    sampled = np.empty((channels, len(x)))
    for point in range(len(x)):
        if np.isnan(x[point]) or np.isnan(y[point]):
            sampled[:, point] = np.nan
            continue
        a, b, c, d, across, down = corners_of(x[point], y[point], width, height, channels)
        for channel in range(channels):
            sampled[channel, point] = between(picture, a + channel, b + channel, c + channel, d + channel, across, down)
    return sampled
