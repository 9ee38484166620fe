from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from animerun_gen.lines import compose

EVERY_VALUE = np.arange(256, dtype=np.uint8).reshape(16, 16)
grays = arrays.arrays(np.uint8, (5, 7))
colors = arrays.arrays(np.uint8, (5, 7, 3))
inks = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize("gamma", [0.2, 1.0, 0.45, 10.0])
def test_contour_is_the_formula_for_every_value(gamma: float) -> None:
    line_art = compose.contour(EVERY_VALUE, gamma)
    assert line_art.dtype == np.uint8
    for value, result in zip(EVERY_VALUE.ravel().tolist(), line_art.ravel().tolist(), strict=True):
        assert abs(result - 255 * (value / 255) ** (1 / gamma)) <= 0.5


def test_contour_of_the_paper_makes_faint_lines_strong_and_leaves_white_and_black() -> None:
    line_art = compose.contour(np.array([[0, 128, 255]], np.uint8), 0.2)
    # 255 * (128 / 255) ** 5 = 8.09
    assert line_art.tolist() == [[0, 8, 255]]


def test_harden_leaves_two_values_and_cuts_in_the_middle() -> None:
    hard = compose.harden(EVERY_VALUE)
    assert hard.dtype == np.uint8
    assert np.array_equal(hard == 0, EVERY_VALUE < 128)
    assert np.array_equal(hard == 255, EVERY_VALUE >= 128)


@given(grays)
def test_hardening_twice_changes_nothing(line_art: np.ndarray) -> None:
    hard = compose.harden(line_art)
    np.testing.assert_array_equal(compose.harden(hard), hard)


@given(arrays.arrays(np.int32, (5, 7), elements=st.integers(-1, 1)))
def test_an_outline_is_as_dark_as_a_pixel_has_neighbours_of_other_objects(surface: np.ndarray) -> None:
    drawn = compose.outline(surface)
    for y, x in np.ndindex(5, 7):
        beside = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        others = sum(0 <= v < 5 and 0 <= u < 7 and surface[v, u] != surface[y, x] for v, u in beside)
        # a quarter of black each, mixed as light and then encoded (sRGB)
        light = 1 - others / 4
        encoded = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
        assert abs(int(drawn[y, x]) - 255 * encoded) <= 0.5


@given(
    arrays.arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 255])),
    arrays.arrays(np.int32, (5, 7), elements=st.integers(-1, 2)),
    arrays.arrays(np.float64, (5, 7), elements=st.sampled_from([1.0, 2.0, np.inf])),
)
def test_closed_outlines_part_all_surfaces_with_as_little_ink_as_needed(
    line_art: np.ndarray, surface: np.ndarray, depth: np.ndarray
) -> None:
    closed = compose.close_outlines(line_art, surface, depth)
    pairs = [((y, x), (y + dy, x + dx)) for y in range(5) for x in range(7) for dy, dx in ((0, 1), (1, 0))]
    pairs = [(a, b) for a, b in pairs if b[0] < 5 and b[1] < 7 and surface[a] != surface[b]]
    assert all(closed[a] == 0 or closed[b] == 0 for a, b in pairs)
    assert (closed[line_art == 0] == 0).all()
    for pixel in map(tuple, np.argwhere(closed != line_art).tolist()):
        # it parts a pair of which no line parted it, and it is the farther pixel of that pair
        others = [b if a == pixel else a for a, b in pairs if pixel in (a, b)]
        assert any(line_art[other] == 255 and depth[pixel] >= depth[other] for other in others)
    np.testing.assert_array_equal(compose.close_outlines(closed, surface, depth), closed)


def test_lines_behind_what_covers_them_go_and_lines_of_what_is_in_front_stay() -> None:
    # a row: background, a surface with holes, something nearer, the surface again; far right it is the nearest
    depth = np.array([[9.0, 5.0, 5.0, 5.0, 2.0, 5.0, 5.0, 1.0]])
    covering = np.array([[False, True, True, True, False, True, True, True]])
    lines = np.zeros((1, 8), np.uint8)
    covered = compose.cover_lines(lines, covering, depth, reach=1)
    assert covered.tolist() == [[0, 255, 255, 0, 0, 0, 255, 255]]
    assert compose.cover_lines(lines, covering, depth, reach=2).tolist() == [[0, 255, 0, 0, 0, 0, 0, 255]]
    # what shows no line gets none
    assert (compose.cover_lines(np.full((1, 8), 255, np.uint8), covering, depth, 1) == 255).all()


@given(colors, grays, inks)
def test_lines_are_mixed_by_how_much_they_cover(
    flat: np.ndarray, line_art: np.ndarray, ink: tuple[int, int, int]
) -> None:
    drawn = compose.draw_lines(flat, line_art, ink)
    assert drawn.dtype == np.uint8
    share = line_art[..., None] / 255.0
    exact = flat * share + np.array(ink) * (1.0 - share)
    assert np.abs(drawn - exact).max() <= 0.5 + 1e-9


@given(colors, grays, inks)
def test_a_frame_has_no_colours_but_those_of_surfaces_and_lines(
    flat: np.ndarray, line_art: np.ndarray, ink: tuple[int, int, int]
) -> None:
    drawn = compose.draw_lines(flat, compose.harden(line_art), ink)
    known = {*map(tuple, flat.reshape(-1, 3).tolist()), ink}
    assert set(map(tuple, drawn.reshape(-1, 3).tolist())) <= known
    np.testing.assert_array_equal(drawn[line_art >= 128], flat[line_art >= 128])
    assert (drawn[line_art < 128] == ink).all()
