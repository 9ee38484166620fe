"""Puts the rendered pictures of a frame together: line art, and flat colours under lines.

Freestyle is by far the slowest part of a frame, so it draws once, on white; both pictures with lines come from that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

U8Array = npt.NDArray[np.uint8]


def contour(white_render: U8Array, gamma: float) -> U8Array:
    """Line art from a render of white surfaces with black lines (section 3.2 of the AnimeRun paper).

    Args:
        white_render: ``(H, W)`` uint8, 255 where no line is.
        gamma: The paper's 0.2 makes faint lines strong.

    Returns:
        ``(H, W)`` uint8: ``255 * (in / 255) ** (1 / gamma)``, rounded.
    """
    levels = np.arange(256) / 255.0
    table = np.rint(255.0 * levels ** (1.0 / gamma)).astype(np.uint8)
    return np.ascontiguousarray(table[white_render])


def harden(line_art: U8Array) -> U8Array:
    """Take the partial ink out of line art, so that a pixel is line or is not.

    A frame without anti-aliasing may hold no mixed colours, whatever draws its lines: strokes that EEVEE draws with one
    sample cover about one line pixel in ten only partly (seen in 4.5.15).

    Args:
        line_art: ``(H, W)`` uint8.

    Returns:
        ``(H, W)`` uint8, 0 where the line art is darker than middle grey, 255 elsewhere.
    """
    return np.where(line_art < 128, 0, 255).astype(np.uint8)


def draw_lines(flat: U8Array, line_art: U8Array, color: tuple[int, int, int]) -> U8Array:
    """Lay lines over flat colours.

    Args:
        flat: ``(H, W, 3)`` uint8, the frame without lines.
        line_art: ``(H, W)`` uint8, 255 where no line is, 0 where a line covers the pixel wholly.
        color: Red, green and blue of the lines.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    bare = line_art.astype(np.uint32)[..., None]
    ink = np.array(color, np.uint32)
    mixed = flat.astype(np.uint32) * bare + ink * (255 - bare)
    return ((mixed + 127) // 255).astype(np.uint8)
