"""Collects the files of a clip's cameras from what was left of each frame when it was rendered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.cameras import frames_of_cameras, is_record, read_record, write_cameras
from animerun_gen.dataset.files import remove_file
from animerun_gen.pipeline.state.on_disk import FilesOnDisk


@dataclass(frozen=True)
class CamerasThere:
    """What is on disk of a cut's cameras.

    Attributes:
        stand: Whether their files are what an earlier run left, and have all that is known of the cut's frames.
        damaged: The records of frames that are not what was written, where the files have to be collected again.
    """

    stand: bool
    damaged: tuple[Path, ...] = ()


def look_at_cameras(config: CutConfig, found: FilesOnDisk, recorded: Collection[int]) -> CamerasThere:
    """Look at the cameras of a cut; records are only read where the files have to be collected from them again.

    Args:
        config: The cut.
        found: Its files on disk.
        recorded: Its frames that have a record.
    """
    output, known = found.root, tuple(sorted(recorded))
    files = layout.camera_files(output, config.split, config.name)
    untouched = all(file.relative_to(output).as_posix() in found.vouched for file in files)
    if untouched and frames_of_cameras(*files) == known:
        return CamerasThere(stand=True)
    damaged = [frame for frame in known if not is_record(output, config.name, frame)]
    return CamerasThere(stand=False, damaged=tuple(layout.camera_record(output, config.name, one) for one in damaged))


def collect_cameras(config: CutConfig, found: FilesOnDisk) -> None:
    """Bring the two files of a cut's cameras up to what is known of its frames.

    Args:
        config: The cut.
        found: Its files as this run found them.

    Raises:
        DatasetError: A record is damaged, or a file cannot be written or removed.
    """
    known = sorted(found.with_records(config.frame_numbers))
    records = [read_record(found.root, config.name, frame) for frame in known]
    if records:
        write_cameras(found.root, config.split, config.name, records)
        return
    for file in layout.camera_files(found.root, config.split, config.name):
        remove_file(file)
