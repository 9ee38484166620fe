from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.quality import shift, warp_difference
from animerun_gen.quality.shift import OFFSETS, Shift, shift_errors

Picture = npt.NDArray[np.uint8]


def scene(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Picture:
    """Point samples of a drawing without end: rings of many colours, cut by slanting stripes."""
    ring = np.hypot((x + 7) % 61 - 30, (y - 3) % 47 - 23) // 6
    stripe = (x + 0.37 * y) // 11 % 2
    return np.stack([ring * 53 % 256, stripe * 200, (ring + stripe) * 31 % 256], axis=-1).astype(np.uint8)


def moved(u: float, v: float, shape: tuple[int, int] = (60, 80)) -> dict[str, Any]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    flow = np.zeros((*shape, 2), np.float32)
    flow[...] = (u, v)
    return {"source": scene(x, y), "target": scene(x - u, y - v), "flow": flow, "occlusion": np.zeros(shape, bool)}


def off_by(pair: dict[str, Any], dx: float, dy: float) -> dict[str, Any]:
    return pair | {"flow": (pair["flow"] + np.array([dx, dy])).astype(np.float32)}


def best_shift(pair: dict[str, Any]) -> Shift:
    errors = shift_errors(**pair)
    assert errors is not None
    return shift.best_shift(errors)


@settings(max_examples=40)
@given(st.integers(-20, 20), st.integers(-20, 20), st.sampled_from(OFFSETS))
def test_wrong_flow_is_shifted_back_onto_its_place(u: int, v: int, offset: tuple[int, int]) -> None:
    found = best_shift(off_by(moved(u / 4, v / 4), *offset))
    assert found.offset == (-offset[0], -offset[1])
    assert found.gain == 1.0 if offset == (0, 0) else found.gain < 0.5


def test_flow_that_ends_between_the_pixels_is_no_worse_than_its_neighbours() -> None:
    # to the nearest pixel, a grid-aligned edge that moves by 0.45 px is explained best by a wrong offset
    x = np.broadcast_to(np.arange(80.0), (60, 80))
    for edge in np.arange(40, 41, 0.1):
        for motion in (0.45, 0.5, 0.55):
            source, target = (
                np.where(x < place, 0, 255).astype(np.uint8)[..., None].repeat(3, 2) for place in (edge, edge + motion)
            )
            flow = np.zeros((60, 80, 2), np.float32)
            flow[..., 0] = motion
            found = best_shift(
                {"source": source, "target": target, "flow": flow, "occlusion": np.zeros((60, 80), bool)}
            )
            assert found.offset == (0, 0)


def test_errors_are_those_of_point_sampling_over_the_same_pixels() -> None:
    random = np.random.default_rng(8)
    pair = moved(1.3, -0.6, (30, 40))
    pair["occlusion"] = random.random((30, 40)) < 0.2
    pair["flow"][random.random((30, 40)) < 0.1] = UNKNOWN_FLOW
    pair["flow"] += random.normal(0, 1, pair["flow"].shape).astype(np.float32)
    source = pair["source"].astype(int)
    padded = np.pad(source, ((1, 1), (1, 1), (0, 0)), mode="edge")
    colorful = np.zeros((30, 40), bool)
    for j in range(3):
        for i in range(3):
            colorful |= (padded[j : j + 30, i : i + 40] != source).any(axis=2)
    differences = np.array([warp_difference(**off_by(pair, dx, dy)) for dx, dy in OFFSETS])
    everywhere = colorful & ~np.isnan(differences).any(axis=0)
    assert 200 < everywhere.sum() < colorful.sum()
    found = shift_errors(**pair)
    assert found is not None
    # float32 flow plus a whole pixel is rounded once more than a float64 place is
    np.testing.assert_allclose(found.ravel(), differences[:, everywhere].mean(axis=1), rtol=1e-3)


def test_evenly_spread_pixels_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = moved(2.4, 1.7, (200, 300))
    every = shift_errors(**pair)
    monkeypatch.setattr(shift, "MAX_PIXELS", 4000)
    some = shift_errors(**pair)
    assert every is not None
    assert some is not None
    np.testing.assert_allclose(some, every, rtol=0.15, atol=0.002)


def test_a_still_scene_is_where_it_is() -> None:
    pair = moved(0, 0)
    assert best_shift(pair) == Shift((0, 0), 1.0)
    errors = shift_errors(**pair)
    assert errors is not None
    assert errors[1, 1] == 0
    assert errors.min() == 0


def test_stripes_do_not_tell_how_far_along_them_the_flow_is_off() -> None:
    pair = moved(0, 0)
    pair["source"][...] = (np.arange(60) // 5 % 2 * 200).astype(np.uint8)[:, None, None]
    pair["target"] = pair["source"].copy()
    # a speck, which alone would decide for the wrong offset
    pair["source"][30, 40] = 90
    pair["target"][30, 41] = 90
    assert best_shift(pair) == Shift((0, 0), 1.0)
    found = best_shift(off_by(pair, 0, 1))
    assert found.offset[1] == -1


@pytest.mark.parametrize("emptied", ["one colour", "occluded", "unknown", "outside"])
def test_with_too_little_to_learn_from_nothing_is_said(emptied: str) -> None:
    pair = moved(0, 0)
    if emptied == "one colour":
        pair["source"][...] = 7
    elif emptied == "occluded":
        pair["occlusion"][...] = True
    elif emptied == "unknown":
        pair["flow"][...] = UNKNOWN_FLOW
    else:
        pair["flow"][..., 0] = 79
    assert shift_errors(**pair) is None
