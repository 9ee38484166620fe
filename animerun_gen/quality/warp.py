"""How well a flow field explains one frame by the other.

Two ways to look up the target frame between its pixels:

``point``
    The closest, in colour, of the up to four pixels around the place.  A frame without anti-aliasing holds point
    samples, never mixtures, so this asks the right question: is the surface that the flow promises there?  Exact flow
    of flat frames then leaves about 0.0001, and a shift by one pixel raises that eightfold or more.
``bilinear``
    What is usually taken.  It invents mixed colours along every boundary, so exact flow of the same frames leaves
    0.002, which a shift by one pixel merely doubles.  But it sees shifts of less than a pixel.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from animerun_gen.labels.sampling import flow_targets, require_mask, require_shape, sample_bilinear

Sampling = Literal["point", "bilinear"]

ON_THE_PIXEL = 1e-3
"""A place at most so many pixels from a pixel centre, in x or y, takes no part of the pixel beyond it."""


def warp_difference(
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_] | None = None,
    sampling: Sampling = "point",
) -> npt.NDArray[np.float64]:
    """Absolute difference between the source frame and the target frame warped back onto it, pixel by pixel.

    Args:
        source: ``(H, W)`` or ``(H, W, C)``, the frame that the flow starts from; uint8, or floats in 0..1.
        target: the frame that the flow leads to, of the same shape and dtype.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart; by default nowhere.
        sampling: how to look up the target between its pixels; see above.

    Returns:
        ``(H, W)`` float64 in 0..1, the mean over the channels; NaN where there is nothing to compare: occluded, motion
        unknown, target outside the frame.

    Raises:
        ValueError: the shapes or dtypes do not agree, a picture is neither uint8 nor float, or the mask is not bool.
    """
    if source.ndim not in (2, 3):
        raise ValueError(f"a picture must be (H, W) or (H, W, C), not {source.shape}")
    require_shape("the target frame", target, source.shape)
    require_shape("the flow", flow, (*source.shape[:2], 2))
    if source.dtype != target.dtype or not (source.dtype == np.uint8 or np.issubdtype(source.dtype, np.floating)):
        raise ValueError(f"both pictures must be uint8 or both float, not {source.dtype} and {target.dtype}")
    if occlusion is not None:
        require_mask("the occlusion mask", occlusion, source.shape[:2])
    targets = flow_targets(flow, among=None if occlusion is None else ~occlusion)
    here = np.atleast_3d(source).reshape(-1, np.atleast_3d(source).shape[2])[targets.pixel].astype(np.float64)
    there = np.atleast_3d(target)
    if sampling == "bilinear":
        difference = np.abs(sample_bilinear(there, targets.x, targets.y) - here).mean(axis=1)
    else:
        difference = _closest(there, targets.x, targets.y, here)
    if source.dtype == np.uint8:
        difference /= 255
    everywhere = np.full(flow.shape[:2], np.nan)
    everywhere.ravel()[targets.pixel] = difference
    return everywhere


def warp_error(
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_] | None = None,
    sampling: Sampling = "point",
) -> float:
    """Mean absolute difference of a frame and the other one warped back onto it (section 3.1 of the paper).

    The paper keeps pairs whose warp error is at most 0.01.

    Args:
        source: ``(H, W)`` or ``(H, W, C)``, the frame that the flow starts from; uint8, or floats in 0..1.
        target: the frame that the flow leads to, of the same shape and dtype.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart; by default nowhere.
        sampling: how to look up the target between its pixels; see above.

    Returns:
        The mean of :func:`warp_difference` over the pixels where it is not NaN, 0..1; NaN if there is no such pixel.

    Raises:
        ValueError: the shapes or dtypes do not agree, a picture is neither uint8 nor float, or the mask is not bool.
    """
    return mean_difference(warp_difference(source, target, flow, occlusion, sampling))


def _closest(
    target: npt.NDArray[Any], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], color: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """``(N,)``: the smallest mean difference of ``color`` (N, C) from the pixels around each place."""
    height, width = target.shape[:2]
    pixels = target.reshape(height * width, -1)
    columns = [np.clip(np.floor(x + shift).astype(np.intp), 0, width - 1) for shift in (ON_THE_PIXEL, 1 - ON_THE_PIXEL)]
    rows = [np.clip(np.floor(y + shift).astype(np.intp), 0, height - 1) for shift in (ON_THE_PIXEL, 1 - ON_THE_PIXEL)]
    closest = np.full(len(x), np.inf)
    for row in rows:
        for column in columns:
            difference = np.zeros(len(x))
            for channel in range(pixels.shape[1]):
                difference += np.abs(pixels[row * width + column, channel] - color[:, channel])
            np.minimum(closest, difference, out=closest)
    return closest / pixels.shape[1]


def mean_difference(difference: npt.NDArray[np.float64]) -> float:
    """The mean of a :func:`warp_difference`; NaN if it holds nothing else."""
    compared = difference[~np.isnan(difference)]
    return float(compared.mean()) if compared.size else float("nan")
