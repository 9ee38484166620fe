"""A scene far from the origin, moved there, is the scene that it would be near the origin."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.config import load_cuts
from animerun_gen.dataset import Dataset
from tests.blender.conftest import run_kept

pytestmark = pytest.mark.blender

WORLD = """
FAR = {far}
camera.location.x += FAR
camera.keyframe_insert("location", frame=1)
camera.location.x += 0.5
camera.keyframe_insert("location", frame=9)
cube = add("cube", "cube", (0.8, 0.1, 0.05), size=1, location=(FAR + 0.25, 0, 0))
cube.keyframe_insert("location", frame=1)
cube.location.x += 1.0
cube.location.z += 0.5
cube.keyframe_insert("location", frame=9)
rig = bpy.data.objects.new("rig", None)
scene.collection.objects.link(rig)
rig.location, rig.rotation_euler = (FAR - 1, 1, 1), (0, 0, 0.3)
child = add("cube", "child", (0.1, 0.7, 0.2), size=0.7, location=(0.1234567, 0, 0))
child.parent = rig
child.keyframe_insert("location", frame=1)
child.location.x = 0.7
child.keyframe_insert("location", frame=9)
# drawn by an instance, and itself as well
kit = bpy.data.collections.new("kit")
scene.collection.children.link(kit)
part = add("ico_sphere", "part", (0.2, 0.2, 0.9), radius=0.4, location=(FAR - 1.5, 0, -1.2))
scene.collection.objects.unlink(part)
kit.objects.link(part)
kit.instance_offset = (FAR, 0, 0)
place = bpy.data.objects.new("place", None)
scene.collection.objects.link(place)
place.instance_type, place.instance_collection, place.location = "COLLECTION", kit, (FAR + 1.75, 0.5, 0)
"""

HELD = """
limit = cube.constraints.new("LIMIT_LOCATION")
limit.use_min_x, limit.min_x = True, FAR
"""


def test_far_from_the_origin_moved_is_as_if_it_had_been_made_near(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    far = build("far", WORLD.format(far=100000.0))
    near = build("near", WORLD.format(far=0.0))
    text = "recenter: true\nlines: {freestyle: false}\n"
    made = run_kept("generate", cut(far, text, last=3), cut(near, text, last=3), "--out", tmp_path / "out")
    assert "moved the whole scene by (-100000, 8, 0): where its camera stood, Blender's numbers lie 0.0078 units" in (
        made.stdout
    )
    assert "coarse" not in made.stdout
    folder = tmp_path / "out" / "train"
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "far" in path.relative_to(folder).parts[1])
    files = [path for path in files if path.relative_to(folder).parts[0] != "Camera"]
    assert len(files) > 15
    for path in files:
        parts = path.relative_to(folder).parts
        assert path.read_bytes() == folder.joinpath(parts[0], "near", *parts[2:]).read_bytes(), path
    # cameras remember where the film has them
    cameras, of_near = (Dataset(tmp_path / "out").clip(name).cameras for name in ("far", "near"))
    moved = [json.loads((folder / "Camera" / f"{name}.json").read_text())["moved_by"] for name in ("far", "near")]
    assert moved == [[100000.0, -8.0, 0.0], [0.0, -8.0, 0.0]]
    for frame in cameras.frames:
        assert np.array_equal(cameras.at(frame).world_to_camera, of_near.at(frame).world_to_camera)


def test_where_numbers_are_coarse_it_is_said_in_pixels_and_refused(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    coarse = build("coarse", WORLD.format(far=20000.0))
    worse = build("worse", WORLD.format(far=400000.0))
    no_lines = "lines: {freestyle: false}\n"
    made = run_kept("generate", cut(coarse, no_lines), cut(worse, no_lines), "--out", tmp_path / "out", check=False)
    assert made.returncode == 1
    # 96 pixels wide and 50 mm: a unit at the distance of 8 is about 17 pixels
    assert "Blender's numbers lie 0.002 units apart, which is 0.03" in made.stdout
    assert "places and motion are no more exact than that; set recenter to true" in made.stdout
    assert "Blender's numbers lie 0.031 units apart, which is 0.5" in made.stdout
    assert "labels would be wrong; set recenter to true" in made.stdout


def test_init_moves_the_scene_where_it_can_be_moved_and_says_what_holds_it(
    build: Callable[[str, str], Path], tmp_path: Path
) -> None:
    config = tmp_path / "draft.yaml"
    said = run_kept("init", build("free", WORLD.format(far=100000.0)), "-o", config).stdout
    assert "the whole scene is moved to the origin before anything is evaluated (recenter)" in said
    assert load_cuts([config])[0].config.recenter

    said = run_kept("init", build("held", WORLD.format(far=100000.0) + HELD), "-o", config, "--force").stdout
    assert "'cube' would not follow when the scene is moved, because a constraint" in said
    assert not load_cuts([config])[0].config.recenter
