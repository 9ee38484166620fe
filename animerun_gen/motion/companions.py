"""Further pictures of a frame that fall out of its visibility buffer: depth, ids and normals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.motion import raster
from animerun_gen.motion.flow import PointMotion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.kernels import painting
from animerun_gen.motion.raster import VisibilityBuffer

BACKGROUND_ID = 0
"""Object and material id of the background."""

NO_MATERIAL_ID = 1
"""Material id of surfaces that have no material."""


def depth_map(seen: VisibilityBuffer) -> npt.NDArray[np.float32]:
    """Distance along the view axis, ``(H, W)`` float32 in scene units; ``inf`` on the background."""
    return seen.depth.astype(np.float32)


def depth_change(seen: VisibilityBuffer, motion: PointMotion) -> npt.NDArray[np.float32]:
    """How much farther away surface points are in another frame.

    Args:
        seen: What the frame sees.
        motion: Its motion into the other frame.

    Returns:
        ``(H, W)`` float32, the distance along the other frame's view axis less that along this one's, in scene units;
        NaN where the motion is unknown, and on the background, which has no depth.
    """
    with np.errstate(invalid="ignore"):
        # of the background infinity less infinity, which is no number
        change: npt.NDArray[np.float32] = (motion.depth - seen.depth).astype(np.float32)
    return change


def object_id_map(geometry: FrameGeometry, seen: VisibilityBuffer) -> npt.NDArray[np.uint16]:
    """Which object each pixel shows, ``(H, W)`` uint16; :data:`BACKGROUND_ID` on the background."""
    ids = np.empty(seen.instance.shape, np.uint16)
    painting.paint_objects(seen.instance, np.ascontiguousarray(geometry.object_ids, np.uint16), BACKGROUND_ID, ids)
    return ids


def material_id_map(geometry: FrameGeometry, seen: VisibilityBuffer) -> npt.NDArray[np.uint16]:
    """Which material each pixel shows, ``(H, W)`` uint16; :data:`BACKGROUND_ID` on the background."""
    ids = np.full(seen.instance.shape, BACKGROUND_ID, np.uint16)
    painting.paint_materials(
        seen.instance,
        seen.triangle,
        raster.meshes(geometry),
        _slots(geometry),
        NO_MATERIAL_ID,
        ids,
    )
    return ids


def _slots(geometry: FrameGeometry) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint16]]:
    """Which material each triangle of each instance has, for the compiled loops."""
    return geometry.triangle_slots, geometry.slot_start, geometry.slot_materials


def switched_materials(
    source: FrameGeometry, seen: VisibilityBuffer, motion: PointMotion, target: FrameGeometry
) -> npt.NDArray[np.bool_]:
    """Which pixels show surface points that wear another material in another frame.

    Args:
        source: The frame.
        seen: What it sees.
        motion: Its motion into the other frame.
        target: The other frame.

    Returns:
        ``(H, W)`` bool; False where the motion is unknown.
    """
    switched = np.empty(seen.instance.shape, np.bool_)
    painting.find_switched(
        (seen.instance, seen.triangle),
        (motion.counterpart, motion.triangle),
        raster.meshes(source),
        _slots(source),
        raster.meshes(target),
        _slots(target),
        NO_MATERIAL_ID,
        switched,
    )
    return switched


def normal_map(geometry: FrameGeometry, seen: VisibilityBuffer) -> npt.NDArray[np.float32]:
    """Unit normals of the flat faces, turned towards the camera.

    Args:
        geometry: The frame.
        seen: What it sees.

    Returns:
        ``(H, W, 3)`` float32 in camera coordinates: x right, y up, z towards the camera; zero on the background.
    """
    normals = np.zeros((*seen.instance.shape, 3), np.float32)
    to_camera = np.linalg.inv(geometry.camera.world) @ geometry.matrices
    meshes = raster.meshes(geometry)._replace(matrices=np.ascontiguousarray(to_camera))
    painting.paint_normals(seen.instance, seen.triangle, meshes, geometry.camera.is_orthographic, normals)
    return normals
