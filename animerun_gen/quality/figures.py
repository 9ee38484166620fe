"""The figures of one pair of frames in one direction, as they are written to ``quality/<cut>.json``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.conventions import UNKNOWN_FLOW_THRESHOLD, known_flow
from animerun_gen.labels.sampling import require_mask, require_shape
from animerun_gen.labels.ways_home import WaysHome
from animerun_gen.quality.identity import identity_error
from animerun_gen.quality.packed import pack
from animerun_gen.quality.shift import best_shift, shift_errors
from animerun_gen.quality.warp import warp_sums

kernel = compiled.kernels(__name__)

Figure = float | list[int] | None

STANDING = 1e-3
"""Pixels; what Cycles' Vector pass calls a motion of things that stand still is shorter."""

MIN_MOVING = 100
"""With fewer pixels that move, the round trip is judged over all."""

# Groups of pixels whose warp errors are summed apart: bit 1 for visible by the rule, bit 2 for visible exactly.
_BY_RULE, _EXACTLY = 1, 2
_VISIBLE_BY_RULE, _VISIBLE_EXACTLY, _ANYWHERE = [1, 3], [2, 3], [0, 1, 2, 3]
_REPAINTED = 4


def is_held(
    pictures: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    flows: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    exact: bool = True,
    surfaces: Callable[[], npt.NDArray[np.bool_]] | None = None,
) -> bool:
    """Whether nothing moves and nothing changes from one frame to the other, as in animation on twos.

    Equal pictures do not say so: a surface of one colour that fills the picture may move under the camera, and a ball
    of one colour may spin.

    Args:
        pictures: ``(H, W, 3)`` uint8 each; the frames without lines where there are such, for lines may tremble.
        flows: ``(H, W, 2)`` float32 each, pixels, forward and backward.
        exact: Whether flow of what stands still is exactly zero; else it may be as long as :data:`STANDING`.
        surfaces: Gives ``(H, W)`` bool, True where either frame shows a surface; it is asked only where motion is
            unknown.  Without it every pixel counts as one.

    Returns:
        True where the pictures are equal and the motion of all surfaces is known and zero; that of the background may
        be unknown, as a cut can ask for.
    """
    if not np.array_equal(*pictures):
        return False
    known = [known_flow(flow) for flow in flows]
    longest = max(float(np.abs(flow[where]).max(initial=0.0)) for flow, where in zip(flows, known, strict=True))
    if longest > (0.0 if exact else STANDING):
        return False
    unknown = ~(known[0] & known[1])
    return not unknown.any() or (surfaces is not None and not (unknown & surfaces()).any())


def pair_figures(
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    flow: npt.NDArray[np.float32],
    occlusion: npt.NDArray[np.bool_],
    *,
    ways: WaysHome | None = None,
    exact_occlusion: npt.NDArray[np.bool_] | None = None,
    source_flat: npt.NDArray[Any] | None = None,
    target_flat: npt.NDArray[Any] | None = None,
    identities: tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]] | None = None,
    threshold: float = 0.5,
    repainted: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Figure]:
    """What can be said in numbers about a pair of frames and the flow in one direction.

    Args:
        source: ``(H, W, 3)`` uint8, the frame that the flow starts from.
        target: ``(H, W, 3)`` uint8, the frame that the flow leads to.
        flow: ``(H, W, 2)`` float32, pixels.
        occlusion: ``(H, W)`` bool, True where the source pixel has no counterpart, as
            :func:`~animerun_gen.labels.occlusion_mask` gives it (pixels of unknown motion are among them).
        ways: the ways there and back by :func:`~animerun_gen.labels.ways_home.ways_home`, if there is a flow back.
        exact_occlusion: ``(H, W)`` bool, the same question answered by the geometry, if it was.
        source_flat: the source frame without lines, if there is one.
        target_flat: the target frame without lines.
        identities: ``(H, W, 3)`` uint16 each, the identity pictures of source and target, if the pair is sampled.
        threshold: pixels; the largest distance from home, after the way there and back, that counts as home.
        repainted: ``(H, W)`` bool, True where the source shows what has another colour in the target, by a material
            that changes its colours or a surface that changes its material: the pictures are not compared there; by
            default nowhere.

    Returns:
        A dictionary ready for standard JSON, the same keys always; None where a figure cannot be had.
        ``docs/quality.md`` says what each of them tells.

        ``warp_error``, ``warp_error_bilinear``, ``warp_error_flat``, ``warp_error_flat_bilinear``
            mean absolute difference outside ``occlusion``, 0..1, of the frames and of those without lines, by either
            sampling of :mod:`animerun_gen.quality.warp`
        ``warp_error_exact``, ``warp_error_flat_exact``
            the same by point sampling outside ``exact_occlusion``
        ``warp_error_all``, ``warp_error_flat_all``
            the same wherever the motion is known and stays inside the frame
        ``repainted_share``
            share of the frame's pixels at which the pictures are not compared, because their colour changes by itself
        ``occluded_share``, ``exact_occluded_share``, ``invalid_share``
            share of the frame's pixels that are occluded, occluded exactly, of unknown motion
        ``occlusion_agreement``, ``occluded_by_rule_only``, ``occluded_exactly_only``
            share of the frame's pixels at which the two occlusions are the same, and at which only one of them is
        ``round_trip_p99``, ``round_trip_within``
            distance in pixels at which the way there and back ends from where it began, and the share of pixels for
            which it is at most ``threshold``; over the pixels that ``exact_occlusion`` calls visible, or without it
            over all (the rule's own mask would hide just what this is to find), where the way back is known
        ``round_trip_median``
            the same distance over those that move, by the best of the vectors around the target; see
            :func:`round_trip`
        ``motion_median``, ``motion_p90``, ``motion_p99``, ``largest_motion``
            length of the motion in pixels, where it is known
        ``edge_error``, ``best_shift``, ``shift_gain``
            the mean difference at the pixels that are not of one colour with their neighbours, 0..1; the offset
            ``[dx, dy]`` in {-1, 0, 1}² px of the flow that makes it smallest, and the share of it that is left then;
            of the frames without lines where there are such, see :mod:`animerun_gen.quality.shift`
        ``identity_error``, ``identity_compared``
            share of the visible pixels whose flow leads to another surface point, of those that can be compared, and
            the share of all pixels that can be, see :mod:`animerun_gen.quality.identity`; visible exactly where that is
            known

    Raises:
        ValueError: the shapes or dtypes do not agree, a mask is not bool, or only one flat frame is given.
    """
    if (source_flat is None) != (target_flat is None):
        raise ValueError("give both frames without lines, or neither")
    shape = flow.shape[:2]
    require_mask("the occlusion mask", occlusion, shape)
    groups = (~occlusion).astype(np.uint8) * np.uint8(_BY_RULE)
    if exact_occlusion is not None:
        require_mask("the exact occlusion mask", exact_occlusion, shape)
        groups |= (~exact_occlusion).astype(np.uint8) * np.uint8(_EXACTLY)
    if repainted is not None:
        require_mask("the mask of changing colours", repainted, shape)
        groups[repainted] = _REPAINTED

    figures: dict[str, float | list[int]] = dict.fromkeys(_NAMES, math.nan)
    here, there = [source], [target]
    if source_flat is not None and target_flat is not None:
        here.append(source_flat)
        there.append(target_flat)
    colors = pack(*here, *there)
    compared = warp_sums(colors[: len(here)], colors[len(here) :], flow, groups)
    for name, sums in zip(("warp_error", "warp_error_flat")[: len(compared)], compared, strict=True):
        figures[name] = sums.mean(_VISIBLE_BY_RULE)
        figures[f"{name}_bilinear"] = sums.mean(_VISIBLE_BY_RULE, "bilinear")
        figures[f"{name}_exact"] = sums.mean(_VISIBLE_EXACTLY)
        figures[f"{name}_all"] = sums.mean(_ANYWHERE)

    motion = _motion_lengths(flow)
    figures["repainted_share"] = 0.0 if repainted is None else _share(repainted)
    figures["occluded_share"] = _share(occlusion)
    figures["invalid_share"] = 1 - len(motion) / max(occlusion.size, 1)
    if exact_occlusion is not None:
        figures["exact_occluded_share"] = _share(exact_occlusion)
        figures["occlusion_agreement"] = _share(occlusion == exact_occlusion)
        figures["occluded_by_rule_only"] = _share(occlusion > exact_occlusion)
        figures["occluded_exactly_only"] = _share(exact_occlusion > occlusion)
    median, p90, p99, largest = _quantiles(motion, (0.5, 0.9, 0.99, 1.0))
    figures |= {"motion_median": median, "motion_p90": p90, "motion_p99": p99, "largest_motion": largest}

    if ways is not None:
        visible = np.ones(shape, np.bool_) if exact_occlusion is None else ~exact_occlusion
        away, closest = round_trip(ways, visible)
        (figures["round_trip_median"],) = _quantiles(closest if closest.size >= MIN_MOVING else away, (0.5,))
        (figures["round_trip_p99"],) = _quantiles(away, (0.99,))
        figures["round_trip_within"] = _share(away <= threshold) if away.size else math.nan

    hidden = occlusion if exact_occlusion is None else exact_occlusion
    if identities is not None:
        found = identity_error(*identities, flow, hidden)
        figures["identity_error"] = math.nan if found.error is None else found.error
        figures["identity_compared"] = found.compared

    errors = shift_errors(here[-1], there[-1], flow, hidden if repainted is None else hidden | repainted)
    if errors is not None:
        shift = best_shift(errors)
        figures["edge_error"] = float(errors[1, 1])
        figures["best_shift"], figures["shift_gain"] = list(shift.offset), shift.gain
    return {name: _rounded(value) for name, value in figures.items()}


_NAMES = (
    "warp_error",
    "warp_error_bilinear",
    "warp_error_flat",
    "warp_error_flat_bilinear",
    "warp_error_exact",
    "warp_error_flat_exact",
    "warp_error_all",
    "warp_error_flat_all",
    "repainted_share",
    "occluded_share",
    "exact_occluded_share",
    "invalid_share",
    "occlusion_agreement",
    "occluded_by_rule_only",
    "occluded_exactly_only",
    "round_trip_median",
    "round_trip_p99",
    "round_trip_within",
    "motion_median",
    "motion_p90",
    "motion_p99",
    "largest_motion",
    "identity_error",
    "identity_compared",
    "edge_error",
    "best_shift",
    "shift_gain",
)


def _share(mask: npt.NDArray[np.bool_]) -> float:
    """The share of what is True; to count is several times as fast as a mean, which adds up floats."""
    return np.count_nonzero(mask) / mask.size if mask.size else math.nan


def _rounded(value: float | list[int]) -> Figure:
    if isinstance(value, list):
        return value
    # Nine decimals: the order in which a processor adds up a sum shows only after that.
    return None if math.isnan(value) else round(value, 9)


def round_trip(
    ways: WaysHome, visible: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How far from where it began the way there and back ends, for the pixels of which that can be said.

    Args:
        ways: the ways there and back.
        visible: ``(H, W)`` bool, the pixels to look at.

    Returns:
        ``(N,)`` float64, pixels: what :class:`~animerun_gen.labels.ways_home.WaysHome` calls ``away``, of each visible
        pixel, in raster order, that has it; and ``(M,)`` float64 the same of ``closest``: of those that move.

    Raises:
        ValueError: the shapes do not agree, or the mask is not bool.
    """
    require_shape("the map of ways home", ways.away, visible.shape)
    require_mask("the mask", visible, visible.shape)
    visible = np.ascontiguousarray(visible)
    away, closest = np.empty((2, visible.size))
    return away[: _gather(ways.away, visible, away)], closest[: _gather(ways.closest, visible, closest)]


def _motion_lengths(flow: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """``(N,)``: length of the motion in pixels, where it is known."""
    lengths = np.empty(flow.shape[0] * flow.shape[1])
    return lengths[: _lengths(flow, lengths)]


def _quantiles(values: npt.NDArray[np.float64], shares: tuple[float, ...]) -> list[float]:
    """For each share the smallest value that at least this share of the values does not exceed; NaN without values.

    The values are put into another order.
    """
    if not values.size:
        return [math.nan] * len(shares)
    ranks = [max(math.ceil(share * values.size) - 1, 0) for share in shares]
    # in place: to fill memory anew takes longer than to look for the values
    values.partition(sorted(set(ranks)))
    return [float(values[rank]) for rank in ranks]


@kernel
def _lengths(flow, lengths):  # type: ignore[no-untyped-def]
    """Fill ``lengths`` with those of the known vectors; how many there are."""
    count = 0
    for row in range(flow.shape[0]):
        for column in range(flow.shape[1]):
            u, v = np.float64(flow[row, column, 0]), np.float64(flow[row, column, 1])
            if abs(u) < UNKNOWN_FLOW_THRESHOLD and abs(v) < UNKNOWN_FLOW_THRESHOLD:
                lengths[count] = math.sqrt(u * u + v * v)
                count += 1
    return count


@kernel
def _gather(values, among, gathered):  # type: ignore[no-untyped-def]
    """Put those of a map's values that are numbers one after the other; how many there are."""
    count = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            # written where the next one will be, instead of asking: processors guess badly along ragged borders
            gathered[count] = values[row, column]
            count += among[row, column] & (values[row, column] == values[row, column])
    return count
