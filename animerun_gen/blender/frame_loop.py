"""Goes from frame to frame of a job, and has everything made of each that the job asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from animerun_gen.blender.camera_jumps import CameraJump
from animerun_gen.blender.film_frames import FilmFrames, FrameSource, U8Array
from animerun_gen.blender.frame_layers import LayerMaker
from animerun_gen.blender.frame_motion import MotionMaker
from animerun_gen.blender.frame_pictures import PictureMaker
from animerun_gen.blender.frame_reading import FrameReader, ReadFrame, TakenFrame
from animerun_gen.blender.graphs import GraphWatch
from animerun_gen.blender.held_frames import HeldFrames
from animerun_gen.blender.identity_pictures import PlacePainter
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.layer_painting import LayerPainter
from animerun_gen.blender.material_pictures import flat_colors
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
        stepper = FrameStepper(context.opened, conversion, job.config.frames.first)
        renderer = self._renderer = FrameRenderer(
            context.opened, job.config.in_film_numbers(), scratch, conversion.clipped
        )
        timesheet = context.timesheet
        self._pictures = PictureMaker(context, renderer, held=timesheet is not None)
        self._motion = MotionMaker(context)
        groups = context.layers if timesheet is None else timesheet.groups
        painter = None
        if groups is not None:
            alone = {frozenset({number}) for number in range(len(groups.names))}
            together = set() if timesheet is None else timesheet.drawn_together()
            # one for both, because each makes collections of its own
            painter = LayerPainter(context.opened, groups, alone if context.layers is not None else together)
        self._layers = None
        if context.layers is not None and painter is not None:
            self._layers = LayerMaker(context, context.layers, renderer, painter)
        self._reader = FrameReader(
            context,
            renderer,
            jumps,
            graphs,
            memory,
            strokes=self._pictures.strokes,
            reads_surfaces=self._pictures.paints_attributes,
            scratch=scratch,
        )
        places = None
        if job.identity_pictures:
            unpainted = {*conversion.clipped.uv_maps, *conversion.grease_pencil.meshes}
            places = PlacePainter(unpainted, stays=stepper.has_state)
        made_of = context, stepper, renderer, self._reader, places
        self._source: FrameSource = FilmFrames(*made_of)
        if timesheet is not None and painter is not None:
            self._source = HeldFrames(*made_of, self._pictures, timesheet, painter, graphs)

    def run(self) -> None:
        """Make all files of the job, in the order of its frames."""
        if "ids" in self.context.config.motion.extras:
            self.context.writer.write_names("object_id", self.context.names.object_table())
            self.context.writer.write_names("material_id", self.context.names.material_table())
        if self._layers is not None:
            self._layers.write_names()
        if self.context.job.pictures:
            self.context.writer.write_colors(
                flat_colors(
                    self._renderer,
                    self.context.conversion.colors,
                    self.context.names.materials,
                    self.context.config.frames.offset,
                    held=self.context.timesheet is not None,
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
        if self._source.needs_geometry:
            with_geometry.update(frames)
        kept: dict[int, TakenFrame] = {}
        self._source.begin(frames)
        for frame in frames:
            draws = frame in self.context.job.pictures
            read = self._source.visit(frame, draws=draws, reads=frame in with_geometry)
            if read is not None:
                kept[frame] = self._look_at(frame, read)
            taken = kept.get(frame)
            if draws:
                flat = self._source.flat(frame, taken)
                if taken is not None:
                    self._pictures.check_background(frame, flat, taken.seen)
                self._make_pictures(frame, flat, taken)
                if taken is not None:
                    kept[frame] = taken.without_normals()
            if frame in self.context.job.material_pictures:
                with self.context.stage(frame, "material ids"):
                    ids = self._source.material_ids(frame, taken)
                    write_image(material_picture(self.context.job.output, self.context.config.name, frame), ids)
            if frame in self.context.job.identity_pictures:
                with self.context.stage(frame, "identity picture"):
                    picture = self._source.identity_picture(frame, taken)
                    write_image(identity_picture(self.context.job.output, self.context.config.name, frame), picture)
            if frame in with_geometry:
                if frame in self.context.job.companions:
                    self._motion.write_companions(frame, kept[frame])
                    if self._layers is not None:
                        self._layers.write_companions(frame, kept[frame])
                for earlier, later in self.context.job.pairs:
                    if later == frame:
                        written = self._motion.write_pair(kept[earlier], kept[frame])
                        if written and self._layers is not None:
                            self._layers.write_pair(kept[earlier], kept[frame])
                needed = {earlier for earlier, later in self.context.job.pairs if later > frame}
                kept = {number: taken for number, taken in kept.items() if number in needed}
            self.context.reporter.frame_done(frame, self._graphs.evaluations)

    def _look_at(self, frame: int, read: ReadFrame) -> TakenFrame:
        """What is seen of a frame, and of each of its layers alone where these are written."""
        taken = self._reader.look_at(frame, read)
        return taken if self._layers is None else self._layers.look_at(frame, taken)

    def _make_pictures(self, frame: int, flat: U8Array, taken: TakenFrame | None) -> None:
        if self._layers is None or taken is None:
            self._pictures.make(frame, flat, taken)
        elif isinstance(self._source, HeldFrames):
            painted = self._source.layer_pictures(frame, taken)
            self._layers.write_pictures(frame, painted, taken, self._pictures)
        else:
            self._layers.make_pictures(frame, flat, taken, self._pictures)

    def _make_tracks(self) -> None:
        """The file of tracks: one visit to the frames in which points are chosen, and then one to every frame."""
        numbers, count, seed = (
            self.context.config.frame_numbers,
            self.context.config.motion.tracks,
            self.context.config.seed,
        )
        found = []
        queried = tracks.query_frames(numbers, count)
        self._source.begin(queried)
        for frame in queried:
            taken = self._reader.look_at(frame, self._geometry_of(frame))
            with self.context.stage(frame, "tracks"):
                found.append(tracks.choose_points(taken.geometry, taken.seen, count, seed))
        following = tracks.Following(numbers, found, count, seed)
        self._source.begin(numbers)
        for frame in numbers:
            geometry = self._geometry_of(frame).geometry
            with self.context.stage(frame, "tracks"):
                following.visit(geometry)
            if frame == numbers[-1]:
                self._motion.write_tracks(frame, following.tracks())
            self.context.reporter.frame_done(frame)

    def _geometry_of(self, frame: int) -> ReadFrame:
        read = self._source.visit(frame, draws=False, reads=True)
        if read is None:
            raise AssertionError("what was to be read was read")
        return read
