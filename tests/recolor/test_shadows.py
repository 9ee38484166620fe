"""Which colour is whose shadow, in pictures of which that is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.color.hexadecimal import rgb, to_hex
from animerun_gen.color.oklab import distances, hex_to_oklab
from animerun_gen.config.palette import Palette, PaletteScene, Swatch, palette_yaml, read_palette
from animerun_gen.recolor.extract import painted_areas
from animerun_gen.recolor.shadows import ShadowPairs
from animerun_gen.shade.colors import ShadeColors

SKIN, CLOTH, INK = "#f0c8a8", "#4878c0", "#101010"


def cel(soft: bool, inked: bool = True) -> np.ndarray:
    """Two things side by side, ink between them, each with its shadow below."""
    colors = ShadeColors()
    picture = np.empty((120, 160, 3), np.uint8)
    for columns, base in ((np.s_[:80], SKIN), (np.s_[80:], CLOTH)):
        picture[:60, columns] = rgb(base)
        picture[60:, columns] = colors.shadow_of(rgb(base))
    if inked:
        picture[:, 78:82] = rgb(INK)
    return cv2.GaussianBlur(picture, (3, 3), 0).astype(np.uint8) if soft else picture


def swatches() -> list[Swatch]:
    dark = [to_hex(ShadeColors().shadow_of(rgb(base))) for base in (SKIN, CLOTH)]
    return [Swatch(color=color, share=0.25) for color in (SKIN, CLOTH, *dark)]


@pytest.mark.parametrize("soft", [False, True])
def test_a_base_colour_gets_the_shadow_it_meets(soft: bool) -> None:
    pairs = ShadowPairs()
    picture = cel(soft)
    pairs.add(picture, painted_areas(picture))
    found = pairs.give(swatches())
    for base, shadow in ((0, 2), (1, 3)):
        chosen = found[base].shadow
        assert chosen is not None
        assert distances(hex_to_oklab([chosen]), hex_to_oklab([swatches()[shadow].color]))[0, 0] < 0.02
    # shadows have no shadows here
    assert [each.shadow for each in found[2:]] == [None, None]
    assert [each.color for each in found] == [each.color for each in swatches()]


def test_what_ink_parts_is_no_shadow_of_it() -> None:
    """Two browns, one darker, with a line between."""
    picture = np.empty((120, 160, 3), np.uint8)
    picture[:, :80], picture[:, 80:] = rgb("#a07850"), rgb("#785a3c")
    bare = picture.copy()
    picture[:, 79:81] = rgb(INK)
    both = [Swatch(color="#a07850", share=0.5), Swatch(color="#785a3c", share=0.5)]
    for shown, expected in ((picture, False), (bare, True)):
        pairs = ShadowPairs()
        pairs.add(shown, painted_areas(shown))
        assert (pairs.give(both)[0].shadow is not None) == expected


def test_short_borders_and_other_hues_do_not_count() -> None:
    picture = np.empty((120, 160, 3), np.uint8)
    picture[:, :80], picture[:, 80:] = rgb(SKIN), rgb("#409050")
    picture[50:58, 20:28] = ShadeColors().shadow_of(rgb(SKIN))
    pairs = ShadowPairs()
    pairs.add(picture, painted_areas(picture))
    own = [*swatches(), Swatch(color="#409050", share=0.5)]
    assert all(each.shadow is None for each in pairs.give(own))


def test_shadows_come_back_from_the_file(tmp_path: Path) -> None:
    colors = (Swatch(color=SKIN, share=0.6, shadow="#b08078"), Swatch(color=CLOTH, share=0.4))
    palette = Palette(about="test", scenes=(PaletteScene(name="one", colors=colors),))
    file = tmp_path / "palette.yaml"
    file.write_text(palette_yaml(palette), encoding="utf-8")
    read, problems = read_palette(file)
    assert not problems
    assert read == palette
