"""Where the frames of a job come from when layers are held: put together from several frames of the film.

A frame of the clip visits every frame of the film that one of its layers shows.  There the geometry is taken down, and
the layers that stand still at it are drawn, seen by the camera of the clip's frame.  Geometry is put together first;
then each pixel of a picture is taken from the drawing of the layer that is seen there.

A scene without a history is gone back to where that is needed.  One with simulations, or with scripts that follow the
frames, can only be played forwards: it is played once for the cameras alone, and then each frame of the film is visited
once, where everything is drawn that a later frame of the clip will show of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.blender.baked_camera import BakedCamera, CameraView, require_same, require_view, view_in
from animerun_gen.blender.convert.world import LinearColor
from animerun_gen.blender.film_frames import U8Array
from animerun_gen.blender.frame_pictures import PictureMaker
from animerun_gen.blender.frame_reading import FrameReader, ReadFrame, TakenFrame
from animerun_gen.blender.geometry import finish_evaluation
from animerun_gen.blender.graphs import GraphReader, GraphWatch
from animerun_gen.blender.identity_pictures import PlacePainter
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.layer_painting import LayerPainter
from animerun_gen.blender.material_pictures import render_material_ids
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.blender.stepping import FrameStepper
from animerun_gen.blender.timesheet import Timesheet
from animerun_gen.errors import SceneError
from animerun_gen.motion import raster
from animerun_gen.motion.companions import BACKGROUND_ID
from animerun_gen.motion.held_layers import HeldPart, compose_layers
from animerun_gen.motion.layers import cel_colors
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.quality.identity import NO_PLACE

COLORS, PAINTED, MATERIAL_IDS, PLACES = "colors", "painted", "material ids", "places"
"""Pictures of a drawing: ``(H, W, 3)`` uint8, ``(H, W)`` bool (where a surface was drawn), ``(H, W)`` uint16, and
``(H, W, 3)`` uint16, as an identity picture has them."""


@dataclass(frozen=True)
class _Wanted:
    """What is to be drawn.

    Attributes:
        layers: Numbers of the layers.
        view: The camera.
        kinds: Which pictures.
    """

    layers: frozenset[int]
    view: CameraView
    kinds: frozenset[str]


@dataclass(frozen=True)
class _Drawing:
    """Layers of one frame of the film, seen by one camera.

    Attributes:
        wanted: What was to be drawn.
        pictures: The pictures, by kind.
    """

    wanted: _Wanted
    pictures: Mapping[str, npt.NDArray[Any]]

    def serves(self, wanted: _Wanted) -> bool:
        """Whether it is what is wanted again."""
        mine = self.wanted
        return mine.layers == wanted.layers and mine.view == wanted.view and mine.kinds >= wanted.kinds


class HeldFrames:
    """Frames that are put together from layers of several frames of the film.

    Args:
        context: The job.
        stepper: Brings the scene to a frame.
        renderer: Draws it.
        reader: Reads it.
        places: Draws identity pictures, where the job asks for them.
        pictures: Knows what colours vary.
        timesheet: What each layer shows.
        painter: Shows layers alone.
        graphs: Hands over the graphs that Blender evaluates for a picture.
    """

    needs_geometry = True

    def __init__(
        self,
        context: JobContext,
        stepper: FrameStepper,
        renderer: FrameRenderer,
        reader: FrameReader,
        places: PlacePainter | None,
        pictures: PictureMaker,
        timesheet: Timesheet,
        painter: LayerPainter,
        graphs: GraphWatch,
    ) -> None:
        self.context = context
        self._timesheet = timesheet
        self._painter = painter
        self._stepper = stepper
        self._renderer = renderer
        self._reader = reader
        self._pictures = pictures
        self._places = places
        self._graphs = graphs
        self._camera = BakedCamera(context.opened.scene)
        self._with_normals = context.config.style.shade.is_on and bool(context.job.pictures)
        self._backdrops: dict[LinearColor, U8Array] = {}
        self._clear(())

    def _clear(self, frames: Sequence[int]) -> None:
        self._frames = tuple(self.context.film_frame(frame) for frame in frames)
        self._read: dict[int, ReadFrame] = {}
        self._views: dict[int, CameraView] = {}
        self._drawings: dict[int, list[_Drawing]] = {}
        self._latest: dict[tuple[int, frozenset[int]], _Drawing] = {}
        # ascending, so that the last frame that shows one counts
        self._last_shown = {there: frame for frame in self._frames for there in self._timesheet.of(frame)}
        self._to_visit = sorted(self._last_shown)

    def begin(self, frames: Sequence[int]) -> None:
        self._clear(frames)
        if not self._stepper.has_state:
            return
        self._require_forwards()
        if self._stepper.simulated:
            self.context.reporter.begins(frames[0], "simulation")
        if any(len(self._timesheet.of(frame)) > 1 for frame in self._frames):
            self._stepper.play_up_to(self._frames[0])
            for frame in self._frames:
                self._stepper.go_to(frame)
                self._views[frame] = self._view_now()
        self._stepper.play_up_to(self._to_visit[0])

    def _view_now(self) -> CameraView:
        """The camera's view where the scene was played to."""
        return view_in(self.context.opened.view_layer.depsgraph)

    def _require_forwards(self) -> None:
        """A scene with a history is not played backwards.

        Raises:
            SceneError: A layer shows what is still to come.
        """
        for frame in self._frames:
            ahead = max(self._timesheet.of(frame))
            if ahead > frame:
                raise SceneError(
                    f"timing shows film frame {ahead} in frame {frame}, ahead of it, but the film has "
                    "simulations or scripts that can only be played forwards",
                    remedy="bake the simulations in Blender, or list no later frame",
                )

    def visit(self, frame: int, *, draws: bool, reads: bool) -> ReadFrame | None:
        now = self.context.film_frame(frame)
        if self._stepper.has_state:
            while self._to_visit and self._to_visit[0] <= now:
                there = self._to_visit.pop(0)
                self._go_to(frame, there)
                # from where it was found for the others, so that no picture depends on what else is made
                self._views.setdefault(there, self._view_now())
                self._take_down(frame, there)
                for later in self._frames:
                    if now <= later <= self._last_shown[there] and there in self._timesheet.of(later):
                        self._draw(later, there)
        else:
            # its own frame first, whose camera films the others
            for there in sorted(self._timesheet.of(now), key=lambda each: (each != now, each)):
                self._visit_again(frame, now, there)
        read = self._put_together(frame, now)
        self._forget(now)
        return read

    def _visit_again(self, frame: int, now: int, there: int) -> None:
        """Go to a frame of the film, if anything of it is not there already."""
        stands = there not in self._read
        if stands:
            self._go_to(frame, there)
            self._take_down(frame, there)
        if not stands and not all(self._known(now, there, wanted) for wanted in self._wanted(now, there)):
            self._go_to(frame, there)
        self._draw(now, there)

    def _go_to(self, frame: int, there: int) -> None:
        with self.context.stage(frame, "frame_set"):
            self._stepper.go_to(there)

    def _take_down(self, frame: int, there: int) -> None:
        """Read the frame of the film at which the scene stands."""
        number = there + self.context.config.frames.offset
        read = self._reader.take_down(number, with_normals=self._with_normals)
        if read.geometry.frame != number:
            raise SceneError(
                f"Blender evaluated frame {read.geometry.frame} when frame {number} was to be taken down",
                remedy="run 'animerun-gen doctor'",
            )
        if self._read:
            shared = read.geometry.sharing(next(reversed(self._read.values())).geometry)
            read = replace(read, geometry=shared)
        self._read[there] = read
        if there in self._views:
            require_same(read.geometry.camera, self._views[there].camera)
        self._views.setdefault(there, _view_of(read))

    def _wanted(self, frame: int, there: int) -> list[_Wanted]:
        """What a frame of the clip shows of a frame of the film: what is held in the world, and on the screen."""
        job, number = self.context.job, frame + self.context.config.frames.offset
        pictures = {
            COLORS: number in job.pictures,
            PAINTED: number in job.pictures,
            MATERIAL_IDS: number in job.material_pictures,
            PLACES: number in job.identity_pictures,
        }
        kinds = frozenset(kind for kind, is_wanted in pictures.items() if is_wanted)
        if not kinds:
            return []
        in_world, on_screen = self._timesheet.layers_of(frame, there)
        found = [_Wanted(layers, self._views[frame], kinds) for layers in self._drawn_at_once(in_world)]
        if on_screen:
            view = _view_of(self._read[there]).clipped_as(self._views[frame])
            found += [_Wanted(layers, view, kinds) for layers in self._drawn_at_once(on_screen)]
        return found

    def _drawn_at_once(self, layers: frozenset[int]) -> list[frozenset[int]]:
        """Layers that stand still at the same frame, seen by the same camera, unless each is to be written alone."""
        if self.context.layers is not None:
            return [frozenset({layer}) for layer in sorted(layers)]
        return [layers] if layers else []

    def _known(self, frame: int, there: int, wanted: _Wanted) -> _Drawing | None:
        """The drawing that was last made of the same, if it serves."""
        latest = self._latest.get((there, wanted.layers))
        return latest if latest is not None and latest.serves(wanted) else None

    def _draw(self, frame: int, there: int) -> None:
        """Draw what a frame of the clip shows of the frame of the film at which the scene stands."""
        for wanted in self._wanted(frame, there):
            drawing = self._known(frame, there, wanted) or self._drawn(frame, there, wanted)
            self._drawings.setdefault(frame, []).append(drawing)
            self._latest[there, wanted.layers] = drawing

    def _drawn(self, frame: int, there: int, wanted: _Wanted) -> _Drawing:
        number = frame + self.context.config.frames.offset
        names = [self._timesheet.groups.names[layer] for layer in sorted(wanted.layers)]
        pictures: dict[str, npt.NDArray[Any]] = {}
        with self._camera.filming(wanted.view), self._painter.showing(names):
            if COLORS in wanted.kinds:
                with self.context.stage(number, "flat"), self._graphs.reading(self._before_drawing(number, wanted)):
                    pictures[COLORS], pictures[PAINTED] = self._renderer.flat_with_coverage()
            if MATERIAL_IDS in wanted.kinds:
                with self.context.stage(number, "material ids"):
                    pictures[MATERIAL_IDS] = render_material_ids(self._renderer, self.context.names.materials)
            if PLACES in wanted.kinds and self._places is not None:
                with self.context.stage(number, "identity picture"):
                    pictures[PLACES] = self._places.render(self._renderer)
        if COLORS in wanted.kinds and self._pictures.paints_attributes:
            pictures[COLORS] = self._with_attributes(frame, there, wanted, pictures[COLORS])
        return _Drawing(wanted, pictures)

    def _before_drawing(self, number: int, wanted: _Wanted) -> GraphReader:
        def look(graph: Any) -> None:
            finish_evaluation(graph)
            self._reader.require_room(number, graph, draws=True, reads=True)
            require_view(graph, wanted.view)

        return look

    def _with_attributes(self, frame: int, there: int, wanted: _Wanted, colors: U8Array) -> U8Array:
        """The colours with those that vary, as they are in the frame of the film."""
        number, read = frame + self.context.config.frames.offset, self._read[there]
        part = self._part(frame, there, wanted.layers)
        composed = compose_layers(number, self._views[frame].camera, [part])
        surfaces = [read.surfaces[instance] for instance in composed.instance]
        seen = raster.draw(composed.geometry)
        return self._pictures.paint_attributes(number, colors, composed.geometry, seen, surfaces)

    def _part(self, frame: int, there: int, layers: frozenset[int]) -> HeldPart:
        """The instances of layers that a frame of the clip shows as they are at a frame of the film."""
        geometry = self._read[there].geometry
        layer = self._timesheet.groups.of_instances(geometry)
        _, on_screen = self._timesheet.layers_of(frame, there)
        chosen = np.isin(layer, sorted(layers))
        return HeldPart(geometry, chosen, chosen & np.isin(layer, sorted(on_screen)))

    def _put_together(self, frame: int, now: int) -> ReadFrame:
        own = self._read[now]
        order = sorted(self._timesheet.of(now))
        with self.context.stage(frame, "layers"):
            parts = [
                self._part(now, there, frozenset().union(*self._timesheet.layers_of(now, there))) for there in order
            ]
            composed = compose_layers(frame, own.geometry.camera, parts)
        surfaces = []
        if own.surfaces:
            read = [self._read[there].surfaces for there in order]
            surfaces = [read[part][at] for part, at in zip(composed.part, composed.instance, strict=True)]
        return ReadFrame(composed.geometry, surfaces, own.cameras, own.light)

    def _forget(self, now: int) -> None:
        """Keep nothing that no later frame of the clip shows."""
        self._read = {there: read for there, read in self._read.items() if self._last_shown[there] > now}
        self._latest = {key: drawing for key, drawing in self._latest.items() if self._last_shown[key[0]] > now}
        self._drawings = {frame: drawn for frame, drawn in self._drawings.items() if frame >= now}

    def flat(self, frame: int, taken: TakenFrame | None) -> U8Array:
        flat = self._backdrop(self.context.film_frame(frame)).copy()
        for pictures, seen in self._pieces(frame, taken):
            covered = seen.instance != raster.BACKGROUND
            flat[covered] = cel_colors(pictures[COLORS], pictures[PAINTED], seen, (0, 0, 0))[covered]
        return flat

    def layer_pictures(self, frame: int, taken: TakenFrame) -> list[U8Array]:
        """The flat pictures of all layers, each alone, on the frame's background; a cut that writes layers has them."""
        backdrop = self._backdrop(self.context.film_frame(frame))
        found = [backdrop] * len(self._timesheet.groups.names)
        for drawing in self._drawings[self.context.film_frame(frame)]:
            (layer,) = drawing.wanted.layers
            seen = taken.layers[layer]
            found[layer] = np.where(
                (seen.instance != raster.BACKGROUND)[..., None],
                cel_colors(drawing.pictures[COLORS], drawing.pictures[PAINTED], seen, (0, 0, 0)),
                backdrop,
            )
        return found

    def material_ids(self, frame: int, taken: TakenFrame | None) -> npt.NDArray[np.uint16]:
        width, height = self.context.config.resolution
        ids = np.full((height, width), BACKGROUND_ID, np.uint16)
        for pictures, seen in self._pieces(frame, taken):
            covered = seen.instance != raster.BACKGROUND
            ids[covered] = pictures[MATERIAL_IDS][covered]
        return ids

    def identity_picture(self, frame: int, taken: TakenFrame | None) -> npt.NDArray[np.uint16]:
        width, height = self.context.config.resolution
        places = np.full((height, width, 3), NO_PLACE, np.uint16)
        for pictures, seen in self._pieces(frame, taken):
            covered = seen.instance != raster.BACKGROUND
            places[covered] = pictures[PLACES][covered]
        return places

    def _pieces(
        self, frame: int, taken: TakenFrame | None
    ) -> Iterator[tuple[Mapping[str, npt.NDArray[Any]], VisibilityBuffer]]:
        """The drawings of a frame, each with what is seen of its layers where no other layer hides them."""
        if taken is None:
            raise AssertionError("a frame that is put together is read before it is drawn")
        groups, seen = self._timesheet.groups, taken.seen
        # the last entry is that of instance -1, the background
        layer = np.append(groups.of_instances(taken.geometry).astype(np.int64), -1)[seen.instance]
        for drawing in self._drawings[self.context.film_frame(frame)]:
            is_here = np.isin(layer, sorted(drawing.wanted.layers))
            yield drawing.pictures, replace(seen, instance=np.where(is_here, seen.instance, raster.BACKGROUND))

    def _backdrop(self, film_frame: int) -> U8Array:
        """The picture of a frame in which no surface is."""
        color = self._renderer.backgrounds[film_frame]
        if color not in self._backdrops:
            with self._painter.showing(()):
                self._backdrops[color] = self._renderer.backdrop(film_frame)
        return self._backdrops[color]


def _view_of(read: ReadFrame) -> CameraView:
    return CameraView(read.geometry.camera, read.cameras.filming.blender)
