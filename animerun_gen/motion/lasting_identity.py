"""Numbers of vertices that are equal in two frames only if they are the same surface point.

What is the same is said by :mod:`~animerun_gen.motion.counterparts`, of two frames at a time.  Here each frame is
looked at alone, by the same three rules, so that a file of a frame stands for itself: whoever finds a number again has
found the point again.  The converse does not hold: some points that two frames prove to be the same have other numbers,
such as mixtures of vertices that differ in their last bits.
"""

from __future__ import annotations

import hashlib

import numpy as np

from animerun_gen.motion.counterparts import triangle_keys
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.identity import Identities, scramble


class LastingIdentities:
    """The numbers of a frame's vertices, of every instance others.

    Args:
        geometry: The frame.
    """

    def __init__(self, geometry: FrameGeometry) -> None:
        self._geometry = geometry
        self._of_meshes: dict[tuple[int, bool, bool], Identities] = {}

    def of(self, instance: int) -> Identities:
        """``(n,)`` uint64: the numbers of the vertices of an instance, none of them zero, no two of them the same."""
        geometry = self._geometry
        case = int(geometry.mesh[instance]), bool(geometry.ordered[instance]), bool(geometry.single[instance])
        if case not in self._of_meshes:
            self._of_meshes[case] = _of_mesh(geometry, *case)
        # after a cut to another camera nothing is the same, as for flow
        seed = _digest(b"instance", geometry.camera.name.encode(), geometry.keys[instance].encode())
        numbers = scramble(self._of_meshes[case] ^ seed)
        numbers[numbers == 0] = 1
        return numbers


def _of_mesh(geometry: FrameGeometry, mesh: int, ordered: bool, single: bool) -> Identities:
    """The same within a mesh."""
    identities, topology = geometry.mesh_identities(mesh), geometry.topologies[mesh]
    places = scramble(np.arange(1, len(identities) + 1, dtype=np.uint64))
    if ordered:
        # the n-th vertex of equal faces, if it carries the same
        return scramble(scramble(identities ^ _digest(b"ordered", topology)) ^ places)
    still = _digest(b"still", topology, np.ascontiguousarray(geometry.mesh_vertices(mesh)).tobytes())
    numbers = scramble(places ^ still)
    if single:
        around = _fans(identities, geometry.mesh_triangles(mesh))
        known = around != 0
        numbers[known] = scramble(around[known] ^ _digest(b"single"))
    return numbers


def _fans(identities: Identities, triangles: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> Identities:
    """A number for each vertex and all triangles around it, by the identities of their corners and the sense in which
    they go round; zero where one has none, or where there are several such vertices.

    The identity of the vertex alone would not do: a mirrored or inner copy has the same, and its faces go round in the
    other sense.
    """
    keys, _ = triangle_keys(identities, triangles)
    around = np.zeros(len(identities), np.uint64)
    whole = identities != 0
    for corner in range(3):
        np.add.at(around, triangles[:, corner], scramble(keys))
        whole[triangles[keys == 0, corner]] = False
    fans = np.where(whole, scramble(around ^ scramble(identities)), np.uint64(0))
    values, counts = np.unique(fans, return_counts=True)
    several = values[counts > 1]
    fans[np.isin(fans, several)] = 0
    return fans


def _digest(*parts: bytes) -> np.uint64:
    """A number for some texts."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return np.uint64(int.from_bytes(digest.digest(), "little"))
