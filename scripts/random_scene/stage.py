"""A scene that is being built from a seed: objects with named faces, random motion, and nodes in a few words."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bmesh
import bpy
import numpy as np

from random_scene.capture import FACE, UV
from random_scene.truth import Proof

FRAMES = range(1, 5)


class Stage:
    """What recipes build into.

    Attributes:
        rng: Every random choice comes from here.
        folder: Where files beside the ``.blend`` go.
        proofs: By what the identity of each object's surface is proven.
        recipes: Names of what was built, in their order.
        recipe_of: Number of the recipe that made each object.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.folder = folder
        self.scene = bpy.context.scene
        self.proofs: dict[str, Proof] = {}
        self.recipes: list[str] = []
        self.recipe_of: dict[str, int] = {}
        self.faces = 0
        self.location = (0.0, 0.0, 0.0)

    def begin(self, recipe: str, location: tuple[float, float, float]) -> None:
        """What is added from now on belongs to this recipe and stands about here."""
        self.recipes.append(recipe)
        self.location = location

    def describe(self, words: str) -> None:
        """Add to the name of the recipe that is being built."""
        self.recipes[-1] += f" {words}"

    def name(self, kind: str) -> str:
        return f"{len(self.recipes) - 1:02d} {kind} {len(self.recipe_of)}"

    def keep(self, obj: bpy.types.Object, proof: Proof, link: bool = True) -> bpy.types.Object:
        """Note an object that is drawn."""
        if link:
            self.scene.collection.objects.link(obj)
        self.proofs[obj.name] = proof
        self.recipe_of[obj.name] = len(self.recipes) - 1
        if hasattr(obj.data, "materials") and len(obj.data.materials) == 0:
            obj.data.materials.append(self.material())
        return obj

    def helper(self, kind: str, data: Any = None, offset: Sequence[float] = (0, 0, 0)) -> bpy.types.Object:
        """An object that is not drawn."""
        obj = bpy.data.objects.new(self.name(kind), data)
        self.recipe_of[obj.name] = len(self.recipes) - 1
        self.scene.collection.objects.link(obj)
        obj.location = [a + b for a, b in zip(self.location, offset, strict=True)]
        if data is not None:
            obj.hide_render = obj.hide_viewport = True
        return obj

    def material(self) -> bpy.types.Material:
        material = bpy.data.materials.new(self.name("material"))
        material.diffuse_color = (*[self.rng.uniform(0.1, 0.9) for _ in range(3)], 1.0)
        return material

    def number_faces(self, mesh: bpy.types.Mesh, coded: bool = False) -> bpy.types.Mesh:
        """Give each face of a mesh a number of its own in the scene, and each place in it coordinates.

        Args:
            mesh: A mesh without modifiers.
            coded: Put the number into the first coordinate, too, for files that carry texture coordinates only.
        """
        uv = mesh.attributes.new(UV, "FLOAT2", "CORNER")
        values = np.empty((len(mesh.loops), 2), np.float32)
        for face in mesh.polygons:
            angle = np.pi / 4 + 2 * np.pi * np.arange(face.loop_total) / face.loop_total
            corners = np.arange(face.loop_start, face.loop_start + face.loop_total)
            values[corners, 0] = 0.5 + 0.4 * np.cos(angle) + (face.index if coded else 0)
            values[corners, 1] = 0.5 + 0.4 * np.sin(angle)
        uv.data.foreach_set("vector", values.ravel())
        if not coded:
            face_numbers = mesh.attributes.new(FACE, "INT", "FACE")
            count = len(mesh.polygons)
            face_numbers.data.foreach_set("value", np.arange(self.faces + 1, self.faces + count + 1, dtype=np.int32))
            self.faces += count
            points = mesh.attributes.new("truth_point", "INT", "POINT")
            points.data.foreach_set("value", np.arange(1, len(mesh.vertices) + 1, dtype=np.int32))
        return mesh

    def mesh(self, kind: str = "", size: float = 1.0, fine: int = 0, coded: bool = False) -> bpy.types.Mesh:
        """A mesh about ``2 * size`` wide with numbered faces: grid, ball, box, ico, ring, drum, or any of them."""
        kind = kind or self.rng.choice(["grid", "ball", "box", "ico", "ring", "drum"])
        fine = fine or self.rng.randint(5, 9)
        mesh = bpy.data.meshes.new(self.name(kind))
        shape = bmesh.new()
        if kind == "grid":
            bmesh.ops.create_grid(shape, x_segments=fine, y_segments=fine, size=size)
            bmesh.ops.rotate(shape, verts=shape.verts, matrix=_upright())
        elif kind == "ball":
            bmesh.ops.create_uvsphere(shape, u_segments=2 * fine, v_segments=fine, radius=size)
        elif kind == "ico":
            bmesh.ops.create_icosphere(shape, subdivisions=2, radius=size)
        elif kind == "drum":
            bmesh.ops.create_cone(
                shape, segments=2 * fine, radius1=size, radius2=0.6 * size, depth=1.6 * size, cap_ends=True
            )
        elif kind == "box":
            bmesh.ops.create_cube(shape, size=1.5 * size)
            bmesh.ops.subdivide_edges(shape, edges=shape.edges, cuts=max(1, fine // 2), use_grid_fill=True)
        else:
            _ring(shape, size, 2 * fine, fine)
        shape.to_mesh(mesh)
        shape.free()
        return self.number_faces(mesh, coded)

    def object(self, mesh: bpy.types.Mesh | None = None, proof: Proof = Proof.NUMBER, **size: Any) -> bpy.types.Object:
        """A mesh object at the recipe's place that is drawn."""
        obj = bpy.data.objects.new(self.name("object"), mesh or self.mesh(**size))
        obj.location = self.location
        obj.rotation_euler = [self.rng.uniform(-0.5, 0.5) for _ in range(3)]
        return self.keep(obj, proof)

    def move(self, obj: bpy.types.Object, amount: float = 0.3, turn: float = 0.4) -> None:
        """Let an object drift and turn, or stand still."""
        if self.rng.random() < 0.25:
            return
        start, angle = list(obj.location), list(obj.rotation_euler)
        for frame in (FRAMES[0], FRAMES[-1]):
            obj.location = [value + self.rng.uniform(-amount, amount) for value in start]
            obj.rotation_euler = [value + self.rng.uniform(-turn, turn) for value in angle]
            obj.keyframe_insert("location", frame=frame)
            obj.keyframe_insert("rotation_euler", frame=frame)
        straight(obj)

    def animate(self, owner: Any, path: str, *values: Any, of: Any = None) -> None:
        """Key a property of one item at equal distances over the frames, in straight lines.

        Args:
            owner: What has the property: an object, a modifier, a shape key, a curve ...
            path: The property.
            values: Its values, the first at the first frame and the last at the last.
            of: The data-block that takes the animation, where it is another one.
        """
        for number, value in enumerate(values):
            setattr(owner, path, value)
            span = (FRAMES[-1] - FRAMES[0]) * number / max(1, len(values) - 1)
            owner.keyframe_insert(path, frame=FRAMES[0] + span)
        straight(of if of is not None else owner.id_data)

    def shape_keys(self, obj: bpy.types.Object, amount: float = 0.15) -> None:
        """Let an object bend from one random shape to another."""
        obj.shape_key_add(name="Basis")
        key = obj.shape_key_add(name="Bent")
        phase, pitch = self.rng.uniform(0, 6), self.rng.uniform(2, 4)
        for point in key.data:
            wave = np.sin(pitch * (point.co[0] + point.co[2]) + phase)
            point.co = (point.co[0], point.co[1] + amount * wave, point.co[2] + amount * np.cos(pitch * point.co[0]))
        self.animate(key, "value", self.rng.uniform(0, 0.3), self.rng.uniform(0.6, 1), of=obj.data.shape_keys)


def _upright() -> Any:
    from mathutils import Matrix

    return Matrix.Rotation(np.pi / 2, 3, "X")


def _ring(shape: bmesh.types.BMesh, size: float, around: int, across: int) -> None:
    rows = []
    for i in range(around):
        a = 2 * np.pi * i / around
        row = []
        for j in range(across):
            b = 2 * np.pi * j / across
            radius = size * (0.7 + 0.3 * np.cos(b))
            row.append(shape.verts.new((radius * np.cos(a), size * 0.3 * np.sin(b), radius * np.sin(a))))
        rows.append(row)
    for i in range(around):
        for j in range(across):
            k, m = (i + 1) % around, (j + 1) % across
            shape.faces.new((rows[i][j], rows[k][j], rows[k][m], rows[i][m]))


def straight(block: Any) -> None:
    """Let everything keyed on a data-block move in straight lines, so that no frame is like another."""
    if block.animation_data is None or block.animation_data.action is None:
        return
    for curve in curves_of(block.animation_data.action):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def curves_of(action: Any) -> list[Any]:
    """All F-curves of an action: it has them itself until 4.5, and in layers, strips and bags since 4.4."""
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


class Nodes:
    """A node group that takes and gives a geometry, put onto an object as a modifier."""

    def __init__(self, name: str, kind: str = "GeometryNodeTree") -> None:
        self.tree = bpy.data.node_groups.new(name, kind)
        self.tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
        self.tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
        self.geometry = self.tree.nodes.new("NodeGroupInput").outputs[0]
        self.output = self.tree.nodes.new("NodeGroupOutput")

    def add(self, kind: str, inputs: Mapping[Any, Any] | None = None, **properties: Any) -> Any:
        """A node; inputs are values or sockets, by name (of those in use) or number."""
        node = self.tree.nodes.new(kind if kind.startswith(("Function", "Shader")) else f"GeometryNode{kind}")
        for name, value in properties.items():
            setattr(node, name, value)
        for name, value in (inputs or {}).items():
            socket = node.inputs[name] if isinstance(name, int) else socket_of(node.inputs, name)
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = value
        return node

    def link(self, source: Any, target: Any) -> None:
        self.tree.links.new(source, target)

    def math(self, operation: str, a: Any, b: Any = 0.0) -> Any:
        return self.add("ShaderNodeMath", {0: a, 1: b}, operation=operation).outputs[0]

    def time(self, start: float, step: float) -> Any:
        """A number that grows with the frames: start in the first, then by step."""
        frame = self.add("InputSceneTime").outputs["Frame"]
        return self.math("ADD", self.math("MULTIPLY", self.math("SUBTRACT", frame, float(FRAMES[0])), step), start)

    def whole(self, start: int, step: int) -> Any:
        """A whole number that grows with the frames."""
        return self.add("FunctionNodeFloatToInt", {0: self.time(start, step)}).outputs[0]

    def compare(self, operation: str, a: Any, b: Any) -> Any:
        return self.add("FunctionNodeCompare", {"A": a, "B": b}, data_type="FLOAT", operation=operation).outputs[0]

    def random(self, low: float, high: float, seed: Any = 0, kind: str = "FLOAT") -> Any:
        node = self.add("FunctionNodeRandomValue", {"Min": low, "Max": high, "Seed": seed}, data_type=kind)
        return socket_of(node.outputs, "Value")

    def store(self, geometry: Any, name: str, value: Any, domain: str, kind: str = "INT") -> Any:
        """A geometry with an attribute of the truth."""
        node = self.add(
            "StoreNamedAttribute", {"Geometry": geometry, "Name": name, "Value": value}, data_type=kind, domain=domain
        )
        return node.outputs[0]

    def end(self, geometry: Any, obj: bpy.types.Object) -> bpy.types.NodesModifier:
        """Give out a geometry, and put the group onto an object."""
        self.link(geometry, self.output.inputs[0])
        modifier = obj.modifiers.new("nodes", "NODES")
        modifier.node_group = self.tree
        return modifier


def socket_of(sockets: Any, name: str) -> Any:
    """The socket of a name that is in use: nodes have one for every type of data."""
    for socket in sockets:
        if socket.name == name and socket.enabled:
            return socket
    raise KeyError(f"no socket {name!r} among {[socket.name for socket in sockets if socket.enabled]}")


Recipe = Callable[[Stage], None]
