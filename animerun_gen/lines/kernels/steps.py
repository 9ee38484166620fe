"""Whether there is a step in depth between two pixels."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)

EVEN = 0.05
"""A difference of slopes, or a step in pixels, that no smooth surface is too smooth for."""

SAME_PLACE = 0.02
"""A step, in pixels, that rounding alone may make where one triangle ends and the next one begins."""

SAME_DEPTH = 1e-6
"""The same, relative to the distance: vertices are stored as float32."""

UNSEEN_STEP = 0.5
"""A step, in pixels, over one pixel of which no triangle is known, that a rough surface may make by itself."""

UNSEEN_TURN = float(np.radians(2.0))
"""An angle by which what is not seen of a surface may be steeper than what is seen on both sides: of a wall seen at a
grazing angle that changes the slope by far more than :data:`UNSEEN_STEP`."""

GRAZED = 0.35
"""Cosine of the angle between view and normal below which a surface is about to turn away."""

FOLDED = float(np.cos(np.radians(35.0)))
"""Cosine of the angle between two normals that a surface which turns away slowly does not reach within one pixel."""


@kernel
def cosine_between(here, there):  # type: ignore[no-untyped-def]
    """Cosine of the angle between the planes that two pixels show."""
    return (
        np.float64(here.normal_x) * there.normal_x
        + np.float64(here.normal_y) * there.normal_y
        + np.float64(here.normal_z) * there.normal_z
    )


@kernel
def spread_between(here, there, lens, is_across):  # type: ignore[no-untyped-def]
    """What a pixel and its right (``is_across``) or lower neighbour say of the surface between them, in pixels.

    Returns:
        The slopes of both from the first to the second, the step from the first to the second, the distance of both
        slopes in the plane, and what one pixel spans.
    """
    span = 1.0 if lens.is_orthographic else max(here.nearness, there.nearness)
    x = here.slope_x / span
    y = here.slope_y / span
    other_x = there.slope_x / span
    other_y = there.slope_y / span
    turn = np.sqrt((x - other_x) * (x - other_x) + (y - other_y) * (y - other_y))
    if is_across:
        pixel = span / lens.fx
        return x, other_x, (there.nearness - here.nearness) / pixel, turn, pixel
    pixel = span / lens.fy
    return y, other_y, (there.nearness - here.nearness) / pixel, turn, pixel


@kernel
def gap_between(here, there, is_across, spread):  # type: ignore[no-untyped-def]
    """Whether there is a step in depth between two pixels, and how much of the way between them is unknown.

    From each pixel its triangle is known as far as it goes.  Where both meet or overlap, they are at one depth or they
    are not.  Between their ends, if the surface is one, its slope goes from one to the other: by the mean value theorem
    the step lies between what either slope alone would make.  A convex surface keeps to that exactly, however it is
    made of faces, right up to its silhouette; others keep to it up to how much they turn.
    """
    slope, other_slope, step, turn, pixel = spread
    farthest = min(abs(here.nearness), abs(there.nearness)) / pixel
    end = float(here.right if is_across else here.down)
    begin = 1.0 - (there.left if is_across else there.up)
    rounding = SAME_PLACE + SAME_DEPTH * farthest
    end = min(end, 1.0)
    begin = max(begin, 0.0)
    if begin <= end:
        ahead = step + other_slope * (begin - 1.0) - slope * begin
        behind = step + other_slope * (end - 1.0) - slope * end
        # where they cut through each other, either one is in front on its side
        return min(ahead, behind) > rounding or max(ahead, behind) < -rounding, begin - end
    unknown = begin - end
    jump = step + other_slope * (begin - 1.0) - slope * end
    low = min(slope, other_slope) * unknown
    high = max(slope, other_slope) * unknown
    grazing = min(abs(slope), abs(other_slope))
    slack = (UNSEEN_STEP + UNSEEN_TURN * grazing * grazing + turn) * unknown + rounding
    return jump < low - slack or jump > high + slack, unknown


@kernel
def is_step_between(here, there, lens, is_across):  # type: ignore[no-untyped-def]
    is_step, _ = gap_between(here, there, is_across, spread_between(here, there, lens, is_across))
    return is_step


@kernel
def turns_away(here, there, spread, cosine):  # type: ignore[no-untyped-def]
    """Whether one of two pixels shows a surface that is about to turn away and the other one what is behind it.

    Just before its silhouette a surface is so steep that a step to another one could as well be its own slope.  But
    then the two meet as in a valley, and at a large angle, while a surface that turns away curves towards the camera.
    """
    slope, other_slope, _, _, _ = spread
    if cosine > FOLDED or other_slope <= slope:
        return False
    return min(here.facing, there.facing) < GRAZED
