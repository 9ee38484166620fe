"""What becomes of a chunk whose child dies: where it is, elsewhere, and after its worker was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.engines.children import Conditions
from animerun_gen.engines.fence import RunOver
from animerun_gen.pipeline.doing import ChunkEvent, Doing, Elsewhere, Surroundings
from animerun_gen.pipeline.memory_gate import Admission, MemoryGate
from animerun_gen.pipeline.notebook import Notebook
from tests.pipeline.fake_chunks import DIED, FakeChunk, dies, finds_no_room, is_done, set_stage


class Elsewheres:
    """Other places to do a chunk at, which keep what is asked of them."""

    def __init__(self, there: bool) -> None:
        self.there = there
        self.asked: list[tuple[Set[str], Set[str]]] = []

    def __call__(self, places: Set[str], hosts: Set[str]) -> bool:
        self.asked.append((places, hosts))
        return self.there


def here(folder: Path | None = None, place: str = "", host: str = "", there: bool = False) -> Surroundings:
    return Surroundings(Notebook(folder), MemoryGate(1, print), place, host, Elsewheres(there))


def do(chunk: FakeChunk, where: Surroundings | None = None) -> tuple[ChunkEvent, ...]:
    return Doing("1", chunk, Conditions(), where or here(), lambda event: None).do()


def notes(events: tuple[ChunkEvent, ...]) -> list[str]:
    return [event["note"] for event in events if event["event"] == "restarted"]


def failures(events: tuple[ChunkEvent, ...]) -> list[str]:
    return [event["sentence"] for event in events if event["event"] == "given_up"]


def test_a_chunk_whose_child_dies_is_begun_again_here_where_there_is_no_other_place() -> None:
    stage = set_stage(ends={"one": [dies, dies, is_done]})
    events = do(FakeChunk("one"), here(place="tcp://host:1"))
    assert stage.begun == ["one"] * 3
    assert notes(events) == ["Blender died on tcp://host:1; one: restarted"] * 2
    assert not failures(events)


def test_a_chunk_whose_child_dies_is_begun_again_elsewhere_and_the_attempts_count(tmp_path: Path) -> None:
    stage = set_stage(ends={"one": [dies]})
    for place in ("tcp://host:1", "tcp://host:2"):
        where = here(tmp_path, place, there=True)
        with pytest.raises(Elsewhere):
            do(FakeChunk("one"), where)
        assert where.see_off.asked == [({place}, set())]  # type: ignore[attr-defined]
    # the third attempt is the last one
    assert failures(do(FakeChunk("one"), here(tmp_path, "tcp://host:1", there=True))) == [DIED]
    assert stage.begun == ["one"] * 3


def test_one_that_cannot_be_cut_up_is_given_up_after_three_times() -> None:
    stage = set_stage(ends={"one": [dies]})
    assert failures(do(FakeChunk("one"))) == [DIED]
    assert stage.begun == ["one"] * 3


def test_attempts_of_workers_that_were_killed_count(tmp_path: Path) -> None:
    """What a chunk does to a worker must not be done to all of a cluster's, one after the other."""
    pieces = (FakeChunk("frame 1"), FakeChunk("frame 2"))
    whole = FakeChunk("whole", pieces=pieces)

    def killed() -> None:
        raise KeyboardInterrupt

    stage = set_stage(ends={"whole": [killed], "frame 1": [killed]})
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            do(whole, here(tmp_path))
    assert stage.begun == ["whole"] * 3 + ["frame 1"] * 2
    events = do(whole, here(tmp_path))
    assert stage.begun[-1] == "frame 2"
    assert failures(events) == ["cut 'a', frame 1: the worker was lost 2 times; run the same command again to resume"]
    # done once more, because the worker that knew is lost: nothing is begun, and the same is told
    begun = len(stage.begun)
    assert failures(do(whole, here(tmp_path))) == failures(events)
    assert stage.begun[begun:] == ["frame 2"]


class Stopping(MemoryGate):
    """Ends the first chunks that it admits."""

    def __init__(self, times: int) -> None:
        super().__init__(1, print)
        self.times = times

    @contextmanager
    def admitted(self, chunk: Any, alone: bool, require_run: Callable[[], None]) -> Iterator[Admission]:
        with super().admitted(chunk, alone, require_run) as admission:
            if self.times:
                self.times -= 1
                admission.end()
            yield admission


def test_one_that_was_ended_to_save_memory_is_begun_as_often_as_it_takes() -> None:
    # what it dies of by itself counts as if it had never been ended
    stage = set_stage(ends={"one": [*[dies] * 9, is_done]})
    where = Surroundings(Notebook(None), Stopping(7))
    events = do(FakeChunk("one"), where)
    assert len(stage.begun) == 10
    assert not failures(events)
    what = "Blender was ended because memory had run out or was about to"
    assert notes(events)[0] == f"{what}; one: will be restarted later"


def test_pieces_of_tasks_tell_the_numbers_that_they_have_in_the_whole() -> None:
    pieces = tuple(FakeChunk(f"frame {n}", renders=False) for n in range(3))
    set_stage(ends={"whole": [dies]}, events={piece.name: [{"event": "task_done", "number": 0}] for piece in pieces})
    events = do(FakeChunk("whole", renders=False, pieces=pieces))
    assert [event["number"] for event in events if event["event"] == "task_done"] == [0, 1, 2]


def test_without_room_alone_a_chunk_fails_with_the_sentence() -> None:
    stage = set_stage(ends={"one": [finds_no_room]})
    assert failures(do(FakeChunk("one"))) == ["cut 'a': Freestyle would need about 22 GB"]
    assert stage.begun == ["one"]


def test_without_room_on_a_machine_of_a_cluster_a_chunk_has_it_to_itself_then_goes_to_another(tmp_path: Path) -> None:
    stage = set_stage(ends={"one": [finds_no_room]})
    where = here(tmp_path, "tcp://small:1", "small", there=True)
    told: list[ChunkEvent] = []
    with pytest.raises(Elsewhere):
        Doing("1", FakeChunk("one"), Conditions(), where, told.append).do()
    assert stage.begun == ["one"] * 2
    assert notes(tuple(told)) == [
        "small did not have enough memory beside its other Blender processes; one: will be restarted later",
        "small did not have enough memory; one: will be restarted later",
    ]
    assert where.see_off.asked == [(set(), {"small"})]  # type: ignore[attr-defined]
    # it never counts as an attempt, and other parts of the cut are alone from the beginning
    where = here(tmp_path, "tcp://smaller:1", "smaller")
    events = do(FakeChunk("one"), where)
    assert where.see_off.asked == [(set(), {"small", "smaller"})]  # type: ignore[attr-defined]
    assert failures(events) == ["cut 'a': Freestyle would need about 22 GB"]
    assert stage.begun == ["one"] * 3


def test_when_the_run_is_over_nothing_is_begun() -> None:
    set_stage()

    class Over(Conditions):
        def require_run(self) -> None:
            raise RunOver("the run that asked for this work in /data has ended")

    where = here()
    where.gate.close()
    [event] = Doing("1", FakeChunk("one"), Over(), where, lambda event: None).do()
    assert event == {"event": "given_up", "sentence": "the run that asked for this work has ended"}


def test_notes_that_cannot_be_written_are_kept_in_memory(tmp_path: Path) -> None:
    stage = set_stage(ends={"one": [dies]})
    assert failures(do(FakeChunk("one"), here(tmp_path / "nowhere"))) == [DIED]
    assert stage.begun == ["one"] * 3
