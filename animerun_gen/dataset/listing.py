"""What lies in the folders of a cut: the files that belong to the dataset, and those that do not.

The folders come from the table of modalities, so that a new modality is listed, and with it checked and entered into
the manifest, without anything here being changed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from animerun_gen.dataset.files import is_temporary
from animerun_gen.dataset.modalities import (
    LAYERS_FOLDER,
    MODALITIES,
    Modality,
    color_pass,
    gap_modalities,
    in_pass,
    is_layer_name,
    layer_modalities,
    modality,
    named_as_there,
    pass_number,
)
from animerun_gen.errors import DatasetError

_GAP_FOLDER = re.compile(r"Gap([1-9][0-9]{0,5})", re.ASCII)


class Entry(NamedTuple):
    """One thing in a folder of a cut.

    Attributes:
        name: Its path below the root of the dataset, with ``/`` between the parts.
        modality: The modality whose folder it lies in, with the prefix that file names have there.
        frame: The frame that its name gives; None where the name gives none.
        status: What the system says about the file, or about the one that a link leads to; None where it says nothing,
            as for a link that leads nowhere.
        is_link: Whether it is a symbolic link.
    """

    name: str
    modality: Modality
    frame: int | None
    status: os.stat_result | None
    is_link: bool

    @property
    def file_name(self) -> str:
        """The last part of its path."""
        return self.name.rpartition("/")[2]

    @property
    def belongs(self) -> bool:
        """Whether it is a file of the dataset by its name: of a frame, of the whole clip, or a table."""
        return (self.frame is not None or self.is_table or self.is_of_clip) and self.is_file

    @property
    def is_table(self) -> bool:
        """Whether it is the table beside the files of its modality."""
        return self.file_name == self.modality.table

    @property
    def is_of_clip(self) -> bool:
        """Whether it is the one file that its modality has of a clip."""
        what = self.modality
        return what.kind == "clip" and self.file_name == f"{what.prefix}{what.suffix}"

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file: reading anything else might never end."""
        return self.status is not None and stat.S_ISREG(self.status.st_mode)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.status is not None and stat.S_ISDIR(self.status.st_mode)

    @property
    def is_leftover(self) -> bool:
        """Whether it is what a killed writer left behind."""
        return is_temporary(self.file_name)


def modalities_there(root: Path, split: str, cut: str | None = None) -> tuple[Modality, ...]:
    """All kinds of files that there may be: those of the table, and every gap, layer and pass on disk.

    Args:
        root: Root folder of the dataset.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cut: The cut whose colour passes count; None: no passes, which lie in folders of the table anyway.

    Raises:
        DatasetError: The folder of the split cannot be read.
    """
    gaps = sorted(int(found[1]) for name in _names_in(root / split) if (found := _GAP_FOLDER.fullmatch(name)))
    far = [what for gap in gaps if gap > 1 for what in gap_modalities(gap)]
    far += _of_layers(root / split / LAYERS_FOLDER, cut)
    far += [in_pass(modality("line_layer"), number) for number in _passes_in(root / split)]
    if cut is None:
        return (*MODALITIES, *far)
    beside = modality("frame").cut_folder(root, split, cut).parent
    return (*MODALITIES, *far, *map(color_pass, _passes_in(beside)))


def stages_there(root: Path, split: str, cut: str) -> frozenset[str]:
    """The stages of which a cut has any folder of files.

    Raises:
        DatasetError: The folder of the split cannot be read.
    """
    kinds = modalities_there(root, split, cut)
    return frozenset(what.stage for what in kinds if what.cut_folder(root, split, cut).is_dir())


def _of_layers(folder: Path, cut: str | None) -> list[Modality]:
    """What there may be of layers, of one cut or of any."""
    found: list[Modality] = []
    for layer in sorted(_names_in(folder)):
        if not is_layer_name(layer):
            continue
        gaps = [int(name[1]) for each in _names_in(folder / layer) if (name := _GAP_FOLDER.fullmatch(each))]
        passes = _passes_in(folder / layer)
        kinds = layer_modalities(layer, gaps, passes)
        # of a layer that other cuts have nothing need be looked for
        parts = (what.folder.removeprefix(f"{LAYERS_FOLDER}/").partition("/{cut}")[0] for what in kinds)
        if cut is None or any((folder / part / cut).is_dir() for part in dict.fromkeys(parts)):
            found += kinds
    return found


def _passes_in(folder: Path) -> list[int]:
    """The colour passes that a folder has folders of, ascending."""
    return sorted(number for name in _names_in(folder) if (number := pass_number(name)) is not None)


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _unreadable(folder, error) from error


def list_cut(root: Path, split: str, cut: str) -> Iterator[Entry]:
    """Everything in the folders of a cut, in no particular order.

    Args:
        root: Root folder of the dataset.
        split: ``"train"``, ``"val"`` or ``"test"``.
        cut: Name of the cut.

    Raises:
        DatasetError: A folder cannot be read.
    """
    for what in modalities_there(root, split, cut):
        folder = what.cut_folder(root, split, cut)
        base = folder.relative_to(root).as_posix()
        try:
            with os.scandir(folder) as listed:
                entries = list(listed)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise _unreadable(folder, error) from error
        there = named_as_there(what, (entry.name for entry in entries))
        for entry in entries:
            name = entry.name
            yield Entry(f"{base}/{name}", there, there.frame_of(name), _status(entry), entry.is_symlink())


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:
        return None


def _unreadable(folder: Path, error: OSError) -> DatasetError:
    return DatasetError(f"cannot be read: {error.strerror}", folder, "check its permissions")
