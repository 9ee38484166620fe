"""Cameras as a dataset states them, against the textbook pinhole of the tests, and held against the flow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animerun_gen.config.model import Quality
from animerun_gen.dataset.cameras import FrameCamera
from animerun_gen.motion import raster
from animerun_gen.motion.companions import depth_change
from animerun_gen.motion.flow import compute_motion
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.reprojection import Reprojection, frame_camera, reprojection
from animerun_gen.quality.gate import Thresholds, judge
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    camera,
    cube,
    frame,
    orthographic,
    perspective,
    plane,
    project,
    rotation,
    translation,
)

POSE = translation(0.4, -0.3, 2.0) @ rotation(1, 0.3) @ rotation(0, -0.2) @ rotation(2, 0.5)


def stretched(projection: np.ndarray, across: float, down: float) -> np.ndarray:
    """The projection of a camera whose pixels are no squares, or whose sensor fits otherwise."""
    return np.diag([across, down, 1.0, 1.0]) @ projection


CAMERAS = {
    "perspective": camera(perspective(1.3), POSE),
    "shifted": camera(perspective(1.3, shift=(0.31, -0.17)), POSE),
    "of oblong pixels": camera(stretched(perspective(0.8, shift=(-0.2, 0.1)), 1.0, 1.7), POSE),
    "orthographic": camera(orthographic(4.0), POSE),
    "orthographic, shifted": camera(stretched(orthographic(3.0, shift=(0.25, -0.4)), 0.6, 1.0), POSE),
}


def stated(of: Camera) -> FrameCamera:
    return frame_camera(of, 8.0 if of.is_orthographic else None)


@pytest.mark.parametrize("seen_by", CAMERAS.values(), ids=CAMERAS)
def test_the_stated_camera_projects_as_the_textbook_does(seen_by: Camera) -> None:
    generator = np.random.default_rng(3)
    local = generator.uniform([-3, -3, -20, 1], [3, 3, -0.5, 1], (500, 4))
    local[:, 3] = 1.0
    points = (local @ seen_by.world.T)[:, :3]
    what = stated(seen_by)
    what.require_sound()
    pixels = what.project(points)
    np.testing.assert_allclose(pixels, project(seen_by, points), rtol=0, atol=1e-9)
    np.testing.assert_allclose(what.depth(points), -local[:, 2], rtol=0, atol=1e-12)
    np.testing.assert_allclose(what.unproject(what.depth(points), pixels), points, rtol=0, atol=1e-9)
    # and by K and world to camera alone, as other programs do it
    seen = points @ what.world_to_camera[:3, :3].T + what.world_to_camera[:3, 3]
    if what.K is not None:
        by_hand = seen @ what.K.T
        np.testing.assert_allclose(by_hand[:, :2] / by_hand[:, 2:], pixels, rtol=0, atol=1e-9)
    else:
        p = what.projection
        np.testing.assert_allclose(seen[:, :2] * p[[0, 1], [0, 1]] + p[:2, 3], pixels, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seen_by", CAMERAS.values(), ids=CAMERAS)
def test_what_pixels_see_lies_where_they_are(seen_by: Camera) -> None:
    geometry = frame(1, seen_by, [plane("wall", POSE @ translation(0.3, 0.2, -7) @ rotation(1, 0.4), 30.0)])
    seen = raster.draw(geometry)
    assert np.isfinite(seen.depth).mean() > 0.5
    rows, columns = np.nonzero(np.isfinite(seen.depth))
    xy = np.stack([columns, rows], axis=-1)
    points = stated(seen_by).unproject(seen.depth[rows, columns], xy)
    # on the plane of the wall, which knows nothing of pixels
    local = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ np.linalg.inv(geometry.matrices[0]).T
    assert np.abs(local[:, 2]).max() < 1e-9


def test_nothing_is_seen_behind_a_camera() -> None:
    what = stated(camera(perspective(1.0)))
    assert np.isnan(what.project([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])).all()
    assert what.depth([0.0, 0.0, 1.0]) == -1.0
    assert np.isfinite(stated(camera(orthographic(1.0))).project([0.0, 0.0, 1.0])).all()


def scene(number: int, projection: np.ndarray) -> FrameGeometry:
    """A wall and a box that stand still, and a box that flies, before a camera that moves."""
    view = translation(0.2 * number, -0.1 * number, 0.3 * number) @ rotation(1, 0.05 * number)
    things = [
        plane("wall", translation(0, 0, -9) @ rotation(0, 0.2), 30.0),
        cube("still", translation(-1, 0.4, -6) @ rotation(1, 0.5)),
        cube("flies", translation(1.5 + 0.3 * number, -0.3, -5)),
    ]
    return frame(number, camera(projection, view), things)


def held(
    projection: np.ndarray, broken: FrameCamera | None = None, still: bool = True
) -> tuple[Reprojection, Reprojection]:
    """From frame 0 to frame 1 and back; the second frame's camera may be stated otherwise than it is."""
    frames = [scene(number, projection) for number in range(2)]
    if not still:
        moved = frames[1].matrices.copy()
        moved[:, 0, 3] += 1e-3
        frames[1] = replace(frames[1], matrices=moved)
    seen = [raster.draw(one) for one in frames]
    cameras = [stated(one.camera) for one in frames]
    if broken is not None:
        cameras[1] = broken
    found = []
    for source, target in ((0, 1), (1, 0)):
        motion = compute_motion(frames[source], seen[source], frames[target])
        both = cameras[source], cameras[target]
        found.append(reprojection(frames[source], seen[source], frames[target], motion, both))
    return found[0], found[1]


@pytest.mark.parametrize("projection", [perspective(1.3, shift=(0.1, -0.2)), orthographic(5.0, shift=(0.2, 0.1))])
def test_flow_of_what_stands_still_is_that_of_depth_and_cameras(projection: np.ndarray) -> None:
    for found in held(projection):
        assert found.error is not None
        assert found.error < 2e-6
        assert 0.5 < found.compared < 1.0


@pytest.mark.parametrize("projection", [perspective(1.3, shift=(0.1, -0.2)), orthographic(5.0, shift=(0.2, 0.1))])
def test_flow_and_change_of_depth_lead_to_the_same_point_of_the_world(projection: np.ndarray) -> None:
    source, target = (scene(number, projection) for number in range(2))
    seen = raster.draw(source)
    motion = compute_motion(source, seen, target)
    change = depth_change(seen, motion)
    assert change.dtype == np.float32
    surfaces = seen.instance != raster.BACKGROUND
    assert np.array_equal(np.isfinite(change), surfaces & motion.valid)
    # what is not finite is not known, and never infinite
    assert not np.isinf(change).any()
    y, x = np.nonzero(surfaces & motion.valid)
    here = stated(source.camera).unproject(seen.depth[y, x], np.stack([x, y], axis=-1))
    ends = np.stack([x, y], axis=-1) + motion.flow[y, x]
    there = stated(target.camera).unproject(seen.depth[y, x] + change[y, x], ends)
    flies = seen.instance[y, x] == source.keys.index("flies")
    assert flies.sum() > 20
    assert (~flies).sum() > 200
    np.testing.assert_allclose((there - here)[~flies], 0.0, atol=1e-5)
    # the matrices of the scene say how far it flies
    np.testing.assert_allclose((there - here)[flies], [[0.3, 0.0, 0.0]] * flies.sum(), atol=1e-5)


def test_what_moves_is_not_compared() -> None:
    assert held(perspective(1.3), still=False) == (Reprojection(None, 0.0), Reprojection(None, 0.0))


def shifted(of: FrameCamera) -> FrameCamera:
    matrix = of.projection.copy()
    matrix[0, 2] += 0.5
    return replace(of, projection=matrix)


def widened(of: FrameCamera) -> FrameCamera:
    matrix = of.projection.copy()
    matrix[0, 0] *= 1.001
    return replace(of, projection=matrix)


def in_blender_axes(of: FrameCamera) -> FrameCamera:
    return replace(of, world_to_camera=np.linalg.inv(of.matrix_world))


@pytest.mark.parametrize("breaking", [shifted, widened, in_blender_axes, "frame before"])
def test_a_broken_camera_fails_the_gate(breaking: object) -> None:
    projection = perspective(1.3)
    right = stated(scene(1, projection).camera)
    broken = stated(scene(0, projection).camera) if breaking == "frame before" else breaking(right)  # type: ignore[operator]
    both = held(projection, broken)
    figures = [{"reprojection_error": found.error, "reprojection_compared": found.compared} for found in both]
    pair = {"source": 0, "target": 1, "held": False, "forward": figures[0], "backward": figures[1]}
    thresholds = Thresholds.of(Quality())
    failures = judge([], [pair], thresholds)
    assert [failure["direction"] for failure in failures] == ["forward", "backward"]
    assert {failure["figure"] for failure in failures} == {"reprojection_error"}
    assert all(np.isfinite(failure["value"]) for failure in failures)
    assert all("Camera" in failure["message"] for failure in failures)
    sound = {"reprojection_error": held(projection)[0].error}
    assert not judge([], [pair | {"forward": sound, "backward": sound}], thresholds)


def test_pictures_are_as_large_as_their_camera_says() -> None:
    what = stated(CAMERAS["perspective"])
    assert (what.width, what.height) == (WIDTH, HEIGHT)
    assert what.K is not None
    # without shift the axis meets the middle of the picture, half a pixel before that of the last pixel's edge
    np.testing.assert_allclose(what.K[:2, 2], [WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5])
