"""Who hides whom in a frame: whole masks of its objects, pairs that overlap, and the order of its layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset.layers import (
    Amodal,
    AmodalObject,
    LayerExtent,
    LayerOcclusion,
    ObjectOcclusion,
    pack_mask,
)
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.layers import SET, U8Array, layer_map
from animerun_gen.motion.raster import BACKGROUND, Alone, VisibilityBuffer, draw_each

LAYERS_STEP = 1 << 16
"""Objects have 16-bit ids: the group of an instance is that of its object, and this much more for each layer."""


def find_amodal(
    geometry: FrameGeometry,
    seen: VisibilityBuffer,
    of_instance: U8Array,
    alone: Sequence[VisibilityBuffer],
    names: Sequence[str],
    objects: Mapping[int, str],
) -> Amodal:
    """Find who hides whom in a frame.

    Args:
        geometry: The frame.
        seen: What it sees.
        of_instance: ``(I,)`` uint8, the layer of each instance.
        alone: What is seen of each layer alone.
        names: The layers' names, in the order of their numbers.
        objects: Object id to name.

    Returns:
        Masks, pairs and order.  Of two surfaces at exactly one depth neither is in front.
    """
    shown = layer_map(seen, of_instance)
    present = [buffer.instance != BACKGROUND for buffer in alone]
    covers = _layer_covers([buffer.depth for buffer in alone])
    order = depth_order(covers)
    is_exact = np.array_equal(_topmost(present, order), shown)
    surface = seen.instance != BACKGROUND
    layers = tuple(
        LayerExtent(
            names[number],
            int(np.count_nonzero(present[number])),
            int(np.count_nonzero(surface & (shown == number))),
        )
        for number in order
    )
    groups = geometry.object_ids.astype(np.int64) + of_instance.astype(np.int64) * LAYERS_STEP
    masks = draw_each(geometry, groups)
    counted = np.unique(groups[seen.instance[surface]], return_counts=True)
    visible = dict(zip(*(each.tolist() for each in counted), strict=True))
    # sorted by the object's id, then by its layer
    numbers = sorted(masks, key=lambda group: (group % LAYERS_STEP, group // LAYERS_STEP))
    shape = seen.instance.shape
    found = tuple(
        _described(group, masks[group], visible.get(group, 0), names, objects, (shape[0], shape[1]))
        for group in numbers
    )
    return Amodal(
        height=shape[0],
        width=shape[1],
        layers=layers,
        order_is_exact=bool(is_exact),
        layer_occlusions=tuple(
            LayerOcclusion(names[front], names[behind], count)
            for (front, behind), count in sorted(covers.items())
            if count
        ),
        objects=found,
        object_occlusions=tuple(_object_covers(masks, numbers)),
    )


def depth_order(covers: Mapping[tuple[int, int], int]) -> list[int]:
    """Layers from the back to the front.

    The set, which has the background, comes first.  Of the others the one goes next that hides least of those that are
    left, so that the order is the right one wherever there is one.

    Args:
        covers: ``(front, behind)`` to the number of pixels at which the one layer is in front of the other; layers that
            have nothing in common with others are named with 0 pixels.

    Returns:
        All layers that are named, each once.

    Example:
        >>> depth_order({(1, 0): 9, (2, 0): 9, (1, 2): 4, (2, 1): 1})
        [0, 2, 1]
    """
    left = sorted({number for pair in covers for number in pair} - {SET})
    order = [SET]
    while left:
        hidden = {
            number: sum(max(0, covers.get((number, other), 0) - covers.get((other, number), 0)) for other in left)
            for number in left
        }
        backmost = min(left, key=lambda number: (hidden[number], number))
        order.append(backmost)
        left.remove(backmost)
    return order


def _layer_covers(depths: Sequence[npt.NDArray[np.float64]]) -> dict[tuple[int, int], int]:
    """Of each pair of layers, both ways, at how many pixels the first is in front of the second."""
    covers = {}
    for one, other in combinations(range(len(depths)), 2):
        both = np.isfinite(depths[one]) & np.isfinite(depths[other])
        covers[one, other] = int(np.count_nonzero(both & (depths[one] < depths[other])))
        covers[other, one] = int(np.count_nonzero(both & (depths[other] < depths[one])))
    return covers


def _topmost(present: Sequence[npt.NDArray[np.bool_]], order: Sequence[int]) -> U8Array:
    """Which layer is seen where whole ones are laid over each other, ``(H, W)`` uint8."""
    found = np.full(present[0].shape, SET, np.uint8)
    for number in order:
        found[present[number]] = number
    return found


def _described(
    group: int,
    alone: Alone,
    visible: int,
    names: Sequence[str],
    objects: Mapping[int, str],
    shape: tuple[int, int],
) -> AmodalObject:
    inside = np.isfinite(alone.depth)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    mask = np.zeros(shape, bool)
    height, width = inside.shape
    mask[alone.top : alone.top + height, alone.left : alone.left + width] = inside
    number = group % LAYERS_STEP
    return AmodalObject(
        id=number,
        name=objects.get(number, ""),
        layer=names[group // LAYERS_STEP],
        area=int(np.count_nonzero(inside)),
        visible=int(visible),
        box=(
            alone.left + int(columns[0]),
            alone.top + int(rows[0]),
            int(columns[-1] - columns[0]) + 1,
            int(rows[-1] - rows[0]) + 1,
        ),
        counts=pack_mask(mask),
    )


def _object_covers(masks: Mapping[int, Alone], numbers: Sequence[int]) -> Iterable[ObjectOcclusion]:
    for one, other in combinations(numbers, 2):
        parts = _common(masks[one], masks[other])
        if parts is None:
            continue
        both = np.isfinite(parts[0]) & np.isfinite(parts[1])
        if not both.any():
            continue
        first, second = parts[0] < parts[1], parts[1] < parts[0]
        for front, behind, nearer in ((one, other, first), (other, one, second)):
            if count := int(np.count_nonzero(both & nearer)):
                yield ObjectOcclusion(front % LAYERS_STEP, behind % LAYERS_STEP, count)


def _common(one: Alone, other: Alone) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """What two have in the part of the picture that both may reach; None where there is no such part."""
    top, left = max(one.top, other.top), max(one.left, other.left)
    bottom = min(one.top + one.depth.shape[0], other.top + other.depth.shape[0])
    right = min(one.left + one.depth.shape[1], other.left + other.depth.shape[1])
    if top >= bottom or left >= right:
        return None
    first, second = (
        each.depth[top - each.top : bottom - each.top, left - each.left : right - each.left] for each in (one, other)
    )
    return first, second
