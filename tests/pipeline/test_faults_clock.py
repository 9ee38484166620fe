"""Clocks that jump, and files whose times say nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.engines.job import Reporter
from animerun_gen.engines.protocol import Event
from animerun_gen.pipeline import run as running
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.ledger import Ledger
from animerun_gen.pipeline.state.manifest import write_manifest
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_engine import FakeEngine, FakeRun, do_job

FLOW = "train/Flow/square/forward/0002.flo"
YEAR = 365 * 24 * 3600 * 10**9
TIMES = {"1970": 0, "2100": 130 * YEAR, "equal": 50 * YEAR}
"""Nanoseconds since 1970."""


def set_times(root: Path, time: int) -> None:
    """Give all files and folders below a folder one time of change."""
    for path in (root, *root.rglob("*")):
        os.utime(path, ns=(time, time))


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("what", ["dataset", "sources", "both"])
def test_times_alone_let_nothing_be_made_again(tmp_path: Path, time: int, what: str) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    whole = contents(output)
    if what != "sources":
        set_times(output, time)
    if what != "dataset":
        os.utime(config.source, ns=(time, time))
    for _ in range(2):
        engine = FakeEngine()
        [summary] = make(config, output, engine)
        assert not engine.jobs
        assert not summary.labelled
        assert not summary.notes
        assert contents(output) == whole


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_an_altered_file_is_noticed_whatever_its_time(tmp_path: Path, time: int) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    whole = (output / "manifest/square.json").read_bytes()
    data = bytearray((output / FLOW).read_bytes())
    data[20] ^= 1
    (output / FLOW).write_bytes(data)
    set_times(output, time)
    [summary] = make(config, output, FakeEngine())
    assert any(note.startswith(f"files changed since they were made: 1 ({FLOW})") for note in summary.notes)
    assert (output / "manifest/square.json").read_bytes() == whole


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_a_changed_film_is_noticed_whatever_its_time(tmp_path: Path, time: int) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    os.utime(config.source, ns=(time, time))
    make(config, output, FakeEngine())
    # as long as before
    config.source.write_bytes(b"b film")
    os.utime(config.source, ns=(time, time))
    [summary] = make(config, output, FakeEngine())
    assert set(summary.redone) == {"pictures", "motion", "labels"}
    make(config, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


class JumpingRun(FakeRun):
    """The clock of the disk stands elsewhere for every file that is made."""

    def run(self, on_event: Callable[[Event], None]) -> None:
        times = iter([0, 130 * YEAR] * 100)

        def passed_on(event: Event) -> None:
            on_event(event)
            if event["event"] == "frame_done":
                set_times(self.job.output / "train", next(times))

        do_job(self.job, Reporter(passed_on), self.engine)


class JumpingEngine(FakeEngine):
    def start(self, job, log, conditions=None):  # type: ignore[no-untyped-def]
        return JumpingRun(self, job)


def test_a_clock_that_jumps_while_files_are_made(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    whole = contents(output)
    other = make_cut(tmp_path, {"lines": {"thickness": 3.0}})
    make(other, output, JumpingEngine())
    make(other, tmp_path / "other", FakeEngine())
    assert contents(output) == contents(tmp_path / "other")
    (output / FLOW).unlink()
    [summary] = make(config, output, JumpingEngine())
    assert contents(output) == whole
    assert not summary.notes
    assert not any(report.defects for report in verify(output))


def test_a_file_that_a_run_made_is_not_taken_for_altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where it differs from what the manifest knew, and its time is that of the file before."""
    config, output = make_cut(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())

    def late(ledger: Ledger, *arguments: Any) -> list[str]:
        data = bytearray((ledger.output / FLOW).read_bytes())
        data[20] ^= 1
        (ledger.output / FLOW).write_bytes(data)
        os.utime(ledger.output / FLOW, ns=(0, 0))
        return write_manifest(ledger, *arguments)

    (output / FLOW).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(running, "write_manifest", late)
        [summary] = generate([config], Options(output, FakeEngine()))
    assert not summary.notes
