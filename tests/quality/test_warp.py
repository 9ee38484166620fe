from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.quality import warp_difference, warp_error
from animerun_gen.quality.packed import pack
from animerun_gen.quality.warp import GROUPS, ON_THE_PIXEL, Sampling, warp_sums


def still(height: int, width: int) -> npt.NDArray[np.float32]:
    return np.zeros((height, width, 2), np.float32)


@settings(deadline=None)  # a loaded machine is no defect
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from([None, 1, 3]),
    st.booleans(),
    st.sampled_from(["point", "bilinear"]),
)
def test_equals_the_slow_reference(
    seed: int, height: int, width: int, channels: int | None, as_float: bool, sampling: Sampling
) -> None:
    random = np.random.default_rng(seed)
    shape = (height, width, channels) if channels else (height, width)
    source, target = (random.integers(0, 256, shape).astype(np.uint8) for _ in range(2))
    flow = random.normal(0, 2, (height, width, 2)).astype(np.float32)
    flow[random.random((height, width)) < 0.2] = UNKNOWN_FLOW
    occlusion = random.random((height, width)) < 0.2

    expected = np.full((height, width), np.nan)
    for row in range(height):
        for column in range(width):
            x, y = column + float(flow[row, column, 0]), row + float(flow[row, column, 1])
            if occlusion[row, column] or not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
                continue
            x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
            weights = {
                (i, j): max(0, 1 - abs(y - i)) * max(0, 1 - abs(x - j)) for i in range(height) for j in range(width)
            }
            here = source[row, column].astype(float)
            if sampling == "bilinear":
                warped = sum(target[place].astype(float) * weight for place, weight in weights.items())
                difference = np.mean(np.abs(warped - here))
            else:
                around = [(i, j) for i, j in weights if max(abs(y - i), abs(x - j)) < 1 - ON_THE_PIXEL]
                difference = min(np.mean(np.abs(target[place].astype(float) - here)) for place in around)
            expected[row, column] = difference / 255

    if as_float:
        source, target = (source / np.float32(255)), (target / np.float32(255))  # type: ignore[assignment]
    np.testing.assert_allclose(warp_difference(source, target, flow, occlusion, sampling), expected, atol=1e-6)
    mean = math.nan if np.isnan(expected).all() else float(np.nanmean(expected))
    assert warp_error(source, target, flow, occlusion, sampling) == pytest.approx(mean, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("colors", [256, 2])
def test_sums_by_group_are_the_errors_of_each_group(colors: int) -> None:
    random = np.random.default_rng(7)
    # every second column: arrays need not be contiguous
    pictures = (random.integers(0, colors, (4, 9, 22, 3)) * (255 // (colors - 1))).astype(np.uint8)[:, :, ::2]
    pictures[:, :4] = pictures[0, 0, 0]
    packed = pack(*pictures)
    flow = random.normal(0, 2, (9, 11, 2)).astype(np.float32)
    groups = random.integers(0, GROUPS - 1, (9, 11)).astype(np.uint8)
    both = warp_sums(packed[::2], packed[1::2], flow, groups)
    for sums, source, target in zip(both, pictures[::2], pictures[1::2], strict=True):
        for sampling in ("point", "bilinear"):
            for group in range(GROUPS - 1):
                error = warp_error(source, target, flow, groups != group, sampling)
                assert sums.mean(group, sampling) == pytest.approx(error, abs=1e-12)
            error = warp_error(source, target, flow, np.isin(groups, (1, 3)), sampling)
            assert sums.mean([0, 2], sampling) == pytest.approx(error, abs=1e-12)
        assert math.isnan(sums.mean(GROUPS - 1))
        assert sums.count.sum() == np.isfinite(warp_difference(source, target, flow)).sum()


def test_a_group_that_there_is_not_is_refused() -> None:
    picture = pack(np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(ValueError, match="there are groups 0 to 4, but the map has 5"):
        warp_sums(picture, picture, still(3, 3), np.full((3, 3), 5, np.uint8))


def test_a_shifted_picture_is_explained_by_its_shift_and_by_no_other() -> None:
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    flow = still(20, 24)
    flow[...] = (2, 1)
    source, target = picture[:, 6:], np.roll(picture[:, 4:-2], 1, axis=0)
    assert warp_error(source, target, flow) == 0
    assert warp_error(source, target, -flow) > 0.1


def test_occluded_pixels_do_not_count() -> None:
    source, target = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    target[1, 2] = 255
    occlusion = np.zeros((4, 4), bool)
    assert warp_error(source, target, still(4, 4), occlusion) == 1 / 16
    occlusion[1, 2] = True
    assert warp_error(source, target, still(4, 4), occlusion) == 0
    assert np.isnan(warp_difference(source, target, still(4, 4), occlusion)).sum() == 1


@pytest.mark.parametrize("motion", [UNKNOWN_FLOW, 100])
def test_without_a_pixel_to_compare_there_is_no_error(motion: float) -> None:
    picture = np.zeros((3, 3, 3), np.uint8)
    assert math.isnan(warp_error(picture, picture, still(3, 3) + np.float32(motion)))
    assert math.isnan(warp_error(picture, picture, still(3, 3), np.ones((3, 3), bool)))


def test_wrong_arrays_are_refused_in_words() -> None:
    picture = np.zeros((3, 3), np.uint8)
    with pytest.raises(ValueError, match="target frame must have the shape"):
        warp_error(picture, picture[:2], still(3, 3))
    with pytest.raises(ValueError, match="flow must have the shape"):
        warp_error(picture, picture, still(3, 4))
    with pytest.raises(ValueError, match="both pictures must be uint8 or both float, not uint8 and float64"):
        warp_error(picture, picture.astype(float), still(3, 3))
    with pytest.raises(ValueError, match="both float, not int64"):
        warp_error(picture.astype(np.int64), picture.astype(np.int64), still(3, 3))
    with pytest.raises(ValueError, match="occlusion mask must be bool, not uint8"):
        warp_error(picture, picture, still(3, 3), picture)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a picture must be"):
        warp_error(picture[0], picture[0], still(3, 3))
