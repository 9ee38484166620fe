"""Where the segments of a frame lie, and how large they are, each from one look at the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Regions:
    """The segments of a frame.

    Attributes:
        areas: ``(K,)`` int64, pixels.
        boxes: ``(K, 4)`` int64, ``xmin, xmax, ymin, ymax``: the outermost pixels that belong to it; 0, -1, 0, -1 for a
            number that no pixel has.
        centres: ``(K, 2)`` float64, mean x and y of its pixels; NaN for a number that no pixel has.
    """

    areas: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.int64]
    centres: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.areas)


def regions_of(segments: npt.NDArray[np.integer[Any]], count: int | None = None) -> Regions:
    """Measure the segments of a frame.

    Args:
        segments: ``(H, W)`` integers from 0: the segment of each pixel.
        count: How many there are; None: one more than the largest number.

    Raises:
        ValueError: A number is negative, or not below ``count``.

    Example:
        >>> regions = regions_of(np.array([[0, 0, 1], [0, 0, 1]], np.int32))
        >>> regions.areas.tolist(), regions.boxes.tolist(), regions.centres.tolist()
        ([4, 2], [[0, 1, 0, 1], [2, 2, 0, 1]], [[0.5, 0.5], [2.0, 0.5]])
    """
    height, width = segments.shape
    labels = segments.ravel()
    count = int(labels.max()) + 1 if count is None else count
    if labels.min() < 0 or labels.max() >= count:
        raise ValueError(f"segments are numbered from {labels.min()} to {labels.max()}; expected 0 to {count - 1}")
    areas = np.bincount(labels, minlength=count)
    rows, columns = np.divmod(np.arange(labels.size), width)
    with np.errstate(invalid="ignore"):
        centres = np.stack([np.bincount(labels, one, count) / areas for one in (columns, rows)], axis=1)
    boxes = np.tile(np.array([0, -1, 0, -1]), (count, 1))
    # of several values for one place the last one stays
    across = segments.T.ravel()
    from_left = np.arange(labels.size) // height
    boxes[across, 1] = from_left
    boxes[across[::-1], 0] = from_left[::-1]
    boxes[labels, 3] = rows
    boxes[labels[::-1], 2] = rows[::-1]
    return Regions(areas, boxes, centres)
