"""Which segment each pixel votes for."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import is_inside

kernel = compiled.kernels(__name__)


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
            if not (is_inside(x, y, width, height) and _is_inner(segments_source, row, column)):
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
