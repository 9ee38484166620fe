"""Goes from frame to frame of a job, and has everything made of each that the job asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from animerun_gen.blender.camera_jumps import CameraJump
from animerun_gen.blender.frame_motion import MotionMaker
from animerun_gen.blender.frame_pictures import PictureMaker
from animerun_gen.blender.frame_reading import FrameReader, TakenFrame
from animerun_gen.blender.graphs import GraphWatch
from animerun_gen.blender.identity_pictures import PlacePainter
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.material_pictures import flat_colors, render_material_ids
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.blender.stepping import FrameStepper
from animerun_gen.dataset.files import write_image
from animerun_gen.dataset.layout import identity_picture, material_picture
from animerun_gen.engines.memory_guard import MemoryGuard
from animerun_gen.motion import tracks


class FrameLoop:
    """One job under way; it keeps what was taken down of a frame as long as a pair may need it.

    Args:
        context: The job.
        jumps: Where cameras jump.
        graphs: Hands over the graphs that Blender evaluates for a picture.
        memory: Knows what there is.
        scratch: Folder for what Blender renders until it is read.
    """

    def __init__(
        self, context: JobContext, jumps: list[CameraJump], graphs: GraphWatch, memory: MemoryGuard, scratch: Path
    ) -> None:
        self.context = context
        self._graphs = graphs
        job, conversion = context.job, context.conversion
        self._stepper = FrameStepper(context.opened, conversion, job.config.frames.first)
        self._renderer = FrameRenderer(context.opened, job.config.in_film_numbers(), scratch, conversion.clipped)
        self._pictures = PictureMaker(context, self._renderer)
        self._motion = MotionMaker(context)
        self._reader = FrameReader(
            context,
            self._renderer,
            jumps,
            graphs,
            memory,
            strokes=self._pictures.strokes,
            reads_surfaces=self._pictures.paints_attributes,
            scratch=scratch,
        )
        self._places: PlacePainter | None = None
        if job.identity_pictures:
            unpainted = {*conversion.clipped.uv_maps, *conversion.grease_pencil.meshes}
            self._places = PlacePainter(unpainted, stays=self._stepper.has_state)

    def run(self) -> None:
        """Make all files of the job, in the order of its frames."""
        if "ids" in self.context.config.motion.extras:
            self.context.writer.write_names("object_id", self.context.names.object_table())
            self.context.writer.write_names("material_id", self.context.names.material_table())
        if self.context.job.pictures:
            self.context.writer.write_colors(
                flat_colors(
                    self._renderer,
                    self.context.conversion.colors,
                    self.context.names.materials,
                    self.context.config.frames.offset,
                )
            )
        if self.context.job.tracks:
            self._make_tracks()
        frames = replace(self.context.job, tracks=False).frames
        if frames:
            self._make_frames(frames)

    def _make_frames(self, frames: tuple[int, ...]) -> None:
        """Everything that belongs to a frame or to a pair."""
        with_geometry = {*self.context.job.companions, *(frame for pair in self.context.job.pairs for frame in pair)}
        if self._pictures.needs_geometry:
            with_geometry.update(self.context.job.pictures)
        # the first of the pictures is looked at: see picture_check
        with_geometry.update(self.context.job.pictures[:1])
        kept: dict[int, TakenFrame] = {}
        self._play_up_to(frames[0])
        for frame in frames:
            with self.context.stage(frame, "frame_set"):
                self._go_to(frame)
            if frame in self.context.job.pictures:
                flat, geometry = self._reader.render_flat(frame, frame in with_geometry)
                if geometry is not None:
                    kept[frame] = self._reader.look_at(frame, geometry)
                    self._pictures.check_background(frame, flat, kept[frame].seen)
                self._pictures.make(frame, flat, kept.get(frame))
                if frame in kept:
                    kept[frame] = kept[frame].without_normals()
            elif frame in with_geometry:
                kept[frame] = self._reader.look_at(frame, self._reader.take_down(frame))
            if frame in self.context.job.material_pictures:
                with self.context.stage(frame, "material ids"):
                    ids = render_material_ids(self._renderer, self.context.names.materials)
                    write_image(material_picture(self.context.job.output, self.context.config.name, frame), ids)
            if self._places is not None and frame in self.context.job.identity_pictures:
                with self.context.stage(frame, "identity picture"):
                    picture = self._places.render(self._renderer)
                    write_image(identity_picture(self.context.job.output, self.context.config.name, frame), picture)
            if frame in with_geometry:
                if frame in self.context.job.companions:
                    self._motion.write_companions(frame, kept[frame])
                for earlier, later in self.context.job.pairs:
                    if later == frame:
                        self._motion.write_pair(kept[earlier], kept[frame])
                needed = {earlier for earlier, later in self.context.job.pairs if later > frame}
                kept = {number: taken for number, taken in kept.items() if number in needed}
            self.context.reporter.frame_done(frame, self._graphs.evaluations)

    def _make_tracks(self) -> None:
        """The file of tracks: one visit to the frames in which points are chosen, and then one to every frame."""
        numbers, count, seed = (
            self.context.config.frame_numbers,
            self.context.config.motion.tracks,
            self.context.config.seed,
        )
        found = []
        self._play_up_to(numbers[0])
        for frame in tracks.query_frames(numbers, count):
            with self.context.stage(frame, "frame_set"):
                self._go_to(frame)
            taken = self._reader.look_at(frame, self._reader.take_down(frame))
            with self.context.stage(frame, "tracks"):
                found.append(tracks.choose_points(taken.geometry, taken.seen, count, seed))
        following = tracks.Following(numbers, found, count, seed)
        self._play_up_to(numbers[0])
        for frame in numbers:
            with self.context.stage(frame, "frame_set"):
                self._go_to(frame)
            geometry = self._reader.take_down(frame)
            with self.context.stage(frame, "tracks"):
                following.visit(geometry)
            if frame == numbers[-1]:
                self._motion.write_tracks(frame, following.tracks())
            self.context.reporter.frame_done(frame)

    def _play_up_to(self, first: int) -> None:
        """Give simulations their history, which does not begin with the job's first frame."""
        if self._stepper.simulated:
            self.context.reporter.begins(first, "simulation")
        self._stepper.play_up_to(self.context.film_frame(first))

    def _go_to(self, frame: int) -> None:
        """Bring the scene to a frame of the clip, which the film may number otherwise."""
        self._stepper.go_to(self.context.film_frame(frame))
