"""Holding a dataset against a truth must notice what is planted in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from random_scene.hold import hold_cut, hold_pair, read_flow
from random_scene.truth import CANDIDATES, PairTruth, Seen, State, read_truth, write_truth

SHAPE = (12, 16)


def truth_of(**changes: Any) -> PairTruth:
    """Everything moves by (2.5, -1), is kept, and is seen."""
    height, width = SHAPE
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    targets = np.full((*SHAPE, CANDIDATES, 2), np.nan)
    targets[:, :, 0] = grid + np.array((2.5, -1.0))
    values = {
        "state": np.full(SHAPE, State.KNOWN, np.uint8),
        "targets": targets,
        "kept": np.ones(SHAPE, bool),
        "seen": np.full(SHAPE, Seen.YES, np.uint8),
        "steepness": np.ones(SHAPE, np.float32),
        "recipe": np.zeros(SHAPE, np.int16),
        "split": np.zeros(SHAPE, bool),
    }
    return PairTruth(**(values | changes))


def right_flow() -> np.ndarray[Any, Any]:
    return np.broadcast_to(np.array((2.5, -1.0), np.float32), (*SHAPE, 2)).copy()


ALL, NONE = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)


def test_a_right_flow_is_right() -> None:
    verdict = hold_pair(truth_of(), right_flow(), ALL, NONE)[0]
    assert not verdict.faulty
    assert verdict.kept == verdict.kept_valid == verdict.occlusion_held == SHAPE[0] * SHAPE[1]


def test_a_hundredth_of_a_pixel_is_noticed() -> None:
    flow = right_flow()
    flow[5, 7, 1] += 0.01
    verdict = hold_pair(truth_of(), flow, ALL, NONE)[0]
    assert verdict.wrong == 1
    assert verdict.worst == pytest.approx(0.01, abs=1e-6)
    assert "(7, 5)" in verdict.examples["off"].words


def test_an_unknown_flow_is_not_wrong_but_counts_against_what_is_kept() -> None:
    flow, valid = right_flow(), ALL.copy()
    flow[5, 7] = 1e10
    valid[5, 7] = False
    verdict = hold_pair(truth_of(), flow, valid, ~valid)[0]
    assert not verdict.faulty
    assert verdict.kept - verdict.kept_valid == 1


@pytest.mark.parametrize(("state", "count"), [(State.GONE, "wrong"), (State.NO_IDENTITY, "nameless")])
def test_nothing_may_be_valid_that_is_not_there_or_has_no_identity(state: State, count: str) -> None:
    states = np.full(SHAPE, State.KNOWN, np.uint8)
    states[5, 7] = state
    truth = truth_of(state=states)
    assert getattr(hold_pair(truth, right_flow(), ALL, NONE)[0], count) == 1
    assert getattr(hold_pair(truth, right_flow(), states == State.KNOWN, NONE)[0], count) == 0


def test_what_is_skipped_is_not_held() -> None:
    flow = right_flow() + 5
    assert not hold_pair(truth_of(state=np.full(SHAPE, State.SKIPPED, np.uint8)), flow, ALL, NONE)[0].faulty


def test_any_of_several_points_of_one_identity_will_do() -> None:
    truth = truth_of()
    truth.targets[5, 7, 1] = truth.targets[5, 7, 0] + (3.0, 0.0)
    flow = right_flow()
    flow[5, 7, 0] += 3.0
    assert hold_pair(truth, flow, ALL, NONE)[0].wrong == 0
    flow[5, 7, 0] += 3.0
    assert hold_pair(truth, flow, ALL, NONE)[0].wrong == 1


def test_a_face_seen_from_its_edge_is_left_to_rounding() -> None:
    flow = right_flow()
    flow[5, 7, 1] += 0.01
    steep = np.ones(SHAPE, np.float32)
    steep[5, 7] = 1000.0
    assert hold_pair(truth_of(steepness=steep), flow, ALL, NONE)[0].wrong == 0


def test_wrong_occlusion_is_noticed_both_ways_and_only_where_it_is_sure() -> None:
    seen = np.full(SHAPE, Seen.YES, np.uint8)
    seen[:6] = Seen.NO
    seen[5:7] = Seen.UNSURE
    occluded = np.zeros(SHAPE, bool)
    occluded[:6] = True
    assert hold_pair(truth_of(seen=seen), right_flow(), ALL, occluded)[0].occlusion == 0
    occluded[2, 3], occluded[9, 3] = False, True
    verdict = hold_pair(truth_of(seen=seen), right_flow(), ALL, occluded)[0]
    assert verdict.occlusion == 2
    assert set(verdict.examples) == {"hidden, but called seen", "seen, but called hidden"}


def test_files_are_held_as_they_lie_on_disk(tmp_path: Path) -> None:
    write_truth(tmp_path / "truth.npz", {("forward", 1): truth_of()})
    truths = read_truth(tmp_path / "truth.npz")
    flow = right_flow()
    flow[5, 7, 0] -= 0.01
    base = tmp_path / "train"
    for folder in ("Flow", "Valid", "ExactOcclusion"):
        (base / folder / "cut" / "forward").mkdir(parents=True)
    height, width = SHAPE
    header = b"PIEH" + np.array((width, height), np.int32).tobytes()
    (base / "Flow/cut/forward/0001.flo").write_bytes(header + flow.tobytes())
    cv2.imwrite(str(base / "Valid/cut/forward/0001.png"), np.full(SHAPE, 255, np.uint8))
    cv2.imwrite(str(base / "ExactOcclusion/cut/forward/0001.png"), np.zeros(SHAPE, np.uint8))
    verdict = hold_cut(tmp_path, "cut", truths)[0]
    assert (verdict.wrong, verdict.occlusion) == (1, 0)
    assert "forward of frame 1, pixel (7, 5)" in verdict.examples["off"].words
    (base / "Valid/cut/forward/0001.png").unlink()
    with pytest.raises(OSError, match="is missing or no picture"):
        hold_cut(tmp_path, "cut", truths)
    (base / "Flow/cut/forward/0001.flo").write_bytes(b"none" + header)
    with pytest.raises(ValueError, match="is no Middlebury flow"):
        read_flow(base / "Flow/cut/forward/0001.flo")
