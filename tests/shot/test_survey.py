from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.shot.shot import Survey
from animerun_gen.shot.survey import SurveyBuilder, held_step
from tests.motion.synthetic import Thing, camera, cube, frame, perspective, plane, translation
from tests.shot.shots import SURVEY

STILL = camera(perspective(1.5))
MOVED = replace(STILL, world=translation(0.1, 0, 0))
NAMES = {1: "box", 2: "floor", 3: "guest"}


def take(number: int, x: float = 0.0, seen_by: Camera = STILL, *more: Thing) -> FrameGeometry:
    return frame(number, seen_by, [cube("box", translation(x, 0, -5)), plane("floor", translation(0, -2, -6)), *more])


def look(*frames: FrameGeometry) -> Survey:
    builder = SurveyBuilder(NAMES)
    for geometry in frames:
        builder.look(geometry, 0.5)
    return builder.survey()


def test_held_frames_and_poses_held_under_a_moving_camera_are_told_apart() -> None:
    survey = look(take(1), take(2), take(3, 0, MOVED), take(4, 1, MOVED), take(5, 1, replace(MOVED, name="other")))
    assert survey.held == (1,)
    # a cut to another camera that stands at the same place is no held frame
    assert survey.posed == (2, 4)
    assert survey.frames == (1, 2, 3, 4, 5)
    assert survey.seconds == 0.5


def test_a_vertex_that_moves_ends_a_hold() -> None:
    before, after = take(1), take(2)
    after.vertices[0, 0] += np.float32(1e-6)
    assert look(before, after).held == ()


def test_changed_topology_and_what_comes_and_goes_are_named() -> None:
    guest = plane("guest", translation(1, 0, -4))
    turned = take(2, 0.0, STILL, guest)
    other = replace(take(3, 0.0, STILL), topologies=(b"another", turned.topologies[1]))
    survey = look(take(1), turned, other)
    assert survey.came_or_went == ("guest",)
    assert survey.changed_topology == ("box",)
    # the heaviest frame counts
    assert survey.instances == 3
    assert survey.triangles == 12 + 2 + 2


@pytest.mark.parametrize(
    ("held", "step"),
    [
        # drawings at 1, 3, 5, 7: frames 1, 3, 5 and 7 are shown again
        ((1, 3, 5, 7), (2, 1)),
        # drawings at 2, 4, 6, 8, and the end of one before them
        ((2, 4, 6), (2, 2)),
        ((1, 2, 4, 5, 7), None),
        ((), None),
        ((1, 2, 3, 4, 5, 6, 7), None),
        ((1, 4, 5), None),
    ],
)
def test_the_rhythm_of_animation_on_twos(held: tuple[int, ...], step: tuple[int, int] | None) -> None:
    assert held_step(replace(SURVEY, held=held)) == step


def test_animation_on_threes() -> None:
    survey = replace(SURVEY, frames=tuple(range(10, 22)), held=(10, 12, 13, 15, 16, 18, 19))
    # 11 -> 12, 14 -> 15, 17 -> 18 and 20 -> 21 change
    assert held_step(survey) == (3, 12)
