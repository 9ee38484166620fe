"""Results as tables in the paper's form: a row for each method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from animerun_gen.benchmark.results import Average, Averages, Column, Result

NOTHING = "\u2013"
NO_RESULT = "random weights: no result"


def written(value: float | None, column: Column) -> str:
    """A figure as tables have it.

    Example:
        >>> written(1.2345, Column(key="epe", title="EPE", unit="px", better="lower", meaning=""))
        '1.23'
    """
    if value is None:
        return NOTHING
    return f"{value:.2f}"


def heading(column: Column) -> str:
    """What stands above a column."""
    return f"{column.title} ({column.unit})" if column.unit not in ("", "px") else column.title


def row(result: Result, average: Average, columns: Sequence[Column]) -> list[str]:
    """The cells of a result: name, what it was trained on, and figures, of which one with random weights has none."""
    weights = {"none": "no weights", "random": NO_RESULT}.get(result.method.weights, "")
    trained = result.method.trained_on or weights or "not said"
    if not result.counts:
        return [result.method.title, trained, *[NOTHING] * len(columns)]
    return [
        result.method.title,
        trained,
        *(written(result.averages.figure(column.key, average), column) for column in columns),
    ]


def summary(result: Result) -> list[str]:
    """The result in a few lines for a terminal."""
    head = f"{result.method.title} on {result.measured.name} ({result.pairs:,} pairs in {len(result.clips)} clips)"
    if not result.counts:
        return [f"{head}: {NO_RESULT}"]
    figures = [
        f"{heading(column)} {written(result.averages.figure(column.key, result.average), column)}"
        for column in result.columns
    ]
    return [f"{head}: {', '.join(figures)}", *result.remarks]


def markdown(result: Result, others: Sequence[Result] = ()) -> str:
    """The tables of a result, with those that it is compared with."""
    titles = {"pooled": "Over everything", "mean_of_pairs": "Mean of the pairs"}
    averages: list[Average] = ["pooled", "mean_of_pairs"]
    averages.sort(key=lambda average: average != result.average)
    parts = []
    for average in averages:
        note = " (as in the paper)" if average == result.average else ""
        for paper in (True, False):
            columns = [column for column in result.columns if column.paper is paper]
            if columns:
                rows = [row(one, average, columns) for one in (result, *others)]
                heads = ["method", "trained on", *map(heading, columns)]
                parts.append(f"{titles[average]}{note}:\n\n{table(heads, rows)}")
    parts += [_by_clip(result)]
    parts += ["\n".join(f"- {remark}" for remark in result.remarks)] if result.remarks else []
    return "\n\n".join(parts) + "\n"


def _by_clip(result: Result) -> str:
    columns = [column for column in result.columns if column.paper]
    rows = [
        [clip.name, str(len(clip.pairs)), *_figures(clip.averages, result.average, columns)] for clip in result.clips
    ]
    return "By clip:\n\n" + table(["clip", "pairs", *map(heading, columns)], rows)


def _figures(averages: Averages, average: Average, columns: Sequence[Column]) -> list[str]:
    return [written(averages.figure(column.key, average), column) for column in columns]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
