"""Compares the flow from geometry with the one from Cycles' Vector pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.flow import Motion


def compare_flows(motion: Motion, other: npt.NDArray[np.float32], surface: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """How another flow differs from the exact one.

    Args:
        motion: The exact motion.
        other: ``(H, W, 2)`` float32, the other flow in pixels.
        surface: ``(H, W)`` bool, where a surface is seen; only there both flows are compared.

    Returns:
        ``compared_share`` of all pixels, and ``median``, ``p99`` and ``largest`` end-point difference in pixels, None
        where nothing could be compared.
    """
    compared = motion.valid & surface
    difference = np.linalg.norm(motion.flow[compared].astype(np.float64) - other[compared], axis=-1)
    figures: dict[str, Any] = {"compared_share": float(compared.mean())}
    for name, quantile in (("median", 0.5), ("p99", 0.99), ("largest", 1.0)):
        figures[name] = float(np.quantile(difference, quantile)) if len(difference) else None
    return figures
