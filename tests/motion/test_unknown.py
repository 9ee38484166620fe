"""Causes of unknown motion, and what continues known motion, against an obvious slow reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.motion import raster
from animerun_gen.motion.backdrop import BackgroundMotion
from animerun_gen.motion.companions import BACKGROUND_ID, object_id_map
from animerun_gen.motion.flow import compute_motion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.unknown import CAUSES, cause_map, continued_flow, describe_unknown
from tests.motion.synthetic import Thing, camera, cube, frame, orthographic, perspective, plane, rotation, translation

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)


@st.composite
def fields(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flow whose every vector is another one, where it is known, and the object of each pixel."""
    shape = draw(SHAPES)
    valid = draw(arrays.arrays(np.bool_, shape))
    ids = draw(arrays.arrays(np.uint16, shape, elements=st.integers(0, 3)))
    flow = np.arange(2 * valid.size, dtype=np.float32).reshape(*shape, 2)
    flow[~valid] = UNKNOWN_FLOW
    return flow, valid, ids


def slowly_continued(flow: np.ndarray, valid: np.ndarray, ids: np.ndarray) -> np.ndarray:
    made = np.zeros_like(flow)
    pixels = [(row, column) for row in range(len(valid)) for column in range(valid.shape[1])]
    for row, column in pixels:
        known = [pixel for pixel in pixels if valid[pixel]]
        same = [pixel for pixel in known if ids[pixel] == ids[row, column]]
        behind = [pixel for pixel in known if ids[pixel] == BACKGROUND_ID]
        # of equally near ones the first in raster order
        if nearest := sorted(same or behind or known, key=lambda one: (one[0] - row) ** 2 + (one[1] - column) ** 2):
            made[row, column] = flow[nearest[0]]
    return made


@given(fields())
@settings(max_examples=300)
def test_the_continuation_is_the_nearest_known_motion(drawn: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    flow, valid, ids = drawn
    before = flow.copy()
    made = continued_flow(flow, valid, ids, BACKGROUND_ID)
    assert np.array_equal(made, slowly_continued(flow, valid, ids))
    assert made.dtype == np.float32
    assert np.array_equal(made[valid], flow[valid])
    assert np.array_equal(flow, before)


def scene(*things: Thing, number: int = 1, **how: Any) -> FrameGeometry:
    return frame(number, how.get("camera", camera(perspective(1.1))), list(things))


def causes_of(
    source: FrameGeometry, target: FrameGeometry, background: BackgroundMotion = "infinity"
) -> tuple[np.ndarray, np.ndarray, FrameGeometry]:
    seen = raster.draw(source)
    motion = compute_motion(source, seen, target, background)
    causes = cause_map(source, seen, target, motion)
    assert causes.dtype == np.uint8
    assert np.array_equal(causes == 0, motion.valid)
    return causes, seen.instance, source


HERE = cube("box", translation(0, 0, -4))


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        (scene(number=2), "absent"),
        (scene(plane("box", translation(0, 0, -4)), number=2), "unproven"),
        (scene(cube("box", translation(0, 0, -4) @ np.diag([0.0, 0.0, 0.0, 1.0])), number=2), "no_area"),
        (scene(cube("box", translation(0, 0, 9)), number=2), "not_drawn"),
        (scene(cube("box", translation(900, 0, -4)), number=2), "too_far"),
    ],
)
def test_a_surface_that_cannot_be_followed_says_why(target: FrameGeometry, cause: str) -> None:
    causes, instance, _ = causes_of(scene(HERE), target)
    there = instance == 0
    assert there.sum() > 30
    assert {CAUSES[number] for number in np.unique(causes[there]).tolist()} == {cause}
    assert not causes[~there].any()


def test_the_background_and_cuts_say_why() -> None:
    causes, instance, _ = causes_of(scene(HERE), scene(HERE, number=2), "invalid")
    assert set(causes[instance < 0].tolist()) == {CAUSES.index("background")}
    assert not causes[instance == 0].any()
    turned = camera(orthographic(3.0), rotation(1, 0.1))
    causes, instance, _ = causes_of(scene(HERE, camera=camera(orthographic(3.0))), scene(HERE, number=2, camera=turned))
    assert set(causes[instance < 0].tolist()) == {CAUSES.index("background")}
    other = camera(perspective(1.1), name="Close")
    causes, _, _ = causes_of(scene(HERE), scene(HERE, number=2, camera=other))
    assert set(causes.ravel().tolist()) == {CAUSES.index("camera")}


def test_what_is_unknown_is_told_by_object_and_cause() -> None:
    left, right = cube("left", translation(-1, 0, -4)), cube("right", translation(1, 0, -4))
    source = scene(left, right)
    seen = raster.draw(source)
    target = scene(right, number=2)
    motion = compute_motion(source, seen, target)
    ids = object_id_map(source, seen)
    causes = cause_map(source, seen, target, motion)
    [told] = describe_unknown(causes, ids, {int(number): f"object {number}" for number in np.unique(ids)})
    rows, columns = np.nonzero(~motion.valid)
    assert told == {
        "object": f"object {ids[rows[0], columns[0]]}",
        "cause": "absent",
        "pixels": len(rows),
        "box": [columns.min(), rows.min(), columns.max(), rows.max()],
    }
