"""Where the surface points that one frame shows are in another frame."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.motion.kernels.projection import corners_of, edge_functions, matrix_rows, transform
from animerun_gen.motion.thresholds import NO_AREA

kernel = compiled.kernels(__name__, error_model="numpy")


@kernel
def follow(  # type: ignore[no-untyped-def]
    instance_buffer,
    triangle_buffer,
    source,
    target,
    counterparts,
    backdrop_before,
    backdrop_after,
    nearest,
    longest,
    found,
):
    """Fill all of :class:`~animerun_gen.motion.flow.Motion`.

    ``source`` and ``target`` are :class:`Meshes`, ``counterparts`` the arrays of
    :class:`~animerun_gen.motion.counterparts.Counterparts`, ``backdrop_before`` and ``backdrop_after`` ``(4, 3)``
    matrices that take ``(x, y, 1)`` of a background pixel to its homogeneous pixels in both frames.  What comes nearer
    to the target's camera than ``nearest``, moves by more than ``longest`` pixels in x or y, or lies on a triangle that
    has no area in the target, is not known.  ``found`` holds the arrays to fill.
    """
    twin_instance, twin_start, twin_triangle, twin_corners = counterparts
    flow, valid, x, y, depth, counterpart, counterpart_triangle = found
    height, width = instance_buffer.shape
    # what is not filled must be numbers all the same
    ends = np.zeros((6, width))
    for row in range(height):
        last = 0
        while last < width:
            first = last
            i = instance_buffer[row, first]
            triangle = triangle_buffer[row, first]
            while last < width and instance_buffer[row, last] == i and triangle_buffer[row, last] == triangle:
                last += 1
            j = twin = -1
            limit = -np.inf
            if i < 0:
                _follow_backdrop(backdrop_before, backdrop_after, row, first, last, ends)
            elif twin_instance[i] < 0:
                limit = np.nan
            else:
                j = twin_instance[i]
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
                p, q, r = transform(after, there[0]), transform(after, there[1]), transform(after, there[2])
                if twin < 0 or _has_no_area(p, q, r):
                    limit = np.nan
                else:
                    _follow_triangle(here, there, before, after, row, first, last, ends)
                    limit = nearest
            for k in range(last - first):
                column = first + k
                u = ends[0, k]
                v = ends[1, k]
                # no limit is a number where nothing is known
                in_front = ends[5, k] > 0.0 and ends[4, k] >= limit
                if in_front and abs(u) <= longest and abs(v) <= longest:
                    flow[row, column, 0] = u
                    flow[row, column, 1] = v
                    valid[row, column] = True
                    x[row, column] = ends[2, k]
                    y[row, column] = ends[3, k]
                    depth[row, column] = ends[4, k]
                    counterpart[row, column] = j
                    counterpart_triangle[row, column] = twin
                else:
                    flow[row, column, 0] = UNKNOWN_FLOW
                    flow[row, column, 1] = UNKNOWN_FLOW
                    valid[row, column] = False
                    x[row, column] = np.nan
                    y[row, column] = np.nan
                    depth[row, column] = np.nan
                    counterpart[row, column] = -1
                    counterpart_triangle[row, column] = -1


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
def _follow_triangle(here, there, before, after, row, first, last, ends):  # type: ignore[no-untyped-def]
    """Fill columns ``first .. last - 1`` of ``ends``: flow, place, depth, w in the target."""
    e, f, g = edge_functions(transform(before, here[0]), transform(before, here[1]), transform(before, here[2]))
    for k in range(last - first):
        column = first + k
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
        ends[0, k] = x - now[0] / now[3]
        ends[1, k] = y - now[1] / now[3]
        ends[2, k] = x
        ends[3, k] = y
        ends[4, k] = then[2]
        ends[5, k] = then[3]


@kernel
def _follow_backdrop(before, after, row, first, last, ends):  # type: ignore[no-untyped-def]
    """The same for pixels that show the background."""
    for k in range(last - first):
        column = first + k
        now_w = before[3, 0] * column + before[3, 1] * row + before[3, 2]
        now_x = before[0, 0] * column + before[0, 1] * row + before[0, 2]
        now_y = before[1, 0] * column + before[1, 1] * row + before[1, 2]
        then_w = after[3, 0] * column + after[3, 1] * row + after[3, 2]
        then_x = after[0, 0] * column + after[0, 1] * row + after[0, 2]
        then_y = after[1, 0] * column + after[1, 1] * row + after[1, 2]
        u = then_x / then_w - now_x / now_w
        v = then_y / then_w - now_y / now_w
        ends[0, k] = u
        ends[1, k] = v
        ends[2, k] = column + u
        ends[3, k] = row + v
        ends[4, k] = np.inf
        ends[5, k] = min(now_w, then_w)
