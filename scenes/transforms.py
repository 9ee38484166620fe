"""Poses and 4x4 matrices in plain Python, in Blender's conventions.

A matrix is four rows of four floats that map column vectors, ``world = matrix @ (x, y, z, 1)``; Z is up and a camera
looks along its local -Z with its local Y up.  A quaternion is ``(w, x, y, z)``.  Angles are radians.
"""

from __future__ import annotations

import math
from typing import NamedTuple

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Row = tuple[float, float, float, float]
Matrix = tuple[Row, Row, Row, Row]

IDENTITY: Matrix = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
NO_TURN: Quaternion = (1.0, 0.0, 0.0, 0.0)
ONE: Vector = (1.0, 1.0, 1.0)
X: Vector = (1.0, 0.0, 0.0)
Y: Vector = (0.0, 1.0, 0.0)
Z: Vector = (0.0, 0.0, 1.0)


class Pose(NamedTuple):
    """Scale, then turn, then move: the three channels that Blender keys, and therefore exactly what it plays."""

    location: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = NO_TURN
    scale: Vector = ONE

    @property
    def matrix(self) -> Matrix:
        """The pose as a 4x4 matrix."""
        turn = rotation_rows(self.rotation)
        rows = [
            (*(turn[i][j] * self.scale[j] for j in range(3)), self.location[i])  # columns are scaled, hence j
            for i in range(3)
        ]
        return (*rows, (0.0, 0.0, 0.0, 1.0))  # type: ignore[return-value]

    def then(self, outer: Pose) -> Pose:
        """This pose inside ``outer``; exact where ``outer`` scales all axes alike."""
        scale = outer.scale
        return Pose(
            transform(outer.matrix, self.location),
            quaternion_product(outer.rotation, self.rotation),
            (self.scale[0] * scale[0], self.scale[1] * scale[1], self.scale[2] * scale[2]),
        )


def add(a: Vector, b: Vector) -> Vector:
    """Sum of two vectors."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def subtract(a: Vector, b: Vector) -> Vector:
    """Difference of two vectors."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def scaled(a: Vector, factor: float) -> Vector:
    """A vector made ``factor`` times as long."""
    return (a[0] * factor, a[1] * factor, a[2] * factor)


def dot(a: Vector, b: Vector) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Vector product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def normalized(a: Vector) -> Vector:
    """A vector of length one."""
    return scaled(a, 1.0 / math.sqrt(dot(a, a)))


def turned(axis: Vector, angle: float) -> Quaternion:
    """The quaternion that turns by ``angle`` about ``axis`` (right-handed)."""
    unit, sine = normalized(axis), math.sin(angle / 2)
    return (math.cos(angle / 2), unit[0] * sine, unit[1] * sine, unit[2] * sine)


def quaternion_product(a: Quaternion, b: Quaternion) -> Quaternion:
    """First turn by ``b``, then by ``a``."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


def rotation_rows(quaternion: Quaternion) -> tuple[Vector, Vector, Vector]:
    """The 3x3 rotation of a unit quaternion, as rows."""
    w, x, y, z = quaternion
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )


def quaternion_of_rows(rows: tuple[Vector, Vector, Vector]) -> Quaternion:
    """The unit quaternion of a 3x3 rotation (Shepperd's method: divides by the largest component)."""
    (a, b, c), (d, e, f), (g, h, i) = rows
    squares = (1 + a + e + i, 1 + a - e - i, 1 - a + e - i, 1 - a - e + i)
    largest = squares.index(max(squares))
    r = 2 * math.sqrt(squares[largest])
    if largest == 0:
        return (r / 4, (h - f) / r, (c - g) / r, (d - b) / r)
    if largest == 1:
        return ((h - f) / r, r / 4, (b + d) / r, (c + g) / r)
    if largest == 2:
        return ((c - g) / r, (b + d) / r, r / 4, (f + h) / r)
    return ((d - b) / r, (c + g) / r, (f + h) / r, r / 4)


def product(a: Matrix, b: Matrix) -> Matrix:
    """Matrix product: first ``b``, then ``a``."""
    return tuple(tuple(sum(a[i][k] * b[k][j] for k in range(4)) for j in range(4)) for i in range(4))  # type: ignore


def inverse(matrix: Matrix) -> Matrix:
    """Inverse of an affine matrix (last row 0 0 0 1)."""
    a, b, c = (tuple(row[:3]) for row in matrix[:3])
    bc, ca, ab = cross(b, c), cross(c, a), cross(a, b)  # type: ignore[arg-type]
    determinant = dot(a, bc)  # type: ignore[arg-type]
    move = [row[3] for row in matrix[:3]]
    rows = []
    for i in range(3):
        row = (bc[i] / determinant, ca[i] / determinant, ab[i] / determinant)
        rows.append((*row, -sum(row[k] * move[k] for k in range(3))))
    return (*rows, (0.0, 0.0, 0.0, 1.0))  # type: ignore[return-value]


def transform(matrix: Matrix, point: Vector) -> Vector:
    """Where an affine matrix takes a point."""
    x, y, z = point
    return tuple(row[0] * x + row[1] * y + row[2] * z + row[3] for row in matrix[:3])  # type: ignore[return-value]


def about(pivot: Vector, rotation: Quaternion, move: Vector = (0.0, 0.0, 0.0)) -> Pose:
    """Turn about a point that stays (or moves by ``move``)."""
    turned_pivot = transform(Pose(rotation=rotation).matrix, pivot)
    return Pose(add(subtract(pivot, turned_pivot), move), rotation)


def looking(location: Vector, target: Vector, roll: float = 0.0) -> Pose:
    """A camera at ``location`` that looks at ``target`` with Z up, then rolled about its view axis."""
    back = normalized(subtract(location, target))
    right = normalized(cross(Z, back))
    up = cross(back, right)
    columns = (right, up, back)
    rows = tuple(tuple(column[i] for column in columns) for i in range(3))
    rotation = quaternion_of_rows(rows)  # type: ignore[arg-type]
    return Pose(location, quaternion_product(rotation, turned(Z, roll)))


def mix(a: float, b: float, share: float) -> float:
    """``a`` at share 0, ``b`` at share 1, straight between."""
    return a + (b - a) * share


def mix_points(a: Vector, b: Vector, share: float) -> Vector:
    """The point ``share`` of the way from ``a`` to ``b``."""
    return (mix(a[0], b[0], share), mix(a[1], b[1], share), mix(a[2], b[2], share))


def ease(share: float) -> float:
    """0..1 to 0..1, slow at both ends (smoothstep); clamped outside."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
