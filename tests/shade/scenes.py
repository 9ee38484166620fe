"""Small frames with normals, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from animerun_gen.motion.geometry import Camera, FrameGeometry, Normals
from tests.motion import synthetic
from tests.motion.synthetic import Thing

WIDTH, HEIGHT = 240, 160


def camera(world: np.ndarray | None = None, *, half_width: float | None = None, focal: float = 2.0) -> Camera:
    """Perspective; orthographic where half of its width is given."""
    projection = synthetic.perspective(focal) if half_width is None else synthetic.orthographic(half_width)
    return replace(synthetic.camera(projection, world), width=WIDTH, height=HEIGHT)


def frame(seen_by: Camera, things: Sequence[Thing], smooth: Sequence[bool]) -> FrameGeometry:
    """A frame whose things are smooth (normals of vertices, from the middle of the mesh outwards) or flat."""
    geometry = synthetic.frame(1, seen_by, things)
    vectors: list[np.ndarray] = []
    corners: list[np.ndarray] = []
    starts, corner_starts = [0], []
    count = 0
    for thing, is_smooth in zip(things, smooth, strict=True):
        if is_smooth:
            outward = thing.vertices - thing.vertices.mean(axis=0)
            vectors.append(outward / np.linalg.norm(outward, axis=1, keepdims=True))
            corner_starts.append(-1)
        else:
            p, q, r = (thing.vertices[thing.triangles[:, k]] for k in range(3))
            across = np.cross(q - p, r - p)
            vectors.append(across / np.linalg.norm(across, axis=1, keepdims=True))
            corners.append(np.repeat(np.arange(len(thing.triangles))[:, None], 3, axis=1))
            corner_starts.append(count)
            count += len(thing.triangles)
        starts.append(starts[-1] + len(vectors[-1]))
    return replace(
        geometry,
        normals=Normals(
            np.concatenate(vectors).astype(np.float32),
            np.array(starts[:-1], np.int64),
            np.concatenate([np.empty((0, 3)), *corners]).astype(np.int32),
            np.array(corner_starts, np.int64),
        ),
    )


def sphere(key: str, matrix: np.ndarray, rows: int = 24) -> Thing:
    """A ball of radius 1 in so many rows of faces: facets that a smooth shade must not show."""
    columns = 2 * rows
    polar, around = np.meshgrid(
        np.linspace(0.0, np.pi, rows + 1), np.arange(columns) * 2 * np.pi / columns, indexing="ij"
    )
    vertices = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], -1)
    number = np.arange((rows + 1) * columns).reshape(rows + 1, columns)
    a, b = number[:-1], np.roll(number[:-1], -1, axis=1)
    c, d = number[1:], np.roll(number[1:], -1, axis=1)
    triangles = np.concatenate([np.stack([a, c, d], -1).reshape(-1, 3), np.stack([a, d, b], -1).reshape(-1, 3)])
    return Thing(key, vertices.reshape(-1, 3), triangles, matrix)
