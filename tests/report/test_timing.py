from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.report.facts import collect_facts
from animerun_gen.report.timing import exposure_sheet
from tests.report.clips import exposures_of, quality_of, write_clip, write_quality


def sheet_of(
    root: Path, exposures: Any, frames: Sequence[int], timing: dict[str, Any] | None = None
) -> dict[str, Any] | None:
    clip = write_clip(root, frames=frames, size=(8, 8))
    quality = quality_of(frames)
    if exposures is not None:
        quality["exposures"] = exposures
    if timing is not None:
        quality["timing"] = timing
    write_quality(root, quality)
    return exposure_sheet(collect_facts(clip))


def column_of(sheet: Any, place: int) -> list[Any]:
    cells = [row["cells"][place] for row in sheet["rows"]]
    return [cell and (cell["film_frame"], cell["mark"]) for cell in cells]


def test_a_sheet_marks_what_is_new_held_or_comes_back(tmp_path: Path) -> None:
    frames = range(1, 7)
    shown = {"fox": [1, 1, 3, 3, 5, 5], "mouth": [1, 2, 1, 1, 2, 6], "set": [1, 2, 3, 4, 5, 6]}
    sheet = sheet_of(tmp_path, exposures_of(shown, frames), frames, {"fox": {"pairs": 0.6, "pixels": None}})
    assert sheet is not None
    assert [row["frame"] for row in sheet["rows"]] == list(frames)
    assert column_of(sheet, 0) == [(1, "new"), (1, "held"), (3, "new"), (3, "held"), (5, "new"), (5, "held")]
    assert column_of(sheet, 1) == [(1, "new"), (2, "new"), (1, "again"), (1, "held"), (2, "again"), (6, "new")]
    assert {mark for _, mark in column_of(sheet, 2)} == {"new"}
    assert [layer["name"] for layer in sheet["layers"]] == ["fox", "mouth", "set"]
    assert [(layer["pairs"], layer["pixels"]) for layer in sheet["layers"]] == [(0.6, None), (None, None), (None, None)]
    assert sheet["marks"] == {"new", "again", "held"}


@pytest.mark.parametrize(
    ("film_frames", "rate"),
    [
        ([1, 2, 3, 4, 5], "on ones"),
        ([1, 1, 3, 3, 5], "on twos"),
        # with a phase the first drawing is cut short
        ([1, 2, 2, 4, 4], "on twos"),
        ([1, 1, 1, 4, 4], "on threes"),
        ([1, 1, 3, 4, 4], "1 to 2 frames"),
        ([1, 2, 2, 2, 2], "on fours"),
        ([1, 1, 1, 1, 2], "on fours"),
        ([1, 1, 1, 1, 1], "held"),
    ],
)
def test_how_long_drawings_stay_is_said_as_animators_say_it(tmp_path: Path, film_frames: list[int], rate: str) -> None:
    sheet = sheet_of(tmp_path, exposures_of({"fox": film_frames}, range(1, 6)), range(1, 6))
    assert sheet is not None
    assert sheet["layers"][0]["rate"] == rate


def test_what_nothing_says_is_left_empty(tmp_path: Path) -> None:
    frames = range(1, 5)
    rows = exposures_of({"fox": [1, 1, 3, 3]}, frames)
    rows[2]["layers"]["fox"]["share"] = 0.0
    del rows[1]
    sheet = sheet_of(tmp_path, rows, frames)
    assert sheet is not None
    # what came before frame 3 is not known, so neither is whether its drawing is new
    assert column_of(sheet, 0) == [(1, "new"), None, (3, ""), (3, "held")]
    assert [row["cells"][0] and row["cells"][0]["seen"] for row in sheet["rows"]] == [True, None, False, True]
    assert sheet["unseen"]
    assert sheet["layers"][0]["rate"] == ""


@pytest.mark.parametrize(
    "torn",
    [None, 3, "x", [], [3], [{"frame": "1", "layers": {}}], [{"frame": 1, "layers": {"fox": {"film_frame": "1"}}}]],
)
def test_a_clip_without_timing_has_no_sheet(tmp_path: Path, torn: Any) -> None:
    assert sheet_of(tmp_path, torn, range(1, 4)) is None


def test_shares_without_a_sheet_are_shown(tmp_path: Path) -> None:
    timing = {"fox": {"pairs": 0.5, "pixels": "much"}, "torn": 3}
    sheet = sheet_of(tmp_path, None, range(1, 4), timing)
    assert sheet is not None
    assert sheet["rows"] == []
    assert sheet["layers"] == [
        {"name": "fox", "rate": "", "pairs": 0.5, "pixels": None},
        {"name": "torn", "rate": "", "pairs": None, "pixels": None},
    ]
