"""Rows of frames with surface points that are followed through them."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from animerun_gen.dataset import tracks as on_disk
from animerun_gen.dataset.clip import ClipFiles
from animerun_gen.dataset.decoded import Decoded
from animerun_gen.dataset.pairs import chosen_clips, pictures_of, read_pictures
from animerun_gen.dataset.torch.batches import Transforms, drawn, settle_worker, to_tensors
from animerun_gen.dataset.torch.flow import require_some
from animerun_gen.errors import DatasetError

_read_tracks = lru_cache(maxsize=2)(on_disk.read_tracks)
"""Rows of one clip follow each other as a rule."""


class Tracks(Dataset[Any]):
    """Rows of frames with the points that ``motion.tracks`` follows through the clip.

    A sample has, as tensors:

    - ``images`` ``(T, 3, H, W)`` uint8, RGB
    - ``tracks`` ``(T, N, 2)`` float32: x to the right and y down in pixels, pixel centres at whole numbers; 0 where
      unknown
    - ``visibles`` ``(T, N)`` bool: in the picture and behind nothing
    - ``valids`` ``(T, N)`` bool: where the place is known exactly
    - ``queries`` ``(N,)`` int64: the first frame of the row, counted from 0, in which the point is visible
    - ``meta``

    Only points that are visible in a frame of the row are in it.  Rows differ in their numbers of points unless
    ``points`` says how many: batches take :func:`~animerun_gen.dataset.torch.collate`.

    Args:
        root: As :class:`~animerun_gen.dataset.torch.FlowPairs` has it, and so are the others that are not named here.
        split: The same.
        transforms: Takes a sample as arrays, with ``images`` as a list.
        length: Frames of a row; None: the whole clip.
        stride: How many frames of the clip the beginnings of two rows are apart.
        points: How many points are drawn at most, by torch's random numbers; None: all.
        pictures: The same.
        cuts: The same.
        decoded: The same.

    Attributes:
        samples: The clip, the places of its frames and the pictures of each row.
        left_out: A sentence for each clip and row that lacks something that is asked for.

    Raises:
        NoDatasetError: There is no such dataset, split or cut.
        DatasetError: There is no row that has all that is asked for.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Transforms | None = None,
        *,
        length: int | None = None,
        stride: int = 1,
        points: int | None = None,
        pictures: str = "frame",
        cuts: Collection[str] | Path | None = None,
        decoded: str | Path | None = None,
    ) -> None:
        if (length is not None and length < 1) or stride < 1 or (points is not None and points < 1):
            raise ValueError(f"length is {length}, stride {stride} and points {points}; each must be at least 1")
        self.transforms = transforms
        self.points = points
        self.decoded = None if decoded is None else Decoded(Path(decoded))
        self.samples: list[tuple[ClipFiles, slice, dict[str, tuple[Path, ...]]]] = []
        self.left_out: list[str] = []
        for clip in chosen_clips(Path(root), split, cuts):
            numbers, name = clip.numbers, clip.clip.cut
            if not clip.clip.tracks_path.is_file():
                self.left_out.append(f"{name} has no tracks")
                continue
            for start in range(0, len(numbers) - (length or len(numbers)) + 1, stride):
                row = slice(start, start + (length or len(numbers)))
                images = pictures_of(clip, numbers[row], pictures)
                if images:
                    self.samples.append((clip.clip, row, images))
                else:
                    self.left_out.append(f"{name} from frame {numbers[start]} on has no {pictures} of all its frames")
        require_some(self.samples, self.left_out, "row of frames", Path(root), split)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        """A sample by its place.

        Raises:
            IndexError: There is none.
            DatasetError: A file of it is missing or damaged, or the tracks are of other frames than the clip has.
        """
        settle_worker()
        clip, row, images = self.samples[index]
        pictures = drawn(list(images))
        tracks = _read_tracks(clip.tracks_path)
        if tuple(tracks.frames.tolist()) != clip.frame_numbers:
            raise DatasetError(
                "follows points through other frames than the clip has", clip.tracks_path, "make it again"
            )
        chosen = np.flatnonzero(tracks.visible[row].any(axis=0))
        if self.points is not None and len(chosen) > self.points:
            chosen = np.sort(chosen[torch.randperm(len(chosen))[: self.points].numpy()])
        known, visible = tracks.known[row][:, chosen], tracks.visible[row][:, chosen]
        sample: dict[str, Any] = {
            "images": read_pictures(images[pictures], self.decoded),
            "tracks": np.where(known[..., None], tracks.position[row][:, chosen], 0.0).astype(np.float32),
            "visibles": visible,
            "valids": known,
            "queries": visible.argmax(axis=0).astype(np.int64),
            "meta": {"split": clip.split, "cut": clip.cut, "frames": clip.frame_numbers[row], "pictures": pictures},
        }
        return (self.transforms or to_tensors)(sample)
