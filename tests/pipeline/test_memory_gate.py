"""Which Blenders are let begin, and which ended, by how much memory there is."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.engines.children import ChildDied
from animerun_gen.engines.fence import RunOver
from animerun_gen.engines.processes import Memory
from animerun_gen.engines.protocol import Event
from animerun_gen.pipeline import memory_gate as module
from animerun_gen.pipeline.chunks import Outcome
from animerun_gen.pipeline.memory_gate import Admission, MemoryGate
from tests.pipeline.fake_chunks import FakeChunk


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)


class Rendering:
    """A Blender that renders until it is killed, and needs memory."""

    def __init__(self, peak: int) -> None:
        self.peak = peak
        self.killed = threading.Event()

    def run(self, on_event: Callable[[Event], None]) -> None:
        self.killed.wait(30.0)
        raise ChildDied("Blender died", "cut 'a'", "start it again")

    def kill(self) -> None:
        self.killed.set()


def gate(said: list[str], available: list[int], peaks: dict[str, int] | None = None) -> MemoryGate:
    return MemoryGate(3, said.append, peaks, memory=lambda: Memory(100, available[0]))


def chunk(cut: str = "a", renders: bool = True) -> Any:
    return FakeChunk(f"part of {cut}", cut=cut, renders=renders)


def goes_on() -> None:
    """The run is not over."""


@contextmanager
def waiting(gate: MemoryGate, cut: str, alone: bool = False) -> Iterator[Callable[[float], bool]]:
    """Another thread wants to render; gives a function that tells whether it is let in within so many seconds."""
    let_in, may_leave = threading.Event(), threading.Event()

    def want() -> None:
        with gate.admitted(chunk(cut), alone, goes_on):
            let_in.set()
            may_leave.wait(30.0)

    thread = threading.Thread(target=want)
    thread.start()
    try:
        yield let_in.wait
    finally:
        may_leave.set()
        thread.join(30.0)


def begin(gate: MemoryGate, stack: ExitStack, cut: str, peak: int) -> tuple[Admission, Rendering]:
    admission = stack.enter_context(gate.admitted(chunk(cut), False, goes_on))
    run = Rendering(peak)
    admission.begin(run)
    return admission, run


def test_no_more_blenders_are_begun_than_memory_holds() -> None:
    said: list[str] = []
    available = [90]
    one = gate(said, available)
    with ExitStack() as stack:
        begin(one, stack, "a", 40)
        available[0] = 39
        with ExitStack() as waits:
            let_in = waits.enter_context(waiting(one, "a"))
            assert not let_in(0.3)
            # what labels need is little
            with one.admitted(chunk("a", renders=False), False, goes_on):
                pass
            available[0] = 50
            assert let_in(5.0)
    assert said == ["cut 'a' needs about 0.0 GB a worker: only 1 of 3 workers fit into the memory of this machine"]


def test_without_room_a_chunk_waits_until_it_is_alone_and_then_begins() -> None:
    one = gate([], [10], {"a": 40, "b": 30})
    with ExitStack() as waits:
        with ExitStack() as stack:
            begin(one, stack, "a", 40)
            let_in = waits.enter_context(waiting(one, "b"))
            assert not let_in(0.3)
        assert let_in(5.0)


def test_when_memory_runs_out_the_youngest_is_ended_and_fewer_run_from_there_on() -> None:
    said: list[str] = []
    available = [90]
    one = gate(said, available)
    with ExitStack() as waits, ExitStack() as stack:
        running = [begin(one, stack, "a", 1) for _ in range(3)]
        one.save_memory()
        assert not said
        available[0] = 4
        one.save_memory()
        assert [admission.ended for admission, _ in running] == [False, False, True]
        assert running[2][1].killed.is_set()
        assert "the youngest Blender process is ended, and from now on only 2 run at once" in said[0]
        # one at a time: it takes a moment until the memory is free
        one.save_memory()
        assert len(said) == 1
        died = Outcome("died", "cut 'a': Blender died of SIGKILL", "Blender died of SIGKILL")
        assert running[2][0].judge(died).status == "stopped"
        assert running[0][0].judge(died).status == "died"
        assert running[2][0].judge(Outcome("done")).status == "done"
        available[0] = 90
        assert not waits.enter_context(waiting(one, "a"))(0.3)
        stack.close()


def test_the_memory_is_looked_at_without_being_asked_as_long_as_several_render() -> None:
    said: list[str] = []
    available = [90]
    one = gate(said, available)
    for _ in range(2):
        with ExitStack() as stack:
            _, first = begin(one, stack, "a", 1)
            _, second = begin(one, stack, "a", 1)
            available[0] = 4
            assert second.killed.wait(5.0)
            assert not first.killed.is_set()
            available[0] = 90
        said.clear()
        one = gate(said, available)


def test_what_an_earlier_run_saw_counts_before_the_first_blender_has_grown() -> None:
    one = gate([], [70], {"a": 40})
    with ExitStack() as stack:
        begin(one, stack, "a", 5)
        # it will ask for 35 more
        with waiting(one, "b") as let_in:
            assert let_in(5.0)
        with ExitStack() as waits:
            assert not waits.enter_context(waiting(one, "a"))(0.3)
            stack.close()


def test_what_a_blender_held_counts_for_the_next_of_its_cut() -> None:
    """One that the system killed for lack of memory is tried again with more room."""
    one = gate([], [35])
    with ExitStack() as stack:
        begin(one, stack, "b", 1)
        with ExitStack() as first:
            begin(one, first, "a", 40)
        with ExitStack() as waits:
            assert not waits.enter_context(waiting(one, "a"))(0.3)
            stack.close()


def test_what_a_blender_predicts_keeps_others_of_its_cut_from_beginning() -> None:
    one = gate([], [70])
    with ExitStack() as stack:
        begin(one, stack, "a", 5)
        one.predict("a", {"event": "will_hold", "frame": 1, "memory": 40})
        with ExitStack() as waits:
            assert not waits.enter_context(waiting(one, "a"))(0.3)
            stack.close()


def test_of_blenders_that_will_not_fit_together_the_youngest_is_ended_in_time() -> None:
    said: list[str] = []
    one = gate(said, [60])
    with ExitStack() as stack:
        running = [begin(one, stack, "a", 5) for _ in range(2)]
        one.predict("a", {"event": "will_hold", "frame": 1, "memory": 40})
        assert running[1][1].killed.wait(5.0)
        assert [admission.ended for admission, _ in running] == [False, True]
        assert len(said) == 1
        assert "the youngest one is ended, and its work is restarted when memory is free" in said[0]
    # lighter cuts may still have all workers
    with ExitStack() as stack:
        for _ in range(3):
            begin(one, stack, "b", 1)


def test_one_that_wants_the_machine_to_itself_gets_it() -> None:
    one = gate([], [90])
    with ExitStack() as stack:
        with ExitStack() as waits:
            other, _ = begin(one, stack, "b", 5)
            let_in = waits.enter_context(waiting(one, "a", alone=True))
            assert not let_in(0.3)
            stack.close()
            assert let_in(5.0)
            assert not other.accompanied
            begun = threading.Event()

            def want() -> None:
                with one.admitted(chunk("b"), False, goes_on):
                    begun.set()

            thread = threading.Thread(target=want)
            thread.start()
            assert not begun.wait(0.3)
        assert begun.wait(5.0)
        thread.join()


def test_whether_others_were_there_is_known_of_both() -> None:
    one = gate([], [90])
    with ExitStack() as stack:
        first, _ = begin(one, stack, "a", 5)
        assert not first.accompanied
        with ExitStack() as other:
            second, _ = begin(one, other, "b", 5)
        assert first.accompanied
        assert second.accompanied


def test_closing_ends_everything_and_lets_nothing_in() -> None:
    one = gate([], [10], {"a": 90})
    refused: list[str] = []

    def want() -> None:
        try:
            with one.admitted(chunk("a"), False, goes_on):
                pass
        except RunOver as error:
            refused.append(str(error))

    with ExitStack() as stack:
        _, run = begin(one, stack, "a", 5)
        thread = threading.Thread(target=want)
        thread.start()
        time.sleep(0.1)
        one.close()
        thread.join(5.0)
        assert run.killed.is_set()
        # one that was admitted and not begun
        late = Rendering(1)
        one._under[0].begin(late)
        assert late.killed.is_set()
    assert refused == ["the run that asked for this work has ended"]


def hold_the_machine(machine: Path, alone: bool, holds: Any, lets_go: Any) -> None:
    """In another process."""
    one = MemoryGate(1, print, memory=lambda: None, machine=machine)
    with one.admitted(chunk(), alone, goes_on):
        holds.set()
        lets_go.wait(30.0)


@pytest.mark.parametrize("killed", [False, True])
def test_processes_that_share_a_machine_leave_it_to_one_that_needs_it(tmp_path: Path, killed: bool) -> None:
    """As the workers of a cluster do that run on one machine, and the system forgets those that were killed."""
    context = multiprocessing.get_context("forkserver")
    machine = tmp_path / "machine"
    holds, lets_go = context.Event(), context.Event()
    process = context.Process(target=hold_the_machine, args=(machine, True, holds, lets_go))
    process.start()
    assert holds.wait(60.0)
    one = MemoryGate(1, print, memory=lambda: None, machine=machine)
    with waiting(one, "b") as let_in:
        assert not let_in(0.5)
        if killed:
            process.kill()
        else:
            lets_go.set()
        assert let_in(10.0)
    process.join()
    # those that do not need it share it
    other = MemoryGate(1, print, memory=lambda: None, machine=machine)
    # it leaves last, when the others have left the machine to it
    with ExitStack() as waits, one.admitted(chunk("a"), False, goes_on), other.admitted(chunk("b"), False, goes_on):
        third = MemoryGate(1, print, memory=lambda: None, machine=machine)
        let_in = waits.enter_context(waiting(third, "c", alone=True))
        assert not let_in(0.5)


def test_where_the_hidden_folder_has_gone_nobody_waits(tmp_path: Path) -> None:
    one = MemoryGate(1, print, memory=lambda: None, machine=tmp_path / "gone" / "machine")
    with one.admitted(chunk(), True, goes_on):
        pass
