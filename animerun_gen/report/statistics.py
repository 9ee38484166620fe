"""The page of a dataset's statistics, and what the index shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from animerun_gen.dataset import read_json
from animerun_gen.errors import DatasetError
from animerun_gen.report import html
from animerun_gen.statistics import table
from animerun_gen.statistics.figures import Statistics
from animerun_gen.statistics.plots import Plot

FOLDER = "statistics"
"""Where ``stats`` is to put the statistics of a dataset, inside it, for the report to show them."""

PAGE = "statistics.html"
"""The page that the report makes of them, beside its index."""


def read_statistics(root: Path) -> Statistics | None:
    """The statistics inside a dataset; None where there are none.

    Raises:
        DatasetError: They are damaged, or of another version.
    """
    path = root / FOLDER / "statistics.json"
    if not path.is_file():
        return None
    try:
        found = Statistics.model_validate(read_json(path))
    except ValueError as error:
        raise DatasetError("holds no statistics that can be read", path, "run 'animerun-gen stats' again") from error
    return found


def make_page(statistics: Statistics, plots: Sequence[Plot]) -> str:
    """The text of a page that shows statistics, and needs no other file."""
    return html.plain_page(
        "statistics.html",
        title="Statistics",
        about=_about(statistics),
        reference=statistics.reference,
        advice=[one.sentence for one in statistics.advice],
        sections=[
            {
                "title": "As in the paper's Table 1",
                "tables": [
                    _table("Table 1", table.table_1(statistics), table.ABOUT_TABLE_1),
                    _table("The paper's Table 1", table.paper_table_1(), table.ABOUT_PAPER_TABLE_1),
                ],
            },
            {"title": "Motion, occlusion, held frames, segments", "tables": [_table("More", table.more(statistics))]},
            {"title": "Levels", "tables": list(_levels(statistics))},
        ],
        plots=_pictures(plots),
        datasets=[
            {"name": one.name, "table": _table(f"Clips of {one.name}", table.of_clips(one)), "left_out": one.left_out}
            for one in statistics.datasets
        ],
    )


def for_index(statistics: Statistics, plots: Sequence[Plot]) -> dict[str, Any]:
    """What the index of the report shows: ``link``, ``table`` and ``plots``."""
    return {"link": PAGE, "table": _table("Statistics", table.table_1(statistics)), "plots": _pictures(plots)}


def _levels(statistics: Statistics) -> list[dict[str, Any]]:
    levels = [_table("Levels", table.pictures(statistics))]
    if statistics.reference is not None:
        levels.append(_table("The paper's Figure 4", table.paper_figure_4(), table.ABOUT_PAPER_FIGURE_4))
    return levels


def _about(statistics: Statistics) -> str:
    return " ".join(table.about(statistics))


def _table(title: str, content: table.Table, about: str = "") -> dict[str, Any]:
    headings, rows = content
    return {"title": title, "headings": headings, "rows": rows, "about": about}


def _pictures(plots: Sequence[Plot]) -> list[dict[str, str]]:
    return [{"title": plot.title, "address": html.data_uri(plot.svg, "svg+xml")} for plot in plots]
