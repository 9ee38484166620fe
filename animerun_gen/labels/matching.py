"""Which segments of two frames show the same thing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.labels.kernels.votes import find_votes
from animerun_gen.labels.sampling import require_mask, require_shape
from animerun_gen.tally import tally

UNMATCHED = -1
"""Stands in place of a target segment where a source segment has none."""


def match_regions(
    segments_source: npt.NDArray[np.integer[Any]],
    segments_target: npt.NDArray[np.integer[Any]],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_],
) -> list[list[int]]:
    """The target segments that each source segment moves to (section 3.2 of the paper).

    Each pixel of a source segment that is not occluded, and whose 3x3 neighbourhood lies within the segment, votes for
    the segment of the target pixel nearest to where the flow takes it.  The erosion keeps line pixels and rasterisation
    at the segment's outline from voting; the frame's border is no outline, so of a neighbourhood that extends beyond
    the frame only the part inside counts.  Pixels whose flow is unknown or leaves the frame do not vote.

    Args:
        segments_source: ``(H, W)`` integers from 0, segments of the frame that the flow starts from.
        segments_target: ``(H, W)`` integers from 0, segments of the frame that the flow leads to.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the flow's source pixel is occluded.

    Returns:
        One list for each source label from 0 to the largest: the labels of all target segments that have a vote, the
        most votes first, of equally many the smaller label first; ``[-1]`` where there is no vote at all (the segment
        is occluded, thinner than 3 pixels, or has no pixels).

    Raises:
        ValueError: the shapes do not agree, the mask is not bool, or a label is negative.
    """
    shape = segments_source.shape
    if len(shape) != 2:
        raise ValueError(f"segments must be (H, W), not {shape}")
    for name, array, required in (
        ("the target segments", segments_target, shape),
        ("the flow", flow, (*shape, 2)),
    ):
        require_shape(name, array, required)
    require_mask("the occlusion mask", occlusion, shape)
    if segments_source.min() < 0 or segments_target.min() < 0:
        raise ValueError("segment labels must not be negative")

    target_count = int(segments_target.max()) + 1
    # compiled for few types
    kept = np.int32 if segments_source.dtype == segments_target.dtype == np.int32 else np.int64
    pairs, votes = tally(
        find_votes(
            np.ascontiguousarray(segments_source, kept),
            np.ascontiguousarray(segments_target, kept),
            np.ascontiguousarray(flow),
            np.ascontiguousarray(occlusion),
            target_count,
        )
    )
    pair_source, pair_target = np.divmod(pairs, target_count)
    order = np.lexsort((pair_target, -votes, pair_source))
    targets = pair_target[order].tolist()
    ends = np.cumsum(np.bincount(pair_source, minlength=int(segments_source.max()) + 1)).tolist()
    return [targets[start:end] or [UNMATCHED] for start, end in pairwise([0, *ends])]
