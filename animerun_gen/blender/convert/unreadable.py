"""Removes what Workbench draws but whose geometry cannot be taken down, so that picture and labels agree."""

from __future__ import annotations

import bpy

from animerun_gen.blender.convert.hiding import hide
from animerun_gen.blender.unreadable import draws_nothing

UNREADABLE = {
    "VOLUME": "a volume has no surface",
    "POINTCLOUD": "points have no surface",
    "GPENCIL": "grease pencil is not drawn",
    "GREASEPENCIL": "grease pencil is not drawn",
}
"""Object types without triangles, and why they go; Grease Pencil that is drawn is hidden already."""


def remove_unreadable() -> list[str]:
    """Hide every object of a type that has no triangles, and the domains of smoke and fluids.

    Returns:
        What was hidden and why.
    """
    found = find_unreadable()
    reasons = dict(found)
    for obj in bpy.data.objects:
        if obj.name_full in reasons:
            hide(obj)
    return [f"removed '{name}': {reason}" for name, reason in found]


def find_unreadable() -> list[tuple[str, str]]:
    """Full names of the objects that :func:`remove_unreadable` hides, each with the reason.

    Objects that are not in the scene count as well: instances may draw them.  What is empty draws nothing.
    """
    found = []
    for obj in bpy.data.objects:
        reason = UNREADABLE.get(obj.type)
        if reason is not None and len(obj.modifiers) == 0 and draws_nothing(obj.data):
            continue
        if reason is None and any(m.type == "FLUID" and m.fluid_type == "DOMAIN" for m in obj.modifiers):
            reason = "a smoke or fluid domain is a volume"
        if reason is not None and not obj.hide_render:
            found.append((obj.name_full, reason))
    return found
