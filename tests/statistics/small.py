"""A set of which everything is known by hand: two films, three clips of frames of 96x54 pixels."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import ClipWriter, write_json

WIDTH, HEIGHT = 96, 54
"""A tenth of 960x540: a pixel is a hundred pixels there, and motion of 1 px is 10 px."""

BLACK, GREY, WHITE = 0, 100, 255


def write(root: Path) -> Path:
    """Write the set.

    - ``train/one`` (film A): 3 frames. A white square of 10x10 on black moves 3 px to the right, then 4 px down; the
      rest stands still.
    - ``train/two`` (film A): 4 frames, all the same grey picture of one segment: nothing moves.
    - ``test/three`` (film B): 2 frames. Everything moves by (6, 8), the upper half of it is unknown.
    """
    _one(ClipWriter(root, "train", "one"))
    _two(ClipWriter(root, "train", "two"))
    _three(ClipWriter(root, "test", "three"))
    for split, cut, film in (("train", "one", "A"), ("train", "two", "A"), ("test", "three", "B")):
        config = {"film": film, "source": "film.blend"}
        write_json(root / "manifest" / f"{cut}.json", {"version": 1, "cut": cut, "split": split, "config": config})
    return root


def _one(clip: ClipWriter) -> None:
    corners = [(20, 10), (23, 10), (23, 14)]
    for frame, (x, y) in enumerate(corners, 1):
        picture = np.full((HEIGHT, WIDTH, 3), BLACK, np.uint8)
        picture[y : y + 10, x : x + 10] = WHITE
        clip.write("frame", frame, picture)
        clip.write("segment", frame, (picture[..., 0] > 0).astype(np.int32))
    for frame, ((x, y), (to_x, to_y)) in enumerate(pairwise(corners), 1):
        flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
        flow[y : y + 10, x : x + 10] = (to_x - x, to_y - y)
        occluded = np.zeros((HEIGHT, WIDTH), bool)
        occluded[0, :54] = frame == 1
        _write_motion(clip, frame, flow, occluded)
        # of the background nothing is seen again after the second frame, so its centre counts once
        clip.write("match_forward", frame, [[0], [1]] if frame == 1 else [[-1], [1]])


def _two(clip: ClipWriter) -> None:
    for frame in (1, 2, 3, 4):
        clip.write("frame", frame, np.full((HEIGHT, WIDTH, 3), GREY, np.uint8))
        clip.write("segment", frame, np.zeros((HEIGHT, WIDTH), np.int32))
    for frame in (1, 2, 3):
        _write_motion(clip, frame, np.zeros((HEIGHT, WIDTH, 2), np.float32), np.zeros((HEIGHT, WIDTH), bool))
        clip.write("match_forward", frame, [[0]])


def _three(clip: ClipWriter) -> None:
    for frame in (1, 2):
        picture = np.full((HEIGHT, WIDTH, 3), WHITE, np.uint8)
        picture[:, 48 * (frame - 1) : 48 * frame] = BLACK
        clip.write("frame", frame, picture)
        clip.write("segment", frame, np.zeros((HEIGHT, WIDTH), np.int32))
    flow = np.empty((HEIGHT, WIDTH, 2), np.float32)
    flow[...] = (6, 8)
    flow[:27] = UNKNOWN_FLOW
    _write_motion(clip, 1, flow, np.ones((HEIGHT, WIDTH), bool))
    clip.write("match_forward", 1, [[-1]])


def _write_motion(clip: ClipWriter, frame: int, flow: np.ndarray, occluded: np.ndarray) -> None:
    clip.write("flow_forward", frame, flow)
    clip.write("valid_forward", frame, flow[..., 0] < UNKNOWN_FLOW)
    clip.write("occlusion_forward", frame, occluded)
