"""Thins out lines where locks of hair lie so close that they would be nothing but black.

Seen at a grazing angle, or from far, locks are narrower than the lines around them.  An animator then draws the few
that stand out most.  So, wherever more than a share of the hair around a pixel is line, only the lines at the largest
steps in depth stay; and where that is not enough, as on the tips of locks before a background, the line that runs on
the hair goes where it also runs beside it.  Specks that this would leave of a line go as well.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.motion.raster import VisibilityBuffer

MOST_INK = 0.25
"""The share of the hair around a pixel that lines may take."""

SPECK = 10.0
"""A piece of a line of fewer pixels than these, times the lines' thickness, is a speck."""

LEVELS = 12
"""Steps in which lines are left out."""

_NEIGHBOURS: tuple[tuple[tuple[slice, ...], tuple[slice, ...]], ...] = (
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ((slice(None, -1),), (slice(1, None),)),
    ((slice(1, None),), (slice(None, -1),)),
)
"""Each pixel that has one to its right, left, below and above, and that one."""


def thin_hair_lines(
    line_art: npt.NDArray[np.uint8],
    seen: VisibilityBuffer,
    is_hair: npt.NDArray[np.bool_],
    thickness: float,
) -> npt.NDArray[np.uint8]:
    """Leave lines out where hair would be black.

    Two pixels of different things that a line parts remain parted.

    Args:
        line_art: ``(H, W)`` uint8, 0 on lines, 255 elsewhere.
        seen: What each pixel sees.
        is_hair: ``(I,)`` bool, which instances are hair.
        thickness: Of lines, pixels; the window in which they are counted is ten times as wide.

    Returns:
        ``(H, W)`` uint8: the line art with fewer lines on hair, and the same elsewhere.
    """
    hair = np.append(is_hair, False)[seen.instance]
    ink = hair & (line_art < 128)
    if not ink.any():
        return line_art
    prominence = np.where(ink, _steps(seen, thickness), -1.0)
    parting, doubled = _borders(line_art, seen, hair)
    prominence[ink & doubled] = np.inf
    size = 2 * int(np.ceil(5.0 * thickness)) + 1
    around = cv2.blur(hair.astype(np.float64), (size, size), borderType=cv2.BORDER_REFLECT)
    finite = prominence[ink & np.isfinite(prominence)]
    levels = [-1.0, *np.quantile(finite, np.linspace(0, 1, LEVELS + 1)[1:])] if len(finite) else [-1.0]
    kept = ink & parting
    undecided = ink & ~parting
    for level in levels:
        drawn = ink & (parting | (prominence > level))
        crowded = cv2.blur(drawn.astype(np.float64), (size, size), borderType=cv2.BORDER_REFLECT) > MOST_INK * around
        # the first level at which a place is not too crowded decides there
        kept |= undecided & drawn & ~crowded
        undecided &= crowded
    kept &= ~_specks(kept & ~parting, ink & ~kept, thickness)
    thinned = line_art.copy()
    thinned[ink & ~kept] = 255
    return thinned


def _specks(drawn: npt.NDArray[np.bool_], removed: npt.NDArray[np.bool_], thickness: float) -> npt.NDArray[np.bool_]:
    """The pixels of short pieces that are left of lines."""
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(drawn.astype(np.uint8), connectivity=8)
    short = figures[:, cv2.CC_STAT_AREA] < SPECK * thickness
    cut = np.zeros(len(figures), bool)
    beside = cv2.dilate(removed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    cut[np.unique(pieces[beside])] = True
    return drawn & (short & cut)[pieces]


def _steps(seen: VisibilityBuffer, thickness: float) -> npt.NDArray[np.float64]:
    """How far apart in depth a pixel and those beside it that belong to the same instance are."""
    step = np.zeros(seen.depth.shape)
    for here, there in _NEIGHBOURS:
        same = seen.instance[here] == seen.instance[there]
        with np.errstate(invalid="ignore"):
            apart = np.abs(seen.depth[here] - seen.depth[there])
        step[here] = np.where(same, np.maximum(step[here], apart), step[here])
    # thick lines reach beyond the two pixels that they part
    size = 2 * int(thickness / 2.0) + 1
    return np.asarray(cv2.dilate(np.nan_to_num(step, posinf=0.0), np.ones((size, size), np.uint8)), np.float64)


def _borders(
    line_art: npt.NDArray[np.uint8], seen: VisibilityBuffer, hair: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The pixels whose line alone parts them from another instance, and those where the other side keeps one too."""
    alone, doubled = (np.zeros(line_art.shape, bool) for _ in range(2))
    for here, there in _NEIGHBOURS:
        other = seen.instance[here] != seen.instance[there]
        # of two that are both hair, the first one may go
        inked = (line_art[there] < 128) & (~hair[there] | (seen.instance[here] < seen.instance[there]))
        alone[here] |= other & ~inked
        doubled[here] |= other & inked
    return alone, doubled & ~alone
