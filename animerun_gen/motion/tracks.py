"""Surface points that are followed through a whole clip, exactly.

Points are chosen at pixel centres of a few query frames, spread over the clip, and then looked up in every frame: the
same place between the same three vertices of the same mesh, seen by that frame's own camera.  Whether that is known is
what :func:`~animerun_gen.motion.counterparts.find_counterparts` says of the query frame and the other frame, so a track
is the flow of its query pixel over every distance at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import longest_motion
from animerun_gen.dataset.tracks import Tracks
from animerun_gen.motion import companions, raster
from animerun_gen.motion.counterparts import NO_INSTANCE, NO_TRIANGLE, find_counterparts
from animerun_gen.motion.geometry import FrameGeometry, Holes
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer
from animerun_gen.motion.thresholds import NO_AREA

QUERY_FRAMES = 8
"""Frames of a clip at most in which points are chosen, so that what appears later has tracks too."""


@dataclass(frozen=True)
class SurfacePoints:
    """Points on the surfaces that one frame shows, in random order.

    Attributes:
        geometry: The frame, with no more instances than have points.
        x: ``(n,)`` float64, pixels: the centre of the pixel that shows the point.
        y: ``(n,)`` float64, likewise.
        depth: ``(n,)`` float64, distance along the view axis.
        instance: ``(n,)`` int64, index into the instances of ``geometry``.
        triangle: ``(n,)`` int32, triangle counted within the instance's mesh.
        corners: ``(n, 3)`` int32, the triangle's vertices, counted within the mesh.
        shares: ``(n, 3)`` float64, how much of each vertex the point is; they sum up to 1.
        object_id: ``(n,)`` uint16.
        material_id: ``(n,)`` uint16.
    """

    geometry: FrameGeometry
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]
    instance: npt.NDArray[np.int64]
    triangle: npt.NDArray[np.int32]
    corners: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]
    object_id: npt.NDArray[np.uint16]
    material_id: npt.NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.x)

    def first(self, count: int) -> SurfacePoints:
        """The first ``count`` of the points, which are no other choice than any ``count`` of them."""
        return replace(
            self,
            x=self.x[:count],
            y=self.y[:count],
            depth=self.depth[:count],
            instance=self.instance[:count],
            triangle=self.triangle[:count],
            corners=self.corners[:count],
            shares=self.shares[:count],
            object_id=self.object_id[:count],
            material_id=self.material_id[:count],
        )


def query_frames(frames: Sequence[int], count: int) -> tuple[int, ...]:
    """The frames of a clip in which its points are chosen.

    Args:
        frames: The clip's frames, ascending.
        count: How many points are asked for.

    Returns:
        The first frame and others at even distances, :data:`QUERY_FRAMES` or, where there are fewer frames or points,
        as many as those.
    """
    number = min(QUERY_FRAMES, len(frames), count)
    return tuple(frames[index * len(frames) // number] for index in range(number))


def choose_points(geometry: FrameGeometry, seen: VisibilityBuffer, count: int, seed: int) -> SurfacePoints:
    """Choose pixels that show a surface, each as likely as any other and none twice.

    Args:
        geometry: The frame.
        seen: What it sees.
        count: How many at most.
        seed: Decides which; the same seed chooses other places in other frames.

    Returns:
        The points; as many as there are pixels where these are fewer than ``count``.
    """
    pixels = np.flatnonzero(seen.instance.ravel() != BACKGROUND)
    generator = np.random.default_rng([seed, geometry.frame])
    chosen = generator.choice(pixels, min(count, len(pixels)), replace=False)
    row, column = np.divmod(chosen, geometry.camera.width)
    instances, instance = np.unique(seen.instance.ravel()[chosen], return_inverse=True)
    triangle = seen.triangle.ravel()[chosen]
    reduced = _with_instances(geometry, instances)
    corners = reduced.triangles[reduced.triangle_start[reduced.mesh[instance]] + triangle]
    x, y = column.astype(np.float64), row.astype(np.float64)
    return SurfacePoints(
        geometry=reduced,
        x=x,
        y=y,
        depth=seen.depth.ravel()[chosen],
        instance=instance,
        triangle=triangle,
        corners=corners,
        shares=_shares(_project(reduced, instance[:, None], _vertices(reduced, instance, corners)), x, y),
        object_id=companions.object_id_map(geometry, seen).ravel()[chosen],
        material_id=companions.material_id_map(geometry, seen).ravel()[chosen],
    )


def share_out(found: Sequence[int], count: int) -> list[int]:
    """How many points each query frame contributes: equally many, but for what a frame does not have.

    Args:
        found: How many points were found in each query frame.
        count: How many are wanted of all together.

    Returns:
        A number for each query frame, no larger than what was found there.
    """
    given = [0] * len(found)
    left = count
    # who has least comes first, so that the others can make up for it
    order = sorted(range(len(found)), key=lambda index: (found[index], -index))
    for position, index in enumerate(order):
        given[index] = min(found[index], left // (len(found) - position))
        left -= given[index]
    return given


class Following:
    """Follows points through the frames of a clip, one frame after the other.

    Args:
        frames: The clip's frames, ascending.
        found: The points that were found in each query frame.
        count: How many points are asked for; the query frames share them out.
        seed: The seed by which they were chosen.
    """

    def __init__(self, frames: Sequence[int], found: Sequence[SurfacePoints], count: int, seed: int) -> None:
        shares = share_out([len(points) for points in found], count)
        self._groups = [points.first(number) for points, number in zip(found, shares, strict=True) if number]
        self._query_frame = np.repeat(
            np.array([points.geometry.frame for points in self._groups], np.int32),
            [len(points) for points in self._groups],
        )
        self._frames = tuple(frames)
        self._requested = count
        self._seed = seed
        shape = (len(frames), sum(shares))
        self._position = np.full((*shape, 2), np.nan)
        self._world = np.full((*shape, 3), np.nan)
        self._depth = np.full(shape, np.nan, np.float32)
        self._known = np.zeros(shape, bool)
        self._in_frame = np.zeros(shape, bool)
        self._visible = np.zeros(shape, bool)

    def visit(self, geometry: FrameGeometry) -> None:
        """Look all points up in a frame of the clip."""
        if not self._groups:
            return
        place, instance, triangle = (
            np.concatenate(part) for part in zip(*[_locate(points, geometry) for points in self._groups], strict=True)
        )
        x, y, depth = place[:, :3].T.copy()
        known = ~np.isnan(depth)
        camera, row = geometry.camera, self._frames.index(geometry.frame)
        self._position[row] = place[:, :2]
        self._world[row] = place[:, 3:]
        self._depth[row] = depth
        self._known[row] = known
        self._in_frame[row] = known & (x >= -0.5) & (x < camera.width - 0.5) & (y >= -0.5) & (y < camera.height - 0.5)
        # the others are what their pixels show
        asked = known & (self._query_frame != geometry.frame)
        self._visible[row] = known
        self._visible[row, asked] = ~raster.hidden_points(
            geometry, x[asked], y[asked], depth[asked], instance[asked], triangle[asked]
        )

    def tracks(self) -> Tracks:
        """What came out; points are ordered by their query frame."""
        none = np.empty(0, np.uint16)
        return Tracks(
            frames=np.array(self._frames, np.int32),
            position=self._position,
            world=self._world,
            depth=self._depth,
            known=self._known,
            in_frame=self._in_frame,
            visible=self._visible,
            query_frame=self._query_frame,
            object_id=np.concatenate([none, *[points.object_id for points in self._groups]]),
            material_id=np.concatenate([none, *[points.material_id for points in self._groups]]),
            requested=self._requested,
            seed=self._seed,
        )


def _locate(
    points: SurfacePoints, target: FrameGeometry
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Where points are in a frame: ``(n, 6)`` x, y and depth, and the place in the world, NaN where unknown; on which
    instances and triangles.

    In the frame in which they were chosen they are where they were seen, whatever that frame is like now.
    """
    if target.frame == points.geometry.frame:
        vertices = _vertices(points.geometry, points.instance, points.corners)
        world = _in_world(points.geometry, points.instance, points.shares, vertices)
        place = np.concatenate([np.stack([points.x, points.y, points.depth], axis=1), world], axis=1)
        return place, np.full(len(points), NO_INSTANCE, np.int32), points.triangle
    twins = find_counterparts(points.geometry, target)
    instance = twins.instance[points.instance]
    triangle = np.full(len(points), NO_TRIANGLE, np.int32)
    place = np.full((len(points), 6), np.nan)
    there = np.flatnonzero(instance != NO_INSTANCE)
    triangle[there], corners = twins.triangles_of(points.geometry, points.instance[there], points.triangle[there])
    is_proven = triangle[there] != NO_TRIANGLE
    there, corners = there[is_proven], corners[is_proven]
    vertices = _vertices(target, instance[there], corners)
    seen = _project(target, instance[there], np.einsum("nk,nkc->nc", points.shares[there], vertices))
    drawn = (seen[:, 3] > 0.0) & (seen[:, 2] >= target.camera.clip_start)
    drawn &= ~_have_no_area(_project(target, instance[there, None], vertices))
    world = _in_world(target, instance[there], points.shares[there], vertices)[drawn]
    there, seen = there[drawn], seen[drawn]
    place[there, :2] = seen[:, :2] / seen[:, 3:]
    place[there, 2] = seen[:, 2]
    place[there, 3:] = world
    with np.errstate(invalid="ignore"):
        moved = np.abs(place[:, :2] - np.stack([points.x, points.y], axis=1))
        place[~np.all(moved <= longest_motion(target.camera.width), axis=1)] = np.nan
    return place, instance, triangle


def _have_no_area(projected: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which triangles ``(n, 3, 4)`` of homogeneous pixels are lines or points, as the compiled loops decide it."""
    first, second = (projected[:, k, :3] - projected[:, 0, :3] for k in (1, 2))
    across, lengths = np.cross(first, second), (first * first).sum(axis=1) * (second * second).sum(axis=1)
    none: npt.NDArray[np.bool_] = ~((across * across).sum(axis=1) > NO_AREA * lengths)
    return none


def _vertices(
    geometry: FrameGeometry, instance: npt.NDArray[np.integer[Any]], corners: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """``(n, 3, 3)`` float64: the corners of points' triangles in the coordinates of their meshes."""
    start = geometry.vertex_start[geometry.mesh[instance]]
    return geometry.vertices[start[:, None] + corners].astype(np.float64)


def _project(
    geometry: FrameGeometry, instance: npt.NDArray[np.integer[Any]], local: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """``(..., 4)`` homogeneous pixels ``(x w, y w, depth, w)`` of points ``(..., 3)`` in mesh coordinates."""
    matrices = geometry.instance_pixel_matrices()[instance]
    projected: npt.NDArray[np.float64] = np.einsum("...ij,...j->...i", matrices[..., :3], local) + matrices[..., 3]
    return projected


def _in_world(
    geometry: FrameGeometry,
    instance: npt.NDArray[np.integer[Any]],
    shares: npt.NDArray[np.float64],
    vertices: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """``(n, 3)``: places in the world of points that are shares ``(n, 3)`` of vertices ``(n, 3, 3)`` of meshes."""
    local = np.einsum("nk,nkc->nc", shares, vertices)
    matrices = geometry.matrices[instance]
    placed: npt.NDArray[np.float64] = np.einsum("nij,nj->ni", matrices[:, :3, :3], local) + matrices[:, :3, 3]
    return placed


def _shares(
    projected: npt.NDArray[np.float64], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Perspective-correct barycentric coordinates ``(n, 3)`` of what triangles ``(n, 3, 4)`` show at pixels."""
    corners = projected[..., [0, 1, 3]]
    edges = np.cross(corners[:, [1, 2, 0]], corners[:, [2, 0, 1]])
    weights = edges[..., 0] * x[:, None] + edges[..., 1] * y[:, None] + edges[..., 2]
    shares: npt.NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _with_instances(geometry: FrameGeometry, instances: npt.NDArray[np.integer[Any]]) -> FrameGeometry:
    """A frame without any but these instances: the query frames are all in memory at once."""
    meshes, mesh = np.unique(geometry.mesh[instances], return_inverse=True)
    slots = [slice(*geometry.slot_start[index : index + 2]) for index in instances]
    vertices = [slice(*geometry.vertex_start[index : index + 2]) for index in meshes]
    triangles = [slice(*geometry.triangle_start[index : index + 2]) for index in meshes]
    return replace(
        geometry,
        vertices=_parts(geometry.vertices, vertices),
        triangles=_parts(geometry.triangles, triangles),
        triangle_slots=_parts(geometry.triangle_slots, triangles),
        vertex_start=_starts(vertices),
        triangle_start=_starts(triangles),
        topologies=tuple(geometry.topologies[index] for index in meshes),
        identities=_parts(geometry.identities, vertices),
        numberings=tuple(geometry.numberings[index] for index in meshes),
        distinct=geometry.distinct[meshes],
        keys=tuple(geometry.keys[index] for index in instances),
        mesh=mesh.astype(np.int32),
        matrices=geometry.matrices[instances],
        object_ids=geometry.object_ids[instances],
        ordered=geometry.ordered[instances],
        single=geometry.single[instances],
        modifiers=tuple(geometry.modifiers[index] for index in instances),
        slot_start=_starts(slots),
        slot_materials=_parts(geometry.slot_materials, slots),
        holes=None if geometry.holes is None else _holes_of(geometry, geometry.holes, meshes, slots),
        # which no track asks for
        normals=None,
        marked_edges=None,
        faces=None,
    )


def _holes_of(
    geometry: FrameGeometry, holes: Holes, meshes: npt.NDArray[np.integer[Any]], slots: Sequence[slice]
) -> Holes:
    """The holes of some meshes and slots, which are numbered anew."""
    uvs = [geometry.mesh_uvs(mesh) for mesh in meshes]
    starts = np.cumsum([0, *[len(part) for part in uvs]], dtype=np.int64)[:-1]
    return replace(
        holes,
        uvs=np.concatenate([holes.uvs[:0], *uvs]),
        uv_start=np.where(holes.uv_start[meshes] < 0, -1, starts),
        slot_masks=_parts(holes.slot_masks, slots),
    )


def _parts(array: npt.NDArray[Any], parts: Sequence[slice]) -> npt.NDArray[Any]:
    return np.concatenate([array[:0], *[array[part] for part in parts]])


def _starts(parts: Sequence[slice]) -> npt.NDArray[np.int64]:
    return np.cumsum([0, *[part.stop - part.start for part in parts]], dtype=np.int64)
