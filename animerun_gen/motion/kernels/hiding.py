"""Which of many surface points, wherever between the pixel centres they are, lie behind a surface."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.motion.kernels.holes import is_hole, mask_of
from animerun_gen.motion.kernels.projection import (
    ROUNDING,
    corners_of,
    edge_functions,
    matrix_rows,
    project_mesh,
    projected_corners,
    room_for_a_mesh,
    transform,
)
from animerun_gen.motion.kernels.scan import bounds_of, crossing_of, nearest_depth_of, span_in

kernel = compiled.kernels(__name__, error_model="numpy")

SAME_DEPTH = 1e-7
"""Two depths whose relative difference is smaller belong to one surface: blender stores float32 coordinates."""

COVERS_NOTHING = 1e-6
"""Twice the area in the picture, in pixels, below which no point of a triangle counts as seen."""

TILE = 8
"""Width and height, in pixels, of the squares of which the farthest point that may yet be hidden is kept."""


class Points(NamedTuple):
    """Surface points, see :func:`~animerun_gen.motion.raster.hidden_points`."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]
    instance: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]


class SortedPoints(NamedTuple):
    """The points inside the picture and the clipping range in the order of their pixels.

    Attributes:
        start: ``(H * W + 1,)`` int32; ``number[start[c]:start[c + 1]]`` are the points in pixel ``c``, row by row.
        number: ``(n,)`` int32, indices into :class:`Points`.
        limit: ``(n,)`` float64, the depth before which a surface hides the point.
        farthest: ``(rows, columns)`` float64, the largest limit in each tile.
    """

    start: npt.NDArray[np.int32]
    number: npt.NDArray[np.int32]
    limit: npt.NDArray[np.float64]
    farthest: npt.NDArray[np.float64]


@kernel
def sort_points(points, view, hidden):  # type: ignore[no-untyped-def]
    """The :class:`SortedPoints`; those that are among them are no longer marked as ``hidden``."""
    x, y, depth, instance, _ = points
    clip_start, clip_end, width, height = view
    cell = np.empty(len(x), np.int32)
    start = np.zeros(width * height + 1, np.int32)
    for k in range(len(x)):
        cell[k] = -1
        # written so that places that are no numbers lie outside
        if not (x[k] >= -0.5 and x[k] < width - 0.5 and y[k] >= -0.5 and y[k] < height - 0.5):
            continue
        if instance[k] >= 0 and not (depth[k] >= clip_start and depth[k] <= clip_end):
            continue
        hidden[k] = False
        # half of a number just below 0.5 is rounded up
        row = min(int(np.floor(y[k] + 0.5)), height - 1)
        cell[k] = row * width + min(int(np.floor(x[k] + 0.5)), width - 1)
        start[cell[k]] += 1
    count = 0
    for c in range(len(start)):
        count += start[c]
        start[c] = count
    number = np.empty(count, np.int32)
    limit = np.empty(count)
    farthest = np.full(((height + TILE - 1) // TILE, (width + TILE - 1) // TILE), -np.inf)
    # each pixel's points are filled in from its end
    for k in range(len(x)):
        c = cell[k]
        if c < 0:
            continue
        start[c] -= 1
        number[start[c]] = k
        limit[start[c]] = depth[k] * (1.0 - SAME_DEPTH)
        row, column = c // width // TILE, c % width // TILE
        farthest[row, column] = max(farthest[row, column], limit[start[c]])
    return SortedPoints(start, number, limit, farthest)


@kernel
def _may_hide(nearest, x0, x1, y0, y1, farthest):  # type: ignore[no-untyped-def]
    """Whether any point in a rectangle of pixels lies farther away than ``nearest``, as far as tiles tell."""
    for row in range(y0 // TILE, y1 // TILE + 1):
        for column in range(x0 // TILE, x1 // TILE + 1):
            if farthest[row, column] > nearest:
                return True
    return False


@kernel
def _widened(edge, width, height):  # type: ignore[no-untyped-def]
    """An edge function that is nowhere negative in a pixel of which any point is inside the given one."""
    a, b, c = edge
    reach = 0.5 * (abs(a) + abs(b)) + ROUNDING * (abs(a) * width + abs(b) * height + abs(c))
    return a, b, c + reach


@kernel
def hide(meshes, view, places, holes, points, tested, hidden):  # type: ignore[no-untyped-def]
    """Mark the points ``tested`` before which a triangle lies; their limits are used up.

    ``holes`` is None where there are none.
    """
    x, y, _, instance, triangle = points
    start, number, limit, farthest = tested
    clip_start, clip_end, width, height = view
    triangles = meshes.triangles
    projected = room_for_a_mesh(meshes)
    for i in places.order:
        x0, x1, y0, y1 = places.pixels[i]
        if not _may_hide(places.nearest[i], x0, x1, y0, y1, farthest):
            continue
        project_mesh(meshes, i, projected)
        base = meshes.triangle_start[meshes.mesh[i]]
        for t in range(base, meshes.triangle_start[meshes.mesh[i] + 1]):
            p, q, r = projected_corners(projected, triangles, t)
            # a point lies up to half a pixel from the centre of its pixel
            x0, x1, y0, y1 = bounds_of(p, q, r, view, 0.5)
            if x0 > x1:
                continue
            nearest = nearest_depth_of(p, q, r)
            if not _may_hide(nearest, x0, x1, y0, y1, farthest):
                continue
            edges = edge_functions(p, q, r)
            e, f, g = edges
            wide = (_widened(e, width, height), _widened(f, width, height), _widened(g, width, height))
            crossings = (crossing_of(wide[0]), crossing_of(wide[1]), crossing_of(wide[2]))
            own = t - base
            if holes is not None:
                mask, corners = mask_of(meshes, holes, i, t)
            for row in range(y0, y1 + 1):
                first, last = span_in(wide, crossings, row, x0, x1)
                if first > last:
                    continue
                for tile in range(first // TILE, last // TILE + 1):
                    if not farthest[row // TILE, tile] > nearest:
                        continue
                    left = row * width + max(first, tile * TILE)
                    right = row * width + min(last, tile * TILE + TILE - 1)
                    for k in range(start[left], start[right + 1]):
                        if not nearest < limit[k]:
                            continue
                        point = number[k]
                        if instance[point] == i and triangle[point] == own:
                            continue
                        u = e[0] * x[point] + e[1] * y[point] + e[2]
                        v = f[0] * x[point] + f[1] * y[point] + f[2]
                        w = g[0] * x[point] + g[1] * y[point] + g[2]
                        if u >= 0.0 and v >= 0.0 and w >= 0.0:
                            depth = (u * p[2] + v * q[2] + w * r[2]) / (u + v + w)
                            if depth >= clip_start and depth <= clip_end and depth < limit[k]:
                                if holes is not None:  # noqa: SIM102
                                    if mask >= 0 and is_hole(holes, mask, corners, u, v, w):
                                        continue
                                limit[k] = -np.inf
                                hidden[point] = True


@kernel
def vanish(meshes, points, hidden):  # type: ignore[no-untyped-def]
    """Mark the points whose own triangle covers nothing of the picture: seen from its edge, or shrunk to nothing."""
    last_i = last_triangle = -1
    vanished = False
    for k in range(len(points.x)):
        i = points.instance[k]
        if hidden[k] or i < 0:
            continue
        triangle = points.triangle[k]
        # points mostly come in the order of the pixels that show them
        if i != last_i or triangle != last_triangle:
            last_i, last_triangle = i, triangle
            mesh = meshes.mesh[i]
            p, q, r = corners_of(
                meshes.vertices, meshes.vertex_start[mesh], meshes.triangles, meshes.triangle_start[mesh] + triangle
            )
            matrix = matrix_rows(meshes.matrices, i)
            p, q, r = transform(matrix, p), transform(matrix, q), transform(matrix, r)
            vanished = False
            if p[3] > 0.0 and q[3] > 0.0 and r[3] > 0.0:
                px, py = p[0] / p[3], p[1] / p[3]
                across = (q[0] / q[3] - px) * (r[1] / r[3] - py)
                vanished = abs(across - (r[0] / r[3] - px) * (q[1] / q[3] - py)) < COVERS_NOTHING
        if vanished:
            hidden[k] = True
