"""Removes what the configuration names: objects, whole collections, and surfaces of a material."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import bmesh
import bpy

from animerun_gen.blender.convert.hiding import hide_all
from animerun_gen.blender.convert.patterns import (
    Treatments,
    draws,
    hanging_on,
    matches,
    named_objects,
    unmatched,
    without_effect,
)
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted, named


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
    """Take the objects, collections and materials out that ``remove`` names, and those that ``transparency`` removes.

    Of an object that wears a removed material beside others only the faces of that material go.

    Args:
        config: The cut.

    Returns:
        What was removed; also each pattern that matched nothing, because that is nearly always a misspelling, or
        nothing that draws anything.
    """
    remove = config.remove
    doomed = named_objects(remove)
    notes = [*unmatched("remove", remove), *without_effect("remove", remove)]
    if doomed:
        notes.append(f"removed by name: {_listed(doomed.values(), remove.objects)}")
    opened = Treatments(config.transparency.materials)
    holes = {material.name for material in bpy.data.materials if opened.of(material.name) == "remove"}
    gone = {material.name for material in bpy.data.materials if matches(material.name, remove.materials)}
    worn = set()
    for obj in bpy.data.objects:
        names = ["" if slot.material is None else slot.material.name for slot in obj.material_slots]
        removed = [name in gone or name in holes for name in names]
        worn |= {name for name in names if name in holes}
        if removed and all(removed):
            doomed[obj.name_full] = obj
            notes.append(f"removed '{obj.name}', all of which is of removed materials")
        elif any(removed) and obj.type == "MESH":
            slots = {index for index, is_removed in enumerate(removed) if is_removed}
            faces = delete_faces(obj.data, lambda face: face.material_index in slots)  # noqa: B023 (called at once)
            notes.append(f"removed {counted(faces, 'face')} of removed materials from '{obj.name}'")
    if worn:
        names_worn = ", ".join(f"'{name}'" for name in sorted(worn))
        notes.append(f"made a hole of each surface of {names_worn}: what lies behind is seen")
    for name in sorted(holes - worn):
        notes.append(f"transparency.materials: no object wears '{name}' in a slot of its own, so nothing of it went")
    return [*notes, *hide_all(doomed.values())]


def _listed(doomed: Iterable[bpy.types.Object], patterns: Sequence[str]) -> str:
    """Names, those that only hang on what was named counted apart."""
    names = {obj.name_full: obj for obj in doomed}
    carriers = [name for name, obj in names.items() if not draws(obj) and matches(obj.name, patterns)]
    hanging = {each.name_full for name in carriers for each in hanging_on(names[name])} & names.keys()
    hanging -= {name for name, obj in names.items() if matches(obj.name, patterns)}
    said = ", ".join(sorted(names.keys() - hanging))
    return f"{said}, with {named(sorted(hanging), 'object')}, on it" if hanging else said


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
