"""Runs one :class:`~animerun_gen.blender.job.RenderJob`: the sentence "open, convert, render, take down, write".

As a program (``python -m animerun_gen.blender.worker JOB EVENTS``) it reads the job from a file and writes events, one
JSON object a line, to a file descriptor that its parent opened.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.attribute_colors import SurfaceReader, paint_attributes
from animerun_gen.blender.camera_jumps import CameraJump, JumpFinder, name_shot, note_jumps
from animerun_gen.blender.convert import Conversion, convert_scene
from animerun_gen.blender.convert.hair import hair_objects
from animerun_gen.blender.convert.surfaces import Surface
from animerun_gen.blender.far_from_origin import note_distance
from animerun_gen.blender.geometry import (
    SceneNames,
    evaluate,
    finish_evaluation,
    geometry_engine,
    read_graph,
    scene_names,
)
from animerun_gen.blender.graphs import GraphWatch
from animerun_gen.blender.identity_pictures import PlacePainter
from animerun_gen.blender.job import Event, RenderJob, Reporter
from animerun_gen.blender.marked_edges import marked_meshes, note_marked_edges
from animerun_gen.blender.material_pictures import flat_colors, render_material_ids
from animerun_gen.blender.memory_guard import DESPITE_MEMORY, MemoryGuard
from animerun_gen.blender.opening import OpenedScene, open_scene
from animerun_gen.blender.picture_check import require_background, require_paper
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.blender.scene_size import scene_size
from animerun_gen.blender.stepping import FrameStepper
from animerun_gen.blender.vector_pass import VectorPassRenderer, abilities
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.srgb import linear_to_hex
from animerun_gen.config.model import FREESTYLE_ONLY
from animerun_gen.conventions import UNKNOWN_FLOW
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.files import refusal, write_image
from animerun_gen.dataset.modalities import at_gap, modality
from animerun_gen.dataset.tracks import Tracks
from animerun_gen.errors import AnimerunGenError, NoRoomError, SceneError, UnsupportedMotionError, unforeseen
from animerun_gen.lifetime import die_with_parent
from animerun_gen.lines import compose, contours
from animerun_gen.lines.hair_lines import thin_hair_lines
from animerun_gen.lines.hidden_lines import find_hidden_lines
from animerun_gen.memory_cost import frame_need
from animerun_gen.motion import companions, raster, tracks, vector_pass
from animerun_gen.motion.cross_check import compare_flows
from animerun_gen.motion.flow import Motion, compute_motion, exact_occlusion
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.islands import IslandFinder
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.pipeline.fence import Fence, RunOver, fence_of_parent
from animerun_gen.pipeline.paths import identity_picture, material_picture
from animerun_gen.threads import in_parallel


def run_job(job: RenderJob, reporter: Reporter, *, despite_memory: bool = False) -> None:
    """Make all files of a job, in the order of its frames.

    Args:
        job: What to make.
        reporter: Is told of every step.
        despite_memory: Whether frames are begun that are predicted not to fit into the memory.

    Raises:
        AnimerunGenError: The scene or the disk does not allow it; what was written until then is complete.
    """
    with tempfile.TemporaryDirectory(prefix="animerun-gen-") as scratch, geometry_engine():
        reporter.begins(job.config.frame_numbers[0], "opening the scene")
        film = job.config.in_film_numbers()
        opened = open_scene(film)
        finder = JumpFinder(opened, film)
        conversion = convert_scene(opened, film)
        jumps = finder.find(conversion.clipped, conversion.going_to(opened.scene))
        notes = [*opened.notes, *conversion.notes, *note_distance(opened, film, conversion)]
        notes += [*note_jumps(jumps, film), *note_marked_edges(job.config.lines)]
        reporter.opened(versions.engine_name(), notes, [job.config.source, *opened.inputs])
        with GraphWatch(opened.scene) as graphs:
            memory = MemoryGuard(reporter, insists=despite_memory)
            _Run(job, reporter, opened, conversion, jumps, graphs, memory, Path(scratch)).run()
    reporter.finished()


class _Run:
    """One job under way; it keeps what was taken down of a frame as long as a pair may need it."""

    def __init__(
        self,
        job: RenderJob,
        reporter: Reporter,
        opened: OpenedScene,
        conversion: Conversion,
        jumps: list[CameraJump],
        graphs: GraphWatch,
        memory: MemoryGuard,
        scratch: Path,
    ) -> None:
        self.job = job
        self.conversion = conversion
        self.jumps = jumps
        self.config = job.config
        self.reporter = reporter
        self.opened = opened
        self.graphs = graphs
        self.memory = memory
        self.stepper = FrameStepper(opened, conversion, job.config.frames.first)
        self.last_geometry: FrameGeometry | None = None
        self.names: SceneNames = scene_names()
        self.writer = ClipWriter(job.output, job.config.split, job.config.name)
        self.renderer = FrameRenderer(opened, job.config.in_film_numbers(), scratch, conversion.clipped)
        wants_vectors = job.cross_check or job.config.motion.backend == "cycles"
        # the Vector pass knows no others
        self.neighbours = {frame for pair in job.pairs if job.gap(pair) == 1 for frame in pair}
        self.vectors = VectorPassRenderer(opened, scratch) if wants_vectors and self.neighbours else None
        self.places: PlacePainter | None = None
        if job.identity_pictures:
            self.places = PlacePainter(conversion.clipped.uv_maps, stays=self.stepper.has_state)
        lines = job.config.lines
        self.drawn_contours = contours.ContourSettings.from_config(lines) if lines.engine == "geometry" else None
        self.islands = IslandFinder()
        has_strokes = lines.freestyle and self.drawn_contours is None
        self.freestyle_checked = not has_strokes
        self.background_checked = False
        # Freestyle knows no holes, so that lines behind surfaces with holes have to be taken out again
        self.covers_lines = has_strokes and len(conversion.clipped) > 0
        painted = conversion.colors.by_attributes
        self.painted = {self.names.materials.ids[name]: each for name, each in painted.items()}
        self.surfaces: list[Surface | None] = []
        # what depends on how a surface curves may be a line amid a face
        self.judges_strokes = has_strokes and not set(lines.edges) & set(FREESTYLE_ONLY)
        self.has_marks = "edge_mark" in lines.edges and bool(marked_meshes())
        self.hair_ids = [self.names.objects.ids[name] for name in hair_objects()]
        self.pictures_need_geometry = (
            self.drawn_contours is not None or lines.outline or has_strokes or bool(self.hair_ids) or bool(self.painted)
        )
        self.has_strokes = has_strokes
        self.most_kept = max(map(job.gap, job.pairs), default=0)

    def run(self) -> None:
        if "ids" in self.config.motion.extras:
            self.writer.write_names("object_id", self.names.object_table())
            self.writer.write_names("material_id", self.names.material_table())
        if self.job.pictures:
            self.writer.write_colors(
                flat_colors(self.renderer, self.conversion.colors, self.names.materials, self.config.frames.offset)
            )
        if self.job.tracks:
            self._make_tracks()
        frames = replace(self.job, tracks=False).frames
        if frames:
            self._make_frames(frames)

    def _make_frames(self, frames: tuple[int, ...]) -> None:
        """Everything that belongs to a frame or to a pair."""
        with_geometry = {*self.job.companions, *(frame for pair in self.job.pairs for frame in pair)}
        if self.pictures_need_geometry:
            with_geometry.update(self.job.pictures)
        # the first of the pictures is looked at: see picture_check
        with_geometry.update(self.job.pictures[:1])
        kept: dict[int, _Taken] = {}
        self._play_up_to(frames[0])
        for frame in frames:
            with self._stage(frame, "frame_set"):
                self._go_to(frame)
            if frame in self.job.pictures:
                flat, geometry = self._render_flat(frame, frame in with_geometry)
                if geometry is not None:
                    kept[frame] = self._look_at(frame, geometry)
                    self._check_background(frame, flat, kept[frame].seen)
                self._make_pictures(frame, flat, kept.get(frame))
            elif frame in with_geometry:
                kept[frame] = self._look_at(frame, self._take_down(frame))
            if frame in self.job.material_pictures:
                with self._stage(frame, "material ids"):
                    ids = render_material_ids(self.renderer, self.names.materials)
                    write_image(material_picture(self.job.output, self.config.name, frame), ids)
            if self.places is not None and frame in self.job.identity_pictures:
                with self._stage(frame, "identity picture"):
                    picture = self.places.render(self.renderer)
                    write_image(identity_picture(self.job.output, self.config.name, frame), picture)
            if frame in with_geometry:
                if frame in self.job.companions:
                    self._write_companions(frame, kept[frame])
                for earlier, later in self.job.pairs:
                    if later == frame:
                        self._write_motion(kept[earlier], kept[frame])
                needed = {earlier for earlier, later in self.job.pairs if later > frame}
                kept = {number: taken for number, taken in kept.items() if number in needed}
            self.reporter.frame_done(frame, self.graphs.evaluations)

    def _make_tracks(self) -> None:
        """The file of tracks: one visit to the frames in which points are chosen, and then one to every frame."""
        numbers, count, seed = self.config.frame_numbers, self.config.motion.tracks, self.config.seed
        found = []
        self._play_up_to(numbers[0])
        for frame in tracks.query_frames(numbers, count):
            with self._stage(frame, "frame_set"):
                self._go_to(frame)
            taken = self._look_at(frame, self._take_down(frame))
            with self._stage(frame, "tracks"):
                found.append(tracks.choose_points(taken.geometry, taken.seen, count, seed))
        following = tracks.Following(numbers, found, count, seed)
        self._play_up_to(numbers[0])
        for frame in numbers:
            with self._stage(frame, "frame_set"):
                self._go_to(frame)
            geometry = self._take_down(frame)
            with self._stage(frame, "tracks"):
                following.visit(geometry)
            if frame == numbers[-1]:
                self._write_tracks(frame, following.tracks())
            self.reporter.frame_done(frame)

    def _write_tracks(self, frame: int, made: Tracks) -> None:
        with self._stage(frame, "write tracks"):
            self.writer.write_tracks(made)
        if len(made.query_frame) < made.requested:
            self.reporter.noticed(
                f"only {len(made.query_frame)} of the {made.requested} points that motion.tracks asks for can be "
                "followed: the frames in which they are chosen show no more pixels of surfaces"
            )

    def _play_up_to(self, first: int) -> None:
        """Give simulations their history, which does not begin with the job's first frame."""
        if self.stepper.simulated:
            self.reporter.begins(first, "simulation")
        self.stepper.play_up_to(first - self.config.frames.offset)

    def _go_to(self, frame: int) -> None:
        """Bring the scene to a frame of the clip, which the film may number otherwise."""
        self.stepper.go_to(frame - self.config.frames.offset)

    def _render_flat(self, frame: int, with_geometry: bool) -> tuple[np.ndarray[Any, Any], FrameGeometry | None]:
        """The flat picture, and the geometry, if it is wanted, from the graph that Blender evaluates for it."""
        found: list[FrameGeometry] = []
        reading = 0.0

        def read(graph: Any) -> None:
            nonlocal reading
            finish_evaluation(graph)
            start = time.perf_counter()
            self._require_room(frame, graph, draws=True, reads=with_geometry)
            if with_geometry:
                found.append(self._read(graph))
            reading = time.perf_counter() - start

        self.reporter.begins(frame, "flat")
        start = time.perf_counter()
        with self.graphs.reading(read):
            flat = self.renderer.flat()
        self.reporter.took(frame, "flat", time.perf_counter() - start - reading)
        self.reporter.took(frame, "geometry", reading)
        return flat, found[0] if found else None

    def _require_room(self, frame: int, graph: Any, *, draws: bool, reads: bool) -> None:
        """See whether what the frame will take fits into the memory, before it takes any of it."""
        width, height = self.config.resolution
        size = scene_size(graph, self.conversion.clipped)
        strokes = draws and self.has_strokes
        paints = frame in self.job.identity_pictures
        need = frame_need(
            size, width * height, draws=draws, reads=reads, strokes=strokes, kept=self.most_kept, paints=paints
        )
        try:
            self.memory.expect(frame, size, need)
        except NoRoomError as error:
            # Blender draws the picture it has begun to its end, for which there may be no room either
            self.reporter.failed(NoRoomError.__name__, str(error))
            raise

    def _make_pictures(self, frame: int, flat: np.ndarray[Any, Any], taken: _Taken | None) -> None:
        if self.painted and taken is not None:
            with self._stage(frame, "attributes"):
                flat = self._paint_attributes(flat, taken)
        with self._stage(frame, "lines"):
            if self.drawn_contours is not None and taken is not None:
                islands = self.islands.find(taken.geometry)
                line_art = contours.draw_contours(taken.geometry, taken.seen, islands, self.drawn_contours)
            else:
                line_art = self._rendered_lines(frame, taken)
            if taken is not None and len(self.hair_ids):
                is_hair = np.isin(taken.geometry.object_ids, self.hair_ids)
                line_art = thin_hair_lines(line_art, taken.seen, is_hair, self.config.lines.thickness)
        with self._stage(frame, "write pictures"):
            self.writer.write("flat", frame, flat)
            self.writer.write("contour", frame, line_art)
            ink = rgb(self.config.lines.color)
            self.writer.write("frame", frame, compose.draw_lines(flat, line_art, ink))

    def _paint_attributes(self, flat: np.ndarray[Any, Any], taken: _Taken) -> np.ndarray[Any, Any]:
        """The flat picture with the colours that vary, by what was just read of the frame's surfaces."""
        ids = companions.material_id_map(taken.geometry, taken.seen)
        return paint_attributes(flat, taken.geometry, taken.seen, ids, self.surfaces, self.painted)

    def _rendered_lines(self, frame: int, taken: _Taken | None) -> np.ndarray[Any, Any]:
        """Freestyle's strokes, and an outline as Workbench would draw it, which need not be rendered for that."""
        lines = self.config.lines
        white_render = self.renderer.strokes()
        if not self.freestyle_checked:
            self._check_freestyle(frame, white_render)
        if taken is None:
            return compose.harden(compose.contour(white_render, lines.gamma))
        if self.judges_strokes:
            reach = math.ceil(lines.thickness / 2.0)
            hidden = find_hidden_lines(
                taken.geometry, taken.seen, white_render, reach, lines.crease_angle, has_marks=self.has_marks
            )
            white_render = np.where(hidden, 255, white_render).astype(np.uint8)
        if self.covers_lines:
            white_render = self._cover_lines(white_render, taken)
        if lines.outline:
            white_render = np.minimum(white_render, compose.outline(taken.seen.instance))
        line_art = compose.harden(compose.contour(white_render, lines.gamma))
        if lines.outline and lines.intersections:
            line_art = compose.close_outlines(line_art, self._surfaces(taken), taken.seen.depth)
        return line_art

    def _cover_lines(self, strokes: np.ndarray[Any, Any], taken: _Taken) -> np.ndarray[Any, Any]:
        """Take the lines out that Freestyle draws through surfaces with holes, which it is not shown."""
        clipped = [self.names.materials.ids[name] for name in self.conversion.clipped.names()]
        covering = np.isin(companions.material_id_map(taken.geometry, taken.seen), clipped)
        reach = math.ceil(self.config.lines.thickness / 2.0)
        return compose.cover_lines(strokes, covering, taken.seen.depth, reach)

    def _surfaces(self, taken: _Taken) -> np.ndarray[Any, Any]:
        """A number for what each pixel shows, between which there must be a line."""
        surfaces = taken.seen.instance.astype(np.int64)
        if "material_boundary" in self.config.lines.edges:
            surfaces = surfaces << 16 | companions.material_id_map(taken.geometry, taken.seen)
        return surfaces

    def _check_background(self, frame: int, flat: np.ndarray[Any, Any], seen: VisibilityBuffer) -> None:
        """A job in whose first picture with a background that has another colour than it should goes no further."""
        if not self.background_checked:
            color = rgb(linear_to_hex(self.renderer.backgrounds[frame - self.config.frames.offset]))
            self.background_checked = require_background(frame, flat, seen, color, versions.engine_name())

    def _check_freestyle(self, frame: int, strokes: np.ndarray[Any, Any]) -> None:
        """Freestyle can fail without a word; a job in whose first frame it draws nothing says so."""
        self.freestyle_checked = True
        require_paper(frame, strokes, versions.engine_name())
        if strokes.min() == 255:
            self.reporter.noticed(
                f"Freestyle drew no line in frame {frame}: look at the line art, and search the log for "
                "'interpretation failed'"
            )

    def _take_down(self, frame: int) -> FrameGeometry:
        """The geometry of a frame whose flat picture is not wanted."""

        def read(graph: Any) -> FrameGeometry:
            self._require_room(frame, graph, draws=False, reads=True)
            return self._read(graph)

        with self._stage(frame, "geometry"):
            return evaluate(self.opened.scene, read)

    def _read(self, graph: Any) -> FrameGeometry:
        """The geometry of a frame; before and after it jumps, a camera counts as two."""
        reader = None
        if self.painted:
            reader = SurfaceReader(self.conversion.colors, self.opened.scene.frame_current)
            self.surfaces = reader.surfaces
        geometry = name_shot(read_graph(graph, self.names, self.conversion.clipped, reader), self.jumps)
        return replace(geometry, frame=geometry.frame + self.config.frames.offset)

    def _look_at(self, frame: int, geometry: FrameGeometry) -> _Taken:
        if geometry.frame != frame:
            raise SceneError(f"Blender evaluated frame {geometry.frame} when frame {frame} was to be rendered.")
        if self.last_geometry is not None:
            geometry = geometry.sharing(self.last_geometry)
        self.last_geometry = geometry
        with self._stage(frame, "visibility"):
            seen = raster.draw(geometry)
        vectors = None
        if self.vectors is not None and frame in self.neighbours:
            with self._stage(frame, "vector pass"):
                vectors = self.vectors.render()
        return _Taken(geometry, seen, vectors)

    def _write_companions(self, frame: int, taken: _Taken) -> None:
        extras = self.config.motion.extras
        makers: dict[str, Callable[[], np.ndarray[Any, Any]]] = {}
        if "depth" in extras:
            makers["depth"] = lambda: companions.depth_map(taken.seen)
        if "normals" in extras:
            makers["normal"] = lambda: companions.normal_map(taken.geometry, taken.seen)
        if "ids" in extras:
            makers["object_id"] = lambda: companions.object_id_map(taken.geometry, taken.seen)
            makers["material_id"] = lambda: companions.material_id_map(taken.geometry, taken.seen)
        with self._stage(frame, "companions"):
            in_parallel(lambda name: self.writer.write(name, frame, makers[name]()), makers)

    def _write_motion(self, earlier: _Taken, later: _Taken) -> None:
        gap = self.job.gap((earlier.geometry.frame, later.geometry.frame))
        directions = (("forward", earlier, later), ("backward", later, earlier))
        with self._stage(earlier.geometry.frame, "motion"):
            computed = in_parallel(lambda direction: self._compute_motion(*direction[1:]), directions)
        found = []
        for (direction, source, target), (motion, occluded) in zip(directions, computed, strict=True):
            flow = self._other_backend(direction, source, target, motion) if gap == 1 else motion.flow
            made = {f"flow_{direction}": flow, f"valid_{direction}": motion.valid}
            if occluded is not None:
                made[f"exact_occlusion_{direction}"] = occluded
            found.append((source.geometry.frame, made))
        # a pair of which one direction is refused leaves nothing behind
        for frame, made in found:
            with self._stage(frame, "write motion"):
                for name, value in made.items():
                    self.writer.write(at_gap(modality(name), gap).name, frame, value)

    def _compute_motion(self, source: _Taken, target: _Taken) -> tuple[Motion, np.ndarray[Any, Any] | None]:
        motion = compute_motion(source.geometry, source.seen, target.geometry, self.config.motion.background)
        if "exact_occlusion" not in self.config.motion.extras:
            return motion, None
        return motion, exact_occlusion(motion, target.geometry)

    def _other_backend(self, direction: str, source: _Taken, target: _Taken, motion: Motion) -> np.ndarray[Any, Any]:
        """The flow to write; where the Vector pass takes part, after refusing what it gets wrong, or comparing."""
        if source.vectors is None:
            return motion.flow
        forward, backward = vector_pass.flows_from_vector_pass(source.vectors)
        vectors = forward if direction == "forward" else backward
        reasons = vector_pass.surface_problems(source.geometry, source.seen, target.geometry, abilities())
        if self.conversion.followers:
            reasons.append("this program moves parts of the scene itself (the camera, locks of hair), frame by frame")
        frame, other = source.geometry.frame, target.geometry.frame
        if self.job.cross_check:
            figures = compare_flows(motion, vectors, source.seen.instance != raster.BACKGROUND)
            self.reporter.cross_checked(frame, other, figures | {"vector_pass_problems": reasons})
        if self.config.motion.backend == "geometry":
            return motion.flow
        reasons += vector_pass.background_problems(source.seen, motion, self.config.motion.background)
        if reasons:
            raise UnsupportedMotionError(
                f"motion backend 'cycles' refuses frame {frame} to {other}: {'; '.join(reasons)}. "
                "Set motion.backend to 'geometry', which is exact there."
            )
        return np.where(motion.valid[..., None], vectors, UNKNOWN_FLOW).astype(np.float32)

    @contextmanager
    def _stage(self, frame: int, stage: str) -> Iterator[None]:
        self.reporter.begins(frame, stage)
        start = time.perf_counter()
        yield
        self.reporter.took(frame, stage, time.perf_counter() - start)


class _Taken:
    """What was taken down of a frame."""

    def __init__(self, geometry: FrameGeometry, seen: VisibilityBuffer, vectors: np.ndarray[Any, Any] | None) -> None:
        self.geometry = geometry
        self.seen = seen
        self.vectors = vectors


def main(arguments: list[str]) -> int:
    """Run the job in file ``arguments[0]``, reporting to file descriptor ``arguments[1]``; returns the exit status."""
    die_with_parent()
    events = os.fdopen(int(arguments[1]), "w", encoding="utf-8")
    fence: Fence | None = None

    def emit(event: Event) -> None:
        if fence is not None and not fence.is_up():
            # whoever would have to be told may not be listening any more
            os._exit(1)
        events.write(json.dumps(event) + "\n")
        events.flush()

    reporter = Reporter(emit)
    try:
        job = RenderJob.from_json(Path(arguments[0]).read_text(encoding="utf-8"))
        fence = fence_of_parent(job.output)
        with nullcontext() if fence is None else fence.inside():
            run_job(job, reporter, despite_memory=bool(os.environ.get(DESPITE_MEMORY)))
    except (RunOver, NoRoomError):
        # the latter was told when it was found
        return 1
    except AnimerunGenError as error:
        reporter.failed(type(error).__name__, str(error))
        return 1
    except MemoryError:
        reporter.failed("MemoryError", "this machine has too little memory for the scene; close other programs")
        return 1
    except OSError as error:
        traceback.print_exc()
        reporter.failed("OSError", f"the operating system refused to read or write: {refusal(error)}")
        return 1
    except Exception as error:
        traceback.print_exc()
        reporter.failed("InternalError", f"{unforeseen(error)}, with the log, which has its place")
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own exit handlers can hang or crash after everything is done
    os._exit(status)
