"""The order in which chunks are done, and what is told of them: in this thread, and by Dask in this process."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.dataset.layout import state_folder
from animerun_gen.engines.fence import Fence, fenced
from animerun_gen.engines.protocol import Event
from animerun_gen.pipeline.crew import LocalCrew
from animerun_gen.pipeline.farm import Crew, Farm, FarmLost, InlineCrew
from tests.engines.test_interrupts import drop_an_interrupt
from tests.pipeline.fake_chunks import DIED, Ear, FakeChunk, Stage, dies, fails, product, set_stage

MakeCrew = Callable[[int], Crew]


@pytest.fixture
def fence(tmp_path: Path) -> Iterator[Fence]:
    state_folder(tmp_path).mkdir()
    with fenced(tmp_path, print) as fence:
        yield fence


@pytest.fixture
def dask(fence: Fence) -> MakeCrew:
    return lambda workers: LocalCrew(workers, 60.0, fence, print)


@pytest.fixture(params=["inline", "dask"])
def any_crew(request: pytest.FixtureRequest) -> MakeCrew:
    if request.param == "inline":
        return lambda workers: InlineCrew(print)
    make: MakeCrew = request.getfixturevalue("dask")
    return make


def get_done(crew: Crew, *chunks: FakeChunk, then: Callable[[Farm], None] | None = None) -> Ear:
    ear = Ear()
    with closing(crew):
        farm = Farm(crew, ear)
        farm.add(chunks, then=None if then is None else lambda: then(farm))
        farm.run()
    return ear


def test_the_longest_begins_first(any_crew: MakeCrew) -> None:
    stage = set_stage(seconds=0.02)
    get_done(any_crew(1), *(FakeChunk(str(cost), cost=cost) for cost in (3.0, 9.0, 1.0, 5.0)))
    # one is under way before Dask knows of the others
    assert stage.begun == ["9.0", "5.0", "3.0", "1.0"]


def test_as_many_as_there_are_workers_run_at_once_and_no_more(dask: MakeCrew) -> None:
    stage = set_stage(seconds=0.1)
    get_done(dask(3), *(FakeChunk(str(number)) for number in range(9)))
    assert stage.most == 3


def test_what_needs_something_begins_as_soon_as_that_is_there(any_crew: MakeCrew) -> None:
    render = [FakeChunk(f"render {n}", cost=9 - n, makes=product("frame", n)) for n in range(3)]
    label = [FakeChunk(f"label {n}", renders=False, needs=product("frame", n)) for n in range(3)]
    stage = set_stage(seconds=0.02)
    get_done(any_crew(2), *render, *label)
    assert Counter(stage.begun) == Counter([chunk.name for chunk in (*render, *label)])
    for n in range(3):
        assert stage.begun.index(f"render {n}") < stage.begun.index(f"label {n}")


def test_a_pair_waits_for_both_sides_of_a_border_and_is_begun_once(any_crew: MakeCrew) -> None:
    first = FakeChunk("first", cost=3, makes=product("segments", 1))
    second = FakeChunk("second", cost=2, makes=product("segments", 2))
    pair = FakeChunk("pair", renders=False, needs=product("segments", 1) | product("segments", 2))
    stage = set_stage(seconds=0.05)
    get_done(any_crew(1), first, second, pair)
    assert stage.begun == ["first", "second", "pair"]


def test_with_much_to_render_labels_come_first_and_near_the_end_they_fill_gaps(any_crew: MakeCrew) -> None:
    label = [FakeChunk(f"label {n}", renders=False, needs=product("frame", n), cost=0.1) for n in range(9)]
    many = [FakeChunk(f"render {n}", cost=9 - n, makes=product("frame", n)) for n in range(9)]
    stage = set_stage(seconds=0.1)
    get_done(any_crew(1), *many, *label)
    place = {name: number for number, name in enumerate(stage.begun)}
    # a thread of Dask takes what is there at once, and hears a moment later of what has become possible
    assert all(place[f"label {n}"] < place[f"render {n + 2}"] for n in range(6))
    assert all(place[f"label {n}"] > place["render 8"] for n in range(6, 9))


def test_what_follows_a_group_may_bring_more_work(any_crew: MakeCrew) -> None:
    def more(farm: Farm) -> None:
        farm.add([FakeChunk("later")])

    stage = set_stage()
    get_done(any_crew(1), FakeChunk("one", cost=2), FakeChunk("two"), then=more)
    assert stage.begun == ["one", "two", "later"]
    stage = set_stage()
    get_done(any_crew(1), then=more)
    assert stage.begun == ["later"]


def test_events_reach_the_listener_as_they_come_and_with_the_end(dask: MakeCrew) -> None:
    events: list[Any] = [{"event": "opened"}, {"event": "took"}, {"event": "task_done", "result": b"for Python"}]
    set_stage(events={"one": events})
    ear = get_done(dask(1), FakeChunk("one", peak=7))
    opened, task_done = ("one", events[0]), ("one", events[2])
    # live, what only another Python can read is not told; and "took" is of no interest
    assert ear.events == [opened, opened, task_done]
    assert ear.peaks == [("one", 7), ("one", 7)]


def test_one_that_keeps_dying_costs_one_frame_and_what_needs_the_rest_is_done(any_crew: MakeCrew) -> None:
    pieces = tuple(FakeChunk(f"frame {n}") for n in range(3))
    whole = FakeChunk("whole", pieces=pieces, makes=product("frames"))
    label = FakeChunk("label", renders=False, needs=product("frames"))
    stage = set_stage(ends={"whole": [dies], "frame 1": [dies]})
    ear = get_done(any_crew(1), whole, label)
    assert stage.begun == ["whole"] * 3 + ["frame 0", "frame 1", "frame 1", "frame 2", "label"]
    assert ear.failures == [DIED]
    assert "Blender died, 3 times in a row; whole: restarted, frame by frame" in ear.notes


def test_a_failure_with_a_reason_is_final_but_costs_the_chunk_alone(any_crew: MakeCrew) -> None:
    stage = set_stage(ends={"one": [fails]}, events={"one": [{"event": "opened"}]})
    label = FakeChunk("label", renders=False, needs=product("frame"))
    ear = get_done(any_crew(1), FakeChunk("one", cost=2, makes=product("frame")), FakeChunk("two"), label)
    assert Counter(stage.begun) == {"one": 1, "two": 1, "label": 1}
    assert ear.failures == ["cut 'a': no such scene"]


def test_a_scene_that_cannot_be_opened_is_not_opened_again_for_other_chunks_of_its_cut(any_crew: MakeCrew) -> None:
    stage = set_stage(ends={"a0": [fails]}, seconds=0.1)
    chunks = [FakeChunk(f"a{n}", makes=product("frame", n), cost=9 - n) for n in range(5)]
    label = FakeChunk("label", renders=False, needs=product("frame", 4))
    ear = get_done(any_crew(1), *chunks, label, FakeChunk("b", cut="b", cost=0.5))
    assert sorted(stage.begun) == ["a0", "b", "label"]
    assert ear.failures == ["cut 'a': no such scene"]


class LostCrew(InlineCrew):
    """It cannot be reached any more after so many chunks."""

    left = 1

    def attend(self, seconds: float, ear: object) -> None:
        if not self.left:
            raise FarmLost("the scheduler does not answer")
        self.left -= 1
        super().attend(seconds, ear)  # type: ignore[arg-type]


def test_a_lost_crew_is_an_error_and_everything_open_is_given_up() -> None:
    set_stage()
    told: list[str] = []

    class Counting(Ear):
        def on_failure(self, chunk: object, sentence: str) -> None:
            told.append(sentence)

    farm = Farm(LostCrew(print), Counting())
    farm.add([FakeChunk(str(n)) for n in range(3)])
    with pytest.raises(FarmLost):
        farm.run()
    assert told == ["cut 'a': the scheduler does not answer"] * 2


def test_an_error_that_nobody_foresaw_is_raised_here(any_crew: MakeCrew) -> None:
    def breaks() -> None:
        raise ZeroDivisionError("nobody foresaw this")

    set_stage(ends={"one": [breaks]})
    with pytest.raises(ZeroDivisionError, match="nobody foresaw this"):
        get_done(any_crew(1), FakeChunk("one"))


def test_closing_ends_what_is_under_way_and_lets_nothing_else_begin(dask: MakeCrew) -> None:
    stage: Stage = set_stage(seconds=0.3)

    class Interrupted(Ear):
        def on_event(self, chunk: object, event: Event) -> None:
            raise KeyboardInterrupt

    opened: Any = {"event": "opened"}
    stage.events["0"] = [opened]
    crew = dask(2)
    farm = Farm(crew, Interrupted())
    farm.add([FakeChunk(str(n)) for n in range(20)])
    with pytest.raises(KeyboardInterrupt):
        farm.run()
    crew.close()
    begun = len(stage.begun)
    assert begun < 6
    assert stage.running == 0


@dataclass(frozen=True)
class Dropping(FakeChunk):
    """A chunk during which Python drops a Ctrl-C."""

    def start(self, conditions: object) -> Any:
        drop_an_interrupt()
        return super().start(conditions)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_python_drops_ends_the_work() -> None:
    stage = set_stage()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            get_done(InlineCrew(print), Dropping("first", cost=2.0), FakeChunk("second", cost=1.0))
    finally:
        signal.signal(signal.SIGINT, before)
    assert stage.begun == ["first"]
