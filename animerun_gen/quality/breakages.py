"""Ways to break the labels of a pair of frames on purpose, to show that the quality gate notices.

Each is a mistake that somebody who writes, converts or copies labels could make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.labels.ways_home import ways_home
from animerun_gen.quality.figures import Figure, is_held, pair_figures
from animerun_gen.quality.identity import NO_PLACE

SCALE = 1.02
"""What the motion is multiplied by in one of the breakages."""


RENUMBERED = 16
"""Points take the motion of others that are a picture's width, divided by this, away."""


@dataclass(frozen=True)
class PairPictures:
    """What a pair of frames shows, the earlier and the later one.

    Attributes:
        frames: ``(H, W, 3)`` uint8.
        flats: the same without lines.
        identities: ``(H, W, 3)`` uint16, their identity pictures; None where the pair is not sampled.
    """

    frames: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
    flats: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
    identities: tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]] | None = None


@dataclass(frozen=True)
class PairLabels:
    """What a pair of frames is labelled with, by direction, ``"forward"`` and ``"backward"``.

    Attributes:
        flow: ``(H, W, 2)`` float32, pixels.
        exact_occlusion: ``(H, W)`` bool; empty where it was not made.
    """

    flow: Mapping[str, npt.NDArray[np.float32]]
    exact_occlusion: Mapping[str, npt.NDArray[np.bool_]]


Breaking = Callable[[PairLabels, PairLabels, PairPictures], PairLabels]
"""Breaks the labels of a pair, see :class:`Breakage`."""


@dataclass(frozen=True)
class Breakage:
    """A way to break labels.

    Attributes:
        name: What is wrong afterwards.
        apply: Gives the broken labels of a pair, from its own, those of the pair that follows in the clip, and what the
            pair shows.
        within_reach: Whether the gate claims to notice it.
    """

    name: str
    apply: Breaking
    within_reach: bool = True


def figures_of(labels: PairLabels, pictures: PairPictures, threshold: float = 0.5) -> dict[str, Any]:
    """The figures of a pair with these labels, as they are written to ``quality/<cut>.json``.

    Args:
        labels: Of the pair; the occlusion by the rule is made from their flow, as the pipeline does.
        pictures: What the pair shows.
        threshold: of the occlusion rule, in pixels.

    Returns:
        ``"held"``, ``"forward"`` and ``"backward"``.
    """
    frames, flats, identities = pictures.frames, pictures.flats, pictures.identities
    figures: dict[str, Any] = {"held": is_held(flats, (labels.flow["forward"], labels.flow["backward"]))}
    for direction, opposite, source in (("forward", "backward", 0), ("backward", "forward", 1)):
        flow, back = labels.flow[direction], labels.flow[opposite]
        ways = ways_home(flow, back)
        one_way: dict[str, Figure] = pair_figures(
            frames[source],
            frames[1 - source],
            flow,
            ways.occluded(threshold),
            ways=ways,
            exact_occlusion=labels.exact_occlusion.get(direction),
            source_flat=flats[source],
            target_flat=flats[1 - source],
            identities=(identities[source], identities[1 - source]) if identities else None,
            threshold=threshold,
        )
        figures[direction] = one_way
    return figures


def _shifted(forward: tuple[float, float], backward: tuple[float, float]) -> Breaking:
    def apply(labels: PairLabels, following: PairLabels, pictures: PairPictures) -> PairLabels:
        offsets = {"forward": forward, "backward": backward}
        return _with_flow(labels, lambda direction, motion: motion + np.array(offsets[direction], np.float32))

    return apply


def _scaled(forward: float, backward: float) -> Breaking:
    def apply(labels: PairLabels, following: PairLabels, pictures: PairPictures) -> PairLabels:
        factors = {"forward": forward, "backward": backward}
        return _with_flow(labels, lambda direction, motion: motion * np.float32(factors[direction]))

    return apply


def _swapped(labels: PairLabels, following: PairLabels, pictures: PairPictures) -> PairLabels:
    return _with_flow(labels, lambda direction, motion: motion[:, ::-1])


def _negated(labels: PairLabels, following: PairLabels, pictures: PairPictures) -> PairLabels:
    return _with_flow(labels, lambda direction, motion: motion * np.array([1, -1], np.float32))


def _of_next_pair(labels: PairLabels, following: PairLabels, pictures: PairPictures) -> PairLabels:
    return following


def _of_mirrored_camera(labels: PairLabels, following: PairLabels, pictures: PairPictures) -> PairLabels:
    flow = {}
    for direction, field in labels.flow.items():
        mirrored = np.ascontiguousarray(field[:, ::-1])
        known = known_flow(mirrored)
        mirrored[known, 0] *= -1
        flow[direction] = mirrored
    exact = {direction: np.ascontiguousarray(mask[:, ::-1]) for direction, mask in labels.exact_occlusion.items()}
    return PairLabels(flow, exact)


def _renumbered(labels: PairLabels, following: PairLabels, pictures: PairPictures) -> PairLabels:
    """Points of a surface are taken for others of the same colour, both ways alike, as by a numbering that changed.

    Only inside surfaces of one colour, so that no picture of colours can show it, and where places are known.
    """
    if pictures.identities is None:
        return labels
    height, width = pictures.flats[0].shape[:2]
    away = np.array([width // RENUMBERED, 0])
    forward, backward = labels.flow["forward"].copy(), labels.flow["backward"].copy()
    here, there = (
        _inside_colors(flat) & (places[..., 0] != NO_PLACE)
        for flat, places in zip(pictures.flats, pictures.identities, strict=True)
    )
    rows, columns = np.nonzero(here & known_flow(forward))
    right = np.round(np.stack([columns, rows], axis=1) + forward[rows, columns]).astype(np.int64)
    wrong = right + away
    inside = ((np.minimum(right, wrong) >= 0) & (np.maximum(right, wrong) < [width, height])).all(axis=1)
    rows, columns, right, wrong = rows[inside], columns[inside], right[inside], wrong[inside]
    back = labels.flow["backward"][right[:, 1], right[:, 0]]
    closes = (np.abs(forward[rows, columns] + back) < 0.75).all(axis=1)
    same_color = (pictures.flats[0][rows, columns] == pictures.flats[1][wrong[:, 1], wrong[:, 0]]).all(axis=1)
    taken = closes & same_color & there[wrong[:, 1], wrong[:, 0]]
    source, target = (rows[taken], columns[taken]), (wrong[taken, 1], wrong[taken, 0])
    forward[source] += away.astype(np.float32)
    backward[target] = back[taken] - away.astype(np.float32)
    exact = {direction: mask.copy() for direction, mask in labels.exact_occlusion.items()}
    for direction, seen in (("forward", source), ("backward", target)):
        if direction in exact:
            exact[direction][seen] = False
    return PairLabels({"forward": forward, "backward": backward}, exact)


def _inside_colors(flat: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """``(H, W)`` bool, where a pixel is of one colour with all its neighbours."""
    neighbours = np.ones((3, 3), np.uint8)
    inside: npt.NDArray[np.bool_] = (cv2.erode(flat, neighbours) == cv2.dilate(flat, neighbours)).all(axis=2)
    return inside


def _with_flow(
    labels: PairLabels, change: Callable[[str, npt.NDArray[np.float32]], npt.NDArray[np.float32]]
) -> PairLabels:
    """The labels with ``change(direction, vectors (N, 2))`` in the place of the known vectors."""
    flow = {}
    for direction, field in labels.flow.items():
        known = known_flow(field)
        changed = field.copy()
        changed[known] = change(direction, field[known])
        flow[direction] = changed
    return PairLabels(flow, labels.exact_occlusion)


BREAKAGES = (
    Breakage("forward flow shifted by (1, 0) px", _shifted((1, 0), (0, 0))),
    Breakage("backward flow shifted by (0, 1) px", _shifted((0, 0), (0, 1))),
    Breakage("both flows shifted, by (1, 0) and (-1, 0) px", _shifted((1, 0), (-1, 0))),
    Breakage("both flows shifted, by (0, -1) and (0, 1) px", _shifted((0, -1), (0, 1))),
    Breakage("u and v swapped", _swapped),
    Breakage("v negated", _negated),
    Breakage("flow of the next pair", _of_next_pair),
    Breakage("flow of a mirrored camera", _of_mirrored_camera),
    Breakage(f"forward flow times {SCALE:g}", _scaled(SCALE, 1)),
    Breakage("surfaces renumbered", _renumbered),
    # wrong by fractions of a pixel, and consistently: the place between the pixels is seen in no single pair
    Breakage(f"both flows times {SCALE:g}", _scaled(SCALE, SCALE), within_reach=False),
)
"""The ways in which flow is broken here; ids are broken by taking those of the frame before."""
