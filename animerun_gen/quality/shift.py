"""How well the flow explains the frames where they tell, and whether it would do so better if shifted by a pixel.

An error that makes the two directions of the flow wrong in opposite ways (labels written one row off, a pixel grid
counted from corners in one place and from centres in another) leaves the round trip there and back as it was, and in
flat frames, where most pixels look like their neighbours, the mean warp error small.  But at the pixels that do not
look like their neighbours the right flow beats its eight neighbours by far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import corners_of, is_inside
from animerun_gen.labels.sampling import require_mask
from animerun_gen.quality.warp import pictures_of, point_distance

kernel = compiled.kernels(__name__)

OFFSETS = tuple((dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
"""The offsets that are tried, in pixels."""

MIN_PIXELS = 100
"""With fewer pixels to learn from, nothing is said: a handful can agree with an offset by chance."""

MAX_PIXELS = 100_000
"""Of more pixels to learn from, evenly spread ones are taken: that changed errors of textured frames by 3% at most."""

NOISE = 0.01
"""An offset is better only if it lowers the error by this share of the largest of the nine errors.

A picture of stripes looks the same shifted along them; there a few pixels would decide.
"""


@dataclass(frozen=True)
class Shift:
    """The offset of a flow field that explains the frames best.

    Attributes:
        offset: ``(dx, dy)``, each -1, 0 or 1 pixel.
        gain: the error with it divided by the error without; 1.0 for the offset ``(0, 0)``.
    """

    offset: tuple[int, int]
    gain: float


def shift_errors(
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64] | None:
    """How well the flow plus each offset explains the frames, where pixels differ from their neighbours.

    The errors are those of point sampling (:mod:`animerun_gen.quality.warp`), because that leaves almost nothing for
    exact flow wherever between the pixels it leads; to the nearest pixel alone, exact flow by half a pixel loses
    against its neighbour wherever an edge happens to lie well for that one.

    Args:
        source: ``(H, W, 3)`` uint8, the frame that the flow starts from; best without lines.
        target: the frame that the flow leads to.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart.

    Returns:
        ``(3, 3)`` float64, the mean difference in 0..1 with the offset ``(column - 1, row - 1)``, for all nine over the
        same pixels: visible, not of one colour with their eight neighbours, and with targets inside the frame under all
        offsets.  None where these are fewer than :data:`MIN_PIXELS`.

    Raises:
        ValueError: the shapes or dtypes do not agree, or the mask is not bool.
    """
    pictures = pictures_of(source, target, flow)
    require_mask("the occlusion mask", occlusion, flow.shape[:2])
    informative = np.empty(occlusion.size, np.int64)
    count = _informative_pixels(pictures.here, flow, occlusion, pictures.channels, informative)
    if count < MIN_PIXELS:
        return None
    # not every n-th: in a frame full of texture those would be a few of its columns
    chosen = informative[np.linspace(0, count - 1, min(count, MAX_PIXELS)).astype(np.int64)]
    errors = np.zeros((3, 3))
    _add_up_shifts(pictures.here, pictures.there, flow, pictures.channels, chosen, errors)
    errors *= pictures.scale / len(chosen)
    return errors


def best_shift(errors: npt.NDArray[np.float64]) -> Shift:
    """Which offset in {-1, 0, 1}² pixels, added to the flow, explains the frames best.

    Args:
        errors: ``(3, 3)`` float64, from :func:`shift_errors`.

    Returns:
        The best offset; ``(0, 0)`` unless another is better beyond :data:`NOISE`.
    """
    still, lowest = float(errors[1, 1]), float(errors.min())
    if still - lowest <= NOISE * float(errors.max()):
        return Shift((0, 0), 1.0)
    dx, dy = OFFSETS[int(errors.argmin())]
    return Shift((dx, dy), lowest / still)


@kernel
def _informative_pixels(here, flow, occluded, channels, informative):  # type: ignore[no-untyped-def]
    """Fill ``informative`` with the flat indices of the pixels that can be learnt from; how many there are."""
    height, width = occluded.shape
    count = 0
    for row in range(height):
        for column in range(width):
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            if occluded[row, column] or not (
                is_inside(x - 1, y - 1, width, height) and is_inside(x + 1, y + 1, width, height)
            ):
                continue
            at = row * width + column
            if not _looks_like_its_neighbours(here, row, column, height, width, channels):
                informative[count] = at
                count += 1
    return count


@kernel
def _looks_like_its_neighbours(here, row, column, height, width, channels):  # type: ignore[no-untyped-def]
    at = (row * width + column) * len(channels)
    for j in range(max(row - 1, 0), min(row + 2, height)):
        for i in range(max(column - 1, 0), min(column + 2, width)):
            for k in range(len(channels)):
                if here[np.uint64((j * width + i) * len(channels) + k)] != here[np.uint64(at + k)]:
                    return False
    return True


@kernel
def _add_up_shifts(here, there, flow, channels, chosen, errors):  # type: ignore[no-untyped-def]
    """Add the distance of every chosen pixel from its target, under each offset, to that offset's sum."""
    height, width = flow.shape[:2]
    for at in chosen:
        row, column = at // width, at % width
        x = column + np.float64(flow[row, column, 0])
        y = row + np.float64(flow[row, column, 1])
        for j in range(3):
            for i in range(3):
                corners = corners_of(x + (i - 1), y + (j - 1), width, height, len(channels))
                errors[j, i] += point_distance(there, corners, here, at * len(channels), channels)
