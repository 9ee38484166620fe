"""Which edges of a frame Freestyle makes lines of.

Freestyle takes every edge of a mesh that is open, parts a face that is turned towards the camera from one that is not,
is sharp, or parts two materials.  Everything here is found from the geometry alone, so it is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.lines.kernels.edges import find_edges, pair_sorted
from animerun_gen.motion.geometry import FrameGeometry

AT_ONCE = 20_000
"""Edges that are followed through the picture at a time, so that their points fit into little memory."""


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
    meshes: dict[int, MeshEdges] = {}
    ends, points = [np.empty((0, 4))], [np.empty((0, 2), np.int64)]
    hides, depths = [np.empty(0, bool)], [np.empty((0, 2))]
    first = 0
    for instance, matrix in enumerate(geometry.instance_pixel_matrices()):
        mesh = int(geometry.mesh[instance])
        if mesh not in meshes:
            meshes[mesh] = MeshEdges.of(geometry, mesh)
        edges, vertices = meshes[mesh], geometry.mesh_vertices(mesh)
        found = find_edges(
            vertices,
            edges.triangles,
            edges.vertices,
            edges.faces,
            materials_of(geometry, instance),
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


@dataclass(frozen=True)
class MeshEdges:
    """The ``E`` edges of a mesh.

    Attributes:
        triangles: ``(T, 3)`` int32, vertex numbers of its triangles.
        standing: ``(V,)`` int32, for every vertex the one that stands for all copies at its place.
        vertices: ``(E, 2)`` int32, of copies of a vertex always that one.
        faces: ``(E, 2)`` int32, the triangles on both sides; the second is -1 where the edge is open.
    """

    triangles: npt.NDArray[np.int32]
    standing: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    faces: npt.NDArray[np.int32]

    @classmethod
    def of(cls, geometry: FrameGeometry, mesh: int) -> MeshEdges:
        triangles = geometry.triangles[geometry.triangle_start[mesh] : geometry.triangle_start[mesh + 1]]
        places = geometry.mesh_vertices(mesh)
        standing = np.arange(len(places), dtype=np.int32)
        vertices, faces = pair(triangles)
        is_open = faces[:, 1] < 0
        if is_open.any():
            # only what lies on open edges can be a copy of another vertex
            standing = weld(places, np.unique(vertices[is_open]))
            vertices, faces = pair(standing[triangles])
        return cls(triangles, standing, vertices, faces)


def weld(vertices: npt.NDArray[np.float32], among: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """For every vertex the one that stands for all at its place; only some of them are compared."""
    standing = np.arange(len(vertices), dtype=np.int32)
    if not len(among):
        return standing
    # zero has two signs
    places = (vertices[among] + np.float32(0.0)).view(np.uint32)
    order = np.lexsort(places.T)
    placed, number = places[order], among[order]
    begins = np.concatenate([[True], (placed[1:] != placed[:-1]).any(axis=1)])
    standing[number] = number[np.flatnonzero(begins)[np.cumsum(begins) - 1]]
    return standing


def pair(
    corners: npt.NDArray[np.int32], faces: npt.NDArray[np.int32] | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The edges of triangles: ``(E, 2)`` vertices and ``(E, 2)`` triangles, of which the second may be -1.

    Where more than two triangles meet, they are paired in their order, as in Freestyle.  Triangles without extent, two
    of whose corners are one, count for nothing.

    Args:
        corners: ``(T, 3)``, the vertices of the triangles.
        faces: ``(T,)``, ascending, which faces they are parts of: edges within a face are left out.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    whole = np.flatnonzero((a != b) & (b != c) & (c != a)).astype(np.int32)
    start = corners[whole].ravel()
    end = corners[whole][:, [1, 2, 0]].ravel()
    keys = np.minimum(start, end).astype(np.int64) << 32 | np.maximum(start, end)
    order = np.argsort(keys, kind="stable")
    if faces is not None:
        face, key = faces[whole[order // 3]], keys[order]
        is_within = np.zeros(len(order) + 1, bool)
        is_within[1:-1] = (key[1:] == key[:-1]) & (face[1:] == face[:-1])
        order = order[~(is_within[1:] | is_within[:-1])]
    return pair_sorted(keys, order, whole)


def materials_of(geometry: FrameGeometry, instance: int, *, with_holes: bool = False) -> npt.NDArray[np.int32]:
    """``(t,)`` int32: the material of each triangle of an instance, -1 where its surface has holes, if not told so."""
    mesh = geometry.mesh[instance]
    first, last = geometry.slot_start[instance], geometry.slot_start[instance + 1]
    slots = geometry.triangle_slots[geometry.triangle_start[mesh] : geometry.triangle_start[mesh + 1]]
    if first == last:
        return np.zeros(len(slots), np.int32)
    worn = geometry.slot_materials[first:last].astype(np.int32)
    if geometry.holes is not None and not with_holes:
        worn = np.where(geometry.holes.slot_masks[first:last] >= 0, -1, worn)
    return worn[np.clip(slots, 0, last - first - 1)].astype(np.int32)
