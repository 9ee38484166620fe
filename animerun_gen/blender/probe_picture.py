"""What ``animerun-gen doctor`` has Blender draw, and what must come of it: a square of known colour on a known ground.

Every judgement compares with what was asked for.  "Something is dark" is also true of a picture that is black all over.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import to_hex

SIZE = 64
"""Width and height of the pictures, in pixels."""

SQUARE = slice(16, 48)
"""Rows and columns of the pixels that the square covers."""

SURFACE, GROUND, REPAINTED = "#d2691e", "#3c78b4", "#14b43c"
"""Colours of the square, of the background, and of the square where its image is left out and it is painted anew."""

TOLERANCE = 1
"""So many of 255 a colour may be off: Workbench computes with 11 bits."""

LEAST_BORDER = 0.9
"""Share of the square's border at which there must be a line: corners may be cut."""


def judge_surface(picture: npt.NDArray[np.uint8], color: str = SURFACE) -> str:
    """Say whether the square has its colour.

    Args:
        picture: ``(SIZE, SIZE, 3)`` uint8 RGB.
        color: The colour that it was given.

    Returns:
        What was found; it begins with "failed" unless that is what is due.
    """
    return _judge(picture[_inside(1)], color)


def judge_ground(picture: npt.NDArray[np.uint8], color: str = GROUND) -> str:
    """Say whether the background has its colour: as :func:`judge_surface`."""
    return _judge(picture[_outside(1)], color)


def judge_lines(strokes: npt.NDArray[np.uint8], thickness: float) -> str:
    """Say whether the square's border is drawn, in black on white, and nothing else.

    Args:
        strokes: ``(SIZE, SIZE)`` uint8.
        thickness: Of the lines, in pixels.

    Returns:
        What was found; it begins with "failed" unless that is what is due.
    """
    reach = math.ceil(thickness / 2.0) + 1
    elsewhere = strokes[_inside(reach) | _outside(reach)]
    if (elsewhere != 255).any():
        grey = int(elsewhere.min())
        return f"failed: beside the lines the picture is {to_hex((grey, grey, grey))} where #ffffff is due"
    ink = strokes < 128
    first, last = SQUARE.start, SQUARE.stop
    near = [ink[first - reach : first + reach, SQUARE], ink[last - reach : last + reach, SQUARE]]
    near += [ink[SQUARE, first - reach : first + reach].T, ink[SQUARE, last - reach : last + reach].T]
    share = float(np.mean([side.any(axis=0).mean() for side in near]))
    if share < LEAST_BORDER:
        return f"failed: {100 * share:.0f}% of the square's border has a line" if share else "failed: it drew no line"
    return "draws lines, black on white"


def _judge(found: npt.NDArray[np.uint8], color: str) -> str:
    due = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)], np.int16)
    wrong = found[(np.abs(found.astype(np.int16) - due) > TOLERANCE).any(axis=1)]
    if len(wrong):
        return f"failed: {to_hex(wrong[0].tolist())} where {color} is due"
    return f"{color}, as asked for"


def _inside(margin: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros((SIZE, SIZE), np.bool_)
    place = slice(SQUARE.start + margin, SQUARE.stop - margin)
    mask[place, place] = True
    return mask


def _outside(margin: int) -> npt.NDArray[np.bool_]:
    mask = np.ones((SIZE, SIZE), np.bool_)
    place = slice(SQUARE.start - margin, SQUARE.stop + margin)
    mask[place, place] = False
    return mask
