"""Whether the pictures show what the id maps say.

The pictures come from Workbench, the id maps from the geometry that was taken down beside it.  Whatever one of the two
saw and the other did not (a modifier missed, an object forgotten, a frame mixed up) makes them differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.labels.sampling import require_shape

kernel = compiled.kernels(__name__)

TOLERANCE = 1
"""Steps of 1/255 by which a channel may differ: two ways to round a colour do not make it another one."""

_NO_SINGLE_COLOR, _NOT_LISTED = -1, -2


class PictureAgreement(NamedTuple):
    """How far a picture shows what an id map says.

    Attributes:
        share: The share of the compared pixels that have the colour of their material, 0..1; None where none can be
            compared.
        compared: The share of all pixels that were compared: those whose material has a single colour, and those whose
            id is missing among the colours, which agree with nothing.
        odd: How many of the compared pixels do not agree.
    """

    share: float | None
    compared: float
    odd: int


def label_picture_agreement(
    flat: npt.NDArray[np.uint8],
    material_id: npt.NDArray[np.uint16],
    colors: Mapping[int, tuple[int, int, int] | None],
) -> PictureAgreement:
    """The share of pixels that have the colour of the material that the id map names there.

    Two materials of one colour cannot be told apart this way; :func:`id_agreement` can.

    Args:
        flat: ``(H, W, 3)`` uint8, the frame without lines.
        material_id: ``(H, W)`` uint16, which material each pixel shows.
        colors: the colour of each material by its id, 0..255; None where it has no single one (an image is painted).

    Returns:
        How many agree; a pixel does whose colour is within :data:`TOLERANCE` in each channel.

    Raises:
        ValueError: an array has another shape or dtype, or a colour is not in 0..255.
    """
    _require_ids(material_id)
    require_shape("the frame without lines", flat, (*material_id.shape, 3))
    if flat.dtype != np.uint8:
        raise ValueError(f"the frame without lines must be uint8, not {flat.dtype}")
    table = np.full((int(np.iinfo(np.uint16).max) + 1, 3), _NOT_LISTED, np.int16)
    for number, color in colors.items():
        if color is not None and not all(0 <= value <= 255 for value in color):
            raise ValueError(f"the colour of material {number} must lie in 0..255, not {color}")
        table[number] = _NO_SINGLE_COLOR if color is None else color
    agreeing, compared = _count_agreeing(flat, material_id, table)
    pixels = max(material_id.size, 1)
    return PictureAgreement(agreeing / compared if compared else None, compared / pixels, compared - agreeing)


def id_agreement(rendered_ids: npt.NDArray[np.uint16], material_id: npt.NDArray[np.uint16]) -> float:
    """The share of pixels at which two id maps of a frame are the same.

    Args:
        rendered_ids: ``(H, W)`` uint16, from a picture with a colour of its own for each material.
        material_id: ``(H, W)`` uint16, from the geometry.

    Returns:
        0..1; 1 for maps without pixels.

    Raises:
        ValueError: the shapes differ or the maps are not uint16.
    """
    _require_ids(material_id)
    _require_ids(rendered_ids)
    require_shape("the map of rendered ids", rendered_ids, material_id.shape)
    return float(np.mean(rendered_ids == material_id)) if material_id.size else 1.0


def _require_ids(ids: npt.NDArray[Any]) -> None:
    if ids.ndim != 2 or ids.dtype != np.uint16:
        raise ValueError(f"an id map must be (H, W) of uint16, not {ids.shape} of {ids.dtype}")


@kernel
def _count_agreeing(flat, material_id, table):  # type: ignore[no-untyped-def]
    """How many pixels agree with the colour of their material, and how many could be compared."""
    height, width = material_id.shape
    agreeing = 0
    compared = 0
    for row in range(height):
        for column in range(width):
            color = table[material_id[row, column]]
            if color[0] == _NO_SINGLE_COLOR:
                continue
            compared += 1
            if color[0] == _NOT_LISTED:
                continue
            same = True
            for k in range(3):
                same &= abs(np.int64(flat[row, column, k]) - color[k]) <= TOLERANCE
            agreeing += same
    return agreeing, compared
