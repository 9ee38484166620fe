"""What the conversions of hair and of particles both must know of Blender's particle systems."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.external_files import cache_folder, cache_name, point_caches
from animerun_gen.blender.particles_drawn import is_hidden


def rendered_systems() -> list[tuple[bpy.types.Object, bpy.types.ParticleSystemModifier]]:
    """All particle systems that are rendered, by object name and place on the object."""
    return [
        (obj, modifier)
        for obj in sorted(bpy.data.objects, key=lambda obj: str(obj.name_full))
        for modifier in obj.modifiers
        if modifier.type == "PARTICLE_SYSTEM"
        and (modifier.show_render or versions.is_animated(obj, f'modifiers["{modifier.name}"].show_render'))
        and may_be_seen(obj)
    ]


def make_local(obj: bpy.types.Object) -> None:
    """Bring a linked object, and the linked collections that it is in, into the open file; only in memory.

    Linked collections take no further objects, and the caches of linked simulations can neither be baked nor cleared
    (4.5.15: a system that was once shown at a late frame stays as it was there).
    """
    if obj.library is None:
        return
    holding = [one for one in bpy.data.collections if one.library is not None and obj in one.all_objects.values()]
    # the outer ones first: a collection that a linked one holds would only be copied
    for collection in sorted(holding, key=lambda one: len(one.children_recursive), reverse=True):
        collection.make_local()
    beside_library = [
        (number, cache_folder(obj, cache), cache_name(obj, cache))
        for number, cache in enumerate(point_caches(obj))
        if cache.use_disk_cache and cache.is_baked and cache.use_library_path and not cache.use_external
    ]
    obj.make_local()
    # Blender would look for the cache of a local object beside the film, and find nothing
    caches = list(point_caches(obj))
    for number, folder, name in beside_library:
        caches[number].use_external = True
        caches[number].filepath = f"{folder}/"
        caches[number].name = name


def switch_off(obj: bpy.types.Object, modifier: bpy.types.ParticleSystemModifier) -> None:
    """Take a particle system out of every render, whatever its animation says."""
    for switch in ("show_render", "show_viewport"):
        versions.mute_animation(obj, f'modifiers["{modifier.name}"].{switch}')
        setattr(modifier, switch, False)


def own_settings(system: bpy.types.ParticleSystem) -> bpy.types.ParticleSettings:
    """The settings of a system, made its own where it shares them, so that they can be changed.

    Linked ones are copied as well: to let them show an object of the open file does nothing (4.5.15), without a word.
    """
    if system.settings.users > 1 or system.settings.library is not None:
        system.settings = system.settings.copy()
    return system.settings


def system_name(obj: bpy.types.Object, system: bpy.types.ParticleSystem) -> str:
    """What the configuration calls a particle system."""
    return f"{obj.name}/{system.name}"


def system_material(obj: bpy.types.Object, settings: bpy.types.ParticleSettings) -> bpy.types.Material | None:
    """The material of a particle system, of those of its object; Blender takes the last for a number beyond them."""
    slots = obj.material_slots
    return slots[min(settings.material, len(slots)) - 1].material if len(slots) else None


def material_name(material: bpy.types.Material | None) -> str | None:
    """The name of a material, where there is one."""
    return material.name if material is not None else None


def may_be_seen(obj: bpy.types.Object) -> bool:
    """Whether an object is rendered, or may be in another frame, in some collection."""
    return not is_hidden(obj) and len(obj.users_collection) > 0
