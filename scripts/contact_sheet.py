"""Draws one picture of a whole dataset: of each cut a frame, its line art, flow, occlusion and segments side by side.

python scripts/contact_sheet.py DATASET PICTURE.png [--frames 3] [--width 320]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

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
            print(f"{options.dataset} holds no cut with frames and motion", file=sys.stderr)
            return 1
        width = max(row.shape[1] for row in rows)
        padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
        write_image(options.picture, np.ascontiguousarray(np.concatenate(padded)))
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def _choose(clip: ClipFiles, count: int) -> list[int]:
    """Frames spread over the clip that have all that is drawn."""
    drawn = ("frame", "contour", "flow_forward", "flow_backward", "occlusion_forward", "segment")
    inner = [frame for frame in clip.frame_numbers if all(clip.has(name, frame) for name in drawn)]
    places = np.linspace(0, len(inner) - 1, min(count, len(inner)) + 2)[1:-1]
    return [inner[round(place)] for place in places] if inner else []


def _row(clip: ClipFiles, frame: int, width: int) -> Picture:
    pictures = (
        clip.read("frame", frame),
        _gray(clip.read("contour", frame)),
        flow_to_color(clip.read("flow_forward", frame)),
        flow_to_color(clip.read("flow_backward", frame)),
        _gray(clip.read("occlusion_forward", frame).astype(np.uint8) * 255),
        labels_to_color(clip.read("segment", frame)),
    )
    captions = (f"{clip.cut} {frame}", *COLUMNS[1:])
    return np.concatenate(
        [_cell(picture, caption, width) for picture, caption in zip(pictures, captions, strict=True)], axis=1
    )


def _gray(picture: Picture) -> Picture:
    return np.repeat(picture[..., None], 3, axis=2)


def _cell(picture: Picture, caption: str, width: int) -> Picture:
    height = round(picture.shape[0] * width / picture.shape[1])
    cell = np.full((height + CAPTION_HEIGHT, width, 3), 255, np.uint8)
    cell[CAPTION_HEIGHT:] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    cv2.putText(cell, caption, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    sys.exit(main())
