"""What of a film depends on the frames before, so that Blender has to play up to a frame before it can be rendered.

A simulation runs in the viewport's dependency graph when its frames are set one after the other, also in an object that
only instances draw; a render then finds the results there.  What the viewport does not show is not played (tried for
cloth, soft bodies, rigid bodies, dynamic paint, particles and simulation zones in 4.5.15).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from animerun_gen.blender.node_trees import nodes_within
from animerun_gen.blender.particles_drawn import is_seen
from animerun_gen.blender.references import needed_by


@dataclass(frozen=True)
class Simulation:
    """A modifier with a history.

    Attributes:
        owner: Its object.
        modifier: The modifier.
    """

    owner: bpy.types.Object
    modifier: bpy.types.Modifier

    @property
    def caches(self) -> list[bpy.types.PointCache]:
        """Where Blender keeps its frames; nothing where that is not told."""
        if self.modifier.type in {"CLOTH", "SOFT_BODY"}:
            return [self.modifier.point_cache]
        if self.modifier.type == "DYNAMIC_PAINT":
            canvas = self.modifier.canvas_settings
            surfaces = canvas.canvas_surfaces if canvas is not None else ()
            return [surface.point_cache for surface in surfaces if surface.is_active]
        return [self.modifier.particle_system.point_cache] if self.modifier.type == "PARTICLE_SYSTEM" else []


def is_simulated(scene: bpy.types.Scene) -> bool:
    """Whether what a frame shows depends on the frames before it, so that Blender must play up to it."""
    return has_rigid_bodies(scene) or bool(find_simulations(scene))


def has_rigid_bodies(scene: bpy.types.Scene) -> bool:
    """Whether the scene's rigid body world is switched on."""
    return scene.rigidbody_world is not None and scene.rigidbody_world.enabled


def find_simulations(scene: bpy.types.Scene) -> list[Simulation]:
    """The simulations, but for rigid bodies, of all objects that the scene needs, also of those that only instances
    or other objects draw; sorted by the object's name."""
    everywhere = [
        Simulation(obj, modifier) for obj in bpy.data.objects for modifier in obj.modifiers if _is_simulating(modifier)
    ]
    if not everywhere:
        return []
    needed = needed_by(scenes_drawn(scene))
    return sorted((each for each in everywhere if each.owner in needed), key=lambda each: str(each.owner.name_full))


def first_played_frame(scene: bpy.types.Scene) -> int:
    """The frame with which the history of the scene's simulations begins: its first, or that of a cache before it."""
    caches = [cache for each in find_simulations(scene) for cache in each.caches]
    if has_rigid_bodies(scene):
        caches.append(scene.rigidbody_world.point_cache)
    return int(min([scene.frame_start, *(cache.frame_start for cache in caches)]))


def has_history(modifier: bpy.types.Modifier) -> bool:
    """Whether it is a particle system that is seen and moves by itself, unless that is stored in the file or beside."""
    if modifier.type != "PARTICLE_SYSTEM" or not (modifier.show_render or modifier.show_viewport):
        return False
    if not is_seen(modifier):
        return False
    system = modifier.particle_system
    moves = system.settings.type != "HAIR" or system.use_hair_dynamics
    return bool(moves and not system.point_cache.is_baked)


def _is_simulating(modifier: bpy.types.Modifier) -> bool:
    if modifier.type == "NODES":
        return modifier.node_group is not None and _has_zones(modifier.node_group)
    return modifier.type in {"CLOTH", "SOFT_BODY", "DYNAMIC_PAINT"} or has_history(modifier)


def _has_zones(group: bpy.types.NodeTree) -> bool:
    """Whether nodes, or the groups among them at any depth, hold a simulation zone."""
    return any(node.type == "SIMULATION_OUTPUT" for node in nodes_within(group))


def scenes_drawn(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """The scene and those that it has as its background."""
    drawn: list[bpy.types.Scene] = []
    each: bpy.types.Scene | None = scene
    while each is not None and each not in drawn:
        drawn.append(each)
        yield each
        each = each.background_set
