"""Identities of vertices from nothing but faces: what a mesh that comes from a file, frame by frame, has to offer.

A file with a mesh for every frame (Alembic, USD) names no vertex.  Its faces say which vertex belongs to which: a part
of the mesh, connected over its faces, whose vertices and corners are numbered among each other as in another frame is
that part, if there is no other part like it.  Texture coordinates tell apart what faces do not.  Two equal buttons
without texture coordinates stay unknown: which is which, their order in the file need not tell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from animerun_gen.motion.identity import scramble


def identities_by_faces(
    count: int,
    face_start: npt.NDArray[np.int32],
    corners: npt.NDArray[np.int32],
    uvs: Sequence[npt.NDArray[np.float32]] = (),
) -> npt.NDArray[np.uint64]:
    """A number for each vertex by which it is found again in another frame.

    Args:
        count: How many vertices there are.
        face_start: ``(F,)`` int32, the first corner of each face.
        corners: ``(L,)`` int32, the vertex of each corner.
        uvs: For each layer of texture coordinates ``(L, 2)`` float32 (or flat).

    Returns:
        ``(count,)`` uint64, 0 for the vertices of parts of which there is another like them, and for loose vertices.

    Example:
        >>> faces, corners = np.array([0, 3], np.int32), np.array([0, 1, 2, 3, 5, 4], np.int32)
        >>> two_triangles = identities_by_faces(6, faces, corners)
        >>> bool((two_triangles != 0).all())
        True
    """
    if len(corners) == 0:
        return np.zeros(count, np.uint64)
    sizes = np.diff(np.append(face_start, len(corners)))
    face = np.repeat(np.arange(len(face_start)), sizes)
    links = coo_matrix((np.ones(len(corners), np.int8), (corners, corners[face_start][face])), shape=(count, count))
    _, part = connected_components(links, directed=False)
    # vertices of a part are counted in their order, and so are its faces
    order = np.argsort(part, kind="stable")
    first = np.searchsorted(part[order], np.arange(part.max() + 1))
    place = np.empty(count, np.int64)
    place[order] = np.arange(count) - first[part[order]]
    corner_part = part[corners]
    corner_order = np.argsort(corner_part, kind="stable")
    corner_first = np.searchsorted(corner_part[corner_order], np.arange(part.max() + 1))
    corner_place = np.empty(len(corners), np.int64)
    corner_place[corner_order] = np.arange(len(corners)) - corner_first[corner_part[corner_order]]

    told = scramble(place[corners].astype(np.uint64) + np.uint64(1))
    told = scramble(told ^ (np.arange(len(corners)) - face_start[face]).astype(np.uint64))
    for layer in uvs:
        for bits in layer.reshape(-1, 2).view(np.uint32).T.astype(np.uint64):
            told = scramble(told ^ bits)
    told = scramble(told + corner_place.astype(np.uint64))
    of_part = np.zeros(part.max() + 1, np.uint64)
    np.add.at(of_part, corner_part, told)
    of_part = scramble(of_part + np.bincount(part).astype(np.uint64))
    _, inverse, times = np.unique(of_part, return_inverse=True, return_counts=True)
    alone = (times[inverse] == 1) & (np.bincount(corner_part, minlength=len(of_part)) > 0)
    # of parts that come and go nobody knows which is left: all of them must be there
    together = scramble(of_part.sum(keepdims=True))
    identities = scramble(scramble(of_part[part] ^ scramble(place.astype(np.uint64) + np.uint64(1))) + together)
    identities[~alone[part]] = 0
    return identities
