"""How the conversions take an object out of the picture."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions


def hide(obj: bpy.types.Object) -> None:
    """Keep an object, and its copies in instances, out of every render, whatever its animation says.

    It is hidden and not deleted, because modifiers and constraints of other objects may depend on it.
    """
    versions.mute_animation(obj, "hide_render")
    obj.hide_render = True
