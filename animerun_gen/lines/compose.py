"""Puts the rendered pictures of a frame together: line art, and flat colours under lines.

Freestyle is by far the slowest part of a frame, so it draws once, on white; both pictures with lines come from that.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

U8Array = npt.NDArray[np.uint8]

OUTLINE_GREYS = np.array([255, 225, 188, 137, 0], np.uint8)
"""What Workbench makes of a white pixel none, one, two, three or four of whose neighbours belong to other objects."""


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


def outline(surface: npt.NDArray[np.integer[Any]]) -> U8Array:
    """Workbench's outline of objects, black on white, from what each pixel shows.

    Workbench counts for every pixel how many of the four beside, above and below it belong to another object, and mixes
    so many quarters of black into it.  Of the pixels that it inks, as Blender 4.5.15 draws them, 1 to 3 in a thousand
    differ from these in the shared film shots: those whose object two rasterisers see differently.  What is drawn here
    agrees with the labels.

    Args:
        surface: ``(H, W)`` integers, which object each pixel shows.

    Returns:
        ``(H, W)`` uint8, 255 where no line is.
    """
    others = np.zeros(surface.shape, np.uint8)
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        is_border = surface[first] != surface[second]
        others[first] += is_border
        others[second] += is_border
    return OUTLINE_GREYS[others]


def close_outlines(line_art: U8Array, surface: npt.NDArray[np.integer[Any]], depth: npt.NDArray[np.float64]) -> U8Array:
    """Complete line art so that no two pixels of different surfaces touch without a line.

    Where objects cut through each other, there is neither an edge for Freestyle nor a step in depth for Workbench's
    outline, which leaves dots there.  Of two pixels side by side or one above the other that no line parts yet the
    farther one becomes line, so nearer shapes keep their extent; at one depth it is the right or lower one.

    Args:
        line_art: ``(H, W)`` uint8, 0 on lines, 255 elsewhere.
        surface: ``(H, W)`` integers, which surface each pixel shows.
        depth: ``(H, W)`` float64, distance along the view axis.

    Returns:
        ``(H, W)`` uint8: the line art and the lines that it lacked.
    """
    closed = line_art.copy()
    for first, second in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        open_border = (surface[first] != surface[second]) & (closed[first] == 255) & (closed[second] == 255)
        first_is_farther = depth[first] > depth[second]
        closed[first][open_border & first_is_farther] = 0
        closed[second][open_border & ~first_is_farther] = 0
    return closed


def cover_lines(
    strokes: U8Array, covering: npt.NDArray[np.bool_], depth: npt.NDArray[np.float64], reach: int
) -> U8Array:
    """Take the lines out that lie behind surfaces which whoever drew them did not know.

    A line on such a surface can only be meant for something nearer, over whose border it reaches by half its thickness.

    Args:
        strokes: ``(H, W)`` uint8, 255 where no line is.
        covering: ``(H, W)`` bool, pixels that show a surface which the lines do not know.
        depth: ``(H, W)`` float64, distance along the view axis.
        reach: Pixels by which a line reaches over the border that it is drawn on.

    Returns:
        ``(H, W)`` uint8: the lines without those behind the covering surfaces.
    """
    size = 2 * reach + 1
    known = np.where(covering, np.inf, depth)
    nearest_known = cv2.erode(known, np.ones((size, size), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.where(covering & ~(nearest_known < depth), 255, strokes).astype(np.uint8)


def draw_lines(flat: U8Array, line_art: U8Array, color: tuple[int, int, int]) -> U8Array:
    """Lay lines over flat colours.

    Args:
        flat: ``(H, W, 3)`` uint8, the frame without lines.
        line_art: ``(H, W)`` uint8, 255 where no line is, 0 where a line covers the pixel wholly.
        color: Red, green and blue of the lines.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    drawn = flat.copy()
    # a tenth of the pixels, in which all the work is
    covered = line_art < 255
    bare = line_art[covered].astype(np.uint32)[:, None]
    mixed = flat[covered].astype(np.uint32) * bare + np.array(color, np.uint32) * (255 - bare)
    drawn[covered] = (mixed + 127) // 255
    return drawn


def lay_ink(picture: U8Array, pixels: npt.NDArray[np.integer[Any]], coverage: U8Array, colors: U8Array) -> U8Array:
    """Lay lines over a picture.

    Args:
        picture: ``(H, W, 3)`` uint8.
        pixels: ``(N,)`` pixels that lines cover, row times width plus column, none of them twice.
        coverage: ``(N,)`` uint8, how much of each; 255 for all.
        colors: ``(N, 3)`` uint8, the line's colour there.

    Returns:
        ``(H, W, 3)`` uint8.

    Example:
        >>> white, black = np.full((1, 2, 3), 255, np.uint8), np.zeros((1, 3), np.uint8)
        >>> lay_ink(white, np.array([1]), np.array([51], np.uint8), black).tolist()
        [[[255, 255, 255], [204, 204, 204]]]
    """
    drawn = picture.copy()
    flat, share = drawn.reshape(-1, 3), coverage.astype(np.uint32)[:, None]
    mixed = flat[pixels].astype(np.uint32) * (255 - share) + colors.astype(np.uint32) * share
    flat[pixels] = (mixed + 127) // 255
    return drawn
