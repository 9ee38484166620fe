"""What flow methods without weights say of the segments of a pair: the votes that a guided AnT begins with.

A guide sees what AnT sees, the two pictures and their segments, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.flow.methods import PLAIN, Flow, Picture
from animerun_gen.dataset.opencv import cv2

Labels = npt.NDArray[np.integer[Any]]

GUIDES = tuple(name for name in PLAIN if name != "zero")
"""Flow methods that can guide: those without weights."""

FACTS = 7
"""Numbers that a guide says of a segment: see :attr:`Guidance.facts`."""

UNIT = 64.0
"""Pixels: what motion is measured in."""

_LEAST_SIDE = 32
"""Pictures with a shorter side are made larger with copies of their borders, because DIS takes none of them."""


@dataclass(frozen=True)
class Guidance:
    """What one or several flow methods say of a pair with ``K`` and ``L`` segments.

    Attributes:
        votes: For each method ``(2, K, L)`` float32, as ``(methods * 2, K, L)``: the share of a source segment's pixels
            that move to a target segment; and the share of the target segment's that come from the source segment, by
            the motion back.
        facts: For each frame ``(K, methods * 7)`` float32: the mean motion in x and y, in units of 64 pixels; how much
            motion differs within the segment, as the logarithm of pixels; the share of its pixels that stay in the
            picture; the share that go to the same segment; by how much motion there and back misses, as the logarithm
            of pixels; and how unlike the pictures are there, from 0 to 1.
    """

    votes: npt.NDArray[np.float32]
    facts: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def guidance(pictures: Sequence[Picture], segments: Sequence[Labels], guides: Sequence[str]) -> Guidance:
    """Ask flow methods about a pair.

    Args:
        pictures: The two frames, ``(H, W, 3)`` uint8, RGB.
        segments: Their segments, ``(H, W)`` integers from 0 without gaps.
        guides: Names of flow methods, of :data:`GUIDES`.

    Example:
        >>> labels = np.zeros((40, 40), np.int32)
        >>> frame = np.full((40, 40, 3), 255, np.uint8)
        >>> guidance([frame, frame], [labels, labels], ["dis"]).votes.tolist()
        [[[1.0]], [[1.0]]]
    """
    counts = [int(labels.max()) + 1 for labels in segments]
    votes: list[npt.NDArray[np.float32]] = []
    facts: tuple[list[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]] = ([], [])
    for guide in guides:
        flows = [estimated(guide, *pictures), estimated(guide, *pictures[::-1])]
        landings = [_Landing.of(flow) for flow in flows]
        shares = [_shares(landings[one], segments[one], segments[1 - one], counts[1 - one]) for one in (0, 1)]
        votes += [shares[0], shares[1].T]
        for one in (0, 1):
            facts[one].append(
                _facts(flows[one], flows[1 - one], landings[one], pictures[one], pictures[1 - one], segments[one])
            )
            facts[one][-1][:, 4] = shares[one].max(axis=1)
    return Guidance(
        np.stack(votes) if votes else np.zeros((0, *counts), np.float32),
        (
            np.concatenate(facts[0], axis=1) if guides else np.zeros((counts[0], 0), np.float32),
            np.concatenate(facts[1], axis=1) if guides else np.zeros((counts[1], 0), np.float32),
        ),
    )


def estimated(guide: str, first: Picture, second: Picture) -> Flow:
    """The flow that a method estimates, also of pictures that are smaller than it takes.

    Args:
        guide: Its name, of :data:`GUIDES`.
        first: ``(H, W, 3)`` uint8, RGB.
        second: The same.

    Returns:
        ``(H, W, 2)`` float32, pixels.
    """
    height, width = first.shape[:2]
    below, right = max(0, _LEAST_SIDE - height), max(0, _LEAST_SIDE - width)
    both = [np.ascontiguousarray(picture) for picture in (first, second)]
    if below or right:
        both = [cv2.copyMakeBorder(one, 0, below, 0, right, cv2.BORDER_REPLICATE) for one in both]  # type: ignore[misc]
    _, estimate = PLAIN[guide]
    return estimate(both[0], both[1])[:height, :width]


@dataclass(frozen=True)
class _Landing:
    """Where pixels land: ``(H, W)`` whether inside of the picture, and row and column of those that do."""

    inside: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]

    @classmethod
    def of(cls, flow: Flow) -> _Landing:
        height, width = flow.shape[:2]
        rows, columns = np.indices((height, width))
        x, y = np.rint(columns + flow[..., 0]), np.rint(rows + flow[..., 1])
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return cls(inside, y[inside].astype(np.intp), x[inside].astype(np.intp))


def _shares(landing: _Landing, source: Labels, target: Labels, target_count: int) -> npt.NDArray[np.float32]:
    """``(K, L)``: which share of each segment's pixels lands in each segment of the other frame."""
    areas = np.bincount(source.ravel())
    both = source[landing.inside].astype(np.int64) * target_count + target[landing.rows, landing.columns]
    votes = np.bincount(both, minlength=len(areas) * target_count).reshape(len(areas), target_count)
    return (votes / areas[:, None]).astype(np.float32)


def _facts(
    flow: Flow, back: Flow, landing: _Landing, picture: Picture, other: Picture, labels: Labels
) -> npt.NDArray[np.float32]:
    """``(K, 7)``, of which the share that goes to the same segment is not filled in."""
    areas = np.bincount(labels.ravel())
    inside, owners = landing.inside, labels[landing.inside]

    def mean(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(labels.ravel(), values.ravel(), len(areas)) / areas

    def mean_inside(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        seen = np.bincount(owners, minlength=len(areas))
        return np.bincount(owners, values, len(areas)) / np.maximum(seen, 1)

    x, y = mean(flow[..., 0]), mean(flow[..., 1])
    spread = mean(np.hypot(flow[..., 0] - x[labels], flow[..., 1] - y[labels]))
    missed = flow[inside] + back[landing.rows, landing.columns]
    # beyond this it makes no difference
    distance = np.minimum(np.hypot(missed[:, 0], missed[:, 1]), UNIT)
    unlike = np.abs(picture[inside].astype(np.float32) - other[landing.rows, landing.columns]).mean(axis=1) / 255
    columns = [x / UNIT, y / UNIT, np.log1p(spread), mean(inside), 0 * x, np.log1p(mean_inside(distance))]
    return np.stack([*columns, mean_inside(unlike)], axis=1).astype(np.float32)
