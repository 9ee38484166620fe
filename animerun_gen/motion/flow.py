"""Exact optical flow between two frames from their geometry.

For each pixel centre of the source frame: the surface point seen there, the same point of the same surface in the
target frame, and where that frame's own camera sees it.  Where the surface does not exist in the target frame, or its
points cannot be told apart, the flow is unknown; it is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numba
import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import UNKNOWN_FLOW, UNKNOWN_FLOW_THRESHOLD
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

BackgroundMotion = Literal["infinity", "static", "invalid"]

NO_INSTANCE = -1
"""In a list of counterparts: the target frame has no surface whose points are those of this instance."""

SAME_DIRECTION = 1e-12
"""Largest squared difference of two unit view directions that count as equal (float32 matrices)."""


@dataclass(frozen=True)
class Motion:
    """Where the surface points of one frame are at another.

    Attributes:
        flow: ``(H, W, 2)`` float32, pixels, :data:`~animerun_gen.conventions.UNKNOWN_FLOW` where not valid.
        valid: ``(H, W)`` bool, where the flow is known exactly.
        x: ``(H, W)`` float64, pixels, where the point is seen in the target frame; NaN where not valid.
        y: ``(H, W)`` float64, likewise.
        depth: ``(H, W)`` float64, its distance along the target's view axis; ``inf`` on the background.
        counterpart: ``(H, W)`` int32, the target frame's instance on which it lies, -1 on the background and where
            not valid.
    """

    flow: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]
    counterpart: npt.NDArray[np.int32]


def find_counterparts(source: FrameGeometry, target: FrameGeometry) -> npt.NDArray[np.int32]:
    """For every instance of the source frame the same instance in the target frame.

    Args:
        source: A frame.
        target: Another frame of the same shot.

    Returns:
        ``(I,)`` int32 index into the target's instances; :data:`NO_INSTANCE` where there is none, where its topology
        is another, or where its vertices are made anew every frame and have moved within the mesh.  All of them are
        :data:`NO_INSTANCE` when the shot was cut to another camera in between.
    """
    counterparts = np.full(len(source.keys), NO_INSTANCE, np.int32)
    if not raster.is_same_camera(source.camera, target.camera):
        return counterparts
    index_of = {key: index for index, key in enumerate(target.keys)}
    for index, key in enumerate(source.keys):
        other = index_of.get(key)
        if other is None:
            continue
        source_mesh, target_mesh = int(source.mesh[index]), int(target.mesh[other])
        if source.topologies[source_mesh] != target.topologies[target_mesh]:
            continue
        if (source.remeshed[index] or target.remeshed[other]) and not np.array_equal(
            source.mesh_vertices(source_mesh), target.mesh_vertices(target_mesh)
        ):
            continue
        counterparts[index] = other
    return counterparts


def compute_motion(
    source: FrameGeometry,
    seen: VisibilityBuffer,
    target: FrameGeometry,
    background: BackgroundMotion = "infinity",
) -> Motion:
    """The exact flow from one frame to another.

    Args:
        source: The frame whose pixels the flow is given for.
        seen: What the source frame sees.
        target: The frame the flow points into; earlier or later, any number of frames away.
        background: How the world behind all surfaces moves: ``infinity``, as points infinitely far away (behind an
            orthographic camera: as a backdrop that stands still in the world, unknown once the camera turns);
            ``static``, not at all in the picture; ``invalid``, unknown.

    Returns:
        The motion of every pixel.
    """
    counterparts = find_counterparts(source, target)
    shape = seen.instance.shape
    flow = np.full((*shape, 2), np.nan)
    place = np.full((*shape, 3), np.nan)
    _transfer(
        seen.instance,
        seen.triangle,
        source.vertices,
        source.triangles,
        source.vertex_start,
        source.triangle_start,
        source.mesh,
        source.instance_pixel_matrices(),
        target.vertices,
        target.vertex_start,
        target.mesh,
        target.instance_pixel_matrices(),
        counterparts,
        flow,
        place,
    )
    on_background = seen.instance == BACKGROUND
    if on_background.any() and raster.is_same_camera(source.camera, target.camera):
        flow[on_background] = _background_flow(source.camera, target.camera, on_background, background)
        rows, columns = np.nonzero(on_background)
        place[on_background, 0] = columns + flow[on_background, 0]
        place[on_background, 1] = rows + flow[on_background, 1]
        place[on_background, 2] = np.inf

    with np.errstate(invalid="ignore"):
        valid = np.all(np.abs(flow) < UNKNOWN_FLOW_THRESHOLD, axis=-1)
    place[~valid] = np.nan
    counterpart = np.full(shape, NO_INSTANCE, np.int32)
    on_surface = valid & ~on_background
    counterpart[on_surface] = counterparts[seen.instance[on_surface]]
    written = np.where(valid[..., None], flow, UNKNOWN_FLOW).astype(np.float32)
    return Motion(written, valid, place[..., 0], place[..., 1], place[..., 2], counterpart)


def exact_occlusion(motion: Motion, seen: VisibilityBuffer, target: FrameGeometry) -> npt.NDArray[np.bool_]:
    """Which surface points of the source frame cannot be seen in the target frame.

    Args:
        motion: The motion from the source into the target frame.
        seen: What the source frame sees.
        target: The target frame.

    Returns:
        ``(H, W)`` bool, True where the point is behind another surface of the target frame or of its own, outside the
        picture or the clipping range; also True where the motion is unknown.
    """
    occluded = np.ones(motion.valid.shape, bool)
    known = motion.valid
    occluded[known] = raster.hidden_points(
        target,
        motion.x[known],
        motion.y[known],
        motion.depth[known],
        motion.counterpart[known],
        seen.triangle[known],
    )
    return occluded


def _background_flow(
    source: Camera, target: Camera, on_background: npt.NDArray[np.bool_], background: BackgroundMotion
) -> npt.NDArray[np.float64]:
    """Flow ``(n, 2)`` of the background pixels in raster order; NaN where it is unknown."""
    rows, columns = np.nonzero(on_background)
    if background == "static":
        return np.zeros((len(rows), 2))
    unknown = np.full((len(rows), 2), np.nan)
    if background == "invalid" or source.is_orthographic != target.is_orthographic:
        return unknown

    device = np.stack(
        [
            (columns + 0.5) / (0.5 * source.width) - 1.0,
            1.0 - (rows + 0.5) / (0.5 * source.height),
            np.ones(len(rows)),
            np.ones(len(rows)),
        ]
    )
    far = np.linalg.inv(source.projection) @ device
    if source.is_orthographic:
        turned = source.world[:3, 2] - target.world[:3, 2]
        if turned @ turned > SAME_DIRECTION:
            return unknown
        points = source.world @ (far / far[3])
    else:
        # a direction: the fourth component says that no translation reaches it
        points = source.world @ np.concatenate([far[:3] / far[3], np.zeros((1, len(rows)))])
    before = source.pixel_matrix() @ points
    after = target.pixel_matrix() @ points
    in_front = (before[3] > 0.0) & (after[3] > 0.0)
    unknown[in_front] = (after[:2, in_front] / after[3, in_front] - before[:2, in_front] / before[3, in_front]).T
    return unknown


@numba.njit(cache=True, nogil=True)
def _transfer(  # type: ignore[no-untyped-def]
    instance_buffer,
    triangle_buffer,
    source_vertices,
    source_triangles,
    source_vertex_start,
    source_triangle_start,
    source_mesh,
    source_matrices,
    target_vertices,
    target_vertex_start,
    target_mesh,
    target_matrices,
    counterparts,
    flow,
    place,
):
    """Fill ``flow`` (H, W, 2) and ``place`` (H, W, 3: x, y, depth in the target); left as it is where unknown."""
    height, width = instance_buffer.shape
    corners = np.empty((3, 4))
    edges = np.empty((3, 3))
    now = np.empty(4)
    then = np.empty(4)
    for row in range(height):
        for column in range(width):
            i = instance_buffer[row, column]
            if i < 0 or counterparts[i] < 0:
                continue
            j = counterparts[i]
            m = source_mesh[i]
            base = source_vertex_start[m]
            other_base = target_vertex_start[target_mesh[j]]
            t = source_triangle_start[m] + triangle_buffer[row, column]
            for k in range(3):
                v = base + source_triangles[t, k]
                raster._project(source_vertices, v, v + 1, source_matrices[i], corners[k : k + 1])
            raster._edges(corners[0], corners[1], corners[2], edges)
            e0 = edges[0, 0] * column + edges[0, 1] * row + edges[0, 2]
            e1 = edges[1, 0] * column + edges[1, 1] * row + edges[1, 2]
            e2 = edges[2, 0] * column + edges[2, 1] * row + edges[2, 2]
            total = e0 + e1 + e2
            # the point in the coordinates of the mesh, in both frames, and both projected in the same way: what does
            # not move gives a difference of exactly zero
            now[:] = 0.0
            then[:] = 0.0
            for c in range(3):
                here = 0.0
                there = 0.0
                for k in range(3):
                    share = (e0, e1, e2)[k] / total
                    v = source_triangles[t, k]
                    here += share * np.float64(source_vertices[base + v, c])
                    there += share * np.float64(target_vertices[other_base + v, c])
                for k in range(4):
                    now[k] += source_matrices[i, k, c] * here
                    then[k] += target_matrices[j, k, c] * there
            for k in range(4):
                now[k] += source_matrices[i, k, 3]
                then[k] += target_matrices[j, k, 3]
            if not then[3] > 0.0:
                continue
            place[row, column, 0] = then[0] / then[3]
            place[row, column, 1] = then[1] / then[3]
            place[row, column, 2] = then[2]
            flow[row, column, 0] = then[0] / then[3] - now[0] / now[3]
            flow[row, column, 1] = then[1] / then[3] - now[1] / now[3]
