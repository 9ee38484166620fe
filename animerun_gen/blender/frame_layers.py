"""Makes what is written of each layer of a frame alone: its cel, its lines, its motion, and who hides whom.

The flat picture of the frame itself is put together from those of the layers, so that each cel has a clean edge, and
what is visible of it is the frame, to the pixel.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from animerun_gen.blender.frame_pictures import PictureMaker
from animerun_gen.blender.frame_reading import TakenFrame
from animerun_gen.blender.job_context import JobContext
from animerun_gen.blender.layer_groups import LayerGroups
from animerun_gen.blender.layer_painting import LayerPainter
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.srgb import linear_to_hex
from animerun_gen.dataset.layers import cel_of, lines_over
from animerun_gen.dataset.modalities import at_gap, modality
from animerun_gen.errors import SceneError
from animerun_gen.motion import companions
from animerun_gen.motion.amodal import find_amodal
from animerun_gen.motion.backdrop import BackgroundMotion
from animerun_gen.motion.counterparts import find_counterparts
from animerun_gen.motion.layers import SET, U8Array, cel_colors, draw_layer, layer_map, put_together
from animerun_gen.motion.pairs import pair_motion
from animerun_gen.motion.raster import BACKGROUND

MOST_OTHER = 0.005
"""Share of a frame's pixels that may look otherwise when its layers are drawn one by one.

Where surfaces end, Workbench and the visibility buffer round differently: 1 to 29 of 129,600 pixels were seen to.
"""

TOLERANCE = 1
"""So many of 255 a colour may be off before it counts as another one: Workbench computes with 11 bits."""


class LayerMaker:
    """Makes what is written of the layers of a job's frames.

    Args:
        context: The job.
        groups: Its layers.
        renderer: Draws the flat pictures.
        painter: Shows single layers to it.
    """

    def __init__(
        self, context: JobContext, groups: LayerGroups, renderer: FrameRenderer, painter: LayerPainter
    ) -> None:
        self.context = context
        self.groups = groups
        self._renderer = renderer
        self._painter = painter
        self._recolored = context.config.layers.passes
        self._objects = {number: name for name, number in context.names.objects.ids.items()}

    def write_names(self) -> None:
        """Write the tables of the objects' ids."""
        for name in self.groups.names:
            self.context.writer.write_names(f"object_id@{name}", self.context.names.object_table())
            if self._recolored:
                self.context.writer.write_names(f"material_id@{name}", self.context.names.material_table())

    def look_at(self, frame: int, taken: TakenFrame) -> TakenFrame:
        """The frame, and what is seen of each of its layers alone."""
        of_instance = self.groups.of_instances(taken.geometry)
        with self.context.stage(frame, "layers"):
            seen = tuple(draw_layer(taken.geometry, of_instance, number) for number in self._numbers)
        return TakenFrame(
            taken.geometry, taken.seen, taken.surfaces, taken.vectors, taken.cameras, taken.light, layers=seen
        )

    def make_pictures(self, frame: int, flat: U8Array, taken: TakenFrame, pictures: PictureMaker) -> None:
        """Write the pictures of a frame and of its layers.

        Args:
            frame: The frame.
            flat: Its flat picture, all layers drawn at once.
            taken: What was taken down of it.
            pictures: Makes the pictures of the frame.

        Raises:
            SceneError: The layers drawn one by one are not those of the picture.
        """
        painted = self.paint(frame, taken)
        shown = layer_map(taken.seen, self.groups.of_instances(taken.geometry))
        self._require_same(frame, flat, put_together(painted, shown), shown)
        self.write_pictures(frame, painted, taken, pictures)

    def paint(self, frame: int, taken: TakenFrame) -> list[U8Array]:
        """The flat pictures of the layers, each drawn alone, ``(H, W, 3)`` uint8."""
        found = []
        backdrop = self._backdrop(frame)
        for number, name in enumerate(self.groups.names):
            with self.context.stage(frame, "flat"), self._painter.showing([name]):
                colors, painted = self._renderer.flat_with_coverage()
            found.append(cel_colors(colors, painted, taken.layers[number], backdrop))
        return found

    def write_pictures(self, frame: int, painted: list[U8Array], taken: TakenFrame, pictures: PictureMaker) -> None:
        """Write the pictures of a frame, which is put together from its layers' flat pictures, and of the layers."""
        of_instance = self.groups.of_instances(taken.geometry)
        shown = layer_map(taken.seen, of_instance)
        whole, inked = pictures.make(frame, put_together(painted, shown), taken)
        self.context.writer.write("line_layer", frame, lines_over(whole.colored, inked))
        for number, name in enumerate(self.groups.names):
            with self.context.stage(frame, "layers"):
                alone, line_art = pictures.alone(painted[number], taken.of_layer(number), of_instance == number)
                # the shade of a region depends on its shape, of which the frame may show a part
                visible = shown == number
                covered = (taken.layers[number].instance != BACKGROUND) | (number == SET)
                alpha = np.where(covered, 255, 0).astype(np.uint8)
                self.context.writer.write(f"cel@{name}", frame, cel_of(alpha, visible, whole.colored, alone.colored))
                self.context.writer.write(f"contour@{name}", frame, line_art)
                if self._recolored and whole.tones is not None and alone.tones is not None:
                    # what the colours of the cel are in other colours is made from these
                    flat = np.where(covered[..., None], alone.flat, 0).astype(np.uint8)
                    self.context.writer.write(f"flat@{name}", frame, flat)
                    tones = np.where(visible, whole.tones, np.where(covered, alone.tones, 0)).astype(np.uint8)
                    self.context.writer.write(f"shade@{name}", frame, tones)

    def write_companions(self, frame: int, taken: TakenFrame) -> None:
        """Write what the geometry says of the layers of a frame."""
        of_instance = self.groups.of_instances(taken.geometry)
        writer, names = self.context.writer, self.groups.names
        shown = layer_map(taken.seen, of_instance)
        with self.context.stage(frame, "layers"):
            for number, name in enumerate(names):
                seen = taken.layers[number]
                writer.write(f"visible@{name}", frame, shown == number)
                writer.write(f"object_id@{name}", frame, companions.object_id_map(taken.geometry, seen))
                if self._recolored:
                    writer.write(f"material_id@{name}", frame, companions.material_id_map(taken.geometry, seen))
                if "depth" in self.context.config.motion.extras:
                    writer.write(f"depth@{name}", frame, companions.depth_map(seen))
            amodal = find_amodal(taken.geometry, taken.seen, of_instance, taken.layers, names, self._objects)
            writer.write("amodal", frame, amodal)

    def write_pair(self, earlier: TakenFrame, later: TakenFrame) -> None:
        """Write the motion of each layer between two frames, both ways."""
        gap = self.context.job.gap((earlier.geometry.frame, later.geometry.frame))
        with self.context.stage(earlier.geometry.frame, "layers"):
            for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
                twins = find_counterparts(source.geometry, target.geometry)
                for number, name in enumerate(self.groups.names):
                    background: BackgroundMotion = self.context.config.motion.background if number == SET else "invalid"
                    motion = pair_motion(source.geometry, source.layers[number], target.geometry, background, twins)
                    for what, value in (("flow", motion.flow), ("valid", motion.valid)):
                        kind = at_gap(modality(f"{what}_{direction}@{name}"), gap)
                        self.context.writer.write(kind.name, source.geometry.frame, value)

    @property
    def _numbers(self) -> Iterable[int]:
        return range(len(self.groups.names))

    def _backdrop(self, frame: int) -> tuple[int, int, int]:
        return rgb(linear_to_hex(self._renderer.backgrounds[self.context.film_frame(frame)]))

    def _require_same(self, frame: int, flat: U8Array, composed: U8Array, shown: U8Array) -> None:
        """Refuse layers that look otherwise alone than together: what of one shapes what is in another is not known."""
        differs = (np.abs(flat.astype(np.int16) - composed) > TOLERANCE).any(axis=2)
        count = int(np.count_nonzero(differs))
        if count <= MOST_OTHER * differs.size:
            return
        layer = self.groups.names[int(np.bincount(shown[differs]).argmax())]
        raise SceneError(
            f"the layers of frame {frame}, drawn one by one, differ from the whole picture at {count} pixels, "
            f"most of them of layer '{layer}'. Something of it depends on what is in another layer, such as a "
            "force field or a collider",
            remedy="put both into one layer in 'layers.groups'",
        )
