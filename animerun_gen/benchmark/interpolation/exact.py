"""What a generated clip knows exactly of a triplet's motion, and what can be made of the two outer frames with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.interpolation.metrics import Picture
from animerun_gen.benchmark.interpolation.splatting import Layer
from animerun_gen.benchmark.interpolation.triplets import Triplet
from animerun_gen.benchmark.interpolation.warping import warp_back
from animerun_gen.conventions import known_flow
from animerun_gen.dataset.pairs import ClipIndex
from animerun_gen.errors import DatasetError

FARTHEST = 1e6
"""Scene units: what is farther away, as the background is, counts as being there."""

NEARNESS = 20.0
"""The importance of a pixel is that many times the negative logarithm of its depth: the nearer of two surfaces counts
seven times as much where it is a tenth nearer, whatever the scale of the scene."""


def exact_layers(triplet: Triplet, pictures: tuple[Picture, Picture]) -> list[Layer]:
    """The outer frames with their exact motion to each other, half of it, for splatting.

    Args:
        triplet: The triplet.
        pictures: Its first and its last frame.

    Returns:
        Two layers; where both frames have a depth, the nearer pixel is the more important one.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    index, (first, _, last) = _labelled(triplet), triplet.numbers
    layers = []
    for picture, source, target in ((pictures[0], first, last), (pictures[1], last, first)):
        flow = _motion_over_two(index, source, target)
        half = np.where(known_flow(flow)[..., None], flow.astype(np.float64) / 2, np.nan)
        layers.append(Layer(picture, half, _nearness(index, source, (first, last))))
    return layers


def lacks_motion_over_two(triplet: Triplet) -> bool:
    """Whether nothing tells the exact motion between the outer frames."""
    if triplet.labels is None:
        return True
    first, _, last = triplet.numbers
    index = triplet.labels
    has_gap = index.file("flow_forward_gap2", first) and index.file("flow_backward_gap2", last)
    has_surfaces = index.file("correspondence", first) and index.file("correspondence", last)
    return not (has_gap or has_surfaces)


def _motion_over_two(index: ClipIndex, source: int, target: int) -> npt.NDArray[np.float32]:
    way = "forward" if source < target else "backward"
    if index.file(f"flow_{way}_gap2", source) is not None:
        return index.clip.read_motion(way, source, gap=2)
    return index.clip.flow_between(source, target).flow


def _nearness(index: ClipIndex, frame: int, both: tuple[int, int]) -> npt.NDArray[np.float64] | None:
    if any(index.file("depth", one) is None for one in both):
        return None
    depth = index.clip.read("depth", frame).astype(np.float64)
    return -NEARNESS * np.log(np.clip(depth, 1 / FARTHEST, FARTHEST))


def true_warp(
    triplet: Triplet, pictures: tuple[Picture, Picture]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The middle frame, looked up in the outer ones by its own exact motion.

    No warping of the two frames can know more of the motion. What it lacks are things that neither shows, and lines,
    which belong to no surface and are drawn anew in each frame.

    Args:
        triplet: The triplet.
        pictures: Its first and its last frame.

    Returns:
        ``(H, W, 3)`` float64, the mean of the frames that show a pixel's surface point; and ``(H, W)`` bool, True where
        neither does, or the motion is unknown, and the mean of both frames at the same place stands instead.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    index, middle = _labelled(triplet), triplet.numbers[1]
    total, count = np.zeros(pictures[0].shape), np.zeros(pictures[0].shape[:2])
    for picture, way in zip(pictures, ("backward", "forward"), strict=True):
        flow = index.clip.read_motion(way, middle)
        kind = "exact_occlusion" if index.file(f"exact_occlusion_{way}", middle) is not None else "occlusion"
        seen = known_flow(flow) & ~index.clip.read(f"{kind}_{way}", middle)
        total += np.where(seen[..., None], warp_back(picture, flow), 0)
        count += seen
    nowhere = count == 0
    total[nowhere] = pictures[0][nowhere].astype(np.float64) + pictures[1][nowhere]
    count[nowhere] = 2
    return total / count[..., None], nowhere


def lacks_motion_of_middle(triplet: Triplet) -> bool:
    """Whether the exact motion from the middle frame to its neighbours, or its occlusion, is missing."""
    if triplet.labels is None:
        return True
    index, middle = triplet.labels, triplet.numbers[1]
    return any(
        index.file(f"flow_{way}", middle) is None
        or not (index.file(f"exact_occlusion_{way}", middle) or index.file(f"occlusion_{way}", middle))
        for way in ("forward", "backward")
    )


def _labelled(triplet: Triplet) -> ClipIndex:
    if triplet.labels is None:
        raise DatasetError("has no exact motion", triplet.name, "choose another method, or a dataset with flow")
    return triplet.labels
