"""The edges that are lines wherever they are seen: open ones, and those that someone marked.

What a pixel and its neighbour show does not tell of them: beside an open edge may lie another part of the same object,
at the same depth, and faces on both sides of a marked edge may be of one plane.  So they are followed through the
picture, and part the pixels between whose centres they pass, where nothing hides them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.lines.feature_edges import weld
from animerun_gen.lines.kernels import surface_edges as kernels
from animerun_gen.lines.kernels.planes import Lens
from animerun_gen.lines.kernels.surface_edges import MARKED, OPEN
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.islands import open_vertices
from animerun_gen.motion.raster import VisibilityBuffer


@dataclass(frozen=True)
class SurfaceEdges:
    """The open and marked edges of a frame's ``M`` meshes.

    Attributes:
        vertices: ``(E, 2)`` int32, both ends of each, counted within the mesh.
        what: ``(E,)`` uint8, :data:`OPEN` or :data:`MARKED`; an edge that is both is there twice.
        start: ``(M + 1,)`` int64, first edge of each mesh.
    """

    vertices: npt.NDArray[np.int32]
    what: npt.NDArray[np.uint8]
    start: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Crossings:
    """Between which pixels open and marked edges pass that nothing hides.

    Attributes:
        right: ``(H, W)`` uint8, what passes between each pixel and its right neighbour: 0, :data:`OPEN`,
            :data:`MARKED` or both added up.
        below: The same for its lower neighbour.
        right_at: ``(H, W)`` float32, how far from the one to the other, where anything passes.
        below_at: The same for the lower neighbour.
    """

    right: npt.NDArray[np.uint8]
    below: npt.NDArray[np.uint8]
    right_at: npt.NDArray[np.float32]
    below_at: npt.NDArray[np.float32]


class SurfaceEdgeFinder:
    """Finds these edges in one frame after the other; which may be open once for each topology.

    What it finds depends on the frame alone, not on those that it saw before.

    Args:
        open_edges: Whether open edges are looked for.
        marked_edges: Whether marked ones are.
    """

    def __init__(self, *, open_edges: bool = True, marked_edges: bool = True) -> None:
        self._open_edges = open_edges
        self._marked_edges = marked_edges
        self._known: dict[bytes, npt.NDArray[np.int32]] = {}

    def find(self, geometry: FrameGeometry) -> SurfaceEdges:
        """The open and marked edges of a frame.

        Vertices of one mesh at one place count as one, so that a seam of two copies is not open.
        """
        found: dict[bytes, npt.NDArray[np.int32]] = {}
        vertices, what = [np.empty((0, 2), np.int32)], [np.empty(0, np.uint8)]
        start = [0]
        for mesh, topology in enumerate(geometry.topologies):
            count = 0
            if self._open_edges:
                single = self._known.get(topology)
                if single is None:
                    single = _single_edges(geometry.mesh_triangles(mesh), len(geometry.mesh_vertices(mesh)))
                found[topology] = single
                opened = _still_open(geometry.mesh_vertices(mesh), single)
                vertices.append(opened)
                what.append(np.full(len(opened), OPEN, np.uint8))
                count += len(opened)
            if self._marked_edges and geometry.marked_edges is not None:
                first, last = geometry.marked_edges.start[mesh : mesh + 2]
                vertices.append(geometry.marked_edges.vertices[first:last])
                what.append(np.full(last - first, MARKED, np.uint8))
                count += int(last - first)
            start.append(start[-1] + count)
        # what is no longer in the picture need not be kept
        self._known = found
        return SurfaceEdges(np.concatenate(vertices), np.concatenate(what), np.array(start, np.int64))


def find_crossings(geometry: FrameGeometry, seen: VisibilityBuffer, edges: SurfaceEdges, lens: Lens) -> Crossings:
    """Find the neighbouring pixels between which an edge passes that is seen.

    It is seen where one of the two pixels shows a face that it bounds, or the same object so close to it that one
    surface reaches there: an edge that lies less than a quarter of a pixel behind another part of its object counts.

    Args:
        geometry: A frame.
        seen: What it sees.
        edges: Its edges.
        lens: How its camera makes pixels of points.
    """
    camera = geometry.camera
    shape = seen.instance.shape
    right, below = (np.zeros(shape, np.uint8) for _ in range(2))
    right_at, below_at = (np.zeros(shape, np.float32) for _ in range(2))
    if len(edges.vertices):
        kernels.find_crossings(
            raster.meshes(geometry),
            edges.vertices,
            edges.what,
            edges.start,
            seen.instance,
            seen.triangle,
            seen.depth,
            lens,
            (float(camera.clip_start), float(camera.clip_end)),
            right,
            below,
            right_at,
            below_at,
        )
    return Crossings(right, below, right_at, below_at)


def _single_edges(triangles: npt.NDArray[np.int32], vertices: int) -> npt.NDArray[np.int32]:
    """``(E, 2)`` int32: the edges of which only one triangle is, lower vertex first."""
    # sorting all edges of a heavy mesh takes seconds, and few of its vertices are on open ones
    is_open = open_vertices(triangles, vertices)
    corners = triangles[is_open[triangles].sum(axis=1) >= 2]
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    edges = np.sort(edges[is_open[edges].all(axis=1) & (edges[:, 0] != edges[:, 1])], axis=1)
    return _odd(edges, edges)


def _still_open(vertices: npt.NDArray[np.float32], edges: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Those of the edges that lie on no other one when the vertices are there."""
    if not len(edges):
        return edges
    placed = np.sort(weld(vertices, np.unique(edges))[edges], axis=1)
    whole = placed[:, 0] != placed[:, 1]
    return _odd(placed[whole], edges[whole])


def _odd(placed: npt.NDArray[np.int32], edges: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Of edges at one place those that are left when they are paired, as in Freestyle."""
    keys = placed[:, 0].astype(np.int64) << 32 | placed[:, 1]
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    return edges[first[counts % 2 == 1]]
