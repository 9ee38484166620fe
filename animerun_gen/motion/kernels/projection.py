"""Meshes as arrays, and their vertices and triangles in homogeneous pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)
allocating = compiled.kernels(__name__, error_model="numpy")

ROUNDING = 1e-12
"""More than the relative error of any sum of products formed here, each of a few dozen terms in float64."""


class Meshes(NamedTuple):
    """The arrays of a frame, see :class:`~animerun_gen.motion.geometry.FrameGeometry`.

    Attributes:
        matrices: ``(I, 4, 4)`` float64, mesh coordinates to whatever is worked in, mostly homogeneous pixels.
    """

    vertices: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    vertex_start: npt.NDArray[np.int64]
    triangle_start: npt.NDArray[np.int64]
    mesh: npt.NDArray[np.int32]
    matrices: npt.NDArray[np.float64]


class View(NamedTuple):
    """What of the world is drawn, and how large, see :class:`~animerun_gen.motion.geometry.Camera`."""

    clip_start: float
    clip_end: float
    width: int
    height: int


@kernel
def matrix_rows(matrices, i):  # type: ignore[no-untyped-def]
    """The four rows of one of many matrices.

    Tuples instead of a view, here and below: numba counts the references to a view, which takes longer than most of
    what is done with it.
    """
    return (
        (matrices[i, 0, 0], matrices[i, 0, 1], matrices[i, 0, 2], matrices[i, 0, 3]),
        (matrices[i, 1, 0], matrices[i, 1, 1], matrices[i, 1, 2], matrices[i, 1, 3]),
        (matrices[i, 2, 0], matrices[i, 2, 1], matrices[i, 2, 2], matrices[i, 2, 3]),
        (matrices[i, 3, 0], matrices[i, 3, 1], matrices[i, 3, 2], matrices[i, 3, 3]),
    )


@kernel
def _vertex(vertices, v):  # type: ignore[no-untyped-def]
    """One vertex in its mesh's coordinates, float64."""
    return np.float64(vertices[v, 0]), np.float64(vertices[v, 1]), np.float64(vertices[v, 2])


@kernel
def corners_of(vertices, base, triangles, t):  # type: ignore[no-untyped-def]
    """The three vertices of triangle ``t`` of a mesh whose first vertex is ``base``."""
    return (
        _vertex(vertices, base + triangles[t, 0]),
        _vertex(vertices, base + triangles[t, 1]),
        _vertex(vertices, base + triangles[t, 2]),
    )


@kernel
def transform(matrix, point):  # type: ignore[no-untyped-def]
    """A point times a matrix that is given by its rows, homogeneous."""
    x, y, z, w = matrix
    a, b, c = point
    return (
        x[0] * a + x[1] * b + x[2] * c + x[3],
        y[0] * a + y[1] * b + y[2] * c + y[3],
        z[0] * a + z[1] * b + z[2] * c + z[3],
        w[0] * a + w[1] * b + w[2] * c + w[3],
    )


@kernel
def edge_functions(p, q, r):  # type: ignore[no-untyped-def]
    """The edge functions ``(a, b, c)`` opposite three projected vertices, none of them negative inside.

    Each is the cross product of two vertices over ``(x w, y w, w)``.  Nothing is left of a triangle that is seen from
    its edge: all three are NaN.
    """
    e = (q[1] * r[3] - q[3] * r[1], q[3] * r[0] - q[0] * r[3], q[0] * r[1] - q[1] * r[0])
    f = (r[1] * p[3] - r[3] * p[1], r[3] * p[0] - r[0] * p[3], r[0] * p[1] - r[1] * p[0])
    g = (p[1] * q[3] - p[3] * q[1], p[3] * q[0] - p[0] * q[3], p[0] * q[1] - p[1] * q[0])
    determinant = p[0] * e[0] + p[1] * e[1] + p[3] * e[2]
    if determinant > 0.0:
        return e, f, g
    if determinant < 0.0:
        return (-e[0], -e[1], -e[2]), (-f[0], -f[1], -f[2]), (-g[0], -g[1], -g[2])
    nothing = (np.nan, np.nan, np.nan)
    return nothing, nothing, nothing


@allocating
def room_for_a_mesh(meshes):  # type: ignore[no-untyped-def]
    """What :func:`project_mesh` fills, large enough for every instance."""
    return np.empty((_largest_mesh(meshes), 6))


@kernel
def _largest_mesh(meshes):  # type: ignore[no-untyped-def]
    """How many vertices the mesh has that has most of them."""
    largest = 0
    for m in range(len(meshes.vertex_start) - 1):
        largest = max(largest, meshes.vertex_start[m + 1] - meshes.vertex_start[m])
    return largest


@kernel
def project(matrix, point):  # type: ignore[no-untyped-def]
    """Homogeneous pixels and pixels ``(x w, y w, depth, w, x, y)`` of a point; the matrix is given by its rows."""
    x, y, depth, w = transform(matrix, point)
    return x, y, depth, w, x / w, y / w


@kernel
def project_mesh(meshes, i, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with homogeneous pixels and pixels ``(x w, y w, depth, w, x, y)`` of an instance's vertices."""
    vertices = meshes.vertices
    matrix = matrix_rows(meshes.matrices, i)
    first = meshes.vertex_start[meshes.mesh[i]]
    last = meshes.vertex_start[meshes.mesh[i] + 1]
    for v in range(last - first):
        x, y, depth, w, column, row = project(matrix, _vertex(vertices, first + v))
        out[v, 0] = x
        out[v, 1] = y
        out[v, 2] = depth
        out[v, 3] = w
        out[v, 4] = column
        out[v, 5] = row


@kernel
def projected_corners(projected, triangles, t):  # type: ignore[no-untyped-def]
    """The three corners of a triangle, as :func:`project_mesh` left them."""
    p, q, r = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    return _row(projected, p), _row(projected, q), _row(projected, r)


@kernel
def _row(out, v):  # type: ignore[no-untyped-def]
    return out[v, 0], out[v, 1], out[v, 2], out[v, 3], out[v, 4], out[v, 5]


@allocating
def room_for_a_rough_mesh(meshes):  # type: ignore[no-untyped-def]
    """What :func:`project_roughly` fills, large enough for every instance."""
    return np.empty((_largest_mesh(meshes), 3), np.float32)


@kernel
def project_roughly(meshes, i, view, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with pixels and depths ``(x, y, depth)`` of an instance's vertices, in a quarter of the memory.

    The depth is ``-inf`` where a vertex lies before the clipping range, so that its pixel says nothing.
    """
    vertices = meshes.vertices
    matrix = matrix_rows(meshes.matrices, i)
    first = meshes.vertex_start[meshes.mesh[i]]
    last = meshes.vertex_start[meshes.mesh[i] + 1]
    clip_start = view.clip_start
    for v in range(last - first):
        x, y, depth, w = transform(matrix, _vertex(vertices, first + v))
        out[v, 0] = x / w
        out[v, 1] = y / w
        out[v, 2] = depth if (depth >= clip_start) & (w > 0.0) else -np.inf


@kernel
def rough_corners(rough, triangles, t):  # type: ignore[no-untyped-def]
    """The three corners of a triangle, as :func:`project_roughly` left them."""
    # unsigned, or each index would be tested whether it counts from the end
    p, q, r = np.uint64(triangles[t, 0]), np.uint64(triangles[t, 1]), np.uint64(triangles[t, 2])
    return (
        (rough[p, 0], rough[p, 1], rough[p, 2]),
        (rough[q, 0], rough[q, 1], rough[q, 2]),
        (rough[r, 0], rough[r, 1], rough[r, 2]),
    )
