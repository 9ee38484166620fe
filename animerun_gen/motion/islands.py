"""Which parts of a mesh hang together.

Characters are often one mesh of several parts that are stuck into each other, eyes into a head.  Where one part ends
and the next begins there is neither an edge nor a step in depth.  That they share no vertex tells them apart.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from animerun_gen.motion.geometry import FrameGeometry

SMALLEST_MEAN = 16
"""Triangles of a mesh's islands on average, below which its faces were taken apart (flat shading, sharp edges of
imported files) and are no parts: all of it counts as one."""


class IslandFinder:
    """Finds the islands of one frame's meshes after the other, once for each topology.

    What it finds depends on the numbers of vertices alone, so it is the same in every frame of a cut.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, npt.NDArray[np.int32]] = {}

    def find(self, geometry: FrameGeometry) -> npt.NDArray[np.int32]:
        """The island of each triangle.

        Args:
            geometry: A frame.

        Returns:
            ``(T,)`` int32: the number of one of the island's vertices, counted within the mesh; 0 for all triangles of
            a mesh that is one island.
        """
        found = {}
        parts = [np.empty(0, np.int32)]
        for mesh, topology in enumerate(geometry.topologies):
            first, last = geometry.triangle_start[mesh], geometry.triangle_start[mesh + 1]
            vertices = geometry.vertex_start[mesh + 1] - geometry.vertex_start[mesh]
            labels = self._known.get(topology)
            if labels is None:
                labels = _islands(geometry.triangles[first:last], vertices)
            found[topology] = labels
            parts.append(labels)
        # what is no longer in the picture need not be kept
        self._known = found
        return np.concatenate(parts)


def _islands(triangles: npt.NDArray[np.int32], vertices: int) -> npt.NDArray[np.int32]:
    labels = _label(triangles, np.arange(vertices, dtype=np.int32))
    count = int((np.bincount(labels, minlength=1) > 0).sum())
    if count == 1 or len(labels) < SMALLEST_MEAN * count:
        return np.zeros(len(labels), np.int32)
    return labels


@numba.njit(cache=True, nogil=True)
def _label(triangles, parent):  # type: ignore[no-untyped-def]
    """The lowest vertex of each triangle's island; ``parent`` holds each vertex's own number, and is used up."""
    for t in range(len(triangles)):
        for corner in range(1, 3):
            a = triangles[t, 0]
            b = triangles[t, corner]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a < b:
                parent[b] = a
            else:
                parent[a] = b
    labels = np.empty(len(triangles), np.int32)
    for t in range(len(triangles)):
        a = triangles[t, 0]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        labels[t] = a
    return labels
