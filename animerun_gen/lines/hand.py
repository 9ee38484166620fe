"""Two smooth random numbers for every point of a surface, by which a drawn line varies and does not swim.

They belong to vertices and are mixed between them as places are, so that they stay with the surface however it moves,
bends or is seen.  The random numbers of a mesh come from the identities of its vertices; how they are smoothed, from
which vertices its triangles join.  Neither its shape nor the picture counts, so every frame has the same ones.

A mesh has about :data:`BUMPS` bumps whatever it is made of: its graph is made coarser by joining neighbours in pairs,
again and again (multilevel matching as in Karypis and Kumar, "A Fast and High Quality Multilevel Scheme for
Partitioning Irregular Graphs", SIAM J. Sci. Comput. 20(1), 1998), random numbers are drawn for what is left, and
smoothed at each level on the way back.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from animerun_gen.lines.feature_edges import weld
from animerun_gen.lines.kernels.matching import match_neighbours
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.identity import scramble
from animerun_gen.motion.islands import open_vertices

BUMPS = 64
"""Random numbers that a mesh gets of each kind, if it has so many vertices."""

SMOOTHINGS = 2
"""How often the numbers of a level are mixed with those of their neighbours."""

FloatArray = npt.NDArray[np.float32]


class HandFinder:
    """Finds the numbers of one frame's meshes after the other; for each mesh once as long as it stays the same.

    What it finds depends on the frame alone, not on those that it saw before.

    Args:
        seed: Of the random numbers.
    """

    def __init__(self, seed: int) -> None:
        self._seed = np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
        self._known: dict[bytes, FloatArray] = {}

    def find(self, geometry: FrameGeometry) -> FloatArray:
        """Two numbers for every vertex, of mean 0 and variance 1 over each mesh.

        Args:
            geometry: A frame.

        Returns:
            ``(V, 2)`` float32.
        """
        found: dict[bytes, FloatArray] = {}
        numbers = [np.empty((0, 2), np.float32)]
        for mesh, (topology, numbering) in enumerate(zip(geometry.topologies, geometry.numberings, strict=True)):
            vertices, triangles = geometry.mesh_vertices(mesh), geometry.mesh_triangles(mesh)
            # both sides of a seam are one place
            standing = weld(vertices, np.flatnonzero(open_vertices(triangles, len(vertices))).astype(np.int32))
            key = hashlib.blake2b(topology + b" " + numbering, digest_size=16)
            key.update(standing.data)
            name = key.digest()
            if name not in found:
                field = self._known.get(name)
                if field is None:
                    field = smooth_numbers(triangles, standing, geometry.mesh_identities(mesh), self._seed)
                found[name] = field
            numbers.append(found[name])
        # what is no longer in the picture need not be kept
        self._known = found
        return np.concatenate(numbers)


def smooth_numbers(
    triangles: npt.NDArray[np.int32],
    standing: npt.NDArray[np.int32],
    identities: npt.NDArray[np.uint64],
    seed: np.uint64,
) -> FloatArray:
    """Two smooth random numbers for each vertex of a mesh.

    Args:
        triangles: ``(T, 3)`` int32.
        standing: ``(V,)`` int32, for each vertex the one that stands for all at its place.
        identities: ``(V,)`` uint64; what has none (0) goes by its number, so that the mesh must not be numbered anew.
        seed: Of the random numbers.

    Returns:
        ``(V, 2)`` float32.
    """
    count = len(standing)
    named = np.where(identities == 0, np.arange(1, count + 1, dtype=np.uint64), identities)
    keys = scramble(named ^ scramble(np.full(1, seed, np.uint64)))
    corners = standing[triangles]
    start = np.concatenate([corners[:, 0], corners[:, 1], corners[:, 2]])
    end = np.concatenate([corners[:, 1], corners[:, 2], corners[:, 0]])
    levels = []
    # what stands for nothing has no neighbour, and would be counted
    coarse, standing_number = np.unique(standing, return_inverse=True)
    position = np.full(count, -1, np.int32)
    position[coarse] = np.arange(len(coarse), dtype=np.int32)
    start, end, keys = position[start], position[end], keys[coarse]
    while True:
        apart = start != end
        start, end = start[apart], end[apart]
        if len(keys) <= BUMPS:
            break
        group, groups = match_neighbours(start, end, len(keys))
        if groups == len(keys):
            break
        levels.append((start, end, group))
        merged = np.full(groups, np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(merged, group, keys)
        keys, start, end = merged, group[start], group[end]
    values = _normal(keys)
    values = _smoothed(values, start, end) if levels else values
    for start, end, group in reversed(levels):
        values = _smoothed(values[group], start, end)
    values -= values.mean(axis=0, keepdims=True) if len(values) else 0.0
    spread = values.std(axis=0, keepdims=True) if len(values) else np.ones((1, 2))
    values /= np.where(spread > 0.0, spread, 1.0)
    return values[standing_number.reshape(-1)].astype(np.float32)


def _normal(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Two normally distributed numbers for each key (Box and Muller 1958)."""
    first, second = ((scramble(keys + np.uint64(n)) >> np.uint64(11)).astype(np.float64) * 2.0**-53 for n in (1, 2))
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - first)), 2.0 * np.pi * second
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _smoothed(
    values: npt.NDArray[np.float64], start: npt.NDArray[np.int32], end: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Numbers half of which come from the neighbours, several times."""
    count = len(values)
    ends, others = np.concatenate([start, end]), np.concatenate([end, start])
    degree = np.bincount(ends, minlength=count)
    for _ in range(SMOOTHINGS):
        around = np.stack([np.bincount(ends, values[others, k], count) for k in (0, 1)], axis=1)
        mean = around / np.maximum(degree, 1)[:, None]
        values = np.where((degree > 0)[:, None], 0.5 * (values + mean), values)
    return values
