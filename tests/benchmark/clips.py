"""Small clips with every label that an evaluation looks at, written without Blender."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from animerun_gen.dataset import ClipWriter

SIZE = (24, 32)
"""Height and width."""


def write_clip(
    root: Path, split: str, cut: str, frames: Sequence[int] = (8, 9, 10), seed: int = 0, all_valid: bool = False
) -> ClipWriter:
    """Write a clip of noise: frames, forward flow of all speeds, where it is known, occlusion and line area.

    Args:
        root: Of the dataset.
        split: The split.
        cut: Name of the cut.
        frames: Its frames.
        seed: Of the noise.
        all_valid: Whether the motion is known everywhere.
    """
    random = np.random.default_rng([seed, *cut.encode()])
    clip = ClipWriter(root, split, cut)
    for frame in frames:
        clip.write("frame", frame, random.integers(0, 256, (*SIZE, 3), np.uint8))
    for frame in frames[:-1]:
        # most of it slow, some of it faster than 50 px
        flow = (random.normal(size=(*SIZE, 2)) * random.choice([1, 10, 60], (*SIZE, 1))).astype(np.float32)
        valid = np.ones(SIZE, bool) if all_valid else random.random(SIZE) < 0.9
        clip.write("flow_forward", frame, flow)
        clip.write("valid_forward", frame, valid)
        clip.write("occlusion_forward", frame, random.random(SIZE) < 0.2)
        clip.write("line_area", frame, random.random(SIZE) < 0.4)
    return clip


def write_dataset(root: Path, all_valid: bool = False) -> Path:
    """Write a dataset of three clips: two of the split test, one of train."""
    write_clip(root, "test", "fight", seed=1, all_valid=all_valid)
    write_clip(root, "test", "run", (3, 4), seed=2, all_valid=all_valid)
    write_clip(root, "train", "jump", seed=3, all_valid=all_valid)
    return root
