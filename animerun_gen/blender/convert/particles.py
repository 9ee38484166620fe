"""Gives particles that are no hair a surface: what they show stays, halos and paths become small balls.

Each particle is an instance, which the geometry of a frame names by its system and by its own number in it
(:mod:`animerun_gen.blender.geometry`); its motion is known as long as it lives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.convert.particle_systems import (
    make_local,
    material_name,
    own_settings,
    rendered_systems,
    switch_off,
    system_material,
    system_name,
)
from animerun_gen.blender.convert.patterns import Treatments
from animerun_gen.blender.convert.surfaces import MADE
from animerun_gen.blender.convert.viewport import show_as_rendered
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.particles_drawn import SHOWN_AT_PARTICLES, drawn_by
from animerun_gen.blender.simulations import has_history
from animerun_gen.config import CutConfig
from animerun_gen.config.model import ParticleTreatment

SIDES, BELTS = 12, 6
"""Corners around a ball, and belts of faces from pole to pole."""


@dataclass(frozen=True)
class ParticleFinding:
    """A particle system of the open file that is no hair.

    Attributes:
        name: ``<object>/<system>``: what ``particles.systems`` calls it.
        kind: Blender's type, in words: ``emitter``, or the fluid's part that it shows.
        particles: How many it gives off in all.
        drawn: What is rendered: ``halos``, ``paths``, ``object 'X'``, ``collection 'X'`` or ``nothing``.
        material: Name of its material, if it has one.
        baked: Whether its simulation is stored, so that it need not be played from its beginning.
    """

    name: str
    kind: str
    particles: int
    drawn: str
    material: str | None
    baked: bool


def find_particles() -> list[ParticleFinding]:
    """List all particle systems of the open file that are rendered and no hair, by name; changes nothing."""
    found = []
    for obj, modifier in _emitters():
        system = modifier.particle_system
        settings = system.settings
        found.append(
            ParticleFinding(
                system_name(obj, system),
                settings.type.replace("_", " ").lower(),
                settings.count,
                drawn_by(settings),
                material_name(system_material(obj, settings)),
                system.point_cache.is_baked,
            )
        )
    return sorted(found, key=lambda one: one.name)


def convert_particles(opened: OpenedScene, config: CutConfig) -> list[str]:
    """Give every particle a surface, or take it out, and simulate the particles.

    Args:
        opened: The opened scene.
        config: The cut: ``particles``.

    Returns:
        What was done, a sentence each.
    """
    notes = []
    treatments = Treatments(config.particles.systems)
    simulated = []
    for obj, _ in _emitters():
        make_local(obj)
    for obj, modifier in _emitters():
        system = modifier.particle_system
        name = system_name(obj, system)
        treatment = treatments.of(name)
        named, treatment = treatment is not None, treatment or config.particles
        shown = system.settings.render_type
        if treatment.mode == "remove":
            switch_off(obj, modifier)
            notes.append(f"removed particles '{name}'")
        elif drawn_by(system.settings) == "nothing" and not (named and shown == "NONE"):
            way = "; name them in particles.systems to see them" if shown == "NONE" else ""
            notes.append(f"particles '{name}' are not rendered in the film{way}")
            continue
        elif system.point_cache.use_disk_cache and not system.point_cache.is_baked:
            # playing it would write to the film's folder, by several processes at once
            switch_off(obj, modifier)
            notes.append(f"removed particles '{name}': their disk cache is not baked; bake it in Blender")
        elif shown in SHOWN_AT_PARTICLES:
            notes.append(f"particles '{name}' show {drawn_by(system.settings)}, as in the film")
            simulated.append((obj, modifier))
        else:
            _show_balls(obj, system, treatment)
            notes.append(f"turned {drawn_by_film(shown)} of particles '{name}' into balls")
            simulated.append((obj, modifier))
    notes += treatments.unused("particles.systems", "no particles are")
    for obj, modifier in simulated:
        _simulate_in_viewport(obj, modifier)
    show_as_rendered([obj for obj, _ in simulated], opened.view_layer)
    _simulate([modifier for _, modifier in simulated], opened, config.frames.last)
    return notes


def drawn_by_film(render_type: str) -> str:
    """What the film shows of particles without surface, in words."""
    return {"HALO": "the halos", "NONE": "the unseen points"}.get(render_type, "the paths")


def _emitters() -> list[tuple[bpy.types.Object, bpy.types.ParticleSystemModifier]]:
    return [(obj, modifier) for obj, modifier in rendered_systems() if modifier.particle_system.settings.type != "HAIR"]


def _show_balls(obj: bpy.types.Object, system: bpy.types.ParticleSystem, treatment: ParticleTreatment) -> None:
    """Let the particles show a ball that is not in the picture otherwise: it is in no collection.

    Blender scales it by each particle's size, which is a halo's radius.
    """
    settings = own_settings(system)
    largest = settings.particle_size
    radius = 0.5 * treatment.size / largest if treatment.size is not None and largest > 0 else 1.0
    mesh = _ball(f"ball of {system_name(obj, system)}", radius)
    mesh.materials.append(system_material(obj, settings))
    settings.instance_object = bpy.data.objects.new(mesh.name, mesh)
    settings.render_type = "OBJECT"
    settings.use_scale_instance = True


def _ball(name: str, radius: float) -> bpy.types.Mesh:
    """A ball about the origin, its corners numbered the same in every process."""
    vertices = [(0.0, 0.0, -radius)]
    for belt in range(1, BELTS):
        height, wide = -math.cos(math.pi * belt / BELTS), math.sin(math.pi * belt / BELTS)
        for side in range(SIDES):
            angle = 2.0 * math.pi * side / SIDES
            vertices.append((radius * wide * math.cos(angle), radius * wide * math.sin(angle), radius * height))
    top = len(vertices)
    vertices.append((0.0, 0.0, radius))
    faces: list[tuple[int, ...]] = []
    for side in range(SIDES):
        after = (side + 1) % SIDES
        faces.append((0, 1 + after, 1 + side))
        for belt in range(BELTS - 2):
            low, high = 1 + belt * SIDES, 1 + (belt + 1) * SIDES
            faces.append((low + side, low + after, high + after, high + side))
        low = 1 + (BELTS - 2) * SIDES
        faces.append((low + side, low + after, top))
    mesh = bpy.data.meshes.new(name)
    mesh[MADE] = True
    mesh.from_pydata(vertices, [], faces)
    mesh.update()
    return mesh


def _simulate_in_viewport(obj: bpy.types.Object, modifier: bpy.types.ParticleSystemModifier) -> None:
    """Let the viewport simulate every particle in every frame; the renderer reads what it left in the cache."""
    versions.mute_animation(obj, f'modifiers["{modifier.name}"].show_viewport')
    modifier.show_viewport = True
    modifier.particle_system.settings.display_percentage = 100


def _simulate(modifiers: list[bpy.types.ParticleSystemModifier], opened: OpenedScene, last: int) -> None:
    """Bake what flies into memory, from where its cache begins to the clip's end.

    Of what is baked every frame stays as it is, in whatever order frames are rendered.
    """
    if not modifiers:
        return
    scene = opened.scene
    unbaked = []
    for modifier in modifiers:
        if not has_history(modifier):
            continue
        cache = modifier.particle_system.point_cache
        cache.frame_step = 1
        cache.frame_end = max(min(cache.frame_end, last), cache.frame_start + 1)
        try:
            with bpy.context.temp_override(scene=scene, view_layer=opened.view_layer, point_cache=cache):
                bpy.ops.ptcache.bake(bake=True)
        except RuntimeError:
            # Blender may refuse, of library overrides for example; what it does not bake is played from its beginning
            unbaked.append(cache.frame_start)
    for frame in range(min(unbaked, default=last), last + 1):
        scene.frame_set(frame)
