"""What particle systems show of their particles, hair included."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from animerun_gen.blender import versions

SHOWN_AT_PARTICLES = {"OBJECT": "object", "COLLECTION": "collection"}
"""Ways to render particles, hair included, that give instances, which have surfaces already."""


def drawn_by(settings: bpy.types.ParticleSettings) -> str:
    """What a particle system renders, in words; ``nothing`` also where what it shows is off."""
    kind = settings.render_type
    if kind in SHOWN_AT_PARTICLES:
        shown = settings.instance_object if kind == "OBJECT" else settings.instance_collection
        if shown is None or (kind == "COLLECTION" and not any(_rendered_objects(shown))):
            return "nothing"
        return f"{SHOWN_AT_PARTICLES[kind]} '{shown.name}'"
    if kind == "NONE":
        return "nothing"
    return "strands" if settings.type == "HAIR" else {"HALO": "halos"}.get(kind, "paths")


def is_seen(modifier: bpy.types.ParticleSystemModifier) -> bool:
    """Whether a particle system is rendered in any frame, or something else asks for its particles."""
    obj = modifier.id_data
    shown = modifier.show_render or versions.is_animated(obj, f'modifiers["{modifier.name}"].show_render')
    rendered = shown and not is_hidden(obj) and drawn_by(modifier.particle_system.settings) != "nothing"
    return rendered or _is_asked_for(modifier)


def is_hidden(obj: bpy.types.Object) -> bool:
    """Whether an object is hidden from renders and stays so."""
    return bool(obj.hide_render) and not versions.is_animated(obj, "hide_render")


def _rendered_objects(collection: bpy.types.Collection) -> Iterator[bpy.types.Object]:
    """The objects of a collection that particles show; switched off, it and those in it show none (4.5.15)."""
    if not collection.hide_render:
        yield from (obj for obj in collection.objects if not is_hidden(obj))
        for child in collection.children:
            yield from _rendered_objects(child)


def _is_asked_for(modifier: bpy.types.ParticleSystemModifier) -> bool:
    """Whether particles shape, push, paint or are followed by anything but themselves."""
    emitter, system = modifier.id_data, modifier.particle_system
    settings = system.settings
    if any(field is not None and field.type != "NONE" for field in (settings.force_field_1, settings.force_field_2)):
        return True
    return any(_asks_for(other, emitter, system) for obj in bpy.data.objects for other in obj.modifiers)


def _asks_for(other: bpy.types.Modifier, emitter: bpy.types.Object, system: bpy.types.ParticleSystem) -> bool:
    if other.type == "EXPLODE":
        return bool(other.id_data == emitter)
    if other.type == "PARTICLE_INSTANCE":
        return bool(other.object == emitter)
    if other.type == "PARTICLE_SYSTEM":
        # particles that are born on, or chase, others
        return any(target.object == emitter for target in other.particle_system.targets) or (
            other.particle_system.reactor_target_object == emitter
        )
    if other.type == "FLUID" and other.fluid_type == "FLOW":
        return other.flow_settings.particle_system == system
    if other.type == "DYNAMIC_PAINT" and other.brush_settings is not None:
        return other.brush_settings.particle_system == system
    return False
