"""Materials and objects' colours as animation leaves them in each frame of the film, read without its scene.

Blender evaluates animation only of what a scene shows, and with everything else that the scene holds.  So a scene of
our own wears the materials on one triangle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.convert.shader_values import nodes_within, trees_within

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


def film_frames(
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
    with _stage(materials, objects) as (scene, stand_ins):
        layer = scene.view_layers[0]
        for frame in frames:
            # naming the frame calls none of the film's handlers, unlike frame_set
            scene.frame_current = frame
            layer.update()
            graph = layer.depsgraph
            yield FilmFrame(
                frame,
                {material.name_full: material.evaluated_get(graph) for material in materials},
                {name: object_color(stand_in.evaluated_get(graph)) for name, stand_in in stand_ins.items()},
            )


@contextmanager
def _stage(
    materials: Sequence[bpy.types.Material], objects: Sequence[bpy.types.Object]
) -> Iterator[tuple[bpy.types.Scene, dict[str, bpy.types.Object]]]:
    """A scene with nothing but a triangle that wears the materials, and a bare copy of each object."""
    scene = bpy.data.scenes.new("animerun-gen colours")
    mesh = bpy.data.meshes.new(scene.name)
    mesh.from_pydata([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)], [], [(0, 1, 2)])
    for material in materials:
        mesh.materials.append(material)
    wearer = bpy.data.objects.new(scene.name, mesh)
    scene.collection.objects.link(wearer)
    stand_ins = {}
    for obj in objects:
        # a copy brings the object's animation along, whatever that consists of
        stand_in = obj.copy()
        stand_in.parent = None
        stand_in.constraints.clear()
        stand_in.modifiers.clear()
        if stand_in.type == "MESH":
            stand_in.data = mesh
        scene.collection.objects.link(stand_in)
        stand_ins[obj.name_full] = stand_in
    try:
        yield scene, stand_ins
    finally:
        bpy.data.scenes.remove(scene)
        for thing in (wearer, *stand_ins.values()):
            bpy.data.objects.remove(thing)
        bpy.data.meshes.remove(mesh)


def _is_animated(material: bpy.types.Material) -> bool:
    if versions.animates(material, ""):
        return True
    if material.node_tree is None:
        return False
    return any(versions.animates(tree, "") for tree in trees_within(material.node_tree))


def _asks_for_object(material: bpy.types.Material) -> bool:
    if material.node_tree is None:
        return False
    return any(node.type == "OBJECT_INFO" for node in nodes_within(material.node_tree))


def object_color(obj: bpy.types.Object) -> ObjectColor:
    """An object's colour, linear, with alpha."""
    red, green, blue, alpha = obj.color
    return red, green, blue, alpha
