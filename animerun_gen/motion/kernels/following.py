"""Where the surface points that one frame shows are in another frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.motion.kernels.projection import corners_of, edge_functions, matrix_rows, transform
from animerun_gen.motion.thresholds import NO_AREA

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)
allocating = compiled.kernels(__name__, error_model="numpy")


LANES = 4
"""Pixels that are computed side by side: so many float64 numbers most processors handle at once."""

SLOTS = 4096
"""Triangles that are remembered: those of a row of a large picture, which the next row mostly shows again."""


class _Remembered(NamedTuple):
    """What is known of triangles, each in the slot of its number.

    Attributes:
        instance: ``(SLOTS,)`` int32, the source's instance; -1 where there is none yet.
        triangle: ``(SLOTS,)`` int32, its triangle.
        twin: ``(SLOTS,)`` int32, the same triangle in the target, -1 where it cannot be followed.
        numbers: ``(SLOTS, 27)`` float64, its edge functions, its corners in the source and those in the target.
    """

    instance: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]
    twin: npt.NDArray[np.int32]
    numbers: npt.NDArray[np.float64]


@allocating
def follow(  # type: ignore[no-untyped-def]
    instance_buffer,
    triangle_buffer,
    top,
    source,
    target,
    counterparts,
    backdrop_before,
    backdrop_after,
    nearest,
    longest,
    found,
):
    """Fill all of :class:`~animerun_gen.motion.flow.PointMotion`, for rows of a picture from ``top`` on.

    ``source`` and ``target`` are :class:`Meshes`, ``counterparts`` the arrays of
    :class:`~animerun_gen.motion.counterparts.Counterparts`, ``backdrop_before`` and ``backdrop_after`` ``(4, 3)``
    matrices that take ``(x, y, 1)`` of a background pixel to its homogeneous pixels in both frames.  What comes nearer
    to the target's camera than ``nearest``, moves by more than ``longest`` pixels in x or y, or lies on a triangle that
    has no area in the target, is not known.  ``found`` holds the arrays to fill; they have as many rows as the buffers.
    """
    known = _Remembered(
        np.full(SLOTS, -1, np.int32), np.empty(SLOTS, np.int32), np.empty(SLOTS, np.int32), np.empty((SLOTS, 27))
    )
    # flow, place, depth and w in the target: those of the first LANES pixels of a run, then those of the next ones;
    # what is not filled must be numbers all the same
    ends = np.zeros(6 * (instance_buffer.shape[1] + LANES))
    backdrops = (backdrop_before, backdrop_after)
    _follow_rows(
        instance_buffer,
        triangle_buffer,
        top,
        source,
        target,
        counterparts,
        backdrops,
        nearest,
        longest,
        found,
        known,
        ends,
    )


@kernel
def _follow_rows(  # type: ignore[no-untyped-def]
    instance_buffer,
    triangle_buffer,
    top,
    source,
    target,
    counterparts,
    backdrops,
    nearest,
    longest,
    found,
    known,
    ends,
):
    """The same with room for what is remembered, and for the ends of a row's pixels."""
    flow, valid, x, y, depth, counterpart, counterpart_triangle = found
    height, width = instance_buffer.shape
    of_instance, of_triangle, twins, numbers = known
    backdrop_before, backdrop_after = backdrops
    before_all, after_all, twin_instance = source.matrices, target.matrices, counterparts[0]
    for line in range(np.uint64(height)):
        row = top + np.int64(line)
        last = 0
        while last < width:
            first = last
            i = instance_buffer[line, first]
            triangle = triangle_buffer[line, first]
            while last < width and instance_buffer[line, last] == i and triangle_buffer[line, last] == triangle:
                last += 1
            j = twin = -1
            slot = 0
            limit = -np.inf
            if i >= 0:
                slot = (triangle + 613 * i) % SLOTS
                if of_instance[slot] != i or of_triangle[slot] != triangle:
                    _remember(known, slot, i, triangle, source, target, counterparts)
                twin = twins[slot]
                # no limit is a number where nothing is known
                limit = np.nan
                if twin >= 0:
                    j = twin_instance[i]
                    limit = nearest
            if i < 0:
                _follow_backdrop(backdrop_before, backdrop_after, row, first, last, ends)
            elif twin >= 0:
                _follow_triangle(numbers, slot, before_all, i, after_all, j, row, first, last, ends)
            # unsigned, or each index would be tested whether it counts from the end
            for away in range(np.uint64(last - first)):
                column = np.uint64(first) + away
                k = away // np.uint64(LANES) * np.uint64(6 * LANES) + away % np.uint64(LANES)
                u = ends[k]
                v = ends[k + np.uint64(LANES)]
                z = ends[k + np.uint64(4 * LANES)]
                in_front = ends[k + np.uint64(5 * LANES)] > 0.0 and z >= limit
                if in_front and abs(u) <= longest and abs(v) <= longest:
                    flow[line, column, 0] = u
                    flow[line, column, 1] = v
                    valid[line, column] = True
                    x[line, column] = ends[k + np.uint64(2 * LANES)]
                    y[line, column] = ends[k + np.uint64(3 * LANES)]
                    depth[line, column] = z
                    counterpart[line, column] = j
                    counterpart_triangle[line, column] = twin
                else:
                    flow[line, column, 0] = UNKNOWN_FLOW
                    flow[line, column, 1] = UNKNOWN_FLOW
                    valid[line, column] = False
                    x[line, column] = np.nan
                    y[line, column] = np.nan
                    depth[line, column] = np.nan
                    counterpart[line, column] = -1
                    counterpart_triangle[line, column] = -1


@kernel
def _remember(known, slot, i, triangle, source, target, counterparts):  # type: ignore[no-untyped-def]
    """Fill a slot with what is the same for all pixels that show a triangle."""
    twin_instance, twin_start, twin_triangle, twin_corners = counterparts
    known.instance[slot] = i
    known.triangle[slot] = triangle
    known.twin[slot] = -1
    j = twin_instance[i]
    if j < 0:
        return
    base, t = source.vertex_start[source.mesh[i]], source.triangle_start[source.mesh[i]] + triangle
    here = corners_of(source.vertices, base, source.triangles, t)
    base = target.vertex_start[target.mesh[j]]
    if twin_start[i] < 0:
        twin = triangle
        there = corners_of(target.vertices, base, source.triangles, t)
    else:
        twin = twin_triangle[twin_start[i] + triangle]
        # where there is none these are the corners of another triangle, which are not used
        there = corners_of(target.vertices, base, twin_corners, twin_start[i] + triangle)
    before, after = matrix_rows(source.matrices, i), matrix_rows(target.matrices, j)
    if twin < 0 or _has_no_area(transform(after, there[0]), transform(after, there[1]), transform(after, there[2])):
        return
    known.twin[slot] = twin
    numbers = known.numbers
    edges = edge_functions(transform(before, here[0]), transform(before, here[1]), transform(before, here[2]))
    for corner in range(3):
        for axis in range(3):
            numbers[slot, 3 * corner + axis] = edges[corner][axis]
            numbers[slot, 9 + 3 * corner + axis] = here[corner][axis]
            numbers[slot, 18 + 3 * corner + axis] = there[corner][axis]


@kernel
def _has_no_area(p, q, r):  # type: ignore[no-untyped-def]
    """Whether three points of homogeneous pixels lie on a line of the world.

    The first three components are an invertible linear function of the world (for every camera), so that what lies on a
    line there does so here.
    """
    a = (q[0] - p[0], q[1] - p[1], q[2] - p[2])
    b = (r[0] - p[0], r[1] - p[1], r[2] - p[2])
    x = a[1] * b[2] - a[2] * b[1]
    y = a[2] * b[0] - a[0] * b[2]
    z = a[0] * b[1] - a[1] * b[0]
    a_length = a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
    b_length = b[0] * b[0] + b[1] * b[1] + b[2] * b[2]
    # written so that what is no number has none
    return not x * x + y * y + z * z > NO_AREA * a_length * b_length


@kernel
def _mix(shares, corners):  # type: ignore[no-untyped-def]
    u, v, w = shares
    p, q, r = corners
    return (
        u * p[0] + v * q[0] + w * r[0],
        u * p[1] + v * q[1] + w * r[1],
        u * p[2] + v * q[2] + w * r[2],
    )


@kernel
def _three_of(numbers, slot, first):  # type: ignore[no-untyped-def]
    """Three edge functions or corners of those that are remembered."""
    return (
        (numbers[slot, first], numbers[slot, first + 1], numbers[slot, first + 2]),
        (numbers[slot, first + 3], numbers[slot, first + 4], numbers[slot, first + 5]),
        (numbers[slot, first + 6], numbers[slot, first + 7], numbers[slot, first + 8]),
    )


@kernel
def _follow_triangle(numbers, slot, before_all, i, after_all, j, row, first, last, ends):  # type: ignore[no-untyped-def]
    """Fill ``ends`` for the pixels from column ``first`` to before ``last``, which show one triangle."""
    e, f, g = _three_of(numbers, slot, 0)
    here, there = _three_of(numbers, slot, 9), _three_of(numbers, slot, 18)
    before, after = matrix_rows(before_all, i), matrix_rows(after_all, j)
    place = np.uint64(0)
    for begin in range(first, last, LANES):
        for k in range(np.uint64(LANES)):
            column = begin + np.int64(k)
            u = e[0] * column + e[1] * row + e[2]
            v = f[0] * column + f[1] * row + f[2]
            w = g[0] * column + g[1] * row + g[2]
            total = u + v + w
            shares = (u / total, v / total, w / total)
            # both ends are projected in the same way: what does not move gives a difference of exactly zero
            now = transform(before, _mix(shares, here))
            then = transform(after, _mix(shares, there))
            x = then[0] / then[3]
            y = then[1] / then[3]
            ends[place + k] = x - now[0] / now[3]
            ends[place + k + np.uint64(LANES)] = y - now[1] / now[3]
            ends[place + k + np.uint64(2 * LANES)] = x
            ends[place + k + np.uint64(3 * LANES)] = y
            ends[place + k + np.uint64(4 * LANES)] = then[2]
            ends[place + k + np.uint64(5 * LANES)] = then[3]
        place += np.uint64(6 * LANES)


@kernel
def _follow_backdrop(before, after, row, first, last, ends):  # type: ignore[no-untyped-def]
    """The same for pixels that show the background."""
    place = np.uint64(0)
    for begin in range(first, last, LANES):
        for k in range(np.uint64(LANES)):
            column = begin + np.int64(k)
            now_w = before[3, 0] * column + before[3, 1] * row + before[3, 2]
            now_x = before[0, 0] * column + before[0, 1] * row + before[0, 2]
            now_y = before[1, 0] * column + before[1, 1] * row + before[1, 2]
            then_w = after[3, 0] * column + after[3, 1] * row + after[3, 2]
            then_x = after[0, 0] * column + after[0, 1] * row + after[0, 2]
            then_y = after[1, 0] * column + after[1, 1] * row + after[1, 2]
            u = then_x / then_w - now_x / now_w
            v = then_y / then_w - now_y / now_w
            ends[place + k] = u
            ends[place + k + np.uint64(LANES)] = v
            ends[place + k + np.uint64(2 * LANES)] = column + u
            ends[place + k + np.uint64(3 * LANES)] = row + v
            ends[place + k + np.uint64(4 * LANES)] = np.inf
            ends[place + k + np.uint64(5 * LANES)] = min(now_w, then_w)
        place += np.uint64(6 * LANES)
