"""The lines of a frame as strokes: chains of points on the edges of its meshes, hidden ones too.

But for intersections and the outlines of holes that images cut (:mod:`animerun_gen.lines.hole_outlines`), every stroke
lies on edges of meshes, because the points of an edge are those of the same edge in every other frame.  A
silhouette, too, is the chain of edges between faces that are turned towards the camera and faces that are not: the
silhouette of the polygons that are drawn.  The smooth curve that it stands for (Hertzmann and Zorin, "Illustrating
smooth surfaces", SIGGRAPH 2000) runs through the faces, and over other points of them in every frame.

Which parts of an edge are seen is computed exactly, by holding every triangle against it (Appel, "The notion of
quantitative invisibility and the machine rendering of solids", ACM 1967, without his shortcuts).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.config.model import Lines
from animerun_gen.dataset.strokes import HOLE, Strokes
from animerun_gen.lines.feature_edges import MeshEdges, materials_of
from animerun_gen.lines.hole_outlines import HoleOutlineFinder, HoleOutlines, masks_of
from animerun_gen.lines.intersections import NO_FACE, Intersections, find_intersections, first_faces
from animerun_gen.lines.joining import joined_pieces
from animerun_gen.lines.kernels import outlining
from animerun_gen.lines.kernels import strokes as kernels
from animerun_gen.lines.kernels.creases import SAME_ANGLE
from animerun_gen.lines.kernels.crossings import sort_into_cells
from animerun_gen.lines.kernels.edges import edge_normals
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.identity import scramble
from animerun_gen.motion.islands import IslandFinder
from animerun_gen.motion.kernels.holes import Holes
from animerun_gen.motion.kernels.projection import View, project_mesh, room_for_a_mesh
from animerun_gen.motion.lasting_identity import LastingIdentities

CELL = 8.0
"""Width and height, in pixels, of the squares in which edges are held against triangles."""

ALONG_STEPS = 2.0**30
"""Parts of an edge to which a point is said to lie between its vertices: of what does not move in its surface, only the
last bits differ from frame to frame, and no picture is so wide that a part would be more than 1e-4 px."""

NOBODY = -1
"""In place of an instance or a vertex: this is no edge of a mesh."""


@dataclass(frozen=True)
class StrokeSettings:
    """Which edges become strokes.

    Attributes:
        silhouettes: Whether those between a face that is turned towards the camera and one that is not do.
        borders: Whether open ones do.
        materials: Whether those between two materials do.
        creases: Whether those between faces do that meet at an angle; an edge within a face is none.
        marks: Whether those do that someone marked.
        intersections: Whether lines do where two objects, or two parts of a mesh, cut through each other.
        crease_angle: Degrees; faces that meet at a smaller angle make a crease, 180 is flat.
    """

    silhouettes: bool = True
    borders: bool = True
    materials: bool = True
    creases: bool = True
    marks: bool = True
    intersections: bool = True
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
            intersections=lines.outline and lines.intersections,
            crease_angle=lines.crease_angle,
        )


@dataclass(frozen=True)
class _Edges:
    """The ``n`` straight lines that make strokes: edges of meshes, and behind them pieces of intersections.

    Attributes:
        whose: ``(n,)`` int32, the instance whose line it is.
        instance: ``(n,)`` int32, the instance of the edge; -1 for a piece of an intersection.
        vertices: ``(n, 2)`` int32, of an edge, counted within the mesh, the smaller one first.
        faces: ``(n, 2)`` int64, the triangles within which a piece of an intersection lies, :func:`first_faces`.
        kind: ``(n,)`` uint8.
        part: ``(n, 2)`` float64, from where to where it lies in the picture and the clipping range.
        ends: ``(n, 2, 4)`` float64, homogeneous pixels of its ends.
    """

    whose: npt.NDArray[np.int32]
    instance: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    faces: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]
    part: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]

    @classmethod
    def of_mesh(
        cls,
        instance: int,
        vertices: npt.NDArray[np.int32],
        kind: npt.NDArray[np.uint8],
        part: npt.NDArray[np.float64],
        ends: npt.NDArray[np.float64],
    ) -> _Edges:
        """Edges of an instance's mesh."""
        whose = np.full(len(kind), instance, np.int32)
        return cls(whose, whose, vertices, np.full((len(kind), 2), NO_FACE, np.int64), kind, part, ends)

    @classmethod
    def of_intersections(cls, found: Intersections) -> _Edges:
        """Pieces of intersections; whose they are is not said otherwise, so they are the first one's."""
        count = len(found.ends)
        return cls(
            whose=found.instance[found.ends].min(axis=1),
            instance=np.full(count, NOBODY, np.int32),
            vertices=np.full((count, 2), NOBODY, np.int32),
            faces=found.faces,
            kind=np.full(count, kernels.INTERSECTION, np.uint8),
            part=np.tile([0.0, 1.0], (count, 1)),
            ends=found.place[found.ends],
        )

    @classmethod
    def of_outlines(cls, found: HoleOutlines, view: View) -> _Edges:
        """Pieces of the outlines of holes."""
        count = len(found.ends)
        ends = found.place[found.ends]
        return cls(
            whose=found.instance[found.ends[:, 0]],
            instance=np.full(count, NOBODY, np.int32),
            vertices=np.full((count, 2), NOBODY, np.int32),
            faces=found.faces,
            kind=np.full(count, HOLE, np.uint8),
            part=kernels.drawn_parts(ends, view),
            ends=ends,
        )

    @classmethod
    def joined(cls, parts: Sequence[_Edges]) -> _Edges:
        """All of them, one after the other."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


@dataclass(frozen=True)
class _Ends:
    """The ``H`` ends of pieces that lie within faces, see :class:`Intersections` and :class:`HoleOutlines`.

    Attributes:
        of_pieces: ``(n, 2)`` int64, the ends of each such piece.
    """

    instance: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    share: npt.NDArray[np.float64]
    corners: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]
    of_pieces: npt.NDArray[np.int64]

    @classmethod
    def of(cls, found: Intersections, outlines: HoleOutlines) -> _Ends:
        """Those of intersections, and behind them those of outlines."""
        count = len(found.share)
        return cls(
            np.concatenate([found.instance, outlines.instance]),
            np.concatenate([found.vertices, outlines.vertices]),
            np.concatenate([found.share, outlines.share]),
            np.concatenate([np.full((count, 3), NOBODY, np.int32), outlines.corners]),
            np.concatenate([np.zeros((count, 3)), outlines.shares]),
            np.concatenate([found.ends, outlines.ends + count]),
        )


def find_strokes(
    geometry: FrameGeometry,
    settings: StrokeSettings,
    islands: npt.NDArray[np.int32] | None = None,
    outliner: HoleOutlineFinder | None = None,
) -> Strokes:
    """Find the lines of a frame as strokes.

    Args:
        geometry: The frame.
        settings: Which edges become strokes.
        islands: ``(T,)`` the island of each triangle, see :meth:`animerun_gen.motion.islands.IslandFinder.find`; by
            default this is asked of it.
        outliner: Knows the outlines of holes within images from frames before; what it finds is the same without.

    Returns:
        The strokes within the picture and the clipping range.  Of one stroke all is of one kind and one instance, and
        all of it is hidden or none.  It ends where more than two edges of its kind meet that are hidden as it is, or
        no other one goes on.  Parts of an edge of less than 1e-3 px are as their neighbours are.  Strokes that begin
        and end somewhere come first, then rings, each in the order of instances and of edges in their mesh, and then
        intersections and outlines of holes.
    """
    known = [MeshEdges.of(geometry, mesh) for mesh in range(len(geometry.topologies))]
    hiding = raster.what_hides(geometry)
    found = Intersections.none()
    if settings.intersections:
        islands = IslandFinder().find(geometry) if islands is None else islands
        found = find_intersections(geometry, known, islands, np.sort(hiding[2].order).tolist())
    outlines = HoleOutlines.none()
    if settings.borders:
        outlines = (HoleOutlineFinder() if outliner is None else outliner).find(geometry, known)
    edges = _Edges.joined(
        [
            *_find_edges(geometry, settings, known, hiding[3]),
            _Edges.of_intersections(found),
            _Edges.of_outlines(outlines, raster.view(geometry.camera)),
        ]
    )
    standing = np.concatenate([np.empty(0, np.int32), *[each.standing for each in known]])
    edge, piece, hidden = _pieces(geometry, edges, standing, hiding)
    points = _Points.of(geometry, edges, _Ends.of(found, outlines), edge, piece)
    is_within = bool((points.corners >= 0).any())
    kind = edges.kind[edge]
    start, chain, of = joined_pieces(points.of_pieces, kind.astype(np.int64) * 2 + hidden)
    return Strokes(
        position=points.position,
        depth=points.depth,
        identity=points.identity,
        along=points.along,
        instance=points.instance,
        vertices=points.vertices,
        stroke_start=start,
        stroke_points=chain,
        kind=kind[of],
        hidden=hidden[of],
        object_id=geometry.object_ids[edges.whose[edge[of]]],
        corners=points.corners if is_within else None,
        shares=points.shares if is_within else None,
    )


def _find_edges(
    geometry: FrameGeometry, settings: StrokeSettings, known: Sequence[MeshEdges], holes: Holes | None
) -> list[_Edges]:
    """The edges that make strokes, of one instance after the other."""
    turned = math.cos(math.pi - math.radians(settings.crease_angle)) - SAME_ANGLE
    wanted = np.zeros(kernels.MARK + 1, np.bool_)
    wanted[[kernels.SILHOUETTE, kernels.BORDER]] = settings.silhouettes, settings.borders
    wanted[[kernels.MATERIAL, kernels.CREASE, kernels.MARK]] = settings.materials, settings.creases, settings.marks
    meshes, view = raster.meshes(geometry), raster.view(geometry.camera)
    projected = room_for_a_mesh(meshes)
    found = []
    for instance, mesh in enumerate(geometry.mesh.tolist()):
        edges, marked = known[mesh], _marked(geometry, mesh, known[mesh])
        project_mesh(meshes, instance, projected)
        triangles, materials = edges.standing[edges.triangles], materials_of(geometry, instance)
        places, masks = geometry.mesh_vertices(mesh), masks_of(geometry, instance)
        # by faces and not by triangles, into which every version of Blender may cut a bent face otherwise
        parts_of = geometry.mesh_faces(mesh)
        normals = edge_normals(
            places, triangles, parts_of[: len(parts_of) if settings.creases else 0], geometry.matrices[instance]
        )
        # the second side of an open edge has none
        with_holes = (np.append(masks, -1)[edges.faces] >= 0).any(axis=1)
        whole = np.s_[:] if not with_holes.any() else np.flatnonzero(~with_holes)
        fronts = kernels.front_triangles(
            projected, triangles, edges.vertices, edges.faces, parts_of, geometry.camera.clip_start
        )
        chosen, kind, part = kernels.find_stroke_edges(
            projected,
            fronts,
            triangles,
            edges.vertices[whole],
            edges.faces[whole],
            parts_of,
            normals,
            materials,
            marked[whole],
            turned,
            wanted,
            view,
        )
        vertices = edges.vertices[whole][chosen]
        found.append(_Edges.of_mesh(instance, vertices, kind, part, projected[vertices, :4]))
        if holes is not None and with_holes.any():
            rest = np.flatnonzero(with_holes)
            chosen, kind, part = outlining.find_holed_edges(
                (projected, fronts, places, triangles, edges.vertices[rest], edges.faces[rest]),
                parts_of,
                normals,
                materials_of(geometry, instance, with_holes=True),
                marked[rest],
                turned,
                wanted,
                view,
                (holes, masks, holes.uv_start[mesh]),
            )
            vertices = edges.vertices[rest][chosen]
            found.append(_Edges.of_mesh(instance, vertices, kind, part, projected[vertices, :4]))
    return found


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
    geometry: FrameGeometry, edges: _Edges, standing: npt.NDArray[np.int32], hiding: tuple[Any, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The edges, divided where they disappear and appear, see :func:`kernels.split_edges`."""
    camera = geometry.camera
    drawn = kernels.drawn_ends(edges.ends, edges.part)
    columns, rows = int(camera.width / CELL) + 1, int(camera.height / CELL) + 1
    cells = (CELL, columns, *sort_into_cells(drawn[:, :4], CELL, columns, rows))
    hidden, intervals = kernels.hide_edges(
        *hiding,
        standing,
        first_faces(geometry),
        camera.is_orthographic,
        (edges.instance, edges.vertices, edges.faces, edges.ends, edges.part, drawn),
        cells,
    )
    order = np.lexsort((intervals[:, 1], intervals[:, 0], hidden))
    pieces: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]
    pieces = kernels.split_edges(edges.part, edges.ends, hidden[order], intervals[order])
    return pieces


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
    instance: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    corners: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls,
        geometry: FrameGeometry,
        edges: _Edges,
        found: _Ends,
        edge: npt.NDArray[np.int64],
        piece: npt.NDArray[np.float64],
    ) -> _Points:
        """The points at which pieces begin and end.

        Vertices come first, then points of edges, ends of intersections and of outlines, and last where something hides
        one of these.
        """
        share, of = piece.ravel(), np.repeat(edge, 2)
        is_end = (share == 0.0) | (share == 1.0)
        is_edge = edges.instance[of] != NOBODY
        # what tells points apart: a vertex of an instance, an end of an intersection, or a line and a share
        first_vertex = np.cumsum([0, *np.diff(geometry.vertex_start)[geometry.mesh]])
        first_line = int(first_vertex[-1])
        first_end = first_line + len(edges.kind)
        first_inner = first_end + len(found.share)
        instance, vertices = edges.instance[of], edges.vertices[of]
        at = np.where(share == 1.0, vertices[:, 1], vertices[:, 0])
        vertices = np.where((is_edge & is_end)[:, None], at[:, None], vertices)
        owner = np.where(is_edge, np.where(is_end, first_vertex[instance] + at, first_line + of), first_inner + of)
        along = np.where(is_end, 0.0, share)
        known = is_edge.copy()
        mine = np.flatnonzero(~is_edge & is_end)
        piece_within = of[mine] - np.count_nonzero(edges.instance != NOBODY)
        end = found.of_pieces[piece_within, (share[mine] == 1.0).astype(np.int64)]
        owner[mine], along[mine], known[mine] = first_end + end, found.share[end], True
        instance[mine], vertices[mine] = found.instance[end], found.vertices[end]
        corners, shares = np.full((len(of), 3), NOBODY, np.int32), np.zeros((len(of), 3))
        corners[mine], shares[mine] = found.corners[end], found.shares[end]
        order = np.lexsort((along, owner))
        begins = np.ones(len(order), bool)
        begins[1:] = (np.diff(owner[order]) != 0) | (np.diff(along[order]) != 0.0)
        number = np.empty(len(order), np.int32)
        number[order] = np.cumsum(begins) - 1
        chosen = order[begins]
        place = edges.ends[of[chosen], 0] + share[chosen, None] * np.diff(edges.ends[of[chosen]], axis=1)[:, 0]
        # a vertex is where it is, whatever the other end of an edge is
        is_last = share[chosen] == 1.0
        place[is_last] = edges.ends[of[chosen[is_last]], 1]
        known, along, instance, vertices = known[chosen], along[chosen], instance[chosen], vertices[chosen]
        corners, shares = corners[chosen], shares[chosen]
        within = corners[:, 0] >= 0
        on_edge = known & ~within
        identity = np.zeros(vertices.shape, np.uint64)
        identity[on_edge] = _identities(geometry, instance[on_edge], vertices[on_edge])
        turned = identity[:, 0] > identity[:, 1]
        identity[within] = _within_faces(_identities(geometry, instance[within], corners[within]), shares[within])
        turn = turned[:, None]
        return cls(
            of_pieces=number.reshape(-1, 2),
            position=place[:, :2] / place[:, 3:],
            depth=place[:, 2],
            identity=np.where(turn, identity[:, ::-1], identity),
            along=np.where(known, np.rint(np.where(turned, 1.0 - along, along) * ALONG_STEPS) / ALONG_STEPS, 0.0),
            instance=instance,
            vertices=np.where(turn, vertices[:, ::-1], vertices).astype(np.int32),
            corners=corners,
            shares=shares,
        )


def _identities(
    geometry: FrameGeometry, instance: npt.NDArray[np.int32], vertices: npt.NDArray[np.int32]
) -> npt.NDArray[np.uint64]:
    """``(n, k)``: the numbers that last of ``k`` vertices each of instances."""
    lasting = LastingIdentities(geometry)
    identity = np.empty(vertices.shape, np.uint64)
    for one in np.unique(instance).tolist():
        mine = instance == one
        identity[mine] = lasting.of(one)[vertices[mine]]
    return identity


def _within_faces(corners: npt.NDArray[np.uint64], shares: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """``(n, 2)``: what says which points within triangles are the same: the triangle, and the place on it.

    Args:
        corners: ``(n, 3)``, the numbers that last of the triangle's corners.
        shares: ``(n, 3)``, how much of each the point is.
    """
    order = np.argsort(corners, axis=1)
    steps = np.rint(np.take_along_axis(shares, order, axis=1) * ALONG_STEPS).astype(np.uint64)
    face = np.zeros(len(corners), np.uint64)
    for corner in np.take_along_axis(corners, order, axis=1).T:
        face = scramble(face ^ corner)
    place = face
    for step in steps.T:
        place = scramble(place ^ scramble(step + np.uint64(1)))
    # 0 is no identity
    return np.maximum(np.stack([face, place], axis=1), np.uint64(1))
