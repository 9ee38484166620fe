"""Occlusion by the forward-backward rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.labels.sampling import flow_targets, require_shape, sample_bilinear


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
    require_shape("the backward flow", flow_backward, flow_forward.shape)
    targets = flow_targets(flow_forward)
    known = known_flow(flow_backward)
    # Unknown must not reach the interpolation, where 1e10 times a small weight would look like a motion.
    back_x, back_y = (np.where(known, flow_backward[..., axis], np.float32(0)) for axis in (0, 1))
    back = sample_bilinear(np.dstack([back_x, back_y, ~known]), targets.x, targets.y)
    away_x = flow_forward[..., 0].ravel()[targets.pixel] + back[:, 0]
    away_y = flow_forward[..., 1].ravel()[targets.pixel] + back[:, 1]
    visible = (np.hypot(away_x, away_y) <= threshold) & (back[:, 2] == 0)
    occluded = np.ones(known.size, np.bool_)
    occluded[targets.pixel[visible]] = False
    return occluded.reshape(known.shape)
