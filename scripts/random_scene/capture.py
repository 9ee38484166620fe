"""What Blender renders in one frame, with the identity that the builder gave to its surface points."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from random_scene.frames import UNMATCHED, Frame, Placed, Surface
from random_scene.pinhole import Pinhole

Array = np.ndarray[Any, Any]

UV = "truth_uv"
"""FLOAT2 of the corners: the place in the face, from 0 to 1.

A file or modifier that hands on texture coordinates only is given the number of the face with them, as whole numbers
added to the first; copies of a face are told apart by whole numbers added to the second."""
FACE = "truth_face"
"""INT of the faces: their number in the whole scene, from 1."""
POINT = "truth_point"
"""INT of the vertices: their number in their mesh, from 1."""
COPY = "truth_copy"
"""INT of any domain, or a byte colour: which copy of the face it is."""


class _TruthEngine(bpy.types.RenderEngine):  # type: ignore[misc]
    """Is handed the render dependency graph, which the viewport's may differ from."""

    bl_idname = "RANDOM_SCENES_TRUTH"
    bl_label = "truth of random scenes"

    read: Any = None
    failure: BaseException | None = None

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        try:
            type(self).read(depsgraph)
        except BaseException as error:
            type(self).failure = error


def register() -> None:
    """Make the engine known; a process that did so must end by ``os._exit``, or Blender hangs."""
    bpy.utils.register_class(_TruthEngine)


def capture(scene: bpy.types.Scene, numbers: range) -> list[Frame]:
    """Play the frames in their order and take each down."""
    frames: list[Frame] = []
    scene.render.engine = _TruthEngine.bl_idname
    for number in numbers:
        scene.frame_set(number)
        _TruthEngine.read = lambda graph: frames.append(_read(graph))
        _TruthEngine.failure = None
        bpy.ops.render.render(write_still=False, scene=scene.name)
        if _TruthEngine.failure is not None:
            raise _TruthEngine.failure
    scene.render.engine = "BLENDER_WORKBENCH"
    if len(frames) != len(numbers):
        raise RuntimeError("Blender did not hand over every frame")
    return frames


def _read(graph: bpy.types.Depsgraph) -> Frame:
    scene = graph.scene
    frame = Frame(scene.frame_current, _pinhole(graph))
    surfaces: dict[int, Surface] = {}
    for instance in graph.object_instances:  # subdivision that is an object's last modifier is made when somebody looks
        _ = instance.object.data
    expected = _Expected(graph)
    for instance in graph.object_instances:
        drawn = instance.object
        if not instance.show_self or not isinstance(drawn.data, bpy.types.Mesh):
            continue
        address = drawn.data.as_pointer()
        if address not in surfaces:
            surfaces[address] = read_surface(drawn.data)
        surface = surfaces[address]
        if not len(surface.triangles):
            continue
        matrix = np.array(instance.matrix_world, np.float64)
        name = drawn.original.name
        parent, identity = "", ()
        if instance.is_instance:
            parent = instance.parent.original.name if instance.parent else ""
            identity = expected.identity(parent, name, matrix)
        frame.placed.append(Placed(name, parent, identity, surface, matrix))
    return frame


def _pinhole(graph: bpy.types.Depsgraph) -> Pinhole:
    scene = graph.scene
    camera = scene.camera.evaluated_get(graph)
    data = camera.data
    width, height = scene.render.resolution_x, scene.render.resolution_y
    vertical = data.sensor_fit == "VERTICAL" or (data.sensor_fit == "AUTO" and height > width)
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    perspective = data.type == "PERSP"
    return Pinhole(
        world=np.array(camera.matrix_world, np.float64),
        perspective=perspective,
        scale=data.lens / sensor if perspective else 1 / data.ortho_scale,
        fit=float(height if vertical else width),
        shift=(data.shift_x, data.shift_y),
        size=(width, height),
        clip=(data.clip_start, data.clip_end),
    )


def read_surface(mesh: bpy.types.Mesh) -> Surface:
    """Copy a mesh's arrays."""
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    mesh.calc_loop_triangles()
    triangles, corners = np.empty((2, 3 * len(mesh.loop_triangles)), np.int32)
    faces = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    mesh.loop_triangles.foreach_get("loops", corners)
    mesh.loop_triangles.foreach_get("polygon_index", faces)
    starts = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    corner_points = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corner_points)
    uv = None
    if UV in mesh.attributes and mesh.attributes[UV].domain == "CORNER":
        uv = np.empty(2 * len(mesh.loops), np.float32)
        mesh.attributes[UV].data.foreach_get("vector", uv)
        uv = uv.reshape(-1, 2).astype(np.float64)
    keys = np.zeros((len(mesh.polygons), 2), np.int64)
    keys[:, 0] = _of_faces(mesh, FACE, starts, corner_points)
    keys[:, 1] = _of_faces(mesh, COPY, starts, corner_points)
    if uv is not None and len(uv) and FACE not in mesh.attributes and uv[:, 0].max() > 1:
        keys[:, 0] = np.floor(uv[starts, 0]) + 1
    return Surface(
        points.reshape(-1, 3).astype(np.float64),
        triangles.reshape(-1, 3),
        corners.reshape(-1, 3),
        faces,
        np.append(starts, len(mesh.loops)),
        corner_points,
        uv,
        keys,
        _point_names(mesh),
    )


def _of_faces(mesh: bpy.types.Mesh, name: str, starts: Array, corner_points: Array) -> Array:
    """A whole number of each face, from an attribute of faces, corners or points."""
    if name not in mesh.attributes:
        return np.zeros(len(starts), np.int64)
    attribute = mesh.attributes[name]
    if attribute.data_type == "BYTE_COLOR":
        colors = np.empty(4 * len(attribute.data), np.float32)
        attribute.data.foreach_get("color_srgb", colors)
        values = np.rint(colors.reshape(-1, 4)[:, 0] * 255).astype(np.int64)
    else:
        values = np.empty(len(attribute.data), np.int32 if attribute.data_type == "INT" else np.float32)
        attribute.data.foreach_get("value", values)
        values = np.rint(values).astype(np.int64)
    if attribute.domain == "FACE":
        return values
    if attribute.domain == "CORNER":
        return values[starts]
    if attribute.domain == "POINT":
        return values[corner_points[starts]]
    return np.zeros(len(starts), np.int64)


class _Expected:
    """Which instance is which, from how instancers work and from attributes that the builder stored; found by place."""

    def __init__(self, graph: bpy.types.Depsgraph) -> None:
        self.known: dict[tuple[str, str], list[tuple[tuple[Any, ...], Array]]] = {}
        # graph.objects leaves out what only instances show
        self.evaluated = {block.original.name_full: block for block in graph.ids if isinstance(block, bpy.types.Object)}
        for real in graph.scene.objects:
            drawn = self.evaluated.get(real.original.name_full)
            if drawn is not None:
                self._expand(drawn, drawn.matrix_world.copy(), (), drawn.name)

    def identity(self, parent: str, name: str, matrix: Array) -> tuple[Any, ...]:
        """The identity of an instance; one that was not found, or not alone, matches nothing."""
        candidates = self.known.get((parent, name), [])
        near = []
        for identity, place in candidates:
            wanted = matrix if place.shape == (4, 4) else matrix[:3, 3]
            if np.abs(place - wanted).max() <= 1e-4 * max(1.0, float(np.abs(wanted).max())):
                near.append((float(np.abs(place - wanted).max()), identity))
        if not near:
            return UNMATCHED
        near.sort(key=lambda pair: pair[0])
        if len(near) > 1 and near[0][1] != near[1][1] and near[1][0] - near[0][0] < 1e-6:
            return UNMATCHED
        return near[0][1]

    def _note(self, root: str, name: str, identity: tuple[Any, ...], place: Matrix | Vector) -> None:
        self.known.setdefault((root, name), []).append((identity, np.array(place, np.float64)))

    def _expand(self, drawn: bpy.types.Object, matrix: Matrix, path: tuple[Any, ...], root: str) -> None:
        if len(path) > 12:
            return
        if drawn.type not in {"MESH", "EMPTY"}:
            # curves, texts and metaballs are drawn as a mesh that is an instance of themselves
            self._note(root, drawn.name, (*path, "mesh"), matrix)
        self._nodes(drawn, matrix, path, root)
        self._particles(drawn, path, root)
        if drawn.instance_type == "COLLECTION" and drawn.instance_collection is not None:
            self._collection(drawn.instance_collection, matrix, path, root)
        elif drawn.instance_type in {"VERTS", "FACES"} and isinstance(drawn.data, bpy.types.Mesh):
            self._elements(drawn, matrix, path, root)

    def _collection(self, collection: bpy.types.Collection, matrix: Matrix, path: tuple[Any, ...], root: str) -> None:
        placed = matrix @ Matrix.Translation(-Vector(collection.instance_offset))
        for member in collection.all_objects:
            evaluated = self.evaluated.get(member.original.name_full)
            if evaluated is None:
                continue
            below = (*path, member.name)
            self._note(root, member.name, below, placed @ evaluated.matrix_world)
            self._expand(evaluated, placed @ evaluated.matrix_world, below, root)

    def _elements(self, drawn: bpy.types.Object, matrix: Matrix, path: tuple[Any, ...], root: str) -> None:
        surface = read_surface(drawn.data)
        if drawn.instance_type == "VERTS":
            places = surface.points
            names = surface.names if surface.names is not None else np.arange(len(places))
        else:
            places = np.array([polygon.center for polygon in drawn.data.polygons], np.float64).reshape(-1, 3)
            names = surface.keys[:, 0]
        for child in drawn.original.children:
            for place, name in zip(places, names, strict=True):
                self._note(root, child.name, (*path, child.name, int(name)), (matrix @ Vector(place)))

    def _particles(self, drawn: bpy.types.Object, path: tuple[Any, ...], root: str) -> None:
        for system in drawn.particle_systems:
            shown = system.settings.instance_object
            if system.settings.render_type != "OBJECT" or shown is None:
                continue
            for number, particle in enumerate(system.particles):
                if particle.alive_state == "ALIVE":
                    # a name: it keeps its number as long as it lives
                    identity = (*path, system.name, shown.name, f"particle {number}")
                    self._note(root, shown.name, identity, particle.location)

    def _nodes(self, drawn: bpy.types.Object, matrix: Matrix, path: tuple[Any, ...], root: str) -> None:
        if any(modifier.type == "NODES" and modifier.show_render for modifier in drawn.modifiers):
            geometry = bpy.types.GeometrySet.from_evaluated_object(drawn)
            self._instances(geometry, drawn, matrix, (*path, drawn.name), root)

    def _instances(
        self, geometry: Any, drawn: bpy.types.Object, matrix: Matrix, path: tuple[Any, ...], root: str
    ) -> None:
        points = geometry.instances_pointcloud()
        if points is None:
            return
        references = geometry.instance_references()
        number = len(points.points)
        transforms = np.empty(16 * number, np.float32)
        points.attributes["instance_transform"].data.foreach_get("value", transforms)
        which = np.empty(number, np.int32)
        points.attributes[".reference_index"].data.foreach_get("value", which)
        names = _stored(points, number)
        # Blender hands a 4x4 attribute over column by column
        for transform, reference, name in zip(transforms.reshape(-1, 4, 4), which, names, strict=True):
            placed = matrix @ Matrix(transform.T.tolist())
            shown = references[reference]
            below = (*path, name)
            if isinstance(shown, bpy.types.Object):
                self._note(root, shown.name, below, placed)
                self._expand(self.evaluated.get(shown.original.name_full, shown), placed, below, root)
            elif isinstance(shown, bpy.types.Collection):
                self._collection(shown, placed, below, root)
            else:
                self._note(root, drawn.name, below, placed)
                self._instances(shown, drawn, placed, below, root)


def _stored(points: Any, number: int) -> list[tuple[Any, ...]]:
    """What the builder stored on each instance; without any, its number."""
    columns = []
    for attribute in points.attributes:
        if not attribute.name.startswith("truth_"):
            continue
        kind = {"FLOAT_VECTOR": ("vector", 3), "FLOAT2": ("vector", 2)}.get(attribute.data_type, ("value", 1))
        values = np.empty(kind[1] * number, np.int32 if attribute.data_type == "INT" else np.float32)
        attribute.data.foreach_get(kind[0], values)
        columns.append(np.round(values.reshape(number, -1).astype(np.float64), 4))
    if not columns:
        return [(i,) for i in range(number)]
    return [tuple(row) for row in np.concatenate(columns, axis=1).tolist()]


def _point_names(mesh: bpy.types.Mesh) -> Array | None:
    attribute = mesh.attributes.get(POINT)
    if attribute is None or attribute.domain != "POINT" or attribute.data_type != "INT":
        return None
    values = np.empty(len(mesh.vertices), np.int32)
    attribute.data.foreach_get("value", values)
    return values
