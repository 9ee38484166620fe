"""Whether a surface has a crease between two pixels."""

from __future__ import annotations

from animerun_gen import compiled
from animerun_gen.lines.kernels.marks import BEND, CREASE, NONE
from animerun_gen.lines.kernels.steps import cosine_between, is_step_between

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)

SAME_ANGLE = 1e-6
"""A difference of cosines that rounding alone may make: normals are kept as float32."""

TOUCHING = 1e-6
"""Two triangles with a gap of less, in pixels, between them meet in an edge."""

FLAT = 1.0 / 9.0
"""So small are the bends beside a crease between triangles that do not meet, relative to its own: a third as an angle.
"""


@kernel
def bend_between(here, there):  # type: ignore[no-untyped-def]
    """How much the planes that two pixels show are turned against each other: 1 less the cosine of their angle.

    -1 where they show two instances.
    """
    if here.instance != there.instance:
        return -1.0
    return max(0.0, 1.0 - cosine_between(here, there))


@kernel
def find_crease(row, lens, wanted, is_across, cosine, unknown):  # type: ignore[no-untyped-def]
    """Whether two pixels of one surface, whose normals make an angle of the given cosine, lie beside a crease.

    The answer is CREASE, BEND or NONE.

    Faces that meet do so at that angle.  Between faces that do not meet lie others, of which nothing is known: a
    surface may as well have turned smoothly, as a small ball does.  That it is flat on both sides tells a crease from
    it.  What turns within two pixels, as a bevel seen from afar does, counts as one crease, or else its line would be
    dashed, drawn where no pixel happens to see the bevel; it lies where the surface turns more.
    """
    is_sharp = cosine < wanted.crease_cosine - SAME_ANGLE
    if is_sharp and unknown <= TOUCHING:
        return CREASE
    if not cosine < wanted.half_cosine:
        return NONE
    first, before_it, here, there, after_it, last = row
    bend = 1.0 - cosine
    before = bend_between(before_it, here)
    after = bend_between(there, after_it)
    if is_sharp and max(before, after) >= 0.0 and max(before, after) <= FLAT * bend:
        return BEND
    # a bend of twice the angle is at most four times as large; the line lies where the surface bends more
    limit = 4.0 * FLAT * bend
    if 0.0 <= before <= limit and 0.0 <= after <= bend:  # noqa: SIM102
        if _is_bevel(here, after_it, last, wanted, before) and not is_step_between(there, after_it, lens, is_across):
            return BEND
    if 0.0 <= after <= limit and 0.0 <= before < bend:  # noqa: SIM102
        if _is_bevel(there, before_it, first, wanted, after) and not is_step_between(before_it, here, lens, is_across):
            return BEND
    return NONE


@kernel
def _is_bevel(here, second, third, wanted, before):  # type: ignore[no-untyped-def]
    """Whether a surface, flat before a pixel, turns on the way to the second pixel from there, and is flat after it.

    ``before`` is how much it bends on the way to the first pixel.
    """
    whole = bend_between(here, second)
    if not 1.0 - whole < wanted.crease_cosine - SAME_ANGLE or before > FLAT * whole:
        return False
    after = bend_between(second, third)
    return 0.0 <= after <= FLAT * whole
