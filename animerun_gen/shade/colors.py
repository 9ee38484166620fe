"""The colours of shade: for every base colour a shadow and a highlight, by a formula, or as learned from anime.

A painter's shadow is not the base colour times a factor: it goes towards a cool hue while it gets darker.  The formula
does so in Oklab (:mod:`animerun_gen.color.oklab`): lightness is multiplied, the hue turns towards that of the shadows
by the shorter way, and a little of it is added, so that greys get a hue at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import RGB
from animerun_gen.color.oklab import FloatArray, U8Array, hex_to_oklab
from animerun_gen.shade.kernels import coloring
from animerun_gen.shade.tone import HIGHLIGHT, SHADOW


class Formula(NamedTuple):
    """How a shadow and a highlight follow from a base colour.

    Attributes:
        value: Lightness of a shadow as a share of that of its base.
        hue: Hue that shadows turn to, radians in Oklab.
        shift: Radians by which they turn at most.
        tint: Chroma of that hue that is added.
        lift: How far a highlight's lightness goes towards white.
    """

    value: float = 0.74
    hue: float = float(np.radians(290.0))
    shift: float = float(np.radians(14.0))
    tint: float = 0.02
    lift: float = 0.45


@dataclass(frozen=True)
class ShadeColors:
    """A design of shadow and highlight colours.

    Attributes:
        formula: The design by formula.
        pairs: Base colours and their shadows, ``"#rrggbb"``, that were learned; where there are any, shadows differ
            from their base colours as those of the nearest ones do, and the formula counts for highlights alone.
    """

    formula: Formula = field(default_factory=Formula)
    pairs: Sequence[tuple[str, str]] = ()

    def _learned(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        bases, shadows = (hex_to_oklab([pair[which] for pair in self.pairs]) for which in (0, 1))
        # black has no shadow
        ratios = np.clip(shadows[:, 0] / np.maximum(bases[:, 0], 1e-3), 0.0, 1.0)
        return bases, ratios, np.ascontiguousarray(shadows[:, 1:] - ratios[:, None] * bases[:, 1:])

    def shadow_of(self, color: RGB) -> RGB:
        """The shadow colour of a base colour.

        Example:
            >>> ShadeColors(Formula(value=0.5, shift=0.0, tint=0.0)).shadow_of((128, 128, 128))
            (39, 39, 39)
        """
        flat = np.array(color, np.uint8).reshape(1, 1, 3)
        red, green, blue = shade_picture(flat, np.full((1, 1), SHADOW, np.uint8), self)[0, 0].tolist()
        return red, green, blue


class FixedColors(NamedTuple):
    """Colours of a material that somebody has chosen; None: those of the design."""

    shadow: RGB | None
    highlight: RGB | None


def shade_picture(
    flat: U8Array,
    tones: npt.NDArray[np.uint8],
    colors: ShadeColors,
    materials: npt.NDArray[np.integer[Any]] | None = None,
    fixed: Mapping[int, FixedColors] | None = None,
) -> U8Array:
    """Paint a flat picture's shade into it.

    Args:
        flat: ``(H, W, 3)`` uint8, without lines.
        tones: ``(H, W)`` uint8, see :func:`~animerun_gen.shade.tones.shade_map`.
        colors: The design.
        materials: ``(H, W)`` material ids; only needed with ``fixed``.
        fixed: Material id to colours that are stronger than the design.

    Returns:
        ``(H, W, 3)`` uint8: ``flat`` where the tone is base or background.
    """
    shaded = np.empty_like(flat)
    coloring.shade_colors(np.ascontiguousarray(flat), tones, colors.formula, *colors._learned(), shaded)
    if fixed and materials is not None:
        for number, chosen in fixed.items():
            of_it = materials == number
            for tone, color in ((SHADOW, chosen.shadow), (HIGHLIGHT, chosen.highlight)):
                if color is not None:
                    shaded[of_it & (tones == tone)] = color
    return shaded
