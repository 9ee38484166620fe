"""Which pixels of line art are line, and which lie near one."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.labels.kernels.near_lines import find_near, make_exact


def line_pixels(line_art: npt.NDArray[np.uint8], threshold: int = 128) -> npt.NDArray[np.bool_]:
    """The pixels of line art on white paper that are line.

    A pixel of coloured line art counts by its darkest channel: a pure yellow or red line is as much a line as a black
    one, although it is bright.

    Args:
        line_art: ``(H, W)`` or ``(H, W, 3)`` uint8.
        threshold: a pixel darker than this is a line.

    Returns:
        ``(H, W)`` bool.

    Raises:
        ValueError: ``line_art`` is not such a picture.
    """
    if line_art.dtype != np.uint8 or not (line_art.ndim == 2 or (line_art.ndim == 3 and line_art.shape[2] == 3)):
        raise ValueError(f"line art must be (H, W) or (H, W, 3) uint8, not {line_art.shape} {line_art.dtype}")
    if line_art.shape[0] == 0 or line_art.shape[1] == 0:
        raise ValueError(f"line art must have at least one pixel, not the shape {line_art.shape}")
    channels = [line_art] if line_art.ndim == 2 else cv2.split(line_art)
    darkest = functools.reduce(np.minimum, channels)
    return darkest < threshold


def line_area(line_art: npt.NDArray[np.uint8], distance: float = 10, threshold: int = 128) -> npt.NDArray[np.bool_]:
    """The pixels at or near a line, where the paper reports flow errors apart from the flat areas (section 4).

    Args:
        line_art: ``(H, W)`` or ``(H, W, 3)`` uint8, dark lines on white.
        distance: how far the area reaches, in pixels, Euclidean, from pixel centre to pixel centre, itself included.
        threshold: a pixel darker than this is a line; see :func:`line_pixels`.

    Returns:
        ``(H, W)`` bool, True within ``distance`` of a line pixel; all False where there is no line at all.

    Raises:
        ValueError: ``line_art`` is not such a picture.
    """
    lines = line_pixels(line_art, threshold)
    farthest = min(distance, math.hypot(*lines.shape))
    if not farthest >= 0:
        return np.zeros(lines.shape, np.bool_)
    # of whole numbers the largest whose root, as float32, is no larger: the same comparison as of distances
    roots = np.sqrt(np.arange(int(np.ceil(farthest + 1)) ** 2 + 1, dtype=np.float64)).astype(np.float32)
    largest = int(np.flatnonzero(roots <= farthest)[-1])
    half_widths = np.array([math.isqrt(largest - row * row) for row in range(math.isqrt(largest) + 1)])
    near: npt.NDArray[np.bool_] = find_near(np.ascontiguousarray(lines), half_widths)
    return near


def distance_from(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """``(H, W)`` float32: the exact Euclidean distance of each pixel from the nearest True one (there must be one).

    OpenCV rounds its distances one way or another with the number of threads and the place of the picture in memory,
    and a label that hangs on a comparison would change from run to run.  But the square of a distance is a whole
    number, from which all its answers are less than 0.3 away, up to 1000 pixels and more.
    """
    distance = np.asarray(cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    make_exact(distance.ravel())
    return distance
