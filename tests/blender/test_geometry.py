"""Geometry that must be followed exactly, marked unknown, or refused."""

from __future__ import annotations

import filecmp
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles
from tests.blender.conftest import SCENE, render_cuts, run_elsewhere, run_kept

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]


def valid_share(clip: ClipFiles, name: str, direction: str = "forward", frame: int = 1) -> float:
    """Share of an object's pixels whose motion is known; the object must be seen."""
    number = next(int(n) for n, found in clip.read_names("object_id").items() if found == name)
    seen = clip.read("object_id", frame) == number
    assert seen.sum() > 20
    return float(clip.read(f"valid_{direction}", frame)[seen].mean())


def test_what_a_boolean_cuts_is_known_only_while_nothing_changes_within(build: Build, cut: Cut, tmp_path: Path) -> None:
    """Between frames 1 and 2 cutter and box move together, between 2 and 3 the cutter moves on alone."""
    script = """
        box = add("cube", "box", (1, 0, 0), size=2)
        cutter = add("cube", "cutter", (0, 1, 0), size=1, location=(0.6, -0.9, 0.5))
        cutter.parent = box
        cutter.hide_render = True
        carve = box.modifiers.new("carve", "BOOLEAN")
        carve.operation, carve.object, carve.solver = "DIFFERENCE", cutter, "EXACT"
        for frame, place, cut in ((1, 0.0, 0.6), (2, 0.5, 0.6), (3, 0.5, 0.7)):
            box.location.z = place
            box.keyframe_insert("location", frame=frame)
            cutter.location.x = cut
            cutter.keyframe_insert("location", frame=frame)
    """
    dataset, _ = render_cuts(tmp_path, cut(build("boolean", script), last=3))
    clip = dataset.clip("boolean")
    assert valid_share(clip, "box", "forward", 1) == 1.0
    # the faces that the cutter does not reach are the film's own
    for direction, frame in (("forward", 2), ("backward", 3)):
        assert 0.3 < valid_share(clip, "box", direction, frame) < 0.8
        known = clip.read(f"valid_{direction}", frame)
        assert (clip.read(f"flow_{direction}", frame)[known] == 0.0).all()


def test_instances_on_vertices_are_known_by_these_vertices(build: Build, cut: Cut, tmp_path: Path) -> None:
    script = """
        leaf = add("cube", "leaf", (0, 0.5, 0), size=0.5)
        grid = add("plane", "grid", (1, 1, 1), size=1, location=(-1.5, 0, 0))
        leaf.parent = grid
        grid.instance_type = "VERTS"
        more = grid.modifiers.new("more", "ARRAY")
        more.relative_offset_displace = (1.5, 0, 0)
        for frame, count in ((1, 2), (2, 2), (3, 3)):
            more.count = count
            more.keyframe_insert("count", frame=frame)
            grid.location.z = 0.1 * frame
            grid.keyframe_insert("location", frame=frame)
    """
    dataset, _ = render_cuts(tmp_path, cut(build("instances", script), last=3))
    clip = dataset.clip("instances")
    assert valid_share(clip, "leaf", "forward", 1) == 1.0
    assert valid_share(clip, "leaf", "forward", 2) == 1.0
    for earlier in (1, 2):
        flow = clip.read("flow_forward", earlier)[clip.read("valid_forward", earlier)]
        moved = flow[np.abs(flow).max(axis=1) > 1e-6]
        # 0.1 is 96 / 36 * 50 * 0.1 = 13.3 px at a distance of 1, and everything is 7.2 to 8.9 away
        assert np.abs(moved[:, 0]).max() < 1e-6
        assert (moved[:, 1] > -13.4 / 7.2).all()
        assert (moved[:, 1] < -13.3 / 8.9).all()
    # what the third copy carries was not there before
    assert 0.5 < valid_share(clip, "leaf", "backward", 3) < 0.9


def test_what_geometry_nodes_make_without_surface_is_refused(build: Build, cut: Cut, tmp_path: Path) -> None:
    script = (
        SCENE
        + """
group = bpy.data.node_groups.new("points", "GeometryNodeTree")
group.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
start, end = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
points = group.nodes.new("GeometryNodeMeshToPoints")
group.links.new(start.outputs[0], points.inputs[0])
group.links.new(points.outputs[0], end.inputs[0])
ball.modifiers.new("nodes", "NODES").node_group = group
"""
    )
    config = cut(build("points", script))
    result = run_kept("render", config, "--out", tmp_path / "out", check=False)
    assert result.returncode == 1
    assert "object 'ball' draws a point cloud, in frame 1, made by geometry nodes" in result.stdout
    assert "remove.objects" in result.stdout
    assert not list((tmp_path / "out").rglob("*.flo"))


def test_slots_of_an_object_win_over_those_of_its_mesh(build: Build, cut: Cut, tmp_path: Path) -> None:
    """Two objects share a mesh; one wears another material by its own slot."""
    script = """
        one = add("plane", "one", (1, 0, 0), size=1.5, location=(-1, 0, 0), rotation=(math.pi / 2, 0, 0))
        other = one.copy()
        other.name = "other"
        other.location.x = 1
        scene.collection.objects.link(other)
        other.material_slots[0].link = "OBJECT"
        other.material_slots[0].material = paint("own", (0, 0, 1))
    """
    dataset, _ = render_cuts(tmp_path, cut(build("slots", script)))
    clip = dataset.clip("slots")
    flat, ids = clip.read("flat", 1), clip.read("material_id", 1)
    names = clip.read_names("material_id")
    shown = {names[str(n)]: np.unique(flat[ids == n], axis=0).tolist() for n in np.unique(ids)}
    assert shown["one"] == [[255, 0, 0]]
    assert shown["own"] == [[0, 0, 255]]


def test_a_simulation_does_not_depend_on_where_the_work_begins(build: Build, cut: Cut, tmp_path: Path) -> None:
    script = """
        scene.frame_start, scene.frame_end = 1, 20
        add("uv_sphere", "stone", (0.3, 0.3, 0.3), radius=0.7, location=(0, 0, -0.5)).modifiers.new("hit", "COLLISION")
        cloth = add("grid", "cloth", (1, 0, 0), x_subdivisions=14, y_subdivisions=14, size=3, location=(0, 0, 0.6))
        cloth.modifiers.new("cloth", "CLOTH")
    """
    source = build("cloth", script)
    config = cut(source)
    text = config.read_text().replace("first: 1, last: 2", "first: 9, last: 12")
    config.write_text(text + "motion: {gaps: [1, 2], tracks: 40}\n", encoding="utf-8")
    run_kept("render", config, "--out", tmp_path / "whole")
    for frames in ("11:12", "9:10", "9:12"):
        run_elsewhere("render", config, "--out", tmp_path / "parts", "--frames", frames)
    names = [file.relative_to(tmp_path / "whole") for file in (tmp_path / "whole" / "train").rglob("*.*")]
    assert len(names) > 20
    for name in names:
        assert filecmp.cmp(tmp_path / "whole" / name, tmp_path / "parts" / name, shallow=False), name
    flow = np.fromfile(tmp_path / "whole" / "train/Flow/cloth/forward/0009.flo", np.float32)[3:]
    assert np.abs(flow[np.abs(flow) < 1e9]).max() > 0.3
    # tracks see the scene twice, and the second time it must do what it did the first time
    clip = ClipFiles(tmp_path / "whole", "train", "cloth")
    tracks = clip.read_tracks()
    own = tracks.query_frame == 10
    x, y = tracks.position[1, own].astype(int).T
    moved = tracks.position[3, own] - tracks.position[1, own]
    assert own.sum() == 10
    assert np.allclose(moved, clip.read("flow_forward_gap2", 10)[y, x], rtol=1e-6, atol=1e-9)
    assert np.array_equal(tracks.visible[3, own], ~clip.read("exact_occlusion_forward_gap2", 10)[y, x])
