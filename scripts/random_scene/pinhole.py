"""A camera of its own: from lens, sensor, shift and matrix to rays and places in the picture, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Pinhole:
    """A camera in one frame.

    Attributes:
        world: 4x4, camera to world; a scale of its axes is left out.
        perspective: False: orthographic.
        scale: Lens divided by sensor, or 1 divided by the orthographic scale.
        fit: Length in pixels of the side of the picture that the sensor is fitted to.
        shift: Shift along x and y, in units of that side.
        size: Width and height of the picture in pixels.
        clip: Nearest and farthest depth that is drawn.
    """

    world: Array
    perspective: bool
    scale: float
    fit: float
    shift: tuple[float, float]
    size: tuple[int, int]
    clip: tuple[float, float]

    @property
    def axes(self) -> Array:
        """3x3, the unit axes of the camera in the world as columns."""
        rotation = self.world[:3, :3]
        return rotation / np.linalg.norm(rotation, axis=0)

    def rays(self, pixels: Array) -> tuple[Array, Array]:
        """Origins and directions, (N, 3), through places (N, 2) in the picture; a direction is one unit deep."""
        width, height = self.size
        x = (pixels[:, 0] - (width / 2 - 0.5)) / self.fit + self.shift[0]
        y = ((height / 2 - 0.5) - pixels[:, 1]) / self.fit + self.shift[1]
        plane = np.stack([x / self.scale, y / self.scale], axis=1)
        if self.perspective:
            inside = np.column_stack([plane, np.full(len(plane), -1.0)])
            return np.broadcast_to(self.world[:3, 3], inside.shape).copy(), inside @ self.axes.T
        origins = np.column_stack([plane, np.zeros(len(plane))]) @ self.axes.T + self.world[:3, 3]
        return origins, np.broadcast_to(-self.axes[:, 2], origins.shape).copy()

    def project(self, points: Array) -> tuple[Array, Array]:
        """Places in the picture (N, 2) and depths (N,) of points of the world (N, 3); NaN at or behind the camera."""
        inside = (points - self.world[:3, 3]) @ self.axes
        return self._place(inside)

    def project_directions(self, directions: Array) -> Array:
        """Places (N, 2) of points infinitely far away; NaN where they are behind the camera."""
        return self._place(directions @ self.axes)[0]

    def _place(self, inside: Array) -> tuple[Array, Array]:
        width, height = self.size
        depth = -inside[:, 2]
        divisor = np.where(depth > 0, depth, np.nan) if self.perspective else 1.0
        x = self.fit * (inside[:, 0] / divisor * self.scale - self.shift[0]) + width / 2 - 0.5
        y = height / 2 - 0.5 - self.fit * (inside[:, 1] / divisor * self.scale - self.shift[1])
        return np.stack([x, y], axis=1), depth
