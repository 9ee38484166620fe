"""Tracks against the exact flow of the same pixels, against single steps, and against rays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.dataset import Tracks
from animerun_gen.motion import companions, raster
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.reprojection import frame_camera
from animerun_gen.motion.tracks import QUERY_FRAMES, Following, choose_points, query_frames, share_out
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
    plane,
    rotation,
    soup,
    translation,
)

LENGTH = 10


def moving_clip(seed: int = 0, projection: np.ndarray | None = None, with_holes: bool = False) -> list[FrameGeometry]:
    """A wall, a turning cube that passes in front of it, triangles that bend, under a moving camera.

    With holes in the cube, which keep their places, and in the triangles, on which they slide after frame 20.
    """
    generator = np.random.default_rng(seed)
    cloth = soup(generator, 12, "cloth", depth=-12.0)
    bend = generator.normal(0, 0.06, cloth.vertices.shape)
    cloth_uvs, cube_uvs = generator.uniform(0, 3, (12, 3, 2)), generator.uniform(0, 3, (12, 3, 2))
    given = masks(*[generator.random((5, 5)) < 0.4 for _ in range(2)])
    frames = []
    for time in range(LENGTH):
        world = translation(0.06 * time, 0.02 * time, -0.05 * time) @ rotation(1, 0.015 * time)
        things = [
            plane("wall", translation(0, 0, -14), 12.0),
            Thing("cloth", cloth.vertices + time * bend, cloth.triangles, np.eye(4), slots=(4,)),
            cube("cube", translation(-2.4 + 0.5 * time, 0.1, -5) @ rotation(1, 0.2 * time) @ rotation(0, 0.1 * time)),
        ]
        if with_holes:
            things[1].uvs, things[1].slot_masks = cloth_uvs + 0.1 * max(time - 5, 0), (0,)
            things[2].uvs, things[2].slot_masks = cube_uvs, (1,)
        seen_by = camera(perspective(1.1) if projection is None else projection, world)
        frames.append(frame(10 + 2 * time, seen_by, things, given if with_holes else None))
    return frames


def follow(frames: Sequence[FrameGeometry], count: int, seed: int = 5) -> Tracks:
    """As the pipeline does it."""
    by_number = {geometry.frame: geometry for geometry in frames}
    found = [
        choose_points(by_number[number], raster.draw(by_number[number]), count, seed)
        for number in query_frames(list(by_number), count)
    ]
    following = Following(list(by_number), found, count, seed)
    for geometry in frames:
        following.visit(geometry)
    return following.tracks()


@pytest.mark.parametrize("with_holes", [False, True], ids=["solid", "holes"])
@pytest.mark.parametrize("projection", [perspective(1.1), orthographic(4.0)], ids=["perspective", "orthographic"])
def test_a_track_is_the_flow_of_its_query_pixel_over_every_distance(projection: np.ndarray, with_holes: bool) -> None:
    frames = moving_clip(1, projection, with_holes)
    tracks = follow(frames, 400)
    assert len(tracks.query_frame) == 400
    row_of = {geometry.frame: row for row, geometry in enumerate(frames)}
    compared = hidden = 0
    for query in np.unique(tracks.query_frame):
        source = frames[row_of[query]]
        seen = raster.draw(source)
        points = np.flatnonzero(tracks.query_frame == query)
        x, y = tracks.position[row_of[query], points].astype(int).T
        for target in frames:
            motion = compute_motion(source, seen, target)
            row = row_of[target.frame]
            assert np.array_equal(tracks.known[row, points], motion.valid[y, x])
            position = np.stack([motion.x[y, x], motion.y[y, x]], axis=1)
            known = motion.valid[y, x]
            assert np.abs(tracks.position[row, points] - position)[known].max() < 1e-9
            stated = frame_camera(target.camera, 8.0 if target.camera.is_orthographic else None)
            world = tracks.world[row, points]
            assert np.abs(stated.project(world) - position)[known].max() < 1e-9
            assert np.abs(stated.depth(world) - motion.depth[y, x])[known].max() < 1e-9
            assert np.isnan(world[~known]).all()
            assert np.allclose(tracks.depth[row, points][known], motion.depth[y, x][known], rtol=1e-6)
            if target is not source:
                occluded = exact_occlusion(motion, target)[y, x]
                assert np.array_equal(tracks.visible[row, points], ~occluded)
                compared += known.sum()
                hidden += (occluded & tracks.in_frame[row, points]).sum()
    assert compared > 2000
    assert hidden > 50
    assert tracks.known.all() == (not with_holes)


def test_single_steps_along_a_track_lead_where_the_gap_does() -> None:
    """Where all on the way is rigid and in sight, adding up steps of one frame gives the flow over the gap."""
    still = [plane("wall", translation(0, 0, -9), 30.0)]
    frames = [
        frame(time, camera(perspective(1.1), translation(0.0, 0.0, -0.4 * time)), still) for time in range(LENGTH)
    ]
    first, last = frames[0], frames[-1]
    whole = compute_motion(first, raster.draw(first), last)
    tracks = follow(frames, 400)
    own = np.flatnonzero(tracks.query_frame == 0)
    x, y = tracks.position[0, own].astype(int).T
    assert np.allclose(tracks.position[-1, own, 0], whole.x[y, x], atol=1e-9)
    # the flow of a wall that is seen head-on is linear between pixels
    for row in range(LENGTH - 1):
        step = compute_motion(frames[row], raster.draw(frames[row]), frames[row + 1])
        here, there = tracks.position[row : row + 2, own]
        inside = np.all((here >= 0) & (here <= (WIDTH - 1, HEIGHT - 1)), axis=1)
        moved = here[inside] + bilinear(step.flow.astype(np.float64), here[inside])
        assert inside.sum() >= 5
        assert np.abs(moved - there[inside]).max() < 1e-4
    assert np.abs(whole.flow).max() > 4


def bilinear(field: np.ndarray, places: np.ndarray) -> np.ndarray:
    x, y = places.T
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, WIDTH - 1), np.minimum(top + 1, HEIGHT - 1)
    a, b = (x - left)[:, None], (y - top)[:, None]
    upper = (1 - a) * field[top, left] + a * field[top, right]
    return (1 - b) * upper + b * ((1 - a) * field[bottom, left] + a * field[bottom, right])


def test_visibility_is_what_rays_say() -> None:
    frames = moving_clip(2)
    tracks = follow(frames, 200)
    unseen = 0
    for row, geometry in enumerate(frames):
        places = tracks.position[row]
        expected_in_frame = (
            (places[:, 0] >= -0.5)
            & (places[:, 0] < WIDTH - 0.5)
            & (places[:, 1] >= -0.5)
            & (places[:, 1] < HEIGHT - 0.5)
        )
        assert np.array_equal(tracks.in_frame[row], expected_in_frame)
        _, _, depth = cast(geometry, places[:, 0], places[:, 1])
        # the depth of a track is float32
        expected = expected_in_frame & ~(depth < tracks.depth[row].astype(np.float64) * (1 - 1e-5))
        assert np.array_equal(tracks.visible[row], expected)
        unseen += (expected_in_frame & ~expected).sum()
    assert unseen > 20


def test_points_are_visible_at_a_pixel_of_their_query_frame() -> None:
    frames = moving_clip(3)
    tracks = follow(frames, 300)
    row_of = {geometry.frame: row for row, geometry in enumerate(frames)}
    rows = np.array([row_of[number] for number in tracks.query_frame])
    index = np.arange(len(rows))
    places = tracks.position[rows, index]
    assert np.array_equal(places, np.round(places))
    assert tracks.visible[rows, index].all()
    for row, geometry in enumerate(frames):
        x, y = places[rows == row].astype(int).T
        seen = raster.draw(geometry)
        assert np.array_equal(tracks.object_id[rows == row], companions.object_id_map(geometry, seen)[y, x])
        assert np.array_equal(tracks.material_id[rows == row], companions.material_id_map(geometry, seen)[y, x])
        # no pixel twice
        assert len({*zip(x.tolist(), y.tolist(), strict=True)}) == len(x)
    assert set(tracks.material_id.tolist()) == {2, 4}
    assert set(tracks.object_id.tolist()) == {1, 2, 3}


@pytest.mark.parametrize(
    "change", ["gone", "other topology", "made anew", "other camera", "behind the camera", "beyond the clipping range"]
)
def test_what_cannot_be_known_or_seen_is_marked(change: str) -> None:
    wall, box, view = (
        plane("wall", translation(0, 0, -9), 30.0),
        cube("box", translation(0, 0, -4)),
        camera(perspective(1)),
    )
    things, view_there = [wall, cube("box", translation(0.1, 0, -4))], view
    if change == "gone":
        things = [wall]
    elif change == "other topology":
        things[1].topology = b"another"
    elif change == "made anew":
        things[1].ordered = False
        things[1].vertices = things[1].vertices * 1.01
    elif change == "other camera":
        view_there = camera(perspective(1.0), name="another")
    elif change == "behind the camera":
        things[1].matrix = translation(0, 0, 4)
    else:
        things[1].matrix = translation(0, 0, -150)
    tracks = follow([frame(1, view, [wall, box]), frame(2, view_there, things), frame(3, view, [wall, box])], 300)
    of_box = tracks.object_id == 2
    from_outside = np.isin(tracks.query_frame, (1, 3))
    lost = (of_box | (change == "other camera")) & from_outside
    assert lost.sum() > 10
    if change == "beyond the clipping range":
        assert tracks.known[1, lost].all()
        assert tracks.in_frame[1, lost].all()
        assert not tracks.visible[1, lost].any()
        assert (tracks.depth[1, lost] > 100).all()
    else:
        assert not tracks.known[1, lost].any()
        assert np.isnan(tracks.position[1, lost]).all()
        assert np.isnan(tracks.depth[1, lost]).all()
    assert tracks.known[1, ~lost & from_outside].all()
    # what comes back is the same point again, if its mesh is
    assert tracks.visible[:, from_outside][[0, 2]].all()


def test_tracks_do_not_depend_on_what_else_was_done_and_change_with_the_seed() -> None:
    frames = moving_clip(4)
    once, again, other = follow(frames, 60), follow(frames, 60), follow(frames, 60, seed=6)
    np.random.default_rng(1).random(7)
    assert np.array_equal(once.position, again.position, equal_nan=True)
    assert not np.array_equal(once.position, other.position, equal_nan=True)
    # the same seed chooses other pixels in other frames
    first, last = (choose_points(geometry, raster.draw(geometry), 20, 5) for geometry in (frames[0], frames[-1]))
    assert not np.array_equal(first.x, last.x)


def test_points_are_spread_evenly_over_what_is_seen() -> None:
    [geometry] = [moving_clip(5)[3]]
    seen = raster.draw(geometry)
    surface = seen.instance != raster.BACKGROUND
    counts = np.zeros((HEIGHT, WIDTH))
    for seed in range(300):
        points = choose_points(geometry, seen, 60, seed)
        counts[points.y.astype(int), points.x.astype(int)] += 1
    assert not counts[~surface].any()
    expected = 300 * 60 / surface.sum()
    # sampled without repetition: binomial, so five standard deviations on each pixel
    assert np.abs(counts[surface] - expected).max() < 5 * np.sqrt(expected)
    left = counts[:, : WIDTH // 2].sum() / surface[:, : WIDTH // 2].sum()
    assert abs(left - expected) < 0.05 * expected


def test_a_clip_without_surfaces_has_no_tracks() -> None:
    tracks = follow([frame(number, camera(perspective(1.0)), []) for number in (1, 2, 3)], 50)
    assert tracks.position.shape == (3, 0, 2)
    assert tracks.requested == 50
    assert len(tracks.material_id) == 0


def test_frames_with_fewer_pixels_of_surfaces_give_what_they_have() -> None:
    """A cube that appears late: the frames that show it give what the others cannot."""
    box = cube("box", translation(0, 0, -4))
    frames = [frame(number, camera(perspective(1.0)), [] if number < 3 else [box]) for number in (1, 2, 3, 4)]
    pixels = int((raster.draw(frames[-1]).instance >= 0).sum())
    tracks = follow(frames, 100)
    assert np.unique(tracks.query_frame, return_counts=True)[1].tolist() == [50, 50]
    tracks = follow(frames, 4 * pixels)
    assert len(tracks.query_frame) == 2 * pixels
    assert not tracks.known[0].any()


@given(st.integers(1, 300), st.integers(1, 5), st.integers(1, 50))
def test_query_frames_are_spread_over_the_clip(length: int, step: int, count: int) -> None:
    frames = list(range(3, 3 + length * step, step))
    chosen = query_frames(frames, count)
    assert chosen[0] == frames[0]
    assert len(chosen) == min(QUERY_FRAMES, length, count) == len(set(chosen))
    assert set(chosen) <= set(frames)
    distances = np.diff([*chosen, frames[-1] + step]) // step
    assert distances.max() - distances.min() <= 1


@given(st.lists(st.integers(0, 30), max_size=8), st.integers(0, 200))
def test_points_are_shared_out_as_evenly_as_they_can(found: list[int], count: int) -> None:
    given_out = share_out(found, count)
    assert sum(given_out) == min(count, sum(found))
    assert all(0 <= number <= most for number, most in zip(given_out, found, strict=True))
    for number, most in zip(given_out, found, strict=True):
        # who gives fewer than another has no more, or lacks just what does not divide
        assert number == most or number >= max(given_out) - 1
