"""How well a flow field explains one frame by the other.

Two ways to look up the target frame between its pixels:

``point``
    The closest, in colour, of the up to four pixels around the place.  A frame without anti-aliasing holds point
    samples, never mixtures, so this asks the right question: is the surface that the flow promises there?  Exact flow
    of flat frames then leaves about 0.0001, and a shift by one pixel raises that eightfold or more.
``bilinear``
    What is usually taken.  It invents mixed colours along every boundary, so exact flow of the same frames leaves
    0.002, which a shift by one pixel merely doubles.  But it sees shifts of less than a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import between, corners_of, is_inside, mixed, value_at
from animerun_gen.labels.sampling import require_mask, require_shape
from animerun_gen.quality.packed import SCALE, channel, color_distance

kernel = compiled.kernels(__name__)

Sampling = Literal["point", "bilinear"]

ON_THE_PIXEL = 1e-3
"""A place at most so many pixels from a pixel centre, in x or y, takes no part of the pixel beyond it."""

GROUPS = 5
"""Number of groups of pixels that :func:`warp_sums` can keep apart."""


def warp_difference(
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_] | None = None,
    sampling: Sampling = "point",
) -> npt.NDArray[np.float64]:
    """Absolute difference between the source frame and the target frame warped back onto it, pixel by pixel.

    Args:
        source: ``(H, W)`` or ``(H, W, C)``, the frame that the flow starts from; uint8, or floats in 0..1.
        target: the frame that the flow leads to, of the same shape and dtype.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart; by default nowhere.
        sampling: how to look up the target between its pixels; see above.

    Returns:
        ``(H, W)`` float64 in 0..1, the mean over the channels; NaN where there is nothing to compare: occluded, motion
        unknown, target outside the frame.

    Raises:
        ValueError: the shapes or dtypes do not agree, a picture is neither uint8 nor float, or the mask is not bool.
    """
    pictures = _pictures_of(source, target, flow)
    if occlusion is None:
        occlusion = np.zeros(flow.shape[:2], np.bool_)
    require_mask("the occlusion mask", occlusion, flow.shape[:2])
    difference = np.empty(flow.shape[:2])
    _fill_differences(
        pictures.here,
        pictures.there,
        flow,
        occlusion,
        sampling == "bilinear",
        pictures.channels,
        pictures.scale,
        difference,
    )
    return difference


def warp_error(
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_] | None = None,
    sampling: Sampling = "point",
) -> float:
    """Mean absolute difference of a frame and the other one warped back onto it (section 3.1 of the paper).

    The paper keeps pairs whose warp error is at most 0.01.

    Args:
        source: ``(H, W)`` or ``(H, W, C)``, the frame that the flow starts from; uint8, or floats in 0..1.
        target: the frame that the flow leads to, of the same shape and dtype.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart; by default nowhere.
        sampling: how to look up the target between its pixels; see above.

    Returns:
        The mean of :func:`warp_difference` over the pixels where it is not NaN, 0..1; NaN if there is no such pixel.

    Raises:
        ValueError: the shapes or dtypes do not agree, a picture is neither uint8 nor float, or the mask is not bool.
    """
    difference = warp_difference(source, target, flow, occlusion, sampling)
    compared = difference[~np.isnan(difference)]
    return float(compared.mean()) if compared.size else float("nan")


@dataclass(frozen=True)
class WarpSums:
    """The warp differences of one direction, added up over groups of pixels; see :func:`warp_sums`.

    Attributes:
        count: ``(GROUPS,)`` int64, pixels of each group that could be compared.
        point: ``(GROUPS,)`` float64, sum over them of the difference by point sampling.
        bilinear: ``(GROUPS,)`` float64, the same by bilinear sampling.
    """

    count: npt.NDArray[np.int64]
    point: npt.NDArray[np.float64]
    bilinear: npt.NDArray[np.float64]

    def mean(self, groups: int | list[int], sampling: Sampling = "point") -> float:
        """The warp error over one group or several together; NaN if they have no pixel to compare."""
        total = self.point if sampling == "point" else self.bilinear
        count = int(self.count[groups].sum())
        return float(total[groups].sum()) / count if count else float("nan")


def warp_sums(
    source: npt.NDArray[np.int32],
    target: npt.NDArray[np.int32],
    flow: npt.NDArray[np.float32],
    groups: npt.NDArray[np.uint8],
) -> list[WarpSums]:
    """The warp errors of one direction over several sets of pixels and by both samplings, in one go.

    Args:
        source: ``(P, H * W)`` int32, pictures that show the frame that the flow starts from, with and without lines for
            example, as :func:`~animerun_gen.quality.packed.pack` gives them.
        target: the same of the frame that the flow leads to.
        flow: ``(H, W, 2)`` float32, pixels.
        groups: ``(H, W)`` uint8, which group, below :data:`GROUPS`, each pixel belongs to.

    Returns:
        For each of the ``P`` pictures counts and sums by group, over pixels whose motion is known and stays inside the
        frame.

    Raises:
        ValueError: the shapes do not agree.
    """
    require_shape("the source pictures", source, (len(source), groups.size))
    require_shape("the target pictures", target, source.shape)
    require_shape("the flow", flow, (*groups.shape, 2))
    if groups.max(initial=0) >= GROUPS:
        raise ValueError(f"there are groups 0 to {GROUPS - 1}, but the map has {groups.max()}")
    count = np.zeros(GROUPS, np.int64)
    point, bilinear = np.zeros((2, len(source), GROUPS))
    _add_up(np.ascontiguousarray(source), np.ascontiguousarray(target), flow, groups, count, point, bilinear)
    return [WarpSums(count, *sums) for sums in zip(point * SCALE, bilinear * SCALE, strict=True)]


@dataclass(frozen=True)
class _Pictures:
    """Two pictures as the loops below take them.

    Attributes:
        here: ``(H * W * C,)`` uint8, float32 or float64, the source.
        there: the same of the target.
        channels: ``(0, ..., C - 1)``; the length of a tuple is known when the loops are compiled, which unrolls them.
        scale: what makes of the sum of a pixel's differences their mean in 0..1.
    """

    here: npt.NDArray[Any]
    there: npt.NDArray[Any]
    channels: tuple[int, ...]
    scale: float


def _pictures_of(source: npt.NDArray[Any], target: npt.NDArray[Any], flow: npt.NDArray[Any]) -> _Pictures:
    if source.ndim not in (2, 3):
        raise ValueError(f"a picture must be (H, W) or (H, W, C), not {source.shape}")
    require_shape("the target frame", target, source.shape)
    require_shape("the flow", flow, (*source.shape[:2], 2))
    if source.dtype != target.dtype or not (source.dtype == np.uint8 or np.issubdtype(source.dtype, np.floating)):
        raise ValueError(f"both pictures must be uint8 or both float, not {source.dtype} and {target.dtype}")
    kept = source.dtype if source.dtype in (np.uint8, np.float32) else np.dtype(np.float64)
    channels = source.shape[2] if source.ndim == 3 else 1
    here, there = (np.ascontiguousarray(picture, kept).ravel() for picture in (source, target))
    return _Pictures(here, there, tuple(range(channels)), 1 / channels / (255 if source.dtype == np.uint8 else 1))


@kernel
def _distance_of(there, index, here, at, channels):  # type: ignore[no-untyped-def]
    """Sum over the channels of the difference of two pixels."""
    distance = 0.0
    for k in range(len(channels)):
        distance += abs(value_at(there, index + k) - value_at(here, at + k))
    return distance


@kernel
def _of_one_color(there, a, b, c, d, channels):  # type: ignore[no-untyped-def]
    for k in range(len(channels)):
        value = value_at(there, a + k)
        if value != value_at(there, b + k) or value != value_at(there, c + k) or value != value_at(there, d + k):
            return False
    return True


@kernel
def pixels_around(corners):  # type: ignore[no-untyped-def]
    """Those of the four pixels around a place, from :func:`corners_of`, that it lies between; some may be the same."""
    a, b, c, d, across, down = corners
    # on a pixel centre there is nothing between the pixels, so all corners are this one
    if across < ON_THE_PIXEL:
        b, d = a, c
    elif across > 1 - ON_THE_PIXEL:
        a, c = b, d
    if down < ON_THE_PIXEL:
        c, d = a, b
    elif down > 1 - ON_THE_PIXEL:
        a, b = c, d
    return a, b, c, d


@kernel
def _point_distance(there, corners, here, at, channels):  # type: ignore[no-untyped-def]
    """Sum over the channels of the difference of a source pixel from the closest pixel around the place."""
    a, b, c, d = pixels_around(corners)
    upper = min(_distance_of(there, a, here, at, channels), _distance_of(there, b, here, at, channels))
    lower = min(_distance_of(there, c, here, at, channels), _distance_of(there, d, here, at, channels))
    return min(upper, lower)


@kernel
def _bilinear_distance(there, corners, here, at, channels):  # type: ignore[no-untyped-def]
    """Sum over the channels of the difference of a source pixel from the bilinear sample at the place."""
    a, b, c, d, across, down = corners
    distance = 0.0
    for k in range(len(channels)):
        distance += abs(between(there, a + k, b + k, c + k, d + k, across, down) - value_at(here, at + k))
    return distance


@kernel
def _fill_differences(here, there, flow, occluded, bilinear, channels, scale, difference):  # type: ignore[no-untyped-def]
    """Fill ``difference`` (H, W) with ``scale`` times the distance of each pixel from its target, or NaN."""
    height, width = difference.shape
    for row in range(height):
        for column in range(width):
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            if occluded[row, column] or not is_inside(x, y, width, height):
                difference[row, column] = np.nan
                continue
            at = (row * width + column) * len(channels)
            corners = corners_of(x, y, width, height, len(channels))
            if _of_one_color(there, corners[0], corners[1], corners[2], corners[3], channels):
                distance = _distance_of(there, corners[0], here, at, channels)
            elif bilinear:
                distance = _bilinear_distance(there, corners, here, at, channels)
            else:
                distance = _point_distance(there, corners, here, at, channels)
            difference[row, column] = distance * scale


@kernel
def _add_up(here, there, flow, groups, count, point, bilinear):  # type: ignore[no-untyped-def]
    """Add each picture's distances of every pixel from its target, by both samplings, to the sums of its group."""
    height, width = groups.shape
    for row in range(height):
        for column in range(width):
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            if not is_inside(x, y, width, height):
                continue
            pixel = np.uint64(row * width + column)
            group = groups[row, column]
            count[group] += 1
            a, b, c, d, across, down = corners_of(x, y, width, height, 1)
            for picture in range(len(here)):
                own = here[picture, pixel]
                top_left, top_right = there[picture, np.uint64(a)], there[picture, np.uint64(b)]
                bottom_left, bottom_right = there[picture, np.uint64(c)], there[picture, np.uint64(d)]
                if (top_left == top_right) & (top_left == bottom_left) & (top_left == bottom_right):
                    # as most pixels are, and mostly there is nothing to add
                    if top_left != own:
                        distance = color_distance(top_left, own)
                        point[picture, group] += distance
                        bilinear[picture, group] += distance
                    continue
                corners = (top_left, top_right, bottom_left, bottom_right, across, down)
                point[picture, group] += closest_color(corners, own)
                bilinear[picture, group] += (
                    _channel_distance(corners, own, 16)
                    + _channel_distance(corners, own, 8)
                    + _channel_distance(corners, own, 0)
                )


@kernel
def closest_color(corners, own):  # type: ignore[no-untyped-def]
    """The distance of a colour from the closest of those around a place, which ``corners`` holds instead of pixels."""
    a, b, c, d = pixels_around(corners)
    upper = min(color_distance(a, own), color_distance(b, own))
    return min(upper, color_distance(c, own), color_distance(d, own))


@kernel
def _channel_distance(corners, own, shift):  # type: ignore[no-untyped-def]
    """How far one channel of a colour is from the bilinear sample of those around a place."""
    a, b, c, d, across, down = corners
    sample = mixed(channel(a, shift), channel(b, shift), channel(c, shift), channel(d, shift), across, down)
    return abs(sample - channel(own, shift))
