"""Whether what no pixel sees between two surfaces can be one more face, which makes no line."""

from __future__ import annotations

from animerun_gen import compiled
from animerun_gen.lines.kernels.creases import FLAT, SAME_ANGLE, bend_between
from animerun_gen.lines.kernels.planes import unit
from animerun_gen.lines.kernels.steps import EVEN, SAME_PLACE, UNSEEN_TURN

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)


@kernel
def is_ramp(row, lens, wanted, is_across, spread, unknown, place):  # type: ignore[no-untyped-def]
    """Whether what is not seen between the third and the fourth of six pixels can be one face that makes no crease.

    It reaches from where the one triangle ends to where the other one begins, so that its slope is known.  That it goes
    on with either surface, or that both are flat (a ninth of its own angle), tells it from a surface that ends before
    another one.  ``place`` is where the pixels are, in camera coordinates (see :class:`Lens`).
    """
    here = row[2]
    there = row[3]
    slope, other_slope, step, _, pixel = spread
    end = float(here.right if is_across else here.down)
    begin = 1.0 - (there.left if is_across else there.up)
    ramp = (step + other_slope * (begin - 1.0) - slope * end) / unknown
    to_slope = pixel * (lens.fx if is_across else lens.fy)
    before = 1.0 - _turned(here, (ramp - slope) * to_slope, lens, is_across, place)
    after = 1.0 - _turned(there, (ramp - other_slope) * to_slope, lens, is_across, place)
    if max(before, after) > 1.0 - wanted.crease_cosine + SAME_ANGLE:
        return False
    rounding = EVEN + SAME_PLACE / unknown
    goes_on = abs(ramp - slope) <= rounding + UNSEEN_TURN * slope * slope
    if goes_on or abs(ramp - other_slope) <= rounding + UNSEEN_TURN * other_slope * other_slope:
        return True
    limit = FLAT * FLAT * max(before, after)
    return 0.0 <= bend_between(row[1], here) <= limit and 0.0 <= bend_between(there, row[4]) <= limit


@kernel
def _turned(pixel, change, lens, is_across, place):  # type: ignore[no-untyped-def]
    """Cosine of the angle between the plane that a pixel shows and the one through it whose slope is so much larger."""
    x, y = place
    more_x = change if is_across else 0.0
    more_y = 0.0 if is_across else change
    along = 1.0
    if not lens.is_orthographic:
        along = pixel.nearness - (pixel.slope_x + more_x) * x - (pixel.slope_y + more_y) * y
    a, b, c = unit(pixel.slope_x + more_x, pixel.slope_y + more_y, along)
    return pixel.normal_x * a + pixel.normal_y * b + pixel.normal_z * c
