from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from animerun_gen.recolor.survey import Survey, materials_drawn, survey_frame

COLORS = {0: (10, 20, 30), 2: (200, 0, 0), 5: (0, 200, 0), 7: None}


def painted(materials: np.ndarray) -> np.ndarray:
    """A flat frame in which images show noise."""
    flat = np.random.default_rng(1).integers(0, 256, (*materials.shape, 3)).astype(np.uint8)
    for number, color in COLORS.items():
        if color is not None:
            flat[materials == number] = color
    return flat


maps = arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 2, 5, 7]))


@given(maps)
def test_counts_are_those_of_a_slow_count(materials: np.ndarray) -> None:
    flat = painted(materials)
    survey = survey_frame(flat, materials, COLORS)
    height, width = materials.shape
    borders: Counter[tuple[int, int]] = Counter()
    for y in range(height):
        for x in range(width):
            for other_y in range(max(0, y - 1), min(height, y + 2)):
                for other_x in range(max(0, x - 1), min(width, x + 2)):
                    one, other = int(materials[y, x]), int(materials[other_y, other_x])
                    if one < other:
                        borders[one, other] += 1
    assert survey.borders == borders
    assert survey.pixels == Counter(materials.ravel().tolist())
    textures = Counter(
        (7, (int(r) >> 3) << 10 | (int(g) >> 3) << 5 | int(b) >> 3) for r, g, b in flat[materials == 7].tolist()
    )
    assert survey.textures == textures


@given(st.lists(maps, min_size=1, max_size=4))
@settings(max_examples=25)
def test_the_order_of_frames_does_not_matter(frames: list[np.ndarray]) -> None:
    surveys = [survey_frame(painted(materials), materials, COLORS) for materials in frames]
    one, other = Survey(), Survey()
    for survey in surveys:
        one.add(survey)
    for survey in reversed(surveys):
        other.add(survey)
    assert one == other
    assert one.pixels.total() == sum(materials.size for materials in frames)


def test_pixels_belong_to_the_material_that_the_picture_shows() -> None:
    materials = np.full((8, 10), 2, np.uint16)
    materials[:, 5:] = 5
    flat = painted(materials)
    shifted = materials.copy()
    # the geometry's edge lies a pixel further right, and in one row two
    shifted[:, 5] = 2
    shifted[3, 6] = 2
    ids, drawn = materials_drawn(flat, shifted, COLORS)
    np.testing.assert_array_equal(ids[drawn], materials)


def test_what_fits_nothing_nearby_is_left_as_the_map_has_it() -> None:
    materials = np.zeros((6, 6), np.uint16)
    materials[:, 3:] = 2
    flat = painted(materials)
    flat[2, 1] = (1, 1, 1)
    ids, drawn = materials_drawn(flat, materials, COLORS)
    np.testing.assert_array_equal(ids[drawn], materials)
    # a texture may have any colour
    materials[:, :2] = 7
    ids, drawn = materials_drawn(flat, materials, COLORS)
    np.testing.assert_array_equal(ids[drawn], materials)
    flat[2, 3] = (90, 91, 92)
    materials[2, 2] = 7
    ids, drawn = materials_drawn(flat, materials, COLORS)
    assert ids[drawn][2, 3] == 7


def test_what_only_layers_show_counts_and_what_frames_show_counts_as_it_did() -> None:
    colors = {0: (0, 0, 0), 1: (200, 0, 0), 2: (0, 200, 0), 3: None}
    table = np.array([(0, 0, 0), (200, 0, 0), (0, 200, 0), (80, 80, 240)], np.uint8)
    seen = np.array([[1, 1, 2, 2]], np.uint16)
    alone = np.array([[3, 3, 2, 0]], np.uint16)
    survey = survey_frame(table[seen], seen, colors)
    behind = survey_frame(table[alone], alone, colors)
    behind.forget(0)
    assert 0 not in behind.pixels
    assert not any(0 in pair for pair in behind.borders)
    without = survey.with_unseen()
    assert (without.pixels, without.borders, without.textures) == (survey.pixels, survey.borders, survey.textures)
    # two frames of it, in parts that add up
    total = Survey()
    total.add(survey)
    total.add(Survey(behind=behind))
    total.add(Survey(behind=behind))
    found = total.with_unseen()
    assert found.pixels == {1: 2, 2: 2, 3: 4}
    assert found.borders == {**survey.borders, (2, 3): 2 * behind.borders[2, 3]}
    assert {number for number, _ in found.textures} == {3}
    assert total.pixels == survey.pixels
    # where layers show nothing that frames do not, nothing changes
    same = Survey()
    same.add(survey)
    same.add(Survey(behind=survey))
    assert same.with_unseen() == without
