"""Builds one object for each row of docs/identity.md, and holds what is matched against texture coordinates.

A program: ``python identity_rows.py OUT.json [ROW...]``.  Each object is looked at in two frames.  Truth is what the
corners of its faces carry: a texture coordinate that no other corner of the film's mesh has, which Blender's modifiers
take along on their own, in another place and by other code than the vectors that the program matches by.
"""

from __future__ import annotations

import json
import math
import os
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np

from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.geometry import evaluate, geometry_engine, read_graph, scene_names
from animerun_gen.blender.identity import number_vertices
from animerun_gen.blender.versions import add_geometry_sockets, triangle_corners
from animerun_gen.motion.counterparts import NO_INSTANCE, NO_TRIANGLE, SAME_NUMBERS, find_counterparts

ROWS: dict[str, Callable[[], Any]] = {}

Row = Callable[..., None]


def row(name: str) -> Callable[[Row], Row]:
    def keep(build: Row) -> Row:
        ROWS[name] = build
        return build

    return keep


def mesh_object(name: str, vertices: Any, faces: Any) -> Any:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    # a place of its own for each corner: its vertex, and a little of its face, which no mixture hides
    layer = mesh.uv_layers.new(name="truth")
    for polygon in mesh.polygons:
        for corner in polygon.loop_indices:
            vertex = mesh.vertices[mesh.loops[corner].vertex_index].index
            layer.data[corner].uv = (
                math.sin(1 + 12.9898 * vertex) * 43.0 % 1.0,
                math.sin(5 + 78.233 * vertex) * 91.0 % 1.0,
            )
    made = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(made)
    return made


def grid(name: str = "thing", side: int = 5) -> Any:
    """A bent sheet, all of whose faces differ."""
    vertices = [
        (x + 0.1 * math.sin(y * y), y + 0.07 * x * x / side, 0.3 * math.sin(1.3 * x + y))
        for y in range(side)
        for x in range(side)
    ]
    faces = [
        (y * side + x, y * side + x + 1, (y + 1) * side + x + 1, (y + 1) * side + x)
        for y in range(side - 1)
        for x in range(side - 1)
    ]
    return mesh_object(name, vertices, faces)


def ball(name: str = "thing", location: Any = (0, 0, 0), size: float = 1.0) -> Any:
    vertices: list[Any] = [(0, 0, -size)]
    rings, sides = 5, 8
    for ring in range(1, rings):
        for side in range(sides):
            a, b = math.pi * ring / rings, 2 * math.pi * side / sides
            vertices.append((size * math.sin(a) * math.cos(b), size * math.sin(a) * math.sin(b), -size * math.cos(a)))
    vertices.append((0, 0, size))
    faces: list[Any] = []
    for side in range(sides):
        after = (side + 1) % sides
        faces.append((0, 1 + after, 1 + side))
        for ring in range(rings - 2):
            low, high = 1 + ring * sides, 1 + (ring + 1) * sides
            faces.append((low + side, low + after, high + after, high + side))
        low = 1 + (rings - 2) * sides
        faces.append((low + side, low + after, len(vertices) - 1))
    made = mesh_object(name, vertices, faces)
    made.location = location
    return made


def key(holder: Any, path: str, *values: Any) -> None:
    """One value for each frame, from the first on."""
    for frame, value in enumerate(values, start=1):
        setattr(holder, path, value)
        holder.keyframe_insert(path, frame=frame)


def bend(made: Any) -> None:
    """Deform it between the frames, by vertices of its own: a wave of two shape keys."""
    made.shape_key_add(name="Basis")
    shape = made.shape_key_add(name="bent")
    for index, point in enumerate(shape.data):
        point.co.z += 0.2 * math.sin(index)
        point.co.x += 0.1 * math.cos(2 * index)
    key(shape, "value", 0.0, 1.0)


def modifier(kind: str, **settings: Any) -> Any:
    """A bent sheet with one modifier."""
    made = grid()
    bend(made)
    return settle(made, kind, **settings)


def settle(made: Any, kind: str, **settings: Any) -> Any:
    added = made.modifiers.new(kind, kind)
    for name, value in settings.items():
        setattr(added, name, value)
    return added


def nodes(made: Any, *kinds: str, name: str = "nodes") -> list[Any]:
    """A chain of geometry nodes, from what arrives to what leaves; the nodes in their order."""
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    add_geometry_sockets(tree)
    arriving, leaving = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    last, chain = arriving.outputs[0], []
    for kind in kinds:
        node = tree.nodes.new(kind)
        plug = next(plug for plug in node.inputs if plug.type == "GEOMETRY")
        tree.links.new(last, plug)
        last = next(plug for plug in node.outputs if plug.type == "GEOMETRY")
        chain.append(node)
    tree.links.new(last, leaving.inputs[0])
    made.modifiers.new(name, "NODES").node_group = tree
    return chain


def field(node: Any, kind: str, socket: int | str, output: int | str = 0) -> Any:
    tree = node.id_data
    made = tree.nodes.new(kind)
    tree.links.new(made.outputs[output], node.inputs[socket])
    return made


def below(node: Any, socket: str, *limits: float) -> None:
    """Select what has an index below a limit that changes from frame to frame."""
    compare = field(node, "FunctionNodeCompare", socket)
    compare.operation, compare.data_type = "LESS_THAN", "FLOAT"
    field(compare, "GeometryNodeInputIndex", 0)
    plug = compare.inputs[1]
    for frame, limit in enumerate(limits, start=1):
        plug.default_value = limit
        plug.keyframe_insert("default_value", frame=frame)


@row("ARMATURE, HOOK, LATTICE, CAST, WAVE, ... (deforming)")
def _() -> None:
    modifier("CAST", factor=0.4)
    settle(bpy.data.objects["thing"], "WAVE", time_offset=-20)
    settle(bpy.data.objects["thing"], "SIMPLE_DEFORM", angle=0.4)


@row("SUBSURF")
def _() -> None:
    modifier("SUBSURF", levels=2, render_levels=2)


@row("SUBSURF, levels animated")
def _() -> None:
    key(modifier("SUBSURF"), "render_levels", 1, 2)


@row("MULTIRES")
def _() -> None:
    modifier("MULTIRES")


@row("BEVEL below a deformation")
def _() -> None:
    made = grid()
    settle(made, "BEVEL", width=0.05, limit_method="NONE")
    key(settle(made, "CAST"), "factor", 0.0, 0.5)


@row("BEVEL above a deformation")
def _() -> None:
    modifier("BEVEL", width=0.05, limit_method="NONE")


@row("EDGE_SPLIT")
def _() -> None:
    modifier("EDGE_SPLIT", use_edge_angle=False)


@row("TRIANGULATE")
def _() -> None:
    modifier("TRIANGULATE", quad_method="FIXED", ngon_method="CLIP")


@row("OCEAN")
def _() -> None:
    key(modifier("OCEAN", resolution=4), "time", 1.0, 1.3)


@row("ARRAY")
def _() -> None:
    modifier("ARRAY", count=3)


@row("ARRAY, count animated")
def _() -> None:
    key(modifier("ARRAY"), "count", 2, 3)


@row("MIRROR")
def _() -> None:
    modifier("MIRROR", use_axis=(True, False, False))


@row("SCREW")
def _() -> None:
    modifier("SCREW", steps=4, render_steps=4)


@row("SOLIDIFY")
def _() -> None:
    modifier("SOLIDIFY", thickness=0.1)


@row("WIREFRAME")
def _() -> None:
    modifier("WIREFRAME", thickness=0.05)


def _masked(made: Any) -> None:
    """Show what lies near a point that moves on."""
    group = made.vertex_groups.new(name="window")
    group.add(range(len(made.data.vertices)), 1.0, "REPLACE")
    near = settle(made, "VERTEX_WEIGHT_PROXIMITY", vertex_group="window", proximity_mode="GEOMETRY")
    near.proximity_geometry, near.min_dist, near.max_dist = {"VERTEX"}, 2.2, 0.0
    near.target = mesh_object("target", [(0, 0, 0)], [])
    key(near.target, "location", (0, 2, 0), (1.6, 2, 0))
    settle(made, "MASK", vertex_group="window", threshold=0.1)


@row("MASK")
def _() -> None:
    made = grid()
    bend(made)
    _masked(made)


@row("MASK after ARRAY")
def _() -> None:
    made = grid()
    bend(made)
    settle(made, "ARRAY", count=2)
    _masked(made)


@row("BUILD")
def _() -> None:
    modifier("BUILD", frame_start=-4, frame_duration=10, use_random_order=True, seed=3)


@row("EXPLODE")
def _() -> None:
    made = grid()
    system = settle(made, "PARTICLE_SYSTEM").particle_system.settings
    system.count, system.frame_start, system.frame_end, system.lifetime = 6, -20, 30, 100
    settle(made, "EXPLODE")


@row("DECIMATE below a deformation")
def _() -> None:
    made = ball()
    settle(made, "DECIMATE", ratio=0.5)
    key(settle(made, "CAST"), "factor", 0.0, 0.5)


@row("DECIMATE above a deformation")
def _() -> None:
    made = ball()
    bend(made)
    settle(made, "DECIMATE", ratio=0.5)


@row("WELD")
def _() -> None:
    modifier("WELD", merge_threshold=0.9)


@row("REMESH")
def _() -> None:
    made = ball()
    bend(made)
    settle(made, "REMESH", mode="VOXEL", voxel_size=0.3)


@row("SKIN")
def _() -> None:
    made = grid(side=2)
    bend(made)
    bpy.context.view_layer.objects.active = made
    bpy.ops.object.modifier_add(type="SKIN")


@row("BOOLEAN")
def _() -> None:
    made = ball()
    cutter = ball("cutter", (0.9, 0.0, 0.9), 0.6)
    cutter.hide_render = True
    key(cutter, "location", (0.9, 0, 0.9), (0.9, 0.2, 0.9))
    added = settle(made, "BOOLEAN", operation="DIFFERENCE", solver="EXACT")
    added.object = cutter


@row("PARTICLE_INSTANCE")
def _() -> None:
    emitter = ball("emitter")
    emitter.hide_render = True
    system = settle(emitter, "PARTICLE_SYSTEM").particle_system.settings
    system.count, system.frame_start, system.frame_end, system.lifetime = 8, -8, 30, 6
    settle(grid(side=3), "PARTICLE_INSTANCE").object = emitter


def _curve(kind: str = "CURVE", **settings: Any) -> Any:
    if kind == "FONT":
        curve = bpy.data.curves.new("thing", "FONT")
        curve.body = "Ab"
    else:
        curve = bpy.data.curves.new("thing", "CURVE")
        curve.dimensions = "3D"
        spline = curve.splines.new("POLY")
        spline.points.add(7)
        for index, point in enumerate(spline.points):
            point.co = (index - 3.5, 0.3 * math.sin(index), 0, 1)
        curve.bevel_depth, curve.bevel_resolution = 0.2, 2
    for name, value in settings.items():
        setattr(curve, name, value)
    made = bpy.data.objects.new("thing", curve)
    bpy.context.scene.collection.objects.link(made)
    return curve


@row("curve, points or bevel animated")
def _() -> None:
    key(_curve(), "bevel_depth", 0.2, 0.3)


@row("curve, bevel_factor animated")
def _() -> None:
    curve = _curve()
    key(curve, "bevel_factor_start", 0.05, 0.2)
    key(curve, "bevel_factor_end", 0.8, 0.95)


@row("text, extrusion animated")
def _() -> None:
    key(_curve("FONT", extrude=0.1), "extrude", 0.1, 0.2)


@row("metaball")
def _() -> None:
    balls = bpy.data.metaballs.new("thing")
    element = balls.elements.new()
    other = balls.elements.new()
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("thing", balls))
    element.co = (0, 0, 0)
    key(other, "co", (1, 0, 0), (1.1, 0, 0))


@row("nodes that move points (Set Position, Transform, ...)")
def _() -> None:
    place, *_ = nodes(grid(), "GeometryNodeSetPosition", "GeometryNodeTransform", "GeometryNodeSubdivideMesh")
    noise = field(place, "ShaderNodeTexNoise", "Offset", "Color" if "Color" in _outputs("ShaderNodeTexNoise") else 1)
    noise.noise_dimensions = "4D"
    for frame, value in ((1, 0.0), (2, 0.4)):
        noise.inputs["W"].default_value = value
        noise.inputs["W"].keyframe_insert("default_value", frame=frame)


def _outputs(kind: str) -> list[str]:
    tree = bpy.data.node_groups.new("look", "GeometryNodeTree")
    return [plug.name for plug in tree.nodes.new(kind).outputs]


@row("nodes that delete or sort (Delete Geometry, Sort Elements, ...)")
def _() -> None:
    made = grid()
    bend(made)
    gone, *_ = nodes(made, "GeometryNodeDeleteGeometry")
    below(gone, "Selection", 4.0, 7.0)


@row("nodes that copy, then delete (Join Geometry, Realize Instances, ...)")
def _() -> None:
    made = grid()
    bend(made)
    join, gone = nodes(made, "GeometryNodeJoinGeometry", "GeometryNodeDeleteGeometry")
    tree = join.id_data
    shifted = tree.nodes.new("GeometryNodeTransform")
    shifted.inputs["Translation"].default_value = (0, 0, 3)
    arriving = next(node for node in tree.nodes if node.bl_idname == "NodeGroupInput")
    tree.links.new(arriving.outputs[0], shifted.inputs[0])
    tree.links.new(shifted.outputs[0], join.inputs[0])
    below(gone, "Selection", 4.0, 30.0)


@row("Mesh Boolean node")
def _() -> None:
    made = ball()
    (cut,) = nodes(made, "GeometryNodeMeshBoolean")
    tree = cut.id_data
    cube, move = tree.nodes.new("GeometryNodeMeshCube"), tree.nodes.new("GeometryNodeTransform")
    tree.links.new(cube.outputs[0], move.inputs[0])
    for link in list(tree.links):
        if link.to_node == cut:
            tree.links.remove(link)
    arriving = next(node for node in tree.nodes if node.bl_idname == "NodeGroupInput")
    tree.links.new(arriving.outputs[0], cut.inputs[0])
    tree.links.new(move.outputs[0], cut.inputs[1])
    for frame, place in ((1, (0.8, 0, 0.8)), (2, (0.8, 0.1, 0.8))):
        move.inputs["Translation"].default_value = place
        move.inputs["Translation"].keyframe_insert("default_value", frame=frame)


@row("Mesh to Volume and back")
def _() -> None:
    made = ball()
    bend(made)
    nodes(made, "GeometryNodeMeshToVolume", "GeometryNodeVolumeToMesh")


@row("primitives, counts constant")
def _() -> None:
    made = mesh_object("thing", [], [])
    _primitive(made)


def _primitive(made: Any) -> Any:
    (place,) = nodes(made, "GeometryNodeSetPosition")
    tree = place.id_data
    plane = tree.nodes.new("GeometryNodeMeshGrid")
    plane.inputs["Vertices X"].default_value = plane.inputs["Vertices Y"].default_value = 4
    tree.links.new(plane.outputs[0], place.inputs[0])
    for frame, value in ((1, (0, 0, 0)), (2, (0.1, 0.2, 0.3))):
        place.inputs["Offset"].default_value = value
        place.inputs["Offset"].keyframe_insert("default_value", frame=frame)
    return plane


@row("primitives, counts animated")
def _() -> None:
    plane = _primitive(mesh_object("thing", [], []))
    for frame, count in ((1, 4), (2, 5)):
        plane.inputs["Vertices X"].default_value = count
        plane.inputs["Vertices X"].keyframe_insert("default_value", frame=frame)


@row("Curve to Mesh, Trim Curve animated")
def _() -> None:
    trim, to_mesh = nodes(mesh_object("thing", [], []), "GeometryNodeTrimCurve", "GeometryNodeCurveToMesh")
    tree = trim.id_data
    line, circle = (
        tree.nodes.new("GeometryNodeCurvePrimitiveCircle"),
        tree.nodes.new("GeometryNodeCurvePrimitiveCircle"),
    )
    circle.inputs["Radius"].default_value = 0.1
    circle.inputs["Resolution"].default_value = 6
    tree.links.new(line.outputs[0], trim.inputs[0])
    tree.links.new(circle.outputs[0], to_mesh.inputs["Profile Curve"])
    start = next(plug for plug in trim.inputs if plug.name == "Start")
    for frame, value in ((1, 0.0), (2, 0.01)):
        start.default_value = value
        start.keyframe_insert("default_value", frame=frame)


def _from_file(suffix: str, made: Any) -> None:
    """Put an animated object away in a file, and have it read from there."""
    path = os.path.join(tempfile.mkdtemp(), f"thing{suffix}")
    for other in bpy.context.scene.objects:
        other.select_set(other == made)
    scene = bpy.context.scene
    if suffix == ".abc":
        bpy.ops.wm.alembic_export(filepath=path, selected=True, start=1, end=2, as_background_job=False)
    else:
        scene.frame_start, scene.frame_end = 1, 2
        bpy.ops.wm.usd_export(filepath=path, selected_objects_only=True, export_animation=True, export_shapekeys=False)
    bpy.data.objects.remove(made)
    (bpy.ops.wm.alembic_import if suffix == ".abc" else bpy.ops.wm.usd_import)(filepath=path)
    (read,) = [other for other in scene.objects if any(m.type == "MESH_SEQUENCE_CACHE" for m in other.modifiers)]
    read.name = "thing"


@row("MESH_SEQUENCE_CACHE (Alembic)")
def _() -> None:
    made = grid("away")
    bend(made)
    _from_file(".abc", made)


@row("MESH_SEQUENCE_CACHE (USD)")
def _() -> None:
    made = grid("away")
    bend(made)
    settle(made, "SUBSURF")
    _from_file(".usdc", made)


@row("MESH_SEQUENCE_CACHE, other faces in each frame")
def _() -> None:
    made = grid("away")
    bend(made)
    _masked(made)
    _from_file(".abc", made)


@row("MESH_SEQUENCE_CACHE, copies without texture coordinates")
def _() -> None:
    made = grid("away", side=2)
    made.data.uv_layers.remove(made.data.uv_layers[0])
    bend(made)
    settle(made, "ARRAY", count=3)
    _from_file(".abc", made)


@row("MESH_CACHE (MDD, PC2)")
def _() -> None:
    made = grid()
    places = np.array([vertex.co for vertex in made.data.vertices], np.float32)
    path = os.path.join(tempfile.mkdtemp(), "thing.pc2")
    with open(path, "wb") as file:
        file.write(struct.pack("<12siiffi", b"POINTCACHE2\0", 1, len(places), 1.0, 1.0, 2))
        for frame in range(2):
            file.write((places * (1 + 0.1 * frame)).astype("<f4").tobytes())
    settle(made, "MESH_CACHE", cache_format="PC2", filepath=path, frame_start=1)


@row("a linked mesh")
def _() -> None:
    made = grid()
    made.data.name = "linked"
    path = os.path.join(tempfile.mkdtemp(), "library.blend")
    bpy.data.libraries.write(path, {made.data})
    local = made.data
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.meshes = ["linked"]
    made.data = wanted.meshes[0]
    bpy.data.meshes.remove(local)
    assert made.data.library is not None
    key(settle(made, "CAST"), "factor", 0.0, 0.5)


@row("a handler or driver exchanges the mesh")
def _() -> None:
    made, other = grid(), grid("other")
    other.hide_render = True
    for vertex in other.data.vertices:
        vertex.co.z += 0.1
    made["other"] = other.data
    swap.clear()
    swap.append((made, other.data))


def trap(name: str) -> Callable[[Row], Row]:
    """A scene in which equal numbers mean other points, by something that looks settled: nothing may be matched."""
    return row(f"{TRAP}{name}")


TRAP = "trap: "


def _primitives(made: Any, *kinds: str) -> list[Any]:
    """Nodes behind two grids of which the second stands elsewhere; the last of them chooses."""
    chain = nodes(made, *kinds)
    tree = chain[0].id_data
    for number, plug in enumerate([plug for plug in chain[0].inputs if plug.type == "GEOMETRY"][:2]):
        for link in list(plug.links):
            tree.links.remove(link)
        sheet, move = tree.nodes.new("GeometryNodeMeshGrid"), tree.nodes.new("GeometryNodeTransform")
        move.inputs["Translation"].default_value = (5.0 * number, 0, 0)
        tree.links.new(sheet.outputs[0], move.inputs[0])
        tree.links.new(move.outputs[0], plug)
    return chain


@trap("a Value node chooses")
def _() -> None:
    (switch,) = _primitives(mesh_object("thing", [], []), "GeometryNodeSwitch")
    value = field(switch, "ShaderNodeValue", "Switch").outputs[0]
    for frame, number in ((1, 0.0), (2, 1.0)):
        value.default_value = number
        value.keyframe_insert("default_value", frame=frame)


@trap("a driver chooses")
def _() -> None:
    (switch,) = _primitives(mesh_object("thing", [], []), "GeometryNodeSwitch")
    value = field(switch, "ShaderNodeValue", "Switch").outputs[0]
    value.driver_add("default_value").driver.expression = "frame-1"


@trap("two groups take turns")
def _() -> None:
    made = mesh_object("thing", [], [])
    for number in range(2):
        (move,) = nodes(made, "GeometryNodeTransform", name=f"group {number}")
        tree = move.id_data
        move.inputs["Translation"].default_value = (5.0 * number, 0, 0)
        tree.links.new(tree.nodes.new("GeometryNodeMeshGrid").outputs[0], move.inputs[0])
        key(made.modifiers[number], "show_render", number == 0, number == 1)


def _array(made: Any, offset: Any, **settings: Any) -> Any:
    added = settle(made, "ARRAY", use_relative_offset=False, use_constant_offset=True, **settings)
    added.constant_offset_displace = offset
    return added


@trap("two Arrays exchange their counts")
def _() -> None:
    made = grid(side=3)
    key(_array(made, (4, 0, 0)), "count", 2, 3)
    key(_array(made, (0, 4, 0)), "count", 3, 2)


@trap("the rounds of a Screw become its steps")
def _() -> None:
    made = mesh_object("thing", [(1, 0, 0), (1, 0, 1)], [])
    made.data.edges.add(1)
    made.data.edges[0].vertices = (0, 1)
    screw = settle(made, "SCREW", screw_offset=1.0)
    key(screw, "iterations", 1, 2)
    key(screw, "render_steps", 8, 4)
    key(screw, "steps", 8, 4)


@trap("a Solidify is turned inside out")
def _() -> None:
    key(settle(grid(side=3), "SOLIDIFY", thickness=0.5), "use_flip_normals", False, True)


@trap("a curve is drawn in part, by its length")
def _() -> None:
    curve = _curve(bevel_factor_start=0.2, bevel_factor_end=0.8)
    curve.bevel_factor_mapping_start = curve.bevel_factor_mapping_end = "SPLINE"
    point = curve.splines[0].points[0]
    key(point, "co", (-3.5, 0, 0, 1), (-9.0, 0, 0, 1))


@trap("what nodes make is bevelled by its shape")
def _() -> None:
    made = mesh_object("thing", [], [])
    (move,) = nodes(made, "GeometryNodeTransform")
    tree = move.id_data
    tree.links.new(tree.nodes.new("GeometryNodeMeshCube").outputs[0], move.inputs[0])
    key(settle(made, "BEVEL", limit_method="NONE"), "width", 0.1, 0.2)


swap: list[Any] = []


def corners_of(depsgraph: Any) -> Any:
    """The truth of each triangle of what 'thing' draws: the texture coordinates of its corners, and their places."""
    for instance in depsgraph.object_instances:
        if instance.object.original.name == "thing" and isinstance(instance.object.data, bpy.types.Mesh):
            mesh = instance.object.data
            mesh.calc_loop_triangles()
            corners = triangle_corners(mesh)
            places = np.empty(3 * len(mesh.vertices), np.float32)
            mesh.vertices.foreach_get("co", places)
            vertices = np.empty(len(mesh.loops), np.int32)
            mesh.loops.foreach_get("vertex_index", vertices)
            layer = mesh.uv_layers.get("truth")
            laid = None
            if layer is not None:
                laid = np.empty(2 * len(mesh.loops), np.float32)
                layer.data.foreach_get("uv", laid)
                laid = laid.reshape(-1, 2)[corners]
            return laid, places.reshape(-1, 3)[vertices[corners]]
    return None, np.empty((0, 3, 3))


def look(name: str) -> dict[str, Any]:
    """Build a row, take both frames down, and count what is matched, rightly and wrongly."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    swap.clear()
    ROWS[name]()
    bpy.context.view_layer.update()
    notes = number_vertices()
    names, frames, truths = scene_names(), [], []
    for frame in (1, 2):
        for made, mesh in swap if frame == 2 else []:
            made.data = mesh
        scene.frame_set(frame)

        def read(depsgraph: Any) -> Any:
            return read_graph(depsgraph, names, ClippedMaterials()), corners_of(depsgraph)

        geometry, truth = evaluate(scene, read)
        frames.append(geometry)
        truths.append(truth)
    first, second = frames
    number = names.objects.ids["thing"]
    instance = np.flatnonzero(first.object_ids == number)
    twins = find_counterparts(first, second)
    if len(instance) == 0:
        return {"name": name, "error": "draws nothing", "notes": notes}
    index = int(instance[0])
    count = len(first.mesh_triangles(int(first.mesh[index])))
    found = np.full(count, NO_TRIANGLE)
    if twins.instance[index] != NO_INSTANCE:
        found = np.arange(count) if twins.start[index] == SAME_NUMBERS else twins.triangle[twins.start[index] :][:count]
    return {"name": name, "triangles": count, "notes": notes} | held(found, *truths)


def held(found: Any, first: Any, second: Any) -> dict[str, Any]:
    """How many triangles are matched, how many of these wrongly, and how many are there in both frames by the truth."""
    (laid, places), (other_laid, other_places) = first, second
    matched = np.flatnonzero(found != NO_TRIANGLE)
    moved = bool(places.shape != other_places.shape or np.abs(places - other_places).max(initial=0.0) > 1e-7)
    figures = {"matched": len(matched), "moved": moved}
    if laid is None or other_laid is None:
        return figures | {"wrong": None, "kept": None}

    def names(corners: Any) -> list[Any]:
        # whichever corner comes first
        rounded = [[tuple(corner) for corner in np.round(triangle, 5)] for triangle in corners]
        return [min(tuple(t[k:] + t[:k]) for k in range(3)) for t in rounded]

    here, there = names(laid), names(other_laid)
    wrong = sum(here[t] != there[found[t]] for t in matched)
    once, other_once = Counter(here), Counter(there)
    kept = sum(once[each] == 1 and other_once[each] == 1 for each in here)
    return figures | {"wrong": int(wrong), "kept": int(kept)}


def main() -> None:
    wanted = sys.argv[2:] or list(ROWS)
    results = []
    with geometry_engine():
        for name in wanted:
            try:
                results.append(look(name))
            except Exception as error:
                results.append({"name": name, "error": f"{type(error).__name__}: {error}"})
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
