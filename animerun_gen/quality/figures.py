"""The figures of one pair of frames, as they are written to ``quality/<cut>.json``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.quality.warp import warp_error


def pair_figures(
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_],
    *,
    source_flat: npt.NDArray[Any] | None = None,
    target_flat: npt.NDArray[Any] | None = None,
) -> dict[str, float | None]:
    """What can be said in numbers about a pair of frames and the flow in one direction.

    Args:
        source: ``(H, W, 3)`` uint8, the frame that the flow starts from.
        target: ``(H, W, 3)`` uint8, the frame that the flow leads to.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart, as
            :func:`~animerun_gen.labels.occlusion_mask` gives it (pixels of unknown motion are among them).
        source_flat: the source frame without lines, if there is one.
        target_flat: the target frame without lines.

    Returns:
        A dictionary ready for standard JSON, the same keys always; None where a figure cannot be had:

        ``warp_error``, ``warp_error_bilinear``
            mean absolute difference outside occlusions, 0..1, by either sampling of :mod:`animerun_gen.quality.warp`;
            None if everything is occluded
        ``warp_error_flat``, ``warp_error_flat_bilinear``
            the same of the frames without lines; None without such frames
        ``occluded_share``, ``invalid_share``
            share of the frame's pixels, 0..1, that are occluded / whose motion is unknown
        ``largest_motion``, ``median_motion``
            length of the motion in pixels, where it is known; None if nowhere

    Raises:
        ValueError: the shapes or dtypes do not agree, the mask is not bool, or only one flat frame is given.
    """
    if (source_flat is None) != (target_flat is None):
        raise ValueError("give both frames without lines, or neither")
    known = known_flow(flow)
    motion = np.hypot(flow[..., 0][known].astype(np.float64), flow[..., 1][known].astype(np.float64))
    figures = {
        "warp_error": warp_error(source, target, flow, occlusion),
        "warp_error_bilinear": warp_error(source, target, flow, occlusion, "bilinear"),
        "warp_error_flat": math.nan,
        "warp_error_flat_bilinear": math.nan,
        "occluded_share": float(np.mean(occlusion)),
        "invalid_share": 1 - float(np.mean(known)),
        "largest_motion": float(motion.max()) if motion.size else math.nan,
        "median_motion": float(np.median(motion)) if motion.size else math.nan,
    }
    if source_flat is not None and target_flat is not None:
        figures["warp_error_flat"] = warp_error(source_flat, target_flat, flow, occlusion)
        figures["warp_error_flat_bilinear"] = warp_error(source_flat, target_flat, flow, occlusion, "bilinear")
    # Nine decimals: the order in which a processor adds up a sum shows only after that.
    return {name: None if math.isnan(value) else round(value, 9) for name, value in figures.items()}
