"""Chooses who draws the lines of a cut that leaves it open (``lines.engine: auto``).

Only Blender can count the triangles of a film's frame.  What it counted is kept beside the dataset, so that a finished
dataset needs no Blender to be recognised as such, and that all processes which render a part of a cut, in whatever run,
draw its lines the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

from animerun_gen.config import CutConfig
from animerun_gen.config.model import FREESTYLE_ONLY
from animerun_gen.errors import AnimerunGenError, DatasetError
from animerun_gen.line_cost import SLOW_SECONDS, freestyle_gigabytes, freestyle_seconds, rounded
from animerun_gen.pipeline import paths
from animerun_gen.pipeline.camera_cuts import CutPart
from animerun_gen.pipeline.record import file_digest, scene_digest
from animerun_gen.pipeline.scene_figures import SceneFigure


class TriangleCounter(Protocol):
    """A Blender that looks into a cut's file."""

    @property
    def version(self) -> str:
        """Which Blender it is."""

    def triangle_count(self, config: CutConfig, log: Path) -> int:
        """Triangles that the cut's first frame is rendered from; what Blender prints goes to a log file.

        Raises:
            AnimerunGenError: They cannot be counted.
        """


def choose_line_engines(parts: Sequence[CutPart], output: Path, counter: TriangleCounter | None) -> list[CutPart]:
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
    for part in parts:
        if part.failure is not None or part.config.lines.engine != "auto":
            chosen.append(part)
            continue
        try:
            chosen.append(_chosen(part, output, counter))
        except AnimerunGenError as error:
            chosen.append(replace(part, failure=str(error)))
    return chosen


def _chosen(part: CutPart, output: Path, counter: TriangleCounter | None) -> CutPart:
    config = part.config
    only_freestyle = [edge for edge in config.lines.edges if edge in FREESTYLE_ONLY]
    engine: Literal["freestyle", "geometry"] = "freestyle"
    if only_freestyle:
        reason = f"nothing else draws {' and '.join(only_freestyle)}"
    else:
        triangles = _triangles(config, output, counter)
        seconds, gigabytes = freestyle_seconds(triangles), freestyle_gigabytes(triangles)
        if seconds > SLOW_SECONDS:
            engine = "geometry"
        would = "would take" if engine == "geometry" else "will take"
        reason = (
            f"Freestyle {would} about {rounded(seconds)} s and {rounded(gigabytes)} GB for the "
            f"{triangles:,} triangles of frame {config.frames.first}"
        )
    lines = config.lines.model_copy(update={"engine": engine})
    return CutPart(
        config.model_copy(update={"lines": lines}), [*part.notes, f"lines: {engine}, because {reason}"], part.failure
    )


def _triangles(config: CutConfig, output: Path, counter: TriangleCounter | None) -> int:
    """The triangles of the cut's first frame: as an earlier run counted them, if nothing changed since."""
    file = paths.triangle_count_file(output, config.name)
    kept = SceneFigure.read(file, "triangles")
    if counter is None:
        if kept is None:
            raise DatasetError(
                f"cut '{config.name}': no run has yet chosen who draws its lines; do that with 'animerun-gen render' "
                "first, or set lines.engine to freestyle or geometry"
            )
        return kept.value
    scene = scene_digest(config, counter.version, file_digest(config.source))
    if kept is not None and kept.scene == scene:
        return kept.value
    triangles = counter.triangle_count(config, paths.log_file(output, config.name))
    SceneFigure(scene, triangles).write(file, "triangles")
    return triangles
