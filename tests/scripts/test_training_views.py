"""Further views of cuts: they look at what the film's camera looks at, from near it, and are always the same."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from animerun_gen.config import load_cuts
from animerun_gen.dataset.cameras import TO_OPENCV, FrameCamera

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "scripts"))

import training_views  # noqa: E402


def camera(orthographic: float | None = None) -> FrameCamera:
    """One at (0, -10, 2) that looks along y, 100 pixels wide, of 50 mm."""
    world = np.array([[1, 0, 0, 0], [0, 0, -1, -10], [0, 1, 0, 2], [0, 0, 0, 1]], np.float64)
    projection = np.zeros((3, 4))
    if orthographic is None:
        projection[0, 0] = projection[1, 1] = 100 * 50 / 36
        projection[:2, 2], projection[2, 2] = (49.5, 29.5), 1.0
    else:
        projection[0, 0] = projection[1, 1] = 100 / orthographic
        projection[:2, 3], projection[2, 3] = (49.5, 29.5), 1.0
    return FrameCamera("film", 100, 60, projection, TO_OPENCV @ np.linalg.inv(world), world, 0.1, 100.0, orthographic)


DEPTH = np.full((60, 100), 8.0)
DEPTH[:20] = np.inf


def test_the_film_s_own_camera_is_read() -> None:
    sight = training_views.sight_of(camera(), DEPTH, 7)
    assert sight.frame == 7
    assert sight.lens == pytest.approx(50.0)
    np.testing.assert_allclose(sight.location, [0, -10, 2])
    np.testing.assert_allclose(sight.target, [0, -2, 2])


def test_a_camera_without_perspective_becomes_one_that_shows_as_much() -> None:
    sight = training_views.sight_of(camera(orthographic=6.0), DEPTH, 1)
    np.testing.assert_allclose(sight.target, [0, -2, 2])
    distance = float(np.linalg.norm(sight.location - sight.target))
    assert distance * 36.0 / sight.lens == pytest.approx(6.0)


def test_a_frame_that_shows_nothing_is_named() -> None:
    with pytest.raises(ValueError, match="frame 3 shows nothing"):
        training_views.sight_of(camera(), np.full((60, 100), np.inf), 3)


@pytest.mark.parametrize("seed", range(40))
def test_views_stand_near_the_film_s_camera_and_not_below_it(seed: int) -> None:
    sights = [
        training_views.Sight(frame, np.array([3.0, -9.0, 2.0]), np.array([0.0, 0.0, 1.0]), 35.0) for frame in (1, 5)
    ]
    keys = training_views.view(sights, np.random.default_rng(seed))
    assert [key["frame"] for key in keys] == [1, 5]
    for key, sight in zip(keys, sights, strict=True):
        film = sight.location - sight.target
        arrow = np.array(key["location"]) - np.array(key["target"])
        ratio = np.linalg.norm(arrow) / np.linalg.norm(film)
        assert 0.5 < ratio < 1.6
        assert arrow[2] / np.linalg.norm(arrow) >= film[2] / np.linalg.norm(film) - 1e-3
        turned = np.degrees(np.arctan2(arrow[1], arrow[0]) - np.arctan2(film[1], film[0]))
        assert abs((turned + 180) % 360 - 180) <= 35 + 16 + 0.1
    assert keys == training_views.view(sights, np.random.default_rng(seed))
    assert keys != training_views.view(sights, np.random.default_rng(seed + 1))


def test_what_is_written_is_a_configuration(tmp_path: Path) -> None:
    sights = [
        training_views.Sight(frame, np.array([3.0, -9.0, 2.0]), np.array([0.0, 0.0, 1.0]), 35.0) for frame in (1, 5)
    ]
    keys = training_views.view(sights, np.random.default_rng(0))
    base, shared = PROJECT / "configs/toy/courier.yaml", PROJECT / "configs/views/_views.yaml"
    text = yaml.safe_dump({"inherit": [str(base), str(shared)], "name": "view", "camera_motion": {"keyframes": keys}})
    (tmp_path / "view.yaml").write_text(text)
    (cut,) = load_cuts([tmp_path / "view.yaml"])
    assert cut.config.name == "view"
    assert [key.frame for key in cut.config.camera_motion.keyframes] == [1, 5]


@pytest.mark.parametrize("seed", range(40))
def test_a_camera_that_looks_up_stays_above_the_ground(seed: int) -> None:
    sight = training_views.Sight(1, np.array([3.0, -9.0, 0.3]), np.array([0.0, 0.0, 4.0]), 35.0)
    (key,) = training_views.view([sight], np.random.default_rng(seed))
    assert key["location"][2] >= 0.3
