"""Holds a dataset against the truth: numpy and OpenCV only, no line of the package."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from random_scene.truth import PairTruth, Seen, State

Array = np.ndarray[Any, Any]

TOLERANCE = 1e-3
"""Pixels by which a valid flow may be off."""

CAMERA_ROUNDING = 3e-5
"""Pixels by which the float32 numbers of a camera's matrices may move a ray; a face seen from its edge adds to it."""

STEEPEST = 200.0
"""A face is seen from its edge when its target moves by so many pixels for one of the picture; float32 decides."""


@dataclass
class Example:
    """A kind of fault: how many pixels have it, and the worst of them in words."""

    pixels: int
    error: float
    words: str


@dataclass
class Verdict:
    """Counts of pixels, by recipe and in all.

    Attributes:
        held: Pixels of surfaces whose truth is known one way or another.
        valid: Those of them that are called valid.
        wrong: Valid, and off by more than the tolerance, or not there in the other frame.
        nameless: Valid, although nothing names the point in both frames.
        kept: Pixels of surfaces that Blender keeps identical.
        kept_valid: Those of them that are valid.
        carried: Pixels whose point is there in both frames, although its mesh changed.
        carried_valid: Those of them that are valid.
        occlusion: Called seen or hidden, and surely the other.
        occlusion_held: Pixels whose occlusion is sure.
        worst: Largest error in pixels of a valid flow whose truth is known.
        examples: The worst pixel of each kind of fault.
    """

    held: int = 0
    valid: int = 0
    wrong: int = 0
    nameless: int = 0
    kept: int = 0
    kept_valid: int = 0
    carried: int = 0
    carried_valid: int = 0
    occlusion: int = 0
    occlusion_held: int = 0
    worst: float = 0.0
    examples: dict[str, Example] = field(default_factory=dict)

    @property
    def faulty(self) -> bool:
        return self.wrong + self.nameless + self.occlusion > 0

    def add(self, other: Verdict) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.worst = max(self.worst, other.worst)
        for kind, example in other.examples.items():
            known = self.examples.setdefault(kind, Example(0, -1.0, ""))
            worse = example if example.error > known.error else known
            self.examples[kind] = Example(known.pixels + example.pixels, worse.error, worse.words)


COUNTS = (
    "held",
    "valid",
    "wrong",
    "nameless",
    "kept",
    "kept_valid",
    "carried",
    "carried_valid",
    "occlusion",
    "occlusion_held",
)


def hold_pair(truth: PairTruth, flow: Array, valid: Array, occluded: Array) -> dict[int, Verdict]:
    """Hold one pair, (H, W, 2) float32 and two masks, against its truth.

    Returns:
        A verdict for every recipe that is seen; -1: background.
    """
    state = truth.state
    height, width = state.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    targets = truth.targets - grid[:, :, None]
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.linalg.norm(flow.astype(np.float64)[:, :, None] - targets, axis=-1)
    known = state == State.KNOWN
    errors = np.where(np.isnan(errors), np.inf, errors).min(axis=-1)
    resolution = np.spacing(np.abs(np.where(valid[..., None], flow, 0)).max(axis=-1).astype(np.float32))
    allowed = TOLERANCE + resolution + CAMERA_ROUNDING * truth.steepness
    edge_on = truth.steepness > STEEPEST
    off = known & valid & (errors > allowed) & ~edge_on
    gone = (state == State.GONE) & valid
    nameless = (state == State.NO_IDENTITY) & valid
    # what is not valid counts as occluded
    seen_wrongly = (truth.seen == Seen.NO) & valid & ~occluded
    hidden_wrongly = (truth.seen == Seen.YES) & valid & occluded
    sure = (truth.seen != Seen.UNSURE) & valid & known

    verdicts: dict[int, Verdict] = {}
    for recipe in np.unique(truth.recipe):
        mine = truth.recipe == recipe
        verdict = Verdict(
            held=_count(mine & (state != State.SKIPPED)),
            valid=_count(mine & valid & (state != State.SKIPPED)),
            wrong=_count(mine & (off | gone)),
            nameless=_count(mine & nameless),
            kept=_count(mine & truth.kept),
            kept_valid=_count(mine & truth.kept & valid),
            carried=_count(mine & known & ~truth.kept & (recipe >= 0)),
            carried_valid=_count(mine & known & ~truth.kept & valid & (recipe >= 0)),
            occlusion=_count(mine & sure & (seen_wrongly | hidden_wrongly)),
            occlusion_held=_count(mine & sure),
        )
        held = mine & known & valid & ~edge_on
        verdict.worst = float(errors[held].max(initial=0.0))
        for kind, mask in (
            ("off", off & ~truth.split),
            ("off on a bent face that is split otherwise there", off & truth.split),
            ("gone, but valid", gone),
            ("without identity, but valid", nameless),
            ("hidden, but called seen", sure & seen_wrongly),
            ("seen, but called hidden", sure & hidden_wrongly),
        ):
            example = _example(mine & mask, errors, flow, targets)
            if example is not None:
                verdict.examples[kind] = example
        verdicts[int(recipe)] = verdict
    return verdicts


def _example(mask: Array, errors: Array, flow: Array, targets: Array) -> Example | None:
    """The worst pixel of a mask."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    ranked = np.where(np.isfinite(errors[rows, columns]), errors[rows, columns], 0.0)
    worst = int(np.argmax(ranked))
    y, x = int(rows[worst]), int(columns[worst])
    target = targets[y, x, 0]
    known = f", truth {_pair(target)}" if np.isfinite(target).all() else ""
    return Example(len(rows), float(ranked[worst]), f"pixel ({x}, {y}), flow {_pair(flow[y, x])}{known}")


def _pair(vector: Array) -> str:
    return f"({vector[0]:.4f}, {vector[1]:.4f})"


def _count(mask: Array) -> int:
    return int(np.count_nonzero(mask))


def hold_cut(dataset: Path, cut: str, truths: dict[tuple[str, int], PairTruth]) -> dict[int, Verdict]:
    """Hold a cut's files against the truth of its pairs, named by direction and frame number.

    Raises:
        OSError: A file is missing.
        ValueError: A file is not what its name says.
    """
    total: dict[int, Verdict] = {}
    for (direction, number), truth in sorted(truths.items()):
        base = dataset / "train"
        flow = read_flow(base / "Flow" / cut / direction / f"{number:04d}.flo")
        valid = read_mask(base / "Valid" / cut / direction / f"{number:04d}.png")
        occluded = read_mask(base / "ExactOcclusion" / cut / direction / f"{number:04d}.png")
        for recipe, verdict in hold_pair(truth, flow, valid, occluded).items():
            for example in verdict.examples.values():
                example.words = f"{direction} of frame {number}, {example.words}"
            total.setdefault(recipe, Verdict()).add(verdict)
    return total


def read_flow(path: Path) -> Array:
    """A Middlebury file, (H, W, 2) float32."""
    content = path.read_bytes()
    if content[:4] != b"PIEH":
        raise ValueError(f"{path} is no Middlebury flow")
    width, height = np.frombuffer(content, np.int32, 2, 4)
    return np.frombuffer(content, np.float32, 2 * width * height, 12).reshape(height, width, 2)


def read_mask(path: Path) -> Array:
    """A mask, (H, W) bool."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise OSError(f"{path} is missing or no picture")
    return picture > 0
