"""Gives a frame's materials other colours: plain ones a new one, textures their own colours moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.oklab import U8Array, hex_to_oklab
from animerun_gen.recolor.kernels import painting
from animerun_gen.recolor.kernels.surveying import KEPT, PLAIN, TEXTURED
from animerun_gen.recolor.survey import Colors, materials_drawn

BRIGHTEST = 0.98
"""Lightness that the lightest colour of a texture does not pass when it is moved."""

FAINTEST = 0.3
"""Share of its contrast that a texture keeps at least, even where that takes it out of the range of lightness."""


@dataclass(frozen=True)
class Part:
    """A colour of a material and what becomes of it.

    Attributes:
        source: The colour, ``"#rrggbb"``.
        target: The colour that it becomes.
        darkest: Least lightness (Oklab) of what belongs to it; that of ``source`` for plain materials.
        lightest: Greatest.
    """

    source: str
    target: str
    darkest: float = 0.0
    lightest: float = 1.0


Design = Mapping[int, Sequence[Part]]
"""Material id to its parts; a material that is not there keeps its colours."""


def repaint(
    flat: U8Array, materials: npt.NDArray[np.integer[Any]], colors: Colors, designs: Sequence[Design]
) -> list[U8Array]:
    """The flat frame in other colours.

    A pixel of a plain material becomes exactly the new colour.  A pixel of a texture moves in Oklab as the texture's
    parts do, each of them the more the closer the pixel is to its colour: what differs from the part's colour in hue
    and chroma still does, and lightness keeps its order about the new one, with less contrast where there is no room.

    Args:
        flat: ``(H, W, 3)`` uint8, the frame without lines.
        materials: ``(H, W)`` material ids.
        colors: The materials' present colours by id; None where an image is painted.
        designs: The new colours, one for each picture that is wanted.

    Returns:
        ``(H, W, 3)`` uint8 for each design.
    """
    ids, drawn = materials_drawn(flat, materials, colors)
    numbers = [int(number) for number in ids]
    parts = {number: designs[0].get(number, ()) for number in numbers}
    kinds = np.array(
        [KEPT if not parts[n] else PLAIN if colors.get(n) is not None else TEXTURED for n in numbers],
        np.uint8,
    )
    first_part = np.cumsum([0, *(len(parts[number]) for number in numbers)])
    # kernels take no empty lists
    sources = hex_to_oklab([part.source for number in numbers for part in parts[number]])
    count = len(sources)
    shape = (len(designs), count)
    new_colors = np.zeros((len(designs), len(ids), 3), np.uint8)
    targets, up, down = np.zeros((*shape, 3)), np.ones(shape), np.ones(shape)
    for one, design in enumerate(designs):
        own = [part for number in numbers for part in design.get(number, ())]
        targets[one] = hex_to_oklab([part.target for part in own])
        for place, part in enumerate(own):
            here, there = float(sources[place, 0]), float(targets[one, place, 0])
            up[one, place] = _contrast(BRIGHTEST - there, part.lightest - here)
            down[one, place] = _contrast(there, here - part.darkest)
        for place, number in enumerate(numbers):
            if kinds[place] == PLAIN:
                new_colors[one, place] = rgb(design[number][0].target)
    painted = painting.repaint(
        np.ascontiguousarray(flat), drawn, kinds, new_colors, first_part, sources, targets, up, down
    )
    return list(painted)


def _contrast(room: float, needed: float) -> float:
    """By how much differences of lightness are multiplied so that they fit."""
    return 1.0 if needed <= max(room, 0.0) else max(FAINTEST, room / needed)
