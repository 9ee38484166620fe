"""The figures of a cut as a page shows them: verdict, curves, the table of pairs, the row of the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from animerun_gen.report.facts import CutFacts

Unit = Literal["error", "share", "px", "count"]
Verdict = Literal["pass", "fail", "incomplete", "unknown"]

BADGES: dict[Verdict, str] = {
    "pass": "PASS",
    "fail": "FAIL",
    "incomplete": "INCOMPLETE",
    "unknown": "NOT JUDGED",
}
"""What is written on the badge of a verdict, in the order in which they are counted."""

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        key: Name of the figure in the quality file.
        label: What the legend calls it; a direction is put behind it.
    """

    key: str
    label: str


@dataclass(frozen=True)
class Chart:
    """Figures that belong together, over time.

    Attributes:
        title: What they are.
        help: What they mean, in a sentence.
        unit: How values are written.
        series: The lines.  A chart is shown when one of them has a value.
        threshold: Name of the threshold in the quality file; empty where there is none.
        above: Whether good values lie above the threshold.
        of_frames: Whether the figures are those of frames and not of pairs.
    """

    title: str
    help: str
    unit: Unit
    series: tuple[Series, ...]
    threshold: str = ""
    above: bool = False
    of_frames: bool = False


CHARTS = (
    Chart(
        "Surfaces in the picture",
        "Share of the picture that shows any surface, and the share of the largest, of one object and one material.",
        "share",
        (Series("surface_share", "all"), Series("largest_surface", "largest")),
        of_frames=True,
    ),
    Chart(
        "Commonest colour, and lines",
        "Share of the colour frame that has its commonest colour, and share of the line art that is line.",
        "share",
        (Series("largest_color", "one colour"), Series("line_share", "lines")),
        of_frames=True,
    ),
    Chart(
        "Flow against depth and cameras",
        "Largest distance, over surfaces that stand still, between where the flow ends and where depth and cameras "
        "place the point.",
        "px",
        (Series("reprojection_error", "distance"),),
        threshold="reprojection",
    ),
    Chart(
        "Warp error, colour frames",
        "Mean difference of a frame and the other one warped back onto it, outside the occlusion of the paper's rule, "
        "by point sampling.",
        "error",
        (Series("warp_error", ""),),
        threshold="warp_error",
    ),
    Chart(
        "Warp error, colour frames, bilinear",
        "The same by bilinear sampling, which other datasets state: it mixes colours at every boundary, which makes it "
        "several times as large.",
        "error",
        (Series("warp_error_bilinear", ""),),
    ),
    Chart(
        "Warp error, flat frames",
        "The same by point sampling, of the frames without lines, outside the exact occlusion: exact flow leaves next "
        "to nothing.",
        "error",
        (Series("warp_error_flat_exact", ""),),
        threshold="warp_error_flat",
    ),
    Chart(
        "Warp error, flat frames, rule",
        "The same outside the occlusion of the paper's rule.",
        "error",
        (Series("warp_error_flat", ""),),
        threshold="warp_error_flat",
    ),
    Chart(
        "Warp error at edges",
        "The same over only those pixels that are not of one colour with their neighbours: elsewhere any flow looks "
        "right.",
        "error",
        (Series("edge_error", ""),),
        threshold="edge_error",
    ),
    Chart(
        "Round trip, median",
        "How far from where it began the flow there and back ends, over visible pixels.",
        "px",
        (Series("round_trip_median", ""),),
        threshold="round_trip_median",
    ),
    Chart(
        "Round trip within the threshold",
        "Share of the visible pixels whose flow there and back ends within the threshold of the occlusion rule.",
        "share",
        (Series("round_trip_within", ""),),
    ),
    Chart(
        "Flow that leads to another surface point",
        "Share of the pixels that identity pictures can tell, in sampled pairs, whose flow takes a point for another.",
        "share",
        (Series("identity_error", ""),),
        threshold="identity_error",
    ),
    Chart(
        "Picture agrees with the material ids",
        "Share of pixels that show the material which the id map names: by their flat colour, or by rendered ids.",
        "share",
        (Series("agreement", "flat colours"), Series("agreement_ids", "rendered ids")),
        threshold="agreement",
        above=True,
        of_frames=True,
    ),
    Chart(
        "Compared by flat colour",
        "Share of pixels whose material has one flat colour, so that the colour can tell whether the id map is right.",
        "share",
        (Series("agreement_compared", ""),),
        of_frames=True,
    ),
    Chart(
        "Leaks of segments",
        "Share of the pixels off the lines in a segment that mainly shows another surface.",
        "share",
        (Series("leaks", ""),),
        threshold="leaks",
        of_frames=True,
    ),
    Chart(
        "Pieces a surface",
        "Into how many segments a connected region of one id falls, on average.",
        "count",
        (Series("pieces", ""),),
        of_frames=True,
    ),
    Chart(
        "Segments",
        "Number of segments of a frame.",
        "count",
        (Series("segments", ""),),
        of_frames=True,
    ),
    Chart(
        "Occluded",
        "Share of the frame that is hidden in the other frame: by the paper's rule, and exactly.",
        "share",
        (Series("occluded_share", "rule"), Series("exact_occluded_share", "exact")),
    ),
    Chart(
        "Rule and exact occlusion agree",
        "Share of pixels about which the paper's rule and the geometry say the same.",
        "share",
        (Series("occlusion_agreement", ""),),
    ),
    Chart(
        "Unknown motion",
        "Share of the frame whose motion is marked unknown.",
        "share",
        (Series("invalid_share", ""),),
    ),
    Chart(
        "Motion",
        "Length of the motion: median and 99th percentile.",
        "px",
        (Series("motion_median", "median"), Series("motion_p99", "99%")),
    ),
    Chart(
        "Largest motion",
        "Length of the longest known motion.",
        "px",
        (Series("largest_motion", ""),),
    ),
)


@dataclass(frozen=True)
class Column:
    """A column of the table of pairs, and with ``worst`` of the index.

    Attributes:
        key: Name of the figure.
        title: Its heading.
        unit: How values are written.
        threshold: Name of its threshold; empty where there is none.
    """

    key: str
    title: str
    unit: Unit
    threshold: str = ""


PAIR_COLUMNS = (
    Column("warp_error", "warp error", "error", "warp_error"),
    Column("warp_error_bilinear", "bilinear", "error"),
    Column("warp_error_flat_exact", "flat, exact", "error", "warp_error_flat"),
    Column("warp_error_flat", "flat, rule", "error", "warp_error_flat"),
    Column("edge_error", "at edges", "error", "edge_error"),
    Column("round_trip_median", "round trip", "px", "round_trip_median"),
    Column("occluded_share", "occluded", "share"),
    Column("exact_occluded_share", "exactly", "share"),
    Column("occlusion_agreement", "rule = exact", "share"),
    Column("invalid_share", "unknown", "share"),
    Column("motion_median", "motion", "px"),
    Column("largest_motion", "largest", "px"),
)


def thresholds(quality: Mapping[str, Any]) -> dict[str, float]:
    """The thresholds by name, those of older quality files included."""
    given = quality.get("bars")
    found = {name: value for name, value in given.items() if is_number(value)} if isinstance(given, dict) else {}
    if "warp_error" not in found and is_number(quality.get("max_warp_error")):
        found["warp_error"] = quality["max_warp_error"]
    return found


def failures(quality: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is beyond a threshold: ``message``, ``frame`` to look at and ``direction`` (or None), in order."""
    listed = quality.get("failures")
    if isinstance(listed, list):
        return [_failure(failure) for failure in listed if isinstance(failure, dict)]
    limit = thresholds(quality).get("warp_error")
    past = quality.get("past_limit")
    return [
        {
            "message": f"pair {pair[0]}-{pair[1]}: the warp error is past the limit of {limit}",
            "frame": pair[0],
            "direction": "forward",
        }
        for pair in (past if isinstance(past, list) else [])
        if isinstance(pair, list) and len(pair) == 2 and is_number(pair[0])
    ]


def _failure(failure: Mapping[str, Any]) -> dict[str, Any]:
    frames = [failure[key] for key in ("source", "target") if is_number(failure.get(key))]
    direction = failure.get("direction") if failure.get("direction") in DIRECTIONS else None
    message = failure.get("message") or f"{failure.get('figure')} is beyond its threshold"
    # where the arrows begin, which is where the layers of that direction are
    frame = (max if direction == "backward" else min)(frames, default=None)
    return {"message": str(message), "frame": frame, "direction": direction}


def gaps(quality: Mapping[str, Any]) -> list[str]:
    """What the gate could not judge, in sentences."""
    summary = quality.get("summary")
    lacking = summary.get("not_judged") if isinstance(summary, dict) else None
    if not isinstance(lacking, dict) or not lacking:
        return []
    counts = ", ".join(f"{name} ({count})" for name, count in lacking.items())
    return [f"Figures that could not be computed and so were not judged (number of times): {counts}."]


def verdict(facts: CutFacts, problems: Sequence[str] = ()) -> Verdict:
    """What the badge of a cut says.

    Args:
        facts: The cut.
        problems: What of its files could not be read.
    """
    if failures(facts.quality):
        return "fail"
    judged = len(facts.quality.get("pairs", []))
    if facts.missing or problems or (facts.quality and judged < len(facts.frames) - 1):
        return "incomplete"
    return "pass" if facts.quality else "unknown"


def charts(facts: CutFacts) -> list[dict[str, Any]]:
    """The charts that have values: one value a frame of the clip, None where there is none.

    A pair's forward figure stands at its earlier frame, its backward figure at its later one: where the arrows begin.
    """
    quality, known_bars, shown = facts.quality, thresholds(facts.quality), []
    for chart in CHARTS:
        lines = []
        for number, series in enumerate(chart.series):
            for way in (None,) if chart.of_frames else DIRECTIONS:
                values = _values(quality, series.key, way)
                if values:
                    lines.append(
                        {
                            "name": series.label,
                            "label": ", ".join(word for word in (series.label, way) if word),
                            "direction": way,
                            "dashed": number > 0,
                            "values": [values.get(frame) for frame in facts.frames],
                        }
                    )
        if lines:
            shown.append(
                {
                    "title": chart.title,
                    "help": chart.help,
                    "unit": chart.unit,
                    "bar": known_bars.get(chart.threshold),
                    "above": chart.above,
                    "series": lines,
                }
            )
    return shown


def _values(quality: Mapping[str, Any], key: str, way: str | None) -> dict[int, float]:
    entries: Iterable[tuple[Any, Any]]
    if way is None:
        entries = ((one["frame"], one.get(key)) for one in quality.get("frame_figures", []))
    else:
        entries = _directed(quality, key, way)
    return {frame: value for frame, value in entries if is_number(frame) and is_number(value)}


def _directed(quality: Mapping[str, Any], key: str, way: str) -> Iterable[tuple[Any, Any]]:
    for pair in quality.get("pairs", []):
        figures = pair.get(way)
        if isinstance(figures, dict):
            yield pair["source" if way == "forward" else "target"], _figure(figures, key)


def _figure(figures: Mapping[str, Any], key: str) -> Any:
    # what the first version of the quality file called it
    return figures.get(key, figures.get("median_motion") if key == "motion_median" else None)


def pair_table(facts: CutFacts) -> dict[str, Any]:
    """The table of pairs, worst first.

    A row's ``worst`` is its largest figure as a multiple of that figure's threshold.
    """
    quality, known_bars = facts.quality, thresholds(facts.quality)
    failing = {(failure["frame"], failure["direction"]) for failure in failures(quality)}
    rows = []
    for pair in quality.get("pairs", []):
        for way in DIRECTIONS:
            figures = pair.get(way)
            if not isinstance(figures, dict):
                continue
            source, target = pair["source"], pair.get("target")
            if way == "backward":
                source, target = target, source
            values = [_number(_figure(figures, column.key)) for column in PAIR_COLUMNS]
            multiples = [
                value / known_bars[column.threshold]
                for column, value in zip(PAIR_COLUMNS, values, strict=True)
                if value is not None and known_bars.get(column.threshold)
            ]
            shift = figures.get("best_shift")
            rows.append(
                {
                    "source": source,
                    "target": target,
                    "direction": way,
                    "held": pair.get("held") is True,
                    "failed": bool({(source, way), (pair["source"], None)} & failing),
                    "worst": max(multiples, default=None),
                    "shift": shift if isinstance(shift, list) and all(map(is_number, shift)) and any(shift) else None,
                    "values": values,
                }
            )
    rows.sort(key=lambda row: (not row["failed"], -(row["worst"] or 0.0), row["source"], row["direction"]))
    filled = [any(row["values"][place] is not None for row in rows) for place in range(len(PAIR_COLUMNS))]
    columns = [
        {"title": column.title, "unit": column.unit, "bar": known_bars.get(column.threshold)}
        for column, is_filled in zip(PAIR_COLUMNS, filled, strict=True)
        if is_filled
    ]
    for row in rows:
        row["values"] = [value for value, is_filled in zip(row["values"], filled, strict=True) if is_filled]
    return {"columns": columns, "rows": rows}


INDEX_COLUMNS = (
    Column("warp_error", "warp error", "error", "warp_error"),
    Column("warp_error_flat_exact", "flat warp error", "error", "warp_error_flat"),
    Column("round_trip_median", "round trip", "px", "round_trip_median"),
    Column("agreement", "ids agree", "share", "agreement"),
    Column("leaks", "leaks", "share", "leaks"),
    Column("occluded_share", "occluded", "share"),
    Column("invalid_share", "unknown", "share"),
    Column("largest_motion", "largest motion", "px"),
)


def worst_figures(facts: CutFacts) -> list[float | None]:
    """Of each of :data:`INDEX_COLUMNS` the worst value of a cut; None where it has none."""
    worst = []
    for column in INDEX_COLUMNS:
        key = column.key
        values = [value for way in (None, *DIRECTIONS) for value in _values(facts.quality, key, way).values()]
        if not values and key == "warp_error_flat_exact":
            values = [value for way in DIRECTIONS for value in _values(facts.quality, "warp_error_flat", way).values()]
        worst.append((min if key == "agreement" else max)(values, default=None))
    return worst


def is_number(value: Any) -> bool:
    """Whether a value from a JSON file is a number that can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _number(value: Any) -> float | None:
    return value if is_number(value) else None
