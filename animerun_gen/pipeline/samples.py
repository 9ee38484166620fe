"""Which frames of a cut are rendered a second time, to be held against its labels, spread evenly over the clip."""

from __future__ import annotations

from itertools import pairwise

from animerun_gen.config import CutConfig

SAMPLED_FRAMES = 8
"""Frames of a cut at most whose material ids are rendered as well: each costs another Workbench picture."""

SAMPLED_PAIRS = 4
"""Pairs of a cut at most of which identity pictures are rendered, two a pair."""

PAIRS_A_SAMPLE = 40
"""Of so many pairs one is sampled, so that the pictures cost a few per cent of a clip's time at most."""


def sampled_frames(config: CutConfig) -> tuple[int, ...]:
    """The frames whose material ids are rendered to be held against the id maps, the first and the last among them."""
    if "ids" not in config.motion.extras:
        return ()
    numbers = config.frame_numbers
    count = min(SAMPLED_FRAMES, len(numbers))
    return tuple(numbers[round(i * (len(numbers) - 1) / (count - 1))] for i in range(count))


def sampled_pairs(config: CutConfig) -> tuple[tuple[int, int], ...]:
    """The pairs of neighbouring frames whose identity pictures are rendered to be held against the flow.

    Each is from the middle of its part of the clip: many a shot begins and ends at rest.
    """
    pairs = list(pairwise(config.frame_numbers))
    count = min(SAMPLED_PAIRS, max(1, len(pairs) // PAIRS_A_SAMPLE))
    return tuple(pairs[(2 * i + 1) * len(pairs) // (2 * count)] for i in range(count))


def identity_frames(config: CutConfig) -> tuple[int, ...]:
    """The frames of the sampled pairs, ascending."""
    return tuple(sorted({frame for pair in sampled_pairs(config) for frame in pair}))
