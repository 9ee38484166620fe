"""Strokes that a film draws itself (Grease Pencil): they are lines already, and get none around them.

Line art is drawn of everything but strokes, as if they were not there, and strokes are laid over it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from animerun_gen.motion import companions
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer

U8Array = npt.NDArray[np.uint8]


def stroke_pixels(geometry: FrameGeometry, seen: VisibilityBuffer, inks: Collection[int]) -> npt.NDArray[np.bool_]:
    """The pixels that show strokes.

    Args:
        geometry: The frame.
        seen: What it sees.
        inks: Ids of the materials of strokes.

    Returns:
        ``(H, W)`` bool.
    """
    return np.isin(companions.material_id_map(geometry, seen), list(inks))


def without_strokes(geometry: FrameGeometry, inks: Collection[int]) -> FrameGeometry:
    """A frame without the triangles of strokes; instances and vertices keep their numbers, triangles do not.

    Args:
        geometry: The frame; all instances of a mesh with strokes wear the same materials.
        inks: Ids of the materials of strokes.

    Returns:
        The frame, without normals.
    """
    kept = np.ones(len(geometry.triangles), bool)
    topologies = list(geometry.topologies)
    for instance, mesh in enumerate(geometry.mesh.tolist()):
        slots = geometry.slot_materials[geometry.slot_start[instance] : geometry.slot_start[instance + 1]]
        is_ink = np.isin(slots, list(inks))
        if not is_ink.any():
            continue
        own = slice(geometry.triangle_start[mesh], geometry.triangle_start[mesh + 1])
        kept[own] = ~is_ink[np.minimum(geometry.triangle_slots[own], len(slots) - 1)]
        digest = hashlib.blake2b(geometry.topologies[mesh], digest_size=16)
        digest.update(kept[own].tobytes())
        topologies[mesh] = digest.digest()
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(
        geometry,
        triangles=geometry.triangles[kept],
        triangle_slots=geometry.triangle_slots[kept],
        triangle_start=before[geometry.triangle_start].astype(np.int64),
        topologies=tuple(topologies),
        normals=None,
        faces=None if geometry.faces is None else geometry.faces[kept],
    )


def lay_strokes(line_art: U8Array, is_stroke: npt.NDArray[np.bool_]) -> tuple[U8Array, U8Array]:
    """Lay strokes over line art.

    Args:
        line_art: ``(H, W)`` uint8, 255 where no line is, of everything but strokes.
        is_stroke: ``(H, W)`` bool, the pixels that show strokes.

    Returns:
        The line art with strokes, and that part of it which is painted in the colour of lines: strokes keep their own;
        both ``(H, W)`` uint8.

    Example:
        >>> both, painted = lay_strokes(np.array([[0, 255, 0]], np.uint8), np.array([[True, True, False]]))
        >>> both.tolist(), painted.tolist()
        ([[0, 0, 0]], [[255, 255, 0]])
    """
    both: U8Array = np.where(is_stroke, 0, line_art).astype(np.uint8)
    painted: U8Array = np.where(is_stroke, 255, line_art).astype(np.uint8)
    return both, painted
