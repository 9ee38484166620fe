"""Regions of a drawing, bounded by its lines, and which regions of a clip's frames are the same one.

A region is a connected part of one object in one material.  Two regions are the same where exact motion, or a point
that is followed through the clip, leads from one into the other, in however many steps.  Where nothing known does, they
are two: a number is never shared on the strength of looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import label

from animerun_gen.dataset import Tracks
from animerun_gen.export.labels import Motion

SMALLEST = 4
"""Pixels of the smallest region; fewer between lines are drawn over, as an artist would."""

SHARE = 0.2
"""Of the pixels of a region whose place in the other frame is known, that have to lead to one and the same region."""


@dataclass(frozen=True)
class Regions:
    """The regions of a frame.

    Attributes:
        number: ``(H, W)`` int32, 0 on lines, regions from 1 on without gaps.
        object_id: ``(R + 1,)`` int64, the object of each region; 0: background.
        material_id: ``(R + 1,)`` int64, its material.
    """

    number: npt.NDArray[np.int32]
    object_id: npt.NDArray[np.int64]
    material_id: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.object_id) - 1

    @property
    def lines(self) -> npt.NDArray[np.bool_]:
        """``(H, W)`` bool, where lines are."""
        mask: npt.NDArray[np.bool_] = self.number == 0
        return mask

    @property
    def keys(self) -> npt.NDArray[np.int64]:
        """``(R + 1,)`` int64, a number for the object and material of each; 0 for lines and background."""
        return np.where(self.object_id > 0, self.object_id << 16 | self.material_id, 0)


def find_regions(
    lines: npt.NDArray[np.bool_], object_id: npt.NDArray[np.uint16], material_id: npt.NDArray[np.uint16]
) -> Regions:
    """Regions between lines.

    Where two surfaces meet without a line, the border is drawn in the pixels of the one to the left or above, so that
    the regions are just the parts that the lines leave, connected by the sides of pixels.

    Args:
        lines: ``(H, W)`` bool, where lines are drawn.
        object_id: ``(H, W)`` uint16, 0: background.
        material_id: ``(H, W)`` uint16.
    """
    keys = object_id.astype(np.int64) << 16 | np.where(object_id > 0, material_id, 0)
    drawn = lines.copy()
    for axis in (0, 1):
        here = [slice(None)] * 2
        there = [slice(None)] * 2
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        one, other = tuple(here), tuple(there)
        drawn[one] |= (keys[one] != keys[other]) & ~lines[one] & ~lines[other]
    parts = label(~drawn, connectivity=1)  # type: ignore[no-untyped-call]
    sizes = np.bincount(parts.ravel())
    small = sizes < SMALLEST
    small[0] = True
    renumbered = np.where(small, 0, np.cumsum(~small)).astype(np.int32)
    number = renumbered[parts]
    objects = np.zeros(renumbered.max() + 1, np.int64)
    materials = np.zeros_like(objects)
    objects[number] = object_id
    materials[number] = np.where(object_id > 0, material_id, 0)
    objects[0] = materials[0] = 0
    return Regions(number, objects, materials)


def pairs_by_motion(
    source: Regions, target: Regions, motion: Motion, hidden: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.int64]:
    """Which regions of a frame are which of another one.

    Args:
        source: Regions of the frame where the arrows begin.
        target: Regions of the one where they end.
        motion: The arrows.
        hidden: ``(H, W)`` bool, what is not seen in the other frame; None where that is unknown.

    Returns:
        ``(K, 2)`` int64: a region of the source and one of the target, of the same object and material.
    """
    height, width = source.number.shape
    seen = motion.known if hidden is None else motion.known & ~hidden
    rows, columns = np.nonzero(seen & ~source.lines)
    ends = np.rint(np.stack([columns, rows], axis=1) + motion.flow[rows, columns].astype(np.float64)).astype(np.int64)
    inside = ((ends >= 0) & (ends < (width, height))).all(axis=1)
    begins = source.number[rows[inside], columns[inside]]
    reached = target.number[ends[inside, 1], ends[inside, 0]]
    keys = source.keys[begins]
    # lines have no key, nor has the background, which is nowhere
    same = (keys > 0) & (keys == target.keys[reached])
    together, counts = np.unique(np.stack([begins[same], reached[same]], axis=1), axis=0, return_counts=True)
    arrived = np.bincount(begins[same], minlength=source.count + 1)
    enough = counts >= SHARE * arrived[together[:, 0]]
    return together[enough].astype(np.int64)


def regions_of_points(regions: Regions, tracks: Tracks, place: int) -> npt.NDArray[np.int64]:
    """The region in which each point of the tracks is seen.

    Args:
        regions: Of a frame.
        tracks: ``N`` points.
        place: Which frame of the tracks it is, from 0.

    Returns:
        ``(N,)`` int64; 0 where it is not seen, or so close to a line that the region is not certain.
    """
    height, width = regions.number.shape
    found = np.zeros(tracks.query_frame.size, np.int64)
    for point in np.flatnonzero(tracks.visible[place]):
        column, row = np.rint(tracks.position[place, point]).astype(np.int64)
        around = regions.number[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        if 0 <= row < height and 0 <= column < width and (around == around[0, 0]).all():
            region = int(around[0, 0])
            own = regions.object_id[region], regions.material_id[region]
            if own == (tracks.object_id[point], tracks.material_id[point]):
                found[point] = region
    return found


def identities(
    frames: Sequence[Regions], pairs: Sequence[npt.NDArray[np.int64]], points: Sequence[npt.NDArray[np.int64]]
) -> list[npt.NDArray[np.int64]]:
    """One number for each region that is followed through the clip.

    Args:
        frames: Regions of the frames; only their counts and keys are looked at.
        pairs: For each frame but the last, which of its regions are which of the next frame, ``(K, 2)``.
        points: For each frame, the region of each point, 0: none; empty where there are no points.

    Returns:
        For each frame ``(R + 1,)`` int64: 0 for lines, -1 for the background, and for all other regions a number from 1
        on, in the order of their first appearance.
    """
    starts = np.concatenate([[0], np.cumsum([one.count + 1 for one in frames])])
    edges = [joined + starts[[place, place + 1]] for place, joined in enumerate(pairs)]
    if points:
        seen = np.where(np.stack(points) > 0, np.stack(points) + starts[: len(points), None], -1)
        last = np.full(seen.shape[1], -1)
        for row in seen:
            both = (row >= 0) & (last >= 0)
            edges.append(np.stack([last[both], row[both]], axis=1))
            last = np.where(row >= 0, row, last)
    joined = np.concatenate([*edges, np.empty((0, 2), np.int64)]).astype(np.int64)
    total = int(starts[-1])
    graph = coo_array((np.ones(len(joined), bool), (joined[:, 0], joined[:, 1])), shape=(total, total))
    _, parts = connected_components(graph, directed=False)
    keys = np.concatenate([one.keys for one in frames])
    numbers: dict[int, int] = {}
    named = np.array(
        [numbers.setdefault(part, len(numbers) + 1) if key else -1 for part, key in zip(parts, keys, strict=True)]
    )
    named[starts[:-1]] = 0
    return np.split(named.astype(np.int64), starts[1:-1])
