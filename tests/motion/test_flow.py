"""Exact flow against analytic projections and rays."""

from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.conventions import UNKNOWN_FLOW, known_flow
from animerun_gen.motion import raster
from animerun_gen.motion.counterparts import NO_INSTANCE, find_counterparts
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.vector_pass import VectorPassAbilities, surface_problems
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    Thing,
    camera,
    cast,
    cube,
    frame,
    masks,
    orthographic,
    perspective,
    pixel_grid,
    plane,
    project,
    rays,
    rotation,
    soup,
    translation,
)

CAMERA_MOVES = {
    "still": (camera(perspective(1.1)), camera(perspective(1.1))),
    "zoom": (camera(perspective(1.1)), camera(perspective(1.4))),
    "shift": (camera(perspective(1.1)), camera(perspective(1.1, (0.2, -0.1)))),
    "dolly and pan": (
        camera(perspective(1.1)),
        camera(perspective(1.1), translation(0.1, 0.2, -0.4) @ rotation(1, 0.1) @ rotation(0, -0.07)),
    ),
    "orthographic shift, scale and turn": (
        camera(orthographic(3.0)),
        camera(orthographic(3.5, (0.2, 0.1)), translation(0.3, 0.1, 0.0) @ rotation(2, 0.2) @ rotation(1, 0.1)),
    ),
}


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_flow_of_rigid_things_is_their_projection(move: str) -> None:
    first_camera, second_camera = CAMERA_MOVES[move]
    places = (translation(-0.6, 0.1, -4) @ rotation(1, 0.3), translation(0.5, 0.0, -5) @ rotation(0, 0.5))
    moves = (translation(0.2, 0.1, -0.3) @ rotation(2, 0.2), rotation(1, -0.1))
    first = frame(1, first_camera, [cube(str(i), place) for i, place in enumerate(places)])
    second = frame(
        2, second_camera, [cube(str(i), m @ place) for i, (m, place) in enumerate(zip(moves, places, strict=True))]
    )
    motion = compute_motion(first, raster.draw(first), second)

    x, y = pixel_grid()
    instance, _, depth = cast(first, x, y)
    origins, directions = rays(first_camera, x, y)
    for index, matrix in enumerate(moves):
        here = instance == index
        points = origins[here] + depth[here, None] * directions[here]
        moved = points @ matrix[:3, :3].T + matrix[:3, 3]
        expected = project(second_camera, moved) - np.stack([x[here], y[here]], axis=1)
        assert here.sum() > 30
        assert np.abs(motion.flow.reshape(-1, 2)[here] - expected).max() < 1e-5
        assert motion.valid.ravel()[here].all()


def test_flow_of_a_deforming_mesh_follows_its_vertices() -> None:
    generator = np.random.default_rng(3)
    before = soup(generator, 12, depth=-12.0)
    after = Thing(
        before.key, before.vertices + generator.normal(0, 0.3, before.vertices.shape), before.triangles, np.eye(4)
    )
    first, second = (frame(n, camera(perspective(1.1)), [thing]) for n, thing in ((1, before), (2, after)))
    seen = raster.draw(first)
    motion = compute_motion(first, seen, second)
    x, y = pixel_grid()
    instance, triangle, depth = cast(first, x, y)
    origins, directions = rays(first.camera, x, y)
    checked = 0
    for pixel in np.flatnonzero(instance >= 0):
        a, b, c = before.vertices[before.triangles[triangle[pixel]]]
        point = origins[pixel] + depth[pixel] * directions[pixel]
        shares, *_ = np.linalg.lstsq(np.stack([b - a, c - a], axis=1), point - a, rcond=None)
        a, b, c = after.vertices[after.triangles[triangle[pixel]]]
        moved = a + shares[0] * (b - a) + shares[1] * (c - a)
        expected = project(second.camera, moved[None])[0] - (x[pixel], y[pixel])
        if moved[2] < -0.5:
            assert np.abs(motion.flow.reshape(-1, 2)[pixel] - expected).max() < 1e-3
            checked += 1
    assert checked > 100


def test_a_static_scene_has_flow_of_exactly_zero() -> None:
    generator = np.random.default_rng(5)
    things = [soup(generator, 20), cube("cube", translation(0.1, 0.2, -4) @ rotation(1, 0.3))]
    view = camera(perspective(1.3, (0.01, 0.02)), translation(0.1, 0.2, 0.3) @ rotation(0, 0.2))
    first, second = frame(1, view, things), frame(2, view, things)
    seen = raster.draw(first)
    motion = compute_motion(first, seen, second)
    assert motion.valid.all()
    assert (motion.flow == 0.0).all()
    assert not exact_occlusion(motion, second).any()


@pytest.mark.parametrize(
    "change",
    ["gone", "other topology", "made anew", "other camera", "behind the camera"],
)
def test_what_cannot_be_known_is_marked(change: str) -> None:
    wall = plane("wall", translation(0, 0, -9), 30.0)
    box = cube("box", translation(0, 0, -4))
    later = cube("box", translation(0.1, 0, -4))
    view = camera(perspective(1.0))
    first = frame(1, view, [wall, box])
    second_things, second_view = [wall, later], view
    if change == "gone":
        second_things = [wall]
    elif change == "other topology":
        later.topology = b"another"
    elif change == "made anew":
        later.ordered = False
        later.vertices = later.vertices * 1.01
    elif change == "other camera":
        second_view = camera(perspective(1.0), name="another")
    elif change == "behind the camera":
        later.matrix = translation(0, 0, 4)
    seen = raster.draw(first)
    motion = compute_motion(first, seen, frame(2, second_view, second_things))
    unknown = np.ones((HEIGHT, WIDTH), bool) if change == "other camera" else seen.instance == 1
    assert np.array_equal(motion.valid, ~unknown)
    assert (motion.flow[unknown] == UNKNOWN_FLOW).all()
    assert np.array_equal(known_flow(motion.flow), motion.valid)
    assert exact_occlusion(motion, frame(2, second_view, second_things))[unknown].all()


def test_a_thing_made_anew_that_only_moves_as_a_whole_is_known() -> None:
    things = [cube("blob", translation(0, 0, -4)), cube("blob", translation(0.2, 0, -4))]
    for thing in things:
        thing.ordered = False
    first, second = (frame(n, camera(perspective(1.0)), [thing]) for n, thing in enumerate(things))
    assert find_counterparts(first, second).instance.tolist() == [0]


def test_counterparts_are_found_by_key_whatever_the_order() -> None:
    view = camera(perspective(1.0))
    first = frame(1, view, [cube("a", np.eye(4)), plane("b", np.eye(4)), cube("c", np.eye(4))])
    second = frame(2, view, [plane("b", np.eye(4)), cube("c", np.eye(4)), plane("a", np.eye(4))])
    assert find_counterparts(first, second).instance.tolist() == [NO_INSTANCE, 0, 1]


@pytest.mark.parametrize("mode", ["infinity", "static", "invalid"])
def test_background_moves_as_asked(mode: str) -> None:
    turn = translation(0.3, 0.1, 0.2) @ rotation(1, 0.08) @ rotation(2, 0.05)
    first = frame(1, camera(perspective(1.2)), [])
    second = frame(2, camera(perspective(1.0, (0.1, 0.0)), turn), [])
    motion = compute_motion(first, raster.draw(first), second, mode)  # type: ignore[arg-type]
    if mode == "invalid":
        assert not motion.valid.any()
        return
    assert motion.valid.all()
    if mode == "static":
        assert (motion.flow == 0.0).all()
        return
    x, y = pixel_grid()
    origins, directions = rays(first.camera, x, y)
    expected = project(second.camera, origins + 1e9 * directions) - np.stack([x, y], axis=1)
    assert np.abs(motion.flow.reshape(-1, 2) - expected).max() < 1e-5
    assert np.abs(expected).max() > 1.0


def test_background_of_an_orthographic_camera() -> None:
    first = frame(1, camera(orthographic(3.0)), [])
    seen = raster.draw(first)
    slid = frame(2, camera(orthographic(3.0), translation(0.5, 0.0, 0.0)), [])
    motion = compute_motion(first, seen, slid)
    assert np.allclose(motion.flow[..., 0], -0.5 / 6.0 * WIDTH)
    assert np.allclose(motion.flow[..., 1], 0.0)
    turned = frame(2, camera(orthographic(3.0), rotation(1, 0.1)), [])
    assert not compute_motion(first, seen, turned).valid.any()


def test_background_behind_a_camera_that_turned_round_is_unknown() -> None:
    first = frame(1, camera(perspective(1.0)), [])
    second = frame(2, camera(perspective(1.0), rotation(1, np.pi)), [])
    assert not compute_motion(first, raster.draw(first), second).valid.any()


def test_exact_occlusion_is_what_a_ray_to_the_target_point_says() -> None:
    wall = plane("wall", translation(0, 0, -9), 30.0)
    first = frame(1, camera(perspective(1.0)), [wall, cube("box", translation(-0.8, 0, -4) @ rotation(1, 0.2))])
    second = frame(
        2,
        camera(perspective(1.0), translation(0.3, 0, 0)),
        [wall, cube("box", translation(0.4, 0.2, -4) @ rotation(1, 0.5))],
    )
    seen = raster.draw(first)
    motion = compute_motion(first, seen, second)
    occluded = exact_occlusion(motion, second)
    _, _, depth = cast(second, motion.x.ravel(), motion.y.ravel())
    outside = ((motion.x < -0.5) | (motion.x >= WIDTH - 0.5) | (motion.y < -0.5) | (motion.y >= HEIGHT - 0.5)).ravel()
    expected = outside | (depth < motion.depth.ravel() * (1 - 1e-6))
    assert np.array_equal(occluded.ravel(), expected)
    assert 0.05 < expected.mean() < 0.6


def test_flow_and_occlusion_follow_what_is_seen_through_a_hole() -> None:
    left_half = np.array([[True, False]])
    card = plane("card", translation(0, 0, -4), 1.5)
    card.uvs, card.slot_masks = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]]), (0,)
    wall = plane("wall", translation(0, 0, -8), 9.0)
    seen_by = camera(perspective(1.1))
    first = frame(1, seen_by, [card, wall], masks(left_half))
    card.matrix = translation(0.5, 0, -4)
    wall.matrix = translation(0, 0.5, -8)
    second = frame(2, seen_by, [card, wall], masks(left_half))
    seen = raster.draw(first)
    motion = compute_motion(first, seen, second)
    hole = (slice(12, 20), slice(WIDTH // 2 - 7, WIDTH // 2 - 1))
    assert (seen.instance[hole] == 1).all()
    # what the hole shows moves as the wall does, upwards, and the card beside it to the right
    assert (motion.flow[hole][..., 1] < -1.0).all()
    assert np.abs(motion.flow[hole][..., 0]).max() < 1e-9
    leaf = seen.instance == 0
    assert (motion.flow[leaf][:, 0] > 1.0).all()
    # the hole moves on: part of the wall comes to light, none of what it shows is lost before the card's left border
    occluded = exact_occlusion(motion, second)
    assert not occluded[hole].any()
    solid = exact_occlusion(motion, frame(2, seen_by, [card, wall]))
    assert solid[hole].any()
    # holes that slide over the surface: which of its points are there at both frames is not known
    card.uvs = card.uvs + np.array([0.25, 0.0])
    slid = frame(2, seen_by, [card, wall], masks(left_half))
    assert find_counterparts(first, second).instance.tolist() == [0, 1]
    assert find_counterparts(first, slid).instance.tolist() == [NO_INSTANCE, 1]
    reasons = surface_problems(first, seen, second, VectorPassAbilities(zoom=True, moving_orthographic=True))
    assert any("holes" in reason for reason in reasons)
