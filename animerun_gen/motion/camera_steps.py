"""How a camera moves from frame to frame, and which of its steps may be hard cuts that are keyed on it.

That is told by its way alone, without what it sees; :mod:`animerun_gen.motion.camera_jumps` looks at that as well.

A step is measured in pictures: 1 is a turn by the angle of view, a shift by the picture's width at the depth that is
looked at, a zoom by the factor e.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from animerun_gen.motion.geometry import Camera, Float64Array

WINDOW = 12
"""So many steps before and after one tell how the camera moves otherwise."""

NEAR = 4
"""Among so many steps before and after, the next ones that move are the neighbours of a step."""

ALIKE = 0.6
"""Two neighbouring steps are of one movement when they differ by less than this share of the larger one."""

SELDOM = 8
"""A camera that moves in fewer of the steps around one stands still, and any step of it stands out."""

HELD = 1e-3
"""Beside a step, one of less than this share of it counts as none."""

OUTSTANDING = 3.0
"""A step that may be a cut is so many times as long as is usual around it."""

FAR = (0.5, 0.5, 0.15)
"""A cut moves the picture at least so far: by how many of its neighbours are calm."""

FLAT_TURN = np.radians(40.0)
"""The angle by which an orthographic camera, which has no angle of view, turns by a picture."""


@dataclass(frozen=True)
class CameraSteps:
    """How a camera moves from each of ``n`` consecutive frames to the next.

    Attributes:
        view: ``(n - 1, 8)`` float64, in pictures: its turn to the side, up, and about its axis; its shift to the side
            and up; its zoom; and how far an orthographic camera travels to the side and up.
        travel: ``(n - 1, 3)`` float64, how far a perspective camera travels to the side, up and backwards: in pictures
            times the depth that is looked at.
        nearest: ``(n - 1,)`` float64, a depth before which nothing is seen in either frame.
    """

    view: Float64Array
    travel: Float64Array
    nearest: Float64Array

    def at_depth(self, depth: float) -> Float64Array:
        """``(n - 1, 11)`` float64: the steps in pictures, where a depth is looked at; ``inf`` for nothing but sky."""
        return np.concatenate([self.view, self.travel / depth], axis=1)

    def part(self, start: int, stop: int) -> CameraSteps:
        """The steps from one number to before another."""
        return CameraSteps(self.view[start:stop], self.travel[start:stop], self.nearest[start:stop])


def camera_steps(cameras: Sequence[Camera]) -> CameraSteps:
    """Measure the way of a camera.

    Args:
        cameras: One camera at consecutive frames, at least two.
    """
    steps = [_step(one, other) for one, other in pairwise(cameras)]
    return CameraSteps(
        np.array([view for view, _ in steps]),
        np.array([travel for _, travel in steps]),
        np.array([min(one.clip_start, other.clip_start) for one, other in pairwise(cameras)]),
    )


def may_be_cut(steps: CameraSteps, step: int) -> bool:
    """Whether a step stands out so that it may be a cut, whatever the camera sees.

    Args:
        steps: The way of the camera, :data:`WINDOW` steps around the one in question or what there is of them.
        step: Which of the steps.
    """
    # what is too short for a cut even beside what is nearest need not be looked at
    if float(np.linalg.norm(steps.at_depth(float(steps.nearest[step]))[step])) < min(FAR):
        return False
    return _stands_out(steps.view, step) or _stands_out(steps.travel, step)


def neighbours(steps: Float64Array, step: int) -> tuple[Float64Array, Float64Array]:
    """The steps before and after one that move the camera; nothing but zeros where none near it does."""
    least = HELD * float(np.linalg.norm(steps[step]))

    def first_moving(numbers: range) -> Float64Array:
        for number in numbers:
            if 0 <= number < len(steps) and float(np.linalg.norm(steps[number])) > least:
                return steps[number]
        return np.zeros(steps.shape[1])

    return first_moving(range(step - 1, step - NEAR - 1, -1)), first_moving(range(step + 1, step + NEAR + 1))


def are_alike(one: Float64Array, other: Float64Array) -> bool:
    """Whether two neighbouring steps are of one movement."""
    longer = max(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    return float(np.linalg.norm(one - other)) < ALIKE * longer


def _step(one: Camera, other: Camera) -> tuple[Float64Array, Float64Array]:
    """The rows of :class:`CameraSteps` for two cameras."""
    before, after = one.world[:3, :3], other.world[:3, :3]
    turn = _rotation_vector(before.T @ after)
    moved = before.T @ (other.world[:3, 3] - one.world[:3, 3])
    scale_x, scale_y = one.projection[0, 0], one.projection[1, 1]
    if one.is_orthographic or other.is_orthographic:
        angles = (FLAT_TURN, FLAT_TURN)
        shift = (other.projection[:2, 3] - one.projection[:2, 3]) / 2.0
        flat = (moved[0] * scale_x / 2.0, moved[1] * scale_y / 2.0)
        travel = np.zeros(3)
    else:
        angles = (2.0 * np.arctan(1.0 / scale_x), 2.0 * np.arctan(1.0 / scale_y))
        shift = (other.projection[:2, 2] - one.projection[:2, 2]) / 2.0
        flat = (0.0, 0.0)
        travel = np.array([moved[0] * scale_x / 2.0, moved[1] * scale_y / 2.0, moved[2]])
    zoom = np.log(other.projection[0, 0] / scale_x)
    view = [turn[1] / angles[0], turn[0] / angles[1], turn[2] / (np.pi / 2.0), *shift, zoom, *flat]
    return np.array(view, np.float64), travel


def _rotation_vector(rotation: Float64Array) -> Float64Array:
    """Axis of a rotation times its angle, ``(3,)``."""
    axis = np.array(
        [
            rotation[2, 1] - rotation[1, 2],
            rotation[0, 2] - rotation[2, 0],
            rotation[1, 0] - rotation[0, 1],
        ]
    )
    sine = float(np.linalg.norm(axis)) / 2.0
    cosine = (float(np.trace(rotation)) - 1.0) / 2.0
    angle = np.arctan2(sine, cosine)
    if sine > 1e-6:
        return axis * (angle / (2.0 * sine))
    if cosine > 0.0:
        return axis / 2.0
    # half a turn: the axis is what stays where it is
    stays = rotation + np.eye(3)
    column = stays[:, int(np.argmax(np.linalg.norm(stays, axis=0)))]
    return column / np.linalg.norm(column) * angle


def _stands_out(steps: Float64Array, step: int) -> bool:
    """Whether a step is unlike its neighbours, and longer than is usual around it."""
    length = float(np.linalg.norm(steps[step]))
    # a camera that is scaled to nothing has no numbers
    if not length > 0.0 or any(are_alike(steps[step], each) for each in neighbours(steps, step)):
        return False
    lengths = np.linalg.norm(steps[max(0, step - WINDOW) : step + WINDOW + 1], axis=1)
    moving = lengths > HELD * length
    here = min(step, WINDOW)
    moving[here] = False
    if not moving[max(0, here - 1) : here + 2].any() or moving.sum() < SELDOM:
        return True
    return length >= OUTSTANDING * float(np.median(lengths[moving]))
