"""Backward warping: a frame as its pixels were moved, looked up where each of them is in another frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.labels.sampling import sample_bilinear

Float64Array = npt.NDArray[np.float64]


def warp_back(picture: npt.NDArray[Any], flow: npt.NDArray[np.float32]) -> Float64Array:
    """Look each pixel up in another frame.

    Args:
        picture: ``(H, W, C)``, that other frame.
        flow: ``(H, W, 2)`` float32, pixels: the motion into it.  Unknown motion counts as none.

    Returns:
        ``(H, W, C)`` float64, bilinear samples; beyond its border the frame continues with the pixels there.

    Raises:
        ValueError: The shapes do not agree.

    Example:
        >>> row = np.array([[[10.0], [20.0], [40.0]]])
        >>> warp_back(row, np.float32([[[1, 0], [0.5, 0], [0, 0]]]))[0, :, 0].tolist()
        [20.0, 30.0, 40.0]
    """
    height, width = picture.shape[:2]
    if picture.ndim != 3 or flow.shape != (height, width, 2):
        raise ValueError(f"a picture must be (H, W, C) and its flow (H, W, 2), not {picture.shape} and {flow.shape}")
    moves = np.where(known_flow(flow)[..., None], flow, np.float32(0)).astype(np.float64)
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns + moves[..., 0]).ravel(), (rows + moves[..., 1]).ravel()
    return sample_bilinear(picture, x, y).reshape(picture.shape)


def color_difference(
    first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], flow: npt.NDArray[np.float32]
) -> Float64Array:
    """How far the colour of each pixel is from the one that its flow leads to.

    Args:
        first: ``(H, W, 3)`` uint8, the frame that the flow starts from.
        second: ``(H, W, 3)`` uint8, the frame that it leads to.
        flow: ``(H, W, 2)`` float32, pixels.

    Returns:
        ``(H, W)`` float64, the mean absolute difference of the channels, 0..1.

    Raises:
        ValueError: The shapes do not agree.
    """
    difference: Float64Array = np.abs(first - warp_back(second, flow)).mean(axis=2) / 255
    return difference
