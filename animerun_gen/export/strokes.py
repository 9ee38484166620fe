"""Reads the strokes of a clip for layouts that hold lines, and numbers their points through the whole clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, Strokes
from animerun_gen.errors import UsageError


def require_strokes(clips: Sequence[ClipFiles]) -> None:
    """See that all clips have their lines as strokes.

    Raises:
        UsageError: One has not.
    """
    for clip in clips:
        lacking = [frame for frame in clip.frame_numbers if not clip.has("strokes", frame)]
        if lacking:
            raise UsageError(
                f"has no {clip.path('strokes', lacking[0]).relative_to(clip.root)}, so there are no lines to export",
                f"cut '{clip.cut}'",
                "set lines.vector to true and lines.engine to geometry in its configuration and run 'animerun-gen "
                "generate' again, or export other cuts",
            )


def numbered_strokes(clip: ClipFiles) -> Iterator[tuple[int, Strokes, npt.NDArray[np.int64]]]:
    """The strokes of each frame of a clip, whose points have the same numbers wherever they are the same.

    Yields:
        The frame; its strokes; ``(N,)`` int64, a number for each of their points, which this point has in all frames
        of the clip and no other point has in any.  Numbers are given from 0 on in the order in which points appear; a
        point without identity has one of its own.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    known: dict[tuple[int, int, float], int] = {}
    given = 0
    for frame in clip.frame_numbers:
        strokes: Strokes = clip.read("strokes", frame)
        first, second = strokes.identity.T.tolist()
        numbers = np.empty(len(first), np.int64)
        here: set[int] = set()
        for point, key in enumerate(zip(first, second, strokes.along.tolist(), strict=True)):
            number = known.setdefault(key, given) if key[0] else given
            # two points that lie closer together than is said of them are still two
            number = given if number in here else number
            given = max(given, number + 1)
            here.add(number)
            numbers[point] = number
        yield frame, strokes, numbers
