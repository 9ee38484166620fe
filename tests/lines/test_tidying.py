"""What is taken out of pictures of lines, against the same said with OpenCV over whole pictures, and pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from animerun_gen.lines.kernels import tidying
from animerun_gen.lines.kernels.marks import (
    BEND,
    CREASE,
    FAINT,
    FAINT_BEFORE,
    FLUSH,
    HALFWAY,
    MATERIAL,
    NONE,
    OPEN_STEP,
    STEP,
    mark,
    where_any,
)

U8Array = npt.NDArray[np.uint8]

SEEDS = range(6)


def scattered(
    seed: int, kinds: tuple[int, ...] = (STEP, FLUSH, CREASE, BEND, FAINT, MATERIAL, OPEN_STEP), most: float = 0.4
) -> U8Array:
    """Marks of some kinds, so thick that some hang together and some do not, at the borders of the picture, too."""
    generator = np.random.default_rng(seed)
    share = generator.uniform(0.1 * most, most)
    marks = np.where(generator.random((37, 53)) < share, generator.choice(kinds, (37, 53)), NONE).astype(np.uint8)
    # a gap of rows without any
    marks[20:22] = NONE
    return marks


def components(which: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    _, labels = cv2.connectedComponents(which.astype(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32)


@pytest.mark.parametrize("seed", SEEDS)
def test_crumbs_are_short_bends_and_faint_steps_that_no_sure_ones_go_on_from(seed: int) -> None:
    marks = scattered(seed, (BEND, CREASE, FAINT, STEP, OPEN_STEP), 0.95)
    # some are there always
    marks[5, 3:12], marks[10:14, 20], marks[15, 30:36] = BEND, (BEND, CREASE, CREASE, BEND), (FAINT,) * 4 + (STEP,) * 2
    bends = components((marks == BEND) | (marks == CREASE))
    crumbs = (marks == BEND) & (np.bincount(bends.ravel())[bends] < 6)
    steps = components((marks == FAINT) | (marks == STEP) | (marks == OPEN_STEP))
    faint, sure = (
        np.bincount(steps[which], minlength=steps.max() + 1)
        for which in (marks == FAINT, (marks == STEP) | (marks == OPEN_STEP))
    )
    loose = (marks == FAINT) & (faint > sure)[steps]
    assert 0 < crumbs.sum() < (marks == BEND).sum()
    assert 0 < loose.sum() < (marks == FAINT).sum()
    expected = np.where(crumbs | loose, NONE, marks)
    tidying.take_out_crumbs(marks, 6)
    assert np.array_equal(marks, expected)


@pytest.mark.parametrize("shortest", [2, 5])
@pytest.mark.parametrize("seed", SEEDS)
def test_specks_are_short_within_an_object_and_hang_on_nothing(seed: int, shortest: int) -> None:
    marks = scattered(seed)
    marks[np.random.default_rng(seed).random(marks.shape) < 0.7] = NONE
    instance = np.zeros(marks.shape, np.int32)
    instance[:, 30:] = 1
    instance[30:, :10] = -1
    labels = components(marks != NONE)
    expected = marks.copy()
    for label in range(1, labels.max() + 1):
        rows, columns = np.nonzero(labels == label)
        is_bound = False
        for row, column in zip(rows, columns, strict=True):
            around = instance[max(row - 1, 0) : row + 2, column], instance[row, max(column - 1, 0) : column + 2]
            is_bound |= any((part != instance[row, column]).any() for part in around)
            is_bound |= marks[row, column] in (FLUSH, MATERIAL)
        if len(rows) < shortest and not is_bound:
            expected[rows, columns] = NONE
    tidying.take_out_specks(marks, instance, shortest)
    assert np.array_equal(marks, expected)
    assert (marks != NONE).any()


def test_what_parts_pixels_of_which_none_is_line_is_forgotten() -> None:
    generator = np.random.default_rng(3)
    marks = scattered(3)
    right, below = ((generator.random(marks.shape) < 0.5).astype(np.uint8) for _ in range(2))
    right[:, -1] = below[-1] = 0
    kept_right, kept_below = right.copy(), below.copy()
    is_line = marks != NONE
    kept_right[:, :-1][~(is_line[:, :-1] | is_line[:, 1:])] = NONE
    kept_below[:-1][~(is_line[:-1] | is_line[1:])] = NONE
    assert not np.array_equal(kept_right, right)
    tidying.forget_between(right, marks, 0, 1)
    tidying.forget_between(below, marks, 1, 0)
    assert np.array_equal(right, kept_right)
    assert np.array_equal(below, kept_below)


@pytest.mark.parametrize("seed", SEEDS)
def test_pixels_are_marked_one_after_the_other_and_faint_steps_at_last(seed: int) -> None:
    kinds = (STEP, FLUSH, CREASE, FAINT, FAINT_BEFORE, MATERIAL)
    right, below = scattered(seed, kinds), scattered(seed + 100, kinds)
    right[:, -1] = below[-1] = NONE
    marks = np.where(scattered(seed + 200) == STEP, STEP, NONE).astype(np.uint8)
    right_at, below_at = np.random.default_rng(seed + 300).random((2, *marks.shape), np.float32)
    expected = marks.copy()
    for is_faint in (False, True):
        for found, at, down, across in ((right, right_at, 0, 1), (below, below_at, 1, 0)):
            for row, column in np.argwhere(found != NONE).tolist():
                kind = found[row, column]
                there = row + down, column + across
                if kind == STEP or (kind in (FAINT, FAINT_BEFORE)) != is_faint:
                    continue
                if expected[row, column] == NONE and expected[there] == NONE:
                    is_here = kind == FAINT_BEFORE if is_faint else at[row, column] < HALFWAY
                    expected[(row, column) if is_here else there] = FAINT if is_faint else kind
    mark(right, below, right_at, below_at, marks)
    assert np.array_equal(marks, expected)


def test_places_that_are_not_zero_are_found_in_their_order() -> None:
    values = (np.random.default_rng(0).random(1000) < 0.1).astype(np.uint8) * 7
    assert np.array_equal(where_any(values), np.flatnonzero(values))
    assert len(where_any(np.zeros(5, np.uint8))) == 0
    assert np.array_equal(where_any(np.ones(3, np.uint8)), [0, 1, 2])
