"""Pictures for the pages, as few bytes as will do: label maps exactly, colours as well as the budget allows.

The colours of flow are rounded and then kept lossless: what lossy compression adds at the edges of its blocks would
look like wrong flow.

A label map becomes the colours of a lossless WebP picture (red the low byte, then green and blue), which a browser
gives back exactly.  A colour picture is kept lossless where that is not larger than lossy: flat colours compress so
well that it mostly is not.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

U8Array = npt.NDArray[np.uint8]

_LOSSLESS = 101
"""OpenCV's way to ask for lossless WebP: any quality beyond 100."""

MANY_COLORS = 500
"""Beyond so many colours lossless is not tried: it takes ten times as long.

Flat-coloured frames of the toy cuts and films have up to 60 and are smaller lossless, textured ones 1200 and more and
are four times as large."""

_TO_BGR = {1: cv2.COLOR_GRAY2BGR, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
"""What brings a picture of so many channels into the order in which OpenCV writes it."""

WARP_LEVELS = 15
"""Steps in which the warp difference is kept; 0 stands for "nothing to compare" besides."""

WARP_FULL = 0.25
"""Warp difference (0..1) from which on it has the brightest color."""

# From violet over red and yellow to white behind black for none: brightness alone tells the order.
_HEAT = ((70, 24, 120), (150, 32, 112), (214, 62, 66), (248, 138, 26), (252, 220, 90), (255, 255, 240))

NOTHING_TO_COMPARE = (38, 52, 66)
"""The color where there is no warp difference; no heat color is near it."""


def encode_index(plane: npt.NDArray[Any]) -> bytes:
    """A map of numbers as a lossless WebP picture.

    Args:
        plane: ``(H, W)`` integers, 0 to 2^24 - 1.

    Raises:
        ValueError: a number does not fit.
    """
    if plane.size and (plane.min() < 0 or plane.max() >= 1 << 24):
        raise ValueError(f"numbers from 0 to {(1 << 24) - 1} fit into a picture, not {plane.min()} to {plane.max()}")
    numbers = plane.astype(np.uint32)
    bgr = np.stack([numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255], axis=-1).astype(np.uint8)
    return _webp(bgr, _LOSSLESS)


def decode_index(data: bytes) -> npt.NDArray[np.uint32]:
    """What :func:`encode_index` was given, ``(H, W)``; the page's script does the same on a canvas."""
    blue, green, red = np.moveaxis(
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(np.uint32), 2, 0
    )
    numbers: npt.NDArray[np.uint32] = red | green << 8 | blue << 16
    return numbers


def encode_picture(picture: U8Array, quality: int) -> bytes:
    """A picture as WebP, lossless where that is not larger.

    Args:
        picture: ``(H, W, 3)`` RGB, ``(H, W, 4)`` RGBA or ``(H, W)`` grey, uint8.
        quality: 1..100, of the lossy picture; alpha is never lossy.
    """
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    bgr = cv2.cvtColor(picture, _TO_BGR[channels])
    lossy = _webp(bgr, quality)
    numbers = bgr[::2, ::2, :3].reshape(-1, 3) @ np.array([1, 256, 65536])
    if len(np.unique(numbers)) > MANY_COLORS:
        return lossy
    lossless = _webp(bgr, _LOSSLESS)
    return lossless if len(lossless) <= len(lossy) else lossy


def encode_flow(colors: U8Array, step: int) -> bytes:
    """The colours of flow as a lossless WebP picture without any block or blur.

    Args:
        colors: ``(H, W, 3)`` RGB, uint8.
        step: Each channel is rounded to a multiple of it, or to 255, which is off by ``step / 2`` at most; 1 keeps the
            colours as they are.  Four make the file half as large, and no eye sees them.  Black, which is unknown
            motion, stays black, and white stays white.
    """
    rounded = np.minimum((colors.astype(np.uint16) + step // 2) // step * step, 255).astype(np.uint8)
    return _webp(cv2.cvtColor(rounded, cv2.COLOR_RGB2BGR), _LOSSLESS)


def _webp(bgr: npt.NDArray[Any], quality: int) -> bytes:
    return cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def warp_levels(difference: npt.NDArray[np.float64]) -> U8Array:
    """A warp difference in steps.

    Args:
        difference: ``(H, W)`` 0..1, NaN where there is nothing to compare.

    Returns:
        ``(H, W)``: 0 where there is nothing to compare, else 1 (no difference) to :data:`WARP_LEVELS`.
    """
    share = np.clip(np.nan_to_num(difference) / WARP_FULL, 0, 1)
    return np.where(np.isnan(difference), 0, 1 + np.rint(share * (WARP_LEVELS - 1))).astype(np.uint8)


def warp_palette() -> U8Array:
    """``(WARP_LEVELS + 1, 3)`` RGB: the color of each level of :func:`warp_levels`."""
    places = np.linspace(0, len(_HEAT) - 1, WARP_LEVELS - 1)
    heat = np.array(_HEAT, np.float64)
    channels = [np.interp(places, np.arange(len(_HEAT)), heat[:, channel]) for channel in range(3)]
    return np.concatenate([[NOTHING_TO_COMPARE, (0, 0, 0)], np.rint(np.stack(channels, axis=1))]).astype(np.uint8)


def shrink_colors(picture: U8Array, size: tuple[int, int]) -> U8Array:
    """A colour or grey picture at ``(width, height)``, each pixel the mean of what it covers."""
    return picture if _fits(picture, size) else cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def shrink_labels(plane: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """A label map at ``(width, height)``, each pixel one of those that it covers."""
    if _fits(plane, size):
        return plane
    width, height = size
    rows = (np.arange(height) * 2 + 1) * plane.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * plane.shape[1] // (2 * width)
    return plane[rows[:, None], columns]


def shrink_maxima(levels: U8Array, size: tuple[int, int]) -> U8Array:
    """Levels at ``(width, height)``, each pixel the largest around it, so that a lone wrong pixel stays visible."""
    if _fits(levels, size):
        return levels
    # as far as the pixels that are picked lie apart
    reach = [2 * (-(-side // small) // 2) + 1 for side, small in zip(levels.shape, size[::-1], strict=True)]
    return shrink_labels(cv2.dilate(levels, np.ones(reach, np.uint8)), size)


def _fits(picture: npt.NDArray[Any], size: tuple[int, int]) -> bool:
    return (picture.shape[1], picture.shape[0]) == size
