"""The camera's way through key frames; needs no Blender."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.blender.camera_path import CameraPath, camera_path
from animerun_gen.config.model import CameraKey
from animerun_gen.errors import SceneError


def key(frame: int, location: tuple[float, ...], target: tuple[float, ...], **more: Any) -> CameraKey:
    return CameraKey.model_validate({"frame": frame, "location": location, "target": target, **more})


coordinates = st.floats(-50, 50).map(lambda value: round(value, 2))
points = st.tuples(coordinates, coordinates, coordinates)


@st.composite
def ways(draw: st.DrawFn) -> list[CameraKey]:
    frames = draw(st.lists(st.integers(0, 40), min_size=1, max_size=5, unique=True).map(sorted))
    # the target stays below the camera's lowest place, so that they never meet
    return [
        key(
            frame,
            draw(points),
            (draw(coordinates), draw(coordinates), draw(st.floats(-90, -51))),
            lens=draw(st.floats(10, 200)),
            roll=draw(st.floats(-360, 360)),
        )
        for frame in frames
    ]


@given(ways())
@settings(max_examples=100)
def test_the_camera_passes_its_keys_and_stays_between_them(keys: list[CameraKey]) -> None:
    path = camera_path(keys, 0, 40)
    assert path.frames.tolist() == list(range(41))
    for one in keys:
        assert np.allclose(path.location[one.frame], one.location, atol=1e-9)
        assert path.lens[one.frame] == pytest.approx(one.lens)
        view = np.array(one.target) - one.location
        assert path.distance[one.frame] == pytest.approx(np.linalg.norm(view))
        assert np.allclose(-path.rotation[one.frame, :, 2], view / np.linalg.norm(view), atol=1e-9)
    for one, other in pairwise(keys):
        between = path.location[one.frame : other.frame + 1]
        assert (between >= np.minimum(one.location, other.location) - 1e-9).all()
        assert (between <= np.maximum(one.location, other.location) + 1e-9).all()
    assert (path.location[: keys[0].frame] == path.location[keys[0].frame]).all()
    assert (path.location[keys[-1].frame :] == path.location[keys[-1].frame]).all()
    proper = path.rotation @ path.rotation.transpose(0, 2, 1)
    assert np.allclose(proper, np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(path.rotation), 1.0)


@given(ways(), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=50)
def test_a_frame_is_the_same_in_every_range(keys: list[CameraKey], one: int, other: int) -> None:
    whole, part = camera_path(keys, 0, 40), camera_path(keys, min(one, other), max(one, other))
    chosen = slice(min(one, other), max(one, other) + 1)
    assert np.array_equal(whole.rotation[chosen], part.rotation)
    assert np.array_equal(whole.location[chosen], part.location)


def test_the_horizon_is_level_and_a_roll_turns_the_camera_clockwise() -> None:
    level = camera_path([key(1, (0, 0, 0), (5, 3, 1))], 1, 1)
    assert level.rotation[0, 2, 0] == pytest.approx(0.0)
    assert level.rotation[0, 2, 1] > 0.0
    rolled = camera_path([key(1, (0, 0, 0), (0, 5, 0), roll=90)], 1, 1)
    # seen from behind, the camera's right side has gone down and its top to the right
    assert np.allclose(rolled.rotation[0].T, [[0, 0, -1], [1, 0, 0], [0, -1, 0]], atol=1e-12)


def test_motion_is_smooth_through_a_key() -> None:
    keys = [key(0, (0, 0, 0), (0, 9, 0)), key(10, (4, 0, 0), (0, 9, 0)), key(20, (5, 0, 0), (0, 9, 0))]
    x = camera_path(keys, 0, 20).location[:, 0]
    steps = np.diff(x)
    assert np.abs(np.diff(steps)).max() < 0.1
    assert (steps > 0).all()


def horizon(path: CameraPath) -> np.ndarray:
    """Degrees by which the camera's right side turns from frame to frame."""
    right = path.rotation[:, :, 0]
    return np.degrees(np.arccos(np.clip((right[1:] * right[:-1]).sum(axis=1), -1, 1)))


@pytest.mark.parametrize("up", [1.0, -1.0])
@pytest.mark.parametrize("reverse", [False, True])
def test_looking_straight_down_or_up_is_no_singularity(up: float, reverse: bool) -> None:
    """A tilt that begins or ends there does not spin."""
    level, vertical = (3.0, 4.0, 0.0), (0.0, 0.0, 9.0 * up)
    first, last = (vertical, level) if reverse else (level, vertical)
    path = camera_path([key(1, (0, 0, 0), first), key(9, (0, 0, 0), last)], 1, 9)
    assert np.isfinite(path.rotation).all()
    assert horizon(path).max() < 1e-6


def test_a_camera_that_only_looks_down_has_north_at_the_top() -> None:
    path = camera_path([key(1, (2, 3, 9), (2, 3, 0))], 1, 2)
    assert np.allclose(path.rotation[:, :, 1], [0, 1, 0])
    assert np.allclose(path.rotation[:, :, 0], [1, 0, 0])


def test_a_camera_that_meets_its_target_is_refused_with_the_frame() -> None:
    keys = [key(1, (0, 0, 0), (4, 0, 0)), key(5, (4, 0, 0), (0, 0, 0))]
    with pytest.raises(SceneError, match="in frame 3 the camera stands where it looks"):
        camera_path(keys, 1, 5)
