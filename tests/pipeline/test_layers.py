"""Cuts with layers, made by a stand-in for Blender: which there are, when they are made again, what is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.config import CutConfig
from animerun_gen.dataset import Dataset, files
from animerun_gen.engines.questions import AskedCut
from animerun_gen.errors import SceneError
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.state.status import read_status
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, make, make_cut
from tests.pipeline.fake_engine import FakeEngine

GROUPS = {"hero": {"objects": ["Square"]}, "extra": {"objects": ["Nobody"]}}


@dataclass(frozen=True)
class LayeredEngine(FakeEngine):
    """A stand-in for Blender that says which layers a film has, and counts how often it is asked."""

    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def layers_of(self, asked: AskedCut) -> dict[str, tuple[str, ...]]:
        self.asked.append(asked.config.name)
        if self.broken:
            raise SceneError("the film cannot be opened")
        return super().layers_of(asked)


def layered(folder: Path, groups: Any = GROUPS, **changes: Any) -> CutConfig:
    asked = {"lines": {"engine": "geometry"}, "layers": {"write": True, "groups": groups}}
    return make_cut(folder, asked | {"style": {"background": "#102030"}} | changes)


def defects(output: Path) -> list[tuple[str, str]]:
    return [(each.file, each.kind) for report in verify(output) for each in report.defects]


def test_layers_are_made_once_and_put_together_to_the_frame(tmp_path: Path) -> None:
    config, output = layered(tmp_path, motion={"gaps": [1, 2]}), tmp_path / "out"
    engine = LayeredEngine()
    make(config, output, engine)
    assert defects(output) == []
    clip = Dataset(output).clip("square")
    assert clip.layers == ("extra", "hero", "set")
    for frame in clip.frame_numbers:
        assert np.array_equal(clip.composed_frame(frame), clip.read("frame", frame))
        assert clip.read("amodal", frame).mask(1).sum() == clip.read("visible@hero", frame).sum() > 0
    assert clip.frames("flow_forward_gap2@hero") == clip.frame_numbers[:-2]
    [status] = read_status(output).cuts
    assert status.state == "complete"
    engine.jobs.clear()
    make(config, output, engine)
    assert engine.jobs == []
    assert engine.asked == []


@pytest.mark.parametrize(
    "name", ["Cel/square/0002.png", "Contour/square/0002.png", "Visible/square/0002.png", "ObjectId/square/names.json"]
)
def test_a_file_of_a_layer_that_is_missing_is_made_again(tmp_path: Path, name: str) -> None:
    config, output = layered(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    before = contents(output)
    (output / "train/Layers/hero" / name).unlink()
    make(config, output, FakeEngine())
    assert contents(output) == before


def test_layers_that_are_not_asked_for_any_more_leave_no_trace(tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(layered(tmp_path), output, FakeEngine())
    make(layered(tmp_path, {"hero": {"objects": ["Square"]}}), output, FakeEngine())
    assert sorted(path.name for path in (output / "train/Layers").iterdir()) == ["hero", "set"]
    plain = make_cut(tmp_path, {"lines": {"engine": "geometry"}, "style": {"background": "#102030"}})
    make(plain, output, FakeEngine())
    assert not (output / "train/Layers").exists()
    assert not (output / "train/Amodal/square").exists()
    make(plain, tmp_path / "fresh", FakeEngine())
    assert contents(output) == contents(tmp_path / "fresh")


RECOLORED = {"write": True, "passes": True, "groups": GROUPS}


@pytest.mark.parametrize("tones", [1, 2])
def test_cels_are_made_in_the_colours_of_each_pass_and_put_together_to_it(tmp_path: Path, tones: int) -> None:
    style = {"style": {"background": "#102030", "shade": {"tones": tones}}}
    config = layered(tmp_path, layers=RECOLORED, recolor={"passes": 2}, **style)
    output = tmp_path / "out"
    make(config, output, FakeEngine())
    assert defects(output) == []
    clip = Dataset(output).clip("square")
    for frame in clip.frame_numbers:
        for name in ("frame", "color_1", "color_2"):
            assert np.array_equal(clip.composed_frame(frame, name), clip.read(name, frame))
        for name in ("color_1", "color_2"):
            # what the square hides of the plain has the colour that the plain has elsewhere
            backdrop = clip.read(f"cel_{name}@set", frame)
            assert len(np.unique(backdrop.reshape(-1, 4), axis=0)) == 1
            hero = clip.read(f"cel_{name}@hero", frame)
            assert np.array_equal(hero[..., 3], clip.read("cel@hero", frame)[..., 3])
            assert (hero != backdrop)[hero[..., 3] > 0].any(axis=-1).all()
            assert (hero != clip.read("cel@hero", frame))[hero[..., 3] > 0].any(axis=-1).all()
    [status] = read_status(output).cuts
    assert status.state == "complete"
    # a lost one comes back, by whatever detour
    whole = contents(output)
    clip.path("cel_color_2@hero", 3).unlink()
    clip.path("line_layer_color_1", 4).unlink()
    [summary] = make(config, output, None, render=False)
    assert summary.recolored == 2
    assert contents(output) == whole
    # the frame's own passes are the same without cels
    plain = layered(tmp_path, recolor={"passes": 2}, **style)
    make(plain, output, FakeEngine())
    assert not list(output.glob("train/color_*"))
    assert not list(output.glob("train/Layers/*/color_*"))
    assert not list(output.glob("train/Layers/*/MaterialId"))
    without = contents(output)
    passes = {name: data for name, data in whole.items() if "Frame_Anime" in name}
    assert passes == {name: data for name, data in without.items() if "Frame_Anime" in name}
    make(config, output, FakeEngine())
    assert contents(output) == whole


def test_verify_sees_cels_that_are_not_those_of_a_pass(tmp_path: Path) -> None:
    config, output = layered(tmp_path, layers=RECOLORED, recolor={"passes": 1}), tmp_path / "out"
    make(config, output, FakeEngine())
    clip = Dataset(output).clip("square")
    path = clip.path("cel_color_1@hero", 2)
    name = path.relative_to(output).as_posix()
    assert name == "train/Layers/hero/color_1/Cel/square/0002.png"
    whole = clip.read("cel_color_1@hero", 2)
    shown = tuple(np.argwhere(clip.read("visible@hero", 2) & (clip.read("contour", 2) == 255))[0])
    beside = tuple(np.argwhere(whole[..., 3] == 0)[0])
    for place, value in ((shown, (1, 2, 3, 255)), (beside, (0, 0, 0, 255))):
        cel = whole.copy()
        cel[place] = value
        files.write_cel(path, cel)
        assert (name, "contradiction") in defects(output)
    path.unlink()
    assert defects(output) == [(name, "missing")]


def test_layers_of_their_own_are_found_once(tmp_path: Path) -> None:
    config, output = layered(tmp_path, "auto", lines={"engine": "auto"}), tmp_path / "out"
    engine = LayeredEngine()
    [summary] = make(config, output, engine)
    assert summary.config.layers.written == ("set", "square")
    assert summary.config.lines.engine == "geometry"
    assert any("square (1 object)" in note for note in summary.notes)
    make(config, output, engine)
    # labels are made by whoever has no Blender
    [summary] = make(config, output, None, render=False)
    assert summary.config.layers.written == ("set", "square")
    assert engine.asked == ["square"]
    # of another film they may be others
    config.source.write_bytes(b"another film")
    make(config, output, engine)
    assert engine.asked == ["square"] * 2


def test_layers_that_cannot_be_found_fail_their_cut(tmp_path: Path) -> None:
    config, output = layered(tmp_path, "auto"), tmp_path / "out"
    [summary] = generate([config], Options(output, LayeredEngine(broken=True)))
    assert summary.failures == ["the film cannot be opened"]
    [summary] = generate([config], Options(output, None, render=False))
    assert "layers.groups" in summary.failures[0]


def test_verify_sees_layers_that_are_not_those_of_the_frame(tmp_path: Path) -> None:
    config, output = layered(tmp_path), tmp_path / "out"
    make(config, output, FakeEngine())
    clip = Dataset(output).clip("square")
    places = {name: clip.path(name, 2) for name in ("cel@hero", "visible@hero", "object_id@hero", "flow_forward@hero")}
    cel = clip.read("cel@hero", 2)
    shown = np.argwhere(clip.read("visible@hero", 2) & (clip.read("contour", 2) == 255))[0]
    cel[tuple(shown)] = (1, 2, 3, 255)
    half = clip.read("cel@hero", 2)
    half[tuple(shown)] = (*half[tuple(shown)][:3], 128)
    flow = clip.read("flow_forward@hero", 2)
    flow[tuple(shown)] += 1.0
    changes: dict[str, tuple[Callable[[Path, Any], None], np.ndarray, str]] = {
        "cel@hero": (files.write_cel, cel, "contradiction"),
        "visible@hero": (files.write_mask, np.zeros(cel.shape[:2], bool), "contradiction"),
        "object_id@hero": (files.write_image, np.zeros(cel.shape[:2], np.uint16), "contradiction"),
        "flow_forward@hero": (files.write_flow, flow, "contradiction"),
    }
    for name, (write, value, kind) in changes.items():
        before = places[name].read_bytes()
        write(places[name], value)
        found = {each for each in defects(output) if each[1] != "changed"}
        where = (
            places["visible@hero"].parents[3] / "set/Visible/square/0002.png"
            if name == "visible@hero"
            else places[name]
        )
        assert found == {(where.relative_to(output).as_posix(), kind)}, name
        places[name].write_bytes(before)
    files.write_cel(places["cel@hero"], half)
    assert (places["cel@hero"].relative_to(output).as_posix(), "values") in defects(output)
