"""What becomes of pixels whose motion is unknown: marked, filled or refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.config import CutConfig
from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset import ClipFiles, layout
from animerun_gen.dataset.modalities import at_gap, modality
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.summary import CutSummary
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, make, make_cut, times
from tests.pipeline.fake_engine import FakeEngine

UNKNOWN = {"background": "invalid", "gaps": [1, 2]}


def cut(folder: Path, unknown: str | None, **changes: Any) -> CutConfig:
    """A cut in which the motion of the plain is unknown."""
    return make_cut(folder, {"motion": {**UNKNOWN, "unknown": unknown}, **changes})


def made(folder: Path, unknown: str | None, **changes: Any) -> tuple[ClipFiles, CutSummary]:
    config = cut(folder, unknown, **changes)
    output = folder / str(unknown)
    [summary] = make(config, output, FakeEngine())
    return ClipFiles(output, config.split, "square"), summary


def messages(summary: CutSummary) -> list[str]:
    assert summary.quality is not None
    return [failure["message"] for failure in summary.quality["failures"] if failure["figure"] == "unknown"]


def test_filled_flow_is_finite_and_every_label_is_that_of_marked_flow(tmp_path: Path) -> None:
    marked, filled = made(tmp_path, "mark")[0], made(tmp_path, "fill")[0]
    here, there = contents(marked.root), contents(filled.root)
    differing = {name for name in here if name.startswith("train/") and here[name] != there[name]}
    assert here.keys() == there.keys()
    assert differing == {name for name in here if "/Flow/" in name}
    assert {name.partition("/Flow/")[0] for name in differing} == {"train", "train/Gap2"}
    for gap in (1, 2):
        for way in ("forward", "backward"):
            name, valid_name = (at_gap(modality(f"{kind}_{way}"), gap).name for kind in ("flow", "valid"))
            for frame in filled.frames(name):
                flow, valid = filled.read(name, frame), filled.read(valid_name, frame)
                # the square moves as one, and nothing is known of the plain
                assert 0 < valid.sum() < valid.size
                assert np.abs(flow).max() < 1000
                assert (flow == flow[valid][0]).all()
                as_label = filled.read_motion(way, frame, gap)
                np.testing.assert_array_equal(as_label, marked.read(name, frame))
                assert (as_label[~valid] == UNKNOWN_FLOW).all()


@pytest.mark.parametrize("unknown", ["mark", "fill", "refuse"])
def test_verify_knows_each_of_them(tmp_path: Path, unknown: str) -> None:
    clip, _ = made(tmp_path, unknown)
    [report] = verify(clip.root)
    assert [defect for defect in report.defects if "is unknown" not in defect.what] == []
    assert bool(report.defects) == (unknown == "refuse")


def test_verify_finds_a_fill_that_is_another(tmp_path: Path) -> None:
    clip, _ = made(tmp_path, "fill")
    path = clip.path("flow_forward", 2)
    content = bytearray(path.read_bytes())
    # a pixel of the plain: half a pixel more
    content[12:16] = np.float32(clip.read("flow_forward", 2)[0, 0, 0] + 0.5).tobytes()
    path.write_bytes(content)
    [report] = verify(clip.root)
    [name] = {defect.file for defect in report.defects}
    assert name == path.relative_to(clip.root).as_posix()
    assert any("does not continue the nearest known motion at 1 pixel" in defect.what for defect in report.defects)


def test_refused_motion_fails_the_gate_and_says_where_and_why(tmp_path: Path) -> None:
    _, marked = made(tmp_path, "mark")
    assert messages(marked) == []
    _, refused = made(tmp_path, "refuse")
    [message] = messages(refused)
    width, height = refused.config.resolution
    plain = width * height - 12 * 12
    assert f"is unknown forward from 1-4 and backward from 2-5, up to {plain:,} pixels of a frame" in message
    assert "the motion of the background is not defined there" in message
    assert refused.quality is not None
    assert refused.quality["past_limit"] == [[1, 2], [2, 3], [3, 4], [4, 5]]
    told = refused.quality["pairs"][0]["forward"]["unknown"]
    assert told == [{"object": "", "cause": "background", "pixels": plain, "box": [0, 0, width - 1, height - 1]}]


@pytest.mark.parametrize(
    ("split", "unknown", "refused"),
    [
        ("test", None, True),
        ("train", None, False),
        ("test", "mark", False),
        ("test", "fill", False),
        ("train", "refuse", True),
    ],
)
def test_the_test_split_refuses_unless_it_is_told(
    tmp_path: Path, split: str, unknown: str | None, refused: bool
) -> None:
    assert bool(messages(made(tmp_path, unknown, split=split)[1])) == refused


def test_what_is_all_known_is_not_refused(tmp_path: Path) -> None:
    [summary] = make(make_cut(tmp_path, {"motion": {"unknown": "refuse"}}), tmp_path / "out", FakeEngine())
    assert messages(summary) == []
    assert not layout.unknown_folder(tmp_path / "out", "square").exists()


def test_to_refuse_makes_no_file_again_and_judges_anew(tmp_path: Path) -> None:
    output, engine = tmp_path / "out", FakeEngine()
    make(cut(tmp_path, "mark"), output, engine)
    before, jobs = times(output, ledgers=False), len(engine.jobs)
    [summary] = make(cut(tmp_path, "refuse"), output, engine)
    after = times(output, ledgers=False)
    assert len(messages(summary)) == 1
    assert len(engine.jobs) == jobs
    assert {name for name in before if before[name] != after[name]} == {"quality/square.json", "manifest/square.json"}


def test_to_fill_makes_the_motion_again(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(cut(tmp_path, "mark"), output, FakeEngine())
    [summary] = make(cut(tmp_path, "fill"), output, FakeEngine())
    assert summary.redone["motion"] == 'motion.unknown was "mark" and is "fill"'
    make(cut(tmp_path, "fill"), tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


def test_without_the_record_it_is_refused_all_the_same(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(cut(tmp_path, "refuse"), output, FakeEngine(), label=False)
    shutil.rmtree(layout.unknown_folder(output, "square"))
    [summary] = make(cut(tmp_path, "refuse"), output, None, render=False)
    [message] = messages(summary)
    assert "forward from 1-4 and backward from 2-5: nothing is on record about the reason" in message


def test_a_pair_without_any_motion_fails_the_cut_and_costs_no_other_pair(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path, {"motion": {"gaps": [1, 2]}}), tmp_path / "out"
    for _ in range(2):
        # the next run tries again, and says it again
        [summary] = generate([config], Options(output, FakeEngine(refuses=2)))
        assert summary.failures == ["cut 'square': nothing is known of the motion from frame 2 to 3"]
        assert summary.coverage is not None
        assert summary.coverage.missing_pairs == ((2, 3),)
        assert summary.coverage.missing_frames == ()
    clip = ClipFiles(output, "train", "square")
    assert not clip.has("flow_forward", 2)
    assert not clip.has("occlusion_forward", 2)
    assert all(clip.has("match_forward", frame) for frame in (1, 3, 4))
    make(config, output, FakeEngine())
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")
