"""Where a surface has holes, because the image on it is see-through there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.motion.geometry import CLIP, MIRROR, REPEAT

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)


class Holes(NamedTuple):
    """Where surfaces have holes, see :class:`~animerun_gen.motion.geometry.Holes` and ``Masks``."""

    uvs: npt.NDArray[np.float32]
    uv_start: npt.NDArray[np.int64]
    triangle_slots: npt.NDArray[np.int32]
    slot_start: npt.NDArray[np.int64]
    slot_masks: npt.NDArray[np.int32]
    texels: npt.NDArray[np.uint8]
    mask_start: npt.NDArray[np.int64]
    mask_size: npt.NDArray[np.int64]
    mask_extension: npt.NDArray[np.uint8]


@kernel
def slot_of(triangle_slots, slot_start, i, t):  # type: ignore[no-untyped-def]
    """The entry, among the slots of all instances, that paints a triangle; -1 where the instance has no slots."""
    # Blender paints a face whose slot does not exist with the last slot there is
    slot = min(triangle_slots[t], slot_start[i + 1] - slot_start[i] - 1)
    return slot_start[i] + slot if slot >= 0 else -1


@kernel
def mask_of(meshes, holes, i, t):  # type: ignore[no-untyped-def]
    """The mask of a triangle, and where its texture coordinates are; -1, -1 where it has no holes."""
    mesh = meshes.mesh[i]
    slot = slot_of(holes.triangle_slots, holes.slot_start, i, t)
    if slot < 0 or holes.slot_masks[slot] < 0 or holes.uv_start[mesh] < 0:
        return -1, -1
    return holes.slot_masks[slot], holes.uv_start[mesh] + t - meshes.triangle_start[mesh]


@kernel
def _texel(place, count, extension):  # type: ignore[no-untyped-def]
    """Which of the texels in a row or column holds a texture coordinate; -1 where there is none."""
    if extension == REPEAT:
        place -= np.floor(place)
    elif extension == MIRROR:
        place = abs(place - 2.0 * np.floor(0.5 * place + 0.5))
    elif extension == CLIP and not (place >= 0.0 and place <= 1.0):
        return -1
    # the first comparison fails for what is no number
    return int(min(place * count, count - 1.0)) if place > 0.0 else 0


@kernel
def is_hole(holes, mask, corners, u, v, w):  # type: ignore[no-untyped-def]
    """Whether a triangle has a hole at the point whose edge functions are ``u``, ``v`` and ``w``."""
    uvs = holes.uvs
    total = u + v + w
    across = (u * uvs[corners, 0, 0] + v * uvs[corners, 1, 0] + w * uvs[corners, 2, 0]) / total
    up = (u * uvs[corners, 0, 1] + v * uvs[corners, 1, 1] + w * uvs[corners, 2, 1]) / total
    rows, columns = holes.mask_size[mask, 0], holes.mask_size[mask, 1]
    column = _texel(across, columns, holes.mask_extension[mask])
    row = _texel(up, rows, holes.mask_extension[mask])
    if row < 0 or column < 0:
        return True
    return holes.texels[holes.mask_start[mask] + row * columns + column] != 0
