"""Further pictures of a frame that fall out of its visibility buffer: depth, ids and normals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

BACKGROUND_ID = 0
"""Object and material id of the background."""

NO_MATERIAL_ID = 1
"""Material id of surfaces that have no material."""


def depth_map(seen: VisibilityBuffer) -> npt.NDArray[np.float32]:
    """Distance along the view axis, ``(H, W)`` float32 in scene units; ``inf`` on the background."""
    return seen.depth.astype(np.float32)


def object_id_map(geometry: FrameGeometry, seen: VisibilityBuffer) -> npt.NDArray[np.uint16]:
    """Which object each pixel shows, ``(H, W)`` uint16; :data:`BACKGROUND_ID` on the background."""
    ids = np.full(seen.instance.shape, BACKGROUND_ID, np.uint16)
    surface = seen.instance != BACKGROUND
    ids[surface] = geometry.object_ids[seen.instance[surface]]
    return ids


def material_id_map(geometry: FrameGeometry, seen: VisibilityBuffer) -> npt.NDArray[np.uint16]:
    """Which material each pixel shows, ``(H, W)`` uint16; :data:`BACKGROUND_ID` on the background."""
    ids = np.full(seen.instance.shape, BACKGROUND_ID, np.uint16)
    surface = seen.instance != BACKGROUND
    instance = seen.instance[surface]
    triangle = geometry.triangle_start[geometry.mesh[instance]] + seen.triangle[surface]
    slot_count = np.diff(geometry.slot_start)[instance]
    # Blender paints a face whose slot does not exist with the last slot there is
    slot = np.minimum(geometry.triangle_slots[triangle], slot_count - 1)
    materials = np.full(len(instance), NO_MATERIAL_ID, np.uint16)
    has_slot = slot >= 0
    materials[has_slot] = geometry.slot_materials[(geometry.slot_start[instance] + slot)[has_slot]]
    ids[surface] = materials
    return ids


def normal_map(geometry: FrameGeometry, seen: VisibilityBuffer) -> npt.NDArray[np.float32]:
    """Unit normals of the flat faces, turned towards the camera.

    Args:
        geometry: The frame.
        seen: What it sees.

    Returns:
        ``(H, W, 3)`` float32 in camera coordinates: x right, y up, z towards the camera; zero on the background.
    """
    normals = np.zeros((*seen.instance.shape, 3), np.float32)
    surface = seen.instance != BACKGROUND
    if not surface.any():
        return normals
    # thousands of pixels share a triangle, so each triangle that is seen is worked out once
    code = seen.instance[surface].astype(np.int64) << 32 | seen.triangle[surface]
    codes, which = np.unique(code, return_inverse=True)
    instance = codes >> 32
    mesh = geometry.mesh[instance]
    triangle = geometry.triangle_start[mesh] + (codes & 0xFFFFFFFF)
    corners = geometry.triangles[triangle] + geometry.vertex_start[mesh][:, None]
    local = geometry.vertices[corners].astype(np.float64)
    to_camera = (np.linalg.inv(geometry.camera.world) @ geometry.matrices)[instance]
    placed = np.einsum("nij,nkj->nki", to_camera[:, :3, :3], local) + to_camera[:, None, :3, 3]
    normal = np.cross(placed[:, 1] - placed[:, 0], placed[:, 2] - placed[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    towards = np.array([0.0, 0.0, 1.0]) if geometry.camera.is_orthographic else -placed[:, 0]
    away = np.sum(normal * towards, axis=1) < 0.0
    normal[away] = -normal[away]
    normals[surface] = normal[which]
    return normals
