from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import metrics

from animerun_gen.benchmark.interpolation.metrics import (
    MOST_PSNR,
    PUBLISHED,
    STANDARD,
    Similarity,
    interpolation_error,
    mean_squared_error,
    psnr,
    ssim,
)

THEIRS: Any = metrics


def frames(seed: int, height: int = 13, width: int = 17, noise: int = 40) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    return np.clip(truth + rng.integers(-noise, noise + 1, truth.shape), 0, 255).astype(np.uint8), truth


def slow_ssim(prediction: Any, truth: Any, kind: Similarity) -> float:
    """Window by window, by the formula of the paper."""
    size, weight, data_range, below = slow_kind(kind)
    found = []
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    height, width, _ = truth.shape
    for channel, top, left in product(range(3), range(height - size + 1), range(width - size + 1)):
        window = (slice(top, top + size), slice(left, left + size), channel)
        x, y = prediction[window] / 255, truth[window] / 255
        mean_x, mean_y = (weight * x).sum(), (weight * y).sum()
        var_x, var_y = (weight * (x - mean_x) ** 2).sum() / below, (weight * (y - mean_y) ** 2).sum() / below
        both = (weight * (x - mean_x) * (y - mean_y)).sum() / below
        found.append(
            (2 * mean_x * mean_y + c1) * (2 * both + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
        )
    return float(np.mean(found))


def slow_kind(kind: Similarity) -> tuple[int, Any, float, float]:
    if kind is PUBLISHED:
        return 7, np.full((7, 7), 1 / 49), 2.0, 48 / 49
    distance = np.hypot(*np.mgrid[-5:6, -5:6])
    weight = np.exp(-(distance**2) / (2 * 1.5**2))
    return 11, weight / weight.sum(), 1.0, 1.0


@pytest.mark.parametrize("kind", [PUBLISHED, STANDARD], ids=["published", "standard"])
@settings(max_examples=10)
@given(seed=st.integers(0, 1000), noise=st.integers(1, 255))
def test_ssim_is_that_of_a_slow_reference(kind: Similarity, seed: int, noise: int) -> None:
    pair = frames(seed, noise=noise)
    assert ssim(*pair, kind) == pytest.approx(slow_ssim(*pair, kind), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_ssim_is_that_of_scikit_image(seed: int) -> None:
    prediction, truth = frames(seed, 40, 55)
    x, y = prediction / 255, truth / 255
    # what compare_ssim(x, y, multichannel=True, gaussian=True) did
    published = THEIRS.structural_similarity(x, y, channel_axis=2, win_size=7, data_range=2.0)
    standard = THEIRS.structural_similarity(
        x, y, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
    )
    assert ssim(prediction, truth, PUBLISHED) == pytest.approx(published, abs=1e-12)
    assert ssim(prediction, truth, STANDARD) == pytest.approx(standard, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_psnr_is_that_of_scikit_image(seed: int) -> None:
    prediction, truth = frames(seed)
    expected = THEIRS.peak_signal_noise_ratio(truth / 255, prediction / 255, data_range=1)
    assert psnr(mean_squared_error(prediction, truth)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_interpolation_error_is_a_mean_of_distances(seed: int) -> None:
    prediction, truth = frames(seed)
    distances = [
        math.dist(map(int, prediction[row, column]), map(int, truth[row, column]))
        for row, column in product(range(truth.shape[0]), range(truth.shape[1]))
    ]
    assert interpolation_error(prediction, truth) == pytest.approx(np.mean(distances))


def test_truth_as_prediction_is_perfect() -> None:
    _, truth = frames(0)
    assert psnr(mean_squared_error(truth, truth.copy())) == MOST_PSNR
    assert ssim(truth, truth.copy()) == ssim(truth, truth.copy(), PUBLISHED) == 1.0
    assert interpolation_error(truth, truth.copy()) == 0.0


def test_one_wrong_level_is_below_the_ceiling_of_small_pictures() -> None:
    _, truth = frames(0)
    nearly = truth.copy()
    nearly[3, 4, 1] ^= 1
    assert psnr(mean_squared_error(nearly, truth)) < MOST_PSNR
    assert ssim(nearly, truth) < 1.0


def test_psnr_never_exceeds_its_ceiling() -> None:
    # one level in one channel of a frame of 960x540 is 110 dB
    assert psnr(1 / (960 * 540 * 3)) == MOST_PSNR
    assert psnr(255.0**2) == 0.0


def test_what_cannot_be_compared_is_refused() -> None:
    prediction, truth = frames(0)
    for wrong in (prediction[:-1], prediction[..., :2], prediction.astype(np.float32)):
        for measure in (mean_squared_error, interpolation_error, ssim):
            with pytest.raises(ValueError, match="the prediction must be"):
                measure(wrong, truth)
    with pytest.raises(ValueError, match="a frame must be"):
        mean_squared_error(truth / 255, truth / 255)
    with pytest.raises(ValueError, match="11 pixels or more"):
        ssim(truth[:10], truth[:10])
