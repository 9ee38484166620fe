"""Chooses who draws the lines of a cut that leaves it open (``lines.engine: auto``).

Only Blender can look into a film's frames.  What it counted there is kept beside the dataset, so that a finished
dataset needs no Blender to be recognised as such, and that all processes which render a part of a cut, in whatever run,
draw its lines the same way.  No time is measured: the choice would depend on the machine and on what else it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from animerun_gen.config import CutConfig
from animerun_gen.config.model import FREESTYLE_ONLY
from animerun_gen.dataset import layout
from animerun_gen.engines.film_files import looking_anew, looking_once
from animerun_gen.engines.questions import Looker
from animerun_gen.errors import AnimerunGenError, DatasetError
from animerun_gen.lines.cost import SLOW_SECONDS, LineFigures, freestyle_gigabytes, freestyle_seconds, rounded
from animerun_gen.pipeline.state.inputs import are_unchanged, digests_as_read
from animerun_gen.pipeline.state.record import read_kept, scene_digest, source_digest, write_if_changed
from animerun_gen.pipeline.tasks.camera_cuts import CutPart


@dataclass(frozen=True)
class _Counted:
    """What was counted in a cut, and what it was counted in.

    Attributes:
        scene: Digest of the scene and what else the figures depend on.
        inputs: Files besides the ``.blend``, name to digest.
        frames: The figures of each frame that was looked at.
    """

    scene: str
    inputs: dict[str, str]
    frames: list[LineFigures]


_COUNTED = TypeAdapter(_Counted)


def choose_line_engines(parts: Sequence[CutPart], output: Path, counter: Looker | None) -> list[CutPart]:
    """Decide for each cut that leaves it open who draws its lines.

    Args:
        parts: The cuts to be made.
        output: Root folder of the dataset; the caller holds its lock.
        counter: The Blender that will render; None when nothing is to be rendered, and what an earlier run counted
            decides.

    Returns:
        The same cuts, in order.  Their ``lines.engine`` says ``freestyle`` or ``geometry``, and a note says why where
        that was chosen here.
    """
    chosen = []
    with looking_once():
        for part in parts:
            if part.failure is not None or part.config.lines.engine != "auto":
                chosen.append(part)
                continue
            try:
                chosen.append(_chosen(part, output, counter))
            except AnimerunGenError as error:
                chosen.append(replace(part, failure=str(error)))
    return chosen


def _chosen(part: CutPart, output: Path, counter: Looker | None) -> CutPart:
    config = part.config
    only_freestyle = [edge for edge in config.lines.edges if edge in FREESTYLE_ONLY]
    engine: Literal["freestyle", "geometry"] = "freestyle"
    if only_freestyle:
        reason = f"only Freestyle draws {' and '.join(only_freestyle)}"
    else:
        most = max(_figures(config, output, counter), key=_seconds)
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
    lines = config.lines.model_copy(update={"engine": engine})
    return CutPart(
        config.model_copy(update={"lines": lines}), [*part.notes, f"lines: {engine}, because {reason}"], part.failure
    )


def _seconds(figures: LineFigures) -> float:
    return freestyle_seconds(figures.triangles, figures.pieces, figures.visits)


def _figures(config: CutConfig, output: Path, counter: Looker | None) -> list[LineFigures]:
    """The figures of some frames of a cut: as an earlier run counted them, if nothing changed since."""
    kept = _read(output, config.name)
    if counter is None:
        if kept is None:
            raise DatasetError(
                f"cut '{config.name}': its line engine has not been chosen yet; run 'animerun-gen render' first, "
                "or set lines.engine to freestyle or geometry"
            )
        return kept.frames
    scene = _digest(config, counter)
    if kept is not None and kept.scene == scene and are_unchanged(kept.inputs):
        return kept.frames
    # Blender takes its time, in which files may change
    with looking_anew():
        counted = counter.count_lines(config, layout.log_file(output, config.name))
        found = _Counted(scene, digests_as_read(counted.inputs), counted.frames)
    write_if_changed(layout.line_figures_file(output, config.name), asdict(found))
    return found.frames


def _digest(config: CutConfig, counter: Looker) -> str:
    """Digest of everything that the figures depend on, but for the other files that it is made of."""
    frames = config.frames
    scene = scene_digest(config, counter.version, source_digest(config.source))
    return f"{scene}, frames {frames.first} to {frames.last} by {frames.step}, {config.lines.crease_angle} degrees"


def _read(output: Path, cut: str) -> _Counted | None:
    """What an earlier run counted; None where there is nothing, or nothing that can be read."""
    counted = read_kept(layout.line_figures_file(output, cut), _COUNTED)
    return counted if counted is not None and counted.frames else None
