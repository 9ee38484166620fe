"""The truth of the random scenes, where it can be said in closed form: no Blender, and no line of the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_scene.frames import Frame, Placed, Surface
from random_scene.pinhole import Pinhole
from random_scene.truth import Proof, Seen, State, World, pair_truth

SIZE = (40, 24)
DEPTH = 10.0


def camera(**changes: Any) -> Pinhole:
    """Looks down the z axis from 10 units above; 40 pixels are 20 units there."""
    world = np.eye(4)
    world[2, 3] = DEPTH
    values: dict[str, Any] = {
        "world": world,
        "perspective": True,
        "scale": 0.5,
        "fit": 40.0,
        "shift": (0.0, 0.0),
        "size": SIZE,
        "clip": (0.1, 100.0),
    }
    return Pinhole(**(values | changes))


def square(size: float = 4.0, face: int = 1, z: float = 0.0, uv: bool = True) -> Surface:
    """One face that looks at the camera, as two triangles."""
    points = np.array([(-size, -size, z), (size, -size, z), (size, size, z), (-size, size, z)], np.float64)
    triangles = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    return Surface(
        points=points,
        triangles=triangles,
        corners=triangles,
        faces=np.zeros(2, np.int32),
        face_starts=np.array([0, 4]),
        corner_points=np.arange(4, dtype=np.int32),
        uv=np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64) if uv else None,
        keys=np.array([[face, 0]]),
    )


def placed(surface: Surface, x: float = 0.0, name: str = "square", **changes: Any) -> Placed:
    matrix = np.eye(4)
    matrix[0, 3] = x
    return Placed(name, changes.get("parent", ""), changes.get("identity", ()), surface, matrix)


def world(number: int, *surfaces: Placed, seen_by: Pinhole | None = None) -> World:
    return World(Frame(number, seen_by or camera(), list(surfaces)))


def flow_of(truth: Any, x: int, y: int) -> np.ndarray[Any, Any]:
    return truth.targets[y, x, 0] - (x, y)


def test_the_pinhole_finds_its_rays_again() -> None:
    turn = np.eye(4)
    turn[:3, :3] = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn[:3, 3] = (1.0, -2.0, 3.0)
    pixels = np.random.default_rng(2).uniform(0, 20, (50, 2))
    for perspective in (True, False):
        tried = camera(world=turn, perspective=perspective, shift=(0.1, -0.2))
        origins, directions = tried.rays(pixels)
        places, depths = tried.project(origins + 7.0 * directions)
        np.testing.assert_allclose(places, pixels, atol=1e-9)
        np.testing.assert_allclose(depths, 7.0)


def test_the_pinhole_projects_as_a_formula_says() -> None:
    # the middle of the picture is between the pixels 19 and 20; 2 units to the right are 4 pixels, 1 up is 2 less
    places, depths = camera().project(np.array([(2.0, 1.0, 0.0)]))
    np.testing.assert_allclose(places, [(19.5 + 4.0, 11.5 - 2.0)])
    np.testing.assert_allclose(depths, DEPTH)
    shifted, _ = camera(shift=(0.25, 0.0)).project(np.array([(0.0, 0.0, 0.0)]))
    np.testing.assert_allclose(shifted, [(9.5, 11.5)])
    assert np.isnan(camera().project(np.array([(0.0, 0.0, DEPTH + 1.0)]))[0]).all()


def test_a_square_that_slides_moves_by_its_distance_over_the_depth() -> None:
    truth = pair_truth(
        world(1, placed(square())), world(2, placed(square(), x=1.5)), {"square": Proof.NUMBER}, {"square": 3}
    )
    assert truth.state[12, 20] == State.KNOWN
    np.testing.assert_allclose(flow_of(truth, 20, 12), (3.0, 0.0), atol=1e-9)
    assert truth.seen[12, 20] == Seen.YES
    assert truth.kept[12, 20]
    assert truth.recipe[12, 20] == 3
    assert truth.recipe[0, 0] == -1
    np.testing.assert_allclose(flow_of(truth, 0, 0), 0.0, atol=1e-9)


def test_what_is_in_the_way_hides_and_its_edge_is_unsure() -> None:
    cover = placed(square(size=1.0, z=1.0), x=-2.0, name="cover")
    there = world(2, placed(square()), cover)
    truth = pair_truth(world(1, placed(square())), there, {"square": Proof.NUMBER}, {})
    middle = camera().project(np.array([(-2.0 * DEPTH / 9.0, 0.0, 0.0)]))[0][0].astype(int)
    assert truth.seen[middle[1], middle[0]] == Seen.NO
    assert truth.seen[12, 22] == Seen.YES
    edge = camera().project(np.array([(-1.0 * DEPTH / 9.0, 0.0, 0.0)]))[0][0].astype(int)
    assert truth.seen[edge[1], edge[0]] == Seen.UNSURE


def test_a_carried_identity_is_followed_whatever_its_number() -> None:
    """The second frame has another face before it, so every number is another."""
    here, there = square(face=7), square(face=8)
    both = Surface(
        points=np.concatenate([there.points + np.array((9.0, 0, 0)), here.points + np.array((1.0, 0, 0))]),
        triangles=np.concatenate([there.triangles, here.triangles + 4]),
        corners=np.concatenate([there.corners, here.corners + 4]),
        faces=np.array([0, 0, 1, 1], np.int32),
        face_starts=np.array([0, 4, 8]),
        corner_points=np.arange(8, dtype=np.int32),
        uv=np.concatenate([there.uv, here.uv]),
        keys=np.array([[8, 0], [7, 0]]),
    )
    truth = pair_truth(world(1, placed(here)), world(2, placed(both)), {"square": Proof.CARRIED}, {})
    assert truth.state[12, 20] == State.KNOWN
    np.testing.assert_allclose(flow_of(truth, 20, 12), (2.0, 0.0), atol=1e-9)
    assert not truth.kept.any()
    gone = pair_truth(world(2, placed(both)), world(1, placed(here)), {"square": Proof.CARRIED}, {})
    assert gone.state[12, 36] == State.GONE


def test_a_face_is_known_by_its_corners_wherever_they_begin() -> None:
    here, there = square(uv=False), square(uv=False)
    here.names = np.array([5, 6, 7, 8])
    # the same vertices, in another order, and the face begins at another corner
    order = np.array([2, 3, 0, 1])
    there.points, there.names = there.points[order], here.names[order]
    truth = pair_truth(world(1, placed(here)), world(2, placed(there, x=1.0)), {"square": Proof.CORNERS}, {})
    # a ray that meets the edge between the two triangles is left out
    assert (truth.state[6:18, 14:26] != State.NO_IDENTITY).all()
    for x, y in ((20, 12), (15, 8), (24, 9), (16, 16)):
        np.testing.assert_allclose(flow_of(truth, x, y), (2.0, 0.0), atol=1e-9)
    there.names = there.names + np.array([0, 0, 0, 1])
    other = pair_truth(world(1, placed(here)), world(2, placed(there)), {"square": Proof.CORNERS}, {})
    assert other.state[12, 20] == State.NO_IDENTITY


def test_what_is_made_anew_is_known_only_where_nothing_moved_in_it() -> None:
    bent = square(uv=False)
    bent.points = bent.points + np.array((0, 0, 1e-3))
    proofs = {"square": Proof.NONE}
    moved = pair_truth(world(1, placed(square(uv=False))), world(2, placed(bent)), proofs, {})
    assert moved.state[12, 20] == State.NO_IDENTITY
    still = pair_truth(world(1, placed(square(uv=False))), world(2, placed(square(uv=False), x=1.0)), proofs, {})
    assert still.state[12, 20] == State.KNOWN
    np.testing.assert_allclose(flow_of(still, 20, 12), (2.0, 0.0), atol=1e-9)


def test_a_window_on_what_stands_still_keeps_its_places() -> None:
    small, large = square(size=1.0, uv=False), square(size=3.0, uv=False)
    proofs = {"square": Proof.PLACE}
    truth = pair_truth(world(1, placed(large)), world(2, placed(small, x=1.0)), proofs, {})
    np.testing.assert_allclose(flow_of(truth, 20, 12), (2.0, 0.0), atol=1e-9)
    assert truth.state[12, 24] == State.GONE


def test_a_face_split_otherwise_is_followed_onto_its_surface() -> None:
    here, there = square(), square()
    there.points = there.points.copy()
    there.points[2, 2] = 2.0
    there.triangles = there.corners = np.array([(0, 1, 3), (1, 2, 3)], np.int32)
    truth = pair_truth(world(1, placed(here)), world(2, placed(there)), {"square": Proof.NUMBER}, {})
    x, y = 21, 9  # where the other diagonal puts it onto the bent half
    assert truth.split[y, x]
    assert not truth.kept[y, x]
    # in the face, from -1 to 1: the bent half rises by the sum of both
    u, v = (x - 19.5) / 8.0, (11.5 - y) / 8.0
    height = max(0.0, u + v)
    expected = camera().project(np.array([(4 * u, 4 * v, height)]))[0][0]
    np.testing.assert_allclose(truth.targets[y, x, 0], expected, atol=1e-9)


def test_on_the_edge_between_two_triangles_nothing_unknown_is_held() -> None:
    """The diagonal of a face runs exactly through pixels; which of its triangles is seen there is anyone's guess."""
    here = square(uv=False)
    bent = square(uv=False)
    bent.points = bent.points + np.array((0, 0, 1e-3))
    truth = pair_truth(world(1, placed(here)), world(2, placed(bent)), {"square": Proof.NONE}, {})
    # the diagonal rises to the right, and the middle of the picture is between pixels
    assert truth.state[11, 20] == State.SKIPPED
    assert truth.state[11, 22] == State.NO_IDENTITY


def test_an_object_that_is_not_there_is_gone() -> None:
    truth = pair_truth(world(1, placed(square())), world(2), {"square": Proof.NUMBER}, {})
    assert truth.state[12, 20] == State.GONE


def test_a_square_without_area_is_seen_nowhere() -> None:
    flat = placed(square())
    flat.matrix = flat.matrix.copy()
    flat.matrix[:3, :3] = 0.0
    truth = pair_truth(world(1, placed(square())), world(2, flat), {"square": Proof.NUMBER}, {})
    assert truth.state[12, 20] == State.KNOWN
    assert truth.seen[12, 20] == Seen.NO


def test_instances_told_apart_by_numbers_are_kept_only_among_the_same() -> None:
    here = world(1, placed(square(), parent="points", identity=("points", (4.0,))))
    same = world(2, placed(square(), parent="points", identity=("points", (4.0,))))
    other = placed(square(), x=30.0, parent="points", identity=("points", (3.0,)))
    more = world(2, other, placed(square(), parent="points", identity=("points", (4.0,))))
    assert pair_truth(here, same, {"square": Proof.NUMBER}, {}).kept[12, 20]
    truth = pair_truth(here, more, {"square": Proof.NUMBER}, {})
    assert truth.state[12, 20] == State.KNOWN
    assert not truth.kept[12, 20]


def test_a_mesh_that_was_to_keep_its_faces_is_a_mistake_of_the_builder() -> None:
    other = square(uv=False)
    other.corner_points = np.array([1, 2, 3, 0], np.int32)
    with pytest.raises(ValueError, match="square was to keep its faces"):
        pair_truth(world(1, placed(square(uv=False))), world(2, placed(other)), {"square": Proof.NUMBER}, {})
