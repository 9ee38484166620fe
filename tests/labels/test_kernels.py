from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.labels.kernels import balls
from animerun_gen.labels.kernels.borders import borders

Regions = npt.NDArray[np.int32]


@st.composite
def regions(draw: st.DrawFn, with_empty: bool) -> Regions:
    """A few regions in blocks, within a frame of zeros if there are to be zeros."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width, size = draw(st.integers(1, 12)), draw(st.integers(1, 12)), draw(st.integers(1, 4))
    coarse = random.integers(0 if with_empty else 1, draw(st.sampled_from([2, 3, 9])), (height, width))
    fine = np.kron(coarse, np.ones((size, size), int))[:height, :width].astype(np.int32)
    return np.pad(fine, 1) if with_empty else fine


@given(regions(with_empty=True), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1]))
def test_regions_spread_one_pixel_a_step_and_the_smaller_wins(before: Regions, seed: int, share: float) -> None:
    inside = np.zeros(before.shape, bool)
    inside[1:-1, 1:-1] = True
    empty = np.flatnonzero((before == 0) & inside & (np.random.default_rng(seed).random(before.shape) < share))

    expected = before.copy()
    while True:
        grown = expected.copy()
        for row, column in (divmod(int(pixel), before.shape[1]) for pixel in empty):
            around = [expected[row - 1, column], expected[row + 1, column]]
            around += [expected[row, column - 1], expected[row, column + 1]]
            if expected[row, column] == 0 and max(around) > 0:
                grown[row, column] = min(label for label in around if label > 0)
        if np.array_equal(grown, expected):
            break
        expected = grown

    spread = before.copy()
    balls.spread(spread.ravel(), empty, before.shape[1])
    assert np.array_equal(spread, expected)


def slow_borders(labels: Regions, room: npt.NDArray[np.float32]) -> list[Any]:
    """Drawn on a grid twice as fine, on which a border is a connected line, the corners of the pixels included."""
    height, width = labels.shape
    pairs: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for row in range(height):
        for column in range(width):
            for other_row, other_column in ((row, column + 1), (row + 1, column)):
                if other_row < height and other_column < width:
                    one, other = sorted((int(labels[row, column]), int(labels[other_row, other_column])))
                    if one != other:
                        pairs.setdefault((one, other), []).append((row, column, other_row, other_column))
    borders = []
    for (one, other), cracks in pairs.items():
        fine = np.zeros((2 * height + 1, 2 * width + 1), np.uint8)
        for row, column, other_row, other_column in cracks:
            y, x = row + other_row + 1, column + other_column + 1
            down = row == other_row
            fine[y - down : y + down + 1, x - (not down) : x + (not down) + 1] = 1
        count, piece = cv2.connectedComponents(fine, connectivity=4)
        for number in range(1, count):
            rooms = [
                min(room[row, column], room[other_row, other_column])
                for row, column, other_row, other_column in cracks
                if piece[row + other_row + 1, column + other_column + 1] == number
            ]
            borders.append((one, other, rooms.count(0), max(rooms) > 0))
    return sorted(borders)


@given(regions(with_empty=False), st.integers(0, 2**32 - 1))
def test_borders_are_unbroken_lines_between_two_regions(labels: Regions, seed: int) -> None:
    room = np.random.default_rng(seed).integers(0, 4, labels.shape).astype(np.float32)
    first, second, wall, widest = borders(labels, room)
    found = zip(first.tolist(), second.tolist(), wall.tolist(), (widest >= 0).tolist(), strict=True)
    assert sorted(found) == slow_borders(labels, room)
    for one, other, pixel in zip(first, second, widest, strict=True):
        if pixel >= 0:
            row, column = divmod(int(pixel), labels.shape[1])
            near = [
                min(room[row, column], room[place])
                for place in ((row, column + 1), (row + 1, column))
                if place[0] < labels.shape[0]
                and place[1] < labels.shape[1]
                and {int(labels[row, column]), int(labels[place])} == {int(one), int(other)}
            ]
            assert max(near) > 0


def test_the_widest_place_of_a_border_is_the_first_with_most_room() -> None:
    labels = np.repeat([[1, 1, 2, 2]], 5, axis=0).astype(np.int32)
    room = np.array([0, 1, 3, 3, 2], np.float32)[:, None].repeat(4, axis=1)
    first, second, wall, widest = borders(labels, room)
    assert (first.tolist(), second.tolist(), wall.tolist(), widest.tolist()) == ([1], [2], [1], [2 * 4 + 1])


@given(regions(with_empty=True), st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_the_most_room_is_looked_for_within_a_disc(labels: Regions, seed: int, reach: int) -> None:
    random = np.random.default_rng(seed)
    room = random.random(labels.shape).astype(np.float32)
    row, column = (int(random.integers(size)) for size in labels.shape)
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    near = (y - row) ** 2 + (x - column) ** 2 <= reach**2
    expected = tuple(float(room[near & (labels == region)].max(initial=0)) for region in (1, 2))
    assert balls.most_room_near(labels, room, row, column, reach, 1, 2) == expected
