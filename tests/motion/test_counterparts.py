"""What is proven to be the same in two frames, held against slow matching by hand."""

import numpy as np
import pytest

from animerun_gen.motion import raster
from animerun_gen.motion.counterparts import NO_INSTANCE, NO_TRIANGLE, SAME_NUMBERS, find_counterparts
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from tests.motion.synthetic import Thing, camera, frame, masks, perspective, plane, translation

VIEW = camera(perspective(1.1))


def bars(numbers: list[int], *, copies: bool = False) -> Thing:
    """Upright bars beside each other, all of one mesh; bar ``n`` stands at its place whichever others there are."""
    vertices, triangles, identities = [], [], []
    for position, number in enumerate(numbers):
        x = 0.5 * number - 1.5
        vertices += [(x, -1, 0), (x + 0.3, -1, 0), (x + 0.3, 1, 0), (x, 1, 0)]
        triangles += [(4 * position + a, 4 * position + b, 4 * position + c) for a, b, c in ((0, 1, 2), (0, 2, 3))]
        identities += [101, 102, 103, 104] if copies else [100 * number + k for k in (1, 2, 3, 4)]
    return Thing(
        "bars",
        np.array(vertices, float),
        np.array(triangles),
        translation(0, 0, -4),
        ordered=False,
        single=not copies,
        identities=np.array(identities),
    )


def motion_between(before: Thing, after: Thing):  # type: ignore[no-untyped-def]
    first, second = frame(1, VIEW, [before]), frame(2, VIEW, [after])
    seen = raster.draw(first)
    return seen, compute_motion(first, seen, second), second


def test_bars_that_are_numbered_anew_are_found_by_what_they_carry() -> None:
    before, after = bars([0, 1, 2, 3]), bars([1, 2, 3, 4])
    seen, motion, second = motion_between(before, after)
    gone = (seen.instance == 0) & (seen.triangle < 2)
    stays = (seen.instance == 0) & ~gone
    assert gone.any()
    assert stays.any()
    assert not motion.valid[gone].any()
    assert motion.valid[stays].all()
    assert (motion.flow[stays] == 0.0).all()
    # each point lies on the triangle of its bar, which is two numbers lower now
    assert np.array_equal(motion.triangle[stays], seen.triangle[stays] - 2)
    assert not exact_occlusion(motion, second)[stays].any()


def test_bars_that_move_while_they_are_numbered_anew_take_their_points_along() -> None:
    before, after = bars([0, 1, 2, 3]), bars([3, 1, 2, 0])
    after.vertices[:, 1] += 0.25
    seen, motion, _ = motion_between(before, after)
    on = seen.instance == 0
    assert motion.valid[on].all()
    assert np.abs(motion.flow[on][:, 0]).max() < 1e-9
    assert np.allclose(motion.flow[on][:, 1], motion.flow[on][0, 1])
    assert motion.flow[on][0, 1] < -0.5


def test_copies_are_not_told_apart_by_what_all_of_them_carry() -> None:
    seen, motion, _ = motion_between(bars([0, 1, 2, 3], copies=True), bars([1, 2, 3, 4], copies=True))
    assert not motion.valid[seen.instance == 0].any()


def test_one_copy_alone_is_not_known_either() -> None:
    seen, motion, _ = motion_between(bars([1], copies=True), bars([2], copies=True))
    assert not motion.valid[seen.instance == 0].any()


def test_copies_that_do_not_move_within_their_mesh_are_the_same() -> None:
    before, after = bars([0, 1, 2], copies=True), bars([0, 1, 2], copies=True)
    after.matrix = translation(0.2, 0, -4)
    seen, motion, _ = motion_between(before, after)
    assert motion.valid[seen.instance == 0].all()


def test_a_mesh_numbered_by_construction_needs_no_identities() -> None:
    before, after = bars([0, 1, 2]), bars([0, 1, 2])
    for thing in (before, after):
        thing.identities, thing.single, thing.ordered = None, False, True
    after.vertices[:, 1] *= 1.1
    seen, motion, _ = motion_between(before, after)
    assert motion.valid[seen.instance == 0].all()
    # what carries other identities is another mesh, whatever numbered it
    after.identities = np.arange(1, 13)
    seen, motion, _ = motion_between(before, after)
    assert not motion.valid[seen.instance == 0].any()


def test_only_faces_without_new_corners_are_known() -> None:
    before, after = bars([0, 1, 2]), bars([0, 1, 2])
    after.identities = np.array(after.identities)
    after.identities[[0, 6]] = 0  # as a Boolean leaves its new vertices
    after.vertices[:, 1] *= 1.1
    first, second = frame(1, VIEW, [before]), frame(2, VIEW, [after])
    twins = find_counterparts(first, second)
    assert twins.triangle.tolist() == [NO_TRIANGLE] * 2 + [NO_TRIANGLE] * 2 + [4, 5]
    assert np.array_equal(twins.corners[4:], after.triangles[4:])


@pytest.mark.parametrize("seed", range(6))
def test_matching_equals_slow_matching(seed: int) -> None:
    generator = np.random.default_rng(seed)

    def thing() -> Thing:
        identities = generator.integers(0, 9, 12)
        triangles = generator.integers(0, 12, (40, 3))
        vertices = generator.normal(size=(12, 3))
        return Thing("x", vertices, triangles, translation(0, 0, -6), ordered=False, single=True, identities=identities)

    one, other = thing(), thing()

    def key(made: Thing, triangle: int) -> tuple[int, ...] | None:
        corners = tuple(int(made.identities[v]) for v in made.triangles[triangle])  # type: ignore[index]
        if 0 in corners or len(set(corners)) < 3:
            return None
        return min(corners[k:] + corners[:k] for k in range(3))

    keys, other_keys = ([key(made, t) for t in range(40)] for made in (one, other))
    expected = [
        other_keys.index(k) if k is not None and keys.count(k) == 1 and other_keys.count(k) == 1 else NO_TRIANGLE
        for k in keys
    ]
    twins = find_counterparts(frame(1, VIEW, [one]), frame(2, VIEW, [other]))
    found = twins.triangle.tolist() if twins.instance[0] != NO_INSTANCE else [NO_TRIANGLE] * 40
    assert found == expected
    for t, twin in enumerate(expected):
        if twin != NO_TRIANGLE:
            mine = one.identities[one.triangles[t]]  # type: ignore[index]
            assert np.array_equal(other.identities[twins.corners[t]], mine)  # type: ignore[index]
            assert set(twins.corners[t].tolist()) == set(other.triangles[twin].tolist())


def test_a_face_that_is_split_along_its_other_diagonal_is_unknown() -> None:
    card, bent = plane("card", translation(0, 0, -4)), plane("card", translation(0, 0, -4))
    bent.vertices = bent.vertices + np.array([[0, 0, 0.2], [0, 0, 0], [0, 0, 0.2], [0, 0, 0]])
    bent.triangles = np.array([[0, 1, 3], [1, 2, 3]])
    for thing in (card, bent):
        thing.topology = b"one quad"
    seen, motion, _ = motion_between(card, bent)
    assert not motion.valid[seen.instance == 0].any()
    bent.triangles = card.triangles
    seen, motion, second = motion_between(card, bent)
    assert motion.valid[seen.instance == 0].all()
    assert not exact_occlusion(motion, second)[seen.instance == 0].any()


def test_holes_must_lie_where_they_lay_on_every_triangle() -> None:
    laid = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    before, after = plane("card", translation(0, 0, -4)), plane("card", translation(0, 0, -4))
    before.identities = np.array([1, 2, 3, 4])
    # the same corners, numbered the other way round
    order = np.array([2, 3, 0, 1])
    after.vertices, after.identities = after.vertices[order], before.identities[order]
    after.triangles = np.array([[0, 1, 2], [2, 3, 0]])[::-1]
    for thing in (before, after):
        thing.ordered, thing.single, thing.slot_masks, thing.uvs = False, True, (0,), laid.copy()
    after.uvs = np.array([[[0, 0], [1, 0], [1, 1]], [[1, 1], [0, 1], [0, 0]]], float)
    image = masks(np.array([[True, False]]))
    first, second = frame(1, VIEW, [before], image), frame(2, VIEW, [after], image)
    twins = find_counterparts(first, second)
    assert twins.triangle.tolist() == [0, 1]
    after.uvs[1, 0] += 0.5
    twins = find_counterparts(first, frame(2, VIEW, [after], image))
    assert twins.triangle.tolist() == [0, NO_TRIANGLE]


def test_what_shrinks_to_nothing_is_nowhere() -> None:
    leaf, gone = plane("leaf", translation(0, 0, -4)), plane("leaf", translation(0, 0, -4))
    gone.matrix = gone.matrix @ np.diag([0.0, 0.0, 0.0, 1.0])
    seen, motion, second = motion_between(leaf, gone)
    on = seen.instance == 0
    assert not motion.valid[on].any()
    assert exact_occlusion(motion, second)[on].all()
    # flat in one direction is as bad: it covers nothing
    gone.matrix = translation(0, 0, -4) @ np.diag([1.0, 0.0, 1.0, 1.0])
    seen, motion, second = motion_between(leaf, gone)
    assert not motion.valid[on].any()
    # seen from its edge it is there, and cannot be seen
    gone.matrix = translation(0, 0, -4) @ np.array([[0, 0, 1, 0], [0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1.0]])
    seen, motion, second = motion_between(leaf, gone)
    assert motion.valid[on].all()
    assert exact_occlusion(motion, second)[on].all()


def test_motion_has_a_longest_length_and_ends_at_the_near_plane() -> None:
    leaf, far = plane("leaf", translation(0, 0, -4)), plane("leaf", translation(200, 0, -4))
    seen, motion, _ = motion_between(leaf, far)
    on = seen.instance == 0
    assert not motion.valid[on].any()
    far.matrix = translation(20, 0, -4)
    assert motion_between(leaf, far)[1].valid[on].all()
    far.matrix = translation(0, 0, -0.05)  # the near plane is at 0.1
    assert not motion_between(leaf, far)[1].valid[on].any()
    far.matrix = translation(0, 0, -0.15)
    assert motion_between(leaf, far)[1].valid[on].all()


def test_instances_of_one_mesh_share_what_was_found() -> None:
    before, after = bars([0, 1]), bars([1, 0])
    first = frame(1, VIEW, [before])
    second = frame(2, VIEW, [after])
    twins = find_counterparts(first, second)
    assert twins.start.tolist() == [0]
    found, corners = twins.triangles_of(first, np.array([0, 0]), np.array([0, 3]))
    assert found.tolist() == [2, 1]
    assert corners.tolist() == [[4, 5, 6], [0, 2, 3]]
    assert find_counterparts(first, first).start.tolist() == [SAME_NUMBERS]
