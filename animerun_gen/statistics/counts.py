"""What is counted in frames and pairs, such that the counts of parts add up to those of the whole."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

REFERENCE_SIZE = (960, 540)
"""Width and height that motion and areas are brought to where datasets are compared, as in the paper's Figure 4."""

REFERENCE_AREA = REFERENCE_SIZE[0] * REFERENCE_SIZE[1]

LUMINANCE_LEVELS = 256
DIFFERENCES = 511
"""Places of the histogram of horizontal differences: -255 to 255."""

MOTION_BINS = 513
"""Places of the histogram of motion, a pixel of 960x540 each; the last one holds what is longer."""

AREA_STEPS = 4
"""Bins of the histogram of areas for each doubling."""

AREA_BINS = AREA_STEPS * 20
"""Its bins: from 1 to 2^20 pixels of 960x540, which has fewer."""


def _zeros(length: int) -> Any:
    return Field(default_factory=lambda: [0] * length, min_length=length, max_length=length)


def _no_weights(length: int) -> Any:
    return Field(default_factory=lambda: [0.0] * length, min_length=length, max_length=length)


class Counts(BaseModel):
    """Sums over frames and pairs; two of them add up with :meth:`add`.

    Attributes:
        frames: Frames.
        sizes: ``"<width>x<height>"`` to the frames of that size.
        luminance: ``(256,)`` pixels by grey level, of all renditions of the frames.
        differences: ``(511,)`` pairs of horizontal neighbours by how many levels brighter the right one is, from -255.
        pairs: Neighbouring frames.
        identical_pairs: Those of them whose pictures are the same to the bit.
        flow_pairs: Those with known motion.
        pixels: Pixels of pairs that have flow.
        known_pixels: Those of them whose motion is known.
        still_pixels: Those of them that move 0.01 px at most.
        still_pairs: Pairs with known motion, of which none moves farther.
        shift: Sum over pairs of the mean length of their known motion, pixels.
        shift_960: The same at 960x540.
        moving_pairs: Pairs in which anything moves.
        shift_moving: Sum over these of the mean over the pixels that move.
        longest: The longest known motion, pixels.
        motion: ``(513,)`` pixels by the length of their motion, all at 960x540: each pair counts as its share.
        occlusion_pairs: Pairs with an occlusion by the paper's rule.
        occluded: Sum over them of the share of their pixels that is occluded.
        exact_pairs: Pairs with an exact occlusion.
        exactly_occluded: Sum over them.
        segment_frames: Frames with segments.
        segments: Segments in them.
        areas: ``(80,)`` segments by their area at 960x540, four bins for each doubling.
        matched_pairs: Pairs with matches of segments.
        unmatched: Segments in them that have no match.
        shifted_pairs: Pairs in which any segment has a match.
        segment_shift: Sum over them of the mean distance between the centres of matched segments, pixels.
    """

    model_config = ConfigDict(extra="forbid")

    frames: int = 0
    sizes: dict[str, int] = Field(default_factory=dict)
    luminance: list[int] = _zeros(LUMINANCE_LEVELS)
    differences: list[int] = _zeros(DIFFERENCES)
    pairs: int = 0
    identical_pairs: int = 0
    flow_pairs: int = 0
    pixels: int = 0
    known_pixels: int = 0
    still_pixels: int = 0
    still_pairs: int = 0
    shift: float = 0.0
    shift_960: float = 0.0
    moving_pairs: int = 0
    shift_moving: float = 0.0
    longest: float = 0.0
    motion: list[float] = _no_weights(MOTION_BINS)
    occlusion_pairs: int = 0
    occluded: float = 0.0
    exact_pairs: int = 0
    exactly_occluded: float = 0.0
    segment_frames: int = 0
    segments: int = 0
    areas: list[int] = _zeros(AREA_BINS)
    matched_pairs: int = 0
    unmatched: int = 0
    shifted_pairs: int = 0
    segment_shift: float = 0.0

    def add(self, other: Counts) -> Self:
        """Add the counts of another part to these, which are returned."""
        for name in type(self).model_fields:
            own, more = getattr(self, name), getattr(other, name)
            if isinstance(own, list):
                added = (np.asarray(own) + np.asarray(more)).tolist()
            elif isinstance(own, dict):
                added = dict(Counter(own) + Counter(more))
            else:
                added = max(own, more) if name == "longest" else own + more
            setattr(self, name, added)
        return self


class Part(BaseModel):
    """The counts of some frames of a sequence that follow each other.

    Attributes:
        counts: Of the frames, and of the pairs that begin with them.
        held: For each of its pairs whether its second picture shows the same drawing; None where the two frames are no
            neighbours.
    """

    model_config = ConfigDict(extra="forbid")

    counts: Counts
    held: list[bool | None]


def hold_lengths(held: Iterable[bool | None]) -> Counter[int]:
    """For how many frames drawings are held: length to the number of drawings.

    Args:
        held: As in :class:`Part`, of all pairs of a sequence.

    Example:
        >>> sorted(hold_lengths([True, False, True, True, None]).items())
        [(1, 1), (2, 1), (3, 1)]
    """
    lengths: Counter[int] = Counter()
    length = 1
    for same in held:
        if same:
            length += 1
        else:
            lengths[length] += 1
            length = 1
    lengths[length] += 1
    return lengths


def area_bin(area: float) -> int:
    """The place of an area in the histogram.

    Args:
        area: Pixels of 960x540.

    Example:
        >>> [area_bin(area) for area in (0.3, 1, 1.5, 2, 1024)]
        [0, 0, 2, 4, 40]
    """
    return min(max(math.floor(AREA_STEPS * math.log2(area)), 0), AREA_BINS - 1)


def area_edge(place: float) -> float:
    """The smallest area of a place in the histogram, in pixels of 960x540."""
    return float(2 ** (place / AREA_STEPS))
