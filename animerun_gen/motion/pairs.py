"""All that is asked of the motion between two frames, made some rows at a time.

Where exactly the points of a frame are in another one takes four times the memory of their flow, and nobody asks for it
once their occlusion is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.motion import companions, raster
from animerun_gen.motion.backdrop import BackgroundMotion
from animerun_gen.motion.counterparts import Counterparts
from animerun_gen.motion.flow import Motion, empty_motion, follow_in_bands, hidden_in
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer


@dataclass(frozen=True)
class PairMotion(Motion):
    """The motion from one frame to another, and what else is asked of it; None for what nobody asked for.

    Attributes:
        occluded: ``(H, W)`` bool, see :func:`~animerun_gen.motion.flow.exact_occlusion`.
        switched: ``(H, W)`` bool, see :func:`~animerun_gen.motion.companions.switched_materials`.
        depth_change: ``(H, W)`` float32, see :func:`~animerun_gen.motion.companions.depth_change`.
    """

    occluded: npt.NDArray[np.bool_] | None = None
    switched: npt.NDArray[np.bool_] | None = None
    depth_change: npt.NDArray[np.float32] | None = None


def pair_motion(
    source: FrameGeometry,
    seen: VisibilityBuffer,
    target: FrameGeometry,
    background: BackgroundMotion = "infinity",
    twins: Counterparts | None = None,
    *,
    occlusion: bool = False,
    switched: bool = False,
    depth_change: bool = False,
) -> PairMotion:
    """The exact motion from one frame to another, see :func:`~animerun_gen.motion.flow.compute_motion`.

    Args:
        source: The frame whose pixels the flow is given for.
        seen: What the source frame sees.
        target: The frame the flow points into.
        background: How the world behind all surfaces moves.
        twins: What of the target frame is what of the source frame, where that is known already.
        occlusion: Whether to find which points cannot be seen in the target frame.
        switched: Whether to find which wear another material there.
        depth_change: Whether to find how much farther away they are there.

    Returns:
        What was asked for.
    """
    shape = seen.instance.shape
    motion = empty_motion(shape)
    found = PairMotion(
        motion.flow,
        motion.valid,
        np.empty(shape, bool) if occlusion else None,
        np.empty(shape, bool) if switched else None,
        np.empty(shape, np.float32) if depth_change else None,
    )
    hiding = raster.Hiding(target) if occlusion else None
    for rows, points in follow_in_bands(source, seen, target, background, motion, twins):
        seen_there = VisibilityBuffer(seen.instance[rows], seen.triangle[rows], seen.depth[rows])
        if found.occluded is not None and hiding is not None:
            found.occluded[rows] = hidden_in(points, hiding)
        if found.switched is not None:
            found.switched[rows] = companions.switched_materials(source, seen_there, points, target)
        if found.depth_change is not None:
            found.depth_change[rows] = companions.depth_change(seen_there, points)
    return found
