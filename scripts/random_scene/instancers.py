"""Recipes of instancers: collections in collections, vertices, faces, particles, and geometry nodes."""

from __future__ import annotations

from typing import Any

import bpy

from random_scene.modifiers import CARRIED, DEFORMING
from random_scene.stage import FRAMES, Nodes, Stage, curves_of, straight
from random_scene.truth import Proof


def _part(stage: Stage, size: float, place: tuple[float, float, float], link: bool = False) -> bpy.types.Object:
    """An object that others show, which stands near the world's origin."""
    obj = bpy.data.objects.new(stage.name("part"), stage.mesh(size=size, fine=4))
    obj.location = place
    return stage.keep(obj, Proof.NUMBER, link)


def _collection(stage: Stage, *members: bpy.types.Object) -> bpy.types.Collection:
    collection = bpy.data.collections.new(stage.name("collection"))
    for member in members:
        collection.objects.link(member)
    return collection


def _instance(stage: Stage, collection: bpy.types.Collection, place: Any, link: bool = True) -> bpy.types.Object:
    empty = bpy.data.objects.new(stage.name("instancer"), None)
    empty.instance_type, empty.instance_collection = "COLLECTION", collection
    empty.location = place
    stage.recipe_of[empty.name] = len(stage.recipes) - 1
    if link:
        stage.scene.collection.objects.link(empty)
    return empty


def _deform(stage: Stage, obj: bpy.types.Object) -> None:
    name = stage.rng.choice(["simple_deform", "displace", "wave", "cast", "nodes"])
    stage.describe(name)
    DEFORMING[name](stage, obj)


def nested_collections(stage: Stage) -> None:
    """Collections that show collections, three deep, whose parts deform and move."""
    first, second = _part(stage, 0.35, (-0.4, 0, 0)), _part(stage, 0.3, (0.4, 0, 0.2))
    _deform(stage, first)
    stage.move(second, 0.1)
    inner = _collection(stage, first, second)
    inner.instance_offset = (0.1, 0, 0)
    low, high = _instance(stage, inner, (0, 0, -0.6), False), _instance(stage, inner, (0, 0, 0.6), False)
    stage.move(high, 0.1)
    middle = _collection(stage, low, high)
    if stage.rng.random() < 0.5:
        outer = _instance(stage, middle, stage.location)
    else:
        outer = _instance(stage, _collection(stage, _instance(stage, middle, (0, 0, 0), False)), stage.location)
    stage.move(outer)


def hidden_member(stage: Stage) -> None:
    """Of the members of an instanced collection one is hidden from some frame on; the rest keep their places."""
    inner = _collection(stage, _part(stage, 0.35, (0, 0, 0)))
    hidden = _part(stage, 0.3, (0, 0, 0))
    members = [hidden] + [_instance(stage, inner, (x, 0, z), False) for x, z in ((-0.7, 0.5), (0.7, 0.4), (0.0, -0.6))]
    hidden.name = f"00{hidden.name}"
    stage.proofs[hidden.name], stage.recipe_of[hidden.name] = Proof.NUMBER, len(stage.recipes) - 1
    for path in ("hide_render", "hide_viewport"):
        stage.animate(hidden, path, False, True)
    for curve in curves_of(hidden.animation_data.action):
        for point in curve.keyframe_points:
            point.interpolation = "CONSTANT"
            point.co.x = min(point.co.x, 3.0)
    stage.move(_instance(stage, _collection(stage, *members), stage.location))


def _carrier(stage: Stage) -> tuple[bpy.types.Object, bpy.types.Object]:
    """A mesh that shows a part on its vertices or faces."""
    mesh = stage.mesh("grid", size=0.9, fine=3)
    carrier = stage.object(mesh)
    carrier.rotation_euler = (0, 0, 0)
    part = _part(stage, 0.16, stage.location, True)
    part.parent = carrier
    part.location = (0, 0, 0)
    return carrier, part


def on_vertices(stage: Stage) -> None:
    carrier, _ = _carrier(stage)
    carrier.instance_type = "VERTS"
    carrier.show_instancer_for_render = carrier.show_instancer_for_viewport = stage.rng.random() < 0.5
    _change_carrier(stage, carrier)
    stage.move(carrier, 0.2)


def on_faces(stage: Stage) -> None:
    carrier, _ = _carrier(stage)
    carrier.instance_type = "FACES"
    carrier.show_instancer_for_render = carrier.show_instancer_for_viewport = stage.rng.random() < 0.5
    _change_carrier(stage, carrier)
    stage.move(carrier, 0.2)


def _change_carrier(stage: Stage, carrier: bpy.types.Object) -> None:
    """Let what shows the instances deform, or renumber its vertices and faces."""
    if stage.rng.random() < 0.5:
        name = stage.rng.choice(["simple_deform", "wave", "cast"])
        DEFORMING[name](stage, carrier)
    else:
        name = stage.rng.choice(["mask_window", "gn_sort", "gn_delete"])
        stage.proofs[carrier.name] = Proof.CARRIED
        CARRIED[name](stage, carrier)
    stage.describe(name)


def particles(stage: Stage) -> None:
    """Particles that are born, live and die, shown as an object."""
    emitter = stage.object(kind="grid", size=0.7)
    emitter.rotation_euler = (0, 0, 0)
    part = _part(stage, 0.12, (0, 0, -60), True)
    emitter.modifiers.new("particles", "PARTICLE_SYSTEM")
    settings = emitter.particle_systems[-1].settings
    settings.count, settings.frame_start, settings.frame_end = stage.rng.randint(16, 40), FRAMES[1], FRAMES[-1]
    settings.lifetime, settings.lifetime_random = stage.rng.uniform(1.5, 4), 0.4
    settings.normal_factor, settings.effector_weights.gravity = 6.0, 0.1
    settings.render_type, settings.instance_object, settings.particle_size = "OBJECT", part, 1.0
    emitter.particle_systems[-1].seed = stage.rng.randint(0, 99)


def particle_instances(stage: Stage) -> None:
    """The Particle Instance modifier: copies of a mesh on particles that are born and die, in one mesh."""
    emitter = stage.helper("emitter", stage.mesh("grid", size=0.8))
    emitter.hide_render = emitter.hide_viewport = False
    emitter.show_instancer_for_render = emitter.show_instancer_for_viewport = False
    emitter.modifiers.new("particles", "PARTICLE_SYSTEM")
    settings = emitter.particle_systems[-1].settings
    settings.count, settings.frame_start, settings.frame_end = 24, FRAMES[1], FRAMES[-1]
    settings.lifetime, settings.lifetime_random = 2, 0.5
    settings.normal_factor, settings.effector_weights.gravity, settings.render_type = 6.0, 0.1, "NONE"
    mesh = stage.mesh("box", size=0.15, fine=2)
    mesh.attributes.new("truth_copy", "BYTE_COLOR", "CORNER")
    obj = stage.object(mesh, Proof.CARRIED)
    obj.location, obj.rotation_euler = (0, 0, 0), (0, 0, 0)
    modifier = obj.modifiers.new("copies", "PARTICLE_INSTANCE")
    modifier.object, modifier.particle_system_index = emitter, 1
    modifier.space, modifier.index_layer_name = "WORLD", "truth_copy"
    modifier.show_unborn = modifier.show_dead = False


def _scattered(stage: Stage, nodes: Nodes, points: Any, part: bpy.types.Object, realize: bool) -> Any:
    """Instances of an object on points that carry the truth's attributes."""
    shown = nodes.add("ObjectInfo", {"Object": part, "As Instance": True})
    geometry = next(socket for socket in shown.outputs if socket.name == "Geometry")
    node = nodes.add("InstanceOnPoints", {"Points": points, "Instance": geometry})
    kind = stage.rng.choice(["still", "rotated", "translated", "scaled", "vanishing"])
    stage.describe(kind)
    made = node.outputs[0]
    if kind == "rotated":
        turn = nodes.add("ShaderNodeCombineXYZ", {1: nodes.time(0, 0.1)}).outputs[0]
        made = nodes.add("RotateInstances", {"Instances": made, "Rotation": turn}).outputs[0]
    elif kind == "translated":
        offset = nodes.add("ShaderNodeCombineXYZ", {0: nodes.time(0, 0.08)}).outputs[0]
        made = nodes.add("TranslateInstances", {"Instances": made, "Translation": offset}).outputs[0]
    elif kind == "scaled":
        made = nodes.add("ScaleInstances", {"Instances": made, "Scale": nodes.time(0.8, 0.1)}).outputs[0]
    elif kind == "vanishing":
        chosen = nodes.compare("LESS_THAN", nodes.random(0, 1, 4), nodes.time(0.1, 0.2))
        made = nodes.add("ScaleInstances", {"Instances": made, "Selection": chosen, "Scale": (0.0, 0.0, 0.0)}).outputs[
            0
        ]
    return nodes.add("RealizeInstances", {"Geometry": made}).outputs[0] if realize else made


def node_line(stage: Stage, obj: bpy.types.Object | None = None) -> bpy.types.Object:
    """Instances on a line of points, which are deleted, put into another order, or become more."""
    part = _part(stage, 0.2, (0, 0, -60), True)
    obj = obj or stage.object(bpy.data.meshes.new(stage.name("points")))
    nodes = Nodes(stage.name("line"))
    kind = stage.rng.choice(["constant", "more", "deleted", "sorted", "ids"])
    stage.describe(kind)
    count = nodes.whole(3, 1) if kind == "more" else 6
    line = nodes.add("MeshLine", {"Count": count, "Start Location": (-1, 0, -0.5), "Offset": (0.4, 0, 0.2)}).outputs[0]
    index = nodes.add("InputIndex").outputs[0]
    points = nodes.store(line, "truth_id", index, "POINT")
    if kind == "ids":
        points = nodes.add("SetID", {"Geometry": points, "ID": index}).outputs[0]
    if kind in {"deleted", "ids"}:
        chosen = nodes.compare("LESS_THAN", index, nodes.time(0, 1))
        points = nodes.add("DeleteGeometry", {"Geometry": points, "Selection": chosen}, domain="POINT").outputs[0]
    elif kind == "sorted":
        weight = nodes.random(0, 1, nodes.whole(0, 1))
        points = nodes.add("SortElements", {"Geometry": points, "Sort Weight": weight}, domain="POINT").outputs[0]
    nodes.end(_scattered(stage, nodes, points, part, False), obj)
    return obj


def node_line_alone(stage: Stage) -> None:
    stage.move(node_line(stage))


def node_line_in_collection(stage: Stage) -> None:
    """The same inside an instanced collection, one or two deep."""
    obj = bpy.data.objects.new(stage.name("object"), bpy.data.meshes.new(stage.name("points")))
    stage.keep(obj, Proof.NUMBER, False)
    node_line(stage, obj)
    outer = _collection(stage, obj)
    if stage.rng.random() < 0.5:
        outer = _collection(stage, _instance(stage, outer, (0, 0, 0), False))
    stage.move(_instance(stage, outer, stage.location))


def scattered_on_faces(stage: Stage) -> None:
    """Points distributed on faces, constant or by an animated seed or density, with instances on them."""
    part = _part(stage, 0.13, (0, 0, -60), True)
    obj = stage.object(kind="grid", size=0.9, fine=4)
    stage.move(obj, 0.2)
    kind = stage.rng.choice(["constant", "constant", "seed", "density"])
    stage.describe(kind)
    nodes = Nodes(stage.name("scatter"))
    density = nodes.time(4, 1.5) if kind == "density" else 6.0
    seed = nodes.whole(0, 1) if kind == "seed" else 2
    node = nodes.add("DistributePointsOnFaces", {"Mesh": nodes.geometry, "Density": density, "Seed": seed})
    scattered = _scattered(stage, nodes, node.outputs["Points"], part, False)
    join = nodes.add("JoinGeometry")
    nodes.link(scattered, join.inputs[0])
    nodes.link(nodes.geometry, join.inputs[0])
    nodes.end(join.outputs[0], obj)
    # it must not be scattered anew where the surface stretches, so what deforms it comes after
    if kind == "constant" and stage.rng.random() < 0.5:
        _deform(stage, obj)


def nested_instances(stage: Stage) -> None:
    """Instances of instances, of which some are taken away."""
    part = _part(stage, 0.12, (0, 0, -60), True)
    obj = stage.object(bpy.data.meshes.new(stage.name("points")))
    nodes = Nodes(stage.name("nested"))
    index = nodes.add("InputIndex").outputs[0]
    shown = nodes.add("ObjectInfo", {"Object": part, "As Instance": True})
    inner = nodes.add("MeshLine", {"Count": 3, "Offset": (0.0, 0.0, 0.3)}).outputs[0]
    inner = nodes.add(
        "InstanceOnPoints",
        {
            "Points": nodes.store(inner, "truth_inner", index, "POINT"),
            "Instance": next(socket for socket in shown.outputs if socket.name == "Geometry"),
        },
    ).outputs[0]
    group = nodes.add("GeometryToInstance")
    nodes.link(inner, group.inputs[0])
    outer = nodes.add("MeshLine", {"Count": 5, "Start Location": (-1, 0, -0.4), "Offset": (0.5, 0, 0)}).outputs[0]
    outer = nodes.store(outer, "truth_outer", index, "POINT")
    if stage.rng.random() < 0.6:
        stage.describe("deleted")
        chosen = nodes.compare("LESS_THAN", index, nodes.time(0, 1))
        outer = nodes.add("DeleteGeometry", {"Geometry": outer, "Selection": chosen}, domain="POINT").outputs[0]
    node = nodes.add("InstanceOnPoints", {"Points": outer, "Instance": group.outputs[0]})
    nodes.end(node.outputs[0], obj)
    stage.move(obj)


def replaced_instances(stage: Stage) -> None:
    """In each frame one point goes and another comes, so that their number stays the same."""
    part = _part(stage, 0.18, (0, 0, -60), True)
    obj = stage.object(bpy.data.meshes.new(stage.name("points")))
    nodes = Nodes(stage.name("conveyor"))
    index = nodes.add("InputIndex").outputs[0]
    line = nodes.add("MeshLine", {"Count": 9, "Start Location": (-1.2, 0, 0), "Offset": (0.4, 0, 0.1)}).outputs[0]
    points = nodes.store(line, "truth_id", index, "POINT")
    if stage.rng.random() < 0.5:
        stage.describe("with ids")
        points = nodes.add("SetID", {"Geometry": points, "ID": index}).outputs[0]
    for operation, start in (("LESS_THAN", 0.0), ("GREATER_THAN", 4.0)):
        chosen = nodes.compare(operation, _named(nodes), nodes.time(start, 1))
        points = nodes.add("DeleteGeometry", {"Geometry": points, "Selection": chosen}, domain="POINT").outputs[0]
    nodes.end(_scattered(stage, nodes, points, part, False), obj)
    stage.move(obj)


def _named(nodes: Nodes) -> Any:
    node = nodes.add("InputNamedAttribute", {"Name": "truth_id"}, data_type="INT")
    return node.outputs[0]


def collection_children(stage: Stage) -> None:
    """Collection Info with separate children on points."""
    collection = _collection(stage, *[_part(stage, 0.2, (0, 0, 0)) for _ in range(3)])
    obj = stage.object(bpy.data.meshes.new(stage.name("points")))
    nodes = Nodes(stage.name("children"))
    line = nodes.add("MeshLine", {"Count": nodes.whole(3, 1), "Start Location": (-1, 0, 0), "Offset": (0.4, 0, 0.1)})
    index = nodes.add("InputIndex").outputs[0]
    points = nodes.store(line.outputs[0], "truth_id", index, "POINT")
    info = nodes.add(
        "CollectionInfo", {"Collection": collection, "Separate Children": True, "Reset Children": True}
    ).outputs[0]
    node = nodes.add(
        "InstanceOnPoints", {"Points": points, "Instance": info, "Pick Instance": True, "Instance Index": index}
    )
    nodes.end(node.outputs[0], obj)
    stage.move(obj)


def linked_library(stage: Stage) -> None:
    """A collection linked from another file, and shown by an empty."""
    part = _part(stage, 0.6, (0, 0, 0))
    _deform(stage, part)
    collection = _collection(stage, part)
    name, old = collection.name, part.name
    path = stage.folder / f"library{stage.seed}_{len(stage.recipes)}.blend"
    bpy.data.libraries.write(str(path), {collection}, path_remap="NONE", fake_user=True)
    for helper in list(part.modifiers):
        part.modifiers.remove(helper)
    bpy.data.objects.remove(part)
    bpy.data.collections.remove(collection)
    with bpy.data.libraries.load(str(path), link=True, relative=False) as (_, chosen):
        chosen.collections = [name]
    linked = chosen.collections[0]
    if linked.objects[0].name != old:
        raise RuntimeError("the linked object has another name")
    if stage.rng.random() < 0.5:
        stage.describe("overridden")
        override = linked.override_hierarchy_create(stage.scene, bpy.context.view_layer).objects[0]
        override.name = stage.name("overridden")
        stage.keep(override, Proof.NUMBER, False)
        override.location = stage.location
        stage.move(override)
    else:
        stage.move(_instance(stage, linked, stage.location))


def scale_through_zero(stage: Stage) -> None:
    obj = stage.object()
    first, last = (0.8, 0.8, 0.8), (0.0, 0.0, 0.0) if stage.rng.random() < 0.5 else (-0.8, 0.8, 0.8)
    stage.animate(obj, "scale", first, last)
    straight(obj)


def visibility(stage: Stage) -> None:
    obj = stage.object()
    stage.move(obj)
    for path in ("hide_render", "hide_viewport"):
        for frame in FRAMES:
            setattr(obj, path, frame % 3 == 0)
            obj.keyframe_insert(path, frame=frame)


ORDINARY = {
    "nested_collections": nested_collections,
    "scale_through_zero": scale_through_zero,
}

RENUMBERING = {
    "hidden_member": hidden_member,
    "on_vertices": on_vertices,
    "on_faces": on_faces,
    "particles": particles,
    "particle_instances": particle_instances,
    "gn_line": node_line_alone,
    "gn_line_in_collection": node_line_in_collection,
    "gn_scatter": scattered_on_faces,
    "gn_collection_children": collection_children,
    "gn_nested_instances": nested_instances,
    "gn_replaced_instances": replaced_instances,
    "linked_library": linked_library,
    "visibility": visibility,
}
