"""Trace lines: the borders of the shade as painters of cels mark them, in colours that never show in the frame.

The colours are those by which PaintBucket-Character v2 marks shadows and highlights of whatever is neither hair nor
skin (Dai et al., "Paint Bucket Colorization Using Anime Character Color Design Sheets", 2024, arXiv:2410.19424).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.color.oklab import U8Array
from animerun_gen.shade.tone import BACKGROUND, HIGHLIGHT, SHADOW

SHADOW_TRACE = (188, 201, 251)
HIGHLIGHT_TRACE = (255, 245, 139)


def trace_lines(tones: npt.NDArray[np.uint8], surface: npt.NDArray[np.int32], line_art: U8Array) -> U8Array:
    """Line art with the borders of the shade.

    A trace line is a pixel wide and lies on the shadow's, or the highlight's, side of the border, so that what it
    encloses is exactly the region.  Between different surfaces there is none, because ink is there.

    Args:
        tones: ``(H, W)`` uint8, see :func:`~animerun_gen.shade.tones.shade_map`.
        surface: ``(H, W)`` int32, which surface each pixel shows.
        line_art: ``(H, W)`` uint8, dark lines on white.

    Returns:
        ``(H, W, 3)`` uint8: the ink as it is, trace lines beside it, white elsewhere.

    Example:
        >>> tones = np.array([[2, 2, 1, 1]], np.uint8)
        >>> trace_lines(tones, np.zeros((1, 4), np.int32), np.full((1, 4), 255, np.uint8))[0, :, 0].tolist()
        [255, 255, 188, 255]
    """
    on_border = np.zeros(tones.shape, bool)
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, other = tones[first], tones[second]
        meets = (one != other) & (one != BACKGROUND) & (other != BACKGROUND) & (surface[first] == surface[second])
        on_border[first] |= meets
        on_border[second] |= meets
    traced = np.repeat(line_art[..., None], 3, axis=2)
    free = on_border & (line_art == 255)
    traced[free & (tones == SHADOW)] = SHADOW_TRACE
    traced[free & (tones == HIGHLIGHT)] = HIGHLIGHT_TRACE
    return traced
