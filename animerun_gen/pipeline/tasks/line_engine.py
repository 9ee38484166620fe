"""Chooses who draws the lines of a cut that leaves it open (``lines.engine: auto``).

Only Blender can look into a film's frames.  What it counted there is kept in the cut's ledger, so that a finished
dataset needs no Blender to be recognised as such, and that all processes which render a part of a cut, in whatever run,
draw its lines the same way.  No time is measured: the choice would depend on the machine and on what else it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from animerun_gen.config import CutConfig
from animerun_gen.config.model import FREESTYLE_ONLY
from animerun_gen.dataset import layout
from animerun_gen.engines.film_files import looking_anew, looking_once
from animerun_gen.engines.questions import Looker
from animerun_gen.errors import DatasetError
from animerun_gen.lines.cost import SLOW_SECONDS, LineFigures, freestyle_gigabytes, freestyle_seconds, rounded
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.state.fingerprints import scene_digest
from animerun_gen.pipeline.state.inputs import are_unchanged, digests_as_read
from animerun_gen.pipeline.state.ledger import CountedLines, Ledger
from animerun_gen.pipeline.summary import failures_to


def choose_line_engines(cuts: Iterable[Cut], counter: Looker | None) -> None:
    """Decide for each cut that leaves it open who draws its lines.

    Args:
        cuts: The cuts to be made.  Afterwards their ``lines.engine`` says ``freestyle`` or ``geometry``, and a sentence
            says why where that was chosen here.
        counter: The Blender that will render; None when nothing is to be rendered, and what an earlier run counted
            decides.
    """
    with looking_once():
        for cut in cuts:
            if not cut.summary.failures and cut.config.lines.engine == "auto":
                with failures_to(cut.summary):
                    _choose(cut, counter)


def _choose(cut: Cut, counter: Looker | None) -> None:
    config = cut.config
    if config.timing.is_on:
        _decide(cut, "geometry", "layers are held at different frames of the film, across which Freestyle cannot draw")
        return
    only_freestyle = [edge for edge in config.lines.edges if edge in FREESTYLE_ONLY]
    engine: Literal["freestyle", "geometry"] = "freestyle"
    if config.layers.write:
        engine, reason = "geometry", "only it draws the lines of a layer alone (layers.write)"
    elif only_freestyle:
        reason = f"only Freestyle draws {' and '.join(only_freestyle)}"
    else:
        most = max(_figures(config, cut.ledger, counter), key=_seconds)
        seconds, gigabytes = _seconds(most), freestyle_gigabytes(most.triangles, most.pieces)
        if seconds > SLOW_SECONDS:
            engine = "geometry"
        would = "would take" if engine == "geometry" else "will take"
        reason = (
            f"Freestyle {would} about {rounded(seconds)} s and {rounded(gigabytes)} GB for the {most.triangles:,} "
            f"triangles of frame {most.frame}, whose {most.edges:,} edges with lines cross {most.crossings:,} times"
        )
        if freestyle_seconds(0, 0, most.visits) > 0.5 * seconds:
            reason += (
                "; things far outside the picture of its orthographic camera make most of that: remove them, and "
                "Freestyle is fast"
            )
    _decide(cut, engine, reason)


def _decide(cut: Cut, engine: Literal["freestyle", "geometry"], reason: str) -> None:
    lines = cut.config.lines.model_copy(update={"engine": engine})
    cut.decide(cut.config.model_copy(update={"lines": lines}), f"lines: {engine}, because {reason}")


def _seconds(figures: LineFigures) -> float:
    return freestyle_seconds(figures.triangles, figures.pieces, figures.visits)


def _figures(config: CutConfig, ledger: Ledger, counter: Looker | None) -> Sequence[LineFigures]:
    """The figures of some frames of a cut: as an earlier run counted them, if nothing changed since."""
    kept = ledger.kept.line_figures
    if kept is not None and not kept.frames:
        kept = None
    if counter is None:
        if kept is None:
            raise DatasetError(
                "its line engine has not been chosen yet",
                f"cut '{config.name}'",
                "run 'animerun-gen render' first, or set lines.engine to freestyle or geometry",
            )
        return kept.frames
    scene = _digest(config, counter)
    if kept is not None and kept.scene == scene and are_unchanged(kept.inputs):
        return kept.frames
    # Blender takes its time, in which files may change
    with looking_anew():
        counted = counter.count_lines(config, layout.log_file(ledger.output, config.name))
        inputs = digests_as_read(counted.inputs)
    found = CountedLines(scene=scene, inputs=inputs, frames=tuple(counted.frames))
    ledger.keep(line_figures=found)
    return found.frames


def _digest(config: CutConfig, counter: Looker) -> str:
    """Digest of everything that the figures depend on, but for the other files that it is made of."""
    frames = config.frames
    scene = scene_digest(config, counter.version)
    return f"{scene}, frames {frames.first} to {frames.last} by {frames.step}, {config.lines.crease_angle} degrees"
