"""Which of two pixels that something parts becomes line."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.lines.kernels.surface_edges import INNER, MARKED, OPEN, OPEN_HERE, OPEN_THERE

kernel = compiled.kernels(__name__, error_model="numpy")

NONE, STEP, FLUSH, CREASE, BEND, FAINT = range(6)
"""What parts two pixels: nothing; a step in depth; another object, or part of one, at the same depth; an edge between
two faces; a sharp bend of a surface whose faces there are too small to tell; or what may be a step or a ramp that no
pixel sees.  It is what becomes of a pixel, too.
"""

FAINT_BEFORE = 6
"""The same as FAINT, of which the first pixel is the farther one."""

MATERIAL, OPEN_STEP, OPEN_EDGE, MARKED_EDGE, SHALLOW = range(7, 12)
"""Another material at the same depth; a step in depth at an open edge of what is nearer; an open edge that hides
nothing of its object; a marked edge; another part of one object at the same depth and at a small angle."""

HALFWAY = 0.49
"""A line lies on the first of two pixels if it is so near to its centre, in pixels.  What lies right between them, as
the edges of what somebody has put into the middle of the picture, shall not go by how numbers are rounded.
"""


@kernel
def add_edges(edge_right, edge_below, seen, follows, are_lines, marks, right, below):  # type: ignore[no-untyped-def]
    """Enter the edges that are seen, see :class:`Crossings`.

    ``seen`` are the pictures of instances and depths.  ``are_lines`` says whether open edges are lines of their own,
    whether marked ones are, and inner ones.  A marked edge is one even where it is a crease or parts materials.  Steps
    at open edges are marked as such.  Of instances whose inner edges are followed nothing else makes a crease.
    """
    _add_edges(edge_right, 0, 1, seen, follows, are_lines, marks, right)
    _add_edges(edge_below, 1, 0, seen, follows, are_lines, marks, below)


@kernel
def _add_edges(edges, down, across, seen, follows, are_lines, marks, found):  # type: ignore[no-untyped-def]
    instance, depth = seen
    borders, lines, creases = are_lines
    height, width = marks.shape
    for row in range(height - down):
        for column in range(width - across):
            edge = edges[row, column]
            here = (row, column)
            if edge & INNER == 0 and found[here] in (CREASE, BEND) and follows[instance[here]]:
                found[here] = NONE
            if edge == 0:
                continue
            there = (row + down, column + across)
            if edge & OPEN:
                first_is_farther = depth[here] > depth[there]
                farther = here if first_is_farther else there
                bounds_nearer = edge & (OPEN_THERE if first_is_farther else OPEN_HERE)
                if found[here] == STEP and bounds_nearer:
                    found[here] = OPEN_STEP
                    marks[farther] = OPEN_STEP
                if found[here] == SHALLOW:
                    # parts that end there, as tiles do, are not stuck into each other
                    found[here] = NONE
            kind = found[here]
            is_step = kind in (STEP, FLUSH, SHALLOW, OPEN_STEP)
            if edge & MARKED and lines and not is_step:
                found[here] = MARKED_EDGE
            elif edge & OPEN and borders and kind in (NONE, FAINT, FAINT_BEFORE):
                found[here] = OPEN_EDGE
            elif edge & INNER and creases and kind in (NONE, BEND, FAINT, FAINT_BEFORE):
                found[here] = CREASE


@kernel
def where_any(flat):  # type: ignore[no-untyped-def]
    """``(n,)`` int32: where a ``(N,)`` uint8 array is not zero, ascending."""
    count = 0
    for place in range(len(flat)):
        count += flat[place] != 0
    # without branches; one place more, which is written to after the last one is found
    places = np.empty(count + 1, np.int32)
    count = 0
    for place in range(len(flat)):
        places[count] = place
        count += flat[place] != 0
    return places[:count]


@kernel
def mark(right, below, right_at, below_at, marks):  # type: ignore[no-untyped-def]
    """Mark what is no sure step, between pixels of which neither is line yet.

    What has no step lies on the nearer of the two pixels; at last come faint steps, on the farther one.  Which pixels
    these are does not depend on any but the nearest ones.
    """
    across, down = right.reshape(-1), below.reshape(-1)
    across_at, down_at = right_at.reshape(-1), below_at.reshape(-1)
    of_right, of_below = where_any(across), where_any(down)
    flat, width = marks.reshape(-1), marks.shape[1]
    _mark(across, across_at, of_right, 1, False, flat)
    _mark(down, down_at, of_below, width, False, flat)
    _mark(across, across_at, of_right, 1, True, flat)
    _mark(down, down_at, of_below, width, True, flat)


@kernel
def _mark(found, at, places, step, faint, marks):  # type: ignore[no-untyped-def]
    """Mark what parts pixels from those so many further on, if neither is line: faint steps, or all else."""
    for k in range(len(places)):
        here = places[k]
        kind = found[here]
        # steps are marked already
        if kind in (STEP, OPEN_STEP) or (kind in (FAINT, FAINT_BEFORE)) != faint:
            continue
        there = here + step
        if marks[here] != NONE or marks[there] != NONE:
            continue
        if kind == FAINT_BEFORE:
            marks[here] = FAINT
        elif kind != FAINT and at[here] < HALFWAY:
            marks[here] = kind
        else:
            marks[there] = kind
