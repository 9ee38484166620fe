"""Takes files out of a dataset that no longer belong to it, or moves them to where they do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipFiles
from animerun_gen.dataset.listing import modalities_there
from animerun_gen.dataset.modalities import Modality
from animerun_gen.errors import DatasetError


def has_stage(clip: ClipFiles, stage: str) -> bool:
    """Whether a cut has any folder of a stage's files."""
    return any(
        _folder(clip, modality).is_dir()
        for modality in modalities_there(clip.root, clip.split, clip.cut)
        if modality.stage == stage
    )


def remove_stage(clip: ClipFiles, stage: str) -> None:
    """Remove all files of a stage of a cut.

    Raises:
        DatasetError: The system does not allow it.
    """
    for modality in modalities_there(clip.root, clip.split, clip.cut):
        if modality.stage == stage:
            _remove_modality(clip, modality)


def remove_all_but(clip: ClipFiles, wanted: Collection[Modality], stages: Collection[str]) -> None:
    """Remove the kinds of files, motion over any gap among them, that a cut's configuration does not ask for.

    Args:
        clip: The cut.
        wanted: What it asks for.
        stages: Only what these stages make is removed.

    Raises:
        DatasetError: The system does not allow it.
    """
    names = {modality.name for modality in wanted}
    for modality in modalities_there(clip.root, clip.split, clip.cut):
        if modality.stage in stages and modality.name not in names:
            _remove_modality(clip, modality)


def remove_frames_outside(clip: ClipFiles, frames: Collection[int], stages: Collection[str]) -> None:
    """Remove the files of frames that a cut does not have; published loaders count files.

    Args:
        clip: The cut.
        frames: The frames that it has, in the clip's order.
        stages: Only files of these stages are removed.

    Raises:
        DatasetError: The system does not allow it.
    """
    for modality in modalities_there(clip.root, clip.split, clip.cut):
        folder = _folder(clip, modality)
        if modality.kind == "clip" or modality.stage not in stages or not folder.is_dir():
            continue
        wanted = set(modality.frames(tuple(frames)))
        with _refusals_as_sentence(folder, "holds files of frames that are not part of the cut and"):
            for file in folder.iterdir():
                frame = modality.frame_of(file.name)
                if frame is not None and frame not in wanted:
                    file.unlink()


def remove_file(path: Path) -> None:
    """Remove a file, which need not exist.

    Raises:
        DatasetError: The system does not allow it.
    """
    with _refusals_as_sentence(path, "is out of date and"):
        path.unlink(missing_ok=True)


def remove_files_but(folder: Path, wanted: Collection[str]) -> None:
    """Remove the files of a folder, which need not exist, whose names are not among those wanted.

    Raises:
        DatasetError: The system does not allow it.
    """
    if not folder.is_dir():
        return
    with _refusals_as_sentence(folder, "is out of date and"):
        for name in os.listdir(folder):
            if name not in wanted:
                os.unlink(folder / name)
        if not wanted:
            folder.rmdir()


def move_cut(source: ClipFiles, target: ClipFiles) -> None:
    """Move all files of a cut from one split to the other; what the other has already stays as it is there.

    Raises:
        DatasetError: The system does not allow it.
    """
    for modality in modalities_there(source.root, source.split, source.cut):
        old, new = _folder(source, modality), _folder(target, modality)
        if not old.is_dir():
            continue
        with _refusals_as_sentence(old, f"belongs in {new} but", "moved"):
            if not new.is_dir() or not any(new.iterdir()):
                new.parent.mkdir(parents=True, exist_ok=True)
                os.rename(old, new)
        _remove_modality(source, modality)
    both = zip(
        layout.camera_files(source.root, source.split, source.cut),
        layout.camera_files(target.root, target.split, target.cut),
        strict=True,
    )
    for before, after in both:
        if before.is_file():
            with _refusals_as_sentence(before, f"belongs in {after} but", "moved"):
                after.parent.mkdir(parents=True, exist_ok=True)
                os.replace(before, after)


def _folder(clip: ClipFiles, modality: Modality) -> Path:
    return modality.cut_folder(clip.root, clip.split, clip.cut)


def _remove_modality(clip: ClipFiles, modality: Modality) -> None:
    folder = _folder(clip, modality)
    with _refusals_as_sentence(folder, "is out of date and"):
        if folder.is_dir():
            shutil.rmtree(folder)
        # published loaders take every folder for a cut
        parent = folder.parent
        while parent.name == clip.cut and parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
        # a gap that no cut has any more leaves no trace
        while modality.gap > 1 and parent != clip.root / clip.split and parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent


@contextmanager
def _refusals_as_sentence(path: Path, why: str, what: str = "removed") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{path} {why} cannot be {what}: {error.strerror}") from error
