"""How well the segments of a rendered frame keep to its surfaces, which the id maps know."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.labels.sampling import require_mask, require_shape
from animerun_gen.union_find import join, root

kernel = compiled.kernels(__name__)

MIN_REGION = 25
"""Pixels of the smallest id region that is counted: specks between lines are no shapes that a person would colour."""


def segment_figures(
    segments: npt.NDArray[np.integer[Any]],
    lines: npt.NDArray[np.bool_],
    object_id: npt.NDArray[np.uint16],
    material_id: npt.NDArray[np.uint16],
) -> dict[str, Any]:
    """Leaks and shattering of a frame's segments.

    The *id* of a pixel is the pair of the object and the material that it shows, a segment's *main id* the one that
    most of its pixels have, and an *id region* a 4-connected component of pixels of one id.  Line pixels never count,
    and part regions.

    A leak need not be the segmentation's fault: it is one as well where two materials meet and the line art has no
    line between them.

    Args:
        segments: ``(H, W)`` integers from 0.
        lines: ``(H, W)`` bool, True on lines.
        object_id: ``(H, W)`` uint16.
        material_id: ``(H, W)`` uint16.

    Returns:
        A dictionary ready for standard JSON:

        ``segments``
            how many segments there are
        ``leaks``
            share of the pixels that have not the main id of their segment, 0..1; None if all are lines
        ``id_regions``
            how many id regions of at least :data:`MIN_REGION` pixels there are
        ``pieces``
            mean over those regions of the number of segments that have more pixels in them than in any other region (of
            equal ones the region counts whose first pixel comes first), at least 1 each; None without regions

    Raises:
        ValueError: the shapes do not agree, ``lines`` is not bool, or a segment is negative.

    Example:
        >>> segments = np.repeat([[0, 0, 1, 1]], 10, axis=0)
        >>> ids = np.repeat([[1, 1, 1, 2]], 10, axis=0).astype(np.uint16)
        >>> segment_figures(segments, np.zeros((10, 4), bool), ids, ids)
        {'segments': 2, 'leaks': 0.25, 'id_regions': 1, 'pieces': 2.0}
    """
    for name, array in (("the object ids", object_id), ("the material ids", material_id)):
        require_shape(name, array, segments.shape)
    require_mask("the mask of lines", lines, segments.shape)
    if segments.size and segments.min() < 0:
        raise ValueError("segment labels must not be negative")
    ids = object_id.astype(np.uint32) << np.uint32(16) | material_id
    # compiled for few types
    kept = np.int32 if segments.dtype == np.int32 else np.int64
    region_id, segment, region, count = _overlaps(
        np.ascontiguousarray(segments, kept), np.ascontiguousarray(ids), np.ascontiguousarray(lines)
    )
    paper = int(count.sum())
    figures: dict[str, Any] = {
        "segments": int(np.count_nonzero(np.bincount(segments.ravel()))),
        "leaks": None,
        "id_regions": 0,
        "pieces": None,
    }
    if paper == 0:
        return figures
    _, region_code = np.unique(region_id, return_inverse=True)
    _, in_main = _most_frequent(segment, region_code[region], count)
    figures["leaks"] = round(1 - int(in_main.sum()) / paper, 9)

    counted = np.bincount(region, weights=count, minlength=len(region_id)) >= MIN_REGION
    figures["id_regions"] = int(counted.sum())
    if counted.any():
        home, _ = _most_frequent(segment, region, count)
        pieces = np.bincount(home, minlength=len(region_id))[counted]
        figures["pieces"] = round(float(np.maximum(pieces, 1).mean()), 9)
    return figures


def _most_frequent(
    group: npt.NDArray[np.int64], value: npt.NDArray[np.int64], count: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each group that occurs, in order, its most frequent value, of equal ones the smallest, and how often it is.

    Entries of the same group and value add up.
    """
    span = int(value.max()) + 1
    pairs, entry = np.unique(group * span + value, return_inverse=True)
    total = np.bincount(entry, weights=count).astype(np.int64)
    group, value = np.divmod(pairs, span)
    order = np.lexsort((value, -total, group))
    first = np.ones(len(order), np.bool_)
    first[1:] = np.diff(group[order]) != 0
    return value[order][first], total[order][first]


@kernel
def _overlaps(segments, ids, lines):  # type: ignore[no-untyped-def]
    """Which segments and id regions share how many pixels that are no line.

    Returns:
        The id of each region, the regions in the order of their first pixels; and segment, region and number of pixels
        of each run of neighbours in a row that share both.
    """
    height, width = ids.shape
    label = np.empty((height, width), np.int32)
    parent = np.empty(height * width, np.int32)
    labels = 0
    for row in range(height):
        for column in range(width):
            if lines[row, column]:
                continue
            same_above = row > 0 and not lines[row - 1, column] and ids[row - 1, column] == ids[row, column]
            same_left = column > 0 and not lines[row, column - 1] and ids[row, column - 1] == ids[row, column]
            if same_above and same_left:
                label[row, column] = join(parent, label[row - 1, column], label[row, column - 1])
            elif same_above:
                label[row, column] = label[row - 1, column]
            elif same_left:
                label[row, column] = label[row, column - 1]
            else:
                label[row, column] = parent[labels] = labels
                labels += 1

    # A root is the smallest label of its region, that of its first pixel.
    region_of, region_count = np.empty(labels, np.int64), 0
    for number in range(labels):
        first = root(parent, number)
        if first == number:
            region_of[number] = region_count
            region_count += 1
        else:
            region_of[number] = region_of[first]

    region_id = np.empty(region_count, np.int64)
    segment, region = np.empty(height * width, np.int64), np.empty(height * width, np.int64)
    count, last = np.empty(height * width, np.int64), -1
    for row in range(height):
        for column in range(width):
            if lines[row, column]:
                continue
            here = region_of[label[row, column]]
            region_id[here] = ids[row, column]
            if last < 0 or segment[last] != segments[row, column] or region[last] != here:
                last += 1
                segment[last], region[last], count[last] = segments[row, column], here, 0
            count[last] += 1
    return region_id, segment[: last + 1], region[: last + 1], count[: last + 1]
