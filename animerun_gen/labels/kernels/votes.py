"""Which segment each pixel votes for."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.labels.kernels.between_pixels import is_inside
from animerun_gen.labels.kernels.inner import mark_inner

kernel = compiled.kernels(__name__)


@kernel
def find_votes(segments_source, segments_target, flow, occlusion, target_count):  # type: ignore[no-untyped-def]
    """``(N,)`` int64, a vote for each pixel that has one: source label times ``target_count`` plus target label."""
    height, width = segments_source.shape
    votes = np.empty(height * width, np.int64)
    inner, alike = np.empty(width, np.bool_), np.empty(width, np.bool_)
    count = 0
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        mark_inner(segments_source[above], segments_source[row], segments_source[below], alike, inner)
        for column in range(width):
            if occlusion[row, column] or not inner[column]:
                continue
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            if is_inside(x, y, width, height):
                there = np.int64(segments_target[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))])
                votes[count] = np.int64(segments_source[row, column]) * target_count + there
                count += 1
    return votes[:count]
