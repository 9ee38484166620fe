"""Measures how steady the shade of a dataset's clips is: ``python scripts/shade_steadiness.py DATASET [CUT ...]``.

For each frame but the first and the last, every surface point that is seen in it and in both of its neighbours is
followed there by the exact flow.  It flips where its tone differs from what it is before and after, and these two are
the same: there and back within three frames.  The flow leads between pixels, and the nearest one is asked; so a border
that moves by parts of a pixel makes points beside it flip.  They are counted by themselves ("borders"): a flip is
more than that where none of the nine pixels around the place, before or after, has the tone.  Of these flips those in
pieces of less than 30 pixels are flicker; the others are shadows and highlights that pass in one frame, such as that of
a sword.

Where nothing moves, pixels that change at all are counted as well.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, Dataset

SMALL = 30
"""Pixels of a piece below which what goes and comes back is flicker."""

Mask = npt.NDArray[np.bool_]
Tones = npt.NDArray[np.uint8]


def main() -> int:
    """Measure and print a line for each clip; returns the exit status."""
    parser = argparse.ArgumentParser(description="Measure how steady the shade of a dataset's clips is.")
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="root folder of the dataset")
    parser.add_argument("cuts", nargs="*", metavar="CUT", help="names of cuts; default: all that have shade")
    options = parser.parse_args()
    heads = " ".join(f"{head:>9}" for head in ("flicker", "passing", "borders"))
    print(f"{'clip':20} {'frames':>6} {'points':>10} {heads}  {'changed where still':>20}")
    for clip in Dataset(options.dataset).clips():
        if options.cuts and clip.cut not in options.cuts:
            continue
        if clip.has("shade", clip.frame_numbers[0]):
            print(f"{clip.cut:20} {measure(clip)}")
    return 0


def measure(clip: ClipFiles) -> str:
    """The figures of a clip as the rest of its line."""
    numbers = clip.frame_numbers
    points = flicker = passing = at_border = still = changed = 0
    for before, now, after in zip(numbers, numbers[1:], numbers[2:], strict=False):
        tones = clip.read("shade", now)
        seen = tones > 0
        there = []
        for way, other in (("backward", before), ("forward", after)):
            values, near, known = followed(clip, way, now, other, tones)
            seen &= known
            there.append((values, near))
            flow = clip.read(f"flow_{way}", now)
            # what stands still in the picture, if all of it does
            if other == after and (flow[tones > 0] == 0.0).all():
                still += int((tones > 0).sum())
                changed += int((tones != clip.read("shade", other)).sum())
        flip = seen & (there[0][0] == there[1][0]) & (there[0][0] != tones)
        border = flip & (there[0][1] | there[1][1])
        points += int(seen.sum())
        _, _, pieces, _ = cv2.connectedComponentsWithStats((flip & ~border).astype(np.uint8), connectivity=8)
        sizes = pieces[1:, cv2.CC_STAT_AREA]
        flicker += int(sizes[sizes < SMALL].sum())
        passing += int(sizes[sizes >= SMALL].sum())
        at_border += int(border.sum())
    shares = " ".join(f"{count / max(points, 1):9.4%}" for count in (flicker, passing, at_border))
    return f"{len(numbers):6} {points:10} {shares}  {f'{changed} of {still}':>20}"


def followed(clip: ClipFiles, way: str, now: int, other: int, tones: Tones) -> tuple[Tones, Mask, Mask]:
    """The tones of a frame's points in another frame, whether their own tone is near there, and where that is known."""
    flow, known = clip.read(f"flow_{way}", now), clip.read(f"valid_{way}", now)
    known &= ~clip.read(f"exact_occlusion_{way}", now)
    height, width = tones.shape
    y, x = np.mgrid[:height, :width]
    places = (np.where(known, place, 0.0) for place in (x + flow[..., 0], y + flow[..., 1]))
    at_x, at_y = (np.floor(place + 0.5).astype(int) for place in places)
    known &= (at_x >= 0) & (at_x < width) & (at_y >= 0) & (at_y < height)
    at_x, at_y = np.where(known, at_x, 0), np.where(known, at_y, 0)
    found = clip.read("shade", other)
    same = clip.read("object_id", other)[at_y, at_x] == clip.read("object_id", now)
    near = np.zeros(tones.shape, bool)
    for tone in (1, 2, 3):
        around = cv2.dilate((found == tone).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        near |= (tones == tone) & around[at_y, at_x]
    return found[at_y, at_x], near, known & same


if __name__ == "__main__":
    raise SystemExit(main())
