"""Where a flow field leads, and what lies there: the two questions that all labels made from flow ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.labels.kernels import between_pixels


@dataclass(frozen=True)
class FlowTargets:
    """Where the pixels of the source frame lie in the target frame; see :func:`flow_targets`."""

    pixel: npt.NDArray[np.intp]
    """``(N,)``: flat index (``row * width + column``) of each source pixel that has a target, in raster order."""
    x: npt.NDArray[np.float64]
    """``(N,)``: column coordinate of each target, ``-0.5 <= x < width - 0.5``."""
    y: npt.NDArray[np.float64]
    """``(N,)``: row coordinate of each target, ``-0.5 <= y < height - 0.5``."""


def flow_targets(flow: npt.NDArray[np.floating[Any]], among: npt.NDArray[np.bool_] | None = None) -> FlowTargets:
    """The targets of all pixels whose motion is known and stays inside the frame.

    In float64: a float32 coordinate near column 1000 would already be rounded to 6e-5 pixels.

    Args:
        flow: ``(H, W, 2)`` float32, pixels; see :mod:`animerun_gen.conventions`.
        among: ``(H, W)`` bool: only these source pixels; all of them by default.

    Raises:
        ValueError: the shapes are not these, or the mask is not bool.
    """
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f"a flow field must be (H, W, 2), not {flow.shape}")
    if among is not None:
        require_mask("the mask", among, flow.shape[:2])
    everywhere = np.ones(flow.shape[:2], np.bool_) if among is None else np.ascontiguousarray(among)
    return FlowTargets(*between_pixels.flow_targets(np.ascontiguousarray(flow), everywhere))


def sample_bilinear(
    picture: npt.NDArray[Any], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Bilinear samples; up to half a pixel outside the outermost pixel centres the border pixels continue.

    OpenCV's ``remap`` rounds the coordinates to 1/32 pixel, which is too coarse to decide a label by.

    Args:
        picture: ``(H, W)`` or ``(H, W, C)``, finite.
        x: ``(N,)`` float64 column coordinates.
        y: ``(N,)`` float64 row coordinates.

    Returns:
        ``(N,)`` or ``(N, C)`` float64; where all four pixels around a place are equal exactly their value, so a still
        picture samples to itself; NaN where a coordinate is.

    Raises:
        ValueError: the coordinates are not two arrays ``(N,)``, or there is nothing to sample.
    """
    if x.ndim != 1:
        raise ValueError(f"the coordinates to sample at must be (N,), not {x.shape}")
    require_shape("the row coordinates", y, x.shape)
    height, width = picture.shape[:2]
    if height * width == 0 and len(x):
        raise ValueError(f"a picture without pixels, of the shape {picture.shape}, cannot be sampled")
    pixels = np.ascontiguousarray(picture).ravel()
    # Compiled for few types: what else there is, float64 holds exactly (integers up to 2**53).
    if pixels.dtype not in (np.uint8, np.float32):
        pixels = pixels.astype(np.float64, copy=False)
    channels = between_pixels.sample_bilinear(
        pixels,
        picture.shape[2] if picture.ndim == 3 else 1,
        width,
        height,
        np.ascontiguousarray(x, np.float64),
        np.ascontiguousarray(y, np.float64),
    )
    return channels.T if picture.ndim == 3 else channels[0]


def require_shape(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raises a ValueError that says so if an array has not the shape that it must have."""
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, not {array.shape}")


def require_mask(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """The same for a mask, which must be bool too: the dataset's integer masks have the opposite meaning on disk."""
    require_shape(name, array, shape)
    if array.dtype != np.bool_:
        raise ValueError(f"{name} must be bool, not {array.dtype}")
