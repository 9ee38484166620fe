"""Recipes of modifiers: what deforms, what makes a constant number of faces, and what numbers faces anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from mathutils import Vector

from random_scene.stage import Nodes, Stage
from random_scene.truth import Proof


def _vertex_group(obj: bpy.types.Object, name: str, weight: Callable[[Vector], float]) -> bpy.types.VertexGroup:
    group = obj.vertex_groups.new(name=name)
    for vertex in obj.data.vertices:
        group.add([vertex.index], min(1.0, max(0.0, weight(vertex.co))), "REPLACE")
    return group


# --- what deforms -------------------------------------------------------------------------------------------------


def armature(stage: Stage, obj: bpy.types.Object) -> None:
    data = bpy.data.armatures.new(stage.name("armature"))
    rig = bpy.data.objects.new(stage.name("rig"), data)
    rig.location = obj.location
    stage.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    lower = data.edit_bones.new("lower")
    lower.head, lower.tail = (0, 0, -1), (0, 0, 0)
    upper = data.edit_bones.new("upper")
    upper.head, upper.tail, upper.parent = (0, 0, 0), (0, 0, 1), lower
    bpy.ops.object.mode_set(mode="OBJECT")
    _vertex_group(obj, "lower", lambda co: 0.5 - co.z)
    _vertex_group(obj, "upper", lambda co: 0.5 + co.z)
    bone = rig.pose.bones["upper"]
    bone.rotation_mode = "XYZ"
    for frame, angle in ((1, stage.rng.uniform(-0.5, 0)), (4, stage.rng.uniform(0.2, 0.8))):
        bone.rotation_euler = (angle, angle / 2, 0)
        bone.keyframe_insert("rotation_euler", frame=frame)
    obj.modifiers.new("armature", "ARMATURE").object = rig


def lattice(stage: Stage, obj: bpy.types.Object) -> None:
    data = bpy.data.lattices.new(stage.name("lattice"))
    data.points_u = data.points_v = data.points_w = 3
    cage = bpy.data.objects.new(stage.name("cage"), data)
    stage.scene.collection.objects.link(cage)
    cage.location, cage.scale = obj.location, (2.5, 2.5, 2.5)
    stage.animate(cage, "rotation_euler", (0, 0, 0), (0.2, 0.1, stage.rng.uniform(0.1, 0.4)))
    cage.shape_key_add(name="Basis")
    key = cage.shape_key_add(name="Bent")
    for point in key.data:
        point.co = [value + stage.rng.uniform(-0.15, 0.15) for value in point.co]
    stage.animate(key, "value", 0.0, 1.0, of=data.shape_keys)
    obj.modifiers.new("lattice", "LATTICE").object = cage


def hook(stage: Stage, obj: bpy.types.Object) -> None:
    empty = stage.helper("hook", None, (0.5, 0, 0.5))
    modifier = obj.modifiers.new("hook", "HOOK")
    modifier.object = empty
    modifier.falloff_type, modifier.falloff_radius = "SMOOTH", 1.5
    modifier.vertex_group = _vertex_group(obj, "hooked", lambda co: co.x + co.z).name
    place = Vector(empty.location)
    stage.animate(empty, "location", place, place + Vector((0.3, 0, stage.rng.uniform(0.1, 0.4))))


def shrinkwrap(stage: Stage, obj: bpy.types.Object) -> None:
    target = stage.helper("target", stage.mesh("ico", size=0.9))
    place = Vector(target.location)
    stage.animate(target, "location", place, place + Vector((0.2, 0.1, 0.2)))
    modifier = obj.modifiers.new("shrinkwrap", "SHRINKWRAP")
    modifier.target = target
    modifier.wrap_method = stage.rng.choice(["NEAREST_SURFACEPOINT", "NEAREST_VERTEX"])
    modifier.offset = 0.2
    modifier.vertex_group = _vertex_group(obj, "wrapped", lambda co: 0.3).name


def simple_deform(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("simple", "SIMPLE_DEFORM")
    modifier.deform_method = stage.rng.choice(["TWIST", "BEND", "TAPER", "STRETCH"])
    modifier.deform_axis = stage.rng.choice("XYZ")
    path = "angle" if modifier.deform_method in {"TWIST", "BEND"} else "factor"
    stage.animate(modifier, path, stage.rng.uniform(-0.3, 0), stage.rng.uniform(0.2, 0.6))


def displace(stage: Stage, obj: bpy.types.Object) -> None:
    texture = bpy.data.textures.new(stage.name("clouds"), "CLOUDS")
    texture.noise_scale = stage.rng.uniform(0.5, 1.5)
    modifier = obj.modifiers.new("displace", "DISPLACE")
    modifier.texture = texture
    modifier.direction = stage.rng.choice(["NORMAL", "X", "Z", "RGB_TO_XYZ"])
    stage.animate(modifier, "strength", 0.0, stage.rng.uniform(0.2, 0.5))


def warp(stage: Stage, obj: bpy.types.Object) -> None:
    start, end = stage.helper("from"), stage.helper("to", None, (0.5, 0, 0.3))
    place = Vector(end.location)
    stage.animate(end, "location", place, place + Vector((0.2, 0.2, 0.4)))
    modifier = obj.modifiers.new("warp", "WARP")
    modifier.object_from, modifier.object_to, modifier.falloff_radius = start, end, 1.2


def smooth(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("smooth", "SMOOTH")
    modifier.iterations = 3
    stage.animate(modifier, "factor", 0.0, 0.8)


def laplacian_smooth(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("laplacian", "LAPLACIANSMOOTH")
    stage.animate(modifier, "lambda_factor", 0.0, 0.3)


def corrective_smooth(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("corrective", "CORRECTIVE_SMOOTH")
    modifier.use_only_smooth = True
    stage.animate(modifier, "factor", 0.2, 0.9)


def wave(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("wave", "WAVE")
    modifier.height, modifier.width, modifier.narrowness = 0.2, 0.8, 2.0
    modifier.speed, modifier.time_offset = stage.rng.uniform(0.05, 0.15), -40
    modifier.use_normal = stage.rng.random() < 0.5


def cast(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("cast", "CAST")
    modifier.cast_type = stage.rng.choice(["SPHERE", "CYLINDER", "CUBOID"])
    stage.animate(modifier, "factor", 0.0, stage.rng.uniform(0.2, 0.6))


def along_curve(stage: Stage, obj: bpy.types.Object) -> None:
    data = bpy.data.curves.new(stage.name("path"), "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new("BEZIER")
    spline.bezier_points.add(2)
    for number, point in enumerate(spline.bezier_points):
        point.co = (2.0 * number - 2.0, 0, stage.rng.uniform(-0.5, 0.5))
        point.handle_left_type = point.handle_right_type = "AUTO"
    path = bpy.data.objects.new(stage.name("path"), data)
    stage.scene.collection.objects.link(path)
    path.location = obj.location
    stage.animate(path, "rotation_euler", (0, 0, 0), (0.0, 0.2, 0.1))
    obj.modifiers.new("curve", "CURVE").object = path


def moving_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    """Set Position by noise that changes with the scene's time, in a plain group, a repeat zone or a simulation."""
    nodes = Nodes(stage.name("wobble"))
    inputs = {"Scale": 1.5, "W": nodes.time(stage.rng.uniform(0, 5), 0.15)}
    noise = nodes.add("ShaderNodeTexNoise", inputs, noise_dimensions="4D")
    offset = nodes.add(
        "ShaderNodeVectorMath", {0: noise.outputs["Color"], 1: (-0.5, -0.5, -0.5)}, operation="ADD"
    ).outputs[0]
    strength = stage.rng.uniform(0.1, 0.4)
    offset = nodes.add("ShaderNodeVectorMath", {0: offset, "Scale": strength}, operation="SCALE").outputs[0]
    # a simulation zone keeps the mesh of the first frame, and so would hide what renumbers before it
    kind = stage.rng.choice(["plain", "repeat", "simulation" if stage.proofs[obj.name] == Proof.NUMBER else "plain"])
    stage.describe(kind)
    if kind == "plain":
        nodes.end(nodes.add("SetPosition", {"Geometry": nodes.geometry, "Offset": offset}).outputs[0], obj)
        return
    begin = nodes.add(f"{'Repeat' if kind == 'repeat' else 'Simulation'}Input")
    finish = nodes.add(f"{'Repeat' if kind == 'repeat' else 'Simulation'}Output")
    begin.pair_with_output(finish)
    if kind == "repeat":
        begin.inputs["Iterations"].default_value = 2
        finish.repeat_items.new("GEOMETRY", "Geometry")
    nodes.link(nodes.geometry, begin.inputs["Geometry"])
    moved = nodes.add("SetPosition", {"Geometry": begin.outputs["Geometry"], "Offset": offset})
    nodes.link(moved.outputs[0], finish.inputs["Geometry"])
    nodes.end(finish.outputs["Geometry"], obj)


def _bind(obj: bpy.types.Object, operator: Callable[..., Any], modifier: bpy.types.Modifier) -> None:
    bpy.context.view_layer.update()
    with bpy.context.temp_override(object=obj, active_object=obj):
        operator(modifier=modifier.name)


def surface_deform(stage: Stage, obj: bpy.types.Object) -> None:
    """Bound to a ball around it, which bends."""
    cage = stage.helper("cage", stage.mesh("ico", size=1.6))
    cage.hide_viewport = False
    modifier = obj.modifiers.new("surface", "SURFACE_DEFORM")
    modifier.target = cage
    _bind(obj, bpy.ops.object.surfacedeform_bind, modifier)
    stage.shape_keys(cage)


def mesh_deform(stage: Stage, obj: bpy.types.Object) -> None:
    cage = stage.helper("cage", stage.mesh("box", size=2.6, fine=2))
    cage.hide_viewport = False
    modifier = obj.modifiers.new("cage", "MESH_DEFORM")
    modifier.object, modifier.precision = cage, 3
    _bind(obj, bpy.ops.object.meshdeform_bind, modifier)
    stage.shape_keys(cage)


def laplacian_deform(stage: Stage, obj: bpy.types.Object) -> None:
    """Anchors at both ends, of which a hook moves one."""
    modifier = obj.modifiers.new("hook", "HOOK")
    empty = stage.helper("hook")
    modifier.object = empty
    modifier.vertex_group = _vertex_group(obj, "moved", lambda co: 1.0 if co.z > 0.5 else 0.0).name
    place = Vector(empty.location)
    stage.animate(empty, "location", place, place + Vector((0.3, 0, 0.3)))
    follow = obj.modifiers.new("laplacian deform", "LAPLACIANDEFORM")
    follow.vertex_group = _vertex_group(obj, "anchors", lambda co: 1.0 if abs(co.z) > 0.5 else 0.0).name
    _bind(obj, bpy.ops.object.laplaciandeform_bind, follow)


DEFORMING = {
    "armature": armature,
    "lattice": lattice,
    "hook": hook,
    "shrinkwrap": shrinkwrap,
    "simple_deform": simple_deform,
    "displace": displace,
    "warp": warp,
    "smooth": smooth,
    "laplacian_smooth": laplacian_smooth,
    "corrective_smooth": corrective_smooth,
    "wave": wave,
    "cast": cast,
    "curve": along_curve,
    "nodes": moving_nodes,
    "surface_deform": surface_deform,
    "mesh_deform": mesh_deform,
    "laplacian_deform": laplacian_deform,
}


# --- what makes the same faces in every frame ---------------------------------------------------------------------


def subsurf(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("subsurf", "SUBSURF")
    modifier.levels = modifier.render_levels = 1
    modifier.subdivision_type = stage.rng.choice(["CATMULL_CLARK", "SIMPLE"])
    # the places in the faces must go on growing evenly
    modifier.uv_smooth = "NONE"


def array(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("array", "ARRAY")
    modifier.count, modifier.offset_v = 3, 1.0
    modifier.relative_offset_displace = (0.3, 0.0, 0.1)
    stage.animate(modifier, "relative_offset_displace", (0.3, 0.2, 0.1), (0.4, 0.3, 0.0))
    if stage.rng.random() < 0.4:
        modifier.start_cap = stage.helper("cap", stage.mesh("box", size=0.3, fine=2))


def mirror(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("mirror", "MIRROR")
    modifier.use_axis = (True, False, False)
    modifier.use_mirror_merge = False
    modifier.offset_v = 1.0


def solidify(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("solidify", "SOLIDIFY")
    stage.animate(modifier, "thickness", 0.05, stage.rng.uniform(0.1, 0.3))


def wireframe(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("wireframe", "WIREFRAME")
    stage.animate(modifier, "thickness", 0.08, stage.rng.uniform(0.1, 0.2))


def bevel(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("bevel", "BEVEL")
    modifier.limit_method, modifier.segments = "NONE", stage.rng.randint(1, 2)
    stage.animate(modifier, "width", 0.01, 0.04)


def triangulate(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("triangulate", "TRIANGULATE")
    modifier.quad_method, modifier.ngon_method = "FIXED", "CLIP"
    if any(len(polygon.vertices) > 4 for polygon in obj.data.polygons):
        # how larger faces are split, their shape decides
        stage.proofs[obj.name] = Proof.CARRIED


def multires(stage: Stage, obj: bpy.types.Object) -> None:
    if obj.data.shape_keys is not None or len(obj.modifiers):
        # it is sculpted on the mesh itself; anywhere else it is only a subdivision
        subsurf(stage, obj)
        return
    modifier = obj.modifiers.new("multires", "MULTIRES")
    with bpy.context.temp_override(object=obj, active_object=obj):
        bpy.ops.object.multires_subdivide(modifier=modifier.name, mode="CATMULL_CLARK")
    modifier.levels = modifier.render_levels = 1


def constant_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    """Nodes that make the same faces of a mesh whatever its places are."""
    nodes = Nodes(stage.name("constant"))
    kind = stage.rng.choice(
        [
            "extrude",
            "dual",
            "subdivide",
            "subdivision",
            "triangulate",
            "split",
            "flip",
            "delete",
            "sort",
            "tubes",
            "copies",
        ]
    )
    stage.describe(f"({kind})")
    mesh = nodes.geometry
    chosen = nodes.compare("LESS_THAN", nodes.random(0, 1, 7), 0.3)
    if kind == "extrude":
        made = nodes.add(
            "ExtrudeMesh", {"Mesh": mesh, "Selection": chosen, "Offset Scale": nodes.time(0.1, 0.05)}, mode="FACES"
        )
    elif kind == "dual":
        made = nodes.add("DualMesh", {"Mesh": mesh})
    elif kind == "subdivide":
        made = nodes.add("SubdivideMesh", {"Mesh": mesh, "Level": 1})
    elif kind == "subdivision":
        made = nodes.add("SubdivisionSurface", {"Mesh": mesh, "Level": 1})
    elif kind == "triangulate":
        made = nodes.add("Triangulate", {"Mesh": mesh}, quad_method="FIXED")
    elif kind == "split":
        made = nodes.add("SplitEdges", {"Mesh": mesh, "Selection": chosen})
    elif kind == "flip":
        made = nodes.add("FlipFaces", {"Mesh": mesh, "Selection": chosen})
    elif kind == "delete":
        made = nodes.add("DeleteGeometry", {"Geometry": mesh, "Selection": chosen}, domain="FACE")
    elif kind == "sort":
        made = nodes.add("SortElements", {"Geometry": mesh, "Sort Weight": nodes.random(0, 1, 2)}, domain="FACE")
    elif kind == "tubes":
        curve = nodes.add(
            "MeshToCurve", {"Mesh": mesh, "Selection": nodes.compare("LESS_THAN", nodes.random(0, 1, 7), 0.1)}
        )
        ring = nodes.add("CurvePrimitiveCircle", {"Resolution": 4, "Radius": 0.08})
        tubes = nodes.add("CurveToMesh", {"Curve": curve.outputs[0], "Profile Curve": ring.outputs[0]})
        made = nodes.add("JoinGeometry")
        for part in (mesh, tubes.outputs[0]):
            nodes.link(part, made.inputs[0])
    else:
        line = nodes.add("MeshLine", {"Count": 3, "Offset": (0.5, 0.2, 0.1)})
        copies = nodes.add("InstanceOnPoints", {"Points": line.outputs[0], "Instance": mesh, "Scale": (0.6, 0.6, 0.6)})
        made = nodes.add("RealizeInstances", {"Geometry": copies.outputs[0]})
    nodes.end(made.outputs[0], obj)


CONSTANT = {
    "subsurf": subsurf,
    "array": array,
    "mirror": mirror,
    "solidify": solidify,
    "wireframe": wireframe,
    "bevel": bevel,
    "triangulate": triangulate,
    "multires": multires,
    "gn": constant_nodes,
}

CARRYING = {"subsurf": subsurf, "array": array, "mirror": mirror, "triangulate": triangulate}
"""Of these those that hand the identity of a renumbered mesh on."""


def _fixed_decimate(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("decimate", "DECIMATE")
    modifier.ratio = stage.rng.uniform(0.4, 0.8)


def _fixed_remesh(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("remesh", "REMESH")
    modifier.mode, modifier.voxel_size = "VOXEL", 0.2


def _fixed_weld(stage: Stage, obj: bpy.types.Object) -> None:
    obj.modifiers.new("weld", "WELD").merge_threshold = 0.05


def _fixed_mask(stage: Stage, obj: bpy.types.Object) -> None:
    _vertex_group(obj, "shown", lambda co: 1.0 if co.x > -0.4 else 0.0)
    obj.modifiers.new("mask", "MASK").vertex_group = "shown"


def _fixed_bevel(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("bevel", "BEVEL")
    modifier.limit_method, modifier.width = "ANGLE", 0.05


def _fixed_split(stage: Stage, obj: bpy.types.Object) -> None:
    obj.modifiers.new("split", "EDGE_SPLIT").split_angle = 0.3


def _fixed_build(stage: Stage, obj: bpy.types.Object) -> None:
    """It was built long ago."""
    modifier = obj.modifiers.new("build", "BUILD")
    modifier.frame_start, modifier.frame_duration = -50, 10


FIXED = {
    "decimate": _fixed_decimate,
    "weld": _fixed_weld,
    "mask": _fixed_mask,
    "remesh": _fixed_remesh,
    "bevel": _fixed_bevel,
    "split": _fixed_split,
    "build": _fixed_build,
}
"""On a mesh that does not move they give the same faces every time."""


def ordinary_stack(stage: Stage) -> None:
    """A mesh whose faces Blender keeps, under one to four modifiers."""
    obj = stage.object()
    stage.move(obj)
    if stage.rng.random() < 0.3:
        stage.shape_keys(obj)
        stage.describe("shape_keys")
    elif stage.rng.random() < 0.25:
        name = stage.rng.choice(list(FIXED))
        FIXED[name](stage, obj)
        stage.describe(f"fixed_{name}")
    grown = 0
    for _ in range(stage.rng.randint(1, 4)):
        grow = stage.rng.random() < 0.35 and grown < 2
        name = stage.rng.choice(list(CONSTANT if grow else DEFORMING))
        grown += grow
        stage.describe(name)
        (CONSTANT if grow else DEFORMING)[name](stage, obj)


# --- what numbers faces anew --------------------------------------------------------------------------------------


def mask_window(stage: Stage, obj: bpy.types.Object) -> None:
    """A window that moves over the mesh: vertex weights by their distance from a moving object, or a threshold."""
    if stage.rng.random() < 0.5:
        _vertex_group(obj, "window", lambda co: 1.0)
        target = stage.helper("probe", None, (-1, 0, 0))
        place = Vector(target.location)
        stage.animate(target, "location", place, place + Vector((1.2, 0, 0.4)))
        near = obj.modifiers.new("near", "VERTEX_WEIGHT_PROXIMITY")
        near.vertex_group, near.target, near.proximity_mode = "window", target, "OBJECT"
        near.min_dist, near.max_dist = 2.0, 0.5
        modifier = obj.modifiers.new("mask", "MASK")
        modifier.vertex_group, modifier.threshold = "window", 0.3
    else:
        _vertex_group(obj, "window", lambda co: 0.5 + 0.45 * co.x)
        modifier = obj.modifiers.new("mask", "MASK")
        modifier.vertex_group = "window"
        stage.animate(modifier, "threshold", 0.2, 0.6)


def build(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("build", "BUILD")
    modifier.frame_start, modifier.frame_duration = -2, stage.rng.uniform(6, 10)
    modifier.use_random_order, modifier.seed = stage.rng.random() < 0.5, stage.rng.randint(0, 9)
    modifier.use_reverse = stage.rng.random() < 0.3


def boolean(stage: Stage, obj: bpy.types.Object) -> None:
    operand = stage.helper("operand", stage.mesh("ico", size=0.7), (0.4, -0.6, 0.3))
    place = Vector(operand.location)
    stage.animate(operand, "location", place, place + Vector((stage.rng.uniform(-0.9, -0.3), 0.1, -0.2)))
    modifier = obj.modifiers.new("boolean", "BOOLEAN")
    modifier.object = operand
    modifier.operation = stage.rng.choice(["DIFFERENCE", "DIFFERENCE", "UNION", "INTERSECT"])
    modifier.solver = stage.rng.choice(["EXACT", "FAST"])


def array_count(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("array", "ARRAY")
    modifier.offset_v = 1.0
    modifier.relative_offset_displace = (0.25, 0.1, 0.15)
    if stage.rng.random() < 0.5:
        modifier.fit_type = "FIT_LENGTH"
        stage.animate(modifier, "fit_length", 1.2, 3.4)
    else:
        stage.animate(modifier, "count", 2, 5)
    if stage.rng.random() < 0.5:
        modifier.end_cap = stage.helper("cap", stage.mesh("box", size=0.4, fine=2))
        modifier.start_cap = stage.helper("cap", stage.mesh("box", size=0.3, fine=2))


def array_along_curve(stage: Stage, obj: bpy.types.Object) -> None:
    """As many copies as fit a curve that grows."""
    data = bpy.data.curves.new(stage.name("rail"), "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new("POLY")
    spline.points.add(1)
    spline.points[1].co = (3.0, 0, 0, 1)
    rail = bpy.data.objects.new(stage.name("rail"), data)
    stage.scene.collection.objects.link(rail)
    rail.shape_key_add(name="Basis")
    key = rail.shape_key_add(name="Long")
    key.data[1].co = (6.0, 0, 0)
    stage.animate(key, "value", 0.0, 1.0, of=data.shape_keys)
    modifier = obj.modifiers.new("array", "ARRAY")
    modifier.offset_v = 1.0
    modifier.fit_type, modifier.curve = "FIT_CURVE", rail
    modifier.relative_offset_displace = (0.4, 0.1, 0.1)


def sharp_edges(stage: Stage, obj: bpy.types.Object) -> None:
    simple_deform(stage, obj)
    modifier = obj.modifiers.new("split", "EDGE_SPLIT")
    stage.animate(modifier, "split_angle", 0.2, 0.8)


def beauty(stage: Stage, obj: bpy.types.Object) -> None:
    displace(stage, obj)
    obj.modifiers.new("triangulate", "TRIANGULATE").quad_method = stage.rng.choice(["BEAUTY", "SHORTEST_DIAGONAL"])


def switched_subsurf(stage: Stage, obj: bpy.types.Object) -> None:
    subsurf(stage, obj)
    modifier = obj.modifiers[-1]
    for path in ("show_viewport", "show_render"):
        stage.animate(modifier, path, True, False, True)


def subsurf_levels(stage: Stage, obj: bpy.types.Object) -> None:
    subsurf(stage, obj)
    for path in ("levels", "render_levels"):
        stage.animate(obj.modifiers[-1], path, 0, 2)


def explode(stage: Stage, obj: bpy.types.Object) -> None:
    obj.modifiers.new("particles", "PARTICLE_SYSTEM")
    settings = obj.particle_systems[-1].settings
    # born in the first frame of the scene they would not be the same when the frame is evaluated again
    settings.count, settings.frame_start, settings.frame_end, settings.lifetime = 30, 2, 3, 50
    settings.normal_factor, settings.render_type, settings.effector_weights.gravity = 2.0, "NONE", 0.1
    obj.modifiers.new("explode", "EXPLODE")


def sorted_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("sort"))
    domain = stage.rng.choice(["POINT", "FACE"])
    weight = nodes.random(0, 1, nodes.whole(0, 1))
    node = nodes.add("SortElements", {"Geometry": nodes.geometry, "Sort Weight": weight}, domain=domain)
    nodes.end(node.outputs[0], obj)


def deleting_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("delete"))
    kind = stage.rng.choice(["index", "random", "position"])
    domain = stage.rng.choice(["POINT", "FACE"])
    stage.describe(f"{kind}_{domain.lower()}")
    if kind == "index":
        chosen = nodes.compare("LESS_THAN", nodes.add("InputIndex").outputs[0], nodes.time(0, stage.rng.randint(1, 7)))
    elif kind == "random":
        chosen = nodes.compare("LESS_THAN", nodes.random(0, 1, 3), nodes.time(0.05, 0.08))
    else:
        place = nodes.add("ShaderNodeSeparateXYZ", {0: nodes.add("InputPosition").outputs[0]}).outputs[0]
        chosen = nodes.compare("LESS_THAN", place, nodes.time(-0.8, 0.25))
    if stage.rng.random() < 0.5:
        node = nodes.add("DeleteGeometry", {"Geometry": nodes.geometry, "Selection": chosen}, domain=domain)
        nodes.end(node.outputs[0], obj)
    else:
        node = nodes.add("SeparateGeometry", {"Geometry": nodes.geometry, "Selection": chosen}, domain=domain)
        nodes.end(node.outputs[1], obj)


def boolean_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    operand = stage.helper("operand", stage.mesh("ico", size=0.7), (0.4, -0.6, 0.3))
    place = Vector(operand.location)
    stage.animate(operand, "location", place, place + Vector((-0.6, 0.1, -0.2)))
    nodes = Nodes(stage.name("boolean"))
    info = nodes.add("ObjectInfo", {"Object": operand}, transform_space="RELATIVE")
    node = nodes.add("MeshBoolean", {"Mesh 1": nodes.geometry}, operation="DIFFERENCE")
    nodes.link(socket_output(info, "Geometry"), socket_input(node, "Mesh 2"))
    nodes.end(node.outputs[0], obj)


def splitting_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("split"))
    chosen = nodes.compare("LESS_THAN", nodes.random(0, 1, nodes.whole(0, 1)), 0.3)
    node = nodes.add("SplitEdges", {"Mesh": nodes.geometry, "Selection": chosen})
    nodes.end(node.outputs[0], obj)


def flipping_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("flip"))
    chosen = nodes.compare("LESS_THAN", nodes.random(0, 1, nodes.whole(0, 1)), 0.5)
    nodes.end(nodes.add("FlipFaces", {"Mesh": nodes.geometry, "Selection": chosen}).outputs[0], obj)


def subdividing_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("subdivide"))
    level = nodes.add("FunctionNodeFloatToInt", {0: nodes.time(0, 0.6)}).outputs[0]
    nodes.end(nodes.add("SubdivideMesh", {"Mesh": nodes.geometry, "Level": level}).outputs[0], obj)


def duplicating_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("duplicate"))
    node = nodes.add("DuplicateElements", {"Geometry": nodes.geometry, "Amount": nodes.whole(1, 1)}, domain="FACE")
    # number the copies from 1: 0 is a face that was never copied
    number = nodes.math("ADD", node.outputs["Duplicate Index"], 1.0)
    marked = nodes.store(node.outputs[0], "truth_copy", number, "FACE")
    apart = nodes.add("ShaderNodeCombineXYZ", {1: nodes.math("MULTIPLY", node.outputs["Duplicate Index"], -0.15)})
    nodes.end(nodes.add("SetPosition", {"Geometry": marked, "Offset": apart.outputs[0]}).outputs[0], obj)


def extruding_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("extrude"))
    chosen = nodes.compare("LESS_THAN", nodes.random(0, 1, 5), nodes.time(0.1, 0.15))
    node = nodes.add("ExtrudeMesh", {"Mesh": nodes.geometry, "Selection": chosen, "Offset Scale": 0.1}, mode="FACES")
    sides = nodes.add(
        "StoreNamedAttribute",
        {"Geometry": node.outputs[0], "Selection": node.outputs["Side"], "Name": "truth_face", "Value": 0},
        data_type="INT",
        domain="FACE",
    )
    nodes.end(sides.outputs[0], obj)


def joining_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    """Two meshes in the one order in some frames, in the other in the rest."""
    second = stage.helper("second", stage.mesh(size=0.5), (0.5, -0.4, 0.5))
    nodes = Nodes(stage.name("join"))
    other = socket_output(nodes.add("ObjectInfo", {"Object": second}, transform_space="RELATIVE"), "Geometry")
    joins = []
    for first, last in ((nodes.geometry, other), (other, nodes.geometry)):
        join = nodes.add("JoinGeometry")
        nodes.link(last, join.inputs[0])
        nodes.link(first, join.inputs[0])
        joins.append(join.outputs[0])
    late = nodes.compare("GREATER_THAN", nodes.time(0, 1), stage.rng.choice([0.5, 1.5]))
    node = nodes.add("Switch", {"Switch": late, "False": joins[0], "True": joins[1]}, input_type="GEOMETRY")
    nodes.end(node.outputs[0], obj)


def swapping_nodes(stage: Stage, obj: bpy.types.Object) -> None:
    """A mesh that is another one, of the same faces, from some frame on."""
    twin = obj.data.copy()
    for vertex in twin.vertices:
        vertex.co = (-vertex.co.z * 0.8, vertex.co.y, vertex.co.x)
    for name in ("truth_uv", "truth_face", "truth_point"):
        twin.attributes.remove(twin.attributes[name])
    second = stage.helper("twin", stage.number_faces(twin))
    nodes = Nodes(stage.name("swap"))
    other = socket_output(nodes.add("ObjectInfo", {"Object": second}), "Geometry")
    late = nodes.compare("GREATER_THAN", nodes.time(0, 1), 1.5)
    node = nodes.add("Switch", {"Switch": late, "False": nodes.geometry, "True": other}, input_type="GEOMETRY")
    nodes.end(node.outputs[0], obj)


def simulated_deletion(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("erode"))
    nested = stage.rng.random() < 0.5
    begin, finish = nodes.add("SimulationInput"), nodes.add("SimulationOutput")
    begin.pair_with_output(finish)
    nodes.link(nodes.geometry, begin.inputs["Geometry"])
    chosen = nodes.compare("LESS_THAN", nodes.random(0, 1, nodes.whole(0, 1)), 0.1)
    node = nodes.add("DeleteGeometry", {"Geometry": begin.outputs["Geometry"], "Selection": chosen}, domain="FACE")
    nodes.link(node.outputs[0], finish.inputs["Geometry"])
    if nested:
        stage.describe("in a group")
        nodes.link(finish.outputs["Geometry"], nodes.output.inputs[0])
        outer = Nodes(stage.name("outer"))
        group = outer.add("Group", node_tree=nodes.tree)
        outer.link(outer.geometry, group.inputs[0])
        outer.end(group.outputs[0], obj)
        return
    nodes.end(finish.outputs["Geometry"], obj)


def realized_copies(stage: Stage, obj: bpy.types.Object) -> None:
    """The mesh on points that become more, realized, with or without another order in each frame."""
    nodes = Nodes(stage.name("copies"))
    points = nodes.add("MeshLine", {"Count": nodes.whole(3, 1), "Start Location": (-1, 0, 0), "Offset": (0.45, 0, 0.1)})
    named = nodes.store(
        points.outputs[0], "truth_copy", nodes.math("ADD", nodes.add("InputIndex").outputs[0], 1), "POINT"
    )
    if stage.rng.random() < 0.5:
        stage.describe("shuffled")
        weight = nodes.random(0, 1, nodes.whole(0, 1))
        named = nodes.add("SortElements", {"Geometry": named, "Sort Weight": weight}, domain="POINT").outputs[0]
    node = nodes.add("InstanceOnPoints", {"Points": named, "Instance": nodes.geometry, "Scale": (0.4, 0.4, 0.4)})
    nodes.end(nodes.add("RealizeInstances", {"Geometry": node.outputs[0]}).outputs[0], obj)


def socket_output(node: Any, name: str) -> Any:
    return next(socket for socket in node.outputs if socket.name == name)


def socket_input(node: Any, name: str) -> Any:
    return next(socket for socket in node.inputs if socket.name == name and socket.enabled)


CARRIED = {
    "mask_window": mask_window,
    "build": build,
    "boolean": boolean,
    "array_count": array_count,
    "array_fit_curve": array_along_curve,
    "edge_split": sharp_edges,
    "triangulate_beauty": beauty,
    "subsurf_switched": switched_subsurf,
    "subsurf_levels": subsurf_levels,
    "explode": explode,
    "gn_sort": sorted_nodes,
    "gn_delete": deleting_nodes,
    "gn_boolean": boolean_nodes,
    "gn_split_edges": splitting_nodes,
    "gn_flip_faces": flipping_nodes,
    "gn_subdivide": subdividing_nodes,
    "gn_duplicate": duplicating_nodes,
    "gn_extrude": extruding_nodes,
    "gn_join_order": joining_nodes,
    "gn_swap_twin": swapping_nodes,
    "gn_simulated_deletion": simulated_deletion,
    "gn_realized_copies": realized_copies,
}
"""Faces come and go or change their numbers, and carry who they are."""


def renumbered_stack(stage: Stage, name: str) -> None:
    """A mesh whose faces come and go, between modifiers that deform it or hand its faces on."""
    # what explodes loses the attributes of its faces
    obj = stage.object(stage.mesh(coded=name == "explode"), Proof.CARRIED)
    stage.move(obj)
    if stage.rng.random() < 0.4:
        before = stage.rng.choice(list(DEFORMING))
        stage.describe(f"after {before}")
        DEFORMING[before](stage, obj)
    CARRIED[name](stage, obj)
    choices = CARRYING if stage.rng.random() < 0.4 and "array" not in name and "copies" not in name else DEFORMING
    if stage.rng.random() < 0.4:
        after = stage.rng.choice(list(choices))
        stage.describe(f"before {after}")
        choices[after](stage, obj)


# --- what is made anew --------------------------------------------------------------------------------------------


def remesh(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("remesh", "REMESH")
    modifier.mode = stage.rng.choice(["VOXEL", "BLOCKS", "SMOOTH", "SHARP"])
    modifier.octree_depth = 3
    stage.describe(modifier.mode.lower())
    if stage.rng.random() < 0.4:
        stage.animate(modifier, "voxel_size", 0.15, 0.25)
    else:
        modifier.voxel_size = 0.18


def decimate(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("decimate", "DECIMATE")
    modifier.decimate_type = stage.rng.choice(["COLLAPSE", "UNSUBDIV", "DISSOLVE"])
    stage.describe(modifier.decimate_type.lower())
    if modifier.decimate_type != "COLLAPSE":
        stage.proofs[obj.name] = Proof.CORNERS
    if modifier.decimate_type == "COLLAPSE":
        stage.animate(modifier, "ratio", 0.8, 0.4)
    elif modifier.decimate_type == "UNSUBDIV":
        stage.animate(modifier, "iterations", 0, 3)
    else:
        stage.animate(modifier, "angle_limit", 0.05, 0.4)


def weld(stage: Stage, obj: bpy.types.Object) -> None:
    stage.proofs[obj.name] = Proof.CORNERS
    stage.animate(obj.modifiers.new("weld", "WELD"), "merge_threshold", 0.0, 0.5)


def screw(stage: Stage, obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("screw", "SCREW")
    modifier.screw_offset = 0.5
    for path in ("steps", "render_steps"):
        stage.animate(modifier, path, 5, 8)


def skin(stage: Stage, obj: bpy.types.Object) -> None:
    mesh = bpy.data.meshes.new(stage.name("skeleton"))
    points = [(0, 0, -1), (0, 0, 0), (0.6, 0, 0.8), (-0.6, 0, 0.8)]
    mesh.from_pydata(points, [(0, 1), (1, 2), (1, 3)], [])
    mesh.materials.append(obj.data.materials[0])
    obj.data = mesh
    obj.modifiers.new("skin", "SKIN")
    stage.shape_keys(obj, 0.3)


def volume(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("voxels"))
    made = nodes.add("MeshToVolume", {"Mesh": nodes.geometry, "Voxel Amount": 24.0})
    back = nodes.add("VolumeToMesh", {"Volume": made.outputs[0]})
    nodes.end(back.outputs[0], obj)


def volume_modifiers(stage: Stage, obj: bpy.types.Object) -> None:
    """A volume made of a ball that moves, and the mesh that is made of the volume."""
    ball = stage.helper("ball", stage.mesh("ico", size=0.8))
    cloud = bpy.data.objects.new(stage.name("cloud"), bpy.data.volumes.new(stage.name("cloud")))
    stage.scene.collection.objects.link(cloud)
    cloud.location, cloud.hide_render, cloud.hide_viewport = stage.location, True, True
    fill = cloud.modifiers.new("fill", "MESH_TO_VOLUME")
    fill.object, fill.voxel_amount = ball, 20
    place = Vector(ball.location)
    stage.animate(ball, "location", place, place + Vector((0.3, 0.0, 0.2)))
    obj.modifiers.new("surface", "VOLUME_TO_MESH").object = cloud


def dual(stage: Stage, obj: bpy.types.Object) -> None:
    deleting_nodes(stage, obj)
    nodes = Nodes(stage.name("dual"))
    nodes.end(nodes.add("DualMesh", {"Mesh": nodes.geometry}).outputs[0], obj)


def hull(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("hull"))
    nodes.end(nodes.add("ConvexHull", {"Geometry": nodes.geometry}).outputs[0], obj)


def merging(stage: Stage, obj: bpy.types.Object) -> None:
    stage.proofs[obj.name] = Proof.CORNERS
    nodes = Nodes(stage.name("merge"))
    node = nodes.add("MergeByDistance", {"Geometry": nodes.geometry, "Distance": nodes.time(0.1, 0.12)})
    nodes.end(node.outputs[0], obj)


def changing_primitive(stage: Stage, obj: bpy.types.Object) -> None:
    nodes = Nodes(stage.name("primitive"))
    kind = stage.rng.choice(["grid", "ball", "drum"])
    if kind == "grid":
        made = nodes.add("MeshGrid", {"Size X": 1.8, "Size Y": 1.8, "Vertices X": nodes.whole(4, 1)}).outputs[0]
    elif kind == "ball":
        made = nodes.add("MeshUVSphere", {"Segments": nodes.whole(6, 1), "Rings": 7}).outputs[0]
    else:
        made = nodes.add("MeshCylinder", {"Vertices": nodes.whole(6, 1)}).outputs[0]
    nodes.end(made, obj)


NEW = {
    "remesh": remesh,
    "decimate": decimate,
    "weld": weld,
    "screw": screw,
    "skin": skin,
    "volume_to_mesh": volume_modifiers,
    "gn_voxels": volume,
    "gn_dual": dual,
    "gn_hull": hull,
    "gn_merge": merging,
    "gn_primitive": changing_primitive,
}
"""Surfaces that are made anew in every frame, and name no point."""


def new_stack(stage: Stage, name: str) -> None:
    """A surface that is made anew, from a mesh that moves or not."""
    obj = stage.object(proof=Proof.NONE)
    stage.move(obj)
    if stage.rng.random() < 0.6 and name not in {"skin", "screw"}:
        before = stage.rng.choice(list(DEFORMING))
        stage.describe(f"after {before}")
        DEFORMING[before](stage, obj)
    NEW[name](stage, obj)
    if stage.rng.random() < 0.3:
        after = stage.rng.choice(list(DEFORMING))
        stage.describe(f"before {after}")
        DEFORMING[after](stage, obj)
