"""CoTracker's training data (``kubric_movif_dataset.py``): frames, and a pickled dictionary of tracks for each clip.

``train/<cut>/frames/0000.png`` and ``train/<cut>/<cut>.npy`` with ``coords`` (N, T, 2), pixels with centres at whole
numbers as the reader counts them (its picture ends at W - 1), and ``visibility`` (N, T), **True where occluded**.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from animerun_gen.dataset import ClipFiles, Tracks
from animerun_gen.export.layout import ClipJob, PlainLayout, digits
from animerun_gen.export.points import followed, read_points, require_tracks

FEWEST_FRAMES = 24
"""Of a clip, for the reader's own settings (``seq_len``)."""

FEWEST_POINTS = 768
"""That are visible where a sample begins, for the reader's own settings (``traj_per_sample``)."""


class CoTracker(PlainLayout):
    """Points that are known in every frame, since the reader takes all for valid."""

    def look(self, clips: Sequence[ClipFiles]) -> None:
        require_tracks(clips)

    def needs(self) -> tuple[str, ...]:
        return ("tracks",)

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / clip.split / clip.cut]

    def write(self, job: ClipJob) -> None:
        [folder] = self.places(job.folder.root, job.clip)
        tracks = read_points(job.clip)
        kept = followed(tracks)
        job.counts["points"] += int(np.count_nonzero(kept))
        job.counts["points_left_out"] += int(np.count_nonzero(~kept))
        if len(job.frames) < FEWEST_FRAMES:
            job.remarks.append(
                f"It has {len(job.frames)} frames; the reader expects {FEWEST_FRAMES} or more; else lower its seq_len."
            )
        if (there := int(tracks.visible[0, kept].sum())) < FEWEST_POINTS:
            job.remarks.append(
                f"{there} of its points are visible in the first frame; the reader expects {FEWEST_POINTS} or more; "
                "else lower its traj_per_sample, or make the cut with more motion.tracks."
            )
        width = digits(len(job.frames))
        for number, frame in enumerate(job.frames):
            job.put_picture(folder / "frames" / f"{number:0{width}d}.png", frame)
            job.step(frame)
        job.folder.put_bytes(folder / f"{job.clip.cut}.npy", partial(annotation_bytes, tracks))


def annotation_bytes(tracks: Tracks) -> bytes:
    """The pickled dictionary of a clip's tracks, as ``numpy.load(..., allow_pickle=True).item()`` reads it."""
    kept = followed(tracks)
    annotation = {
        "coords": np.ascontiguousarray(tracks.position[:, kept].transpose(1, 0, 2), np.float32),
        "visibility": np.ascontiguousarray(~tracks.visible[:, kept].T),
    }
    stream = io.BytesIO()
    np.save(stream, np.array(annotation, dtype=object), allow_pickle=True)
    return stream.getvalue()
