"""How far an interpolated frame is from the true one: PSNR, SSIM and interpolation error.

Two kinds of SSIM are in use, and their numbers are far apart:

``published``
    What the test script of AnimeInterp computes, and with it Table 4 of AnimeRun: uniform windows of 7 x 7 pixels,
    sample covariance, and a data range of **2** for pictures in 0..1.  The script asks scikit-image for Gaussian
    windows under a name that ``compare_ssim`` takes and forgets (``gaussian=True``), and leaves the data range to it,
    which gives floats the range from -1 to 1.
``standard``
    As its authors define it (Wang et al., IEEE Transactions on Image Processing 2004, doi:10.1109/TIP.2003.819861):
    Gaussian windows of 11 x 11 pixels with a standard deviation of 1.5, population covariance, data range 1.

Both are means over the channels and over the windows that lie in the picture whole, and both are those of
scikit-image's ``structural_similarity`` with these parameters, a few times as fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""A frame: ``(H, W, 3)`` uint8, RGB."""

MOST_PSNR = 100.0
"""Decibels.  A picture that is right in every pixel has an infinite PSNR, with which no mean can be taken; so this is
the largest one that is given."""


@dataclass(frozen=True)
class Similarity:
    """A kind of SSIM.

    Attributes:
        window: ``(n,)`` float64, the weights of a window along a row and along a column; they sum up to 1.
        data_range: The data range of pictures in 0..1.
        sample_covariance: Whether variances are those of a sample, with ``n * n - 1`` below the sum.
    """

    window: npt.NDArray[np.float64]
    data_range: float
    sample_covariance: bool


def _gaussian(radius: int, deviation: float) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    return weights / weights.sum()


PUBLISHED = Similarity(np.full(7, 1 / 7), 2.0, True)
STANDARD = Similarity(_gaussian(5, 1.5), 1.0, False)

SMALLEST_SIDE = len(STANDARD.window)
"""Pixels: frames that are smaller cannot be measured."""


def mean_squared_error(prediction: Picture, truth: Picture) -> float:
    """The mean over pixels and channels of the squared difference of two frames, in squares of 1/255.

    Args:
        prediction: ``(H, W, 3)`` uint8.
        truth: The same.

    Raises:
        ValueError: The pictures are not of that type, or not of the same size.

    Example:
        >>> black = np.zeros((2, 2, 3), np.uint8)
        >>> mean_squared_error(black + np.uint8(3), black)
        9.0
    """
    difference = _difference(prediction, truth)
    # whole numbers: no order of the sum changes it
    return int((difference * difference).sum(dtype=np.int64)) / difference.size


def psnr(squared_error: float) -> float:
    """The peak signal-to-noise ratio of a mean squared error.

    Args:
        squared_error: As :func:`mean_squared_error` gives it.

    Returns:
        Decibels, at most :data:`MOST_PSNR`.

    Example:
        >>> psnr(255.0**2 / 1000), psnr(0.0)
        (30.0, 100.0)
    """
    if squared_error <= 0:
        return MOST_PSNR
    return min(MOST_PSNR, 10 * math.log10(255**2 / squared_error))


def interpolation_error(prediction: Picture, truth: Picture) -> float:
    """The mean distance of the colours of two frames, as AnimeInterp's test script computes it.

    Args:
        prediction: ``(H, W, 3)`` uint8.
        truth: The same.

    Returns:
        The mean over the pixels of the Euclidean distance of two colours, whose channels go from 0 to 255.

    Raises:
        ValueError: The pictures are not of that type, or not of the same size.

    Example:
        >>> black = np.zeros((2, 2, 3), np.uint8)
        >>> interpolation_error(black + np.array([2, 3, 6], np.uint8), black)
        7.0
    """
    difference = _difference(prediction, truth)
    return float(np.sqrt((difference * difference).sum(axis=2)).mean())


def ssim(prediction: Picture, truth: Picture, kind: Similarity = STANDARD) -> float:
    """The structural similarity of two frames.

    Args:
        prediction: ``(H, W, 3)`` uint8, at least as wide and high as a window.
        truth: The same.
        kind: :data:`STANDARD` or :data:`PUBLISHED`.

    Returns:
        At most 1, and exactly 1 for equal frames.

    Raises:
        ValueError: The pictures are not of that type or too small, or not of the same size.

    Example:
        >>> frame = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
        >>> ssim(frame, frame), ssim(frame, frame[::-1]) < ssim(frame, frame[::-1], PUBLISHED) < 1
        (1.0, True)
    """
    _require(prediction, truth)
    if min(truth.shape[:2]) < len(kind.window):
        raise ValueError(f"pictures must have {len(kind.window)} pixels or more on each side, not {truth.shape[:2]}")
    if np.array_equal(prediction, truth):
        return 1.0
    return float(np.mean([_channel_ssim(prediction[..., channel], truth[..., channel], kind) for channel in range(3)]))


def _channel_ssim(prediction: npt.NDArray[np.uint8], truth: npt.NDArray[np.uint8], kind: Similarity) -> float:
    x: npt.NDArray[np.float64] = prediction / np.float64(255)
    y: npt.NDArray[np.float64] = truth / np.float64(255)
    count = len(kind.window) ** 2
    norm = count / (count - 1) if kind.sample_covariance else 1.0
    mean_x, mean_y = _windows(x, kind), _windows(y, kind)
    variances = norm * (_windows(x * x + y * y, kind) - mean_x * mean_x - mean_y * mean_y)
    covariance = norm * (_windows(x * y, kind) - mean_x * mean_y)
    c1, c2 = (0.01 * kind.data_range) ** 2, (0.03 * kind.data_range) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x * mean_x + mean_y * mean_y + c1) * (variances + c2)
    return float((above / below).mean())


def _windows(values: npt.NDArray[np.float64], kind: Similarity) -> npt.NDArray[np.float64]:
    """The weighted mean over each window that lies in the picture whole."""
    edge = len(kind.window) // 2
    filtered: npt.NDArray[Any] = cv2.sepFilter2D(values, cv2.CV_64F, kind.window, kind.window)
    return filtered[edge:-edge, edge:-edge]


def _difference(prediction: Picture, truth: Picture) -> npt.NDArray[np.int32]:
    _require(prediction, truth)
    return prediction.astype(np.int32) - truth


def _require(prediction: Picture, truth: Picture) -> None:
    if truth.dtype != np.uint8 or truth.ndim != 3 or truth.shape[2] != 3 or truth.size == 0:
        raise ValueError(f"a frame must be (H, W, 3) uint8, not {truth.shape} {truth.dtype}")
    if prediction.dtype != np.uint8 or prediction.shape != truth.shape:
        raise ValueError(
            f"the prediction must be {truth.shape} uint8 as the true frame, not {prediction.shape} {prediction.dtype}"
        )
