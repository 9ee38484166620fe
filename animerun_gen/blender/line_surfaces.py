"""Keeps faces with holes, and strokes that are lines already, away from Freestyle.

Freestyle knows meshes and no images: it would draw the border of a whole card of leaves, and hide every line behind it.
While it draws, these faces are deleted by a modifier, which is off at all other times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy

from animerun_gen.blender import versions

NAME = "animerun-gen without holes"

INK_MARK = "animerun_gen_ink"
"""Property of the materials of strokes."""


def ink_materials() -> list[str]:
    """Full names of the materials of strokes, once Grease Pencil is converted."""
    return [material.name_full for material in bpy.data.materials if INK_MARK in material]


class LineSurfaces:
    """The surfaces of a scene that Freestyle draws lines on.

    Args:
        materials: Full names of the materials whose faces have none.
    """

    def __init__(self, materials: Sequence[str]) -> None:
        self._modifiers: list[bpy.types.Modifier] = []
        without = {material.name_full: material for material in bpy.data.materials if material.name_full in materials}
        if not without:
            return
        tree = _deleting(list(without.values()))
        for obj in bpy.data.objects:
            wears = any(slot.material is not None and slot.material.name_full in without for slot in obj.material_slots)
            # nodes may put materials on that are in no slot
            if obj.type in {"MESH", "CURVE", "FONT", "SURFACE"} and (
                wears or any(modifier.type == "NODES" for modifier in obj.modifiers)
            ):
                modifier = obj.modifiers.new(NAME, "NODES")
                modifier.node_group = tree
                modifier.show_render = modifier.show_viewport = False
                self._modifiers.append(modifier)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the other faces out of the scene while the body runs."""
        for modifier in self._modifiers:
            modifier.show_render = True
        try:
            yield
        finally:
            for modifier in self._modifiers:
                modifier.show_render = False


def _deleting(materials: Sequence[bpy.types.Material]) -> bpy.types.NodeTree:
    """Geometry nodes that delete all faces of some materials."""
    tree = bpy.data.node_groups.new(NAME, "GeometryNodeTree")
    versions.add_geometry_sockets(tree)
    arriving, leaving = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    # a mesh that has never been given any material number but the first one has no faces of that material, says 3.4.1
    number, same = tree.nodes.new("GeometryNodeSetMaterialIndex"), tree.nodes.new("GeometryNodeInputMaterialIndex")
    tree.links.new(arriving.outputs[0], number.inputs["Geometry"])
    tree.links.new(same.outputs[0], number.inputs["Material Index"])
    last = number.outputs[0]
    for material in materials:
        chosen, delete = tree.nodes.new("GeometryNodeMaterialSelection"), tree.nodes.new("GeometryNodeDeleteGeometry")
        chosen.inputs["Material"].default_value = material
        delete.domain, delete.mode = "FACE", "ALL"
        tree.links.new(last, delete.inputs["Geometry"])
        tree.links.new(chosen.outputs[0], delete.inputs["Selection"])
        last = delete.outputs[0]
    tree.links.new(last, leaving.inputs[0])
    return tree
