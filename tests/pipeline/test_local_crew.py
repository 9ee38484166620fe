"""Local workers: what a killed child costs, and how work is cut up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.engines.children import ChildDied, Conditions
from animerun_gen.engines.processes import descendants
from animerun_gen.pipeline.crew import threads_for
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.task_process import TaskProcess, end_idle_children
from animerun_gen.pipeline.tasks.labelling import LabelTask
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_engine import FakeEngine, FakeProgram

CLIP = {"frames": {"last": 7}, "motion": {"gaps": [1, 2], "tracks": 3}, "recolor": {"passes": 1}}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_however_the_work_is_cut_up_the_bytes_are_the_same(tmp_path: Path, size: int) -> None:
    config, whole, engine = make_cut(tmp_path, CLIP), FakeEngine(), FakeEngine()
    make(config, tmp_path / "whole", whole)
    make(config, tmp_path / "parts", engine, chunk_frames=size)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert len(engine.jobs) > len(whole.jobs)
    # each pair exactly once, those across borders among them
    assert set(Counter(pair for job in engine.jobs for pair in job.pairs).values()) == {1}
    assert {pair for job in engine.jobs for pair in job.pairs} == {pair for job in whole.jobs for pair in job.pairs}


def kill_soon(mark: bytes, times: int) -> threading.Thread:
    """Kill children of this process whose command has a mark, one after the other."""

    def kill() -> None:
        killed: set[int] = set()
        end = time.monotonic() + 30.0
        while len(killed) < times and time.monotonic() < end:
            for child in set(descendants(os.getpid())) - killed:
                try:
                    if mark in Path(f"/proc/{child}/cmdline").read_bytes():
                        os.kill(child, signal.SIGKILL)
                        killed.add(child)
                        break
                except OSError:
                    continue
            time.sleep(0.15)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def test_killed_children_that_render_are_replaced(tmp_path: Path) -> None:
    config = make_cut(tmp_path, CLIP)
    make(config, tmp_path / "undisturbed", FakeEngine())
    killer = kill_soon(b"fake_engine.py", 2)
    [summary] = make(config, tmp_path / "out", FakeProgram(delay=0.02), workers=2, chunk_frames=4)
    killer.join()
    assert contents(tmp_path / "out") == contents(tmp_path / "undisturbed")
    retries = [note for note in summary.notes if note.endswith("restarted")]
    assert retries
    assert all("Blender died of SIGKILL" in note for note in retries)


def test_a_child_that_keeps_dying_costs_its_frame_and_the_rest_is_made(tmp_path: Path) -> None:
    config = make_cut(tmp_path, {"frames": {"last": 6}})
    [summary] = generate([config], Options(tmp_path / "out", FakeProgram(dies_in=4), workers=2))
    [failure] = summary.failures
    assert "in frame 4" in failure
    assert summary.coverage is not None
    assert summary.coverage.missing_frames == (4,)
    assert summary.coverage.missing_pairs == ((3, 4), (4, 5))
    make(config, tmp_path / "out", FakeEngine())
    make(config, tmp_path / "undisturbed", FakeEngine())
    assert contents(tmp_path / "out") == contents(tmp_path / "undisturbed")


def task_children() -> list[int]:
    """The labelling processes of this one."""
    return [one for one in descendants(os.getpid()) if b"pool_child" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_a_killed_labelling_child_is_told_and_the_next_one_does_the_rest(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path, {"frames": {"last": 9}}), tmp_path / "out"
    make(config, output, FakeEngine(), label=False)
    tasks = [LabelTask(config, output, frame) for frame in config.frame_numbers]
    told: list[Any] = []

    def kill(event: Any) -> None:
        told.append(event)
        if event["event"] == "task_done" and event["number"] == 1:
            run.kill()

    run = TaskProcess(tasks, Conditions())
    try:
        with pytest.raises(ChildDied, match="a labelling or recolouring process died of SIGKILL"):
            run.run(kill)
        again: list[Any] = []
        TaskProcess(tasks, Conditions()).run(again.append)
        assert [event["event"] for event in again] == ["task_done"] * 9
        # the child is kept, and can be given more
        [kept] = task_children()
        TaskProcess(tasks[:1], Conditions()).run(again.append)
        assert task_children() == [kept]
    finally:
        end_idle_children()
    assert not task_children()


def test_workers_share_the_processors() -> None:
    processors = len(os.sched_getaffinity(0))
    assert threads_for(1) == processors
    assert threads_for(2) == max(1, processors // 2)
    assert threads_for(10 * processors) == 1
    assert Conditions(threads=3).environment()["LP_NUM_THREADS"] == "3"


def test_a_script_needs_no_guard_to_use_several_workers(tmp_path: Path) -> None:
    """What does the work does not run the script again."""
    make(make_cut(tmp_path), tmp_path / "out", FakeEngine(), label=False)
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from animerun_gen.pipeline.run import Options, generate\n"
        "from tests.pipeline.datasets import make_cut\n"
        "print('begun')\n"
        "folder = Path(__file__).parent\n"
        "[summary] = generate([make_cut(folder)], Options(folder / 'out', None, render=False, workers=2))\n"
        "print(summary.labelled, summary.failures)\n"
    )
    project = Path(__file__).parent.parent.parent
    environment = os.environ | {"PYTHONPATH": str(project)}
    done = subprocess.run([sys.executable, script], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "begun\n9 []\n"), done.stderr


def test_a_process_that_was_forked_after_a_run_can_make_another(tmp_path: Path) -> None:
    """It has none of the threads that Dask started in its parent."""
    folders = [tmp_path / "parent", tmp_path / "child"]
    for folder in folders:
        folder.mkdir()
    make(make_cut(folders[0]), folders[0] / "out", FakeProgram())
    config = make_cut(folders[1])
    child = multiprocessing.get_context("fork").Process(target=make, args=(config, folders[1] / "out", FakeProgram()))
    child.start()
    child.join(120.0)
    hangs = child.is_alive()
    child.kill()
    child.join()
    assert not hangs
    assert child.exitcode == 0
