"""How far many points reach, seen from a light."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)


@kernel
def box(points, turned, low, high):  # type: ignore[no-untyped-def]
    """Fill in the least and the largest coordinates ``(3,)`` of points ``(n, 3)`` along the columns of a rotation."""
    low[:], high[:] = np.inf, -np.inf
    for k in range(len(points)):
        for axis in range(3):
            along = points[k, 0] * turned[0, axis] + points[k, 1] * turned[1, axis] + points[k, 2] * turned[2, axis]
            low[axis] = min(low[axis], along)
            high[axis] = max(high[axis], along)


@kernel
def look_around(points, place, otherwise, together):  # type: ignore[no-untyped-def]
    """Add the unit vectors from a place to points ``(n, 3)`` up, into ``together`` ``(3,)``.

    ``otherwise`` counts as the direction of a point that lies in the place itself, at a distance of 1.

    Returns:
        The distance of the nearest point.
    """
    nearest = np.inf
    for k in range(len(points)):
        (x, y, z), distance = _apart(points, k, place, otherwise)
        nearest = min(nearest, distance)
        together[0] += x / distance
        together[1] += y / distance
        together[2] += z / distance
    return nearest


@kernel
def cone(points, place, otherwise, turned, low, high):  # type: ignore[no-untyped-def]
    """Fill in the least and the largest slopes ``(2,)`` of points in a camera that looks against its third column.

    Returns:
        The least cosine between the camera's axis and the direction of a point; where it is not above zero, the slopes
        mean nothing.
    """
    low[:], high[:] = np.inf, -np.inf
    least = 1.0
    for k in range(len(points)):
        (x, y, z), distance = _apart(points, k, place, otherwise)
        depth = -(x * turned[0, 2] + y * turned[1, 2] + z * turned[2, 2])
        least = min(least, depth / distance)
        for axis in range(2):
            slope = (x * turned[0, axis] + y * turned[1, axis] + z * turned[2, axis]) / depth
            low[axis] = min(low[axis], slope)
            high[axis] = max(high[axis], slope)
    return least


@kernel
def _apart(points, k, place, otherwise):  # type: ignore[no-untyped-def]
    """The vector from a place to a point, and its length."""
    x, y, z = points[k, 0] - place[0], points[k, 1] - place[1], points[k, 2] - place[2]
    distance = np.sqrt(x * x + y * y + z * z)
    if not distance > 0.0:
        return (otherwise[0], otherwise[1], otherwise[2]), 1.0
    return (x, y, z), distance
