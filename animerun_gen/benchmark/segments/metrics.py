"""The figures of the paper's Table 3: which share of the segments of a frame finds its match.

Source: Li et al., "AnimeRun: 2D Animation Visual Correspondence from Open Source 3D Movies", NeurIPS 2022 Datasets and
Benchmarks (arXiv:2211.05709), and the evaluation that was published with it.  The first entry of a list of matches
counts as the match; ``-1`` there says that the segment is occluded, and a prediction is right about such a segment when
it says so as well.  Each figure is computed for a pair of frames, and the mean is over pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

AREA_BOUNDS = (100, 400, 1600, 6400)
"""Pixels of a segment, the bounds between the bins of accuracy by area: a segment of a bound belongs to the upper bin."""

CROWDED_ABOVE = 300
"""The published evaluation calls a pair crowded when its target frame has a segment with a number above this one; the
numbers begin with 0, so that it has at least 302 segments."""


@dataclass(frozen=True)
class PairScore:
    """What a prediction is right about in one pair of frames.

    Attributes:
        segments: Segments of the source frame.
        right: Those whose first match is predicted, occluded ones among them.
        visible: Those that have a match.
        right_visible: Those of them whose first match is predicted.
        right_any: Those of the visible whose prediction is any of the matches that are listed.
        called_occluded: Those that the prediction calls occluded.
        right_occluded: Those of them that are.
        pixels: Pixels of all segments.
        right_pixels: Pixels of the segments in ``right``.
        by_area: For each bin of :data:`AREA_BOUNDS` how many segments there are, and how many of ``right``.
        crowded: Whether the target frame has many segments, see :data:`CROWDED_ABOVE`.
    """

    segments: int
    right: int
    visible: int
    right_visible: int
    right_any: int
    called_occluded: int
    right_occluded: int
    pixels: int
    right_pixels: int
    by_area: tuple[tuple[int, int], ...]
    crowded: bool

    @property
    def occluded(self) -> int:
        """Segments that have no match."""
        return self.segments - self.visible

    @property
    def accuracy(self) -> float:
        """The share of segments whose first match is predicted."""
        return self.right / self.segments


def score_pair(
    predicted: Sequence[int],
    matches: Sequence[Sequence[int]],
    areas: npt.NDArray[np.integer[Any]],
    target_count: int,
) -> PairScore:
    """Compare a prediction with the truth.

    Args:
        predicted: For each segment of the source frame a segment of the target frame, or -1: occluded.
        matches: For each of them all its matches, best first; ``[-1]``: occluded.
        areas: ``(K,)`` integers, pixels of each of them.
        target_count: How many segments the target frame has.

    Raises:
        ValueError: The three are not equally long, or there are no segments.

    Example:
        >>> score_pair([0, 2, -1, 1], [[0], [1, 2], [-1], [-1]], np.array([9, 9, 9, 9]), 3).accuracy
        0.5
    """
    if not len(predicted) == len(matches) == len(areas) or not len(areas):
        raise ValueError(f"{len(predicted)} predictions, {len(matches)} matches and {len(areas)} areas; give one each")
    given = np.asarray(predicted, np.int64)
    first = np.array([targets[0] for targets in matches], np.int64)
    right = given == first
    visible = first >= 0
    # what is right by the first match is right by any
    listed = np.array([one in targets for one, targets in zip(given.tolist(), matches, strict=True)], bool)
    bins = np.searchsorted(AREA_BOUNDS, areas, side="right")
    total, hits = (np.bincount(bins, of, len(AREA_BOUNDS) + 1).astype(int).tolist() for of in (None, right))
    return PairScore(
        segments=len(given),
        right=int(right.sum()),
        visible=int(visible.sum()),
        right_visible=int((right & visible).sum()),
        right_any=int((listed & visible).sum()),
        called_occluded=int((given < 0).sum()),
        right_occluded=int((right & ~visible).sum()),
        pixels=int(np.sum(areas)),
        right_pixels=int(np.sum(areas[right])),
        by_area=tuple(zip(total, hits, strict=True)),
        crowded=target_count - 1 > CROWDED_ABOVE,
    )


@dataclass(frozen=True)
class SegmentFigures:
    """The figures of a set of pairs; shares from 0 to 1, None where no pair has such segments.

    Attributes:
        accuracy: Over all segments, mean over pairs: ACC of the paper.
        visible: Over segments that have a match, mean over the pairs that have such: non-occluded.
        occluded: Over segments that have none, mean over the pairs that have such.
        crowded: As ``accuracy``, over pairs whose target frame has many segments (:data:`CROWDED_ABOVE`).
        any_match: As ``accuracy``, where any of the matches that are listed is right.
        by_pixels: As ``accuracy``, each segment counted as often as it has pixels.
        pooled: Over the segments of all pairs together.
        occluded_precision: Of the segments that are called occluded, over all pairs together, the share that is.
        by_area: For each bin of :data:`AREA_BOUNDS`, over the segments of all pairs together.
        by_area_count: How many segments each of these bins has.
        pairs: How many pairs.
        pairs_visible, pairs_occluded, pairs_crowded: How many of them count for these figures.
        segments: Source segments of all pairs.
        segments_occluded: Those that have no match.
        segments_called_occluded: Those that the predictions call occluded.
    """

    accuracy: float | None
    visible: float | None
    occluded: float | None
    crowded: float | None
    any_match: float | None
    by_pixels: float | None
    pooled: float | None
    occluded_precision: float | None
    by_area: tuple[float | None, ...]
    by_area_count: tuple[int, ...]
    pairs: int
    pairs_visible: int
    pairs_occluded: int
    pairs_crowded: int
    segments: int
    segments_occluded: int
    segments_called_occluded: int

    def to_json(self) -> dict[str, Any]:
        """The figures for a JSON file."""
        return asdict(self)


def summarise(scores: Iterable[PairScore]) -> SegmentFigures:
    """The figures of several pairs.

    Args:
        scores: What :func:`score_pair` said of each.

    Example:
        >>> pair = score_pair([0, 1], [[0], [-1]], np.array([9, 9]), 2)
        >>> figures = summarise([pair])
        >>> figures.accuracy, figures.visible, figures.occluded, figures.crowded
        (0.5, 1.0, 0.0, None)
    """
    pairs = list(scores)
    visible = [pair for pair in pairs if pair.visible]
    occluded = [pair for pair in pairs if pair.occluded]
    crowded = [pair for pair in pairs if pair.crowded]
    called = sum(pair.called_occluded for pair in pairs)
    segments = sum(pair.segments for pair in pairs)
    areas = [[sum(pair.by_area[at][what] for pair in pairs) for at in range(len(AREA_BOUNDS) + 1)] for what in (0, 1)]
    return SegmentFigures(
        accuracy=_mean(pair.accuracy for pair in pairs),
        visible=_mean(pair.right_visible / pair.visible for pair in visible),
        occluded=_mean(pair.right_occluded / pair.occluded for pair in occluded),
        crowded=_mean(pair.accuracy for pair in crowded),
        any_match=_mean((pair.right_any + pair.right_occluded) / pair.segments for pair in pairs),
        by_pixels=_mean(pair.right_pixels / pair.pixels for pair in pairs),
        pooled=_share(sum(pair.right for pair in pairs), segments),
        occluded_precision=_share(sum(pair.right_occluded for pair in pairs), called),
        by_area=tuple(_share(right, total) for total, right in zip(*areas, strict=True)),
        by_area_count=tuple(areas[0]),
        pairs=len(pairs),
        pairs_visible=len(visible),
        pairs_occluded=len(occluded),
        pairs_crowded=len(crowded),
        segments=segments,
        segments_occluded=sum(pair.occluded for pair in pairs),
        segments_called_occluded=called,
    )


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return float(np.mean(listed)) if listed else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
