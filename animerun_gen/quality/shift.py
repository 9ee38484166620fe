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
from animerun_gen.labels.kernels.inner import mark_inner
from animerun_gen.labels.sampling import require_mask, require_shape
from animerun_gen.quality.packed import SCALE, color_distance, pack
from animerun_gen.quality.warp import ON_THE_PIXEL, closest_color

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
    here, there = pack(source, target)
    require_shape("the flow", flow, (*source.shape[:2], 2))
    require_mask("the occlusion mask", occlusion, flow.shape[:2])
    informative = np.empty(occlusion.size, np.int64)
    count = _informative_pixels(here, flow, occlusion, informative)
    if count < MIN_PIXELS:
        return None
    # not every n-th: in a frame full of texture those would be a few of its columns
    chosen = informative[np.linspace(0, count - 1, min(count, MAX_PIXELS)).astype(np.int64)]
    sums = np.zeros((3, 3), np.int64)
    _add_up_shifts(here, there, flow, chosen, sums)
    return sums * (SCALE / len(chosen))


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
def _informative_pixels(colors, flow, occluded, informative):  # type: ignore[no-untyped-def]
    """Fill ``informative`` with the flat indices of the pixels that can be learnt from; how many there are."""
    height, width = occluded.shape
    alike, plain = np.empty(width, np.bool_), np.empty(width, np.bool_)
    count = 0
    for row in range(height):
        first, above, below = row * width, max(row - 1, 0) * width, min(row + 1, height - 1) * width
        mark_inner(
            colors[above : above + width], colors[first : first + width], colors[below : below + width], alike, plain
        )
        for column in range(width):
            if plain[column] or occluded[row, column]:
                continue
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            if is_inside(x - 1, y - 1, width, height) and is_inside(x + 1, y + 1, width, height):
                informative[count] = first + column
                count += 1
    return count


@kernel
def _add_up_shifts(here, there, flow, chosen, sums):  # type: ignore[no-untyped-def]
    """Add the distance of every chosen pixel from its target, under each offset, to that offset's sum."""
    height, width = flow.shape[:2]
    closest = np.empty((4, 3), np.int64)
    across = np.empty(3)
    for at in chosen:
        row, column = at // width, at % width
        x = column + np.float64(flow[row, column, 0])
        y = row + np.float64(flow[row, column, 1])
        left, top = int(x), int(y)
        own = here[np.uint64(at)]
        if not (_keeps_apart(x, left, width) and _keeps_apart(y, top, height)):
            for j in range(3):
                for i in range(3):
                    a, b, c, d, right, down = corners_of(x + (i - 1), y + (j - 1), width, height, 1)
                    sums[j, i] += closest_color((there[a], there[b], there[c], there[d], right, down), own)
            continue
        # the places under all offsets lie between the same sixteen pixels, each of which is looked at once
        for i in range(3):
            across[i] = x + (i - 1) - (left + i - 1)
        for j in range(4):
            first = (top - 1 + j) * width + left - 1
            before = color_distance(there[np.uint64(first)], own)
            for i in range(3):
                after = color_distance(there[np.uint64(first + i + 1)], own)
                closest[j, i] = _closer(before, after, across[i])
                before = after
        for j in range(3):
            down = y + (j - 1) - (top + j - 1)
            for i in range(3):
                sums[j, i] += _closer(closest[j, i], closest[j + 1, i], down)


@kernel
def _keeps_apart(place, pixel, size):  # type: ignore[no-untyped-def]
    """Whether a coordinate, and those one less and one more, lie each between pixels of the picture of their own.

    Just below a whole number one more may be rounded up to the next.
    """
    return pixel >= 1 and pixel + 2 < size and int(place - 1) == pixel - 1 and int(place + 1) == pixel + 1


@kernel
def _closer(before, after, share):  # type: ignore[no-untyped-def]
    """The smaller distance from the two pixels that a place lies between, or that from the one that it lies on."""
    if share < ON_THE_PIXEL:
        return before
    if share > 1 - ON_THE_PIXEL:
        return after
    return min(before, after)
