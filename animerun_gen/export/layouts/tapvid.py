"""TAP-Vid: one pickle of videos, points and occlusion for each split (Doersch et al., NeurIPS 2022).

``tapvid_train.pkl`` holds of each cut ``video`` (T, H, W, 3) uint8, ``points`` (N, T, 2) float32 and ``occluded``
(N, T) bool; points in widths and heights of the picture from its corner: the centre of the first pixel is at
``(0.5 / W, 0.5 / H)``.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from animerun_gen.dataset import ClipFiles, written_aside
from animerun_gen.export.layout import ClipJob, PlainLayout
from animerun_gen.export.points import followed, raster, read_points, require_tracks, video

PROTOCOL = 4
"""Of pickles; what every Python from 3.4 on reads."""


class TapVid(PlainLayout):
    """Points that are known in every frame, since the layout has no way to say that one is not."""

    shares_files = True

    def __init__(self) -> None:
        self._cuts: list[tuple[str, str]] = []

    def look(self, clips: Sequence[ClipFiles]) -> None:
        require_tracks(clips)
        self._cuts = sorted((clip.split, clip.cut) for clip in clips)

    def basis(self, clip: ClipFiles) -> tuple[object, ...]:
        return (self._cuts,)

    def needs(self) -> tuple[str, ...]:
        return ("tracks",)

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / f"tapvid_{clip.split}.pkl"]

    def write(self, job: ClipJob) -> None:
        """Look at a clip; the file is written when all have been looked at."""
        tracks = read_points(job.clip)
        kept = followed(tracks)
        job.counts["points"] += int(np.count_nonzero(kept))
        job.counts["points_left_out"] += int(np.count_nonzero(~kept))
        if not kept.any():
            job.remarks.append("None of its points is known in every frame, so the cut is left out.")
        for frame in job.frames:
            job.step(frame)

    def finish(self, root: Path, clips: Sequence[ClipFiles], pictures: str) -> None:
        for split in sorted({clip.split for clip in clips}):
            chosen = [clip for clip in clips if clip.split == split]
            path = root / f"tapvid_{split}.pkl"
            if not path.is_file():
                with written_aside(path) as temporary, temporary.open("wb") as file:
                    _OneByOne(file, PROTOCOL).dump(_Entries(chosen, pictures))


class _Entries:
    """The dictionary of a split, of which one clip after the other is in memory."""

    def __init__(self, clips: Sequence[ClipFiles], pictures: str) -> None:
        self._clips = clips
        self._pictures = pictures

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for clip in self._clips:
            if (entry := tapvid_entry(clip, self._pictures)) is not None:
                yield clip.cut, entry


class _OneByOne(pickle.Pickler):
    """Writes entries as a plain dictionary without holding on to them."""

    def __init__(self, file: IO[bytes], protocol: int) -> None:
        super().__init__(file, protocol)
        # no memory of what was written, which would keep every video
        self.fast = True

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, _Entries):
            return dict, (), None, None, iter(value)
        return NotImplemented


def tapvid_entry(clip: ClipFiles, pictures: str) -> dict[str, Any] | None:
    """What TAP-Vid holds of one clip; None where no point is known in every frame.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    tracks = read_points(clip)
    kept = followed(tracks)
    if not kept.any():
        return None
    frames = video(clip, pictures)
    height, width = frames.shape[1:3]
    return {
        "video": frames,
        "points": raster(tracks.position[:, kept].transpose(1, 0, 2), width, height),
        "occluded": np.ascontiguousarray(~tracks.visible[:, kept].T),
    }
