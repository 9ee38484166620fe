"""Exact optical flow between two frames from their geometry.

For each pixel centre of the source frame: the surface point seen there, the same point of the same surface in the
target frame, and where that frame's own camera sees it.  Where the surface does not exist in the target frame, or its
points cannot be told apart, the flow is unknown; it is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import longest_motion
from animerun_gen.motion import raster
from animerun_gen.motion.backdrop import BackgroundMotion, backdrop
from animerun_gen.motion.counterparts import Counterparts, find_counterparts
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.kernels import following
from animerun_gen.motion.raster import VisibilityBuffer


@dataclass(frozen=True)
class Motion:
    """Where the surface points of one frame are at another.

    Attributes:
        flow: ``(H, W, 2)`` float32, pixels, :data:`~animerun_gen.conventions.UNKNOWN_FLOW` where not valid.
        valid: ``(H, W)`` bool, where the flow is known exactly.
        counterpart: ``(H, W)`` int32, the target frame's instance on which the point lies, -1 on the background and
            where not valid.
        triangle: ``(H, W)`` int32, the triangle of that instance's mesh, likewise.
    """

    flow: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_]
    counterpart: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]


@dataclass(frozen=True)
class PointMotion(Motion):
    """The same, and where exactly the points are.

    Attributes:
        x: ``(H, W)`` float64, pixels, where the point is seen in the target frame; NaN where not valid.
        y: ``(H, W)`` float64, likewise.
        depth: ``(H, W)`` float64, its distance along the target's view axis; ``inf`` on the background.
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]


def compute_motion(
    source: FrameGeometry,
    seen: VisibilityBuffer,
    target: FrameGeometry,
    background: BackgroundMotion = "infinity",
    twins: Counterparts | None = None,
) -> PointMotion:
    """The exact flow from one frame to another.

    Args:
        source: The frame whose pixels the flow is given for.
        seen: What the source frame sees.
        target: The frame the flow points into; earlier or later, any number of frames away.
        background: How the world behind all surfaces moves: ``infinity``, as points infinitely far away (behind an
            orthographic camera: as a backdrop that stands still in the world, unknown once the camera turns);
            ``static``, not at all in the picture; ``invalid``, unknown.
        twins: What of the target frame is what of the source frame, where that is known already.

    Returns:
        The motion of every pixel.  It is unknown where the point is not proven to be there
        (:mod:`~animerun_gen.motion.counterparts`), lies on a triangle that has no area in the target, is nearer than
        what the target's camera draws, or moves farther than :func:`~animerun_gen.conventions.longest_motion`.
    """
    shape = seen.instance.shape
    motion = PointMotion(*_room(shape), np.empty(shape), np.empty(shape), np.empty(shape))
    _Follower(source, seen, target, background, twins).follow(range(shape[0]), motion)
    return motion


def motion_and_occlusion(
    source: FrameGeometry,
    seen: VisibilityBuffer,
    target: FrameGeometry,
    background: BackgroundMotion = "infinity",
) -> tuple[Motion, npt.NDArray[np.bool_]]:
    """The exact flow from one frame to another, and which surface points cannot be seen in the other.

    Args:
        source: As in :func:`compute_motion`.
        seen: Likewise.
        target: Likewise.
        background: Likewise.

    Returns:
        What :func:`compute_motion` and :func:`exact_occlusion` return.  Where exactly the points are is forgotten
        rows by rows, or else it would fill three times the memory of the flow.
    """
    shape = seen.instance.shape
    motion, hidden = Motion(*_room(shape)), np.empty(shape, bool)
    follower, hiding = _Follower(source, seen, target, background, None), raster.Hiding(target)
    count = max(1, min(shape[0], raster.AT_ONCE // shape[1]))
    x, y, depth = (np.empty((count, shape[1])) for _ in range(3))
    for top in range(0, shape[0], count):
        rows = range(top, min(top + count, shape[0]))
        part, used = slice(rows.start, rows.stop), slice(len(rows))
        points = PointMotion(
            motion.flow[part],
            motion.valid[part],
            motion.counterpart[part],
            motion.triangle[part],
            x[used],
            y[used],
            depth[used],
        )
        follower.follow(rows, points)
        hidden[part] = _hidden(points, hiding)
    return motion, hidden


def _room(
    shape: tuple[int, ...],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """What :class:`Motion` holds, to be filled: to touch so much memory takes as long as to compute what it holds."""
    counterpart, triangle = (np.empty(shape, np.int32) for _ in range(2))
    return np.empty((*shape, 2), np.float32), np.empty(shape, bool), counterpart, triangle


class _Follower:
    """Follows the points of some rows of a frame at a time; the arguments are those of :func:`compute_motion`."""

    def __init__(
        self,
        source: FrameGeometry,
        seen: VisibilityBuffer,
        target: FrameGeometry,
        background: BackgroundMotion,
        twins: Counterparts | None,
    ) -> None:
        self._seen = seen
        if twins is None:
            twins = find_counterparts(source, target)
        self._told = (
            raster.meshes(source),
            raster.meshes(target),
            (twins.instance, twins.start, twins.triangle, twins.corners),
            *backdrop(source.camera, target.camera, background),
            target.camera.clip_start,
            longest_motion(source.camera.width),
        )

    def follow(self, rows: range, motion: PointMotion) -> None:
        """Fill the motion of some rows of the frame."""
        part = slice(rows.start, rows.stop)
        following.follow(
            self._seen.instance[part],
            self._seen.triangle[part],
            rows.start,
            *self._told,
            (motion.flow, motion.valid, motion.x, motion.y, motion.depth, motion.counterpart, motion.triangle),
        )


def exact_occlusion(motion: PointMotion, target: FrameGeometry) -> npt.NDArray[np.bool_]:
    """Which surface points of the source frame cannot be seen in the target frame.

    Args:
        motion: The motion from the source into the target frame.
        target: The target frame.

    Returns:
        ``(H, W)`` bool, True where the point is behind another surface of the target frame or of its own, on a triangle
        that covers nothing of the picture, outside the picture or the clipping range; also True where the motion is
        unknown.
    """
    return _hidden(motion, raster.Hiding(target))


def _hidden(motion: PointMotion, hiding: raster.Hiding) -> npt.NDArray[np.bool_]:
    hidden = hiding.hidden(
        motion.x.ravel(),
        motion.y.ravel(),
        motion.depth.ravel(),
        motion.counterpart.ravel(),
        motion.triangle.ravel(),
    )
    return hidden.reshape(motion.valid.shape)
