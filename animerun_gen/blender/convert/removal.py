"""Removes what the configuration names: objects, whole collections, and surfaces of a material."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bmesh
import bpy

from animerun_gen.blender.convert.hiding import hide
from animerun_gen.blender.convert.patterns import matches, named_objects, unmatched
from animerun_gen.config import CutConfig


@dataclass(frozen=True)
class Removal:
    """Something that a rule removes.

    Attributes:
        rule: One of the entries of ``remove.rules``.
        object: Full name of the object.
        reason: Why, as the end of a sentence.
        materials: Where only some pieces of a mesh go: the full names of the materials that they wear; else empty.
        whole_materials: Whether the object has no other faces of these materials.
        polygons: Numbers of the mesh's polygons that go then.
    """

    rule: str
    object: str
    reason: str
    materials: tuple[str, ...] = ()
    whole_materials: bool = False
    polygons: frozenset[int] = frozenset()


def remove_named(config: CutConfig) -> list[str]:
    """Take the objects, collections and materials out that ``remove`` names.

    Of an object that wears a removed material beside others only the faces of that material go.

    Args:
        config: The cut.

    Returns:
        What was removed; also each pattern that matched nothing, because that is nearly always a misspelling.
    """
    remove = config.remove
    doomed = named_objects(remove)
    notes = unmatched("remove", remove)
    for obj in bpy.data.objects:
        worn = [slot.material for slot in obj.material_slots]
        removed = [material is not None and matches(material.name, remove.materials) for material in worn]
        if removed and all(removed):
            doomed[obj.name_full] = obj
        elif any(removed) and obj.type == "MESH":
            slots = {index for index, gone in enumerate(removed) if gone}
            faces = delete_faces(obj.data, lambda face: face.material_index in slots)  # noqa: B023 (called at once)
            notes.append(f"removed {faces} faces of removed materials from '{obj.name}'")
    for obj in doomed.values():
        hide(obj)
    if doomed:
        notes.append(f"removed by name: {', '.join(sorted(doomed))}")
    return notes


def delete_faces(mesh: bpy.types.Mesh, is_doomed: Callable[[bmesh.types.BMFace], bool]) -> int:
    """Take faces out of a mesh; its vertices stay, and with them whatever goes by their numbers.

    Args:
        mesh: The mesh.
        is_doomed: Which faces go.

    Returns:
        How many went.
    """
    editable = bmesh.new()
    try:
        editable.from_mesh(mesh)
        faces = [face for face in editable.faces if is_doomed(face)]
        bmesh.ops.delete(editable, geom=faces, context="FACES_ONLY")
        editable.to_mesh(mesh)
    finally:
        editable.free()
    return len(faces)
