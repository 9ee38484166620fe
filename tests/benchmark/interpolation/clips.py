"""A square that moves evenly over a background that stands still: of it everything is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from animerun_gen.dataset import ClipWriter

HEIGHT, WIDTH, SIDE, SPEED = 20, 36, 7, 3


def write_square(
    root: Path,
    cut: str = "square",
    frames: range = range(1, 6),
    speed: int = SPEED,
    split: str = "test",
    gap: bool = True,
    depth: bool = True,
) -> ClipWriter:
    """Write a clip.

    Args:
        root: Of the dataset.
        cut: Its name.
        frames: Its frames.
        speed: Pixels that the square moves to the right from frame to frame.
        split: Its split.
        gap: Whether the motion over two frames is there.
        depth: Whether depth is there.
    """
    clip = ClipWriter(root, split, cut)
    for frame in frames:
        clip.write("frame", frame, picture(frame, speed))
        if depth:
            clip.write("depth", frame, np.where(inside(frame, speed), np.float32(2), np.float32(9)))
        for step in (1, 2) if gap else (1,):
            for way, other in (("forward", frame + step), ("backward", frame - step)):
                if other in frames:
                    behind = way if step == 1 else f"{way}_gap2"
                    clip.write(f"flow_{behind}", frame, flow(frame, other, speed))
                    if step == 1:
                        clip.write(f"occlusion_{way}", frame, hidden(frame, other, speed))
    return clip


def inside(frame: int, speed: int = SPEED) -> Any:
    """``(H, W)`` bool: where the square is."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    left = 4 + speed * (frame - 1)
    mask[6 : 6 + SIDE, left : left + SIDE] = True
    return mask


def picture(frame: int, speed: int = SPEED) -> Any:
    rng = np.random.default_rng(7)
    drawn = rng.integers(0, 100, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    drawn[inside(frame, speed)] = rng.integers(150, 256, (SIDE * SIDE, 3))
    return drawn


def flow(source: int, target: int, speed: int = SPEED) -> Any:
    moves = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    moves[inside(source, speed), 0] = speed * (target - source)
    return moves


def hidden(source: int, target: int, speed: int = SPEED) -> Any:
    return inside(target, speed) & ~inside(source, speed)
