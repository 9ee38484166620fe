"""Pairs of frames with their segments made unlike each other: mirrored, shifted, cropped; matches follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.ant.inputs import IGNORED, AntPair, prepare_pair
from animerun_gen.training.segments_config import SegmentAugmentation

Labels = npt.NDArray[np.integer[Any]]

LEAST_SHARE = 0.25
"""What is left of a segment after the crop must be at least this share of it, or its match trains nothing: what a
sliver becomes is not what the whole segment becomes."""


class SegmentFinish:
    """Makes of a pair with its segments what the network is trained on.

    Args:
        crop: Width and height in pixels; a frame that is smaller stays whole.
        augmentation: What is done before; None: nothing, and the crop is in the middle.
        guides: Flow methods that are asked about the crops (:data:`~animerun_gen.benchmark.ant.guide.GUIDES`).
    """

    def __init__(
        self, crop: tuple[int, int], augmentation: SegmentAugmentation | None, guides: Sequence[str] = ()
    ) -> None:
        self.crop = crop
        self.augmentation = augmentation
        self.guides = guides

    def __call__(self, sample: dict[str, Any], rng: np.random.Generator) -> AntPair:
        """Augment and crop a pair.

        Args:
            sample: ``images`` and ``segments``, lists of two arrays, and ``all_matches``, as
                :class:`animerun_gen.dataset.torch.SegmentPairs` gives them to its transforms.
            rng: What all random numbers are drawn from.
        """
        pictures, segments = list(sample["images"]), list(sample["segments"])
        settings = self.augmentation
        if settings is not None:
            for axis, share in ((1, settings.flip_horizontally), (0, settings.flip_vertically)):
                if rng.random() < share:
                    pictures, segments = ([np.flip(one, axis) for one in both] for both in (pictures, segments))
        height, width = segments[0].shape
        (left, other_left), (top, other_top) = (
            self._places(whole, crop, rng) for whole, crop in zip((width, height), self.crop, strict=True)
        )
        wide, high = min(self.crop[0], width), min(self.crop[1], height)
        windows = [np.s_[y : y + high, x : x + wide] for x, y in ((left, top), (other_left, other_top))]
        cut, kept, shares = zip(
            *(_cut(labels, window) for labels, window in zip(segments, windows, strict=True)), strict=True
        )
        matches = cropped_matches(sample["all_matches"], kept, shares[0])
        # both crops are said to lie where the first one does: what was shifted has moved
        pictures = [picture[window] for picture, window in zip(pictures, windows, strict=True)]
        return prepare_pair(pictures, cut, matches, (left, top), (width, height), self.guides)

    def _places(self, whole: int, crop: int, rng: np.random.Generator) -> tuple[int, int]:
        """Where the two crops begin along one side."""
        room = max(0, whole - crop)
        if self.augmentation is None:
            return room // 2, room // 2
        place = int(rng.integers(room + 1))
        shift = self.augmentation.shift
        return place, int(np.clip(place + rng.integers(-shift, shift + 1), 0, room))


def _cut(labels: Labels, window: tuple[slice, slice]) -> tuple[Labels, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """A crop numbered from 0 without gaps; the old number of each segment; and which share of it is left."""
    inside = labels[window]
    whole = np.bincount(labels.ravel())
    left = np.bincount(inside.ravel(), minlength=len(whole))
    kept = np.flatnonzero(left)
    new = np.zeros(len(whole), np.int32)
    new[kept] = np.arange(len(kept))
    return new[inside], kept, left[kept] / whole[kept]


def cropped_matches(
    matches: list[list[int]], kept: tuple[npt.NDArray[np.int64], ...], shares: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """The matches of what is left of two frames.

    A segment none of whose matches is left has left the picture: it has no match.  One whose first match is gone while
    another one is left trains nothing, and neither does a sliver (:data:`LEAST_SHARE`).

    Args:
        matches: For each segment of the whole source frame its matches, best first; ``[-1]``: none.
        kept: Of the source and of the target frame, ``(K,)``, the number in the whole frame of each segment left.
        shares: ``(K,)``: which share of each segment of the source frame is left.

    Returns:
        ``(K,)`` int64: the match by its number in the crop, -1: none,
        :data:`~animerun_gen.benchmark.ant.inputs.IGNORED`: it trains nothing.

    Example:
        >>> kept = (np.array([0, 1, 3]), np.array([2, 5]))
        >>> cropped_matches([[2], [4, 5], [2], [4]], kept, np.array([1.0, 1.0, 1.0])).tolist()
        [0, -2, -1]
    """
    place = {int(old): new for new, old in enumerate(kept[1])}
    found = np.full(len(kept[0]), IGNORED, np.int64)
    for new, old in enumerate(kept[0]):
        targets = matches[old]
        if shares[new] < LEAST_SHARE:
            continue
        if targets[0] in place:
            found[new] = place[targets[0]]
        elif not any(target in place for target in targets):
            found[new] = -1
    return found
