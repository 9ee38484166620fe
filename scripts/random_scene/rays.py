"""Rays against triangles (Moeller and Trumbore), in float64; triangles are sorted into pixels they may cover."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from random_scene.pinhole import Pinhole

Array = np.ndarray[Any, Any]

MARGIN = 0.51
"""How far a triangle's box in the picture is widened, in pixels: a place belongs to the nearest pixel."""


EDGE = 1e-9
"""How far beyond a triangle's edge, in its own coordinates, a ray still meets it, or it would slip between two."""


class Tiles:
    """The triangles of a frame (T, 3, 3), sorted into the pixels of a camera's picture."""

    def __init__(self, camera: Pinhole, triangles: Array) -> None:
        self.camera = camera
        self.triangles = np.ascontiguousarray(triangles)
        width, height = camera.size
        places, depths = camera.project(triangles.reshape(-1, 3))
        places, depths = places.reshape(-1, 3, 2), depths.reshape(-1, 3)
        low, high = places.min(axis=1), places.max(axis=1)
        # what reaches behind the camera may be anywhere
        anywhere = (depths.min(axis=1) <= 1e-6) & camera.perspective
        low[anywhere], high[anywhere] = -1e9, 1e9
        behind = depths.max(axis=1) <= 0
        first = np.clip(np.floor(low - MARGIN), 0, [width, height]).astype(np.int64)
        last = np.clip(np.ceil(high + MARGIN), -1, [width - 1, height - 1]).astype(np.int64)
        last[behind] = -1
        first[behind] = 0
        self.start, self.members = _sort(first, last, width, height)

    def nearest(self, pixels: Array) -> tuple[Array, Array, Array, Array]:
        """What rays through places of the picture (N, 2) meet first.

        Returns:
            Triangle (N,), -1 for none; its coordinates (N, 2) of the second and third corner; depth (N,); the depth of
            what is met next (N,).
        """
        origins, directions = self.camera.rays(pixels)
        return _nearest(
            origins, directions, self._tile(pixels), self.start, self.members, self.triangles, *self.camera.clip
        )

    def covered(self, pixels: Array, depths: Array) -> Array:
        """Whether something lies before the depths (N,) on the rays through places of the picture (N, 2)."""
        origins, directions = self.camera.rays(pixels)
        tile = self._tile(pixels)
        found = _nearest(origins, directions, tile, self.start, self.members, self.triangles, *self.camera.clip)
        return found[2] < depths

    def _tile(self, pixels: Array) -> Array:
        width, height = self.camera.size
        x, y = np.rint(pixels[:, 0]), np.rint(pixels[:, 1])
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return np.where(inside, y * width + x, -1).astype(np.int64)


@numba.njit(cache=True)
def _sort(first: Array, last: Array, width: int, height: int) -> tuple[Array, Array]:
    start = np.zeros(width * height + 1, np.int64)
    for t in range(len(first)):
        for y in range(first[t, 1], last[t, 1] + 1):
            for x in range(first[t, 0], last[t, 0] + 1):
                start[y * width + x + 1] += 1
    start = np.cumsum(start)
    members = np.empty(start[-1], np.int64)
    free = start.copy()
    for t in range(len(first)):
        for y in range(first[t, 1], last[t, 1] + 1):
            for x in range(first[t, 0], last[t, 0] + 1):
                members[free[y * width + x]] = t
                free[y * width + x] += 1
    return start, members


@numba.njit(cache=True)
def _nearest(
    origins: Array,
    directions: Array,
    tiles: Array,
    start: Array,
    members: Array,
    triangles: Array,
    near: float,
    far: float,
) -> tuple[Array, Array, Array, Array]:
    count = len(origins)
    found = np.full(count, -1, np.int64)
    inside = np.zeros((count, 2))
    depth = np.full(count, np.inf)
    second = np.full(count, np.inf)
    for i in range(count):
        if tiles[i] < 0:
            continue
        for member in range(start[tiles[i]], start[tiles[i] + 1]):
            t = members[member]
            ax = triangles[t, 1, 0] - triangles[t, 0, 0]
            ay = triangles[t, 1, 1] - triangles[t, 0, 1]
            az = triangles[t, 1, 2] - triangles[t, 0, 2]
            bx = triangles[t, 2, 0] - triangles[t, 0, 0]
            by = triangles[t, 2, 1] - triangles[t, 0, 1]
            bz = triangles[t, 2, 2] - triangles[t, 0, 2]
            dx, dy, dz = directions[i]
            px, py, pz = dy * bz - dz * by, dz * bx - dx * bz, dx * by - dy * bx
            volume = ax * px + ay * py + az * pz
            if volume == 0.0 or not np.isfinite(volume):
                continue
            sx = origins[i, 0] - triangles[t, 0, 0]
            sy = origins[i, 1] - triangles[t, 0, 1]
            sz = origins[i, 2] - triangles[t, 0, 2]
            u = (sx * px + sy * py + sz * pz) / volume
            if u < -EDGE or u > 1.0 + EDGE:
                continue
            qx, qy, qz = sy * az - sz * ay, sz * ax - sx * az, sx * ay - sy * ax
            v = (dx * qx + dy * qy + dz * qz) / volume
            if v < -EDGE or u + v > 1.0 + EDGE:
                continue
            distance = (bx * qx + by * qy + bz * qz) / volume
            if distance < near or distance > far:
                continue
            if distance < depth[i]:
                second[i] = depth[i]
                depth[i] = distance
                found[i] = t
                inside[i, 0] = u
                inside[i, 1] = v
            elif distance < second[i]:
                second[i] = distance
    return found, inside, depth, second
