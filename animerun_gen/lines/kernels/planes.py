"""What is known of each pixel of a strip: the plane of its triangle, and how far that goes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)

MARGIN = 3
"""Pixels that are added around a picture, so that a loop can look that far from each pixel."""

PIXEL = np.dtype(
    [
        ("nearness", np.float64),
        ("slope_x", np.float64),
        ("slope_y", np.float64),
        ("facing", np.float64),
        ("normal_x", np.float32),
        ("normal_y", np.float32),
        ("normal_z", np.float32),
        ("right", np.float32),
        ("left", np.float32),
        ("down", np.float32),
        ("up", np.float32),
        ("instance", np.int32),
        ("triangle", np.int32),
        ("island", np.int32),
        ("material", np.uint16),
        ("clockwise", np.bool_),
    ],
    align=True,
)
"""What is known of a pixel.

A pixel is handed on as one record, which is a pointer.  Handing on an array for each field costs more than all else
that is done with a pixel: numba counts the references to each of them at each call.

- ``nearness``, ``slope_x``, ``slope_y``: of the plane of its triangle there, and its slopes over ``X`` and ``Y``
- ``facing``: cosine of the angle between the view and the normal
- ``normal_x``, ``normal_y``, ``normal_z``: unit normal over ``X``, ``Y`` and the distance, which it grows with
- ``right``, ``left``, ``down``, ``up``: pixels that the triangle goes on that way; 2 if more
- ``instance``: below zero on the background and in the margin, where nothing else is filled in
- ``triangle``: counted within the mesh
- ``island``: the part of the mesh that hangs together
- ``material``: number of the material
- ``clockwise``: whether the triangle's corners go round clockwise as seen
"""


class Lens(NamedTuple):
    """How camera coordinates become pixels: ``x = cx + fx * X``, ``y = cy + fy * Y`` (``Y`` down).

    ``X`` and ``Y`` are camera coordinates, divided by the distance along the view axis under perspective.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    is_orthographic: bool


@kernel
def find_planes(meshes, islands, instance, triangle, depth, material, lens, top, pixels):  # type: ignore[no-untyped-def]
    """Fill ``pixels``, a strip of :data:`PIXEL` with its margin, from pictures of the frame without one.

    ``islands`` are those of all meshes' triangles.  ``top`` is the row of the picture that the strip begins with, below
    its margin.
    """
    height, width = depth.shape
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            pixels[row, column].instance = -1
    for row in range(max(0, top - MARGIN), min(height, top - MARGIN + pixels.shape[0])):
        last_i = last_t = -1
        first = 0
        slope_x = slope_y = 0.0
        normal = (0.0, 0.0, 0.0)
        edges = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        clockwise = False
        for column in range(width):
            i = instance[row, column]
            if i < 0:
                continue
            t = triangle[row, column]
            nearness = -depth[row, column] if lens.is_orthographic else 1.0 / depth[row, column]
            x = (column - lens.cx) / lens.fx
            y = (row - lens.cy) / lens.fy
            # neighbours mostly show the same triangle
            if i != last_i or t != last_t:
                p = _corner(meshes, i, t, 0, column, row)
                q = _corner(meshes, i, t, 1, column, row)
                r = _corner(meshes, i, t, 2, column, row)
                e, f, g, determinant = _edges(p, q, r)
                slope_x, slope_y = _slopes((p, q, r), (e, f, g), determinant, lens)
                along = 1.0 if lens.is_orthographic else nearness - slope_x * x - slope_y * y
                normal = unit(slope_x, slope_y, along)
                clockwise = determinant > 0.0
                edges = (_inward(e, determinant), _inward(f, determinant), _inward(g, determinant))
                first = column
                last_i, last_t = i, t
            pixel = pixels[row - top + MARGIN, column + MARGIN]
            pixel.instance = i
            pixel.triangle = t
            pixel.island = islands[meshes.triangle_start[meshes.mesh[i]] + t]
            pixel.material = material[row, column]
            pixel.nearness = nearness
            pixel.slope_x = slope_x
            pixel.slope_y = slope_y
            pixel.clockwise = clockwise
            pixel.normal_x, pixel.normal_y, pixel.normal_z = normal
            pixel.facing = (
                normal[2]
                if lens.is_orthographic
                else (normal[0] * x + normal[1] * y + normal[2]) / np.sqrt(x * x + y * y + 1.0)
            )
            right = left = down = up = 2.0
            for edge in edges:
                a, b, c = edge
                here = max(a * (column - first) + c, 0.0)
                if a < 0.0:
                    right = min(right, here / -a)
                elif a > 0.0:
                    left = min(left, here / a)
                if b < 0.0:
                    down = min(down, here / -b)
                elif b > 0.0:
                    up = min(up, here / b)
            pixel.right = right
            pixel.left = left
            pixel.down = down
            pixel.up = up


@kernel
def slopes_of(meshes, lens, i, t, x, y):  # type: ignore[no-untyped-def]
    """The slopes of the nearness of a triangle's plane over ``X`` and ``Y``, reckoned around pixel ``(x, y)``."""
    p = _corner(meshes, i, t, 0, x, y)
    q = _corner(meshes, i, t, 1, x, y)
    r = _corner(meshes, i, t, 2, x, y)
    e, f, g, determinant = _edges(p, q, r)
    return _slopes((p, q, r), (e, f, g), determinant, lens)


@kernel
def _slopes(corners, edges, determinant, lens):  # type: ignore[no-untyped-def]
    p, q, r = corners
    e, f, g = edges
    if lens.is_orthographic:
        return (
            -(e[0] * p[2] + f[0] * q[2] + g[0] * r[2]) / determinant * lens.fx,
            -(e[1] * p[2] + f[1] * q[2] + g[1] * r[2]) / determinant * lens.fy,
        )
    return (
        (e[0] + f[0] + g[0]) / determinant * lens.fx,
        (e[1] + f[1] + g[1]) / determinant * lens.fy,
    )


@kernel
def _corner(meshes, i, t, corner, x, y):  # type: ignore[no-untyped-def]
    """One corner ``(x w, y w, depth, w)`` of a triangle in homogeneous pixels counted from pixel ``(x, y)``."""
    m = meshes.mesh[i]
    v = meshes.vertex_start[m] + meshes.triangles[meshes.triangle_start[m] + t, corner]
    a = np.float64(meshes.vertices[v, 0])
    b = np.float64(meshes.vertices[v, 1])
    c = np.float64(meshes.vertices[v, 2])
    matrix = meshes.matrices
    w = matrix[i, 3, 0] * a + matrix[i, 3, 1] * b + matrix[i, 3, 2] * c + matrix[i, 3, 3]
    return (
        matrix[i, 0, 0] * a + matrix[i, 0, 1] * b + matrix[i, 0, 2] * c + matrix[i, 0, 3] - x * w,
        matrix[i, 1, 0] * a + matrix[i, 1, 1] * b + matrix[i, 1, 2] * c + matrix[i, 1, 3] - y * w,
        matrix[i, 2, 0] * a + matrix[i, 2, 1] * b + matrix[i, 2, 2] * c + matrix[i, 2, 3],
        w,
    )


@kernel
def _edges(p, q, r):  # type: ignore[no-untyped-def]
    """The edge functions ``(a, b, c)`` opposite three corners, and their determinant; its sign is that of the inside.

    Triangles are drawn by the same ones, see :func:`animerun_gen.motion.kernels.projection.edge_functions`.
    """
    e = (q[1] * r[3] - q[3] * r[1], q[3] * r[0] - q[0] * r[3], q[0] * r[1] - q[1] * r[0])
    f = (r[1] * p[3] - r[3] * p[1], r[3] * p[0] - r[0] * p[3], r[0] * p[1] - r[1] * p[0])
    g = (p[1] * q[3] - p[3] * q[1], p[3] * q[0] - p[0] * q[3], p[0] * q[1] - p[1] * q[0])
    return e, f, g, p[0] * e[0] + p[1] * e[1] + p[3] * e[2]


@kernel
def unit(a, b, c):  # type: ignore[no-untyped-def]
    length = np.sqrt(a * a + b * b + c * c)
    return a / length, b / length, c / length


@kernel
def _inward(edge, determinant):  # type: ignore[no-untyped-def]
    """An edge function that is positive inside."""
    if determinant < 0.0:
        return -edge[0], -edge[1], -edge[2]
    return edge
