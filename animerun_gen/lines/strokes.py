"""The lines of a frame as strokes: chains of points on the edges of its meshes, hidden ones too.

Every stroke lies on edges of meshes, because the points of an edge are those of the same edge in every other frame.  A
silhouette, too, is the chain of edges between faces that are turned towards the camera and faces that are not: the
silhouette of the polygons that are drawn.  The smooth curve that it stands for (Hertzmann and Zorin, "Illustrating
smooth surfaces", SIGGRAPH 2000) runs through the faces, and over other points of them in every frame.

Which parts of an edge are seen is computed exactly, by holding every triangle against it (Appel, "The notion of
quantitative invisibility and the machine rendering of solids", ACM 1967, without his shortcuts).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.config.model import Lines
from animerun_gen.dataset.strokes import Strokes
from animerun_gen.lines.feature_edges import MeshEdges, materials_of
from animerun_gen.lines.kernels import strokes as kernels
from animerun_gen.lines.kernels.crossings import sort_into_cells
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.kernels.projection import project_mesh, room_for_a_mesh
from animerun_gen.motion.lasting_identity import LastingIdentities

CELL = 8.0
"""Width and height, in pixels, of the squares in which edges are held against triangles."""


@dataclass(frozen=True)
class StrokeSettings:
    """Which edges become strokes.

    Attributes:
        silhouettes: Whether those between a face that is turned towards the camera and one that is not do.
        borders: Whether open ones do.
        materials: Whether those between two materials do.
        creases: Whether those between faces do that meet at an angle.
        marks: Whether those do that someone marked.
        crease_angle: Degrees; faces that meet at a smaller angle make a crease, 180 is flat.
    """

    silhouettes: bool = True
    borders: bool = True
    materials: bool = True
    creases: bool = True
    marks: bool = True
    crease_angle: float = 134.43

    @classmethod
    def from_config(cls, lines: Lines) -> StrokeSettings:
        """What a cut's configuration asks for.

        An edge is no outline in one place and a fold in another, so silhouettes and borders are strokes where either
        is wanted.
        """
        edges = set(lines.edges) if lines.freestyle else set()
        around = lines.outline or not edges.isdisjoint({"contour", "external_contour"})
        return cls(
            silhouettes=around or "silhouette" in edges,
            borders=around or "border" in edges,
            materials="material_boundary" in edges,
            creases="crease" in edges,
            marks="edge_mark" in edges,
            crease_angle=lines.crease_angle,
        )


@dataclass(frozen=True)
class _Edges:
    """The ``n`` edges that make strokes.

    Attributes:
        instance: ``(n,)`` int32.
        vertices: ``(n, 2)`` int32, counted within the mesh, the smaller one first.
        kind: ``(n,)`` uint8.
        part: ``(n, 2)`` float64, from where to where it lies in the picture and the clipping range.
        ends: ``(n, 2, 4)`` float64, homogeneous pixels of its vertices.
    """

    instance: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    part: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]

    @classmethod
    def none(cls) -> _Edges:
        """No edges at all."""
        whole, small = np.empty((0, 2), np.int32), np.empty(0, np.uint8)
        return cls(whole[:, 0], whole, small, np.empty((0, 2)), np.empty((0, 2, 4)))


def find_strokes(geometry: FrameGeometry, settings: StrokeSettings) -> Strokes:
    """Find the lines of a frame as strokes.

    Args:
        geometry: The frame.
        settings: Which edges become strokes.

    Returns:
        The strokes within the picture and the clipping range.  Of one stroke all is of one kind and one instance, and
        all of it is hidden or none.  It ends where more than two edges of its kind meet that are hidden as it is, or
        no other one goes on.  Parts of an edge of less than 1e-3 px are as their neighbours are.  Strokes that begin
        and end somewhere come first, then rings, each in the order of instances and of edges in their mesh.
    """
    edges, standing = _find_edges(geometry, settings)
    edge, piece, hidden = _pieces(geometry, edges, standing)
    points = _Points.of(geometry, edges, edge, piece)
    kind = edges.kind[edge]
    mates = _mates(points.of_pieces, kind.astype(np.int64) * 2 + hidden)
    start, chain, of = kernels.join_pieces(points.of_pieces, mates)
    instance = edges.instance[edge[of]]
    return Strokes(
        position=points.position,
        depth=points.depth,
        identity=points.identity,
        along=points.along,
        vertices=points.vertices,
        stroke_start=start,
        stroke_points=chain,
        kind=kind[of],
        hidden=hidden[of],
        instance=instance,
        object_id=geometry.object_ids[instance],
    )


def _find_edges(geometry: FrameGeometry, settings: StrokeSettings) -> tuple[_Edges, npt.NDArray[np.int32]]:
    """The edges that make strokes, and for every vertex of all meshes the one that stands for it in its mesh."""
    turned = math.cos(math.pi - math.radians(settings.crease_angle))
    wanted = np.zeros(kernels.MARK + 1, np.bool_)
    wanted[[kernels.SILHOUETTE, kernels.BORDER]] = settings.silhouettes, settings.borders
    wanted[[kernels.MATERIAL, kernels.CREASE, kernels.MARK]] = settings.materials, settings.creases, settings.marks
    meshes, view = raster.meshes(geometry), raster.view(geometry.camera)
    projected = room_for_a_mesh(meshes)
    known: dict[int, MeshEdges] = {}
    standing = np.empty(len(geometry.vertices), np.int32)
    for mesh in range(len(geometry.topologies)):
        known[mesh] = MeshEdges.of(geometry, mesh)
        standing[geometry.vertex_start[mesh] : geometry.vertex_start[mesh + 1]] = known[mesh].standing
    found = [_Edges.none()]
    for instance, mesh in enumerate(geometry.mesh.tolist()):
        edges, marked = known[mesh], _marked(geometry, mesh, known[mesh])
        project_mesh(meshes, instance, projected)
        chosen, kind, part = kernels.find_stroke_edges(
            projected,
            geometry.mesh_vertices(mesh),
            edges.standing[edges.triangles],
            edges.vertices,
            edges.faces,
            materials_of(geometry, instance),
            marked,
            geometry.matrices[instance],
            turned,
            wanted,
            view,
        )
        vertices = edges.vertices[chosen]
        whose = np.full(len(chosen), instance, np.int32)
        found.append(_Edges(whose, vertices, kind, part, projected[vertices, :4]))
    joined = zip(*[(e.instance, e.vertices, e.kind, e.part, e.ends) for e in found], strict=True)
    return _Edges(*(np.concatenate(arrays) for arrays in joined)), standing


def _marked(geometry: FrameGeometry, mesh: int, edges: MeshEdges) -> npt.NDArray[np.bool_]:
    """Which edges of a mesh someone marked, ``(E,)`` bool; of a seam both sides are marked if either is."""
    if geometry.marked_edges is None:
        return np.zeros(len(edges.vertices), bool)
    first, last = geometry.marked_edges.start[mesh : mesh + 2]
    ends = edges.standing[geometry.marked_edges.vertices[first:last]]
    return np.isin(_names(edges.vertices), _names(ends))


def _names(ends: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """A number for each edge, whichever of its ends comes first."""
    low, high = ends.min(axis=1).astype(np.int64), ends.max(axis=1).astype(np.int64)
    return low << 32 | high


def _pieces(
    geometry: FrameGeometry, edges: _Edges, standing: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The edges, divided where they disappear and appear, see :func:`kernels.split_edges`."""
    camera = geometry.camera
    drawn = kernels.drawn_ends(edges.ends, edges.part)
    columns, rows = int(camera.width / CELL) + 1, int(camera.height / CELL) + 1
    cells = (CELL, columns, *sort_into_cells(drawn[:, :4], CELL, columns, rows))
    hidden, intervals = kernels.hide_edges(
        *raster.what_hides(geometry),
        standing,
        camera.is_orthographic,
        (edges.instance, edges.vertices, edges.ends, edges.part, drawn),
        cells,
    )
    order = np.lexsort((intervals[:, 1], intervals[:, 0], hidden))
    return kernels.split_edges(edges.part, edges.ends, hidden[order], intervals[order])


@dataclass(frozen=True)
class _Points:
    """The ``N`` points of strokes, see :class:`Strokes`.

    Attributes:
        of_pieces: ``(k, 2)`` int32, the points at both ends of each piece.
    """

    of_pieces: npt.NDArray[np.int32]
    position: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]
    identity: npt.NDArray[np.uint64]
    along: npt.NDArray[np.float64]
    vertices: npt.NDArray[np.int32]

    @classmethod
    def of(
        cls, geometry: FrameGeometry, edges: _Edges, edge: npt.NDArray[np.int64], piece: npt.NDArray[np.float64]
    ) -> _Points:
        """The points at which pieces begin and end; vertices come first, in the order of instances."""
        first_vertex = np.cumsum([0, *np.diff(geometry.vertex_start)[geometry.mesh]])
        share, of = piece.ravel(), np.repeat(edge, 2)
        vertices = edges.vertices[of]
        is_vertex = (share == 0.0) | (share == 1.0)
        at = np.where(share == 1.0, vertices[:, 1], vertices[:, 0])
        vertices = np.where(is_vertex[:, None], at[:, None], vertices)
        # what tells points apart: a vertex of an instance, or an edge and a share
        owner = np.where(is_vertex, first_vertex[edges.instance[of]] + at, first_vertex[-1] + of)
        along = np.where(is_vertex, 0.0, share)
        order = np.lexsort((along, owner))
        begins = np.ones(len(order), bool)
        begins[1:] = (np.diff(owner[order]) != 0) | (np.diff(along[order]) != 0.0)
        number = np.empty(len(order), np.int32)
        number[order] = np.cumsum(begins) - 1
        chosen = order[begins]
        place = edges.ends[of[chosen], 0] + share[chosen, None] * np.diff(edges.ends[of[chosen]], axis=1)[:, 0]
        # a vertex is where it is, whatever the other end of an edge is
        is_end = share[chosen] == 1.0
        place[is_end] = edges.ends[of[chosen[is_end]], 1]
        identity = _identities(geometry, edges.instance[of[chosen]], vertices[chosen])
        turned = identity[:, 0] > identity[:, 1]
        along = np.where(turned, 1.0 - along[chosen], along[chosen])
        turn = turned[:, None]
        return cls(
            of_pieces=number.reshape(-1, 2),
            position=place[:, :2] / place[:, 3:],
            depth=place[:, 2],
            identity=np.where(turn, identity[:, ::-1], identity),
            along=along,
            vertices=np.where(turn, vertices[chosen, ::-1], vertices[chosen]).astype(np.int32),
        )


def _identities(
    geometry: FrameGeometry, instance: npt.NDArray[np.int32], vertices: npt.NDArray[np.int32]
) -> npt.NDArray[np.uint64]:
    """``(n, 2)``: the numbers of vertices of instances that last."""
    lasting = LastingIdentities(geometry)
    identity = np.empty(vertices.shape, np.uint64)
    for one in np.unique(instance).tolist():
        mine = instance == one
        identity[mine] = lasting.of(one)[vertices[mine]]
    return identity


def _mates(points: npt.NDArray[np.int32], classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each end of a piece the end of the one that goes on from there; -1 where none does, or several could."""
    sides = points.ravel().astype(np.int64) << 8 | np.repeat(classes, 2)
    order = np.argsort(sides, kind="stable")
    ordered = sides[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else order
    twice = begins[np.diff(np.append(begins, len(ordered))) == 2]
    mates = np.full(len(sides), -1, np.int64)
    mates[order[twice]], mates[order[twice + 1]] = order[twice + 1], order[twice]
    return mates
