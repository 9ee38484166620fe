"""The figures: of a set whose figures are known by hand, and against plain loops."""

from __future__ import annotations

import doctest
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.dataset import ClipFiles, ClipWriter
from animerun_gen.statistics import counts, divergence, run, sequences
from animerun_gen.statistics.counts import AREA_BINS, Counts, area_bin, area_edge, hold_lengths
from animerun_gen.statistics.figures import DatasetStatistics, Figures
from tests.report.clips import write_clip
from tests.statistics import slow, small


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> DatasetStatistics:
    """The statistics of the set that is known by hand."""
    root = small.write(tmp_path_factory.mktemp("small"))
    [found] = run.count([root], root / "statistics").statistics.datasets
    return found


def of_clip(found: DatasetStatistics, name: str) -> Figures:
    [clip] = [clip for clip in found.clips if clip.name == name]
    return clip.figures


PIXELS = small.WIDTH * small.HEIGHT
SQUARE = 100


def test_a_square_that_moves(known: DatasetStatistics) -> None:
    of = of_clip(known, "one")
    assert (of.clips, of.frames, of.pairs, of.size) == (1, 3, 2, (96, 54))
    # of 5184 pixels 100 move, by 3 and then by 4
    assert of.pixel_shift == pytest.approx(SQUARE * 3.5 / PIXELS, abs=1e-9)
    assert of.pixel_shift_moving == 3.5
    assert of.accumulated_shift == pytest.approx(SQUARE * 7 / PIXELS, abs=1e-9)
    assert of.accumulated_shift_moving == 7
    assert of.pixel_shift_960 == pytest.approx(SQUARE * 35 / PIXELS, abs=1e-9)
    assert of.longest_motion == 4
    # 30 and 40 px at 960x540
    assert of.motion_shares == pytest.approx((1 - SQUARE / PIXELS, SQUARE / PIXELS, 0), abs=1e-9)
    assert of.still_share == pytest.approx(1 - SQUARE / PIXELS, abs=1e-9)
    assert of.still_pairs == of.unknown_share == 0
    assert of.occluded_share == pytest.approx(54 / PIXELS / 2, abs=1e-9)
    assert of.exact_occluded_share is None
    assert (of.segments, of.occluded_segments) == (2, 0.5)
    # the centre of the background moves against the square, by 3 px times the square's share of what is left
    background = 3 * SQUARE / (PIXELS - SQUARE)
    assert of.segment_shift == pytest.approx(((3 + background) / 2 + 4) / 2, abs=1e-9)
    assert of.held_pairs == of.identical_pairs == 0
    assert of.hold_shares == {"1": 1, "2": 0, "3": 0, "4 or more": 0}


def test_levels_of_a_white_square_on_black(known: DatasetStatistics) -> None:
    of = of_clip(known, "one")
    white = SQUARE / PIXELS
    assert of.luminance_mean == pytest.approx(255 * white, abs=1e-9)
    assert of.luminance_deviation == pytest.approx(255 * math.sqrt(white * (1 - white)), abs=1e-9)
    assert of.dark_share == pytest.approx(1 - white, abs=1e-9)
    assert of.bright_share == pytest.approx(white, abs=1e-9)
    # each of its ten rows has a step up and one down
    steps = 20 / (95 * 54)
    assert of.strong_share == pytest.approx(steps, abs=1e-9)
    assert of.flat_share == pytest.approx(1 - steps, abs=1e-9)
    assert of.soft_share == 0


def test_a_picture_that_is_held(known: DatasetStatistics) -> None:
    of = of_clip(known, "two")
    assert of.held_pairs == of.identical_pairs == of.still_pairs == of.still_share == 1
    assert of.hold_shares == {"1": 0, "2": 0, "3": 0, "4 or more": 1}
    assert (of.pixel_shift, of.pixel_shift_moving) == (0, None)
    assert (of.accumulated_shift, of.accumulated_shift_moving) == (0, None)
    assert (of.segments, of.occluded_segments, of.segment_shift) == (1, 0, 0)
    assert (of.luminance_mean, of.luminance_deviation, of.flat_share) == (100, 0, 1)


def test_motion_that_is_known_in_part(known: DatasetStatistics) -> None:
    of = of_clip(known, "three")
    assert (of.pixel_shift, of.pixel_shift_moving, of.pixel_shift_960) == (10, 10, 100)
    assert (of.unknown_share, of.occluded_share) == (0.5, 1)
    assert of.motion_shares == (0, 0, 1)
    assert (of.occluded_segments, of.segment_shift) == (1, None)


def test_films_splits_and_the_whole(known: DatasetStatistics) -> None:
    assert {name: (of.clips, of.frames) for name, of in known.films.items()} == {"A": (2, 7), "B": (1, 2)}
    assert {name: (of.clips, of.frames) for name, of in known.splits.items()} == {"train": (2, 7), "test": (1, 2)}
    whole, one = known.figures, SQUARE * 3.5 / PIXELS
    assert (whole.clips, whole.frames, whole.pairs) == (3, 9, 6)
    # each pair counts as much as any other
    assert whole.pixel_shift == pytest.approx((2 * one + 3 * 0 + 10) / 6, abs=1e-9)
    assert whole.pixel_shift_moving == pytest.approx((3 + 4 + 10) / 3, abs=1e-9)
    # and each clip as much as any other, of those in which anything moves
    assert whole.accumulated_shift == pytest.approx((2 * one + 0 + 10) / 3, abs=1e-9)
    assert whole.accumulated_shift_moving == pytest.approx((7 + 10) / 2, abs=1e-9)
    assert whole.segments == pytest.approx((3 * 2 + 4 + 2) / 9, abs=1e-9)
    assert whole.occluded_segments == pytest.approx((1 + 0 + 1) / 6, abs=1e-9)
    assert whole.held_pairs == 0.5
    assert whole.hold_shares == {"1": pytest.approx(5 / 9), "2": 0, "3": 0, "4 or more": pytest.approx(4 / 9)}
    assert sum(known.histograms.luminance) == 9 * PIXELS
    assert sum(known.histograms.motion) == pytest.approx(100 * (5 * PIXELS + PIXELS / 2))


@pytest.mark.parametrize("cut", ["fight", "walk", "run"])
def test_plain_loops_find_the_same(tmp_path: Path, cut: str) -> None:
    frames = {"fight": (8, 10, 12), "walk": (3, 4), "run": (20, 21, 22, 23)}[cut]
    write_clip(tmp_path, cut, frames)
    [found] = run.count([tmp_path], tmp_path / "statistics").statistics.datasets
    expected = slow.figures_of(ClipFiles(tmp_path, "train", cut))
    assert found.histograms.luminance == expected.pop("luminance")
    assert found.histograms.differences == expected.pop("differences")
    got = found.figures.model_dump()
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-7, abs=1e-8), name


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([True, False, None]), max_size=30))
def test_every_frame_is_held_once(held: list[bool | None]) -> None:
    lengths = hold_lengths(held)
    assert sum(length * number for length, number in lengths.items()) == len(held) + 1
    assert sum((length - 1) * number for length, number in lengths.items()) == held.count(True)


@settings(deadline=None, max_examples=100)
@given(st.floats(1e-3, 5e5))
def test_an_area_lies_in_its_bin(area: float) -> None:
    place = area_bin(area)
    assert 0 <= place < AREA_BINS
    assert area < area_edge(place + 1) * (1 + 1e-12)
    assert place == 0 or area >= area_edge(place) * (1 - 1e-12)


def test_counts_of_parts_add_up() -> None:
    one = Counts(frames=2, sizes={"8x6": 2}, longest=3.0, shift=1.5)
    other = Counts(frames=1, sizes={"8x6": 1, "4x4": 1}, longest=2.0, shift=0.25)
    other.luminance[7] = 5
    added = one.model_copy(deep=True).add(other)
    assert (added.frames, added.sizes, added.longest, added.shift) == (3, {"8x6": 3, "4x4": 1}, 3.0, 1.75)
    assert added.luminance[7] == 5
    assert added == other.model_copy(deep=True).add(one)


histograms = st.lists(st.integers(0, 10**9), min_size=4, max_size=4).filter(any)


@settings(deadline=None, max_examples=100)
@given(histograms, histograms, st.integers(1, 50))
def test_distances_of_histograms(one: list[int], other: list[int], times: int) -> None:
    for distance in (divergence.kl_divergence, divergence.log_difference):
        assert distance(one, one) == pytest.approx(0, abs=1e-9)
        assert distance(one, other) >= -1e-12
        # how much was counted does not matter
        assert distance([times * count for count in one], other) == pytest.approx(distance(one, other), abs=1e-6)
    assert divergence.log_difference(one, other) == pytest.approx(divergence.log_difference(other, one))


@settings(deadline=None, max_examples=50)
@given(*2 * [st.lists(st.integers(1, 1000), min_size=3, max_size=3)])
def test_distances_by_their_definitions(one: list[int], other: list[int]) -> None:
    p, q = ([count / sum(counts) for count in counts] for counts in (one, other))
    kl = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert divergence.kl_divergence(one, other) == pytest.approx(kl, abs=1e-9)
    sad = sum(abs(math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True))
    assert divergence.log_difference(one, other) == pytest.approx(sad, abs=1e-9)


def test_nothing_has_no_shares() -> None:
    with pytest.raises(ValueError, match="has no shares"):
        divergence.shares([0, 0])


def test_noise_of_a_codec_is_no_new_drawing(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    clip = ClipWriter(tmp_path, "train", "video")
    drawing = rng.integers(40, 200, (200, 200, 3), np.uint8)
    noisy = drawing + rng.integers(0, 9, drawing.shape, np.uint8)
    blinking = noisy.copy()
    blinking[50:55, 60:70] = 0
    for frame, picture in enumerate((drawing, noisy, noisy, blinking), 1):
        clip.write("frame", frame, picture)
    [found] = run.count([tmp_path], tmp_path / "statistics").statistics.datasets
    assert found.figures.held_pairs == pytest.approx(2 / 3)
    assert found.figures.identical_pairs == pytest.approx(1 / 3)
    assert found.figures.hold_shares == {"1": 0.25, "2": 0, "3": 0.75, "4 or more": 0}


@pytest.mark.parametrize("module", [counts, divergence, run, sequences])
def test_examples_are_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
