"""Which surface points of two frames are the same: what is proven, and nothing else.

A vertex has an *identity* if something that it carried through all of Blender's modifiers says which vertex of the
film's own meshes it is, or which mixture of them; zero is no identity.  Points of a triangle are those of a triangle in
another frame

* if everything that made the mesh numbers its vertices by construction (``ordered``), the faces are the same over the
  same numbers, and the identities of its corners are the same;
* if nothing that made the mesh copies vertices (``single``), and both triangles alone have corners of these identities,
  wherever in their meshes they are;
* or if the two meshes are equal, vertex by vertex and face by face: then nothing moved within them.

Everything else is unknown.  What Blender does to identities, modifier by modifier: ``docs/identity.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.backdrop import is_same_camera
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.identity import IDENTITY_BITS, Identities, scramble

NO_INSTANCE = -1
"""In a list of counterparts: the target frame has no surface whose points are those of this instance."""

NO_TRIANGLE = -1
"""In a list of triangles: the target frame has no triangle whose points are those of this one."""

SAME_NUMBERS = -1
"""Where a list of triangles should begin: each triangle has its own number in the target frame, too."""

SAME_MIXTURE = 2
"""Steps by which the components of one mixture of vertices may differ: a millionth, which is less than 1e-3 px of any
edge in the picture."""


Triangles = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Counterparts:
    """Where the surfaces of one frame are in another, for its ``I`` instances.

    Attributes:
        instance: ``(I,)`` int32, index into the target's instances, :data:`NO_INSTANCE` where no point is the same.
        start: ``(I,)`` int64, where the triangles of an instance's mesh begin in the two lists below;
            :data:`SAME_NUMBERS` where all of them have the same numbers and corners in both frames.
        triangle: ``(n,)`` int32, the same triangle, counted within the target's mesh, or :data:`NO_TRIANGLE`.
        corners: ``(n, 3)`` int32, its vertices, counted within the target's mesh, in the order of the source's.
    """

    instance: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]
    triangle: npt.NDArray[np.int32]
    corners: Triangles

    def triangles_of(
        self, source: FrameGeometry, instance: npt.NDArray[np.integer[Any]], triangle: npt.NDArray[np.integer[Any]]
    ) -> tuple[npt.NDArray[np.int32], Triangles]:
        """The counterparts of some triangles.

        Args:
            source: The frame.
            instance: ``(n,)`` int, instances of it that have a counterpart.
            triangle: ``(n,)`` int, a triangle of each, counted within its mesh.

        Returns:
            ``(n,)`` int32, the triangle in the target's mesh, or :data:`NO_TRIANGLE`; ``(n, 3)`` int32, its vertices.
        """
        found = triangle.astype(np.int32)
        corners = source.triangles[source.triangle_start[source.mesh[instance]] + triangle]
        moved = self.start[instance] != SAME_NUMBERS
        entry = (self.start[instance] + triangle)[moved]
        found[moved] = self.triangle[entry]
        corners[moved] = self.corners[entry]
        return found, corners


def find_counterparts(source: FrameGeometry, target: FrameGeometry) -> Counterparts:
    """For every triangle of the source frame the same triangle in the target frame, where that is proven.

    Args:
        source: A frame.
        target: Another frame of the same shot.

    Returns:
        The counterparts.  No instance has one when the shot was cut to another camera in between.  A triangle has none
        where its holes lie elsewhere on it: a point of it may be a hole in one of the frames.
    """
    instances = np.full(len(source.keys), NO_INSTANCE, np.int32)
    start = np.full(len(source.keys), SAME_NUMBERS, np.int64)
    lists = _Lists()
    if is_same_camera(source.camera, target.camera):
        index_of = {key: index for index, key in enumerate(target.keys)}
        proven: dict[tuple[int, int, tuple[int, ...]], int | None] = {}
        for index, key in enumerate(source.keys):
            other = index_of.get(key)
            if other is None:
                continue
            reshaped = _reshaped_slots(source, index, target, other)
            case = int(source.mesh[index]), int(target.mesh[other]), reshaped
            if case not in proven:
                match = _prove(source, index, target, other)
                proven[case] = lists.add(_without_slots(match, source, index, reshaped))
            begin = proven[case]
            if begin is not None:
                instances[index], start[index] = other, begin
    return Counterparts(instances, start, *lists.joined())


@dataclass
class _Match:
    """The counterparts of the triangles of one mesh; ``None`` in place of the arrays where all keep their numbers."""

    triangle: npt.NDArray[np.int32]
    corners: Triangles


@dataclass
class _Lists:
    """Collects the lists of triangles of all pairs of meshes that need them."""

    parts: list[_Match] = field(default_factory=list)
    length: int = 0

    def add(self, match: _Match | bool) -> int | None:
        """Where the list begins, :data:`SAME_NUMBERS` if none is needed, None where no triangle is the same."""
        if isinstance(match, bool):
            return SAME_NUMBERS if match else None
        begin = self.length
        self.parts.append(match)
        self.length += len(match.triangle)
        return begin

    def joined(self) -> tuple[npt.NDArray[np.int32], Triangles]:
        return (
            np.concatenate([np.empty(0, np.int32), *[part.triangle for part in self.parts]]),
            np.concatenate([np.empty((0, 3), np.int32), *[part.corners for part in self.parts]]),
        )


def _prove(source: FrameGeometry, index: int, target: FrameGeometry, other: int) -> _Match | bool:
    """What is proven of the meshes of two instances: nothing, that all is the same, or which triangles are."""
    here, there = int(source.mesh[index]), int(target.mesh[other])
    match: _Match | bool = False
    if source.topologies[here] == target.topologies[there]:
        match = _by_number(source, index, target, other)
    if match is not True and source.single[index] and target.single[other]:
        found = _match(
            source.mesh_identities(here),
            source.mesh_triangles(here),
            target.mesh_identities(there),
            target.mesh_triangles(there),
        )
        match = _together(match, found)
    return match and _with_same_holes(match, source, here, target, there)


def _together(match: _Match | bool, found: _Match | bool) -> _Match | bool:
    """What one of two ways has found."""
    if isinstance(match, bool) or isinstance(found, bool):
        return match or found
    missed = match.triangle == NO_TRIANGLE
    return _Match(
        np.where(missed, found.triangle, match.triangle), np.where(missed[:, None], found.corners, match.corners)
    )


def _by_number(source: FrameGeometry, index: int, target: FrameGeometry, other: int) -> _Match | bool:
    """What is the same by its number, in two meshes with the same faces over the same vertex numbers."""
    here, there = int(source.mesh[index]), int(target.mesh[other])
    triangles, other_triangles = source.mesh_triangles(here), target.mesh_triangles(there)
    lasting = source.ordered[index] and target.ordered[other]
    # where nothing is there twice, this is the shorter way to what matching one by one would find
    lasting |= source.single[index] and target.single[other] and source.distinct[here] and target.distinct[there]
    if lasting and source.numberings[here] == target.numberings[there]:
        return _over_same_vertices(triangles, other_triangles)
    if np.array_equal(source.mesh_vertices(here), target.mesh_vertices(there)):
        return _over_same_vertices(triangles, other_triangles)
    if not lasting:
        return False
    same = _are_same_mixtures(source.mesh_identities(here), target.mesh_identities(there))
    return _over_same_vertices(triangles, other_triangles, same)


def _are_same_mixtures(one: Identities, other: Identities) -> npt.NDArray[np.bool_]:
    """Which identities differ by no more than rounding does, as mixtures by place do once that moves."""
    same = (one == 0) == (other == 0)
    for component in range(3):
        shift, mask = np.uint64(component * IDENTITY_BITS), np.uint64(2**IDENTITY_BITS - 1)
        steps = ((one >> shift) & mask).astype(np.int64) - ((other >> shift) & mask).astype(np.int64)
        same &= np.abs(steps) <= SAME_MIXTURE
    return same


def _over_same_vertices(
    source: Triangles, target: Triangles, same: npt.NDArray[np.bool_] | None = None
) -> _Match | bool:
    """The triangles over the same vertex numbers, of vertices that are the same (all, without a list).

    A bent face may be split along another diagonal in another frame.
    """
    whole = source is target or np.array_equal(source, target)
    if whole and (same is None or bool(same.all())):
        return True
    numbers = np.arange(1, 2 + max(int(source.max(initial=0)), int(target.max(initial=0))), dtype=np.uint64)
    if same is not None:
        numbers = np.where(same[: len(numbers)], numbers, 0)
    return _match(numbers, source, numbers, target)


def _match(
    source_identities: Identities, source: Triangles, target_identities: Identities, target: Triangles
) -> _Match | bool:
    """Match triangles by the identities of their corners; what is there twice, or has none, matches nothing."""
    keys, first = triangle_keys(source_identities, source)
    other_keys, other_first = triangle_keys(target_identities, target)
    wanted, candidates = _once(keys), _once(other_keys)
    ordered = candidates[np.argsort(other_keys[candidates])]
    if len(wanted) == 0 or len(ordered) == 0:
        return False
    place = np.minimum(np.searchsorted(other_keys[ordered], keys[wanted]), len(ordered) - 1)
    found = other_keys[ordered[place]] == keys[wanted]
    wanted, twins = wanted[found], ordered[place[found]]
    if len(wanted) == 0:
        return False
    triangle = np.full(len(source), NO_TRIANGLE, np.int32)
    triangle[wanted] = twins
    corners = np.zeros((len(source), 3), np.int32)
    # both begin with the corner of the smallest identity, and the source with its own first one in the end
    turn = (other_first[twins] - first[wanted])[:, None] + np.arange(3)
    corners[wanted] = np.take_along_axis(target[twins], turn % 3, axis=1)
    return _Match(triangle, corners)


def triangle_keys(identities: Identities, triangles: Triangles) -> tuple[Identities, npt.NDArray[np.int64]]:
    """A key for the corners of each triangle, whichever comes first, zero for none; which is the smallest."""
    corners = identities[triangles]
    first = corners.argmin(axis=1)
    a, b, c = (np.take_along_axis(corners, ((first + k) % 3)[:, None], axis=1)[:, 0] for k in range(3))
    keys = scramble(scramble(scramble(a) ^ b) ^ c)
    keys[(a == 0) | (a == b) | (b == c) | (a == c)] = 0
    return keys, first


def _once(keys: Identities) -> npt.NDArray[np.int64]:
    """Where the keys are that occur once and are no zeros."""
    _, position, count = np.unique(keys, return_index=True, return_counts=True)
    alone = position[count == 1]
    return np.sort(alone[keys[alone] != 0])


def _with_same_holes(
    match: _Match | bool, source: FrameGeometry, here: int, target: FrameGeometry, there: int
) -> _Match | bool:
    """What is left where a surface must have its holes at the same places."""
    before, after = source.mesh_uvs(here), target.mesh_uvs(there)
    if isinstance(match, bool):
        if np.array_equal(before, after, equal_nan=True):
            return match
        if len(before) != len(after):
            return False
        triangles = source.mesh_triangles(here)
        match = _Match(np.arange(len(triangles), dtype=np.int32), triangles.copy())
    if len(before) == 0 and len(after) == 0:
        return match
    if len(before) == 0 or len(after) == 0:
        return False
    known = np.flatnonzero(match.triangle != NO_TRIANGLE)
    triangle, other = source.mesh_triangles(here)[known], target.mesh_triangles(there)[match.triangle[known]]
    # which corner of the target's triangle is the first one of the source's
    turn = (other == match.corners[known][:, :1]).argmax(axis=1)[:, None] + np.arange(3)
    laid = np.take_along_axis(after[match.triangle[known]], (turn % 3)[..., None], axis=1)
    same = (before[known] == laid) | (np.isnan(before[known]) & np.isnan(laid))
    kept = match.triangle.copy()
    kept[known[~same.reshape(len(triangle), -1).all(axis=1)]] = NO_TRIANGLE
    return _Match(kept, match.corners) if (kept != NO_TRIANGLE).any() else False


def _reshaped_slots(source: FrameGeometry, index: int, target: FrameGeometry, other: int) -> tuple[int, ...]:
    """The material slots of an instance whose holes have other shapes in the other frame: they show a sequence."""
    slots, others = _slot_count(source, index), _slot_count(target, other)
    if slots != others:
        # nobody can tell which is which
        return tuple(range(slots))
    if source.holes is None and target.holes is None:
        # asked of every instance, and most films have no holes
        return ()
    return tuple(np.flatnonzero(_slot_masks(source, index) != _slot_masks(target, other)).tolist())


def _slot_count(geometry: FrameGeometry, index: int) -> int:
    return int(geometry.slot_start[index + 1] - geometry.slot_start[index])


def _slot_masks(geometry: FrameGeometry, index: int) -> npt.NDArray[np.int32]:
    first, last = geometry.slot_start[index], geometry.slot_start[index + 1]
    if geometry.holes is None:
        return np.full(last - first, -1, np.int32)
    return geometry.holes.slot_masks[first:last]


def _without_slots(match: _Match | bool, source: FrameGeometry, index: int, slots: tuple[int, ...]) -> _Match | bool:
    """What is left without the triangles of some material slots: a point of theirs may be a hole in one frame only."""
    if match is False or not slots:
        return match
    mesh = int(source.mesh[index])
    triangles = source.mesh_triangles(mesh)
    if isinstance(match, bool):
        match = _Match(np.arange(len(triangles), dtype=np.int32), triangles.copy())
    own = source.triangle_slots[source.triangle_start[mesh] : source.triangle_start[mesh + 1]]
    # Blender paints a face whose slot does not exist with the last slot there is
    last = int(source.slot_start[index + 1] - source.slot_start[index]) - 1
    kept = np.where(np.isin(np.minimum(own, last), slots), NO_TRIANGLE, match.triangle).astype(np.int32)
    return _Match(kept, match.corners) if (kept != NO_TRIANGLE).any() else False
