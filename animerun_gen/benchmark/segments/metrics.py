"""The figures of the paper's Table 3: which share of the segments of a frame finds its match.

Source: Li et al., "AnimeRun: 2D Animation Visual Correspondence from Open Source 3D Movies", NeurIPS 2022 Datasets and
Benchmarks (arXiv:2211.05709), and the evaluation that was published with it.  The first entry of a list of matches
counts as the match; ``-1`` there says that the segment is occluded, and a prediction is right about such a segment when
it says so as well.  The paper's figures are those of each pair of frames, averaged over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.results import Column, Figure

AREA_BOUNDS = (100, 400, 1600, 6400)
"""Pixels of a segment between the bins of accuracy by area; a segment of a bound belongs to the upper bin."""

CROWDED_ABOVE = 300
"""The published evaluation takes a pair for one with many segments when the target frame has a segment with a number
above this one.  Numbers begin with 0, so that it has at least 302 segments."""


def _column(key: str, title: str, meaning: str, paper: bool = False) -> Column:
    return Column(key=key, title=title, unit="%", better="higher", meaning=meaning, paper=paper)


def _area_columns() -> tuple[Column, ...]:
    lows, highs = (0, *AREA_BOUNDS), (*AREA_BOUNDS, None)
    columns = []
    for at, (low, high) in enumerate(zip(lows, highs, strict=True)):
        title = f"<{high} px" if not low else f">={low} px" if high is None else f"{low}-{high} px"
        pixels = f"fewer than {high}" if not low else f"{low} or more" if high is None else f"{low} to {high - 1}"
        columns.append(_column(f"area_{at}", title, f"ACC over segments of {pixels} pixels."))
    return tuple(columns)


COLUMNS = (
    _column("acc", "ACC", "Segments whose first match is found, and occluded ones that are called so.", True),
    _column("acc_visible", "Non-occ.", "ACC over segments that the next frame shows.", True),
    _column("acc_occluded", "Occ.", "ACC over segments that the next frame does not show.", True),
    _column("acc_many", ">300 seg.", f"ACC of pairs whose target frame has more than {CROWDED_ABOVE} segments.", True),
    _column("acc_any", "Any match", "ACC, where any of the matches that are listed is right."),
    _column("acc_pixels", "By pixels", "ACC, where a segment counts as often as it has pixels."),
    _column("occluded_right", "Occ. prec.", "Segments that are called occluded, and are."),
    *_area_columns(),
)


def measure_segments(
    predicted: Sequence[int],
    matches: Sequence[Sequence[int]],
    areas: npt.NDArray[np.integer[Any]],
    target_count: int,
) -> dict[str, Figure]:
    """The figures of one pair of frames.

    Args:
        predicted: For each segment of the source frame a segment of the target frame, or -1: occluded.
        matches: For each of them all its matches, best first; ``[-1]``: occluded.
        areas: ``(K,)`` integers, pixels of each of them.
        target_count: How many segments the target frame has.

    Returns:
        Key of each of :data:`COLUMNS` to its share in percent, and of how many segments (pixels, for ``acc_pixels``).

    Raises:
        ValueError: The three are not equally long, or there are no segments.

    Example:
        >>> figures = measure_segments([0, 2, -1, 1], [[0], [1, 2], [-1], [-1]], np.array([90, 90, 90, 900]), 3)
        >>> [figures[key].value for key in ("acc", "acc_visible", "acc_occluded", "acc_any", "area_0", "acc_many")]
        [50.0, 50.0, 50.0, 75.0, 66.66666666666667, None]
    """
    if not len(predicted) == len(matches) == len(areas) or not len(areas):
        raise ValueError(f"{len(predicted)} predictions, {len(matches)} matches and {len(areas)} areas; give one each")
    given = np.asarray(predicted, np.int64)
    first = np.array([targets[0] for targets in matches], np.int64)
    right, visible = given == first, first >= 0
    listed = np.array([one in targets for one, targets in zip(given.tolist(), matches, strict=True)], bool)
    many = target_count - 1 > CROWDED_ABOVE
    bins = np.searchsorted(AREA_BOUNDS, areas, side="right")
    return {
        "acc": _share(right),
        "acc_visible": _share(right[visible]),
        "acc_occluded": _share(right[~visible]),
        "acc_many": _share(right if many else right[:0]),
        "acc_any": _share(listed),
        "acc_pixels": Figure.mean(100 * float(areas[right].sum()), float(areas.sum())),
        "occluded_right": _share(right[given < 0]),
        **{f"area_{at}": _share(right[bins == at]) for at in range(len(AREA_BOUNDS) + 1)},
    }


def _share(right: npt.NDArray[np.bool_]) -> Figure:
    return Figure.mean(100 * int(right.sum()), len(right))
