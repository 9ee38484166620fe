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
between the two.  What is smaller than a ball and open to neighbours dissolves into them.  And a sliver too thin for any
ball is a region if lines enclose it and it has as many pixels as the largest ball.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.labels.kernels import balls, borders
from animerun_gen.labels.line_area import distance_from, line_pixels
from animerun_gen.union_find import join

_GAP_SLACK = 1.25
"""Pixels by which the distance to the line must exceed a ball's radius for the ball to pass.

Erasing a disc of radius r from a line leaves line ends up to r + 1.25 away from its middle: the first pixel not erased
is up to one (diagonal: 1.41) pixels further out, and a rasterised disc reaches somewhat past its radius."""

_PROMINENCE = 0.75
"""By how many pixels the widest place of a region must exceed its way out; below that it is an unevenness of pixels."""

_NECK_OPENING = 0.25
"""A passage is a neck if the free distance grows by at most so much a pixel of the way from its middle, on the mean.

The mean is that of its two sides.  Behind a gap in a line the distance grows by 0.7 (over three times the gap's
half-width), and where the tips of two junctions face each other, because the line between them is gone, still by 0.5.
Between two curves that pass each other it grows in proportion to their curvature: by less than this if their radii are
larger than twice the way."""

_SIDE_OPENING = 0.3
"""The same for the side that opens faster: a corner may have another region's outline along its other side."""


def trapped_ball_segments(
    line_art: npt.NDArray[np.uint8], ball_radius: int = 3, threshold: int = 128, keep_lines: bool = False
) -> npt.NDArray[np.int32]:
    """Segments line art into regions, with a trapped ball (section 3.2 of the paper; Zhang et al. 2009).

    Gaps in a line up to the ball's diameter, ``2 * ball_radius + 1`` pixels, do not let two regions leak into each
    other.  The frame's border acts as a line.  Paper in which not even a 3x3 block fits joins the region that it is
    open to; where lines enclose it, it is a region of its own if it has as many pixels as the largest ball, or else
    joins the nearest one.  A picture with no room for any region is one segment.

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
    regions = _join_across_necks(regions, room, ball_radius)
    _dissolve_leftovers(regions, smaller_than=ball_area)
    _keep_slivers(regions, room, smallest=ball_area)
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
    labels, all_room = regions.ravel(), room.ravel()
    # Lines are connected across corners, so paper must not be.
    component_count, components = cv2.connectedComponents(
        (room > radius).view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    components = components.ravel()
    shared = np.bincount(components[seeds], minlength=component_count) > 1

    if spawn:
        first = balls.first_roomy_pixels(labels, components, component_count, all_room, radius + _PROMINENCE)
        first[components[seeds]] = -1
        # In the order of the picture: how OpenCV numbers components may depend on the number of threads.
        seeds = np.concatenate([seeds, np.sort(first[first >= 0])])

    owner = np.zeros(component_count, np.int32)
    owner[components[seeds]] = 1 + np.arange(len(seeds))
    contested = balls.claim(labels, components, owner, shared, all_room, radius)
    balls.spread(labels, contested, room.shape[1])
    return seeds


def _dissolve_leftovers(regions: npt.NDArray[np.int32], smaller_than: float) -> None:
    """Lets the neighbours of each region of fewer pixels grow into it (in place), if it is open to any."""
    labels = regions.ravel()
    small = np.bincount(labels) < smaller_than
    small[0] = False
    if not small.any():
        return
    pixels = np.flatnonzero(small[labels])
    before = labels[pixels]
    labels[pixels] = 0
    balls.spread(labels, pixels, regions.shape[1])
    enclosed = labels[pixels] == 0
    labels[pixels[enclosed]] = before[enclosed]


def _keep_slivers(regions: npt.NDArray[np.int32], room: npt.NDArray[np.float32], smallest: float) -> None:
    """Makes paper that no ball fits into, but that lines enclose, a region (in place) if it has enough pixels: a rail,
    a rim, a strand of hair between its two outlines."""
    count, slivers, statistics, _ = cv2.connectedComponentsWithStats(
        ((regions == 0) & (room > 0)).view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    number = np.zeros(count, np.int32)
    kept = np.flatnonzero(statistics[1:, cv2.CC_STAT_AREA] >= smallest) + 1
    if not kept.size:
        return
    number[kept] = int(regions.max()) + 1 + np.arange(len(kept))
    regions += number[slivers]


def _fill_with_nearest(regions: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The regions, where every pixel that was 0 has the region of the nearest pixel that was not."""
    empty = regions == 0
    if empty.all():
        return np.ones_like(regions)
    _, nearest = cv2.distanceTransformWithLabels(
        empty.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    filled: npt.NDArray[np.int32] = balls.fill_with_nearest(
        np.ascontiguousarray(regions), nearest, int(nearest.max()) + 1
    )
    return filled


def _join_across_necks(
    regions: npt.NDArray[np.int32], room: npt.NDArray[np.float32], ball_radius: int
) -> npt.NDArray[np.int32]:
    """Joins two regions that are open to each other with hardly a line between them, unless the opening is a gap."""
    # Specks of paper that lines enclose are as good as line: nothing is open through them.
    one, other, wall, widest = borders.borders(_fill_with_nearest(regions), np.where(regions > 0, room, np.float32(0)))
    longest_wall = 2 * ball_radius + 1
    way = 3 * ball_radius + 1
    label = np.arange(int(regions.max()) + 1, dtype=np.int32)
    for border in np.flatnonzero((widest >= 0) & (wall <= longest_wall)):
        row, column = divmod(int(widest[border]), regions.shape[1])
        rooms = balls.most_room_near(regions, room, row, column, way, one[border], other[border])
        mean_opening, side_opening = (most - room[row, column] for most in (sum(rooms) / 2, max(rooms)))
        if mean_opening <= _NECK_OPENING * way and side_opening <= _SIDE_OPENING * way:
            join(label, one[border], other[border])
    while not np.array_equal(label, label[label]):
        label = label[label]
    return label[regions]


def _number_by_first_pixel(regions: npt.NDArray[np.int32], start: int) -> npt.NDArray[np.int32]:
    """Renumbers positive labels contiguously from ``start`` in raster order; 0 stays."""
    numbered: npt.NDArray[np.int32] = balls.number_by_first_pixel(regions, int(regions.max()) + 1, start)
    return numbered
