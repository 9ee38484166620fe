"""Regions of line art by trapped-ball segmentation (section 3.2 of the paper).

The method is that of Zhang et al., "Vectorizing Cartoon Animations", IEEE TVCG 2009: a ball that rolls through the
paper between the lines cannot leave through a gap in a line that is narrower than the ball, so what it can reach is a
region although its outline is broken.  Large balls first, then smaller ones where the large ones do not fit.

The usual implementations fill one region after the other.  Here all regions of one ball radius are found at once: the
centre of a ball of radius ``r`` can be wherever the distance to the nearest line is larger than ``r``, hence the
connected components of that set are the regions.  As the radius shrinks, the components grow and meet, and three rules
say what becomes of them:

* A component that holds one region belongs to it as a whole.  This is how corners too narrow for the large ball find
  their region, without pieces of their own.
* A component that holds several regions is a place where a smaller ball rolls through a gap.  The regions grow through
  it step by step and stop where they meet, in the gap.
* A component that holds no region becomes one, if the ball has noticeably more room in it than at the way out;
  otherwise it is a widening of something larger.

At last, two regions that only a *neck* has separated become one: a passage as narrow as a gap, yet not in a line
between the two.  And what is smaller than a ball and open to neighbours dissolves into them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.labels.line_area import distance_from, line_pixels

_GAP_SLACK = 1.25
"""Pixels by which the distance to the line must exceed a ball's radius for the ball to pass.

Erasing a disc of radius r from a line leaves line ends up to r + 1.25 away from its middle: the first pixel not erased
is up to one (diagonal: 1.41) pixels further out, and a rasterised disc reaches somewhat past its radius."""

_PROMINENCE = 0.75
"""By how many pixels the widest place of a region must exceed its way out; below that it is an unevenness of pixels."""

_NECK_OPENING = 1.45
"""A passage is a neck if on one of its sides the free distance grows by less than this factor.

At a distance of ``s`` behind a gap of half-width ``s`` in a thin line the free distance is already 1.41 ``s``, and the
search looks twice as far; between two lines that come close to each other it grows slowly."""


def trapped_ball_segments(
    line_art: npt.NDArray[np.uint8], ball_radius: int = 3, threshold: int = 128, keep_lines: bool = False
) -> npt.NDArray[np.int32]:
    """Segments line art into regions, with a trapped ball (section 3.2 of the paper; Zhang et al. 2009).

    Gaps in a line up to the ball's diameter, ``2 * ball_radius + 1`` pixels, do not let two regions leak into each
    other.  The frame's border acts as a line.  A place where no 3x3 block of paper fits is no region of its own; it
    joins the region that it is open to, or else the nearest one.  A picture with no room for any region is one segment.

    Args:
        line_art: ``(H, W)`` or ``(H, W, 3)`` uint8, dark or coloured lines on white, anti-aliased or not.
        ball_radius: of the largest ball, pixels, at least 1.
        threshold: a pixel darker than this is a line; see :func:`~animerun_gen.labels.line_area.line_pixels`.
        keep_lines: label line pixels 0 and number the regions from 1, instead of giving each line pixel to the nearest
            region.

    Returns:
        ``(H, W)`` int32, the labels contiguous from 0 (with ``keep_lines`` 0 stands for the lines even if there are
        none), numbered in the order of their first pixels, row by row from the top left.

    Raises:
        ValueError: ``line_art`` is not such a picture, or ``ball_radius`` is smaller than 1.

    Example:
        >>> picture = np.full((20, 20), 255, np.uint8)
        >>> picture[:, 10] = 0
        >>> picture[8:12, 10] = 255  # a gap
        >>> np.unique(trapped_ball_segments(picture)).tolist()
        [0, 1]
    """
    if ball_radius < 1:
        raise ValueError(f"the ball radius must be at least 1, not {ball_radius}")
    lines = line_pixels(line_art, threshold)
    # A frame of line pixels around the picture: the border acts as a line, and every pixel has four neighbours.
    room = distance_from(np.pad(lines, 1, constant_values=True))
    regions = _trap_balls(room, ball_radius)
    ball_area = np.pi * (ball_radius + 0.5) ** 2
    regions = _join_across_necks(regions, room, longest_wall=2 * ball_radius + 1, small=ball_area)
    _dissolve_leftovers(regions, smaller_than=ball_area)
    regions = _fill_with_nearest(regions[1:-1, 1:-1])
    if keep_lines:
        return _number_by_first_pixel(np.where(lines, 0, regions), start=1)
    return _number_by_first_pixel(regions, start=0)


def _trap_balls(room: npt.NDArray[np.float32], ball_radius: int) -> npt.NDArray[np.int32]:
    """Regions from 1, by balls from large to small; 0 on lines and where not even the smallest ball fits.

    ``room`` is the distance to the nearest line; its outermost pixels are all line.
    """
    regions = np.zeros(room.shape, np.int32)
    seeds = np.empty(0, np.intp)
    for radius in range(ball_radius, -1, -1):
        seeds = _roll(regions, seeds, room, radius + _GAP_SLACK, spawn=True)
    _roll(regions, seeds, room, 0, spawn=False)
    return regions


def _roll(
    regions: npt.NDArray[np.int32],
    seeds: npt.NDArray[np.intp],
    room: npt.NDArray[np.float32],
    radius: float,
    spawn: bool,
) -> npt.NDArray[np.intp]:
    """Lets a ball of ``radius`` roll: extends the regions (in place) over all pixels whose ``room`` is larger.

    ``seeds`` are the flat indices of one pixel of each region.  A region is connected, so the component that its seed
    lies in holds all of it.

    Returns:
        The seeds, followed by those of the regions that ``spawn`` allowed to come into being.
    """
    labels = regions.ravel()
    reachable = room > radius
    # Lines are connected across corners, so paper must not be.
    component_count, components = cv2.connectedComponents(reachable.view(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    components = components.ravel()
    shared = np.bincount(components[seeds], minlength=component_count) > 1

    if spawn:
        roomy = np.flatnonzero((room.ravel() >= radius + _PROMINENCE) & (labels == 0))[::-1]
        first_roomy = np.full(component_count, -1)
        # Of repeated indices the last assignment counts: with the pixels in reverse that is the first pixel.
        first_roomy[components[roomy]] = roomy
        first_roomy[components[seeds]] = -1
        # In the order of the picture: how OpenCV numbers components may depend on the number of threads.
        seeds = np.concatenate([seeds, np.sort(first_roomy[first_roomy >= 0])])

    owner = np.zeros(component_count, np.int32)
    owner[components[seeds]] = 1 + np.arange(len(seeds))
    empty = np.flatnonzero(reachable.ravel() & (labels == 0))
    contested = shared[components[empty]]
    claimed = empty[~contested]
    labels[claimed] = owner[components[claimed]]
    _spread(labels, empty[contested], room.shape[1])
    return seeds


def _spread(labels: npt.NDArray[np.int32], empty: npt.NDArray[np.intp], width: int) -> None:
    """Lets regions grow over the ``empty`` pixels (flat indices), all at one speed; where two meet the smaller wins."""
    none = np.iinfo(np.int32).max
    while len(empty):
        nearest = np.full(len(empty), none, np.int32)
        for step in (-width, -1, 1, width):
            neighbour = labels[empty + step]
            np.minimum(nearest, neighbour, out=nearest, where=neighbour > 0)
        reached = nearest != none
        if not reached.any():
            break
        labels[empty[reached]] = nearest[reached]
        empty = empty[~reached]


def _dissolve_leftovers(regions: npt.NDArray[np.int32], smaller_than: float) -> None:
    """Lets the neighbours of each region of fewer pixels grow into it (in place), if it is open to any."""
    labels = regions.ravel()
    small = np.bincount(labels) < smaller_than
    pixels = np.flatnonzero(small[labels] & (labels > 0))
    before = labels[pixels]
    labels[pixels] = 0
    _spread(labels, pixels, regions.shape[1])
    enclosed = labels[pixels] == 0
    labels[pixels[enclosed]] = before[enclosed]


def _fill_with_nearest(regions: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The regions, where every pixel that was 0 has the region of the nearest pixel that was not."""
    empty = regions == 0
    if empty.all():
        return np.ones_like(regions)
    _, nearest = cv2.distanceTransformWithLabels(
        empty.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    region_of = np.zeros(int(nearest.max()) + 1, np.int32)
    region_of[nearest[~empty]] = regions[~empty]
    return region_of[nearest]


@dataclass(frozen=True)
class _Borders:
    """The borders between regions, one entry for each pair of regions that touch; lengths in pairs of pixels."""

    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    opening: npt.NDArray[np.intp]
    """Length of the part where paper touches paper."""
    wall: npt.NDArray[np.intp]
    """Length of the part inside a line."""
    widest: npt.NDArray[np.intp]
    """Flat index of the pixel of the opening that has most room (any pixel of the border where there is no opening)."""


def _borders(regions: npt.NDArray[np.int32], room: npt.NDArray[np.float32]) -> _Borders:
    indices = np.arange(regions.size).reshape(regions.shape)
    across, down = regions[:, :-1] != regions[:, 1:], regions[:-1] != regions[1:]
    pixel = np.concatenate([indices[:, :-1][across], indices[:-1][down]])
    other = np.concatenate([indices[:, 1:][across], indices[1:][down]])
    labels = regions.ravel()
    first, second = np.minimum(labels[pixel], labels[other]), np.maximum(labels[pixel], labels[other])
    passable = np.minimum(room.ravel()[pixel], room.ravel()[other])
    pair = first.astype(np.int64) << 32 | second
    order = np.lexsort((passable, pair))
    last = np.append(np.diff(pair[order]) != 0, np.ones(min(len(order), 1), np.bool_))
    length = np.diff(np.flatnonzero(last), prepend=-1)
    opening = np.diff(np.cumsum(passable[order] > 0)[last], prepend=0)
    ends = order[last]
    return _Borders(first[ends], second[ends], opening, length - opening, pixel[ends])


def _join_across_necks(
    regions: npt.NDArray[np.int32], room: npt.NDArray[np.float32], longest_wall: int, small: float
) -> npt.NDArray[np.int32]:
    """Joins two regions that are open to each other with hardly a line between them, unless the opening is a gap."""
    # Specks of paper that lines enclose are as good as line: nothing is open through them.
    borders = _borders(_fill_with_nearest(regions), np.where(regions > 0, room, np.float32(0)))
    area = np.bincount(regions.ravel())
    width = regions.shape[1]
    necks = []
    for index in np.flatnonzero((borders.opening > 0) & (borders.wall <= longest_wall)):
        pair = (borders.first[index], borders.second[index])
        row, column = divmod(int(borders.widest[index]), width)
        narrowest = room[row, column]
        reach = int(np.ceil(2 * narrowest + 1))
        window = np.s_[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
        sides = [room[window][regions[window] == region].max() for region in pair]
        # What lies in the middle of a gap, as where three lines should meet, is narrow itself and proves nothing.
        proof = max(sides) if min(area[region] for region in pair) < small else min(sides)
        if proof <= _NECK_OPENING * narrowest:
            necks.append(pair)
    return _join(regions, necks)


def _join(regions: npt.NDArray[np.int32], pairs: Iterable[tuple[int, int]]) -> npt.NDArray[np.int32]:
    """Gives regions that the pairs connect the smallest of their labels."""
    parent = np.arange(int(regions.max()) + 1, dtype=np.int32)

    def root(region: int) -> int:
        while parent[region] != region:
            parent[region] = region = parent[parent[region]]
        return region

    for one, other in pairs:
        smaller, larger = sorted((root(one), root(other)))
        parent[larger] = smaller
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    return parent[regions]


def _number_by_first_pixel(regions: npt.NDArray[np.int32], start: int) -> npt.NDArray[np.int32]:
    """Renumbers positive labels contiguously from ``start`` in raster order; 0 stays."""
    labels = regions.ravel()
    first = np.full(int(labels.max()) + 1, labels.size)
    # Of repeated indices the last assignment counts: with the pixels in reverse that is the first pixel.
    first[labels[::-1]] = np.arange(labels.size)[::-1]
    used = np.flatnonzero(first < labels.size)
    used = used[used > 0]
    number = np.zeros(len(first), np.int32)
    number[used[np.argsort(first[used])]] = start + np.arange(len(used))
    return number[regions]
