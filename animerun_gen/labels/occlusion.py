"""Occlusion by the forward-backward rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW_THRESHOLD
from animerun_gen.labels.kernels.occluded import find_occluded
from animerun_gen.labels.sampling import require_shape


def occlusion_mask(
    flow_forward: npt.NDArray[np.float32], flow_backward: npt.NDArray[np.float32], threshold: float = 0.5
) -> npt.NDArray[np.bool_]:
    """The pixels that have no counterpart in the other frame, by the forward-backward rule (section 3.2 of the paper).

    A visible point moves to its target and the backward flow there brings it home.  A pixel is occluded where

    * the forward flow plus the backward flow at the target is longer than ``threshold``,
    * the target lies outside the frame (``x < -0.5`` or ``x >= width - 0.5``, likewise ``y``), or
    * nothing can be said: the forward flow is unknown, or one of the up to four backward vectors that the bilinear
      sample at the target mixes (with any weight above 0) is.

    For the occlusion of the backward flow swap the two.

    Args:
        flow_forward: ``(H, W, 2)`` float32, pixels, from the frame whose mask is wanted to the other one.
        flow_backward: ``(H, W, 2)`` float32, pixels, back again.
        threshold: pixels; exactly that far from home is still visible.

    Returns:
        ``(H, W)`` bool, True where occluded.

    Raises:
        ValueError: a flow is not ``(H, W, 2)`` or the two differ in shape.
    """
    if flow_forward.ndim != 3 or flow_forward.shape[2] != 2:
        raise ValueError(f"a flow field must be (H, W, 2), not {flow_forward.shape}")
    require_shape("the backward flow", flow_backward, flow_forward.shape)
    occluded: npt.NDArray[np.bool_] = find_occluded(
        np.ascontiguousarray(flow_forward),
        np.ascontiguousarray(flow_backward).ravel(),
        float(threshold),
        UNKNOWN_FLOW_THRESHOLD,
    )
    return occluded
