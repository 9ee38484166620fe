"""Reads motion from the Vector pass of Cycles, as the AnimeRun paper did, and knows when that pass is wrong.

The pass holds, for each pixel, the way back to the frame before in its first two channels and the way to the frame
after, negated, in its last two, with y pointing up.  It is silently wrong in a number of cases (measured with Blender
3.4.1 to 5.0.1); the functions below find each of them by comparing the geometry of the two frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.backdrop import BackgroundMotion, is_same_camera
from animerun_gen.motion.counterparts import NO_INSTANCE, SAME_NUMBERS, find_counterparts
from animerun_gen.motion.flow import Motion
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

LARGEST_STATIC_MOTION = 1e-3
"""Background motion, in pixels, that still counts as none when the camera stands still (float32 matrices)."""


@dataclass(frozen=True)
class VectorPassAbilities:
    """What the Vector pass of the running Blender gets right.

    Attributes:
        zoom: An animated focal length or sensor width.
        moving_orthographic: A moving orthographic camera.
    """

    zoom: bool
    moving_orthographic: bool


def flows_from_vector_pass(
    vectors: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Forward and backward flow out of the four channels of the pass.

    Args:
        vectors: ``(H, W, 4)`` float32, channels X, Y, Z, W of the pass.

    Returns:
        Forward and backward flow, each ``(H, W, 2)`` float32 in pixels, y down: ``(-Z, W)`` and ``(X, -Y)``.
    """
    forward = np.stack([-vectors[..., 2], vectors[..., 3]], axis=-1)
    backward = np.stack([vectors[..., 0], -vectors[..., 1]], axis=-1)
    return forward, backward


def surface_problems(
    source: FrameGeometry, seen: VisibilityBuffer, target: FrameGeometry, abilities: VectorPassAbilities
) -> list[str]:
    """Why the Vector pass would be wrong on surfaces from one frame to another.

    Args:
        source: The frame whose pixels have the flow.
        seen: What it sees.
        target: The frame into which the flow points.
        abilities: What the running Blender gets right.

    Returns:
        The reasons, each the rest of a sentence; empty when the pass can be trusted.
    """
    reasons = []
    if abs(target.frame - source.frame) != 1:
        reasons.append("the frame step is not 1, and the pass always spans one frame")
    if not is_same_camera(source.camera, target.camera):
        reasons.append(f"the shot is cut from camera '{source.camera.name}' to '{target.camera.name}'")
        return reasons
    if source.holes is not None and (source.holes.slot_masks >= 0).any():
        reasons.append("surfaces have holes where their image is see-through, and the pass knows none")
    return reasons + _camera_problems(source.camera, target.camera, abilities) + _changes(source, seen, target)


def background_problems(seen: VisibilityBuffer, motion: Motion, background: BackgroundMotion) -> list[str]:
    """Why the Vector pass, which leaves the background at zero, would be wrong there.

    Args:
        seen: What the source frame sees.
        motion: The exact motion from it to the target frame.
        background: How the background is to move.

    Returns:
        The reasons, as above.
    """
    on_background = seen.instance == BACKGROUND
    if background != "infinity" or not on_background.any():
        return []
    moved = motion.flow[on_background & motion.valid]
    if len(moved) == on_background.sum() and np.abs(moved).max() <= LARGEST_STATIC_MOTION:
        return []
    return ["the background is visible behind a moving camera, and the pass leaves it at zero"]


def _camera_problems(source: Camera, target: Camera, abilities: VectorPassAbilities) -> list[str]:
    reasons = []
    scale = np.diag(source.projection)[:2], np.diag(target.projection)[:2]
    zoomed = not np.allclose(scale[0], scale[1], rtol=1e-6, atol=0.0)
    column = 3 if source.is_orthographic else 2
    shifted = not np.allclose(source.projection[:2, column], target.projection[:2, column], rtol=0.0, atol=1e-7)
    if source.is_orthographic:
        if zoomed:
            reasons.append("the orthographic scale is animated")
        if not abilities.moving_orthographic and not np.allclose(source.world, target.world, rtol=0.0, atol=1e-7):
            reasons.append("an orthographic camera moves")
    elif zoomed and not abilities.zoom:
        reasons.append("the focal length or sensor width is animated")
    if shifted:
        reasons.append("the lens shift is animated")
    return reasons


def _changes(source: FrameGeometry, seen: VisibilityBuffer, target: FrameGeometry) -> list[str]:
    reasons = []
    twins = find_counterparts(source, target)
    present = set(target.keys)
    for index in np.unique(seen.instance[seen.instance != BACKGROUND]):
        key = source.keys[index]
        other = twins.instance[index]
        if key not in present:
            reasons.append(f"'{key}' is not in frame {target.frame}")
        elif other == NO_INSTANCE or twins.start[index] != SAME_NUMBERS:
            # the pass goes by the numbers of vertices
            reasons.append(f"the topology of '{key}' changes until frame {target.frame}")
        elif source.modifiers[index] != target.modifiers[other]:
            reasons.append(f"a modifier of '{key}' is switched until frame {target.frame}")
    return reasons
