"""Which parts of a mesh hang together.

Characters are often one mesh of several parts that are stuck into each other, eyes into a head.  Where one part ends
and the next begins there is neither an edge nor a step in depth.  That they share no vertex tells them apart.

Parts that share places are one: importers give each side of a seam its own copies of the vertices there (glTF, for
texture coordinates and sharp edges).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.union_find import join, root

kernel = compiled.kernels(__name__)

SMALLEST_MEAN = 16
"""Triangles of a mesh's islands on average, below which they are no parts but hairs, leaves or splinters: all of it
counts as one."""

MOST_SEAMS = 200_000
"""Vertices on open edges of a mesh beyond which it counts as one: its faces were taken apart, or it is thick grass."""


class IslandFinder:
    """Finds the islands of one frame's meshes after the other; which vertices hang together once for each topology.

    What it finds depends on the frame alone, not on those that it saw before.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, _Parts] = {}

    def find(self, geometry: FrameGeometry) -> npt.NDArray[np.int32]:
        """The island of each triangle.

        Args:
            geometry: A frame.

        Returns:
            ``(T,)`` int32: numbers that mean nothing in another mesh; 0 for all triangles of a mesh that is one island.
        """
        found = {}
        labels = [np.empty(0, np.int32)]
        for mesh, topology in enumerate(geometry.topologies):
            vertices = geometry.vertices[geometry.vertex_start[mesh] : geometry.vertex_start[mesh + 1]]
            parts = self._known.get(topology)
            if parts is None:
                triangles = geometry.triangles[geometry.triangle_start[mesh] : geometry.triangle_start[mesh + 1]]
                parts = _Parts.of(triangles, len(vertices))
            found[topology] = parts
            labels.append(parts.welded(vertices))
        # what is no longer in the picture need not be kept
        self._known = found
        return np.concatenate(labels)


@dataclass(frozen=True)
class _Parts:
    """The parts of a mesh that share no vertex.

    Attributes:
        part: ``(T,)`` int32, the part of each triangle, counted from 0.
        count: How many there are.
        seams: Vertices on open edges: only these can be copies of each other.
        seam_part: The part of each of these.
    """

    part: npt.NDArray[np.int32]
    count: int
    seams: npt.NDArray[np.int64]
    seam_part: npt.NDArray[np.int32]

    @classmethod
    def of(cls, triangles: npt.NDArray[np.int32], vertices: int) -> _Parts:
        part, count = _label(triangles, np.arange(vertices, dtype=np.int32))
        whole = cls(np.zeros(len(part), np.int32), 1, np.empty(0, np.int64), np.empty(0, np.int32))
        if count <= 1:
            return whole
        seams = np.flatnonzero(open_vertices(triangles, vertices))
        if len(seams) > MOST_SEAMS:
            return whole
        part_of_vertex = np.full(vertices, -1, np.int32)
        part_of_vertex[triangles] = part[:, None]
        return cls(part, count, seams, part_of_vertex[seams])

    def welded(self, vertices: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """The island of each triangle when the vertices are there: parts that share a place are one island."""
        if self.count == 1:
            return self.part
        # zero has two signs
        bits = (vertices[self.seams] + np.float32(0.0)).view(np.uint32)
        island = _weld(bits, self.seam_part, np.arange(self.count, dtype=np.int32))
        islands = int((island == np.arange(self.count)).sum())
        if islands == 1 or len(self.part) < SMALLEST_MEAN * islands:
            return np.zeros(len(self.part), np.int32)
        return island[self.part]


@kernel
def _label(triangles, parent):  # type: ignore[no-untyped-def]
    """Number each triangle's part, in the order of the triangles, and count them.

    ``parent`` holds each vertex's own number, and is used up.
    """
    for t in range(len(triangles)):
        join(parent, triangles[t, 0], triangles[t, 1])
        join(parent, triangles[t, 0], triangles[t, 2])
    number = np.full(len(parent), -1, np.int32)
    part = np.empty(len(triangles), np.int32)
    count = 0
    for t in range(len(triangles)):
        first = root(parent, triangles[t, 0])
        if number[first] < 0:
            number[first] = count
            count += 1
        part[t] = number[first]
    return part, count


@kernel
def open_vertices(triangles, vertices):  # type: ignore[no-untyped-def]
    """Which of so many vertices lie on an open edge, ``(vertices,)`` bool.

    Each triangle at a vertex leads from one of its neighbours to the next; around a vertex that has none but whole
    edges they lead back to where they began, and the differences of any numbers that the neighbours have add up to
    nothing.  Where faces are turned against each other they do not, which does no harm: a vertex is looked at that need
    not be.
    """
    turn = np.zeros(vertices, np.uint64)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        turn[a] += _scrambled(c) - _scrambled(b)
        turn[b] += _scrambled(a) - _scrambled(c)
        turn[c] += _scrambled(b) - _scrambled(a)
    return turn != 0


@kernel
def _scrambled(number):  # type: ignore[no-untyped-def]
    """A number so irregular that sums of several are nothing only where they must be (the finaliser of MurmurHash3)."""
    key = np.uint64(number)
    key = (key ^ (key >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    key = (key ^ (key >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return key ^ (key >> np.uint64(33))


@kernel
def _weld(bits, part, parent):  # type: ignore[no-untyped-def]
    """The lowest part of those that share places with each part.

    ``bits`` are ``(S, 3)`` uint32 places of vertices, ``part`` is the part of each; ``parent`` holds each part's own
    number.
    """
    size = 16
    while size < 2 * len(bits):
        size *= 2
    table = np.full(size, -1, np.int32)
    for s in range(len(bits)):
        key = _scrambled(_scrambled(_scrambled(bits[s, 0]) ^ np.uint64(bits[s, 1])) ^ np.uint64(bits[s, 2]))
        slot = np.int64(key & np.uint64(size - 1))
        while table[slot] >= 0:
            other = table[slot]
            if bits[other, 0] == bits[s, 0] and bits[other, 1] == bits[s, 1] and bits[other, 2] == bits[s, 2]:
                break
            slot = (slot + 1) % size
        if table[slot] < 0:
            table[slot] = s
        else:
            join(parent, part[s], part[table[slot]])
    for p in range(len(parent)):
        parent[p] = root(parent, p)
    return parent
