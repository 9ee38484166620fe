"""Which film frame a layer shows, against exposure sheets written out by hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.config.exposures import exposures
from animerun_gen.config.model import LayerTiming, Timing
from animerun_gen.errors import ConfigError

FRAMES = range(10, 17)


def shown(layer: LayerTiming, frames: range = FRAMES, shots: tuple[int, ...] = (0,)) -> list[int]:
    return list(exposures(Timing(layers={"hero": layer}), frames, shots)["hero"])


def of_sheet(folder: Path, text: str, name: str = "sheet.csv", cells: str = "film_frames") -> Timing:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Timing.model_validate({"sheet": path, "cells": cells})


def test_rates_and_phases() -> None:
    assert shown(LayerTiming()) == [10, 11, 12, 13, 14, 15, 16]
    assert shown(LayerTiming(on=2)) == [10, 10, 12, 12, 14, 14, 16]
    assert shown(LayerTiming(on=2, phase=1)) == [10, 11, 11, 13, 13, 15, 15]
    assert shown(LayerTiming(on=3)) == [10, 10, 10, 13, 13, 13, 16]
    assert shown(LayerTiming(on=3, phase=2)) == [10, 10, 12, 12, 12, 15, 15]


def test_it_counts_frames_of_the_clip() -> None:
    assert shown(LayerTiming(on=2), range(1, 10, 2)) == [1, 1, 5, 5, 9]


def test_no_layer_is_held_across_a_cut() -> None:
    assert shown(LayerTiming(on=2), FRAMES, (0, 3)) == [10, 10, 12, 13, 13, 15, 15]
    assert shown(LayerTiming(on=3, phase=1), FRAMES, (0, 3)) == [10, 11, 11, 13, 14, 14, 14]


@given(on=st.integers(1, 5), phase=st.integers(0, 4), cut=st.integers(1, 30))
def test_a_part_of_a_split_cut_is_timed_as_in_the_whole(on: int, phase: int, cut: int) -> None:
    layer = LayerTiming(on=on, phase=phase % on)
    whole = shown(layer, range(31), (0, cut))
    assert whole[:cut] == shown(layer, range(cut))
    assert whole[cut:] == shown(layer, range(cut, 31))
    assert all(before <= after <= index for index, (before, after) in enumerate(pairwise(whole), 1))


def test_listed_frames_count_instead() -> None:
    listed = (10, 10, 11, 11, 11, 15, 12)
    assert shown(LayerTiming(on=2, frames=listed)) == list(listed)


@pytest.mark.parametrize(
    ("listed", "shots", "complaint"),
    [
        ((10, 11), (0,), "has 2 frames, but the clip 7"),
        ((9, 10, 11, 12, 13, 14, 15), (0,), "film frame 9 in frame 10, but the clip consists of frames 10-16"),
        ((10, 10, 10, 10, 14, 15, 16), (0, 3), "film frame 10 in frame 13, but there is a camera cut"),
    ],
)
def test_lists_that_do_not_fit(listed: tuple[int, ...], shots: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        shown(LayerTiming(frames=listed), FRAMES, shots)


CSV = "frame,hero,crowd\n10,10,10\n11,,\n12,12,\n13,,13\n14,14,10\n15,,\n16,16,\n17,17,17\n"
JSON = (
    '{"frames": [10, 11, 12, 13, 14, 15, 16, 17], "layers": {"hero": [10, null, 12, null, 14, null, 16, 17], '
    '"crowd": [10, null, null, 13, 10, null, null, 17]}}'
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sheet.csv", CSV),
        ("sheet.csv", "\ufeff" + CSV.replace(",", ";").replace("\n", "\r\n")),
        ("sheet.csv", CSV.replace("11,,\n", "11\n\n , ,\n")),
        ("sheet.json", JSON),
    ],
)
def test_sheets_of_film_frames(tmp_path: Path, name: str, text: str) -> None:
    found = exposures(of_sheet(tmp_path, text, name), FRAMES)
    assert found == {"hero": (10, 10, 12, 12, 14, 14, 16), "crowd": (10, 10, 10, 13, 10, 10, 10)}


def test_a_sheet_counts_before_rates_and_leaves_other_layers_theirs(tmp_path: Path) -> None:
    timing = of_sheet(tmp_path, "frame,hero\n" + "".join(f"{frame},{frame}\n" for frame in FRAMES))
    timing = timing.model_copy(update={"layers": {"hero": LayerTiming(on=3), "crowd": LayerTiming(on=3)}})
    found = exposures(timing, FRAMES)
    assert found == {"hero": tuple(FRAMES), "crowd": (10, 10, 10, 13, 13, 13, 16)}


def test_drawings_show_the_film_where_they_stand_first(tmp_path: Path) -> None:
    numbers = ["1", "", "2", "3", "", "1", "2"]
    text = "frame,hero\n" + "".join(f"{frame},{cell}\n" for frame, cell in zip(FRAMES, numbers, strict=True))
    timing = of_sheet(tmp_path, text, cells="drawings")
    assert exposures(timing, FRAMES)["hero"] == (10, 10, 12, 13, 13, 10, 12)
    # behind a cut drawings are others
    assert exposures(timing, FRAMES, (0, 4))["hero"] == (10, 10, 12, 13, 14, 15, 16)


def test_an_empty_cell_holds_nothing_from_before_a_cut(tmp_path: Path) -> None:
    timing = of_sheet(tmp_path, CSV)
    assert exposures(timing, FRAMES[:4], (0, 1))["hero"] == (10, 11, 12, 12)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.csv", "", "line 1: the first column must be named frame"),
        ("a.csv", "hero,crowd\n1,1\n", "line 1: the first column must be named frame"),
        ("a.csv", "frame\n10\n", "has no column for a layer"),
        ("a.csv", "frame,hero\n", "has no row"),
        ("a.csv", "frame,hero,hero\n10,1,1\n", 'names "hero" more than once'),
        ("a.csv", "frame,hero,\n10,1,1\n", "a column without a name"),
        ("a.csv", "frame,hero\n10,1,2\n", "line 2 has 3 cells, but line 1 names 2 columns"),
        ("a.csv", "frame,hero\n,1\n", "line 2 does not say which frame it is"),
        ("a.csv", "frame,hero\n10,X\n", 'line 2, column hero: "X" is no whole number'),
        ("a.csv", "frame,hero\n10,1.5\n", 'line 2, column hero: "1.5" is no whole number'),
        ("a.csv", "frame,hero\n11,1\n10,1\n", "has frame 10 below frame 11"),
        ("a.csv", "frame,hero\n10,99999999999999999999\n", "is no whole number"),
        ("a.csv", 'frame,hero\n10,"1\n', "is no CSV file"),
        ("a.csv", "frame,hero\n10,10\n", "has no row for frames 11-16 of the clip"),
        ("a.json", "[1, 2]", "must hold"),
        ("a.json", "{", "is no JSON file"),
        ("a.json", '{"frames": [10], "layers": {"hero": [1, 2]}}', "must be a list of 1 cells"),
        ("a.json", '{"frames": [10], "layers": {"hero": [true]}}', "neither a whole number nor null"),
        ("a.json", '{"frames": [1e3], "layers": {"hero": [1]}}', "frames has 1000.0, which is no whole number"),
        ("a.json", '{"frames": [10], "layers": {"a": [1], "a": [2]}}', 'names "a" more than once'),
        ("a.json", "[" * 100_000, "is no JSON file"),
    ],
)
def test_sheets_that_are_none(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        exposures(of_sheet(tmp_path, text, name), FRAMES)
    assert complaint in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_files_that_cannot_be_sheets(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("frame,h\xe9ros\n10,10\n".encode("latin-1"))
    (tmp_path / "large.csv").write_bytes(b"\n" * 4_000_001)
    for name, complaint in (("latin.csv", "UTF-8"), ("large.csv", "4,000,000 bytes"), ("none.csv", "cannot be read")):
        with pytest.raises(ConfigError, match=complaint):
            exposures(Timing(sheet=tmp_path / name), FRAMES)


def test_a_star_stands_for_the_layers_that_are_not_named() -> None:
    timing = Timing(layers={"fox": LayerTiming(on=3), "*": LayerTiming(on=2)})
    meant = timing.of(("set", "hero", "fox"))
    assert exposures(meant, range(10, 14)) == {"fox": (10, 10, 10, 13), "hero": (10, 10, 12, 12)}
    assert Timing(layers={"hero": LayerTiming(on=2)}).of(("set", "fox")).layers.keys() == {"hero"}
    assert not Timing(layers={"*": LayerTiming(on=2)}).of(("set",)).is_on
