"""Materials with holes: the images through which Workbench paints them, and the masks by which labels know them.

Workbench leaves out what is see-through in an image, and only where it paints images (``TEXTURE``; 3.4.1 and 4.5.15),
so a clipped material is always painted by an image of its own: its colours, and the mask as alpha.  Texels are not
mixed, so that Workbench and the labels find the same texel at a point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.texture_coordinates import TextureCoordinates
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.srgb import hex_to_linear
from animerun_gen.motion import geometry
from animerun_gen.motion.geometry import Masks

NO_MASK = -1
"""Number of the mask of a material without holes."""

EXTENSIONS = {
    "REPEAT": geometry.REPEAT,
    "EXTEND": geometry.EXTEND,
    "CLIP": geometry.CLIP,
    "MIRROR": geometry.MIRROR,
}


@dataclass
class _Clipped:
    """One clipped material.

    Attributes:
        mask: Number of its mask.
        opacity: ``(H, W)`` uint8, how opaque the texels of its own image are.
        coordinates: How its own image lies on the surface.
        node: The active image node, by which Workbench paints it.
        is_picture: Whether that has more than one colour.
        by_frame: Where its image is a sequence or a movie, mask and opacity in each frame of the clip.
    """

    mask: int
    opacity: npt.NDArray[np.uint8]
    coordinates: TextureCoordinates
    node: bpy.types.Node
    is_picture: bool = False
    by_frame: dict[int, tuple[int, npt.NDArray[np.uint8]]] = field(default_factory=dict)


class ClippedMaterials:
    """All clipped materials of a cut.

    Attributes:
        uv_maps: The UV map that each mesh (by its full name) with clipped materials is painted by.
    """

    def __init__(self) -> None:
        self.uv_maps: dict[str, str] = {}
        self._materials: dict[str, _Clipped] = {}
        self._holes: list[npt.NDArray[np.bool_]] = []
        self._extensions: list[str] = []
        self._numbers: dict[bytes, int] = {}
        self._plain: dict[tuple[int, str], bpy.types.Image] = {}
        self._masks: Masks | None = None

    def __len__(self) -> int:
        return len(self._materials)

    def __contains__(self, material: bpy.types.Material) -> bool:
        return material.name_full in self._materials

    def names(self) -> list[str]:
        """Full names of the clipped materials, in order."""
        return sorted(self._materials)

    def add(
        self,
        material: bpy.types.Material,
        holes: npt.NDArray[np.bool_],
        opacity: npt.NDArray[np.uint8],
        coordinates: TextureCoordinates,
    ) -> None:
        """Have a material clipped; it shows nothing until it is painted.

        Args:
            material: The material.
            holes: ``(h, w)`` bool, what is a hole on the unit square of its UV map, lowest row first.
            opacity: ``(H, W)`` uint8, how opaque the texels of its own image are.
            coordinates: How its own image lies on the surface.
        """
        # beyond the unit square a plain image goes on as it did; what was laid out anew is periodic or ends there
        extension = coordinates.extension if coordinates.is_plain or coordinates.is_periodic else "EXTEND"
        number = self._number(holes, extension)
        versions.give_nodes(material)
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.label = "animerun-gen holes"
        node.interpolation = "Closest"
        node.extension = extension
        material.node_tree.nodes.active = node
        self._materials[material.name_full] = _Clipped(number, opacity, coordinates, node)

    def add_frames(
        self, material: bpy.types.Material, frames: Mapping[int, tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]]
    ) -> None:
        """Have the holes of a clipped material be others in each frame of the clip.

        Args:
            material: The material.
            frames: Frame to what :meth:`add` takes as ``holes`` and ``opacity``.
        """
        clipped = self._materials[material.name_full]
        for frame, (holes, opacity) in frames.items():
            clipped.by_frame[frame] = self._number(holes, clipped.node.extension), opacity

    def show(self, material: bpy.types.Material, frame: int) -> None:
        """Give a clipped material the holes that it has in a frame; it has to be painted anew then."""
        clipped = self._materials[material.name_full]
        if frame in clipped.by_frame:
            clipped.mask, clipped.opacity = clipped.by_frame[frame]

    def changes(self, material: bpy.types.Material) -> bool:
        """Whether the holes of a clipped material are others in other frames."""
        return len({mask for mask, _ in self._materials[material.name_full].by_frame.values()}) > 1

    def _number(self, holes: npt.NDArray[np.bool_], extension: str) -> int:
        """The number of a mask, which equal ones share."""
        digest = hashlib.blake2b(holes.tobytes() + repr((holes.shape, extension)).encode(), digest_size=16).digest()
        number = self._numbers.setdefault(digest, len(self._holes))
        if number == len(self._holes):
            self._holes.append(holes)
            self._extensions.append(extension)
            self._masks = None
        return number

    def opacity(self, material: bpy.types.Material) -> tuple[npt.NDArray[np.uint8], TextureCoordinates]:
        """How opaque the texels of a clipped material's own image are, ``(H, W)`` uint8, and how it lies there."""
        clipped = self._materials[material.name_full]
        return clipped.opacity, clipped.coordinates

    def mask_shape(self, material: bpy.types.Material) -> tuple[int, int]:
        """Rows and columns of the image that paints a clipped material."""
        rows, columns = self._holes[self._materials[material.name_full].mask].shape
        return rows, columns

    def paint(self, material: bpy.types.Material, colors: str | npt.NDArray[np.uint8]) -> None:
        """Paint what is left of a clipped material.

        Args:
            material: The material.
            colors: One colour, ``"#rrggbb"``, or ``(rows, columns, 3)`` uint8 in the mask's shape, lowest row first.
        """
        clipped = self._materials[material.name_full]
        before = clipped.node.image if clipped.is_picture else None
        clipped.is_picture = not isinstance(colors, str)
        if isinstance(colors, str):
            clipped.node.image = self._in_one_color(clipped.mask, colors)
        else:
            clipped.node.image = _image(f"animerun-gen {material.name}", colors, self._holes[clipped.mask])
        if before is not None and before.users == 0:
            bpy.data.images.remove(before)

    def is_picture(self, material: bpy.types.Material) -> bool:
        """Whether a clipped material is painted in more than one colour."""
        return self._materials[material.name_full].is_picture

    @contextmanager
    def painted(self, materials: Mapping[bpy.types.Material, str]) -> Iterator[None]:
        """Have materials, with holes or without, in other colours and without their images while the body runs.

        Args:
            materials: Material to ``"#rrggbb"``.
        """
        before = []
        with ExitStack() as images_left_out:
            for material, color in materials.items():
                clipped = self._materials.get(material.name_full)
                image = clipped.node.image if clipped is not None else None
                before.append((material, tuple(material.diffuse_color), image))
                material.diffuse_color = (*hex_to_linear(color), 1.0)
                if clipped is not None:
                    clipped.node.image = self._in_one_color(clipped.mask, color)
                else:
                    images_left_out.enter_context(_without_image(material))
            try:
                yield
            finally:
                for material, diffuse, image in before:
                    material.diffuse_color = diffuse
                    if material.name_full in self._materials:
                        self._materials[material.name_full].node.image = image

    def mask_of(self, material: bpy.types.Material | None) -> int:
        """Number of a material's mask, :data:`NO_MASK` where it has no holes."""
        clipped = self._materials.get(material.name_full) if material is not None else None
        return clipped.mask if clipped is not None else NO_MASK

    def masks(self) -> Masks:
        """The masks of all materials for the geometry of frames."""
        if self._masks is None:
            texels = [holes.ravel().astype(np.uint8) for holes in self._holes]
            self._masks = Masks(
                texels=np.concatenate([np.empty(0, np.uint8), *texels]),
                start=np.cumsum([0, *[len(part) for part in texels]], dtype=np.int64),
                size=np.array([holes.shape for holes in self._holes], np.int64).reshape(-1, 2),
                extension=np.array([EXTENSIONS[name] for name in self._extensions], np.uint8),
            )
        return self._masks

    def _in_one_color(self, mask: int, color: str) -> bpy.types.Image:
        image = self._plain.get((mask, color))
        if image is None:
            holes = self._holes[mask]
            image = _image(f"animerun-gen {color}", np.broadcast_to(np.array(rgb(color)), (*holes.shape, 3)), holes)
            self._plain[mask, color] = image
        return image


@contextmanager
def _without_image(material: bpy.types.Material) -> Iterator[None]:
    """Have Workbench paint a material in its viewport colour where it paints images, while the body runs.

    What it looks for is the active node's image, and a node without one leaves it with the colour.  Switching the nodes
    off would do the same, but does nothing any more since 5.0 (5.0.1 to 5.3.0).
    """
    if material.node_tree is None:
        yield
        return
    nodes = material.node_tree.nodes
    before = nodes.active
    blank = nodes.new("ShaderNodeTexImage")
    nodes.active = blank
    try:
        yield
    finally:
        nodes.remove(blank)
        nodes.active = before


def _image(name: str, colors: npt.NDArray[np.integer[Any]], holes: npt.NDArray[np.bool_]) -> bpy.types.Image:
    """An image of 8 bits with holes."""
    rows, columns = holes.shape
    texels = np.empty((rows, columns, 4), np.float32)
    texels[..., :3] = colors / np.float32(255.0)
    texels[..., 3] = ~holes
    image = bpy.data.images.new(name, columns, rows, alpha=True)
    # with any other mode Workbench would not look at alpha
    image.alpha_mode = "STRAIGHT"
    image.pixels.foreach_set(texels.ravel())
    image.update()
    return image
