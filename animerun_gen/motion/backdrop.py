"""How the world behind all surfaces moves, and whether two frames were seen by one camera."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.geometry import Camera

BackgroundMotion = Literal["infinity", "static", "invalid"]

SAME_DIRECTION = 1e-12
"""Largest squared difference of two unit view directions that count as equal (float32 matrices)."""


def is_same_camera(source: Camera, target: Camera) -> bool:
    """Whether two frames were seen by one camera, which may have moved, and not by two that were cut together."""
    return source.name == target.name


def backdrop(
    source: Camera, target: Camera, background: BackgroundMotion
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How the background moves.

    Args:
        source: The camera of the frame that the flow is given for.
        target: The camera of the frame that it points into.
        background: As :func:`~animerun_gen.motion.flow.compute_motion` takes it.

    Returns:
        Two ``(4, 3)`` matrices that take ``(x, y, 1)``, the place of a background pixel, to its homogeneous pixels in
        the source frame, again, and in the target frame; NaN where the motion is unknown.
    """
    unknown = np.full((4, 3), np.nan)
    if background == "invalid" or not is_same_camera(source, target):
        return unknown, unknown
    if background == "static":
        still = np.ascontiguousarray(np.eye(4)[:, [0, 1, 3]])
        return still, still
    if source.is_orthographic != target.is_orthographic:
        return unknown, unknown
    to_device = np.array(
        [
            [2.0 / source.width, 0.0, 1.0 / source.width - 1.0],
            [0.0, -2.0 / source.height, 1.0 - 1.0 / source.height],
            [0.0, 0.0, 1.0],
            [0.0, 0.0, 1.0],
        ]
    )
    far = np.linalg.inv(source.projection) @ to_device
    if source.is_orthographic:
        turned = source.world[:3, 2] - target.world[:3, 2]
        if turned @ turned > SAME_DIRECTION:
            return unknown, unknown
    else:
        # a direction: the fourth component says that no translation reaches it
        far[3] = 0.0
    points = source.world @ far
    return source.pixel_matrix() @ points, target.pixel_matrix() @ points
