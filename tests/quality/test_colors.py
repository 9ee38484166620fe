from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.quality import flow_to_color, labels_to_color


def hue_on_the_wheel(place: float) -> list[float]:
    """RGB in 0..1 at a place of 0..55 on the wheel, from the numbers of steps published for its six arcs."""
    arcs = [(15, (1, 0, 0), (1, 1, 0)), (6, (1, 1, 0), (0, 1, 0)), (4, (0, 1, 0), (0, 1, 1))]
    arcs += [(11, (0, 1, 1), (0, 0, 1)), (13, (0, 0, 1), (1, 0, 1)), (6, (1, 0, 1), (1, 0, 0))]
    for steps, start, end in arcs:
        if place <= steps:
            return [a + (b - a) * place / steps for a, b in zip(start, end, strict=True)]
        place -= steps
    raise AssertionError(place)


@given(st.floats(-30, 30, width=32), st.floats(-30, 30, width=32), st.floats(1, 50))
def test_equals_the_published_definition(u: float, v: float, max_motion: float) -> None:
    length = math.hypot(u, v) / max_motion
    hue = hue_on_the_wheel((math.atan2(-v, -u) / math.pi + 1) / 2 * 54)
    expected = [1 - length * (1 - part) if length <= 1 else part * 0.75 for part in hue]
    color = flow_to_color(np.array([[[u, v]]], np.float32), max_motion)[0, 0]
    np.testing.assert_allclose(color, 255 * np.array(expected), atol=1.01)


@pytest.mark.parametrize(
    ("motion", "color"),
    [((9, 0), (255, 0, 0)), ((0, 0), (255, 255, 255)), ((UNKNOWN_FLOW, UNKNOWN_FLOW), (0, 0, 0)), ((np.nan, 0), 0)],
)
def test_right_is_red_still_is_white_and_unknown_is_black(motion: tuple[float, float], color: object) -> None:
    flow = np.array([[[9, 0], motion]], np.float32)
    pixels = flow_to_color(flow)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[0, 1], np.broadcast_to(color, 3), atol=5)  # type: ignore[call-overload]


def test_the_longest_known_motion_sets_the_scale() -> None:
    flow = np.array([[[1, 2], [-4, 3], [UNKNOWN_FLOW, UNKNOWN_FLOW]]], np.float32)
    assert np.array_equal(flow_to_color(flow), flow_to_color(flow, 5))
    assert not np.array_equal(flow_to_color(flow), flow_to_color(flow, 10))


def test_a_still_frame_is_white_and_an_unknown_one_black() -> None:
    assert np.all(flow_to_color(np.zeros((3, 4, 2), np.float32)) == 255)
    assert np.all(flow_to_color(np.full((3, 4, 2), UNKNOWN_FLOW)) == 0)


@pytest.mark.parametrize("max_motion", [0, -1, math.nan])
def test_a_scale_that_is_not_positive_is_refused(max_motion: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        flow_to_color(np.zeros((1, 1, 2), np.float32), max_motion)


@given(st.lists(st.integers(-3, 10_000), min_size=1, max_size=20))
def test_a_label_has_one_color_in_every_picture(labels: list[int]) -> None:
    together = labels_to_color(np.array([labels], np.int32))
    assert together.shape == (1, len(labels), 3)
    assert together.dtype == np.uint8
    for label, color in zip(labels, together[0], strict=True):
        assert np.array_equal(labels_to_color(np.array([label])), [color])


def test_labels_are_told_apart_and_from_the_unmatched() -> None:
    colors = labels_to_color(np.arange(-1, 60)).astype(int)
    assert colors[0].tolist() == [64, 64, 64]
    apart = np.abs(colors[:, None] - colors[None]).sum(axis=2) + 1000 * np.eye(61, dtype=int)
    assert apart.min() > 8
    neighbours = np.abs(np.diff(colors[1:], axis=0)).sum(axis=1)
    assert neighbours.min() > 100
