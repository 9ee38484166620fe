from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from animerun_gen.labels import line_area
from animerun_gen.labels.line_area import distance_from, line_pixels


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2.5, 10, 17, 24.5]))
def test_is_true_within_the_distance_of_a_line_pixel(seed: int, height: int, width: int, distance: float) -> None:
    random = np.random.default_rng(seed)
    line_art = np.where(random.random((height, width)) < random.choice([0.005, 0.1]), 127, 128).astype(np.uint8)
    rows, columns = np.nonzero(line_art == 127)
    y, x = np.mgrid[:height, :width]
    squared = (y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2
    area = line_area(line_art, distance)
    assert area.dtype == np.bool_
    assert np.array_equal(area, (squared <= distance**2).any(axis=-1))


def test_distances_are_exact_whatever_the_threads_and_the_place_in_memory() -> None:
    random = np.random.default_rng(3)
    memory = np.zeros(200 * 301 + 64, np.bool_)
    mask = random.random((200, 301)) < 0.002
    expected = np.sqrt(np.rint(distance_transform_edt(~mask) ** 2)).astype(np.float32)
    threads = cv2.getNumThreads()
    try:
        for count in (1, 2):
            cv2.setNumThreads(count)
            for offset in (0, 1, 7, 32):
                moved = memory[offset : offset + mask.size].reshape(mask.shape)
                moved[:] = mask
                np.testing.assert_array_equal(distance_from(moved), expected)
    finally:
        cv2.setNumThreads(threads)


def test_a_long_way_is_measured_exactly_too() -> None:
    line_art = np.full((1, 2001), 255, np.uint8)
    line_art[0, 0] = 0
    assert np.flatnonzero(~line_area(line_art, 1500))[0] == 1501


def test_a_picture_without_lines_has_no_line_area() -> None:
    assert not line_area(np.full((3, 4), 255, np.uint8)).any()


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 0), (0, 255, 255), (200, 30, 30)])
def test_a_coloured_line_is_a_line(color: tuple[int, int, int]) -> None:
    line_art = np.full((5, 5, 3), 255, np.uint8)
    line_art[2] = color
    expected = np.zeros((5, 5), bool)
    expected[2] = True
    assert np.array_equal(line_pixels(line_art), expected)
    assert np.array_equal(line_area(line_art, 0.5), expected)


def test_the_threshold_is_the_first_value_that_is_no_line() -> None:
    assert line_pixels(np.array([[59, 60, 61]], np.uint8), threshold=60).tolist() == [[True, False, False]]


@pytest.mark.parametrize("shape", [(4,), (4, 4, 4), (0, 3)])
def test_what_is_no_picture_is_refused_in_words(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="line art must"):
        line_area(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="float64"):
        line_area(np.zeros((4, 4)))  # type: ignore[arg-type]
