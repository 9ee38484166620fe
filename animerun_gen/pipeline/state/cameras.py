"""Collects the files of a clip's cameras from what was left of each frame when it was rendered."""

from __future__ import annotations

from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.cameras import frames_of_cameras, read_record, write_cameras
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.clearing import remove_file
from animerun_gen.pipeline.state.on_disk import has_content


def collect_cameras(config: CutConfig, output: Path, *, new: bool) -> None:
    """Bring the two files of a cut's cameras up to what is known of its frames.

    Args:
        config: The cut.
        output: Root folder of the dataset.
        new: Whether this run rendered any frame; without, files that have all frames stay as they are.

    Raises:
        DatasetError: A record is damaged, and has been removed; or a file cannot be written or removed.
    """
    name = config.name
    known = [frame for frame in config.frame_numbers if has_content(layout.camera_record(output, name, frame))]
    if not new and known and frames_of_cameras(output, config.split, name) == tuple(known):
        return
    records = []
    for frame in known:
        try:
            records.append(read_record(output, name, frame))
        except DatasetError as error:
            remove_file(layout.camera_record(output, name, frame))
            what = f"the camera of frame {frame} was damaged on disk and has been removed"
            raise DatasetError(what, remedy="run the same command again, which makes it again") from error
    if records:
        write_cameras(output, config.split, name, records)
        return
    for file in layout.camera_files(output, config.split, name):
        remove_file(file)
