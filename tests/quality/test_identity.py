"""Identity pictures made by hand, and flow that is right, and wrong in the ways that no colour tells."""

from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.quality.identity import MIN_COMPARED, NO_PLACE, ROUNDING, STEPS, identity_error

HEIGHT, WIDTH = 40, 60


def places(shift: tuple[float, float] = (0.0, 0.0), slope: float = 20.0) -> np.ndarray:
    """A surface that fills the picture, moved by ``shift`` pixels; its places change by ``slope`` steps a pixel."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    x, y = x - shift[0], y - shift[1]
    plane = np.stack([slope * x, slope * y, 0.5 * slope * (x + y)], axis=-1) + STEPS / 4
    return np.round(plane).astype(np.uint16)


def flow_of(u: float, v: float) -> np.ndarray:
    return np.broadcast_to(np.array([u, v], np.float32), (HEIGHT, WIDTH, 2)).copy()


NOTHING_HIDDEN = np.zeros((HEIGHT, WIDTH), bool)


@pytest.mark.parametrize("motion", [(0.0, 0.0), (3.0, -2.0), (2.5, 0.4), (-7.9, 4.0)])
@pytest.mark.parametrize("slope", [0.5, 8.0, 30.0])
def test_exact_flow_leads_to_the_same_points(motion: tuple[float, float], slope: float) -> None:
    found = identity_error(places(slope=slope), places(motion, slope), flow_of(*motion), NOTHING_HIDDEN)
    assert found.error == 0
    # all but what moves out of the picture
    left = (WIDTH - abs(motion[0])) * (HEIGHT - abs(motion[1])) / (WIDTH * HEIGHT)
    assert found.compared == pytest.approx(left, abs=0.05)


@pytest.mark.parametrize("wrong", [(3.0, 0.0), (0.0, -3.0), (-2.5, 2.5)])
def test_flow_that_is_some_pixels_off_leads_to_other_points(wrong: tuple[float, float]) -> None:
    flow = flow_of(2.5 + wrong[0], 0.4 + wrong[1])
    found = identity_error(places(), places((2.5, 0.4)), flow, NOTHING_HIDDEN)
    assert found.error == 1


def test_exchanged_parts_are_told_and_their_share_is_right() -> None:
    flow = flow_of(0, 0)
    # two squares of 10 px within the surface take each other's place
    flow[5:15, 5:15] = (20, 0)
    flow[5:15, 25:35] = (-20, 0)
    found = identity_error(places(), places(), flow, NOTHING_HIDDEN)
    assert found.compared == 1
    assert found.error == pytest.approx(200 / (HEIGHT * WIDTH))


def test_occluded_and_unknown_pixels_are_not_compared() -> None:
    flow = flow_of(20, 0)
    flow[:, 10:] = 0
    hidden = NOTHING_HIDDEN.copy()
    hidden[:20, :10] = True
    flow[20:, :10] = UNKNOWN_FLOW
    found = identity_error(places(), places(), flow, hidden)
    assert found.error == 0
    assert found.compared == pytest.approx(1 - 10 / WIDTH)


def test_places_beyond_the_outermost_pixels_are_not_compared() -> None:
    motion = (-0.4, 0.0)
    found = identity_error(places(slope=30.0), places(motion, slope=30.0), flow_of(*motion), NOTHING_HIDDEN)
    assert found.error == 0
    assert found.compared == pytest.approx((WIDTH - 1) / WIDTH)


def test_what_has_no_place_is_not_compared() -> None:
    source, target = places(), places()
    source[:, :20] = NO_PLACE
    found = identity_error(source, target, flow_of(0, 0), NOTHING_HIDDEN)
    # nor is the column beside it
    assert found.compared == pytest.approx(39 / WIDTH)
    target[:, 30:] = NO_PLACE
    # wrong flow to where nothing is known tells nothing
    found = identity_error(source, target, flow_of(25, 0), NOTHING_HIDDEN)
    assert (found.error, found.compared) == (None, 0)


def test_borders_between_surfaces_are_left_out() -> None:
    source = places()
    # another surface begins in this column, and in the target one column earlier
    source[:, 30:] += 1000
    target = places()
    target[:, 29:] += 1000
    found = identity_error(source, target, flow_of(0, 0), NOTHING_HIDDEN)
    # the two columns on either side of the border are not compared
    assert found.compared == pytest.approx((WIDTH - 2) / WIDTH)
    assert found.error == 0
    # nor is what leads in between two surfaces
    assert identity_error(source, target, flow_of(0.5, 0), NOTHING_HIDDEN).error == 0


def test_rounding_is_no_error_and_a_bit_more_is() -> None:
    source = places(slope=0.0)
    for off, error in ((ROUNDING, 0), (ROUNDING + 1, 1)):
        assert identity_error(source, source + np.uint16(off), flow_of(0, 0), NOTHING_HIDDEN).error == error


def test_a_few_pixels_tell_nothing() -> None:
    hidden = np.ones((HEIGHT, WIDTH), bool)
    hidden.flat[:MIN_COMPARED] = False
    assert identity_error(places(), places(), flow_of(0, 0), hidden).error == 0
    hidden.flat[0] = True
    found = identity_error(places(), places(), flow_of(0, 0), hidden)
    assert found.error is None
    assert found.compared == pytest.approx((MIN_COMPARED - 1) / hidden.size)


def test_other_shapes_and_types_are_refused() -> None:
    flow = flow_of(0, 0)
    with pytest.raises(ValueError, match=r"must be \(H, W, 3\) of uint16"):
        identity_error(places().astype(np.uint8), places(), flow, NOTHING_HIDDEN)
    with pytest.raises(ValueError, match="identity picture"):
        identity_error(places(), places()[:-1], flow, NOTHING_HIDDEN)
    with pytest.raises(ValueError, match="the flow"):
        identity_error(places(), places(), flow[:-1], NOTHING_HIDDEN)
