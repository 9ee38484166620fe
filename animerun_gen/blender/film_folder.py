"""Keeps Blender from writing beside the film, where its simulations have their caches on disk.

Each process that plays a simulation would write its cache anew, and several would read each other's halves.  What is
baked is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.external_files import is_baked_fluid
from animerun_gen.errors import SceneError


def hold_unbaked() -> list[str]:
    """Switch off what would write as soon as Blender evaluates the film, where the picture can do without.

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
        elif modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN" and not is_baked_fluid(modifier):
            if not obj.hide_render:
                notes.append(f"left out the fluid of '{obj.name}': its cache is not baked; bake it in Blender")
            _switch_off(obj, modifier, "show_viewport")
            _switch_off(obj, modifier, "show_render")
            # without its fluid a domain is a box
            versions.mute_animation(obj, "hide_render")
            obj.hide_render = True
    return notes


def refuse_unbaked_paint(source: Path) -> None:
    """Stop where dynamic paint would write.

    Raises:
        SceneError: It would.
    """
    for obj, modifier in _switched_on():
        canvas = modifier.canvas_settings if modifier.type == "DYNAMIC_PAINT" else None
        for surface in canvas.canvas_surfaces if canvas is not None else ():
            cache = surface.point_cache
            if surface.is_active and surface.is_cache_user and cache.use_disk_cache and not cache.is_baked:
                raise SceneError(
                    f"dynamic paint '{surface.name}' of '{obj.name}' in {source} keeps what is painted in a disk cache "
                    "that is not baked, which every process that plays it would write anew; bake it in Blender, or "
                    "switch 'Disk Cache' off there."
                )


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
