"""What a frame holds for the truth: meshes, where they stand, and the camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from random_scene.pinhole import Pinhole

Array = np.ndarray[Any, Any]

UNMATCHED = ("?",)
"""The identity of an instance that nothing names: it matches nothing."""


@dataclass
class Surface:
    """A mesh as it is evaluated.

    Attributes:
        points: (V, 3) places of its vertices, float32 widened.
        triangles: (T, 3) vertices.
        corners: (T, 3) numbers of the corners in the mesh.
        faces: (T,) number of the face in the mesh.
        face_starts: (F + 1,) first corner of each face.
        corner_points: (C,) vertex of each corner.
        uv: (C, 2) or None.
        keys: (F, 2) number and copy of each face, 0 where it has none.
        names: (V,) number of the original vertex that each one is, 0 where it has none; None without any.
    """

    points: Array
    triangles: Array
    corners: Array
    faces: Array
    face_starts: Array
    corner_points: Array
    uv: Array | None
    keys: Array
    names: Array | None = None


@dataclass
class Placed:
    """A surface in the world.

    Attributes:
        name: Of the object.
        parent: Name of what shows it; empty where it stands for itself.
        identity: Which of the instances it is: names, and what the builder stored where there are only numbers.
    """

    name: str
    parent: str
    identity: tuple[Any, ...]
    surface: Surface
    matrix: Array


@dataclass
class Frame:
    """Everything that is rendered in one frame."""

    number: int
    camera: Pinhole
    placed: list[Placed] = field(default_factory=list)
