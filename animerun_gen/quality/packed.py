"""Pictures with the colour of a pixel as one number: two colours are compared at once, and differ by whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled

kernel = compiled.kernels(__name__)

SCALE = 1 / 3 / 255
"""What makes of the distance of two colours the mean of their channels' differences in 0..1."""


def pack(*pictures: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Pack the colours of pictures of one shape.

    Args:
        pictures: ``(H, W, 3)`` uint8 each.

    Returns:
        ``(P, H * W)`` int32: red times 65536, green times 256 and blue, added up.

    Raises:
        ValueError: a picture is not ``(H, W, 3)`` uint8, or has another shape than the first one.

    Example:
        >>> hex(pack(np.array([[[1, 2, 3]]], np.uint8))[0, 0])
        '0x10203'
    """
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"a picture must be (H, W, 3) uint8, not {picture.shape} {picture.dtype}")
        if picture.shape != pictures[0].shape:
            raise ValueError(f"pictures must have one shape, not {pictures[0].shape} and {picture.shape}")
    packed = np.empty((len(pictures), pictures[0].shape[0] * pictures[0].shape[1]), np.int32)
    for row, picture in zip(packed, pictures, strict=True):
        _pack(np.ascontiguousarray(picture).ravel(), row)
    return packed


@kernel
def _pack(picture, packed):  # type: ignore[no-untyped-def]
    for pixel in range(len(packed)):
        red, green, blue = picture[3 * pixel], picture[3 * pixel + 1], picture[3 * pixel + 2]
        packed[pixel] = np.int32(red) << 16 | np.int32(green) << 8 | np.int32(blue)


@kernel
def color_distance(one, other):  # type: ignore[no-untyped-def]
    """Sum over the channels of the difference of two colours, a whole number."""
    red = abs(channel(one, 16) - channel(other, 16))
    return red + abs(channel(one, 8) - channel(other, 8)) + abs(channel(one, 0) - channel(other, 0))


@kernel
def channel(color, shift):  # type: ignore[no-untyped-def]
    """Red (``shift`` 16), green (8) or blue (0) of a colour, int64."""
    return np.int64(color) >> shift & 0xFF
