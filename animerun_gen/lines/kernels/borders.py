"""What parts the pixels of a picture from their neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from animerun_gen import compiled
from animerun_gen.lines.kernels.creases import TOUCHING, find_crease
from animerun_gen.lines.kernels.marks import FAINT, FAINT_BEFORE, FLUSH, MATERIAL, NONE, SHALLOW, STEP
from animerun_gen.lines.kernels.planes import MARGIN, PIXEL, look_at, nearness_of
from animerun_gen.lines.kernels.ramps import is_ramp
from animerun_gen.lines.kernels.steps import (
    EVEN,
    FOLDED,
    SAME_DEPTH,
    SAME_PLACE,
    cosine_between,
    gap_between,
    spread_between,
    spread_of,
    turns_away,
)

kernel = compiled.kernels(__name__, error_model="numpy")

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
def find_borders(seen, lens, wanted, strip, marks, right, below, right_at, below_at):  # type: ignore[no-untyped-def]
    """Find what parts the pixels of a strip from their right and lower neighbours (see :func:`find_runs`).

    ``seen`` are the three pictures of what the frame sees: instance, triangle and depth.  ``right`` and ``below`` are
    filled with what there is, ``right_at`` and ``below_at`` with where it is, as a share of the way to the neighbour.
    Steps are marked in ``marks`` as well, on the farther pixel.  All of them are of the whole picture, ``(H, W)``, and
    zero before.
    """
    instance, triangle, depth = seen
    numbers, runs, top = strip
    height, width = marks.shape
    room = np.empty(6, PIXEL)
    six = (room[0], room[1], room[2], room[3], room[4], room[5])
    for row in range(top, min(height, top + numbers.shape[0] - 2 * MARGIN)):
        y = row - top + MARGIN
        for column in range(width):
            for downwards in range(2):
                other_row, other_column = row + downwards, column + 1 - downwards
                if other_row == height or other_column == width:
                    continue
                # of most pixels nothing more is asked
                same_instance = instance[row, column] == instance[other_row, other_column]
                if same_instance and triangle[row, column] == triangle[other_row, other_column]:
                    continue
                is_across = downwards == 0
                number, other = numbers[y, column + MARGIN], numbers[y + downwards, other_column + MARGIN]
                if number >= 0 and other >= 0 and same_instance:
                    here, there = runs[number], runs[other]
                    ends = nearness_of(depth[row, column], lens), nearness_of(depth[other_row, other_column], lens)
                    spread = spread_of(here, there, ends, lens, is_across)
                    if _is_even(here, there, spread, wanted) and not _parts_material(here, there, wanted):
                        continue
                look_at(depth, lens, number, runs, row, column, six[2])
                look_at(depth, lens, other, runs, other_row, other_column, six[3])
                place = ((column - lens.cx) / lens.fx, (row - lens.cy) / lens.fy)
                found = _part(six, lens, wanted, is_across, place, (depth, strip, row, column))
                if found == NONE:
                    continue
                at = _place(found, six[2], six[3], lens, is_across)
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
def _parts_material(here, there, wanted):  # type: ignore[no-untyped-def]
    return wanted.materials and here.material != there.material


@kernel
def _may_be_stuck(here, there, wanted):  # type: ignore[no-untyped-def]
    """Whether two pixels of one instance show parts of it that may be stuck into each other."""
    return wanted.intersections and here.island != there.island


@kernel
def _is_even(here, there, spread, wanted):  # type: ignore[no-untyped-def]
    """Whether two pixels of one instance show one smooth surface: nothing to look into."""
    slope, other_slope, step, turn, _ = spread
    is_smooth = turn < wanted.even and abs(step - slope) < EVEN and abs(step - other_slope) < EVEN
    return is_smooth and here.clockwise == there.clockwise and not _may_be_stuck(here, there, wanted)


@kernel
def _part(row, lens, wanted, is_across, place, around):  # type: ignore[no-untyped-def]
    """What parts the third and the fourth of six pixels that lie in a row (``is_across``) or in a column.

    They do not show one triangle, nor both of them the background.  Of the others nothing is known yet: ``around`` is
    the picture of depths, the strip, and where in it the third one is.
    """
    here = row[2]
    there = row[3]
    is_one = here.instance == there.instance
    if here.instance < 0 or there.instance < 0:
        return STEP if wanted.backdrop else NONE
    spread = spread_between(here, there, lens, is_across)
    if not is_one:
        is_step, _ = gap_between(here, there, is_across, spread)
        if is_step or turns_away(here, there, spread, cosine_between(here, there)):
            return STEP if wanted.objects else NONE
        return FLUSH if wanted.intersections else NONE
    is_material = _parts_material(here, there, wanted)
    if _is_even(here, there, spread, wanted):
        return MATERIAL if is_material else NONE
    same_way = here.clockwise == there.clockwise
    may_be_stuck = _may_be_stuck(here, there, wanted)
    cosine = cosine_between(here, there)
    is_fold, unknown = gap_between(here, there, is_across, spread)
    if not is_fold and unknown > TOUCHING:
        # faces that meet, or that lie in each other, are no fold whichever way round files have them
        is_fold = not same_way and cosine < FOLDED
        if not is_fold and unknown > EVEN:
            is_fold = turns_away(here, there, spread, cosine)
    is_faint = is_fold and same_way and unknown > TOUCHING and here.island == there.island
    if is_faint:
        _look_beside(row, lens, is_across, around)
        is_faint = is_ramp(row, lens, wanted, is_across, spread, unknown, place)
    if is_fold and not is_faint:
        return STEP if wanted.folds or is_material else NONE
    if may_be_stuck and cosine < STUCK:
        return FLUSH
    if may_be_stuck and _dips(here, there, spread):
        return SHALLOW
    if is_material:
        return MATERIAL
    found = NONE
    if wanted.creases and cosine < wanted.half_cosine:
        _look_beside(row, lens, is_across, around)
        found = find_crease(row, lens, wanted, is_across, cosine, unknown)
    # other pixels of this line may see that there is no step: it is decided for all of it
    return FAINT if is_faint and found == NONE and wanted.folds else found


@kernel
def _look_beside(row, lens, is_across, around):  # type: ignore[no-untyped-def]
    """Fill the first two and the last two of six pixels."""
    depth, (numbers, runs, top), y, x = around
    for k in (0, 1, 4, 5):
        other_y = y if is_across else y + k - 2
        other_x = x + k - 2 if is_across else x
        number = numbers[other_y - top + MARGIN, other_x + MARGIN]
        look_at(depth, lens, number, runs, other_y, other_x, row[k])


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
