"""Takes down the geometry of a frame exactly as the renderer sees it.

A render engine is handed the *render* dependency graph, while ``evaluated_depsgraph_get()`` gives the viewport's, with
other visibility and other subdivision levels.  So a small engine of our own "renders" a frame by copying its arrays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.clipped import NO_MASK, ClippedMaterials
from animerun_gen.blender.identity import (
    IdentityReader,
    MeshIdentities,
    begin_frame,
    curve_numbering,
    read_identities,
    recipe,
)
from animerun_gen.blender.instance_keys import InstanceKeys, unique
from animerun_gen.blender.opening import CAMERA_TYPES
from animerun_gen.blender.unreadable import UnreadableDrawn
from animerun_gen.errors import SceneError
from animerun_gen.motion.companions import BACKGROUND_ID, NO_MATERIAL_ID
from animerun_gen.motion.geometry import Camera, FrameGeometry, Holes, MarkedEdges, Normals

Read = TypeVar("Read")

ENGINE = "ANIMERUN_GEOMETRY"

LARGEST_ID = np.iinfo(np.uint16).max


class InstanceReader(Protocol):
    """Is shown every instance of a frame's geometry."""

    def add(
        self, instance: bpy.types.DepsgraphObjectInstance, drawn: bpy.types.Object, worn: list[Any], mesh: int
    ) -> None:
        """Look at the next instance.

        Args:
            instance: The instance.
            drawn: What it draws, evaluated.
            worn: The materials of its slots.
            mesh: Number of its mesh, which several instances may share.
        """


@dataclass(frozen=True)
class NameTable:
    """Ids of objects or materials, the same for every frame of a cut.

    Attributes:
        ids: Name in the file (with the library where it is linked) to id.
    """

    ids: dict[str, int]

    def named(self, reserved: dict[int, str]) -> dict[str, str]:
        """The table as it is written beside the id maps: id (as a string) to name, reserved ids included."""
        table = reserved | {number: name for name, number in self.ids.items()}
        return {str(number): table[number] for number in sorted(table)}


@dataclass(frozen=True)
class SceneNames:
    """The id tables of a cut."""

    objects: NameTable
    materials: NameTable

    def object_table(self) -> dict[str, str]:
        """Object id to name."""
        return self.objects.named({BACKGROUND_ID: "background"})

    def material_table(self) -> dict[str, str]:
        """Material id to name."""
        return self.materials.named({BACKGROUND_ID: "background", NO_MATERIAL_ID: "no material"})


def scene_names() -> SceneNames:
    """Number all objects and materials of the open file by name, so that ids do not depend on the frame.

    Raises:
        SceneError: There are more than fit into 16 bits.
    """
    objects = sorted(obj.name_full for obj in bpy.data.objects)
    materials = sorted(material.name_full for material in bpy.data.materials)
    for kind, names, first in (("objects", objects, 1), ("materials", materials, 2)):
        if len(names) + first > LARGEST_ID:
            raise SceneError(
                f"the file has {len(names)} {kind}, more than the {LARGEST_ID} that 16-bit id maps can tell apart",
                remedy="take 'ids' out of motion.extras or clean the file up",
            )
    return SceneNames(
        NameTable({name: number for number, name in enumerate(objects, start=BACKGROUND_ID + 1)}),
        NameTable({name: number for number, name in enumerate(materials, start=NO_MATERIAL_ID + 1)}),
    )


class _Engine(bpy.types.RenderEngine):  # type: ignore[misc]
    """Hands the render dependency graph to whoever is waiting for it."""

    bl_idname = ENGINE
    bl_label = "animerun-gen geometry"
    bl_use_preview = False

    reader: Any = None
    failure: BaseException | None = None

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        try:
            type(self).reader(self, depsgraph)
        except BaseException as error:  # an exception that leaves this method is printed and lost
            type(self).failure = error


@contextmanager
def geometry_engine() -> Iterator[None]:
    """Have the engine registered while the body runs.

    Blender hangs at exit when a Python engine has rendered and is still registered, or still the scene's engine.
    """
    bpy.utils.register_class(_Engine)
    try:
        yield
    finally:
        for scene in bpy.data.scenes:
            if scene.render.engine == ENGINE:
                scene.render.engine = "BLENDER_WORKBENCH"
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        bpy.utils.unregister_class(_Engine)


def take_down(scene: bpy.types.Scene, names: SceneNames, clipped: ClippedMaterials) -> FrameGeometry:
    """Read the geometry of the scene's current frame from the render dependency graph.

    Args:
        scene: The converted scene; :func:`geometry_engine` must be active.
        names: The cut's ids.
        clipped: The cut's materials with holes.

    Returns:
        The frame's geometry.
    """
    return evaluate(scene, lambda depsgraph: read_graph(depsgraph, names, clipped))


def evaluate(scene: bpy.types.Scene, read: Callable[[bpy.types.Depsgraph], Read]) -> Read:
    """Have Blender evaluate the scene's current frame as for a render, and draw nothing.

    Args:
        scene: The converted scene; :func:`geometry_engine` must be active.
        read: Is called once with the evaluated graph, of mode ``"RENDER"``, which ends with it.

    Returns:
        What was read.
    """
    found: list[Read] = []
    _Engine.failure = None
    _Engine.reader = lambda engine, depsgraph: found.append(read(depsgraph))
    engine, freestyle = scene.render.engine, scene.render.use_freestyle
    scene.render.engine = ENGINE
    scene.render.use_freestyle = False
    try:
        bpy.ops.render.render(write_still=False, scene=scene.name)
    finally:
        scene.render.engine = engine
        scene.render.use_freestyle = freestyle
        _Engine.reader = None
    if _Engine.failure is not None:
        raise _Engine.failure
    if not found:
        raise SceneError(
            f"Blender rendered frame {scene.frame_current} without handing over its geometry",
            remedy="run 'animerun-gen doctor'",
        )
    return found[0]


def finish_evaluation(depsgraph: bpy.types.Depsgraph) -> None:
    """Have Blender evaluate what it leaves until somebody looks: subdivision that is an object's last modifier.

    Drawing needs it, too, so it is no cost of reading; whoever measures reading calls this before.
    """
    for instance in depsgraph.object_instances:
        _ = instance.object.data


def read_graph(
    depsgraph: bpy.types.Depsgraph,
    names: SceneNames,
    clipped: ClippedMaterials,
    surfaces: InstanceReader | None = None,
    *,
    with_normals: bool = False,
    with_marks: bool = False,
    with_faces: bool = False,
) -> FrameGeometry:
    """Read the geometry of a frame from a render dependency graph that is evaluated and still alive.

    Args:
        depsgraph: The graph, of mode ``"RENDER"``.
        names: The cut's ids.
        clipped: The cut's materials with holes.
        surfaces: Is shown every instance of the geometry, in order.
        with_normals: Whether the normals are taken down by which Blender shades it.
        with_marks: Whether the edges are taken down that are marked for Freestyle.
        with_faces: Whether it is taken down which face each triangle is a part of.

    Returns:
        The frame's geometry.

    Raises:
        UnreadableGeometryError: Something is drawn that has no triangles.
    """
    return _Reader(depsgraph, names, clipped, surfaces, with_normals, with_marks, with_faces).read()


def read_camera(camera: bpy.types.Object, graph: bpy.types.Depsgraph) -> Camera:
    """What a camera sees of the world.

    Args:
        camera: A perspective or orthographic camera, evaluated in the graph.
        graph: The graph; size and pixels of its scene's pictures count.
    """
    render = graph.scene.render
    width, height = render.resolution_x, render.resolution_y
    projection = camera.calc_matrix_camera(
        graph, x=width, y=height, scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y
    )
    # the renderer, too, leaves out a scale that the camera object may have
    world = np.array(camera.matrix_world.normalized(), np.float64)
    return Camera(
        name=camera.original.name_full,
        world=world,
        projection=np.array(projection, np.float64),
        clip_start=camera.data.clip_start,
        clip_end=camera.data.clip_end,
        width=width,
        height=height,
    )


class _Reader:
    """Collects the arrays of one frame."""

    def __init__(
        self,
        depsgraph: bpy.types.Depsgraph,
        names: SceneNames,
        clipped: ClippedMaterials,
        surfaces: InstanceReader | None,
        with_normals: bool,
        with_marks: bool,
        with_faces: bool,
    ) -> None:
        self.depsgraph = depsgraph
        self.with_normals = with_normals
        self.normals: list[versions.ShadingNormals] = []
        self.with_marks = with_marks
        self.marked: list[np.ndarray[Any, Any]] = []
        self.with_faces = with_faces
        self.faces: list[np.ndarray[Any, Any]] = []
        self.surfaces = surfaces
        self.names = names
        self.clipped = clipped
        self.mesh_index: dict[int, int] = {}
        self.vertices: list[np.ndarray[Any, Any]] = []
        self.triangles: list[np.ndarray[Any, Any]] = []
        self.slots: list[np.ndarray[Any, Any]] = []
        self.topologies: list[bytes] = []
        self.identities: list[MeshIdentities] = []
        self.reader = IdentityReader()
        self.instance_keys = InstanceKeys(depsgraph, self.reader)
        self.uvs: dict[int, np.ndarray[Any, Any]] = {}

    def read(self) -> FrameGeometry:
        begin_frame()
        keys: list[str] = []
        mesh_of: list[int] = []
        matrices: list[list[list[float]]] = []
        object_ids: list[int] = []
        owner_ids: list[int] = []
        ordered: list[bool] = []
        single: list[bool] = []
        modifiers: list[str] = []
        slot_materials: list[int] = []
        slot_masks: list[int] = []
        slot_start = [0]
        unreadable = UnreadableDrawn()
        for instance in self.depsgraph.object_instances:
            drawn = instance.object
            # texts, curves and metaballs come a second time as the mesh that is drawn
            if not instance.show_self:
                continue
            if not isinstance(drawn.data, bpy.types.Mesh):
                unreadable.note(instance)
                continue
            mesh = self._mesh(drawn)
            if len(self.triangles[mesh]) == 0:
                continue
            original = drawn.original
            keys.append(self.instance_keys.key(instance))
            mesh_of.append(mesh)
            matrices.append([list(row) for row in instance.matrix_world])
            object_ids.append(self.names.objects.ids.get(original.name_full, BACKGROUND_ID))
            owner = instance.parent.original if instance.is_instance and instance.parent is not None else original
            owner_ids.append(self.names.objects.ids.get(owner.name_full, BACKGROUND_ID))
            numbering = self.reader.numbering(drawn)
            ordered.append(numbering.ordered and self._keeps_what_it_had(drawn, mesh))
            single.append(numbering.single)
            modifiers.append(", ".join(modifier.name for modifier in drawn.modifiers if modifier.show_render))
            worn = worn_materials(drawn)
            slot_materials += [self._material_id(material) for material in worn]
            if self.surfaces is not None:
                self.surfaces.add(instance, drawn, worn, mesh)
            masks = [self._mask(material) for material in worn]
            if any(mask != NO_MASK for mask in masks):
                self._read_uvs(drawn.data, mesh)
            slot_masks += masks
            slot_start.append(len(slot_materials))
        unreadable.refuse(self.depsgraph.scene.frame_current)
        return FrameGeometry(
            frame=self.depsgraph.scene.frame_current,
            camera=self._camera(),
            vertices=np.concatenate([np.empty((0, 3), np.float32), *self.vertices]),
            triangles=np.concatenate([np.empty((0, 3), np.int32), *self.triangles]),
            triangle_slots=np.concatenate([np.empty(0, np.int32), *self.slots]),
            vertex_start=_starts(self.vertices),
            triangle_start=_starts(self.triangles),
            topologies=tuple(self.topologies),
            identities=np.concatenate([np.empty(0, np.uint64), *[each.identities for each in self.identities]]),
            numberings=tuple(each.digest for each in self.identities),
            distinct=np.array([each.distinct for each in self.identities], bool),
            keys=unique(keys, self.depsgraph.scene.frame_current),
            mesh=np.array(mesh_of, np.int32),
            matrices=np.array(matrices, np.float64).reshape(-1, 4, 4),
            object_ids=np.array(object_ids, np.uint16),
            ordered=np.array(ordered, bool),
            single=np.array(single, bool),
            modifiers=tuple(modifiers),
            slot_start=np.array(slot_start, np.int64),
            slot_materials=np.array(slot_materials, np.uint16),
            holes=self._holes(slot_masks),
            normals=self._normals() if self.with_normals else None,
            marked_edges=self._marked_edges() if self.with_marks else None,
            faces=np.concatenate([np.empty(0, np.int32), *self.faces]) if self.with_faces else None,
            owner_ids=np.array(owner_ids, np.uint16),
        )

    def _camera(self) -> Camera:
        scene = self.depsgraph.scene
        camera = scene.camera.evaluated_get(self.depsgraph)
        if camera.data.type not in CAMERA_TYPES:
            raise SceneError(
                f"camera '{camera.original.name_full}' is of type {camera.data.type} in frame "
                f"{scene.frame_current}; only perspective and orthographic cameras have exact flow",
                remedy="leave that frame out, or name another 'camera' in the cut's configuration",
            )
        return read_camera(camera, self.depsgraph)

    def _mesh(self, drawn: bpy.types.Object) -> int:
        mesh = drawn.data
        address = mesh.as_pointer()
        if address in self.mesh_index:
            return self.mesh_index[address]
        vertices = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", vertices)
        corners = versions.corner_vertices(mesh)
        faces = np.empty(len(mesh.polygons), np.int32)
        mesh.polygons.foreach_get("loop_start", faces)
        mesh.calc_loop_triangles()
        triangles = corners[versions.triangle_corners(mesh)]
        slots = versions.triangle_slots(mesh)

        # of the faces, not of the triangles: how a bent face is split may change while its points stay the same
        digest = hashlib.blake2b(digest_size=16)
        digest.update(len(mesh.vertices).to_bytes(8, "little"))
        digest.update(faces.data)
        digest.update(corners.data)
        digest.update(recipe(drawn))
        if drawn.original.type in {"CURVE", "SURFACE", "FONT"}:
            curve = drawn.original.evaluated_get(self.depsgraph).data
            if isinstance(curve, bpy.types.Curve):
                digest.update(curve_numbering(curve))

        self.vertices.append(vertices.reshape(-1, 3))
        self.triangles.append(triangles)
        self.slots.append(slots)
        self.topologies.append(digest.digest())
        self.identities.append(read_identities(mesh, self.reader.numbering(drawn)))
        if self.with_normals:
            self.normals.append(versions.shading_normals(mesh))
        if self.with_marks:
            self.marked.append(_marked_edges(mesh))
        if self.with_faces:
            self.faces.append(versions.triangle_faces(mesh))
        self.mesh_index[address] = len(self.topologies) - 1
        return self.mesh_index[address]

    def _keeps_what_it_had(self, drawn: bpy.types.Object, mesh: int) -> bool:
        return self.identities[mesh].complete or not self.reader.keeps_identities(drawn)

    def _read_uvs(self, mesh: bpy.types.Mesh, number: int) -> None:
        """Take the texture coordinates down by which Workbench paints a mesh, if it has any."""
        layer = mesh.uv_layers.active
        if number in self.uvs or layer is None:
            return
        uvs = np.empty(2 * len(mesh.loops), np.float32)
        layer.data.foreach_get("uv", uvs)
        self.uvs[number] = uvs.reshape(-1, 2)[versions.triangle_corners(mesh)]

    def _normals(self) -> Normals:
        corners = [np.empty((0, 3), np.int32) if each.of_corners is None else each.of_corners for each in self.normals]
        has_corners = np.array([each.of_corners is not None for each in self.normals], bool)
        vectors = [each.vectors for each in self.normals]
        return Normals(
            vectors=np.concatenate([np.empty((0, 3), np.float32), *vectors]),
            vector_start=_starts(vectors)[:-1],
            corners=np.concatenate([np.empty((0, 3), np.int32), *corners]),
            corner_start=np.where(has_corners, _starts(corners)[:-1], -1),
        )

    def _marked_edges(self) -> MarkedEdges:
        return MarkedEdges(np.concatenate([np.empty((0, 2), np.int32), *self.marked]), _starts(self.marked))

    def _holes(self, slot_masks: list[int]) -> Holes | None:
        if not self.uvs:
            return None
        starts = np.full(len(self.topologies), -1, np.int64)
        starts[list(self.uvs)] = _starts(list(self.uvs.values()))[:-1]
        return Holes(
            uvs=np.concatenate(list(self.uvs.values())),
            uv_start=starts,
            slot_masks=np.array(slot_masks, np.int32),
            masks=self.clipped.masks(),
        )

    def _mask(self, material: bpy.types.Material | None) -> int:
        return self.clipped.mask_of(material.original if material is not None else None)

    def _material_id(self, material: bpy.types.Material | None) -> int:
        if material is None:
            return NO_MATERIAL_ID
        return self.names.materials.ids.get(material.original.name_full, NO_MATERIAL_ID)


def _marked_edges(mesh: bpy.types.Mesh) -> np.ndarray[Any, Any]:
    """``(E, 2)`` int32, the vertices of the edges that are marked."""
    marks = versions.marked_edges(mesh)
    edges = np.empty((len(marks) if marks.any() else 0, 2), np.int32)
    if len(edges):
        # of a heavy mesh this takes its time
        mesh.edges.foreach_get("vertices", edges.ravel())
    return edges[marks[: len(edges)]]


def worn_materials(drawn: bpy.types.Object) -> list[bpy.types.Material | None]:
    """The materials of an object's slots; a mesh made by geometry nodes brings its own list."""
    own = list(drawn.data.materials)
    slots = [slot.material for slot in drawn.material_slots]
    return slots if len(slots) == len(own) else own


def _starts(parts: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return np.cumsum([0, *[len(part) for part in parts]], dtype=np.int64)
