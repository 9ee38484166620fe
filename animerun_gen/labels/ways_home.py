"""Where the way there and back ends: what the occlusion rule decides by, and what the quality gate judges flow by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW_THRESHOLD
from animerun_gen.labels.kernels.ways_home import find_ways_home
from animerun_gen.labels.sampling import require_shape

MOVING = 0.1
"""Pixels; a shorter motion is none: before a still background, its pixels would outvote those that can be wrong."""


@dataclass(frozen=True)
class WaysHome:
    """How far from where it began the way of each pixel into the other frame and back ends.

    Attributes:
        away: ``(H, W)`` float64, pixels, with the bilinear sample of the flow back at the target; NaN where nothing can
            be said: the flow is unknown or leads out of the frame, or one of the up to four vectors that the sample
            mixes (with any weight above 0) is unknown.
        closest: ``(H, W)`` float64, pixels, the smallest distance with this sample or one of the vectors that it mixes;
            NaN also where nothing moves, one way or the other, by more than :data:`MOVING`.
    """

    away: npt.NDArray[np.float64]
    closest: npt.NDArray[np.float64]

    def occluded(self, threshold: float) -> npt.NDArray[np.bool_]:
        """``(H, W)`` bool, True where a pixel does not come home to ``threshold`` pixels, or nothing can be said."""
        occluded: npt.NDArray[np.bool_] = ~(self.away <= threshold)
        return occluded


def ways_home(flow: npt.NDArray[np.float32], back: npt.NDArray[np.float32]) -> WaysHome:
    """The ways there and back of all pixels.

    Args:
        flow: ``(H, W, 2)`` float32, pixels.
        back: ``(H, W, 2)`` float32, pixels, in the other direction.

    Raises:
        ValueError: a flow is not ``(H, W, 2)`` or the two differ in shape.
    """
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f"a flow field must be (H, W, 2), not {flow.shape}")
    require_shape("the backward flow", back, flow.shape)
    ways = WaysHome(np.empty(flow.shape[:2]), np.empty(flow.shape[:2]))
    find_ways_home(
        np.ascontiguousarray(flow),
        np.ascontiguousarray(back).ravel(),
        UNKNOWN_FLOW_THRESHOLD,
        MOVING,
        ways.away,
        ways.closest,
    )
    return ways
