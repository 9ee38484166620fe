"""The figures of flow against a reference that goes from pixel to pixel, and against what must be true of any."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.benchmark.flow.metrics import COLUMNS, measure_flow, weighted_inliers
from animerun_gen.benchmark.results import Figure


def slow(
    predicted: np.ndarray, truth: np.ndarray, valid: np.ndarray, occluded: np.ndarray, near_line: np.ndarray
) -> dict[str, list[float]]:
    """Of each column the values of all pixels that it is about."""
    found: dict[str, list[float]] = {column.key: [] for column in COLUMNS}
    for row in range(valid.shape[0]):
        for column in range(valid.shape[1]):
            if not valid[row, column]:
                continue
            u, v = (float(x) for x in truth[row, column])
            error = math.dist((u, v), [float(x) for x in predicted[row, column]])
            speed = math.hypot(u, v)
            found["epe"].append(error)
            found["epe_occluded" if occluded[row, column] else "epe_visible"].append(error)
            found["epe_line" if near_line[row, column] else "epe_flat"].append(error)
            found["epe_slow" if speed <= 10 else "epe_medium" if speed <= 50 else "epe_fast"].append(error)
            for limit in (1, 3, 5):
                found[f"beyond_{limit}"].append(100.0 * (error > limit))
            found["outliers"].append(100.0 * (error > 3 and error / speed > 0.05 if speed else error > 3))
            gained = sum((1 - (i - 1) / 100) * (error <= i / 20) for i in range(1, 101))
            found["wauc"].append(100 * gained / sum(1 - (i - 1) / 100 for i in range(1, 101)))
    return found


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.02, 0.5, 3.0, 40.0]), st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=60, deadline=None)
def test_figures_are_those_of_a_slow_reference(seed: int, noise: float, known: float) -> None:
    random = np.random.default_rng(seed)
    shape = (5, 7)
    truth = (random.normal(size=(*shape, 2)) * random.choice([0, 1, 20, 90], (*shape, 1))).astype(np.float32)
    predicted = (truth + random.normal(size=truth.shape) * noise).astype(np.float32)
    valid, occluded, near_line = (random.random(shape) < share for share in (known, 0.3, 0.5))
    # whatever stands where nothing is measured
    predicted[~valid] = np.nan

    figures = measure_flow(predicted, truth, valid, occluded, near_line)

    for key, values in slow(predicted, truth, valid, occluded, near_line).items():
        assert figures[key].weight == len(values), key
        if values:
            assert figures[key].value == pytest.approx(math.fsum(values) / len(values), rel=1e-9, abs=1e-12), key
        else:
            assert figures[key].value is None, key


def test_the_truth_as_prediction_is_without_any_error() -> None:
    random = np.random.default_rng(5)
    truth = random.normal(scale=30, size=(50, 60, 2)).astype(np.float32)
    masks = [random.random((50, 60)) < 0.5 for _ in range(3)]
    figures = measure_flow(truth, truth, *masks)
    assert {key: figure.value for key, figure in figures.items()} == {
        column.key: 100.0 if column.key == "wauc" else 0.0 for column in COLUMNS
    }


@pytest.mark.parametrize(("speed", "key"), [(10.0, "epe_slow"), (50.0, "epe_medium"), (50.1, "epe_fast")])
def test_limits_of_speed_belong_to_the_slower_class(speed: float, key: str) -> None:
    truth = np.zeros((1, 1, 2), np.float32)
    truth[..., 1] = speed
    figures = measure_flow(truth + 1, truth, np.ones((1, 1), bool))
    assert [one for one in ("epe_slow", "epe_medium", "epe_fast") if figures[one].weight] == [key]


def test_without_masks_their_columns_have_no_figure() -> None:
    figures = measure_flow(np.zeros((2, 2, 2), np.float32), np.zeros((2, 2, 2), np.float32), np.ones((2, 2), bool))
    for key in ("epe_occluded", "epe_visible", "epe_line", "epe_flat"):
        assert figures[key] == Figure(value=None, weight=0)


@pytest.mark.parametrize("step", range(1, 101))
def test_an_error_at_a_threshold_is_an_inlier_there(step: int) -> None:
    at = step / 20
    before, after = weighted_inliers(np.array([at, np.nextafter(at, 9)]))
    # the weight of the threshold itself, of 5050 hundredths
    assert before - after == pytest.approx(100 * (101 - step) / 5050)


def test_more_error_never_gains() -> None:
    gained = weighted_inliers(np.linspace(0, 6, 5000))
    assert (np.diff(gained) <= 0).all()
    assert gained[0] == 100
    assert gained[-1] == 0
