"""Hidden folders of datasets that version 0.7.0 made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.cli import main
from animerun_gen.config import CutConfig
from animerun_gen.dataset.files import write_json
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.ledger import move_over, read_ledger
from animerun_gen.pipeline.state.status import read_status
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, make, make_cut, times
from tests.pipeline.fake_engine import FakeEngine
from tests.pipeline.test_camera_cuts import FilmingEngine, split
from tests.pipeline.test_line_engine import CountingEngine

STATE = ".animerun-gen"

OLD_FOLDERS = (
    "camera_marks",
    "line_figures",
    "worker_memory",
    "failures",
    "judged",
    "checksums",
    "frame_figures",
    "cross_check",
    "inputs",
)


def age(output: Path) -> None:
    """Bring a dataset into the form that version 0.7.0 would have given it."""
    state = output / STATE
    for ledger in (state / "cuts").glob("*.json"):
        cut, kept = ledger.stem, json.loads(ledger.read_bytes())
        ledger.unlink()
        if kept["made_from"] is not None:
            write_json(ledger, kept["made_from"] | {"reading": kept["reading"]})
        sections: dict[str, Any] = {name: kept[name] for name in ("camera_marks", "line_figures", "worker_memory")}
        if kept["made_from"] is not None:
            # a checksum of marks that were those of files, which are others now
            sections["checksums"] = {"version": 2, "files": kept["checksums"]["files"], "summed_up": "1 2, 3 4"}
        sections |= {"judged": kept["judged"], "failures": kept["failures"]}
        for name, section in sections.items():
            if section:
                write_json(state / name / f"{cut}.json", section)
    for file in sorted(state.glob("figures/*/*.json")):
        kind, _, frame = file.stem.partition("-")
        folder = {"frame": "frame_figures", "pair": "figures", "cross_check": "cross_check"}[kind]
        (state / folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        file.rename(state / folder / file.parent.name / f"{frame}.json")
    (state / "inputs").mkdir()
    (state / "films.json").rename(state / "inputs" / "checksums.json")


@pytest.fixture
def config(tmp_path: Path) -> CutConfig:
    return make_cut(tmp_path, {"lines": {"engine": "auto"}, "recolor": {"passes": 1}})


@pytest.fixture
def output(tmp_path: Path, config: CutConfig) -> Path:
    """A dataset of an old form."""
    output = tmp_path / "out"
    make(config, output, CountingEngine(), cross_check=True)
    shutil.copytree(output, tmp_path / "whole", symlinks=True)
    age(output)
    return output


def test_nothing_is_made_again_and_nothing_old_is_left(tmp_path: Path, config: CutConfig, output: Path) -> None:
    before = {name: time for name, time in times(output).items() if not name.startswith(STATE)}
    engine = CountingEngine()
    [summary] = make(config, output, engine, cross_check=True)
    assert (engine.jobs, engine.asked, summary.redone, summary.labelled) == ([], [], {}, 0)
    assert before == {name: time for name, time in times(output).items() if not name.startswith(STATE)}
    assert contents(output) == contents(tmp_path / "whole")
    assert not [name for name in OLD_FOLDERS if (output / STATE / name).exists()]
    assert read_status(output).complete
    as_moved = times(output)
    make(config, output, engine, cross_check=True)
    assert times(output) == as_moved


def test_who_only_looks_reads_the_old_form_and_changes_nothing(config: CutConfig, output: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.json")}
    assert read_status(output).complete
    assert not any(report.defects for report in verify(output, quick=True))
    assert read_ledger(output, "square").line_figures is not None
    assert before == {path: path.stat().st_mtime_ns for path in output.rglob("*.json")}


def test_what_was_moved_in_part_is_moved_to_the_end(tmp_path: Path, config: CutConfig, output: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(output / STATE, old)
    move_over(output)
    # killed before the old files were removed: what is new counts
    for name in ("checksums", "judged", "inputs"):
        shutil.copytree(old / name, output / STATE / name)
    write_json(output / STATE / "failures" / "square.json", ["of an old run"])
    make(config, output, CountingEngine(), cross_check=True)
    assert contents(output) == contents(tmp_path / "whole")
    assert not [name for name in OLD_FOLDERS if (output / STATE / name).exists()]


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"version": 2, "files": 3}'])
def test_a_damaged_old_file_spoils_no_other(tmp_path: Path, config: CutConfig, output: Path, damage: bytes) -> None:
    for name in ("checksums", "judged", "worker_memory", "failures"):
        (output / STATE / name).mkdir(exist_ok=True)
        (output / STATE / name / "square.json").write_bytes(damage)
    (output / STATE / "inputs" / "checksums.json").write_bytes(damage)
    [summary] = make(config, output, FakeEngine(), cross_check=True)
    assert (summary.redone, summary.labelled) == ({}, 0)
    assert contents(output) == contents(tmp_path / "whole")


def test_damage_before_the_move_does_not_become_the_truth(config: CutConfig, output: Path) -> None:
    flow = output / "train/Flow/square/forward/0002.flo"
    data = bytearray(flow.read_bytes())
    data[-1] ^= 1
    flow.write_bytes(data)
    [summary] = generate([config], Options(output, CountingEngine(), cross_check=True))
    assert summary.damaged == ["train/Flow/square/forward/0002.flo"]


def test_a_damaged_file_of_an_old_dataset_is_repaired(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animerun_gen.engines.blenders.BpyModule.find", CountingEngine)
    label = output / "train/Segment/square/0002.npy"
    label.write_bytes(label.read_bytes()[:-1])
    assert main(["verify", str(output), "--repair"]) == 0
    assert contents(output) == contents(tmp_path / "whole")


def test_failures_and_camera_marks_are_moved_as_well(tmp_path: Path) -> None:
    output, engine = tmp_path / "out", FilmingEngine()
    generate([split(tmp_path)], Options(output, FilmingEngine(fails_in={"square-1": 3})))
    failures = read_ledger(output, "square-1").failures
    assert failures
    age(output)
    assert {cut.cut: cut.state for cut in read_status(output).cuts} == {"square-1": "failed", "square-3": "complete"}
    move_over(output)
    assert read_ledger(output, "square-1").failures == failures
    assert not read_ledger(output, "square").begun
    summaries = generate([split(tmp_path)], Options(output, engine))
    assert engine.asked == []
    assert not any(summary.failures for summary in summaries)
