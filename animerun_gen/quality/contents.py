"""How much a picture shows: surfaces, colours and lines, as shares of the picture.

Perfect labels of a picture that shows nothing teach nothing, and no figure that holds labels against pictures can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.labels.sampling import require_mask, require_shape
from animerun_gen.tally import tally

kernel = compiled.kernels(__name__)

BACKGROUND = 0
"""The object id of a pixel that shows no surface."""


def picture_contents(
    frame: npt.NDArray[np.uint8], flat: npt.NDArray[np.uint8], lines: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """What a frame shows by its pictures alone.

    Args:
        frame: ``(H, W, 3)`` uint8, the colour frame.
        flat: ``(H, W, 3)`` uint8, the frame without lines.
        lines: ``(H, W)`` bool, True on lines.

    Returns:
        A dictionary ready for standard JSON:

        ``flat_colors``
            how many colours the frame without lines has
        ``largest_color``, ``largest_color_is``
            share of the colour frame's pixels that have its commonest colour, 0..1, and that colour, ``"#rrggbb"``
        ``line_share``
            share of the pixels that are line, 0..1

    Raises:
        ValueError: the shapes do not agree, a picture is not uint8 or has no pixels, or ``lines`` is not bool.
    """
    require_mask("the mask of lines", lines, lines.shape)
    for what, picture in (("the colour frame", frame), ("the frame without lines", flat)):
        require_shape(what, picture, (*lines.shape, 3))
        if picture.dtype != np.uint8:
            raise ValueError(f"{what} must be uint8, not {picture.dtype}")
    colors, counts = _counted(_packed(frame))
    commonest = int(counts.argmax())
    return {
        "flat_colors": len(_counted(_packed(flat))[0]),
        "largest_color": round(int(counts[commonest]) / lines.size, 9),
        "largest_color_is": f"#{int(colors[commonest]):06x}",
        "line_share": round(float(lines.mean()), 9),
    }


def surface_contents(
    object_id: npt.NDArray[np.uint16],
    material_id: npt.NDArray[np.uint16],
    objects: Mapping[str, str],
    materials: Mapping[str, str],
) -> dict[str, Any]:
    """What a frame shows by its id maps.  A *surface* is what has one object and one material.

    Args:
        object_id: ``(H, W)`` uint16, :data:`BACKGROUND` where no surface is seen.
        material_id: ``(H, W)`` uint16.
        objects: Names by object id, as the cut's table has them.
        materials: Names by material id.

    Returns:
        A dictionary ready for standard JSON:

        ``surface_share``
            share of the pixels that show a surface, 0..1
        ``largest_surface``, ``largest_surface_is``
            share of the pixels that show the largest surface, 0..1, and its ``[object, material]``; 0 and None where
            there is none

    Raises:
        ValueError: the shapes differ or there are no pixels.
    """
    require_shape("the map of materials", material_id, object_id.shape)
    surfaces, counts = _counted((object_id.astype(np.int64) << 16 | material_id).ravel())
    counts[surfaces >> 16 == BACKGROUND] = 0
    largest = int(counts.argmax())
    surface = int(surfaces[largest])
    numbers = (surface >> 16, surface & 0xFFFF)
    named = [table.get(str(number), str(number)) for table, number in zip((objects, materials), numbers, strict=True)]
    return {
        "surface_share": round(int(counts.sum()) / object_id.size, 9),
        "largest_surface": round(int(counts[largest]) / object_id.size, 9),
        "largest_surface_is": named if counts[largest] else None,
    }


def _packed(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """``(H * W,)``: the colour of each pixel as one number."""
    packed: npt.NDArray[np.int64] = _pack(np.ascontiguousarray(picture).reshape(-1, 3))
    return packed


def _counted(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The values that occur, ascending, and how often each does."""
    if not values.size:
        raise ValueError("there are no pixels to count")
    return tally(values)


@kernel
def _pack(colors):  # type: ignore[no-untyped-def]
    packed = np.empty(len(colors), np.int64)
    for place in range(len(colors)):
        red, green, blue = np.int64(colors[place, 0]), np.int64(colors[place, 1]), np.int64(colors[place, 2])
        packed[place] = red << 16 | green << 8 | blue
    return packed
