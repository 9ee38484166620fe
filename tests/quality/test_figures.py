from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.conventions import UNKNOWN_FLOW, known_flow
from animerun_gen.labels.ways_home import ways_home
from animerun_gen.quality import pair_figures, warp_error
from animerun_gen.quality.figures import MIN_MOVING, is_held, round_trip


def figures_of(**changes: Any) -> dict[str, Any]:
    random = np.random.default_rng(3)
    arguments: dict[str, Any] = {
        "source": random.integers(0, 256, (4, 5, 3)).astype(np.uint8),
        "target": random.integers(0, 256, (4, 5, 3)).astype(np.uint8),
        "flow": np.zeros((4, 5, 2), np.float32),
        "occlusion": np.zeros((4, 5), bool),
    }
    return pair_figures(**(arguments | changes))


def test_colors_that_change_by_themselves_are_not_compared() -> None:
    picture = np.random.default_rng(5).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    repainted = np.zeros((40, 40), bool)
    repainted[:10] = True
    other = picture.copy()
    other[repainted] = 255 - other[repainted]
    arguments: dict[str, Any] = {
        "source": picture,
        "target": other,
        "source_flat": picture,
        "target_flat": other,
        "flow": np.zeros((40, 40, 2), np.float32),
        "occlusion": np.zeros((40, 40), bool),
    }
    blamed: dict[str, Any] = pair_figures(**arguments)
    assert blamed["warp_error_flat"] > 0.05
    assert blamed["edge_error"] > 0.05
    figures: dict[str, Any] = pair_figures(**arguments, repainted=repainted)
    compared = ("warp_error", "warp_error_flat", "warp_error_flat_all", "edge_error")
    assert {name: figures[name] for name in compared} == dict.fromkeys(compared, 0)
    assert figures["repainted_share"] == 0.25
    # flow that is wrong elsewhere is still found
    arguments["target"] = arguments["target_flat"] = np.roll(other, 1, axis=1)
    figures = pair_figures(**arguments, repainted=repainted)
    assert isinstance(figures["warp_error_flat"], float)
    assert figures["warp_error_flat"] > 0.05
    # and where nothing is left, nothing is said
    nothing = pair_figures(**arguments, repainted=np.ones((40, 40), bool))
    assert [nothing[name] for name in compared] == [None] * 4


def test_figures_of_a_pair_worked_out_by_hand() -> None:
    flow = np.zeros((4, 5, 2), np.float32)
    flow[0, 0] = (3, 4)
    flow[1] = (0.6, -0.8)
    flow[2] = (0.6, 0.8)
    flow[3] = UNKNOWN_FLOW
    occlusion = np.zeros((4, 5), bool)
    occlusion[3] = occlusion[0, 0] = True
    exact = occlusion.copy()
    exact[0, 0] = False
    exact[0, 1:3] = True
    source, target = np.full((4, 5, 3), 100, np.uint8), np.full((4, 5, 3), 151, np.uint8)
    target[0, 1:3] = 100
    figures = figures_of(
        source=source,
        target=target,
        flow=flow,
        occlusion=occlusion,
        exact_occlusion=exact,
        source_flat=source,
        target_flat=source,
    )
    # 12 pixels can be compared; columns 1 and 2 of row 0 find their colour again, and columns 0 to 2 of row 1
    assert figures["warp_error"] == figures["warp_error_all"] == pytest.approx(0.2 * 7 / 12, abs=1e-8)
    # the exact occlusion takes the first two of them away, and the pixel that it adds leads out of the frame
    assert figures["warp_error_exact"] == pytest.approx(0.2 * 7 / 10)
    assert figures["warp_error_flat"] == figures["warp_error_flat_exact"] == figures["warp_error_flat_all"] == 0
    assert figures["occluded_share"] == 0.3
    assert figures["exact_occluded_share"] == 0.35
    assert figures["occluded_by_rule_only"] == 0.05
    assert figures["occluded_exactly_only"] == 0.1
    assert figures["occlusion_agreement"] == 0.85
    assert figures["invalid_share"] == 0.25
    assert figures["largest_motion"] == 5
    # 4 pixels stand still, 10 move by 1, one by 5
    assert figures["motion_median"] == figures["motion_p90"] == pytest.approx(1, abs=1e-6)
    assert figures["motion_p99"] == 5
    # no flow back, and 20 pixels are too few to look for shifts
    assert [figures[name] for name in ("round_trip_median", "best_shift", "shift_gain")] == [None] * 3


def test_warp_errors_are_those_of_the_function() -> None:
    random = np.random.default_rng(4)
    source, target, flat, flat_target = random.integers(0, 256, (4, 6, 7, 3)).astype(np.uint8)
    flow = random.normal(0, 2, (6, 7, 2)).astype(np.float32)
    occlusion, exact = random.random((2, 6, 7)) < 0.3
    figures = pair_figures(
        source, target, flow, occlusion, exact_occlusion=exact, source_flat=flat, target_flat=flat_target
    )
    for name, pictures in (("warp_error", (source, target)), ("warp_error_flat", (flat, flat_target))):
        expected = {
            "": warp_error(*pictures, flow, occlusion),
            "_bilinear": warp_error(*pictures, flow, occlusion, "bilinear"),
            "_exact": warp_error(*pictures, flow, exact),
            "_all": warp_error(*pictures, flow),
        }
        for suffix, error in expected.items():
            assert figures[name + suffix] == pytest.approx(error, abs=1e-9)


def test_what_cannot_be_had_is_none_and_the_json_is_standard() -> None:
    unknown = np.full((4, 5, 2), UNKNOWN_FLOW)
    figures = figures_of(flow=unknown, occlusion=np.ones((4, 5), bool), ways=ways_home(unknown, unknown))
    # the same names always; only of the shares of all pixels something can be said
    assert set(figures) == set(figures_of())
    known = {name: value for name, value in figures.items() if value is not None}
    assert known == {"occluded_share": 1, "invalid_share": 1, "repainted_share": 0}
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert all(type(value) is float for value in figures_of().values() if value is not None)
    assert figures_of()["warp_error_flat"] is None
    assert figures_of()["warp_error_exact"] is None


def test_one_flat_frame_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="both frames without lines, or neither"):
        figures_of(source_flat=np.zeros((4, 5, 3), np.uint8))


def test_wrong_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="exact occlusion mask must be bool, not uint8"):
        figures_of(exact_occlusion=np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="map of ways home must have the shape"):
        figures_of(ways=ways_home(*np.zeros((2, 5, 5, 2), np.float32)))


@settings(deadline=None)  # a loaded machine is no defect
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 6))
def test_the_round_trip_equals_the_slow_reference(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    flow, back = random.choice([-1, -0.5, 0, 0, 0.04, 0.25, 1], (2, height, width, 2)).astype(np.float32)
    flow[random.random((height, width)) < 0.1] = UNKNOWN_FLOW
    back[random.random((height, width)) < 0.1] = UNKNOWN_FLOW
    visible = random.random((height, width)) < 0.9
    away, closest = [], []
    for row in range(height):
        for column in range(width):
            u, v = (float(value) for value in flow[row, column])
            x, y = column + u, row + v
            if not (visible[row, column] and -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
                continue
            x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
            weights = {
                (j, i): max(0, 1 - abs(y - j)) * max(0, 1 - abs(x - i)) for j in range(height) for i in range(width)
            }
            around = {place: weight for place, weight in weights.items() if weight > 0}
            if not all(known_flow(back)[place] for place in around):
                continue
            home = sum(weight * back[place].astype(float) for place, weight in around.items())
            away.append(math.hypot(u + home[0], v + home[1]))
            if math.hypot(u, v) > 0.1 or math.hypot(*home) > 0.1:
                by_one = (math.hypot(u + back[place][0], v + back[place][1]) for place in around)
                closest.append(min(away[-1], *by_one))
    found, found_closest = round_trip(ways_home(flow, back), visible)
    np.testing.assert_allclose(found, away, atol=1e-9)
    np.testing.assert_allclose(found_closest, closest, atol=1e-9)


def test_the_round_trip_of_a_small_thing_is_not_outvoted_by_a_still_background() -> None:
    flow, back = np.zeros((2, 60, 80, 2), np.float32)
    flow[20:40, 20:40], back[20:40, 23:43] = (3, 0), (-3.2, 0)
    visible, picture = np.zeros((60, 80), bool), np.zeros((60, 80, 3), np.uint8)
    figures: dict[str, Any] = pair_figures(
        picture, picture, flow, visible, ways=ways_home(flow, back), exact_occlusion=visible
    )
    assert figures["round_trip_median"] == pytest.approx(0.2, abs=1e-6)
    assert figures["round_trip_within"] > 0.95
    # too few to judge by
    flow[20 + MIN_MOVING // 40 :], back[20 + MIN_MOVING // 40 :] = 0, 0
    figures = pair_figures(picture, picture, flow, visible, ways=ways_home(flow, back), exact_occlusion=visible)
    assert figures["round_trip_median"] == 0


def test_without_exact_occlusion_the_rule_does_not_hide_a_wrong_round_trip() -> None:
    flow = np.ones((20, 30, 2), np.float32)
    figures = figures_of(
        source=np.zeros((20, 30, 3), np.uint8),
        target=np.zeros((20, 30, 3), np.uint8),
        flow=flow,
        ways=ways_home(flow, flow),
        occlusion=np.ones((20, 30), bool),
    )
    assert figures["round_trip_median"] == pytest.approx(math.hypot(2, 2))
    assert figures["round_trip_within"] == 0


def test_held_frames_are_one_picture_in_which_nothing_moves() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    still = np.zeros((5, 6, 2), np.float32)
    assert is_held((picture, picture.copy()), (still, still))
    other = picture.copy()
    other[4, 5, 2] ^= 1
    assert not is_held((picture, other), (still, still))


@pytest.mark.parametrize("way", [0, 1])
def test_what_moves_on_one_colour_is_not_held(way: int) -> None:
    picture = np.zeros((5, 6, 3), np.uint8)
    flows = [np.zeros((5, 6, 2), np.float32) for _ in range(2)]
    flows[way][3, 4] = (0.0, 1e-4)
    assert not is_held((picture, picture), (flows[0], flows[1]))
    # the Vector pass calls what stands still nearly still
    assert is_held((picture, picture), (flows[0], flows[1]), exact=False)
    flows[way][3, 4] = (0.0, 1e-2)
    assert not is_held((picture, picture), (flows[0], flows[1]), exact=False)


@pytest.mark.parametrize("way", [0, 1])
def test_only_of_the_background_may_the_motion_of_held_frames_be_unknown(way: int) -> None:
    picture, surfaces = np.zeros((5, 6, 3), np.uint8), np.zeros((5, 6), bool)
    flows = [np.zeros((5, 6, 2), np.float32) for _ in range(2)]
    flows[way][3, 4] = UNKNOWN_FLOW
    assert not is_held((picture, picture), (flows[0], flows[1]))
    assert is_held((picture, picture), (flows[0], flows[1]), surfaces=lambda: surfaces)
    surfaces[3, 4] = True
    assert not is_held((picture, picture), (flows[0], flows[1]), surfaces=lambda: surfaces)
