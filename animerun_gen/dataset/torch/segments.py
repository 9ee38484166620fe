"""Pairs of frames with their segments and matches."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from animerun_gen.dataset.clip import ClipFiles
from animerun_gen.dataset.decoded import Decoded
from animerun_gen.dataset.pairs import (
    ClipIndex,
    Direction,
    chosen_clips,
    directed_pairs,
    pictures_of,
    read_pictures,
    require_direction,
)
from animerun_gen.dataset.torch.batches import Transforms, drawn, settle_worker, to_tensors
from animerun_gen.dataset.torch.flow import require_some
from animerun_gen.errors import DatasetError


class SegmentPairs(Dataset[Any]):
    """Pairs of neighbouring frames with their colour segments and which becomes which.

    A sample has, as tensors:

    - ``images`` ``(2, 3, H, W)`` uint8, RGB
    - ``segments`` ``(2, H, W)`` int32: the number of the segment that each pixel belongs to, from 0 without gaps
    - ``segment_counts``: how many segments each of the two frames has
    - ``matches`` ``(K,)`` int64: for each segment of the first frame the best match in the second one, -1: none
    - ``all_matches``: for each of them the list of all, best first
    - ``matches_b``, ``all_matches_b``: the same from the second frame to the first one, with ``reverse``
    - ``meta``

    Batches take :func:`~animerun_gen.dataset.torch.collate`, because frames differ in their numbers of segments.

    Args:
        root: As :class:`~animerun_gen.dataset.torch.FlowPairs` has it, and so are the others that are not named here.
        split: The same.
        transforms: Takes a sample as arrays, with ``images`` and ``segments`` as lists.
        direction: The same.
        pictures: The same.
        reverse: Whether the matches back are given as well.
        cuts: The same.
        decoded: The same.

    Attributes:
        samples: The clip, the two frames and the pictures of each pair.
        left_out: A sentence for each pair that lacks something that is asked for.

    Raises:
        NoDatasetError: There is no such dataset, split or cut.
        DatasetError: There is no pair that has all that is asked for.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Transforms | None = None,
        *,
        direction: Direction = "forward",
        pictures: str = "frame",
        reverse: bool = False,
        cuts: Collection[str] | Path | None = None,
        decoded: str | Path | None = None,
    ) -> None:
        require_direction(direction)
        self.transforms = transforms
        self.reverse = reverse
        self.decoded = None if decoded is None else Decoded(Path(decoded))
        self.samples: list[tuple[ClipFiles, int, int, dict[str, tuple[Path, ...]]]] = []
        self.left_out: list[str] = []
        for clip in chosen_clips(Path(root), split, cuts):
            for source, target in directed_pairs(clip.numbers, direction):
                self._take(clip, source, target, pictures)
        require_some(self.samples, self.left_out, "pair of frames", Path(root), split)

    def _take(self, clip: ClipIndex, source: int, target: int, pictures: str) -> None:
        images = pictures_of(clip, (source, target), pictures)
        demanded = [("segment", source), ("segment", target), (_matches(source, target), source)]
        demanded += [(_matches(target, source), target)] if self.reverse else []
        missing = [] if images else [pictures]
        missing += [name for name, frame in demanded if clip.file(name, frame) is None]
        if missing:
            self.left_out.append(f"{clip.clip.cut} {source}-{target} has no {missing[0]}")
        else:
            self.samples.append((clip.clip, source, target, images))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        """A sample by its place.

        Raises:
            IndexError: There is none.
            DatasetError: A file of it is missing or damaged, or matches and segments contradict each other.
        """
        settle_worker()
        clip, source, target, images = self.samples[index]
        pictures = drawn(list(images))
        segments = [clip.read("segment", frame) for frame in (source, target)]
        counts = [int(one.max()) + 1 for one in segments]
        sample: dict[str, Any] = {
            "images": read_pictures(images[pictures], self.decoded),
            "segments": segments,
            "segment_counts": counts,
        }
        for behind, one, other in (("", 0, 1), *([("_b", 1, 0)] if self.reverse else [])):
            frames = (source, target)
            name, frame = _matches(frames[one], frames[other]), frames[one]
            matches = clip.read(name, frame)
            if len(matches) != counts[one] or max(map(max, matches)) >= counts[other]:
                problem = f"does not fit the {counts[one]} and {counts[other]} segments of its frames"
                raise DatasetError(problem, clip.path(name, frame), "make or download the cut again")
            sample[f"matches{behind}"] = np.array([targets[0] for targets in matches], np.int64)
            sample[f"all_matches{behind}"] = matches
        sample["meta"] = {"split": clip.split, "cut": clip.cut, "frames": (source, target), "pictures": pictures}
        return (self.transforms or to_tensors)(sample)


def _matches(source: int, target: int) -> str:
    return "match_forward" if source < target else "match_backward"
