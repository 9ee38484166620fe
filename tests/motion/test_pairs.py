"""The motion of a pair in bands of rows is that of the whole picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from animerun_gen.motion import companions, raster
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.pairs import pair_motion
from tests.motion.synthetic import (
    WIDTH,
    Thing,
    camera,
    cube,
    frame,
    perspective,
    pixel_grid,
    plane,
    rotation,
    soup,
    translation,
)


def two_frames() -> tuple[FrameGeometry, FrameGeometry]:
    """Things before each other, of which one turns, one goes, one changes its material; the camera rolls."""
    generator = np.random.default_rng(5)
    crowd = soup(generator, 60)
    wall, box = plane("wall", translation(0, 0, -9), 6.0), cube("box", translation(-0.5, 0, -5))

    def placed(thing: Thing, matrix: np.ndarray) -> Thing:
        return dataclasses.replace(thing, matrix=matrix @ thing.matrix)

    gone = cube("gone", translation(0.8, 0.6, -4))
    first = frame(1, camera(perspective(1.1)), [crowd, wall, box, gone])
    second = frame(
        2,
        camera(perspective(1.2), rotation(2, 0.8)),
        [crowd, wall, placed(box, translation(0.3, 0.1, 0.2) @ rotation(2, 0.3))],
    )
    materials = second.slot_materials.copy()
    materials[second.slot_start[1]] += 1
    return first, dataclasses.replace(second, slot_materials=materials)


@pytest.mark.parametrize("at_once", [1, 3 * WIDTH + 5, 1 << 21], ids=("a row", "three rows", "all"))
def test_bands_make_the_whole(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two_frames()
    for source, target in ((first, second), (second, first)):
        seen = raster.draw(source)
        monkeypatch.setattr(raster, "AT_ONCE", 1 << 21)
        motion = compute_motion(source, seen, target)
        occluded = exact_occlusion(motion, target)
        switched = companions.switched_materials(source, seen, motion, target)
        change = companions.depth_change(seen, motion)
        monkeypatch.setattr(raster, "AT_ONCE", at_once)
        found = pair_motion(source, seen, target, occlusion=True, switched=True, depth_change=True)
        assert np.array_equal(found.flow, motion.flow)
        assert np.array_equal(found.valid, motion.valid)
        assert found.occluded is not None
        assert found.switched is not None
        assert found.depth_change is not None
        assert np.array_equal(found.occluded, occluded)
        assert np.array_equal(found.switched, switched)
        assert np.array_equal(found.depth_change, change, equal_nan=True)
        assert 0 < occluded[motion.valid].mean() < 1
        assert 0 < switched.mean() < 1


def test_what_nobody_asks_for_is_not_made() -> None:
    first, second = two_frames()
    found = pair_motion(first, raster.draw(first), second)
    assert found.occluded is None
    assert found.switched is None
    assert found.depth_change is None


@pytest.mark.parametrize("at_once", [1, 100])
def test_points_in_any_order_may_come_bit_by_bit(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    geometry, _ = two_frames()
    seen = raster.draw(geometry)
    x, y = pixel_grid()
    points = (x, y, seen.depth.ravel() * 1.2, seen.instance.ravel(), seen.triangle.ravel())
    hidden = raster.hidden_points(geometry, *points)
    assert 0.1 < hidden.mean() < 0.9
    shuffled = np.random.default_rng(0).permutation(len(x))[:: 7 if at_once == 1 else 1]
    monkeypatch.setattr(raster, "AT_ONCE", at_once)
    assert np.array_equal(raster.hidden_points(geometry, *(each[shuffled] for each in points)), hidden[shuffled])
