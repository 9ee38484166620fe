"""The exposure sheet of a clip as a page shows it: which frame of the film each layer shows in each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from animerun_gen.report.facts import CutFacts

Mark = Literal["new", "again", "held", ""]

RATES = {1: "on ones", 2: "on twos", 3: "on threes", 4: "on fours"}
"""What animators call drawings that stay for so many frames."""


def exposure_sheet(facts: CutFacts) -> dict[str, Any] | None:
    """The exposure sheet, ready to be drawn; None where no layer has a timing of its own.

    Returns:
        ``layers``: ``name`` of each, its ``rate`` in words, and ``pairs`` and ``pixels``, the shares that are held;
        None where that is not known.  ``rows``: ``frame`` and ``cells`` of each frame of the clip; a cell is None where
        nothing says what is shown, else ``film_frame``, ``mark`` and whether the layer is ``seen`` in the picture; none
        at all where no frame is known.  ``marks``: those that occur.  ``unseen``: whether any layer is not seen.

        A mark is ``new`` for a drawing that the clip shows for the first time, ``again`` for one that comes back,
        ``held`` for that of the frame before, and empty where nothing says what that showed.
    """
    shares: Mapping[str, Mapping[str, float | None]] = facts.quality.get("timing", {})
    known = {row["frame"]: row["layers"] for row in facts.quality.get("exposures", [])}
    shown = [known.get(frame, {}) for frame in facts.frames]
    names = list(dict.fromkeys([*(name for layers in shown for name in layers), *shares]))
    if not names:
        return None
    columns = [_column([layers.get(name) for layers in shown]) for name in names]
    rows = [
        {"frame": frame, "cells": [column[place] for column in columns]} for place, frame in enumerate(facts.frames)
    ]
    cells = [cell for column in columns for cell in column if cell is not None]
    return {
        "layers": [
            {"name": name, "rate": _rate(column), **{key: shares.get(name, {}).get(key) for key in ("pairs", "pixels")}}
            for name, column in zip(names, columns, strict=True)
        ],
        "rows": rows if cells else [],
        "marks": {cell["mark"] for cell in cells},
        "unseen": any(not cell["seen"] for cell in cells),
    }


def _column(exposed: Sequence[Mapping[str, Any] | None]) -> list[dict[str, Any] | None]:
    """The cells of a layer, frame by frame."""
    cells: list[dict[str, Any] | None] = []
    before: Mapping[str, Any] | None = None
    shown_before: set[int] = set()
    for place, one in enumerate(exposed):
        if one is None:
            cells.append(None)
        else:
            film_frame = one["film_frame"]
            mark: Mark = "again" if film_frame in shown_before else "new"
            if before is None and place > 0:
                mark = ""
            elif before is not None and before["film_frame"] == film_frame:
                mark = "held"
            shown_before.add(film_frame)
            cells.append({"film_frame": film_frame, "mark": mark, "seen": one["share"] != 0})
        before = one
    return cells


def _rate(column: Sequence[Mapping[str, Any] | None]) -> str:
    """For how many frames the drawings of a layer stay, in words; empty where that is not known throughout."""
    if not column or None in column:
        return ""
    frames = [cell["film_frame"] for cell in column if cell is not None]
    runs = [len(list(run)) for _, run in groupby(frames)]
    if len(runs) == 1:
        return "held" if len(frames) > 1 else ""
    # the clip may cut the first and the last one short, but makes none longer
    longest = max(runs)
    shortest = min(runs[1:-1], default=longest)
    if shortest < longest:
        return f"{shortest} to {longest} frames"
    return RATES.get(longest, f"{longest} frames each")
