"""Finds hard cuts that are keyed on one camera: frames between which it jumps to another view of the world.

What is judged is the way of the camera, first by itself and then, where it seems to jump, with what the two frames
show.  A cut is a step of the camera

- that moves the picture far, unlike the steps around it, as no pan, whip, zoom or ride does, which have begun before or
  go on; frames in which the camera is held count as none, so that a camera animated on twos is judged by its steps;
- after which little is seen of what was seen before, or before which little of what is seen after.

A step is measured in pictures: 1 is a turn by the angle of view, a shift by the picture's width at the depth that is
looked at, a zoom by the factor e.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from animerun_gen.motion import raster
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.geometry import Camera, Float64Array, FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer

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

ABRUPT = 8.0
"""Beside a step that is so many times as long, a neighbour is calm."""

FAR = (0.5, 0.5, 0.15)
"""A cut moves the picture at least so far: by how many of its neighbours are calm."""

SHARED = (0.1, 0.5, 0.75)
"""Of a cut, less than this share of the picture is seen before and after: by how many of its neighbours are calm."""

FLAT_TURN = np.radians(40.0)
"""The angle by which an orthographic camera, which has no angle of view, turns by a picture."""

SAME_DEPTH = 0.1
"""Two depths that differ by a smaller share are of one surface."""

LOOKED_AT = 160
"""Pixels along the longer side of the pictures in which it is looked up what two frames share."""


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


@dataclass(frozen=True)
class View:
    """What the camera of a frame sees, in a small picture.

    Attributes:
        geometry: The frame.
        seen: What each pixel of the picture sees.
    """

    geometry: FrameGeometry
    seen: VisibilityBuffer

    @classmethod
    def of(cls, geometry: FrameGeometry) -> View:
        """Look at a frame, whatever the size of its picture."""
        camera = geometry.camera
        scale = min(1.0, LOOKED_AT / max(camera.width, camera.height))
        width, height = max(1, round(camera.width * scale)), max(1, round(camera.height * scale))
        small = replace(geometry, camera=replace(camera, width=width, height=height))
        return cls(small, raster.draw(small))

    @property
    def usual_depth(self) -> float:
        """The median depth of the surfaces that are seen; ``inf`` where there are none."""
        surfaces = self.seen.depth[np.isfinite(self.seen.depth)]
        return float(np.median(surfaces)) if len(surfaces) else np.inf


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


def is_cut(steps: CameraSteps, step: int, before: View, after: View) -> bool:
    """Whether a step is a cut.

    Args:
        steps: The way of the camera, :data:`WINDOW` steps around the one in question or what there is of them.
        step: Which of the steps.
        before: What the camera sees before it.
        after: What it sees after it.
    """
    taken = steps.at_depth(min(before.usual_depth, after.usual_depth))
    length = float(np.linalg.norm(taken[step]))
    neighbours = _neighbours(taken, step)
    if any(_are_alike(taken[step], each) for each in neighbours):
        return False
    calm = sum(length >= ABRUPT * float(np.linalg.norm(each)) for each in neighbours)
    return length >= FAR[calm] and min(shared(before, after), shared(after, before)) < SHARED[calm]


def shared(one: View, other: View) -> float:
    """How much of what one view shows is seen in another as well.

    It counts what is seen there by the motion of its surfaces, or what would be if only the camera moved, whichever is
    more: surfaces may be nobody's in the other frame, and a camera may be carried along with all that it sees.

    Returns:
        A share of the pixels of ``one``.
    """
    motion = compute_motion(one.geometry, one.seen, other.geometry)
    followed = ~exact_occlusion(motion, other.geometry)
    return max(float(followed.mean()), _shared_if_still(one, other))


def _shared_if_still(one: View, other: View) -> float:
    """The share of a view's pixels whose places in the world the other view sees, in a world that stands still."""
    camera, target = one.geometry.camera, other.geometry.camera
    row, column = np.indices(one.seen.depth.shape, np.float64)
    across = 2.0 * (column + 0.5) / camera.width - 1.0
    up = 1.0 - 2.0 * (row + 0.5) / camera.height
    projection = camera.projection
    is_sky = ~np.isfinite(one.seen.depth)
    depth = np.where(is_sky, 1.0, one.seen.depth)
    points = np.ones((*depth.shape, 4))
    if camera.is_orthographic:
        points[..., 0] = (across - projection[0, 3]) / projection[0, 0]
        points[..., 1] = (up - projection[1, 3]) / projection[1, 1]
    else:
        points[..., 0] = depth * (across + projection[0, 2]) / projection[0, 0]
        points[..., 1] = depth * (up + projection[1, 2]) / projection[1, 1]
        # the sky is seen in a direction
        points[is_sky, 3] = 0.0
    points[..., 2] = -depth
    seen = points @ (target.pixel_matrix() @ camera.world).T
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.rint(seen[..., :2] / seen[..., 3:])
    inside = (seen[..., 2] > 0.0) & (place >= 0).all(axis=-1)
    inside &= (place[..., 0] < target.width) & (place[..., 1] < target.height)
    there = place[inside].astype(np.int64)
    found = other.seen.depth[there[:, 1], there[:, 0]]
    expected = seen[..., 2][inside]
    is_same = np.where(is_sky[inside], ~np.isfinite(found), np.abs(found - expected) <= SAME_DEPTH * expected)
    return float(is_same.sum() / depth.size)


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
    if not length > 0.0 or any(_are_alike(steps[step], each) for each in _neighbours(steps, step)):
        return False
    lengths = np.linalg.norm(steps[max(0, step - WINDOW) : step + WINDOW + 1], axis=1)
    moving = lengths > HELD * length
    here = min(step, WINDOW)
    moving[here] = False
    if not moving[max(0, here - 1) : here + 2].any() or moving.sum() < SELDOM:
        return True
    return length >= OUTSTANDING * float(np.median(lengths[moving]))


def _neighbours(steps: Float64Array, step: int) -> tuple[Float64Array, Float64Array]:
    """The steps before and after one that move the camera; nothing but zeros where none near it does."""
    least = HELD * float(np.linalg.norm(steps[step]))

    def first_moving(numbers: range) -> Float64Array:
        for number in numbers:
            if 0 <= number < len(steps) and float(np.linalg.norm(steps[number])) > least:
                return steps[number]
        return np.zeros(steps.shape[1])

    return first_moving(range(step - 1, step - NEAR - 1, -1)), first_moving(range(step + 1, step + NEAR + 1))


def _are_alike(one: Float64Array, other: Float64Array) -> bool:
    longer = max(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    return float(np.linalg.norm(one - other)) < ALIKE * longer
