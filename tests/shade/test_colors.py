"""Shadow colours: darker, cooler, never what somebody did not ask for."""

from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.color.hexadecimal import RGB, rgb
from animerun_gen.color.oklab import to_oklab
from animerun_gen.config.model import Shade
from animerun_gen.config.palette import Palette, PaletteScene, Swatch
from animerun_gen.shade.colors import FixedColors, Formula, ShadeColors, shade_picture
from animerun_gen.shade.design import design_of, fixed_colors
from animerun_gen.shade.tone import BASE, HIGHLIGHT, SHADOW


def lab(color: RGB | np.ndarray) -> np.ndarray:
    return to_oklab(np.array(color, np.uint8))


def slow_shadow(color: np.ndarray, formula: Formula) -> np.ndarray:
    """The formula once more, for one colour, without the gamut."""
    lightness, a, b = lab(color)
    hue = np.arctan2(b, a)
    hue = hue + formula.shift * np.sin(formula.hue - hue)
    chroma = np.hypot(a, b)
    direction = np.array([np.cos(formula.hue), np.sin(formula.hue)])
    return np.array(
        [formula.value * lightness, *(chroma * np.array([np.cos(hue), np.sin(hue)]) + formula.tint * direction)]
    )


def random_picture(seed: int = 3, size: tuple[int, int] = (30, 40)) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    flat = np.kron(generator.integers(100, 170, (size[0] // 5, size[1] // 5, 3)), np.ones((5, 5, 1))).astype(np.uint8)
    return flat, generator.integers(0, 4, size).astype(np.uint8)


def test_each_pixel_is_painted_by_its_own_tone() -> None:
    flat, tones = random_picture()
    formula = Formula()
    shaded = shade_picture(flat, tones, ShadeColors(formula))
    untouched = (tones != SHADOW) & (tones != HIGHLIGHT)
    assert (shaded[untouched] == flat[untouched]).all()
    for y, x in np.argwhere(tones == SHADOW)[::7]:
        assert np.abs(lab(shaded[y, x]) - slow_shadow(flat[y, x], formula)).max() < 0.006
    light = tones == HIGHLIGHT
    assert (to_oklab(shaded[light])[:, 0] > to_oklab(flat[light])[:, 0] + 0.02).all()


def test_one_colour_has_one_shadow() -> None:
    flat = np.broadcast_to(np.array([200, 120, 90], np.uint8), (20, 20, 3))
    shaded = shade_picture(flat, np.full((20, 20), SHADOW, np.uint8), ShadeColors())
    assert len(np.unique(shaded.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("color", [(240, 190, 160), (120, 120, 120), (60, 150, 70), (250, 250, 250), (200, 40, 30)])
def test_shadows_are_darker_and_go_to_the_hue_that_is_asked_for(color: RGB) -> None:
    formula = Formula()
    base, shadow = lab(color), lab(ShadeColors(formula).shadow_of(color))
    assert np.isclose(shadow[0], formula.value * base[0], atol=0.01)
    cool = np.array([np.cos(formula.hue), np.sin(formula.hue)])
    assert (shadow[1:] - formula.value * base[1:]) @ cool > 0.0 or (shadow[1:] - base[1:]) @ cool > 0.0


def test_learned_shadows_are_those_of_the_nearest_colours() -> None:
    pairs = (("#f0c0a0", "#c08070"), ("#4060c0", "#203070"))
    colors = ShadeColors(pairs=pairs)
    for base, shadow in pairs:
        found = colors.shadow_of(rgb(base))
        assert np.abs(np.array(found) - np.array(rgb(shadow))).max() <= 2
    # a neighbour of the first is darkened as that one is
    near = lab(colors.shadow_of((236, 190, 158)))
    assert np.abs(near - lab((0xC0, 0x80, 0x70))).max() < 0.03


def test_chosen_colours_are_stronger() -> None:
    flat, tones = random_picture()
    materials = np.where(np.arange(40)[None] < 20, 3, 4) + np.zeros((30, 1), int)
    fixed = {3: FixedColors((1, 2, 3), None)}
    shaded = shade_picture(flat, tones, ShadeColors(), materials, fixed)
    plain = shade_picture(flat, tones, ShadeColors())
    chosen = (materials == 3) & (tones == SHADOW)
    assert (shaded[chosen] == (1, 2, 3)).all()
    assert (shaded[~chosen] == plain[~chosen]).all()


def test_the_first_pattern_that_fits_counts() -> None:
    shade = Shade(tones=2, shadows={"Skin*": "#010203", "*": "#040506"}, highlights={"Skin arm": "#ffffff"})
    found = fixed_colors(shade, {2: "Skin arm", 3: "Cloth"})
    assert found == {2: FixedColors((1, 2, 3), (255, 255, 255)), 3: FixedColors((4, 5, 6), None)}


def scene(name: str, shadow: str | None) -> PaletteScene:
    colors = (Swatch(color="#808080", share=0.6, shadow=shadow), Swatch(color="#ff0000", share=0.4))
    return PaletteScene(name=name, colors=colors)


def test_a_pass_has_its_own_scenes_pairs_if_there_are_any() -> None:
    palette = Palette(about="test", scenes=(scene("one", "#404040"), scene("two", None)))
    shade = Shade(tones=2)
    assert design_of(shade, None).pairs == ()
    assert design_of(shade, palette).pairs == (("#808080", "#404040"),)
    assert design_of(shade, None, palette.scenes[0]).pairs == (("#808080", "#404040"),)
    assert design_of(shade, None, palette.scenes[1]).pairs == ()
    assert design_of(Shade(tones=2, value=0.5), None).formula.value == 0.5


def test_a_base_tone_keeps_its_colour() -> None:
    flat, _ = random_picture()
    assert (shade_picture(flat, np.full(flat.shape[:2], BASE, np.uint8), ShadeColors()) == flat).all()
