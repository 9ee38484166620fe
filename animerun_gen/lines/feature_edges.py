"""Which edges of a frame Freestyle makes lines of, and how often they cross each other in the picture.

Freestyle takes every edge of a mesh that is open, parts a face that is turned towards the camera from one that is not,
is sharp, or parts two materials.  It cuts all of them where they cross in the picture, and asks for each piece whether
it is seen.  What that costs depends on their number and on that of their crossings, and hardly on anything else: see
:mod:`animerun_gen.lines.cost`.

Everything here is counted from the geometry alone, so it is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.motion.geometry import FrameGeometry

COUNTED = 100_000
"""Edges whose crossings are counted; of more, a sample of so many is taken."""

AT_ONCE = 20_000
"""Edges that are followed through the picture at a time, so that their points fit into little memory."""

CELLS = 128
"""Cells along the longer side of the picture, within which edges are held against each other."""

kernel = compiled.kernels(__name__, error_model="numpy")


@dataclass(frozen=True)
class FeatureEdges:
    """The ``N`` feature edges of a frame, as far as they are in the picture.

    Attributes:
        ends: ``(N, 4)`` float64, pixels ``(x0, y0, x1, y1)`` of the part that lies within the picture.
        points: ``(N, 2)`` int64, a number for each of its two vertices: edges that share one do not cross.
        hides: ``(N,)`` bool, whether it is open or a silhouette: of two edges that cross, at least one has to be, or
            neither cuts the other.
        depths: ``(N, 2)`` float64, distance along the view axis at both ends.
    """

    ends: npt.NDArray[np.float64]
    points: npt.NDArray[np.int64]
    hides: npt.NDArray[np.bool_]
    depths: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ends)


def find_feature_edges(geometry: FrameGeometry, crease_angle: float) -> FeatureEdges:
    """Find the edges of which Freestyle makes lines.

    Vertices of one mesh at one place count as one, and surfaces with holes are not there, as when this project draws
    with Freestyle.

    Args:
        geometry: A frame.
        crease_angle: Faces that meet at a smaller angle meet at a sharp edge, degrees.

    Returns:
        The edges, hidden ones as well.
    """
    turned = np.cos(np.pi - np.radians(crease_angle))
    camera = geometry.camera
    size = (camera.width, camera.height)
    meshes: dict[int, _MeshEdges] = {}
    ends, points = [np.empty((0, 4))], [np.empty((0, 2), np.int64)]
    hides, depths = [np.empty(0, bool)], [np.empty((0, 2))]
    first = 0
    for instance, matrix in enumerate(geometry.instance_pixel_matrices()):
        mesh = int(geometry.mesh[instance])
        if mesh not in meshes:
            meshes[mesh] = _MeshEdges.of(geometry, mesh)
        edges, vertices = meshes[mesh], geometry.mesh_vertices(mesh)
        found = _feature_edges(
            vertices,
            edges.triangles,
            edges.vertices,
            edges.faces,
            _materials(geometry, instance),
            matrix,
            geometry.matrices[instance],
            turned,
            (camera.clip_start, camera.clip_end),
            size,
        )
        ends.append(found[0][:, :4])
        depths.append(found[0][:, 4:])
        points.append(found[1] + first)
        hides.append(found[2])
        first += len(vertices)
    return FeatureEdges(np.concatenate(ends), np.concatenate(points), np.concatenate(hides), np.concatenate(depths))


def seen_edges(edges: FeatureEdges, depth: npt.NDArray[np.float64], *, is_orthographic: bool) -> npt.NDArray[np.bool_]:
    """The pixels through which a feature edge goes that nothing hides.

    Args:
        edges: The edges.
        depth: ``(H, W)`` float64, distance along the view axis of what each pixel centre sees.
        is_orthographic: Whether the camera is.

    Returns:
        ``(H, W)`` bool.  Where what is seen slopes, an edge less far behind it than it changes to the next pixel
        counts as well.
    """
    height, width = depth.shape
    farthest = cv2.dilate(depth, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    seen = np.zeros(depth.shape, bool)
    lengths = np.abs(edges.ends[:, 2:] - edges.ends[:, :2]).max(axis=1, initial=0.0)
    counts = np.ceil(2.0 * lengths).astype(np.int64) + 2
    for first in range(0, len(edges), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        steps = counts[some]
        edge = np.repeat(np.arange(len(steps)), steps)
        place = (np.arange(len(edge)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.repeat(steps - 1, steps)
        start, end = edges.ends[some, :2][edge], edges.ends[some, 2:][edge]
        column, row = np.rint(start + place[:, None] * (end - start)).astype(np.int64).T
        column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
        near, far = edges.depths[some].T[:, edge]
        if is_orthographic:
            along = near + place * (far - near)
        else:
            # the inverse of the distance is linear in the picture
            along = 1.0 / (1.0 / near + place * (1.0 / far - 1.0 / near))
        shown = along <= farthest[row, column] * (1.0 + 1e-9)
        seen[row[shown], column[shown]] = True
    return seen


def count_crossings(edges: FeatureEdges, width: int, height: int, counted: int = COUNTED) -> int:
    """How often feature edges cross each other in the picture.

    Args:
        edges: The edges.
        width: Picture width in pixels.
        height: Picture height in pixels.
        counted: Of more edges than these a sample is taken, always the same one, and what it shows is scaled up.

    Returns:
        The number of pairs that cross, without those that share a vertex or of which neither hides anything.
    """
    total = len(edges)
    if total > counted:
        taken = _sample(total, counted)
        edges = FeatureEdges(edges.ends[taken], edges.points[taken], edges.hides[taken], edges.depths[taken])
    side = max(width, height) / CELLS
    columns, rows = int(width / side) + 1, int(height / side) + 1
    start, members = _sort_into_cells(edges.ends, side, columns, rows)
    crossings = _count(edges.ends, edges.points, edges.hides, side, columns, start, members)
    # both edges of a pair have to be in the sample
    pairs_a_sampled_pair = total * (total - 1) / max(1, len(edges) * (len(edges) - 1))
    return round(crossings * pairs_a_sampled_pair)


def count_grid_visits(geometry: FrameGeometry, edges: FeatureEdges) -> int:
    """How many triangles Freestyle's grid puts before the edges, those of each edge's cell counted for it.

    Under an orthographic camera the grid spans all of the scene, whatever is in the picture, with cells for two thirds
    of a power of the number of triangles: one thing far away, and all others share a cell (4.5.15).  What a perspective
    camera does not see is left out of its grid, whose cells hold few triangles then.

    Args:
        geometry: A frame.
        edges: Its feature edges.

    Returns:
        Their number; 0 for a perspective camera.
    """
    if not geometry.camera.is_orthographic or not len(edges):
        return 0
    centers = []
    for instance, matrix in enumerate(geometry.instance_pixel_matrices()):
        mesh = int(geometry.mesh[instance])
        placed = geometry.mesh_vertices(mesh).astype(np.float64) @ matrix[:2, :3].T + matrix[:2, 3]
        centers.append(placed[geometry.mesh_triangles(mesh)].mean(axis=1))
    middles = 0.5 * (edges.ends[:, :2] + edges.ends[:, 2:])
    places = np.concatenate(centers)
    low = places.min(axis=0)
    width, height = np.maximum(places.max(axis=0) - low, 1e-9)
    side = np.sqrt(width * height) / np.cbrt(len(places))
    columns = int(width / side) + 1
    cells, members = np.unique(np.floor((places - low) / side).astype(np.int64) @ [1, columns], return_counts=True)
    wanted = np.floor((middles - low) / side).astype(np.int64) @ [1, columns]
    found = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
    return int(members[found][cells[found] == wanted].sum())


def _sample(total: int, wanted: int) -> npt.NDArray[np.int64]:
    """So many of the numbers below ``total``, spread as if by chance and always the same ones."""
    # a multiplicative hash (Knuth): neighbours, which lie in one place of the picture, are torn apart
    hashed = np.arange(total, dtype=np.uint64) * np.uint64(11400714819323198485)
    return np.sort(np.argsort(hashed, kind="stable")[:wanted])


@dataclass(frozen=True)
class _MeshEdges:
    """The ``E`` edges of a mesh.

    Attributes:
        triangles: ``(T, 3)`` int32, vertex numbers of its triangles.
        vertices: ``(E, 2)`` int32, of copies of a vertex always the same one.
        faces: ``(E, 2)`` int32, the triangles on both sides; the second is -1 where the edge is open.
    """

    triangles: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    faces: npt.NDArray[np.int32]

    @classmethod
    def of(cls, geometry: FrameGeometry, mesh: int) -> _MeshEdges:
        triangles = geometry.triangles[geometry.triangle_start[mesh] : geometry.triangle_start[mesh + 1]]
        corners = triangles
        vertices, faces = _pair(corners)
        is_open = faces[:, 1] < 0
        if is_open.any():
            # only what lies on open edges can be a copy of another vertex
            corners = _weld(geometry.mesh_vertices(mesh), np.unique(vertices[is_open]))[triangles]
            vertices, faces = _pair(corners)
        return cls(triangles, vertices, faces)


def _weld(vertices: npt.NDArray[np.float32], among: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """For every vertex the one that stands for all at its place; only some of them are compared."""
    standing = np.arange(len(vertices), dtype=np.int32)
    # zero has two signs
    places = (vertices[among] + np.float32(0.0)).view(np.uint32)
    order = np.lexsort(places.T)
    placed, number = places[order], among[order]
    begins = np.concatenate([[True], (placed[1:] != placed[:-1]).any(axis=1)])
    standing[number] = number[np.flatnonzero(begins)[np.cumsum(begins) - 1]]
    return standing


def _pair(corners: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The edges of triangles: ``(E, 2)`` vertices and ``(E, 2)`` faces, of which the second may be -1.

    Where more than two triangles meet, they are paired in their order, as in Freestyle.  Triangles without extent, two
    of whose corners are one, count for nothing.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    whole = np.flatnonzero((a != b) & (b != c) & (c != a)).astype(np.int32)
    start = corners[whole].ravel()
    end = corners[whole][:, [1, 2, 0]].ravel()
    keys = np.minimum(start, end).astype(np.int64) << 32 | np.maximum(start, end)
    return _pair_sorted(keys, np.argsort(keys, kind="stable"), whole)


@kernel
def _pair_sorted(keys, order, triangles):  # type: ignore[no-untyped-def]
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


def _materials(geometry: FrameGeometry, instance: int) -> npt.NDArray[np.int32]:
    """``(t,)`` int32: the material of each triangle of an instance, -1 where its surface has holes."""
    mesh = geometry.mesh[instance]
    first, last = geometry.slot_start[instance], geometry.slot_start[instance + 1]
    slots = geometry.triangle_slots[geometry.triangle_start[mesh] : geometry.triangle_start[mesh + 1]]
    if first == last:
        return np.zeros(len(slots), np.int32)
    worn = geometry.slot_materials[first:last].astype(np.int32)
    if geometry.holes is not None:
        worn = np.where(geometry.holes.slot_masks[first:last] >= 0, -1, worn)
    return worn[np.clip(slots, 0, last - first - 1)].astype(np.int32)


@kernel
def _point(matrix, vertex):  # type: ignore[no-untyped-def]
    """A vertex times a matrix, homogeneous."""
    x, y, z = np.float64(vertex[0]), np.float64(vertex[1]), np.float64(vertex[2])
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3],
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3],
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3],
        matrix[3, 0] * x + matrix[3, 1] * y + matrix[3, 2] * z + matrix[3, 3],
    )


@kernel
def _is_front(p, q, r):  # type: ignore[no-untyped-def]
    """Whether a triangle of homogeneous pixels goes round in one sense and not in the other."""
    return (
        p[0] * (q[1] * r[3] - q[3] * r[1]) + p[1] * (q[3] * r[0] - q[0] * r[3]) + p[3] * (q[0] * r[1] - q[1] * r[0])
    ) > 0.0


@kernel
def _normal(p, q, r):  # type: ignore[no-untyped-def]
    """The unit normal of a triangle in the world; no numbers where it has no extent."""
    ax, ay, az = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    bx, by, bz = r[0] - p[0], r[1] - p[1], r[2] - p[2]
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@kernel
def _feature_edges(vertices, triangles, edges, faces, materials, to_pixels, to_world, turned, depths, size):  # type: ignore[no-untyped-def]
    """The feature edges of one instance, see :class:`FeatureEdges`."""
    pixels = np.empty((len(vertices), 4))
    for v in range(len(vertices)):
        pixels[v] = _point(to_pixels, vertices[v])
    fronts = np.empty(len(triangles), np.bool_)
    for t in range(len(triangles)):
        fronts[t] = _is_front(pixels[triangles[t, 0]], pixels[triangles[t, 1]], pixels[triangles[t, 2]])
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
        line = _in_picture(pixels[edges[e, 0]], pixels[edges[e, 1]], depths, size)
        if not line[0] <= np.inf:
            continue
        ends[count] = line
        points[count, 0] = edges[e, 0]
        points[count, 1] = edges[e, 1]
        hides[count] = hiding
        count += 1
    return ends[:count].copy(), points[:count].copy(), hides[:count].copy()


@kernel
def _is_sharp(vertices, triangles, f, g, to_world, turned):  # type: ignore[no-untyped-def]
    """Whether two faces are turned from each other by so much that the cosine is at most ``turned``."""
    a = _world_normal(vertices, triangles, f, to_world)
    b = _world_normal(vertices, triangles, g, to_world)
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] <= turned


@kernel
def _world_normal(vertices, triangles, t, to_world):  # type: ignore[no-untyped-def]
    return _normal(
        _point(to_world, vertices[triangles[t, 0]]),
        _point(to_world, vertices[triangles[t, 1]]),
        _point(to_world, vertices[triangles[t, 2]]),
    )


@kernel
def _in_picture(p, q, depths, size):  # type: ignore[no-untyped-def]
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


@kernel
def _cells_of(end, side, columns, rows):  # type: ignore[no-untyped-def]
    """First and last column and row of the cells in which an edge may lie."""
    x_low, x_high = min(end[0], end[2]) + 0.5, max(end[0], end[2]) + 0.5
    y_low, y_high = min(end[1], end[3]) + 0.5, max(end[1], end[3]) + 0.5
    return (
        min(max(int(x_low / side), 0), columns - 1),
        min(max(int(x_high / side), 0), columns - 1),
        min(max(int(y_low / side), 0), rows - 1),
        min(max(int(y_high / side), 0), rows - 1),
    )


@kernel
def _meets(end, x, y, side):  # type: ignore[no-untyped-def]
    """Whether the line on which an edge lies touches a cell, or nearly so."""
    dx, dy = end[2] - end[0], end[3] - end[1]
    reach = 0.5 * side * (abs(dx) + abs(dy)) + 1e-6 * side * (abs(dx) + abs(dy) + side)
    return abs(dx * ((y + 0.5) * side - 0.5 - end[1]) - dy * ((x + 0.5) * side - 0.5 - end[0])) <= reach


@kernel
def _sort_into_cells(ends, side, columns, rows):  # type: ignore[no-untyped-def]
    """The edges of each cell, as ``members[start[c]:start[c + 1]]``; an edge is in all that it touches."""
    start = np.zeros(columns * rows + 1, np.int64)
    for n in range(len(ends)):
        x0, x1, y0, y1 = _cells_of(ends[n], side, columns, rows)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                if _meets(ends[n], x, y, side):
                    start[y * columns + x + 1] += 1
    for c in range(columns * rows):
        start[c + 1] += start[c]
    members = np.empty(start[-1], np.int64)
    filled = start[:-1].copy()
    for n in range(len(ends)):
        x0, x1, y0, y1 = _cells_of(ends[n], side, columns, rows)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                if _meets(ends[n], x, y, side):
                    members[filled[y * columns + x]] = n
                    filled[y * columns + x] += 1
    return start, members


@kernel
def _count(ends, points, hides, side, columns, start, members):  # type: ignore[no-untyped-def]
    """Pairs of edges that cross; each is counted in the cell that holds the crossing."""
    crossings = 0
    for cell in range(len(start) - 1):
        for m in range(start[cell], start[cell + 1]):
            a = members[m]
            ax, ay = ends[a, 0], ends[a, 1]
            adx, ady = ends[a, 2] - ax, ends[a, 3] - ay
            for n in range(m + 1, start[cell + 1]):
                b = members[n]
                if not hides[a] and not hides[b]:
                    continue
                bx, by = ends[b, 0] - ax, ends[b, 1] - ay
                bdx, bdy = ends[b, 2] - ends[b, 0], ends[b, 3] - ends[b, 1]
                # both ends of b on two sides of a, and both ends of a on two sides of b
                if (adx * by - ady * bx) * (adx * (by + bdy) - ady * (bx + bdx)) >= 0.0:
                    continue
                before = bdx * -by - bdy * -bx
                after = bdx * (ady - by) - bdy * (adx - bx)
                if before * after >= 0.0:
                    continue
                if points[a, 0] == points[b, 0] or points[a, 0] == points[b, 1]:
                    continue
                if points[a, 1] == points[b, 0] or points[a, 1] == points[b, 1]:
                    continue
                along = before / (before - after)
                x = int((ax + along * adx + 0.5) / side)
                y = int((ay + along * ady + 0.5) / side)
                if min(x, columns - 1) + columns * y == cell:
                    crossings += 1
    return crossings
