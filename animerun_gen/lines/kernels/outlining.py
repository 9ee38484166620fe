"""The outlines of the holes that an image cuts into surfaces, laid on the triangles that wear it.

Everything here is counted in half texels of the image, so that corners of texels, and the middles of their sides, are
whole numbers: what is one point stays one, whichever triangle or tile asks for it.
"""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.lines.kernels.strokes import (
    BORDER,
    NONE,
    drawn_part,
    kind_of_edge,
    row_of_4,
)
from animerun_gen.motion.kernels.holes import is_hole
from animerun_gen.motion.kernels.projection import projected_corners
from animerun_gen.motion.kernels.scan import bounds_of

kernel = compiled.kernels(__name__, error_model="numpy")

INWARDS = 1e-7
"""Share of a triangle by which it is looked beside an edge, so that texels that end at the edge are told apart."""

MOST_TILES = 1 << 16
"""How often an image may be repeated on one triangle, and how many of its texels an edge may go through by 16: a film
may say anything, and what it repeats more often is no outline that anybody sees."""

FARTHEST = 1e12
"""Half texels from the image up to which a triangle may be laid: farther away they are no longer told apart."""

_ITSELF, _LOST = -1, -2
"""A piece ends where the outline itself turns; nothing is left of it."""


@kernel
def weigh(points, firsts, lasts, weights):  # type: ignore[no-untyped-def]
    """Fill in by how much, in half texels, chains lose their way at most without each of their points.

    ``firsts`` and ``lasts`` are the numbers of the points that each chain begins and ends with.

    What has a smaller weight than a point has may be left out before it (Douglas and Peucker, "Algorithms for the
    reduction of the number of points required to represent a digitized line", 1973,
    https://doi.org/10.3138/FM57-6770-U75U-7727): fewer points are always some of more points.  Rings end with their
    first point; their weight is that of the ring.
    """
    stack = np.empty((len(points) + 2, 2), np.int64)
    limits = np.empty(len(points) + 2)
    for chain in range(len(firsts)):
        first, last = firsts[chain], lasts[chain]
        weights[first], weights[last] = np.inf, np.inf
        stack[0, 0], stack[0, 1], limits[0] = first, last, np.inf
        depth = 1
        while depth > 0:
            depth -= 1
            low, high, limit = stack[depth, 0], stack[depth, 1], limits[depth]
            if high - low < 2:
                continue
            far, farthest = low + 1, -1.0
            for k in range(low + 1, high):
                apart = _distance(points, k, low, high)
                if apart > farthest:
                    far, farthest = k, apart
            weight = min(limit, farthest)
            weights[far] = weight
            stack[depth, 0], stack[depth, 1], limits[depth] = low, far, weight
            stack[depth + 1, 0], stack[depth + 1, 1], limits[depth + 1] = far, high, weight
            depth += 2
        if points[first, 0] == points[last, 0] and points[first, 1] == points[last, 1] and last > first:
            extent = 0.0
            for k in range(first, last):
                extent = max(extent, _distance(points, k, first, first))
            weights[first], weights[last] = extent, extent


@kernel
def _distance(points, k, low, high):  # type: ignore[no-untyped-def]
    """How far a point lies from the piece between two others."""
    x, y = float(points[k, 0] - points[low, 0]), float(points[k, 1] - points[low, 1])
    dx, dy = float(points[high, 0] - points[low, 0]), float(points[high, 1] - points[low, 1])
    length = dx * dx + dy * dy
    if length > 0.0:
        along = min(max((x * dx + y * dy) / length, 0.0), 1.0)
        x, y = x - along * dx, y - along * dy
    return np.sqrt(x * x + y * y)


@kernel
def largest_texel(projected, triangles, wearing, uvs, size, view):  # type: ignore[no-untyped-def]
    """How many pixels a half texel is long, at most, about, at the corners of triangles within the picture."""
    largest = 0.0
    for t in wearing:
        p, q, r = projected_corners(projected, triangles, t)
        x0, x1, _, _ = bounds_of(p, q, r, view, 0.5)
        if x0 > x1:
            continue
        if min(p[2], q[2], r[2]) < view[0]:
            return np.inf
        a, b, c = _laid(uvs, t, 0, size), _laid(uvs, t, 1, size), _laid(uvs, t, 2, size)
        area = _turn(a, b, c)
        if area == 0.0:
            continue
        # by how much the nearest corner is larger than all of them on average
        nearer = max(p[3], q[3], r[3]) / min(p[3], q[3], r[3])
        # how the picture changes over the image: the norm of the matrix
        ux, uy = b[0] - a[0], b[1] - a[1]
        vx, vy = c[0] - a[0], c[1] - a[1]
        sx, sy = q[4] - p[4], q[5] - p[5]
        tx, ty = r[4] - p[4], r[5] - p[5]
        m = (
            (sx * vy - tx * uy) / area,
            (tx * ux - sx * vx) / area,
            (sy * vy - ty * uy) / area,
            (ty * ux - sy * vx) / area,
        )
        largest = max(largest, nearer * np.sqrt(m[0] ** 2 + m[1] ** 2 + m[2] ** 2 + m[3] ** 2))
    return largest


@kernel
def _laid(uvs, t, corner, size):  # type: ignore[no-untyped-def]
    """A corner of a triangle in half texels."""
    return np.float64(uvs[t, corner, 0]) * size[0], np.float64(uvs[t, corner, 1]) * size[1]


@kernel
def _turn(a, b, p):  # type: ignore[no-untyped-def]
    """Twice the area of a triangle, positive if it goes round against the clock."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


@kernel
def _beside(a, b, p, in_order):  # type: ignore[no-untyped-def]
    """How far a point lies to the left of an edge; of one number but the sign for the triangles on both its sides."""
    return _turn(a, b, p) if in_order else -_turn(b, a, p)


@kernel
def _cell_of(place, low, high, cells):  # type: ignore[no-untyped-def]
    return int(min(max((place - low) / (high - low) * cells, 0.0), cells - 1.0))


@kernel
def sort_pieces(pieces, box, cells):  # type: ignore[no-untyped-def]
    """Which pieces ``(n, 4)`` touch each of the cells of a box ``(left, low, right, high)``: starts and members."""
    start = np.zeros(cells * cells + 1, np.int64)
    members = np.empty(0, np.int64)
    for fills in (False, True):
        if fills:
            for c in range(cells * cells):
                start[c + 1] += start[c]
            members = np.empty(start[-1], np.int64)
            at = start[:-1].copy()
        for n in range(len(pieces)):
            x0, x1, y0, y1 = _cells_of_piece(pieces, n, 0.0, 0.0, box, cells)
            for y in range(y0, y1 + 1):
                for x in range(x0, x1 + 1):
                    if fills:
                        members[at[y * cells + x]] = n
                        at[y * cells + x] += 1
                    else:
                        start[y * cells + x + 1] += 1
    return start, members


@kernel
def _cells_of_piece(pieces, n, x, y, box, cells):  # type: ignore[no-untyped-def]
    left, low, right, high = box
    return (
        _cell_of(min(pieces[n, 0], pieces[n, 2]) + x, left, right, cells),
        _cell_of(max(pieces[n, 0], pieces[n, 2]) + x, left, right, cells),
        _cell_of(min(pieces[n, 1], pieces[n, 3]) + y, low, high, cells),
        _cell_of(max(pieces[n, 1], pieces[n, 3]) + y, low, high, cells),
    )


@kernel
def lay_pieces(projected, triangles, standing, wearing, uvs, size, period, pieces, sorted_pieces, view, most):  # type: ignore[no-untyped-def]
    """Lay the pieces of outlines on triangles.

    Args:
        projected: The vertices of the mesh in the picture.
        triangles: ``(T, 3)``, those of the mesh.
        standing: ``(V,)``, of copies of a vertex the one that stands for all.
        wearing: ``(n,)``, the triangles that wear the image.
        uvs: ``(T, 3, 2)``, texture coordinates of their corners.
        size: Half texels of the image's width and height.
        period: Half texels after which outlines begin anew, across and up; 0 where they do not.
        pieces: ``(m, 4)`` int64, from where to where each piece goes, in half texels.
        sorted_pieces: ``(box, cells, start, members)`` of :func:`sort_pieces`.
        view: What is drawn.
        most: Of more pieces than these none is told, nor of an image that is repeated more than :data:`MOST_TILES`
            times.

    Returns:
        ``(k,)`` int64, the triangle of each piece that is in the picture; ``(k, 2, 2)`` int64, its ends in half texels
        where the outline itself turns, or the vertices of the edge of the mesh that it ends at, the smaller one first;
        ``(k, 2)`` bool, whether it is an edge; ``(k, 2, 3)`` float64, the shares of the corners, or in the first place
        that of the second vertex of the edge.
    """
    box, cells, start, members = sorted_pieces
    room = 1024
    at = np.empty((2, 3))
    of, ends, at_edge, shares = (
        np.empty(room, np.int64),
        np.empty((room, 2, 2), np.int64),
        np.empty((room, 2), np.bool_),
        np.empty((room, 2, 3)),
    )
    count = 0
    for t in wearing:
        p, q, r = projected_corners(projected, triangles, t)
        x0, x1, _, _ = bounds_of(p, q, r, view, 0.5)
        if x0 > x1:
            continue
        a, b, c = _laid(uvs, t, 0, size), _laid(uvs, t, 1, size), _laid(uvs, t, 2, size)
        numbers = (standing[triangles[t, 0]], standing[triangles[t, 1]], standing[triangles[t, 2]])
        corners = (a, b, c)
        area = _turn(a, b, c)
        # also fails for what is no number
        if not abs(area) > 0.0:
            continue
        side = 1.0 if area > 0.0 else -1.0
        low_x, high_x = min(a[0], b[0], c[0]), max(a[0], b[0], c[0])
        low_y, high_y = min(a[1], b[1], c[1]), max(a[1], b[1], c[1])
        first_x = last_x = first_y = last_y = 0
        tiles = 1.0
        if period[0] > 0:
            tiles *= (high_x - low_x) / period[0] + 1.0
        if period[1] > 0:
            tiles *= (high_y - low_y) / period[1] + 1.0
        if not tiles <= MOST_TILES or not max(-low_x, high_x, -low_y, high_y) <= FARTHEST:
            return of[:0].copy(), ends[:0].copy(), at_edge[:0].copy(), shares[:0].copy()
        if period[0] > 0:
            first_x, last_x = int(np.floor((low_x - box[2]) / period[0])), int(np.floor((high_x - box[0]) / period[0]))
        if period[1] > 0:
            first_y, last_y = int(np.floor((low_y - box[3]) / period[1])), int(np.floor((high_y - box[1]) / period[1]))
        for tile_y in range(first_y, last_y + 1):
            for tile_x in range(first_x, last_x + 1):
                dx, dy = tile_x * period[0], tile_y * period[1]
                c0 = _cell_of(low_x - dx, box[0], box[2], cells)
                c1 = _cell_of(high_x - dx, box[0], box[2], cells)
                r0 = _cell_of(low_y - dy, box[1], box[3], cells)
                r1 = _cell_of(high_y - dy, box[1], box[3], cells)
                for row in range(r0, r1 + 1):
                    for column in range(c0, c1 + 1):
                        cell = row * cells + column
                        for place in range(start[cell], start[cell + 1]):
                            n = members[place]
                            # in the first of the cells that both touch, and in no other
                            px0, _, py0, _ = _cells_of_piece(pieces, n, 0.0, 0.0, box, cells)
                            if column != max(px0, c0) or row != max(py0, r0):
                                continue
                            x, y = pieces[n, 0] + dx, pieces[n, 1] + dy
                            z, w = pieces[n, 2] + dx, pieces[n, 3] + dy
                            if max(x, z) < low_x or min(x, z) > high_x or max(y, w) < low_y or min(y, w) > high_y:
                                continue
                            one, other = (float(x), float(y)), (float(z), float(w))
                            first, last, at_first, at_last, here, there = _within(one, other, corners, numbers, side)
                            if not first < last:
                                continue
                            for corner in range(3):
                                step = there[corner] - here[corner]
                                at[0, corner] = here[corner] + first * step
                                at[1, corner] = here[corner] + last * step
                            begin, finish = drawn_part(_mixed(p, q, r, at[0]), _mixed(p, q, r, at[1]), view)
                            if not begin < finish:
                                continue
                            if count == most:
                                return of[:0].copy(), ends[:0].copy(), at_edge[:0].copy(), shares[:0].copy()
                            if count == room:
                                room *= 2
                                of, ends, at_edge, shares = (
                                    _with_room(of, room),
                                    _with_room(ends, room),
                                    _with_room(at_edge, room),
                                    _with_room(shares, room),
                                )
                            of[count] = t
                            for end in range(2):
                                edge = at_first if end == 0 else at_last
                                at_edge[count, end] = edge != _ITSELF
                                if edge == _ITSELF:
                                    values = here if end == 0 else there
                                    ends[count, end, 0] = x if end == 0 else z
                                    ends[count, end, 1] = y if end == 0 else w
                                    total = values[0] + values[1] + values[2]
                                    for corner in range(3):
                                        shares[count, end, corner] = values[corner] / total
                                    continue
                                k, m = (edge + 1) % 3, (edge + 2) % 3
                                if numbers[k] > numbers[m]:
                                    k, m = m, k
                                ends[count, end, 0], ends[count, end, 1] = numbers[k], numbers[m]
                                shares[count, end, 0] = _along(corners[k], corners[m], one, other)
                                shares[count, end, 1], shares[count, end, 2] = 0.0, 0.0
                            count += 1
    return of[:count].copy(), ends[:count].copy(), at_edge[:count].copy(), shares[:count].copy()


@kernel
def _mixed(p, q, r, values):  # type: ignore[no-untyped-def]
    """Homogeneous pixels of a point of a triangle, by the areas opposite the corners."""
    total = values[0] + values[1] + values[2]
    u, v, w = values[0] / total, values[1] / total, values[2] / total
    return (
        u * p[0] + v * q[0] + w * r[0],
        u * p[1] + v * q[1] + w * r[1],
        u * p[2] + v * q[2] + w * r[2],
        u * p[3] + v * q[3] + w * r[3],
    )


@kernel
def _with_room(array, room):  # type: ignore[no-untyped-def]
    """The same array with room for so many entries."""
    more = np.empty((room, *array.shape[1:]), array.dtype)
    kept = min(len(array), room)
    more[:kept] = array[:kept]
    return more


@kernel
def _within(one, other, corners, numbers, side):  # type: ignore[no-untyped-def]
    """The part of a piece that lies in a triangle.

    Returns:
        From where to where; which edge, by the corner that it lies opposite, the part begins and ends at; the areas
        opposite the corners at both ends of the piece.
    """
    first, last, at_first, at_last = 0.0, 1.0, _ITSELF, _ITSELF
    here, there = np.zeros(3), np.zeros(3)
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        in_order = numbers[a] < numbers[b]
        here[k] = side * _beside(corners[a], corners[b], one, in_order)
        there[k] = side * _beside(corners[a], corners[b], other, in_order)
        if here[k] <= 0.0 and there[k] <= 0.0:
            # beside it, or along an edge, which is looked at as such
            return 1.0, 0.0, _LOST, _LOST, here, there
        if here[k] <= 0.0:
            place = here[k] / (here[k] - there[k])
            if place >= first:
                first, at_first = place, k
        elif there[k] <= 0.0:
            place = here[k] / (here[k] - there[k])
            if place <= last:
                last, at_last = place, k
    return first, last, at_first, at_last, here, there


@kernel
def _along(a, b, one, other):  # type: ignore[no-untyped-def]
    """How far from ``a`` to ``b`` a piece crosses an edge: the same number, whichever triangle asks."""
    here, there = _turn(one, other, a), _turn(one, other, b)
    return min(max(here / (here - there), 0.0), 1.0)


@kernel
def find_holed_edges(mesh, parts_of, normals, materials, marked, turned, wanted, view, cut):  # type: ignore[no-untyped-def]
    """The edges of one instance beside which an image cuts holes, as far as there is a surface.

    Args:
        mesh: ``(projected, fronts, vertices, triangles, edges, faces)``, and so on as for
            :func:`~animerun_gen.lines.kernels.strokes.find_stroke_edges`.
        parts_of: ``(T,)``, which face of the mesh each triangle is a part of.
        normals: ``(T, 3)``, the normals by which creases are told.
        materials: Of faces with holes, too.
        marked: Which edges are.
        turned: The cosine of creases.
        wanted: Which kinds are.
        view: What is drawn.
        cut: ``(holes, masks, laid)``: where surfaces have holes; ``(T,)`` int64, the image of each triangle, -1 for
            none; where the texture coordinates of the mesh begin.

    Returns:
        ``(n,)`` int64, which of the edges, ``(n,)`` uint8, its kind, and ``(n, 2)`` float64, from where to where: of
        one edge there may be several parts.  Where what is on one side of it is a hole, it is a border.
    """
    projected, fronts, vertices, triangles, edges, faces = mesh
    holes, masks, laid = cut
    room = 64
    found, kinds, parts = np.empty(room, np.int64), np.empty(room, np.uint8), np.empty((room, 2))
    count = 0
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        if e > 0 and edges[e - 1, 0] == a and edges[e - 1, 1] == b:
            # where more than two faces meet: what is around them is told by the first two
            continue
        first, last = drawn_part(row_of_4(projected, a), row_of_4(projected, b), view)
        if not first < last:
            continue
        kind = kind_of_edge(fronts, triangles, edges, faces, e, parts_of, normals, materials, marked, turned, wanted)
        places = np.empty(2)
        places[0], places[1] = first, last
        for side in range(2):
            t = faces[e, side]
            if t >= 0 and masks[t] >= 0:
                places = _with_texels(places, holes, masks[t], laid + t, triangles, vertices, t, a, b, first, last)
        places.sort()
        before, since = NONE, first
        for k in range(len(places)):
            here = NONE
            if k + 1 < len(places):
                if not places[k] < places[k + 1]:
                    continue
                middle = 0.5 * (places[k] + places[k + 1])
                one = _is_there(holes, masks, laid, triangles, vertices, faces[e, 0], a, b, middle)
                other = _is_there(holes, masks, laid, triangles, vertices, faces[e, 1], a, b, middle)
                if one and other:
                    here = kind
                elif one or other:
                    here = BORDER
                if not wanted[here]:
                    here = NONE
            if here == before:
                continue
            if before != NONE:
                if count == room:
                    room *= 2
                    found, kinds, parts = _with_room(found, room), _with_room(kinds, room), _with_room(parts, room)
                found[count], kinds[count], parts[count, 0], parts[count, 1] = e, before, since, places[k]
                count += 1
            before, since = here, places[k]
    return found[:count].copy(), kinds[:count].copy(), parts[:count].copy()


@kernel
def _corners_at(triangles, vertices, t, a, b):  # type: ignore[no-untyped-def]
    """Which corners of a triangle lie where two vertices are: copies of them count."""
    first = last = 0
    for corner in range(3):
        v = triangles[t, corner]
        if v == a or _is_one_place(vertices, v, a):
            first = corner
        if v == b or _is_one_place(vertices, v, b):
            last = corner
    return first, last


@kernel
def _is_one_place(vertices, v, w):  # type: ignore[no-untyped-def]
    return vertices[v, 0] == vertices[w, 0] and vertices[v, 1] == vertices[w, 1] and vertices[v, 2] == vertices[w, 2]


@kernel
def _with_texels(places, holes, mask, corners, triangles, vertices, t, a, b, low, high):  # type: ignore[no-untyped-def]
    """Places on an edge, and those at which it goes from one texel into the next."""
    first, last = _corners_at(triangles, vertices, t, a, b)
    joined, count = places, len(places)
    for axis in range(2):
        texels = holes.mask_size[mask, 1 - axis]
        from_here = np.float64(holes.uvs[corners, first, axis]) * texels
        to_there = np.float64(holes.uvs[corners, last, axis]) * texels
        if not abs(to_there - from_here) > 0.0:
            continue
        one, other = from_here + low * (to_there - from_here), from_here + high * (to_there - from_here)
        if not max(abs(one), abs(other)) <= FARTHEST or not abs(other - one) <= 16 * MOST_TILES:
            # nobody knows where there is a surface
            return places[:0]
        lines = range(int(np.ceil(min(one, other))), int(np.floor(max(one, other))) + 1)
        joined = _with_room(joined, count + len(lines))
        for line in lines:
            place = (line - from_here) / (to_there - from_here)
            if place > low and place < high:
                joined[count] = place
                count += 1
    return joined[:count]


@kernel
def _is_there(holes, masks, laid, triangles, vertices, t, a, b, place):  # type: ignore[no-untyped-def]
    """Whether a triangle is there beside a place on its edge."""
    if t < 0:
        return False
    if masks[t] < 0:
        return True
    first, last = _corners_at(triangles, vertices, t, a, b)
    shares = np.full(3, INWARDS)
    shares[first], shares[last] = (1.0 - INWARDS) * (1.0 - place), (1.0 - INWARDS) * place
    return not is_hole(holes, masks[t], laid + t, shares[0], shares[1], shares[2])
