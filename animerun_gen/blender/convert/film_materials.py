"""Materials and objects' colours as animation leaves them in each frame of the film, read without its scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.convert.images import is_moving
from animerun_gen.blender.moments import moments
from animerun_gen.blender.node_trees import nodes_within, trees_within

ObjectColor = tuple[float, float, float, float]


@dataclass(frozen=True)
class FilmFrame:
    """What animation has made of materials and objects in one frame.

    Attributes:
        frame: Its number.
        materials: The evaluated materials by full name; they end when the next frame is asked for.
        object_colors: The colours (linear, with alpha) of objects by full name.
    """

    frame: int
    materials: Mapping[str, bpy.types.Material]
    object_colors: Mapping[str, ObjectColor]


def animated_materials() -> list[bpy.types.Material]:
    """The materials of the file whose shader or viewport colour any animation changes, by name.

    Where a shader asks for its object's colour, that includes the animation of this.
    """
    recolored = {
        slot.material.name_full
        for obj in objects_of_animated_color()
        for slot in obj.material_slots
        if slot.material is not None
    }
    found = [
        material
        for material in bpy.data.materials
        if material.users > 0
        and not material.is_grease_pencil
        and (_is_animated(material) or (material.name_full in recolored and _asks_for_object(material)))
    ]
    return sorted(found, key=lambda material: material.name_full)


def objects_of_animated_color() -> list[bpy.types.Object]:
    """The objects of the file whose colour any animation changes, by name."""
    return sorted((obj for obj in bpy.data.objects if versions.animates(obj, "color")), key=lambda obj: obj.name_full)


def evaluated_frames(
    materials: Sequence[bpy.types.Material], objects: Sequence[bpy.types.Object], frames: Sequence[int]
) -> Iterator[FilmFrame]:
    """Have animation evaluated frame by frame.

    Args:
        materials: Materials to look at.
        objects: Objects whose colours to look at.
        frames: The frames, in any order.

    Yields:
        Each frame.
    """
    with moments(bpy.context.scene, materials=materials, objects=objects) as there:
        for frame in frames:
            there.go_to(frame)
            yield FilmFrame(
                frame,
                {material.name_full: there.of(material) for material in materials},
                {obj.name_full: object_color(there.of(obj)) for obj in objects},
            )


def _is_animated(material: bpy.types.Material) -> bool:
    if versions.animates(material, ""):
        return True
    if material.node_tree is None:
        return False
    return any(
        versions.animates(tree, "") or any(is_moving(getattr(node, "image", None)) for node in tree.nodes)
        for tree in trees_within(material.node_tree)
    )


def _asks_for_object(material: bpy.types.Material) -> bool:
    if material.node_tree is None:
        return False
    return any(node.type == "OBJECT_INFO" for node in nodes_within(material.node_tree))


def object_color(obj: bpy.types.Object) -> ObjectColor:
    """An object's colour, linear, with alpha."""
    red, green, blue, alpha = obj.color
    return red, green, blue, alpha
