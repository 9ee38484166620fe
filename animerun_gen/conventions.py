"""The conventions that every module of this project shares, written down once.

Coordinates
    x points right, y points down; the centre of pixel ``[row, column]`` lies at ``(x, y) = (column, row)``, so a
    picture of ``width`` pixels covers ``-0.5 <= x < width - 0.5``.
Arrays
    Pictures are ``(H, W, 3)`` uint8 in RGB order or ``(H, W)`` uint8; masks are ``(H, W)`` bool.
Flow
    ``(H, W, 2)`` float32, ``flow[y, x] = (u, v)`` in pixels: the surface point seen at pixel ``(x, y)`` of the
    source frame lies at ``(x + u, y + v)`` in the target frame.  *Forward* flow goes from a frame to the next one of
    the clip, *backward* flow to the one before.
Unknown flow
    Where no exact motion is known both components are :data:`UNKNOWN_FLOW`, the value that the Middlebury ``.flo``
    format reserves for it (Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011).
    Loaders in use treat ``|u| >= 1000`` as invalid, so such a pixel never trains anything.
Longest motion
    Motion longer than :func:`longest_motion` is unknown: ``float32`` does not hold it to a thousandth of a pixel, and
    no film moves so far between two frames unless it was cut.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

UNKNOWN_FLOW = np.float32(1e10)
"""What both components of a flow vector are where the motion is not known."""

UNKNOWN_FLOW_THRESHOLD = 1e9
"""A component at least this large in magnitude marks the vector unknown (Middlebury's own threshold)."""

LONGEST_MOTION = 8192.0
"""Pixels from which on neighbouring ``float32`` numbers, which flow files hold, lie 1e-3 px apart."""

LONGEST_MOTION_IN_WIDTHS = 10.0
"""The same, in widths of the picture."""


def longest_motion(width: int) -> float:
    """The longest motion, in pixels, that is known at all.

    Args:
        width: Width of the picture in pixels.

    Example:
        >>> longest_motion(480)
        4800.0
    """
    return min(LONGEST_MOTION, LONGEST_MOTION_IN_WIDTHS * width)


def known_flow(flow: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where a flow field holds a motion and not the mark for "unknown".

    Args:
        flow: ``(H, W, 2)`` float32, pixels.

    Returns:
        ``(H, W)`` bool; also False where a component is NaN or infinite.
    """
    with np.errstate(invalid="ignore"):
        small = np.abs(flow) < UNKNOWN_FLOW_THRESHOLD
    # several times as fast as a reduction over an axis of two
    known: npt.NDArray[np.bool_] = small[..., 0] & small[..., 1]
    return known
