"""The quality gate: which frames and pairs of a cut are past a bar, and what to look at then.

What the figures mean, why the bars have their values, and what no bar can see is in ``docs/quality.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from animerun_gen.config.model import Quality

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
    "round_trip_within",
)
"""The figures whose smallest value is the worst one; of all others the largest is."""


@dataclass(frozen=True)
class Bars:
    """What a figure may be at worst; a figure that is exactly at its bar passes.

    Attributes:
        warp_error: Largest ``warp_error``, 0..1.
        warp_error_flat: Largest ``warp_error_flat_exact``, 0..1, or ``warp_error_flat`` without exact occlusion.
        edge_error: Largest ``edge_error``, 0..1.
        round_trip_median: Largest ``round_trip_median``, pixels.
        agreement: Smallest ``agreement`` and ``agreement_ids``, 0..1.
        leaks: Largest ``leaks``, 0..1.
        identity_error: Largest ``identity_error``, 0..1.
    """

    warp_error: float
    warp_error_flat: float
    edge_error: float
    round_trip_median: float
    agreement: float
    leaks: float
    identity_error: float

    @classmethod
    def of(cls, quality: Quality) -> Self:
        """The bars that a cut's configuration sets."""
        return cls(
            warp_error=quality.max_warp_error,
            warp_error_flat=quality.max_flat_warp_error,
            edge_error=quality.max_edge_error,
            round_trip_median=quality.max_round_trip,
            agreement=quality.min_agreement,
            leaks=quality.max_leaks,
            identity_error=quality.max_identity_error,
        )

    def as_dict(self) -> dict[str, float]:
        """As they are written to ``quality/<cut>.json``."""
        return asdict(self)


@dataclass(frozen=True)
class _Rule:
    """One thing that the gate judges.

    Attributes:
        figures: The figure; of several the first that is not None.
        bar: Which of the :class:`Bars` it is held against.
        complaint: What it means when the figure is past the bar, with ``{value}`` and ``{bar}``.
        advice: What to look at then.
        at_least: Whether the bar is the smallest good value, and not the largest.
    """

    figures: tuple[str, ...]
    bar: str
    complaint: str
    advice: str
    at_least: bool = False

    def figure_of(self, figures: Mapping[str, Any]) -> tuple[str, float] | None:
        """The figure that is judged and its value; None where there is none."""
        for name in self.figures:
            value = figures.get(name)
            if value is not None and math.isfinite(value):
                return name, float(value)
        return None

    def allows(self, value: float, bar: float) -> bool:
        """Whether a value is good."""
        return value >= bar if self.at_least else value <= bar


_FRAME_RULES = (
    _Rule(
        ("agreement",),
        "agreement",
        "only {value:.4%} of the pixels that can be compared have the colour of the material that the id map names (bar"
        " {bar:.4%})",
        "compare Flat and MaterialId there: something was drawn that the geometry does not know, or the reverse",
        at_least=True,
    ),
    _Rule(
        ("agreement_ids",),
        "agreement",
        "only {value:.4%} of the pixels show the material that the id map names (bar {bar:.4%})",
        "compare Flat and MaterialId there: something was drawn that the geometry does not know, or the reverse",
        at_least=True,
    ),
    _Rule(
        ("leaks",),
        "leaks",
        "{value:.2%} of the pixels lie in a segment that mainly shows another surface (bar {bar:.2%})",
        "look at the contour and the segments there: lines are missing or broken, or labels.ball_radius is too small"
        " for the gaps in them",
    ),
)

_PAIR_RULES = (
    _Rule(
        ("warp_error",),
        "warp_error",
        "the colour frames differ by {value:.5f} where the flow leads (bar {bar:g})",
        "look at the warp difference: if it is in the lines alone, they flicker from frame to frame (compare"
        " warp_error_flat); if it is in surfaces, the flow is wrong there",
    ),
    _Rule(
        ("warp_error_flat_exact", "warp_error_flat"),
        "warp_error_flat",
        "the frames without lines differ by {value:.5f} where the flow leads (bar {bar:g})",
        "look at the warp difference: the flow or the occlusion is wrong there, or a surface changes its colour",
    ),
    _Rule(
        ("edge_error",),
        "edge_error",
        "at edges and in textures the frames differ by {value:.5f} where the flow leads (bar {bar:g})",
        "look at the warp difference along edges: the flow is wrong there, or it belongs to other frames",
    ),
    _Rule(
        ("round_trip_median",),
        "round_trip_median",
        "half of the visible pixels end {value:.3f} px or more from where they began when they follow the flow there"
        " and back (bar {bar:g} px)",
        "one of the two directions is wrong: compare the forward with the backward flow",
    ),
    _Rule(
        ("identity_error",),
        "identity_error",
        "from {value:.4f} of the pixels that can be compared the flow leads to another surface point (bar {bar:g})",
        "the flow takes points for others there: look for what an object's modifiers or nodes number anew in every"
        " frame, take the object out with remove.objects, and report it",
    ),
)


def judge(
    frame_figures: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]], bars: Bars
) -> list[dict[str, Any]]:
    """What is past a bar.

    Args:
        frame_figures: The figures of each frame, with its number as ``"frame"``; missing figures are like None.
        pairs: The figures of each pair: ``"source"``, ``"target"`` and, by direction, those of
            :func:`~animerun_gen.quality.figures.pair_figures`.
        bars: What the figures may be at worst.

    Returns:
        The failures, those of frames first, each in the order given: ``"source"`` and ``"target"`` as the pair names
        them (a frame has no target) and ``"direction"`` (None for a frame), ``"figure"``, ``"value"``, ``"bar"`` (None
        for a shift), and a sentence, ``"message"``.  A figure that is None is not judged; :func:`summarise` counts
        those.
    """
    return [*_frame_failures(frame_figures, bars), *_pair_failures(pairs, bars)]


def failed_pairs(failures: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """The pairs that failures name, in the order of the clip: ``[source, target]``.

    Args:
        failures: From :func:`judge`.
    """
    named = {(failure["source"], failure["target"]) for failure in failures if failure["target"] is not None}
    return [list(pair) for pair in sorted(named)]


def summarise(frame_figures: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of a whole cut in a few numbers.

    Args:
        frame_figures: As for :func:`judge`.
        pairs: As for :func:`judge`.

    Returns:
        ``"frames"`` and ``"pairs"``: how many there are; ``"held_share"``: share of the pairs that are held, None
        without pairs; ``"not_judged"``: by bar, and for ``"best_shift"``, how many frames or directions of pairs have
        no figure to hold against it, where that is any; and by figure ``"mean"`` and ``"worst"`` over frames or over
        both directions of all pairs, None where it is nowhere to be had.
    """
    ways = [pair[direction] for pair in pairs for direction in DIRECTIONS if direction in pair]
    not_judged: dict[str, int] = {}
    for rules, things in ((_FRAME_RULES, frame_figures), (_PAIR_RULES, ways)):
        for bar in dict.fromkeys(rule.bar for rule in rules):
            judging = [rule for rule in rules if rule.bar == bar]
            if missing := sum(all(rule.figure_of(figures) is None for rule in judging) for figures in things):
                not_judged[bar] = missing
    if missing := sum(_shift_of(figures) is None for figures in ways):
        not_judged["best_shift"] = missing
    summary: dict[str, Any] = {
        "frames": len(frame_figures),
        "pairs": len(pairs),
        "held_share": _rounded(sum(bool(pair.get("held")) for pair in pairs) / len(pairs)) if pairs else None,
        "not_judged": not_judged,
    }
    for things in (frame_figures, ways):
        names = dict.fromkeys(name for figures in things for name in figures if name not in ("frame", "best_shift"))
        for name in names:
            summary[name] = _mean_and_worst(name, [figures.get(name) for figures in things])
    return summary


def _mean_and_worst(name: str, values: Sequence[Any]) -> dict[str, float | None]:
    known = [float(value) for value in values if value is not None]
    if not known:
        return {"mean": None, "worst": None}
    worst = min(known) if name in LEAST_IS_WORST else max(known)
    return {"mean": _rounded(math.fsum(known) / len(known)), "worst": _rounded(worst)}


def _rounded(value: float) -> float:
    return round(value, 9)


def _frame_failures(frame_figures: Sequence[Mapping[str, Any]], bars: Bars) -> Iterator[dict[str, Any]]:
    for figures in frame_figures:
        for rule in _FRAME_RULES:
            yield from _past_bar(rule, figures, bars, f"frame {figures['frame']}", figures["frame"], None, None)


def _pair_failures(pairs: Sequence[Mapping[str, Any]], bars: Bars) -> Iterator[dict[str, Any]]:
    for pair in pairs:
        for direction in DIRECTIONS:
            if direction not in pair:
                continue
            ends = (pair["source"], pair["target"])
            where = f"pair {pair['source']}-{pair['target']} {direction}"
            for rule in _PAIR_RULES:
                yield from _past_bar(rule, pair[direction], bars, where, *ends, direction)
            yield from _shifted(pair[direction], where, *ends, direction)


def _past_bar(
    rule: _Rule,
    figures: Mapping[str, Any],
    bars: Bars,
    where: str,
    source: int,
    target: int | None,
    direction: Direction | None,
) -> Iterator[dict[str, Any]]:
    judged = rule.figure_of(figures)
    if judged is None:
        return
    name, value = judged
    bar = getattr(bars, rule.bar)
    if not rule.allows(value, bar):
        message = f"{where}: {rule.complaint.format(value=value, bar=bar)}; {rule.advice}"
        yield _failure(source, target, direction, name, value, bar, message)


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
    bar: float | None,
    message: str,
) -> dict[str, Any]:
    return {
        "source": source,
        "target": target,
        "direction": direction,
        "figure": figure,
        "value": value,
        "bar": bar,
        "message": message,
    }
