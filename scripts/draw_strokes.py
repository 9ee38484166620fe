"""Draw the strokes of a frame: kinds in colours, what is hidden thin and pale, and where points go to the next frame.

    python scripts/draw_strokes.py out/fight fight 36 docs/images/vector_lines.png

Above the strokes as they are, below a part of them enlarged with an arrow from each point that is seen to where the
same surface point is in the next frame.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import Dataset, Strokes
from animerun_gen.dataset.files import write_image

COLORS = {
    1: (0, 0, 0),
    2: (30, 90, 220),
    3: (0, 130, 60),
    4: (200, 90, 0),
    5: (150, 110, 0),
    6: (170, 0, 150),
    7: (120, 130, 230),
    8: (210, 60, 60),
}
"""RGB of each kind."""

PALE = 0.8
"""How much of the paper's white is mixed into what is hidden."""

SHIFT = 6
"""Binary digits behind the point of what lines are drawn between."""

Picture = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="root folder of the dataset")
    parser.add_argument("cut", help="name of the cut")
    parser.add_argument("frame", type=int, help="number of the frame")
    parser.add_argument("output", type=Path, help="PNG file to write")
    parser.add_argument("--part", type=int, nargs=4, default=(200, 60, 440, 195), metavar=("X", "Y", "RIGHT", "BOTTOM"))
    options = parser.parse_args()
    clip = Dataset(options.dataset).clip(options.cut)
    following = clip.frame_numbers[clip.frame_numbers.index(options.frame) + 1]
    here, there = clip.read("strokes", options.frame), clip.read("strokes", following)
    height, width = clip.read("frame", options.frame).shape[:2]
    whole = drawn(here, (0, 0), 1.0, (width, height))
    x, y, right, bottom = options.part
    scale = width / (right - x)
    part = drawn(here, (x, y), scale, (width, round((bottom - y) * scale)))
    arrows(part, here, there, (x, y), scale)
    write_image(options.output, np.concatenate([whole, part]))


def drawn(strokes: Strokes, corner: tuple[int, int], scale: float, size: tuple[int, int]) -> Picture:
    """A part of the picture with the strokes in it."""
    picture = np.full((size[1], size[0], 3), 255, np.uint8)
    for stroke in sorted(range(len(strokes)), key=lambda number: not strokes.hidden[number]):
        color = np.array(COLORS[int(strokes.kind[stroke])], np.float64)
        thickness = 1
        if strokes.hidden[stroke]:
            color += PALE * (255.0 - color)
        elif scale > 1.0:
            thickness = 2
        place = fixed(strokes.polyline(stroke), corner, scale)
        cv2.polylines(picture, [place], False, color.tolist(), thickness, cv2.LINE_AA, SHIFT)
    return picture


def arrows(picture: Picture, here: Strokes, there: Strokes, corner: tuple[int, int], scale: float) -> None:
    """Draw where points that are seen go to."""
    first, second = here.matches(there).T
    shown = here.shown()[first] & there.shown()[second]
    begin = fixed(here.position[first[shown]], corner, scale)
    end = fixed(there.position[second[shown]], corner, scale)
    for one, other in zip(begin.tolist(), end.tolist(), strict=True):
        cv2.line(picture, one, other, (220, 30, 30), 1, cv2.LINE_AA, SHIFT)
        cv2.circle(picture, one, 3 << SHIFT, (220, 30, 30), -1, cv2.LINE_AA, SHIFT)


def fixed(places: npt.NDArray[np.float64], corner: tuple[int, int], scale: float) -> npt.NDArray[np.int32]:
    """Places in the enlarged part, as OpenCV takes them."""
    return np.rint(((places + 0.5 - corner) * scale - 0.5) * 2**SHIFT).astype(np.int32)


if __name__ == "__main__":
    main()
