"""KITTI 2015: pairs of frames with flow in 16-bit PNG files (Menze and Geiger, CVPR 2015).

``KittiFlow/training/image_2/000000_{10,11}.png`` and ``flow_{occ,noc}/000000_10.png``; the pairs of all cuts are
numbered from 0.  The files hold ``64 * flow + 2**15`` in R and G and the mask of what is known in B, so motion from
-512 px on and below 512 px fits, to 1/128 px.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import ClipFiles, write_image
from animerun_gen.export.labels import occlusion_kind, read_motion
from animerun_gen.export.layout import ClipJob, PlainLayout

ROOT = "KittiFlow"
"""torchvision looks for this folder below its root; the others take it as their root."""

STEPS = 64.0
"""Of a pixel, that a file can tell apart."""

ZERO = 2**15
"""What stands for no motion."""

LARGEST = 2**16 - 1


def split_folder(split: str) -> str:
    """KITTI's name of a split.

    >>> split_folder("train"), split_folder("test"), split_folder("val")
    ('training', 'testing', 'val')
    """
    return {"train": "training", "test": "testing"}.get(split, split)


def encode_flow(
    flow: npt.NDArray[np.float32], known: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_]]:
    """Flow as KITTI's files hold it.

    Args:
        flow: ``(H, W, 2)`` float32, pixels.
        known: ``(H, W)`` bool, where it is known.

    Returns:
        ``(H, W, 3)`` uint16, RGB: u, v and 1 where the motion is known and fits, 0 in all three elsewhere; and where
        it is known and does not fit, ``(H, W)`` bool.

    Example:
        >>> encoded, _ = encode_flow(np.array([[[1.0, -0.5]]], np.float32), np.array([[True]]))
        >>> encoded.tolist()
        [[[32832, 32736, 1]]]
    """
    steps = np.rint(np.where(known[..., None], flow, 0.0).astype(np.float64) * STEPS) + ZERO
    fits = ((steps >= 0) & (steps <= LARGEST)).all(axis=-1)
    there = known & fits
    encoded = np.zeros((*known.shape, 3), np.uint16)
    encoded[there, :2] = steps[there]
    encoded[..., 2] = there
    return encoded, known & ~fits


class Kitti(PlainLayout):
    """Forward flow of all pixels (``occ``), and of those that are not hidden in the next frame (``noc``)."""

    shares_files = True

    def __init__(self) -> None:
        self._occlusion: str | None = None
        self._first: dict[tuple[str, str], int] = {}

    def look(self, clips: Sequence[ClipFiles]) -> None:
        self._occlusion = occlusion_kind(list(clips))
        pairs: dict[str, int] = {}
        for clip in clips:
            self._first[clip.split, clip.cut] = pairs.get(clip.split, 0)
            pairs[clip.split] = pairs.get(clip.split, 0) + len(clip.frame_numbers) - 1

    def basis(self, clip: ClipFiles) -> tuple[object, ...]:
        # one more pair in one cut gives the pairs of all later ones other numbers
        return self._occlusion, sorted(self._first.items())

    def needs(self) -> tuple[str, ...]:
        return ("flow_forward", "valid_forward", *([self._occlusion] if self._occlusion else []))

    def places(self, root: Path, clip: ClipFiles) -> list[Path]:
        return [root / ROOT / split_folder(clip.split)]

    def write(self, job: ClipJob) -> None:
        [base] = self.places(job.folder.root, job.clip)
        first = self._first[job.clip.split, job.clip.cut]
        job.remarks.append(f"Its pairs are numbered from {first:06d} on.")
        if self._occlusion is None:
            job.remarks.append("There is no flow_noc, since not all cuts have masks of occlusion.")
        for number, (frame, other) in enumerate(pairwise(job.frames), first):
            name = f"{number:06d}_10.png"
            job.put_picture(base / "image_2" / name, frame)
            job.put_picture(base / "image_2" / f"{number:06d}_11.png", other)
            motion = read_motion(job.clip, frame)
            encoded, unfit = encode_flow(motion.flow, motion.known)
            job.counts["pixels"] += motion.known.size
            job.counts["unknown_pixels"] += motion.unknown
            job.counts["pixels_that_do_not_fit"] += int(np.count_nonzero(unfit))
            job.folder.put(base / "flow_occ" / name, partial(write_image, image=encoded))
            if self._occlusion is not None:
                seen = encoded * ~job.clip.read(self._occlusion, frame)[..., None]
                job.folder.put(base / "flow_noc" / name, partial(write_image, image=seen))
            job.step(frame)
        job.step(job.frames[-1])
        if unfitting := job.counts["pixels_that_do_not_fit"]:
            job.remarks.append(
                f"{unfitting:,} pixels move 512 px or farther, which this format cannot hold: they count as unknown."
            )
