"""The page of a result: tables in the paper's form, clips, and the worst pairs beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from animerun_gen.benchmark import tables
from animerun_gen.benchmark.compare import compare
from animerun_gen.benchmark.evaluation import Evaluation, Panel
from animerun_gen.benchmark.results import Clip, Column, Pair, Result
from animerun_gen.report import encode, html

PANEL_WIDTH = 480
"""Pictures are not wider than this."""

PANEL_QUALITY = 80


@dataclass(frozen=True)
class WorstPair:
    """A pair that the page shows.

    Attributes:
        clip: Its clip.
        pair: Its figures.
    """

    clip: Clip
    pair: Pair


def worst_pairs(result: Result, count: int) -> list[WorstPair]:
    """The pairs with the worst figure in the first column, the worst one first.

    Args:
        result: The result.
        count: So many of them.
    """
    column = result.columns[0]
    known = [
        (figure.value, clip, pair)
        for clip in result.clips
        for pair in clip.pairs
        if (figure := pair.figures[column.key]).value is not None
    ]
    # equal ones in the order of the dataset
    known.sort(key=lambda one: one[0] if column.better == "higher" else -one[0])
    return [WorstPair(clip, pair) for _, clip, pair in known[:count]]


def make_page(
    evaluation: Evaluation, result: Result, others: Sequence[Result], worst: int, done: Callable[[str], None]
) -> str:
    """The text of the page.

    Args:
        evaluation: What measured, which draws.
        result: What it found.
        others: Results that it is compared with.
        worst: Number of pairs to show.
        done: Called with the name of a cut after each pair that was drawn.

    Raises:
        DatasetError: A file cannot be read.
    """
    clips = {(clip.split, clip.cut): clip for clip in evaluation.clips()}
    shown = []
    for one in worst_pairs(result, worst):
        panels = evaluation.draw(clips[one.clip.split, one.clip.cut], one.pair.frames)
        shown.append(_worst(one, panels, result))
        done(one.clip.cut)
    comparisons = [compare(result, other) for other in others]
    return html.page(
        "evaluation.html",
        "evaluation.js",
        title=f"{result.method.title} on {result.measured.name}",
        kind=result.kind,
        counts=result.counts,
        no_result=tables.NO_RESULT,
        tiles=_tiles(result),
        remarks=result.remarks,
        tables=_tables(result, others),
        meanings=[(tables.heading(column), column.meaning) for column in result.columns],
        comparisons=[
            {
                "sentence": comparison.sentence,
                "better": _clips(comparison.better, comparison.column),
                "worse": _clips(comparison.worse[::-1], comparison.column),
            }
            for comparison in comparisons
        ],
        worst=shown,
        ranked_by=tables.heading(result.columns[0]),
        legend=evaluation.legend,
        facts=_facts(result),
        data=_data(result, others),
    )


def _tiles(result: Result) -> list[tuple[str, str]]:
    tiles = [("clips", f"{len(result.clips):,}"), ("pairs", f"{result.pairs:,}")]
    if result.counts:
        tiles += [
            (tables.heading(column), tables.written(result.averages.figure(column.key, result.average), column))
            for column in result.columns[:6]
        ]
    return tiles


def _tables(result: Result, others: Sequence[Result]) -> list[dict[str, Any]]:
    return [
        {"title": part.title, "heads": part.heads, "rows": part.rows, "best": part.best}
        for part in tables.parts(result, others)
    ]


def _clips(clips: Sequence[Any], column: Column) -> list[str]:
    return [
        f"{clip.name}: {tables.written(clip.ours, column)} against {tables.written(clip.theirs, column)}"
        for clip in clips
    ]


def _worst(one: WorstPair, panels: Sequence[Panel], result: Result) -> dict[str, Any]:
    frames = " \u2192 ".join(map(str, one.pair.frames))
    figures = [
        f"{tables.heading(column)} {tables.written(figure.value, column)}"
        for column in result.columns
        if column.paper and (figure := one.pair.figures.get(column.key)) is not None and figure.value is not None
    ]
    return {
        "title": f"{one.clip.name}, {frames}",
        "figures": figures,
        "panels": [{"title": panel.title, "picture": _picture(panel)} for panel in panels],
    }


def _picture(panel: Panel) -> str:
    height, width = panel.picture.shape[:2]
    if width > PANEL_WIDTH:
        size = (PANEL_WIDTH, max(1, round(height * PANEL_WIDTH / width)))
        picture = (encode.shrink_labels if panel.exact else encode.shrink_colors)(panel.picture, size)
    else:
        picture = panel.picture
    return html.data_uri(
        encode.encode_flow(picture, 8) if panel.exact else encode.encode_picture(picture, PANEL_QUALITY)
    )


def _facts(result: Result) -> list[tuple[str, str]]:
    method = result.method
    weights = {"none": "none", "trained": "trained", "random": tables.NO_RESULT, "unknown": "not known"}
    facts = [
        ("method", method.name),
        ("weights", weights[method.weights]),
        ("trained on", method.trained_on or ("nothing" if method.weights in ("none", "random") else "not said")),
        *method.details.items(),
        ("dataset", result.measured.name),
        ("splits", ", ".join(result.measured.splits)),
        ("pictures", result.measured.pictures),
        ("measured by", result.program),
    ]
    return facts


def _data(result: Result, others: Sequence[Result]) -> dict[str, Any]:
    """The table of clips, for the script that sorts it."""
    columns = [column for column in result.columns if column.paper]
    theirs = [{clip.name: clip.averages for clip in other.clips} for other in others]
    first = result.columns[0]
    rows = [
        {
            "clip": clip.name,
            "pairs": len(clip.pairs),
            "values": [clip.averages.figure(column.key, result.average) for column in columns],
            "against": [
                known[clip.name].figure(first.key, result.average) if clip.name in known else None for known in theirs
            ],
        }
        for clip in result.clips
    ]
    return {
        "columns": [{"title": tables.heading(column), "higher": column.better == "higher"} for column in columns],
        "others": [f"{first.title}: gain over {other.method.title}" for other in others],
        "rows": rows,
    }
