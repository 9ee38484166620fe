"""The edges of a mesh, and which of them make lines."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy")

FLAT = float(np.cos(np.radians(1.0)))
"""A face is flat whose triangles are turned by no more than a degree from it, by their areas."""


@kernel
def pair_sorted(keys, order, triangles):  # type: ignore[no-untyped-def]
    """Put each edge's triangles side by side; ``keys`` has three edges for each of the triangles."""
    vertices = np.empty((len(order), 2), np.int32)
    faces = np.empty((len(order), 2), np.int32)
    count = 0
    n = 0
    while n < len(order):
        key = keys[order[n]]
        is_paired = n + 1 < len(order) and keys[order[n + 1]] == key
        vertices[count, 0] = key >> 32
        vertices[count, 1] = key & 0xFFFFFFFF
        faces[count, 0] = triangles[order[n] // 3]
        faces[count, 1] = triangles[order[n + 1] // 3] if is_paired else -1
        count += 1
        n += 2 if is_paired else 1
    return vertices[:count].copy(), faces[:count].copy()


@kernel
def triangles_beside(edges, before, faces, triangles):  # type: ignore[no-untyped-def]
    """The triangles beside each edge, ``(E, n)``, of the faces whose triangles they were ``before`` they were others.

    ``faces`` has, ascending, the face that each triangle is a part of.
    """
    found = before.copy()
    for e in range(len(edges)):
        for side in range(before.shape[1]):
            t = before[e, side]
            face = faces[t]
            if _has(triangles, t, edges[e, 0]) and _has(triangles, t, edges[e, 1]):
                continue
            while t > 0 and faces[t - 1] == face:
                t -= 1
            while t < len(faces) and faces[t] == face:
                if _has(triangles, t, edges[e, 0]) and _has(triangles, t, edges[e, 1]):
                    found[e, side] = t
                    break
                t += 1
    return found


@kernel
def _has(triangles, t, vertex):  # type: ignore[no-untyped-def]
    return triangles[t, 0] == vertex or triangles[t, 1] == vertex or triangles[t, 2] == vertex


@kernel
def find_edges(vertices, triangles, edges, faces, materials, to_pixels, to_world, turned, depths, size):  # type: ignore[no-untyped-def]
    """The feature edges of one instance, see :class:`FeatureEdges`."""
    pixels = np.empty((len(vertices), 4))
    for v in range(len(vertices)):
        pixels[v] = point(to_pixels, vertices[v])
    fronts = np.empty(len(triangles), np.bool_)
    for t in range(len(triangles)):
        fronts[t] = is_front(pixels[triangles[t, 0]], pixels[triangles[t, 1]], pixels[triangles[t, 2]])
    ends = np.empty((len(edges), 6))
    points = np.empty((len(edges), 2), np.int64)
    hides = np.empty(len(edges), np.bool_)
    count = 0
    for e in range(len(edges)):
        f, g = faces[e, 0], faces[e, 1]
        f_is_there = materials[f] >= 0
        g_is_there = g >= 0 and materials[g] >= 0
        if not f_is_there and not g_is_there:
            continue
        hiding = not f_is_there or not g_is_there or fronts[f] != fronts[g]
        if not hiding and materials[f] == materials[g] and not _is_sharp(vertices, triangles, f, g, to_world, turned):
            continue
        line = in_picture(pixels[edges[e, 0]], pixels[edges[e, 1]], depths, size)
        if not line[0] <= np.inf:
            continue
        ends[count] = line
        points[count, 0] = edges[e, 0]
        points[count, 1] = edges[e, 1]
        hides[count] = hiding
        count += 1
    return ends[:count].copy(), points[:count].copy(), hides[:count].copy()


@kernel
def point(matrix, vertex):  # type: ignore[no-untyped-def]
    """A vertex times a matrix, homogeneous."""
    x, y, z = np.float64(vertex[0]), np.float64(vertex[1]), np.float64(vertex[2])
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3],
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3],
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3],
        matrix[3, 0] * x + matrix[3, 1] * y + matrix[3, 2] * z + matrix[3, 3],
    )


@kernel
def is_front(p, q, r):  # type: ignore[no-untyped-def]
    """Whether a triangle of homogeneous pixels goes round in one sense and not in the other."""
    return (
        p[0] * (q[1] * r[3] - q[3] * r[1]) + p[1] * (q[3] * r[0] - q[0] * r[3]) + p[3] * (q[0] * r[1] - q[1] * r[0])
    ) > 0.0


@kernel
def _is_sharp(vertices, triangles, f, g, to_world, turned):  # type: ignore[no-untyped-def]
    """Whether two faces are turned from each other by so much that the cosine is at most ``turned``."""
    return cosine_between(vertices, triangles, f, g, to_world) <= turned


@kernel
def cosine_between(vertices, triangles, f, g, to_world):  # type: ignore[no-untyped-def]
    """The cosine of the angle by which two faces are turned from each other; no number where one has no extent."""
    a = _world_normal(vertices, triangles, f, to_world)
    b = _world_normal(vertices, triangles, g, to_world)
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@kernel
def edge_normals(vertices, triangles, faces, to_world):  # type: ignore[no-untyped-def]
    """The unit normals of triangles in the world, ``(T, 3)``, by which edges between faces are sharp or are not.

    ``faces`` has, ascending, the face that each triangle is a part of.  All triangles of a face that is flat have the
    normal of its rim, so that it does not matter into which ones it is cut, and that some may have no extent.  No
    numbers where a face has none.
    """
    places = np.empty((len(vertices), 3))
    for v in range(len(vertices)):
        x, y, z, _ = point(to_world, vertices[v])
        places[v, 0], places[v, 1], places[v, 2] = x, y, z
    normals = np.empty((len(faces), 3))
    first = 0
    while first < len(faces):
        last = first
        x = y = z = area = 0.0
        while last < len(faces) and faces[last] == faces[first]:
            a, b, c = _across(places[triangles[last, 0]], places[triangles[last, 1]], places[triangles[last, 2]])
            length = np.sqrt(a * a + b * b + c * c)
            normals[last, 0], normals[last, 1], normals[last, 2] = a / length, b / length, c / length
            x, y, z = x + a, y + b, z + c
            area += length
            last += 1
        length = np.sqrt(x * x + y * y + z * z)
        if last - first > 1 and length >= FLAT * area:
            for t in range(first, last):
                normals[t, 0], normals[t, 1], normals[t, 2] = x / length, y / length, z / length
        first = last
    return normals


@kernel
def _world_normal(vertices, triangles, t, to_world):  # type: ignore[no-untyped-def]
    return _normal(
        point(to_world, vertices[triangles[t, 0]]),
        point(to_world, vertices[triangles[t, 1]]),
        point(to_world, vertices[triangles[t, 2]]),
    )


@kernel
def _normal(p, q, r):  # type: ignore[no-untyped-def]
    """The unit normal of a triangle in the world; no numbers where it has no extent."""
    x, y, z = _across(p, q, r)
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@kernel
def _across(p, q, r):  # type: ignore[no-untyped-def]
    """The normal of a triangle, twice its area long."""
    ax, ay, az = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    bx, by, bz = r[0] - p[0], r[1] - p[1], r[2] - p[2]
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


@kernel
def in_picture(p, q, depths, size):  # type: ignore[no-untyped-def]
    """The part of an edge within the clipping range and the picture, in pixels, and how far away both its ends are; no
    numbers where there is none."""
    nothing = (np.nan, np.nan, np.nan, np.nan, np.nan, np.nan)
    near, far = 0.0, 1.0
    for below, above in ((p[2] - depths[0], q[2] - depths[0]), (depths[1] - p[2], depths[1] - q[2])):
        near, far = _clip(below, above, near, far)
    if not near < far:
        return nothing
    w0, w1 = p[3] + near * (q[3] - p[3]), p[3] + far * (q[3] - p[3])
    x0, y0 = (p[0] + near * (q[0] - p[0])) / w0, (p[1] + near * (q[1] - p[1])) / w0
    x1, y1 = (p[0] + far * (q[0] - p[0])) / w1, (p[1] + far * (q[1] - p[1])) / w1
    first, last = 0.0, 1.0
    for below, above in (
        (x0 + 0.5, x1 + 0.5),
        (size[0] - 0.5 - x0, size[0] - 0.5 - x1),
        (y0 + 0.5, y1 + 0.5),
        (size[1] - 0.5 - y0, size[1] - 0.5 - y1),
    ):
        first, last = _clip(below, above, first, last)
    if not first < last:
        return nothing
    z0, z1 = p[2] + near * (q[2] - p[2]), p[2] + far * (q[2] - p[2])
    # both depth / w and 1 / w are linear in the picture
    a0, b0, a1, b1 = z0 / w0, 1.0 / w0, z1 / w1, 1.0 / w1
    d0 = (a0 + first * (a1 - a0)) / (b0 + first * (b1 - b0))
    d1 = (a0 + last * (a1 - a0)) / (b0 + last * (b1 - b0))
    return x0 + first * (x1 - x0), y0 + first * (y1 - y0), x0 + last * (x1 - x0), y0 + last * (y1 - y0), d0, d1


@kernel
def _clip(start, end, first, last):  # type: ignore[no-untyped-def]
    """What is left of a part of a line where a value is not negative that goes from ``start`` to ``end`` along it."""
    if start < 0.0 and end < 0.0:
        return 1.0, 0.0
    if start < 0.0:
        return max(first, start / (start - end)), last
    if end < 0.0:
        return first, min(last, start / (start - end))
    return first, last
