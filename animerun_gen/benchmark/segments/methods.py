"""Matchers of segments without anything learned: what a learned one has to beat."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.flow.methods import open_method as open_flow_method
from animerun_gen.benchmark.results import MethodFacts
from animerun_gen.benchmark.segments.regions import Regions, regions_of
from animerun_gen.benchmark.source import MethodChoice
from animerun_gen.errors import UsageError

Picture = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]
Flow = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SegmentPair:
    """Two frames and their segments: all that a matcher may look at.

    Attributes:
        pictures: The source and the target frame, ``(H, W, 3)`` uint8, RGB: colours or line art.
        segments: The segment of each of their pixels, ``(H, W)`` integers from 0.
    """

    pictures: tuple[Picture, Picture]
    segments: tuple[Labels, Labels]

    @cached_property
    def regions(self) -> tuple[Regions, Regions]:
        """Where the segments lie."""
        return regions_of(self.segments[0]), regions_of(self.segments[1])


class Matcher(Protocol):
    """Says for each segment of the source frame which segment of the target frame it becomes; -1: none."""

    def __call__(self, pair: SegmentPair) -> list[int]: ...


def nearest_centre(pair: SegmentPair) -> list[int]:
    """The segment whose centre lies nearest.

    Args:
        pair: The frames; their pictures are not looked at.
    """
    source, target = pair.regions
    apart = np.square(source.centres[:, None] - target.centres[None]).sum(axis=-1)
    return _least(apart, source, target)


def overlap(pair: SegmentPair) -> list[int]:
    """The segment that covers most of the same pixels: the largest intersection over union.

    Args:
        pair: The frames; their pictures are not looked at.
    """
    source, target = pair.regions
    shared = _votes(pair.segments[0], pair.segments[1].ravel(), len(source), len(target))
    union = source.areas[:, None] + target.areas[None] - shared
    return _least(-shared / np.maximum(union, 1), source, target)


def color_and_shape(pair: SegmentPair) -> list[int]:
    """The segment that looks most alike: by mean colour, size and extent, and by place where those agree.

    Each segment is described by its mean colour, the square root of its area, the sides of its box and its centre; the
    distance is the sum of the differences, each in units of what the eye takes for a clear difference: 20 grey levels,
    a half of the size, and a quarter of the frame's longer side.

    Args:
        pair: The frames; of line art the mean colour says how dense the lines are.
    """
    source, target = pair.regions
    colors = [
        np.stack([np.bincount(labels.ravel(), picture[..., one].ravel(), len(regions)) for one in range(3)], axis=1)
        / np.maximum(regions.areas, 1)[:, None]
        for labels, picture, regions in zip(pair.segments, pair.pictures, pair.regions, strict=True)
    ]
    sizes = [
        np.log2(
            np.stack(
                [
                    np.sqrt(np.maximum(regions.areas, 1)),
                    np.maximum(regions.boxes[:, 1] - regions.boxes[:, 0] + 1, 1),
                    np.maximum(regions.boxes[:, 3] - regions.boxes[:, 2] + 1, 1),
                ],
                axis=1,
            )
        )
        for regions in pair.regions
    ]
    places = [regions.centres / (0.25 * max(pair.segments[0].shape)) for regions in pair.regions]
    apart = sum(
        np.linalg.norm(one[:, None] - other[None], axis=-1) / unit
        for (one, other), unit in ((colors, 20.0), (sizes, 1.0), (places, 1.0))
    )
    return _least(np.asarray(apart), source, target)


def votes_of_flow(flow: Flow, source: Labels, target: Labels) -> list[int]:
    """The target segment to which most pixels of each source segment move.

    Args:
        flow: ``(H, W, 2)`` float32, pixels; NaN votes for nothing, and so does what leaves the picture.
        source: ``(H, W)`` integers from 0, segments of the frame where the flow begins.
        target: ``(H, W)`` integers from 0, segments of the frame where it ends.

    Returns:
        For each source segment the target segment with most votes, of equally many the one with the smaller number; -1
        where there is no vote.

    Example:
        >>> segments = np.array([[0, 0, 1, 1]])
        >>> flow = np.zeros((1, 4, 2), np.float32)
        >>> flow[..., 0] = 2
        >>> votes_of_flow(flow, segments, segments)
        [1, -1]
    """
    height, width = source.shape
    rows, columns = np.indices(source.shape)
    with np.errstate(invalid="ignore"):
        x, y = np.rint(columns + flow[..., 0]), np.rint(rows + flow[..., 1])
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    landed = target[y[inside].astype(np.intp), x[inside].astype(np.intp)]
    votes = _votes(source[inside], landed, int(source.max()) + 1, int(target.max()) + 1)
    return np.where(votes.any(axis=1), votes.argmax(axis=1), -1).tolist()


def _votes(source: Labels, target: Labels, source_count: int, target_count: int) -> npt.NDArray[np.int64]:
    """``(K, L)``: how many pixels belong to one of the sources and one of the targets."""
    both = source.ravel().astype(np.int64) * target_count + target
    return np.bincount(both, minlength=source_count * target_count).reshape(source_count, target_count)


def _least(apart: npt.NDArray[np.floating[Any]], source: Regions, target: Regions) -> list[int]:
    """The target at the least distance for each source; -1 for a source without pixels."""
    apart = np.where((target.areas > 0)[None], apart, np.inf)
    return np.where(source.areas > 0, np.nan_to_num(apart, nan=np.inf).argmin(axis=1), -1).tolist()


PLAIN: Mapping[str, tuple[str, Matcher]] = {
    "nearest": ("nearest centre", nearest_centre),
    "overlap": ("overlap (IoU)", overlap),
    "color": ("colour and shape", color_and_shape),
}
"""Matchers without weights: what they are called in tables, and what matches."""

FLOW = "flow"
"""First word of the votes of a flow method: ``flow:dis``."""

LEARNED: Mapping[str, str] = {"checkpoint": "animerun_gen.benchmark.ant.matcher"}
"""First word of a learned matcher to the module whose function ``open_matcher`` makes it of a
:class:`~animerun_gen.benchmark.flow.methods.MethodChoice`."""


@dataclass(frozen=True)
class SegmentMethod:
    """A method that matches segments.

    Attributes:
        facts: What is said of it in results.
        match: Matches the segments of a pair.
    """

    facts: MethodFacts
    match: Matcher


def open_method(choice: MethodChoice) -> SegmentMethod:
    """Make a method of its name: one of :data:`PLAIN`, ``flow:NAME`` or ``checkpoint:FILE``.

    Raises:
        UsageError: There is none of this name, or it cannot be had as it is asked for.

    Example:
        >>> open_method(MethodChoice("flow:dis")).facts.title
        'votes of DIS (OpenCV)'
    """
    if choice.name in PLAIN:
        if choice.checkpoint is not None or choice.random_weights:
            raise UsageError(f"the method '{choice.name}' has no weights", remedy="leave out --checkpoint")
        title, match = PLAIN[choice.name]
        return SegmentMethod(MethodFacts(name=choice.name, title=title, weights="none"), match)
    word, _, name = choice.name.partition(":")
    if word == FLOW and name:
        flow = open_flow_method(dataclasses.replace(choice, name=name))
        facts = flow.facts.model_copy(update={"name": choice.name, "title": f"votes of {flow.facts.title}"})
        return SegmentMethod(facts, lambda pair: votes_of_flow(flow.estimate(*pair.pictures), *pair.segments))
    if word in LEARNED:
        made: SegmentMethod = importlib.import_module(LEARNED[word]).open_matcher(choice)
        return made
    known = ", ".join((*PLAIN, f"{FLOW}:NAME", *(f"{word}:FILE" for word in LEARNED)))
    raise UsageError(f"there is no method '{choice.name}'", remedy=f"choose one of {known}")
