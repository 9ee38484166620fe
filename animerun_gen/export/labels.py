"""What a clip knows, as exports need it: a label is exact, or it is said to be unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.dataset import ClipFiles
from animerun_gen.errors import DatasetError

Way = Literal["forward", "backward"]

UNKNOWN_ELSEWHERE = np.float32(1e6)
"""Both components of a vector that is unknown, in the layouts of others.

Readers have no common mark.  RAFT and its descendants leave out what moves 1,000 px or more, ptlflow from 10,000 px on.
The mark of Middlebury, 1e10, is no motion at all to SEA-RAFT, and so is NaN: both would be learnt as zeros.
"""


@dataclass(frozen=True)
class Motion:
    """The motion from a frame to a neighbour.

    Attributes:
        flow: ``(H, W, 2)`` float32, pixels; both components are ``UNKNOWN_ELSEWHERE`` where it is unknown.
        known: ``(H, W)`` bool, where it is exact.
        as_on_disk: Whether ``flow`` is what the dataset's own file holds.
    """

    flow: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    as_on_disk: bool

    @property
    def unknown(self) -> int:
        """How many pixels have no known motion."""
        return int(self.known.size - np.count_nonzero(self.known))


def read_motion(clip: ClipFiles, frame: int, way: Way = "forward") -> Motion:
    """Read flow, and hold it against the mask of what is known.

    A dataset may hold numbers where the motion is unknown (``motion.unknown: fill``): only the mask tells them from
    labels, so here they are unknown again.

    Args:
        clip: The clip.
        frame: The frame where the arrows begin.
        way: Forward leads to the next frame of the clip, backward to the one before.

    Raises:
        DatasetError: A file is missing or damaged, or flow and mask have different sizes.
    """
    flow = clip.read(f"flow_{way}", frame)
    known = known_flow(flow)
    mask = f"valid_{way}"
    if clip.has(mask, frame):
        valid = clip.read(mask, frame)
        if valid.shape != known.shape:
            (rows, columns), (height, width) = valid.shape, known.shape
            raise DatasetError(
                f"is {columns} x {rows} pixels large, but its flow {width} x {height}",
                clip.path(mask, frame),
                "make the cut again",
            )
        known = known & valid
    marked = np.where(known[..., None], flow, UNKNOWN_ELSEWHERE)
    return Motion(marked, known, bool(np.array_equal(marked, flow)))


def occlusion_kind(clips: list[ClipFiles], way: Way = "forward") -> str | None:
    """Which occlusion all clips have: by geometry, else by the paper's rule; None where some have neither.

    All clips of an export have the same kind, and all or none have it, since readers pair files by their position.
    """
    for kind in (f"exact_occlusion_{way}", f"occlusion_{way}"):
        if clips and all(clip.has(kind, frame) for clip in clips for frame in clip.frames(kind)):
            return kind
    return None
