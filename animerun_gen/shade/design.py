"""The shade colours that a configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from animerun_gen.color.hexadecimal import RGB, rgb
from animerun_gen.config.model import Shade
from animerun_gen.config.palette import Palette, PaletteScene
from animerun_gen.shade.colors import FixedColors, Formula, ShadeColors


def design_of(shade: Shade, palette: Palette | None, scene: PaletteScene | None = None) -> ShadeColors:
    """The design of a cut's shade.

    Args:
        shade: The cut's ``style.shade``.
        palette: Its palette, whose pairs of base and shadow colours count if it has any.
        scene: A scene whose own pairs count instead, if it has any: that of a colour pass.
    """
    formula = Formula(
        value=shade.value,
        hue=float(np.radians(shade.hue)),
        shift=float(np.radians(shade.hue_shift)),
        tint=shade.tint,
        lift=shade.highlight_value,
    )
    pairs = pairs_of(scene) if scene is not None else []
    if not pairs and palette is not None:
        pairs = [pair for each in palette.scenes for pair in pairs_of(each)]
    return ShadeColors(formula, tuple(pairs))


def pairs_of(scene: PaletteScene) -> list[tuple[str, str]]:
    """The colours of a scene that have a shadow colour, and these."""
    return [(swatch.color, swatch.shadow) for swatch in scene.colors if swatch.shadow is not None]


def fixed_colors(shade: Shade, materials: Mapping[int, str]) -> dict[int, FixedColors]:
    """The shade colours that somebody has chosen, by material id.

    Args:
        shade: The cut's ``style.shade``.
        materials: Names of the materials by id.
    """
    found = {}
    for number, name in materials.items():
        chosen = FixedColors(_first(name, shade.shadows), _first(name, shade.highlights))
        if chosen != FixedColors(None, None):
            found[number] = chosen
    return found


def _first(name: str, colors: Mapping[str, str]) -> RGB | None:
    return next((rgb(color) for pattern, color in colors.items() if fnmatchcase(name, pattern)), None)
