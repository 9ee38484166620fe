"""AnimeInbet: line drawings as graphs, with the same number for the same vertex (Siyao et al., ICCV 2023).

``train/frames/<cut>/Image0001.png`` and ``train/labels/<cut>/Line0001.json``, numbered from 1, as the data set
MixamoLine240 has them: black lines on white in a square of 720 x 720, and ``vertex location``, ``connection`` (of each
vertex those that it is joined to) and ``original index`` (which vertex it is in all frames).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, Strokes
from animerun_gen.dataset.files import write_image
from animerun_gen.dataset.strokes import SHADE
from animerun_gen.export.layout import ClipJob, PlainLayout, digits
from animerun_gen.export.strokes import numbered_strokes, require_strokes

SIDE = 720
"""Pixels of a picture's side, which readers take for granted."""

MOST_VERTICES = 3050
"""Vertices of a frame up to which readers train; they leave out those behind."""

SUBPIXELS = 6
"""Binary digits behind the point of what lines are drawn between."""


class AnimeInbet(PlainLayout):
    """What is seen of the strokes, but for borders of the shade: readers know no hidden lines, and none without ink."""

    def look(self, clips: Sequence[ClipFiles]) -> None:
        require_strokes(clips)

    def needs(self) -> tuple[str, ...]:
        return ("strokes",)

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / clip.split / kind / clip.cut for kind in ("frames", "labels")]

    def write(self, job: ClipJob) -> None:
        frames, labels = self.places(job.folder.root, job.clip)
        width = digits(len(job.frames))
        too_many = 0
        for number, (frame, strokes, numbers) in enumerate(numbered_strokes(job.clip), 1):
            shape = job.clip.read(job.pictures, frame).shape[:2]
            graph = line_graph(strokes, numbers, shape[1], shape[0])
            job.counts["vertices"] += len(graph.number)
            job.counts["vertices_in_one_pixel_with_others"] += graph.merged
            too_many += len(graph.number) > MOST_VERTICES
            job.folder.put(frames / f"Image{number:0{width}d}.png", partial(write_image, image=graph.picture()))
            job.folder.put_bytes(labels / f"Line{number:0{width}d}.json", graph.label_bytes)
            job.step(frame)
        if too_many:
            job.remarks.append(
                f"{too_many} of its {len(job.frames)} frames have more than {MOST_VERTICES} vertices, of which "
                "AnimeInbet's training leaves out those behind; film less at a time, or fewer kinds of edges "
                "(lines.edges)."
            )


@dataclass(frozen=True)
class LineGraph:
    """The lines of a frame in the square of a reader.

    Attributes:
        place: ``(n, 2)`` int64, the pixel of each vertex, x and y.
        number: ``(n,)`` int64, which vertex each is in all frames; ascending.
        joined: ``(m, 2)`` int64, which vertices have a line between them, the smaller first; ascending, none twice.
        drawn: ``(k, 2, 2)`` float64, both ends of every piece of the lines, in pixels of the square.
        merged: How many vertices lie in the pixel of another one with a smaller number, which stands for them.
    """

    place: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]
    joined: npt.NDArray[np.int64]
    drawn: npt.NDArray[np.float64]
    merged: int

    def label_bytes(self) -> bytes:
        """The JSON file of the frame."""
        neighbours: list[list[int]] = [[] for _ in range(len(self.number))]
        for one, other in self.joined.tolist():
            neighbours[one].append(other)
            neighbours[other].append(one)
        labels = {
            "vertex location": self.place.tolist(),
            "connection": [sorted(of) for of in neighbours],
            "original index": self.number.tolist(),
        }
        return json.dumps(labels, separators=(",", ":")).encode()

    def picture(self) -> npt.NDArray[np.uint8]:
        """``(720, 720, 3)`` uint8: the lines, black on white, one pixel wide and smoothed."""
        picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
        # shift: these are fixed-point numbers
        fixed = np.rint(self.drawn * 2**SUBPIXELS).astype(np.int32)
        cv2.polylines(picture, list(fixed), False, (0, 0, 0), 1, cv2.LINE_AA, SUBPIXELS)
        return picture


def line_graph(strokes: Strokes, numbers: npt.NDArray[np.int64], width: int, height: int) -> LineGraph:
    """The lines of a frame that are seen, borders of the shade left out, as a graph in a square of 720 x 720.

    Args:
        strokes: The strokes of the frame.
        numbers: ``(N,)`` int64, the numbers that their points have through the clip.
        width: Of the frame's picture, pixels.
        height: Likewise.

    Returns:
        The graph.  The picture fills the square in its longer direction and stands in the middle in the other one.
        Readers cut places down to whole pixels, so vertices are at those, and where several fall into one pixel, the
        one with the smallest number stands for all.
    """
    scale = SIDE / max(width, height)
    margin = (SIDE - scale * np.array([width, height])) / 2.0
    # of the centre of a pixel at a whole number, both here and there
    position = (strokes.position + 0.5) * scale + margin - 0.5
    segments = strokes.segments(~strokes.hidden & (strokes.kind != SHADE))
    shown = np.unique(segments)
    shown = shown[np.argsort(numbers[shown])]
    place = np.clip(np.rint(position[shown]), 0, SIDE - 1).astype(np.int64)
    _, first, pixel = np.unique(place[:, 1] * SIDE + place[:, 0], return_index=True, return_inverse=True)
    kept = np.sort(first)
    vertex = np.full(len(numbers), -1, np.int64)
    vertex[shown] = np.searchsorted(kept, first[pixel.ravel()])
    joined = np.sort(vertex[segments], axis=1)
    joined = np.unique(joined[joined[:, 0] != joined[:, 1]], axis=0)
    return LineGraph(
        place=place[kept],
        number=numbers[shown][kept],
        joined=joined,
        drawn=position[segments],
        merged=len(shown) - len(kept),
    )
