"""Exposure sheets: which drawing of each layer a clip's frames show, as animation studios write it.

A sheet is a table, one row a frame and one column a layer.  As CSV its first line names the columns, the first of which
is ``frame`` (the film's own number); commas or semicolons part the cells::

    frame,hero,crowd
    10,10,10
    11,,
    12,12,
    13,,13

As JSON it is ``{"frames": [10, 11, 12, 13], "layers": {"hero": [10, null, 12, null], "crowd": [10, null, null, 13]}}``.
What a number in a cell means is said in the configuration; an empty cell holds what the row above shows.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from animerun_gen.config.messages import shown
from animerun_gen.errors import ConfigError

SUFFIXES = (".csv", ".json")
"""What the name of a sheet may end with."""

LARGEST_FILE = 4_000_000
"""Bytes that a sheet may have."""

LARGEST_NUMBER = 9_999_999
"""Numbers in a sheet are at most so far from 0."""

FRAME = "frame"
"""Name of the column that says which frame a row is."""


@dataclass(frozen=True)
class ExposureSheet:
    """An exposure sheet of ``n`` rows.

    Attributes:
        frames: The film's number of each row's frame, ascending.
        layers: The ``n`` cells of each layer from top to bottom, by its name; None where a cell is empty.
    """

    frames: tuple[int, ...]
    layers: dict[str, tuple[int | None, ...]]


def read_sheet(path: Path) -> ExposureSheet:
    """Read an exposure sheet.

    Args:
        path: A ``.csv`` or ``.json`` file, in UTF-8.

    Raises:
        ConfigError: It cannot be read, or is no sheet; the error says what is wrong and where.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _wrong(path, f"cannot be read ({error.strerror}); check the path and its permissions") from error
    if len(data) > LARGEST_FILE:
        raise _wrong(path, f"has more than {LARGEST_FILE:,} bytes, which no exposure sheet needs; check the path")
    try:
        # spreadsheets put a mark before the first character
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not written in UTF-8; save it as CSV in UTF-8") from error
    frames, layers = _from_json(path, text) if path.suffix.lower() == ".json" else _from_csv(path, text)
    if not layers:
        raise _wrong(path, "has no column for a layer; give it one of the layer's name")
    if not frames:
        raise _wrong(path, "has no row; give it one for each frame of the clip")
    for above, below in pairwise(frames):
        if below <= above:
            raise _wrong(path, f"has frame {below} below frame {above}; put its rows in order, each frame once")
    return ExposureSheet(frames, layers)


Columns = tuple[tuple[int, ...], dict[str, tuple[int | None, ...]]]
"""The frames of all rows, and the cells of each layer."""


def _from_csv(path: Path, text: str) -> Columns:
    lines = text.splitlines()
    delimiter = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
    try:
        table = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter, strict=True)]
    except csv.Error as error:
        raise _wrong(path, f"is no CSV file ({error}); write one line a frame, its cells parted by commas") from error
    if not table or not table[0] or table[0][0].lower() != FRAME:
        raise _wrong(path, f"line 1: the first column must be named {FRAME}, and each other one as its layer is")
    names = table[0][1:]
    _refuse_repeats(path, names)
    frames: list[int] = []
    cells: list[list[int | None]] = [[] for _ in names]
    for line, row in enumerate(table[1:], start=2):
        if not any(row):
            continue
        if len(row) > len(table[0]):
            raise _wrong(path, f"line {line} has {len(row)} cells, but line 1 names {len(table[0])} columns")
        frame = _number(path, row[0], f"line {line}, column {FRAME}")
        if frame is None:
            raise _wrong(path, f"line {line} does not say which frame it is; fill in its column {FRAME}")
        frames.append(frame)
        # what a spreadsheet leaves out at the end of a line is empty
        padded = row[1:] + [""] * (len(table[0]) - len(row))
        for name, column, cell in zip(names, cells, padded, strict=True):
            column.append(_number(path, cell, f"line {line}, column {name}"))
    return tuple(frames), {name: tuple(column) for name, column in zip(names, cells, strict=True)}


def _from_json(path: Path, text: str) -> Columns:
    try:
        # pairs, because of a name that stands twice the last would count
        data = json.loads(text, object_pairs_hook=lambda pairs: _mapping(path, pairs))
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"is no JSON file ({error})") from error
    layers = data.get("layers") if isinstance(data, dict) else None
    rows = data.get("frames") if isinstance(data, dict) else None
    if not isinstance(layers, dict) or not isinstance(rows, list) or set(data) != {"frames", "layers"}:
        raise _wrong(path, 'must hold {"frames": [...], "layers": {"<layer>": [...]}} and nothing else')
    frames = []
    for row in rows:
        if not _is_number(row):
            raise _wrong(path, f"frames has {shown(row)}, which is no whole number")
        frames.append(row)
    found: dict[str, tuple[int | None, ...]] = {}
    for name, cells in layers.items():
        if not isinstance(cells, list) or len(cells) != len(frames):
            raise _wrong(path, f"layer {shown(name)} must be a list of {len(frames)} cells, as many as frames has")
        for cell in cells:
            if cell is not None and not _is_number(cell):
                raise _wrong(path, f"layer {shown(name)} has {shown(cell)}, which is neither a whole number nor null")
        found[name] = tuple(cells)
    return tuple(frames), found


def _mapping(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_repeats(path, [name for name, _ in pairs])
    return dict(pairs)


def _refuse_repeats(path: Path, names: Sequence[str]) -> None:
    for name in names:
        if not name:
            raise _wrong(path, "has a column without a name; name each as its layer is")
        if names.count(name) > 1:
            raise _wrong(path, f"names {shown(name)} more than once; give each layer one column")


def _number(path: Path, cell: str, place: str) -> int | None:
    """What a cell of a CSV file holds; None where it is empty."""
    if not cell:
        return None
    digits = cell.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > len(str(LARGEST_NUMBER)):
        raise _wrong(
            path,
            f"{place}: {shown(cell)} is no whole number; a cell holds a number, or nothing where the row above is held "
            "(a layer cannot be without a drawing)",
        )
    return int(cell)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def _wrong(path: Path, what: str) -> ConfigError:
    return ConfigError([f"{path} {what}"])
