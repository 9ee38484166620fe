"""Hard cuts keyed on one camera are found, and nothing else that a camera does in a film is taken for one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from animerun_gen.motion.camera_jumps import View, is_cut, shared
from animerun_gen.motion.camera_steps import WINDOW, camera_steps, may_be_cut
from animerun_gen.motion.geometry import Camera
from tests.motion.synthetic import Thing, camera, cube, frame, orthographic, perspective, plane, rotation, translation

FRAMES = 60
ANGLE = 2.0 * np.arctan(1.0 / 1.5)
"""The angle of view across the pictures of :func:`pose`, about 67 degrees."""

Way = Callable[[int], Camera]


def pose(
    turn: float = 0.0,
    tilt: float = 0.0,
    place: Sequence[float] = (0.0, 0.0, 0.0),
    focal: float = 1.5,
    roll: float = 0.0,
) -> Camera:
    """A camera above the floor that looks along -z, turned to the left by a share of the angle of view."""
    world = translation(*place) @ rotation(1, turn * ANGLE) @ rotation(0, tilt * ANGLE) @ rotation(2, roll)
    return camera(perspective(focal), world)


def town(carried: np.ndarray | None = None) -> list[Thing]:
    """A floor with houses all over it; everything is moved by a matrix."""
    generator = np.random.default_rng(5)
    moved = np.eye(4) if carried is None else carried
    things = [plane("floor", moved @ translation(0.0, -2.0, 0.0) @ rotation(0, -np.pi / 2.0), half=80.0)]
    for number in range(150):
        x, z = generator.uniform(-40.0, 40.0, 2)
        if np.hypot(x, z) > 4.0:
            things.append(cube(f"house {number}", moved @ translation(x, generator.uniform(-1.5, 3.0), z)))
    return things


def cuts(way: Way, world: Callable[[int], list[Thing]] = lambda number: town()) -> list[int]:
    """The frames before which there is a cut, as the package decides; frame 0 is the first."""
    cameras = [way(number) for number in range(FRAMES)]
    steps = camera_steps(cameras)
    found = []
    for number in range(1, FRAMES):
        start = max(0, number - 1 - WINDOW)
        around, step = steps.part(start, number + WINDOW), number - 1 - start
        if may_be_cut(around, step):
            before, after = (View.of(frame(each, cameras[each], world(each))) for each in (number - 1, number))
            if is_cut(around, step, before, after):
                found.append(number)
    return found


def eased(share: float) -> float:
    """How far a movement with Bezier keys has come after a share of its time."""
    return float(np.clip(share, 0.0, 1.0) ** 2 * (3.0 - 2.0 * np.clip(share, 0.0, 1.0)))


def noise(seed: int, size: float) -> np.ndarray:
    """Another value for every frame, ``(FRAMES, 5)``."""
    return np.random.default_rng(seed).normal(0.0, size, (FRAMES, 5))


SHAKE = noise(1, 0.03)

FAR_AWAY = pose(turn=2.1, place=(9.0, 1.0, -14.0))

CUT: dict[str, tuple[Way, list[int]]] = {
    "keys without interpolation": (lambda n: FAR_AWAY if n >= 30 else pose(), [30]),
    "only turned": (lambda n: pose(turn=2.7 if n >= 30 else 0.0), [30]),
    "only carried away": (lambda n: pose(place=(25.0 if n >= 30 else 0.0, 0.0, 0.0)), [30]),
    "a close-up": (lambda n: pose(turn=0.1, focal=15.0 if n >= 30 else 1.5), [30]),
    "keys a frame apart in slow movement": (
        lambda n: pose(turn=0.02 * n + (1.6 if n >= 30 else 0.0), place=(0.05 * n, 0.0, 12.0 if n >= 30 else 0.0)),
        [30],
    ),
    "from a fast ride into another one": (
        lambda n: pose(turn=2.5 if n >= 30 else 0.0, place=(0.4 * n, 0.0, -0.3 * n if n < 30 else 10.0 + 0.2 * n)),
        [30],
    ),
    "a shot of one frame": (lambda n: FAR_AWAY if n == 30 else pose(), [30, 31]),
    "shots of three still frames": (
        lambda n: (
            pose(turn=[0.0, 1.3, 2.4, 0.2, 1.7][n // 3 % 5], place=(n // 3 % 4 * 7.0, 0.0, 0.0))
            if 21 <= n < 36
            else pose()
        ),
        [21, 24, 27, 30, 33, 36],
    ),
    "with a shaking hand": (
        lambda n: pose(SHAKE[n, 0] + (1.5 if n >= 30 else 0.0), SHAKE[n, 1], (SHAKE[n, 2], SHAKE[n, 3], SHAKE[n, 4])),
        [30],
    ),
    "the view that faces it": (
        lambda n: pose(turn=np.pi / ANGLE if n >= 30 else 0.0, place=(0.0, 0.0, -12.0 if n >= 30 else 0.0)),
        [30],
    ),
    "a map that jumps": (
        lambda n: camera(
            orthographic(5.0), translation(40.0 if n >= 30 else 0.1 * n, 10.0, 0.0) @ rotation(0, -np.pi / 2)
        ),
        [30],
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_a_cut_is_found(name: str) -> None:
    way, expected = CUT[name]
    assert cuts(way) == expected


RATTLE = noise(2, 0.12)

NO_CUT = {
    "stands": lambda n: pose(),
    "a pan": lambda n: pose(turn=0.05 * n),
    "a whip pan of one speed": lambda n: pose(turn=0.9 * np.clip(n - 30, 0, 6)),
    "a whip pan in two frames": lambda n: pose(turn=2.0 * np.clip((n - 30) / 2.0, 0.0, 1.0)),
    "an eased whip pan in three frames": lambda n: pose(turn=2.4 * eased((n - 30) / 3.0)),
    "an eased whip pan in four frames": lambda n: pose(turn=2.4 * eased((n - 30) / 4.0)),
    "an eased whip pan in six frames": lambda n: pose(turn=4.0 * eased((n - 30) / 6.0)),
    "spins about itself": lambda n: pose(turn=1.0 * n),
    "a race through town": lambda n: pose(place=(0.0, 0.0, 40.0 - 1.5 * n)),
    "a race that begins at once": lambda n: pose(place=(1.5 * max(0, n - 30), 0.0, 0.0)),
    "a crash zoom": lambda n: pose(focal=1.5 * 10.0 ** np.clip((n - 30) / 4.0, 0.0, 1.0)),
    "a rattling hand": lambda n: pose(RATTLE[n, 0], RATTLE[n, 1], (RATTLE[n, 2], RATTLE[n, 3], RATTLE[n, 4])),
    "an impact": lambda n: pose(
        turn=0.35 * np.cos(2.0 * (n - 30)) * np.exp(-0.25 * (n - 30)) if n >= 30 else 0.0,
        tilt=0.2 * np.sin(3.0 * (n - 30)) * np.exp(-0.25 * (n - 30)) if n >= 30 else 0.0,
    ),
    "a hard impact": lambda n: pose(turn=0.45 * (-0.7) ** (n - 30) if n >= 30 else 0.0),
    "a fast pan on twos": lambda n: pose(turn=0.5 * (n // 2)),
    "a ride on fours": lambda n: pose(place=(1.5 * (n // 4), 0.0, 0.0)),
    "a whip pan on twos": lambda n: pose(turn=0.9 * np.clip(n // 2 - 15, 0, 5)),
    "an orbit": lambda n: pose(
        turn=0.12 * n, place=(6.0 * np.sin(0.12 * n * ANGLE), 1.0, 6.0 * np.cos(0.12 * n * ANGLE))
    ),
    "scaled to nothing": lambda n: camera(perspective(1.5), np.full((4, 4), np.nan) if n == 30 else np.eye(4)),
}


@pytest.mark.parametrize("name", NO_CUT)
def test_what_only_moves_fast_is_no_cut(name: str) -> None:
    assert cuts(NO_CUT[name]) == []


def test_a_camera_that_is_carried_along_with_what_it_sees_is_not_cut() -> None:
    """A train that is set back to where its ride began: the camera in it sees what it saw before."""

    def carried(number: int) -> np.ndarray:
        return translation(0.3 * number - (200.0 if number >= 30 else 0.0), 0.0, 0.0)

    def way(number: int) -> Camera:
        return camera(perspective(1.5), carried(number))

    assert cuts(way, lambda number: town(carried(number))) == []
    assert cuts(way) == [30]


def test_a_decision_depends_on_nothing_but_the_frames_around_it() -> None:
    way, _ = CUT["shots of three still frames"]
    whole = camera_steps([way(number) for number in range(FRAMES)])
    for number in range(WINDOW + 1, FRAMES - WINDOW):
        around = camera_steps([way(each) for each in range(number - 1 - WINDOW, number + WINDOW + 1)])
        part = whole.part(number - 1 - WINDOW, number + WINDOW)
        assert np.array_equal(around.view, part.view)
        assert np.array_equal(around.travel, part.travel)
        assert np.array_equal(around.nearest, part.nearest)
        assert may_be_cut(around, WINDOW) == may_be_cut(whole, number - 1)


def test_what_two_views_share() -> None:
    views = [View.of(frame(1, each, town())) for each in (pose(), pose(turn=0.5), pose(turn=2.0), pose(focal=3.0))]
    straight, turned, away, close = views
    assert shared(straight, straight) == 1.0
    assert 0.4 < shared(straight, turned) < 0.6
    assert shared(straight, away) == 0.0
    # half as wide and half as high
    assert 0.2 < shared(straight, close) < 0.3
    assert shared(close, straight) > 0.9


def test_what_is_too_small_for_a_cut_is_not_even_looked_at() -> None:
    """The nearest that can be seen is 0.1 away, where a tenth of a picture is 0.0133."""
    for aside, suspected in ((0.01, False), (0.1, True)):
        steps = camera_steps([pose(place=(aside if number > 15 else 0.0, 0.0, 0.0)) for number in range(31)])
        assert may_be_cut(steps, 15) == suspected


def test_steps_are_measured_in_pictures() -> None:
    cameras = [
        pose(),
        pose(turn=1.0),
        pose(turn=1.0, focal=1.5 * math.e),
        pose(turn=1.0, focal=1.5 * math.e, roll=np.pi / 2.0),
    ]
    turned, zoomed, rolled = camera_steps(cameras).view
    assert np.abs(turned - np.eye(8)[0]).max() < 1e-12
    assert np.abs(zoomed - np.eye(8)[5]).max() < 1e-12
    assert np.abs(np.abs(rolled) - np.eye(8)[2]).max() < 1e-12
    # two thirds of the depth are half a picture's width
    aside = camera_steps([pose(), pose(place=(2.0, 0.0, 0.0))]).at_depth(6.0)[0]
    assert np.abs(aside - 0.25 * np.eye(11)[8]).max() < 1e-12
    half = camera_steps([pose(), pose(turn=np.pi / ANGLE)]).view[0]
    assert abs(np.linalg.norm(half) - np.pi / ANGLE) < 1e-9
    flat = [camera(orthographic(5.0), translation(x, 0.0, 0.0)) for x in (0.0, 10.0)]
    assert np.abs(camera_steps(flat).at_depth(3.0)[0] - np.eye(11)[6]).max() < 1e-12
