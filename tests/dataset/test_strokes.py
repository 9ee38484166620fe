"""The file of a frame's strokes: what it may hold, and finding points again."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.dataset import Strokes, read_strokes, write_strokes
from animerun_gen.dataset.files import write_arrays
from animerun_gen.dataset.strokes import ARRAYS
from animerun_gen.errors import DatasetError
from tests.export.clips import strokes


def test_the_table_names_the_arrays_of_strokes() -> None:
    assert tuple(field.name for field in fields(Strokes)) == tuple(ARRAYS)


def test_strokes_by_number_and_as_pieces() -> None:
    first = strokes(0)
    assert len(first) == 3
    assert first.points(1).tolist() == [2, 4]
    assert first.polyline(2).tolist() == first.position[[0, 2]].tolist()
    assert first.segments().tolist() == [[4, 3], [3, 0], [0, 1], [1, 2], [2, 4], [0, 2]]
    assert first.segments(first.hidden).tolist() == [[2, 4], [0, 2]]
    assert first.shown().tolist() == [True] * 5
    alone = replace(first, hidden=np.array([True, True, False]))
    assert alone.shown().tolist() == [True, False, True, False, False]


def test_points_are_found_again_by_identity_and_place_between() -> None:
    first, second = strokes(0), strokes(1)
    assert first.matches(second).tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    shuffled = replace(second, identity=second.identity[[2, 0, 3, 1]])
    assert first.matches(shuffled).tolist() == [[0, 1], [1, 3], [2, 0], [3, 2]]
    assert first.matches(first).tolist() == [[k, k] for k in range(5)]
    along = replace(first, along=np.array([0, 0, 0, 0, 0.25]))
    assert first.matches(along).tolist() == [[k, k] for k in range(4)]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a point that is nowhere": ({"position": np.full((5, 2), np.nan)}, "a point has no place"),
    "a type": ({"kind": np.zeros(3, np.int64)}, "kind is int64"),
    "a length": ({"along": np.zeros(4)}, "along has 4 entries where there should be 5"),
    "a kind": ({"kind": np.full(3, 9, np.uint8)}, "of a kind that there is not"),
    "a point": ({"stroke_points": np.array([4, 3, 0, 1, 5, 2, 4, 0, 2], np.int32)}, "a point that there is not"),
    "a short stroke": ({"stroke_start": np.array([0, 5, 6, 9])}, "two points at least"),
    "an end": ({"stroke_start": np.array([0, 5, 7, 8])}, "does not lead through"),
    "a border of the shade": ({"kind": np.array([1, 2, 7], np.uint8)}, "says that it is found again"),
    "a place between": ({"along": np.array([0, 0, 0, 0, 1.5])}, "beyond the vertices"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_contradicts_itself_is_neither_written_nor_read(tmp_path: Path, case: str) -> None:
    changes, problem = WRONG[case]
    wrong = replace(strokes(0), **changes)
    with pytest.raises(ValueError, match=problem):
        write_strokes(tmp_path / "0001.npz", wrong)
    arrays = {name: getattr(wrong, name) for name in ARRAYS}
    write_arrays(tmp_path / "0001.npz", {name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DatasetError, match=problem):
        read_strokes(tmp_path / "0001.npz")


def within_a_face() -> Strokes:
    """The same strokes; their third point lies within a triangle."""
    whole = strokes(0)
    corners, shares = np.full((5, 3), -1, np.int32), np.zeros((5, 3))
    corners[2], shares[2] = (4, 7, 5), (0.5, 0.25, 0.25)
    return replace(whole, corners=corners, shares=shares)


def test_points_within_faces_are_written_where_there_are_any(tmp_path: Path) -> None:
    write_strokes(tmp_path / "plain.npz", strokes(0))
    with np.load(tmp_path / "plain.npz") as file:
        assert set(file) == set(ARRAYS) - {"corners", "shares"}
    plain = read_strokes(tmp_path / "plain.npz")
    assert plain.corners is None
    assert plain.within().tolist() == [False] * 5
    write_strokes(tmp_path / "within.npz", within_a_face())
    found = read_strokes(tmp_path / "within.npz")
    assert found.within().tolist() == [False, False, True, False, False]
    assert found.corners is not None
    assert found.corners[2].tolist() == [4, 7, 5]


HALF: dict[str, tuple[dict[str, Any], str]] = {
    "one array of two": ({"shares": None}, "shares is missing"),
    "two corners": ({"corners": np.tile(np.array([4, 7, -1], np.int32), (5, 1))}, "some of the corners"),
    "shares without corners": ({"corners": np.full((5, 3), -1, np.int32)}, "beyond the triangle"),
    "too much": ({"shares": np.tile([0.5, 0.5, 0.5], (5, 1))}, "beyond the triangle"),
    "no number": ({"shares": np.full((5, 3), np.nan)}, "beyond the triangle"),
}


@pytest.mark.parametrize("case", HALF)
def test_places_on_triangles_that_are_none(tmp_path: Path, case: str) -> None:
    changes, problem = HALF[case]
    wrong = replace(within_a_face(), **changes)
    with pytest.raises(ValueError, match=problem):
        write_strokes(tmp_path / "0001.npz", wrong)
    arrays = {name: getattr(wrong, name) for name in ARRAYS}
    write_arrays(tmp_path / "0001.npz", {name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DatasetError, match=problem):
        read_strokes(tmp_path / "0001.npz")


def test_strokes_that_were_found_one_after_the_other_are_joined() -> None:
    both = Strokes.joined([strokes(0), within_a_face()])
    assert len(both) == 6
    assert both.polyline(4).tolist() == strokes(0).polyline(1).tolist()
    assert both.within().tolist() == [False] * 7 + [True] + [False] * 2
    assert Strokes.joined([strokes(0), strokes(1)]).corners is None


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "0001.npz").write_bytes(b"PK")
    with pytest.raises(DatasetError, match=r"0001\.npz"):
        read_strokes(tmp_path / "0001.npz")
