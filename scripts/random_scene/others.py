"""Recipes of curves, texts, metaballs, surfaces, simulations and caches."""

from __future__ import annotations

import struct
from typing import Any

import bpy
import numpy as np

from random_scene.modifiers import CARRIED, DEFORMING
from random_scene.stage import FRAMES, Nodes, Stage, straight
from random_scene.truth import Proof


def _curve(stage: Stage, kind: str = "", proof: Proof = Proof.NUMBER) -> bpy.types.Object:
    data = bpy.data.curves.new(stage.name("curve"), "CURVE")
    data.dimensions = "3D"
    data.bevel_depth, data.resolution_u, data.bevel_resolution = 0.12, 4, 1
    spline = data.splines.new(kind or stage.rng.choice(["POLY", "BEZIER", "NURBS"]))
    count = stage.rng.randint(4, 6)
    points = spline.bezier_points if spline.type == "BEZIER" else spline.points
    points.add(count - 1)
    for number, point in enumerate(points):
        place = (2.2 * number / (count - 1) - 1.1, stage.rng.uniform(-0.2, 0.2), stage.rng.uniform(-0.6, 0.6))
        point.co = place if spline.type == "BEZIER" else (*place, 1.0)
        if spline.type == "BEZIER":
            point.handle_left_type = point.handle_right_type = "AUTO"
    obj = bpy.data.objects.new(stage.name("curve"), data)
    obj.location = stage.location
    return stage.keep(obj, proof)


def bent_curve(stage: Stage) -> None:
    obj = _curve(stage)
    stage.move(obj)
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Bent")
    for point in key.data:
        point.co = [value + stage.rng.uniform(-0.2, 0.2) for value in point.co]
    stage.animate(key, "value", 0.0, 1.0, of=obj.data.shape_keys)


def thickening_curve(stage: Stage) -> None:
    obj = _curve(stage)
    stage.move(obj)
    stage.animate(obj.data, "bevel_depth", 0.08, 0.2)


def snake(stage: Stage) -> None:
    """A curve that draws itself on, and perhaps off; its tube stands still."""
    obj = _curve(stage, "POLY", Proof.PLACE)
    for point in obj.data.splines[0].points:
        point.co.y = 0
    stage.move(obj)
    stage.animate(obj.data, "bevel_factor_end", 0.5, 1.0)
    if stage.rng.random() < 0.7:
        stage.animate(obj.data, "bevel_factor_start", 0.0, 0.45)


def curve_resolution(stage: Stage) -> None:
    """Geometry nodes: a bent tube whose spline has another resolution in each frame."""
    obj = stage.object(bpy.data.meshes.new(stage.name("empty")), Proof.NONE)
    nodes = Nodes(stage.name("resolution"))
    inputs = {"Start": (-1, 0, 0), "Middle": (0, 0, 1.4), "End": (1, 0, 0), "Resolution": nodes.whole(3, 2)}
    bow = nodes.add("CurveQuadraticBezier", inputs).outputs[0]
    ring = nodes.add("CurvePrimitiveCircle", {"Resolution": 6, "Radius": 0.2}).outputs[0]
    nodes.end(nodes.add("CurveToMesh", {"Curve": bow, "Profile Curve": ring}).outputs[0], obj)
    stage.move(obj)


def trimmed_curve(stage: Stage) -> None:
    """Geometry nodes: a straight line, cut, made a tube."""
    obj = stage.object(bpy.data.meshes.new(stage.name("empty")), Proof.PLACE)
    nodes = Nodes(stage.name("trim"))
    line = nodes.add("CurvePrimitiveLine", {"Start": (-1, 0, 0), "End": (1, 0, 0.3)}).outputs[0]
    line = nodes.add("ResampleCurve", {"Curve": line, "Count": 9}).outputs[0]
    trim = nodes.add("TrimCurve", {"Curve": line, "Start": nodes.time(0, 0.1), "End": nodes.time(0.6, 0.1)}).outputs[0]
    ring = nodes.add("CurvePrimitiveCircle", {"Resolution": 8, "Radius": 0.2}).outputs[0]
    nodes.end(nodes.add("CurveToMesh", {"Curve": trim, "Profile Curve": ring}).outputs[0], obj)
    stage.move(obj)


def resampled_curve(stage: Stage) -> None:
    obj = stage.object(bpy.data.meshes.new(stage.name("empty")), Proof.NONE)
    nodes = Nodes(stage.name("resample"))
    star = nodes.add("CurveStar", {"Points": 6, "Inner Radius": 0.5, "Outer Radius": 1.0}).outputs[0]
    line = nodes.add("ResampleCurve", {"Curve": star, "Count": nodes.whole(16, 3)}).outputs[0]
    made = nodes.add("FillCurve", {"Curve": line}).outputs[0]
    nodes.end(made, obj)
    obj.rotation_euler = (1.4, 0, 0)
    stage.move(obj)


def surface(stage: Stage) -> None:
    data = bpy.data.curves.new(stage.name("surface"), "SURFACE")
    data.dimensions = "3D"
    data.resolution_u = data.resolution_v = 4
    obj = bpy.data.objects.new(stage.name("surface"), data)
    obj.location = stage.location
    stage.keep(obj, Proof.NUMBER)
    for row in range(4):
        spline = data.splines.new("NURBS")
        spline.points.add(3)
        for column, point in enumerate(spline.points):
            point.co = (0.6 * column - 0.9, stage.rng.uniform(-0.3, 0.3), 0.6 * row - 0.9, 1.0)
            point.select = True
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.curve.make_segment()
    bpy.ops.object.mode_set(mode="OBJECT")
    data.splines[0].use_endpoint_u = data.splines[0].use_endpoint_v = True
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Bent")
    for point in key.data:
        point.co = [value + stage.rng.uniform(-0.15, 0.15) for value in point.co]
    stage.animate(key, "value", 0.0, 1.0, of=data.shape_keys)
    stage.move(obj)


def text(stage: Stage) -> None:
    """A text that moves, and perhaps becomes thicker."""
    data = bpy.data.curves.new(stage.name("text"), "FONT")
    data.body, data.size, data.align_x = stage.rng.choice(["Aa", "Toon", "Hej"]), 1.2, "CENTER"
    data.extrude = 0.1
    obj = bpy.data.objects.new(stage.name("text"), data)
    obj.location, obj.rotation_euler = stage.location, (np.pi / 2, 0, 0)
    stage.keep(obj, Proof.NUMBER)
    stage.move(obj)
    if stage.rng.random() < 0.5:
        stage.animate(data, "extrude", 0.05, 0.3)


def fattening_text(stage: Stage) -> None:
    data = bpy.data.curves.new(stage.name("text"), "FONT")
    data.body, data.size, data.align_x = "Bo", 1.4, "CENTER"
    obj = bpy.data.objects.new(stage.name("text"), data)
    obj.location, obj.rotation_euler = stage.location, (np.pi / 2, 0, 0)
    stage.keep(obj, Proof.NONE)
    stage.animate(data, "offset", 0.0, 0.03)


def counting_text(stage: Stage) -> None:
    """Geometry nodes that write the number of the frame."""
    obj = stage.object(bpy.data.meshes.new(stage.name("empty")), Proof.NONE)
    obj.rotation_euler = (np.pi / 2, 0, 0)
    nodes = Nodes(stage.name("counter"))
    words = nodes.add("FunctionNodeValueToString", {0: nodes.time(7, stage.rng.choice([1, 7]))}).outputs[0]
    letters = nodes.add("StringToCurves", {"String": words, "Size": 1.2}).outputs[0]
    made = nodes.add("FillCurve", {"Curve": letters}).outputs[0]
    if stage.rng.random() < 0.5:
        made = nodes.add("RealizeInstances", {"Geometry": made}).outputs[0]
    nodes.end(made, obj)
    stage.move(obj)


def metaballs(stage: Stage) -> None:
    data = bpy.data.metaballs.new(stage.name("meta"))
    data.resolution = data.render_resolution = 0.25
    for x in (-0.4, 0.4):
        element = data.elements.new()
        element.co, element.radius = (x, 0, 0), 0.9
    obj = bpy.data.objects.new(stage.name("meta"), data)
    obj.location = stage.location
    stage.keep(obj, Proof.NONE)
    if stage.rng.random() < 0.7:
        other = bpy.data.objects.new(f"{obj.name}.001", data.copy())
        stage.keep(other, Proof.NONE)
        place = obj.location.copy()
        place.z += 0.3
        stage.animate(other, "location", place, [value + 0.4 for value in place])
    else:
        stage.move(obj)


def cloth(stage: Stage) -> None:
    obj = stage.object(kind="grid", size=0.9)
    group = obj.vertex_groups.new(name="pinned")
    group.add([v.index for v in obj.data.vertices if v.co.z > 0.8], 1.0, "REPLACE")
    obj.modifiers.new("cloth", "CLOTH").settings.vertex_group_mass = "pinned"
    obj.modifiers[-1].settings.quality = 3
    obj.modifiers[-1].point_cache.frame_end = FRAMES[-1]
    obj.rotation_euler = (0.4, 0, 0)


def soft_body(stage: Stage) -> None:
    obj = stage.object(kind="ball", size=0.8)
    obj.modifiers.new("soft", "SOFT_BODY")
    obj.modifiers[-1].point_cache.frame_end = FRAMES[-1]
    obj.soft_body.goal_default = 0.5
    stage.move(obj)


def rigid_body(stage: Stage) -> None:
    if stage.scene.rigidbody_world is None:
        bpy.ops.rigidbody.world_add()
    obj = stage.object(kind="box")
    bpy.context.view_layer.objects.active = obj
    with bpy.context.temp_override(object=obj, active_object=obj, selected_objects=[obj]):
        bpy.ops.rigidbody.object_add(type="ACTIVE")


def primitive(stage: Stage) -> None:
    """A primitive of nodes whose numbers do not change, bent by noise."""
    obj = stage.object(bpy.data.meshes.new(stage.name("empty")))
    nodes = Nodes(stage.name("primitive"))
    kind = stage.rng.choice(["grid", "ball", "ico", "drum"])
    stage.describe(kind)
    if kind == "grid":
        made = nodes.add("MeshGrid", {"Size X": 1.8, "Size Y": 1.8, "Vertices X": 8, "Vertices Y": 8}).outputs[0]
        obj.rotation_euler = (1.2, 0, 0)
    elif kind == "ball":
        made = nodes.add("MeshUVSphere", {"Segments": 12, "Rings": 7, "Radius": 0.9}).outputs[0]
    elif kind == "ico":
        made = nodes.add("MeshIcoSphere", {"Radius": 0.9, "Subdivisions": 2}).outputs[0]
    else:
        made = nodes.add("MeshCylinder", {"Vertices": 12, "Radius": 0.7, "Depth": 1.5}).outputs[0]
    nodes.end(made, obj)
    DEFORMING["nodes"](stage, obj)
    stage.move(obj)


def ocean(stage: Stage) -> None:
    """A piece of ocean of its own, or one that displaces a mesh; where it is choppy, bent faces are split otherwise."""
    obj = stage.object(kind="grid", size=0.9)
    modifier = obj.modifiers.new("ocean", "OCEAN")
    modifier.resolution = modifier.viewport_resolution = 4
    modifier.spatial_size, modifier.random_seed = 10, stage.rng.randint(0, 9)
    modifier.wave_scale, modifier.choppiness = 3.0, stage.rng.choice([0.0, 1.0])
    if stage.rng.random() < 0.5:
        stage.describe("generated")
        modifier.geometry_mode, modifier.size = "GENERATE", 0.2
    else:
        modifier.geometry_mode, modifier.size = "DISPLACE", 0.2
    stage.animate(modifier, "time", 1.0, 2.0)
    obj.rotation_euler = (1.0, 0, 0)


def turning_screw(stage: Stage) -> None:
    """A profile without faces that the Screw modifier turns by a growing angle, in a constant number of steps."""
    mesh = bpy.data.meshes.new(stage.name("profile"))
    mesh.from_pydata([(0.3, 0, -0.8), (0.7, 0, -0.2), (0.4, 0, 0.3), (0.8, 0, 0.8)], [(0, 1), (1, 2), (2, 3)], [])
    obj = stage.object(mesh)
    modifier = obj.modifiers.new("screw", "SCREW")
    modifier.steps = modifier.render_steps = 12
    stage.animate(modifier, "angle", 4.0, 5.5)
    stage.move(obj)


def _switch_scene(stage: Stage) -> bpy.types.Scene:
    """An empty scene to export from."""
    scene = bpy.data.scenes.new("export")
    scene.frame_start, scene.frame_end = FRAMES[0], FRAMES[-1]
    bpy.context.window.scene = scene
    stage.scene = scene
    return scene


def _exported(stage: Stage, kind: str) -> None:
    """Make a moving mesh in a scene of its own, write it to an Alembic or USD file, and read it back as a cache."""
    home = stage.scene
    scene = _switch_scene(stage)
    renumbered = kind == "abc" and stage.rng.random() < 0.6
    names_before = set(bpy.data.objects.keys())
    place = stage.location
    stage.location = (0.0, 0.0, 0.0)
    recipes_before = dict(stage.recipe_of)
    obj = stage.object(stage.mesh(coded=True), Proof.NUMBER)
    if renumbered:
        change = stage.rng.choice(["mask_window", "build", "gn_sort", "gn_delete"])
        stage.describe(change)
        CARRIED[change](stage, obj)
    else:
        change = stage.rng.choice(["simple_deform", "displace", "cast"])
        stage.describe(change)
        DEFORMING[change](stage, obj)
    path = stage.folder / f"cache{stage.seed}_{len(stage.recipes)}.{kind}"
    if kind == "abc":
        bpy.ops.wm.alembic_export(
            filepath=str(path),
            start=FRAMES[0],
            end=FRAMES[-1],
            evaluation_mode="RENDER",
            as_background_job=False,
            uvs=True,
            packuv=False,
        )
    else:
        bpy.ops.wm.usd_export(filepath=str(path), export_animation=True, export_uvmaps=True, evaluation_mode="RENDER")
    for name in set(bpy.data.objects.keys()) - names_before:
        bpy.data.objects.remove(bpy.data.objects[name])
    bpy.context.window.scene = home
    stage.scene = home
    bpy.data.scenes.remove(scene)
    stage.recipe_of = recipes_before
    stage.location = place
    before = set(bpy.data.objects.keys())
    if kind == "abc":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False, set_frame_range=False)
    else:
        bpy.ops.wm.usd_import(filepath=str(path), set_frame_range=False)
    for name in sorted(set(bpy.data.objects.keys()) - before):
        read = bpy.data.objects[name]
        if read.type != "MESH":
            read.location = place
            continue
        read.name = stage.name("cached")
        stage.keep(read, Proof.CARRIED if renumbered else Proof.NUMBER, False)
        if read.parent is None:
            read.location = place


def alembic(stage: Stage) -> None:
    _exported(stage, "abc")


def usd(stage: Stage) -> None:
    _exported(stage, "usdc")


def mesh_cache(stage: Stage) -> None:
    """A PC2 or MDD file written by hand: places of the vertices for each frame."""
    obj = stage.object()
    stage.move(obj)
    kind = stage.rng.choice(["PC2", "MDD"])
    stage.describe(kind.lower())
    count = len(obj.data.vertices)
    rest = np.empty(3 * count, np.float32)
    obj.data.vertices.foreach_get("co", rest)
    rest = rest.reshape(-1, 3)
    phase = stage.rng.uniform(0, 6)
    frames = [
        rest + 0.15 * np.sin(3 * rest[:, ::-1] + phase + 0.3 * number).astype(np.float32)
        for number in range(len(FRAMES) + 1)
    ]
    path = stage.folder / f"cache{stage.seed}_{len(stage.recipes)}.{kind.lower()}"
    with open(path, "wb") as file:
        if kind == "PC2":
            file.write(struct.pack("<12siiffi", b"POINTCACHE2\0", 1, count, 1.0, 1.0, len(frames)))
            for points in frames:
                file.write(points.astype("<f4").tobytes())
        else:
            file.write(struct.pack(">ii", len(frames), count))
            file.write(np.arange(len(frames), dtype=">f4").tobytes())
            for points in frames:
                file.write(points.astype(">f4").tobytes())
    modifier = obj.modifiers.new("cache", "MESH_CACHE")
    modifier.cache_format, modifier.filepath, modifier.frame_start = kind, str(path), float(FRAMES[0])


def parented(stage: Stage) -> None:
    """A chain of parents and constraints that moves a plain mesh."""
    obj = stage.object()
    parent = stage.helper("parent")
    stage.move(parent)
    obj.parent = parent
    obj.location = (0, 0, 0)
    target = stage.helper("looked at", None, (1, -1, 1))
    stage.animate(target, "location", stage.location, [value + 1.0 for value in stage.location])
    constraint = obj.constraints.new("TRACK_TO")
    constraint.target, constraint.influence = target, 0.5
    straight(target)


ORDINARY: dict[str, Any] = {
    "bent_curve": bent_curve,
    "thickening_curve": thickening_curve,
    "surface": surface,
    "text": text,
    "cloth": cloth,
    "usd": usd,
    "mesh_cache": mesh_cache,
    "parented": parented,
    "turning_screw": turning_screw,
    "ocean": ocean,
    "soft_body": soft_body,
    "rigid_body": rigid_body,
    "gn_fixed_primitive": primitive,
}

RENUMBERING: dict[str, Any] = {
    "snake": snake,
    "curve_resolution": curve_resolution,
    "gn_trimmed_curve": trimmed_curve,
    "gn_resampled_curve": resampled_curve,
    "text_offset": fattening_text,
    "gn_counting_text": counting_text,
    "metaballs": metaballs,
    "alembic": alembic,
}
