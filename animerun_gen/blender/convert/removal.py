"""Removes what the configuration names: objects, whole collections, and surfaces of a material."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import bmesh
import bpy

from animerun_gen.blender.convert.hiding import hide
from animerun_gen.config import CutConfig


def remove_named(config: CutConfig) -> list[str]:
    """Take the objects, collections and materials out that ``remove`` names.

    Of an object that wears a removed material beside others only the faces of that material go.

    Args:
        config: The cut.

    Returns:
        What was removed; also each pattern that matched nothing, because that is nearly always a misspelling.
    """
    remove = config.remove
    doomed: dict[str, bpy.types.Object] = {}
    notes = _unmatched("objects", remove.objects, bpy.data.objects)
    notes += _unmatched("collections", remove.collections, bpy.data.collections)
    notes += _unmatched("materials", remove.materials, bpy.data.materials)
    for obj in bpy.data.objects:
        if _matches(obj.name, remove.objects):
            doomed[obj.name_full] = obj
    for collection in bpy.data.collections:
        if _matches(collection.name, remove.collections):
            for obj in collection.all_objects:
                doomed[obj.name_full] = obj
    for obj in bpy.data.objects:
        worn = [slot.material for slot in obj.material_slots]
        removed = [material is not None and _matches(material.name, remove.materials) for material in worn]
        if removed and all(removed):
            doomed[obj.name_full] = obj
        elif any(removed) and obj.type == "MESH":
            faces = _delete_faces(obj.data, {index for index, gone in enumerate(removed) if gone})
            notes.append(f"removed {faces} faces of removed materials from '{obj.name}'")
    for obj in doomed.values():
        hide(obj)
    if doomed:
        notes.append(f"removed by name: {', '.join(sorted(doomed))}")
    return notes


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _unmatched(kind: str, patterns: Sequence[str], blocks: Iterable[bpy.types.ID]) -> list[str]:
    names = [block.name for block in blocks]
    return [
        f"remove.{kind}: nothing in the file is named '{pattern}'"
        for pattern in patterns
        if not any(fnmatchcase(name, pattern) for name in names)
    ]


def _delete_faces(mesh: bpy.types.Mesh, slots: set[int]) -> int:
    editable = bmesh.new()
    try:
        editable.from_mesh(mesh)
        faces = [face for face in editable.faces if face.material_index in slots]
        bmesh.ops.delete(editable, geom=faces, context="FACES_ONLY")
        editable.to_mesh(mesh)
    finally:
        editable.free()
    return len(faces)
