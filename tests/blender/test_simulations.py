"""Simulations are played wherever they are, and what is made does not depend on where a process begins."""

from __future__ import annotations

import filecmp
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import Dataset
from tests.blender.conftest import run_elsewhere, run_kept
from tests.blender.test_graphs import run_in_blender

pytestmark = pytest.mark.blender

SIMULATED = """
scene.frame_start, scene.frame_end = 3, 12

def instanced(name, inside):
    drawn = bpy.data.collections.new(name)
    prop = bpy.data.objects.new(name + " prop", None)
    prop.instance_type, prop.instance_collection = "COLLECTION", drawn
    inside.objects.link(prop)
    return drawn

def take_into(thing, collection):
    scene.collection.objects.unlink(thing)
    collection.objects.link(thing)

outer = instanced("outer", scene.collection)
inner = instanced("inner", outer)

def sheet(name, place):
    thing = add("grid", name, (0.8, 0.2, 0.1), x_subdivisions=6, y_subdivisions=6, location=place)
    pinned = thing.vertex_groups.new(name="pinned")
    pinned.add(list(range(7)), 1.0, "REPLACE")
    return thing

# its cache begins before the scene, and the viewport's own mesh is coarser
flag = sheet("flag", (-2.5, 0, 1.5))
flag.modifiers.new("fine", "SUBSURF").levels = 0
flag.modifiers["fine"].render_levels = 1
flag.modifiers.new("cloth", "CLOTH").point_cache.frame_start = 1
take_into(flag, inner)
jelly = sheet("jelly", (2.5, 0, 1.5))
jelly.modifiers.new("soft", "SOFT_BODY").settings.vertex_group_goal = "pinned"
jelly.hide_viewport = True

zone = bpy.data.node_groups.new("zone", "GeometryNodeTree")
group = bpy.data.node_groups.new("group", "GeometryNodeTree")
for tree in (zone, group):
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
first, last = zone.nodes.new("GeometryNodeSimulationInput"), zone.nodes.new("GeometryNodeSimulationOutput")
first.pair_with_output(last)
step = zone.nodes.new("GeometryNodeTransform")
step.inputs["Translation"].default_value = (0.12, 0, 0.05)
zone.links.new(zone.nodes.new("NodeGroupInput").outputs[0], first.inputs["Geometry"])
zone.links.new(first.outputs["Geometry"], step.inputs["Geometry"])
zone.links.new(step.outputs["Geometry"], last.inputs["Geometry"])
zone.links.new(last.outputs["Geometry"], zone.nodes.new("NodeGroupOutput").inputs[0])
nested = group.nodes.new("GeometryNodeGroup")
nested.node_tree = zone
group.links.new(group.nodes.new("NodeGroupInput").outputs[0], nested.inputs[0])
group.links.new(nested.outputs[0], group.nodes.new("NodeGroupOutput").inputs[0])
walker = add("cube", "walker", (0.1, 0.2, 0.8), size=0.8, location=(-0.5, 0, -1))
walker.modifiers.new("nodes", "NODES").node_group = group
take_into(walker, inner)

pool = add("grid", "pool", (0.1, 0.6, 0.6), x_subdivisions=20, y_subdivisions=20, rotation=(1.1, 0, 0))
rod = add("cube", "rod", (0.5, 0.5, 0.5), size=0.5)
for frame, x in ((1, -0.9), (12, 0.9)):
    rod.location.x = x
    rod.keyframe_insert("location", frame=frame)
for thing, kind in ((pool, "CANVAS"), (rod, "BRUSH")):
    bpy.context.view_layer.objects.active = thing
    thing.modifiers.new("paint", "DYNAMIC_PAINT").ui_type = kind
    bpy.ops.dpaint.type_toggle(type=kind)
pool.modifiers["paint"].canvas_settings.canvas_surfaces[0].surface_type = "WAVE"
# Blender itself finds brushes no deeper
for thing in (pool, rod):
    take_into(thing, outer)
rod.hide_render = True
scene.frame_set(3)
"""

PLAIN = """
resolution: [160, 90]
lines: {engine: geometry}
motion: {extras: [ids, depth]}
remove: {rules: []}
"""


def test_what_is_simulated_moves_and_is_the_same_wherever_a_process_begins(
    build: Callable[[str, str], Path], tmp_path: Path
) -> None:
    config = tmp_path / "simulated.yaml"
    source = build("simulated", SIMULATED)
    config.write_text(f"name: simulated\nsource: {source.name}\nframes: {{first: 6, last: 10}}\n{PLAIN}")
    said = run_kept("render", config, "--out", tmp_path / "whole", "--chunk-frames", 9).stdout
    run_elsewhere("render", config, "--out", tmp_path / "parts", "--chunk-frames", 1)
    assert "simulations are played before the first frame of the clip: 'flag', 'jelly', 'pool', 'rod', 'walker'" in said
    whole = tmp_path / "whole" / "train"
    files = [file.relative_to(whole) for file in sorted(whole.rglob("*")) if file.is_file()]
    assert len(files) > 40
    assert not [f for f in files if not filecmp.cmp(whole / f, tmp_path / "parts" / "train" / f, shallow=False)]
    clip = Dataset(tmp_path / "whole").clip("simulated")
    names = {name: int(number) for number, name in clip.read_names("object_id").items()}
    for frame in clip.frame_numbers[:-1]:
        # waves are in a part of the pool only
        for thing, share in (("flag", 0.5), ("jelly", 0.5), ("walker", 0.5), ("pool", 0.02)):
            there = (clip.read("object_id", frame) == names[thing]) & clip.read("valid_forward", frame)
            moved = np.hypot(*np.moveaxis(clip.read("flow_forward", frame)[there], -1, 0))
            assert there.sum() > 20
            assert (moved > 0.2).mean() > share, (frame, thing)
    # dynamic paint knows no other place than files; one is written when Blender opens the film
    assert len(list((tmp_path / "blendcache_simulated").glob("*"))) <= 1


LOOKED_AT = """
from animerun_gen.blender.simulations import find_simulations, first_played_frame, is_simulated
bpy.ops.wm.read_homefile(use_empty=True)
scene, other = bpy.context.scene, bpy.data.scenes.new("other")
scene.frame_start = 1
def flag(name):
    thing = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    thing.modifiers.new("cloth", "CLOTH").point_cache.frame_start = -4
    return thing
stored = flag("in no scene")
elsewhere = flag("in another scene")
other.collection.objects.link(elsewhere)
proxy = bpy.data.objects.new("proxy", bpy.data.meshes.new("proxy"))
scene.collection.objects.link(proxy)
answer = {"unused": [is_simulated(scene), first_played_frame(scene)]}
proxy.modifiers.new("follow", "SURFACE_DEFORM").target = stored
answer["depended on"] = [each.owner.name for each in find_simulations(scene)]
answer["begins"] = first_played_frame(scene)
scene.background_set = other
answer["with a set"] = [each.owner.name for each in find_simulations(scene)]
"""


def test_only_what_the_scene_needs_is_played() -> None:
    found = run_in_blender(LOOKED_AT)
    assert found["unused"] == [False, 1]
    assert found["depended on"] == ["in no scene"]
    assert found["begins"] == -4
    assert found["with a set"] == ["in another scene", "in no scene"]
