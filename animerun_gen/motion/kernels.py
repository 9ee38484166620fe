"""The compiled loops behind visibility, motion, exact occlusion and the pictures that fall out of them.

All arrays are in C order; an instance number below zero is the background.

Edge functions are always evaluated as ``(a * x + b * y) + c`` in float64.  Rounding never turns an order round, so the
*rounded* value, too, only grows or only shrinks along a row: where it changes its sign is guessed and then set right
by evaluation (:func:`_narrow`).  The pixels found in this way are exactly those that a test of every pixel would find.
What is skipped for being hidden is skipped by bounds that hold for the rounded numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.motion.geometry import CLIP, MIRROR, REPEAT

SAME_DEPTH = 1e-7
"""Two depths whose relative difference is smaller belong to one surface: blender stores float32 coordinates."""

ROUNDING = 1e-12
"""More than the relative error of any sum of products formed here, each of a few dozen terms in float64."""

EDGE_SLACK = 1e-6
"""Pixels by which a triangle's bounds are widened: rounding may put an edge just beside a pixel centre it touches."""

NO_AREA = 1e-24
"""Squared sine between the edges of a triangle below which its corners lie on a line, or on a point."""

COVERS_NOTHING = 1e-6
"""Twice the area in the picture, in pixels, below which no point of a triangle counts as seen."""

TILE = 8
"""Width and height, in pixels, of the squares of which the farthest point that may yet be hidden is kept."""

kernel = compiled.kernels(__name__, error_model="numpy")


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


class Places(NamedTuple):
    """Where in the picture the instances are.

    Attributes:
        order: ``(n,)`` int64, the instances of which anything can be in the picture, the nearest first: what is drawn
            early saves work behind it.
        nearest: ``(I,)`` float64, a distance along the view axis that no depth in the instance falls below.
        pixels: ``(I, 4)`` int64, ``(x0, x1, y0, y1)``, inclusive, in which anything of the instance can be.
    """

    order: npt.NDArray[np.int64]
    nearest: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.int64]


class Holes(NamedTuple):
    """Where surfaces have holes, see :class:`~animerun_gen.motion.geometry.Holes` and ``Masks``."""

    uvs: npt.NDArray[np.float32]
    uv_start: npt.NDArray[np.int64]
    triangle_slots: npt.NDArray[np.int32]
    slot_start: npt.NDArray[np.int64]
    slot_masks: npt.NDArray[np.int32]
    texels: npt.NDArray[np.uint8]
    mask_start: npt.NDArray[np.int64]
    mask_size: npt.NDArray[np.int64]
    mask_extension: npt.NDArray[np.uint8]


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
def _rows(matrices, i):  # type: ignore[no-untyped-def]
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
def _corners(vertices, base, triangles, t):  # type: ignore[no-untyped-def]
    """The three vertices of triangle ``t`` of a mesh whose first vertex is ``base``."""
    return (
        _vertex(vertices, base + triangles[t, 0]),
        _vertex(vertices, base + triangles[t, 1]),
        _vertex(vertices, base + triangles[t, 2]),
    )


@kernel
def _transform(matrix, point):  # type: ignore[no-untyped-def]
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
def _edge_functions(p, q, r):  # type: ignore[no-untyped-def]
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


@kernel
def _crossing(edge):  # type: ignore[no-untyped-def]
    """Where an edge meets the rows, roughly: at ``x = slope * row + start`` (no numbers where it lies along them)."""
    a, b, c = edge
    return -b / a, -c / a


@kernel
def _narrow(edge, crossing, row, first, last):  # type: ignore[no-untyped-def]
    """What is left of the columns ``first .. last`` of a row where an edge function is not negative."""
    a, b, c = edge
    here = b * row
    guess = crossing[0] * row + crossing[1]
    if a > 0.0:
        column = int(np.ceil(min(guess, last + 1.0))) if guess > first else first
        while column > first and a * (column - 1) + here + c >= 0.0:
            column -= 1
        while column <= last and not a * column + here + c >= 0.0:
            column += 1
        return column, last
    if a < 0.0:
        column = int(np.floor(max(guess, first - 1.0))) if guess < last else last
        while column < last and a * (column + 1) + here + c >= 0.0:
            column += 1
        while column >= first and not a * column + here + c >= 0.0:
            column -= 1
        return first, column
    if a * first + here + c >= 0.0:
        return first, last
    return first, first - 1


@kernel
def _span(edges, crossings, row, low, high):  # type: ignore[no-untyped-def]
    """First and last of the columns ``low .. high`` of a row in which none of three edge functions is negative."""
    first, last = _narrow(edges[0], crossings[0], row, low, high)
    first, last = _narrow(edges[1], crossings[1], row, first, last)
    return _narrow(edges[2], crossings[2], row, first, last)


@kernel
def _project_mesh(meshes, i, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with homogeneous pixels and pixels ``(x w, y w, depth, w, x, y)`` of an instance's vertices."""
    vertices = meshes.vertices
    matrix = _rows(meshes.matrices, i)
    first = meshes.vertex_start[meshes.mesh[i]]
    last = meshes.vertex_start[meshes.mesh[i] + 1]
    for v in range(last - first):
        x, y, depth, w = _transform(matrix, _vertex(vertices, first + v))
        out[v, 0] = x
        out[v, 1] = y
        out[v, 2] = depth
        out[v, 3] = w
        out[v, 4] = x / w
        out[v, 5] = y / w


@kernel
def _projected(projected, triangles, t):  # type: ignore[no-untyped-def]
    """The three corners of a triangle, as :func:`_project_mesh` left them."""
    p, q, r = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    return _row(projected, p), _row(projected, q), _row(projected, r)


@kernel
def _row(out, v):  # type: ignore[no-untyped-def]
    return out[v, 0], out[v, 1], out[v, 2], out[v, 3], out[v, 4], out[v, 5]


@kernel
def _clipped_extent(p, q, r, clip_start):  # type: ignore[no-untyped-def]
    """Smallest and largest x and y of the part of a triangle beyond ``clip_start``; nearer points project anywhere."""
    x_low = np.inf
    x_high = -np.inf
    y_low = np.inf
    y_high = -np.inf
    for a, b in ((p, q), (q, r), (r, p)):
        if a[2] >= clip_start:
            x_low = min(x_low, a[4])
            x_high = max(x_high, a[4])
            y_low = min(y_low, a[5])
            y_high = max(y_high, a[5])
        if (a[2] >= clip_start) != (b[2] >= clip_start):
            t = (clip_start - a[2]) / (b[2] - a[2])
            w = a[3] + t * (b[3] - a[3])
            x = (a[0] + t * (b[0] - a[0])) / w
            y = (a[1] + t * (b[1] - a[1])) / w
            x_low = min(x_low, x)
            x_high = max(x_high, x)
            y_low = min(y_low, y)
            y_high = max(y_high, y)
    return x_low, x_high, y_low, y_high


@kernel
def _bounds(p, q, r, view, margin):  # type: ignore[no-untyped-def]
    """Pixels ``(x0, x1, y0, y1)``, inclusive, that a triangle may cover; ``x0 > x1`` when there are none.

    With a ``margin`` of 0 the pixels whose centres it may cover, with 0.5 those of which it may touch any point.
    """
    clip_start, _, width, height = view
    if p[2] >= clip_start and q[2] >= clip_start and r[2] >= clip_start:
        x_low = min(p[4], q[4], r[4])
        x_high = max(p[4], q[4], r[4])
        y_low = min(p[5], q[5], r[5])
        y_high = max(p[5], q[5], r[5])
    else:
        x_low, x_high, y_low, y_high = _clipped_extent(p, q, r, clip_start)
    slack = EDGE_SLACK + margin
    x0 = max(np.ceil(x_low - slack), 0.0)
    x1 = min(np.floor(x_high + slack), width - 1.0)
    y0 = max(np.ceil(y_low - slack), 0.0)
    y1 = min(np.floor(y_high + slack), height - 1.0)
    # written so that coordinates that are no numbers fail
    if x0 <= x1 and y0 <= y1:
        return int(x0), int(x1), int(y0), int(y1)
    return 0, -1, 0, -1


@kernel
def _nearest_depth(p, q, r):  # type: ignore[no-untyped-def]
    """A distance along the view axis that no computed depth of a triangle falls below."""
    greatest = max(abs(p[2]), abs(q[2]), abs(r[2]))
    return min(p[2], q[2], r[2]) - ROUNDING * greatest


@kernel
def _boxes(meshes):  # type: ignore[no-untyped-def]
    """Lowest and highest coordinates ``(M, 2, 3)`` of each mesh; what is no number counts for nothing."""
    vertices, vertex_start = meshes.vertices, meshes.vertex_start
    boxes = np.empty((len(vertex_start) - 1, 2, 3))
    boxes[:, 0] = np.inf
    boxes[:, 1] = -np.inf
    for m in range(len(boxes)):
        for v in range(vertex_start[m], vertex_start[m + 1]):
            for axis in range(3):
                value = np.float64(vertices[v, axis])
                if value < boxes[m, 0, axis]:
                    boxes[m, 0, axis] = value
                if value > boxes[m, 1, axis]:
                    boxes[m, 1, axis] = value
    return boxes


@kernel
def _rounding(row, box):  # type: ignore[no-untyped-def]
    """How far a row of a matrix times a point of a box is rounded, at most."""
    size = abs(row[3])
    for axis in range(3):
        size += abs(row[axis]) * max(abs(box[0, axis]), abs(box[1, axis]))
    return ROUNDING * size


@kernel
def _place(matrix, box, view):  # type: ignore[no-untyped-def]
    """Where in the picture a box around a mesh is seen.

    Returns:
        A distance that no depth computed in the box falls below, and the pixels ``(x0, x1, y0, y1)``, inclusive, in
        which anything of it can be; ``x0 > x1`` when there are none.
    """
    clip_start, clip_end, width, height = view
    whole = (0, width - 1, 0, height - 1)
    nowhere = (0, -1, 0, -1)
    across = _rounding(matrix[0], box) + width * _rounding(matrix[3], box)
    down = _rounding(matrix[1], box) + height * _rounding(matrix[3], box)
    along = _rounding(matrix[2], box)
    if not across + down + along < np.inf:
        return -np.inf, whole
    left = right = above = below = z_high = x_high = y_high = -np.inf
    z_low = x_low = y_low = w_low = np.inf
    for corner in range(8):
        x, y, z, w = _transform(matrix, (box[corner & 1, 0], box[corner >> 1 & 1, 1], box[corner >> 2, 2]))
        # positive where the corner is not more than half a pixel outside the picture
        left = max(left, x + w)
        right = max(right, width * w - x)
        above = max(above, y + w)
        below = max(below, height * w - y)
        x_low, x_high = min(x_low, x / w), max(x_high, x / w)
        y_low, y_high = min(y_low, y / w), max(y_high, y / w)
        z_low, z_high = min(z_low, z), max(z_high, z)
        w_low = min(w_low, w)
    nearest = z_low - along
    if z_high + along < clip_start or nearest > clip_end:
        return nearest, nowhere
    if left < -across or right < -across or above < -down or below < -down:
        return nearest, nowhere
    if nearest < clip_start or not w_low > 0.0:
        return nearest, whole
    across = across / w_low + 1.0
    down = down / w_low + 1.0
    x0 = int(max(x_low - across, 0.0))
    x1 = int(min(x_high + across, width - 1.0))
    y0 = int(max(y_low - down, 0.0))
    y1 = int(min(y_high + down, height - 1.0))
    if y0 > y1:
        return nearest, nowhere
    return nearest, (x0, x1, y0, y1)


@kernel
def find_places(meshes, view):  # type: ignore[no-untyped-def]
    """``(I,)`` float64 distances, ``inf`` for what is nowhere, and ``(I, 4)`` int64 pixels, see :class:`Places`."""
    boxes = _boxes(meshes)
    count = len(meshes.mesh)
    nearest = np.empty(count)
    pixels = np.empty((count, 4), np.int64)
    for i in range(count):
        nearest[i], (x0, x1, y0, y1) = _place(_rows(meshes.matrices, i), boxes[meshes.mesh[i]], view)
        pixels[i] = (x0, x1, y0, y1)
        if x0 > x1:
            nearest[i] = np.inf
    return nearest, pixels


@kernel
def _room_for_a_mesh(meshes):  # type: ignore[no-untyped-def]
    """What :func:`_project_mesh` fills, large enough for every instance."""
    largest = 0
    for m in range(len(meshes.vertex_start) - 1):
        largest = max(largest, meshes.vertex_start[m + 1] - meshes.vertex_start[m])
    return np.empty((largest, 6))


@kernel
def _is_covered(nearest, x0, x1, y0, y1, depth_buffer):  # type: ignore[no-untyped-def]
    """Whether a rectangle of pixels shows nothing but surfaces in front of a distance."""
    for row in range(y0, y1 + 1):
        for column in range(x0, x1 + 1):
            if not depth_buffer[row, column] < nearest:
                return False
    return True


@kernel
def _slot(triangle_slots, slot_start, i, t):  # type: ignore[no-untyped-def]
    """The entry, among the slots of all instances, that paints a triangle; -1 where the instance has no slots."""
    # Blender paints a face whose slot does not exist with the last slot there is
    slot = min(triangle_slots[t], slot_start[i + 1] - slot_start[i] - 1)
    return slot_start[i] + slot if slot >= 0 else -1


@kernel
def _mask(meshes, holes, i, t):  # type: ignore[no-untyped-def]
    """The mask of a triangle, and where its texture coordinates are; -1, -1 where it has no holes."""
    mesh = meshes.mesh[i]
    slot = _slot(holes.triangle_slots, holes.slot_start, i, t)
    if slot < 0 or holes.slot_masks[slot] < 0 or holes.uv_start[mesh] < 0:
        return -1, -1
    return holes.slot_masks[slot], holes.uv_start[mesh] + t - meshes.triangle_start[mesh]


@kernel
def _texel(place, count, extension):  # type: ignore[no-untyped-def]
    """Which of the texels in a row or column holds a texture coordinate; -1 where there is none."""
    if extension == REPEAT:
        place -= np.floor(place)
    elif extension == MIRROR:
        place = abs(place - 2.0 * np.floor(0.5 * place + 0.5))
    elif extension == CLIP and not (place >= 0.0 and place <= 1.0):
        return -1
    # the first comparison fails for what is no number
    return int(min(place * count, count - 1.0)) if place > 0.0 else 0


@kernel
def _is_hole(holes, mask, corners, u, v, w):  # type: ignore[no-untyped-def]
    """Whether a triangle has a hole at the point whose edge functions are ``u``, ``v`` and ``w``."""
    uvs = holes.uvs
    total = u + v + w
    across = (u * uvs[corners, 0, 0] + v * uvs[corners, 1, 0] + w * uvs[corners, 2, 0]) / total
    up = (u * uvs[corners, 0, 1] + v * uvs[corners, 1, 1] + w * uvs[corners, 2, 1]) / total
    rows, columns = holes.mask_size[mask, 0], holes.mask_size[mask, 1]
    column = _texel(across, columns, holes.mask_extension[mask])
    row = _texel(up, rows, holes.mask_extension[mask])
    if row < 0 or column < 0:
        return True
    return holes.texels[holes.mask_start[mask] + row * columns + column] != 0


@kernel
def draw(meshes, view, places, holes, instance_buffer, triangle_buffer, depth_buffer):  # type: ignore[no-untyped-def]
    """Fill the three buffers, which show nothing yet, with what is seen; ``holes`` is None where there are none."""
    clip_start, clip_end, _, _ = view
    triangles = meshes.triangles
    projected = _room_for_a_mesh(meshes)
    for i in places.order:
        x0, x1, y0, y1 = places.pixels[i]
        if _is_covered(places.nearest[i], x0, x1, y0, y1, depth_buffer):
            continue
        _project_mesh(meshes, i, projected)
        base = meshes.triangle_start[meshes.mesh[i]]
        for t in range(base, meshes.triangle_start[meshes.mesh[i] + 1]):
            p, q, r = _projected(projected, triangles, t)
            x0, x1, y0, y1 = _bounds(p, q, r, view, 0.0)
            if x0 > x1:
                continue
            edges = _edge_functions(p, q, r)
            crossings = (_crossing(edges[0]), _crossing(edges[1]), _crossing(edges[2]))
            e, f, g = edges
            number = t - base
            nearest = _nearest_depth(p, q, r)
            if holes is not None:
                mask, corners = _mask(meshes, holes, i, t)
            for row in range(y0, y1 + 1):
                first, last = _span(edges, crossings, row, x0, x1)
                for column in range(first, last + 1):
                    seen = depth_buffer[row, column]
                    if seen < nearest:
                        continue
                    u = e[0] * column + e[1] * row + e[2]
                    v = f[0] * column + f[1] * row + f[2]
                    w = g[0] * column + g[1] * row + g[2]
                    depth = (u * p[2] + v * q[2] + w * r[2]) / (u + v + w)
                    if not (depth >= clip_start and depth <= clip_end):
                        continue
                    if depth < seen or (depth == seen and i < instance_buffer[row, column]):
                        if holes is not None:  # noqa: SIM102 (numba takes out what stands behind this test alone)
                            if mask >= 0 and _is_hole(holes, mask, corners, u, v, w):
                                continue
                        depth_buffer[row, column] = depth
                        instance_buffer[row, column] = i
                        triangle_buffer[row, column] = number


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
    projected = _room_for_a_mesh(meshes)
    for i in places.order:
        x0, x1, y0, y1 = places.pixels[i]
        if not _may_hide(places.nearest[i], x0, x1, y0, y1, farthest):
            continue
        _project_mesh(meshes, i, projected)
        base = meshes.triangle_start[meshes.mesh[i]]
        for t in range(base, meshes.triangle_start[meshes.mesh[i] + 1]):
            p, q, r = _projected(projected, triangles, t)
            # a point lies up to half a pixel from the centre of its pixel
            x0, x1, y0, y1 = _bounds(p, q, r, view, 0.5)
            if x0 > x1:
                continue
            nearest = _nearest_depth(p, q, r)
            if not _may_hide(nearest, x0, x1, y0, y1, farthest):
                continue
            edges = _edge_functions(p, q, r)
            e, f, g = edges
            wide = (_widened(e, width, height), _widened(f, width, height), _widened(g, width, height))
            crossings = (_crossing(wide[0]), _crossing(wide[1]), _crossing(wide[2]))
            own = t - base
            if holes is not None:
                mask, corners = _mask(meshes, holes, i, t)
            for row in range(y0, y1 + 1):
                first, last = _span(wide, crossings, row, x0, x1)
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
                                    if mask >= 0 and _is_hole(holes, mask, corners, u, v, w):
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
            p, q, r = _corners(
                meshes.vertices, meshes.vertex_start[mesh], meshes.triangles, meshes.triangle_start[mesh] + triangle
            )
            matrix = _rows(meshes.matrices, i)
            p, q, r = _transform(matrix, p), _transform(matrix, q), _transform(matrix, r)
            vanished = False
            if p[3] > 0.0 and q[3] > 0.0 and r[3] > 0.0:
                px, py = p[0] / p[3], p[1] / p[3]
                across = (q[0] / q[3] - px) * (r[1] / r[3] - py)
                vanished = abs(across - (r[0] / r[3] - px) * (q[1] / q[3] - py)) < COVERS_NOTHING
        if vanished:
            hidden[k] = True


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
    """Fill what is known of the pixels, see :class:`~animerun_gen.motion.flow.Motion`; the others are left as they are.

    ``source`` and ``target`` are :class:`Meshes`, ``counterparts`` the arrays of
    :class:`~animerun_gen.motion.identity.Counterparts`, ``backdrop_before`` and ``backdrop_after`` ``(4, 3)`` matrices
    that take ``(x, y, 1)`` of a background pixel to its homogeneous pixels in both frames.  What comes nearer to the
    target's camera than ``nearest``, moves by more than ``longest`` pixels in x or y, or lies on a triangle that has no
    area in the target, is not known.  ``found`` holds the arrays to fill.
    """
    twin_instance, twin_start, twin_triangle, twin_corners = counterparts
    flow, valid, x, y, depth, counterpart, counterpart_triangle = found
    height, width = instance_buffer.shape
    ends = np.empty((6, width))
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
                continue
            else:
                j = twin_instance[i]
                base, t = source.vertex_start[source.mesh[i]], source.triangle_start[source.mesh[i]] + triangle
                here = _corners(source.vertices, base, source.triangles, t)
                base = target.vertex_start[target.mesh[j]]
                if twin_start[i] < 0:
                    twin = triangle
                    there = _corners(target.vertices, base, source.triangles, t)
                else:
                    twin = twin_triangle[twin_start[i] + triangle]
                    if twin < 0:
                        continue
                    there = _corners(target.vertices, base, twin_corners, twin_start[i] + triangle)
                before, after = _rows(source.matrices, i), _rows(target.matrices, j)
                if _has_no_area(_transform(after, there[0]), _transform(after, there[1]), _transform(after, there[2])):
                    continue
                _follow_triangle(here, there, before, after, row, first, last, ends)
                limit = nearest
            for k in range(last - first):
                column = first + k
                u = ends[0, k]
                v = ends[1, k]
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
    e, f, g = _edge_functions(_transform(before, here[0]), _transform(before, here[1]), _transform(before, here[2]))
    for k in range(last - first):
        column = first + k
        u = e[0] * column + e[1] * row + e[2]
        v = f[0] * column + f[1] * row + f[2]
        w = g[0] * column + g[1] * row + g[2]
        total = u + v + w
        shares = (u / total, v / total, w / total)
        # both ends are projected in the same way: what does not move gives a difference of exactly zero
        now = _transform(before, _mix(shares, here))
        then = _transform(after, _mix(shares, there))
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


@kernel
def paint_materials(  # type: ignore[no-untyped-def]
    instance_buffer, triangle_buffer, meshes, triangle_slots, slot_start, slot_materials, no_material, ids
):
    """Fill ``ids`` where a surface is seen."""
    height, width = instance_buffer.shape
    for row in range(height):
        for column in range(width):
            i = instance_buffer[row, column]
            if i < 0:
                continue
            t = meshes.triangle_start[meshes.mesh[i]] + triangle_buffer[row, column]
            slot = _slot(triangle_slots, slot_start, i, t)
            ids[row, column] = slot_materials[slot] if slot >= 0 else no_material


@kernel
def paint_normals(instance_buffer, triangle_buffer, meshes, is_orthographic, normals):  # type: ignore[no-untyped-def]
    """Fill ``normals`` where a surface is seen; the matrices of ``meshes`` lead to camera coordinates."""
    height, width = instance_buffer.shape
    for row in range(height):
        last_i = last_triangle = -1
        normal = (0.0, 0.0, 0.0)
        for column in range(width):
            i = instance_buffer[row, column]
            triangle = triangle_buffer[row, column]
            if i < 0:
                continue
            # neighbours mostly show the same triangle
            if i != last_i or triangle != last_triangle:
                matrix = _rows(meshes.matrices, i)
                m = meshes.mesh[i]
                p, q, r = _corners(
                    meshes.vertices, meshes.vertex_start[m], meshes.triangles, meshes.triangle_start[m] + triangle
                )
                normal = _normal(_transform(matrix, p), _transform(matrix, q), _transform(matrix, r), is_orthographic)
                last_i, last_triangle = i, triangle
            normals[row, column, 0] = normal[0]
            normals[row, column, 1] = normal[1]
            normals[row, column, 2] = normal[2]


@kernel
def _normal(p, q, r, is_orthographic):  # type: ignore[no-untyped-def]
    """Unit normal of a triangle in camera coordinates, on the side that the camera sees."""
    a = (q[0] - p[0], q[1] - p[1], q[2] - p[2])
    b = (r[0] - p[0], r[1] - p[1], r[2] - p[2])
    x = a[1] * b[2] - a[2] * b[1]
    y = a[2] * b[0] - a[0] * b[2]
    z = a[0] * b[1] - a[1] * b[0]
    length = np.sqrt(x * x + y * y + z * z)
    towards = z if is_orthographic else -(x * p[0] + y * p[1] + z * p[2])
    if towards < 0.0:
        length = -length
    return x / length, y / length, z / length
