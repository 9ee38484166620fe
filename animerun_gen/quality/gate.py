"""The quality gate: whether a clip shows anything, which frames and pairs fail, and what to look at then.

What the figures mean, why the thresholds have their values, and what no threshold can see is in ``docs/quality.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from animerun_gen.config.messages import spans
from animerun_gen.config.model import Quality
from animerun_gen.quality.unknown import refusals

MAX_SHIFT_GAIN = 0.8
"""A pair fails when its flow, shifted by a pixel, leaves less than this share of the error.

Shifted back onto its place, flow that was broken by a pixel left at most 0.2 of it, and
exact flow was never better shifted.
"""

Direction = Literal["forward", "backward"]
DIRECTIONS: tuple[Direction, Direction] = ("forward", "backward")

LEAST_IS_WORST = (
    "agreement",
    "agreement_compared",
    "agreement_ids",
    "identity_compared",
    "occlusion_agreement",
    "reprojection_compared",
    "round_trip_within",
    "surface_share",
    "flat_colors",
)
"""The figures whose smallest value is the worst one; of all others the largest is."""


@dataclass(frozen=True)
class Thresholds:
    """What a figure may be at worst; a figure that is exactly at its threshold passes.

    Attributes:
        warp_error: Largest ``warp_error``, 0..1.
        warp_error_flat: Largest ``warp_error_flat_exact``, 0..1, or ``warp_error_flat`` without exact occlusion.
        edge_error: Largest ``edge_error``, 0..1.
        round_trip_median: Largest ``round_trip_median``, pixels.
        agreement: Smallest ``agreement`` and ``agreement_ids``, 0..1.
        leaks: Largest ``leaks``, 0..1.
        identity_error: Largest ``identity_error``, 0..1.
        reprojection: Largest ``reprojection_error``, pixels.
        surfaces: Smallest ``surface_share``, 0..1.
        one_surface: Largest ``largest_surface``, 0..1.
        one_color: Largest ``largest_color``, 0..1.
        lines: Largest ``line_share``, 0..1.
    """

    warp_error: float
    warp_error_flat: float
    edge_error: float
    round_trip_median: float
    agreement: float
    leaks: float
    identity_error: float
    reprojection: float
    surfaces: float
    one_surface: float
    one_color: float
    lines: float

    @classmethod
    def of(cls, quality: Quality) -> Self:
        """The thresholds that a cut's configuration sets."""
        return cls(
            warp_error=quality.max_warp_error,
            warp_error_flat=quality.max_flat_warp_error,
            edge_error=quality.max_edge_error,
            round_trip_median=quality.max_round_trip,
            agreement=quality.min_agreement,
            leaks=quality.max_leaks,
            identity_error=quality.max_identity_error,
            reprojection=quality.max_reprojection_error,
            surfaces=quality.min_surfaces,
            one_surface=quality.max_one_surface,
            one_color=quality.max_one_color,
            lines=quality.max_lines,
        )

    def as_dict(self) -> dict[str, float]:
        """As they are written to ``quality/<cut>.json``."""
        return asdict(self)


@dataclass(frozen=True)
class _Rule:
    """One thing that the gate judges.

    Attributes:
        figures: The figure; of several the first that is not None.
        threshold: Which of the :class:`Thresholds` it is held against.
        complaint: What it means when the figure is beyond the threshold, with ``{value}`` and ``{threshold}``, for a
            clip with ``{percent}`` and ``{what}``.
        advice: What to look at then.
        at_least: Whether the threshold is the smallest good value, and not the largest.
        odd: The figure that counts the pixels which the judged one finds fault with.  A single one is within the
            rounding of two renderers, in however few pixels it is found; a threshold of 1 allows not even that.
    """

    figures: tuple[str, ...]
    threshold: str
    complaint: str
    advice: str
    at_least: bool = False
    odd: str | None = None

    def figure_of(self, figures: Mapping[str, Any]) -> tuple[str, float] | None:
        """The figure that is judged and its value; None where there is none."""
        for name in self.figures:
            value = figures.get(name)
            if value is not None and math.isfinite(value):
                return name, float(value)
        return None

    def allows(self, value: float, threshold: float) -> bool:
        """Whether a value is good."""
        return value >= threshold if self.at_least else value <= threshold

    def is_one_pixel(self, figures: Mapping[str, Any], threshold: float) -> bool:
        """Whether a value is beyond the threshold because of a single pixel among few."""
        return self.odd is not None and figures.get(self.odd) == 1 and threshold < 1.0


_FRAME_RULES = (
    _Rule(
        ("agreement",),
        "agreement",
        "only {value:.4%} of the pixels that can be compared have the colour of the material that the id map names"
        " (threshold {threshold:.4%})",
        "compare Flat and MaterialId there: something was drawn that the geometry does not know, or the reverse",
        at_least=True,
        odd="agreement_odd",
    ),
    _Rule(
        ("agreement_ids",),
        "agreement",
        "only {value:.4%} of the pixels show the material that the id map names (threshold {threshold:.4%})",
        "compare Flat and MaterialId there: something was drawn that the geometry does not know, or the reverse",
        at_least=True,
    ),
    _Rule(
        ("leaks",),
        "leaks",
        "{value:.2%} of the pixels lie in a segment that mainly shows another surface (threshold {threshold:.2%})",
        "look at the contour and the segments there: lines are missing or broken, or labels.ball_radius is too small"
        " for the gaps in them",
    ),
)

_PAIR_RULES = (
    _Rule(
        ("warp_error",),
        "warp_error",
        "the colour frames differ by {value:.5f} where the flow leads (threshold {threshold:g})",
        "look at the warp difference: if it is in the lines alone, they flicker from frame to frame (compare"
        " warp_error_flat); if it is in surfaces, the flow is wrong there",
    ),
    _Rule(
        ("warp_error_flat_exact", "warp_error_flat"),
        "warp_error_flat",
        "the frames without lines differ by {value:.5f} where the flow leads (threshold {threshold:g})",
        "look at the warp difference: the flow or the occlusion is wrong there, or a surface changes its colour",
    ),
    _Rule(
        ("edge_error",),
        "edge_error",
        "at edges and in textures the frames differ by {value:.5f} where the flow leads (threshold {threshold:g})",
        "look at the warp difference along edges: the flow is wrong there, or it belongs to other frames",
    ),
    _Rule(
        ("round_trip_median",),
        "round_trip_median",
        "half of the visible pixels end {value:.3f} px or more from where they began when they follow the flow there"
        " and back (threshold {threshold:g} px)",
        "one of the two directions is wrong: compare the forward with the backward flow",
    ),
    _Rule(
        ("identity_error",),
        "identity_error",
        "from {value:.4f} of the pixels that can be compared the flow leads to another surface point"
        " (threshold {threshold:g})",
        "the flow takes points for others there: look for what an object's modifiers or nodes renumber in every"
        " frame, take the object out with remove.objects, and report it",
    ),
    _Rule(
        ("reprojection_error",),
        "reprojection",
        "surfaces that stand still are projected up to {value:.4f} px away from where the flow ends"
        " (threshold {threshold:g} px)",
        "flow, depth and Camera contradict each other: do not use the cameras of these frames, and report it",
    ),
)


_CLIP_RULES = (
    _Rule(
        ("surface_share",),
        "surfaces",
        "surfaces cover {percent:.3f}% of the picture (threshold {limit:g}%)",
        "the camera does not see the scene, or everything in the picture was removed: look at camera and remove",
        at_least=True,
    ),
    _Rule(
        ("largest_surface",),
        "one_surface",
        "one surface covers everything: {percent:.1f}% of the picture is {what} (threshold {limit:g}%)",
        "something lies right before the camera, or the camera stands inside something: name it in remove.objects, or "
        "its material in transparency.materials as remove",
    ),
    _Rule(
        ("largest_color",),
        "one_color",
        "{percent:.2f}% of the picture has one colour, {what} (threshold {limit:g}%)",
        "the pictures show nothing, whatever the labels say: look at the colour frames and at style",
    ),
    _Rule(
        ("line_share",),
        "lines",
        "lines cover {percent:.1f}% of the picture (threshold {limit:g}%)",
        "look at the line art: lines.thickness is too large for the resolution, or hair or leaves are drawn one by one",
    ),
)
"""What a clip that shows nothing shows: a frame counts for the first that it is past the threshold of."""

_STILL = 0.01
"""Pixels; what is carried by a moving camera moves by no more in the picture, for matrices are of single precision."""

_NAMED_SPANS = 12
"""So many spans of frames are named in a message."""


def judge(
    frame_figures: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
    thresholds: Thresholds,
    without_unknown: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """What is beyond a threshold.

    Args:
        frame_figures: The figures of each frame, with its number as ``"frame"``; missing figures are like None.
        pairs: The figures of each pair: ``"source"``, ``"target"`` and, by direction, those of
            :func:`~animerun_gen.quality.figures.pair_figures`.
        thresholds: What the figures may be at worst.
        without_unknown: The clip's frames, ascending, where no motion of it may be unknown; None where it may.

    Returns:
        The failures, those of the clip first and then those of frames, each in the order given: ``"source"`` and
        ``"target"`` as the pair names them (a frame has no target, and a clip the first of its frames that show
        nothing) and ``"direction"`` (None for a frame), ``"figure"``, ``"value"`` (of a clip the mean over the frames
        that its message names), ``"bar"`` (None for a shift), and a sentence, ``"message"``.  A figure that is None is
        not judged; :func:`summarise` counts those.
    """
    return [
        *_clip_failures(frame_figures, pairs, thresholds),
        *(refusals(pairs, without_unknown) if without_unknown is not None else ()),
        *_frame_failures(frame_figures, thresholds),
        *_pair_failures(pairs, thresholds),
    ]


def failed_pairs(failures: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """The pairs that failures name, in the order of the clip: ``[source, target]``.

    Args:
        failures: From :func:`judge`.
    """
    named = {(failure["source"], failure["target"]) for failure in failures if failure["target"] is not None}
    named |= {(source, target) for failure in failures for source, target in failure.get("pairs", ())}
    return [list(pair) for pair in sorted(named)]


def summarise(frame_figures: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of a whole cut in a few numbers.

    Args:
        frame_figures: As for :func:`judge`.
        pairs: As for :func:`judge`.

    Returns:
        ``"frames"`` and ``"pairs"``: how many there are; ``"held_share"``: share of the pairs that are held, None
        without pairs; ``"not_judged"``: by threshold, and for ``"best_shift"``, how many frames or directions of
        pairs have no figure to hold against it, where that is any; and by figure ``"mean"`` and ``"worst"`` over
        frames or over both directions of all pairs, None where it is nowhere to be had.
    """
    ways = [pair[direction] for pair in pairs for direction in DIRECTIONS if direction in pair]
    not_judged: dict[str, int] = {}
    for rules, things in (((*_CLIP_RULES, *_FRAME_RULES), frame_figures), (_PAIR_RULES, ways)):
        for threshold in dict.fromkeys(rule.threshold for rule in rules):
            judging = [rule for rule in rules if rule.threshold == threshold]
            if missing := sum(all(rule.figure_of(figures) is None for rule in judging) for figures in things):
                not_judged[threshold] = missing
    if missing := sum(_shift_of(figures) is None for figures in ways):
        not_judged["best_shift"] = missing
    summary: dict[str, Any] = {
        "frames": len(frame_figures),
        "pairs": len(pairs),
        "held_share": _rounded(sum(bool(pair.get("held")) for pair in pairs) / len(pairs)) if pairs else None,
        "not_judged": not_judged,
    }
    for things in (frame_figures, ways):
        names = dict.fromkeys(name for figures in things for name in figures if name not in _NO_NUMBERS)
        for name in names:
            summary[name] = _mean_and_worst(name, [figures.get(name) for figures in things])
    return summary


_NO_NUMBERS = ("frame", "unknown", "best_shift", "largest_surface_is", "largest_color_is")
"""What stands among the figures of a frame or pair and has no mean."""


def _mean_and_worst(name: str, values: Sequence[Any]) -> dict[str, float | None]:
    known = [float(value) for value in values if value is not None]
    if not known:
        return {"mean": None, "worst": None}
    worst = min(known) if name in LEAST_IS_WORST else max(known)
    return {"mean": _rounded(math.fsum(known) / len(known)), "worst": _rounded(worst)}


def _rounded(value: float) -> float:
    return round(value, 9)


def _clip_failures(
    frame_figures: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]], thresholds: Thresholds
) -> Iterator[dict[str, Any]]:
    """Why a clip shows nothing, where most of its frames show nothing.

    Single frames may: a pan runs over an empty sky, a character steps right before the camera.
    """
    surface = _covering_surface(frame_figures, pairs, thresholds)
    showing_nothing: dict[_Rule, list[Mapping[str, Any]]] = {}
    for figures in frame_figures:
        for rule in _CLIP_RULES:
            judged = rule.figure_of(figures)
            if judged is None or rule.allows(judged[1], getattr(thresholds, rule.threshold)):
                continue
            if rule.threshold == "one_surface" and _surface_of(figures) != surface:
                continue
            showing_nothing.setdefault(rule, []).append(figures)
            break
    if 2 * sum(map(len, showing_nothing.values())) <= len(frame_figures):
        return
    numbers = [figures["frame"] for figures in frame_figures]
    for rule in _CLIP_RULES:
        those = showing_nothing.get(rule)
        if not those:
            continue
        frames, threshold = [figures["frame"] for figures in those], getattr(thresholds, rule.threshold)
        values = [value for _, value in filter(None, map(rule.figure_of, those))]
        value = _rounded(math.fsum(values) / len(values))
        complaint = rule.complaint.format(percent=100 * value, limit=100 * threshold, what=_what_covers(rule, those[0]))
        where = f"frames {spans(frames, numbers, _NAMED_SPANS)} ({len(frames)} of {len(numbers)})"
        message = f"the clip shows nothing in {where}: {complaint}; {rule.advice}"
        yield _failure(frames[0], None, None, rule.figures[0], value, threshold, message)


def _covering_surface(
    frame_figures: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]], thresholds: Thresholds
) -> tuple[str, ...] | None:
    """The surface that covers more frames than any other and shows nothing; None where there is none.

    A wall that is seen from near by shows something where it has a pattern or lines and moves.
    """
    stands_still = all(
        (figures.get("largest_motion") or 0.0) <= _STILL
        for pair in pairs
        for figures in (pair.get(direction, {}) for direction in DIRECTIONS)
    )
    counts: dict[tuple[str, ...], int] = {}
    for figures in frame_figures:
        surface, share = _surface_of(figures), figures.get("largest_surface")
        if surface is None or share is None or share <= thresholds.one_surface:
            continue
        if (figures.get("largest_color") or 0.0) > thresholds.one_surface or (stands_still and pairs):
            counts[surface] = counts.get(surface, 0) + 1
    return max(counts, key=lambda surface: counts[surface], default=None)


def _surface_of(figures: Mapping[str, Any]) -> tuple[str, ...] | None:
    surface = figures.get("largest_surface_is")
    return None if surface is None else tuple(surface)


def _what_covers(rule: _Rule, figures: Mapping[str, Any]) -> str:
    """What a message calls the surface or the colour that a frame shows."""
    surface = _surface_of(figures)
    if rule.threshold == "one_surface" and surface is not None:
        return f"'{surface[0]}', in material '{surface[1]}'"
    return str(figures.get("largest_color_is"))


def _frame_failures(frame_figures: Sequence[Mapping[str, Any]], thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    for figures in frame_figures:
        for rule in _FRAME_RULES:
            yield from _beyond_threshold(
                rule, figures, thresholds, f"frame {figures['frame']}", figures["frame"], None, None
            )


def _pair_failures(pairs: Sequence[Mapping[str, Any]], thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    for pair in pairs:
        for direction in DIRECTIONS:
            if direction not in pair:
                continue
            ends = (pair["source"], pair["target"])
            where = f"pair {pair['source']}-{pair['target']} {direction}"
            for rule in _PAIR_RULES:
                yield from _beyond_threshold(rule, pair[direction], thresholds, where, *ends, direction)
            yield from _shifted(pair[direction], where, *ends, direction)


def _beyond_threshold(
    rule: _Rule,
    figures: Mapping[str, Any],
    thresholds: Thresholds,
    where: str,
    source: int,
    target: int | None,
    direction: Direction | None,
) -> Iterator[dict[str, Any]]:
    judged = rule.figure_of(figures)
    if judged is None:
        return
    name, value = judged
    threshold = getattr(thresholds, rule.threshold)
    if not rule.allows(value, threshold) and not rule.is_one_pixel(figures, threshold):
        message = f"{where}: {rule.complaint.format(value=value, threshold=threshold)}; {rule.advice}"
        yield _failure(source, target, direction, name, value, threshold, message)


def _shifted(
    figures: Mapping[str, Any], where: str, source: int, target: int, direction: Direction
) -> Iterator[dict[str, Any]]:
    shift = _shift_of(figures)
    if shift is None:
        return
    (dx, dy), gain = shift
    if (dx, dy) != (0, 0) and gain < MAX_SHIFT_GAIN:
        message = (
            f"{where}: the flow explains the frames better when shifted by ({dx}, {dy}) px (error {gain:.2f} of what it"
            " is); compare the flow with the frames, and look for pixel grids or files that are one off"
        )
        yield _failure(source, target, direction, "best_shift", [dx, dy], None, message)


def _shift_of(figures: Mapping[str, Any]) -> tuple[tuple[int, int], float] | None:
    offset, gain = figures.get("best_shift"), figures.get("shift_gain")
    if offset is None or gain is None:
        return None
    dx, dy = offset
    return (int(dx), int(dy)), float(gain)


def _failure(
    source: int,
    target: int | None,
    direction: Direction | None,
    figure: str,
    value: float | list[int],
    threshold: float | None,
    message: str,
) -> dict[str, Any]:
    return {
        "source": source,
        "target": target,
        "direction": direction,
        "figure": figure,
        "value": value,
        "bar": threshold,
        "message": message,
    }
