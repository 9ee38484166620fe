"""Whether the flow leads from a surface point to the same surface point, by pictures that show which is where.

An identity picture shows for each pixel the place of the surface point in its own mesh, as Blender's renderer painted
it (:mod:`animerun_gen.blender.identity_pictures`); the flow has no part in it.  A colour picture sees wrong motion only
where colours change; this sees it inside surfaces of one colour, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import corners_of
from animerun_gen.labels.sampling import require_mask, require_shape
from animerun_gen.quality.warp import pixels_around

kernel = compiled.kernels(__name__)

STEPS = 4096
"""Steps of an identity picture from 0 to 1."""

NO_PLACE = 0
"""In an identity picture: nothing tells which point this is."""

MIN_COMPARED = 100
"""With fewer pixels that can be compared, nothing is learnt."""

STEEPEST = STEPS // 20
"""Pixels next to which the place changes by more than this are left out: there lie the borders of surfaces."""

ROUNDING = 6
"""Steps by which a place may differ because it was rounded: Workbench's colours have 2 of them, pictures 1."""


@dataclass(frozen=True)
class IdentityError:
    """What identity pictures say about the flow in one direction.

    Attributes:
        error: Share of the compared pixels whose flow leads to another surface point, 0..1; None with fewer than
            :data:`MIN_COMPARED`.
        compared: Share of all pixels that could be compared, 0..1.
    """

    error: float | None
    compared: float


def identity_error(
    source: npt.NDArray[np.uint16],
    target: npt.NDArray[np.uint16],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_],
) -> IdentityError:
    """The share of pixels whose flow leads to another surface point than the one it comes from.

    Compared are pixels that are not occluded, whose motion is known, and that lie, like the up to four pixels around
    the place where the flow leads, inside a surface whose places are known.  A pixel is wrong where its own place is
    outside the range of those four by more than that range is wide, in any channel: that is about a pixel and a half.

    Args:
        source: ``(H, W, 3)`` uint16, the identity picture of the frame that the flow starts from; :data:`NO_PLACE` in
            the first channel where no place is known.
        target: the same of the frame that it leads to.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart.

    Raises:
        ValueError: the shapes or dtypes do not agree.
    """
    for name, picture in (("source", source), ("target", target)):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint16:
            raise ValueError(
                f"the identity picture of the {name} must be (H, W, 3) of uint16, not {picture.shape} of"
                f" {picture.dtype}"
            )
    shape = source.shape[:2]
    require_shape("the target's identity picture", target, source.shape)
    require_shape("the flow", flow, (*shape, 2))
    require_mask("the occlusion mask", occlusion, shape)
    compared, wrong = _count_wrong(
        np.ascontiguousarray(source), np.ascontiguousarray(target).reshape(-1, 3), flow, occlusion
    )
    share = compared / max(occlusion.size, 1)
    return IdentityError(wrong / compared if compared >= MIN_COMPARED else None, share)


@kernel
def _count_wrong(source, target, flow, occlusion):  # type: ignore[no-untyped-def]
    """How many pixels could be compared, and how many of them are led to another surface point."""
    height, width = occlusion.shape
    compared = 0
    wrong = 0
    for row in range(height):
        for column in range(width):
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            # beyond the outermost pixels' centres there is nothing on one side
            between = x >= 0 and x <= width - 1 and y >= 0 and y <= height - 1
            if occlusion[row, column] or not between or not _is_inner(source, row, column):
                continue
            around = pixels_around(corners_of(x, y, width, height, 1))
            outside, spread = _outside(source[row, column], target, around)
            if spread > STEEPEST:
                continue
            compared += 1
            wrong += outside > ROUNDING + spread
    return compared, wrong


@kernel
def _is_inner(picture, row, column):  # type: ignore[no-untyped-def]
    """Whether a pixel and its neighbours show a surface that goes on without a border."""
    height, width = picture.shape[:2]
    if picture[row, column, 0] == NO_PLACE:
        return False
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        beside_row = min(max(row + down, 0), height - 1)
        beside_column = min(max(column + right, 0), width - 1)
        if picture[beside_row, beside_column, 0] == NO_PLACE:
            return False
        for channel in range(3):
            here = np.int64(picture[row, column, channel])
            if abs(np.int64(picture[beside_row, beside_column, channel]) - here) > STEEPEST:
                return False
    return True


@kernel
def _outside(place, target, around):  # type: ignore[no-untyped-def]
    """How far a place is outside the range of those around, and how wide that is, in the channel where it is most.

    The range is wider than anything where one of them is not known.
    """
    outside = np.int64(0)
    spread = np.int64(0)
    for channel in range(3):
        least = most = np.int64(target[around[0], channel])
        for pixel in around:
            if target[pixel, 0] == NO_PLACE:
                return np.int64(0), np.int64(STEPS)
            value = np.int64(target[pixel, channel])
            least, most = min(least, value), max(most, value)
        here = np.int64(place[channel])
        outside = max(outside, least - here, here - most)
        spread = max(spread, most - least)
    return outside, spread
