"""The outlines of holes that images cut into surfaces, as pieces of lines within faces.

What is a hole is said texel by texel (:class:`~animerun_gen.motion.geometry.Masks`), so an outline goes along sides of
texels.  It is followed once in the image; of its corners those stay without which it would leave its way by more than
:data:`TOLERANCE` in the picture.  An image sticks to the surface that wears it, and so do these points.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from animerun_gen.lines.feature_edges import MeshEdges
from animerun_gen.lines.intersections import NO_FACE, first_faces, placed_in_picture
from animerun_gen.lines.joining import joined_pieces
from animerun_gen.lines.kernels import lattice, outlining
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import EXTEND, MIRROR, REPEAT, FrameGeometry, Masks
from animerun_gen.motion.kernels.projection import project_mesh, room_for_a_mesh

TOLERANCE = 0.5
"""Pixels by which an outline may leave its way between two of its points, about.  It goes by powers of two, so that the
same points stay while something comes a little closer."""

FAR = 64
"""How often an image that goes on beyond its border is as wide, or high, as it goes on."""

PART = 4096
"""Points of an outline from which on it is weighed in parts."""

LONG = 8
"""Outlines that go straight along texels for a part of the image's size by this stay as they are."""

CELLS = 32
"""Columns and rows of cells in which the pieces of an outline are looked for."""

MOST = 1 << 22
"""Pieces of outlines of one instance: what has more, a lawn of blades of grass up to the horizon, has none at all."""

NOBODY = -1


@dataclass(frozen=True)
class HoleOutlines:
    """The ``n`` pieces of the outlines of a frame's holes, and their ``H`` ends.

    Attributes:
        instance: ``(H,)`` int32, on which instance each end lies.
        vertices: ``(H, 2)`` int32, the vertices of the edge on which it lies, counted within the mesh; -1 in a face.
        share: ``(H,)`` float64, how much of the second one it is; 0 within a face.
        corners: ``(H, 3)`` int32, the corners of the triangle within which it lies; -1 on an edge.
        shares: ``(H, 3)`` float64, how much of each it is; 0 on an edge.
        place: ``(H, 4)`` float64, its homogeneous pixels.
        ends: ``(n, 2)`` int64, the ends of each piece.
        faces: ``(n, 2)`` int64, its triangle, counted through the meshes of all instances, and -1.
    """

    instance: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    share: npt.NDArray[np.float64]
    corners: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]
    place: npt.NDArray[np.float64]
    ends: npt.NDArray[np.int64]
    faces: npt.NDArray[np.int64]

    @classmethod
    def none(cls) -> HoleOutlines:
        """No pieces at all."""
        two, three, pairs = np.empty((0, 2), np.int32), np.empty((0, 3), np.int32), np.empty((0, 2), np.int64)
        return cls(two[:, 0], two, np.empty(0), three, np.empty((0, 3)), np.empty((0, 4)), pairs, pairs)


@dataclass(frozen=True)
class _Chains:
    """The outlines of the holes in an image, in half texels from its lowest row and first column.

    Attributes:
        points: ``(n, 2)`` int64, x and y.
        start: ``(c + 1,)`` int64, where each chain begins.
        weights: ``(n,)`` float64, see :func:`~animerun_gen.lines.kernels.outlining.weigh`.
        size: Half texels of the image's width and height.
        period: Half texels after which outlines begin anew, across and up; 0 where they do not.
    """

    points: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    size: tuple[int, int]
    period: tuple[int, int]

    def pieces(self, least: float) -> npt.NDArray[np.int64]:
        """``(m, 4)``: the pieces between points of at least a weight, from where to where."""
        of = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        kept = (self.weights >= least) & (self.weights > 0.0)
        points, of = self.points[kept], of[kept]
        follows = of[1:] == of[:-1]
        pieces = np.concatenate([points[:-1], points[1:]], axis=1)[follows]
        return pieces[(pieces[:, :2] != pieces[:, 2:]).any(axis=1)]


class HoleOutlineFinder:
    """Finds the outlines of one frame's holes after the other; those within an image once for each image.

    What it finds depends on the frame alone, not on those that it saw before.
    """

    def __init__(self) -> None:
        self._masks: Masks | None = None
        self._known: dict[int, _Chains] = {}

    def find(self, geometry: FrameGeometry, known: list[MeshEdges]) -> HoleOutlines:
        """The outlines of a frame's holes.

        Args:
            geometry: The frame.
            known: The edges of each of its meshes.

        Returns:
            Those in the picture, whatever lies before them.
        """
        holes = geometry.holes
        if holes is None:
            return HoleOutlines.none()
        if self._masks is not holes.masks:
            self._masks, self._known = holes.masks, {}
        meshes, view = raster.meshes(geometry), raster.view(geometry.camera)
        projected = room_for_a_mesh(meshes)
        parts: list[HoleOutlines] = []
        first = first_faces(geometry)
        for instance, mesh in enumerate(geometry.mesh.tolist()):
            masks = masks_of(geometry, instance)
            worn = np.unique(masks[masks >= 0]).tolist()
            if worn:
                project_mesh(meshes, instance, projected)
            for mask in worn:
                chains = self._chains(mask)
                wearing, uvs = np.flatnonzero(masks == mask), geometry.mesh_uvs(mesh)
                triangles, standing = geometry.mesh_triangles(mesh), known[mesh].standing
                size = (float(chains.size[0]), float(chains.size[1]))
                pixels = outlining.largest_texel(projected, triangles, wearing, uvs, size, view)
                if not pixels > 0.0:
                    continue
                pieces = chains.pieces(_least_weight(pixels))
                if not len(pieces):
                    continue
                box = _box(pieces)
                cells = (box, CELLS, *outlining.sort_pieces(pieces, box, CELLS))
                laid = outlining.lay_pieces(
                    projected,
                    triangles,
                    standing,
                    wearing,
                    uvs,
                    size,
                    chains.period,
                    pieces,
                    cells,
                    view,
                    MOST,
                )
                parts.append(_outlines(geometry, instance, first[instance], *laid))
        return _joined(parts)

    def _chains(self, mask: int) -> _Chains:
        if mask not in self._known:
            if self._masks is None:
                raise AssertionError("the caller has set the masks")
            self._known[mask] = _follow(self._masks, mask)
        return self._known[mask]


def masks_of(geometry: FrameGeometry, instance: int) -> npt.NDArray[np.int64]:
    """``(t,)``: the image that cuts holes into each triangle of an instance; -1 for none."""
    mesh = geometry.mesh[instance]
    slots = geometry.triangle_slots[geometry.triangle_start[mesh] : geometry.triangle_start[mesh + 1]]
    first, last = geometry.slot_start[instance], geometry.slot_start[instance + 1]
    if geometry.holes is None or first == last or geometry.holes.uv_start[mesh] < 0:
        return np.full(len(slots), -1, np.int64)
    worn = geometry.holes.slot_masks[first:last].astype(np.int64)
    return worn[np.clip(slots, 0, last - first - 1)]


def _least_weight(pixels: float) -> float:
    """The weight, in half texels, of which points of an outline stay where a half texel has so many pixels."""
    # whole powers of two, so that a small change of size changes nothing
    return float(TOLERANCE / 2.0 ** np.ceil(np.log2(pixels))) if pixels < np.inf else 0.0


def _follow(masks: Masks, mask: int) -> _Chains:
    """The outlines of the holes in an image."""
    rows, columns = masks.size[mask].tolist()
    texels = masks.texels[masks.start[mask] : masks.start[mask] + rows * columns].reshape(rows, columns)
    is_hole = texels != 0
    extension = int(masks.extension[mask])
    size, period, begin = (2 * columns, 2 * rows), (0, 0), 0
    if extension == MIRROR:
        is_hole = np.concatenate([is_hole, is_hole[:, ::-1]], axis=1)
        is_hole = np.concatenate([is_hole, is_hole[::-1]], axis=0)
    if extension in (REPEAT, MIRROR):
        period = (2 * is_hole.shape[1], 2 * is_hole.shape[0])
        is_hole = np.pad(is_hole, ((0, 1), (0, 1)), mode="wrap")
    else:
        # a texel more on each side, which is as its neighbour is, or a hole
        begin = -2
        is_hole = np.pad(is_hole, 1, mode="edge") if extension == EXTEND else np.pad(is_hole, 1, constant_values=True)
    across, down = is_hole[:, 1:] != is_hole[:, :-1], is_hole[1:] != is_hole[:-1]
    numbers = []
    count = 0
    for differs in (across, down):
        number = np.full(differs.shape, -1, np.int64)
        number[differs] = count + np.arange(np.count_nonzero(differs))
        count += int(np.count_nonzero(differs))
        numbers.append(number)
    # the middle of the side between two texels
    row, column = np.nonzero(across)
    upright = np.stack([2 * column + 2, 2 * row + 1], axis=1)
    row, column = np.nonzero(down)
    level = np.stack([2 * column + 1, 2 * row + 2], axis=1)
    middles = np.concatenate([upright, level]).astype(np.int64) + begin
    pieces, _ = lattice.follow(is_hole.astype(np.uint8), *numbers)
    start, chain, _ = joined_pieces(pieces, np.zeros(len(pieces), np.int64))
    points, of = _with_corners(middles[chain], np.repeat(np.arange(len(start) - 1), np.diff(start)))
    starts = np.searchsorted(of, np.arange(len(start)))
    if extension == EXTEND:
        _go_on(points, starts, size)
    weights = np.empty(len(points))
    outlining.weigh(points, *_parts(points, starts, size), weights)
    return _Chains(points, starts.astype(np.int64), weights, size, period)


def _with_corners(
    middles: npt.NDArray[np.int64], of: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Chains between middles of sides, with the corners of texels at which they turn."""
    one, other = middles[:-1], middles[1:]
    # middles of upright sides have an even x
    is_upright = one[:, 0] % 2 == 0
    turns = (of[1:] == of[:-1]) & (is_upright != (other[:, 0] % 2 == 0))
    x, y = np.where(is_upright, one[:, 0], other[:, 0]), np.where(is_upright, other[:, 1], one[:, 1])
    places = np.flatnonzero(turns) + 1
    points = np.insert(middles, places, np.stack([x, y], axis=1)[turns], axis=0)
    return points, np.insert(of, places, of[places])


def _parts(
    points: npt.NDArray[np.int64], start: npt.NDArray[np.int64], size: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the last points of the parts of chains between points that stay in any case.

    These are the ends of long straight parts, and of all that lie on the border of the image.  Meshes are often laid
    on images so that they end there, and an outline that goes along the edge of a mesh must not go aslant into it.
    """
    of = np.repeat(np.arange(len(start) - 1), np.diff(start))
    step = np.diff(points, axis=0)
    follows = of[1:] == of[:-1]
    # of two points that follow each other, whether they belong to one such part
    is_long = np.zeros(len(step), bool)
    for axis in range(2):
        along, on_border = step[:, axis] == 0, points[:-1, axis] % size[axis] == 0
        is_long |= follows & along & (on_border | (np.abs(step[:, 1 - axis]) * LONG >= size[1 - axis]))
    stays = np.ones(len(points), bool)
    before, behind = np.append(False, is_long), np.append(is_long, False)
    inner = np.ones(len(points), bool)
    inner[start[:-1]], inner[start[1:] - 1] = False, False
    stays[inner] = (before | behind)[inner]
    # the longest way around an image takes no longer than many short ones
    stays[::PART] = True
    kept = np.flatnonzero(stays)
    pairs = of[kept[1:]] == of[kept[:-1]]
    return kept[:-1][pairs].astype(np.int64), kept[1:][pairs].astype(np.int64)


def _go_on(points: npt.NDArray[np.int64], start: npt.NDArray[np.int64], size: tuple[int, int]) -> None:
    """Lengthen, in place, what ends beyond the border of an image that goes on there as it is at its border."""
    if not len(points):
        return
    for end in np.concatenate([start[:-1], start[1:] - 1]).tolist():
        for axis in range(2):
            if points[end, axis] < 0:
                points[end, axis] = -FAR * size[axis]
            elif points[end, axis] > size[axis]:
                points[end, axis] = FAR * size[axis]


def _box(pieces: npt.NDArray[np.int64]) -> tuple[float, float, float, float]:
    """Left, low, right and high of some pieces, none of them equal."""
    x, y = pieces[:, [0, 2]], pieces[:, [1, 3]]
    return float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1)


def _outlines(
    geometry: FrameGeometry,
    instance: int,
    first_face: int,
    of: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    at_edge: npt.NDArray[np.bool_],
    shares: npt.NDArray[np.float64],
) -> HoleOutlines:
    """What was laid on one instance, with ends that pieces have in common."""
    mesh = int(geometry.mesh[instance])
    triangles = geometry.mesh_triangles(mesh)
    triangle, ends, at_edge = np.repeat(of, 2), ends.reshape(-1, 2), at_edge.ravel()
    shares = shares.reshape(-1, 3)
    # of an edge it is not said which triangle asked
    keys = np.column_stack([np.where(at_edge, NO_FACE, triangle), ends, np.where(at_edge, _steps(shares[:, 0]), 0)])
    _, chosen, number = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    triangle, at_edge, shares = triangle[chosen], at_edge[chosen], shares[chosen]
    edge = at_edge[:, None]
    vertices = np.where(edge, ends[chosen], NOBODY)
    share = np.where(at_edge, shares[:, 0], 0.0)
    corners = np.where(edge, NOBODY, triangles[triangle])
    shares = np.where(edge, 0.0, np.clip(shares, 0.0, 1.0))
    local = geometry.mesh_vertices(mesh).astype(np.float64)
    point = np.where(
        edge,
        local[vertices[:, 0]] + share[:, None] * (local[vertices[:, 1]] - local[vertices[:, 0]]),
        (shares[..., None] * local[corners]).sum(axis=1),
    )
    world = geometry.matrices[instance]
    return HoleOutlines(
        instance=np.full(len(chosen), instance, np.int32),
        vertices=vertices.astype(np.int32),
        share=share,
        corners=corners.astype(np.int32),
        shares=shares,
        place=placed_in_picture(geometry, point @ world[:3, :3].T + world[:3, 3]),
        ends=number.reshape(-1, 2).astype(np.int64),
        faces=np.stack([first_face + of, np.full(len(of), NO_FACE)], axis=1),
    )


def _steps(share: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Shares as whole numbers, as finely as strokes tell them."""
    return np.rint(share * 2.0**30).astype(np.int64)


def _joined(parts: list[HoleOutlines]) -> HoleOutlines:
    """All of them, one after the other."""
    if not parts:
        return HoleOutlines.none()
    before = np.cumsum([0, *[len(part.share) for part in parts]])
    whole = {each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(HoleOutlines)}
    whole["ends"] = np.concatenate([part.ends + first for part, first in zip(parts, before[:-1], strict=True)])
    return HoleOutlines(**whole)
