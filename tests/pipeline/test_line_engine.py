"""Cuts that leave it open who draws their lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.engines.questions import AskedCut
from animerun_gen.errors import SceneError
from animerun_gen.lines.cost import SLOW_SECONDS, LineFigures, freestyle_seconds
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.deciding import decide
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.ledger import open_ledger, read_ledger
from animerun_gen.pipeline.tasks.line_engine import LineEngine
from tests.pipeline.datasets import edit_ledger, make_cut
from tests.pipeline.fake_engine import FakeEngine


@dataclass(frozen=True)
class CountingEngine(FakeEngine):
    """A stand-in for Blender that also counts lines, and how often it is asked to."""

    triangles: int = 10_000_000
    crossings: tuple[int, ...] = (0,)
    visits: int = 0
    inputs: tuple[Path, ...] = ()
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def read_when_asked(self) -> Sequence[Path]:
        return self.inputs

    def figures_of(self, asked: AskedCut) -> tuple[LineFigures, ...]:
        self.asked.append(asked.config.name)
        if self.broken:
            raise SceneError("the film cannot be opened")
        return tuple(
            LineFigures(1 + n, self.triangles, 100, count, self.visits) for n, count in enumerate(self.crossings)
        )


def undecided(folder: Path, **changes: Any) -> CutConfig:
    return make_cut(folder, {"lines": {"engine": "auto"}, **changes})


def chosen(config: CutConfig, output: Path, counter: CountingEngine | None) -> Cut:
    cut = Cut(config, open_ledger(output, config.name))
    decide([cut], [[LineEngine()]], counter)
    return cut


def test_held_layers_are_drawn_from_their_geometry_without_a_look(tmp_path: Path) -> None:
    counter = CountingEngine(triangles=1)
    cut = chosen(undecided(tmp_path, timing={"layers": {"set": {"on": 2}}}), tmp_path / "out", counter)
    assert cut.config.lines.engine == "geometry"
    assert counter.asked == []
    assert "layers are held at different frames of the film" in cut.decided[0]


def test_freestyle_draws_as_long_as_one_can_wait_for_it(tmp_path: Path) -> None:
    a_triangle = freestyle_seconds(1, 0) - freestyle_seconds(0, 0)
    most = int((SLOW_SECONDS - freestyle_seconds(0, 100)) / a_triangle)
    for triangles, engine in ((most, "freestyle"), (most + 2, "geometry")):
        cut = chosen(undecided(tmp_path), tmp_path / str(triangles), CountingEngine(triangles=triangles))
        assert cut.summary.failures == []
        assert cut.config.lines.engine == engine
        assert cut.summary.config == cut.config
        (note,) = cut.summary.notes
        assert note.startswith(f"lines: {engine}, because Freestyle w")
        assert f"{triangles:,} triangles of frame 1" in note


def test_the_frame_decides_in_which_most_lines_cross(tmp_path: Path) -> None:
    for name, crossings, engine in (("few", (0, 10, 5), "freestyle"), ("many", (0, 5_000_000, 5), "geometry")):
        (note,) = chosen(undecided(tmp_path), tmp_path / name, CountingEngine(triangles=9, crossings=crossings)).decided
        assert note.startswith(f"lines: {engine}, because Freestyle w")
        assert f"9 triangles of frame 2, whose 100 edges with lines cross {crossings[1]:,} times" in note


def test_what_lies_far_outside_is_named_only_where_it_takes_the_time(tmp_path: Path) -> None:
    for visits, named in ((0, False), (1_000_000_000, True)):
        counter = CountingEngine(triangles=9, visits=visits)
        (note,) = chosen(undecided(tmp_path), tmp_path / str(visits), counter).decided
        assert ("things far outside the picture" in note) == named


def test_a_library_that_changed_is_noticed(tmp_path: Path) -> None:
    library, missing = tmp_path / "library.blend", tmp_path / "missing.blend"
    library.write_bytes(b"one")
    config, engine = undecided(tmp_path), CountingEngine(inputs=(library, missing))
    changes: dict[Path, bytes]
    for times, changes in enumerate(({}, {library: b"two"}, {missing: b""}), start=1):
        for path, content in changes.items():
            path.write_bytes(content)
        for _ in range(2):
            assert chosen(config, tmp_path / "out", engine).summary.failures == []
        assert len(engine.asked) == times


def test_a_library_that_changes_while_it_is_counted_is_not_trusted(tmp_path: Path) -> None:
    library = tmp_path / "library.blend"

    class Meddled(CountingEngine):
        def figures_of(self, asked: AskedCut) -> tuple[LineFigures, ...]:
            counted = super().figures_of(asked)
            library.write_bytes(b"another, after Blender had read it")
            return counted

    library.write_bytes(b"one")
    meddled = Meddled(inputs=(library,))
    chosen(undecided(tmp_path), tmp_path / "out", meddled)
    calm = CountingEngine(inputs=(library,))
    for _ in range(2):
        chosen(undecided(tmp_path), tmp_path / "out", calm)
    assert len(calm.asked) == 1


def test_other_frames_are_looked_at_when_the_clip_changes(tmp_path: Path) -> None:
    engine = CountingEngine()
    for last in (4, 4, 5):
        chosen(undecided(tmp_path, frames={"first": 1, "last": last}), tmp_path / "out", engine)
    assert len(engine.asked) == 2


def test_what_was_chosen_stays_until_the_scene_changes(tmp_path: Path) -> None:
    config, engine = undecided(tmp_path), CountingEngine()
    first = chosen(config, tmp_path / "out", engine)
    # nobody counts again, whoever would find something else now
    again = CountingEngine(triangles=1, asked=engine.asked)
    for counter in (again, None):
        cut = chosen(config, tmp_path / "out", counter)
        assert (cut.config, cut.decided) == (first.config, first.decided)
    assert engine.asked == [config.name]
    config.source.write_bytes(b"another film")
    assert chosen(config, tmp_path / "out", again).config.lines.engine == "freestyle"
    assert engine.asked == [config.name] * 2
    removing = undecided(tmp_path, remove={"objects": ["tree"]})
    chosen(removing, tmp_path / "out", again)
    assert engine.asked == [config.name] * 3


def test_only_freestyle_draws_what_only_it_can(tmp_path: Path) -> None:
    engine = CountingEngine()
    lines = {"engine": "auto", "edges": ["crease", "suggestive_contour"]}
    cut = chosen(make_cut(tmp_path, {"lines": lines}), tmp_path / "out", engine)
    assert cut.config.lines.engine == "freestyle"
    assert cut.decided == ["lines: freestyle, because only Freestyle draws suggestive_contour"]
    assert engine.asked == []


def test_a_count_that_cannot_be_had_fails_the_cut_and_no_other(tmp_path: Path) -> None:
    broken = CountingEngine(broken=True)
    configs = (undecided(tmp_path), make_cut(tmp_path, {"name": "other"}))
    failed, other = cuts = [Cut(config, open_ledger(tmp_path / "out", config.name)) for config in configs]
    decide(cuts, [[LineEngine()]], broken)
    assert failed.summary.failures == ["the film cannot be opened"]
    assert (other.config, other.summary.failures) == (configs[1], [])
    (sentence,) = chosen(undecided(tmp_path), tmp_path / "new", None).summary.failures
    assert "its line engine has not been chosen yet" in sentence


@pytest.mark.parametrize("found", ["", [], {"scene": 1}, {"scene": "", "inputs": {}, "frames": []}])
def test_a_damaged_note_is_made_again(tmp_path: Path, found: object) -> None:
    config, engine = undecided(tmp_path), CountingEngine()
    chosen(config, tmp_path / "out", engine)
    edit_ledger(tmp_path / "out", config.name, lambda kept: kept.update(line_figures=found))
    chosen(config, tmp_path / "out", engine)
    assert engine.asked == [config.name] * 2
    counted = read_ledger(tmp_path / "out", config.name).line_figures
    assert counted is not None
    assert counted.frames[0].triangles == engine.triangles


def test_summary_and_manifest_say_what_was_chosen_and_the_jobs_know_it(tmp_path: Path) -> None:
    config, engine = undecided(tmp_path), CountingEngine()
    (summary,) = generate([config], Options(tmp_path / "out", engine))
    assert not summary.failures
    assert {job.config.lines.engine for job in engine.jobs} == {"geometry"}
    manifest = json.loads(layout.manifest_file(tmp_path / "out", config.name).read_text())
    assert manifest["config"]["lines"]["engine"] == "geometry"
    (note,) = [note for note in manifest["notes"] if note.startswith("lines: geometry, because Freestyle would take")]
    assert note in summary.notes
    # a finished dataset is left alone
    jobs = len(engine.jobs)
    generate([config], Options(tmp_path / "out", engine))
    assert len(engine.jobs) == jobs
    assert engine.asked == [config.name]
