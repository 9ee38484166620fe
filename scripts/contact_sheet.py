"""Draws one picture of a whole dataset: of each cut a frame, its line art, flow, occlusion and segments side by side.

python scripts/contact_sheet.py DATASET PICTURE.png [--frames 3] [--width 320]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, Dataset, write_image
from animerun_gen.errors import AnimerunGenError
from animerun_gen.quality.colors import flow_to_color, labels_to_color

CAPTION_HEIGHT = 22
COLUMNS = ("frame", "contour", "forward flow", "backward flow", "occlusion (white)", "segments")

Picture = npt.NDArray[np.uint8]


def main() -> int:
    """Draw the sheet; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--frames", type=int, default=1, help="how many frames of each cut (default: 1)")
    parser.add_argument("--width", type=int, default=320, help="width of one picture in pixels (default: 320)")
    options = parser.parse_args()
    try:
        clips = Dataset(options.dataset).clips()
        rows = [_row(clip, frame, options.width) for clip in clips for frame in _choose(clip, options.frames)]
        if not rows:
            print(f"{options.dataset} holds no cut with frames", file=sys.stderr)
            return 1
        width = max(row.shape[1] for row in rows)
        padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
        write_image(options.picture, np.ascontiguousarray(np.concatenate(padded)))
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def _choose(clip: ClipFiles, count: int) -> list[int]:
    """Frames spread over the clip, of those of which most is there: the ends of a clip have motion one way only."""
    there = {frame: sum(clip.has(name, frame) for name in DRAWN) for frame in clip.frame_numbers}
    most = max(there.values(), default=0)
    best = [frame for frame, number in there.items() if number == most]
    places = np.linspace(0, len(best) - 1, min(count, len(best)) + 2)[1:-1]
    return [best[round(place)] for place in places] if best else []


def _row(clip: ClipFiles, frame: int, width: int) -> Picture:
    blank = np.full_like(clip.read("frame", frame), 255)
    pictures = [draw(clip.read(name, frame)) if clip.has(name, frame) else blank for name, draw in DRAWN.items()]
    captions = (f"{clip.cut} {frame}", *COLUMNS[1:])
    return np.concatenate(
        [_cell(picture, caption, width) for picture, caption in zip(pictures, captions, strict=True)], axis=1
    )


def _gray(picture: Picture) -> Picture:
    return np.repeat(picture[..., None], 3, axis=2)


def _mask(mask: npt.NDArray[np.bool_]) -> Picture:
    return _gray(mask.astype(np.uint8) * np.uint8(255))


DRAWN: dict[str, Callable[[Any], Picture]] = {
    "frame": lambda picture: picture,
    "contour": _gray,
    "flow_forward": flow_to_color,
    "flow_backward": flow_to_color,
    "occlusion_forward": _mask,
    "segment": labels_to_color,
}
"""What is drawn of a frame, in the order of :data:`COLUMNS`, and how."""


def _cell(picture: Picture, caption: str, width: int) -> Picture:
    height = round(picture.shape[0] * width / picture.shape[1])
    cell = np.full((height + CAPTION_HEIGHT, width, 3), 255, np.uint8)
    cell[CAPTION_HEIGHT:] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    cv2.putText(cell, caption, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    sys.exit(main())
