"""Exact optical flow between two frames from their geometry.

For each pixel centre of the source frame: the surface point seen there, the same point of the same surface in the
target frame, and where that frame's own camera sees it.  Where the surface does not exist in the target frame, or its
points cannot be told apart, the flow is unknown; it is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    """Where the surface points of one frame are at another, as far as pictures tell.

    Attributes:
        flow: ``(H, W, 2)`` float32, pixels, :data:`~animerun_gen.conventions.UNKNOWN_FLOW` where not valid.
        valid: ``(H, W)`` bool, where the flow is known exactly.
    """

    flow: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PointMotion(Motion):
    """The same, and which points they are.

    Attributes:
        x: ``(H, W)`` float64, pixels, where the point is seen in the target frame; NaN where not valid.
        y: ``(H, W)`` float64, likewise.
        depth: ``(H, W)`` float64, its distance along the target's view axis; ``inf`` on the background.
        counterpart: ``(H, W)`` int32, the target frame's instance on which it lies, -1 on the background and where
            not valid.
        triangle: ``(H, W)`` int32, the triangle of that instance's mesh, likewise.
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    depth: npt.NDArray[np.float64]
    counterpart: npt.NDArray[np.int32]
    triangle: npt.NDArray[np.int32]


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
    motion = empty_motion(seen.instance.shape)
    points = _points_for(motion, seen.instance.shape)
    _Follower(source, seen, target, background, twins).follow(range(len(seen.instance)), points)
    return points


def empty_motion(shape: tuple[int, ...]) -> Motion:
    """A motion that is to be filled, of which nothing is set: to touch so much memory takes as long as to fill it."""
    return Motion(np.empty((*shape, 2), np.float32), np.empty(shape, bool))


def follow_in_bands(
    source: FrameGeometry,
    seen: VisibilityBuffer,
    target: FrameGeometry,
    background: BackgroundMotion,
    motion: Motion,
    twins: Counterparts | None = None,
) -> Iterator[tuple[slice, PointMotion]]:
    """The same as :func:`compute_motion`, some rows at a time.

    Points take four times the memory of their flow.  Of most pairs flow is kept, and nothing is asked of points that
    could not be answered at once.

    Args:
        source: As in :func:`compute_motion`.
        seen: Likewise.
        target: Likewise.
        background: Likewise.
        motion: Is filled, of the whole frame.
        twins: As in :func:`compute_motion`.

    Yields:
        Which rows are done, and the motion of their points; all of it but flow and validity is overwritten after that.
    """
    height, width = seen.instance.shape
    follower = _Follower(source, seen, target, background, twins)
    count = max(1, min(height, raster.AT_ONCE // width))
    points = _points_for(motion, (count, width))
    for top in range(0, height, count):
        rows = range(top, min(top + count, height))
        part, used = slice(rows.start, rows.stop), slice(len(rows))
        band = PointMotion(
            motion.flow[part],
            motion.valid[part],
            points.x[used],
            points.y[used],
            points.depth[used],
            points.counterpart[used],
            points.triangle[used],
        )
        follower.follow(rows, band)
        yield part, band


def _points_for(motion: Motion, shape: tuple[int, ...]) -> PointMotion:
    x, y, depth = (np.empty(shape) for _ in range(3))
    counterpart, triangle = (np.empty(shape, np.int32) for _ in range(2))
    return PointMotion(motion.flow, motion.valid, x, y, depth, counterpart, triangle)


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
    return hidden_in(motion, raster.Hiding(target))


def hidden_in(motion: PointMotion, target: raster.Hiding) -> npt.NDArray[np.bool_]:
    """The same of some rows of the source frame, held against what was made ready of the target frame."""
    hidden = target.hidden(
        motion.x.ravel(),
        motion.y.ravel(),
        motion.depth.ravel(),
        motion.counterpart.ravel(),
        motion.triangle.ravel(),
    )
    return hidden.reshape(motion.valid.shape)
