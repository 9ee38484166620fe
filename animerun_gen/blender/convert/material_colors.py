"""Finds the one colour that each material has: from its nodes alone, over the surfaces that wear it, or by Cycles."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.convert.cycles_colors import CyclesColors
from animerun_gen.blender.convert.film_materials import ObjectColor, object_color
from animerun_gen.blender.convert.images import is_moving
from animerun_gen.blender.convert.shader_color import (
    NEUTRAL,
    ImageMeans,
    NeedsSurfaceError,
    ShaderColor,
    SurfaceColor,
    attributes_needed,
    properties_needed,
    rough_color,
    shader_color,
    shown_by,
    surface_asks,
    surface_input,
)
from animerun_gen.blender.convert.shader_values import UnknownValueError
from animerun_gen.blender.convert.surfaces import (
    ACTIVE_UVS,
    MADE,
    ObjectFacts,
    Surface,
    SurfacePoints,
    active_uv_map,
    read_attributes,
    spread_points,
)
from animerun_gen.blender.convert.texels import AskedImages, LacksImageError, TexelLookup
from animerun_gen.blender.node_trees import nodes_within
from animerun_gen.blender.texture_coordinates import TextureCoordinates
from animerun_gen.config.messages import and_more

POINTS = 6144
"""Points at which a colour that varies over surfaces is computed for its mean."""

MOST_WEARERS = 8
"""Objects at most on which Cycles is asked for the colour of one material."""

MOST_BAKES = 400
"""Times at most that Cycles is asked in all; at 20 ms each, that is 8 s a process."""

MOST_SURFACES = 256
"""Objects at most over which a colour is computed for its mean."""

SAME = 0.5 / 255.0
"""Colours (linear) that differ by less are the same wherever a material is worn."""

LIT = "it depends on light, so the mean of its colours is taken"

CHANGES = "what it asks its surfaces and objects for may change with the frame, and it is read in one"

AS_FILED = "its image is shown as its file has it, by the active UV map"

ONE_COLOR = "it gets one flat colour and not its image"

Kind = TypeVar("Kind")

LinearColor = tuple[float, float, float]


@dataclass(frozen=True)
class Found:
    """The colour of a material.

    Attributes:
        color: Linear, the mean where it varies.
        image: The image that its shader shows, where it shows one.
        node: The image's node in the material's own tree; None when it sits inside a group.
        varies: Whether attributes or objects make it vary over the surfaces, as can be computed at each pixel.
        asks_surfaces: Whether it comes from them, be it the same on all of them now.
        uv_maps: The UV maps by which images are looked up at each pixel; empty where Workbench paints the image, or
            there is none.
        moves: Whether any of these images is a sequence or a movie.
    """

    color: LinearColor
    image: bpy.types.Image | None = None
    node: bpy.types.Node | None = None
    varies: bool = False
    asks_surfaces: bool = False
    uv_maps: frozenset[str] = frozenset()
    moves: bool = False


@dataclass
class Doubts:
    """What could not be read as it is, by sentence: names of materials.

    Attributes:
        unread: Why the colour could not be read; the material keeps its viewport colour.
        rough: What is not as the film has it.
        asked: Names of the materials for whose mean Cycles was asked.
    """

    unread: dict[str, list[str]] = field(default_factory=dict)
    rough: dict[str, list[str]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def listed(self) -> list[tuple[str, str]]:
        """Each material whose colour is not as the film has it, and why."""
        return [(name, why) for kinds in (self.unread, self.rough) for why, names in kinds.items() for name in names]

    def notes(self) -> list[str]:
        """Sentences for the cut's log."""
        notes = [
            f"the colour of {quoted(names)} cannot be read ({why}): set style.overrides or style.textures, or it keeps "
            "its viewport colour"
            for why, names in self.unread.items()
        ]
        notes += [f"the colour of {quoted(names)} is a rough one ({why})" for why, names in self.rough.items()]
        if self.asked:
            notes.append(f"took the mean of what Cycles computes for {quoted(sorted(self.asked))}")
        return notes


@dataclass(frozen=True)
class _Wearer:
    """An object that wears a material.

    Attributes:
        obj: The object.
        mesh: Its mesh, with triangles.
        triangles: ``(T,)`` bool, which of them wear the material.
        areas: ``(T,)`` float64 in the world, 0 where they do not.
    """

    obj: bpy.types.Object
    mesh: bpy.types.Mesh
    triangles: npt.NDArray[np.bool_]
    areas: npt.NDArray[np.float64]


class _UnwornError(UnknownValueError):
    """No surface wears a material, so nothing is lost."""


@dataclass
class _Asking:
    """How Cycles is asked for a material.

    Attributes:
        wearers: The objects on which it is.
        every_frame: Whether it is in every frame in which its nodes are not as before; else once.
        known: What it said, by how nodes and objects were.
    """

    wearers: list[_Wearer]
    every_frame: bool
    known: dict[bytes, LinearColor] = field(default_factory=dict)


class ColorFinder:
    """Finds colours of materials in the scene as it stands.

    Args:
        view_layer: Where meshes are evaluated that only nodes or modifiers make.
        frames: How many frames the clip has.
        texels: Where images are looked up that nodes change or lay on otherwise than Workbench does.

    Attributes:
        doubts: What could not be read.
    """

    def __init__(self, view_layer: bpy.types.ViewLayer, frames: int, texels: TexelLookup) -> None:
        self.doubts = Doubts()
        self._texels = texels
        self._layer = view_layer
        self._frames = frames
        # now, before any copies of the film's objects show them in other frames
        self._objects_by_material = _objects_by_material()
        self._evaluated: dict[str, bpy.types.Mesh] = {}
        self._wearers: dict[str, list[_Wearer]] = {}
        self._asking: dict[str, _Asking | None] = {}
        self._means: ImageMeans = {}
        self._bakes = 0

    @cached_property
    def _instancers(self) -> dict[str, list[bpy.types.Object]]:
        """What instances collections with an object in the scene, by the object's full name."""
        found: dict[str, list[bpy.types.Object]] = {}
        for other in self._layer.objects:
            if other.instance_type == "COLLECTION" and other.instance_collection is not None:
                for obj in other.instance_collection.all_objects:
                    found.setdefault(obj.name_full, []).append(other)
        return found

    @cached_property
    def _shown(self) -> set[str]:
        return {obj.name_full for obj in self._layer.objects}

    def close(self) -> None:
        """Free the meshes that were evaluated."""
        for mesh in self._evaluated.values():
            bpy.data.meshes.remove(mesh)
        self._evaluated.clear()
        self._wearers.clear()

    def find(
        self,
        material: bpy.types.Material,
        shader: bpy.types.Material,
        frame: int,
        object_colors: Mapping[str, ObjectColor] | None = None,
        *,
        shows_image: bool = False,
    ) -> Found | None:
        """The colour of a material in a frame.

        Args:
            material: The material.
            shader: The same as animation leaves it in the frame.
            frame: The frame.
            object_colors: Colours of objects, by full name, that are others in that frame than they are now.
            shows_image: Whether the picture shows images as well.

        Returns:
            The colour; None where it has no nodes or nobody can read them, which the doubts then say.
        """
        surface = surface_input(shader)
        if surface is None:
            return None
        name = material.name
        colors = object_colors or {}
        if shows_image:
            drawn = self._by_texels(material, shader, surface, frame, colors)
            if drawn is not None:
                return drawn
        try:
            found = shader_color(shader, self._means)
            if found is not None and found.lit:
                _add(self.doubts.rough, LIT, name)
            return None if found is None else Found(found.color, found.image, found.node)
        except LacksImageError:
            # Cycles would be asked for magenta; that the image is missing is told where the film is opened
            return _rough(rough_color(shader), None, None)
        except NeedsSurfaceError:
            needs_surface = True
        except UnknownValueError:
            needs_surface = False
        image, node = shown_by(surface)
        if shows_image and image is not None and node is not None and (image.has_data or is_moving(image)):
            return _rough(rough_color(shader), image, node) or Found((NEUTRAL,) * 3, image, node)
        try:
            if needs_surface:
                try:
                    return self._over_surfaces(material, shader, surface, image, node, colors)
                except _UnwornError:
                    raise
                except UnknownValueError:
                    pass
            color = self._by_cycles(material, shader, frame, colors, animated=shader != material)
            self.doubts.asked.add(name)
            if self.may_change(material, besides_color=shader != material):
                self.doubt_change(material)
            return Found(color, image, node)
        except _UnwornError:
            return _rough(rough_color(shader), image, node)
        except UnknownValueError as error:
            rough = rough_color(shader)
            _add(self.doubts.unread if rough is None else self.doubts.rough, str(error), name)
            return _rough(rough, image, node)

    def _by_texels(
        self,
        material: bpy.types.Material,
        shader: bpy.types.Material,
        surface: Any,
        frame: int,
        object_colors: Mapping[str, ObjectColor],
    ) -> Found | None:
        """What a shader makes of images, to be computed at each pixel.

        Returns:
            None where no image takes part, or Workbench paints it as it is; also where nobody knows, which the doubts
            then say.
        """
        if not any(node.type == "TEX_IMAGE" and node.image is not None for node in nodes_within(shader.node_tree)):
            return None
        asked, names, properties = AskedImages(), attributes_needed(shader), properties_needed(shader)
        try:
            points = self._points(material, names, object_colors, properties)
            made = SurfaceColor(points, texels=asked).at(surface)
        except _UnwornError:
            return None
        except UnknownValueError as error:
            if asked.nodes:
                self._doubt_image(material, surface, str(error))
            return None
        if not asked.nodes:
            return None
        try:
            if asked.problems:
                raise UnknownValueError(asked.problems[0])
            lying = [coordinates for _, _, coordinates in asked.nodes if coordinates is not None]
            if self._is_painted(material, made, asked, lying):
                return None
            if any(self._texels.lacks(node) for node, _, _ in asked.nodes):
                raise UnknownValueError("its image sequence lacks files")
            uv_maps = frozenset(coordinates.uv_map or ACTIVE_UVS for coordinates in lying)
            points = self._points(material, names | uv_maps, object_colors, properties)
            self._texels.frame = frame
            evaluation = SurfaceColor(points, texels=self._texels)
            colors = np.clip(evaluation.at(surface), 0.0, 1.0).reshape(-1, 3).astype(np.float64)
        except LacksImageError:
            # told where the film is opened
            return None
        except UnknownValueError as error:
            self._doubt_image(material, surface, str(error))
            return None
        if evaluation.lit:
            _add(self.doubts.rough, LIT, material.name)
        for attribute in sorted(evaluation.lacking):
            _add(self.doubts.rough, f"it comes from an attribute '{attribute}' that no surface has", material.name)
        return Found(
            _as_color(colors.mean(axis=0)),
            *shown_by(surface),
            varies=True,
            asks_surfaces=bool(names or surface_asks(shader)),
            uv_maps=uv_maps,
            moves=any(is_moving(node.image) for node, _, _ in asked.nodes),
        )

    def _is_painted(
        self,
        material: bpy.types.Material,
        made: npt.NDArray[np.float32] | np.float32,
        asked: AskedImages,
        lying: list[TextureCoordinates],
    ) -> bool:
        """Whether Workbench paints what a shader makes of images: one image as it is, by the mesh's active UV map."""
        if len(asked.given) != 1 or not all(coordinates.is_plain for coordinates in lying):
            return False
        if any(groups for _, groups, _ in asked.nodes):
            return False
        [colors] = asked.given.values()
        if made.shape != (*colors.shape[:-1], 3) or float(np.abs(made - colors[..., :3]).max()) > SAME:
            return False
        for one in self._worn(material):
            active = one.mesh.uv_layers.active
            wanted = {coordinates.uv_map or active_uv_map(one.mesh) for coordinates in lying}
            if active is not None and wanted != {active.name}:
                return False
        return True

    def _doubt_image(self, material: bpy.types.Material, surface: Any, why: str) -> None:
        """Have it said that a material shows its image otherwise than the film does, or not at all."""
        shown = AS_FILED if shown_by(surface)[1] is not None else ONE_COLOR
        _add(self.doubts.rough, f"{shown}: {why}", material.name)

    def may_change(self, material: bpy.types.Material, *, besides_color: bool = False) -> bool:
        """Whether what a material asks its surfaces for may be another in other frames.

        Args:
            material: The material.
            besides_color: Leave out the colours of the objects that wear it.
        """
        asked, makers = surface_asks(material), {"NODES", "DYNAMIC_PAINT"} if attributes_needed(material) else set()
        by_color = "color" in asked and not besides_color
        return any(
            self._changes(one.obj, asked, makers) or (by_color and self._changes_color(one.obj))
            for one in self._worn(material)
        )

    def doubt_change(self, material: bpy.types.Material) -> None:
        """Have it said that a material keeps the colour of one frame."""
        _add(self.doubts.rough, CHANGES, material.name)

    def _changes(self, obj: bpy.types.Object, asked: Collection[str], makers: Collection[str]) -> bool:
        """Whether modifiers make its attributes, its place is asked for, or animation changes another property."""
        if "location" in asked or any(modifier.type in makers for modifier in obj.modifiers):
            return True
        owners = [owner for owner in (obj, obj.data) if owner is not None]
        paths = [path for name in asked if name != "color" for path in (name, f'["{name}"]')]
        return any(versions.animates(owner, path) for owner in owners for path in paths)

    def _changes_color(self, obj: bpy.types.Object) -> bool:
        return any(versions.animates(each, "color") for each in (obj, *self._instancers.get(obj.name_full, ())))

    def _over_surfaces(
        self,
        material: bpy.types.Material,
        shader: bpy.types.Material,
        surface: Any,
        image: bpy.types.Image | None,
        node: bpy.types.Node | None,
        object_colors: Mapping[str, ObjectColor],
    ) -> Found:
        """The mean over all surfaces that wear it, by what they say to its nodes."""
        points = self._points(material, attributes_needed(shader), object_colors, properties_needed(shader))
        evaluation = SurfaceColor(points, self._means)
        colors = np.clip(evaluation.at(surface), 0.0, 1.0).reshape(-1, 3).astype(np.float64)
        if evaluation.lit:
            _add(self.doubts.rough, LIT, material.name)
        for attribute in sorted(evaluation.lacking):
            _add(self.doubts.rough, f"it comes from an attribute '{attribute}' that no surface has", material.name)
        return Found(_as_color(colors.mean(axis=0)), image, node, _varies(colors), asks_surfaces=True)

    def mean_of_attribute(self, material: bpy.types.Material, name: str) -> Found:
        """The mean of an attribute over all surfaces that wear a material, whatever its nodes say.

        Raises:
            UnknownValueError: There is no such attribute.
        """
        points = self._points(material, {name}, {})
        if not points.has(name):
            raise UnknownValueError("no mesh that wears it has such an attribute")
        colors = np.clip(points.attribute(name)[0][:, 0, :3], 0.0, 1.0).astype(np.float64)
        return Found(_as_color(colors.mean(axis=0)), varies=_varies(colors))

    def _points(
        self,
        material: bpy.types.Material,
        names: Collection[str],
        object_colors: Mapping[str, ObjectColor],
        properties: Collection[str] = (),
    ) -> SurfacePoints:
        """Points spread over all surfaces that wear a material."""
        surfaces, areas = [], []
        worn = self._worn(material)
        for one in [one for one in worn if not one.mesh.get(MADE)] or worn:
            attributes, numbers = read_attributes(one.mesh, names)
            for colored in self._colored_by(one.obj):
                red, green, blue, alpha = object_colors.get(colored.name_full, colored.color)
                facts = replace(ObjectFacts.of(one.obj, None, properties), color=(red, green, blue, alpha))
                surfaces.append(Surface(facts, versions.triangle_slots(one.mesh), attributes, numbers))
                areas.append(one.areas)
        triangles, weights = spread_points(np.concatenate(areas), POINTS)
        starts = np.cumsum([0, *[len(part) for part in areas]])
        on = np.searchsorted(starts, triangles, side="right") - 1
        return SurfacePoints(surfaces, on, triangles - starts[on], weights, material.pass_index)

    def _colored_by(self, obj: bpy.types.Object) -> list[bpy.types.Object]:
        """Whose colour an object has in the picture: its own, or that of what instances a collection with it."""
        instancers = self._instancers.get(obj.name_full, [])
        return [*([obj] if obj.name_full in self._shown or not instancers else []), *instancers]

    def _by_cycles(
        self,
        material: bpy.types.Material,
        shader: bpy.types.Material,
        frame: int,
        object_colors: Mapping[str, ObjectColor],
        *,
        animated: bool,
    ) -> LinearColor:
        """The mean over some of the surfaces that wear it, as Cycles computes it."""
        name = material.name_full
        if name not in self._asking:
            self._asking[name] = self._plan(material, self._frames if animated else 1)
        asking = self._asking[name]
        if asking is None:
            raise UnknownValueError(f"Cycles is asked {MOST_BAKES} times for others already")
        colors = [object_colors.get(one.obj.name_full, object_color(one.obj)) for one in asking.wearers]
        state = b"" if not asking.every_frame else _fingerprint(shader) + repr(colors).encode()
        if not asking.every_frame and animated:
            _add(self.doubts.rough, "its nodes are animated, and Cycles is asked for one frame only", material.name)
        if state not in asking.known:
            cycles = CyclesColors(material)
            try:
                means = [
                    np.clip(
                        cycles.over(
                            one.mesh,
                            one.obj,
                            replace(ObjectFacts.of(one.obj, None, properties_needed(shader)), color=color),
                            one.triangles,
                            frame,
                        ),
                        0.0,
                        1.0,
                    ).mean(axis=0, dtype=np.float64)
                    for one, color in zip(asking.wearers, colors, strict=True)
                ]
            finally:
                cycles.close()
            areas = [one.areas.sum() for one in asking.wearers]
            asking.known[state] = _as_color(np.average(means, axis=0, weights=areas))
        return asking.known[state]

    def _plan(self, material: bpy.types.Material, frames: int) -> _Asking | None:
        """How often Cycles can be asked for a material; None where not at all."""
        worn, left = self._worn(material), MOST_BAKES - self._bakes
        if left < 1:
            return None
        every_frame = frames > 1 and left >= frames
        times = frames if every_frame else 1
        chosen = _some(worn, min(MOST_WEARERS, left // times))
        self._bakes += times * len(chosen)
        return _Asking(chosen, every_frame)

    def _worn(self, material: bpy.types.Material) -> list[_Wearer]:
        """The objects that wear a material, by name; of very many some."""
        name = material.name_full
        if name not in self._wearers:
            self._wearers[name] = list(self._find_wearers(material))
        if not self._wearers[name]:
            raise _UnwornError("no surface wears it")
        return self._wearers[name]

    def _find_wearers(self, material: bpy.types.Material) -> Iterator[_Wearer]:
        by_slot = self._objects_by_material.get(material.name_full, [])
        by_nodes = [obj for obj in self._objects_by_material.get("", []) if obj not in by_slot]
        for obj in [*_some(by_slot, MOST_SURFACES), *by_nodes]:
            mesh = self._mesh(obj)
            if mesh is None or len(mesh.loop_triangles) == 0:
                continue
            worn = list(mesh.materials)
            slots = [slot.material for slot in obj.material_slots]
            worn = slots if len(slots) == len(worn) else worn
            numbers = [index for index, each in enumerate(worn) if each == material]
            if not numbers:
                continue
            triangles = np.isin(np.minimum(versions.triangle_slots(mesh), max(len(worn) - 1, 0)), numbers)
            areas = np.where(triangles, _areas(mesh, obj), 0.0)
            if areas.sum() > 0.0:
                yield _Wearer(obj, mesh, triangles, areas)

    def _mesh(self, obj: bpy.types.Object) -> bpy.types.Mesh | None:
        """An object's own mesh, or what nodes or modifiers make, with triangles."""
        if obj.type == "MESH" and not any(modifier.type == "NODES" for modifier in obj.modifiers):
            obj.data.calc_loop_triangles()
            return obj.data
        if obj.name_full not in self._evaluated:
            graph = self._layer.depsgraph
            try:
                made = bpy.data.meshes.new_from_object(
                    obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
                )
            except RuntimeError:
                return None
            made.calc_loop_triangles()
            self._evaluated[obj.name_full] = made
        return self._evaluated[obj.name_full]


def _objects_by_material() -> dict[str, list[bpy.types.Object]]:
    """The objects that have a material in a slot, by its full name; those that nodes may give one, by no name."""
    found: dict[str, list[bpy.types.Object]] = {}
    for obj in sorted(bpy.data.objects, key=lambda obj: obj.name_full):
        if obj.type not in {"MESH", "CURVE", "SURFACE", "FONT", "META"}:
            continue
        names = {slot.material.name_full for slot in obj.material_slots if slot.material is not None}
        if any(modifier.type == "NODES" for modifier in obj.modifiers):
            names.add("")
        for name in names:
            found.setdefault(name, []).append(obj)
    return found


def _areas(mesh: bpy.types.Mesh, obj: bpy.types.Object) -> npt.NDArray[np.float64]:
    """The areas of a mesh's triangles in the world, ``(T,)``."""
    vertices = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", vertices)
    matrix = np.array(obj.matrix_world, np.float64)[:3, :3]
    placed = vertices.reshape(-1, 3).astype(np.float64) @ matrix.T
    corners = placed[versions.corner_vertices(mesh)[versions.triangle_corners(mesh)]]
    areas: npt.NDArray[np.float64] = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    return areas


def _rough(color: ShaderColor | None, image: bpy.types.Image | None, node: bpy.types.Node | None) -> Found | None:
    return None if color is None else Found(color.color, image, node)


def _some(wearers: list[Kind], most: int) -> list[Kind]:
    """So many of them at most, evenly chosen."""
    return wearers if len(wearers) <= most else [wearers[i * len(wearers) // most] for i in range(most)]


def _fingerprint(shader: bpy.types.Material) -> bytes:
    """Changes with every number of a material's nodes that animation may change."""
    digest = hashlib.blake2b(digest_size=16)
    for node in nodes_within(shader.node_tree):
        digest.update(node.name.encode())
        for socket in [*node.inputs, *node.outputs]:
            value = getattr(socket, "default_value", None)
            digest.update(repr(value if isinstance(value, bool | int | float | str | None) else tuple(value)).encode())
        for each in node.bl_rna.properties:
            if each.type in {"BOOLEAN", "INT", "FLOAT", "ENUM", "STRING"} and not each.is_readonly:
                value = getattr(node, each.identifier)
                digest.update(repr(tuple(value) if getattr(each, "is_array", False) else value).encode())
        ramp = getattr(node, "color_ramp", None)
        if ramp is not None:
            digest.update(repr([(element.position, tuple(element.color)) for element in ramp.elements]).encode())
    return digest.digest()


def _varies(colors: npt.NDArray[np.float64]) -> bool:
    return float(np.ptp(colors, axis=0).max()) > SAME


def _as_color(mean: npt.NDArray[np.float64]) -> LinearColor:
    red, green, blue = (float(channel) for channel in mean)
    return red, green, blue


def _add(kinds: dict[str, list[str]], kind: str, name: str) -> None:
    names = kinds.setdefault(kind, [])
    if name not in names:
        names.append(name)


def quoted(names: list[str]) -> str:
    """Names in quotes, the first few of them."""
    return and_more([f"'{name}'" for name in names], 8)
