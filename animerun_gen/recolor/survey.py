"""What there is to colour in a clip: how large its materials are, which touch, and the colours of textures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import RGB
from animerun_gen.color.oklab import U8Array
from animerun_gen.recolor.kernels import surveying

Colors = Mapping[int, RGB | None]
"""The flat colour of each material by its id; None where an image is painted."""

BITS = 5
"""Of each channel of a texture as many bits are told apart."""


@dataclass
class Survey:
    """Whole numbers, so that their sums do not depend on the order in which frames are looked at.

    Attributes:
        pixels: Material id to the number of pixels that show it.
        borders: Two material ids, the smaller first, to the number of places where they touch, corners included.
        textures: Material id and colour (its channels' upper :data:`BITS` bits side by side) to a number of pixels, of
            materials that images are painted on.
        behind: The same of everything that layers show alone, what the frames show as well; None without layers.
    """

    pixels: Counter[int] = field(default_factory=Counter)
    borders: Counter[tuple[int, int]] = field(default_factory=Counter)
    textures: Counter[tuple[int, int]] = field(default_factory=Counter)
    behind: Survey | None = None

    def add(self, other: Survey) -> None:
        """Let it count what another one has as well."""
        self.pixels.update(other.pixels)
        self.borders.update(other.borders)
        self.textures.update(other.textures)
        if other.behind is not None:
            self.behind = self.behind or Survey()
            self.behind.add(other.behind)

    def forget(self, material: int) -> None:
        """Let it be as if nothing showed a material."""
        del self.pixels[material]
        for pair in [pair for pair in self.borders if material in pair]:
            del self.borders[pair]
        for key in [key for key in self.textures if key[0] == material]:
            del self.textures[key]

    def with_unseen(self) -> Survey:
        """The same, and of what layers alone show the materials that no frame does: a cel shows them, too.

        Where there are none, which is usual, colours are chosen as without layers.
        """
        found = Survey(Counter(self.pixels), Counter(self.borders), Counter(self.textures))
        if self.behind is None:
            return found
        unseen = self.behind.pixels.keys() - self.pixels.keys()
        found.pixels.update({number: self.behind.pixels[number] for number in unseen})
        found.borders.update({pair: count for pair, count in self.behind.borders.items() if unseen & set(pair)})
        found.textures.update({key: count for key, count in self.behind.textures.items() if key[0] in unseen})
        return found


def survey_frame(flat: U8Array, materials: npt.NDArray[np.integer[Any]], colors: Colors) -> Survey:
    """Look at a frame.

    Args:
        flat: ``(H, W, 3)`` uint8, the frame without lines.
        materials: ``(H, W)`` material ids.
        colors: The materials' colours; an id that is not among them counts as one that an image is painted on.

    Returns:
        What it shows.
    """
    ids, drawn = materials_drawn(flat, materials, colors)
    pixels = np.bincount(drawn.ravel(), minlength=len(ids))
    survey = Survey(Counter({int(ids[i]): int(pixels[i]) for i in np.flatnonzero(pixels)}))
    borders = surveying.count_borders(drawn, len(ids))
    survey.borders.update({(int(ids[i]), int(ids[j])): int(borders[i, j]) for i, j in np.argwhere(np.triu(borders))})
    textured = np.array([colors.get(int(number)) is None for number in ids])
    histograms = surveying.count_colors(np.ascontiguousarray(flat), drawn, np.cumsum(textured) - 1, textured, BITS)
    for number, histogram in zip(ids[textured].tolist(), histograms, strict=True):
        codes = np.flatnonzero(histogram)
        for code, count in zip(codes.tolist(), histogram[codes].tolist(), strict=True):
            survey.textures[number, code] = count
    return survey


def materials_drawn(
    flat: U8Array, materials: npt.NDArray[np.integer[Any]], colors: Colors
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Which material each pixel of the *picture* shows.

    The id map comes from the geometry, the picture from Workbench, and at edges the two may differ by a pixel: up to
    0.012% of a frame.  Where a pixel has not the flat colour of the material that the map names, it belongs to the one
    beside it that has.

    Args:
        flat: ``(H, W, 3)`` uint8, the frame without lines.
        materials: ``(H, W)`` material ids.
        colors: The materials' colours.

    Returns:
        The ids that occur, ascending, and ``(H, W)`` int32 places among them.
    """
    # quicker than np.unique, and ids are small
    present = np.bincount(materials.ravel()) > 0
    ids, places = np.flatnonzero(present), (np.cumsum(present) - 1).astype(np.int32)[materials]
    known = [colors.get(int(number)) for number in ids]
    kinds = np.array([surveying.TEXTURED if color is None else surveying.PLAIN for color in known], np.uint8)
    table = np.array([color or (0, 0, 0) for color in known], np.uint8)
    drawn: npt.NDArray[np.int32] = surveying.correct_materials(np.ascontiguousarray(flat), places, kinds, table)
    return ids, drawn
