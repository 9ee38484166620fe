"""Which of two pixels that something parts becomes line."""

from __future__ import annotations

from animerun_gen import compiled

kernel = compiled.kernels(__name__, error_model="numpy")

NONE, STEP, FLUSH, CREASE, BEND, FAINT = range(6)
"""What parts two pixels: nothing; a step in depth; another material or object at the same depth; an edge between two
faces; a sharp bend of a surface whose faces there are too small to tell; or what may be a step or a ramp that no pixel
sees.  It is what becomes of a pixel, too.
"""

FAINT_BEFORE = 6
"""The same as FAINT, of which the first pixel is the farther one."""


@kernel
def mark(right, below, marks):  # type: ignore[no-untyped-def]
    """Mark what is no sure step, between pixels of which neither is line yet.

    What has no step lies on the right or lower pixel; at last come faint steps, on the farther one.  Which pixels these
    are does not depend on any but the nearest ones.
    """
    _mark(right, 0, 1, False, marks)
    _mark(below, 1, 0, False, marks)
    _mark(right, 0, 1, True, marks)
    _mark(below, 1, 0, True, marks)


@kernel
def _mark(found, down, across, faint, marks):  # type: ignore[no-untyped-def]
    """Mark what parts pixels from those ``(down, across)`` of them, if neither is line: faint steps, or all else."""
    height, width = marks.shape
    for row in range(height - down):
        for column in range(width - across):
            kind = found[row, column]
            if kind == NONE or (kind >= FAINT) != faint:
                continue
            there = (row + down, column + across)
            if marks[row, column] != NONE or marks[there] != NONE:
                continue
            if kind == FAINT_BEFORE:
                marks[row, column] = FAINT
            else:
                marks[there] = kind
