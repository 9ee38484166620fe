"""The key light of a frame, and the cameras that look from it: what they do not see lies in its shadow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen.motion.geometry import Camera
from animerun_gen.shade.kernels import extents

Float64Array = npt.NDArray[np.float64]

WIDEST = 65.0
"""Degrees from its axis up to which one camera looks at all points; six look where they lie farther apart."""

MARGIN = 1.001
"""So much wider than the points lie the picture of such a camera is."""

NEAREST = 1e-6
"""What is nearer to a light than this share of the nearest point's distance casts no shadow: it is the light."""


@dataclass(frozen=True)
class Light:
    """A light as a painter of cels thinks of it: it shines from one place, or in one direction.

    Attributes:
        place: ``(3,)`` float64, where it is in the world; None for parallel light.
        direction: ``(3,)`` float64, unit vector, in which parallel light shines; of a light with a place the axis.
        cosine: Least cosine between its axis and what a light with a place shines at; -1 for all directions.

    Example:
        >>> sun = Light.parallel(np.array([0.0, 0.0, -2.0]))
        >>> sun.direction.tolist()
        [0.0, 0.0, -1.0]
    """

    place: Float64Array | None
    direction: Float64Array
    cosine: float = -1.0

    @classmethod
    def parallel(cls, direction: Float64Array) -> Light:
        """Light that shines in one direction, ``(3,)`` float64 of any length but zero."""
        return cls(None, direction / np.linalg.norm(direction))


def cameras_of(light: Light, points: Float64Array, pixels: int) -> Iterator[tuple[Camera, npt.NDArray[np.intp]]]:
    """Cameras that look from a light, and at which of many points each of them looks.

    Args:
        light: The light.
        points: ``(n, 3)`` float64 in the world, at least one.
        pixels: How many pixels their pictures have, about: no answer depends on it.

    Yields:
        A camera, and the indices ``(m,)`` of the points in its picture; each point is in one of them.  The clipping
        range of a camera holds everything that lies before its points.
    """
    if light.place is None:
        yield _orthographic(light.direction, points, pixels), np.arange(len(points))
        return
    # what lies in the light itself is lit, whatever it is: nothing can be before it
    together, low, high = np.zeros(3), np.empty(2), np.empty(2)
    nearest = NEAREST * extents.look_around(points, light.place, light.direction, together)
    length = np.linalg.norm(together)
    if length > 0.0:
        turned = _frame(together / length)
        if extents.cone(points, light.place, light.direction, turned, low, high) > np.cos(np.radians(WIDEST)):
            yield _perspective(light.place, turned, low, high, pixels, nearest), np.arange(len(points))
            return
    apart = points - light.place
    apart[~apart.any(axis=1)] = light.direction
    face = 2 * np.abs(apart).argmax(axis=1)
    face += np.take_along_axis(apart, face[:, None] // 2, axis=1)[:, 0] < 0.0
    for number in np.unique(face):
        axis = np.zeros(3)
        axis[number // 2] = 1.0 - 2.0 * (number % 2)
        turned = _frame(axis)
        among = np.flatnonzero(face == number)
        extents.cone(points[among], light.place, light.direction, turned, low, high)
        yield _perspective(light.place, turned, low, high, pixels, nearest), among


def _frame(axis: Float64Array) -> Float64Array:
    """``(3, 3)`` float64, a rotation whose third column points against an axis: a camera's, that looks along it."""
    up = np.zeros(3)
    up[np.abs(axis).argmin()] = 1.0
    right = np.cross(axis, up)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(right, axis), -axis], axis=1)


def _picture(extent: Float64Array, pixels: int) -> tuple[int, int]:
    """Width and height for an extent ``(2,)``."""
    width = np.sqrt(pixels * extent[0] / extent[1])
    return max(1, min(pixels, round(width))), max(1, min(pixels, round(pixels / width)))


def _middle(low: Float64Array, high: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The middle between the least and the largest of places ``(2,)``, and half of what they take up, with a margin."""
    half = 0.5 * MARGIN * (high - low)
    # of a single point, or of a row of them, there has to be something
    farthest = max(float(np.abs(low).max()), float(np.abs(high).max()))
    return 0.5 * (low + high), np.maximum(half, 1e-6 * max(float(half.max()), farthest, 1e-300))


def _orthographic(direction: Float64Array, points: Float64Array, pixels: int) -> Camera:
    turned = _frame(direction)
    low, high = np.empty(3), np.empty(3)
    extents.box(points, turned, low, high)
    middle, half = _middle(low[:2], high[:2])
    world = np.eye(4)
    world[:3, :3] = turned
    world[:3, 3] = turned @ np.array([*middle, high[2]])
    projection = np.diag([1.0 / half[0], 1.0 / half[1], -1.0, 1.0])
    return Camera("light", world, projection, -np.inf, np.inf, *_picture(half, pixels))


def _perspective(
    place: Float64Array, turned: Float64Array, low: Float64Array, high: Float64Array, pixels: int, nearest: float
) -> Camera:
    middle, half = _middle(low, high)
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = turned, place
    projection = np.zeros((4, 4))
    projection[[0, 1], [0, 1]] = 1.0 / half
    projection[:2, 2] = middle / half
    projection[2, 2], projection[3, 2] = -1.0, -1.0
    return Camera("light", world, projection, nearest, np.inf, *_picture(half, pixels))
