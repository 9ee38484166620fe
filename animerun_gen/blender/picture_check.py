"""Sees in the first pictures of a job whether Blender draws what it is asked for, in whatever version.

A Blender that takes a setting and does nothing with it writes whole pictures of the wrong colour, without a word: until
it was told in another way, 5.0 drew every background dark grey and all line art black.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import to_hex
from animerun_gen.errors import SceneError
from animerun_gen.motion import raster
from animerun_gen.motion.raster import VisibilityBuffer

TOLERANCE = 1
"""So many of 255 a flat colour may be off: Workbench computes with 11 bits."""

LEAST_RIGHT = 0.5
"""Share of the background that must have the colour asked for; what is drawn and casts no geometry may cover some."""

WHITE = 255


def require_background(
    frame: int,
    flat: npt.NDArray[np.uint8],
    seen: VisibilityBuffer,
    color: tuple[int, int, int],
    engine: str,
) -> bool:
    """Stop when the background of a picture is not what was asked for.

    Args:
        frame: Number of the frame.
        flat: ``(H, W, 3)`` uint8 RGB, the frame in flat colours.
        seen: What each of its pixels shows.
        color: Red, green and blue of the background, 0 to 255.
        engine: The Blender that drew it.

    Returns:
        Whether any background is there to be looked at, away from surfaces.

    Raises:
        SceneError: Most of it has another colour.
    """
    is_background = (seen.instance == raster.BACKGROUND).astype(np.uint8)
    # where surfaces begin, two rasterisers differ by a pixel
    away = cv2.erode(is_background, np.ones((3, 3), np.uint8), borderValue=(1,)) > 0
    if not away.any():
        return False
    found = flat[away]
    is_right = (np.abs(found.astype(np.int16) - np.array(color, np.int16)) <= TOLERANCE).all(axis=1)
    if is_right.mean() < LEAST_RIGHT:
        raise SceneError(
            f"{engine} painted the background of frame {frame} {to_hex(_commonest(found[~is_right]))}, "
            f"where {to_hex(color)} was asked for: its pictures cannot be trusted",
            remedy="run 'animerun-gen doctor', and use a Blender that docs/versions.md lists",
        )
    return True


def require_paper(frame: int, strokes: npt.NDArray[np.uint8], engine: str) -> None:
    """Stop when lines are not drawn on white.

    Args:
        frame: Number of the frame.
        strokes: ``(H, W)`` uint8, the lines alone.
        engine: The Blender that drew them.

    Raises:
        SceneError: No pixel is white.
    """
    lightest = int(strokes.max())
    if lightest < WHITE:
        raise SceneError(
            f"{engine} drew the lines of frame {frame} on {to_hex((lightest,) * 3)}, where white was asked "
            "for: its pictures cannot be trusted",
            remedy="run 'animerun-gen doctor', and use a Blender that docs/versions.md lists",
        )


def _commonest(colors: npt.NDArray[np.uint8]) -> tuple[int, ...]:
    values, counts = np.unique(colors, axis=0, return_counts=True)
    return tuple(values[counts.argmax()].tolist())
