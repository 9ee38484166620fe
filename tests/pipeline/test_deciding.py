"""What is decided about cuts before they are planned: what is asked at once, what is kept, what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.config import CutConfig
from animerun_gen.engines.questions import LAYERS, AskedCut, CameraMark, Replies
from animerun_gen.errors import SceneError
from animerun_gen.lines.cost import LineFigures
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.deciding import Decision, decide
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.ledger import open_ledger, read_ledger
from animerun_gen.pipeline.tasks.layer_choice import LayerChoice
from animerun_gen.pipeline.tasks.line_engine import LineEngine
from tests.pipeline.datasets import make_cut
from tests.pipeline.fake_engine import FakeEngine


@dataclass(frozen=True)
class AskedEngine(FakeEngine):
    """A stand-in for Blender that notes what it is asked at once about which cut.

    Attributes:
        asked: Names of a cut and of what it was asked about it, for each Blender that would have been started.
        at_once: How many of them might look at once, for each round of questions.
        fails_at: The name of a question that it cannot answer.
    """

    asked: list[tuple[str, ...]] = field(default_factory=list)
    at_once: list[int] = field(default_factory=list)
    fails_at: str = ""

    def ask(self, asked: Sequence[AskedCut], at_once: int) -> Replies:
        self.at_once.append(at_once)
        self.asked.extend((one.config.name, *(question.name for question in one.questions)) for one in asked)
        return super().ask(asked, at_once)

    def marks_of(self, asked: AskedCut) -> tuple[CameraMark, ...]:
        return (CameraMark(1, "far"), CameraMark(5, "near"))

    def layers_of(self, asked: AskedCut) -> dict[str, tuple[str, ...]]:
        self._refuse("layers")
        return super().layers_of(asked)

    def figures_of(self, asked: AskedCut) -> tuple[LineFigures, ...]:
        self._refuse("line figures")
        return super().figures_of(asked)

    def _refuse(self, question: str) -> None:
        if question == self.fails_at:
            raise SceneError(f"no {question} can be had")


BOTH: tuple[Decision[Any], ...] = (LayerChoice(), LineEngine())


def open_cut(folder: Path, name: str = "square", **changes: Any) -> CutConfig:
    """A cut that leaves all of it open."""
    left = {"camera_cuts": "split", "lines": {"engine": "auto"}, "layers": {"groups": "auto"}}
    return make_cut(folder, {"name": name, "frames": {"first": 1, "last": 9}, **left, **changes})


def decided(folder: Path, engine: AskedEngine | None, *configs: CutConfig) -> list[Cut]:
    cuts = [Cut(config, open_ledger(folder / "out", config.name)) for config in configs]
    return decide(cuts, [BOTH], engine)


def test_one_blender_is_asked_all_about_a_cut_once_it_is_known_which_cuts_there_are(tmp_path: Path) -> None:
    engine = AskedEngine()
    generate([open_cut(tmp_path)], Options(tmp_path / "out", engine))
    both = ("layers", "line figures")
    assert engine.asked == [("square", "camera marks"), ("square-1", *both), ("square-2", *both)]
    # a finished dataset needs none
    generate([open_cut(tmp_path)], Options(tmp_path / "out", engine))
    assert len(engine.asked) == 3


def test_whole_scenes_are_converted_one_at_a_time(tmp_path: Path) -> None:
    engine = AskedEngine()
    generate([open_cut(tmp_path)], Options(tmp_path / "out", engine, workers=2))
    # camera marks need no scene; layers and lines take the memory of rendering
    assert engine.at_once == [2, 1]


def test_only_what_is_stale_is_asked_again(tmp_path: Path) -> None:
    engine = AskedEngine()
    decided(tmp_path, engine, open_cut(tmp_path))
    # other frames are counted then, but the layers of a film are the same in all of its frames
    [cut] = decided(tmp_path, engine, open_cut(tmp_path, frames={"first": 1, "last": 12}))
    assert engine.asked == [("square", "layers", "line figures"), ("square", "line figures")]
    assert [sentence.split(":")[0] for sentence in cut.decided] == ["layers", "lines"]


def test_one_blender_is_asked_about_cuts_for_which_the_same_counts(tmp_path: Path) -> None:
    engine = AskedEngine()
    named = open_cut(tmp_path, "named", layers={"groups": {"hero": {"objects": ["Hero"]}}})
    first, alike, other = decided(tmp_path, engine, open_cut(tmp_path), open_cut(tmp_path, "alike"), named)
    assert engine.asked == [("square", "layers", "line figures"), ("named", "line figures")]
    assert first.decided == alike.decided
    assert other.decided == first.decided[1:]
    # each knows it by itself
    assert decided(tmp_path, None, open_cut(tmp_path, "alike"))[0].decided == first.decided


@pytest.mark.parametrize("question", ["layers", "line figures"])
def test_what_was_found_before_the_film_refused_is_kept(tmp_path: Path, question: str) -> None:
    engine = AskedEngine(fails_at=question)
    [failed] = decided(tmp_path, engine, open_cut(tmp_path))
    # what comes after it is not decided, and says nothing
    assert failed.summary.failures == [f"no {question} can be had"]
    kept = read_ledger(tmp_path / "out", "square")
    assert (kept.layers is not None, kept.line_figures) == (question != LAYERS.name, None)
    mended = AskedEngine()
    [cut] = decided(tmp_path, mended, open_cut(tmp_path))
    assert cut.summary.failures == []
    stale = ("layers", "line figures") if question == LAYERS.name else ("line figures",)
    assert mended.asked == [("square", *stale)]


def test_a_film_that_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    config = open_cut(tmp_path)
    config.source.unlink()
    engine = AskedEngine()
    [cut] = decided(tmp_path, engine, config)
    assert len(cut.summary.failures) == 1
    assert str(config.source) in cut.summary.failures[0]
    assert engine.asked == []


def test_a_timing_of_a_layer_that_was_not_found_fails_its_cut_before_any_work(tmp_path: Path) -> None:
    timing = {"layers": {"*": {"on": 2}, "set": {"on": 1}, "kat": {"on": 3}}}
    [cut] = decided(tmp_path, AskedEngine(), open_cut(tmp_path, timing=timing))
    [failure] = cut.summary.failures
    assert failure.startswith('timing.layers names "kat", but layers.groups: auto found only set, ')
    assert failure.endswith("; correct the name, or name the layers in layers.groups")
