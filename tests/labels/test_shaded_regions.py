"""Segments that end at the borders of the shade."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from animerun_gen.labels.shaded_regions import divide_by_tones

NO_LINES = np.zeros((24, 30), bool)


def two_segments() -> np.ndarray:
    segments = np.zeros((24, 30), np.int32)
    segments[:, 15:] = 1
    return segments


def test_segments_of_one_tone_stay_as_they_are() -> None:
    segments = two_segments()
    for tone in (0, 1, 2, 3):
        assert (divide_by_tones(segments, np.full(segments.shape, tone, np.uint8), NO_LINES, 10) == segments).all()


def test_each_region_of_the_shade_becomes_a_segment() -> None:
    segments = two_segments()
    tones = np.full(segments.shape, 2, np.uint8)
    tones[4:12, 3:9], tones[14:22, 3:9], tones[4:12, 10:20] = 1, 1, 3
    found = divide_by_tones(segments, tones, NO_LINES, 10)
    # two shadows, a highlight on either side, and what is left of both
    assert found.max() == 5
    for label in range(6):
        pixels = found == label
        assert len(np.unique(segments[pixels])) == len(np.unique(tones[pixels])) == 1
        assert ndimage.label(pixels)[1] == 1


def test_lines_go_to_the_nearest_region_of_their_segment() -> None:
    segments = np.zeros((24, 30), np.int32)
    tones = np.full(segments.shape, 2, np.uint8)
    tones[:, 15:] = 1
    lines = NO_LINES.copy()
    lines[:, 10:14] = True
    # what the surface under a line shows does not count
    tones[:, 10:14] = 3
    found = divide_by_tones(segments, tones, lines, 10)
    assert found.max() == 1
    assert (found[:, :15] == 0).all()
    assert (found[:, 15:] == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_regions_only_divide_and_small_ones_do_not_stay(seed: int) -> None:
    generator = np.random.default_rng(seed)
    segments = np.kron(generator.integers(0, 4, (4, 5)), np.ones((6, 6))).astype(np.int32)
    segments = np.unique(segments, return_inverse=True)[1].reshape(24, 30).astype(np.int32)
    tones = np.kron(generator.integers(0, 4, (8, 10)), np.ones((3, 3))).astype(np.uint8)
    lines = generator.random((24, 30)) < 0.1
    found = divide_by_tones(segments, tones, lines, 12)
    assert np.array_equal(np.unique(found), np.arange(found.max() + 1))
    firsts = np.unique(found, return_index=True)[1]
    assert (np.diff(firsts) > 0).all()
    for label in range(found.max() + 1):
        own = np.unique(segments[found == label])
        assert len(own) == 1
        size = (found == label).sum()
        assert size >= 12 or (found[segments == own[0]] == label).all()


def test_a_segment_of_lines_alone_is_one() -> None:
    segments = two_segments()
    tones = np.full(segments.shape, 2, np.uint8)
    tones[:12, 15:] = 1
    lines = segments == 1
    assert (divide_by_tones(segments, tones, lines, 5) == segments).all()
