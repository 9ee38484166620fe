"""Strokes that a film draws itself (Grease Pencil): they are lines already, and get none around them.

Line art is drawn of everything but strokes, as if they were not there, and strokes are laid over it.
"""

from __future__ import annotations

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
    """A frame whose strokes are not seen; all instances, triangles and vertices keep their numbers.

    Args:
        geometry: The frame; a mesh that shows strokes has one instance.
        inks: Ids of the materials of strokes.
    """
    triangles = geometry.triangles.copy()
    for instance, mesh in enumerate(geometry.mesh.tolist()):
        slots = geometry.slot_materials[geometry.slot_start[instance] : geometry.slot_start[instance + 1]]
        is_ink = np.isin(slots, list(inks))
        if not is_ink.any():
            continue
        first, last = geometry.triangle_start[mesh], geometry.triangle_start[mesh + 1]
        hidden = is_ink[np.minimum(geometry.triangle_slots[first:last], len(slots) - 1)]
        # without extent: no ray meets it
        triangles[first:last][hidden] = triangles[first:last][hidden][:, :1]
    return replace(geometry, triangles=triangles)


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
