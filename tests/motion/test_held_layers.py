"""Frames of held layers against frames that are built by hand as the layers should stand, and against formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from animerun_gen.errors import SceneError
from animerun_gen.motion import raster, tracks
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.geometry import Camera, FrameGeometry, MarkedEdges
from animerun_gen.motion.held_layers import HeldPart, compose_layers, screen_transform
from tests.motion.synthetic import (
    WIDTH,
    Thing,
    camera,
    cube,
    frame,
    masks,
    orthographic,
    perspective,
    plane,
    project,
    rotation,
    soup,
    translation,
)
from tests.shade import scenes as shaded

FOCAL = 1.1
WALK, WALKER_DEPTH, SET_DEPTH = 0.35, 4.0, 10.0


def walker(at: int) -> Thing:
    """Steps to the right with each frame of the film, 4 units away."""
    return cube("walker", translation(-1.5 + WALK * at, 0.0, -WALKER_DEPTH) @ rotation(1, 0.3))


def wall() -> Thing:
    return plane("wall", translation(0.0, 0.0, -SET_DEPTH), half=40.0)


def seen_from(x: float) -> Camera:
    return camera(perspective(FOCAL), translation(x, 0.0, 0.0))


def film(at: int, pan: float) -> FrameGeometry:
    return frame(at, seen_from(pan * at), [wall(), walker(at)])


def part(geometry: FrameGeometry, keys: Sequence[str], on_screen: bool = False) -> HeldPart:
    chosen = np.isin(geometry.keys, keys)
    return HeldPart(geometry, chosen, chosen & on_screen)


def on_twos(at: int, pan: float, on_screen: bool = False) -> FrameGeometry:
    """The clip's frame in which the walker is as it was at the last even frame."""
    held = film(at - at % 2, pan)
    now = film(at, pan)
    if held.frame == at and not on_screen:
        return now
    return compose_layers(at, now.camera, [part(held, ["walker"], on_screen), part(now, ["wall"])]).geometry


def assert_same(found: Any, wanted: Any) -> None:
    """All that stands in two frames, or in parts of them, is the same."""
    assert type(found) is type(wanted)
    for field in fields(wanted):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        if hasattr(other, "__dataclass_fields__"):
            assert_same(one, other)
        elif isinstance(other, np.ndarray):
            assert one.dtype == other.dtype, field.name
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        else:
            assert one == other, field.name


def assert_shows_the_same(found: FrameGeometry, wanted: FrameGeometry) -> None:
    """Instance by instance, whatever the order of the meshes."""
    seen, expected = raster.draw(found), raster.draw(wanted)
    assert_same(seen, expected)
    assert_same(found.camera, wanted.camera)
    for name in ("frame", "keys", "modifiers"):
        assert getattr(found, name) == getattr(wanted, name)
    for name in ("matrices", "slot_start", "slot_materials", "object_ids", "ordered", "single", "owner_ids"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    for mesh, other in zip(found.mesh, wanted.mesh, strict=True):
        for read in (FrameGeometry.mesh_identities, FrameGeometry.mesh_uvs, FrameGeometry.mesh_vertices):
            np.testing.assert_array_equal(read(found, mesh), read(wanted, other))
        assert found.topologies[mesh] == wanted.topologies[other]
        assert found.numberings[mesh] == wanted.numberings[other]
        assert found.distinct[mesh] == wanted.distinct[other]


@pytest.mark.parametrize("pan", [0.0, 0.2])
def test_a_held_frame_is_the_one_that_is_built_so(pan: float) -> None:
    found, wanted = on_twos(3, pan), frame(3, seen_from(3 * pan), [wall(), walker(2)])
    assert_shows_the_same(found, wanted)
    # to the last array, so that what is the same in neighbouring frames is kept once
    assert_same(found, wanted)


def test_everything_of_one_frame_stays_as_it_is() -> None:
    now = film(3, 0.2)
    composed = compose_layers(3, now.camera, [part(now, ["walker", "wall"])])
    assert_same(composed.geometry, now)
    assert composed.instance.tolist() == [0, 1]


def test_flow_of_held_layers_by_formula() -> None:
    """Under a still camera a held cel stands still, and under a pan it moves as its depth says."""
    for pan in (0.0, 0.2):
        clip = [on_twos(at, pan) for at in range(3)]
        held = compute_motion(clip[0], raster.draw(clip[0]), clip[1])
        seen = raster.draw(clip[0])
        assert held.valid.all()
        assert (seen.instance == 1).sum() > 100
        pixels_a_unit = FOCAL * WIDTH / 2
        of_walker = seen.instance == 1
        expected = np.where(of_walker, -pan * pixels_a_unit / seen.depth, -pan * pixels_a_unit / SET_DEPTH)
        if pan == 0.0:
            assert (held.flow == 0.0).all()
        np.testing.assert_allclose(held.flow[..., 0], expected, atol=2e-6)
        np.testing.assert_allclose(held.flow[..., 1], 0.0, atol=2e-6)
        if pan == 0.0:
            assert not exact_occlusion(held, clip[1]).any()
        # two frames of the film at once
        seen = raster.draw(clip[1])
        step = compute_motion(clip[1], seen, clip[2])
        expected = (2 * WALK - pan) * pixels_a_unit / seen.depth[seen.instance == 1]
        np.testing.assert_allclose(step.flow[seen.instance == 1, 0], expected, rtol=1e-6)


def test_gaps_and_tracks_follow_what_is_shown() -> None:
    clip = [on_twos(at, 0.0) for at in range(4)]
    seen = raster.draw(clip[0])
    over_two = compute_motion(clip[0], seen, clip[3])
    on_walker = seen.instance == 1
    np.testing.assert_allclose(
        over_two.flow[on_walker, 0], 2 * WALK * FOCAL * WIDTH / 2 / seen.depth[on_walker], rtol=1e-6
    )
    found = [tracks.choose_points(clip[0], seen, 12, 0)]
    following = tracks.Following((0, 1, 2, 3), found, 12, 0)
    for geometry in clip:
        following.visit(geometry)
    x = following.tracks().position[..., 0].T
    # where it is chosen, a point is a pixel's centre to the last bit
    np.testing.assert_allclose(x[:, 0], x[:, 1], atol=1e-5)
    np.testing.assert_array_equal(x[:, 2], x[:, 3])
    assert (np.abs(x[:, 1] - x[:, 2]) > 1.0).any()


def test_what_is_held_on_the_screen_stands_still_in_the_picture() -> None:
    clip = [on_twos(at, 0.2, on_screen=True) for at in range(2)]
    seen = raster.draw(clip[0])
    motion = compute_motion(clip[0], seen, clip[1])
    on_walker = seen.instance == 1
    np.testing.assert_allclose(motion.flow[on_walker], 0.0, atol=1e-6)
    np.testing.assert_allclose(motion.flow[~on_walker, 0], -0.2 * FOCAL * WIDTH / 2 / SET_DEPTH, atol=1e-5)


MOVES = {
    "turn, lens and shift": (
        camera(perspective(1.1)),
        camera(perspective(1.5, (0.2, -0.1)), translation(0.3, 0.1, 0.4) @ rotation(1, 0.2) @ rotation(0, 0.1)),
    ),
    "orthographic": (
        camera(orthographic(3.0, (0.1, 0.0)), rotation(2, 0.3)),
        camera(orthographic(3.5, (0.2, 0.1)), translation(0.3, 0.1, 0.0) @ rotation(1, 0.1)),
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_the_screen_is_held_through_any_change_of_the_camera(move: str) -> None:
    held, now = MOVES[move]
    points = np.random.default_rng(0).uniform(-2.0, 2.0, (50, 3)) + np.array([0.0, 0.0, -6.0])
    moved = np.concatenate([points, np.ones((50, 1))], axis=1) @ screen_transform(held, now).T
    np.testing.assert_allclose(moved[:, 3], 1.0)
    np.testing.assert_allclose(project(now, moved[:, :3]), project(held, points), atol=1e-9)
    depths = [-(np.linalg.inv(each.world) @ [*at, 1.0])[2] for each, at in ((held, points[0]), (now, moved[0, :3]))]
    assert depths[0] == pytest.approx(depths[1])


def test_a_camera_that_stands_still_moves_nothing_on_the_screen() -> None:
    held = camera(perspective(1.1), rotation(1, 0.7) @ translation(0.1, 0.2, 0.3))
    assert np.array_equal(screen_transform(held, replace(held, name="other")), np.eye(4))


def test_the_screen_is_not_held_between_kinds_of_projection() -> None:
    with pytest.raises(SceneError, match="set its timing's hold to world"):
        screen_transform(camera(perspective(1.1)), camera(orthographic(3.0)))


def rich(at: int) -> list[Thing]:
    """Things with holes, slots and identities, of different sizes."""
    generator = np.random.default_rng(at)
    uvs = generator.uniform(0.0, 1.0, (2, 3, 2))
    holed = replace(plane("holed", translation(0.0, 0.1 * at, -5.0)), uvs=uvs, slots=(3, 4), slot_masks=(0, -1))
    other = replace(soup(generator, 5 + at, "soup"), identities=np.arange(1, 3 * (5 + at) + 1))
    also_holed = replace(plane("also holed", translation(0.3, 0.0, -4.0)), uvs=uvs[::-1], slot_masks=(1,))
    return [cube("cube", translation(0.2 * at, 0.0, -6.0)), holed, other, also_holed]


WITH_HOLES = masks(np.eye(4, dtype=bool), np.ones((2, 3), bool))


@pytest.mark.parametrize("held", [["holed"], ["cube", "also holed"], ["soup"], ["cube", "holed", "soup", "also holed"]])
def test_holes_slots_and_identities_come_along(held: list[str]) -> None:
    first, second = (frame(at, camera(perspective(1.1)), rich(at), WITH_HOLES) for at in (1, 2))
    others = [key for key in second.keys if key not in held]
    composed = compose_layers(2, second.camera, [part(first, held), part(second, others)])
    things = [old if old.key in held else new for old, new in zip(rich(1), rich(2), strict=True)]
    wanted = frame(2, second.camera, things, WITH_HOLES)
    assert_shows_the_same(composed.geometry, wanted)
    assert composed.geometry.holes is not None
    assert wanted.holes is not None
    assert np.array_equal(composed.geometry.holes.slot_masks, wanted.holes.slot_masks)
    assert np.array_equal(np.array(composed.geometry.keys)[composed.part == 0], [k for k in wanted.keys if k in held])


def test_normals_come_along() -> None:
    things = [
        cube("flat", translation(0.0, 0.0, -6.0)),
        cube("smooth", translation(2.0, 0.0, -6.0)),
        plane("floor", translation(0.0, -1.0, -8.0)),
    ]
    whole = shaded.frame(shaded.camera(), things, (False, True, False))
    for held in (["flat"], ["smooth"], ["floor", "smooth"]):
        others = [key for key in whole.keys if key not in held]
        composed = compose_layers(1, whole.camera, [part(whole, held), part(whole, others)]).geometry
        assert composed.keys == whole.keys
        for number in range(3):
            np.testing.assert_array_equal(corner_normals(composed, number), corner_normals(whole, number))


def corner_normals(geometry: FrameGeometry, instance: int) -> np.ndarray:
    mesh = geometry.mesh[instance]
    normals = geometry.normals
    assert normals is not None
    triangles, first = geometry.mesh_triangles(mesh), normals.corner_start[mesh]
    numbers = triangles if first < 0 else normals.corners[first : first + len(triangles)]
    return np.asarray(normals.vectors[normals.vector_start[mesh] + numbers])


def test_marked_edges_come_along() -> None:
    things = [cube("box", translation(0, 0, -6)), plane("floor", translation(0, -1, -8)), cube("post", np.eye(4))]
    marks = MarkedEdges(np.array([[0, 1], [1, 3], [0, 2], [6, 7]], np.int32), np.array([0, 2, 3, 4], np.int64))
    whole = replace(frame(1, camera(perspective(1.1)), things), marked_edges=marks)
    for held in (["box"], ["post", "floor"], ["box", "floor", "post"]):
        others = [key for key in whole.keys if key not in held]
        composed = compose_layers(1, whole.camera, [part(whole, held), part(whole, others)]).geometry
        found = composed.marked_edges
        assert found is not None
        for number, mesh in enumerate(composed.mesh):
            edges = marks.vertices[marks.start[number] : marks.start[number + 1]]
            assert np.array_equal(found.vertices[found.start[mesh] : found.start[mesh + 1]], edges)
        unmarked = replace(whole, marked_edges=None)
        assert (
            compose_layers(1, whole.camera, [part(whole, held), part(unmarked, others)]).geometry.marked_edges is None
        )


def test_faces_come_along() -> None:
    things = [cube("box", translation(0, 0, -6)), plane("floor", translation(0, -1, -8)), cube("post", np.eye(4))]
    whole = frame(1, camera(perspective(1.1)), things)
    faces = np.concatenate([np.arange(12) // 2, np.zeros(2), np.arange(12) // 3]).astype(np.int32)
    whole = replace(whole, faces=faces)
    for held in (["box"], ["post", "floor"]):
        others = [key for key in whole.keys if key not in held]
        composed = compose_layers(1, whole.camera, [part(whole, held), part(whole, others)]).geometry
        for number, mesh in enumerate(composed.mesh.tolist()):
            assert np.array_equal(composed.mesh_faces(mesh), whole.mesh_faces(number))
        without = compose_layers(1, whole.camera, [part(whole, held), part(replace(whole, faces=None), others)])
        assert without.geometry.faces is None


def test_instances_that_share_a_mesh_go_on_sharing_it() -> None:
    whole = frame(1, camera(perspective(1.1)), [cube("a", translation(0, 0, -5)), wall(), wall()])
    owners = np.array([7, 8, 9], np.uint16)
    shared = replace(whole, mesh=np.array([0, 1, 1], np.int32), keys=("a", "b", "c"), owner_ids=owners)
    composed = compose_layers(1, shared.camera, [part(shared, ["b", "c"]), part(shared, ["a"])]).geometry
    assert composed.keys == ("a", "b", "c")
    assert composed.mesh[1] == composed.mesh[2] != composed.mesh[0]
    assert len(composed.topologies) == 2
    assert composed.owner_ids is not None
    assert composed.owner_ids.tolist() == [7, 8, 9]


def test_an_instance_of_two_layers_is_refused() -> None:
    now = film(1, 0.0)
    with pytest.raises(SceneError, match="'walker' twice"):
        compose_layers(1, now.camera, [part(film(0, 0.0), ["walker"]), part(now, ["walker", "wall"])])


def test_a_frame_may_show_nothing() -> None:
    now = film(1, 0.0)
    composed = compose_layers(1, now.camera, [part(now, []), part(film(0, 0.0), [])]).geometry
    assert composed.keys == ()
    assert (raster.draw(composed).instance == raster.BACKGROUND).all()
