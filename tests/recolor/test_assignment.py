from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.oklab import TELLABLE, hex_to_oklab
from animerun_gen.config.palette import Palette, PaletteScene, Swatch, load_palette
from animerun_gen.recolor.assignment import Pass, choose_pass
from animerun_gen.recolor.survey import Colors, Survey, survey_frame

T = TypeVar("T")
PALETTE = load_palette(None)


def palette_of(**shares: float) -> Palette:
    """A palette of one scene; colours without their #."""
    swatches = tuple(Swatch(color=f"#{color.removeprefix('c')}", share=share) for color, share in shares.items())
    return Palette(about="test", scenes=(PaletteScene(name="one", colors=swatches),))


def difference(one: str, other: str) -> float:
    return float(np.linalg.norm(hex_to_oklab([one])[0] - hex_to_oklab([other])[0]))


def targets(chosen: Pass) -> dict[int, str]:
    return {material: parts[0].target for material, parts in chosen.design.items()}


@st.composite
def clips(draw: st.DrawFn) -> tuple[Survey, dict[int, tuple[int, int, int] | None]]:
    """Materials of any colour and size, of which any may touch."""
    count = draw(st.integers(1, 14))
    channels = st.integers(0, 255)
    colors: dict[int, tuple[int, int, int] | None] = {}
    for material in range(count):
        colors[material] = draw(st.none() | st.tuples(channels, channels, channels))
    survey = Survey(Counter({material: draw(st.integers(1, 1000)) for material in range(count)}))
    for pair in combinations(range(count), 2):
        if draw(st.booleans()):
            survey.borders[pair] = draw(st.integers(1, 300))
    for material, color in colors.items():
        if color is None:
            for code in draw(st.lists(st.integers(0, (1 << 15) - 1), min_size=1, max_size=8, unique=True)):
                survey.textures[material, code] = draw(st.integers(1, 100))
    return survey, colors


@given(clips(), st.integers(1, 12), st.integers(0, 3))
@settings(max_examples=40)
def test_materials_that_touch_can_always_be_told_apart(clip: tuple[Survey, Colors], number: int, seed: int) -> None:
    survey, colors = clip
    new = targets(choose_pass(survey, colors, (), PALETTE, number, "a", seed))
    assert set(new) == set(survey.pixels)
    for one, other in survey.borders:
        assert difference(new[one], new[other]) >= TELLABLE - 1e-9


def backwards(counts: Counter[T]) -> Counter[T]:
    """The same counts, in another order."""
    return Counter(dict(reversed(counts.items())))


@given(clips(), st.integers(0, 3))
@settings(max_examples=15)
def test_a_pass_is_the_same_whatever_else_happens(clip: tuple[Survey, Colors], seed: int) -> None:
    survey, colors = clip
    again = Survey(backwards(survey.pixels), backwards(survey.borders), backwards(survey.textures))
    first = choose_pass(survey, colors, (), PALETTE, 2, "a", seed)
    np.random.seed(5)
    assert choose_pass(again, dict(reversed(list(colors.items()))), (), PALETTE, 2, "a", seed) == first


def test_even_of_two_colours_as_many_as_are_needed_are_made() -> None:
    """A dozen materials that all touch, and a palette of two colours."""
    colors: Colors = {material: (20 * material, 128, 128) for material in range(12)}
    survey = Survey(Counter(dict.fromkeys(colors, 100)), Counter(dict.fromkeys(combinations(range(12), 2), 5)))
    new = targets(choose_pass(survey, colors, (), palette_of(c203050=0.5, cf0d080=0.5), 1, "a", 0))
    assert min(difference(one, other) for one, other in combinations(new.values(), 2)) >= TELLABLE
    assert {"#203050", "#f0d080"} <= set(new.values())


def test_what_a_palette_has_is_taken_from_it_by_size_and_value() -> None:
    # dark, middling and light, which all touch, as large as the palette's
    colors = {0: (30, 30, 60), 1: (150, 120, 90), 2: (250, 240, 200)}
    survey = Survey(Counter({0: 100, 1: 500, 2: 400}), Counter({(0, 1): 50, (1, 2): 50, (0, 2): 50}))
    palette = palette_of(c401010=0.1, c20a060=0.5, ce0f0ff=0.4)
    for seed in range(5):
        assert targets(choose_pass(survey, colors, (), palette, 1, "a", seed)) == {
            0: "#401010",
            1: "#20a060",
            2: "#e0f0ff",
        }


def test_tones_of_one_colour_remain_tones_of_one_colour() -> None:
    roof, shade = "#2c7a7b", "#1f5a66"
    colors = {0: rgb("#fff0d0"), 1: rgb(roof), 2: rgb(shade), 3: rgb("#d04030")}
    survey = Survey(Counter({0: 500, 1: 200, 2: 60, 3: 200}), Counter({(0, 1): 20, (1, 2): 30, (0, 3): 20, (0, 2): 9}))
    for number in range(1, 9):
        new = hex_to_oklab(list(targets(choose_pass(survey, colors, (), PALETTE, number, "a", 0)).values()))
        lightness, chroma = new[:, 0], new[:, 1:]
        assert lightness[2] < lightness[1]
        lengths = np.linalg.norm(chroma, axis=1)
        # of one hue, as far as they have any
        assert chroma[1] @ chroma[2] > 0.85 * lengths[1] * lengths[2] or min(lengths[1:3]) < 0.03


def test_passes_take_turns_with_scenes_and_differ() -> None:
    colors: Colors = {material: (20 * material, 255 - 20 * material, 128) for material in range(10)}
    survey = Survey(Counter(dict.fromkeys(colors, 100)), Counter({(i, i + 1): 9 for i in range(9)}))
    count = len(PALETTE.scenes)
    passes = [choose_pass(survey, colors, (), PALETTE, number, "a", 0) for number in range(1, count + 2)]
    assert {one.scene for one in passes} == {scene.name for scene in PALETTE.scenes}
    assert passes[0].scene == passes[count].scene
    assert len({tuple(targets(one).items()) for one in passes}) == count + 1
    scenes = {
        tuple(choose_pass(survey, colors, (), PALETTE, number, cut, seed).scene for number in (1, 2, 3))
        for cut, seed in (("a", 0), ("a", 1), ("b", 0), ("b", 1))
    }
    assert len(scenes) > 1


def test_kept_materials_keep_their_colours_and_the_others_stay_clear_of_them() -> None:
    swatch = PALETTE.scenes[0].colors[0].color
    colors: Colors = {0: rgb(swatch), 1: (90, 90, 90), 2: None}
    survey = Survey(Counter({0: 500, 1: 300, 2: 200}), Counter({(0, 1): 9, (0, 2): 9}), Counter({(2, 1057): 200}))
    palette = Palette(about="test", scenes=PALETTE.scenes[:1])
    for seed in range(4):
        new = targets(choose_pass(survey, colors, (0,), palette, 1, "a", seed))
        assert set(new) == {1, 2}
        assert all(difference(color, swatch) >= TELLABLE for color in new.values())


def test_the_colours_of_a_texture_are_parts_and_its_gradients_are_not() -> None:
    materials = np.full((40, 100), 3, np.uint16)
    flat = np.empty((40, 100, 3), np.uint8)
    # a grey gradient, and a red corner
    flat[:] = np.linspace(60, 200, 100)[None, :, None]
    flat[:10, :40] = (200, 30, 30)
    survey = survey_frame(flat, materials, {})
    [parts] = choose_pass(survey, {}, (), PALETTE, 1, "a", 0).design.values()
    assert len(parts) == 2
    assert difference(parts[0].source, "#828282") < 0.1
    assert difference(parts[1].source, "#c81e1e") < 0.03
    assert parts[0].darkest < 0.4 < 0.75 < parts[0].lightest


@pytest.mark.parametrize("colors", [{}, {4: (1, 2, 3)}])
def test_clips_of_nothing_or_one_thing(colors: Colors) -> None:
    survey = Survey(Counter(dict.fromkeys(colors, 5)))
    assert set(choose_pass(survey, colors, (), PALETTE, 1, "a", 0).design) == set(colors)
