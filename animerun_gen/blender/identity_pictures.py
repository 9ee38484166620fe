"""Pictures in which every surface point is painted with its place in its own mesh as the film has it.

They exist to be held against the flow, which must lead from a colour to the same colour.  So they come from another
source than the flow does: from colours at the corners of faces, which Blender's modifiers and nodes hand on by
themselves, and from Workbench.  What the flow is made from (numbers of vertices, attributes of points, names of
instances) has no part in them.

A place is painted as a colour between the reserved ones: white, which Workbench paints where there are no colours
(curves, texts, metaballs, what nodes make anew, meshes that lost them), and black, which new faces have.  The cube of
places is turned another way for each mesh, so that hardly any point of one mesh has the colour of one of another.
Instances of one mesh look alike, and so do the copies that a modifier makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.color.srgb import srgb_to_linear
from animerun_gen.quality.identity import NO_PLACE, STEPS

NAME = "animerun_gen_place"
"""How the layer of colours is named."""

REACH = 0.375
"""Places are painted in colours at most so far from the middle of each channel's range, 0..1."""

WHITE = (1.0, 1.0, 1.0, 1.0)

_SLACK = 0.03
"""A channel may leave the range by so much where modifiers mix colours, and still stand for a place."""

_LARGEST = np.iinfo(np.uint16).max


class PlacePainter:
    """Paints meshes with the places of their points, as they are when it is made.

    The places are kept from then on: a script or a follower of the conversion may move a mesh's own vertices.  Colours
    are taken off again after each picture, because all that handles a mesh has to handle them, too.  But what is
    simulated goes another way once its mesh is changed under way (4.5.15): there they stay from the beginning.  Hair
    and particles are even thrown anew over a mesh that is changed at all, so what carries them is not painted; if it
    has colours of its own, they move with its points as well.

    Args:
        stays: Whether the colours stay on.
        unpainted: Full names of meshes on which no place can be told: those that are seen through holes, which
            Workbench does not know here, and those that are made anew in every frame.
    """

    def __init__(self, unpainted: Collection[str], *, stays: bool) -> None:
        self._stays = stays
        carrying = {
            obj.data.name_full
            for obj in bpy.data.objects
            if any(modifier.type == "PARTICLE_SYSTEM" for modifier in obj.modifiers)
        }
        self._places = {
            mesh.name_full: _white(mesh) if mesh.name_full in unpainted else _places(mesh)
            for mesh in bpy.data.meshes
            if len(mesh.loops) > 0 and mesh.name_full not in carrying
        }
        # in this colour Workbench paints what has no colours of its own; the conversion has stilled its animation
        for obj in bpy.data.objects:
            obj.color = WHITE
        if stays:
            for mesh in self._meshes():
                self._paint(mesh)

    def render(self, renderer: FrameRenderer) -> npt.NDArray[np.uint16]:
        """The current frame's identity picture.

        Args:
            renderer: Renders the converted scene.

        Returns:
            ``(H, W, 3)`` uint16, the place of each pixel in steps of :data:`~animerun_gen.quality.identity.STEPS`;
            :data:`~animerun_gen.quality.identity.NO_PLACE` in all channels where none can be told.
        """
        with nullcontext() if self._stays else self._painted():
            picture = _PLACES[renderer.vertex_colors()]
        picture[(picture == NO_PLACE).any(axis=2)] = NO_PLACE
        return picture

    @contextmanager
    def _painted(self) -> Iterator[None]:
        """Have all meshes painted while the body runs."""
        before = []
        try:
            for mesh in self._meshes():
                layers = mesh.color_attributes
                before.append((mesh, layers.active_color_index, layers.render_color_index))
                self._paint(mesh)
            yield
        finally:
            for mesh, active, rendered in before:
                layer = mesh.color_attributes.get(NAME)
                if layer is not None:
                    mesh.color_attributes.remove(layer)
                if active >= 0:
                    mesh.color_attributes.active_color_index = active
                if rendered >= 0:
                    mesh.color_attributes.render_color_index = rendered

    def _meshes(self) -> list[bpy.types.Mesh]:
        return [mesh for mesh in bpy.data.meshes if mesh.name_full in self._places]

    def _paint(self, mesh: bpy.types.Mesh) -> None:
        layers, places = mesh.color_attributes, self._places[mesh.name_full]
        layers.new(NAME, "FLOAT_COLOR", "CORNER")
        # a script may have made another mesh of it, which stays black
        if len(places) == len(mesh.vertices):
            corners = versions.corner_vertices(mesh)
            colors = np.ones((len(corners), 4), np.float32)
            colors[:, :3] = places[corners] / np.float32(_LARGEST)
            versions.write_values(layers[NAME].data, "color", colors)
        layers.active_color_index = layers.render_color_index = layers.find(NAME)


def _places_of_channels() -> npt.NDArray[np.uint16]:
    """What each value of a channel of a picture stands for, ``(65536,)`` uint16."""
    linear = srgb_to_linear(np.arange(_LARGEST + 1) / _LARGEST)
    told = np.abs(linear - 0.5) <= REACH + _SLACK
    return np.where(told, np.round(linear * STEPS), NO_PLACE).astype(np.uint16)


_PLACES = _places_of_channels()


def _places(mesh: bpy.types.Mesh) -> npt.NDArray[np.uint16]:
    """The colour of each vertex, ``(n, 3)`` uint16."""
    flat = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", flat)
    points = flat.reshape(-1, 3).astype(np.float64)
    least, most = points.min(axis=0), points.max(axis=0)
    size = max(float((most - least).max()), np.finfo(np.float32).tiny)
    turn = _rotation(mesh.name_full)
    turned = (points - (least + most) / 2.0) / size @ turn.T
    # so that the corners of the box just fit
    reach = float((np.abs(turn) @ ((most - least) / size / 2.0)).max())
    colors = 0.5 + REACH * turned / max(reach, np.finfo(np.float32).tiny)
    return np.round(_LARGEST * colors).astype(np.uint16)


def _white(mesh: bpy.types.Mesh) -> npt.NDArray[np.uint16]:
    return np.full((len(mesh.vertices), 3), _LARGEST, np.uint16)


def _rotation(name: str) -> npt.NDArray[np.float64]:
    """A rotation, ``(3, 3)``, as good as random, and the same in every process."""
    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    a, b, c, d = (parts := np.random.default_rng(seed).standard_normal(4)) / np.linalg.norm(parts)
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a - b * b + c * c - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a - b * b - c * c + d * d],
        ]
    )
