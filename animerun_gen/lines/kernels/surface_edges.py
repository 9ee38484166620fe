"""Between which pixels the edges of meshes pass, where nothing hides them."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.lines.kernels.edges import edge_normals, in_picture, point
from animerun_gen.lines.kernels.planes import slopes_of
from animerun_gen.lines.kernels.steps import SAME_DEPTH, SAME_PLACE

kernel = compiled.kernels(__name__, error_model="numpy")

OPEN, MARKED, OPEN_HERE, OPEN_THERE, INNER = 1, 2, 4, 8, 16
"""What passes between two pixels: an open edge, a marked one, one between two faces that meet at an angle; and which of
the two pixels shows what an open edge bounds."""

DENSEST = 8
"""Triangles of an instance for each pixel that shows it beyond which its inner edges are not followed: there would be
more of them than pixels could tell apart, and nothing would bound the time that they take."""

CLOSE = 0.25
"""So far from an edge, in pixels, may the surface be that a pixel shows: the faces between them may be too small to be
seen.  Between an edge and another part of the mesh that is before it there are none."""


@kernel
def find_crossings(  # type: ignore[no-untyped-def]
    meshes,
    islands,
    faces,
    edges,
    follows,
    to_world,
    crease_cosine,
    pictures,
    lens,
    depths,
    right,
    below,
    right_at,
    below_at,
):
    """Fill ``right``, ``below`` and the places of the crossings, see :class:`Crossings`; all of them are zero before.

    ``islands`` and ``faces`` are those of all meshes' triangles, ``edges`` the arrays of :class:`SurfaceEdges`,
    ``to_world`` the matrices of the instances, ``pictures`` those of instances, triangles and depths.  Inner edges
    count where the cosine of the angle between the normals of their faces is below ``crease_cosine``, and of instances
    that ``follows`` names: of those that enough pixels show all it names before, and all others it loses.
    """
    vertices, beside, what, start = edges
    instance = pictures[0]
    height, width = instance.shape
    shown = np.zeros(len(meshes.mesh), np.int64)
    for row in range(height):
        for column in range(width):
            if instance[row, column] >= 0:
                shown[instance[row, column]] += 1
    for i in range(len(meshes.mesh)):
        m = meshes.mesh[i]
        triangles = meshes.triangle_start[m + 1] - meshes.triangle_start[m]
        follows[i] = follows[i] and triangles <= DENSEST * shown[i]
        if shown[i] == 0:
            continue
        places = meshes.vertices[meshes.vertex_start[m] : meshes.vertex_start[m + 1]]
        corners = meshes.triangles[meshes.triangle_start[m] : meshes.triangle_start[m + 1]]
        part_of = faces[meshes.triangle_start[m] : meshes.triangle_start[m + 1]]
        normals = edge_normals(places, corners, part_of[: len(part_of) if follows[i] else 0], to_world[i])
        for e in range(start[m], start[m + 1]):
            if what[e] == INNER and not follows[i]:
                continue
            first, last = vertices[e, 0], vertices[e, 1]
            if what[e] == INNER:
                a, b = normals[beside[e, 0]], normals[beside[e, 1]]
                if not a[0] * b[0] + a[1] * b[1] + a[2] * b[2] < crease_cosine:
                    continue
            p = point(meshes.matrices[i], places[first])
            q = point(meshes.matrices[i], places[last])
            line = in_picture(p, q, depths, (width, height))
            if not line[0] <= np.inf:
                continue
            x0, y0, x1, y1, d0, d1 = line
            n0, n1 = (-d0, -d1) if lens.is_orthographic else (1.0 / d0, 1.0 / d1)
            edge = (i, beside[e, 0])
            low, high = min(y0, y1), max(y0, y1)
            for row in range(max(0, int(np.ceil(low))), min(height - 1, int(np.ceil(high)) - 1) + 1):
                along = (row - y0) / (y1 - y0)
                x = x0 + along * (x1 - x0)
                column = int(np.floor(x))
                if column < 0 or column + 1 >= width:
                    continue
                nearness = n0 + along * (n1 - n0)
                found = _seen(
                    meshes, islands, lens, pictures, edge, (row, column), (row, column + 1), x - column, nearness
                )
                if found:
                    right[row, column] |= what[e] | (found if what[e] == OPEN else 0)
                    right_at[row, column] = x - column
            low, high = min(x0, x1), max(x0, x1)
            for column in range(max(0, int(np.ceil(low))), min(width - 1, int(np.ceil(high)) - 1) + 1):
                along = (column - x0) / (x1 - x0)
                y = y0 + along * (y1 - y0)
                row = int(np.floor(y))
                if row < 0 or row + 1 >= height:
                    continue
                nearness = n0 + along * (n1 - n0)
                found = _seen(
                    meshes, islands, lens, pictures, edge, (row, column), (row + 1, column), y - row, nearness
                )
                if found:
                    below[row, column] |= what[e] | (found if what[e] == OPEN else 0)
                    below_at[row, column] = y - row


@kernel
def _seen(meshes, islands, lens, pictures, edge, here, there, at, nearness):  # type: ignore[no-untyped-def]
    """By which of two pixels a point of an edge is seen, so far on the way from one to the other and so near."""
    is_across = here[0] == there[0]
    found = 0
    if _is_beside(meshes, islands, lens, pictures, edge, here, at, nearness, is_across):
        found |= OPEN_HERE
    if _is_beside(meshes, islands, lens, pictures, edge, there, at - 1.0, nearness, is_across):
        found |= OPEN_THERE
    return found


@kernel
def _is_beside(meshes, islands, lens, pictures, edge, pixel, away, nearness, is_across):  # type: ignore[no-untyped-def]
    """Whether what a pixel shows reaches a point of an edge, which is so far away from its centre."""
    instance, triangle, depth = pictures
    i, own = edge
    if instance[pixel] != i:
        return False
    t = triangle[pixel]
    row, column = pixel
    here = -depth[pixel] if lens.is_orthographic else 1.0 / depth[pixel]
    slope_x, slope_y = slopes_of(meshes, lens, i, t, column, row)
    span = 1.0 if lens.is_orthographic else max(here, nearness)
    unit = span / (lens.fx if is_across else lens.fy)
    slope = (slope_x if is_across else slope_y) / span
    slack = SAME_PLACE + SAME_DEPTH * min(abs(here), abs(nearness)) / unit
    nearer = (nearness - here) / unit - slope * away
    start = meshes.triangle_start[meshes.mesh[i]]
    # nothing leads from one part of a mesh to what another part of it hides
    if not (nearer < 0.0 and own >= 0 and islands[start + t] != islands[start + own]):
        slack += CLOSE
    # a face that is hardly wider than its own edge is steep there
    return abs(nearer) <= slack * max(1.0, abs(slope))
