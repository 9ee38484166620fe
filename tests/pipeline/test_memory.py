"""What a frame and a worker need of the memory: predicted, remembered, said, and refused in time."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.engines.children import Conditions
from animerun_gen.engines.job import RenderJob, Reporter
from animerun_gen.engines.memory_cost import Need, SceneSize, frame_need, image_need
from animerun_gen.engines.memory_guard import DESPITE_MEMORY, MemoryGuard
from animerun_gen.engines.processes import _memory_of_groups
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import NoRoomError
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.ledger import read_ledger
from tests.pipeline.datasets import make, make_cut
from tests.pipeline.fake_engine import FakeEngine, FakeProgram, FakeRun

GB = 10**9
HEAVY = SceneSize(vertices=5_000_000, triangles=10_000_000, line_triangles=10_000_000)
LINES = Need(pictures=GB // 4, arrays=GB, freestyle=22 * GB)


def guard(events: list[Event], memory: dict[str, int], insists: bool = False) -> MemoryGuard:
    return MemoryGuard(
        Reporter(events.append),
        insists=insists,
        available=lambda: memory["available"],
        held=lambda: memory["held"],
        peak=lambda: memory.get("peak", memory["held"]),
    )


def test_what_clearly_does_not_fit_is_refused_with_what_it_is_and_what_to_do() -> None:
    events: list[Event] = []
    with pytest.raises(NoRoomError) as refused:
        guard(events, {"held": GB, "available": 11 * GB}).expect(5, HEAVY, LINES)
    assert str(refused.value) == (
        "Freestyle would need about 22 GB for the 10,000,000 triangles of frame 5, and only 11 GB of memory are free; "
        "set lines.engine to geometry (or auto), use a machine with more memory, or begin it nevertheless with "
        "--despite-memory"
    )
    # whoever looks after other Blenders of the cut knows before
    assert events == [{"event": "will_hold", "frame": 5, "memory": GB + LINES.likely}]


def test_what_may_fit_is_tried_and_said_once() -> None:
    events: list[Any] = []
    one = guard(events, {"held": GB, "available": 13 * GB})
    for frame in (5, 6):
        one.expect(frame, HEAVY, LINES)
    assert [event["event"] for event in events] == ["will_hold", "noticed"]
    assert "only 13 GB of memory are free: this may not suffice" in events[1]["note"]


def test_nothing_is_said_of_what_fits_and_nothing_refused_to_who_insists() -> None:
    events: list[Event] = []
    guard(events, {"held": GB, "available": 24 * GB}).expect(5, HEAVY, LINES)
    assert [event["event"] for event in events] == ["will_hold"]
    guard(events, {"held": GB, "available": GB // 2}, insists=True).expect(5, HEAVY, LINES)
    assert [event["event"] for event in events[1:]] == ["will_hold", "noticed"]


def test_what_a_process_holds_already_need_not_be_free_again() -> None:
    events: list[Event] = []
    memory = {"held": GB, "available": 24 * GB}
    one = guard(events, memory)
    one.expect(1, HEAVY, LINES)
    memory.update(held=GB + LINES.likely, available=24 * GB - LINES.likely)
    one.expect(2, HEAVY, LINES)
    assert len(events) == 1
    # a crowd comes into the picture
    with pytest.raises(NoRoomError):
        one.expect(3, HEAVY, Need(freestyle=60 * GB))


def test_a_frame_is_expected_to_take_what_one_like_it_took() -> None:
    events: list[Event] = []
    memory = {"held": GB, "available": 24 * GB}
    one = guard(events, memory)
    one.expect(1, HEAVY, LINES)
    # it took 14 GB and not 23, which it holds, and others have the rest
    memory.update(held=15 * GB, peak=15 * GB, available=GB)
    one.expect(2, HEAVY, LINES)
    assert [event["event"] for event in events] == ["will_hold"]
    # what needs more is no frame like it
    one.expect(3, HEAVY, Need(pictures=GB // 4, arrays=3 * GB, freestyle=22 * GB))
    assert [event["event"] for event in events[1:]] == ["will_hold", "noticed"]
    # nor does a peak help where that much is not to be had any more
    memory.update(held=GB, available=GB)
    with pytest.raises(NoRoomError):
        one.expect(4, HEAVY, LINES)


def test_arrays_are_refused_too_and_where_nothing_is_known_nothing_is() -> None:
    need = frame_need(HEAVY, 10**9, draws=True, reads=True, strokes=False, kept=2)
    assert need.arrays == 100 * 10**7 + 140 * 10**9 + 2 * (12 * 5 * 10**6 + 16 * 10**9)
    assert need.freestyle == 0
    with pytest.raises(NoRoomError, match=r"frame 1 would need about .* choose a smaller resolution"):
        guard([], {"held": GB, "available": 11 * GB}).expect(1, HEAVY, need)
    MemoryGuard(Reporter(), insists=False, available=lambda: None, held=lambda: None).expect(1, HEAVY, need)


def test_frames_that_are_put_together_take_those_that_they_are_made_of() -> None:
    size = SceneSize(1_000_000, 2_000_000, 0)
    plain, one, two = (
        frame_need(size, 1000, draws=True, reads=True, strokes=False, kept=1, held=held).arrays for held in (0, 1, 2)
    )
    assert two - one == 12 * 1_000_000 + 16 * 1000
    assert one - plain == two - one + 100 * 2_000_000
    shaded = frame_need(size, 1000, draws=True, reads=True, strokes=False, kept=1, held=2, shades=True)
    assert shaded.arrays - two == (1 + 2) * 110 * 2_000_000 + 80 * 1000


def test_whoever_insists_is_heard_by_the_child() -> None:
    assert DESPITE_MEMORY not in Conditions().environment()
    assert Conditions(despite_memory=True).environment()[DESPITE_MEMORY] == "1"


@pytest.mark.parametrize("insists", [False, True])
def test_whoever_insists_is_heard_by_a_blender_in_this_process(tmp_path: Path, insists: bool) -> None:
    heard: list[bool] = []

    class Listening(FakeEngine):
        in_this_process = True

        def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> FakeRun:
            heard.append(conditions is not None and conditions.despite_memory)
            return super().start(job, log, conditions)

    generate([make_cut(tmp_path)], Options(tmp_path / "out", Listening(), despite_memory=insists))
    assert set(heard) == {insists}


def test_the_limits_of_a_process_count() -> None:
    script = "from animerun_gen.engines.processes import memory_for_this_process as left; print(left())"

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2 * GB, 2 * GB))

    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, preexec_fn=limited, check=True
    )
    assert 0 < int(told.stdout) < 2 * GB


@pytest.mark.parametrize(
    ("line", "folder", "names"),
    [
        ("0::/job/step", "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")),
        (
            "4:cpu,memory:/job/step",
            "sys/fs/cgroup/memory",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ],
)
def test_the_limit_of_an_outer_control_group_counts(
    tmp_path: Path, line: str, folder: str, names: tuple[str, str, str]
) -> None:
    own = tmp_path / "cgroup"
    own.write_text(f"3:cpuset:/elsewhere\n{line}\n")
    limit, used, forgettable = names
    step = tmp_path / folder / "job" / "step"
    step.mkdir(parents=True)
    # SLURM limits the job, and a step only by it
    for place, most in ((step, "max" if limit == "memory.max" else str(2**63 - 4096)), (step.parent, "1000")):
        (place / limit).write_text(most)
        (place / used).write_text("700")
        (place / "memory.stat").write_text(f"cache 5\n{forgettable} 100\n")
    assert min((group.total, group.available) for group in _memory_of_groups(own, tmp_path)) == (1000, 400)


@dataclass(frozen=True)
class HeavyEngine(FakeEngine):
    """A stand-in for Blender whose processes held so many bytes.

    Attributes:
        peak: The bytes.
        refuses: Whether it finds no room.
    """

    peak: int = 3 * GB
    refuses: bool = False

    def start(self, job: RenderJob, log: Path, conditions: Conditions | None = None) -> HeavyRun:
        return HeavyRun(self, job)


@dataclass(frozen=True)
class HeavyRun(FakeRun):
    engine: HeavyEngine

    @property
    def peak(self) -> int:
        return self.engine.peak

    def run(self, on_event: Callable[[Event], None]) -> None:
        if self.engine.refuses:
            raise NoRoomError("cut 'square', in frame 1 (flat): Freestyle would need about 22 GB")
        super().run(on_event)


def kept(output: Path) -> Any:
    peak = read_ledger(output, "square").worker_memory
    return None if peak is None else peak.bytes


def test_what_a_blender_held_is_said_and_remembered_until_the_scene_changes(tmp_path: Path) -> None:
    output, config = tmp_path / "out", make_cut(tmp_path)
    (summary,) = generate([config], Options(output, HeavyEngine()))
    assert summary.memory == 3 * GB
    assert "  Blender used up to 3.0 GB of memory" in describe([summary], output)
    before = read_ledger(output, "square").worker_memory
    # nothing to do: nothing is said or written
    (summary,) = make(config, output, HeavyEngine(peak=9 * GB))
    assert summary.memory == 0
    assert not any("GB of memory" in line for line in describe([summary], output))
    # less, or hardly more, says nothing
    longer = make_cut(tmp_path, {"frames": {"last": 7}})
    for peak in (GB, round(3.1 * GB)):
        (output / "train" / "Frame_Anime" / "square" / "original" / "0007.png").unlink(missing_ok=True)
        (summary,) = make(longer, output, HeavyEngine(peak=peak))
        assert summary.memory == peak
    assert read_ledger(output, "square").worker_memory == before
    config.source.write_bytes(b"a lighter film")
    make(longer, output, HeavyEngine(peak=GB))
    assert kept(output) == GB


def test_the_first_blender_of_the_next_run_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out"
    make(make_cut(tmp_path), output, HeavyEngine())
    given: list[dict[str, int]] = []

    class Spy(Exception):
        pass

    def crew(*arguments: Any) -> Any:
        given.append(arguments[4])
        raise Spy

    monkeypatch.setattr("animerun_gen.pipeline.crew.LocalCrew", crew)
    for config in (make_cut(tmp_path, {"frames": {"last": 9}}), make_cut(tmp_path, {"resolution": [96, 48]})):
        with pytest.raises(Spy):
            generate([config], Options(output, FakeProgram(), workers=2))
    # other pictures need other memory
    assert given == [{"square": 3 * GB}, {}]


def test_a_frame_that_finds_no_room_fails_its_cut_with_the_sentence(tmp_path: Path) -> None:
    (summary,) = generate([make_cut(tmp_path)], Options(tmp_path / "out", HeavyEngine(refuses=True)))
    assert summary.failures == ["cut 'square', in frame 1 (flat): Freestyle would need about 22 GB"]


def test_images_that_are_painted_count_where_pictures_are_drawn() -> None:
    texels = 4096 * 4096
    loaded = image_need(texels, loaded=True, floats=False)
    assert image_need(texels, loaded=False, floats=False) == pytest.approx(loaded + 4 * texels)
    assert image_need(texels, loaded=True, floats=True) == pytest.approx(4 * loaded)
    bare, painted = (SceneSize(10, 10, 10, images) for images in (0, loaded))
    for draws, more in ((True, loaded), (False, 0)):
        needs = [
            frame_need(size, 1000, draws=draws, reads=True, strokes=False, kept=0).likely for size in (bare, painted)
        ]
        assert needs[1] - needs[0] == more
