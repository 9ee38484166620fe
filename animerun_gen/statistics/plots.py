"""Draws the histograms of the paper's Figure 4, and that of segments' areas, as SVG and PNG."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.dataset import written_aside
from animerun_gen.statistics.counts import AREA_STEPS, MOTION_BINS, area_edge
from animerun_gen.statistics.figures import DatasetStatistics, Statistics

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart with any colour vision: Wong, "Points of view: Color blindness", Nature Methods 2011."""

LINES = ("-", "--", ":", "-.")
"""Where the colours are used up, lines are drawn in another way."""

REFERENCE_COLOR = "#808080"

SETTINGS: Any = {
    # names of parts, and so the file, would be others each time
    "svg.hashsalt": "animerun-gen",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    # nothing of the user's own settings
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 100,
    "savefig.dpi": 150,
}


@dataclass(frozen=True)
class Plot:
    """A drawn plot.

    Attributes:
        name: Its file's name without suffix.
        title: What it shows.
        svg: The drawing, the same for the same figures.
        png: The same as a picture.
    """

    name: str
    title: str
    svg: bytes
    png: bytes


@dataclass(frozen=True)
class _Curve:
    label: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    is_reference: bool


@dataclass(frozen=True)
class _Kind:
    """How a plot looks."""

    name: str
    title: str
    x: str
    y: str
    is_log: bool = False
    x_is_log: bool = False
    has_gaps: bool = False
    """Whether a value may stand alone, where a line would not show it."""


_LUMINANCE = _Kind("luminance", "Luminance", "grey level", "share of the pixels (%)")
_DIFFERENCES = _Kind(
    "differences",
    "Horizontal difference",
    "grey levels by which the right neighbour is brighter",
    "share of neighbours",
    is_log=True,
    has_gaps=True,
)
_MOTION = _Kind("motion", "Motion", "length of the motion at 960x540 (px)", "share of the pixels", is_log=True)
_AREAS = _Kind("segment_areas", "Segments by area", "area at 960x540 (px)", "share of the segments (%)", x_is_log=True)


def draw(statistics: Statistics) -> list[Plot]:
    """Draw the plots; one for which no dataset has anything is left out."""
    drawn = []
    for kind, curves_of in (
        (_LUMINANCE, _luminance),
        (_DIFFERENCES, _differences),
        (_MOTION, _motion),
        (_AREAS, _areas),
    ):
        curves = [curve for one in statistics.datasets for curve in curves_of(one, one.name == statistics.reference)]
        if curves:
            drawn.append(_draw(kind, curves))
    return drawn


def write(plots: Sequence[Plot], folder: Path) -> list[Path]:
    """Write the plots; the paths of their SVG files.

    Raises:
        DatasetError: A file cannot be written.
    """
    paths = []
    for plot in plots:
        for suffix, content in (("png", plot.png), ("svg", plot.svg)):
            path = folder / f"{plot.name}.{suffix}"
            with written_aside(path) as temporary:
                temporary.write_bytes(content)
        paths.append(path)
    return paths


def _luminance(one: DatasetStatistics, is_reference: bool) -> Iterator[_Curve]:
    counts = np.asarray(one.histograms.luminance, np.float64)
    apart = "" if one.to_reference is None else f" (KL divergence {one.to_reference.luminance_kl:.2f})"
    yield _Curve(
        f"{one.name}{apart}", np.arange(len(counts), dtype=np.float64), 100 * counts / counts.sum(), is_reference
    )


def _differences(one: DatasetStatistics, is_reference: bool) -> Iterator[_Curve]:
    counts = np.asarray(one.histograms.differences, np.float64)
    if counts.sum() == 0:
        return
    distance = None if one.to_reference is None else one.to_reference.difference_sad
    apart = "" if distance is None else f" (SAD {distance:.0f})"
    places = np.arange(len(counts), dtype=np.float64) - len(counts) // 2
    yield _Curve(f"{one.name}{apart}", places, _nothing_left_out(counts / counts.sum()), is_reference)


def _motion(one: DatasetStatistics, is_reference: bool) -> Iterator[_Curve]:
    weights = np.asarray(one.histograms.motion, np.float64)
    if weights.sum() == 0:
        return
    # the last place holds whatever is longer: it is no place on this axis
    beyond = weights[-1] / weights.sum()
    longer = f" ({beyond:.2%} beyond {MOTION_BINS - 1} px)" if beyond > 0 else ""
    shares = _nothing_left_out(weights[:-1] / weights.sum())
    yield _Curve(f"{one.name}{longer}", np.arange(len(shares)) + 0.5, shares, is_reference)


def _areas(one: DatasetStatistics, is_reference: bool) -> Iterator[_Curve]:
    counts = np.asarray(one.histograms.areas, np.float64)
    if counts.sum() == 0:
        return
    # bins as wide as a doubling: those of small areas, which are whole numbers, would be empty by turns
    doubled = counts.reshape(-1, AREA_STEPS).sum(axis=1)
    middles = np.array([area_edge(AREA_STEPS * (place + 0.5)) for place in range(len(doubled))])
    some = np.flatnonzero(doubled)
    there = slice(max(some[0] - 1, 0), some[-1] + 2)
    yield _Curve(one.name, middles[there], (100 * doubled / doubled.sum())[there], is_reference)


def _nothing_left_out(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Shares for a logarithmic axis, on which nothing lies at 0: a gap in the curve."""
    return np.where(shares > 0, shares, np.nan)


def _draw(kind: _Kind, curves: Sequence[_Curve]) -> Plot:
    # it takes its time to load
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **SETTINGS}), warnings.catch_warnings():
        # letters of a dataset's name that the font lacks become boxes
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        figure: Any = Figure(layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        others = 0
        for curve in curves:
            color, line = REFERENCE_COLOR, "-"
            if not curve.is_reference:
                color, line = COLORS[others % len(COLORS)], LINES[others // len(COLORS) % len(LINES)]
                others += 1
            # a name that begins with an underscore would be left out, and one with dollars taken for a formula
            label = f"\u200b{curve.label}".replace("$", r"\$")
            style: dict[str, Any] = {"linewidth": 1.2, "color": color, "linestyle": line, "label": label}
            # a line alone would not show single values
            size = 3.0 if kind.x_is_log else 1.2 if kind.has_gaps else 0.0
            axes.plot(curve.x, curve.y, marker="o", markersize=size, **style)
        axes.set_title(kind.title, fontsize=10, loc="left")
        axes.set_xlabel(kind.x)
        axes.set_ylabel(kind.y)
        if kind.is_log:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        if kind.x_is_log:
            axes.set_xscale("log", base=2)
        axes.legend(fontsize=8)
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", metadata={"Software": None})
    return Plot(kind.name, kind.title, svg.getvalue(), png.getvalue())
