"""Reads what datasets of version 0.7.0 and earlier have in their hidden folders, and moves it over.

There every kind of thing that was known of a cut had a folder, with a file for each cut.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import read_json, refused
from animerun_gen.errors import DatasetError

_SECTIONS = {
    "camera_marks": "camera_marks",
    "line_figures": "line_figures",
    "worker_memory": "worker_memory",
    "failures": "failures",
    "judged": "judged",
    "checksums": "checksums",
}
"""Section of a ledger to the folder that it was."""

_FRAMES, _CHECKS, _INPUTS = "frame_figures", "cross_check", "inputs"
"""Folders of other things: figures of frames, comparisons of the two motion backends, digests of film files."""

_FOLDERS = (*_SECTIONS.values(), _FRAMES, _CHECKS, _INPUTS)
"""All of them; what else lies in the hidden folder has the place that it had."""

_CHECKSUMS_VERSION = 2
"""Of the old form; one of an earlier form was as good as none then, too."""


def sections(output: Path, cut: str, record: Any) -> dict[str, Any]:
    """What an old dataset says of a cut, as sections of its ledger, which nobody has looked into.

    Args:
        output: Root folder of the dataset.
        cut: Name of the cut.
        record: Content of the file that the ledger has the place of; None where there is none, or none of any form.
    """
    found = {}
    for name, folder in _SECTIONS.items():
        with suppress(DatasetError):
            found[name] = read_json(layout.state_folder(output) / folder / f"{cut}.json")
    if isinstance(record, dict):
        made_from = dict(record)
        found["reading"] = made_from.pop("reading", {})
        found["made_from"] = made_from
    checksums = found.get("checksums")
    if isinstance(checksums, dict):
        # what they were summed up with is told by other marks now
        known = checksums.get("files") if checksums.get("version") == _CHECKSUMS_VERSION else {}
        found["checksums"] = {"files": known}
    return found


def cuts_to_move(output: Path) -> set[str]:
    """The cuts of which an old dataset says something outside of their ledgers."""
    folders = [layout.state_folder(output) / folder for folder in _SECTIONS.values()]
    return {file.stem for folder in folders for file in folder.glob("[!.]*.json")}


def are_there(output: Path) -> bool:
    """Whether a dataset has anything in the places of the old forms."""
    return any((layout.state_folder(output) / name).is_dir() for name in _FOLDERS)


def move_figures(output: Path) -> None:
    """Put the figures of frames and pairs, and the digests of film files, where they lie now.

    Raises:
        DatasetError: The system does not allow it.
    """
    state = layout.state_folder(output)
    digests = state / _INPUTS / "checksums.json"
    try:
        if digests.is_file() and not layout.films_file(output).exists():
            os.replace(digests, layout.films_file(output))
        for old, new in _renamed(state, output):
            new.parent.mkdir(parents=True, exist_ok=True)
            os.replace(old, new)
    except OSError as error:
        raise refused("cannot be brought into its form of now", state, error) from error


def remove(output: Path) -> None:
    """Remove what has been moved over.

    Raises:
        DatasetError: The system does not allow it.
    """
    for name in _FOLDERS:
        folder = layout.state_folder(output) / name
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
        except OSError as error:
            raise refused("is out of date and cannot be removed", folder, error) from error


def _renamed(state: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    """The old and the new place of every file of figures."""
    for folder, new_place in ((_FRAMES, layout.frame_figures_file), ("figures", layout.pair_figures_file)):
        for file in sorted(state.glob(f"{folder}/*/*.json")):
            if file.stem.isdecimal():
                yield file, new_place(output, file.parent.name, int(file.stem))
    for file in sorted(state.glob(f"{_CHECKS}/*/*.json")):
        frame, dash, other = file.stem.partition("-")
        if dash and frame.isdecimal() and other.isdecimal():
            yield file, layout.cross_check_file(output, file.parent.name, int(frame), int(other))
