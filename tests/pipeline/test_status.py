from __future__ import annotations

import json
import os
import subprocess
import sys
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.cli import main
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.ledger import read_ledger
from animerun_gen.pipeline.state.lock import exclusive, holder
from animerun_gen.pipeline.state.status import StageStatus, describe_status, read_status
from tests.pipeline.datasets import contents, edit_ledger, make, make_cut, times
from tests.pipeline.fake_engine import FakeEngine


def status_json(output: Path, tmp_path: Path) -> tuple[int, dict[str, Any]]:
    """Exit status of the command, and what it writes for other programs."""
    code = main(["status", str(output), "--json", str(tmp_path / "status.json")])
    return code, json.loads((tmp_path / "status.json").read_bytes())


def test_a_finished_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    changes = {"motion": {"gaps": [1, 2], "tracks": 7}, "recolor": {"passes": 2}}
    make([make_cut(tmp_path, {"name": "a", **changes}), make_cut(tmp_path, {"name": "b"})], output, FakeEngine())
    before = times(output)
    code, found = status_json(output, tmp_path)
    assert (code, found["complete"], found["running"]) == (0, True, None)
    [a, b] = found["cuts"]
    assert a["state"] == b["state"] == "complete"
    # 5 frames: 3 pictures each; 4 pairs both ways: flow, valid, exact occlusion; 3 over the gap; 2 ids; tracks; cameras
    assert a["stages"]["pictures"] == {"done": 15, "total": 15}
    assert a["stages"]["motion"] == {"done": 4 * 6 + 3 * 6 + 10 + 1 + 1, "total": 54}
    assert a["stages"]["labels"] == {"done": 5 + 4 * 5, "total": 25}
    assert a["stages"]["recolor"] == {"done": 10, "total": 10}
    assert "recolor" not in b["stages"]
    assert times(output) == before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["cut", "split", "state", "pictures", "motion", "labels", "recolor"]
    assert lines[2].split() == ["b", "train", "complete", "15/15", "35/35", "25/25", "-"]
    assert lines[-1] == "2 of 2 cuts are complete"


def test_what_is_missing_is_counted_and_said(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    (output / "train/Flow/square/forward/0002.flo").unlink()
    (output / "train/Segment/square/0003.npy").write_bytes(b"")
    [cut] = read_status(output).cuts
    assert cut.state == "incomplete"
    assert cut.stages["motion"] == StageStatus(34, 35)
    assert cut.stages["labels"] == StageStatus(24, 25)
    lines = describe_status(read_status(output), output)
    assert any(
        line.startswith("square: 4 of 5 frames and 3 of 4 pairs are complete; missing: frames 3") for line in lines
    )
    assert lines[-1] == f"make missing files with: animerun-gen generate CONFIG_OR_FOLDER --out {output}"
    assert main(["status", str(output)]) == 1
    make(config, output, FakeEngine())
    assert main(["status", str(output)]) == 0


def test_rendered_and_not_labelled(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine(), label=False)
    [cut] = read_status(output).cuts
    assert cut.state == "incomplete"
    assert cut.stages["pictures"] == StageStatus(15, 15)
    assert cut.stages["labels"] == StageStatus(0, 25)


def test_failures_are_kept_until_the_cut_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, output = make_cut(tmp_path, {"name": "good"}), make_cut(tmp_path, {"name": "bad"}), tmp_path / "out"
    generate([good, bad], Options(output, FakeEngine(fails_in={"bad": 3})))
    status = read_status(output)
    assert {cut.cut: cut.state for cut in status.cuts} == {"bad": "failed", "good": "complete"}
    assert main(["status", str(output)]) == 1
    assert "bad: failed: cut 'bad', in frame 3 (flat): the fake engine was told to fail" in capsys.readouterr().out
    make(good, output, FakeEngine())
    assert read_status(output).cuts[0].failures
    make(bad, output, FakeEngine())
    assert read_status(output).complete
    assert read_ledger(output, "bad").failures == ()


def test_while_a_run_is_going_on(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine(), label=False)
    assert read_status(output).running is None
    with exclusive(output):
        status = read_status(output)
        assert status.running == os.getpid()
        assert status.cuts[0].state == "running"
        assert describe_status(status, output)[-1].startswith(
            f"a run is writing to the dataset (process {os.getpid()})"
        )
    assert holder(output) is None


def test_it_is_seen_from_another_process_and_keeps_no_run_from_beginning(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    script = (
        "from animerun_gen.pipeline.state.lock import holder; from pathlib import Path; "
        f"print(holder(Path({str(output)!r})))"
    )
    with exclusive(output):
        answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        assert int(answer) == os.getpid()
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert answer.strip() == "None"


def test_a_dataset_that_was_made_elsewhere_is_referred_to_verify(tmp_path: Path) -> None:
    (tmp_path / "AnimeRun/test/Frame_Anime/fight/original").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"AnimeRun was made elsewhere: .*: animerun-gen verify "):
        read_status(tmp_path / "AnimeRun")
    with pytest.raises(DatasetError, match="is not a dataset: no cut has been started there"):
        read_status(tmp_path)
    with pytest.raises(DatasetError, match="nowhere is not a folder"):
        read_status(tmp_path / "nowhere")


def test_cuts_of_others_beside_ours_are_named(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    (output / "test/Frame_Anime/fight/original").mkdir(parents=True)
    status = read_status(output)
    assert status.foreign == ["fight"]
    assert "made elsewhere, not checked: fight" in describe_status(status, output)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"config": {"name": 3}}'])
def test_a_damaged_record_is_said(tmp_path: Path, damage: bytes) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    whole = contents(output)
    (output / ".animerun-gen/cuts/square.json").write_bytes(damage)
    [cut] = read_status(output).cuts
    assert cut.state == "incomplete"
    assert "cuts/square.json cannot be read: the next run makes the cut again" in cut.missing[0]
    make(config, output, FakeEngine())
    assert contents(output) == whole


def test_damaged_failures_are_none(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    damages: tuple[object, ...] = ({}, [3], "failed")
    for damage in damages:
        edit_ledger(output, "square", methodcaller("update", failures=damage))
        [cut] = read_status(output).cuts
        assert cut.failures == []
        assert "cannot be read: the next run makes the cut again" in cut.missing[0]
