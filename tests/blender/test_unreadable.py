"""Points and volumes, which have no triangles: a draft leaves them out, and what is empty disturbs nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.config import load_cuts
from tests.blender.conftest import SCENE, render_cuts, run_kept

pytestmark = pytest.mark.blender

WITHOUT_SURFACES = (
    SCENE
    + """
def nodes(name, obj, *kinds):
    group = bpy.data.node_groups.new(name, "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    last = group.nodes.new("NodeGroupInput").outputs[0]
    for kind in kinds:
        node = group.nodes.new(kind)
        group.links.new(last, node.inputs[0])
        last = node.outputs[0]
    group.links.new(last, group.nodes.new("NodeGroupOutput").inputs[0])
    obj.modifiers.new(name, "NODES").node_group = group
    return group

def put(name, data, x):
    thing = bpy.data.objects.new(name, data)
    scene.collection.objects.link(thing)
    thing.location = (x, 0, -1.5)
    return thing

nodes("points", add("cube", "points", (1, 1, 0), size=0.5, location=(-2, 0, 1)), "GeometryNodeMeshToPoints")
nodes("fog", add("cube", "fog", (1, 1, 0), size=0.5, location=(2, 0, 1)), "GeometryNodeMeshToVolume")
# nothing is left to make points of
nothing = add("cube", "nothing", (0, 1, 0), size=0.5, location=(0, 0, 1.5))
group = nodes("none", nothing, "GeometryNodeDeleteGeometry", "GeometryNodeMeshToPoints")

put("empty volume", bpy.data.volumes.new("empty volume"), 0)
bpy.ops.object.grease_pencil_add(type="STROKE")
bpy.context.object.name = "strokes"
bpy.ops.object.grease_pencil_add(type="EMPTY")
bpy.context.object.name = "no strokes"
bpy.ops.object.pointcloud_random_add()
bpy.context.object.name = "cloud"
"""
)


def test_a_draft_leaves_out_what_cannot_be_followed_and_renders(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    source = build("shapeless", WITHOUT_SURFACES)
    config = tmp_path / "draft.yaml"

    said = run_kept("init", source, "-o", config).stdout

    drafted = load_cuts([config])[0].config
    assert set(drafted.remove.objects) == {"points", "fog", "cloud"}
    assert "'points': its geometry nodes make a point cloud" in said
    assert "empty volume" not in said
    dataset, _ = render_cuts(tmp_path, config)
    shown = set(dataset.clip(drafted.name).read_names("object_id").values())
    assert {"box", "ball", "nothing", "strokes"} <= shown


def test_what_is_empty_is_no_error(build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path) -> None:
    source = build(
        "empty",
        WITHOUT_SURFACES
        + 'for name in ("points", "fog", "cloud"):\n    bpy.data.objects.remove(bpy.data.objects[name])\n',
    )
    dataset, said = render_cuts(tmp_path, cut(source))
    assert dataset.clip("empty").read("flat", 1).shape == (64, 96, 3)
    assert "'no strokes'" not in said
    assert "empty volume" not in said
