"""MPI Sintel: what RAFT and its descendants, torchvision and ptlflow read (Butler et al., ECCV 2012).

``Sintel/training/{clean,final,flow,occlusions,invalid}/<cut>/frame_0001.png``, numbered from 1.  The train split is
Sintel's ``training``; any other has a folder of its name beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from animerun_gen.dataset import ClipFiles, write_flow, write_mask
from animerun_gen.export.labels import occlusion_kind, read_motion
from animerun_gen.export.layout import ClipJob, PlainLayout, digits

ROOT = "Sintel"
"""torchvision looks for this folder below its root; the others take it as their root."""

PASSES = ("clean", "final")
"""Readers list one or both; ours show the same pictures."""

KINDS = ("flow", *PASSES, "occlusions", "invalid")


def split_folder(split: str) -> str:
    """Sintel's name of a split.

    >>> split_folder("train"), split_folder("test")
    ('training', 'test')
    """
    return {"train": "training"}.get(split, split)


class Sintel(PlainLayout):
    """Forward flow with occlusions and masks of what is unknown."""

    def __init__(self) -> None:
        self._occlusion: str | None = None

    def look(self, clips: Sequence[ClipFiles]) -> None:
        self._occlusion = occlusion_kind(list(clips))

    def basis(self, clip: ClipFiles) -> tuple[object, ...]:
        return (self._occlusion,)

    def needs(self) -> tuple[str, ...]:
        return ("flow_forward", "valid_forward", *([self._occlusion] if self._occlusion else []))

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / ROOT / split_folder(clip.split) / kind / clip.cut for kind in KINDS]

    def write(self, job: ClipJob) -> None:
        flow, clean, final, occlusions, invalid = self.places(job.folder.root, job.clip)
        width = digits(len(job.frames))
        if self._occlusion is None:
            job.remarks.append("There are no masks of occlusion, since not all cuts have them.")
        for number, frame in enumerate(job.frames, 1):
            name = f"frame_{number:0{width}d}"
            for folder in (clean, final):
                job.put_picture(folder / f"{name}.png", frame)
            if frame == job.frames[-1]:
                # nothing is known of where it leads; readers want as many masks as frames
                height, across = job.clip.read(job.pictures, frame).shape[:2]
                nowhere = np.ones((height, across), bool)
                job.folder.put(invalid / f"{name}.png", partial(write_mask, mask=nowhere))
            else:
                motion = read_motion(job.clip, frame)
                job.counts["pixels"] += motion.known.size
                job.counts["unknown_pixels"] += motion.unknown
                if motion.as_on_disk:
                    job.folder.put_copy(flow / f"{name}.flo", job.clip.path("flow_forward", frame), job.counts)
                else:
                    job.folder.put(flow / f"{name}.flo", partial(write_flow, flow=motion.flow))
                job.folder.put(invalid / f"{name}.png", partial(write_mask, mask=~motion.known))
                if self._occlusion is not None:
                    hidden = job.clip.read(self._occlusion, frame)
                    job.folder.put(occlusions / f"{name}.png", partial(write_mask, mask=hidden))
            job.step(frame)
