"""Points on the surfaces that wear a material, and what shader nodes may ask about them: attributes, object facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions

Float32Array = npt.NDArray[np.float32]

_MASK = 0xFFFFFFFF

ACTIVE_COLORS = ""
"""Name by which the layer of colours is asked for that a mesh has active for rendering."""

ACTIVE_UVS = "animerun-gen active UV map"
"""Name by which the UV map is asked for that a mesh has active for rendering."""

MADE = "animerun_gen_made"
"""Property of meshes that a conversion made: what they lack, the film's own surfaces may have."""

_PROPERTIES = {
    "FLOAT_COLOR": ("color", 4),
    "BYTE_COLOR": ("color", 4),
    "FLOAT_VECTOR": ("vector", 3),
    "FLOAT2": ("vector", 2),
    "FLOAT": ("value", 1),
    "INT": ("value", 1),
    "INT8": ("value", 1),
    "BOOLEAN": ("value", 1),
}
"""Of each type of attribute that a shader can read, the property of its items, and how many numbers that has."""


@dataclass(frozen=True)
class ObjectFacts:
    """What an Object Info node says of an object or instance.

    Attributes:
        color: Its colour, linear, with alpha.
        location: Where its origin is in the world.
        index: Its pass index.
        random: Its random number, 0..1.
        properties: Its own and its data's properties that are numbers or colours, by name.
    """

    color: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    index: int = 0
    random: float = 0.0
    properties: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, obj: bpy.types.Object, random_id: int | None = None, properties: Collection[str] = ()) -> ObjectFacts:
        """Those of an object.

        Args:
            obj: The object, evaluated or not.
            random_id: Blender's random number of an instance; None for an object that stands for itself.
            properties: Names of the properties that are asked for.
        """
        red, green, blue, alpha = obj.color
        x, y, z = obj.matrix_world.translation
        number = _random_of_name(obj.name) if random_id is None else random_id & _MASK
        found = {name: value for name in properties if (value := _property(obj, name)) is not None}
        return cls((red, green, blue, alpha), (x, y, z), obj.pass_index, number / _MASK, found)


def _property(obj: bpy.types.Object, name: str) -> tuple[float, ...] | None:
    """A property that an Attribute node of the kind "object" finds: the object's own, its data's, or built in."""
    for owner in (obj, obj.data):
        if owner is None:
            continue
        value: Any = owner.get(name)
        if value is None:
            try:
                value = owner.path_resolve(name)
            except ValueError:
                continue
        if isinstance(value, bool | int | float):
            return (float(value),)
        try:
            numbers = tuple(float(each) for each in value)
        except (TypeError, ValueError):
            continue
        if numbers:
            return numbers[:4]
    return None


@dataclass(frozen=True)
class Surface:
    """The triangles of a mesh, as Blender draws them, of one object or instance.

    Attributes:
        facts: About the object.
        slots: ``(T,)`` int32, the material slot of each triangle.
        attributes: ``(T, 3, 4)`` float32 by name, at the corners of each triangle: colours linear, with alpha; vectors
            and numbers filled up.  A name that is missing is no attribute of the mesh.
        numbers: The names of those that are numbers.
    """

    facts: ObjectFacts
    slots: npt.NDArray[np.int32]
    attributes: dict[str, Float32Array] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()


def read_attributes(
    mesh: bpy.types.Mesh, names: Collection[str], active: str | None = None
) -> tuple[dict[str, Float32Array], frozenset[str]]:
    """Attributes, colours and UV maps of a mesh at the corners of its triangles.

    Args:
        mesh: The mesh; its triangles have been computed.
        names: Which; :data:`ACTIVE_COLORS` for the colours that are active for rendering, :data:`ACTIVE_UVS` for the
            UV map that is.
        active: Which those are in the film; by default those that are now.

    Returns:
        As in a :class:`Surface`.
    """
    found: dict[str, Float32Array] = {}
    numbers = set()
    corners = versions.triangle_corners(mesh) if names else np.empty((0, 3), np.int32)
    for name in names:
        asked = name
        if name == ACTIVE_COLORS:
            asked = active_colors(mesh) if active is None else active
            if not asked:
                continue
        elif name == ACTIVE_UVS:
            asked = active_uv_map(mesh)
            if not asked:
                continue
        read = _read_attribute(mesh, asked, corners)
        if read is not None:
            found[name], is_number = read
            if is_number:
                numbers.add(name)
    return found, frozenset(numbers)


def active_colors(mesh: bpy.types.Mesh) -> str:
    """Name of the layer of colours that a mesh has active for rendering; empty where it has none."""
    layers = mesh.color_attributes
    return layers[layers.render_color_index].name if 0 <= layers.render_color_index < len(layers) else ""


def active_uv_map(mesh: bpy.types.Mesh) -> str:
    """Name of the UV map that a mesh has active for rendering; empty where it has none."""
    return next((layer.name for layer in mesh.uv_layers if layer.active_render), "")


def _read_attribute(
    mesh: bpy.types.Mesh, name: str, corners: npt.NDArray[np.int32]
) -> tuple[Float32Array, bool] | None:
    attribute = mesh.attributes.get(name)
    if attribute is None:
        # attributes of their own since 3.5
        layer = mesh.uv_layers.get(name)
        if layer is None:
            return None
        return _filled(_values(layer.data, "uv", 2)[corners]), False
    known = _PROPERTIES.get(attribute.data_type)
    if known is None or attribute.domain not in {"POINT", "CORNER", "FACE", "EDGE"}:
        return None
    values = _values(attribute.data, *known)
    if attribute.domain == "EDGE":
        values = _at_vertices(values, mesh, attribute.data_type)
    if attribute.domain in {"POINT", "EDGE"}:
        where = versions.corner_vertices(mesh)[corners]
    elif attribute.domain == "FACE":
        where = np.repeat(versions.triangle_faces(mesh)[:, None], 3, axis=1)
    else:
        where = corners
    return _filled(values[where]), known[1] == 1


def _at_vertices(values: Float32Array, mesh: bpy.types.Mesh, data_type: str) -> Float32Array:
    """What edges say, as it is at the vertices between them: what Blender hands to Cycles (4.5.15)."""
    ends = versions.edge_vertices(mesh).ravel()
    both = np.repeat(values, 2, axis=0)
    count = np.maximum(np.bincount(ends, minlength=len(mesh.vertices)), 1)
    sums = [np.bincount(ends, column, minlength=len(mesh.vertices)) for column in both.T.astype(np.float64)]
    found = np.stack(sums, axis=1).astype(np.float64)
    if data_type == "BOOLEAN":
        # true where any of its edges is
        return (found > 0.0).astype(np.float32)
    found /= count[:, None]
    if data_type in {"INT", "INT8"}:
        # a half is rounded away from zero
        found = np.sign(found) * np.floor(np.abs(found) + 0.5)
    return found.astype(np.float32)


def _values(data: Any, name: str, size: int) -> Float32Array:
    if name == "value" and len(data) > 0 and isinstance(data[0].value, bool | int):
        # Blender converts no numbers on the way
        whole = np.empty(len(data), bool if isinstance(data[0].value, bool) else np.int32)
        data.foreach_get(name, whole)
        return whole.astype(np.float32)[:, None]
    values = np.empty(size * len(data), np.float32)
    data.foreach_get(name, values)
    return values.reshape(-1, size)


def _filled(values: Float32Array) -> Float32Array:
    """Numbers as greys, vectors with a third number, all with alpha; ``(T, 3, 4)``."""
    size = values.shape[-1]
    filled = np.ones((*values.shape[:-1], 4), np.float32)
    filled[..., :3] = 0.0
    if size == 1:
        filled[..., :3] = values
    else:
        filled[..., :size] = values
    return filled


@dataclass(frozen=True)
class SurfacePoints:
    """Points on surfaces, for :class:`~animerun_gen.blender.convert.shader_values.ShaderValues` to be computed over.

    Values over them have the shapes ``(N, 1)`` and ``(N, 1, 3)``: N rows of one column.

    Attributes:
        surfaces: The surfaces.
        surface: ``(N,)`` int, on which of them each point is.
        triangle: ``(N,)`` int, on which of its triangles.
        weights: ``(N, 3)`` float32, how much each corner of the triangle counts there; they add up to 1.
        material_index: Pass index of the material that they are looked at for.
        steps: Of pixels of a picture, by how much the weights change to the next one to the right and to the next one
            below, ``(N, 3)`` float32 each; None of points that cover nothing.
    """

    surfaces: Sequence[Surface]
    surface: npt.NDArray[np.intp]
    triangle: npt.NDArray[np.intp]
    weights: Float32Array
    material_index: int = 0
    steps: tuple[Float32Array, Float32Array] | None = None

    def __len__(self) -> int:
        return len(self.surface)

    def attribute(self, name: str) -> tuple[Float32Array, Float32Array]:
        """An attribute at each point, as a colour ``(N, 1, 4)`` and as a number ``(N, 1)``; 0 where a mesh has none."""
        colors = np.zeros((len(self), 4), np.float32)
        numbers = np.zeros(len(self), np.float32)
        for index, surface in enumerate(self.surfaces):
            values = surface.attributes.get(name)
            here = self.surface == index
            if values is None or not here.any():
                continue
            corners = values[self.triangle[here]]
            mixed = (corners * self.weights[here][..., None]).sum(axis=1)
            colors[here] = mixed
            numbers[here] = mixed[:, 0] if name in surface.numbers else mixed[:, :3].mean(axis=1)
        return colors[:, None, :], numbers[:, None]

    def mixed(self, name: str, weights: Float32Array) -> Float32Array:
        """An attribute mixed from the corners of each point's triangle by other weights, ``(N, 4)``."""
        found = np.zeros((len(self), 4), np.float32)
        for index, surface in enumerate(self.surfaces):
            values = surface.attributes.get(name)
            here = self.surface == index
            if values is not None and here.any():
                found[here] = (values[self.triangle[here]] * weights[here][..., None]).sum(axis=1)
        return found

    def has(self, name: str) -> bool:
        """Whether any of the surfaces has an attribute."""
        return any(name in surface.attributes for surface in self.surfaces)

    def object_color(self) -> Float32Array:
        """The colour of each point's object, ``(N, 1, 4)``."""
        return self._of_objects([surface.facts.color for surface in self.surfaces])

    def object_location(self) -> Float32Array:
        """Where each point's object is, ``(N, 1, 3)``."""
        return self._of_objects([surface.facts.location for surface in self.surfaces])

    def object_index(self) -> Float32Array:
        """The pass index of each point's object, ``(N, 1)``."""
        return self._of_objects([surface.facts.index for surface in self.surfaces])

    def object_random(self) -> Float32Array:
        """The random number of each point's object, ``(N, 1)``."""
        return self._of_objects([surface.facts.random for surface in self.surfaces])

    def object_property(self, name: str) -> tuple[Float32Array, Float32Array]:
        """A property of each point's object, as a colour ``(N, 1, 4)`` and as a number ``(N, 1)``; 0 without one."""
        colors, numbers = [], []
        for surface in self.surfaces:
            value = surface.facts.properties.get(name, (0.0, 0.0, 0.0, 1.0))
            padded = (*value, 0.0, 0.0)[:3] if len(value) > 1 else value * 3
            colors.append((*padded, value[3] if len(value) == 4 else 1.0))
            numbers.append(value[0] if len(value) == 1 else sum(padded) / 3.0)
        return self._of_objects(colors), self._of_objects(numbers)

    def _of_objects(self, facts: Sequence[Any]) -> Float32Array:
        found: Float32Array = np.array(facts, np.float32)[self.surface][:, None]
        return found


def spread_points(areas: npt.NDArray[np.float64], count: int) -> tuple[npt.NDArray[np.intp], Float32Array]:
    """Points spread over triangles evenly by area, the same in every process.

    The points are those of the R2 sequence (Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018).

    Args:
        areas: ``(T,)`` float64, of which some are above 0.
        count: How many points.

    Returns:
        ``(count,)``: the triangle of each; ``(count, 3)`` float32: how much its corners count there.
    """
    reached = np.cumsum(areas)
    places = (np.arange(count) + 0.5) / count * reached[-1]
    triangles = np.minimum(np.searchsorted(reached, places, side="right"), len(areas) - 1)
    steps = np.arange(1, count + 1)
    u, v = (0.5 + steps * 0.7548776662466927) % 1.0, (0.5 + steps * 0.5698402909980532) % 1.0
    beyond = u + v > 1.0
    u, v = np.where(beyond, 1.0 - u, u), np.where(beyond, 1.0 - v, v)
    return triangles, np.stack([1.0 - u - v, u, v], axis=1).astype(np.float32)


def _random_of_name(name: str) -> int:
    """The random number (32 bits) that Cycles and EEVEE give an object that is no instance: a hash of its name."""
    seed = 0
    for byte in name.encode():
        seed = (seed * 37 + byte) & _MASK
    return _hash_pair(seed, 0)


def _hash_pair(first: int, second: int) -> int:
    """Bob Jenkins' lookup3 of two numbers of 32 bits."""

    def turned(value: int, bits: int) -> int:
        return ((value << bits) | (value >> (32 - bits))) & _MASK

    a = b = c = (0xDEADBEEF + (2 << 2) + 13) & _MASK
    a, b = (a + first) & _MASK, (b + second) & _MASK
    for bits in (14, 11, 25, 16, 4, 14, 24):
        # each round changes the next of the three by the one before it
        c, a, b = a, b, ((c ^ b) - turned(b, bits)) & _MASK
    return b
