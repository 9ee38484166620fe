"""Vertices of a mesh from a file are found again by the faces of their part, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.motion.parts import identities_by_faces

Faces = list[tuple[int, ...]]

FAN: Faces = [(0, 1, 2), (0, 2, 3), (0, 3, 4)]
QUADS: Faces = [(0, 1, 2, 3), (3, 2, 4, 5)]
TENT: Faces = [(0, 1, 2), (1, 0, 3)]


def laid_out(*parts: Faces) -> tuple[int, np.ndarray, np.ndarray, list[int]]:
    """Parts one after the other: count of vertices, first corners, corners, and the first vertex of each part."""
    count = 0
    corners: list[int] = []
    starts: list[int] = []
    first: list[int] = []
    for faces in parts:
        first.append(count)
        for face in faces:
            starts.append(len(corners))
            corners += [count + vertex for vertex in face]
        count += 1 + max(max(face) for face in faces)
    return count, np.array(starts, np.int32), np.array(corners, np.int32), first


def identities(*parts: Faces) -> list[np.ndarray]:
    count, starts, corners, first = laid_out(*parts)
    return np.split(identities_by_faces(count, starts, corners), first[1:])


def test_parts_are_found_in_whatever_order_they_stand() -> None:
    fan, quads, tent = identities(FAN, QUADS, TENT)
    moved = identities(TENT, FAN, QUADS)
    for mine, other in ((tent, moved[0]), (fan, moved[1]), (quads, moved[2])):
        assert np.array_equal(mine, other)
    everything = np.concatenate([fan, quads, tent])
    assert len(set(everything.tolist())) == len(everything)
    assert (everything != 0).all()


def test_a_part_that_is_there_twice_is_unknown_and_the_others_are_not() -> None:
    fan, first, second = identities(FAN, TENT, TENT)
    assert (fan != 0).all()
    assert not first.any()
    assert not second.any()


def test_where_a_part_is_gone_the_others_may_be_others() -> None:
    """Two drops, one of which is there in each frame: nothing tells that the one is the other."""
    fan, tent = identities(FAN, TENT)
    (alone,) = identities(FAN)
    assert not set(fan.tolist()) & set(alone.tolist())
    assert (tent != 0).all()


def test_other_faces_are_another_part() -> None:
    (fan,), (turned,) = identities(FAN), identities([(0, 1, 2), (0, 2, 3), (3, 4, 0)])
    assert not set(fan.tolist()) & set(turned.tolist())
    (longer,) = identities([*FAN, (0, 4, 5)])
    assert not set(fan.tolist()) & set(longer.tolist())


def test_texture_coordinates_tell_equal_parts_apart() -> None:
    count, starts, corners, _ = laid_out(TENT, TENT)
    uvs = np.random.default_rng(3).random((len(corners), 2)).astype(np.float32)
    told = identities_by_faces(count, starts, corners, [uvs])
    assert (told != 0).all()
    # the other way round in the file, with their coordinates: each is found
    half = len(corners) // 2
    swapped = identities_by_faces(count, starts, corners, [np.roll(uvs, half, axis=0)])
    assert np.array_equal(np.roll(swapped, count // 2), told)


def test_loose_vertices_have_no_identity() -> None:
    count, starts, corners, _ = laid_out(FAN)
    told = identities_by_faces(count + 2, starts, corners)
    assert (told[:count] != 0).all()
    assert not told[count:].any()
    assert not identities_by_faces(4, np.empty(0, np.int32), np.empty(0, np.int32)).any()


@pytest.mark.parametrize("seed", range(5))
def test_vertices_numbered_anew_within_a_part_do_not_keep_their_identities(seed: int) -> None:
    """Numbers are all that a file has: another order of vertices must look like another part."""
    generator = np.random.default_rng(seed)
    count, starts, corners, _ = laid_out(FAN)
    order = generator.permutation(count)
    while np.array_equal(order, np.arange(count)):
        order = generator.permutation(count)
    before = identities_by_faces(count, starts, corners)
    after = identities_by_faces(count, starts, order[corners].astype(np.int32))
    assert not set(before.tolist()) & set(after.tolist())
