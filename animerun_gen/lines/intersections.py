"""Where surfaces of two objects, or two parts of one mesh, cut through each other: pieces of lines between their edges.

Two triangles that cut through each other meet along a straight piece that begins and ends where an edge of the one goes
through the other.  All these ends are points of edges, and so surface points that have an identity; the pieces lie
within faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.lines.feature_edges import MeshEdges, materials_of
from animerun_gen.lines.kernels import piercing
from animerun_gen.motion.geometry import FrameGeometry

NO_FACE = -1


@dataclass(frozen=True)
class Intersections:
    """The ``n`` pieces along which triangles of a frame cut through each other, and their ``H`` ends.

    Attributes:
        instance: ``(H,)`` int32, on which instance each end lies.
        vertices: ``(H, 2)`` int32, the vertices of the edge on which it lies, counted within the mesh.
        share: ``(H,)`` float64, how much of the second one it is.
        place: ``(H, 4)`` float64, its homogeneous pixels.
        ends: ``(n, 2)`` int64, the ends of each piece.
        faces: ``(n, 2)`` int64, the two triangles, counted through the meshes of all instances; ascending.
    """

    instance: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    share: npt.NDArray[np.float64]
    place: npt.NDArray[np.float64]
    ends: npt.NDArray[np.int64]
    faces: npt.NDArray[np.int64]

    @classmethod
    def none(cls) -> Intersections:
        """No pieces at all."""
        whole, pairs = np.empty((0, 2), np.int32), np.empty((0, 2), np.int64)
        return cls(whole[:, 0], whole, np.empty(0), np.empty((0, 4)), pairs, pairs)


def first_faces(geometry: FrameGeometry) -> npt.NDArray[np.int64]:
    """``(I + 1,)``: the number of the first triangle of each instance, where those of all instances are counted."""
    return np.cumsum([0, *np.diff(geometry.triangle_start)[geometry.mesh]]).astype(np.int64)


def find_intersections(
    geometry: FrameGeometry,
    known: Sequence[MeshEdges],
    islands: npt.NDArray[np.int32],
    instances: Sequence[int],
) -> Intersections:
    """Find where surfaces cut through each other.

    Surfaces that only touch, as a box does that stands on the ground, do not; nor do those with holes.

    Args:
        geometry: The frame.
        known: The edges of each mesh.
        islands: ``(T,)`` int32, the island of each triangle, see
            :meth:`~animerun_gen.motion.islands.IslandFinder.find`.
        instances: Those that are looked at.

    Returns:
        The pieces both of whose ends are in the picture and the clipping range.
    """
    scene = _Scene(geometry)
    for instance in instances:
        scene.add(instance, known[geometry.mesh[instance]], islands)
    if not scene.points:
        return Intersections.none()
    points, depths = np.concatenate(scene.points), np.concatenate(scene.depths)
    corners, faces = np.concatenate(scene.corners), np.concatenate(scene.faces)
    ends, sides = np.concatenate(scene.ends), np.concatenate(scene.sides)
    of_bodies = _by_body(np.concatenate(scene.bodies_of_faces), scene.count)
    boxes = piercing.boxes_around(points, corners)
    around = piercing.boxes_of_bodies(boxes, *of_bodies)
    edge_boxes = piercing.boxes_around(points, ends)
    edges = (ends, edge_boxes, *_by_body(np.concatenate(scene.bodies_of_edges), scene.count))
    edge, triangle, share = piercing.find_hits(points, depths, around, (corners, boxes, *of_bodies), edges)
    # where more than two faces meet at an edge, it comes several times
    _, hit = np.unique(np.column_stack([ends[edge], triangle]), axis=0, return_inverse=True)
    hit = hit.ravel()
    met = np.sort(np.stack([sides[edge].ravel(), np.repeat(faces[triangle], 2)], axis=1), axis=1)
    whole = met[:, 0] != NO_FACE
    pieces = np.unique(np.column_stack([met, np.repeat(hit, 2)])[whole], axis=0)
    # two triangles that cut through each other have two such ends in common, unless they do in a corner
    _, first, count = np.unique(pieces[:, :2], axis=0, return_index=True, return_counts=True)
    first = first[count == 2]
    chosen = np.zeros(int(hit.max(initial=-1)) + 1, np.int64)
    chosen[hit] = np.arange(len(hit))
    owner = np.concatenate(scene.owner)
    start, other_end = ends[edge[chosen]].T
    instance = owner[start]
    local = start - np.array(scene.first_points)[instance], other_end - np.array(scene.first_points)[instance]
    vertices = np.stack(local, axis=1).astype(np.int32)
    place = placed_in_picture(geometry, points[start] + share[chosen, None] * (points[other_end] - points[start]))
    joined = np.stack([pieces[first, 2], pieces[first + 1, 2]], axis=1)
    inside = _is_inside(geometry, place)[joined].all(axis=1)
    return Intersections(
        instance=instance.astype(np.int32),
        vertices=vertices,
        share=share[chosen],
        place=place,
        ends=joined[inside],
        faces=pieces[first[inside], :2],
    )


class _Scene:
    """What of a frame may cut through each other, one instance after the other."""

    def __init__(self, geometry: FrameGeometry) -> None:
        self.count = 0
        self.points: list[npt.NDArray[np.float64]] = []
        self.depths: list[npt.NDArray[np.float64]] = []
        self.owner: list[npt.NDArray[np.int64]] = []
        self.corners: list[npt.NDArray[np.int64]] = []
        self.faces: list[npt.NDArray[np.int64]] = []
        self.ends: list[npt.NDArray[np.int64]] = []
        self.sides: list[npt.NDArray[np.int64]] = []
        self.bodies_of_faces: list[npt.NDArray[np.int64]] = []
        self.bodies_of_edges: list[npt.NDArray[np.int64]] = []
        self.first_points = [0] * len(geometry.mesh)
        self._geometry = geometry
        self._first_face = first_faces(geometry)
        self._view_axis = geometry.camera.pixel_matrix()[2]
        self._amount = 0

    def add(self, instance: int, edges: MeshEdges, islands: npt.NDArray[np.int32]) -> None:
        """One more instance; each island of its mesh is a body of its own."""
        geometry, mesh = self._geometry, int(self._geometry.mesh[instance])
        world = geometry.matrices[instance]
        placed = geometry.mesh_vertices(mesh).astype(np.float64) @ world[:3, :3].T + world[:3, 3]
        body = self.count + islands[geometry.triangle_start[mesh] : geometry.triangle_start[mesh + 1]].astype(np.int64)
        there = materials_of(geometry, instance) >= 0
        face = np.where(there, self._first_face[instance] + np.arange(len(there)), NO_FACE)
        # the second side of an open edge
        face = np.append(face, NO_FACE)
        sides = face[edges.faces]
        has_face = (sides != NO_FACE).any(axis=1)
        self.first_points[instance] = self._amount
        self.points.append(placed)
        self.depths.append(placed @ self._view_axis[:3] + self._view_axis[3])
        self.owner.append(np.full(len(placed), instance, np.int64))
        self.corners.append((edges.standing[edges.triangles[there]] + self._amount).astype(np.int64))
        self.faces.append(face[:-1][there])
        self.bodies_of_faces.append(body[there])
        self.ends.append((edges.vertices[has_face] + self._amount).astype(np.int64))
        self.sides.append(sides[has_face])
        self.bodies_of_edges.append(body[edges.faces[has_face, 0]])
        self.count += int(body.max(initial=self.count)) - self.count + 1
        self._amount += len(placed)


def _by_body(bodies: npt.NDArray[np.int64], count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each body's members begin, and the members."""
    start = np.concatenate([[0], np.cumsum(np.bincount(bodies, minlength=count))]).astype(np.int64)
    return start, np.argsort(bodies, kind="stable")


def placed_in_picture(geometry: FrameGeometry, world: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``(n, 4)``: homogeneous pixels of points of the world."""
    matrix = geometry.camera.pixel_matrix()
    placed: npt.NDArray[np.float64] = world @ matrix[:, :3].T + matrix[:, 3]
    return placed


def _is_inside(geometry: FrameGeometry, place: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which points are in the picture and the clipping range."""
    camera = geometry.camera
    x, y, depth, w = place.T
    inside: npt.NDArray[np.bool_] = (depth >= camera.clip_start) & (depth <= camera.clip_end)
    inside &= (x + 0.5 * w >= 0.0) & ((camera.width - 0.5) * w - x >= 0.0)
    return inside & (y + 0.5 * w >= 0.0) & ((camera.height - 0.5) * w - y >= 0.0)
