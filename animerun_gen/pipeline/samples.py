"""Which frames of a cut are rendered a second time, to be held against its labels: spread evenly over the clip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from animerun_gen.config import CutConfig

Item = TypeVar("Item")

SAMPLED_FRAMES = 8
"""Frames of a cut at most whose material ids are rendered as well: each costs another Workbench picture."""

SAMPLED_PAIRS = 4
"""Pairs of a cut at most of which identity pictures are rendered, two a pair."""

PAIRS_A_SAMPLE = 16
"""Of so many pairs one is sampled: of a short clip, four would cost more than they tell."""


def sampled_frames(config: CutConfig) -> tuple[int, ...]:
    """The frames whose material ids are rendered to be held against the id maps."""
    if "ids" not in config.motion.extras:
        return ()
    return _spread(config.frame_numbers, SAMPLED_FRAMES)


def sampled_pairs(config: CutConfig) -> tuple[tuple[int, int], ...]:
    """The pairs of neighbouring frames whose identity pictures are rendered to be held against the flow."""
    pairs = list(pairwise(config.frame_numbers))
    return _spread(pairs, min(SAMPLED_PAIRS, max(1, len(pairs) // PAIRS_A_SAMPLE)))


def identity_frames(config: CutConfig) -> tuple[int, ...]:
    """The frames of the sampled pairs, ascending."""
    return tuple(sorted({frame for pair in sampled_pairs(config) for frame in pair}))


def _spread(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """At most so many of some items, from the first to the last; of one, the middle one."""
    count = min(most, len(items))
    if count == 1:
        return (items[len(items) // 2],)
    return tuple(items[round(i * (len(items) - 1) / (count - 1))] for i in range(count))
