"""Names what is animated in the film and yet read once, so that nobody takes a conversion for more than it is.

Everything else that a conversion reads is either evaluated by Blender in every frame, or looked at frame by frame by
the conversion itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.convert.shader_glow import shader_glow
from animerun_gen.blender.particles_drawn import drawn_by, is_hidden
from animerun_gen.config import CutConfig

HAIR = ("root_radius", "radius_scale", "child_radius", "rendered_child_count", "child_percent", "child_nbr", "count")
"""Settings of hair by which the shapes in its place are chosen in the clip's first frame."""

BALLS = ("particle_size", "count")
"""Settings of particles by which the balls in their place are made."""

PICTURE = ("render.resolution_x", "render.resolution_y", "render.resolution_percentage", "render.pixel_aspect_")
"""The shape of the film's picture, which the cut has once."""


def note_unfollowed(scene: bpy.types.Scene, config: CutConfig) -> list[str]:
    """What is animated and read in one frame only, a sentence each.

    Args:
        scene: The film's scene, before anything is converted.
        config: The cut.
    """
    first = config.frames.first
    return [f"{what} is animated, but read in frame {first} alone" for what in _unfollowed(scene, config)]


def _unfollowed(scene: bpy.types.Scene, config: CutConfig) -> Iterator[str]:
    if any(versions.animates(scene, path) for path in PICTURE):
        yield "the shape of the film's picture"
    for obj in bpy.data.objects:
        if is_hidden(obj):
            continue
        if versions.is_animated(obj, "display_type") and "unseen" in config.remove.rules:
            yield f"how '{obj.name}' is displayed, by which rules remove helpers,"
        for modifier in obj.modifiers:
            if modifier.type == "PARTICLE_SYSTEM":
                yield from _of_particles(obj, modifier)
    if {"glowing", "light_panels"} & set(config.remove.rules):
        for material in bpy.data.materials:
            blocks = (material, material.node_tree)
            if (
                material.users
                and any(versions.animates(each, "") for each in blocks)
                and shader_glow(material).emission
            ):
                yield f"material '{material.name}', by whose light rules remove lamps and panels,"


def _of_particles(obj: bpy.types.Object, modifier: bpy.types.ParticleSystemModifier) -> Iterator[str]:
    settings = modifier.particle_system.settings
    name = f"{obj.name}/{modifier.particle_system.name}"
    is_hair = settings.type == "HAIR"
    read = HAIR if is_hair else BALLS
    if drawn_by(settings) in {"strands", "halos", "paths"} and any(versions.is_animated(settings, one) for one in read):
        yield f"the size or number of {'hair' if is_hair else 'particles'} '{name}'"
    if is_hair and versions.is_animated(obj, f'modifiers["{modifier.name}"].show_render'):
        yield f"whether hair '{name}' is shown"
