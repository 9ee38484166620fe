"""Takes out of a picture of lines what is none: short pieces of some kinds, by what they hang together with.

A tenth of the pixels are line, so that only these are gone through.  Pixels hang together where they touch, corner to
corner, too.
"""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.lines.kernels.marks import BEND, CREASE, FAINT, NONE, OPEN_STEP, STEP, where_any
from animerun_gen.union_find import join, root

kernel = compiled.kernels(__name__)

_OTHERS, _BENDS, _STEPS, _ALL = range(4)


@kernel
def take_out_crumbs(marks, shortest):  # type: ignore[no-untyped-def]
    """Take out of ``marks`` the bends and the faint steps that are no lines.

    Those are sharp bends that go on, with creases, for less than ``shortest`` pixels: corners of small things.  And
    faint steps of which more hang together than there are sure ones to go on from: ramps about a pixel wide, which
    other pixels see.  A step goes on faintly where the edge of a shape is bevelled and no pixel sees the bevel.
    """
    width = marks.shape[1]
    flat = marks.reshape(-1)
    places = where_any(flat)
    classes = np.empty(len(places), np.uint8)
    for k in range(len(places)):
        classes[k] = _class_of(flat[places[k]])
    parent = _components(places, classes, width)
    sizes, faint = np.zeros(len(places), np.int32), np.zeros(len(places), np.int32)
    for k in range(len(places)):
        number = root(parent, k)
        sizes[number] += 1
        faint[number] += flat[places[k]] == FAINT
    for k in range(len(places)):
        kind = flat[places[k]]
        number = root(parent, k)
        is_crumb = kind == BEND and sizes[number] < shortest
        if is_crumb or (kind == FAINT and 2 * faint[number] > sizes[number]):
            flat[places[k]] = NONE


@kernel
def _class_of(kind):  # type: ignore[no-untyped-def]
    """Which marks are counted together."""
    if kind in (BEND, CREASE):
        return _BENDS
    return _STEPS if kind in (FAINT, STEP, OPEN_STEP) else _OTHERS


@kernel
def take_out_specks(marks, instance, shortest):  # type: ignore[no-untyped-def]
    """Take out of ``marks`` what goes on for less than ``shortest`` pixels, within an object, and hangs on nothing.

    What bounds an object (``instance``), parts materials, or is the edge of a part, is no speck however small.
    """
    height, width = marks.shape
    flat = marks.reshape(-1)
    places = where_any(flat)
    parent = _components(places, np.full(len(places), _ALL, np.uint8), width)
    sizes, stays = np.zeros(len(places), np.int32), np.zeros(len(places), np.bool_)
    for k in range(len(places)):
        number = root(parent, k)
        sizes[number] += 1
        row, column = places[k] // width, places[k] % width
        here = instance[row, column]
        is_border = column > 0 and instance[row, column - 1] != here
        is_border |= column + 1 < width and instance[row, column + 1] != here
        is_border |= row > 0 and instance[row - 1, column] != here
        is_border |= row + 1 < height and instance[row + 1, column] != here
        if is_border or _class_of(flat[places[k]]) == _OTHERS:
            stays[number] = True
    for k in range(len(places)):
        number = root(parent, k)
        if sizes[number] < shortest and not stays[number]:
            flat[places[k]] = NONE


@kernel
def _components(places, classes, width):  # type: ignore[no-untyped-def]
    """Which of some pixels of one class hang together, as sets to be asked by :func:`root`.

    ``places`` are their numbers, row by row, in a picture that is so wide.  Those of the class :data:`_OTHERS` hang
    together with nothing.
    """
    parent = np.arange(len(places)).astype(np.int32)
    # the entries of the row above, and of this one; a margin on both sides
    above, here = np.full(width + 2, -1, np.int32), np.full(width + 2, -1, np.int32)
    last = -2
    for k in range(len(places)):
        row, column = places[k] // width, places[k] % width + 1
        if row != last:
            above, here = here, above
            here[:] = -1
            if row != last + 1:
                above[:] = -1
            last = row
        here[column] = k
        if classes[k] == _OTHERS:
            continue
        for other in (here[column - 1], above[column - 1], above[column], above[column + 1]):
            if other >= 0 and classes[other] == classes[k]:
                join(parent, k, other)
    return parent


@kernel
def forget_between(found, marks, down, across):  # type: ignore[no-untyped-def]
    """Take out of ``found`` what parts pixels from those ``(down, across)`` of them, where neither is line."""
    width = marks.shape[1]
    flat, marked = found.reshape(-1), marks.reshape(-1)
    step = down * width + across
    places = where_any(flat)
    for k in range(len(places)):
        if marked[places[k]] == NONE and marked[places[k] + step] == NONE:
            flat[places[k]] = NONE
