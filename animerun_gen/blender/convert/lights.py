"""Finds what serves a film's light and not its picture: panels that shine, lamps, glints and orbs.

Whatever wears one material is judged as one: of equal signs along a street all stay, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from animerun_gen.blender.convert.picture_sizes import Moment, box_sides, look_at
from animerun_gen.blender.convert.removal import Removal
from animerun_gen.blender.convert.shader_glow import Glow, shader_glow
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig

FLAT = 0.05
"""A panel is no thicker than this share of its width."""

PANEL_TYPES = {"MESH", "SURFACE"}
"""Types of objects that can be panels; what is written or drawn as a line is a sign, however flat it is."""


def shines(glow: Glow, config: CutConfig) -> bool:
    """Whether a surface counts as a light."""
    return glow.emission > config.remove.glow_strength and not glow.pictured


def glowing_materials(config: CutConfig) -> frozenset[str]:
    """Full names of the materials of the open file that shine, screens and painted skies among them."""
    return frozenset(
        material.name_full
        for material in bpy.data.materials
        if shader_glow(material).emission > config.remove.glow_strength
    )


def find_lights(objects: Sequence[bpy.types.Object], opened: OpenedScene, config: CutConfig) -> list[Removal]:
    """What the rules ``light_panels`` and ``glowing`` take of objects that wear a material that shines.

    Every piece of an object that hangs together is looked at: a bulb in a lamp or a glint before an eye is a piece of
    its own, glowing faces in the midst of others are paint.  What becomes of pieces is decided for each material, by
    all pieces that shine and wear it: panels are those of a material all pieces of which are flat, and small are those
    of which none is ever large in the picture.

    Args:
        objects: The objects.
        opened: The opened scene, at the clip's first frame.
        config: The cut.

    Returns:
        The removals.
    """
    if not objects:
        return []
    moments = look_at(opened, config, objects)
    pieces = [_pieces_of(obj, moments, config) for obj in objects]
    verdicts = _judge(pieces, config)
    return [removal for each in pieces if (removal := _removal(each, verdicts)) is not None]


@dataclass(frozen=True)
class _Pieces:
    """An object in ``K`` pieces, of ``P`` polygons; a thing without polygons of its own counts one for each material.

    Attributes:
        obj: The object.
        looks: How each of its slots shines.
        materials: Full name of the material of each slot.
        slots: ``(P,)`` the slot of each polygon.
        islands: ``(P,)`` the piece of each polygon.
        worn: The slots of each piece.
        shining: ``(K,)`` bool, whether all of the piece shines.
        flat: ``(K,)`` bool, whether the piece is flat wherever it is drawn.
        seen: ``(K,)`` float64, the largest extent of the piece in the picture, as a share of its height, in all frames
            that were looked at; 0 where it is never in the picture.
        as_if: ``(K,)`` float64, the same in the first frame, whether the picture shows it or not.
    """

    obj: bpy.types.Object
    looks: tuple[Glow, ...]
    materials: tuple[str, ...]
    slots: npt.NDArray[Any]
    islands: npt.NDArray[Any]
    worn: tuple[frozenset[int], ...]
    shining: npt.NDArray[np.bool_]
    flat: npt.NDArray[np.bool_]
    seen: npt.NDArray[np.float64]
    as_if: npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Verdict:
    """What becomes of the pieces that wear a material, all of which shine.

    Attributes:
        rule: The rule that removes them; empty where they stay.
        size: The largest extent of one of them in the picture, as a share of its height.
        emission: How strongly it shines.
    """

    rule: str
    size: float
    emission: float


def _judge(pieces: Sequence[_Pieces], config: CutConfig) -> dict[str, _Verdict]:
    """Decide for each material that shines."""
    rules = config.remove.rules
    flat: dict[str, bool] = {}
    seen: dict[str, float] = {}
    as_if: dict[str, float] = {}
    emission: dict[str, float] = {}
    for each in pieces:
        for island in np.flatnonzero(each.shining).tolist():
            for slot in each.worn[island]:
                name = each.materials[slot]
                flat[name] = flat.get(name, True) and bool(each.flat[island])
                seen[name] = max(seen.get(name, 0.0), float(each.seen[island]))
                as_if[name] = max(as_if.get(name, 0.0), float(each.as_if[island]))
                emission[name] = each.looks[slot].emission
    verdicts = {}
    for name in flat:
        size = seen[name] or as_if[name]
        rule = ""
        if "light_panels" in rules and flat[name]:
            rule = "light_panels"
        elif "glowing" in rules and size <= config.remove.glow_size:
            rule = "glowing"
        verdicts[name] = _Verdict(rule, size, emission[name])
    return verdicts


def _removal(pieces: _Pieces, verdicts: dict[str, _Verdict]) -> Removal | None:
    """What goes of an object; None where all of it stays."""
    doomed_islands = [
        island
        for island in np.flatnonzero(pieces.shining).tolist()
        if all(verdicts[pieces.materials[slot]].rule for slot in pieces.worn[island])
    ]
    doomed = np.isin(pieces.islands, doomed_islands)
    if not doomed.any():
        return None
    worn = sorted(set(pieces.slots[doomed].tolist()))
    judged = [verdicts[pieces.materials[slot]] for slot in worn]
    rule = "light_panels" if any(verdict.rule == "light_panels" for verdict in judged) else "glowing"
    what = "a flat surface that shines" if rule == "light_panels" else "it shines and is small in the picture"
    emission, size = (max(getattr(verdict, key) for verdict in judged) for key in ("emission", "size"))
    reason = f"{what} (emission {emission:.3g}, at most {size:.2g} of the picture's height)"
    if doomed.all():
        return Removal(rule, pieces.obj.name_full, reason)
    return Removal(
        rule,
        pieces.obj.name_full,
        reason,
        materials=tuple(dict.fromkeys(pieces.materials[slot] for slot in worn)),
        whole_materials=not np.isin(pieces.slots[~doomed], worn).any(),
        polygons=frozenset(np.flatnonzero(doomed).tolist()),
    )


def _pieces_of(obj: bpy.types.Object, moments: Sequence[Moment], config: CutConfig) -> _Pieces:
    looks = tuple(shader_glow(slot.material) for slot in obj.material_slots)
    shining = np.array([shines(glow, config) for glow in looks])
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    corners = np.array(evaluated.bound_box, np.float64)
    box = corners.min(axis=0), corners.max(axis=0)
    if obj.type == "MESH":
        slots, islands, low, high = _islands(obj.data)
        slots = np.minimum(slots, len(shining) - 1)
    else:
        slots, islands = np.arange(len(shining)), np.zeros(len(shining), np.int64)
        low, high = box[0][None], box[1][None]
    dark = np.zeros(len(low), bool)
    np.logical_or.at(dark, islands, ~shining[slots])
    flat = np.full(len(low), obj.type in PANEL_TYPES)
    seen, as_if = np.zeros(len(low)), np.zeros(len(low))
    if len(low):
        # what modifiers add to all of it makes pieces thicker, too
        grown = np.maximum((box[1] - box[0]) - (high.max(axis=0) - low.min(axis=0)), 0.0)
        for number, moment in enumerate(moments):
            for matrix in moment.placed[obj.name_full]:
                in_picture, as_if_there = moment.sizes(matrix, low, high)
                seen = np.maximum(seen, in_picture)
                if number == 0:
                    as_if = np.maximum(as_if, as_if_there)
                    thickness = box_sides(matrix, low - 0.5 * grown, high + 0.5 * grown).min(axis=1)
                    flat &= thickness <= FLAT * np.sort(box_sides(matrix, low, high), axis=1)[:, 1]
    materials = tuple(slot.material.name_full if slot.material else "" for slot in obj.material_slots)
    worn: list[set[int]] = [set() for _ in low]
    for island, slot in set(zip(islands.tolist(), slots.tolist(), strict=True)):
        worn[island].add(slot)
    return _Pieces(obj, looks, materials, slots, islands, tuple(map(frozenset, worn)), ~dark, flat, seen, as_if)


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
