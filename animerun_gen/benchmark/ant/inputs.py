"""What AnT looks at: pictures, the segment of each pixel, and where the segments lie; batches with padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from animerun_gen.benchmark.ant.guide import FACTS, guidance
from animerun_gen.benchmark.segments.regions import regions_of

IGNORED = -2
"""In place of a match: nothing is known about this segment, or it is padding."""

PADDING = -1
"""In place of the number of a segment: the pixel is padding."""

GEOMETRY = 7
"""Numbers that say where a segment lies: xmin, xmax, ymin, ymax, x and y of its centre, area."""


@dataclass(frozen=True)
class AntPair:
    """A pair of frames as arrays.

    Attributes:
        pictures: ``(2, 3, H, W)`` uint8, RGB.
        labels: ``(2, H, W)`` int32, from 0 without gaps.
        geometry: For each frame ``(K, 7)`` float32 (:data:`GEOMETRY`), pixels in the coordinates of the whole frame,
            also where the pictures are a crop of it.
        shared: ``(K, L)`` int32: pixels that belong to a segment of the source and one of the target frame.
        size: Width and height of the whole frame.
        votes: ``(guides * 2, K, L)`` float32, what guides say of pairs of segments
            (:class:`~animerun_gen.benchmark.ant.guide.Guidance`).
        facts: For each frame ``(K, guides * 7)`` float32, what they say of segments.
        matches: ``(K,)`` int64: the match of each source segment, -1: none, :data:`IGNORED`; None: unknown.
    """

    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]
    geometry: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
    shared: npt.NDArray[np.int32]
    size: tuple[int, int]
    votes: npt.NDArray[np.float32]
    facts: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
    matches: npt.NDArray[np.int64] | None = None


def prepare_pair(
    pictures: Sequence[npt.NDArray[np.uint8]],
    segments: Sequence[npt.NDArray[np.integer[Any]]],
    matches: Sequence[int] | npt.NDArray[np.int64] | None = None,
    corner: tuple[int, int] = (0, 0),
    size: tuple[int, int] | None = None,
    guides: Sequence[str] = (),
) -> AntPair:
    """Measure the segments of a pair.

    Args:
        pictures: The two frames, ``(H, W, 3)`` uint8, RGB.
        segments: Their segments, ``(H, W)`` integers from 0 without gaps.
        matches: The match of each source segment.
        corner: x and y of their upper left pixel, where they are crops, in the whole frame.
        size: Width and height of the whole frame; None: that of the pictures.
        guides: Flow methods that are asked about the pair (:data:`~animerun_gen.benchmark.ant.guide.GUIDES`).
    """
    left, top = corner
    geometry = []
    for labels in segments:
        regions = regions_of(labels)
        boxes, centres = regions.boxes + np.array([left, left, top, top]), regions.centres + np.array([left, top])
        geometry.append(np.concatenate([boxes, centres, regions.areas[:, None]], axis=1).astype(np.float32))
    counts = [len(one) for one in geometry]
    both = segments[0].astype(np.int64) * counts[1] + segments[1]
    shared = np.bincount(both.ravel(), minlength=counts[0] * counts[1]).reshape(counts)
    told = guidance(pictures, segments, guides)
    return AntPair(
        pictures=np.stack(pictures).transpose(0, 3, 1, 2),
        labels=np.stack(segments).astype(np.int32),
        geometry=(geometry[0], geometry[1]),
        shared=shared.astype(np.int32),
        size=size or (segments[0].shape[1], segments[0].shape[0]),
        votes=told.votes,
        facts=told.facts,
        matches=None if matches is None else np.asarray(matches, np.int64),
    )


@dataclass(frozen=True)
class AntBatch:
    """Pairs of frames as tensors; ``K`` is the largest number of segments of a frame of the batch.

    Attributes:
        pictures: ``(B, 2, 3, H, W)`` uint8, RGB.
        labels: ``(B, 2, H, W)`` int32; :data:`PADDING` where a picture is smaller than the others.
        geometry: ``(B, 2, K, 7)`` float32, see :class:`AntPair`; 0 for padding.
        counts: ``(B, 2)`` int64: how many segments each frame has.
        shared: ``(B, K, K)`` float32.
        sizes: ``(B, 2)`` float32, width and height of the whole frames.
        votes: ``(B, guides * 2, K, K)`` float32, see :class:`AntPair`.
        facts: ``(B, 2, K, guides * 7)`` float32.
        matches: ``(B, K)`` int64; all :data:`IGNORED` where they are unknown.
    """

    pictures: torch.Tensor
    labels: torch.Tensor
    geometry: torch.Tensor
    counts: torch.Tensor
    shared: torch.Tensor
    sizes: torch.Tensor
    votes: torch.Tensor
    facts: torch.Tensor
    matches: torch.Tensor

    def to(self, device: torch.device | str) -> AntBatch:
        """The same on a device."""
        return AntBatch(*(getattr(self, name).to(device, non_blocking=True) for name in self.__dataclass_fields__))

    def pin_memory(self) -> AntBatch:
        """The same in memory from which a GPU can copy."""
        return AntBatch(*(getattr(self, name).pin_memory() for name in self.__dataclass_fields__))

    @property
    def present(self) -> torch.Tensor:
        """``(B, 2, K)`` bool: which segments are there, and not padding."""
        return torch.arange(self.geometry.shape[2], device=self.counts.device) < self.counts.unsqueeze(-1)


def collate_pairs(pairs: Sequence[AntPair], at_least: int = 1) -> AntBatch:
    """Make a batch of pairs, also of unequal sizes and numbers of segments.

    Args:
        pairs: The pairs, all with the same guides.
        at_least: ``K`` is at least this.
    """
    batch = len(pairs)
    most = max(at_least, *(len(one) for pair in pairs for one in pair.geometry))
    height, width = (max(pair.labels.shape[axis] for pair in pairs) for axis in (1, 2))
    pictures = np.full((batch, 2, 3, height, width), 255, np.uint8)
    labels = np.full((batch, 2, height, width), PADDING, np.int32)
    geometry = np.zeros((batch, 2, most, GEOMETRY), np.float32)
    shared = np.zeros((batch, most, most), np.float32)
    channels = len(pairs[0].votes)
    votes = np.zeros((batch, channels, most, most), np.float32)
    facts = np.zeros((batch, 2, most, channels // 2 * FACTS), np.float32)
    matches = np.full((batch, most), IGNORED, np.int64)
    for at, pair in enumerate(pairs):
        rows, columns = pair.labels.shape[1:]
        pictures[at, ..., :rows, :columns] = pair.pictures
        labels[at, :, :rows, :columns] = pair.labels
        for frame, one in enumerate(pair.geometry):
            geometry[at, frame, : len(one)] = one
        shared[at, : pair.shared.shape[0], : pair.shared.shape[1]] = pair.shared
        votes[at, :, : pair.votes.shape[1], : pair.votes.shape[2]] = pair.votes
        for frame, one in enumerate(pair.facts):
            facts[at, frame, : len(one)] = one
        if pair.matches is not None:
            matches[at, : len(pair.matches)] = pair.matches
    return AntBatch(
        torch.from_numpy(pictures),
        torch.from_numpy(labels),
        torch.from_numpy(geometry),
        torch.tensor([[len(one) for one in pair.geometry] for pair in pairs]),
        torch.from_numpy(shared),
        torch.tensor([pair.size for pair in pairs], dtype=torch.float32),
        torch.from_numpy(votes),
        torch.from_numpy(facts),
        torch.from_numpy(matches),
    )
