"""A small clip of which every label is known by heart, written without Blender.

A square of 6 x 6 pixels moves two pixels to the right from frame to frame over a background of nothing; a line is drawn
around it.  One pixel of the square has no known motion although its file holds a number, as ``motion.unknown: fill``
writes it, and one moves farther than KITTI's files can say.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from animerun_gen.dataset import ClipWriter, Strokes, Tracks

FRAMES = (8, 10, 12)
WIDTH, HEIGHT = 24, 16
TOP, LEFT, SIDE, STEP = 4, 5, 6, 2

FILLED = (TOP + 2, LEFT + 2)
"""Row and column, in the first frame, of the pixel whose motion is unknown and filled in."""

FAR = (TOP + 3, LEFT + 3)
"""Row and column, in the first frame, of the pixel that moves farther than KITTI can say."""

FAR_MOTION = (511.995, -512.0)
"""The first rounds to what no longer fits; the second just fits."""


def square(place: int, grow: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the square in a frame, counted from 0."""
    left = LEFT + STEP * place
    return slice(TOP - grow, TOP + SIDE + grow), slice(left - grow, left + SIDE + grow)


def write_clip(root: Path, split: str = "train", cut: str = "square") -> ClipWriter:
    """Write the clip."""
    clip = ClipWriter(root, split, cut)
    for place, frame in enumerate(FRAMES):
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[square(place)] = True
        around = np.zeros_like(inside)
        around[square(place, 1)] = True
        line = around & ~inside
        flat = np.full((HEIGHT, WIDTH, 3), (200, 210, 220), np.uint8)
        flat[inside] = (10, 20, 30)
        drawn = flat.copy()
        drawn[line] = 0
        # tells the frame
        drawn[0, 0] = frame
        clip.write("frame", frame, drawn)
        clip.write("flat", frame, flat)
        clip.write("contour", frame, np.where(line, 0, 255).astype(np.uint8))
        clip.write("object_id", frame, np.where(around, 3, 0).astype(np.uint16))
        clip.write("material_id", frame, np.where(around, 7, 0).astype(np.uint16))
        clip.write("segment", frame, inside.astype(np.int32))
        clip.write("strokes", frame, strokes(place))
        for way, sign, there in (("forward", 1, frame != FRAMES[-1]), ("backward", -1, frame != FRAMES[0])):
            if there:
                flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
                flow[inside] = (sign * STEP, 0.25)
                valid = np.ones_like(inside)
                if way == "forward" and place == 0:
                    valid[FILLED] = False
                    flow[FILLED] = (STEP, 0.0)
                    flow[FAR] = FAR_MOTION
                hidden = np.zeros_like(inside)
                hidden[0, :5] = True
                clip.write(f"flow_{way}", frame, flow)
                clip.write(f"valid_{way}", frame, valid)
                clip.write(f"exact_occlusion_{way}", frame, hidden)
                clip.write(f"occlusion_{way}", frame, ~hidden)
    clip.write_names("object_id", {"0": "background", "3": "Square"})
    clip.write_names("material_id", {"0": "background", "7": "ink"})
    clip.write_tracks(tracks())
    return clip


def strokes(place: int) -> Strokes:
    """The sides of the square and a hidden diagonal; in the first frame its lower side is half covered.

    Corners have the identities 1 to 4, clockwise from the upper left.
    """
    left = LEFT + STEP * place
    low, high = -0.5, SIDE - 0.5
    corners = np.array([[low, low], [high, low], [high, high], [low, high]]) + np.array([left, TOP])
    ends = np.array([[1, 1], [2, 2], [3, 3], [4, 4], [3, 4]], np.uint64)
    # what is hidden, and each stroke's points
    ring = [(False, [0, 1, 2, 3, 0]), (True, [0, 2])]
    parts = [(False, [4, 3, 0, 1, 2]), (True, [2, 4]), (True, [0, 2])]
    lines = parts if place == 0 else ring
    count = 5 if place == 0 else 4
    return Strokes(
        position=np.concatenate([corners, [[left + (low + high) / 2, TOP + high]]])[:count],
        depth=np.full(count, 3.0),
        identity=ends[:count],
        along=np.array([0, 0, 0, 0, 0.5])[:count],
        instance=np.zeros(count, np.int32),
        vertices=(ends[:count] - 1).astype(np.int32),
        stroke_start=np.cumsum([0, *[len(points) for _, points in lines]]),
        stroke_points=np.concatenate([points for _, points in lines]).astype(np.int32),
        kind=np.array([3, 2] if place else [3, 3, 2], np.uint8),
        hidden=np.array([hidden for hidden, _ in lines]),
        object_id=np.full(len(lines), 3, np.uint16),
    )


def tracks() -> Tracks:
    """Three points: one that is followed, one that goes behind something, one that is lost."""
    count = len(FRAMES)
    position = np.zeros((count, 3, 2))
    for place in range(count):
        position[place, 0] = (LEFT + 1 + STEP * place, TOP + 1)
        position[place, 1] = (LEFT + 2 + STEP * place, TOP + 4)
        position[place, 2] = (LEFT + 4, TOP + 4)
    known = np.ones((count, 3), bool)
    known[2, 2] = False
    position[~known] = np.nan
    visible = known.copy()
    visible[1, 1] = False
    return Tracks(
        frames=np.array(FRAMES, np.int32),
        position=position,
        depth=np.where(known, 5.0, np.nan).astype(np.float32),
        world=np.where(known[..., None], np.arange(9.0 * count).reshape(count, 3, 3), np.nan),
        known=known,
        in_frame=known.copy(),
        visible=visible,
        query_frame=np.full(3, FRAMES[0], np.int32),
        object_id=np.full(3, 3, np.uint16),
        material_id=np.full(3, 7, np.uint16),
        requested=3,
        seed=0,
    )
