"""Where edges of one body go through triangles of another one."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.motion.thresholds import SAME_DEPTH

kernel = compiled.kernels(__name__, error_model="numpy")


@kernel
def boxes_around(points, corners):  # type: ignore[no-untyped-def]
    """``(n, 6)``: the smallest x, y and z of the points of each edge or triangle, and the largest."""
    boxes = np.empty((len(corners), 6))
    for n in range(len(corners)):
        for axis in range(3):
            low = high = points[corners[n, 0], axis]
            for k in range(1, corners.shape[1]):
                value = points[corners[n, k], axis]
                low, high = min(low, value), max(high, value)
            boxes[n, axis], boxes[n, axis + 3] = low, high
    return boxes


@kernel
def boxes_of_bodies(boxes, start, members):  # type: ignore[no-untyped-def]
    """``(B, 6)``: the box around the members of each body."""
    around = np.empty((len(start) - 1, 6))
    for b in range(len(around)):
        around[b, :3] = np.inf
        around[b, 3:] = -np.inf
        for m in range(start[b], start[b + 1]):
            for axis in range(3):
                around[b, axis] = min(around[b, axis], boxes[members[m], axis])
                around[b, axis + 3] = max(around[b, axis + 3], boxes[members[m], axis + 3])
    return around


@kernel
def _overlap(boxes, n, box):  # type: ignore[no-untyped-def]
    x0, y0, z0, x1, y1, z1 = box
    return (
        boxes[n, 0] <= x1
        and x0 <= boxes[n, 3]
        and boxes[n, 1] <= y1
        and y0 <= boxes[n, 4]
        and boxes[n, 2] <= z1
        and z0 <= boxes[n, 5]
    )


@kernel
def _row(boxes, n):  # type: ignore[no-untyped-def]
    return boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3], boxes[n, 4], boxes[n, 5]


@kernel
def find_hits(points, depths, around, triangles, edges):  # type: ignore[no-untyped-def]
    """Where edges go through triangles of other bodies.

    Args:
        points: ``(P, 3)``, vertices of all instances in the world.
        depths: ``(P,)``, their distances along the view axis.
        around: See :func:`boxes_of_bodies`.
        triangles: ``(corners, boxes, start, members)``: ``(F, 3)`` points, their boxes, and which are each body's.
        edges: The same of edges: ``(E, 2)`` points.

    Returns:
        ``(n,)`` int64, an edge, ``(n,)`` int64, a triangle, and ``(n,)`` float64, the share of the edge's second point.
    """
    order = np.argsort(around[:, 0])
    found = (np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256))
    count = 0
    for k in range(len(order)):
        one = order[k]
        a = _row(around, one)
        for n in range(k + 1, len(order)):
            other = order[n]
            if not around[other, 0] <= around[one, 3]:
                break
            if not _overlap(around, other, a):
                continue
            b = _row(around, other)
            both = (
                max(a[0], b[0]),
                max(a[1], b[1]),
                max(a[2], b[2]),
                min(a[3], b[3]),
                min(a[4], b[4]),
                min(a[5], b[5]),
            )
            found, count = _hits_of(points, depths, both, triangles, edges, one, other, found, count)
            found, count = _hits_of(points, depths, both, triangles, edges, other, one, found, count)
    return found[0][:count].copy(), found[1][:count].copy(), found[2][:count].copy()


@kernel
def _hits_of(points, depths, both, triangles, edges, body, pierced, found, count):  # type: ignore[no-untyped-def]
    """Where edges of one body go through triangles of another one, in the box that both have in common."""
    corners, boxes, start, members = triangles
    ends, edge_boxes, edge_start, edge_members = edges
    amount = 0
    for m in range(start[pierced], start[pierced + 1]):
        amount += _overlap(boxes, members[m], both)
    if amount == 0:
        return found, count
    near, begins = np.empty(amount, np.int64), np.empty(amount)
    amount = 0
    for m in range(start[pierced], start[pierced + 1]):
        if _overlap(boxes, members[m], both):
            near[amount] = members[m]
            begins[amount] = boxes[members[m], 0]
            amount += 1
    # the farther to the right a triangle begins, the fewer edges reach it
    order = np.argsort(begins)
    for m in range(edge_start[body], edge_start[body + 1]):
        e = edge_members[m]
        if not _overlap(edge_boxes, e, both):
            continue
        box = _row(edge_boxes, e)
        for k in range(amount):
            t = near[order[k]]
            if boxes[t, 0] > box[3]:
                break
            if not _overlap(boxes, t, box):
                continue
            share = _share_at(points, depths, ends[e, 0], ends[e, 1], corners[t, 0], corners[t, 1], corners[t, 2])
            if not share <= 1.0:
                continue
            if count == len(found[0]):
                found = (_doubled(found[0]), _doubled(found[1]), _doubled(found[2]))
            found[0][count], found[1][count], found[2][count] = e, t, share
            count += 1
    return found, count


@kernel
def _doubled(array):  # type: ignore[no-untyped-def]
    longer = np.empty(2 * len(array), array.dtype)
    longer[: len(array)] = array
    return longer


@kernel
def _share_at(points, depths, first, last, p, q, r):  # type: ignore[no-untyped-def]
    """Where an edge goes through a triangle, as the share of its second point; no number where it does not.

    An edge that begins or ends on the triangle's plane, as far as that can be said, does not go through.
    """
    normal = _cross(_from(points, p, q), _from(points, p, r))
    before, behind = _dot(normal, _from(points, p, first)), _dot(normal, _from(points, p, last))
    if not before * behind < 0.0:
        return np.nan
    least = SAME_DEPTH * max(abs(depths[first]), abs(depths[last])) * np.sqrt(_dot(normal, normal))
    if abs(before) < least or abs(behind) < least:
        return np.nan
    along = _from(points, first, last)
    u, v = _side(points, first, along, p, q), _side(points, first, along, q, r)
    w = _side(points, first, along, r, p)
    if (u >= 0.0 and v >= 0.0 and w >= 0.0) or (u <= 0.0 and v <= 0.0 and w <= 0.0):
        return before / (before - behind)
    return np.nan


@kernel
def _side(points, first, along, p, q):  # type: ignore[no-untyped-def]
    """On which side of the line through two corners an edge goes past; to the bit the negative of the way back."""
    if p < q:
        return _dot(_cross(along, _from(points, first, p)), _from(points, first, q))
    return -_dot(_cross(along, _from(points, first, q)), _from(points, first, p))


@kernel
def _from(points, a, b):  # type: ignore[no-untyped-def]
    """From one point to another."""
    return points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]


@kernel
def _cross(a, b):  # type: ignore[no-untyped-def]
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@kernel
def _dot(a, b):  # type: ignore[no-untyped-def]
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
