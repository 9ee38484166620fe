"""A small dataset in which everything says which frame, cut and kind it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import ClipWriter, Tracks, at_gap, modality

HEIGHT, WIDTH = 6, 8
CUTS: dict[str, tuple[str, tuple[int, ...]]] = {
    "fight": ("train", (8, 10, 12, 14, 16)),
    "run": ("train", (1, 2, 3)),
    "jump": ("test", (9998, 9999, 10000)),
}
POINTS = {"fight": 5, "run": 3}


def picture(frame: int, number: int = 0) -> Any:
    """The colour frame, or what it is in a pass."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[...] = (frame % 251, number, 7)
    return image


def segments_of(frame: int) -> Any:
    """As many segments as the frame's last digit, and three."""
    return (np.arange(HEIGHT * WIDTH, dtype=np.int32) % (frame % 10 + 3)).reshape(HEIGHT, WIDTH)


def motion(source: int, target: int) -> Any:
    """Flow that says from where to where, with an unknown pixel."""
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[...] = (source, target)
    flow[1, 2] = UNKNOWN_FLOW
    return flow


def hidden(source: int, target: int) -> Any:
    """An occlusion: as many pixels as the earlier frame's place among the digits says, to the left or right."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[0, : source % 8] = True
    mask[5, : target % 8] = True
    return mask


def write(root: Path) -> Path:
    """Write it."""
    for cut, (split, frames) in CUTS.items():
        writer = ClipWriter(root, split, cut)
        for frame in frames:
            writer.write("frame", frame, picture(frame))
            writer.write("contour", frame, np.full((HEIGHT, WIDTH), frame % 251, np.uint8))
            writer.write("segment", frame, segments_of(frame))
            if cut == "fight":
                writer.write("color_1", frame, picture(frame, 1))
                # a pass of some frames only
                if frame > 10:
                    writer.write("color_2", frame, picture(frame, 2))
        for gap in (1, 2):
            for one, other in zip(frames, frames[gap:]):  # noqa: B905
                for way, source, target in (("forward", one, other), ("backward", other, one)):
                    known = np.ones((HEIGHT, WIDTH), bool)
                    known[1, 2] = False
                    for kind, value in (
                        ("flow", motion(source, target)),
                        ("valid", known),
                        ("exact_occlusion", ~hidden(source, target)),
                    ):
                        writer.write(at_gap(modality(f"{kind}_{way}"), gap).name, source, value)
                    if gap == 1:
                        writer.write(f"occlusion_{way}", source, hidden(source, target))
                        writer.write(f"match_{way}", source, matches_of(source, target))
        if cut in POINTS:
            writer.write_tracks(tracks_of(frames, POINTS[cut]))
    return root


def matches_of(source: int, target: int) -> list[list[int]]:
    """Each segment becomes the one of its number, and another one; the first of all has no match."""
    count, other = source % 10 + 3, target % 10 + 3
    return [[-1], *([one % other, *([0] if one % other else [])] for one in range(1, count))]


def tracks_of(frames: tuple[int, ...], points: int) -> Tracks:
    """Point ``n`` is at ``(n, frame)``; it is hidden but in the first frame and those behind its own number."""
    length = len(frames)
    position = np.zeros((length, points, 2))
    position[..., 0], position[..., 1] = np.arange(points), np.arange(length)[:, None] + 0.25
    visible = np.arange(length)[:, None] > np.arange(points) - 1
    visible[0] = True
    known = np.ones((length, points), bool)
    known[1, 0] = visible[1, 0] = False
    position[~known] = np.nan
    return Tracks(
        frames=np.array(frames, np.int32),
        position=position,
        world=np.concatenate([position, np.where(known, 1.0, np.nan)[..., None]], axis=-1),
        depth=np.where(known, 1.0, np.nan).astype(np.float32),
        known=known,
        in_frame=known.copy(),
        visible=visible,
        query_frame=np.full(points, frames[0], np.int32),
        object_id=np.ones(points, np.uint16),
        material_id=np.ones(points, np.uint16),
        requested=points,
        seed=0,
    )
