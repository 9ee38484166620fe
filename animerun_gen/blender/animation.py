"""In which frames of a film anything moves or changes that its pictures show.

Keys and strips stand in *animation time*, of which a scene that stretches its time shows ``frame * old / new`` in a
frame (``render.frame_map_old`` and ``frame_map_new``; 4.5.15: drivers that ask for ``frame`` get animation time too,
those that read ``scene.frame_current`` the frame).  Everything here is told in the scene's frames, which are those that
a render counts and a cut names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.convert.film_look import FILM_LOOK_PATHS
from animerun_gen.blender.drawings import is_grease_pencil, modifiers_of
from animerun_gen.blender.node_trees import nodes_within
from animerun_gen.blender.opening import animated_blocks
from animerun_gen.blender.particles_drawn import is_hidden, is_seen
from animerun_gen.blender.references import needed_by
from animerun_gen.blender.simulations import find_simulations, has_rigid_bodies, scenes_drawn

TIMED_MODIFIERS = {
    *("BUILD", "EXPLODE", "MESH_CACHE", "MESH_SEQUENCE_CACHE", "WAVE"),
    *("GREASE_PENCIL_BUILD", "GREASE_PENCIL_NOISE", "GP_BUILD", "GP_NOISE"),
}
"""Modifiers that change with the frame without any keyframe."""

TIMED_CONSTRAINTS = {"CAMERA_SOLVER", "FOLLOW_TRACK", "OBJECT_SOLVER", "TRANSFORM_CACHE"}
"""Constraints that do: they read tracked footage, or a cache."""

UNPICTURED = {"LIGHT", "LIGHT_PROBE", "SPEAKER", "VOLUME", "POINTCLOUD"}
"""Objects that 2D style shows nothing of: their motion counts where something else hangs on them."""

UNPICTURED_PATHS = {"Scene": (*FILM_LOOK_PATHS, "sequence_editor"), "Camera": ("dof.",), "Object": ("hide_viewport",)}
"""Beginnings of properties whose animation no picture of ours shows, by the type of their owner."""

FRAME_PROPERTIES = {"frame_current", "frame_current_final", "frame_float", "frame_subframe"}
"""What a driver reads of a scene to know the frame."""

_FRAME = re.compile(r"\bframe(_\w+)?\b")


def stretch(scene: bpy.types.Scene) -> float:
    """How many frames of the scene a frame of its animation takes; 1 unless the scene maps its time."""
    return float(scene.render.frame_map_new / scene.render.frame_map_old)


def animated_range(scene: bpy.types.Scene, *, trust_scripts: bool) -> tuple[int, int] | None:
    """First and last frame of the scene in which anything changes that pictures show; None when nothing does.

    What goes on for ever (a driver that depends on the frame, cycles, noise, a simulation) reaches over the scene's own
    range.

    Args:
        scene: The scene.
        trust_scripts: Whether drivers that need Python run.
    """
    whole = (scene.frame_start, scene.frame_end)
    needed = needed_by(scenes_drawn(scene))
    reach: list[float] = []
    for owner, block in _pictured_blocks(needed):
        animation = block.animation_data
        unpictured = UNPICTURED_PATHS.get(owner.bl_rna.identifier, ())
        if animation.action is not None and animation.action_influence > 0:
            for curve in versions.fcurves(block):
                if not curve.mute and not curve.data_path.startswith(unpictured):
                    reach += _curve_reach(curve, scene)
        reach += (time * stretch(scene) for time in _strip_times(animation))
        for driver in animation.drivers:
            if not driver.data_path.startswith(unpictured) and _follows_frame(driver, trust_scripts):
                reach += whole
    reach += _footage_times(needed, scene)
    reach += _drawing_times(needed)
    if has_rigid_bodies(scene) or _changes_by_itself(needed, scene):
        reach += whole
    if not reach or min(reach) == max(reach):
        return None
    return math.floor(min(reach)), math.ceil(max(reach))


def _pictured_blocks(needed: set[bpy.types.ID]) -> Iterator[tuple[bpy.types.ID, bpy.types.ID]]:
    """The animated data-blocks that the scene needs and the picture shows something of, each after its owner.

    A node tree that is no group belongs to its material, texture or world.
    """
    owners: dict[bpy.types.ID, bpy.types.ID] = {}
    for collection in (bpy.data.materials, bpy.data.textures, bpy.data.worlds):
        owners.update({block.node_tree: block for block in collection if block.node_tree is not None})
    users: dict[bpy.types.ID, set[bpy.types.ID]] | None = None
    for block in animated_blocks():
        owner = owners.get(block, block)
        if owner not in needed or getattr(block, "type", "") == "COMPOSITING":
            continue
        if isinstance(owner, bpy.types.Object) and (owner.type in UNPICTURED or is_hidden(owner)):
            users = bpy.data.user_map() if users is None else users
            if not any(isinstance(user, bpy.types.Object) and user != owner for user in users.get(owner, ())):
                continue
        yield owner, block


def _curve_reach(curve: Any, scene: bpy.types.Scene) -> tuple[float, ...]:
    """First and last frame of the scene in which a curve changes; nothing where it never does."""
    modified = any(not modifier.mute for modifier in curve.modifiers)
    keys = len(curve.keyframe_points) or len(curve.sampled_points)
    times = tuple(time * stretch(scene) for time in curve.range()) if keys > 1 else ()
    if not modified and curve.extrapolation == "CONSTANT":
        return times
    # beyond its keys it may go on: slopes, cycles and noise, each with limits of its own
    frames = range(scene.frame_start, scene.frame_end + 1)
    values = [curve.evaluate(frame / stretch(scene)) for frame in frames]
    changes = [frame for frame, (one, other) in enumerate(pairwise(values)) if one != other]
    if not changes:
        return () if modified else times
    own = (float(frames[changes[0]]), float(frames[changes[-1] + 1]))
    return own if modified else (*times, *own)


def _strip_times(animation: bpy.types.AnimData) -> Iterator[float]:
    """Beginnings and ends, in animation time, of the strips that play.

    Before and after it a strip only holds what it has there, whatever its curves would do (4.5.15).
    """
    if not animation.use_nla:
        return
    solo = [track for track in animation.nla_tracks if track.is_solo]
    for track in solo or animation.nla_tracks:
        for strip in track.strips:
            if not (track.mute or strip.mute):
                yield from (strip.frame_start, strip.frame_end)


def _follows_frame(curve: Any, trust_scripts: bool) -> bool:
    """Whether a driver gives something else in another frame by itself.

    One that reads an animated property does so as long as that is animated, which is found where the property is.
    """
    driver = curve.driver
    if curve.mute or not curve.is_valid:
        return False
    read = {variable.name for variable in driver.variables if _reads_frame(variable)}
    if driver.type != "SCRIPTED":
        return bool(read)
    if not (driver.is_simple_expression or trust_scripts):
        return False
    own = {variable.name for variable in driver.variables}
    # a variable may be called "frame", and mean something else
    words = {match.group() for match in _FRAME.finditer(driver.expression)} - own
    return bool(words) or any(re.search(rf"\b{re.escape(name)}\b", driver.expression) for name in read)


def _reads_frame(variable: Any) -> bool:
    """Whether a driver's variable is the frame of a scene."""
    return variable.type in {"SINGLE_PROP", "CONTEXT_PROP"} and any(
        target.data_path in FRAME_PROPERTIES for target in variable.targets
    )


def _footage_times(needed: set[bpy.types.ID], scene: bpy.types.Scene) -> Iterator[float]:
    """First and last frames of the scene in which image sequences and movies on surfaces show other pictures."""
    trees: list[Any] = [
        block.node_tree for block in needed if isinstance(block, bpy.types.Material) and block.node_tree is not None
    ]
    for tree in trees:
        for node in nodes_within(tree):
            image = node.image if node.type == "TEX_IMAGE" else None
            if image is None or image.source not in {"SEQUENCE", "MOVIE"} or node.image_user.frame_duration < 2:
                continue
            user = node.image_user
            if user.use_cyclic:
                yield from (scene.frame_start, scene.frame_end)
            elif user.use_auto_refresh:
                yield user.frame_start * stretch(scene)
                yield (user.frame_start + user.frame_duration - 1) * stretch(scene)


def _drawing_times(needed: set[bpy.types.ID]) -> Iterator[int]:
    """First and last frames of the scene in which Grease Pencil shows another drawing.

    They are frames whether the scene stretches its time or not.
    """
    for block in needed:
        if isinstance(block, bpy.types.Object) and is_grease_pencil(block) and not is_hidden(block):
            for layer in block.data.layers:
                numbers = [frame.frame_number for frame in layer.frames]
                if len(numbers) > 1:
                    yield from (min(numbers), max(numbers))


def _changes_by_itself(needed: set[bpy.types.ID], scene: bpy.types.Scene) -> bool:
    """Whether something that the scene needs changes with the frame without any keyframe."""
    simulated = {each.modifier.as_pointer() for each in find_simulations(scene)}
    for obj in needed:
        if not isinstance(obj, bpy.types.Object):
            continue
        if any(constraint.type in TIMED_CONSTRAINTS and not constraint.mute for constraint in obj.constraints):
            return True
        for modifier in modifiers_of(obj):
            if modifier.type == "PARTICLE_SYSTEM":
                if is_seen(modifier) and _moves(modifier.particle_system):
                    return True
            elif modifier.as_pointer() in simulated or (modifier.show_render and _is_timed(modifier)):
                return True
    return False


def _is_timed(modifier: bpy.types.Modifier) -> bool:
    """Whether a modifier does something else in every frame, without a history."""
    if modifier.type == "NODES":
        group = modifier.node_group
        return group is not None and any(node.type == "INPUT_SCENE_TIME" for node in nodes_within(group))
    return bool(modifier.type in TIMED_MODIFIERS or (modifier.type == "OCEAN" and modifier.is_cached))


def _moves(system: bpy.types.ParticleSystem) -> bool:
    """Whether particles move by themselves; hair does so only if it swings."""
    return bool(system.settings.type != "HAIR" or system.use_hair_dynamics)
