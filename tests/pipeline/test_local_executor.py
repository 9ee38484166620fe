"""Local workers: what a killed child costs, how work is cut up, and how memory is minded."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.engines.children import ChildDied, Conditions
from animerun_gen.engines.fence import Fence
from animerun_gen.engines.processes import Memory, descendants
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import NoRoomError
from animerun_gen.pipeline.local_executor import LocalExecutor, threads_for
from animerun_gen.pipeline.run import Options, generate
from animerun_gen.pipeline.scheduling import Ended, Told
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
    return [one for one in descendants(os.getpid()) if b"task_child" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_a_killed_labelling_child_is_told_and_the_next_one_does_the_rest(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path, {"frames": {"last": 9}}), tmp_path / "out"
    make(config, output, FakeEngine(), label=False)
    tasks = [LabelTask(config, output, frame) for frame in config.frame_numbers]
    told: list[Event] = []

    def kill(event: Event) -> None:
        told.append(event)
        if event["number"] == 1:
            run.kill()

    run = TaskProcess(tasks, Conditions())
    try:
        with pytest.raises(ChildDied, match="a labelling or recolouring process died of SIGKILL"):
            run.run(kill)
        again: list[Event] = []
        TaskProcess(tasks, Conditions()).run(again.append)
        assert [event["event"] for event in again] == ["task_done"] * 9
        # the child is kept, and can be given more
        [kept] = task_children()
        TaskProcess(tasks[:1], Conditions()).run(again.append)
        assert task_children() == [kept]
    finally:
        end_idle_children()
    assert not task_children()


class Rendering:
    """A chunk that renders until it is killed, and needs memory."""

    renders = True
    cost = 1.0

    def __init__(self, cut: str, peak: int, will_hold: int = 0) -> None:
        self.cut = cut
        self.peak = peak
        self.room = True
        self._will_hold = will_hold
        self._killed = threading.Event()

    def start(self, conditions: Conditions) -> Rendering:
        return self

    def run(self, on_event: Callable[[Event], None]) -> None:
        if self._will_hold:
            on_event({"event": "will_hold", "frame": 1, "memory": self._will_hold})
        self._killed.wait(30.0)
        if not self.room:
            raise NoRoomError("cut 'a': Freestyle would need about 22 GB")
        raise ChildDied("Blender died.", "Blender died")

    def kill(self) -> None:
        self._killed.set()


def local(tmp_path: Path, said: list[str], available: list[int], peaks: dict[str, int] | None = None) -> LocalExecutor:
    return LocalExecutor(3, 60.0, Fence(tmp_path, ""), said.append, peaks, memory=lambda: Memory(100, available[0]))


def test_no_more_chunks_are_begun_than_memory_holds(tmp_path: Path) -> None:
    said: list[str] = []
    available = [90]
    executor = local(tmp_path, said, available)
    first, second = Rendering("a", 40), Rendering("a", 40)
    assert executor.fits(first)  # type: ignore[arg-type]
    executor.submit(0, first, frozenset())  # type: ignore[arg-type]
    available[0] = 50
    assert executor.fits(second)  # type: ignore[arg-type]
    available[0] = 39
    assert not executor.fits(second)  # type: ignore[arg-type]
    assert not executor.fits(second)  # type: ignore[arg-type]
    assert said == ["cut 'a' needs about 0.0 GB a worker: only 1 of 3 workers fit into the memory of this machine"]
    # what labels need is little
    label: Any = Rendering("a", 40)
    label.renders = False
    assert executor.fits(label)
    executor.close()


def test_when_memory_runs_out_the_youngest_is_ended_and_its_chunk_kept(tmp_path: Path) -> None:
    said: list[str] = []
    available = [90]
    executor = local(tmp_path, said, available)
    for ticket in range(3):
        executor.submit(ticket, Rendering("a", 1), frozenset())  # type: ignore[arg-type]
    assert executor.messages(0.05) == []
    available[0] = 4
    assert executor.messages(0.05) == []
    available[0] = 30
    [ended] = executor.messages(5.0)
    assert isinstance(ended, Ended)
    assert (ended.ticket, ended.outcome.status) == (2, "stopped")
    assert executor.slots() == 2
    assert "the youngest Blender process is ended" in said[0]
    executor.close()


def test_what_an_earlier_run_saw_counts_before_the_first_blender_has_grown(tmp_path: Path) -> None:
    executor = local(tmp_path, [], [70], {"a": 40})
    executor.submit(0, Rendering("a", 5), frozenset())  # type: ignore[arg-type]
    # it will ask for 35 more
    assert not executor.fits(Rendering("a", 0))  # type: ignore[arg-type]
    assert executor.fits(Rendering("b", 0))  # type: ignore[arg-type]
    executor.close()


def test_what_a_blender_predicts_keeps_others_of_its_cut_from_beginning(tmp_path: Path) -> None:
    executor = local(tmp_path, [], [70])
    executor.submit(0, Rendering("a", 5, will_hold=40), frozenset())  # type: ignore[arg-type]
    [told] = executor.messages(5.0)
    assert isinstance(told, Told)
    assert not executor.fits(Rendering("a", 0))  # type: ignore[arg-type]
    executor.close()


def test_of_blenders_that_will_not_fit_together_the_youngest_is_ended_in_time(tmp_path: Path) -> None:
    said: list[str] = []
    executor = local(tmp_path, said, [60])
    for ticket in range(2):
        executor.submit(ticket, Rendering("a", 5, will_hold=40), frozenset())  # type: ignore[arg-type]
    ended: list[Ended] = []
    end = time.monotonic() + 10.0
    while not ended and time.monotonic() < end:
        ended = [message for message in executor.messages(0.1) if isinstance(message, Ended)]
    assert [(one.ticket, one.outcome.status) for one in ended] == [(1, "stopped")]
    assert len(said) == 1
    assert "the youngest one is ended, and its work is restarted when memory is free" in said[0]
    # lighter cuts may still have all workers
    assert executor.slots() == 3
    executor.close()


@pytest.mark.parametrize("company", [True, False])
def test_a_blender_without_room_is_begun_again_if_it_was_not_alone(tmp_path: Path, company: bool) -> None:
    executor = local(tmp_path, [], [60])
    crowded, other = Rendering("a", 5), Rendering("b", 5)
    crowded.room = False
    executor.submit(0, crowded, frozenset())  # type: ignore[arg-type]
    if company:
        executor.submit(1, other, frozenset())  # type: ignore[arg-type]
    crowded.kill()
    [ended] = executor.messages(5.0)
    assert isinstance(ended, Ended)
    assert ended.outcome.status == ("stopped" if company else "failed")
    assert ended.outcome.sentence == "cut 'a': Freestyle would need about 22 GB"
    executor.close()


def test_workers_share_the_processors() -> None:
    processors = len(os.sched_getaffinity(0))
    assert threads_for(1) == processors
    assert threads_for(2) == max(1, processors // 2)
    assert threads_for(10 * processors) == 1
    assert Conditions(threads=3).environment()["LP_NUM_THREADS"] == "3"
