"""Finds and removes by rule what serves a film's light and not its picture.

Section 3.1 of the AnimeRun paper takes two kinds of things out: *environment assets* (fog, light panels, light
blockers) and *illuminating objects* (lamps with bulbs, shining dots in eyes, glowing orbs).  Its authors picked them by
hand; here rules do, and a cut's ``keep`` and ``remove`` have the last word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from animerun_gen.blender.convert.hiding import hide
from animerun_gen.blender.convert.patterns import matches, named_objects, unmatched
from animerun_gen.blender.convert.removal import delete_faces
from animerun_gen.blender.convert.shader_glow import Glow, shader_glow
from animerun_gen.blender.convert.visibility import unseen_in, why_unseen
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.particles_drawn import is_hidden
from animerun_gen.config import CutConfig

DRAWN_TYPES = {"MESH", "CURVE", "SURFACE", "FONT", "META"}
"""Types of objects that have surfaces of their own."""

FLAT = 0.05
"""A panel is no thicker than this share of its largest extent."""

HELPER_MODIFIERS = {"BOOLEAN", "MESH_DEFORM", "SURFACE_DEFORM", "SHRINKWRAP", "LATTICE", "DATA_TRANSFER"}
"""Modifiers by which one object shapes another and need not be seen itself."""


@dataclass(frozen=True)
class Removal:
    """Something that a rule removes.

    Attributes:
        rule: One of the entries of ``remove.rules``.
        object: Full name of the object.
        reason: Why, as the end of a sentence.
        materials: Where only some pieces of a mesh go: the full names of the materials that they wear; else empty.
        whole_materials: Whether the object has no other faces of these materials.
    """

    rule: str
    object: str
    reason: str
    materials: tuple[str, ...] = ()
    whole_materials: bool = False


def remove_by_rules(opened: OpenedScene, config: CutConfig) -> list[str]:
    """Take out what the rules of ``remove`` find; the scene stands at the cut's first frame.

    Args:
        opened: The opened scene.
        config: The cut.

    Returns:
        What was removed and why; also each pattern of ``keep`` that nothing fits.
    """
    notes = unmatched("keep", config.keep)
    for removal in find_removals(opened, config):
        obj = _object(removal.object)
        if not removal.materials:
            hide(obj)
            notes.append(f"removed '{removal.object}': {removal.reason}")
            continue
        # of a mesh that several objects share they are gone after the first
        pieces = _glowing_pieces(obj, opened, config).doomed_polygons
        if pieces:
            delete_faces(obj.data, lambda face: face.index in pieces)  # noqa: B023 (called at once)
            worn = ", ".join(f"'{name}'" for name in removal.materials)
            notes.append(f"removed {len(pieces)} faces of {worn} from '{removal.object}': {removal.reason}")
    return notes


def find_removals(opened: OpenedScene, config: CutConfig) -> list[Removal]:
    """What the rules of a cut remove, without changing anything.

    Sizes in the picture are those at the scene's current frame.  What ``hide_render`` hides for good is left out.

    Args:
        opened: The opened scene; it has a camera.
        config: The cut: ``remove``, and ``keep``, which is stronger.

    Returns:
        The removals, by name of the object.
    """
    rules = config.remove.rules
    kept = named_objects(config.keep)
    taken = named_objects(config.remove)
    unseen_by_collection = _unseen_by_collection(opened.view_layer.layer_collection)
    helpers = _helpers()
    switched = unseen_in(opened.scene, config) if "unseen" in rules else {}
    found = []
    for obj in sorted(bpy.data.objects, key=lambda each: each.name_full):
        if obj.name_full in kept or obj.name_full in taken or is_hidden(obj):
            continue
        if any(slot.material and matches(slot.material.name, config.keep.materials) for slot in obj.material_slots):
            continue
        reason = _why_unseen(obj, unseen_by_collection, helpers, switched) if "unseen" in rules else None
        if reason is not None:
            found.append(Removal("unseen", obj.name_full, reason))
        elif obj.type in DRAWN_TYPES:
            found += _surface_removals(obj, opened, config)
    return found


def bare_displays() -> list[str]:
    """Objects that are displayed as wire or bounds and yet belong to the picture: final renders draw them."""
    helpers = _helpers()
    return [
        obj.name_full
        for obj in bpy.data.objects
        if obj.type in DRAWN_TYPES
        and not is_hidden(obj)
        and obj.display_type in {"WIRE", "BOUNDS"}
        and not _is_bare(obj, helpers)
    ]


def _object(full_name: str) -> bpy.types.Object:
    return next(obj for obj in bpy.data.objects if obj.name_full == full_name)


def _why_unseen(
    obj: bpy.types.Object,
    unseen_by_collection: dict[str, str],
    helpers: set[str],
    switched: dict[str, dict[int, str | None]],
) -> str | None:
    """Why a film camera does not see an object that Workbench draws in any frame of the clip; None when it does."""
    instances = obj.type == "EMPTY" and obj.instance_type == "COLLECTION"
    if obj.type not in DRAWN_TYPES and obj.type != "CURVES" and not instances:
        return None
    # what some frames show comes and goes: see animerun_gen.blender.convert.visibility
    reasons = set(switched[obj.name_full].values()) if obj.name_full in switched else {why_unseen(obj)}
    if None not in reasons:
        return min(map(str, reasons))
    if obj.name_full in unseen_by_collection:
        return unseen_by_collection[obj.name_full]
    if instances or obj.type == "CURVES":
        return None
    if obj.display_type in {"WIRE", "BOUNDS"} and _is_bare(obj, helpers):
        kind = "wire" if obj.display_type == "WIRE" else "bounds"
        return f"it is displayed as {kind} and has no material, or only shapes other objects"
    looks = [(slot.material, shader_glow(slot.material)) for slot in obj.material_slots]
    if looks and all(glow.opaque == 0.0 and not glow.volume and not _is_animated(material) for material, glow in looks):
        return "its materials are wholly transparent"
    return None


def _unseen_by_collection(layer: bpy.types.LayerCollection, reason: str | None = None) -> dict[str, str]:
    """Full names of objects that the view layer's collections keep from the camera, and why."""
    if layer.holdout:
        reason = f"its collection '{layer.collection.name}' is a holdout"
    elif layer.indirect_only:
        reason = f"its collection '{layer.collection.name}' is there for indirect light only"
    found = dict.fromkeys((obj.name_full for obj in layer.collection.objects), reason) if reason is not None else {}
    for child in layer.children:
        found |= _unseen_by_collection(child, reason)
    return {name: why for name, why in found.items() if why is not None}


def _helpers() -> set[str]:
    """Full names of objects that others need to be shaped or to collide with."""
    names = set()
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            if modifier.type in HELPER_MODIFIERS:
                helper = getattr(modifier, "object", None) or getattr(modifier, "target", None)
                if helper is not None:
                    names.add(helper.name_full)
            elif modifier.type == "COLLISION":
                names.add(obj.name_full)
        if obj.rigid_body is not None or (obj.field is not None and obj.field.type != "NONE"):
            names.add(obj.name_full)
    return names


def _is_bare(obj: bpy.types.Object, helpers: set[str]) -> bool:
    return obj.name_full in helpers or not any(slot.material for slot in obj.material_slots)


def _is_animated(material: bpy.types.Material) -> bool:
    return any(getattr(block, "animation_data", None) is not None for block in (material, material.node_tree) if block)


def _surface_removals(obj: bpy.types.Object, opened: OpenedScene, config: CutConfig) -> Iterator[Removal]:
    """What the rules about volumes and lights take of one object."""
    rules = config.remove.rules
    looks = [shader_glow(slot.material) for slot in obj.material_slots]
    if "volumes" in rules and looks and all(glow.volume and glow.opaque == 0.0 for glow in looks):
        yield Removal("volumes", obj.name_full, "its materials are volumes without a surface")
        return
    if not any(_shines(glow, config) for glow in looks):
        return
    pieces = _glowing_pieces(obj, opened, config)
    if not pieces.rules:
        return
    rule = "light_panels" if "light_panels" in pieces.rules else "glowing"
    what = "a flat surface that shines" if rule == "light_panels" else "it shines and is small in the picture"
    reason = f"{what} (emission {pieces.emission:.3g}, {pieces.size:.2g} of the picture's height)"
    if pieces.is_all:
        yield Removal(rule, obj.name_full, reason)
        return
    yield Removal(rule, obj.name_full, reason, pieces.materials, pieces.are_whole_materials)


def _shines(glow: Glow, config: CutConfig) -> bool:
    return glow.emission > config.remove.glow_strength and not glow.pictured


@dataclass(frozen=True)
class _Pieces:
    """The pieces of an object that the rules about lights remove.

    Attributes:
        rules: The rules that found any.
        doomed_polygons: Numbers of a mesh's polygons that go.
        is_all: Whether nothing of the object is left.
        materials: Full names of the materials of the doomed pieces.
        are_whole_materials: Whether the object has no other faces of these materials.
        emission: Of the strongest.
        size: The largest extent of one of them in the picture, as a share of its height.
    """

    rules: frozenset[str] = frozenset()
    doomed_polygons: frozenset[int] = frozenset()
    is_all: bool = False
    materials: tuple[str, ...] = ()
    are_whole_materials: bool = False
    emission: float = 0.0
    size: float = 0.0


def _glowing_pieces(obj: bpy.types.Object, opened: OpenedScene, config: CutConfig) -> _Pieces:
    """Judge every piece of an object that hangs together: whether all of it shines, and how large it is.

    A bulb in a lamp or a glint before an eye is a piece of its own; glowing faces in the midst of others are paint.
    """
    looks = [shader_glow(slot.material) for slot in obj.material_slots]
    shining = np.array([_shines(glow, config) for glow in looks] or [False])
    if obj.type == "MESH":
        slots, islands, low, high = _islands(obj.data)
        slots = np.minimum(slots, len(shining) - 1)
    else:
        corners = np.array(obj.bound_box, np.float64)
        slots, islands = np.arange(len(shining)), np.zeros(len(shining), np.int64)
        low, high = corners.min(axis=0)[None], corners.max(axis=0)[None]
    if len(slots) == 0:
        return _Pieces()
    dark = np.zeros(len(low), bool)
    np.logical_or.at(dark, islands, ~shining[slots])
    sizes, flat = _sizes(obj, opened, low, high)
    rules = config.remove.rules
    panels = ~dark & flat if "light_panels" in rules else np.zeros(len(low), bool)
    glowing = ~dark & (sizes <= config.remove.glow_size) if "glowing" in rules else np.zeros(len(low), bool)
    doomed = (panels | glowing)[islands]
    if not doomed.any():
        return _Pieces()
    worn = sorted(set(slots[doomed].tolist()))
    by_rule = {"light_panels": panels, "glowing": glowing & ~panels}
    return _Pieces(
        rules=frozenset(rule for rule, which in by_rule.items() if which.any()),
        doomed_polygons=frozenset(np.flatnonzero(doomed).tolist()),
        is_all=bool(doomed.all()),
        materials=tuple(obj.material_slots[slot].material.name_full for slot in worn),
        are_whole_materials=not np.isin(slots[~doomed], worn).any(),
        emission=max(looks[slot].emission for slot in worn),
        size=float(sizes[panels | glowing].max()),
    )


def _islands(mesh: bpy.types.Mesh) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """The pieces of a mesh that hang together.

    Returns:
        ``(P,)`` material slot and ``(P,)`` island of each polygon, ``(K, 3)`` lowest and highest coordinates of each
        island that has polygons.
    """
    polygons = len(mesh.polygons)
    slots = np.empty(polygons, np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    first = np.empty(polygons, np.int32)
    mesh.polygons.foreach_get("loop_start", first)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    edges = np.empty(2 * len(mesh.edges), np.int32)
    mesh.edges.foreach_get("vertices", edges)
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3).astype(np.float64)

    size = len(points)
    graph = coo_matrix((np.ones(len(edges) // 2, bool), (edges[::2], edges[1::2])), (size, size))
    _, of_vertex = connected_components(graph, directed=False)
    # islands of loose vertices have no polygon and do not count
    used, islands = np.unique(of_vertex[corners[first]], return_inverse=True)
    number = np.full(size + 1, -1)
    number[used] = np.arange(len(used))
    of_vertex = number[of_vertex]
    low, high = np.full((len(used), 3), np.inf), np.full((len(used), 3), -np.inf)
    counted = of_vertex >= 0
    np.minimum.at(low, of_vertex[counted], points[counted])
    np.maximum.at(high, of_vertex[counted], points[counted])
    return slots, islands.reshape(-1), low, high


def _sizes(
    obj: bpy.types.Object, opened: OpenedScene, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """How large boxes in an object's coordinates are in the picture, as shares of its height, and which are flat.

    Of an object that instances draw several times the largest counts; a box beside or behind the camera counts as if
    it stood before it.
    """
    depsgraph = bpy.context.evaluated_depsgraph_get()
    camera = opened.scene.camera.evaluated_get(depsgraph)
    render = opened.scene.render
    projection = np.array(
        camera.calc_matrix_camera(depsgraph, x=render.resolution_x, y=render.resolution_y, scale_x=1.0, scale_y=1.0)
    )
    view = np.linalg.inv(np.array(camera.matrix_world.normalized(), np.float64))
    placed = [
        np.array(instance.matrix_world, np.float64)
        for instance in depsgraph.object_instances
        if instance.object.original == obj
    ] or [np.array(obj.matrix_world, np.float64)]
    sizes = np.zeros(len(low))
    flat = np.zeros(len(low), bool)
    centers = np.concatenate([0.5 * (low + high), np.ones((len(low), 1))], axis=1)
    for matrix in placed:
        sides = (high - low) * np.linalg.norm(matrix[:3, :3], axis=0)
        largest = sides.max(axis=1)
        away = np.abs((centers @ (view @ matrix).T)[:, 2])
        scale = np.where(projection[3, 2] == 0.0, 1.0, np.maximum(away, 1e-6))
        sizes = np.maximum(sizes, 0.5 * abs(projection[1, 1]) * largest / scale)
        flat |= sides.min(axis=1) <= FLAT * largest
    return sizes, flat
