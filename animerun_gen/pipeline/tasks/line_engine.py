"""Chooses who draws the lines of a cut that leaves it open (``lines.engine: auto``).

No time is measured: the choice would depend on the machine and on what else it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from animerun_gen.config import CutConfig
from animerun_gen.config.model import FREESTYLE_ONLY
from animerun_gen.engines.questions import LINE_FIGURES
from animerun_gen.lines.cost import (
    SECONDS_A_VISIT,
    SLOW_SECONDS,
    LineFigures,
    freestyle_gigabytes,
    freestyle_seconds,
    rounded,
)
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.deciding import Decision, Known
from animerun_gen.pipeline.state.ledger import CountedLines, CutLedger, Sections

Figures = tuple[LineFigures, ...]
"""What Freestyle would have to do in some frames of a cut."""

Choice = tuple[Literal["freestyle", "geometry"], str]
"""Who draws the lines, and why."""


class LineEngine(Decision[Figures]):
    """``lines.engine`` comes to say ``freestyle`` or ``geometry``, and a sentence says why."""

    question = LINE_FIGURES
    unknown = (
        "its line engine has not been chosen yet",
        "run 'animerun-gen render' first, or set lines.engine to freestyle or geometry",
    )

    def is_open(self, config: CutConfig) -> bool:
        return config.lines.engine == "auto"

    def needs_film(self, config: CutConfig) -> bool:
        return _settled(config) is None

    def depends_on(self, config: CutConfig) -> str:
        frames = config.frames
        return f"frames {frames.first} to {frames.last} by {frames.step}, {config.lines.crease_angle} degrees"

    def known(self, kept: CutLedger) -> Known[Figures] | None:
        counted = kept.line_figures
        # what names no frame is damaged
        return Known(counted.scene, counted.inputs, counted.frames) if counted is not None and counted.frames else None

    def section(self, config: CutConfig, known: Known[Figures]) -> Sections:
        return {"line_figures": CountedLines(scene=known.digest, inputs=known.inputs, frames=known.found)}

    def decide(self, cut: Cut, find: Callable[[], Figures]) -> list[Cut]:
        config = cut.config
        engine, reason = _settled(config) or _judged(find())
        lines = config.lines.model_copy(update={"engine": engine})
        cut.decide(config.model_copy(update={"lines": lines}), f"lines: {engine}, because {reason}")
        return [cut]


def _settled(config: CutConfig) -> Choice | None:
    """The choice where what else the cut asks for leaves none."""
    if config.timing.is_on:
        return "geometry", "layers are held at different frames of the film, across which Freestyle cannot draw"
    if config.layers.write:
        return "geometry", "only it draws the lines of a layer alone (layers.write)"
    only_freestyle = [edge for edge in config.lines.edges if edge in FREESTYLE_ONLY]
    if only_freestyle:
        return "freestyle", f"only Freestyle draws {' and '.join(only_freestyle)}"
    return None


def _judged(figures: Figures) -> Choice:
    """The choice by what Freestyle would have to do in the frame that takes it longest."""
    most = max(figures, key=_seconds)
    seconds, gigabytes = _seconds(most), freestyle_gigabytes(most.triangles, most.pieces)
    engine: Literal["freestyle", "geometry"] = "geometry" if seconds > SLOW_SECONDS else "freestyle"
    would = "would take" if engine == "geometry" else "will take"
    reason = (
        f"Freestyle {would} about {rounded(seconds)} s and {rounded(gigabytes)} GB for the {most.triangles:,} "
        f"triangles of frame {most.frame}, whose {most.edges:,} edges with lines cross {most.crossings:,} times"
    )
    if SECONDS_A_VISIT * most.visits > 0.5 * seconds:
        reason += (
            "; things far outside the picture of its orthographic camera make most of that: remove them, and "
            "Freestyle is fast"
        )
    return engine, reason


def _seconds(figures: LineFigures) -> float:
    return freestyle_seconds(figures.triangles, figures.pieces, figures.visits)
