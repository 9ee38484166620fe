"""The page that lists all cuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from animerun_gen import __version__
from animerun_gen.errors import DatasetError
from animerun_gen.report import encode, figures, html, totals
from animerun_gen.report.facts import CREDITS, CutFacts
from animerun_gen.report.totals import Counted

THUMBNAIL_WIDTH = 320


@dataclass(frozen=True)
class IndexRow:
    """A cut in the index.

    Attributes:
        counted: Its files and what is known about it.
        problem: Why nothing is known of it; else what else is wrong with it in a few words, or nothing.
        page: Its page below the index; None when there is none.
        verdict: What its badge says.
    """

    counted: Counted
    problem: str
    page: PurePosixPath | None
    verdict: figures.Verdict


def make_index(rows: list[IndexRow], title: str, statistics: Mapping[str, Any] | None = None) -> str:
    """The text of the index page.

    Args:
        rows: The cuts, in the order of the table.
        title: What the dataset is called.
        statistics: What is shown of its statistics, see :func:`animerun_gen.report.statistics.for_index`.
    """
    known_bars: list[float | None] = [None] * len(figures.INDEX_COLUMNS)
    data: dict[str, Any] = {
        "columns": [
            {"title": column.title, "unit": column.unit, "above": column.key == "agreement"}
            for column in figures.INDEX_COLUMNS
        ],
        "rows": [_row(row, known_bars) for row in rows],
    }
    filled = [any(row["values"][place] is not None for row in data["rows"]) for place in range(len(known_bars))]
    data["columns"] = [column for column, is_filled in zip(data["columns"], filled, strict=True) if is_filled]
    for row in data["rows"]:
        for key in ("values", "bars"):
            row[key] = [value for value, is_filled in zip(row[key], filled, strict=True) if is_filled]
    tally = Counter(row.verdict for row in rows)
    cuts = [row.counted for row in rows]
    return html.page(
        "index.html",
        "index.js",
        title=title,
        gate=[(verdict, badge, tally[verdict]) for verdict, badge in figures.BADGES.items() if tally[verdict]],
        failed=[
            {"cut": row.counted.clip.cut, "link": _link(row), **totals.failures(row.counted.facts)}
            for row in rows
            if row.verdict == "fail"
        ],
        tiles=totals.tiles(cuts),
        histograms=totals.histograms(cuts),
        statistics=statistics,
        splits=totals.splits(cuts),
        films=totals.films(cuts),
        credit_names=CREDITS,
        versions=totals.versions(cuts),
        report_version=__version__,
        data=data,
    )


def _link(row: IndexRow) -> str | None:
    return None if row.page is None else quote(str(row.page))


def _row(row: IndexRow, no_bars: list[float | None]) -> dict[str, Any]:
    clip, facts = row.counted.clip, row.counted.facts
    shown: dict[str, Any] = {
        "cut": clip.cut,
        "split": clip.split,
        "link": _link(row),
        "verdict": row.verdict,
        "badge": figures.BADGES[row.verdict],
        "problem": row.problem,
        "values": list(no_bars),
        "bars": list(no_bars),
    }
    if facts is None:
        return shown | {"frames": 0, "resolution": None, "thumbnail": None}
    cut_bars = figures.thresholds(facts.quality)
    return shown | {
        "frames": len(facts.frames),
        "resolution": list(facts.resolution),
        "thumbnail": _thumbnail(facts),
        "values": figures.worst_figures(facts),
        "bars": [cut_bars.get(column.threshold) for column in figures.INDEX_COLUMNS],
    }


def _thumbnail(facts: CutFacts) -> str | None:
    """The middle frame of the clip, small, as an address."""
    try:
        picture = facts.clip.read("frame", facts.frames[len(facts.frames) // 2])
    except DatasetError:
        return None
    width, height = picture.shape[1], picture.shape[0]
    size = (THUMBNAIL_WIDTH, max(1, round(height * THUMBNAIL_WIDTH / width)))
    return html.data_uri(encode.encode_picture(encode.shrink_colors(picture, size), 70))
