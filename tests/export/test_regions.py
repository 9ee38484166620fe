"""Which regions are the same: by exact motion, by points, and never by looks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from animerun_gen.export.labels import Motion
from animerun_gen.export.regions import SMALLEST, Regions, find_regions, identities, pairs_by_motion


def regions_of(rows: list[str]) -> Regions:
    """``#`` is a line, ``.`` the background, a letter an object."""
    picture = np.array([list(row) for row in rows])
    objects = np.where(np.isin(picture, ["#", "."]), 0, np.vectorize(ord)(picture)).astype(np.uint16)
    return find_regions(picture == "#", objects, np.minimum(objects, 1).astype(np.uint16))


def moved(shape: tuple[int, int], u: float, known: bool = True) -> Motion:
    flow = np.zeros((*shape, 2), np.float32)
    flow[..., 0] = u
    return Motion(flow, np.full(shape, known), True)


TWO = regions_of(["aaaa#aaaa#....", "aaaa#aaaa#....", "aaaa#aaaa#...."])


def test_parts_of_one_object_that_lines_part_are_two_regions() -> None:
    assert TWO.count == 3
    assert TWO.number[0, 0] != TWO.number[0, 5] != TWO.number[0, 11]
    assert TWO.object_id.tolist() == [0, ord("a"), ord("a"), 0]
    names = identities([TWO, TWO], [pairs_by_motion(TWO, TWO, moved((3, 14), 0.0), None)], [])
    assert names[0].tolist() == names[1].tolist() == [0, 1, 2, -1]


def test_regions_are_followed_where_they_go() -> None:
    later = regions_of([".....aaaa#aaaa", ".....aaaa#aaaa", ".....aaaa#aaaa"])
    names = identities([TWO, later], [pairs_by_motion(TWO, later, moved((3, 14), 5.0), None)], [])
    left, right = names[0][TWO.number[0, 0]], names[0][TWO.number[0, 5]]
    assert names[1][later.number[0, 5]] == left
    assert names[1][later.number[0, 10]] == right
    assert left != right


def test_looks_are_no_reason_to_be_the_same() -> None:
    unknown = pairs_by_motion(TWO, TWO, moved((3, 14), 0.0, known=False), None)
    hidden = pairs_by_motion(TWO, TWO, moved((3, 14), 0.0), np.ones((3, 14), bool))
    for pairs in (unknown, hidden):
        names = identities([TWO, TWO], [pairs], [])
        assert names[0].tolist() == [0, 1, 2, -1]
        assert names[1].tolist() == [0, 3, 4, -1]


def test_a_point_that_is_followed_joins_what_was_hidden_in_between() -> None:
    nothing = regions_of(["." * 14] * 3)
    point = [np.array([1]), np.array([0]), np.array([1])]
    none: list[npt.NDArray[np.int64]] = [np.empty((0, 2), np.int64)] * 2
    names = identities([TWO, nothing, TWO], none, point)
    assert names[0][1] == names[2][1]
    assert names[0][2] != names[2][2]


def test_regions_that_one_region_becomes_are_one() -> None:
    whole = regions_of(["aaaaaaaaa#....", "aaaaaaaaa#....", "aaaaaaaaa#...."])
    names = identities([whole, TWO], [pairs_by_motion(whole, TWO, moved((3, 14), 0.0), None)], [])
    assert len({int(names[0][1]), int(names[1][1]), int(names[1][2])}) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_regions_are_what_the_lines_leave(seed: int) -> None:
    """A reader that fills between the lines finds the same regions, and each is of one surface."""
    rng = np.random.default_rng(seed)
    objects = rng.integers(0, 3, (5, 6)).repeat(4, axis=0).repeat(4, axis=1).astype(np.uint16)
    materials = rng.integers(0, 2, (10, 12)).repeat(2, axis=0).repeat(2, axis=1).astype(np.uint16)
    lines = rng.random(objects.shape) < 0.2
    regions = find_regions(lines, objects, materials)
    filled = label(~regions.lines, connectivity=1)  # type: ignore[no-untyped-call]
    assert filled.max() == regions.count
    for part in range(1, regions.count + 1):
        inside = filled == part
        assert len(np.unique(regions.number[inside])) == 1
        assert len(np.unique(objects[inside])) == 1
        assert np.count_nonzero(inside) >= SMALLEST
        if objects[inside][0]:
            assert len(np.unique(materials[inside])) == 1
    # lines stay lines
    assert not regions.number[lines].any()
