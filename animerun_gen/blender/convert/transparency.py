"""Makes every surface solid, or cuts holes into it: in 2D style a pixel shows exactly one surface.

Materials whose image says where they can be seen through (cards of leaves) are clipped: what is less opaque than the
threshold is a hole, in pictures and labels alike.  All others become solid, but for those that
:mod:`~animerun_gen.blender.convert.removal` took out before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.convert.hiding import shown_as_copies
from animerun_gen.blender.convert.images import FILM_ALPHA, LARGEST_SIDE
from animerun_gen.blender.convert.moving_images import Moving, numbers_shown
from animerun_gen.blender.convert.opacity import AlphaTexture, SeeThrough, find_see_through
from animerun_gen.blender.convert.patterns import Treatments
from animerun_gen.blender.moments import film_frames
from animerun_gen.blender.particles_drawn import is_hidden
from animerun_gen.blender.texture_coordinates import TextureCoordinates, laid_out
from animerun_gen.config import CutConfig

Mode = Literal["clip", "solid", "remove"]

FINER = 4
"""How much finer than its image a mask is at most: an image's own texels, kept or cut, would leave steps in the
contours of what is near."""

SLACK = 1e-3
"""How far outside the unit square texture coordinates still count as inside."""


@dataclass(frozen=True)
class Transparency:
    """What became of what can be seen through.

    Attributes:
        see_through: What could be, as the film has it.
        clipped: The clipped materials, which nothing has painted yet.
        notes: Which materials were made solid, which were clipped, which could not be, and each pattern that matched
            nothing.
    """

    see_through: list[SeeThrough]
    clipped: ClippedMaterials
    notes: list[str]


def convert_transparency(config: CutConfig, moving: Moving) -> Transparency:
    """Make all materials solid, but for those that are clipped.

    Args:
        config: The cut: ``transparency``.
        moving: What image nodes show in the clip's frames; brought up to date where materials get other names.

    Returns:
        What was done.
    """
    wanted = config.transparency
    named = Treatments(wanted.materials)
    for material in bpy.data.materials:
        named.of(material.name)
    notes = named.unused("transparency.materials", "no material is")
    see_through = find_see_through(wanted.threshold, film_frames(), config.frame_numbers, moving)
    if any(_is_linked(found, named, wanted.alpha_textures) for found in see_through):
        # a linked material cannot be painted by an image of this file
        bpy.ops.object.make_local(type="ALL")
        notes.append("made everything local that the file links, because linked materials are clipped")
        moving.clear()
        moving.update(numbers_shown(bpy.context.scene, config.frame_numbers))
        see_through = find_see_through(wanted.threshold, film_frames(), config.frame_numbers, moving)
    clipped = ClippedMaterials()
    gone = _gone()
    solid = []
    filled: dict[str, list[str]] = {}
    for found in see_through:
        material = _material(found)
        mode = named.of(material.name)
        if mode == "remove" or found.material in gone:
            # taken out, which the conversion that did it has said
            continue
        is_named, mode = mode is not None, mode or wanted.alpha_textures
        why = ", ".join(found.reasons) or "alpha texture"
        if found.texture is None:
            if mode == "clip" and is_named:
                notes.append(f"transparency.materials: '{found.material}' has no alpha texture that could be clipped")
            solid.append(f"{found.material} ({why})")
            continue
        texture = found.texture
        problem = texture.problem if mode == "clip" else "as configured"
        if not problem and texture.below == 0.0:
            # nothing of it would be a hole
            solid.append(f"{found.material} ({why})")
            continue
        problem = problem or _clip(material, texture, wanted.threshold, clipped)
        if problem:
            filled.setdefault(problem, []).append(f"'{found.material}'")
        else:
            notes.append(
                f"clipped '{found.material}' by the {texture.channel} of image '{texture.image}': "
                f"{100.0 * (texture.below or 0.0):.0f}% of it are holes"
            )
    notes += [f"filled the holes of {', '.join(names)}: {problem}" for problem, names in filled.items()]
    if solid:
        notes.append(f"made solid: {', '.join(solid)}")
    _fill()
    if clipped:
        # a Blender that scales large images down would find other texels than the labels
        bpy.context.preferences.system.gl_texture_limit = "CLAMP_OFF"
    return Transparency(see_through, clipped, notes)


def _gone() -> set[str]:
    """Full names of the materials of which nothing is left: all objects that wear them are hidden, or lost their faces.

    What no object has in a slot, nodes may give to a surface.
    """
    worn: dict[str, bool] = {}
    wearing = [obj for obj in bpy.data.objects if any(slot.material for slot in obj.material_slots)]
    hidden = {obj for obj in wearing if is_hidden(obj)}
    hidden -= shown_as_copies(hidden)
    for obj in wearing:
        slots = [slot.material for slot in obj.material_slots]
        shown = obj not in hidden
        left = _slots_left(obj)
        for index, material in enumerate(slots):
            if material is not None:
                is_left = shown and (left is None or index in left)
                worn[material.name_full] = worn.get(material.name_full, False) or is_left
    return {name for name, is_worn in worn.items() if not is_worn}


def _slots_left(obj: bpy.types.Object) -> set[int] | None:
    """The slots of an object that faces of its mesh have; None where that does not tell which are shown."""
    if obj.type != "MESH" or any(modifier.type == "NODES" for modifier in obj.modifiers):
        return None
    materials = np.empty(len(obj.data.polygons), np.int32)
    obj.data.polygons.foreach_get("material_index", materials)
    last = max(len(obj.material_slots) - 1, 0)
    return set(np.unique(np.minimum(materials, last)).tolist())


def _material(found: SeeThrough) -> bpy.types.Material:
    return next(material for material in bpy.data.materials if material.name_full == found.material)


def _is_linked(found: SeeThrough, named: Treatments[Mode], otherwise: Mode) -> bool:
    """Whether a material that is to be clipped belongs to a library."""
    if found.texture is None or found.texture.problem or not found.texture.below:
        return False
    material = _material(found)
    return material.library is not None and (named.of(material.name) or otherwise) == "clip"


def _fill() -> None:
    """Take the alpha out of viewport colours, object colours and images; the colours' animation is stilled later."""
    for material in bpy.data.materials:
        material.diffuse_color[3] = 1.0
    for obj in bpy.data.objects:
        obj.color[3] = 1.0
    for image in bpy.data.images:
        # Workbench leaves out texels that are transparent; the labels would not know
        image[FILM_ALPHA] = image.alpha_mode
        image.alpha_mode = "NONE"


def _clip(material: bpy.types.Material, texture: AlphaTexture, threshold: float, clipped: ClippedMaterials) -> str:
    """Clip a material; the reason where that cannot be done, the rest of a sentence."""
    opacity, coordinates = texture.opacity, texture.coordinates
    if opacity is None or coordinates is None:
        return texture.problem
    if material.library is not None:
        return f"it belongs to {material.library.filepath}"
    if texture.below == 1.0:
        return "it is nowhere as opaque as the threshold, and nothing would be left"
    meshes = list(_worn_by(material))
    layers = []
    for mesh, slots in meshes:
        layer = _uv_layer(mesh, coordinates)
        if layer is None:
            return f"mesh '{mesh.name_full}' has no UV map '{coordinates.uv_map or ''}'"
        if clipped.uv_maps.get(mesh.name_full, layer.name) != layer.name:
            return f"mesh '{mesh.name_full}' wears another clipped material by another UV map"
        if not coordinates.is_plain and not coordinates.is_periodic and not _is_inside(mesh, layer, slots):
            return f"its image is scaled or turned on mesh '{mesh.name_full}', beyond what one image can hold"
        layers.append((mesh, layer))
    for mesh, layer in layers:
        # Workbench paints by the active one, not by the one that is active for rendering (3.4.1, 4.5.15)
        mesh.uv_layers.active = layer
        clipped.uv_maps[mesh.name_full] = layer.name
    clipped.add(material, _mask(opacity, coordinates, threshold), opacity, coordinates)
    clipped.add_frames(
        material,
        {frame: (_mask(seen, coordinates, threshold), seen) for frame, seen in texture.by_frame.items()},
    )
    return ""


def _mask(opacity: npt.NDArray[np.uint8], coordinates: TextureCoordinates, threshold: float) -> npt.NDArray[np.bool_]:
    """What is a hole on the unit square of the UV map."""
    holes: npt.NDArray[np.bool_] = (
        laid_out(opacity.astype(np.float32) / 255.0, coordinates, _mask_shape(opacity, coordinates)) < threshold
    )
    return holes


def _mask_shape(opacity: npt.NDArray[np.uint8], coordinates: TextureCoordinates) -> tuple[int, int]:
    """Rows and columns of a mask: so many for each texel of the image that contours become smooth."""
    rows, columns = opacity.shape
    (a, b, _), (d, e, _) = coordinates.matrix
    wide = max(columns * abs(a), rows * abs(d), 1.0)
    high = max(columns * abs(b), rows * abs(e), 1.0)
    finer = min(max(LARGEST_SIDE // int(np.ceil(max(wide, high))), 1), FINER) if coordinates.smooth else 1
    return min(round(high * finer), LARGEST_SIDE), min(round(wide * finer), LARGEST_SIDE)


def _worn_by(material: bpy.types.Material) -> Iterator[tuple[bpy.types.Mesh, set[int]]]:
    """The meshes of the file that show a material, with the slots in which it is."""
    worn: dict[str, tuple[bpy.types.Mesh, set[int]]] = {}
    for obj in bpy.data.objects:
        if obj.type != "MESH":
            continue
        slots = {index for index, slot in enumerate(obj.material_slots) if slot.material == material}
        if slots:
            worn.setdefault(obj.data.name_full, (obj.data, set()))[1].update(slots)
    yield from worn.values()


def _uv_layer(mesh: bpy.types.Mesh, coordinates: TextureCoordinates) -> bpy.types.MeshUVLoopLayer | None:
    if coordinates.uv_map is not None:
        return mesh.uv_layers.get(coordinates.uv_map)
    return next((layer for layer in mesh.uv_layers if layer.active_render), None)


def _is_inside(mesh: bpy.types.Mesh, layer: bpy.types.MeshUVLoopLayer, slots: set[int]) -> bool:
    """Whether the faces of these slots have all their texture coordinates in the unit square."""
    uvs = np.empty(2 * len(mesh.loops), np.float32)
    layer.data.foreach_get("uv", uvs)
    sizes, materials = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", sizes)
    mesh.polygons.foreach_get("material_index", materials)
    last = max(len(mesh.materials) - 1, 0)
    shown = np.repeat(np.isin(np.minimum(materials, last), list(slots)), sizes)
    worn = uvs.reshape(-1, 2)[shown]
    return bool(((worn >= -SLACK) & (worn <= 1.0 + SLACK)).all())
