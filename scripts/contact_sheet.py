"""Draws one picture of a whole dataset: of each cut a frame, its line art, flow, occlusion and segments side by side.

python scripts/contact_sheet.py DATASET PICTURE.png [--frames 3] [--width 320]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from animerun_gen.dataset import Dataset, write_image
from animerun_gen.errors import AnimerunGenError
from animerun_gen.publish.sheet import sheet_of_clips


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
        if not clips:
            print(f"{options.dataset} holds no cut with frames", file=sys.stderr)
            return 1
        write_image(options.picture, sheet_of_clips(clips, frames=options.frames, width=options.width))
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
