"""Makes the pictures of a frame: flat colours, line art, and the lines over the colours."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.attribute_colors import paint_attributes
from animerun_gen.blender.convert.hair import hair_objects
from animerun_gen.blender.convert.surfaces import Surface
from animerun_gen.blender.frame_lines import LineMaker
from animerun_gen.blender.frame_reading import TakenFrame
from animerun_gen.blender.frame_shade import ShadeMaker
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.marked_edges import marked_meshes
from animerun_gen.blender.picture_check import require_background, require_paper
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.srgb import linear_to_hex
from animerun_gen.config.model import FREESTYLE_ONLY
from animerun_gen.dataset.strokes import Strokes
from animerun_gen.lines import compose
from animerun_gen.lines.drawn_strokes import lay_strokes, stroke_pixels, without_strokes
from animerun_gen.lines.hair_lines import thin_hair_lines
from animerun_gen.lines.hidden_lines import find_hidden_lines
from animerun_gen.lines.hole_outlines import HoleOutlineFinder
from animerun_gen.lines.strokes import StrokeSettings, find_strokes
from animerun_gen.motion import companions, raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer


@dataclass(frozen=True)
class Painted:
    """The colours of a frame, or of a layer alone, without lines.

    Attributes:
        flat: ``(H, W, 3)`` uint8, without shade.
        tones: ``(H, W)`` uint8, its shade; None where it has none.
        colored: ``(H, W, 3)`` uint8, shade included.
    """

    flat: np.ndarray[Any, Any]
    tones: np.ndarray[Any, Any] | None
    colored: np.ndarray[Any, Any]


class PictureMaker:
    """Makes the pictures of a job's frames.

    Args:
        context: The job.
        renderer: Draws what Workbench and Freestyle draw.
        held: Whether the flat pictures that it is handed are put together from several frames of the film: they have
            the colours that vary already.

    Attributes:
        strokes: Whether Freestyle draws the lines.
        paints_attributes: Whether colours vary with attributes, objects and images.
        needs_geometry: Whether pictures cannot be made without the frame's geometry.
    """

    def __init__(self, context: JobContext, renderer: FrameRenderer, *, held: bool) -> None:
        self.context = context
        self._renderer = renderer
        lines = context.config.lines
        self._lines = LineMaker(context) if lines.engine == "geometry" else None
        self._strokes = StrokeSettings.from_config(lines) if lines.vector else None
        self._hole_outlines = HoleOutlineFinder()
        self.strokes = lines.freestyle and self._lines is None
        self._freestyle_checked = not self.strokes
        self._background_checked = False
        # Freestyle knows no holes, so that lines behind surfaces with holes have to be taken out again
        self._covers_lines = self.strokes and len(context.conversion.clipped) > 0
        painted = context.conversion.colors.by_attributes
        self._painted = {context.names.materials.ids[name]: each for name, each in painted.items()}
        self.paints_attributes = bool(self._painted)
        self._paints = self.paints_attributes and not held
        # what depends on how a surface curves may be a line amid a face
        self._judges_strokes = self.strokes and not set(lines.edges) & set(FREESTYLE_ONLY)
        self._has_marks = "edge_mark" in lines.edges and bool(marked_meshes())
        self._hair_ids = [context.names.objects.ids[name] for name in hair_objects()]
        self._inks = [context.names.materials.ids[name] for name in sorted(context.conversion.grease_pencil.inks)]
        self._shade = ShadeMaker(context) if context.config.style.shade.is_on else None
        self.needs_geometry = (
            self._shade is not None
            or self._lines is not None
            or lines.outline
            or self.strokes
            or bool(self._hair_ids)
            or bool(self._inks)
            or self.paints_attributes
        )

    def make(
        self, frame: int, flat: np.ndarray[Any, Any], taken: TakenFrame | None
    ) -> tuple[Painted, np.ndarray[Any, Any]]:
        """Write the pictures of a frame.

        Args:
            frame: The frame.
            flat: Its flat picture, ``(H, W, 3)`` uint8.
            taken: What was taken down of it, where that is needed.

        Returns:
            Its colours, and the frame with its lines, ``(H, W, 3)`` uint8.
        """
        if self._paints and taken is not None:
            flat = self.paint_attributes(frame, flat, taken.geometry, taken.seen, taken.surfaces)
        contours = drawn = traced = None
        with self.context.stage(frame, "lines"):
            lined = None if taken is None else self._without_inks(taken)
            if self._lines is not None and lined is not None:
                contours = self._lines.find(lined)
                line_art = contours.line_art
            else:
                line_art = self._rendered_lines(frame, lined)
            painted_lines = line_art
            if taken is not None and lined is not None:
                line_art, painted_lines = self._with_inks(self._thinned(line_art, taken), taken)
                if self._lines is not None and contours is not None:
                    drawn = self._lines.draw(contours, painted_lines, flat, lined)
        strokes = None
        if self._strokes is not None and self._lines is not None and lined is not None:
            with self.context.stage(frame, "strokes"):
                islands = self._lines.islands.find(lined.geometry)
                strokes = find_strokes(lined.geometry, self._strokes, islands, self._hole_outlines)
        painted = Painted(flat, None, flat)
        if self._shade is not None and taken is not None:
            with self.context.stage(frame, "shade"):
                shaded = self._shade.make(flat, taken)
                painted = Painted(flat, shaded.tones, shaded.picture)
                self.context.writer.write("shade", frame, shaded.tones)
                traced = self._shade.trace(shaded, taken, line_art)
                self.context.writer.write("trace", frame, traced)
                if strokes is not None and self.context.config.lines.shade_border:
                    strokes = Strokes.joined([strokes, self._shade.borders(shaded, taken, line_art)])
        with self.context.stage(frame, "write pictures"):
            self.context.writer.write("flat", frame, flat)
            self.context.writer.write("contour", frame, line_art)
            if strokes is not None:
                self.context.writer.write("strokes", frame, strokes)
            if self._lines is not None and contours is not None:
                self._lines.write(frame, contours, (line_art, painted_lines), drawn, traced)
            ink = rgb(self.context.config.lines.color)
            colored = painted.colored
            shown = compose.draw_lines(colored, painted_lines, ink) if drawn is None else drawn.over(colored)
            self.context.writer.write("frame", frame, shown)
        return painted, shown

    def alone(
        self, flat: np.ndarray[Any, Any], taken: TakenFrame, instances: np.ndarray[Any, Any]
    ) -> tuple[Painted, np.ndarray[Any, Any]]:
        """The same of what a part of the frame shows, with nothing written.

        Args:
            flat: Its flat picture, ``(H, W, 3)`` uint8.
            taken: The frame, seen as if the rest were not there.
            instances: ``(I,)`` bool, which instances are that part.

        Returns:
            Its colours, and its line art, ``(H, W)`` uint8, but for strokes that the film draws itself: they are among
            the colours.
        """
        if self._lines is None:
            raise AssertionError("only lines of the engine geometry are known of a part of a frame")
        if self._paints:
            flat = self.paint_attributes(taken.geometry.frame, flat, taken.geometry, taken.seen, taken.surfaces)
        line_art = self._lines.find(self._without_inks(taken, instances)).line_art
        _, line_art = self._with_inks(self._thinned(line_art, taken), taken)
        if self._shade is None:
            return Painted(flat, None, flat), line_art
        shaded = self._shade.make(flat, taken)
        return Painted(flat, shaded.tones, shaded.picture), line_art

    def _without_inks(self, taken: TakenFrame, instances: np.ndarray[Any, Any] | None = None) -> TakenFrame:
        """The frame, or some of its instances, without the strokes that the film draws itself, as lines go by it."""
        if not self._inks:
            return taken
        bare = without_strokes(taken.geometry, self._inks)
        return replace(taken, geometry=bare, seen=raster.draw(bare, instances=instances))

    def _with_inks(
        self, line_art: np.ndarray[Any, Any], taken: TakenFrame
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The line art with these strokes, and that part of it which is painted in the colour of lines."""
        if not self._inks:
            return line_art, line_art
        return lay_strokes(line_art, stroke_pixels(taken.geometry, taken.seen, self._inks))

    def _thinned(self, line_art: np.ndarray[Any, Any], taken: TakenFrame) -> np.ndarray[Any, Any]:
        """The same with hair as fine as it is drawn."""
        if not self._hair_ids:
            return line_art
        is_hair = np.isin(taken.geometry.object_ids, self._hair_ids)
        return thin_hair_lines(line_art, taken.seen, is_hair, self.context.config.lines.thickness)

    def check_background(self, frame: int, flat: np.ndarray[Any, Any], seen: VisibilityBuffer) -> None:
        """A job in whose first picture with a background that has another colour than it should goes no further."""
        if not self._background_checked:
            color = rgb(linear_to_hex(self._renderer.backgrounds[self.context.film_frame(frame)]))
            self._background_checked = require_background(frame, flat, seen, color, versions.engine_name())

    def paint_attributes(
        self,
        frame: int,
        flat: np.ndarray[Any, Any],
        geometry: FrameGeometry,
        seen: VisibilityBuffer,
        surfaces: list[Surface | None],
    ) -> np.ndarray[Any, Any]:
        """The flat picture with the colours that vary, by what was read of its surfaces; the scene stands there."""
        with self.context.stage(frame, "attributes"):
            ids = companions.material_id_map(geometry, seen)
            return paint_attributes(flat, geometry, seen, ids, surfaces, self._painted)

    def _rendered_lines(self, frame: int, taken: TakenFrame | None) -> np.ndarray[Any, Any]:
        """Freestyle's strokes, and an outline as Workbench would draw it, which need not be rendered for that."""
        lines = self.context.config.lines
        white_render = self._renderer.strokes()
        if not self._freestyle_checked:
            self._check_freestyle(frame, white_render)
        if taken is None:
            return compose.harden(compose.contour(white_render, lines.gamma))
        if self._judges_strokes:
            reach = math.ceil(lines.thickness / 2.0)
            hidden = find_hidden_lines(
                taken.geometry, taken.seen, white_render, reach, lines.crease_angle, has_marks=self._has_marks
            )
            white_render = np.where(hidden, 255, white_render).astype(np.uint8)
        if self._covers_lines:
            white_render = self._cover_lines(white_render, taken)
        if lines.outline:
            white_render = np.minimum(white_render, compose.outline(taken.seen.instance))
        line_art = compose.harden(compose.contour(white_render, lines.gamma))
        if lines.outline and lines.intersections:
            line_art = compose.close_outlines(line_art, self._surfaces(taken), taken.seen.depth)
        return line_art

    def _cover_lines(self, strokes: np.ndarray[Any, Any], taken: TakenFrame) -> np.ndarray[Any, Any]:
        """Take the lines out that Freestyle draws through surfaces with holes, which it is not shown."""
        clipped = [self.context.names.materials.ids[name] for name in self.context.conversion.clipped.names()]
        covering = np.isin(companions.material_id_map(taken.geometry, taken.seen), clipped)
        reach = math.ceil(self.context.config.lines.thickness / 2.0)
        return compose.cover_lines(strokes, covering, taken.seen.depth, reach)

    def _surfaces(self, taken: TakenFrame) -> np.ndarray[Any, Any]:
        """A number for what each pixel shows, between which there must be a line."""
        surfaces = taken.seen.instance.astype(np.int64)
        if "material_boundary" in self.context.config.lines.edges:
            surfaces = surfaces << 16 | companions.material_id_map(taken.geometry, taken.seen)
        return surfaces

    def _check_freestyle(self, frame: int, strokes: np.ndarray[Any, Any]) -> None:
        """Freestyle can fail without a word; a job in whose first frame it draws nothing says so."""
        self._freestyle_checked = True
        require_paper(frame, strokes, versions.engine_name())
        if strokes.min() == 255:
            self.context.reporter.noticed(
                f"Freestyle drew no line in frame {frame}: look at the line art, and search the log for "
                "'interpretation failed'"
            )
