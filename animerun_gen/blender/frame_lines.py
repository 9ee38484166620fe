"""Makes the lines of a job's frames from their geometry: the line art, what each line is, how the frame shows it."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from animerun_gen.blender.frame_reading import TakenFrame
from animerun_gen.blender.geometry import NameTable
from animerun_gen.blender.job_context import JobContext
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.config.model import LineRule
from animerun_gen.lines import styled
from animerun_gen.lines.contours import Contours, ContourSettings, find_contours
from animerun_gen.lines.hand import HandFinder
from animerun_gen.lines.kinds import LineKind
from animerun_gen.lines.surface_edges import SurfaceEdgeFinder
from animerun_gen.motion import companions
from animerun_gen.motion.islands import IslandFinder


class LineMaker:
    """Makes the lines of a job's frames.

    Args:
        context: The job, of a cut whose lines come from the geometry.

    Attributes:
        islands: Finds the parts of meshes.
    """

    def __init__(self, context: JobContext) -> None:
        self.context = context
        lines = context.config.lines
        self._settings = ContourSettings.from_config(lines)
        self.islands = IslandFinder()
        # open edges tell borders from silhouettes, too
        self._edges = SurfaceEdgeFinder(inner_edges=self._settings.creases, marked_edges=self._settings.marked_edges)
        self._style = _style_settings(context) if lines.style.is_on else None
        self._hand = HandFinder(context.config.seed)

    def find(self, taken: TakenFrame) -> Contours:
        """The lines of a frame."""
        geometry = taken.geometry
        islands, edges = self.islands.find(geometry), self._edges.find(geometry)
        return find_contours(geometry, taken.seen, islands, self._settings, edges)

    def draw(
        self, contours: Contours, line_art: np.ndarray[Any, Any], flat: np.ndarray[Any, Any], taken: TakenFrame
    ) -> styled.StyledLines | None:
        """The lines as the frame shows them; None where it shows the line art.

        Args:
            contours: Its lines.
            line_art: ``(H, W)`` uint8, what is left of them.
            flat: ``(H, W, 3)`` uint8, its colours.
            taken: What was taken down of it.
        """
        if self._style is None:
            return None
        geometry, seen = taken.geometry, taken.seen
        return styled.draw_styled(
            geometry,
            seen,
            replace(contours, line_art=line_art),
            flat,
            companions.object_id_map(geometry, seen),
            companions.material_id_map(geometry, seen),
            self._style,
            self._hand.find(geometry) if self._style.needs_hand else None,
        )

    def write(
        self,
        frame: int,
        contours: Contours,
        line_art: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]],
        drawn: styled.StyledLines | None,
        traced: np.ndarray[Any, Any] | None,
    ) -> None:
        """Write what is asked for besides the line art.

        Args:
            frame: The frame.
            contours: Its lines.
            line_art: ``(H, W)`` uint8 each, the line art, and that part of it which the film does not draw itself.
            drawn: The lines as the frame shows them.
            traced: ``(H, W, 3)`` uint8, the line art with the borders of the shade, where there is shade.
        """
        lines = self.context.config.lines
        if lines.kinds:
            every, found = line_art
            kinds = np.where(found == 0, contours.kinds(), np.uint8(LineKind.NONE))
            kinds[(every == 0) & (found != 0)] = LineKind.MARK
            if lines.shade_border and traced is not None:
                kinds[(every != 0) & (traced != 255).any(axis=2)] = LineKind.SHADE
            self.context.writer.write("line_kind", frame, kinds)
        if drawn is not None:
            self.context.writer.write("styled_contour", frame, drawn.on_white())
            if lines.style.gaps.share > 0:
                self.context.writer.write("line_gap", frame, drawn.gaps)
            if self.context.config.recolor.passes:
                every, found = line_art
                self.context.writer.write("line_ink", frame, drawn.kept((every == 0) & (found != 0)))


def _style_settings(context: JobContext) -> styled.StyleSettings:
    config = context.config
    lines, style = config.lines, config.lines.style
    return styled.StyleSettings(
        color=rgb(lines.color),
        thickness=lines.thickness if style.thickness is None else style.thickness,
        antialias=style.antialias,
        rules=[_rule(rule, context) for rule in style.rules],
        auto_value=style.auto_value,
        auto_chroma=style.auto_chroma,
        near=style.depth.near,
        far=style.depth.far,
        far_thickness=style.depth.thickness,
        hand_thickness=style.hand.thickness,
        hand_offset=style.hand.offset,
        gap_share=style.gaps.share,
        gap_radius=style.gaps.radius,
        seed=config.seed,
    )


def _rule(rule: LineRule, context: JobContext) -> styled.Rule:
    color: tuple[int, int, int] | str | None = rule.color
    if rule.color is not None and rule.color != "auto":
        color = rgb(rule.color)
    return styled.Rule(
        kinds=frozenset(LineKind[kind.upper()] for kind in rule.kinds),
        objects=_fitting(context.names.objects, rule.on),
        materials=_fitting(context.names.materials, rule.on),
        color=color,
        thickness=rule.thickness,
    )


def _fitting(names: NameTable, pattern: str) -> np.ndarray[Any, Any]:
    """Which ids have a name that fits, ``(65536,)`` bool; all, whatever they are called, for ``*``."""
    fits = np.full(1 << 16, pattern == "*")
    fits[[number for name, number in names.ids.items() if fnmatchcase(name, pattern)]] = True
    return fits
