"""What a light makes of the surface point that each pixel shows, before anything stands in its way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.motion.kernels.projection import corners_of, edge_functions, matrix_rows, transform
from animerun_gen.shade.tone import BACKGROUND, BASE, HIGHLIGHT, SHADOW

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)

CURVED = 0.5
"""A surface has highlights where it curves more than a ball whose radius is so many times the size of its mesh."""


class Shaded(NamedTuple):
    """The arrays of a frame, see :class:`~animerun_gen.motion.geometry.FrameGeometry` and ``Normals``.

    Attributes:
        meshes: Its meshes; the matrices of instances lead to the world.
        pixels: ``(I, 4, 4)`` float64, mesh coordinates to homogeneous pixels.
        turns: ``(I, 4, 4)`` float64, normals of a mesh to the world, of any length.
        sizes: ``(M,)`` float64, diagonal of the box around each mesh.
    """

    meshes: object
    pixels: npt.NDArray[np.float64]
    turns: npt.NDArray[np.float64]
    vectors: npt.NDArray[np.float32]
    vector_start: npt.NDArray[np.int64]
    corners: npt.NDArray[np.int32]
    corner_start: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.float64]


class Eye(NamedTuple):
    """Whoever looks: its place, the direction against its view axis, and the size of a pixel.

    Attributes:
        size: Width of a pixel in scene units; at distance 1 if ``is_perspective``.
    """

    place: tuple[float, float, float]
    back: tuple[float, float, float]
    is_perspective: bool
    size: float


class Lamp(NamedTuple):
    """A light, see :class:`~animerun_gen.shade.light.Light`."""

    is_parallel: bool
    place: tuple[float, float, float]
    direction: tuple[float, float, float]
    cosine: float


class Limits(NamedTuple):
    """Where tones begin, see :class:`~animerun_gen.shade.tones.ToneSettings`."""

    terminator: float
    highlight: float
    reach: float


@kernel
def light_points(seen, shaded, eye, lamp, limits, tones, normals, places, lit):  # type: ignore[no-untyped-def]
    """Fill tones, unit normals and places, relative to the eye, of all pixels; those that are lit are written down.

    ``seen`` are the instance and the triangle of each pixel and its depth, ``lit`` arrays for as many pixels as there
    are: the number of each lit pixel, row by row, and the point ``(3,)`` that has to be tested for it.

    Returns:
        How many pixels are lit.
    """
    instance_buffer, triangle_buffer, depth_buffer = seen
    meshes = shaded.meshes
    pixel, tested = lit
    height, width = instance_buffer.shape
    count = 0
    for row in range(height):
        last = 0
        while last < width:
            first = last
            i = instance_buffer[row, first]
            triangle = triangle_buffer[row, first]
            while last < width and instance_buffer[row, last] == i and triangle_buffer[row, last] == triangle:
                last += 1
            if i < 0:
                for column in range(first, last):
                    tones[row, column] = BACKGROUND
                continue
            mesh = meshes.mesh[i]
            t = meshes.triangle_start[mesh] + triangle
            own = corners_of(meshes.vertices, meshes.vertex_start[mesh], meshes.triangles, t)
            to_pixels, to_world = matrix_rows(shaded.pixels, i), matrix_rows(meshes.matrices, i)
            turn = matrix_rows(shaded.turns, i)
            e, f, g = edge_functions(
                transform(to_pixels, own[0]), transform(to_pixels, own[1]), transform(to_pixels, own[2])
            )
            a, b, c = _place(to_world, own[0]), _place(to_world, own[1]), _place(to_world, own[2])
            flat = _turned(turn, _cross(_less(own[1], own[0]), _less(own[2], own[0])))
            n, m, o = _normals_of(shaded, mesh, t, triangle)
            n, m, o = _unit(_turned(turn, n), flat), _unit(_turned(turn, m), flat), _unit(_turned(turn, o), flat)
            # most triangles are nowhere near a highlight
            is_known, curved = False, False
            for column in range(first, last):
                u = e[0] * column + e[1] * row + e[2]
                v = f[0] * column + f[1] * row + f[2]
                w = g[0] * column + g[1] * row + g[2]
                total = u + v + w
                u, v, w = u / total, v / total, w / total
                point = _mixed(u, v, w, a, b, c)
                to_eye = eye.back
                if eye.is_perspective:
                    to_eye = _unit(_less(eye.place, point), eye.back)
                # as Blender has it: the side that is seen is the front
                side = 1.0 if _dot(flat, to_eye) >= 0.0 else -1.0
                normal = _unit(_mixed(side * u, side * v, side * w, n, m, o), _scaled(flat, side))
                place = _less(point, eye.place)
                for axis in range(3):
                    normals[row, column, axis] = normal[axis]
                    places[row, column, axis] = place[axis]
                to_light = _scaled(lamp.direction, -1.0)
                shines = True
                if not lamp.is_parallel:
                    to_light = _unit(_less(lamp.place, point), to_light)
                    shines = -_dot(to_light, lamp.direction) >= lamp.cosine
                if not shines or not _dot(normal, to_light) >= limits.terminator:
                    tones[row, column] = SHADOW
                    continue
                half = _unit((to_light[0] + to_eye[0], to_light[1] + to_eye[1], to_light[2] + to_eye[2]), normal)
                tones[row, column] = BASE
                if _dot(normal, half) > limits.highlight:
                    if not is_known:
                        is_known, curved = True, _is_curved(shaded, mesh, t, triangle, own)
                    if curved:
                        tones[row, column] = HIGHLIGHT
                reach = limits.reach * eye.size * (depth_buffer[row, column] if eye.is_perspective else 1.0)
                pixel[count] = row * width + column
                for axis in range(3):
                    tested[count, axis] = (
                        point[axis]
                        + u * _lift(point, a, n, side) * side * n[axis]
                        + v * _lift(point, b, m, side) * side * m[axis]
                        + w * _lift(point, c, o, side) * side * o[axis]
                        + reach * to_light[axis]
                    )
                count += 1
    return count


@kernel
def project(points, matrix, x, y, depth):  # type: ignore[no-untyped-def]
    """Fill in where points ``(n, 3)`` of the world are in a picture, by its pixel matrix."""
    rows = (
        (matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3]),
        (matrix[1, 0], matrix[1, 1], matrix[1, 2], matrix[1, 3]),
        (matrix[2, 0], matrix[2, 1], matrix[2, 2], matrix[2, 3]),
        (matrix[3, 0], matrix[3, 1], matrix[3, 2], matrix[3, 3]),
    )
    for k in range(len(points)):
        along, down, far, w = transform(rows, (points[k, 0], points[k, 1], points[k, 2]))
        x[k] = along / w
        y[k] = down / w
        depth[k] = far


@kernel
def _is_curved(shaded, mesh, t, triangle, own):  # type: ignore[no-untyped-def]
    """Whether a triangle is one of a round thing, as its normals tell; in mesh coordinates, so that it stays one."""
    n, m, o = _normals_of(shaded, mesh, t, triangle)
    p, q, r = own
    turn = max(_squared(_less(n, m)), max(_squared(_less(m, o)), _squared(_less(o, n))))
    length = max(_squared(_less(p, q)), max(_squared(_less(q, r)), _squared(_less(r, p))))
    # the chord between unit normals is their angle, about
    return turn * (CURVED * shaded.sizes[mesh]) ** 2 > length


@kernel
def _squared(p):  # type: ignore[no-untyped-def]
    return _dot(p, p)


@kernel
def _lift(point, corner, normal, side):  # type: ignore[no-untyped-def]
    """How far a point lies under the plane through a corner that its normal stands on."""
    return max(0.0, side * _dot(_less(corner, point), normal))


@kernel
def _normals_of(shaded, mesh, t, triangle):  # type: ignore[no-untyped-def]
    """The normals at the corners of a triangle, in mesh coordinates."""
    triangles = shaded.meshes.triangles
    first = shaded.vector_start[mesh]
    start = shaded.corner_start[mesh]
    if start >= 0:
        p = shaded.corners[start + triangle, 0]
        q = shaded.corners[start + triangle, 1]
        r = shaded.corners[start + triangle, 2]
    else:
        p, q, r = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    vectors = shaded.vectors
    return _vector(vectors, first + p), _vector(vectors, first + q), _vector(vectors, first + r)


@kernel
def _vector(vectors, k):  # type: ignore[no-untyped-def]
    return np.float64(vectors[k, 0]), np.float64(vectors[k, 1]), np.float64(vectors[k, 2])


@kernel
def _place(matrix, point):  # type: ignore[no-untyped-def]
    x, y, z, _ = transform(matrix, point)
    return x, y, z


@kernel
def _turned(turn, vector):  # type: ignore[no-untyped-def]
    """A normal in the world, of length 1 where it has any."""
    x, y, z = turn[0], turn[1], turn[2]
    p, q, r = vector
    found = (x[0] * p + x[1] * q + x[2] * r, y[0] * p + y[1] * q + y[2] * r, z[0] * p + z[1] * q + z[2] * r)
    return _unit(found, found)


@kernel
def _unit(vector, otherwise):  # type: ignore[no-untyped-def]
    length = np.sqrt(_dot(vector, vector))
    if not length > 0.0:
        return otherwise
    return vector[0] / length, vector[1] / length, vector[2] / length


@kernel
def _mixed(u, v, w, p, q, r):  # type: ignore[no-untyped-def]
    return (
        u * p[0] + v * q[0] + w * r[0],
        u * p[1] + v * q[1] + w * r[1],
        u * p[2] + v * q[2] + w * r[2],
    )


@kernel
def _dot(p, q):  # type: ignore[no-untyped-def]
    return p[0] * q[0] + p[1] * q[1] + p[2] * q[2]


@kernel
def _less(p, q):  # type: ignore[no-untyped-def]
    return p[0] - q[0], p[1] - q[1], p[2] - q[2]


@kernel
def _scaled(p, factor):  # type: ignore[no-untyped-def]
    return p[0] * factor, p[1] * factor, p[2] * factor


@kernel
def _cross(p, q):  # type: ignore[no-untyped-def]
    return p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]
