from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.benchmark.interpolation.splatting import Layer, splat
from animerun_gen.conventions import UNKNOWN_FLOW


def slow_splat(layers: list[Layer]) -> tuple[Any, Any]:
    """Target by target: the weighted mean of all that comes near, by the definition."""
    height, width, channels = layers[0].picture.shape
    picture, coverage = np.zeros((height, width, channels)), np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            arrived = []
            for layer in layers:
                for from_row in range(height):
                    for from_column in range(width):
                        u, v = map(float, layer.flow[from_row, from_column])
                        if not (math.isfinite(u) and math.isfinite(v)):
                            continue
                        away = abs(from_column + u - column), abs(from_row + v - row)
                        share = max(0.0, 1 - away[0]) * max(0.0, 1 - away[1])
                        if share > 1e-6:
                            importance = 0.0 if layer.importance is None else layer.importance[from_row, from_column]
                            arrived.append((share, float(importance), layer.picture[from_row, from_column]))
            if not arrived:
                continue
            most = max(importance for _, importance, _ in arrived)
            weights = [share * math.exp(importance - most) for share, importance, _ in arrived]
            total = sum(weight * np.float64(color) for weight, (_, _, color) in zip(weights, arrived, strict=True))
            picture[row, column] = total / sum(weights)
            coverage[row, column] = sum(share for share, _, _ in arrived)
    return picture, coverage


def random_layer(rng: np.random.Generator, importance: bool, size: tuple[int, int] = (6, 7)) -> Layer:
    flow = rng.normal(0, 2, (*size, 2)).astype(np.float32)
    # whole pixels, places on the border, and what carries nothing
    flow[0] = np.round(flow[0])
    flow[1, 0], flow[1, 1], flow[1, 2] = UNKNOWN_FLOW, np.nan, np.inf
    flow[2, 0] = (-0.5, -2.5)
    return Layer(
        rng.integers(0, 256, (*size, 3)).astype(np.uint8), flow, rng.normal(0, 30, size) if importance else None
    )


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 3), importance=st.booleans())
def test_splatting_is_that_of_a_slow_reference(seed: int, count: int, importance: bool) -> None:
    rng = np.random.default_rng(seed)
    layers = [random_layer(rng, importance) for _ in range(count)]
    found = splat(layers)
    picture, coverage = slow_splat(layers)
    np.testing.assert_allclose(found.picture, picture, atol=1e-9)
    np.testing.assert_allclose(found.coverage, coverage, atol=1e-12)
    np.testing.assert_array_equal(found.holes, coverage == 0)


@given(seed=st.integers(0, 1000), u=st.integers(-3, 3), v=st.integers(-3, 3))
def test_a_shift_by_whole_pixels_is_exact(seed: int, u: int, v: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    found = splat([Layer(picture, np.broadcast_to(np.array([u, v], np.float32), (5, 6, 2)))])
    rolled = np.roll(picture, (v, u), (0, 1))
    stays = np.roll(np.ones((5, 6), bool), (v, u), (0, 1))
    stays[: max(v, 0)], stays[5 + min(v, 0) :], stays[:, : max(u, 0)], stays[:, 6 + min(u, 0) :] = (False,) * 4
    np.testing.assert_array_equal(found.picture, np.where(stays[..., None], rolled, 0))
    np.testing.assert_array_equal(found.coverage, stays)


def test_nothing_is_made_of_nothing_or_lost() -> None:
    rng = np.random.default_rng(1)
    # everything stays inside
    row, column = np.mgrid[:20, :30]
    to = np.stack([rng.uniform(1, 28, (20, 30)), rng.uniform(1, 18, (20, 30))], axis=2)
    flow = to - np.stack([column, row], axis=2)
    found = splat([Layer(rng.random((20, 30, 1)), flow)])
    assert found.coverage.sum() == pytest.approx(600)
    assert 0 <= found.picture.min() <= found.picture.max() <= 1


def test_the_more_important_pixel_hides_the_other_however_far_they_are_apart() -> None:
    flow = np.zeros((1, 2, 2))
    flow[0, 0, 0] = 1.0
    for near in (1.0, 1000.0, 1e6):
        importance = np.array([[near, -near]])
        found = splat([Layer(np.array([[[10.0], [20.0]]]), flow, importance)])
        # the two arrive at the same pixel, with weights 1 : exp(-2 near)
        assert found.picture[0, 1, 0] == pytest.approx(10 + 10 / (1 + math.exp(min(2 * near, 700))))
        assert found.holes.tolist() == [[True, False]]


def test_importances_of_layers_are_weighed_against_each_other() -> None:
    still = np.zeros((1, 1, 2))
    front, behind = (
        Layer(np.full((1, 1, 1), color), still, np.full((1, 1), importance))
        for color, importance in ((1.0, 5), (0.0, 3))
    )
    assert splat([front, behind]).picture[0, 0, 0] == pytest.approx(1 / (1 + math.exp(-2)))


def test_what_does_not_agree_is_refused() -> None:
    picture, flow = np.zeros((3, 4, 3)), np.zeros((3, 4, 2))
    with pytest.raises(ValueError, match="no frame"):
        splat([])
    with pytest.raises(ValueError, match="must be"):
        splat([Layer(picture, flow[:2])])
    with pytest.raises(ValueError, match="must be"):
        splat([Layer(picture, flow), Layer(picture[:2], flow[:2])])
    with pytest.raises(ValueError, match="not finite"):
        splat([Layer(picture, flow, np.full((3, 4), -np.inf))])
