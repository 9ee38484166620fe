"""Occlusion by the forward-backward rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.labels.ways_home import ways_home


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
    return ways_home(flow_forward, flow_backward).occluded(threshold)
