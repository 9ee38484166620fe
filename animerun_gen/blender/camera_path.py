"""The way of a camera through the key frames of a configuration; no ``bpy`` in here.

Location, target, focal length and roll each run through their keys as monotone cubic curves (Fritsch and Butland, "A
method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5, 1984): smooth, never
beyond the two keys around a frame, and still between two equal keys.  Before the first key and behind the last one
nothing moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.config.model import CameraKey
from animerun_gen.errors import SceneError

Float64Array = npt.NDArray[np.float64]

UPRIGHT = 1e-6
"""Share of a view direction that must be horizontal to tell where the top of the picture is."""


@dataclass(frozen=True)
class CameraPath:
    """A camera at ``n`` frames.

    Attributes:
        frames: ``(n,)`` int64.
        location: ``(n, 3)`` float64, world coordinates.
        rotation: ``(n, 3, 3)`` float64, camera to world; the columns are the camera's right, up and back.
        lens: ``(n,)`` float64, focal length in millimetres.
        distance: ``(n,)`` float64, from the camera to its target.
    """

    frames: npt.NDArray[np.int64]
    location: Float64Array
    rotation: Float64Array
    lens: Float64Array
    distance: Float64Array


def camera_path(keys: Sequence[CameraKey], first: int, last: int) -> CameraPath:
    """Where a camera is at every frame of a range.

    The horizon is level but for the roll.  A camera that looks straight up or down has the heading of the closest frame
    at which it does not; one that never does otherwise has the world's +y at the top of its picture.

    Args:
        keys: At least one, of ascending frames.
        first: First frame wanted.
        last: Last frame wanted.

    Returns:
        The camera at each of them, whatever the range the same.

    Raises:
        SceneError: Between two keys the camera meets its target.
    """
    # of all frames that the keys span, because a heading may come from any of them
    start, end = min(first, keys[0].frame), max(last, keys[-1].frame)
    frames = np.arange(start, end + 1)
    location = _smooth(keys, frames, [key.location for key in keys])
    view = _smooth(keys, frames, [key.target for key in keys]) - location
    distance = np.linalg.norm(view, axis=1)
    met = distance <= 1e-9 * (1.0 + np.abs(location).max(axis=1))
    if met.any():
        raise SceneError(
            f"camera_motion.keyframes: in frame {frames[met][0]} the camera stands where it looks",
            remedy="let the target or the location go another way between the keys",
        )
    view /= distance[:, None]
    heading = _headings(view[:, :2])
    right = np.stack([heading[:, 1], -heading[:, 0], np.zeros(len(frames))], axis=1)
    up = np.cross(right, view)
    roll = np.radians(_smooth(keys, frames, [(key.roll,) for key in keys]))
    cosine, sine = np.cos(roll), np.sin(roll)
    rotation = np.stack([cosine * right - sine * up, cosine * up + sine * right, -view], axis=2)
    lens = _smooth(keys, frames, [(key.lens,) for key in keys])[:, 0]
    wanted = slice(first - start, last - start + 1)
    return CameraPath(frames[wanted], location[wanted], rotation[wanted], lens[wanted], distance[wanted])


def _smooth(
    keys: Sequence[CameraKey], frames: npt.NDArray[np.int64], values: Sequence[Sequence[float]]
) -> Float64Array:
    """``(n, d)``: the curve through one value of ``d`` numbers a key."""
    points = np.array(values, np.float64)
    if len(keys) == 1:
        return np.repeat(points, len(frames), axis=0)
    # loading it takes 0.2 s, and few of the Blenders that load this file have a path to follow
    from scipy.interpolate import PchipInterpolator

    times = np.array([key.frame for key in keys], np.float64)
    return PchipInterpolator(times, points, axis=0)(np.clip(frames, times[0], times[-1]))


def _headings(horizontal: Float64Array) -> Float64Array:
    """Unit vectors ``(n, 2)`` along the horizontal parts of view directions; the closest one where there is none."""
    length = np.linalg.norm(horizontal, axis=1)
    known = np.flatnonzero(length > UPRIGHT)
    if not len(known):
        return np.tile([0.0, 1.0], (len(horizontal), 1))
    frames = np.arange(len(horizontal))
    after = np.clip(np.searchsorted(known, frames), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(known[before] - frames) <= np.abs(known[after] - frames)
    closest = known[np.where(nearer, before, after)]
    return horizontal[closest] / length[closest, None]
