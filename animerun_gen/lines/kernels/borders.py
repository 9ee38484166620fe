"""What parts the pixels of a picture from their neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from animerun_gen import compiled
from animerun_gen.lines.kernels.creases import TOUCHING, find_crease
from animerun_gen.lines.kernels.marks import FAINT, FAINT_BEFORE, FLUSH, MATERIAL, NONE, SHALLOW, STEP
from animerun_gen.lines.kernels.planes import MARGIN
from animerun_gen.lines.kernels.ramps import is_ramp
from animerun_gen.lines.kernels.steps import (
    EVEN,
    FOLDED,
    SAME_DEPTH,
    SAME_PLACE,
    cosine_between,
    gap_between,
    spread_between,
    turns_away,
)

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)

STUCK = float(np.cos(np.radians(10.0)))
"""Cosine of the angle between two normals below which parts of one mesh that meet are stuck into each other, whatever
else there is."""

CROSSING = float(np.sin(np.radians(1.0)))
"""Parts whose planes are less turned against each other, as a slope, lie on each other."""


class Wanted(NamedTuple):
    """Which borders become lines.

    Attributes:
        backdrop: Between an instance and the background.
        objects: Between instances of which one is in front of the other.
        intersections: Between instances, and parts of one, that meet without a step in depth.
        folds: Between parts of one instance of which one is in front of the other.
        materials: Between materials of one instance.
        creases: Between faces of one surface that meet at an angle.
        crease_cosine: Cosine of the angle between normals beyond which they do.
        half_cosine: Cosine of half that angle.
        even: Neighbours whose slopes, and the step between them, differ by less show one smooth surface: nothing to
            look into.
    """

    backdrop: bool
    objects: bool
    intersections: bool
    folds: bool
    materials: bool
    creases: bool
    crease_cosine: float
    half_cosine: float
    even: float


@kernel
def find_borders(  # type: ignore[no-untyped-def]
    pixels, lens, wanted, top, marks, right, below, right_at, below_at
):
    """Find what parts the pixels of a strip from their right and lower neighbours (see :func:`find_planes`).

    ``right`` and ``below`` are filled with what there is, ``right_at`` and ``below_at`` with where it is, as a share of
    the way to the neighbour.  Steps are marked in ``marks`` as well, on the farther pixel.  All of them are of the
    whole picture, ``(H, W)``, and zero before.
    """
    height, width = marks.shape
    for row in range(top, min(height, top + pixels.shape[0] - 2 * MARGIN)):
        for column in range(width):
            for downwards in range(2):
                other_row, other_column = row + downwards, column + 1 - downwards
                if other_row == height or other_column == width:
                    continue
                y, x = row - top + MARGIN, column + MARGIN
                dy, dx = downwards, 1 - downwards
                # of most pixels nothing more is asked
                if _is_one_triangle(pixels[y, x], pixels[y + dy, x + dx]):
                    continue
                six = (
                    pixels[y - 2 * dy, x - 2 * dx],
                    pixels[y - dy, x - dx],
                    pixels[y, x],
                    pixels[y + dy, x + dx],
                    pixels[y + 2 * dy, x + 2 * dx],
                    pixels[y + 3 * dy, x + 3 * dx],
                )
                place = ((column - lens.cx) / lens.fx, (row - lens.cy) / lens.fy)
                found = _part(six, lens, wanted, downwards == 0, place)
                if found == NONE:
                    continue
                at = _place(found, six[2], six[3], lens, downwards == 0)
                is_behind = _is_behind(six[2], six[3])
                if found == STEP:
                    if is_behind:
                        marks[row, column] = STEP
                    else:
                        marks[other_row, other_column] = STEP
                elif found == FAINT and is_behind:
                    found = FAINT_BEFORE
                if downwards == 1:
                    below[row, column] = found
                    below_at[row, column] = at
                else:
                    right[row, column] = found
                    right_at[row, column] = at


@kernel
def _place(found, here, there, lens, is_across):  # type: ignore[no-untyped-def]
    """Where between two pixels that lies which parts them, as far as their triangles tell: 0 at the first one."""
    ends = min(1.0, float(here.right if is_across else here.down)) if here.instance >= 0 else 0.0
    begins = max(0.0, 1.0 - float(there.left if is_across else there.up)) if there.instance >= 0 else 1.0
    if found in (FLUSH, SHALLOW):
        slope, other_slope, step, _, _ = spread_between(here, there, lens, is_across)
        ahead, behind = step - other_slope, step - slope
        if ahead * behind < 0.0:
            return ahead / (ahead - behind)
    if found in (STEP, FAINT):
        # a nearer surface whose triangles are smaller than pixels goes on beyond this one, nobody knows how far
        if _is_behind(here, there):
            length = float(there.left + there.right if is_across else there.up + there.down)
            return begins if length >= 1.0 else 0.5 * begins
        length = float(here.left + here.right if is_across else here.up + here.down)
        return ends if length >= 1.0 else 0.5 * (ends + 1.0)
    return 0.5 * (ends + begins)


@kernel
def _is_one_triangle(here, there):  # type: ignore[no-untyped-def]
    """Whether two pixels show the same triangle, or both of them the background."""
    return here.instance == there.instance and (here.instance < 0 or here.triangle == there.triangle)


@kernel
def _part(row, lens, wanted, is_across, place):  # type: ignore[no-untyped-def]
    """What parts the third and the fourth of six pixels that lie in a row (``is_across``) or in a column.

    They do not show one triangle, nor both of them the background.
    """
    here = row[2]
    there = row[3]
    is_one = here.instance == there.instance
    if here.instance < 0 or there.instance < 0:
        return STEP if wanted.backdrop else NONE
    spread = spread_between(here, there, lens, is_across)
    slope, other_slope, step, turn, _ = spread
    if not is_one:
        is_step, _ = gap_between(here, there, is_across, spread)
        if is_step or turns_away(here, there, spread, cosine_between(here, there)):
            return STEP if wanted.objects else NONE
        return FLUSH if wanted.intersections else NONE
    is_material = wanted.materials and here.material != there.material
    same_way = here.clockwise == there.clockwise
    may_be_stuck = wanted.intersections and here.island != there.island
    is_even = same_way and turn < wanted.even and abs(step - slope) < EVEN and abs(step - other_slope) < EVEN
    if is_even and not may_be_stuck:
        return MATERIAL if is_material else NONE
    cosine = cosine_between(here, there)
    is_fold, unknown = gap_between(here, there, is_across, spread)
    if not is_fold and unknown > TOUCHING:
        # faces that meet, or that lie in each other, are no fold whichever way round files have them
        is_fold = not same_way and cosine < FOLDED
        if not is_fold and unknown > EVEN:
            is_fold = turns_away(here, there, spread, cosine)
    is_faint = is_fold and same_way and unknown > TOUCHING and here.island == there.island
    if is_faint:
        is_faint = is_ramp(row, lens, wanted, is_across, spread, unknown, place)
    if is_fold and not is_faint:
        return STEP if wanted.folds or is_material else NONE
    if may_be_stuck and cosine < STUCK:
        return FLUSH
    if may_be_stuck and _dips(here, there, spread):
        return SHALLOW
    if is_material:
        return MATERIAL
    found = find_crease(row, lens, wanted, is_across, cosine, unknown) if wanted.creases else NONE
    # other pixels of this line may see that there is no step: it is decided for all of it
    return FAINT if is_faint and found == NONE and wanted.folds else found


@kernel
def _dips(here, there, spread):  # type: ignore[no-untyped-def]
    """Whether the planes that two pixels show go on behind each other: not where they make a ridge, or are one."""
    slope, other_slope, step, turn, pixel = spread
    if turn < CROSSING:
        return False
    rounding = SAME_PLACE + SAME_DEPTH * min(abs(here.nearness), abs(there.nearness)) / pixel
    # a ridge, whose planes would be in front of each other, is at least half of it off
    slack = min(rounding, 0.25 * turn)
    return step - other_slope <= slack and step - slope >= -slack


@kernel
def _is_behind(here, there):  # type: ignore[no-untyped-def]
    """Whether a pixel shows something farther away than its neighbour; the background is behind everything."""
    if here.instance < 0:
        return True
    if there.instance < 0:
        return False
    return here.nearness < there.nearness
