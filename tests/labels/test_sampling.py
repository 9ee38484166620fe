from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.labels.sampling import flow_targets, sample_bilinear


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6), st.integers(0, 3))
def test_samples_are_the_weighted_mean_of_the_four_pixels_around(
    seed: int, height: int, width: int, channels: int
) -> None:
    random = np.random.default_rng(seed)
    picture = random.integers(0, 256, (height, width, channels) if channels else (height, width)).astype(np.uint8)
    x = random.uniform(-0.5, width - 0.5, 20)
    y = random.uniform(-0.5, height - 0.5, 20)
    sampled = sample_bilinear(picture, x, y)
    for index in range(20):
        column, row = min(max(x[index], 0), width - 1), min(max(y[index], 0), height - 1)
        expected = sum(
            picture[i, j].astype(float) * max(0, 1 - abs(row - i)) * max(0, 1 - abs(column - j))
            for i in range(height)
            for j in range(width)
        )
        np.testing.assert_allclose(sampled[index], expected, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.bool_, np.int32, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_any_picture_is_sampled_in_float64(dtype: Any, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(2)
    picture = (random.random(shape) * 200).astype(dtype)
    x, y = random.uniform(-0.5, 6.5, 50), random.uniform(-0.5, 4.5, 50)
    sampled = sample_bilinear(picture, x, y)
    assert sampled.dtype == np.float64
    assert sampled.shape == (50, *shape[2:])
    assert np.array_equal(sampled, sample_bilinear(picture.astype(np.float64), x, y))
    assert np.array_equal(sampled, sample_bilinear(np.asfortranarray(picture), x, y))
    assert np.array_equal(sampled[::2], sample_bilinear(picture, x[::2], y[::2]))


def test_a_coordinate_that_is_no_number_has_no_sample() -> None:
    sampled = sample_bilinear(np.ones((2, 2, 3)), np.array([np.nan, 1.0, 0.5]), np.array([0.0, np.nan, 0.5]))
    assert np.isnan(sampled[:2]).all()
    assert sampled[2].tolist() == [1, 1, 1]


def test_samples_at_pixel_centres_are_the_pixels_exactly() -> None:
    random = np.random.default_rng(1)
    picture = random.normal(size=(300, 200))
    y, x = np.mgrid[:300, :200].astype(np.float64)
    assert np.array_equal(sample_bilinear(picture, x.ravel(), y.ravel()), picture.ravel())


def test_targets_are_where_the_flow_leads_in_raster_order() -> None:
    flow = np.zeros((2, 3, 2), np.float32)
    flow[0, 1] = (1, 0.25)
    flow[1, 2] = (-2, -1.5)
    targets = flow_targets(flow)
    assert targets.pixel.tolist() == [0, 1, 2, 3, 4, 5]
    assert targets.x.tolist() == [0, 2, 2, 0, 1, 0]
    assert targets.y.tolist() == [0, 0.25, 0, 1, 1, -0.5]


@pytest.mark.parametrize(
    ("motion", "inside"),
    [
        ((-0.5, 0), True),
        ((np.nextafter(np.float32(-0.5), np.float32(-1)), 0), False),
        ((1.5, 0), False),
        ((np.nextafter(np.float32(1.5), np.float32(1)), 0), True),
        ((0, -0.5), True),
        ((0, np.nextafter(np.float32(-0.5), np.float32(-1))), False),
        ((0, 2.5), False),
        ((0, np.nextafter(np.float32(2.5), np.float32(1))), True),
        ((UNKNOWN_FLOW, UNKNOWN_FLOW), False),
        ((0, -UNKNOWN_FLOW), False),
        ((np.nan, 0), False),
        ((0, np.inf), False),
    ],
)
def test_the_frame_ends_half_a_pixel_outside_the_outermost_pixel_centres(
    motion: tuple[float, float], inside: bool
) -> None:
    flow = np.full((3, 2, 2), np.nan, np.float32)
    flow[0, 0] = motion
    assert (len(flow_targets(flow).pixel) == 1) == inside


def test_only_the_pixels_asked_for_have_targets() -> None:
    among = np.array([[True, False], [False, True]])
    assert flow_targets(np.zeros((2, 2, 2), np.float32), among).pixel.tolist() == [0, 3]


def test_wrong_arrays_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"flow field must be \(H, W, 2\), not \(2, 2\)"):
        flow_targets(np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="mask must be bool, not uint8"):
        flow_targets(np.zeros((2, 2, 2), np.float32), np.ones((2, 2), np.uint8))
    with pytest.raises(ValueError, match=r"row coordinates must have the shape \(2,\), not \(3,\)"):
        sample_bilinear(np.zeros((2, 2)), np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match=r"must be \(N,\), not \(2, 2\)"):
        sample_bilinear(np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="without pixels"):
        sample_bilinear(np.zeros((0, 2, 3)), np.zeros(1), np.zeros(1))
