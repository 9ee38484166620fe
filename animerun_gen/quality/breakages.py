"""Ways to break the labels of a pair of frames on purpose, to show that the quality gate notices.

Each is a mistake that somebody who writes, converts or copies labels could make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.conventions import known_flow
from animerun_gen.labels import occlusion_mask
from animerun_gen.quality.figures import Figure, is_held, pair_figures

SCALE = 1.02
"""What the motion is multiplied by in one of the breakages."""


@dataclass(frozen=True)
class PairLabels:
    """What a pair of frames is labelled with, by direction, ``"forward"`` and ``"backward"``.

    Attributes:
        flow: ``(H, W, 2)`` float32, pixels.
        exact_occlusion: ``(H, W)`` bool; empty where it was not made.
    """

    flow: Mapping[str, npt.NDArray[np.float32]]
    exact_occlusion: Mapping[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Breakage:
    """A way to break labels.

    Attributes:
        name: What is wrong afterwards.
        apply: Gives the broken labels of a pair, from its own and those of the pair that follows in the clip.
        within_reach: Whether the gate claims to notice it.
    """

    name: str
    apply: Callable[[PairLabels, PairLabels], PairLabels]
    within_reach: bool = True


def figures_of(
    labels: PairLabels,
    frames: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]],
    flats: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]],
    threshold: float = 0.5,
) -> dict[str, Any]:
    """The figures of a pair with these labels, as they are written to ``quality/<cut>.json``.

    Args:
        labels: Of the pair; the occlusion by the rule is made from their flow, as the pipeline does.
        frames: ``(H, W, 3)`` uint8, the earlier and the later frame.
        flats: the same without lines.
        threshold: of the occlusion rule, in pixels.

    Returns:
        ``"held"``, ``"forward"`` and ``"backward"``.
    """
    figures: dict[str, Any] = {"held": is_held(*flats)}
    for direction, opposite, source in (("forward", "backward", 0), ("backward", "forward", 1)):
        flow, back = labels.flow[direction], labels.flow[opposite]
        one_way: dict[str, Figure] = pair_figures(
            frames[source],
            frames[1 - source],
            flow,
            occlusion_mask(flow, back, threshold),
            back=back,
            exact_occlusion=labels.exact_occlusion.get(direction),
            source_flat=flats[source],
            target_flat=flats[1 - source],
            threshold=threshold,
        )
        figures[direction] = one_way
    return figures


def _shifted(
    forward: tuple[float, float], backward: tuple[float, float]
) -> Callable[[PairLabels, PairLabels], PairLabels]:
    def apply(labels: PairLabels, following: PairLabels) -> PairLabels:
        offsets = {"forward": forward, "backward": backward}
        return _with_flow(labels, lambda direction, motion: motion + np.array(offsets[direction], np.float32))

    return apply


def _scaled(forward: float, backward: float) -> Callable[[PairLabels, PairLabels], PairLabels]:
    def apply(labels: PairLabels, following: PairLabels) -> PairLabels:
        factors = {"forward": forward, "backward": backward}
        return _with_flow(labels, lambda direction, motion: motion * np.float32(factors[direction]))

    return apply


def _swapped(labels: PairLabels, following: PairLabels) -> PairLabels:
    return _with_flow(labels, lambda direction, motion: motion[:, ::-1])


def _negated(labels: PairLabels, following: PairLabels) -> PairLabels:
    return _with_flow(labels, lambda direction, motion: motion * np.array([1, -1], np.float32))


def _of_next_pair(labels: PairLabels, following: PairLabels) -> PairLabels:
    return following


def _of_mirrored_camera(labels: PairLabels, following: PairLabels) -> PairLabels:
    flow = {}
    for direction, field in labels.flow.items():
        mirrored = np.ascontiguousarray(field[:, ::-1])
        known = known_flow(mirrored)
        mirrored[known, 0] *= -1
        flow[direction] = mirrored
    exact = {direction: np.ascontiguousarray(mask[:, ::-1]) for direction, mask in labels.exact_occlusion.items()}
    return PairLabels(flow, exact)


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
    # wrong by fractions of a pixel, and consistently: the place between the pixels is seen in no single pair
    Breakage(f"both flows times {SCALE:g}", _scaled(SCALE, SCALE), within_reach=False),
)
"""The ways in which flow is broken here; ids are broken by taking those of the frame before."""
