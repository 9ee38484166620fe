from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.color.hexadecimal import rgb
from animerun_gen.config.palette import SHIPPED
from animerun_gen.dataset import ClipFiles, ClipWriter, layout
from animerun_gen.dataset.line_ink import InkSource
from animerun_gen.lines.compose import draw_lines
from animerun_gen.lines.ink import darker_tone
from animerun_gen.pipeline.describe import describe
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
from animerun_gen.pipeline.summary import CutSummary
from animerun_gen.verify.run import verify
from tests.pipeline.datasets import contents, make, make_cut, stage_of, times
from tests.pipeline.fake_engine import FakeEngine

PASSES = {"recolor": {"passes": 2}}
PALETTE = """\
about: test
scenes:
  - name: only
    colors: [{color: "#402010", share: 0.5}, {color: "#f0e0d0", share: 0.5}]
"""


def passes_in(files: dict[str, Any]) -> set[str]:
    return {name for name in files if stage_of(name) == "recolor"}


def make_passes(folder: Path, changes: dict[str, Any] | None = None, **options: Any) -> CutSummary:
    [summary] = make(make_cut(folder, {**PASSES, **(changes or {})}), folder / "out", FakeEngine(), **options)
    return summary


def test_a_pass_is_the_flat_frame_in_its_colours_with_the_same_lines_over_it(tmp_path: Path) -> None:
    summary = make_passes(tmp_path)
    assert summary.recolored == 5
    assert summary.coverage is not None
    assert summary.coverage.complete
    clip = ClipFiles(tmp_path / "out", "train", "square")
    table = json.loads(layout.recolor_file(tmp_path / "out", "square").read_text())
    assert set(table["passes"]) == {"color_1", "color_2"}
    for name, one in table["passes"].items():
        assert {material["name"] for material in one["materials"].values()} == {"background", "paint"}
        for frame in clip.frame_numbers:
            materials = clip.read("material_id", frame)
            flat = np.empty((*materials.shape, 3), np.uint8)
            for number, material in one["materials"].items():
                flat[materials == int(number)] = rgb(material["color"])
            np.testing.assert_array_equal(
                clip.read(name, frame), draw_lines(flat, clip.read("contour", frame), (0, 0, 0))
            )
    assert (clip.read("color_1", 3) != clip.read("color_2", 3)).any()
    assert (clip.read("color_1", 3) != clip.read("frame", 3)).any()


STYLED = {
    "lines": {"engine": "geometry", "color": "#102030", "style": {"antialias": True, "rules": [{"color": "auto"}]}}
}


def test_lines_in_their_style_cover_what_they_do_in_the_original_and_go_with_the_new_colours(tmp_path: Path) -> None:
    changes = {**STYLED, "recolor": {"passes": 2, "keep": ["back*"]}}
    make_passes(tmp_path, changes)
    clip = ClipFiles(tmp_path / "out", "train", "square")
    table = json.loads(layout.recolor_file(tmp_path / "out", "square").read_text())
    for frame in clip.frame_numbers:
        ink, flat, materials = (clip.read(name, frame) for name in ("line_ink", "flat", "material_id"))
        rows, columns = np.divmod(ink.pixel, 64)
        for name in ("color_1", "color_2"):
            new = flat.copy()
            new[materials == 2] = rgb(table["passes"][name]["materials"]["2"]["color"])
            expected = new.astype(int)
            tone = darker_tone(new[rows, columns], 0.5, 1.2).astype(int)
            color = np.where(ink.source[:, None] == InkSource.SURFACE, tone, rgb("#102030"))
            expected[rows, columns] = (expected[rows, columns] * 127 + color * 128 + 127) // 255
            picture = clip.read(name, frame)
            np.testing.assert_array_equal(picture, expected)
            assert (picture != clip.read("frame", frame))[materials == 2].any(axis=-1).all()
    assert not [defect for report in verify(tmp_path / "out") for defect in report.defects]


def test_a_style_comes_and_goes_with_the_passes(tmp_path: Path) -> None:
    """What lines are kept for passes goes with the last of them, and nothing else is made again."""
    make_passes(tmp_path, STYLED)
    both = contents(tmp_path / "out")
    ink = {name for name in both if "/LineInk/" in name}
    assert len(ink) == 5
    make_passes(tmp_path, {**STYLED, "recolor": {"passes": 0}})
    without = contents(tmp_path / "out")
    assert not any("LineInk" in name for name in without)
    make_passes(tmp_path, STYLED)
    assert contents(tmp_path / "out") == both
    (tmp_path / "out/train/Frame_Anime/square/color_1/0002.png").unlink()
    (tmp_path / "out" / sorted(ink)[1]).unlink()
    make_passes(tmp_path, STYLED)
    assert contents(tmp_path / "out") == both


def test_verify_sees_lines_that_are_not_those_of_the_frame(tmp_path: Path) -> None:
    make_passes(tmp_path, {**STYLED, "style": {"background": "#000000"}})
    output = tmp_path / "out"
    clip = ClipWriter(output, "train", "square")
    ink = clip.read("line_ink", 3)
    clip.write("line_ink", 3, replace(ink, coverage=np.full_like(ink.coverage, 200)))
    found = {(defect.file, defect.kind) for report in verify(output) for defect in report.defects}
    assert ("train/LineInk/square/0003.npz", "contradiction") in found


def test_verify_knows_them_and_finds_what_is_wrong(tmp_path: Path) -> None:
    make_passes(tmp_path, {"style": {"background": "#000000"}})
    output = tmp_path / "out"

    def defects() -> list[tuple[str, str]]:
        return [(defect.file, defect.kind) for report in verify(output) for defect in report.defects]

    assert defects() == []
    table = layout.recolor_file(output, "square")
    whole = table.read_text()
    table.write_text(whole.replace("color_2", "color_3"))
    assert {("recolor/square.json", "damaged"), ("recolor/square.json", "changed")} == set(defects())
    table.unlink()
    assert ("recolor/square.json", "missing") in defects()
    table.write_text(whole)
    (output / "recolor/other.json").write_text("{}")
    picture = "train/Frame_Anime/square/color_2/0003.png"
    (output / picture).rename(output / "train/Frame_Anime/square/color_2/0009.png")
    found = defects()
    assert ("recolor/other.json", "stray") in found
    assert (picture, "missing") in found
    assert any(file.endswith("color_2/0009.png") and kind == "stray" for file, kind in found)


@pytest.mark.parametrize("workers", [1, 2])
def test_by_whatever_detour_the_passes_are_the_same(tmp_path: Path, workers: int) -> None:
    make_passes(tmp_path)
    straight = contents(tmp_path / "out")
    config, output = make_cut(tmp_path, PASSES), tmp_path / "detour"
    # the end first, then the beginning, and the labels of all of it at last
    make(config, output, FakeEngine(), frames=(4, 5), label=False)
    make(config, output, FakeEngine(), frames=(1, 4), label=False)
    make(config, output, None, render=False, frames=(2, 2))
    some = passes_in(contents(output))
    assert some == {f"train/Frame_Anime/square/color_{number}/0002.png" for number in (1, 2)}
    make(config, output, None, render=False, workers=workers)
    assert {name: straight[name] for name in passes_in(straight)} == {
        name: data for name, data in contents(output).items() if stage_of(name) == "recolor"
    }
    assert contents(output)["recolor/square.json"] == straight["recolor/square.json"]


def test_colours_are_not_chosen_before_the_whole_clip_is_there(tmp_path: Path) -> None:
    summary = make_passes(tmp_path, frames=(1, 3))
    assert not passes_in(contents(tmp_path / "out"))
    assert not layout.recolor_file(tmp_path / "out", "square").exists()
    said = "\n".join(describe([summary], tmp_path / "out"))
    assert "colours are chosen for the whole clip, but frames of it are not rendered yet (2, the first is 4)" in said
    assert "missing: color_1, color_2; colour passes are made once all frames of the clip are rendered" in said
    # what is there of the clip is in order nevertheless
    assert summary.coverage is not None
    assert summary.coverage.in_order
    assert not summary.coverage.complete
    assert summary.coverage.frames == (1, 2, 3)
    assert make_passes(tmp_path).recolored == 5


def test_a_second_run_touches_nothing_and_a_lost_picture_comes_back(tmp_path: Path) -> None:
    make_passes(tmp_path)
    before, whole = times(tmp_path / "out"), contents(tmp_path / "out")
    assert make_passes(tmp_path).recolored == 0
    assert times(tmp_path / "out") == before
    lost = tmp_path / "out/train/Frame_Anime/square/color_1/0003.png"
    lost.write_bytes(b"")
    assert make_passes(tmp_path).recolored == 1
    layout.recolor_file(tmp_path / "out", "square").unlink()
    assert make_passes(tmp_path).recolored == 0
    assert contents(tmp_path / "out") == whole
    after = times(tmp_path / "out", ledgers=False)
    changed = {name for name, moment in after.items() if moment != before[name]}
    assert changed == {"train/Frame_Anime/square/color_1/0003.png", "recolor/square.json"}


def test_more_and_fewer_passes_leave_the_others_alone(tmp_path: Path) -> None:
    make_passes(tmp_path)
    two = contents(tmp_path / "out")
    before = times(tmp_path / "out")
    make_passes(tmp_path, {"recolor": {"passes": 3}})
    three = times(tmp_path / "out")
    assert len(passes_in(three)) == 15
    assert all(three[name] == before[name] for name in passes_in(before))
    make_passes(tmp_path)
    assert passes_in(contents(tmp_path / "out")) == passes_in(two)
    assert contents(tmp_path / "out")["recolor/square.json"] == two["recolor/square.json"]
    make_passes(tmp_path, {"recolor": {"passes": 0}})
    assert not passes_in(contents(tmp_path / "out"))
    assert not (tmp_path / "out/recolor/square.json").exists()
    assert not list((tmp_path / "out/train/Frame_Anime/square").glob("color_*"))


@pytest.mark.parametrize("change", ["seed", "palette", "keep", "source"])
def test_what_they_depend_on_makes_them_anew(tmp_path: Path, change: str) -> None:
    palette = tmp_path / "p.yaml"
    palette.write_text(PALETTE)
    recolor = {"passes": 2, "palette": palette}
    make_passes(tmp_path, {"recolor": recolor})
    before = times(tmp_path / "out")
    changes: dict[str, Any] = {"recolor": recolor}
    if change == "seed":
        changes["seed"] = 3
    elif change == "palette":
        palette.write_text(PALETTE.replace("#402010", "#104020"))
    elif change == "keep":
        changes["recolor"] = {**recolor, "keep": ["background"]}
    else:
        (tmp_path / "film.blend").write_bytes(b"another film")
    summary = make_passes(tmp_path, changes)
    assert "recolor" in summary.redone
    after = times(tmp_path / "out")
    redone = {stage_of(name) for name in before if stage_of(name) and after[name] != before[name]}
    assert redone == ({"recolor"} if change != "source" else {"pictures", "motion", "labels", "recolor"})
    assert all(after[name] != before[name] for name in passes_in(before))


def test_a_longer_clip_chooses_its_colours_anew(tmp_path: Path) -> None:
    make_passes(tmp_path)
    before = times(tmp_path / "out")
    summary = make_passes(tmp_path, {"frames": {"last": 6}})
    assert summary.redone == {"recolor": "frames.last was 5 and is 6"}
    after = times(tmp_path / "out")
    assert all(after[name] != before[name] for name in passes_in(before))
    assert len(passes_in(after)) == 12
    assert all(after[name] == before[name] for name in before if stage_of(name) == "pictures" and ".png" in name)


def test_kept_materials_and_patterns_that_match_nothing(tmp_path: Path) -> None:
    summary = make_passes(tmp_path, {"recolor": {"passes": 1, "keep": ["back*", "hair*"]}})
    assert summary.notes == ["recolor.keep: no material is named 'hair*'"]
    clip = ClipFiles(tmp_path / "out", "train", "square")
    for frame in clip.frame_numbers:
        background = clip.read("material_id", frame) == 0
        flat, painted = clip.read("flat", frame), clip.read("color_1", frame)
        np.testing.assert_array_equal(painted[background], flat[background])
        assert (painted[~background] != clip.read("frame", frame)[~background]).any()


def test_the_colours_of_a_palette_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PALETTE)
    make_passes(tmp_path, {"recolor": {"passes": 1, "palette": tmp_path / "p.yaml"}})
    table = json.loads(layout.recolor_file(tmp_path / "out", "square").read_text())
    assert table["palette"]["about"] == "test"
    assert table["passes"]["color_1"]["scene"] == "only"
    colors = {material["color"] for material in table["passes"]["color_1"]["materials"].values()}
    assert colors == {"#402010", "#f0e0d0"}
    assert SHIPPED.is_file()


def test_a_palette_that_breaks_between_is_a_failure_of_its_cut(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("about: nothing\n")
    config = make_cut(tmp_path, {"recolor": {"passes": 1, "palette": tmp_path / "p.yaml"}})
    [summary] = generate([config], Options(tmp_path / "out", FakeEngine()))
    [failure] = summary.failures
    assert failure.startswith(f"{tmp_path / 'p.yaml'}:1: scenes: is missing")
    (tmp_path / "p.yaml").unlink()
    [summary] = generate([config], Options(tmp_path / "out", FakeEngine()))
    assert "p.yaml cannot be read" in summary.failures[0]


def test_a_damaged_id_map_is_said_and_no_pass_is_made_with_other_colours(tmp_path: Path) -> None:
    config, output = make_cut(tmp_path, PASSES), tmp_path / "out"
    make(make_cut(tmp_path), output, FakeEngine())
    (output / "train/MaterialId/square/0003.png").write_bytes(b"damaged")
    [summary] = generate([config], Options(output, FakeEngine(), render=False))
    assert any("MaterialId/square/0003.png" in failure for failure in summary.failures)
    assert not passes_in(contents(output))


def test_another_split_takes_them_along(tmp_path: Path) -> None:
    make_passes(tmp_path)
    before = contents(tmp_path / "out")
    summary = make_passes(tmp_path, {"split": "test"})
    assert summary.recolored == 0
    after = contents(tmp_path / "out")
    assert {name.replace("train/", "test/"): before[name] for name in passes_in(before)} == {
        name: after[name] for name in passes_in(after)
    }
    assert not (tmp_path / "out/train/Frame_Anime/square").exists()


def test_a_material_has_one_colour_through_the_clip(tmp_path: Path) -> None:
    make_passes(tmp_path)
    clip = ClipFiles(tmp_path / "out", "train", "square")
    for earlier, later in pairwise(clip.frame_numbers):
        for number in (0, 2):
            colors = [
                {tuple(color) for color in clip.read("color_1", frame)[inside].tolist()}
                for frame in (earlier, later)
                for inside in [(clip.read("material_id", frame) == number) & (clip.read("contour", frame) == 255)]
            ]
            assert colors[0] == colors[1]
            assert len(colors[0]) == 1
