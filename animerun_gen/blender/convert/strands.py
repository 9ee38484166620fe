"""Removes hair and particles, which 2D drawings do not have as single strands and grains."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions


def remove_strands_and_particles() -> list[str]:
    """Switch all particle systems off; the surfaces that they grow on stay.

    Returns:
        The systems that were switched off.
    """
    notes = []
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            if modifier.type != "PARTICLE_SYSTEM" or not modifier.show_render:
                continue
            versions.mute_animation(obj, f'modifiers["{modifier.name}"].show_render')
            modifier.show_render = False
            settings = modifier.particle_system.settings
            what = "hair" if settings.type == "HAIR" else "particles"
            notes.append(f"removed {what} '{modifier.particle_system.name}' of '{obj.name}'")
    return notes
