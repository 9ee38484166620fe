"""Everything that a dataset has of a cut: its folders, its files beside the splits, and what is hidden."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import Dataset
from animerun_gen.dataset.listing import modalities_there
from animerun_gen.dataset.modalities import SPLITS, Modality
from animerun_gen.errors import NoDatasetError

_ENDING = re.compile(r"\.json|(\.part[0-9]+)?\.log", re.ASCII)
"""What follows the name of a cut in that of a hidden file; a log may be that of one of several Blenders."""


def splits_of(root: Path, cut: str) -> list[str]:
    """The splits in which a cut has anything; more than one only where something went wrong.

    Raises:
        DatasetError: A folder cannot be read.
    """
    return [split for split in SPLITS if any(os.path.lexists(path) for path in split_places(root, split, cut))]


def split_places(root: Path, split: str, cut: str) -> list[Path]:
    """The folders and files that a cut may have below a split, each once; a folder holds nothing of another cut.

    Raises:
        DatasetError: The folder of the split cannot be read.
    """
    places = dict.fromkeys(_place(what, root, split, cut) for what in modalities_there(root, split, cut))
    return [*places, *layout.camera_files(root, split, cut)]


def _place(what: Modality, root: Path, split: str, cut: str) -> Path:
    """The topmost folder of a modality that belongs to the cut alone, or its one file."""
    if "{cut}" not in what.folder:
        return what.clip_path(root, split, cut)
    return root / split / what.folder.partition("{cut}")[0] / cut


def files_beside(root: Path, cut: str) -> list[Path]:
    """The files that a cut may have beside the splits."""
    return [of(root, cut) for of in (layout.quality_file, layout.recolor_file, layout.manifest_file)]


def hidden_places(root: Path, cut: str) -> list[Path]:
    """What the hidden folder has of a cut, its ledger, which says that the cut is this program's, last."""
    ledger = layout.ledger_file(root, cut)
    found = [path for path in _hidden(root, cut) if path != ledger]
    return [*found, *([ledger] if os.path.lexists(ledger) else [])]


def _hidden(root: Path, cut: str) -> Iterator[Path]:
    for folder in sorted(_entries(layout.state_folder(root))):
        for entry in sorted(_entries(folder)):
            if entry.is_dir() and not entry.is_symlink():
                belongs = entry.name == cut
            else:
                belongs = entry.name.startswith(cut) and bool(_ENDING.fullmatch(entry.name.removeprefix(cut)))
            if belongs:
                yield entry


def _entries(folder: Path) -> list[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return [folder / name for name in os.listdir(folder)]
    return []


def is_known(root: Path, cut: str) -> bool:
    """Whether a dataset has anything of a cut.

    Raises:
        DatasetError: A folder cannot be read.
    """
    there = [*files_beside(root, cut), *hidden_places(root, cut)]
    return bool(splits_of(root, cut)) or any(os.path.lexists(path) for path in there)


def known_cuts(root: Path) -> list[str]:
    """All cuts of which a dataset has anything, by name.

    Raises:
        DatasetError: A folder cannot be read.
    """
    found = {file.stem for file in layout.ledger_file(root, "any").parent.glob("[!.]*.json")}
    for beside in files_beside(root, "any"):
        found |= {file.stem for file in beside.parent.glob("[!.]*.json")}
    with suppress(NoDatasetError):
        found |= {clip.cut for clip in Dataset(root).clips()}
    return sorted(found)


def require_dataset(root: Path) -> None:
    """See that a folder is a dataset.

    Raises:
        NoDatasetError: It is none.
        DatasetError: A folder cannot be read.
    """
    if not root.is_dir():
        raise NoDatasetError("is not a folder", root, "give the root folder of a dataset")
    if not known_cuts(root):
        raise NoDatasetError("has no cuts", root, "give the root folder of a dataset")


def require_cut(root: Path, cut: str) -> None:
    """See that a dataset has something of a cut.

    Raises:
        NoDatasetError: It has not.
        DatasetError: A folder cannot be read.
    """
    require_dataset(root)
    if not is_known(root, cut):
        known = ", ".join(known_cuts(root))
        raise NoDatasetError(f"has no cut {cut!r}", root, f"the cuts there are: {known}")
