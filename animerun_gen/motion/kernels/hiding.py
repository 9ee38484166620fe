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
from animerun_gen.motion.thresholds import COVERS_NOTHING, SAME_DEPTH

kernel = compiled.kernels(__name__, error_model="numpy")

TILE = 8
"""Width and height, in pixels, of the squares of which the farthest point that may yet be hidden is kept."""

SMALL = 9
"""Of so many pixels around a triangle each is asked whether anything in it may be hidden, before points are tested."""


class Points(NamedTuple):
    """Surface points, see :func:`~animerun_gen.motion.raster.hidden_points`."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]
    instance: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]


class SortedPoints(NamedTuple):
    """The points inside the picture and the clipping range in the order of their pixels, so that neighbours are read
    together.

    Attributes:
        start: ``(H * W + 1,)`` int32; the points from ``start[c]`` to before ``start[c + 1]`` are those in pixel ``c``,
            row by row.
        number: ``(n,)`` int32, indices into :class:`Points`.
        x: ``(n,)`` float64, as in :class:`Points`.
        y: ``(n,)`` float64, likewise.
        limit: ``(n,)`` float64, the depth before which a surface hides the point; ``-inf`` once one does.
        farthest: ``(rows, columns)`` float64, the largest limit in each tile, while nothing is hidden.
        farthest_in: ``(H * W,)`` float64, the same of each pixel.
    """

    start: npt.NDArray[np.int32]
    number: npt.NDArray[np.int32]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    limit: npt.NDArray[np.float64]
    farthest: npt.NDArray[np.float64]
    farthest_in: npt.NDArray[np.float64]


@kernel
def _cell(x, y, depth, instance, view):  # type: ignore[no-untyped-def]
    """The pixel in which a point is; -1 outside the picture or the clipping range."""
    clip_start, clip_end, width, height = view
    # written so that places that are no numbers lie outside
    if not (x >= -0.5 and x < width - 0.5 and y >= -0.5 and y < height - 0.5):
        return -1
    if instance >= 0 and not (depth >= clip_start and depth <= clip_end):
        return -1
    # half of a number just below 0.5 is rounded up
    return min(int(np.floor(y + 0.5)), height - 1) * width + min(int(np.floor(x + 0.5)), width - 1)


@kernel
def sort_points(points, view, hidden):  # type: ignore[no-untyped-def]
    """The :class:`SortedPoints`; those that are among them are no longer marked as ``hidden``."""
    x, y, depth, instance, _ = points
    _, _, width, height = view
    start = np.zeros(width * height + 1, np.int32)
    for k in range(len(x)):
        cell = _cell(x[k], y[k], depth[k], instance[k], view)
        if cell >= 0:
            hidden[k] = False
            start[cell] += 1
    count = 0
    for cell in range(len(start)):
        count += start[cell]
        start[cell] = count
    number = np.empty(count, np.int32)
    limit, sorted_x, sorted_y = np.empty(count), np.empty(count), np.empty(count)
    # each pixel's points are filled in from its end; to find the pixel again takes less than to keep it
    for k in range(len(x)):
        cell = _cell(x[k], y[k], depth[k], instance[k], view)
        if cell >= 0:
            place = start[cell] - 1
            start[cell] = place
            number[place] = k
            sorted_x[place] = x[k]
            sorted_y[place] = y[k]
            limit[place] = depth[k] * (1.0 - SAME_DEPTH)
    farthest, farthest_in = _farthest_limits(start, limit, width, height)
    return SortedPoints(start, number, sorted_x, sorted_y, limit, farthest, farthest_in)


@kernel
def _farthest_limits(start, limit, width, height):  # type: ignore[no-untyped-def]
    """The largest limit in each tile, and in each pixel; ``-inf`` where there is no point."""
    farthest = np.full(((height + TILE - 1) // TILE, (width + TILE - 1) // TILE), -np.inf)
    farthest_in = np.empty(width * height)
    for row in range(height):
        for column in range(width):
            most = -np.inf
            for place in range(start[row * width + column], start[row * width + column + 1]):
                most = max(most, limit[place])
            farthest_in[row * width + column] = most
            farthest[row // TILE, column // TILE] = max(farthest[row // TILE, column // TILE], most)
    return farthest, farthest_in


@kernel
def _may_hide(nearest, x0, x1, y0, y1, farthest):  # type: ignore[no-untyped-def]
    """Whether any point in a rectangle of pixels lies farther away than ``nearest``, as far as tiles tell."""
    for row in range(y0 // TILE, y1 // TILE + 1):
        for column in range(x0 // TILE, x1 // TILE + 1):
            if farthest[row, column] > nearest:
                return True
    return False


@kernel
def _may_hide_in(nearest, x0, x1, y0, y1, farthest_in, width):  # type: ignore[no-untyped-def]
    """The same of few pixels, as far as each of them tells."""
    for row in range(y0, y1 + 1):
        for column in range(x0, x1 + 1):
            if farthest_in[row * width + column] > nearest:
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
    start, number, x, y, limit, farthest, farthest_in = tested
    _, _, width, height = view
    instance, triangle = points.instance, points.triangle
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
            # most triangles of a heavy scene are smaller than pixels, and part of the surface whose points are tested
            is_small = (x1 - x0 + 1) * (y1 - y0 + 1) <= SMALL
            if is_small and not _may_hide_in(nearest, x0, x1, y0, y1, farthest_in, width):
                continue
            edges = edge_functions(p, q, r)
            e, f, g = edges
            wide = (_widened(e, width, height), _widened(f, width, height), _widened(g, width, height))
            crossings = (crossing_of(wide[0]), crossing_of(wide[1]), crossing_of(wide[2]))
            depths = (p[2], q[2], r[2])
            own = t - base
            mask, corners = -1, -1
            if holes is not None:
                mask, corners = mask_of(meshes, holes, i, t)
            for row in range(y0, y1 + 1):
                first, last = span_in(wide, crossings, row, x0, x1)
                while first <= last:
                    # neighbouring tiles in which something may be hidden are gone through together
                    if not farthest[row // TILE, first // TILE] > nearest:
                        first = first // TILE * TILE + TILE
                        continue
                    beyond = first // TILE * TILE + TILE
                    while beyond <= last and farthest[row // TILE, beyond // TILE] > nearest:
                        beyond += TILE
                    beyond = min(beyond, last + 1)
                    begin, end = start[row * width + first], start[row * width + beyond]
                    first = beyond
                    # without branches, so that processors test several points at a time: of most points the answer is
                    # no; unsigned, or each index would be tested whether it counts from the end
                    covers_any = False
                    for place in range(np.uint64(begin), np.uint64(end)):
                        u, v, w, z = _at(x[place], y[place], edges, depths)
                        covers_any |= _covers(u, v, w, z, view, limit[place])
                    if not covers_any:
                        continue
                    for place in range(np.uint64(begin), np.uint64(end)):
                        u, v, w, z = _at(x[place], y[place], edges, depths)
                        point = number[place]
                        if not _covers(u, v, w, z, view, limit[place]):
                            continue
                        if instance[point] == i and triangle[point] == own:
                            continue
                        if holes is not None:  # noqa: SIM102 (numba takes out what stands behind this test alone)
                            if mask >= 0 and is_hole(holes, mask, corners, u, v, w):
                                continue
                        limit[place] = -np.inf
                        hidden[point] = True


@kernel
def _at(x, y, edges, depths):  # type: ignore[no-untyped-def]
    """A triangle's three edge functions at a place, and its depth there."""
    e, f, g = edges
    u = e[0] * x + e[1] * y + e[2]
    v = f[0] * x + f[1] * y + f[2]
    w = g[0] * x + g[1] * y + g[2]
    return u, v, w, (u * depths[0] + v * depths[1] + w * depths[2]) / (u + v + w)


@kernel
def _covers(u, v, w, depth, view, limit):  # type: ignore[no-untyped-def]
    """Whether a place is inside a triangle, of which so much is known there, and the triangle lies before a depth."""
    is_inside = (u >= 0.0) & (v >= 0.0) & (w >= 0.0)
    return is_inside & (depth >= view[0]) & (depth <= view[1]) & (depth < limit)


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
