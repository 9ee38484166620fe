"""``animerun-gen cut remove``: take cuts out of a dataset."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from animerun_gen.config.messages import counted
from animerun_gen.dataset.split_lists import write_split_lists
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.keeping.places import files_beside, hidden_places, require_cut, split_places, splits_of
from animerun_gen.pipeline.keeping.rename import finish_renaming
from animerun_gen.pipeline.state.lock import exclusive


def remove_cuts(root: Path, cuts: Sequence[str]) -> list[str]:
    """Remove everything that a dataset has of some cuts.

    Killed on the way, the same call goes on.  Until the last file is gone the cut counts as incomplete, because what
    says that it was made here goes last.

    Args:
        root: Root folder of the dataset.
        cuts: Names of cuts.

    Returns:
        What was done, a sentence a cut.

    Raises:
        NoDatasetError: There is no such dataset or cut; then nothing is removed.
        BusyError: A run is writing to the dataset.
        DatasetError: Something cannot be removed.
    """
    for cut in cuts:
        require_cut(root, cut)
    said = []
    with exclusive(root):
        finish_renaming(root)
        for cut in dict.fromkeys(cuts):
            require_cut(root, cut)
            splits = splits_of(root, cut)
            count = 0
            for split in splits:
                for path in split_places(root, split, cut):
                    count += remove_place(path)
                    _remove_empty_above(path, root / split)
            for path in [*files_beside(root, cut), *(root / "report" / split / f"{cut}.html" for split in splits)]:
                count += remove_place(path)
                _remove_empty_above(path, root)
            for path in hidden_places(root, cut):
                remove_place(path)
            said.append(f"removed cut '{cut}': {counted(count, 'file')}")
        write_split_lists(root)
    return said


def remove_place(path: Path) -> int:
    """Remove a file, or a folder with everything in it; neither need exist.

    Returns:
        How many files there were.

    Raises:
        DatasetError: The system does not allow it.
    """
    try:
        if path.is_symlink() or not path.is_dir():
            there = os.path.lexists(path)
            path.unlink(missing_ok=True)
            return int(there)
        count = sum(len(files) for _, _, files in os.walk(path))
        shutil.rmtree(path)
        return count
    except OSError as error:
        raise DatasetError(f"cannot be removed ({error.strerror})", path, "check its permissions") from error


def _remove_empty_above(path: Path, top: Path) -> None:
    """Remove the folders around a place that are empty, and of the top the same; others leave no trace either."""
    folder = path.parent
    while folder.is_relative_to(top) and folder != top.parent:
        try:
            folder.rmdir()
        # it holds something, or was never there
        except OSError:
            return
        folder = folder.parent
