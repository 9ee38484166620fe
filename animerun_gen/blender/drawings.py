"""Reads what a Grease Pencil object shows in a frame, as arrays, and marks its points so that they can be followed.

Blender 4.3 made Grease Pencil anew: drawings have attributes, which modifiers treat like everything else.  So points
carry identities as vertices of meshes do (:mod:`~animerun_gen.blender.identity`): three random numbers that are kept,
mixed or lost (measured with 4.5.15: what subdivides mixes them, what mirrors copies them, what builds keeps some).
Before, strokes had no attributes, and their points are known by their numbers, as long as nothing changes these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.identity import NAMES, random_numbers, ranks, read_carried
from animerun_gen.motion.identity import pack, scramble

KINDS = {"GREASEPENCIL", "GPENCIL"}
"""Types of Grease Pencil objects: since 4.3, and before."""

LINE_ART = {"LINEART", "GREASE_PENCIL_LINEART", "GP_LINEART"}
"""Modifiers that draw lines of the scene."""

_DEFORMING = {
    "ARMATURE",
    "COLOR",
    "HOOK",
    "LATTICE",
    "NOISE",
    "OFFSET",
    "OPACITY",
    "SHRINKWRAP",
    "SMOOTH",
    "TEXTURE",
    "THICK",
    "THICKNESS",
    "TINT",
    "VERTEX_WEIGHT_ANGLE",
    "VERTEX_WEIGHT_PROXIMITY",
    "WEIGHT_ANGLE",
    "WEIGHT_PROXIMITY",
}
"""Modifiers that neither make nor remove points, without the beginning of their names."""

_KEEPING = _DEFORMING | {"BUILD", "SUBDIV", "TIME"}
"""Those after which the random numbers of a point tell which it is: nothing is there twice."""

_COPYING = {"ARRAY", "MIRROR", "MULTIPLY"}
"""Those that copy strokes in a lasting order, whole drawings or strokes at a time."""

POLY, BEZIER, CATMULL_ROM = 1, 2, 0
"""Numbers of the types of curves."""

DEFAULT_RADIUS = 0.01
DEFAULT_RESOLUTION = 12
"""What points and curves have that have no such attribute."""

LEGACY_RADIUS = 1.0 / 2000.0
"""Half the width in world units that a pixel of a stroke's thickness stood for."""


@dataclass(frozen=True)
class Drawing:
    """What a layer shows in a frame: ``S`` strokes with ``P`` points in all.

    Attributes:
        layer: The layer's name.
        matrix: ``(4, 4)`` float64, the drawing's coordinates to the object's.
        opacity: Of the layer.
        counts: ``(S,)`` int64, points of each stroke.
        points: ``(P, 3)`` float64.
        radii: ``(P,)`` float64, half the stroke's width; in world units where the object is not scaled.
        opacities: ``(P,)`` float64.
        colors: ``(P, 4)`` float64, linear, and how much of it covers the material's colour.
        identities: ``(P,)`` uint64, 0 where nothing is known.
        cyclic: ``(S,)`` bool.
        flat_start: ``(S,)`` bool, whether strokes begin without half a circle.
        flat_end: ``(S,)`` bool, whether they end so.
        slots: ``(S,)`` int64, their materials.
        fill_colors: ``(S, 4)`` float64, as ``colors``.
        fill_opacities: ``(S,)`` float64.
    """

    layer: str
    matrix: npt.NDArray[np.float64]
    opacity: float
    counts: npt.NDArray[np.int64]
    points: npt.NDArray[np.float64]
    radii: npt.NDArray[np.float64]
    opacities: npt.NDArray[np.float64]
    colors: npt.NDArray[np.float64]
    identities: npt.NDArray[np.uint64]
    cyclic: npt.NDArray[np.bool_]
    flat_start: npt.NDArray[np.bool_]
    flat_end: npt.NDArray[np.bool_]
    slots: npt.NDArray[np.int64]
    fill_colors: npt.NDArray[np.float64]
    fill_opacities: npt.NDArray[np.float64]


def is_grease_pencil(obj: bpy.types.Object) -> bool:
    """Whether an object is one of Grease Pencil."""
    return obj.type in KINDS


def modifiers_of(obj: bpy.types.Object) -> list[Any]:
    """The modifiers of a Grease Pencil object, which had a list of their own before 4.3."""
    return list(obj.grease_pencil_modifiers if obj.type == "GPENCIL" else obj.modifiers)


def modifier_path(obj: bpy.types.Object, modifier: Any) -> str:
    """How the paths of the animation of such a modifier begin."""
    owner = "grease_pencil_modifiers" if obj.type == "GPENCIL" else "modifiers"
    return f'{owner}["{bpy.utils.escape_identifier(modifier.name)}"]'


def kind_of(modifier: Any) -> str:
    """What a modifier is called without the beginning that says that it is one of Grease Pencil."""
    return str(modifier.type).removeprefix("GREASE_PENCIL_").removeprefix("GP_")


def number_points(data: bpy.types.ID) -> bool:
    """Give every point of Grease Pencil's data its identity, before anything is evaluated.

    Returns:
        Whether that could be done; before 4.3 there is nothing to do.
    """
    for layer in data.layers:
        for frame in layer.frames:
            drawing = getattr(frame, "drawing", None)
            if drawing is None or len(drawing.strokes) == 0:
                continue
            count = int(_numbers(drawing.curve_offsets, "value", np.int32)[-1])
            name = f"{data.name_full}\0{layer.name}\0{frame.frame_number}"
            try:
                for attribute, numbers in zip(NAMES, random_numbers(name, count), strict=True):
                    held = drawing.attributes.get(attribute) or drawing.attributes.new(attribute, "FLOAT", "POINT")
                    versions.write_values(held.data, "value", numbers)
            except (RuntimeError, AttributeError, TypeError):
                return False
    return True


def why_unknown(obj: bpy.types.Object) -> str:
    """Why the points of an object cannot be followed, the rest of a sentence; empty where they can."""
    copying = []
    for modifier in modifiers_of(obj):
        animated = versions.animates(obj, modifier_path(obj, modifier))
        if not modifier.show_render and not versions.is_animated(obj, f"{modifier_path(obj, modifier)}.show_render"):
            continue
        kind = kind_of(modifier)
        if kind in _COPYING and obj.type != "GPENCIL":
            if animated:
                return f"its modifier '{modifier.name}' is animated, and copies strokes"
            copying.append(modifier)
        elif copying and kind in {"BUILD", "TIME"}:
            return f"its modifier '{modifier.name}' chooses among copies of strokes"
        elif kind not in (_DEFORMING if obj.type == "GPENCIL" else _KEEPING):
            return f"its modifier '{modifier.name}' makes strokes anew"
    return ""


def has_rough_curves(data: bpy.types.ID) -> bool:
    """Whether any drawing has curves of a type that is drawn by its control points."""
    for layer in data.layers:
        for frame in layer.frames:
            attributes = getattr(getattr(frame, "drawing", None), "attributes", None)
            types = attributes.get("curve_type") if attributes is not None else None
            if types is not None and (_numbers(types.data, "value", np.int32) > BEZIER).any():
                return True
    return False


def drawings(drawn: bpy.types.Object, view_layer: str, *, known: bool) -> Iterator[Drawing]:
    """What an evaluated Grease Pencil object shows, the lowest layer first.

    Args:
        drawn: The evaluated object.
        view_layer: Name of the view layer that is rendered.
        known: Whether what its points carry says which they are.
    """
    for layer in drawn.data.layers:
        only = layer.viewlayer_render
        if _is_hidden(layer) or (only and only != view_layer):
            continue
        if drawn.type == "GPENCIL":
            frame = layer.active_frame
            if frame is not None and len(frame.strokes):
                yield _legacy_drawing(drawn, layer, frame, known=known)
            continue
        frame = layer.current_frame()
        if frame is not None and frame.drawing is not None and len(frame.drawing.strokes):
            yield _drawing(drawn, layer, frame.drawing, known=known)


def _is_hidden(layer: Any) -> bool:
    while layer is not None:
        if layer.hide:
            return True
        layer = getattr(layer, "parent_group", None)
    return False


def _drawing(drawn: bpy.types.Object, layer: Any, drawing: Any, *, known: bool) -> Drawing:
    counts = np.diff(_numbers(drawing.curve_offsets, "value", np.int32)).astype(np.int64)
    strokes, points = len(counts), int(counts.sum())
    attributes = drawing.attributes
    identities = np.zeros(points, np.uint64)
    if known:
        identities = pack(read_carried(attributes, points))
        if any(kind_of(modifier) in _COPYING for modifier in modifiers_of(drawn)):
            told = identities != 0
            identities[told] = scramble(identities[told] ^ ranks(identities[told]))
    found = Drawing(
        layer.name,
        _matrix(drawn, layer),
        float(layer.opacity),
        counts,
        _values(attributes, "position", "vector", (points, 3), 0.0),
        _values(attributes, "radius", "value", (points,), DEFAULT_RADIUS),
        _values(attributes, "opacity", "value", (points,), 1.0),
        _values(attributes, "vertex_color", "color", (points, 4), 0.0),
        identities,
        _whole(attributes, "cyclic", strokes, 0) != 0,
        _whole(attributes, "start_cap", strokes, 0) != 0,
        _whole(attributes, "end_cap", strokes, 0) != 0,
        _whole(attributes, "material_index", strokes, 0),
        _values(attributes, "fill_color", "color", (strokes, 4), 0.0),
        _values(attributes, "fill_opacity", "value", (strokes,), 1.0),
    )
    # what has no such attribute is of the first type, and the Python API always gives one (4.5.15)
    types = _whole(attributes, "curve_type", strokes, CATMULL_ROM)
    if (types == POLY).all():
        return found
    handles = [
        _values(attributes, name, "vector", (points, 3), 0.0) if attributes.get(name) is not None else None
        for name in ("handle_left", "handle_right")
    ]
    return _sampled(found, types, handles, _whole(attributes, "resolution", strokes, DEFAULT_RESOLUTION))


def _matrix(drawn: bpy.types.Object, layer: Any) -> npt.NDArray[np.float64]:
    """A layer's coordinates to the object's: its own place, and its parent's."""
    local = np.array(layer.matrix_local, np.float64)
    if layer.parent is None:
        return local
    parent = np.array(layer.parent.matrix_world, np.float64)
    bone = layer.parent.pose.bones.get(layer.parent_bone) if layer.parent.pose and layer.parent_bone else None
    if bone is not None:
        parent = parent @ np.array(bone.matrix, np.float64)
    placed: npt.NDArray[np.float64] = (
        np.linalg.inv(np.array(drawn.matrix_world, np.float64))
        @ parent
        @ np.array(layer.matrix_parent_inverse, np.float64)
        @ local
    )
    return placed


def _sampled(drawing: Drawing, types: npt.NDArray[np.int64], handles: list[Any], resolutions: Any) -> Drawing:
    """A drawing whose curves are polylines; a sample's identity is that of the points around it and of its number."""
    left, right = handles
    starts = np.cumsum(drawing.counts) - drawing.counts
    first, second, share, counts, points = [], [], [], [], []
    for stroke, (start, count) in enumerate(zip(starts.tolist(), drawing.counts.tolist(), strict=True)):
        smooth = types[stroke] == CATMULL_ROM or (types[stroke] == BEZIER and left is not None and right is not None)
        segments = (count if drawing.cyclic[stroke] else count - 1) if count > 1 and smooth else 0
        steps = max(int(resolutions[stroke]), 1)
        if segments == 0:
            own = np.arange(start, start + count)
            one, other, along, placed = own, own, np.zeros(count), drawing.points[own]
        else:
            one = start + np.repeat(np.arange(segments), steps)
            other = start + (one - start + 1) % count
            along = np.tile(np.arange(steps) / steps, segments)
            if not drawing.cyclic[stroke]:
                one, other, along = (
                    np.append(each, end)
                    for each, end in ((one, start + count - 1), (other, start + count - 1), (along, 0))
                )
            t = along[:, None]
            if types[stroke] == BEZIER:
                a, b, c, d = drawing.points[one], right[one], left[other], drawing.points[other]
                placed = a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3
            else:
                before = _beside(one - start, -1, count, drawing.cyclic[stroke]) + start
                after = _beside(other - start, 1, count, drawing.cyclic[stroke]) + start
                p, q, r, s = (drawing.points[each] for each in (before, one, other, after))
                placed = 0.5 * (
                    2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t**2 + (3 * q - p - 3 * r + s) * t**3
                )
        first.append(one)
        second.append(other)
        share.append(along)
        points.append(placed)
        counts.append(len(one))
    one, other, along = (np.concatenate(each) for each in (first, second, share))
    identities = drawing.identities[one].copy()
    between = along > 0.0
    mixed = scramble(identities ^ scramble(drawing.identities[other] ^ along.view(np.uint64)))
    known = (drawing.identities[one] != 0) & (drawing.identities[other] != 0)
    identities[between] = np.where(known, mixed, np.uint64(0))[between]

    def mix(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        weights = along.reshape(-1, *[1] * (values.ndim - 1))
        return values[one] * (1.0 - weights) + values[other] * weights

    return Drawing(
        drawing.layer,
        drawing.matrix,
        drawing.opacity,
        np.array(counts, np.int64),
        np.concatenate(points),
        mix(drawing.radii),
        mix(drawing.opacities),
        mix(drawing.colors),
        identities,
        drawing.cyclic,
        drawing.flat_start,
        drawing.flat_end,
        drawing.slots,
        drawing.fill_colors,
        drawing.fill_opacities,
    )


def _beside(within: Any, step: int, count: int, is_cyclic: bool) -> Any:
    return (within + step) % count if is_cyclic else np.clip(within + step, 0, count - 1)


def _legacy_drawing(drawn: bpy.types.Object, layer: Any, frame: Any, *, known: bool) -> Drawing:
    """Of the Grease Pencil of before 4.3, whose evaluated strokes stand where the layer has them (3.4.1)."""
    strokes = list(frame.strokes)
    counts = np.array([len(stroke.points) for stroke in strokes], np.int64)

    def of_points(name: str, size: int) -> npt.NDArray[np.float64]:
        parts = []
        for stroke in strokes:
            values = np.empty(size * len(stroke.points), np.float32)
            stroke.points.foreach_get(name, values)
            parts.append(values)
        return np.concatenate(parts).astype(np.float64).reshape(-1, size)

    widths = np.array([stroke.line_width for stroke in strokes], np.float64) + float(layer.line_change)
    colors = of_points("vertex_color", 4)
    fill_colors = np.array([tuple(stroke.vertex_color_fill) for stroke in strokes], np.float64)
    for each in (colors, fill_colors):
        each[:, 3] *= float(layer.vertex_paint_opacity)
        _tint(each, layer)
    scale = float(drawn.data.pixel_factor) * LEGACY_RADIUS
    return Drawing(
        layer.info,
        np.eye(4),
        float(layer.opacity),
        counts,
        of_points("co", 3),
        np.maximum(np.repeat(widths, counts), 0.0) * of_points("pressure", 1)[:, 0] * scale,
        of_points("strength", 1)[:, 0],
        colors,
        _legacy_identities(drawn, layer, frame, counts) if known else np.zeros(int(counts.sum()), np.uint64),
        np.array([stroke.use_cyclic for stroke in strokes], bool),
        np.array([stroke.start_cap_mode == "FLAT" for stroke in strokes], bool),
        np.array([stroke.end_cap_mode == "FLAT" for stroke in strokes], bool),
        np.array([stroke.material_index for stroke in strokes], np.int64),
        fill_colors,
        np.array([0.0 if stroke.is_nofill_stroke else 1.0 for stroke in strokes]),
    )


def _tint(colors: npt.NDArray[np.float64], layer: Any) -> None:
    """Lay a layer's tint over colours that lie over those of materials."""
    tint, factor = np.array(layer.tint_color, np.float64)[:3], float(layer.tint_factor)
    covered = factor + colors[:, 3] * (1.0 - factor)
    over = factor * tint + (colors[:, 3] * (1.0 - factor))[:, None] * colors[:, :3]
    colors[:, :3] = np.where(covered[:, None] > 0.0, over / np.maximum(covered, 1e-9)[:, None], colors[:, :3])
    colors[:, 3] = covered


def _legacy_identities(drawn: bpy.types.Object, layer: Any, frame: Any, counts: Any) -> npt.NDArray[np.uint64]:
    """By their numbers, where the drawing in the file has the same strokes and points."""
    nothing = np.zeros(int(counts.sum()), np.uint64)
    data = drawn.original.data
    own = next((each for each in data.layers if each.info == layer.info), None)
    if own is None:
        return nothing
    held = next((each for each in own.frames if each.frame_number == frame.frame_number), None)
    if held is None or [len(stroke.points) for stroke in held.strokes] != counts.tolist():
        return nothing
    name = f"{data.name_full}\0{layer.info}\0{frame.frame_number}".encode()
    digest = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
    stroke = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    start = np.cumsum(counts) - counts
    within = (np.arange(len(stroke)) - np.repeat(start, counts)).astype(np.uint64)
    identities: npt.NDArray[np.uint64] = scramble(scramble(stroke + np.uint64(digest)) ^ (within + np.uint64(1)))
    return identities


def _values(attributes: Any, name: str, prop: str, shape: tuple[int, ...], default: float) -> npt.NDArray[np.float64]:
    """A decimal attribute; the default where there is none."""
    attribute = attributes.get(name)
    if attribute is None:
        return np.full(shape, default, np.float64)
    values = np.empty(int(np.prod(shape)), np.float32)
    attribute.data.foreach_get(prop, values)
    return values.astype(np.float64).reshape(shape)


def _whole(attributes: Any, name: str, count: int, default: int) -> npt.NDArray[np.int64]:
    """An attribute of strokes that is a whole number or a switch."""
    attribute = attributes.get(name)
    if attribute is None:
        return np.full(count, default, np.int64)
    kind = np.bool_ if attribute.data_type == "BOOLEAN" else np.int32
    return _numbers(attribute.data, "value", kind).astype(np.int64)


def _numbers(collection: Any, prop: str, kind: Any) -> npt.NDArray[Any]:
    values = np.empty(len(collection), kind)
    collection.foreach_get(prop, values)
    return values
