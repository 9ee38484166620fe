"""Which surface point is seen at each pixel centre, computed in float64.

Triangles are drawn in homogeneous coordinates (Olano and Greer, "Triangle Scan Conversion using 2D Homogeneous
Coordinates", Graphics Hardware 1997): nothing needs to be clipped, and the edge functions divided by their sum are the
perspective-correct barycentric coordinates.  An edge shared by two triangles gives both the same number with opposite
signs, and zero counts as inside, so closed surfaces have no holes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from animerun_gen.motion.geometry import Camera, FrameGeometry

BACKGROUND = -1
"""Instance number of a pixel at which no surface is seen."""

SAME_DEPTH = 1e-7
"""Two depths whose relative difference is smaller belong to one surface: blender stores float32 coordinates."""


@dataclass(frozen=True)
class VisibilityBuffer:
    """What each pixel centre of a frame sees.

    Attributes:
        instance: ``(H, W)`` int32, index into the frame's instances, :data:`BACKGROUND` where nothing is seen.
        triangle: ``(H, W)`` int32, triangle counted within the instance's mesh, -1 on the background.
        depth: ``(H, W)`` float64, distance along the view axis in scene units, ``inf`` on the background.
    """

    instance: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]
    depth: npt.NDArray[np.float64]


def draw(geometry: FrameGeometry) -> VisibilityBuffer:
    """Find what is seen at every pixel centre of a frame.

    Of surfaces at exactly the same depth the one that comes first in the frame's list of instances is kept.

    Args:
        geometry: The frame.

    Returns:
        The frame's visibility buffer.
    """
    camera = geometry.camera
    shape = (camera.height, camera.width)
    instance = np.full(shape, BACKGROUND, np.int32)
    triangle = np.full(shape, -1, np.int32)
    depth = np.full(shape, np.inf)
    _draw(
        geometry.vertices,
        geometry.triangles,
        geometry.vertex_start,
        geometry.triangle_start,
        geometry.mesh,
        geometry.instance_pixel_matrices(),
        camera.clip_start,
        camera.clip_end,
        instance,
        triangle,
        depth,
    )
    return VisibilityBuffer(instance, triangle, depth)


def hidden_points(
    geometry: FrameGeometry,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    depth: npt.NDArray[np.float64],
    instance: npt.NDArray[np.int32],
    triangle: npt.NDArray[np.int32],
) -> npt.NDArray[np.bool_]:
    """Which of many surface points are not seen by the frame's camera, tested at their exact places.

    Every triangle of the frame is held against every point, wherever between pixel centres it lies, so the answer does
    not depend on the pixel grid.

    Args:
        geometry: The frame in which the points may be hidden.
        x: ``(n,)`` float64, pixels.
        y: ``(n,)`` float64, pixels.
        depth: ``(n,)`` float64, distance along the view axis, ``inf`` for points of the background.
        instance: ``(n,)`` int32, the frame's instance on which each point lies, :data:`BACKGROUND` for the background.
        triangle: ``(n,)`` int32, the triangle on which it lies.

    Returns:
        ``(n,)`` bool, True where a surface lies in front, or the point is outside the picture or the clipping range.
    """
    camera = geometry.camera
    inside = (x >= -0.5) & (x < camera.width - 0.5) & (y >= -0.5) & (y < camera.height - 0.5)
    on_surface = instance != BACKGROUND
    inside &= ~on_surface | ((depth >= camera.clip_start) & (depth <= camera.clip_end))
    hidden = ~inside

    candidates = np.flatnonzero(inside)
    column = np.floor(x[candidates] + 0.5).astype(np.int64)
    row = np.floor(y[candidates] + 0.5).astype(np.int64)
    pixel = row * camera.width + column
    order = np.argsort(pixel, kind="stable")
    points = candidates[order]
    # points[first[p]:first[p + 1]] are the points that lie in pixel p
    first = np.zeros(camera.height * camera.width + 1, np.int64)
    np.cumsum(np.bincount(pixel, minlength=camera.height * camera.width), out=first[1:])

    _hide(
        geometry.vertices,
        geometry.triangles,
        geometry.vertex_start,
        geometry.triangle_start,
        geometry.mesh,
        geometry.instance_pixel_matrices(),
        camera.clip_start,
        camera.clip_end,
        camera.width,
        camera.height,
        points,
        first,
        x,
        y,
        depth,
        instance,
        triangle,
        hidden,
    )
    return hidden


def is_same_camera(source: Camera, target: Camera) -> bool:
    """Whether two frames were seen by one camera, which may have moved, and not by two that were cut together."""
    return source.name == target.name


@numba.njit(cache=True, nogil=True)
def _project(vertices, first, last, matrix, out):  # type: ignore[no-untyped-def]
    """Fill ``out[:last - first]`` with homogeneous pixels ``(x w, y w, depth, w)`` of a mesh's vertices."""
    for v in range(first, last):
        a = np.float64(vertices[v, 0])
        b = np.float64(vertices[v, 1])
        c = np.float64(vertices[v, 2])
        for k in range(4):
            out[v - first, k] = matrix[k, 0] * a + matrix[k, 1] * b + matrix[k, 2] * c + matrix[k, 3]


@numba.njit(cache=True, nogil=True)
def _bounds(p, q, r, clip_start, width, height, margin, out):  # type: ignore[no-untyped-def]
    """Pixels ``out = (x0, x1, y0, y1)``, inclusive, whose centres a triangle may cover; False when there are none.

    Only the part of the triangle beyond ``clip_start`` counts, because nearer points project to anywhere.
    """
    x_low = np.inf
    x_high = -np.inf
    y_low = np.inf
    y_high = -np.inf
    corners = (p, q, r)
    for i in range(3):
        a = corners[i]
        b = corners[(i + 1) % 3]
        if a[2] >= clip_start:
            x = a[0] / a[3]
            y = a[1] / a[3]
            x_low = min(x_low, x)
            x_high = max(x_high, x)
            y_low = min(y_low, y)
            y_high = max(y_high, y)
        if (a[2] >= clip_start) != (b[2] >= clip_start):
            t = (clip_start - a[2]) / (b[2] - a[2])
            w = a[3] + t * (b[3] - a[3])
            x = (a[0] + t * (b[0] - a[0])) / w
            y = (a[1] + t * (b[1] - a[1])) / w
            x_low = min(x_low, x)
            x_high = max(x_high, x)
            y_low = min(y_low, y)
            y_high = max(y_high, y)
    # the comparisons are written so that coordinates that are no numbers fail them
    if not (x_high + margin >= 0.0 and x_low - margin <= width - 1.0):
        return False
    if not (y_high + margin >= 0.0 and y_low - margin <= height - 1.0):
        return False
    # rounding may put an edge that touches a pixel centre just beside it; the edge functions decide
    slack = 1e-6 + margin
    out[0] = int(np.ceil(max(x_low - slack, 0.0)))
    out[1] = int(np.floor(min(x_high + slack, width - 1.0)))
    out[2] = int(np.ceil(max(y_low - slack, 0.0)))
    out[3] = int(np.floor(min(y_high + slack, height - 1.0)))
    return out[0] <= out[1] and out[2] <= out[3]


@numba.njit(cache=True, nogil=True)
def _edge(a, b, out):  # type: ignore[no-untyped-def]
    """The edge function through two projected vertices: their cross product over ``(x, y, w)``."""
    out[0] = a[1] * b[3] - a[3] * b[1]
    out[1] = a[3] * b[0] - a[0] * b[3]
    out[2] = a[0] * b[1] - a[1] * b[0]


@numba.njit(cache=True, nogil=True)
def _edges(p, q, r, edges):  # type: ignore[no-untyped-def]
    """Fill ``edges`` (3, 3) with the edge functions opposite ``p``, ``q``, ``r``; returns their determinant."""
    _edge(q, r, edges[0])
    _edge(r, p, edges[1])
    _edge(p, q, edges[2])
    return p[0] * edges[0, 0] + p[1] * edges[0, 1] + p[3] * edges[0, 2]


@numba.njit(cache=True, nogil=True)
def _depth_at(edges, determinant, p, q, r, x, y):  # type: ignore[no-untyped-def]
    """Distance along the view axis of a triangle's plane seen at ``(x, y)``; NaN where the triangle is not."""
    e0 = edges[0, 0] * x + edges[0, 1] * y + edges[0, 2]
    e1 = edges[1, 0] * x + edges[1, 1] * y + edges[1, 2]
    e2 = edges[2, 0] * x + edges[2, 1] * y + edges[2, 2]
    if determinant < 0.0:
        e0 = -e0
        e1 = -e1
        e2 = -e2
    if not (e0 >= 0.0 and e1 >= 0.0 and e2 >= 0.0):
        return np.nan
    total = e0 + e1 + e2
    if not total > 0.0:
        return np.nan
    return (e0 * p[2] + e1 * q[2] + e2 * r[2]) / total


@numba.njit(cache=True, nogil=True)
def _largest_mesh(vertex_start):  # type: ignore[no-untyped-def]
    largest = 0
    for m in range(len(vertex_start) - 1):
        largest = max(largest, vertex_start[m + 1] - vertex_start[m])
    return largest


@numba.njit(cache=True, nogil=True)
def _draw(  # type: ignore[no-untyped-def]
    vertices,
    triangles,
    vertex_start,
    triangle_start,
    mesh,
    matrices,
    clip_start,
    clip_end,
    instance_buffer,
    triangle_buffer,
    depth_buffer,
):
    height, width = depth_buffer.shape
    projected = np.empty((_largest_mesh(vertex_start), 4))
    edges = np.empty((3, 3))
    bounds = np.empty(4, np.int64)
    for i in range(len(mesh)):
        m = mesh[i]
        _project(vertices, vertex_start[m], vertex_start[m + 1], matrices[i], projected)
        for t in range(triangle_start[m], triangle_start[m + 1]):
            p = projected[triangles[t, 0]]
            q = projected[triangles[t, 1]]
            r = projected[triangles[t, 2]]
            if not _bounds(p, q, r, clip_start, width, height, 0.0, bounds):
                continue
            determinant = _edges(p, q, r, edges)
            if determinant == 0.0:
                continue
            for row in range(bounds[2], bounds[3] + 1):
                for column in range(bounds[0], bounds[1] + 1):
                    depth = _depth_at(edges, determinant, p, q, r, column, row)
                    if depth >= clip_start and depth <= clip_end and depth < depth_buffer[row, column]:
                        depth_buffer[row, column] = depth
                        instance_buffer[row, column] = i
                        triangle_buffer[row, column] = t - triangle_start[m]


@numba.njit(cache=True, nogil=True)
def _hide(  # type: ignore[no-untyped-def]
    vertices,
    triangles,
    vertex_start,
    triangle_start,
    mesh,
    matrices,
    clip_start,
    clip_end,
    width,
    height,
    points,
    first,
    x,
    y,
    depth,
    instance,
    triangle,
    hidden,
):
    projected = np.empty((_largest_mesh(vertex_start), 4))
    edges = np.empty((3, 3))
    bounds = np.empty(4, np.int64)
    for i in range(len(mesh)):
        m = mesh[i]
        _project(vertices, vertex_start[m], vertex_start[m + 1], matrices[i], projected)
        for t in range(triangle_start[m], triangle_start[m + 1]):
            p = projected[triangles[t, 0]]
            q = projected[triangles[t, 1]]
            r = projected[triangles[t, 2]]
            # a point lies up to half a pixel from the centre of its pixel
            if not _bounds(p, q, r, clip_start, width, height, 0.5, bounds):
                continue
            determinant = _edges(p, q, r, edges)
            if determinant == 0.0:
                continue
            own = t - triangle_start[m]
            for row in range(bounds[2], bounds[3] + 1):
                base = row * width
                for k in range(first[base + bounds[0]], first[base + bounds[1] + 1]):
                    point = points[k]
                    if hidden[point] or (instance[point] == i and triangle[point] == own):
                        continue
                    front = _depth_at(edges, determinant, p, q, r, x[point], y[point])
                    if front >= clip_start and front <= clip_end and front < depth[point] * (1.0 - SAME_DEPTH):
                        hidden[point] = True
