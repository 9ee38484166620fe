"""Finds in frames of anime which colour is whose shadow.

Ink parts what is another thing, and a border of the shade has none: so two painted areas that meet without ink, in one
hue and with a step in lightness, are a base colour and its shadow.  Up to four pixels between them may be mixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import to_hex
from animerun_gen.color.oklab import FloatArray, U8Array, distances, hex_to_oklab, to_oklab
from animerun_gen.config.palette import Swatch

BITS = 5
"""Of each channel as many bits tell colours apart."""

ACROSS = 5
"""Pixels from one side of a border to the other, mixed ones between."""

DARKEST, LIGHTEST = 0.5, 0.94
"""Lightness of a shadow as a share of that of its base colour."""

ALIKE = 0.06
"""How far, in Oklab, a shadow's hue and chroma may be from those of its base colour, as strong or made duller."""

INK_STEP = 10
"""Levels by which what lies between is darker than both sides where it is ink."""

BELONGS = 0.06
"""Distance in Oklab within which a colour counts as that of a swatch."""

SHORTEST = 150
"""Pairs of pixels across a border, in all pictures of a scene together, from which it counts: three a pixel."""


@dataclass
class ShadowPairs:
    """Which colours meet as a base and its shadow do.

    Attributes:
        pixels: Two colours, the lighter first, by their channels' upper bits side by side, to the pixels of border.
        sums: The same two to the red, green and blue of the darker one, added up over these pixels.
    """

    pixels: Counter[tuple[int, int]] = field(default_factory=Counter)
    sums: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)

    def add(self, picture: U8Array, painted: npt.NDArray[np.bool_]) -> None:
        """Look at a picture.

        Args:
            picture: ``(H, W, 3)`` uint8, RGB.
            painted: ``(H, W)`` bool, where its painted areas are.
        """
        upper = (picture >> (8 - BITS)).astype(np.int64)
        codes = upper[..., 0] << 2 * BITS | upper[..., 1] << BITS | upper[..., 2]
        brightest = picture.max(axis=-1).astype(np.int16)
        self._add_rows(codes, brightest, painted, picture)
        self._add_rows(codes.T, brightest.T, painted.T, picture.swapaxes(0, 1))

    def _add_rows(
        self,
        codes: npt.NDArray[np.int64],
        brightest: npt.NDArray[np.int16],
        painted: npt.NDArray[np.bool_],
        picture: U8Array,
    ) -> None:
        one, other = np.s_[:, :-ACROSS], np.s_[:, ACROSS:]
        meets = painted[one] & painted[other] & (codes[one] != codes[other])
        darker = np.minimum(brightest[one], brightest[other])
        for step in range(1, ACROSS):
            meets &= brightest[:, step : step - ACROSS] >= darker - INK_STEP
        here, there = codes[one][meets], codes[other][meets]
        lab = _lab_of_codes()
        is_lighter = lab[here, 0] >= lab[there, 0]
        light, dark = np.where(is_lighter, here, there), np.where(is_lighter, there, here)
        share = lab[dark, 0] / np.maximum(lab[light, 0], 1e-6)
        strength = (lab[dark, 1:] * lab[light, 1:]).sum(axis=1) / np.maximum((lab[light, 1:] ** 2).sum(axis=1), 1e-9)
        duller = np.clip(strength, np.minimum(share, 1.0), 1.0)
        apart = np.linalg.norm(lab[dark, 1:] - duller[:, None] * lab[light, 1:], axis=1)
        shades = (share >= DARKEST) & (share <= LIGHTEST) & (apart <= ALIKE)
        pairs, which = np.unique(light[shades] << 3 * BITS | dark[shades], return_inverse=True)
        darks = np.where(is_lighter[:, None], picture[other][meets], picture[one][meets])[shades]
        sums = [np.bincount(which, darks[:, channel], len(pairs)) for channel in range(3)]
        counts = np.bincount(which, minlength=len(pairs))
        for place, both in enumerate(pairs.tolist()):
            pair = both >> 3 * BITS, both & (1 << 3 * BITS) - 1
            self.pixels[pair] += int(counts[place])
            before = self.sums.get(pair, (0, 0, 0))
            red, green, blue = (old + int(channel[place]) for old, channel in zip(before, sums, strict=True))
            self.sums[pair] = red, green, blue

    def give(self, swatches: Sequence[Swatch]) -> list[Swatch]:
        """The swatches, those whose shadow was found with it: the colour that they meet most.

        What is itself the shadow of another swatch, more than it has one, gets none.
        """
        if not swatches or not self.pixels:
            return list(swatches)
        pairs = sorted(self.pixels)
        counts = np.array([self.pixels[pair] for pair in pairs])
        lab, own = _lab_of_codes(), hex_to_oklab([swatch.color for swatch in swatches])
        light, dark = (np.array([pair[which] for pair in pairs]) for which in (0, 1))
        light_of, dark_of = _nearest(lab[light], own), _nearest(lab[dark], own)
        found = []
        for number, swatch in enumerate(swatches):
            of_it = (light_of == number) & (dark_of != number)
            if counts[of_it].sum() < max(SHORTEST, int(counts[dark_of == number].sum())):
                found.append(swatch)
                continue
            meets: Counter[int] = Counter()
            for place in np.flatnonzero(of_it):
                meets[int(dark[place])] += int(counts[place])
            shadow = min(meets, key=lambda code: (-meets[code], code))
            those = [pairs[place] for place in np.flatnonzero(of_it & (dark == shadow))]
            total = np.array([self.sums[pair] for pair in those]).sum(axis=0)
            found.append(swatch.model_copy(update={"shadow": to_hex(np.rint(total / meets[shadow]))}))
        return found


def _nearest(lab: FloatArray, own: FloatArray) -> npt.NDArray[np.intp]:
    """Which swatch each colour belongs to; -1 for none."""
    apart = distances(lab, own)
    return np.where(apart.min(axis=1) <= BELONGS, apart.argmin(axis=1), -1)


@cache
def _lab_of_codes() -> FloatArray:
    """``(8 ** BITS, 3)`` float64, every colour in Oklab."""
    codes = np.arange(8**BITS)
    mask = (1 << BITS) - 1
    channels = np.stack([codes >> 2 * BITS, codes >> BITS & mask, codes & mask], axis=-1)
    return to_oklab(((channels << (8 - BITS)) + (1 << (7 - BITS))).astype(np.uint8))
