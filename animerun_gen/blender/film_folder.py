"""Keeps Blender from writing beside the film, where its simulations have their caches on disk.

Each process that plays a simulation would write its cache anew, and several would read each other's halves.  What is
baked is only read.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.external_files import is_baked_fluid


def hold_unbaked() -> list[str]:
    """Switch off what would write as soon as Blender evaluates the film, where the picture can do without, and fluids.

    Particles stay in what is rendered: their conversion decides what becomes of them.

    Returns:
        What was left out, a sentence each.
    """
    notes = []
    for obj, modifier in _switched_on():
        if modifier.type == "PARTICLE_SYSTEM":
            cache = modifier.particle_system.point_cache
            if cache.use_disk_cache and not cache.is_baked:
                _switch_off(obj, modifier, "show_viewport")
        elif modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
            # baked or not: 2D style has no smoke, and Blender aborts when a domain that was evaluated is freed (4.5.15)
            _switch_off(obj, modifier, "show_viewport")
            _switch_off(obj, modifier, "show_render")
            if is_baked_fluid(modifier):
                continue
            if not obj.hide_render:
                notes.append(f"left out the fluid of '{obj.name}': its cache is not baked; bake it in Blender")
            # without its fluid a domain is a box
            versions.mute_animation(obj, "hide_render")
            obj.hide_render = True
    return notes


def _switched_on() -> Iterator[tuple[bpy.types.Object, bpy.types.Modifier]]:
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            switches = ("show_viewport", "show_render")
            path = f'modifiers["{modifier.name}"]'
            if any(getattr(modifier, one) or versions.is_animated(obj, f"{path}.{one}") for one in switches):
                yield obj, modifier


def _switch_off(obj: bpy.types.Object, modifier: bpy.types.Modifier, switch: str) -> None:
    versions.mute_animation(obj, f'modifiers["{modifier.name}"].{switch}')
    setattr(modifier, switch, False)
