"""The colours of lines in their style, and the same lines over another colouring of their frame."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from animerun_gen.color.oklab import from_oklab, to_oklab
from animerun_gen.dataset.line_ink import InkSource, LineInk
from animerun_gen.lines.compose import lay_ink

U8Array = npt.NDArray[np.uint8]


def darker_tone(colors: U8Array, value: float, chroma: float) -> U8Array:
    """The automatic colours of lines beside surfaces.

    Args:
        colors: ``(N, 3)`` uint8, flat colours of the surfaces.
        value: Lightness (Oklab) as a share of theirs.
        chroma: The same for chroma.

    Returns:
        ``(N, 3)`` uint8.

    Example:
        >>> darker_tone(np.array([[240, 150, 130]], np.uint8), 0.5, 1.2).tolist()
        [[122, 24, 3]]
    """
    return from_oklab(to_oklab(colors) * (value, chroma, chroma))


def ink_colors(ink: LineInk, flat: U8Array, kept: Collection[int], value: float, chroma: float) -> U8Array:
    """The colours of a frame's lines in another colouring.

    Args:
        ink: The lines.
        flat: ``(H, W, 3)`` uint8, the frame in its new colours, without shade and lines.
        kept: Ids of the materials that have their own colours in it.
        value: Lightness (Oklab) of a line's colour as a share of that of the surface that it follows.
        chroma: The same for its chroma.

    Returns:
        ``(N, 3)`` uint8, one for each pixel of ``ink``.
    """
    is_chosen = (ink.source == InkSource.MATERIAL) & np.isin(ink.material, list(kept))
    follows = (ink.source != InkSource.FIXED) & ~is_chosen
    colors = ink.color.copy()
    colors[follows] = darker_tone(flat.reshape(-1, 3)[ink.owner[follows]], value, chroma)
    return colors


def draw_ink(picture: U8Array, ink: LineInk, colors: U8Array, stroke_color: tuple[int, int, int]) -> U8Array:
    """Draw a frame's lines over a picture of it.

    Args:
        picture: ``(H, W, 3)`` uint8, without lines.
        ink: The lines.
        colors: ``(N, 3)`` uint8, their colours, see :func:`ink_colors`.
        stroke_color: Of the strokes that the film draws itself, which lie below lines.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    below = picture.copy()
    below.reshape(-1, 3)[ink.stroke] = stroke_color
    return lay_ink(below, ink.pixel, ink.coverage, colors)
