"""How the conversions take an object out of the picture, for good or in some frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import bmesh
import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.moments import moments
from animerun_gen.config.messages import named


def hide(obj: bpy.types.Object) -> None:
    """Keep an object, and its copies in instances of collections, out of every render, whatever its animation says.

    It is hidden and not deleted, because modifiers and constraints of other objects may depend on it.
    """
    versions.mute_animation(obj, "hide_render")
    obj.hide_render = True


SHAPING_NODES = {
    "GeometryNodeMeshBoolean",
    "GeometryNodeProximity",
    "GeometryNodeRaycast",
    "GeometryNodeSampleIndex",
    "GeometryNodeSampleNearest",
    "GeometryNodeSampleNearestSurface",
}
"""Nodes by which an object shapes another, and must stay although it is not seen itself."""


def hide_all(doomed: Iterable[bpy.types.Object], *, instances_only: bool = False) -> list[str]:
    """Keep objects out of every render, as :func:`hide` does, and also the copies that nodes and particles make.

    These draw what is hidden from renders (4.5.15), so it loses its faces there.

    Args:
        doomed: The objects.
        instances_only: Whether only instances go, which a camera sees no more than the object itself; what nodes make a
            part of their own object's geometry is seen as that is.

    Returns:
        What is to be said of objects whose copies stay: a sentence, or none.
    """
    scattered = _Copies(instances_only, certain=True).sources()
    staying = []
    for obj in doomed:
        hide(obj)
        if obj not in scattered or obj.type != "MESH" or obj.library is not None or _has_nodes(obj):
            staying.append(obj)
            continue
        # the mesh itself may be worn by others
        obj.data = obj.data.copy()
        editable = bmesh.new()
        try:
            editable.from_mesh(obj.data)
            bmesh.ops.delete(editable, geom=editable.faces[:], context="FACES_ONLY")
            editable.to_mesh(obj.data)
        finally:
            editable.free()
    return note_copies(staying)


def _has_nodes(obj: bpy.types.Object) -> bool:
    return any(each.type == "NODES" for each in obj.modifiers)


@dataclass(frozen=True)
class _Copies:
    """Which copies of objects, made by geometry nodes or particles, are asked for.

    Attributes:
        instances_only: Whether only instances count, and not what nodes make a part of their own object's geometry.
        certain: Whether nodes count only where it cannot be the shape of an object that they ask for.
    """

    instances_only: bool = False
    certain: bool = False

    def sources(self) -> set[bpy.types.Object]:
        """The objects that such copies may be drawn of."""
        sources: list[Any] = []
        for settings in bpy.data.particles:
            if settings.render_type == "OBJECT":
                sources.append(settings.instance_object)
            elif settings.render_type == "COLLECTION":
                sources.append(settings.instance_collection)
        handing_out = {group.name_full: self._handing_out(group) for group in bpy.data.node_groups}
        for nodes in handing_out.values():
            sources += [getattr(socket, "default_value", None) for node in nodes for socket in node.inputs]
        for obj in bpy.data.objects:
            for modifier in obj.modifiers:
                if modifier.type == "NODES" and modifier.node_group and handing_out[modifier.node_group.name_full]:
                    sources += versions.values_given_to_nodes(modifier)
        found = {each for each in sources if isinstance(each, bpy.types.Object)}
        for each in sources:
            if isinstance(each, bpy.types.Collection):
                found |= set(each.all_objects)
        return found

    def _handing_out(self, group: bpy.types.NodeTree) -> list[Any]:
        """The nodes of a group that may give it objects to draw."""
        if group.bl_idname != "GeometryNodeTree":
            return []
        if self.certain and any(node.bl_idname in SHAPING_NODES for node in group.nodes):
            return []
        found = []
        for node in group.nodes:
            as_instance = node.inputs.get("As Instance")
            takes_object = any(socket.type in {"OBJECT", "COLLECTION"} for socket in node.inputs)
            realized = as_instance is not None and not as_instance.is_linked and not as_instance.default_value
            if takes_object and not (self.instances_only and realized):
                found.append(node)
        return found


def note_copies(objects: Iterable[bpy.types.Object]) -> list[str]:
    """What is to be said of hidden objects that geometry nodes or particles show: a sentence, or none.

    Blender draws these copies although the object itself is hidden (4.5.15), which a camera's visibility would not.

    Args:
        objects: Objects that are hidden, in all frames or in some.
    """
    shown = shown_as_copies(objects)
    if not shown:
        return []
    what = named(sorted(str(obj.name) for obj in shown), "object")
    return [f"geometry nodes or particles use {what}, and copies that they show stay: remove what shows the copies too"]


def shown_as_copies(objects: Iterable[bpy.types.Object]) -> set[bpy.types.Object]:
    """Which of some hidden objects geometry nodes or particles may show all the same."""
    hidden = set(objects)
    return hidden & _Copies().sources() if hidden else set()


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
