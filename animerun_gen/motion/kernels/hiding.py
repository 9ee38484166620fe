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
    project,
    project_roughly,
    room_for_a_rough_mesh,
    rough_corners,
    transform,
)
from animerun_gen.motion.kernels.scan import bounds_of, crossing_of, nearest_depth_of, span_in
from animerun_gen.motion.thresholds import COVERS_NOTHING, SAME_DEPTH

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)
allocating = compiled.kernels(__name__, error_model="numpy")

TILE = 8
"""Width and height, in pixels, of the squares of which the farthest point that may yet be hidden is kept."""

SMALL = 9
"""Of so many pixels around a triangle it is asked whether any point in them may be hidden, before points are tested."""

SLACK = 1.0 / 32.0
"""Pixels by which the box around a triangle is widened to hold all points that are found inside the triangle."""

CHUNK = 4096
"""Triangles of which it is asked at a time which of them may hide any point."""

NARROW = 16
"""Triangles that are no wider, in pixels, are held against all points beside them: to find where they end takes longer.
"""

LANES = 4
"""Points that are tested together, without branches: so many float64 numbers most processors handle at once."""

REMEMBERED = 4096
"""Triangles of which it is remembered whether they cover anything."""


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
        top: First row of the picture in which any of them is.
        rows: Rows in which they are.
        start: ``(rows * W + 1,)`` int32; the points from ``start[c]`` to before ``start[c + 1]`` are those in pixel
            ``c``, row by row, counted from row ``top``.
        number: ``(n,)`` int32, indices into :class:`Points`.
        x: ``(n + LANES,)`` float64, as in :class:`Points`; beyond ``n`` is room to read, here and below.
        y: ``(n + LANES,)`` float64, likewise.
        limit: ``(n + LANES,)`` float64, the depth before which a surface hides the point; ``-inf`` once one does.
        in_pixel: ``(rows * W,)`` float32, no smaller than the largest limit in each pixel, while nothing is hidden;
            ``-inf`` where no point is.
        farthest: ``(tile rows, tile columns)`` float64, the largest limit in each tile, likewise; the tiles are counted
            from row ``top``.
    """

    top: int
    rows: int
    start: npt.NDArray[np.int32]
    number: npt.NDArray[np.int32]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    limit: npt.NDArray[np.float64]
    in_pixel: npt.NDArray[np.float32]
    farthest: npt.NDArray[np.float64]


class Room(NamedTuple):
    """Room for so many points and pixels, which is used again and again: to take memory anew costs more than to sort
    what it holds.

    Attributes:
        cell: The pixel of each point while points are sorted; the room of ``in_pixel`` after that.
    """

    start: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    number: npt.NDArray[np.int32]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    limit: npt.NDArray[np.float64]


def room_for(count: int, pixels: int) -> Room:
    """Room for so many points in a picture of so many pixels."""
    size = count + LANES
    return Room(
        np.empty(pixels + 1, np.int32),
        np.empty(max(count, pixels), np.int32),
        np.empty(count, np.int32),
        np.empty(size),
        np.empty(size),
        np.empty(size),
    )


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


@allocating
def sort_points(points, view, room, hidden):  # type: ignore[no-untyped-def]
    """The :class:`SortedPoints`; those that are among them are no longer marked as ``hidden``.

    They are kept in a :class:`Room`.
    """
    x, y, depth, instance, _ = points
    _, _, width, height = view
    all_start, cells, number, sorted_x, sorted_y, limit = room
    low, high = width * height, -1
    for k in range(len(x)):
        cell = _cell(x[k], y[k], depth[k], instance[k], view)
        cells[k] = cell
        if cell >= 0:
            hidden[k] = False
            low, high = min(low, cell), max(high, cell)
    top = low // width if high >= 0 else 0
    rows = high // width + 1 - top if high >= 0 else 0
    before = top * width
    start = all_start[: rows * width + 1]
    start[:] = 0
    for k in range(len(x)):
        if cells[k] >= 0:
            start[cells[k] - before] += 1
    count = 0
    for cell in range(len(start)):
        count += start[cell]
        start[cell] = count
    # each pixel's points are filled in from its end
    for k in range(len(x)):
        if cells[k] >= 0:
            place = start[cells[k] - before] - 1
            start[cells[k] - before] = place
            number[place] = k
            sorted_x[place] = x[k]
            sorted_y[place] = y[k]
            limit[place] = depth[k] * (1.0 - SAME_DEPTH)
    # what is only read hides nothing
    sorted_x[count : count + LANES] = 0.0
    sorted_y[count : count + LANES] = 0.0
    limit[count : count + LANES] = -np.inf
    in_pixel = cells.view(np.float32)[: rows * width]
    farthest = _farthest_limits(start, limit, width, rows, in_pixel)
    return SortedPoints(top, rows, start, number, sorted_x, sorted_y, limit, in_pixel, farthest)


@allocating
def _farthest_limits(start, limit, width, rows, in_pixel):  # type: ignore[no-untyped-def]
    """The largest limit in each tile; ``-inf`` where there is no point.  Those of the pixels are filled in."""
    farthest = np.full(((rows + TILE - 1) // TILE, (width + TILE - 1) // TILE), -np.inf)
    for row in range(rows):
        for column in range(width):
            pixel = row * width + column
            most = -np.inf
            for place in range(start[pixel], start[pixel + 1]):
                most = max(most, limit[place])
            # a float32 may be less than what it is made of
            in_pixel[pixel] = most + 2e-7 * abs(most) if most > -np.inf else most
            farthest[row // TILE, column // TILE] = max(farthest[row // TILE, column // TILE], most)
    return farthest


@kernel
def _may_hide(nearest, x0, x1, y0, y1, farthest):  # type: ignore[no-untyped-def]
    """Whether any point in a rectangle of pixels lies farther away than ``nearest``, as far as tiles tell."""
    for row in range(y0 // TILE, y1 // TILE + 1):
        for column in range(x0 // TILE, x1 // TILE + 1):
            if farthest[row, column] > nearest:
                return True
    return False


@kernel
def _find_near(  # type: ignore[no-untyped-def]
    begin, end, triangles, rough, top, rows, width, start, x, y, limit, in_pixel, farthest, blur, near
):
    """Fill ``near`` with those of some triangles that may hide any point, as what is roughly known of their corners
    tells.

    A point is found inside a triangle by edge functions that are rounded.  In exact numbers it then lies outside the
    box around it by no more than three times the size of the box times the rounding of an edge function (below
    ``6 * W * H`` times :data:`ROUNDING`, but for the weights of the corners) over twice the triangle's area.  That is
    less than half of :data:`SLACK` where twice the area is more than ``blur`` times the size of the box, see
    :func:`_blur`.

    Returns:
        How many they are.
    """
    count = 0
    half, slack = np.float32(0.5), np.float32(SLACK)
    first_row, last_row = np.float32(top) - half, np.float32(rows - 1)
    last_column = np.float32(width - 1)
    # unsigned, or each index would be tested whether it counts from the end
    for t in range(np.uint64(begin), np.uint64(end)):
        (px, py, pz), (qx, qy, qz), (rx, ry, rz) = rough_corners(rough, triangles, t)
        least, most = min(pz, qz, rz), max(pz, qz, rz)
        left, right = min(px, qx, rx), max(px, qx, rx)
        above, below = min(py, qy, ry), max(py, qy, ry)
        size = max(right - left, below - above)
        if not size + abs(least) + abs(most) < np.inf:
            # anywhere, or at least farther than these numbers reach
            near[np.uint64(count)] = t
            count += 1
            continue
        left, right, above, below = left - slack, right + slack, above - slack, below + slack
        # columns and rows of pixels, the rows counted from the first one in which points are
        x0, x1 = max(left + half, np.float32(0.0)), min(right + half, last_column)
        y0, y1 = max(above - first_row, np.float32(0.0)), min(below - first_row, last_row)
        if x0 >= x1 + np.float32(1.0) or y0 >= y1 + np.float32(1.0):
            continue
        x0, x1, y0, y1 = int(x0), int(x1), int(y0), int(y1)
        # a float32 is as exact as a part of that
        nearest = least - np.float32(4e-7) * max(abs(least), abs(most))
        if x1 - x0 <= 1 and y1 - y0 <= 1:
            # most triangles of a heavy scene, so without branches
            upper, lower = y0 * width, y1 * width
            may_hide = (
                (in_pixel[np.uint64(upper + x0)] > nearest)
                | (in_pixel[np.uint64(upper + x1)] > nearest)
                | (in_pixel[np.uint64(lower + x0)] > nearest)
                | (in_pixel[np.uint64(lower + x1)] > nearest)
            )
        else:
            may_hide = _may_hide(nearest, x0, x1, y0, y1, farthest)
        if may_hide and (x1 - x0 + 1) * (y1 - y0 + 1) <= SMALL:
            area = abs((qx - px) * (ry - py) - (rx - px) * (qy - py))
            if not area > blur * size:
                left, right, above, below = -np.inf, np.inf, -np.inf, np.inf
            may_hide = False
            for row in range(y0, y1 + 1):
                first, last = np.uint64(row * width + x0), np.uint64(row * width + x1 + 1)
                for place in range(np.uint64(start[first]), np.uint64(start[last])):
                    is_beside = (x[place] < left) | (x[place] > right) | (y[place] < above) | (y[place] > below)
                    may_hide |= (limit[place] > nearest) & (not is_beside)
                if may_hide:
                    break
        if may_hide:
            near[np.uint64(count)] = t
            count += 1
    return count


@kernel
def _blur(width, height):  # type: ignore[no-untyped-def]
    """How large twice the area of a triangle must be, for the size of the box around it, see :func:`_find_near`.

    The second part is what float32 numbers of pixels make of it.
    """
    return 36.0 * ROUNDING / SLACK * width * height + 1e-6 * max(width, height, 16)


@kernel
def _widened(edge, width, height):  # type: ignore[no-untyped-def]
    """An edge function that is nowhere negative in a pixel of which any point is inside the given one."""
    a, b, c = edge
    reach = 0.5 * (abs(a) + abs(b)) + ROUNDING * (abs(a) * width + abs(b) * height + abs(c))
    return a, b, c + reach


@allocating
def hide(meshes, view, places, holes, points, tested, hidden):  # type: ignore[no-untyped-def]
    """Mark the points ``tested`` before which a triangle lies; their limits are used up.

    ``holes`` is None where there are none.
    """
    top, rows, start, _, x, y, limit, in_pixel, farthest = tested
    _, _, width, height = view
    bottom = top + rows - 1
    triangles = meshes.triangles
    rough, blur = room_for_a_rough_mesh(meshes), _blur(width, height)
    near = np.empty(CHUNK, np.int32)
    for i in places.order:
        x0, x1, y0, y1 = places.pixels[i]
        y0, y1 = max(y0, top), min(y1, bottom)
        if y0 > y1 or not _may_hide(places.nearest[i], x0, x1, y0 - top, y1 - top, farthest):
            continue
        project_roughly(meshes, i, view, rough)
        last = meshes.triangle_start[meshes.mesh[i] + 1]
        for begin in range(meshes.triangle_start[meshes.mesh[i]], last, CHUNK):
            end = min(begin + CHUNK, last)
            count = _find_near(
                begin, end, triangles, rough, top, rows, width, start, x, y, limit, in_pixel, farthest, blur, near
            )
            _hide_behind(near[:count], i, meshes, view, holes, points, tested, hidden)


@kernel
def _hide_behind(near, i, meshes, view, holes, points, tested, hidden):  # type: ignore[no-untyped-def]
    """The same of some triangles of an instance."""
    top, rows, start, number, x, y, limit, _, farthest = tested
    _, _, width, height = view
    bottom = top + rows - 1
    instance, triangle = points.instance, points.triangle
    vertices, triangles = meshes.vertices, meshes.triangles
    matrix = matrix_rows(meshes.matrices, i)
    first_vertex, base = meshes.vertex_start[meshes.mesh[i]], meshes.triangle_start[meshes.mesh[i]]
    for t in near:
        a, b, c = corners_of(vertices, first_vertex, triangles, t)
        p, q, r = project(matrix, a), project(matrix, b), project(matrix, c)
        # a point lies up to half a pixel from the centre of its pixel
        x0, x1, y0, y1 = bounds_of(p, q, r, view, 0.5)
        y0, y1 = max(y0, top), min(y1, bottom)
        if x0 > x1 or y0 > y1:
            continue
        nearest = nearest_depth_of(p, q, r)
        edges = edge_functions(p, q, r)
        e, f, g = edges
        wide = (_widened(e, width, height), _widened(f, width, height), _widened(g, width, height))
        crossings = (crossing_of(wide[0]), crossing_of(wide[1]), crossing_of(wide[2]))
        depths = (p[2], q[2], r[2])
        own = t - base
        is_narrow = x1 - x0 < NARROW
        mask, corners = -1, -1
        if holes is not None:
            mask, corners = mask_of(meshes, holes, i, t)
        for row in range(y0, y1 + 1):
            first, last = x0, x1
            if not is_narrow:
                first, last = span_in(wide, crossings, row, x0, x1)
            line = row - top
            while first <= last:
                beyond = last + 1
                if not is_narrow:
                    # neighbouring tiles in which something may be hidden are gone through together
                    if not farthest[line // TILE, first // TILE] > nearest:
                        first = first // TILE * TILE + TILE
                        continue
                    beyond = first // TILE * TILE + TILE
                    while beyond <= last and farthest[line // TILE, beyond // TILE] > nearest:
                        beyond += TILE
                    beyond = min(beyond, last + 1)
                begin, end = start[line * width + first], start[line * width + beyond]
                first = beyond
                # without branches and in one loop, so that processors test several points at a time, a few too many
                # among them: of most points the answer is no; unsigned, or each index would be tested whether it
                # counts from the end
                lanes = np.uint64(LANES)
                groups = (np.uint64(end) - np.uint64(begin) + lanes - np.uint64(1)) // lanes
                covers_any = False
                for place in range(np.uint64(begin), np.uint64(begin) + groups * lanes):
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


@allocating
def vanish(meshes, points, hidden):  # type: ignore[no-untyped-def]
    """Mark the points whose own triangle covers nothing of the picture: seen from its edge, or shrunk to nothing."""
    of_instance, of_triangle = np.full(REMEMBERED, -1, np.int32), np.empty(REMEMBERED, np.int32)
    _vanish(meshes, points, of_instance, of_triangle, np.empty(REMEMBERED, np.bool_), hidden)


@kernel
def _vanish(meshes, points, of_instance, of_triangle, has_vanished, hidden):  # type: ignore[no-untyped-def]
    """The same with room for what is remembered of triangles."""
    for k in range(len(points.x)):
        i = points.instance[k]
        if hidden[k] or i < 0:
            continue
        triangle = points.triangle[k]
        # points mostly come in the order of the pixels that show them
        slot = (triangle + 613 * i) % REMEMBERED
        if of_instance[slot] != i or of_triangle[slot] != triangle:
            of_instance[slot], of_triangle[slot] = i, triangle
            has_vanished[slot] = _covers_nothing(meshes, i, triangle)
        if has_vanished[slot]:
            hidden[k] = True


@kernel
def _covers_nothing(meshes, i, triangle):  # type: ignore[no-untyped-def]
    """Whether a triangle has no area in the picture, as far as it lies before the camera."""
    mesh = meshes.mesh[i]
    p, q, r = corners_of(
        meshes.vertices, meshes.vertex_start[mesh], meshes.triangles, meshes.triangle_start[mesh] + triangle
    )
    matrix = matrix_rows(meshes.matrices, i)
    p, q, r = transform(matrix, p), transform(matrix, q), transform(matrix, r)
    if not (p[3] > 0.0 and q[3] > 0.0 and r[3] > 0.0):
        return False
    px, py = p[0] / p[3], p[1] / p[3]
    across = (q[0] / q[3] - px) * (r[1] / r[3] - py)
    return abs(across - (r[0] / r[3] - px) * (q[1] / q[3] - py)) < COVERS_NOTHING
