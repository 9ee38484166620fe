"""Layers of a frame: what one of them alone shows, and how a frame is put together from their pictures.

A layer is a group of a frame's instances.  Its visibility buffer has the instances numbered as the whole frame has
them, so that flow, ids, lines and shade of what it hides from the camera are asked of the frame's own geometry.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

U8Array = npt.NDArray[np.uint8]

SET = 0
"""Number of the layer to which the background belongs, and everything that is in no other layer."""


def draw_layer(geometry: FrameGeometry, of_instance: U8Array, layer: int) -> VisibilityBuffer:
    """What is seen of one layer, as if nothing of the others were there.

    Args:
        geometry: The frame.
        of_instance: ``(I,)`` uint8, the layer of each instance.
        layer: Which layer.

    Returns:
        Its visibility buffer; instances are numbered as in the frame.
    """
    return raster.draw(geometry, instances=of_instance == layer)


def layer_map(seen: VisibilityBuffer, of_instance: U8Array) -> U8Array:
    """Which layer each pixel of a frame shows, ``(H, W)`` uint8; :data:`SET` where no surface is seen.

    Args:
        seen: What the frame sees.
        of_instance: ``(I,)`` uint8, the layer of each of its instances.
    """
    # the last entry is that of instance -1, the background
    table = np.append(of_instance, np.uint8(SET)).astype(np.uint8)
    return np.asarray(table[seen.instance])


def cel_colors(
    colors: U8Array, painted: npt.NDArray[np.bool_], seen: VisibilityBuffer, backdrop: tuple[int, int, int]
) -> U8Array:
    """The colours of a layer at exactly the pixels that its visibility buffer covers.

    The renderer rounds otherwise than the buffer, so that at edges a pixel may be covered that was not painted.  It
    takes the colour of the nearest pixel that shows the same instance, else of the nearest one that is painted.

    Args:
        colors: ``(H, W, 3)`` uint8, as rendered.
        painted: ``(H, W)`` bool, where a surface was rendered.
        seen: What is seen of the layer.
        backdrop: Colour of all other pixels.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    covered = seen.instance != BACKGROUND
    found = np.where((covered & painted)[..., None], colors, np.array(backdrop, np.uint8)).astype(np.uint8)
    missing = covered & ~painted
    if not missing.any():
        return found
    known = covered & painted
    for instance in np.unique(seen.instance[missing]):
        of_it = seen.instance == instance
        source = known & of_it
        if not source.any():
            source = known
        if source.any():
            wanted = missing & of_it
            rows, columns = _nearest(source, wanted)
            found[wanted] = colors[rows, columns]
    return found


def _nearest(
    source: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and column of the pixel of ``source`` that is nearest to each one that is wanted."""
    _, labels = cv2.distanceTransformWithLabels(
        np.where(source, 0, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(source)
    place = np.zeros(int(labels.max()) + 1, np.int64)
    place[labels[rows, columns]] = np.arange(len(rows))
    chosen = place[labels[wanted]]
    return rows[chosen], columns[chosen]


def put_together(pictures: Sequence[U8Array], shown: U8Array) -> U8Array:
    """The picture of a frame from those of its layers.

    Args:
        pictures: ``(H, W, 3)`` uint8 of each layer, in the order of their numbers.
        shown: ``(H, W)`` uint8, which layer each pixel shows.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    found = np.empty_like(pictures[SET])
    for number, picture in enumerate(pictures):
        chosen = shown == number
        found[chosen] = picture[chosen]
    return found
