"""The rules by which chunks are begun, restarted and given up, with executors that do nothing but keep time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from animerun_gen.engines.protocol import Event
from animerun_gen.pipeline.chunks import Outcome, Product
from animerun_gen.pipeline.scheduling import Ended, ExecutorLost, Message, Scheduler, Told

DONE = Outcome("done")
DIED = Outcome("died", "cut 'a': Blender died. Advice.", "Blender died", place="tcp://host:1")


@dataclass(frozen=True)
class FakeChunk:
    """A chunk that is only a name."""

    name: str
    cut: str = "a"
    cost: float = 1.0
    renders: bool = True
    makes: frozenset[Product] = frozenset()
    needs: frozenset[Product] = frozenset()
    pieces: tuple[FakeChunk, ...] = ()
    units: int = 1

    def describe(self) -> str:
        return self.name

    def start(self, conditions: object) -> Any:
        raise AssertionError("nothing is really done")

    def split(self) -> Sequence[FakeChunk]:
        return self.pieces


@dataclass
class FakeExecutor:
    """Ends chunks in the order in which they were begun, each as the table says for this attempt.

    Attributes:
        width: How many chunks run at once.
        outcomes: By name of the chunk; the last one counts for all further attempts.
        events: What chunks tell before they end.
        roomless: Names of chunks for which there is no room beside another one.
        lost_after: After so many ends the executor is lost.
    """

    width: int = 1
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    roomless: frozenset[str] = frozenset()
    lost_after: int = 1000
    begun: list[str] = field(default_factory=list)
    avoided: list[frozenset[str]] = field(default_factory=list)
    running: list[tuple[int, FakeChunk]] = field(default_factory=list)
    most: int = 0
    ended: int = 0

    def slots(self) -> int:
        return self.width

    def fits(self, chunk: Any) -> bool:
        return chunk.name not in self.roomless

    def submit(self, ticket: int, chunk: Any, avoid: frozenset[str]) -> None:
        self.begun.append(chunk.name)
        self.avoided.append(avoid)
        self.running.append((ticket, chunk))
        self.most = max(self.most, len(self.running))

    def messages(self, seconds: float) -> Sequence[Message]:
        if self.ended >= self.lost_after:
            raise ExecutorLost("the scheduler does not answer")
        self.ended += 1
        ticket, chunk = self.running.pop(0)
        outcomes = self.outcomes.get(chunk.name, [DONE])
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        return [*(Told(ticket, event) for event in self.events.get(chunk.name, [])), Ended(ticket, outcome)]

    def close(self) -> None:
        pass


@dataclass
class Ear:
    """Keeps what it is told."""

    events: list[tuple[str, Event]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    peaks: list[tuple[str, int]] = field(default_factory=list)

    def on_event(self, chunk: Any, event: Event) -> None:
        self.events.append((chunk.name, event))

    def on_retry(self, chunk: Any, note: str) -> None:
        self.notes.append(note)

    def on_peak(self, chunk: Any, peak: int) -> None:
        self.peaks.append((chunk.name, peak))

    def on_failure(self, chunk: Any, sentence: str) -> None:
        self.failures.append(sentence)


def get_done(
    executor: FakeExecutor, *chunks: FakeChunk, then: Callable[[Scheduler], None] | None = None
) -> tuple[list[str], Ear]:
    ear = Ear()
    scheduler = Scheduler(executor, ear)
    scheduler.add(chunks, then=None if then is None else lambda: then(scheduler))
    scheduler.run()
    assert not executor.running
    return executor.begun, ear


def product(name: str, *more: int) -> frozenset[Product]:
    return frozenset({("a", name, *more)})


def test_the_longest_begins_first_and_no_more_than_fit_run_at_once() -> None:
    executor = FakeExecutor(width=2)
    chunks = [FakeChunk(str(cost), cost=cost) for cost in (3.0, 9.0, 1.0, 5.0)]
    begun, _ = get_done(executor, *chunks)
    assert begun == ["9.0", "5.0", "3.0", "1.0"]
    assert executor.most == 2


def test_what_needs_something_begins_as_soon_as_that_is_there() -> None:
    render = [FakeChunk(f"render {n}", cost=9 - n, makes=product("frame", n)) for n in range(3)]
    label = [FakeChunk(f"label {n}", renders=False, needs=product("frame", n)) for n in range(3)]
    executor = FakeExecutor(width=1)
    begun, _ = get_done(executor, *render, *label)
    assert Counter(begun) == Counter([chunk.name for chunk in (*render, *label)])
    for n in range(3):
        assert begun.index(f"render {n}") < begun.index(f"label {n}")


def test_a_pair_waits_for_both_sides_of_a_border_and_is_begun_once() -> None:
    first = FakeChunk("first", cost=2, makes=product("segments", 1))
    second = FakeChunk("second", cost=1, makes=product("segments", 2))
    pair = FakeChunk("pair", renders=False, needs=product("segments", 1) | product("segments", 2))
    begun, _ = get_done(FakeExecutor(width=3), first, second, pair)
    assert begun == ["first", "second", "pair"]


def test_with_much_to_render_labels_come_first_and_near_the_end_they_fill_gaps() -> None:
    label = [FakeChunk(f"label {n}", renders=False) for n in range(2)]
    many = [FakeChunk(f"render {n}") for n in range(9)]
    begun, _ = get_done(FakeExecutor(width=1), *many, *label)
    assert begun[:2] == ["label 0", "label 1"]
    begun, _ = get_done(FakeExecutor(width=1), *many[:2], *label)
    assert begun[-2:] == ["label 0", "label 1"]


def test_a_chunk_whose_child_dies_is_begun_again_elsewhere() -> None:
    executor = FakeExecutor(outcomes={"one": [DIED, DIED, DONE]})
    begun, ear = get_done(executor, FakeChunk("one"))
    assert begun == ["one"] * 3
    assert executor.avoided == [frozenset(), frozenset({"tcp://host:1"}), frozenset({"tcp://host:1"})]
    assert ear.notes == ["Blender died on tcp://host:1; one: restarted"] * 2
    assert not ear.failures


def test_one_that_keeps_dying_costs_one_frame_and_what_needs_the_rest_is_done() -> None:
    pieces = tuple(FakeChunk(f"frame {n}") for n in range(3))
    whole = FakeChunk("whole", pieces=pieces, makes=product("frames"))
    label = FakeChunk("label", renders=False, needs=product("frames"))
    executor = FakeExecutor(outcomes={"whole": [DIED], "frame 1": [DIED]})
    begun, ear = get_done(executor, whole, label)
    assert begun == ["whole"] * 3 + ["frame 0", "frame 1", "frame 2", "frame 1", "label"]
    assert ear.failures == [DIED.sentence]
    assert ear.notes[-2].endswith("3 times in a row; whole: restarted, frame by frame")


def test_one_that_cannot_be_cut_up_is_given_up_after_three_times() -> None:
    begun, ear = get_done(FakeExecutor(outcomes={"one": [DIED]}), FakeChunk("one"), FakeChunk("two"))
    assert Counter(begun) == {"one": 3, "two": 1}
    assert ear.failures == [DIED.sentence]


def test_one_that_was_stopped_for_another_reason_is_begun_as_often_as_it_takes() -> None:
    stopped = Outcome("stopped", what="memory was nearly used up")
    # what it dies of by itself counts as if it had never been stopped
    begun, ear = get_done(FakeExecutor(outcomes={"one": [*[stopped] * 7, DIED, DIED, DONE]}), FakeChunk("one"))
    assert len(begun) == 10
    assert not ear.failures


def test_a_failure_with_a_reason_is_final_but_costs_the_chunk_alone() -> None:
    failed = Outcome("failed", "cut 'a', in frame 2: no camera", opened=True)
    begun, ear = get_done(FakeExecutor(outcomes={"one": [failed]}), FakeChunk("one"), FakeChunk("two"))
    assert Counter(begun) == {"one": 1, "two": 1}
    assert ear.failures == [failed.sentence]


def test_a_scene_that_cannot_be_opened_is_not_opened_again_for_other_chunks_of_its_cut() -> None:
    failed = Outcome("failed", "cut 'a': no such scene")
    chunks = [FakeChunk(f"a{n}", makes=product("frame", n)) for n in range(5)]
    label = FakeChunk("label", renders=False, needs=product("frame", 4))
    begun, ear = get_done(FakeExecutor(outcomes={"a0": [failed]}), *chunks, label, FakeChunk("b", cut="b"))
    assert begun == ["a0", "label", "b"] or begun == ["a0", "b", "label"]
    assert ear.failures == [failed.sentence]


def test_events_reach_the_listener_as_they_come_and_with_the_outcome() -> None:
    outcome = Outcome("done", events=({"event": "opened"}, {"event": "frame_done"}), peak=7)
    executor = FakeExecutor(outcomes={"one": [outcome]}, events={"one": [{"event": "opened"}]})
    _, ear = get_done(executor, FakeChunk("one"))
    assert ear.events == [("one", {"event": name}) for name in ("opened", "opened", "frame_done")]
    assert ear.peaks == [("one", 7)]


def test_what_follows_a_group_may_bring_more_work() -> None:
    def more(scheduler: Scheduler) -> None:
        scheduler.add([FakeChunk("later")])

    begun, _ = get_done(FakeExecutor(), FakeChunk("one"), FakeChunk("two"), then=more)
    assert begun == ["one", "two", "later"]
    begun, _ = get_done(FakeExecutor(), then=more)
    assert begun == ["later"]


def test_without_room_a_chunk_waits_until_it_is_alone() -> None:
    executor = FakeExecutor(width=2, roomless=frozenset({"big"}))
    begun, _ = get_done(executor, FakeChunk("big", cost=5), FakeChunk("small"), FakeChunk("smaller", cost=0.5))
    assert begun == ["big", "small", "smaller"]
    executor = FakeExecutor(width=2, roomless=frozenset({"big", "vast"}))
    begun, _ = get_done(executor, FakeChunk("big", cost=5), FakeChunk("vast", cost=4))
    assert (begun, executor.most) == (["big", "vast"], 1)


def test_a_lost_executor_is_an_error_and_everything_open_is_given_up() -> None:
    executor = FakeExecutor(lost_after=1)
    ear = Ear()
    scheduler = Scheduler(executor, ear)
    scheduler.add([FakeChunk(str(n)) for n in range(3)])
    with pytest.raises(ExecutorLost):
        scheduler.run()
    assert ear.failures == ["cut 'a': the scheduler does not answer"] * 2
