"""Results as tables in the paper's form: a row for each method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from animerun_gen.benchmark.compare import compare
from animerun_gen.benchmark.results import Average, Column, Result
from animerun_gen.config.messages import counted

NOTHING = "\u2013"
NO_RESULT = "random weights: no result"


def written(value: float | None, column: Column) -> str:
    """A figure as tables have it.

    Example:
        >>> written(1.2345, Column(key="epe", title="EPE", unit="px", better="lower", meaning=""))
        '1.23'
        >>> written(0.95638, Column(key="ssim", title="SSIM", unit="", better="higher", meaning=""))
        '0.9564'
    """
    if value is None:
        return NOTHING
    return f"{value:.{digits(column)}f}"


def digits(column: Column) -> int:
    """So many digits behind the point have its figures in tables: what has no unit goes from 0 to 1."""
    return 2 if column.unit else 4


def heading(column: Column) -> str:
    """What stands above a column."""
    return f"{column.title} ({column.unit})" if column.unit not in ("", "px") else column.title


@dataclass(frozen=True)
class Part:
    """A table of methods.

    Attributes:
        title: What it shows.
        heads: What stands above its columns.
        rows: A row for each method; the first two cells are texts.
        best: Of each column the rows with the best figure; empty for texts.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    best: Sequence[Sequence[int]]


def parts(result: Result, others: Sequence[Result] = ()) -> list[Part]:
    """The tables of a result and of those that it is compared with: the paper's average and columns first."""
    titles: dict[Average, str] = {"pooled": "Pooled over all pairs", "mean_of_pairs": "Mean of the pairs"}
    averages = sorted(titles, key=lambda average: average != result.average)
    found = []
    for paper in (True, False):
        columns = [column for column in result.columns if column.paper is paper]
        for average in averages if columns else ():
            title = titles[average] + (", as in the paper" if paper and average == result.average else "")
            heads = ["method", "trained on", *map(heading, columns)]
            rows = [_row(one, average, columns) for one in (result, *others)]
            best = [[], [], *(_best(column, average, (result, *others)) for column in columns)]
            found.append(Part(title, heads, rows, best))
    return found


def _row(result: Result, average: Average, columns: Sequence[Column]) -> list[str]:
    """Name, what it was trained on, and figures, of which one with random weights has none."""
    said = {"none": "no weights", "random": NO_RESULT}.get(result.method.weights, "not said")
    figures = [
        written(result.averages.figure(column.key, average), column) if result.counts else NOTHING for column in columns
    ]
    return [result.method.title, result.method.trained_on or said, *figures]


def _best(column: Column, average: Average, results: Sequence[Result]) -> list[int]:
    """The rows with the best figure, where there are several to choose from."""
    values = [result.averages.figure(column.key, average) for result in results]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return []
    best = min(known) if column.better == "lower" else max(known)
    return [place for place, value in enumerate(values) if value == best]


def summary_of(result: Result, others: Sequence[Result] = ()) -> list[str]:
    """A result in a few lines for a terminal."""
    what = "triplet" if result.kind == "interpolation" else "pair"
    amount = f"{counted(result.pairs, what)} in {counted(len(result.clips), 'clip')}"
    head = f"{result.method.title} on {result.measured.name} ({amount})"
    figures = [
        f"{heading(column)} {written(result.averages.figure(column.key, result.average), column)}"
        for column in result.columns
    ]
    said = ", ".join(figures) if result.counts else NO_RESULT
    return [f"{head}: {said}", *remarks_of(result, others)]


def remarks_of(result: Result, others: Sequence[Result]) -> list[str]:
    """What a reader of the figures has to know, and what comes of the comparisons."""
    return [*result.remarks, *(compare(result, other).sentence for other in others)]


def markdown(result: Result, others: Sequence[Result] = ()) -> str:
    """The tables of a result, with those that it is compared with, then its clips."""
    texts = [f"{part.title}:\n\n{table(part.heads, part.rows, 2)}" for part in parts(result, others)]
    columns = [column for column in result.columns if column.paper]
    if result.counts:
        rows = [
            [
                clip.name,
                str(len(clip.pairs)),
                *(written(clip.averages.figure(column.key, result.average), column) for column in columns),
            ]
            for clip in result.clips
        ]
        texts.append("By clip:\n\n" + table(["clip", "pairs", *map(heading, columns)], rows, 1))
    texts.append("\n".join(f"- {remark}" for remark in remarks_of(result, others)))
    return "\n\n".join(filter(None, texts)) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int) -> str:
    """A Markdown table.

    Args:
        heads: What stands above its columns.
        rows: Its cells.
        texts: So many of the first columns are texts, and the others figures.
    """
    lines = [heads, [*["---"] * texts, *["---:"] * (len(heads) - texts)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
