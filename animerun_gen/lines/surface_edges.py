"""The edges that are lines wherever they are seen: open ones, sharp ones, and those that someone marked.

What a pixel and its neighbour show does not tell of them: beside an open edge may lie another part of the same object,
at the same depth, faces on both sides of a marked edge may be of one plane, and those beside a sharp one may be
narrower than a pixel, so that one pixel sees them and the next one does not.  So they are followed through the picture,
and part the pixels between whose centres they pass, where nothing hides them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from animerun_gen.lines.feature_edges import pair, weld
from animerun_gen.lines.kernels import surface_edges as kernels
from animerun_gen.lines.kernels.edges import triangles_beside
from animerun_gen.lines.kernels.planes import Lens
from animerun_gen.lines.kernels.surface_edges import INNER, MARKED, OPEN
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.islands import open_vertices
from animerun_gen.motion.raster import VisibilityBuffer

MOST_TRIANGLES = 500_000
"""Triangles of a mesh beyond which its inner edges are not looked for: to sort them takes seconds."""


@dataclass(frozen=True)
class SurfaceEdges:
    """The edges of a frame's ``M`` meshes that are lines, or are if their faces meet at an angle.

    Attributes:
        vertices: ``(E, 2)`` int32, both ends of each, counted within the mesh.
        beside: ``(E, 2)`` int32, the triangles on both sides, counted within the mesh; of an open edge the second one
            is -1, of a marked one both are.
        what: ``(E,)`` uint8, :data:`OPEN`, :data:`MARKED` or :data:`INNER`; an edge that is two of them is there twice.
        start: ``(M + 1,)`` int64, first edge of each mesh.
        has_inner: ``(M,)`` bool, whether the inner edges of each mesh are among them.
    """

    vertices: npt.NDArray[np.int32]
    beside: npt.NDArray[np.int32]
    what: npt.NDArray[np.uint8]
    start: npt.NDArray[np.int64]
    has_inner: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Crossings:
    """Between which pixels edges pass that nothing hides.

    Attributes:
        right: ``(H, W)`` uint8, what passes between each pixel and its right neighbour: 0, :data:`OPEN`,
            :data:`MARKED`, :data:`INNER` or several of them added up.
        below: The same for its lower neighbour.
        right_at: ``(H, W)`` float32, how far from the one to the other, where anything passes.
        below_at: The same for the lower neighbour.
        follows: ``(I + 1,)`` bool, the instances whose inner edges were looked for, all that are creases are there;
            the last one is the background's, which has none.
    """

    right: npt.NDArray[np.uint8]
    below: npt.NDArray[np.uint8]
    right_at: npt.NDArray[np.float32]
    below_at: npt.NDArray[np.float32]
    follows: npt.NDArray[np.bool_]


class SurfaceEdgeFinder:
    """Finds these edges in one frame after the other; what the topology tells once for each.

    What it finds depends on the frame alone, not on those that it saw before.

    Args:
        open_edges: Whether open edges are looked for.
        inner_edges: Whether those between two faces are.
        marked_edges: Whether marked ones are.
    """

    def __init__(self, *, open_edges: bool = True, inner_edges: bool = True, marked_edges: bool = True) -> None:
        self._open_edges = open_edges
        self._inner_edges = inner_edges
        self._marked_edges = marked_edges
        self._known: dict[bytes, _Paired] = {}

    def find(self, geometry: FrameGeometry) -> SurfaceEdges:
        """The edges of a frame.

        Vertices of one mesh at one place count as one, so that a seam of two copies is not open.
        """
        found: dict[bytes, _Paired] = {}
        vertices, sides, what = [np.empty((0, 2), np.int32)], [np.empty((0, 2), np.int32)], [np.empty(0, np.uint8)]
        start, has_inner = [0], []

        def add(edges: npt.NDArray[np.int32], beside: npt.NDArray[np.int32] | None, kind: int) -> None:
            vertices.append(edges)
            sides.append(np.full(edges.shape, -1, np.int32) if beside is None else beside)
            what.append(np.full(len(edges), kind, np.uint8))

        for mesh, topology in enumerate(geometry.topologies):
            triangles, places = geometry.mesh_triangles(mesh), geometry.mesh_vertices(mesh)
            inner = self._inner_edges and len(triangles) <= MOST_TRIANGLES
            has_inner.append(inner)
            if self._open_edges or inner:
                paired = self._known.get(topology)
                faces = geometry.mesh_faces(mesh) if inner else None
                if paired is None:
                    paired = _Paired.of(triangles, len(places), faces)
                elif faces is not None:
                    paired = paired.cut_into(triangles, faces)
                found[topology] = paired
                opened, bounded, seams, beside = paired.at(places)
                if self._open_edges:
                    add(opened, np.stack([bounded, np.full_like(bounded, -1)], axis=1), OPEN)
                if inner:
                    add(paired.inner, paired.beside, INNER)
                    add(seams, beside, INNER)
            if self._marked_edges and geometry.marked_edges is not None:
                first, last = geometry.marked_edges.start[mesh : mesh + 2]
                add(geometry.marked_edges.vertices[first:last], None, MARKED)
            start.append(sum(map(len, what)))
        # what is no longer in the picture need not be kept
        self._known = found
        return SurfaceEdges(
            np.concatenate(vertices),
            np.concatenate(sides),
            np.concatenate(what),
            np.array(start, np.int64),
            np.array(has_inner, bool),
        )


def find_crossings(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    islands: npt.NDArray[np.int32],
    edges: SurfaceEdges,
    lens: Lens,
    crease_cosine: float,
) -> Crossings:
    """Find the neighbouring pixels between which an edge passes that is seen.

    It is seen where one of the two pixels shows a face that it bounds, or the same object so close to it that one
    surface reaches there: an edge that lies less than a quarter of a pixel behind its own part of the object counts.

    Args:
        geometry: A frame.
        seen: What it sees.
        islands: ``(T,)`` the island of each triangle, see :meth:`animerun_gen.motion.islands.IslandFinder.find`.
        edges: Its edges.
        lens: How its camera makes pixels of points.
        crease_cosine: Inner edges count where the cosine of the angle between the normals of their faces is below.
    """
    camera = geometry.camera
    shape = seen.instance.shape
    right, below = (np.zeros(shape, np.uint8) for _ in range(2))
    right_at, below_at = (np.zeros(shape, np.float32) for _ in range(2))
    follows = np.append(edges.has_inner[geometry.mesh], False)
    if len(edges.vertices):
        kernels.find_crossings(
            raster.meshes(geometry),
            islands,
            _faces_of(geometry),
            (edges.vertices, edges.beside, edges.what, edges.start),
            follows,
            geometry.matrices,
            float(crease_cosine),
            (seen.instance, seen.triangle, seen.depth),
            lens,
            (float(camera.clip_start), float(camera.clip_end)),
            right,
            below,
            right_at,
            below_at,
        )
    return Crossings(right, below, right_at, below_at, follows)


def _faces_of(geometry: FrameGeometry) -> npt.NDArray[np.int32]:
    if geometry.faces is not None:
        return geometry.faces
    return np.concatenate([np.empty(0, np.int32), *map(geometry.mesh_faces, range(len(geometry.topologies)))])


@dataclass(frozen=True)
class _Paired:
    """The edges of a mesh, as far as its topology tells.

    Attributes:
        single: ``(S, 2)`` int32, the vertices of edges of which only one triangle is, lower one first.
        face: ``(S,)`` int32, that triangle.
        inner: ``(N, 2)`` int32, the vertices of edges between two faces; none where these are not asked for.
        beside: ``(N, 2)`` int32, the triangles on both sides.
        triangles: ``(T, 3)`` int32, all triangles, where inner edges are asked for: faces that bend may be cut into
            others while the topology stays the same.
    """

    single: npt.NDArray[np.int32]
    face: npt.NDArray[np.int32]
    inner: npt.NDArray[np.int32]
    beside: npt.NDArray[np.int32]
    triangles: npt.NDArray[np.int32]

    def cut_into(self, triangles: npt.NDArray[np.int32], faces: npt.NDArray[np.int32]) -> _Paired:
        """The same of a mesh of this topology whose faces are cut into other triangles."""
        if np.array_equal(self.triangles, triangles):
            return self
        face = triangles_beside(self.single, self.face[:, None], faces, triangles)[:, 0]
        beside = triangles_beside(self.inner, self.beside, faces, triangles)
        return replace(self, face=face, beside=beside, triangles=triangles)

    @classmethod
    def of(cls, triangles: npt.NDArray[np.int32], vertices: int, faces: npt.NDArray[np.int32] | None = None) -> _Paired:
        """Those of so many vertices; where it is known which faces triangles are parts of, inner ones as well."""
        if faces is not None:
            edges, beside = pair(triangles, faces)
            single = beside[:, 1] < 0
            return cls(edges[single], beside[single, 0], edges[~single], beside[~single], triangles)
        # sorting all edges of a heavy mesh takes seconds, and few of its vertices are on open ones
        is_open = open_vertices(triangles, vertices)
        among = np.flatnonzero(is_open[triangles].sum(axis=1) >= 2).astype(np.int32)
        edges, beside = pair(triangles[among])
        single = (beside[:, 1] < 0) & is_open[edges].all(axis=1)
        none = np.empty((0, 2), np.int32)
        return cls(edges[single], among[beside[single, 0]], none, none, np.empty((0, 3), np.int32))

    def at(
        self, vertices: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """What becomes of the single edges when the vertices are there.

        Returns:
            ``(O, 2)`` int32, those that lie on no other one; ``(O,)`` int32, the triangle of each; ``(P, 2)`` int32,
            one of each two that lie on each other; and ``(P, 2)`` int32, the triangles on both sides of these.
        """
        if not len(self.single):
            return self.single, self.face, self.single, self.single
        placed = np.sort(weld(vertices, np.unique(self.single))[self.single], axis=1)
        whole = np.flatnonzero(placed[:, 0] != placed[:, 1])
        keys = placed[whole, 0].astype(np.int64) << 32 | placed[whole, 1]
        order = np.argsort(keys, kind="stable")
        keys, edges = keys[order], whole[order]
        begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))[: len(keys)]
        counts = np.diff(np.append(begins, len(keys)))
        # where more than two lie on each other they are paired in their order, as in Freestyle
        rank = np.arange(len(keys)) - np.repeat(begins, counts)
        is_last = rank == np.repeat(counts, counts) - 1
        is_first = (rank % 2 == 0) & ~is_last
        first, second = edges[is_first], edges[np.flatnonzero(is_first) + 1]
        left = edges[is_last & (rank % 2 == 0)]
        beside = np.stack([self.face[first], self.face[second]], axis=1)
        return self.single[left], self.face[left], self.single[first], beside
