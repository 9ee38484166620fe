from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.labels import occlusion_mask

Flow = npt.NDArray[np.float32]


def reference(forward: Flow, backward: Flow, threshold: float) -> npt.NDArray[np.bool_]:
    """The rule as the documentation words it, one pixel after the other."""
    height, width = forward.shape[:2]
    occluded = np.ones((height, width), bool)
    for row in range(height):
        for column in range(width):
            u, v = (float(component) for component in forward[row, column])
            if not (abs(u) < 1e9 and abs(v) < 1e9):
                continue
            x, y = column + u, row + v
            if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
                continue
            x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
            back_u = back_v = 0.0
            for i in range(height):
                for j in range(width):
                    weight = max(0.0, 1 - abs(y - i)) * max(0.0, 1 - abs(x - j))
                    if weight > 0:
                        back = backward[i, j].astype(float)
                        # An unknown vector makes the sum so, whatever its weight.
                        known = np.all(np.abs(back) < 1e9)
                        back_u += weight * back[0] if known else math.nan
                        back_v += weight * back[1] if known else math.nan
            occluded[row, column] = not math.hypot(u + back_u, v + back_v) <= threshold
    return occluded


@st.composite
def flow_pairs(draw: st.DrawFn) -> tuple[Flow, Flow]:
    """Flows in eighths of a pixel, with which all of the arithmetic is exact, so that ties are ties."""
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reach = draw(st.sampled_from([2, 8, 40]))
    forward, backward = (random.integers(-reach, reach + 1, (height, width, 2)) / 8 for _ in range(2))
    if draw(st.booleans()):
        backward = -np.round(random.choice(forward.reshape(-1, 2), (height, width)) * 8) / 8
    for flow in (forward, backward):
        for mark in (UNKNOWN_FLOW, np.nan, np.inf):
            flow[random.random((height, width)) < draw(st.sampled_from([0, 0.1]))] = mark
    return forward.astype(np.float32), backward.astype(np.float32)


@given(flow_pairs(), st.sampled_from([0.125, 0.5, 0.625, 1.25]))
def test_equals_the_slow_reference(flows: tuple[Flow, Flow], threshold: float) -> None:
    forward, backward = flows
    assert np.array_equal(occlusion_mask(forward, backward, threshold), reference(forward, backward, threshold))
    assert np.array_equal(occlusion_mask(backward, forward, threshold), reference(backward, forward, threshold))


def test_a_still_picture_has_no_occlusion() -> None:
    still = np.zeros((4, 5, 2), np.float32)
    mask = occlusion_mask(still, still)
    assert mask.dtype == np.bool_
    assert not mask.any()


def test_a_square_that_moves_right_hides_what_lies_before_it() -> None:
    forward, backward = np.zeros((8, 12, 2), np.float32), np.zeros((8, 12, 2), np.float32)
    forward[2:6, 2:5] = (3, 0)
    backward[2:6, 5:8] = (-3, 0)
    hidden = np.zeros((8, 12), bool)
    hidden[2:6, 5:8] = True
    uncovered = np.zeros((8, 12), bool)
    uncovered[2:6, 2:5] = True
    assert np.array_equal(occlusion_mask(forward, backward), hidden)
    assert np.array_equal(occlusion_mask(backward, forward), uncovered)


@pytest.mark.parametrize(("missed_by", "occluded"), [(0.5, False), (0.501, True)])
def test_exactly_the_threshold_from_home_is_visible(missed_by: float, occluded: bool) -> None:
    backward = np.zeros((1, 1, 2), np.float32)
    backward[0, 0, 1] = missed_by
    assert occlusion_mask(np.zeros((1, 1, 2), np.float32), backward)[0, 0] == occluded


@pytest.mark.parametrize(("u", "occluded"), [(1, False), (1 + 1e-6, True), (2, True)])
def test_an_unknown_backward_vector_counts_as_soon_as_it_has_weight(u: float, occluded: bool) -> None:
    forward = np.full((1, 3, 2), UNKNOWN_FLOW, np.float32)
    forward[0, 0] = (u, 0)
    backward = np.zeros((1, 3, 2), np.float32)
    backward[0, 1] = (-1, 0)
    backward[0, 2] = UNKNOWN_FLOW
    assert occlusion_mask(forward, backward).tolist() == [[occluded, True, True]]


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_an_unknown_backward_vector_is_no_short_motion_however_small_its_weight(corner: tuple[int, int]) -> None:
    """1e10 times the product of two small shares is less than the threshold."""
    forward, backward = np.full((2, 2, 2), UNKNOWN_FLOW, np.float32), np.zeros((2, 2, 2), np.float32)
    forward[corner] = 2.0**-18 * (1 - 2 * np.array(corner[::-1]))
    assert not occlusion_mask(forward, backward)[corner]
    backward[1 - corner[0], 1 - corner[1]] = UNKNOWN_FLOW
    assert occlusion_mask(forward, backward)[corner]


def test_flows_of_any_memory_layout_give_the_same() -> None:
    random = np.random.default_rng(1)
    forward, backward = (random.integers(-16, 17, (2, 9, 12, 2)) / 8).astype(np.float32)
    expected = reference(forward, backward, 0.5)
    assert expected.any()
    assert not expected.all()
    assert np.array_equal(occlusion_mask(np.asfortranarray(forward), np.asfortranarray(backward)), expected)


def test_flows_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"flow field must be \(H, W, 2\), not \(2, 2\)"):
        occlusion_mask(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="backward flow must have the shape"):
        occlusion_mask(np.zeros((2, 2, 2), np.float32), np.zeros((2, 3, 2), np.float32))
