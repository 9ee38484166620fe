"""Cuts that are split where the timeline switches cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.config import CutConfig
from animerun_gen.engines.questions import AskedCut, CameraMark, mark_at
from animerun_gen.errors import DatasetError, SceneError
from animerun_gen.pipeline.cut import Cut, begin_cuts
from animerun_gen.pipeline.deciding import decide
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.summary import CutSummary
from animerun_gen.pipeline.tasks.camera_cuts import CameraCuts, split_cut
from tests.pipeline.datasets import make_cut
from tests.pipeline.fake_engine import FakeEngine

MARKS = (CameraMark(3, "far"), CameraMark(6, "near"), CameraMark(7, "far"))


@dataclass(frozen=True)
class FilmingEngine(FakeEngine):
    """A stand-in for Blender that also tells camera marks, and counts how often it is asked."""

    marks: tuple[CameraMark, ...] = MARKS
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def read_when_asked(self) -> Sequence[Path]:
        return self.inputs

    def marks_of(self, asked: AskedCut) -> tuple[CameraMark, ...]:
        self.asked.append(asked.config.name)
        if self.broken:
            raise SceneError("the film cannot be opened")
        return self.marks


def split(folder: Path, **changes: Any) -> CutConfig:
    return make_cut(folder, {"camera_cuts": "split", "frames": {"first": 1, "last": 9}, **changes})


def test_a_mark_counts_until_the_next_one_and_the_first_one_before_itself() -> None:
    assert [mark_at([3, 6, 7], frame) for frame in range(1, 10)] == [0, 0, 0, 0, 0, 1, 2, 2, 2]


def test_each_stretch_becomes_a_cut_with_its_camera(tmp_path: Path) -> None:
    parts = split_cut(split(tmp_path), MARKS)
    found = [(p.config.name, p.config.camera, p.config.frames.first, p.config.frames.last) for p in parts]
    assert found == [("square-1", "far", 1, 5), ("square-3", "far", 7, 9)]
    assert all(part.config.camera_cuts == "mark" for part in parts)
    assert any("frame 6, a view of camera 'near' by itself, is left out" in note for note in parts[0].notes)
    # everything else stays
    changed = {"name", "camera", "camera_cuts", "frames"}
    for part in parts:
        assert part.config.model_dump(exclude=changed) == split(tmp_path).model_dump(exclude=changed)


def test_a_camera_that_jumps_is_split_from_itself(tmp_path: Path) -> None:
    marks = [CameraMark(1, "far"), CameraMark(4, "far", jumps=True), CameraMark(6, "near"), CameraMark(8, "far")]
    parts = split_cut(split(tmp_path), marks)
    found = [(p.config.name, p.config.camera, p.config.frames.first, p.config.frames.last) for p in parts]
    assert found == [
        ("square-1", "far", 1, 3),
        ("square-2", "far", 4, 5),
        ("square-3", "near", 6, 7),
        ("square-4", "far", 8, 9),
    ]
    # one that jumps within a step of the clip as well
    config = split(tmp_path, frames={"first": 1, "last": 9, "step": 2})
    parts = split_cut(config, [CameraMark(1, "far"), CameraMark(4, "far", jumps=True)])
    assert [part.config.frame_numbers for part in parts] == [(1, 3), (5, 7, 9)]


def test_steps_are_kept_and_frames_between_them_do_not_count(tmp_path: Path) -> None:
    config = split(tmp_path, frames={"first": 1, "last": 11, "step": 2})
    parts = split_cut(config, [CameraMark(1, "a"), CameraMark(6, "b")])
    assert [part.config.frame_numbers for part in parts] == [(1, 3, 5), (7, 9, 11)]


def test_gaps_beyond_a_stretch_are_left_out_and_said(tmp_path: Path) -> None:
    config = split(tmp_path, motion={"gaps": [1, 2, 4]})
    parts = split_cut(config, [CameraMark(1, "a"), CameraMark(4, "b")])
    assert [part.config.motion.gaps for part in parts] == [(1, 2), (1, 2, 4)]
    assert any("motion.gaps beyond 2 are left out" in note for note in parts[0].notes)


def test_timing_goes_along_with_each_stretch(tmp_path: Path) -> None:
    timing = {"layers": {"set": {"frames": [1, 1, 3, 4, 4, 6, 6, 6, 9]}}}
    config = split(tmp_path, lines={"engine": "geometry"}, timing=timing)
    parts = split_cut(config, [CameraMark(1, "a"), CameraMark(4, "b")])
    assert [part.config.timing.layers["set"].frames for part in parts] == [(1, 1, 3), (4, 4, 6, 6, 6, 9)]
    timing["layers"]["set"]["frames"][3] = 3
    crossing = split(tmp_path, lines={"engine": "geometry"}, timing=timing)
    with pytest.raises(DatasetError, match=r"timing.layers.set.frames shows film frame 3 in frame 4, but the clip"):
        split_cut(crossing, [CameraMark(1, "a"), CameraMark(4, "b")])


@pytest.mark.parametrize("marks", [[], [CameraMark(20, "a")], [CameraMark(1, "a"), CameraMark(5, "a")]])
def test_a_cut_that_one_camera_films_stays_itself(tmp_path: Path, marks: list[CameraMark]) -> None:
    parts = split_cut(split(tmp_path), marks)
    assert [part.config for part in parts] == [
        make_cut(tmp_path, {"frames": {"first": 1, "last": 9}, "camera_cuts": "mark"})
    ]


def test_what_cannot_be_split_is_said(tmp_path: Path) -> None:
    config = split(tmp_path, frames={"first": 1, "last": 2})
    with pytest.raises(DatasetError, match="no two neighbouring frames share a view"):
        split_cut(config, [CameraMark(1, "a"), CameraMark(2, "b")])
    with pytest.raises(DatasetError, match=r"cannot be split at its camera cuts: .* is not a safe folder name"):
        split_cut(split(tmp_path, name="n" * 99), MARKS)


def split_up(folder: Path, engine: FilmingEngine, *cuts: CutConfig) -> list[Cut]:
    """What a run that renders makes of cuts."""
    return decide(begin_cuts(cuts, folder / "out", engine, {}), [[CameraCuts()]], engine)


def test_cuts_of_one_film_are_asked_about_once_if_the_same_counts(tmp_path: Path) -> None:
    engine = FilmingEngine()
    cuts = [
        split(tmp_path, name=name, frames={"first": 1, "last": last}) for name, last in (("a", 9), ("b", 9), ("c", 8))
    ]
    parts = split_up(tmp_path, engine, *cuts)
    assert [part.name for part in parts] == ["a-1", "a-3", "b-1", "b-3", "c-1", "c-3"]
    assert engine.asked == ["a", "c"]
    # each of them knows it by itself
    assert len(split_up(tmp_path, engine, cuts[1])) == 2
    assert engine.asked == ["a", "c"]


def test_a_name_that_another_cut_has_costs_only_the_split_cut(tmp_path: Path) -> None:
    whole = {"camera_cuts": "mark"}
    cuts = [split(tmp_path), *(make_cut(tmp_path, {"name": name, **whole}) for name in ("Square-3", "other"))]
    parts = split_up(tmp_path, FilmingEngine(), *cuts)
    assert [part.config.name for part in parts] == ["square", "Square-3", "other"]
    assert "would be named 'square-3', which is the name of another cut" in parts[0].summary.failures[0]
    assert [part.summary.failures for part in parts[1:]] == [[], []]


def test_no_blender_is_asked_about_cuts_with_a_camera_of_the_configuration(tmp_path: Path) -> None:
    keyframes = {"keyframes": [{"frame": 1, "location": (0, 0, 0), "target": (0, 1, 0)}]}
    cuts = [
        make_cut(tmp_path, {"name": "marked", "camera_cuts": "mark"}),
        split(tmp_path, name="keyed", camera_motion=keyframes),
    ]
    engine = FilmingEngine()
    assert [part.config for part in split_up(tmp_path, engine, *cuts)] == cuts
    assert engine.asked == []


def generated(folder: Path, engine: FilmingEngine | None, *cuts: CutConfig) -> list[CutSummary]:
    return generate(cuts, Options(folder / "out", engine, render=engine is not None))


def test_a_finished_dataset_needs_neither_blender_nor_film(tmp_path: Path) -> None:
    engine, config = FilmingEngine(), split(tmp_path)
    summaries = generated(tmp_path, engine, config)
    assert [summary.config.name for summary in summaries] == ["square-1", "square-3"]
    assert not any(summary.failures for summary in summaries)
    assert [len(summary.rendered) for summary in summaries] == [5, 3]
    assert engine.asked == ["square"]
    again = generated(tmp_path, engine, config)
    assert engine.asked == ["square"]
    assert not any(summary.rendered or summary.labelled or summary.failures for summary in again)
    config.source.unlink()
    labelled = generated(tmp_path, None, config)
    assert [summary.config.name for summary in labelled] == ["square-1", "square-3"]
    assert not any(summary.failures for summary in labelled)


@pytest.mark.parametrize("change", ["film", "library", "scene", "frames", "engine"])
def test_a_changed_film_scene_or_blender_is_looked_at_again(tmp_path: Path, change: str) -> None:
    library = tmp_path / "library.blend"
    library.write_bytes(b"a library")
    engine = FilmingEngine(inputs=(library,))
    generated(tmp_path, engine, split(tmp_path))
    config = split(tmp_path)
    other = FilmingEngine(asked=engine.asked, marks=(CameraMark(1, "a"), CameraMark(5, "b")))
    if change == "film":
        config.source.write_bytes(b"another film")
    elif change == "library":
        library.write_bytes(b"another library")
    elif change == "frames":
        config = split(tmp_path, frames={"first": 1, "last": 10})
    elif change == "scene":
        config = split(tmp_path, scene="Another")
    else:
        other = FilmingEngine(version="Blender 9", asked=engine.asked, marks=other.marks)
    summaries = generated(tmp_path, other, config)
    assert engine.asked == ["square", "square"]
    assert [summary.config.camera for summary in summaries] == ["a", "b"]


def test_a_film_that_several_cuts_share_is_looked_at_once(tmp_path: Path) -> None:
    engine = FilmingEngine()
    split_up(tmp_path, engine, split(tmp_path), split(tmp_path, name="other"))
    assert engine.asked == ["square"]
    # each is recognised by itself later
    split_up(tmp_path, engine, split(tmp_path, name="other"))
    assert engine.asked == ["square"]


def test_labels_without_a_look_at_the_film_and_a_broken_film_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (summary,) = generated(tmp_path, None, split(tmp_path))
    assert "none of it has been rendered into" in summary.failures[0]
    assert "'animerun-gen render'" in summary.failures[0]
    broken, fine = generated(
        tmp_path, FilmingEngine(broken=True), split(tmp_path), make_cut(tmp_path, {"name": "b", "camera_cuts": "mark"})
    )
    assert broken.failures == ["the film cannot be opened"]
    assert not fine.failures
