"""The page about the layout on disk, held against datasets on disk that are read without this package."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from animerun_gen.dataset.reference import layout_markdown
from animerun_gen.dataset.strokes import WITHIN_FACES
from tests.pipeline.datasets import make, make_cut
from tests.pipeline.fake_engine import FakeEngine

PAGE = Path(__file__).parents[2] / "docs" / "dataset.md"
FRAMES = [1, 2, 3, 4, 5, 6]
WIDTH, HEIGHT, TRACKS = 64, 48, 7
SIZES = {"H": HEIGHT, "W": WIDTH, "T": len(FRAMES), "N": TRACKS}
TABLES = {"names.json", "colors.json"}
CAMERAS = {"Camera/square.json", "Camera/square.npz"}
"""Files beside those of a kind, which the page names in its sentences."""


@dataclass(frozen=True)
class Row:
    """What the page says of one kind of file."""

    pattern: re.Pattern[str]
    kind: str
    dtype: str
    shape: str
    switch: str
    gap: int

    def frames(self) -> list[int]:
        """The frames whose files the page promises."""
        return {"frame": FRAMES, "forward": FRAMES[: -self.gap], "backward": FRAMES[self.gap :]}[self.kind]


def cells(page: str, header: str) -> list[list[str]]:
    """The cells of all tables of the page that begin with a header."""
    tables = re.findall(rf"^\| {re.escape(header)} \|.*\n\|[ |-]+\n((?:\|.*\n)+)", page, re.M)
    return [[cell.strip() for cell in line[1:-1].split("|")] for table in tables for line in table.splitlines()]


def rows() -> list[Row]:
    found = []
    for _, file, kind, dtype, shape, switch, _ in cells(PAGE.read_text(encoding="utf-8"), "name"):
        path = file.strip("`")
        gap = re.match(r"Gap(\d+)/", path)
        pattern = re.sub(r"01[89]\d", r"(?P<frame>\\d{4})", re.escape(path.replace("<cut>", "square")))
        found.append(Row(re.compile(pattern), kind, dtype, shape, switch, int(gap[1]) if gap else 1))
    return found


def read_flow(path: Path) -> np.ndarray:
    """As the Middlebury format is described."""
    data = path.read_bytes()
    assert data[:4] == b"PIEH"
    width, height = np.frombuffer(data, "<i4", 2, 4)
    return np.frombuffer(data, "<f4", -1, 12).reshape(height, width, 2)


READERS: dict[str, Callable[[Path], Any]] = {
    ".png": lambda path: cv2.imread(str(path), cv2.IMREAD_UNCHANGED),
    ".npy": np.load,
    ".flo": read_flow,
}


def generated(
    folder: Path, motion: dict[str, Any], passes: int = 0, tones: int = 1, layers: tuple[str, ...] = ()
) -> list[str]:
    """The files of a dataset below its split."""
    changes = {
        "frames": {"last": FRAMES[-1]},
        "resolution": [WIDTH, HEIGHT],
        "motion": {"extras": [], "gaps": [1], "tracks": 0, **motion},
        "recolor": {"passes": passes},
        "style": {"shade": {"tones": tones}},
    }
    if layers:
        groups = {layer: {"objects": ["Square"]} for layer in layers}
        changes["lines"] = {"engine": "geometry", "vector": True, "style": {"antialias": True}}
        changes["layers"] = {"write": True, "groups": groups, "passes": passes > 0}
    make(make_cut(folder, changes), folder / "out", FakeEngine())
    root = folder / "out" / "train"
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]


def test_the_committed_page_is_up_to_date() -> None:
    command = "python -m animerun_gen.dataset.reference > docs/dataset.md"
    assert PAGE.read_text(encoding="utf-8") == layout_markdown(), f"out of date; run: {command}"


def test_every_file_is_as_its_one_row_of_the_page_says(tmp_path: Path) -> None:
    extras = ["depth", "ids", "normals", "exact_occlusion", "scene_flow", "correspondence"]
    files = generated(tmp_path, {"extras": extras, "gaps": [1, 4], "tracks": TRACKS}, 1, 2, ("hero",))
    # the set has files of the same kinds, and layers their motion over larger distances, as a sentence says
    files = [name for name in files if not name.startswith(("Layers/set/", "Layers/hero/Gap4/"))]
    numbers: dict[Row, list[int]] = {row: [] for row in rows()}
    for name in files:
        if Path(name).name in TABLES or name in CAMERAS:
            continue
        [(row, match)] = [(row, match) for row in numbers if (match := row.pattern.fullmatch(name))]
        path = tmp_path / "out" / "train" / name
        if row.kind == "clip":
            continue
        numbers[row].append(int(match["frame"]))
        if row.dtype == "npz":
            titles = {"Vector": "array of the strokes", "LineInk": "array of the lines"}
            title = titles.get(name.partition("/")[0], "array of a frame")
            with np.load(path) as arrays:
                # the fake engine's strokes have no points within triangles
                described = {cell[0].strip("`") for cell in cells(PAGE.read_text(), title)} - set(WITHIN_FACES)
                assert set(arrays) == described
        elif row.dtype == "JSON":
            matches = json.loads(path.read_bytes())
            if name.startswith("Amodal/"):
                continue
            assert all(isinstance(found, list) and number.isdecimal() for number, found in matches.items()), name
        else:
            value = READERS[path.suffix](path)
            assert value.dtype == row.dtype, name
            assert value.shape == shape_of(row.shape), name
    for row, found in numbers.items():
        # the fake engine draws all lines alike
        styled = row.switch.startswith(("`lines.kinds`", "`lines.style.gaps"))
        if row.kind != "clip" and not styled:
            assert sorted(found) == row.frames(), row.pattern


def shape_of(cell: str) -> tuple[int, ...]:
    if cell == "one number":
        return ()
    return tuple(SIZES[size] if size in SIZES else int(size) for size in cell.split(", "))


def test_every_array_of_the_tracks_is_as_its_row_says(tmp_path: Path) -> None:
    generated(tmp_path, {"extras": ["ids"], "tracks": TRACKS})
    described = {name.strip("`"): (dtype, shape) for name, dtype, shape, _ in cells(PAGE.read_text(), "array")}
    with np.load(tmp_path / "out/train/Tracks/square/tracks.npz") as arrays:
        assert set(arrays) == set(described)
        for name, (dtype, shape) in described.items():
            assert (arrays[name].dtype, arrays[name].shape) == (dtype, shape_of(shape)), name


@pytest.mark.parametrize(
    ("motion", "passes", "switches"),
    [
        ({}, 0, {"always"}),
        ({"extras": ["depth"]}, 0, {"always", "`depth`"}),
        ({"extras": ["normals"]}, 0, {"always", "`normals`"}),
        ({"extras": ["ids"]}, 0, {"always", "`ids`"}),
        ({"extras": ["exact_occlusion"]}, 0, {"always", "`exact_occlusion`"}),
        ({"extras": ["scene_flow"]}, 0, {"always", "`scene_flow`"}),
        ({"extras": ["correspondence"]}, 0, {"always", "`correspondence`"}),
        ({"gaps": [1, 4]}, 0, {"always", "`motion.gaps`"}),
        ({"extras": ["ids"], "tracks": TRACKS}, 0, {"always", "`ids`", "`motion.tracks`"}),
        ({"extras": ["ids"]}, 1, {"always", "`ids`", "`recolor.passes`"}),
    ],
)
def test_a_kind_is_there_where_its_switch_is_on(
    tmp_path: Path, motion: dict[str, Any], passes: int, switches: set[str]
) -> None:
    files = generated(tmp_path, motion, passes)
    for row in rows():
        there = any(row.pattern.fullmatch(name) for name in files)
        assert there == (set(row.switch.split(" and ")) <= switches), row.pattern
