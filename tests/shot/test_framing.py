from __future__ import annotations

import numpy as np

from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.shot.findings import ENOUGH
from animerun_gen.shot.framing import ORBIT, propose_view, visible_share
from animerun_gen.shot.shot import ViewKey
from tests.motion.synthetic import Thing, camera, cube, frame, perspective, plane, rotation, translation

ANY = camera(perspective(1.5))
RESOLUTION = (960, 540)


def take(number: int, *things: Thing) -> FrameGeometry:
    return frame(number, ANY, things)


def keys_of(frames: list[FrameGeometry], first: int, last: int, resolution: tuple[int, int]) -> tuple[ViewKey, ...]:
    view = propose_view(frames, first, last, resolution)
    assert (view.share >= ENOUGH) == bool(view.keys)
    return view.keys


def in_view(key: ViewKey, points: np.ndarray) -> np.ndarray:
    """Points as shares of half the picture's width and height, by a textbook pinhole."""
    back = np.array(key.location) - np.array(key.target)
    back /= np.linalg.norm(back)
    right = np.cross([0, 0, 1], back)
    right /= np.linalg.norm(right)
    local = (points - np.array(key.location)) @ np.array([right, np.cross(back, right), back]).T
    assert (local[:, 2] < 0).all()
    plane_points = local[:, :2] / -local[:, 2:]
    half = 18.0 / key.lens
    return plane_points / np.array([half, half * RESOLUTION[1] / RESOLUTION[0]])


def corners(center: tuple[float, float, float]) -> np.ndarray:
    return np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) + center


def test_what_moves_fills_the_picture_and_never_leaves_it() -> None:
    floor = plane("floor", translation(0, 0, -1) @ np.diag([60.0, 60.0, 1.0, 1.0]))
    frames = [take(n, floor, cube("box", translation(x, 0, 0))) for n, x in ((1, 0.0), (5, 4.0), (9, 8.0))]
    (key,) = keys_of(frames, 1, 9, RESOLUTION)
    places = np.abs(in_view(key, np.concatenate([corners((x, 0, 0)) for x in (0.0, 4.0, 8.0)])))
    assert places.max() <= 0.86
    assert places.max() > 0.8
    assert key.location[2] > 0


def test_a_view_that_a_wall_hides_is_not_taken() -> None:
    box = [cube("box", translation(x, 0, 0)) for x in (0.0, 0.5)]
    free = keys_of([take(1, box[0]), take(2, box[1])], 1, 2, RESOLUTION)[0]
    # a wall across the place where the camera would stand, and one behind it to the right
    wall = plane("wall", translation(0, -3, 0) @ rotation(0, np.pi / 2) @ np.diag([40.0, 40.0, 1.0, 1.0]))
    walled = keys_of([take(1, wall, box[0]), take(2, wall, box[1])], 1, 2, RESOLUTION)[0]
    assert free.location[1] < -3
    assert walled.location[1] > -3


def test_where_nothing_moves_the_camera_turns_about_everything() -> None:
    still = cube("box", translation(2, 3, 1))
    first, last = keys_of([take(1, still), take(12, still)], 1, 12, RESOLUTION)
    assert (first.frame, last.frame) == (1, 12)
    assert first.target == last.target == (2.0, 3.0, 1.0)
    a, b = (np.array(key.location) - np.array(key.target) for key in (first, last))
    angle = np.degrees(np.arccos(a[:2] @ b[:2] / np.linalg.norm(a[:2]) / np.linalg.norm(b[:2])))
    assert abs(angle - ORBIT) < 0.1
    assert abs(a[2] - b[2]) < 1e-3
    for key in (first, last):
        assert np.abs(in_view(key, corners((2, 3, 1)))).max() < 0.9


def test_a_sky_and_what_is_parked_far_away_do_not_make_everything_else_small() -> None:
    def scene(number: int, shift: float) -> FrameGeometry:
        boxes = [cube(f"box {n}", translation(4.0 * n + shift, 0, 0)) for n in range(4)]
        parked = cube("parked", translation(900 + shift, 50, 0))
        sky = cube("sky", translation(shift, 0, 0) @ np.diag([500.0, 500.0, 500.0, 1.0]))
        return take(number, *boxes, parked, sky)

    (key,) = keys_of([scene(1, 0.0), scene(5, 0.5), scene(9, 1.0)], 1, 9, RESOLUTION)
    places = np.abs(in_view(key, np.concatenate([corners((4.0 * n + 0.5, 0, 0)) for n in range(4)])))
    assert 0.6 < places.max() < 0.9


def test_an_empty_scene_has_no_view() -> None:
    assert keys_of([take(1)], 1, 2, RESOLUTION) == ()


def test_movers_that_park_far_away_do_not_take_the_camera_with_them() -> None:
    def scene(number: int, parked: bool) -> FrameGeometry:
        floor = plane("floor", translation(0, 0, -1) @ np.diag([12.0, 12.0, 1.0, 1.0]))
        movers = [
            cube(f"mover {n}", translation(3.0 * n - 10.0 + 0.1 * number, 0, 10_000.0 * parked)) for n in range(8)
        ]
        return take(number, floor, *movers)

    seen = [scene(n, parked=n >= 4) for n in (1, 2, 3, 5, 6)]
    # parked for most of the clip, they leave only the floor to go by
    mostly_parked = [scene(n, parked=n >= 4) for n in (1, 20, 40, 60, 80)]
    for frames in (seen, mostly_parked):
        (key,) = keys_of(frames, 1, 6, RESOLUTION)
        assert np.abs(key.location).max() < 100
        assert np.abs(key.target).max() < 12


def test_a_view_from_inside_a_thing_that_moves_is_not_taken() -> None:
    def scene(number: int) -> FrameGeometry:
        hall = cube("hall", np.diag([40.0, 40.0, 40.0, 1.0]))
        boxes = [cube(f"box {n}", translation(3.0 * n + 0.1 * number, 0, 0)) for n in range(3)]
        helper = cube("helper", translation(0.1 * number, -4, 0) @ np.diag([9.0, 3.0, 6.0, 1.0]))
        return take(number, hall, *boxes, helper)

    (key,) = keys_of([scene(1), scene(5), scene(9)], 1, 9, RESOLUTION)
    low, high = np.array([-9.0, -7.0, -6.0]), np.array([9.9, -1.0, 6.0])
    assert not ((low < np.array(key.location)) & (np.array(key.location) < high)).all()


def test_a_box_around_everything_is_no_subject() -> None:
    def scene(number: int) -> FrameGeometry:
        boxes = [cube(f"box {n}", translation(2.5 * n + 0.1 * number, 0, 0)) for n in range(4)]
        return take(
            number, *boxes, cube("helper", translation(0.1 * number + 4, 0, 0) @ np.diag([20.0, 20.0, 20.0, 1.0]))
        )

    (key,) = keys_of([scene(1), scene(5), scene(9)], 1, 9, RESOLUTION)
    assert np.abs(np.array(key.location) - [4, 0, 0]).max() < 20
    places = np.abs(in_view(key, np.concatenate([corners((2.5 * n + 0.5, 0, 0)) for n in range(4)])))
    assert 0.6 < places.max() < 0.9


def test_a_view_says_how_little_it_shows() -> None:
    def speck(number: int, shift: float) -> FrameGeometry:
        return take(number, cube("speck", translation(shift, 0, 0) @ np.diag([1e-3, 1e-3, 1e-3, 1.0])))

    # four places as far from each other as from the middle: none of them is an outlier
    frames = [speck(n, 1000.0 * n) for n in (1, 2, 3, 4)]
    view = propose_view(frames, 1, 4, RESOLUTION)
    assert view.keys
    assert view.share < ENOUGH


def test_how_much_a_camera_sees() -> None:
    in_front = take(1, cube("box", translation(0, 0, -8)))
    behind = take(1, cube("box", translation(0, 0, 8)))
    inside = take(1, cube("box", np.eye(4)), cube("other", translation(0, 0, -8)))
    assert 0.02 < visible_share(in_front) < 0.3
    assert visible_share(behind) == 0.0
    assert visible_share(inside) == 0.0
