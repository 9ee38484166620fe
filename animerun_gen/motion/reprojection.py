"""Whether flow, depth and the cameras that a dataset states say the same of what stands still.

Flow is made from barycentric coordinates and a matrix to homogeneous pixels; a user has depth, intrinsics and a matrix
from the world to the camera.  A point of a surface that stands still, brought into the world by the one camera and into
the picture by the other, must end where the flow does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.cameras import TO_OPENCV, FrameCamera
from animerun_gen.motion.counterparts import SAME_NUMBERS, find_counterparts
from animerun_gen.motion.flow import Motion
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

LARGEST_ERROR = 1e9
"""Pixels; what is farther from its place, or nowhere in the picture, counts as this far."""


def frame_camera(camera: Camera, orthographic_scale: float | None) -> FrameCamera:
    """A camera as a dataset states it.

    Args:
        camera: As it was taken down.
        orthographic_scale: Blender's ``ortho_scale`` of an orthographic camera, None for a perspective one.

    Returns:
        The same camera, in OpenCV axes and with its intrinsics in pixels.
    """
    opengl = camera.projection
    half_width, half_height = 0.5 * camera.width, 0.5 * camera.height
    projection = np.zeros((3, 4))
    # of OpenGL's picture from -1 to 1, y up: pixels whose centres are at whole numbers, y down
    projection[0, 0], projection[1, 1] = half_width * opengl[0, 0], half_height * opengl[1, 1]
    projection[0, 1], projection[1, 0] = -half_width * opengl[0, 1], -half_height * opengl[1, 0]
    if camera.is_orthographic:
        projection[0, 3] = half_width * (1.0 + opengl[0, 3]) - 0.5
        projection[1, 3] = half_height * (1.0 - opengl[1, 3]) - 0.5
        projection[2, 3] = 1.0
    else:
        projection[0, 2] = half_width * (1.0 - opengl[0, 2]) - 0.5
        projection[1, 2] = half_height * (1.0 + opengl[1, 2]) - 0.5
        projection[2, 2] = 1.0
    return FrameCamera(
        name=camera.name,
        width=camera.width,
        height=camera.height,
        # a sum with zero has no negative zeros, which would only look odd in the file
        projection=projection + 0.0,
        world_to_camera=TO_OPENCV @ np.linalg.inv(camera.world) + 0.0,
        matrix_world=camera.world,
        near=camera.clip_start,
        far=camera.clip_end,
        orthographic_scale=orthographic_scale,
    )


@dataclass(frozen=True)
class Reprojection:
    """How well flow agrees with depth and cameras, from one frame to another.

    Attributes:
        error: The largest distance, in pixels, between where the flow of a pixel ends and where its point is projected
            to; None where nothing that is seen stands still.
        compared: Share of the picture's pixels that were compared, 0..1.
    """

    error: float | None
    compared: float


def reprojection(
    source: FrameGeometry,
    seen: VisibilityBuffer,
    target: FrameGeometry,
    motion: Motion,
    cameras: tuple[FrameCamera, FrameCamera],
) -> Reprojection:
    """Hold the flow of what stands still against depth and cameras.

    Args:
        source: The frame whose pixels the flow is given for.
        seen: What it sees.
        target: The frame that the flow points into.
        motion: The flow.
        cameras: Those of the source and of the target, as the dataset states them.

    Returns:
        What came of it, over all pixels of known motion whose instance and mesh are the same in both frames, number by
        number.
    """
    standing = _standing(source, target)
    compared = motion.valid & (seen.instance != BACKGROUND) & standing[seen.instance]
    rows, columns = np.nonzero(compared)
    if not len(rows):
        return Reprojection(None, 0.0)
    here, there = cameras
    places = np.stack([columns, rows], axis=-1).astype(np.float64)
    points = here.unproject(seen.depth[rows, columns], places)
    away = there.project(points) - (places + motion.flow[rows, columns])
    # a place behind the camera is no number, and as wrong as can be
    distances = np.nan_to_num(np.hypot(away[:, 0], away[:, 1]), nan=LARGEST_ERROR, posinf=LARGEST_ERROR)
    return Reprojection(min(float(distances.max()), LARGEST_ERROR), len(rows) / compared.size)


def _standing(source: FrameGeometry, target: FrameGeometry) -> npt.NDArray[np.bool_]:
    """``(I + 1,)``: which instances of the source stand still in the world; the last is the background's, False."""
    twins = find_counterparts(source, target)
    standing = np.zeros(len(source.keys) + 1, bool)
    same: dict[tuple[int, int], bool] = {}
    for index in np.flatnonzero((twins.instance >= 0) & (twins.start == SAME_NUMBERS)).tolist():
        other = int(twins.instance[index])
        if not np.array_equal(source.matrices[index], target.matrices[other]):
            continue
        meshes = int(source.mesh[index]), int(target.mesh[other])
        if meshes not in same:
            same[meshes] = np.array_equal(source.mesh_vertices(meshes[0]), target.mesh_vertices(meshes[1]))
        standing[index] = same[meshes]
    return standing
