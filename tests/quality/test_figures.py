from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.quality import pair_figures, warp_error

KEYS = [
    "warp_error",
    "warp_error_bilinear",
    "warp_error_flat",
    "warp_error_flat_bilinear",
    "occluded_share",
    "invalid_share",
    "largest_motion",
    "median_motion",
]


def figures_of(**changes: Any) -> dict[str, float | None]:
    random = np.random.default_rng(3)
    arguments: dict[str, Any] = {
        "source": random.integers(0, 256, (4, 5, 3)).astype(np.uint8),
        "target": random.integers(0, 256, (4, 5, 3)).astype(np.uint8),
        "flow": np.zeros((4, 5, 2), np.float32),
        "occlusion": np.zeros((4, 5), bool),
    }
    return pair_figures(**(arguments | changes))


def test_figures_of_a_pair_worked_out_by_hand() -> None:
    flow = np.zeros((4, 5, 2), np.float32)
    flow[0, 0] = (3, 4)
    flow[1] = (0.6, -0.8)
    flow[2] = (0.6, 0.8)
    flow[3] = UNKNOWN_FLOW
    occlusion = np.zeros((4, 5), bool)
    occlusion[3] = occlusion[0, 0] = True
    source, target = np.full((4, 5, 3), 100, np.uint8), np.full((4, 5, 3), 151, np.uint8)
    figures = figures_of(
        source=source, target=target, flow=flow, occlusion=occlusion, source_flat=source, target_flat=source
    )
    assert list(figures) == KEYS
    assert figures["warp_error"] == 0.2
    assert figures["warp_error_flat"] == 0
    assert figures["occluded_share"] == 0.3
    assert figures["invalid_share"] == 0.25
    assert figures["largest_motion"] == 5
    assert figures["median_motion"] == pytest.approx(1, abs=1e-6)


def test_warp_errors_are_those_of_the_function() -> None:
    random = np.random.default_rng(4)
    source, target, flat, flat_target = random.integers(0, 256, (4, 6, 7, 3)).astype(np.uint8)
    flow = random.normal(0, 2, (6, 7, 2)).astype(np.float32)
    occlusion = random.random((6, 7)) < 0.3
    figures = pair_figures(source, target, flow, occlusion, source_flat=flat, target_flat=flat_target)
    assert figures["warp_error"] == pytest.approx(warp_error(source, target, flow, occlusion), abs=1e-9)
    assert figures["warp_error_flat"] == pytest.approx(warp_error(flat, flat_target, flow, occlusion), abs=1e-9)
    bilinear = warp_error(source, target, flow, occlusion, "bilinear")
    assert figures["warp_error_bilinear"] == pytest.approx(bilinear, abs=1e-9)
    bilinear = warp_error(flat, flat_target, flow, occlusion, "bilinear")
    assert figures["warp_error_flat_bilinear"] == pytest.approx(bilinear, abs=1e-9)


def test_what_cannot_be_had_is_none_and_the_json_is_standard() -> None:
    unknown = np.full((4, 5, 2), UNKNOWN_FLOW)
    figures = figures_of(flow=unknown, occlusion=np.ones((4, 5), bool))
    assert figures == dict.fromkeys(KEYS) | {"occluded_share": 1, "invalid_share": 1}
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert all(type(value) is float for value in figures_of().values() if value is not None)
    assert figures_of()["warp_error_flat"] is None


def test_one_flat_frame_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="both frames without lines, or neither"):
        figures_of(source_flat=np.zeros((4, 5, 3), np.uint8))
