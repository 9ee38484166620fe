from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from animerun_gen.config.model import Quality
from animerun_gen.quality.gate import MAX_SHIFT_GAIN, Thresholds, failed_pairs, judge, summarise

BARS = Thresholds(
    warp_error=0.01,
    warp_error_flat=0.001,
    edge_error=0.003,
    round_trip_median=0.05,
    agreement=0.999,
    leaks=0.02,
    identity_error=0.002,
    reprojection=0.001,
    surfaces=0.01,
    one_surface=0.99,
    one_color=0.999,
    lines=0.5,
)
GOOD: dict[str, Any] = {
    "warp_error": 0.01,
    "warp_error_flat": 0.5,
    "warp_error_flat_exact": 0.001,
    "round_trip_median": 0.05,
    "round_trip_within": 0.99,
    "edge_error": 0.003,
    "best_shift": [0, 0],
    "shift_gain": 1.0,
    "identity_error": 0.002,
    "reprojection_error": 0.001,
}
FRAME: dict[str, Any] = {
    "frame": 12,
    "segments": 5,
    "leaks": 0.02,
    "agreement": 0.999,
    "agreement_ids": None,
    "surface_share": 0.01,
    "largest_surface": 0.005,
    "largest_surface_is": ["Ball", "red"],
    "largest_color": 0.999,
    "largest_color_is": "#ffffff",
    "line_share": 0.5,
}


def pair_of(source: int = 12, **forward: Any) -> dict[str, Any]:
    return {"source": source, "target": source + 1, "held": False, "forward": GOOD | forward, "backward": GOOD}


def test_the_bars_are_those_of_the_configuration() -> None:
    assert Thresholds.of(Quality()) == BARS
    assert BARS.as_dict() == {
        "warp_error": 0.01,
        "warp_error_flat": 0.001,
        "round_trip_median": 0.05,
        "agreement": 0.999,
        "leaks": 0.02,
        "edge_error": 0.003,
        "identity_error": 0.002,
        "reprojection": 0.001,
        "surfaces": 0.01,
        "one_surface": 0.99,
        "one_color": 0.999,
        "lines": 0.5,
    }


def test_what_is_exactly_at_its_bar_passes() -> None:
    assert judge([FRAME], [pair_of()], BARS) == []
    assert judge([], [], BARS) == []


@pytest.mark.parametrize(
    ("figure", "value", "threshold", "said"),
    [
        ("warp_error", 0.0101, 0.01, "colour frames differ by 0.01010"),
        ("warp_error_flat_exact", 0.002, 0.001, "frames without lines differ by 0.00200"),
        ("edge_error", 0.004, 0.003, "at edges and in textures the frames differ by 0.00400"),
        ("identity_error", 0.02, 0.002, "from 0.0200 of the pixels that can be compared the flow leads to another"),
        ("reprojection_error", 0.002, 0.001, "projected up to 0.0020 px away from where the flow ends"),
        ("round_trip_median", 0.25, 0.05, "end 0.250 px or more from where they began"),
    ],
)
def test_a_figure_past_its_bar_fails_its_direction(figure: str, value: float, threshold: float, said: str) -> None:
    (failure,) = judge([FRAME], [pair_of(11), pair_of(12, **{figure: value})], BARS)
    message = failure.pop("message")
    assert failure == {
        "source": 12,
        "target": 13,
        "direction": "forward",
        "figure": figure,
        "value": value,
        "bar": threshold,
    }
    assert message.startswith("pair 12-13 forward: ")
    assert said in message
    assert f"(threshold {threshold:g}" in message


def test_without_exact_occlusion_the_flat_frames_are_judged_by_the_rule() -> None:
    assert judge([], [pair_of(warp_error_flat_exact=None, warp_error_flat=0.001)], BARS) == []
    (failure,) = judge([], [pair_of(warp_error_flat_exact=None, warp_error_flat=0.002)], BARS)
    assert failure["figure"] == "warp_error_flat"


def test_one_odd_pixel_among_few_is_no_failure_and_two_are() -> None:
    def figures_of(seen: int, odd: int | None) -> dict[str, Any]:
        return FRAME | {"agreement": 1.0 - (odd or 1) / seen, "agreement_odd": odd}

    for seen, odd, fails in ((129, 1, False), (1, 1, False), (129, 2, True), (999, 2, True), (2000, 2, False)):
        failures = judge([figures_of(seen, odd)], [], BARS)
        assert [failure["figure"] for failure in failures] == (["agreement"] if fails else [])
    # files of before do not have it, and whoever allows no pixel at all means it
    assert judge([figures_of(129, None)], [], BARS)
    assert judge([figures_of(129, 1)], [], replace(BARS, agreement=1.0))


@pytest.mark.parametrize(
    ("figure", "value", "said"),
    [
        ("agreement", 0.9989, "only 99.8900% of the pixels that can be compared"),
        ("agreement_ids", 0.5, "only 50.0000% of the pixels show"),
        ("leaks", 0.03, "3.00% of the pixels lie in a segment"),
    ],
)
def test_a_frame_past_a_bar_fails(figure: str, value: float, said: str) -> None:
    (failure,) = judge([FRAME, FRAME | {"frame": 13, figure: value}], [pair_of()], BARS)
    assert (failure["source"], failure["target"], failure["direction"]) == (13, None, None)
    assert (failure["figure"], failure["value"]) == (figure, value)
    assert failure["message"].startswith("frame 13: ")
    assert said in failure["message"]


def test_flow_that_is_clearly_better_when_shifted_fails() -> None:
    assert judge([], [pair_of(best_shift=[1, 0], shift_gain=MAX_SHIFT_GAIN)], BARS) == []
    (failure,) = judge([], [pair_of(best_shift=[1, -1], shift_gain=0.123)], BARS)
    assert (failure["figure"], failure["value"], failure["bar"]) == ("best_shift", [1, -1], None)
    assert "better when shifted by (1, -1) px (error 0.12 of what it is)" in failure["message"]


def test_failures_can_be_written_and_name_their_pairs_once() -> None:
    bad = {"warp_error": 1.0, "best_shift": [1, 0], "shift_gain": 0.1}
    pairs = [pair_of(11), pair_of(13, **bad), pair_of(12) | {"backward": GOOD | bad}]
    failures = judge([FRAME | {"leaks": 1.0}], pairs, BARS)
    assert len(failures) == 5
    assert json.loads(json.dumps(failures, allow_nan=False)) == failures
    assert failed_pairs(failures) == [[12, 13], [13, 14]]
    assert [failure["direction"] for failure in failures] == [None, "forward", "forward", "backward", "backward"]


def test_what_cannot_be_had_is_not_judged_but_counted() -> None:
    unknown = dict.fromkeys(GOOD)
    pairs = [pair_of(), pair_of(13) | {"forward": unknown}, {"source": 14, "target": 15, "held": True, "forward": {}}]
    assert judge([{"frame": 12}, FRAME | {"agreement": math.nan}], pairs, BARS) == []
    # a sampled figure need not be there where another one stands in for it
    summary = summarise([{"frame": 12}, FRAME, {"frame": 13, "leaks": 0, "agreement_ids": 1.0}], pairs)
    assert summary["not_judged"] == {
        "surfaces": 2,
        "one_surface": 2,
        "one_color": 2,
        "lines": 2,
        "agreement": 1,
        "leaks": 1,
        "warp_error": 2,
        "warp_error_flat": 2,
        "edge_error": 2,
        "round_trip_median": 2,
        "identity_error": 2,
        "reprojection": 2,
        "best_shift": 2,
    }
    assert summary["warp_error"] == {"mean": 0.01, "worst": 0.01}
    assert summary["agreement"] == {"mean": 0.999, "worst": 0.999}
    assert summarise([FRAME], pairs)["agreement_ids"] == {"mean": None, "worst": None}


def test_the_summary_has_mean_and_worst_of_every_figure() -> None:
    pairs = [pair_of() | {"held": True}, pair_of(13, warp_error=0.03, round_trip_within=0.5), pair_of(14)]
    summary = summarise([FRAME, FRAME | {"agreement": 0.9, "leaks": 0.0}], pairs)
    assert (summary["frames"], summary["pairs"], summary["held_share"]) == (2, 3, round(1 / 3, 9))
    assert summary["warp_error"] == {"mean": round((5 * 0.01 + 0.03) / 6, 9), "worst": 0.03}
    assert summary["round_trip_within"]["worst"] == 0.5
    assert summary["agreement"] == {"mean": 0.9495, "worst": 0.9}
    assert summary["leaks"] == {"mean": 0.01, "worst": 0.02}
    assert summary["segments"] == {"mean": 5, "worst": 5}
    assert "frame" not in summary
    assert "best_shift" not in summary
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_a_cut_without_pairs_has_a_summary() -> None:
    summary = summarise([], [])
    assert summary == {"frames": 0, "pairs": 0, "held_share": None, "not_judged": {}}


EMPTY = {"surface_share": 0.00003, "largest_surface": 0.00003}
WALL = {"surface_share": 1.0, "largest_surface": 1.0, "largest_surface_is": ["Wall", "plaster"], "largest_color": 0.995}
PATTERN = WALL | {"largest_color": 0.2}
BLACK = {"surface_share": 0.6, "largest_surface": 0.4, "largest_color": 1.0, "largest_color_is": "#000000"}
HATCHED = {"line_share": 0.9}


def clip_of(*kinds: dict[str, Any]) -> list[dict[str, Any]]:
    return [FRAME | {"frame": number} | kind for number, kind in enumerate(kinds, start=1)]


def moving(largest: float = 3.0) -> list[dict[str, Any]]:
    return [pair_of(1, largest_motion=largest) | {"backward": GOOD | {"largest_motion": largest}}]


@pytest.mark.parametrize(
    ("kind", "figure", "said"),
    [
        (EMPTY, "surface_share", "surfaces cover 0.003% of the picture (threshold 1%)"),
        (WALL, "largest_surface", "one surface covers everything: 100.0% of the picture is 'Wall', in material 'plas"),
        (BLACK, "largest_color", "100.00% of the picture has one colour, #000000 (threshold 99.9%)"),
        (HATCHED, "line_share", "lines cover 90.0% of the picture (threshold 50%)"),
    ],
)
def test_a_clip_most_frames_of_which_show_nothing_fails_once(kind: dict[str, Any], figure: str, said: str) -> None:
    good: dict[str, Any] = {}
    assert judge(clip_of(kind, good, kind, good), moving(), BARS) == []
    (failure,) = judge(clip_of(good, kind, kind), moving(), BARS)
    assert said in failure["message"]
    assert failure["message"].startswith("the clip shows nothing in frames 2-3 (2 of 3): ")
    assert (failure["source"], failure["target"], failure["direction"]) == (2, None, None)
    assert (failure["figure"], failure["value"]) == (figure, kind[figure])
    json.dumps(failure, allow_nan=False)
    # the threshold is the cut's own
    lax = {"surfaces": 0.0, "one_surface": 1.0, "one_color": 1.0, "lines": 1.0}
    assert judge(clip_of(kind, kind), moving(), Thresholds(**(BARS.as_dict() | lax))) == []


def test_frames_that_show_nothing_for_several_reasons_add_up() -> None:
    assert judge(clip_of(EMPTY, WALL, {}, {}), moving(), BARS) == []
    failures = judge(clip_of(EMPTY, WALL, BLACK, {}, {}), moving(), BARS)
    assert [failure["figure"] for failure in failures] == ["surface_share", "largest_surface", "largest_color"]


def test_a_surface_with_a_pattern_shows_something_only_where_it_moves() -> None:
    frames = clip_of(PATTERN, PATTERN, PATTERN)
    assert judge(frames, moving(), BARS) == []
    (failure,) = judge(frames, moving(1e-4), BARS)
    assert "one surface covers everything" in failure["message"]


def test_walls_that_follow_upon_each_other_are_not_one_surface() -> None:
    other = PATTERN | {"largest_surface_is": ["Floor", "wood"], "largest_color": 0.995}
    assert judge(clip_of(WALL, other, {}, other, WALL), moving(), BARS) == []


def test_without_ids_the_colours_tell_that_nothing_is_shown() -> None:
    unknown = dict.fromkeys(("surface_share", "largest_surface", "largest_surface_is"))
    (failure,) = judge(clip_of(BLACK | unknown, BLACK | unknown), [], BARS)
    assert failure["figure"] == "largest_color"
    not_judged = summarise(clip_of(unknown), [])["not_judged"]
    assert (not_judged["surfaces"], not_judged["one_surface"]) == (1, 1)


def test_names_and_colours_have_no_mean() -> None:
    summary = summarise(clip_of({}, EMPTY), [])
    assert summary["surface_share"] == {"mean": pytest.approx(0.005015), "worst": 0.00003}
    assert not {"largest_surface_is", "largest_color_is"} & summary.keys()
