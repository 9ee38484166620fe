"""Puts a frame's geometry together from layers that stand still at different frames of the film.

On twos, a layer is shown as it was at the frame before, seen by the camera of now.  Each layer's instances are taken
from the geometry of its own frame; what is made from the result (visibility, motion, lines, shade) need not know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from animerun_gen.errors import SceneError
from animerun_gen.motion.geometry import Camera, Float64Array, FrameGeometry, Holes, MarkedEdges, Normals

NO_MASK = -1
"""What stands in :attr:`Holes.slot_masks` for a slot without holes."""


@dataclass(frozen=True)
class HeldPart:
    """Instances of one frame of the film, held until another one.

    Attributes:
        geometry: That frame.
        chosen: ``(I,)`` bool, which of its instances.
        on_screen: ``(I,)`` bool, which of those move with the camera: they stay where they are in the picture, at the
            same depth.  The others stay where they are in the world.
    """

    geometry: FrameGeometry
    chosen: npt.NDArray[np.bool_]
    on_screen: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Composed:
    """A frame that was put together.

    Attributes:
        geometry: The frame, with ``I`` instances.
        part: ``(I,)`` int64, which part each instance is from.
        instance: ``(I,)`` int64, its number there.
    """

    geometry: FrameGeometry
    part: npt.NDArray[np.int64]
    instance: npt.NDArray[np.int64]


def compose_layers(frame: int, camera: Camera, parts: Sequence[HeldPart]) -> Composed:
    """Put a frame together.

    Args:
        frame: Its number.
        camera: What films it.
        parts: At least one; no instance (by its key) is in two of them.

    Returns:
        All instances that are chosen, in the order that they have in their own frames: of surfaces at equal depth the
        same one is seen, whatever is held.  Meshes are in the order in which instances show them.  Normals are there if
        all parts have them.

    Raises:
        SceneError: What is to be held on the screen was filmed by a perspective camera, and now there is an
            orthographic one, or the other way round; or an instance is there twice.
    """
    taken = [_take(part, camera) for part in parts]
    joined = _join(frame, camera, [geometry for geometry, _ in taken])
    part = np.repeat(np.arange(len(parts)), [len(numbers) for _, numbers in taken])
    instance = np.concatenate([numbers for _, numbers in taken])
    order = np.argsort(instance, kind="stable")
    geometry = _used_meshes(_chosen_instances(joined, order))
    if len(set(geometry.keys)) < len(geometry.keys):
        twice = next(key for key in geometry.keys if geometry.keys.count(key) > 1)
        raise SceneError(
            f"frame {frame} shows '{twice}' twice, as it was at two frames of the film, because objects of "
            "two layers make it in turn",
            remedy="put them into one layer of 'layers.groups'",
        )
    return Composed(geometry, part[order], instance[order])


def screen_transform(held: Camera, now: Camera) -> Float64Array:
    """What keeps things where they are in the picture, and as far away, while the camera goes from one view to another.

    Args:
        held: The camera as it was when the things were drawn.
        now: The camera that films them; also its lens and shift may be others.

    Returns:
        ``(4, 4)`` float64, from the world to the world.

    Raises:
        SceneError: One camera is perspective, the other orthographic.
    """
    if held.is_orthographic != now.is_orthographic:
        raise SceneError(
            f"camera '{now.name}' changes between perspective and orthographic while a layer is held on the screen",
            remedy="set its timing's hold to world, or change it at a frame at which the layer is drawn anew",
        )
    if np.array_equal(held.world, now.world) and np.array_equal(held.projection, now.projection):
        return np.eye(4)
    # across the view axis only: depth stays
    across = np.eye(4)
    for row in (0, 1):
        # the other axis has no part in a projection without skew
        scale = now.projection[row, row]
        across[row, row] = held.projection[row, row] / scale
        across[row, 2] = (held.projection[row, 2] - now.projection[row, 2]) / scale
        across[row, 3] = (held.projection[row, 3] - now.projection[row, 3]) / scale
    placed: Float64Array = now.world @ across @ np.linalg.inv(held.world)
    return placed


def _take(part: HeldPart, camera: Camera) -> tuple[FrameGeometry, npt.NDArray[np.int64]]:
    """The chosen instances of a part, with the meshes that they show alone, and their numbers in it."""
    numbers = np.flatnonzero(part.chosen)
    geometry = _used_meshes(_chosen_instances(part.geometry, numbers))
    on_screen = part.on_screen[numbers]
    if on_screen.any():
        matrices = geometry.matrices.copy()
        matrices[on_screen] = screen_transform(part.geometry.camera, camera) @ matrices[on_screen]
        geometry = replace(geometry, matrices=matrices)
    return geometry, numbers


def _chosen_instances(geometry: FrameGeometry, numbers: npt.NDArray[np.int64]) -> FrameGeometry:
    """Some instances of a frame in some order, with all its meshes."""
    if np.array_equal(numbers, np.arange(len(geometry.keys))):
        return geometry
    counts = np.diff(geometry.slot_start)[numbers]
    slots = _ranges(geometry.slot_start[:-1][numbers], counts)
    holes = geometry.holes
    return replace(
        geometry,
        keys=tuple(geometry.keys[number] for number in numbers),
        mesh=geometry.mesh[numbers],
        matrices=geometry.matrices[numbers],
        object_ids=geometry.object_ids[numbers],
        ordered=geometry.ordered[numbers],
        single=geometry.single[numbers],
        modifiers=tuple(geometry.modifiers[number] for number in numbers),
        slot_start=_starts(counts),
        slot_materials=geometry.slot_materials[slots],
        holes=None if holes is None else replace(holes, slot_masks=holes.slot_masks[slots]),
        owner_ids=None if geometry.owner_ids is None else geometry.owner_ids[numbers],
    )


def _used_meshes(geometry: FrameGeometry) -> FrameGeometry:
    """The same frame with those meshes alone that an instance shows, in the order in which the first ones do."""
    found, first, inverse = np.unique(geometry.mesh, return_index=True, return_inverse=True)
    order = np.argsort(first)
    used = found[order]
    if np.array_equal(used, np.arange(len(geometry.topologies))):
        return geometry
    mesh = np.argsort(order)[inverse]
    vertex_counts = np.diff(geometry.vertex_start)[used]
    triangle_counts = np.diff(geometry.triangle_start)[used]
    vertices = _ranges(geometry.vertex_start[:-1][used], vertex_counts)
    triangles = _ranges(geometry.triangle_start[:-1][used], triangle_counts)
    return replace(
        geometry,
        vertices=geometry.vertices[vertices],
        triangles=geometry.triangles[triangles],
        triangle_slots=geometry.triangle_slots[triangles],
        vertex_start=_starts(vertex_counts),
        triangle_start=_starts(triangle_counts),
        topologies=tuple(geometry.topologies[number] for number in used),
        identities=geometry.identities[vertices],
        numberings=tuple(geometry.numberings[number] for number in used),
        distinct=geometry.distinct[used],
        mesh=mesh.astype(np.int32),
        holes=None if geometry.holes is None else _holes_of(geometry.holes, used, triangle_counts),
        normals=None if geometry.normals is None else _normals_of(geometry.normals, used, triangle_counts),
        marked_edges=None if geometry.marked_edges is None else _marked_of(geometry.marked_edges, used),
        faces=None if geometry.faces is None else geometry.faces[triangles],
    )


def _holes_of(holes: Holes, used: npt.NDArray[np.int32], triangles: npt.NDArray[np.int64]) -> Holes:
    start = holes.uv_start[used]
    counts = np.where(start >= 0, triangles, 0)
    return replace(
        holes, uvs=holes.uvs[_ranges(start, counts)], uv_start=np.where(start >= 0, _starts(counts)[:-1], -1)
    )


def _normals_of(normals: Normals, used: npt.NDArray[np.int32], triangles: npt.NDArray[np.int64]) -> Normals:
    vectors = np.diff([*normals.vector_start, len(normals.vectors)])[used]
    start = normals.corner_start[used]
    corners = np.where(start >= 0, triangles, 0)
    return Normals(
        vectors=normals.vectors[_ranges(normals.vector_start[used], vectors)],
        vector_start=_starts(vectors)[:-1],
        corners=normals.corners[_ranges(start, corners)],
        corner_start=np.where(start >= 0, _starts(corners)[:-1], -1),
    )


def _marked_of(marked: MarkedEdges, used: npt.NDArray[np.int32]) -> MarkedEdges:
    counts = np.diff(marked.start)[used]
    return MarkedEdges(marked.vertices[_ranges(marked.start[:-1][used], counts)], _starts(counts))


def _join(frame: int, camera: Camera, parts: Sequence[FrameGeometry]) -> FrameGeometry:
    """All meshes and instances of several frames, one after the other."""
    if len(parts) == 1:
        return replace(parts[0], frame=frame, camera=camera)
    meshes = _starts([len(part.topologies) for part in parts])
    return FrameGeometry(
        frame=frame,
        camera=camera,
        vertices=np.concatenate([part.vertices for part in parts]),
        triangles=np.concatenate([part.triangles for part in parts]),
        triangle_slots=np.concatenate([part.triangle_slots for part in parts]),
        vertex_start=_starts(np.concatenate([np.diff(part.vertex_start) for part in parts])),
        triangle_start=_starts(np.concatenate([np.diff(part.triangle_start) for part in parts])),
        topologies=tuple(topology for part in parts for topology in part.topologies),
        identities=np.concatenate([part.identities for part in parts]),
        numberings=tuple(numbering for part in parts for numbering in part.numberings),
        distinct=np.concatenate([part.distinct for part in parts]),
        keys=tuple(key for part in parts for key in part.keys),
        mesh=np.concatenate([part.mesh + first for part, first in zip(parts, meshes, strict=False)]).astype(np.int32),
        matrices=np.concatenate([part.matrices for part in parts]),
        object_ids=np.concatenate([part.object_ids for part in parts]),
        ordered=np.concatenate([part.ordered for part in parts]),
        single=np.concatenate([part.single for part in parts]),
        modifiers=tuple(modifiers for part in parts for modifiers in part.modifiers),
        slot_start=_starts(np.concatenate([np.diff(part.slot_start) for part in parts])),
        slot_materials=np.concatenate([part.slot_materials for part in parts]),
        holes=_join_holes(parts),
        normals=_join_normals(parts),
        marked_edges=_join_marked(parts),
        faces=_join_faces(parts),
        owner_ids=_join_owners(parts),
    )


def _join_holes(parts: Sequence[FrameGeometry]) -> Holes | None:
    """Masks are those of the cut, so those of the frame that knows most of them are those of all."""
    masks = [part.holes.masks for part in parts if part.holes is not None]
    if not masks:
        return None
    uvs, starts, slots, first = [np.empty((0, 3, 2), np.float32)], [], [], 0
    for part in parts:
        if part.holes is None:
            starts.append(np.full(len(part.topologies), -1, np.int64))
            slots.append(np.full(len(part.slot_materials), NO_MASK, np.int32))
            continue
        uvs.append(part.holes.uvs)
        starts.append(np.where(part.holes.uv_start >= 0, part.holes.uv_start + first, -1))
        slots.append(part.holes.slot_masks)
        first += len(part.holes.uvs)
    most = max(masks, key=lambda each: len(each.size))
    return Holes(np.concatenate(uvs), np.concatenate(starts), np.concatenate(slots), most)


def _join_normals(parts: Sequence[FrameGeometry]) -> Normals | None:
    known = [part.normals for part in parts if part.normals is not None]
    if len(known) < len(parts):
        return None
    vectors, corners = (
        _starts([len(array) for array in arrays])
        for arrays in ([each.vectors for each in known], [each.corners for each in known])
    )
    return Normals(
        vectors=np.concatenate([each.vectors for each in known]),
        vector_start=np.concatenate([each.vector_start + first for each, first in zip(known, vectors, strict=False)]),
        corners=np.concatenate([each.corners for each in known]),
        corner_start=np.concatenate(
            [
                np.where(each.corner_start >= 0, each.corner_start + first, -1)
                for each, first in zip(known, corners, strict=False)
            ]
        ),
    )


def _join_marked(parts: Sequence[FrameGeometry]) -> MarkedEdges | None:
    known = [part.marked_edges for part in parts if part.marked_edges is not None]
    if len(known) < len(parts):
        return None
    return MarkedEdges(
        np.concatenate([each.vertices for each in known]),
        _starts(np.concatenate([np.diff(each.start) for each in known])),
    )


def _join_faces(parts: Sequence[FrameGeometry]) -> npt.NDArray[np.int32] | None:
    known = [part.faces for part in parts if part.faces is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


def _join_owners(parts: Sequence[FrameGeometry]) -> npt.NDArray[np.uint16] | None:
    known = [part.owner_ids for part in parts if part.owner_ids is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


def _starts(counts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return np.cumsum([0, *np.asarray(counts).tolist()], dtype=np.int64)


def _ranges(starts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """All numbers of several ranges, one range after the other."""
    total = int(counts.sum())
    ends = np.cumsum(counts)
    within = np.arange(total) - np.repeat(ends - counts, counts)
    return np.repeat(starts, counts) + within
