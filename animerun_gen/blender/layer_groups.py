"""Which layer each object of a film belongs to: decided by the whole film, never by a frame.

A layer is a group of objects of the scene.  Instances belong to the layer of the object that makes them (an instancer,
an emitter), and what hangs on an object belongs to that object's layer unless it is in another one itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.animation import TIMED_CONSTRAINTS, TIMED_MODIFIERS
from animerun_gen.blender.convert.patterns import draws, hanging_on, matches
from animerun_gen.blender.geometry import SceneNames
from animerun_gen.blender.simulations import has_rigid_bodies
from animerun_gen.config.model import MOST_AUTO_LAYERS, SET_LAYER, LayerGroup, Layers, is_safe_name
from animerun_gen.motion.geometry import FrameGeometry

MOVES = ("location", "rotation", "scale", "delta_", "pose.", "constraints", "modifiers", "parent")
"""Beginnings of an object's properties whose animation moves it or bends it."""

HOLDING_CONSTRAINTS = {"ARMATURE", "CHILD_OF", "COPY_LOCATION", "COPY_TRANSFORMS"}
"""Constraints by which an object goes where their target goes; others only aim at it, or keep away."""

SIMULATED_MODIFIERS = {"CLOTH", "SOFT_BODY", "FLUID", "OCEAN"}
"""Modifiers that move what they are on without any keyframe, besides those that change with the frame."""

MOVING = "moving"
"""The layer of what has no armature, where it would make too many layers."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class LayerGroups:
    """The layers of a cut.

    Attributes:
        names: Their names: the set first, then the others in the order of the configuration.
        members: By the full name of an object of the scene the number of its layer; what is not named is in the set.
        table: ``(65536,)`` uint8, the same by the object's id.
        notes: What the user should know, a sentence each.
    """

    names: tuple[str, ...]
    members: Mapping[str, int]
    table: npt.NDArray[np.uint8]
    notes: list[str] = field(default_factory=list)

    def of_object(self, full_name: str) -> int:
        """The number of the layer of an object of the scene."""
        return self.members.get(full_name, 0)

    def of_instances(self, geometry: FrameGeometry) -> npt.NDArray[np.uint8]:
        """The number of the layer of each instance of a frame, ``(I,)`` uint8."""
        if geometry.owner_ids is None:
            raise ValueError("a geometry whose owner_ids were not taken down has no layers")
        return self.table[geometry.owner_ids]


def resolve_groups(scene: bpy.types.Scene, layers: Layers, names: SceneNames) -> LayerGroups:
    """Find the layer of every object of the open film.

    Args:
        scene: Its scene, converted or not: what a conversion makes hangs on what it is made of.
        layers: As the cut asks for them.
        names: The cut's ids.
    """
    groups, notes = (find_groups(scene), []) if layers.groups == "auto" else (dict(layers.groups), [])
    if layers.groups != "auto":
        notes = _unmatched(groups)
    own = [_members(group) for group in groups.values()]
    # objects of background scenes are drawn, too, and belong to the set
    here = {obj.name_full: obj for obj in scene.objects}
    members: dict[str, int] = {}
    for name, obj in here.items():
        number = _layer_of(obj, own)
        if number:
            members[name] = number
    table = np.zeros(1 << 16, np.uint8)
    for name, number in members.items():
        if name in names.objects.ids:
            table[names.objects.ids[name]] = number
    found = LayerGroups((SET_LAYER, *groups), members, table, notes)
    notes.extend(_empty(found))
    return found


def _members(group: LayerGroup) -> set[str]:
    """Full names of the objects that a group names, and of what hangs on those that draw nothing."""
    found = set()
    for obj in bpy.data.objects:
        if matches(obj.name, group.objects):
            found.add(obj.name_full)
            if not draws(obj):
                found |= {each.name_full for each in hanging_on(obj)}
    for collection in bpy.data.collections:
        if matches(collection.name, group.collections):
            found |= {obj.name_full for obj in collection.all_objects}
    return found


def _layer_of(obj: bpy.types.Object, own: list[set[str]]) -> int:
    """The number of an object's layer: its own, or that of the nearest it hangs on; 0 for the set."""
    waiting, seen = [obj], {obj.name_full}
    while waiting:
        each = waiting.pop(0)
        number = next((at for at, members in enumerate(own, start=1) if each.name_full in members), 0)
        if number:
            return number
        for carrier in _carriers(each):
            if carrier.name_full not in seen:
                seen.add(carrier.name_full)
                waiting.append(carrier)
    return 0


def _carriers(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """What an object hangs on: its parent, and the armatures that bend it."""
    bending = [modifier.object for modifier in obj.modifiers if modifier.type == "ARMATURE"]
    return [each for each in (obj.parent, *bending) if each is not None]


def _unmatched(groups: Mapping[str, LayerGroup]) -> list[str]:
    """A sentence for each pattern that nothing in the file fits: nearly always a misspelling."""
    return [
        f"layers.groups.{name}.{kind}: nothing in the file is named '{pattern}'"
        for name, group in groups.items()
        for kind, blocks, patterns in (
            ("objects", bpy.data.objects, group.objects),
            ("collections", bpy.data.collections, group.collections),
        )
        for pattern in patterns
        if not any(fnmatchcase(block.name, pattern) for block in blocks)
    ]


def _empty(found: LayerGroups) -> list[str]:
    used = set(found.members.values())
    empty = [name for number, name in enumerate(found.names) if number and number not in used]
    return [f"layer '{name}' has no object of the scene, so that it is empty in every frame" for name in empty]


def find_groups(scene: bpy.types.Scene) -> dict[str, LayerGroup]:
    """The layers of ``groups: auto``: what has an armature or moves by itself, with all that hangs on it.

    What hangs on each other is one layer, over parents, armatures, and constraints that hold something to what moves.
    A camera carries nothing, and what stands still carries nothing either: an empty that holds a whole film together
    makes no layer of it.

    Args:
        scene: The film's scene.

    Returns:
        By its name the objects of each layer, patterns that fit nothing but their names.
    """
    objects = {
        obj.name_full: obj for obj in scene.objects if obj.type not in {"CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER"}
    }
    moving = {name for name, obj in objects.items() if _is_rig(obj, scene) or _moves(obj, scene)}
    root = {name: name for name in objects}

    def top(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    carried = set(moving)
    # what hangs on what moves, from step to step
    waiting = sorted(moving)
    hanging: dict[str, list[str]] = {}
    for name, obj in sorted(objects.items()):
        for carrier in {each.name_full for each in (*_carriers(obj), *_holders(obj))}:
            hanging.setdefault(carrier, []).append(name)
    while waiting:
        carrier = waiting.pop(0)
        for name in hanging.get(carrier, ()):
            one, other = sorted((top(carrier), top(name)))
            root[other] = one
            if name not in carried:
                carried.add(name)
                waiting.append(name)
    parts: dict[str, list[str]] = {}
    for name in sorted(carried):
        parts.setdefault(top(name), []).append(name)
    drawn = [part for part in parts.values() if any(_is_drawn(objects[name]) for name in part)]
    if len(drawn) <= MOST_AUTO_LAYERS:
        return _as_groups(drawn, objects)
    # too many to be layers of their own
    rigged = [part for part in drawn if any(_rig_within(objects[name]) for name in part)][: MOST_AUTO_LAYERS - 1]
    rest = sorted(name for part in drawn if part not in rigged for name in part)
    return _as_groups(rigged, objects, rest)


def _is_drawn(obj: bpy.types.Object) -> bool:
    """Whether an object is in the picture in any frame; what a conversion removed is not."""
    return draws(obj) and not (obj.hide_render and not versions.is_animated(obj, "hide_render"))


def _as_groups(
    parts: Iterable[list[str]], objects: Mapping[str, bpy.types.Object], rest: Iterable[str] = ()
) -> dict[str, LayerGroup]:
    """Layers by name, sorted; those of the rest are one more."""
    found: dict[str, LayerGroup] = {}
    if rest:
        found[MOVING] = LayerGroup(objects=tuple(dict.fromkeys(_exactly(objects[name].name) for name in rest)))
    for part in parts:
        rigs = [name for name in part if _rig_within(objects[name])]
        tops = [name for name in part if objects[name].parent is None or objects[name].parent.name_full not in part]
        name = _free_name(objects[(rigs or tops or part)[0]].name, found)
        # names are exact, and linked objects may share theirs: they are told apart by nothing else here
        found[name] = LayerGroup(objects=tuple(dict.fromkeys(_exactly(objects[each].name) for each in part)))
    return dict(sorted(found.items()))


def _free_name(name: str, taken: Iterable[str]) -> str:
    safe = _UNSAFE.sub("_", name).strip("._-")[:80] or "layer"
    used = {each.lower() for each in taken} | {SET_LAYER}
    names = [safe, *(f"{safe}_{number}" for number in range(2, len(used) + 3)), *(f"layer_{safe}",)]
    return next(each for each in names if each.lower() not in used and is_safe_name(each))


def _exactly(name: str) -> str:
    """A pattern that fits this name alone."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _is_rig(obj: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    """Whether it is an armature on which something hangs, or an instance of a collection that has one or moves."""
    if obj.type == "ARMATURE":
        return any(draws(each) for each in hanging_on(obj))
    return _rig_within(obj) or any(_moves(each, scene) for each in _instanced(obj))


def _rig_within(obj: bpy.types.Object) -> bool:
    return obj.type == "ARMATURE" or any(each.type == "ARMATURE" for each in _instanced(obj))


def _instanced(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """What an object shows as an instance of a collection."""
    if obj.instance_type != "COLLECTION" or obj.instance_collection is None:
        return []
    return list(obj.instance_collection.all_objects)


def _holders(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """What constraints hold an object to."""
    targets = []
    for constraint in obj.constraints:
        if constraint.mute or constraint.type not in HOLDING_CONSTRAINTS:
            continue
        targets.append(getattr(constraint, "target", None))
        targets += [each.target for each in getattr(constraint, "targets", ())]
    return [each for each in targets if each is not None]


def _moves(obj: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    """Whether an object moves or bends by itself: not because of what it hangs on."""
    if any(_changes(obj, path, scene) for path in MOVES):
        return True
    keys = getattr(obj.data, "shape_keys", None)
    if keys is not None and (_changes(keys, "key_blocks", scene) or _changes(keys, "eval_time", scene)):
        return True
    if any(constraint.type in TIMED_CONSTRAINTS and not constraint.mute for constraint in obj.constraints):
        return True
    if obj.rigid_body is not None and obj.rigid_body.type == "ACTIVE" and has_rigid_bodies(scene):
        return True
    timed = TIMED_MODIFIERS | SIMULATED_MODIFIERS
    return any(modifier.type in timed and modifier.show_render for modifier in obj.modifiers)


def _changes(block: bpy.types.ID, path: str, scene: bpy.types.Scene) -> bool:
    """Whether a property whose path begins like this changes in the film: curves that hold one value do not."""
    animation = block.animation_data
    if animation is None:
        return False
    if any(not driver.mute and driver.data_path.startswith(path) for driver in animation.drivers):
        return True
    curves = [*versions.fcurves(block), *versions.nla_fcurves(block)]
    return any(not curve.mute and curve.data_path.startswith(path) and _varies(curve) for curve in curves)


def _varies(curve: bpy.types.FCurve) -> bool:
    if any(not modifier.mute for modifier in curve.modifiers):
        return True
    values = {key.co[1] for key in curve.keyframe_points} | {each.co[1] for each in curve.sampled_points}
    return len(values) > 1
