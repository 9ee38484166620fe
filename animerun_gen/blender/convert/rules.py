"""Finds and removes by rule what serves a film's light and not its picture.

Section 3.1 of the AnimeRun paper takes two kinds of things out: *environment assets* (fog, light panels, light
blockers) and *illuminating objects* (lamps with bulbs, shining dots in eyes, glowing orbs).  Its authors picked them by
hand; here rules do, and a cut's ``keep`` and ``remove`` have the last word.
"""

from __future__ import annotations

import bpy

from animerun_gen.blender.convert.hiding import hide_all
from animerun_gen.blender.convert.lights import find_lights, shines
from animerun_gen.blender.convert.patterns import matches, named_objects, unmatched, without_effect
from animerun_gen.blender.convert.removal import Removal, delete_faces
from animerun_gen.blender.convert.shader_glow import shader_glow
from animerun_gen.blender.convert.visibility import unseen_in, why_unseen
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.particles_drawn import is_hidden
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted, named

DRAWN_TYPES = {"MESH", "CURVE", "SURFACE", "FONT", "META"}
"""Types of objects that have surfaces of their own."""

HELPER_MODIFIERS = {"BOOLEAN", "MESH_DEFORM", "SURFACE_DEFORM", "SHRINKWRAP", "LATTICE", "DATA_TRANSFER"}
"""Modifiers by which one object shapes another and need not be seen itself."""


def remove_by_rules(opened: OpenedScene, config: CutConfig) -> list[str]:
    """Take out what the rules of ``remove`` find; the scene stands at the cut's first frame.

    Args:
        opened: The opened scene.
        config: The cut.

    Returns:
        What was removed and why, one sentence for all that goes for one reason; also each pattern of ``keep`` that
        nothing fits.
    """
    notes = [*unmatched("keep", config.keep), *without_effect("keep", config.keep)]
    alike: dict[tuple[str, str, tuple[str, ...]], list[Removal]] = {}
    doomed: dict[bpy.types.Mesh, set[int]] = {}
    whole: list[bpy.types.Object] = []
    for removal in find_removals(opened, config):
        alike.setdefault((removal.rule, removal.reason, removal.materials), []).append(removal)
        obj = _object(removal.object)
        if removal.materials:
            # several objects may share the mesh
            doomed.setdefault(obj.data, set()).update(removal.polygons)
        else:
            whole.append(obj)
    copies = hide_all(whole, instances_only=True)
    for mesh, polygons in doomed.items():
        delete_faces(mesh, lambda face: face.index in polygons)  # noqa: B023 (called at once)
    for (_, reason, materials), removals in alike.items():
        what = named([removal.object for removal in removals], "object")
        if materials:
            faces = sum(len(removal.polygons) for removal in removals)
            worn = ", ".join(f"'{name}'" for name in materials)
            what = f"{counted(faces, 'face')} of {worn} from {what}"
        notes.append(f"removed {what}: {reason}")
    return [*notes, *copies]


def find_removals(opened: OpenedScene, config: CutConfig) -> list[Removal]:
    """What the rules of a cut remove, without changing anything.

    What ``hide_render`` hides for good is left out.

    Args:
        opened: The opened scene, at the cut's first frame; it has a camera.
        config: The cut: ``remove``, and ``keep``, which is stronger.

    Returns:
        The removals, by name of the object.
    """
    rules = config.remove.rules
    kept = named_objects(config.keep)
    taken = named_objects(config.remove)
    unseen_by_collection = _unseen_by_collection(opened.view_layer.layer_collection)
    helpers = _helpers()
    switched = unseen_in(opened.scene, config) if "unseen" in rules else {}
    found = []
    shining = []
    for obj in sorted(bpy.data.objects, key=lambda each: str(each.name_full)):
        if obj.name_full in kept or obj.name_full in taken or is_hidden(obj):
            continue
        if any(slot.material and matches(slot.material.name, config.keep.materials) for slot in obj.material_slots):
            continue
        reason = _why_unseen(obj, unseen_by_collection, helpers, switched) if "unseen" in rules else None
        if reason is not None:
            found.append(Removal("unseen", obj.name_full, reason))
        elif obj.type in DRAWN_TYPES:
            looks = [shader_glow(slot.material) for slot in obj.material_slots]
            if "volumes" in rules and looks and all(glow.volume and glow.opaque == 0.0 for glow in looks):
                found.append(Removal("volumes", obj.name_full, "its materials are volumes without a surface"))
            elif any(shines(glow, config) for glow in looks):
                shining.append(obj)
    found += find_lights(shining, opened, config)
    return sorted(found, key=lambda removal: removal.object)


def bare_displays() -> list[str]:
    """Objects that are displayed as wire or bounds and yet belong to the picture: final renders draw them."""
    helpers = _helpers()
    return [
        obj.name_full
        for obj in bpy.data.objects
        if obj.type in DRAWN_TYPES
        and not is_hidden(obj)
        and obj.display_type in {"WIRE", "BOUNDS"}
        and not _is_bare(obj, helpers)
    ]


def _object(full_name: str) -> bpy.types.Object:
    return next(obj for obj in bpy.data.objects if obj.name_full == full_name)


def _why_unseen(
    obj: bpy.types.Object,
    unseen_by_collection: dict[str, str],
    helpers: set[str],
    switched: dict[str, dict[int, str | None]],
) -> str | None:
    """Why a film camera does not see an object that Workbench draws in any frame of the clip; None when it does."""
    instances = obj.type == "EMPTY" and obj.instance_type == "COLLECTION"
    if obj.type not in DRAWN_TYPES and obj.type != "CURVES" and not instances:
        return None
    # what some frames show comes and goes: see animerun_gen.blender.convert.visibility
    reasons = set(switched[obj.name_full].values()) if obj.name_full in switched else {why_unseen(obj)}
    if None not in reasons:
        return min(map(str, reasons))
    if obj.name_full in unseen_by_collection:
        return unseen_by_collection[obj.name_full]
    if instances or obj.type == "CURVES":
        return None
    if obj.display_type in {"WIRE", "BOUNDS"} and _is_bare(obj, helpers):
        kind = "wire" if obj.display_type == "WIRE" else "bounds"
        return f"it is displayed as {kind} and has no material, or only shapes other objects"
    looks = [(slot.material, shader_glow(slot.material)) for slot in obj.material_slots]
    if looks and all(glow.opaque == 0.0 and not glow.volume and not _is_animated(material) for material, glow in looks):
        return "its materials are wholly transparent"
    return None


def _unseen_by_collection(layer: bpy.types.LayerCollection, reason: str | None = None) -> dict[str, str]:
    """Full names of objects that the view layer's collections keep from the camera, and why."""
    if layer.holdout:
        reason = f"its collection '{layer.collection.name}' is a holdout"
    elif layer.indirect_only:
        reason = f"its collection '{layer.collection.name}' is there for indirect light only"
    found = dict.fromkeys((obj.name_full for obj in layer.collection.objects), reason) if reason is not None else {}
    for child in layer.children:
        found |= _unseen_by_collection(child, reason)
    return {name: why for name, why in found.items() if why is not None}


def _helpers() -> set[str]:
    """Full names of objects that others need to be shaped or to collide with."""
    names = set()
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            if modifier.type in HELPER_MODIFIERS:
                helper = getattr(modifier, "object", None) or getattr(modifier, "target", None)
                if helper is not None:
                    names.add(helper.name_full)
            elif modifier.type == "COLLISION":
                names.add(obj.name_full)
        if obj.rigid_body is not None or (obj.field is not None and obj.field.type != "NONE"):
            names.add(obj.name_full)
    return names


def _is_bare(obj: bpy.types.Object, helpers: set[str]) -> bool:
    return obj.name_full in helpers or not any(slot.material for slot in obj.material_slots)


def _is_animated(material: bpy.types.Material) -> bool:
    return any(getattr(block, "animation_data", None) is not None for block in (material, material.node_tree) if block)
