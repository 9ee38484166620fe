"""Brings what is to be known of a frame out of Blender: its flat picture, its geometry, and what is seen of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.blender.attribute_colors import SurfaceReader
from animerun_gen.blender.camera_files import TakenCameras, take_cameras
from animerun_gen.blender.camera_jumps import CameraJump, name_shot
from animerun_gen.blender.convert.surfaces import Surface
from animerun_gen.blender.geometry import evaluate, finish_evaluation, read_graph
from animerun_gen.blender.graphs import GraphWatch
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.key_light import read_light
from animerun_gen.blender.marked_edges import may_be_marked
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.blender.scene_size import scene_size
from animerun_gen.blender.vector_pass import VectorPassRenderer
from animerun_gen.engines.memory_cost import frame_need
from animerun_gen.engines.memory_guard import MemoryGuard
from animerun_gen.errors import NoRoomError, SceneError
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.shade.light import Light


@dataclass(frozen=True)
class ReadFrame:
    """What was read of a frame, before its pixels are looked at.

    Attributes:
        geometry: Its geometry.
        surfaces: What shaders may ask the geometry's instances, of which colours vary; empty where none does.
        cameras: Its cameras.
        light: The light that it is shaded by; None where it is not, and then its geometry has no normals.
    """

    geometry: FrameGeometry
    surfaces: list[Surface | None]
    cameras: TakenCameras
    light: Light | None = None


@dataclass(frozen=True)
class TakenFrame:
    """What was taken down of a frame.

    Attributes:
        geometry: Its geometry.
        seen: What its pixels show of it.
        surfaces: What shaders may ask the geometry's instances, of which colours vary; empty where none does.
        vectors: The Vector pass of Cycles, ``(H, W, 4)`` float32; None where nobody asks for it.
        cameras: Its cameras.
        light: The light that it is shaded by; None where it is not, and then its geometry has no normals.
        layers: What is seen of each layer alone, in the order of their numbers, by the instances of the whole geometry;
            empty where layers are not written.
    """

    geometry: FrameGeometry
    seen: VisibilityBuffer
    surfaces: list[Surface | None]
    vectors: npt.NDArray[np.float32] | None
    cameras: TakenCameras
    light: Light | None = None
    layers: tuple[VisibilityBuffer, ...] = ()

    def of_layer(self, number: int) -> TakenFrame:
        """The same frame as if nothing were before a layer: light is kept off it by the others all the same."""
        return replace(self, seen=self.layers[number])

    def without_normals(self) -> TakenFrame:
        """What is needed of it after its pictures are made: normals are a third of a heavy scene."""
        return replace(self, geometry=replace(self.geometry, normals=None))


class FrameReader:
    """Reads frames of a job, in order.

    Args:
        context: The job.
        renderer: Draws the flat pictures.
        jumps: Where cameras jump.
        graphs: Hands over the graphs that Blender evaluates for a picture.
        memory: Knows what there is.
        strokes: Whether Freestyle draws the lines.
        reads_surfaces: Whether colours vary with what shaders ask of surfaces.
        scratch: Folder for what the Vector pass renders.
    """

    def __init__(
        self,
        context: JobContext,
        renderer: FrameRenderer,
        jumps: list[CameraJump],
        graphs: GraphWatch,
        memory: MemoryGuard,
        *,
        strokes: bool,
        reads_surfaces: bool,
        scratch: Path,
    ) -> None:
        self.context = context
        self._renderer = renderer
        self._jumps = jumps
        self._graphs = graphs
        self._memory = memory
        self._strokes = strokes
        self._reads_surfaces = reads_surfaces
        lines = context.config.lines
        wants_marks = lines.engine == "geometry" and lines.freestyle and "edge_mark" in lines.edges
        self._marks = wants_marks and may_be_marked()
        creases = lines.freestyle and "crease" in lines.edges
        self._faces = lines.engine == "geometry" and (creases or lines.vector)
        self._last: FrameGeometry | None = None
        job = context.job
        self._most_kept = max(map(job.gap, job.pairs), default=0)
        self._most_held = 0 if context.timesheet is None else context.timesheet.most_at_once
        # the Vector pass knows no others
        self._neighbours = {frame for pair in job.pairs if job.gap(pair) == 1 for frame in pair}
        wants_vectors = job.cross_check or job.config.motion.backend == "cycles"
        self._vectors = VectorPassRenderer(context.opened, scratch) if wants_vectors and self._neighbours else None

    def render_flat(self, frame: int, with_geometry: bool) -> tuple[np.ndarray[Any, Any], ReadFrame | None]:
        """The flat picture, and the geometry, if it is wanted, from the graph that Blender evaluates for it."""
        found: list[ReadFrame] = []
        reading = 0.0

        def read(graph: Any) -> None:
            nonlocal reading
            finish_evaluation(graph)
            start = time.perf_counter()
            self.require_room(frame, graph, draws=True, reads=with_geometry)
            if with_geometry:
                found.append(self._read(graph, with_normals=self.context.config.style.shade.is_on))
            reading = time.perf_counter() - start

        self.context.reporter.begins(frame, "flat")
        start = time.perf_counter()
        with self._graphs.reading(read):
            flat = self._renderer.flat()
        self.context.reporter.took(frame, "flat", time.perf_counter() - start - reading)
        self.context.reporter.took(frame, "geometry", reading)
        return flat, found[0] if found else None

    def take_down(self, frame: int, *, with_normals: bool = False) -> ReadFrame:
        """The geometry of a frame whose flat picture is not wanted."""

        def read(graph: Any) -> ReadFrame:
            self.require_room(frame, graph, draws=False, reads=True)
            return self._read(graph, with_normals=with_normals)

        with self.context.stage(frame, "geometry"):
            return evaluate(self.context.opened.scene, read)

    def look_at(self, frame: int, read: ReadFrame) -> TakenFrame:
        geometry = read.geometry
        if geometry.frame != frame:
            raise SceneError(
                f"Blender evaluated frame {geometry.frame} when frame {frame} was to be rendered",
                remedy="run 'animerun-gen doctor'",
            )
        if self._last is not None:
            geometry = geometry.sharing(self._last)
        self._last = replace(geometry, normals=None)
        with self.context.stage(frame, "visibility"):
            seen = raster.draw(geometry)
        vectors = None
        if self._vectors is not None and frame in self._neighbours:
            with self.context.stage(frame, "vector pass"):
                vectors = self._vectors.render()
        return TakenFrame(geometry, seen, read.surfaces, vectors, read.cameras, read.light)

    def require_room(self, frame: int, graph: Any, *, draws: bool, reads: bool) -> None:
        """See whether what the frame will take fits into the memory, before it takes any of it."""
        width, height = self.context.config.resolution
        size = scene_size(graph, self.context.conversion.clipped)
        strokes = draws and self._strokes
        paints = frame in self.context.job.identity_pictures
        need = frame_need(
            size,
            width * height,
            draws=draws,
            reads=reads,
            strokes=strokes,
            kept=self._most_kept,
            paints=paints,
            shades=draws and self.context.config.style.shade.is_on,
            layers=0 if self.context.layers is None else len(self.context.layers.names),
            held=self._most_held,
        )
        try:
            self._memory.expect(frame, size, need)
        except NoRoomError as error:
            # Blender draws the picture it has begun to its end, for which there may be no room either
            self.context.reporter.failed(NoRoomError.__name__, str(error))
            raise

    def _read(self, graph: Any, *, with_normals: bool = False) -> ReadFrame:
        """The geometry of a frame; before and after it jumps, a camera counts as two."""
        surfaces = None
        if self._reads_surfaces:
            surfaces = SurfaceReader(self.context.conversion.colors, self.context.opened.scene.frame_current)
        geometry = name_shot(
            read_graph(
                graph,
                self.context.names,
                self.context.conversion.clipped,
                surfaces,
                with_normals=with_normals,
                with_marks=self._marks,
                with_faces=self._faces,
            ),
            self._jumps,
        )
        light = None
        if with_normals:
            key = self.context.conversion.key_light
            light = read_light(graph, geometry.camera, self.context.config, key)
        return ReadFrame(
            replace(geometry, frame=geometry.frame + self.context.config.frames.offset),
            surfaces.surfaces if surfaces is not None else [],
            take_cameras(graph, self.context.opened.film_cameras.get(geometry.frame)),
            light,
        )
