"""Which edges of a mesh make strokes, which parts of them something hides, and how they join into chains.

Along an edge everything is linear in the share ``s`` of its second vertex, in homogeneous pixels ``(x w, y w, depth,
w)``: its place, the three edge functions of a triangle there, and how far behind the triangle's plane it lies.  So the
part that a triangle hides is one interval of ``s``, found without samples.
"""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.lines.kernels.edges import is_front
from animerun_gen.motion.kernels.holes import is_hole, mask_of
from animerun_gen.motion.kernels.projection import (
    edge_functions,
    project_mesh,
    projected_corners,
    room_for_a_mesh,
)
from animerun_gen.motion.kernels.scan import bounds_of, nearest_depth_of
from animerun_gen.motion.thresholds import SAME_DEPTH
from animerun_gen.union_find import join, root

kernel = compiled.kernels(__name__, error_model="numpy")

NONE, SILHOUETTE, CREASE, BORDER, INTERSECTION, MATERIAL, MARK = range(7)
"""The kinds of lines, as :data:`~animerun_gen.dataset.strokes.STROKE_KINDS` numbers those of strokes."""

RANKS = np.array([9, 0, 3, 1, 9, 2, 4])
"""Of several kinds an edge is of the one with the lowest number here."""

SHORTEST = 1e-3
"""Pixels below which a part of an edge is as its neighbour is: so little is due to rounding and :data:`SAME_DEPTH`."""

NARROWEST = 1e-6
"""Pixels: of a triangle that is narrower in the picture, rounding alone tells which side is seen and what is behind it
and not beside it.  So it hides nothing: what it could hide is far less than :data:`SHORTEST` wide."""

ON_BORDER = 1e-10
"""Pixels: what lies no farther beside a triangle lies on its border, whatever rounding says, and is hidden if it is
behind: so are the edges of a box that others cover exactly."""

NEVER = 1 << 62
"""More triangles than there are."""

HOLE_STEP = 0.125
"""Pixels between the places at which it is asked whether a surface has a hole."""


@kernel
def find_stroke_edges(  # type: ignore[no-untyped-def]
    projected, fronts, triangles, edges, faces, parts_of, normals, materials, marked, turned, wanted, view
):
    """The edges of one instance that make strokes, see :func:`kind_of_edge`.

    Returns:
        ``(n,)`` int64, which of the edges; ``(n,)`` uint8, their kinds; ``(n, 2)`` float64, from where to where each is
        within the picture and the clipping range.
    """
    found = np.empty(len(edges), np.int64)
    kinds = np.empty(len(edges), np.uint8)
    parts = np.empty((len(edges), 2))
    count = 0
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        kind = kind_of_edge(fronts, triangles, edges, faces, e, parts_of, normals, materials, marked, turned, wanted)
        if not wanted[kind]:
            continue
        # where more than two faces meet, an edge comes several times, one after the other
        if count > 0 and edges[found[count - 1], 0] == a and edges[found[count - 1], 1] == b:
            if RANKS[kind] < RANKS[kinds[count - 1]]:
                kinds[count - 1] = kind
            continue
        first, last = drawn_part(row_of_4(projected, a), row_of_4(projected, b), view)
        if not first < last:
            continue
        found[count] = e
        kinds[count] = kind
        parts[count, 0] = first
        parts[count, 1] = last
        count += 1
    return found[:count].copy(), kinds[:count].copy(), parts[:count].copy()


@kernel
def front_triangles(projected, triangles, edges, faces, parts_of, clip_start):  # type: ignore[no-untyped-def]
    """``(T,)`` bool, which triangles go round in one sense in the picture and not in the other.

    Those that are seen from their edge, and hang together, are as the surface is that goes on behind the farthest of
    their edges, so that the silhouette goes along the nearest ones, whatever rounding says, and never between them.
    """
    fronts = np.empty(len(triangles), np.bool_)
    on_edge = np.empty(len(triangles), np.bool_)
    first_of = np.empty(len(triangles), np.int64)
    for t in range(len(triangles)):
        p, q, r = projected_corners(projected, triangles, t)
        fronts[t] = is_front(p, q, r)
        on_edge[t] = is_seen_from_its_edge(p, q, r, edge_functions(p, q, r), clip_start)
        first_of[t] = first_of[t - 1] if t > 0 and parts_of[t] == parts_of[t - 1] else t
    if not on_edge.any():
        return fronts
    for e in range(len(edges)):
        t, other = faces[e, 0], faces[e, 1]
        if other >= 0 and on_edge[t] and on_edge[other]:
            join(first_of, t, other)
    farthest = np.full(len(triangles), -np.inf)
    behind = np.zeros(len(triangles), np.bool_)
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        depth = projected[a, 2] + projected[b, 2]
        for side in range(2):
            t, other = faces[e, side], faces[e, 1 - side]
            if t < 0 or other < 0 or not on_edge[t] or on_edge[other]:
                continue
            first = root(first_of, t)
            if not depth > farthest[first]:
                continue
            farthest[first] = depth
            behind[first] = fronts[other] != _go_round_alike(triangles, t, other, a, b)
    for t in range(len(triangles)):
        if on_edge[t]:
            fronts[t] = behind[root(first_of, t)]
    return fronts


@kernel
def is_seen_from_its_edge(p, q, r, functions, clip_start):  # type: ignore[no-untyped-def]
    """Whether a triangle, given by its corners and its edge functions, is nowhere :data:`NARROWEST` wide."""
    e, f, g = functions
    determinant = p[0] * e[0] + p[1] * e[1] + p[3] * e[2]
    # no number, where there is exactly nothing
    if not abs(determinant) > 0.0:
        return True
    near = min(p[2], q[2], r[2]) < clip_start
    # how far each corner lies from the opposite edge; what comes near the camera is widest there
    for corner, edge in ((p, e), (q, f), (r, g)):
        w = min(abs(corner[3]), clip_start) if near else corner[3]
        if abs(determinant) <= NARROWEST * w * np.hypot(edge[0], edge[1]):
            return True
    return False


@kernel
def kind_of_edge(fronts, triangles, edges, faces, e, parts_of, normals, materials, marked, turned, wanted):  # type: ignore[no-untyped-def]
    """The kind of an edge, by which of its faces are there (``materials`` not negative) and turned to the camera.

    A border is one whether it is wanted or not; anything else is what is wanted, a mark last, or :data:`NONE`.

    ``faces`` has the triangles on both sides, ``parts_of`` which face of the mesh each triangle is a part of and
    ``normals`` what :func:`~animerun_gen.lines.kernels.edges.edge_normals` says: a crease is where two faces meet at
    an angle whose cosine is below ``turned``.  A silhouette may go along a diagonal of a face that is bent, for what is
    drawn are triangles.
    """
    f, g = faces[e, 0], faces[e, 1]
    a, b = edges[e, 0], edges[e, 1]
    f_is_there = materials[f] >= 0
    g_is_there = g >= 0 and materials[g] >= 0
    if not f_is_there and not g_is_there:
        return NONE
    kind = NONE
    if not f_is_there or not g_is_there:
        kind = BORDER
    elif wanted[SILHOUETTE] and fronts[f] == (fronts[g] == _go_round_alike(triangles, f, g, a, b)):
        kind = SILHOUETTE
    elif wanted[MATERIAL] and materials[f] != materials[g]:
        kind = MATERIAL
    elif wanted[CREASE] and parts_of[f] != parts_of[g]:
        cosine = normals[f, 0] * normals[g, 0] + normals[f, 1] * normals[g, 1] + normals[f, 2] * normals[g, 2]
        if (-cosine if _go_round_alike(triangles, f, g, a, b) else cosine) < turned:
            kind = CREASE
    if not wanted[kind] and marked[e]:
        kind = MARK
    return kind


@kernel
def _go_round_alike(triangles, f, g, a, b):  # type: ignore[no-untyped-def]
    """Whether two faces go along their common edge in the same direction, as no two of an oriented surface do."""
    return _goes(triangles, f, a, b) == _goes(triangles, g, a, b)


@kernel
def _goes(triangles, t, a, b):  # type: ignore[no-untyped-def]
    """Whether a triangle goes from one of two of its corners to the other, and not back."""
    p, q, r = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    return (p == a and q == b) or (q == a and r == b) or (r == a and p == b)


@kernel
def row_of_4(projected, v):  # type: ignore[no-untyped-def]
    return projected[v, 0], projected[v, 1], projected[v, 2], projected[v, 3]


@kernel
def _kept(at_start, at_end, first, last):  # type: ignore[no-untyped-def]
    """What is left of ``first .. last`` where something is not negative that is linear from 0 to 1; else 1 and 0."""
    if at_start < 0.0 and at_end < 0.0:
        return 1.0, 0.0
    if at_start < 0.0:
        return max(first, at_start / (at_start - at_end)), last
    if at_end < 0.0:
        return first, min(last, at_start / (at_start - at_end))
    # also fails for what is no number
    return (first, last) if at_start + at_end >= 0.0 else (1.0, 0.0)


@kernel
def drawn_part(p, q, view):  # type: ignore[no-untyped-def]
    """The part of an edge that lies in the picture and the clipping range."""
    clip_start, clip_end, width, height = view
    first, last = 0.0, 1.0
    for at_start, at_end in (
        (p[2] - clip_start, q[2] - clip_start),
        (clip_end - p[2], clip_end - q[2]),
        (p[0] + 0.5 * p[3], q[0] + 0.5 * q[3]),
        ((width - 0.5) * p[3] - p[0], (width - 0.5) * q[3] - q[0]),
        (p[1] + 0.5 * p[3], q[1] + 0.5 * q[3]),
        ((height - 0.5) * p[3] - p[1], (height - 0.5) * q[3] - q[1]),
    ):
        first, last = _kept(at_start, at_end, first, last)
    return first, last


@kernel
def drawn_parts(ends, view):  # type: ignore[no-untyped-def]
    """``(n, 2)``: the part of each of many lines, by the homogeneous pixels of their ends ``(n, 2, 4)``."""
    parts = np.empty((len(ends), 2))
    for e in range(len(ends)):
        parts[e] = drawn_part(row_of_4(ends[e], 0), row_of_4(ends[e], 1), view)
    return parts


@kernel
def place_at(ends, s):  # type: ignore[no-untyped-def]
    """Pixels and depth of an edge, given by the homogeneous pixels of both its vertices, at a share."""
    x = ends[0, 0] + s * (ends[1, 0] - ends[0, 0])
    y = ends[0, 1] + s * (ends[1, 1] - ends[0, 1])
    depth = ends[0, 2] + s * (ends[1, 2] - ends[0, 2])
    w = ends[0, 3] + s * (ends[1, 3] - ends[0, 3])
    return x / w, y / w, depth


@kernel
def drawn_ends(ends, parts):  # type: ignore[no-untyped-def]
    """``(n, 6)``: pixels ``x0, y0, x1, y1`` of the drawn parts of edges, and their nearest and farthest depths."""
    drawn = np.empty((len(ends), 6))
    for e in range(len(ends)):
        x0, y0, z0 = place_at(ends[e], parts[e, 0])
        x1, y1, z1 = place_at(ends[e], parts[e, 1])
        drawn[e, 0], drawn[e, 1], drawn[e, 2], drawn[e, 3] = x0, y0, x1, y1
        drawn[e, 4], drawn[e, 5] = min(z0, z1), max(z0, z1)
    return drawn


@kernel
def hide_edges(meshes, view, places, holes, standing, first_faces, orthographic, edges, cells):  # type: ignore[no-untyped-def]
    """The parts of edges before which a triangle lies.

    Args:
        standing: ``(V,)`` int32, of copies of a vertex the one that stands for all, counted within the mesh.
        first_faces: ``(I + 1,)`` int64, the number of the first triangle of each instance, where all are counted.
        orthographic: Whether the camera is.
        edges: ``(instance, vertices, faces, ends, parts, drawn)`` of ``n`` edges, ``instance`` -1 and ``faces`` two
            triangles for those that lie within faces; ``holes`` is None where there are none.
        cells: ``(side, columns, start, members)``, which edges touch each cell of the picture.

    Returns:
        ``(m,)`` int64, an edge, and ``(m, 2)`` float64, from where to where one triangle hides it.
    """
    instance, vertices, faces, ends, parts, drawn = edges
    side, columns, start, members = cells
    farthest = _farthest_in_cells(drawn, start, members)
    seen_by = np.full(len(ends), -1, np.int64)
    hidden, intervals, count = np.empty(1024, np.int64), np.empty((1024, 2)), 0
    rows = (len(start) - 1) // columns
    triangles = meshes.triangles
    projected = room_for_a_mesh(meshes)
    tested = 0
    for i in places.order:
        project_mesh(meshes, i, projected)
        mesh = meshes.mesh[i]
        base = meshes.vertex_start[mesh]
        for t in range(meshes.triangle_start[mesh], meshes.triangle_start[mesh + 1]):
            tested += 1
            p, q, r = projected_corners(projected, triangles, t)
            x0, x1, y0, y1 = bounds_of(p, q, r, view, 0.5)
            if x0 > x1:
                continue
            functions = edge_functions(p, q, r)
            if is_seen_from_its_edge(p, q, r, functions, view[0]):
                continue
            nearest = nearest_depth_of(p, q, r)
            face = first_faces[i] + t - meshes.triangle_start[mesh]
            mask, corners = -1, -1
            if holes is not None:
                mask, corners = mask_of(meshes, holes, i, t)
            a = standing[base + triangles[t, 0]]
            b = standing[base + triangles[t, 1]]
            c = standing[base + triangles[t, 2]]
            for row in range(int(y0 / side), min(int((y1 + 1) / side), rows - 1) + 1):
                for column in range(int(x0 / side), min(int((x1 + 1) / side), columns - 1) + 1):
                    cell = row * columns + column
                    if not farthest[cell] > nearest:
                        continue
                    for place in range(start[cell], start[cell + 1]):
                        e = members[place]
                        if seen_by[e] >= tested:
                            continue
                        seen_by[e] = tested
                        if not drawn[e, 5] > nearest or _lie_apart(drawn[e], x0, x1, y0, y1):
                            continue
                        if faces[e, 0] == face or faces[e, 1] == face:
                            continue
                        first_corner, last_corner = -1, -1
                        if instance[e] == i:
                            first_corner = _corner(vertices[e, 0], a, b, c)
                            last_corner = _corner(vertices[e, 1], a, b, c)
                            if first_corner >= 0 and last_corner >= 0:
                                # one of its own faces
                                continue
                        low, high = _hidden_part(
                            ends[e], parts[e], p, q, r, functions, first_corner, last_corner, orthographic, view
                        )
                        if not low < high:
                            continue
                        if mask < 0:
                            if low <= parts[e, 0] and high >= parts[e, 1]:
                                # all of it; nothing else needs to be held against it
                                seen_by[e] = NEVER
                            hidden, intervals = _with_room(hidden, intervals, count + 1)
                            hidden[count], intervals[count, 0], intervals[count, 1] = e, low, high
                            count += 1
                            continue
                        if holes is not None:
                            steps = _steps(ends[e], low, high)
                            for step in range(steps):
                                from_here = low + (high - low) * step / steps
                                to_there = low + (high - low) * (step + 1) / steps
                                x, y, _ = place_at(ends[e], 0.5 * (from_here + to_there))
                                u, v, w = _values(functions, x, y, 1.0)
                                if is_hole(holes, mask, corners, u, v, w):
                                    continue
                                hidden, intervals = _with_room(hidden, intervals, count + 1)
                                hidden[count], intervals[count, 0], intervals[count, 1] = e, from_here, to_there
                                count += 1
    return hidden[:count].copy(), intervals[:count].copy()


@kernel
def _farthest_in_cells(drawn, start, members):  # type: ignore[no-untyped-def]
    farthest = np.full(len(start) - 1, -np.inf)
    for cell in range(len(farthest)):
        for place in range(start[cell], start[cell + 1]):
            farthest[cell] = max(farthest[cell], drawn[members[place], 5])
    return farthest


@kernel
def _lie_apart(drawn, x0, x1, y0, y1):  # type: ignore[no-untyped-def]
    """Whether an edge touches none of the pixels that a triangle touches."""
    return (
        max(drawn[0], drawn[2]) < x0 - 0.5
        or min(drawn[0], drawn[2]) > x1 + 0.5
        or max(drawn[1], drawn[3]) < y0 - 0.5
        or min(drawn[1], drawn[3]) > y1 + 0.5
    )


@kernel
def _corner(vertex, a, b, c):  # type: ignore[no-untyped-def]
    """Which corner of a triangle a vertex is; -1 for none."""
    if vertex == a:
        return 0
    if vertex == b:
        return 1
    return 2 if vertex == c else -1


@kernel
def _values(functions, x, y, w):  # type: ignore[no-untyped-def]
    e, f, g = functions
    return (
        e[0] * x + e[1] * y + e[2] * w,
        f[0] * x + f[1] * y + f[2] * w,
        g[0] * x + g[1] * y + g[2] * w,
    )


@kernel
def _conditions(end, corner, functions, depths, determinant, orthographic, view):  # type: ignore[no-untyped-def]
    """What is not negative where a triangle hides a point of an edge, at one of the edge's vertices.

    The first three say that the point is inside the triangle or on its border, the fourth that it lies behind it by
    more than :data:`SAME_DEPTH` of its depth, the others that the triangle is drawn there.  All of them are linear
    along the edge: the triangle's depth is a quotient whose denominator is constant for an orthographic camera, and
    whose numerator is constant times ``w`` for a perspective one.
    """
    e, f, g = functions
    u, v, w = _values(functions, end[0], end[1], end[3])
    total = u + v + w
    weighed = u * depths[0] + v * depths[1] + w * depths[2]
    # depth is w, and the weighed depths are the determinant times w
    behind = (1.0 - SAME_DEPTH) * total - determinant
    if orthographic:
        # w is 1 all along, and with it the total constant
        behind = end[2] * (1.0 - SAME_DEPTH) * total - weighed
    # by how much they change from pixel to pixel; a root would say it better by less than a half, and takes long
    u += ON_BORDER * end[3] * (abs(e[0]) + abs(e[1]))
    v += ON_BORDER * end[3] * (abs(f[0]) + abs(f[1]))
    w += ON_BORDER * end[3] * (abs(g[0]) + abs(g[1]))
    # that the other end of an edge is where the triangle has a corner is known, whatever rounding says
    if corner >= 0:
        behind = 0.0
        if corner != 0:
            u = 0.0
        if corner != 1:
            v = 0.0
        if corner != 2:
            w = 0.0
    return u, v, w, behind, weighed - view[0] * total, view[1] * total - weighed


@kernel
def _hidden_part(ends, part, p, q, r, functions, first_corner, last_corner, orthographic, view):  # type: ignore[no-untyped-def]
    """From where to where a triangle hides an edge."""
    depths = (p[2], q[2], r[2])
    e = functions[0]
    determinant = p[0] * e[0] + p[1] * e[1] + p[3] * e[2]
    here = _conditions(ends[0], first_corner, functions, depths, determinant, orthographic, view)
    there = _conditions(ends[1], last_corner, functions, depths, determinant, orthographic, view)
    low, high = part[0], part[1]
    # at a common corner an edge that only touches the plane is not behind it
    if max(here[3], there[3]) <= 0.0:
        return 1.0, 0.0
    for condition in range(6):
        low, high = _kept(here[condition], there[condition], low, high)
    return low, high


@kernel
def _steps(ends, low, high):  # type: ignore[no-untyped-def]
    x0, y0, _ = place_at(ends, low)
    x1, y1, _ = place_at(ends, high)
    return int(np.ceil(np.hypot(x1 - x0, y1 - y0) / HOLE_STEP)) + 1


@kernel
def _with_room(hidden, intervals, needed):  # type: ignore[no-untyped-def]
    """The same arrays with room for so many entries."""
    if needed <= len(hidden):
        return hidden, intervals
    more_hidden, more = np.empty(2 * len(hidden), np.int64), np.empty((2 * len(hidden), 2))
    more_hidden[: len(hidden)] = hidden
    more[: len(hidden)] = intervals
    return more_hidden, more


@kernel
def split_edges(parts, ends, hidden, intervals):  # type: ignore[no-untyped-def]
    """Divide edges where they disappear and appear.

    Args:
        parts: ``(n, 2)``, from where to where each is drawn.
        ends: ``(n, 2, 4)``, homogeneous pixels of its vertices.
        hidden: ``(m,)``, edges that something hides, ascending.
        intervals: ``(m, 2)``, from where to where, for each edge ascending.

    Returns:
        ``(k,)`` int64, an edge, ``(k, 2)`` float64, from where to where, and ``(k,)`` bool, whether it is hidden there:
        the pieces of all edges in their order.
    """
    most = len(parts) + 2 * len(hidden)
    edge, pieces, is_hidden = np.empty(most, np.int64), np.empty((most, 2)), np.empty(most, np.bool_)
    count, m = 0, 0
    for e in range(len(parts)):
        first, last = parts[e, 0], parts[e, 1]
        # how far what was written reaches
        reached = first
        while m < len(hidden) and hidden[m] == e:
            low, high = intervals[m, 0], intervals[m, 1]
            m += 1
            while m < len(hidden) and hidden[m] == e and _is_short(ends[e], high, intervals[m, 0]):
                high = max(high, intervals[m, 1])
                m += 1
            if _is_short(ends[e], low, high) and not _is_short(ends[e], first, last):
                continue
            if _is_short(ends[e], first, low):
                low = first
            if _is_short(ends[e], high, last):
                high = last
            if low > reached:
                edge[count], pieces[count, 0], pieces[count, 1], is_hidden[count] = e, reached, low, False
                count += 1
            edge[count], pieces[count, 0], pieces[count, 1], is_hidden[count] = e, low, high, True
            count += 1
            reached = high
        if reached < last:
            edge[count], pieces[count, 0], pieces[count, 1], is_hidden[count] = e, reached, last, False
            count += 1
    return edge[:count].copy(), pieces[:count].copy(), is_hidden[:count].copy()


@kernel
def _is_short(ends, low, high):  # type: ignore[no-untyped-def]
    """Whether an edge goes on from one place to the next for less than :data:`SHORTEST`."""
    if not low < high:
        return True
    x0, y0, _ = place_at(ends, low)
    x1, y1, _ = place_at(ends, high)
    return np.hypot(x1 - x0, y1 - y0) < SHORTEST


@kernel
def join_pieces(points, mates):  # type: ignore[no-untyped-def]
    """Put pieces behind each other.

    Args:
        points: ``(k, 2)``, both ends of each piece.
        mates: ``(2 k,)``, for each end (``2 * piece + 0`` or ``1``) the end of another piece that goes on from there;
            -1 where none does.

    Returns:
        ``(n + 1,)`` int64, where each chain begins in the second, ``(m,)`` int32, the points of chains, and ``(n,)``
        int64, a piece of each.
    """
    count = len(points)
    used = np.zeros(count, np.bool_)
    start, chain, of = np.zeros(count + 1, np.int64), np.empty(2 * count, np.int32), np.empty(count, np.int64)
    chains, length = 0, 0
    # those with ends come first, then rings
    for rings in (False, True):
        for piece in range(count):
            for side in range(2):
                if used[piece] or (not rings and mates[2 * piece + side] >= 0):
                    continue
                of[chains] = piece
                end = 2 * piece + side
                chain[length] = points[piece, side]
                length += 1
                while end >= 0 and not used[end // 2]:
                    used[end // 2] = True
                    other = end ^ 1
                    chain[length] = points[other // 2, other % 2]
                    length += 1
                    end = mates[other]
                chains += 1
                start[chains] = length
    return start[: chains + 1].copy(), chain[:length].copy(), of[:chains].copy()
