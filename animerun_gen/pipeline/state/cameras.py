"""Collects the files of a clip's cameras from what was left of each frame when it was rendered."""

from __future__ import annotations

from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.cameras import frames_of_cameras, read_record, write_cameras
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.clearing import remove_file
from animerun_gen.pipeline.state.on_disk import FilesOnDisk, has_content


def are_as_left(config: CutConfig, found: FilesOnDisk) -> bool:
    """Whether the files of a cut's cameras are what an earlier run left, and have all that is known of its frames."""
    there = [path.relative_to(found.root).as_posix() for path in _files(config, found)]
    untouched = all(name in found.vouched for name in there)
    return untouched and frames_of_cameras(found.root, config.split, config.name) == _known(config, found)


def remove_damaged_records(config: CutConfig, found: FilesOnDisk) -> list[str]:
    """Remove the records of frames that are damaged, because the files have to be collected from them again.

    Args:
        config: The cut.
        found: Its files on disk.

    Returns:
        The files that were removed, by their path below the root.

    Raises:
        DatasetError: One cannot be removed.
    """
    damaged = []
    for frame in _known(config, found):
        try:
            read_record(found.root, config.name, frame)
        except DatasetError:
            path = layout.camera_record(found.root, config.name, frame)
            remove_file(path)
            damaged.append(path.relative_to(found.root).as_posix())
    return damaged


def collect_cameras(config: CutConfig, found: FilesOnDisk) -> None:
    """Bring the two files of a cut's cameras up to what is known of its frames.

    Args:
        config: The cut.
        found: Its files as this run found them.

    Raises:
        DatasetError: A record is damaged, or a file cannot be written or removed.
    """
    records = [read_record(found.root, config.name, frame) for frame in _known(config, found)]
    if records:
        write_cameras(found.root, config.split, config.name, records)
        return
    for file in _files(config, found):
        remove_file(file)


def _known(config: CutConfig, found: FilesOnDisk) -> tuple[int, ...]:
    """The frames of the clip that have a record."""
    frames = config.frame_numbers
    return tuple(one for one in frames if has_content(layout.camera_record(found.root, config.name, one)))


def _files(config: CutConfig, found: FilesOnDisk) -> tuple[Path, Path]:
    return layout.camera_files(found.root, config.split, config.name)
