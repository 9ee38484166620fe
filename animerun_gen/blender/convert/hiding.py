"""How the conversions take an object out of the picture, for good or in some frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import bmesh
import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.moments import moments


def hide(obj: bpy.types.Object) -> None:
    """Keep an object, and its copies in instances of collections, out of every render, whatever its animation says.

    It is hidden and not deleted, because modifiers and constraints of other objects may depend on it.
    """
    versions.mute_animation(obj, "hide_render")
    obj.hide_render = True


def hide_all(doomed: Iterable[bpy.types.Object]) -> None:
    """Keep objects out of every render, as :func:`hide` does, and also the copies that nodes and particles make.

    These draw what is hidden from renders (4.5.15), so it loses its faces there.
    """
    scattered = _scattered()
    for obj in doomed:
        hide(obj)
        if obj.type == "MESH" and obj.library is None and obj in scattered:
            # the mesh itself may be worn by others
            obj.data = obj.data.copy()
            editable = bmesh.new()
            try:
                editable.from_mesh(obj.data)
                bmesh.ops.delete(editable, geom=editable.faces[:], context="FACES_ONLY")
                editable.to_mesh(obj.data)
            finally:
                editable.free()


def _scattered() -> set[bpy.types.Object]:
    """The objects that geometry nodes or particles may draw copies of."""
    named: list[Any] = []
    for settings in bpy.data.particles:
        if settings.render_type in {"OBJECT", "COLLECTION"}:
            named.append(settings.instance_object if settings.render_type == "OBJECT" else settings.instance_collection)
    for group in bpy.data.node_groups:
        if group.bl_idname == "GeometryNodeTree":
            named += [
                getattr(socket, "default_value", None)
                for node in group.nodes
                for socket in node.inputs
                if socket.type in {"OBJECT", "COLLECTION"}
            ]
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            if modifier.type == "NODES":
                named += list(modifier.values())
    found = {each for each in named if isinstance(each, bpy.types.Object)}
    for each in named:
        if isinstance(each, bpy.types.Collection):
            found |= set(each.all_objects)
    return found


def hidden_in(obj: bpy.types.Object, frames: Iterable[int], scene: bpy.types.Scene) -> dict[int, bool]:
    """Whether an object is hidden from renders in each of some frames, whatever its animation consists of.

    Args:
        obj: The object.
        frames: The frames.
        scene: The film's scene.
    """
    found = {}
    with moments(scene, objects=[obj]) as there:
        for frame in frames:
            there.go_to(frame)
            found[frame] = bool(there.of(obj).hide_render)
    return found


def hide_in(obj: bpy.types.Object, hidden: Mapping[int, bool], scene: bpy.types.Scene) -> None:
    """Have an object come and go.

    Args:
        obj: The object, of the open file or of a library.
        hidden: Whether it is hidden, for each frame from the first to the last that matters.
        scene: The scene, whose frames may be stretched in time.
    """
    hide(obj)
    # A driver comes after everything else that is animated, and can be given to what is linked, where keys cannot
    # (4.5.15).  Its own curve says what becomes of the frame's number.
    curve = obj.driver_add("hide_render")
    curve.driver.type = "SCRIPTED"
    curve.driver.expression = "frame"
    for modifier in list(curve.modifiers):
        curve.modifiers.remove(modifier)
    while curve.keyframe_points:
        curve.keyframe_points.remove(curve.keyframe_points[0], fast=True)
    stretch = scene.render.frame_map_old / scene.render.frame_map_new
    before = None
    for frame, is_hidden in sorted(hidden.items()):
        if is_hidden != before:
            # a little before the frame, lest rounding decides
            key = curve.keyframe_points.insert((frame - 0.25) * stretch, float(is_hidden), options={"FAST"})
            key.interpolation = "CONSTANT"
        before = is_hidden
    curve.update()
