"""Draws what methods are right and wrong about in one pair of frames, as docs/benchmark_segments.md shows it.

    python scripts/picture_matches.py DATASET CUT FRAME OUT.png --method flow:dis --predictions FOLDER

Above the two frames, below them a picture for each method and folder of predictions in the order given: green segments
are right, red ones matched with another one, blue ones occluded but matched, yellow ones called occluded but shown.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.segments.evaluation import open_evaluation
from animerun_gen.dataset import write_image

GAP = 4
"""White pixels between pictures."""


def main() -> int:
    """Draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("cut")
    parser.add_argument("frame", type=int)
    parser.add_argument("output", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--pictures", default="frame")
    parser.add_argument("--method", nargs="*", default=[])
    parser.add_argument("--predictions", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    shown: list[npt.NDArray[np.uint8]] = []
    for source in ({"method": one} for one in options.method), ({"predictions": one} for one in options.predictions):
        for chosen in source:
            evaluation = open_evaluation(
                EvaluationOptions(
                    dataset=options.dataset,
                    output=options.output.parent,
                    splits=(options.split,),
                    cuts=(options.cut,),
                    pictures=options.pictures,
                    **chosen,
                )
            )
            [clip] = evaluation.clips()
            [frames] = [
                pair.frames for pair in evaluation.pairs[clip.split, clip.cut] if pair.frames[0] == options.frame
            ]
            panels = evaluation.draw(clip, frames)
            shown = shown or [panels[0].picture, panels[1].picture]
            shown.append(panels[-1].picture)
    shown += [np.full_like(shown[0], 255)] * (len(shown) % 2)
    framed = [cv2.copyMakeBorder(one, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255,) * 3) for one in shown]
    rows = [np.hstack(framed[at : at + 2]) for at in range(0, len(framed), 2)]
    write_image(options.output, np.ascontiguousarray(np.vstack(rows)[:-GAP, :-GAP]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
