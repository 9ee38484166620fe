"""Draws what a dataset holds as pictures to look at, and lays such pictures out on sheets with titles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.dataset import ClipFiles
from animerun_gen.quality.colors import flow_to_color, labels_to_color

Picture = npt.NDArray[np.uint8]
"""``(H, W, 3)`` uint8, RGB."""

TITLE_HEIGHT = 22
"""Pixels above a picture that its title takes."""

PAPER, INK = 255, 40
"""Grey values of a sheet and of its titles."""


@dataclass(frozen=True)
class Panel:
    """A picture on a sheet.

    Attributes:
        title: What it shows, in ASCII, which is all that the font has.
        picture: ``(H, W, 3)`` uint8, RGB; None where there is nothing to show.
    """

    title: str
    picture: Picture | None


def longest_motion(clip: ClipFiles, name: str) -> float | None:
    """The longest known motion of a clip in pixels, to draw all its flow by; None where nothing moves.

    Args:
        clip: The clip.
        name: Which flow, such as ``"flow_forward"``.

    Raises:
        DatasetError: A file is damaged.
    """
    longest = 0.0
    for frame in clip.frames(name):
        if clip.has(name, frame):
            flow = clip.read_motion(name.removeprefix("flow_"), frame)
            longest = max(longest, float(np.hypot(*flow[known_flow(flow)].T).max(initial=0.0)))
    return longest or None


def draw(clip: ClipFiles, name: str, frame: int, longest: float | None = None) -> Picture | None:
    """Draw one file of a clip; None where the clip has none.

    Args:
        clip: The clip.
        name: Which modality, one of :data:`DRAWN`.
        frame: The frame that it belongs to, or where its arrows begin.
        longest: Motion in pixels that has the fullest colour; None: the longest of this file.

    Raises:
        DatasetError: The file is damaged.
    """
    if not clip.has(name, frame):
        return None
    return _flow(clip, name, frame, longest) if name.startswith("flow_") else DRAWN[name](clip, name, frame)


def _as_it_is(clip: ClipFiles, name: str, frame: int) -> Picture:
    picture: Picture = clip.read(name, frame)
    return picture


def _grey(clip: ClipFiles, name: str, frame: int) -> Picture:
    return np.repeat(clip.read(name, frame)[..., None], 3, axis=2)


def _mask(clip: ClipFiles, name: str, frame: int) -> Picture:
    return np.repeat(clip.read(name, frame)[..., None], 3, axis=2).astype(np.uint8) * np.uint8(255)


def _flow(clip: ClipFiles, name: str, frame: int, longest: float | None = None) -> Picture:
    # what continues known motion where none is known is no label
    return flow_to_color(clip.read_motion(name.removeprefix("flow_"), frame), longest)


def _segments(clip: ClipFiles, name: str, frame: int) -> Picture:
    return labels_to_color(clip.read(name, frame))


DRAWN: Mapping[str, Callable[[ClipFiles, str, int], Picture]] = {
    "frame": _as_it_is,
    "contour": _grey,
    "flow_forward": _flow,
    "flow_backward": _flow,
    "occlusion_forward": _mask,
    "segment": _segments,
}
"""What can be drawn of a frame, and how."""

TITLES: Mapping[str, str] = {
    "frame": "frame",
    "contour": "line art",
    "flow_forward": "forward flow",
    "flow_backward": "backward flow",
    "occlusion_forward": "occlusion (white)",
    "segment": "segments",
}
"""What a picture of a sheet is called."""


def sheet_of_clips(
    clips: Sequence[ClipFiles], columns: Sequence[str] = tuple(DRAWN), *, frames: int = 1, width: int = 320
) -> Picture:
    """A sheet of clips: for each some frames in a row of their own, and what is known of them beside them.

    Args:
        clips: The clips, at least one.
        columns: Which modalities, in order; the title of the first names cut and frame.
        frames: How many frames of each clip, spread over it.
        width: Width of one picture in pixels.

    Raises:
        DatasetError: A file cannot be read.
    """
    rows = []
    for clip in clips:
        for frame in _spread(clip, columns, frames):
            titles = [f"{clip.cut} {frame}", *(TITLES[name] for name in columns[1:])]
            rows.append([Panel(title, draw(clip, name, frame)) for title, name in zip(titles, columns, strict=True)])
    return sheet(rows, width)


def _spread(clip: ClipFiles, columns: Sequence[str], count: int) -> list[int]:
    """Frames spread over the clip, of those of which most is there: the ends of a clip have motion one way only."""
    there = {frame: sum(clip.has(name, frame) for name in columns) for frame in clip.frame_numbers}
    most = max(there.values())
    best = [frame for frame, number in there.items() if number == most]
    places = np.linspace(0, len(best) - 1, min(count, len(best)) + 2)[1:-1]
    return [best[round(place)] for place in places]


def sheet(rows: Sequence[Sequence[Panel]], width: int | None = None) -> Picture:
    """Lay panels out in rows, each picture with its title above it.

    Args:
        rows: Panels of equally many columns.  The first of each row has a picture, whose shape is that of its row.
        width: Width of one picture in pixels, to which it is shrunk or enlarged; None: that of the first picture.
    """
    first = rows[0][0].picture
    assert first is not None
    across = width or first.shape[1]
    return np.ascontiguousarray(np.vstack([_row(row, across) for row in rows]))


def _row(row: Sequence[Panel], width: int) -> Picture:
    leading = row[0].picture
    assert leading is not None
    height = max(round(leading.shape[0] * width / leading.shape[1]), 1)
    return np.hstack([_titled(panel, width, height) for panel in row])


def _titled(panel: Panel, width: int, height: int) -> Picture:
    cell = np.full((TITLE_HEIGHT + height, width, 3), PAPER, np.uint8)
    if panel.picture is not None:
        cell[TITLE_HEIGHT:] = cv2.resize(panel.picture, (width, height), interpolation=cv2.INTER_AREA)
    cv2.putText(cell, panel.title, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (INK,) * 3, 1, cv2.LINE_AA)
    return cell


def fitted(picture: Picture | None, size: tuple[int, int], around: int) -> Picture:
    """A picture as large as fits into another shape, in the middle of it.

    Args:
        picture: The picture; None: there is nothing but what is around it.
        size: Width and height.
        around: Grey value of what is left.
    """
    width, height = size
    panel = np.full((height, width, 3), around, np.uint8)
    if picture is None:
        return panel
    scale = min(width / picture.shape[1], height / picture.shape[0])
    across, down = max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1)
    top, left = (height - down) // 2, (width - across) // 2
    panel[top : top + down, left : left + across] = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA)
    return panel
