"""The tables of docs/identity.md say what is followed; here Blender does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.blender.conftest import PROJECT, render_cuts, run_script
from tests.blender.test_geometry import valid_share

pytestmark = pytest.mark.blender

TRAP = "trap: "
"""How the names of scenes begin that are on no page, see identity_rows.py."""

PAGE = (PROJECT / "docs" / "identity.md").read_text(encoding="utf-8")
EXPECTED = dict(re.findall(r"^\| (.+?) \| (followed|what stays|unknown) \|$", PAGE, re.MULTILINE))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    path = tmp_path_factory.mktemp("identity") / "rows.json"
    command = [sys.executable, "-m", "tests.blender.identity_rows", str(path)]
    made = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600)
    assert path.exists(), made.stderr
    return {result["name"]: result for result in json.loads(path.read_text(encoding="utf-8"))}


def test_the_page_has_every_row(results: dict[str, dict[str, Any]]) -> None:
    assert {name for name in results if not name.startswith(TRAP)} == set(EXPECTED)


def test_nothing_is_matched_where_equal_numbers_mean_other_points(results: dict[str, dict[str, Any]]) -> None:
    traps = [result for name, result in results.items() if name.startswith(TRAP)]
    assert len(traps) >= 8
    for result in traps:
        assert "error" not in result, result
        assert result["triangles"] > 0, result
        assert result["moved"], result
        assert result["matched"] == 0, result


@pytest.mark.parametrize("name", EXPECTED)
def test_blender_does_what_the_page_says(name: str, results: dict[str, dict[str, Any]]) -> None:
    result = results[name]
    assert "error" not in result, result
    assert result["notes"] == []
    assert result["moved"], "a mesh that does not change within itself shows nothing"
    # by the texture coordinates, where there are any
    assert not result["wrong"]
    if EXPECTED[name] == "followed":
        assert result["matched"] == result["triangles"]
    elif EXPECTED[name] == "what stays":
        assert 0 < result["matched"] <= result["kept"]
        assert result["matched"] >= 0.5 * result["kept"]
    else:
        assert result["matched"] == 0


def test_every_modifier_of_blender_stands_on_the_page() -> None:
    """A modifier that this Blender has for meshes is named, or among the others that are unknown."""
    script = (
        "import bpy, json\n"
        "kinds = [kind.identifier for kind in bpy.types.Modifier.bl_rna.properties['type'].enum_items]\n"
        "print('kinds', json.dumps([kind for kind in kinds if not kind.startswith('GREASE')]))"
    )
    told = run_script(script).stdout
    kinds = json.loads(next(line for line in told.splitlines() if line.startswith("kinds "))[6:])
    assert len(kinds) > 50
    missing = [kind for kind in kinds if not re.search(rf"\b{kind}\b", PAGE) and kind not in {"NODES"}]
    assert missing == []


SCATTER = """
def point_cloud(name, count):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0.9 * (i - 1.5), 0, 0) for i in range(count)], [], [])
    made = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(made)
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    made.modifiers.new(name, "NODES").node_group = tree
    return made, tree, tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")

leaf = add("plane", "leaf", (1, 0.5, 0), size=0.6, rotation=(math.pi / 2, 0, 0))
bpy.ops.object.transform_apply(rotation=True)
leaf.hide_render = True
"""


@pytest.mark.parametrize("below_an_empty", [False, True])
def test_instances_of_points_that_are_sorted_anew_are_followed(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path, below_an_empty: bool
) -> None:
    """Four leaves on the vertices of a mesh; in frame 2 nodes sort them the other way round and drop one."""
    script = (
        SCATTER
        + """
made, tree, arriving, leaving = point_cloud("points", 4)
sort, drop = tree.nodes.new("GeometryNodeSortElements"), tree.nodes.new("GeometryNodeDeleteGeometry")
stand, info = tree.nodes.new("GeometryNodeInstanceOnPoints"), tree.nodes.new("GeometryNodeObjectInfo")
info.inputs["Object"].default_value = leaf
index, times, below = (tree.nodes.new(kind) for kind in
                       ("GeometryNodeInputIndex", "ShaderNodeMath", "FunctionNodeCompare"))
times.operation = "MULTIPLY"
below.data_type, below.operation = "FLOAT", "LESS_THAN"
tree.links.new(index.outputs[0], times.inputs[0])
tree.links.new(times.outputs[0], sort.inputs["Sort Weight"])
tree.links.new(index.outputs[0], below.inputs[0])
tree.links.new(below.outputs[0], drop.inputs["Selection"])
for a, b in ((arriving.outputs[0], sort.inputs[0]), (sort.outputs[0], drop.inputs[0]),
             (drop.outputs[0], stand.inputs["Points"]), (info.outputs["Geometry"], stand.inputs["Instance"]),
             (stand.outputs[0], leaving.inputs[0])):
    tree.links.new(a, b)
for frame, sign, gone in ((1, 1.0, 0.0), (2, -1.0, 1.0)):
    for plug, value in ((times.inputs[1], sign), (below.inputs[1], gone)):
        plug.default_value = value
        plug.keyframe_insert("default_value", frame=frame)
made.location.z = 0
made.keyframe_insert("location", frame=1)
made.location.z = 0.2
made.keyframe_insert("location", frame=2)
"""
    )
    if below_an_empty:
        script += """
inner = bpy.data.collections.new("inner")
scene.collection.objects.unlink(made)
inner.objects.link(made)
empty = bpy.data.objects.new("prop", None)
empty.instance_type, empty.instance_collection = "COLLECTION", inner
scene.collection.objects.link(empty)
"""
    dataset, _ = render_cuts(tmp_path, cut(build("scatter", script)))
    clip = dataset.clip("scatter")
    leaves = clip.read("object_id", 1) > 0
    valid = clip.read("valid_forward", 1) & leaves
    # the last of the four is first in frame 2, and dropped
    columns = np.flatnonzero(leaves.any(axis=0))
    last = columns > columns[0] + 0.75 * (columns[-1] - columns[0])
    assert valid[:, columns[~last]].sum() == leaves[:, columns[~last]].sum()
    assert not valid[:, columns[last]].any()
    flow = clip.read("flow_forward", 1)[valid]
    # 0.2 at a distance of 8: 96 / 36 * 50 / 8 * 0.2 = 3.33 px upwards
    assert np.abs(flow - (0.0, -10 / 3)).max() < 1e-4


def test_instances_without_identity_are_known_only_while_none_moves(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    """The same leaves on a line of points made by nodes, one of which is dropped at its start from frame 3 on."""
    script = (
        SCATTER
        + """
made, tree, arriving, leaving = point_cloud("points", 1)
line, drop = tree.nodes.new("GeometryNodeMeshLine"), tree.nodes.new("GeometryNodeDeleteGeometry")
stand, info = tree.nodes.new("GeometryNodeInstanceOnPoints"), tree.nodes.new("GeometryNodeObjectInfo")
info.inputs["Object"].default_value = leaf
line.inputs["Count"].default_value = 5
line.inputs["Start Location"].default_value = (-1.6, 0, 0)
line.inputs["Offset"].default_value = (0.8, 0, 0)
index, below = tree.nodes.new("GeometryNodeInputIndex"), tree.nodes.new("FunctionNodeCompare")
below.data_type, below.operation = "FLOAT", "LESS_THAN"
tree.links.new(index.outputs[0], below.inputs[0])
tree.links.new(below.outputs[0], drop.inputs["Selection"])
for a, b in ((line.outputs[0], drop.inputs[0]), (drop.outputs[0], stand.inputs["Points"]),
             (info.outputs["Geometry"], stand.inputs["Instance"]), (stand.outputs[0], leaving.inputs[0])):
    tree.links.new(a, b)
for frame, gone in ((1, 0.0), (2, 0.0), (3, 1.0)):
    below.inputs[1].default_value = gone
    below.inputs[1].keyframe_insert("default_value", frame=frame)
"""
    )
    dataset, _ = render_cuts(tmp_path, cut(build("line", script), last=3))
    clip = dataset.clip("line")
    assert valid_share(clip, "points", "forward", 1) == 1.0
    assert valid_share(clip, "points", "forward", 2) == 0.0
    assert valid_share(clip, "points", "backward", 3) == 0.0


def test_members_of_collections_in_collections_are_followed_whoever_shows_them(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    """Two empties show one collection; both stand in another that is shown by a third, which rises by 0.2.

    An empty draws nothing, so Blender does not list it among what is drawn.
    """
    script = """
        step = add("cube", "step", (1, 0.5, 0), size=0.8)
        inner, outer = bpy.data.collections.new("inner"), bpy.data.collections.new("outer")
        scene.collection.objects.unlink(step)
        inner.objects.link(step)

        def showing(name, collection, holder, x):
            empty = bpy.data.objects.new(name, None)
            empty.instance_type, empty.instance_collection, empty.location.x = "COLLECTION", collection, x
            holder.objects.link(empty)
            return empty

        showing("left", inner, outer, -1.2)
        showing("right", inner, outer, 1.2)
        bridge = showing("bridge", outer, scene.collection, 0)
        for frame, height in ((1, 0.0), (2, 0.2)):
            bridge.location.z = height
            bridge.keyframe_insert("location", frame=frame)
    """
    dataset, _ = render_cuts(tmp_path, cut(build("bridge", script)))
    clip = dataset.clip("bridge")
    assert valid_share(clip, "step", "forward", 1) == 1.0
    steps = clip.read("object_id", 1) > 0
    columns = np.flatnonzero(steps.any(axis=0))
    assert (np.diff(columns) > 5).any(), "there are two of them, apart"
    flow = clip.read("flow_forward", 1)[steps]
    # at distances of 7.6 to 8.4: 13.3 px over the distance, times 2
    assert np.abs(flow[:, 0]).max() < 0.1
    assert ((flow[:, 1] < -3.1) & (flow[:, 1] > -3.6)).all()
