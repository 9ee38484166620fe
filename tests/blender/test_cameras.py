"""Focal lengths that are fixed, cameras from the configuration, and cuts that are split at camera cuts."""

from __future__ import annotations

import filecmp
import json
import math
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from scenes.motion import CameraState
from scenes.transforms import looking
from tests.blender.analytic import project, unproject
from tests.blender.conftest import PROJECT, needs_installed_blender, render_cuts, run_elsewhere, run_kept

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]

PLAIN = "lines: {freestyle: false, outline: false}\nmotion: {background: invalid, extras: [depth, ids]}\n"

SHOT = """
import json
ball = add("uv_sphere", "ball", (0.8, 0.1, 0.1), radius=0.5, segments=64, ring_count=32, location=(0.3, 2, 0.4))
for place in ((-3, 5, 0), (3, 6, 1), (0, -1, -1.5)):
    add("cube", "box", (0.1, 0.5, 0.1), size=1, location=place, rotation=(0.3, 0.2, 0.5))
add("plane", "wall", (0.2, 0.2, 0.8), size=60, location=(0, 17, 0), rotation=(math.pi / 2, 0, 0))

# what a film hangs its camera on: a rig that turns and is scaled, camera shake, a constraint
rig = bpy.data.objects.new("rig", None)
scene.collection.objects.link(rig)
rig.scale = (2, 2, 2)
for frame, x, turn in ((1, 0.0, 0.1), (4, 0.8, -0.3)):
    rig.location.x, rig.rotation_euler.z = x, turn
    rig.keyframe_insert("location", frame=frame)
    rig.keyframe_insert("rotation_euler", frame=frame)
camera.parent = rig
camera.location = (0, -4, 0.5)
camera.keyframe_insert("location", frame=1)
for curve in camera.animation_data.action.fcurves:
    noise = curve.modifiers.new("NOISE")
    noise.scale, noise.strength, noise.phase = 1.7, 0.2, curve.array_index
track = camera.constraints.new("TRACK_TO")
track.target, track.track_axis, track.up_axis = ball, "TRACK_NEGATIVE_Z", "UP_Y"
camera.data.clip_start, camera.data.clip_end = 2.0, 34.0
camera.data.shift_x = 0.02
"""

ZOOMS = {
    "lens": "for frame, value in ((1, 50.0), (4, 30.0)):\n"
    "    camera.data.lens = value\n    camera.data.keyframe_insert('lens', frame=frame)\n",
    "sensor": "for frame, value in ((1, 24.0), (4, 40.0)):\n"
    "    camera.data.sensor_width = value\n    camera.data.keyframe_insert('sensor_width', frame=frame)\n",
}

TOLD = """
told = {}
for frame in range(1, 5):
    scene.frame_set(frame)
    film = camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
    world = film.matrix_world.normalized()
    told[frame] = [[list(row) for row in world], film.data.lens, film.data.sensor_width]
    told[frame].append((world.inverted() @ ball.matrix_world.translation).z)
with open(TOLD_FILE, "w") as file:
    json.dump(told, file)
"""


def state(world: np.ndarray, lens: float, sensor: float, shift: float = 0.0) -> CameraState:
    return {
        "kind": "PERSP",
        "matrix_world": world,
        "lens": lens,
        "sensor_width": sensor,
        "shift_x": shift,
        "shift_y": 0.0,
    }  # type: ignore[typeddict-item]


def assert_flow_of_a_still_world(clip: ClipFiles, cameras: dict[int, CameraState], least: float = 0.0) -> None:
    """Hold every surface's flow, both ways, against a textbook pinhole."""
    for earlier, later in pairwise(clip.frame_numbers):
        for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
            depth = clip.read("depth", source).astype(np.float64)
            height, width = depth.shape
            seen = np.isfinite(depth)
            y, x = np.nonzero(seen)
            points = unproject(cameras[source], x, y, depth[seen], width, height)
            flow = project(cameras[target], points, width, height) - np.stack([x, y], axis=1)
            assert clip.read(f"valid_{direction}", source)[seen].all()
            assert np.abs(clip.read(f"flow_{direction}", source)[seen] - flow).max() < 1e-3
            assert np.abs(flow).max() > least


def extent(clip: ClipFiles, frame: int, name: str) -> float:
    """Square root of an object's area in the picture."""
    number = next(int(n) for n, found in clip.read_names("object_id").items() if found == name)
    return math.sqrt((clip.read("object_id", frame) == number).sum())


@pytest.mark.parametrize("zoom", ["lens", "sensor"])
def test_a_dolly_shows_what_is_in_focus_as_large_as_the_film_and_moves_as_the_formula_says(
    build: Build, cut: Cut, tmp_path: Path, zoom: str
) -> None:
    told_file = tmp_path / "told.json"
    script = SHOT + ZOOMS[zoom] + "camera.data.dof.focus_object = ball\n" + f"TOLD_FILE = {str(told_file)!r}\n" + TOLD
    source = build("shot", script)
    shutil.copy(source, tmp_path / "kept.blend")
    text = PLAIN.replace("ids]", "ids], tracks: 40") + "resolution: [640, 360]\n"
    config = cut(source, text, last=4)
    config.write_text(config.read_text().replace("resolution: [96, 64]\n", ""))
    kept = tmp_path / "kept.yaml"
    kept.write_text(f"inherit: {config.name}\nname: kept\ncamera_motion: {{focal_length: keep}}\n")
    dataset, said = render_cuts(tmp_path, config, kept)
    clip, film = dataset.clip("shot"), dataset.clip("kept")

    cameras = {}
    told = json.loads(told_file.read_text())
    _, lens, sensor, _ = told["1"]
    for frame, (world, own_lens, own_sensor, z) in told.items():
        moved = np.array(world)
        # a child of the camera: along its axis, by what the magnification changes
        moved[:3, 3] += moved[:3, 2] * -z * ((lens / sensor) / (own_lens / own_sensor) - 1.0)
        cameras[int(frame)] = state(moved, lens, sensor, 0.02)
    assert_flow_of_a_still_world(clip, cameras, least=2.0)
    sizes, in_film = (np.array([extent(c, frame, "ball") for frame in clip.frame_numbers]) for c in (clip, film))
    assert np.abs(sizes / in_film - 1.0).max() < 0.005
    assert in_film[-1] / in_film[0] < 0.7
    # points that are followed go where the flow says
    tracks, flow = clip.read_tracks(), clip.read("flow_forward", 1)
    chosen = tracks.query_frame == 1
    x, y = tracks.position[0, chosen].T.astype(int)
    assert np.abs(tracks.position[1, chosen] - tracks.position[0, chosen] - flow[y, x]).max() < 1e-3
    # the film shows the wall everywhere; the camera that goes back from it must not lose it
    for frame in (1, 4):
        assert np.isfinite(film.read("depth", frame)).all()
        assert np.isfinite(clip.read("depth", frame)).all()
    assert "fixed the focal length of camera 'Camera' at" in said
    assert "'ball'" in said


def test_the_median_depth_is_that_of_the_first_frame_wherever_a_process_begins(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    config = cut(build("shot", SHOT + ZOOMS["lens"]), PLAIN, last=4)
    run_kept("render", config, "--out", tmp_path / "whole")
    said = run_elsewhere("render", config, "--out", tmp_path / "part", "--frames", "3:4").stdout
    part = tmp_path / "part" / "train"
    # the cameras of a clip are files of the frames that there are
    files = [
        file.relative_to(part) for file in sorted(part.rglob("*")) if file.is_file() and "Camera" not in file.parts
    ]
    assert len([file for file in files if file.suffix == ".flo"]) == 2
    different = [f for f in files if not filecmp.cmp(part / f, tmp_path / "whole" / "train" / f, shallow=False)]
    assert not different
    clip, later = Dataset(tmp_path / "whole").clip("shot"), Dataset(tmp_path / "part").clip("shot")
    for frame in (3, 4):
        assert np.array_equal(later.camera(frame).world_to_camera, clip.camera(frame).world_to_camera)
    median = np.median(clip.read("depth", 1))
    assert f"median depth of the picture, {median:.4g} units away in frame 1" in said


def test_cameras_that_a_timeline_cuts_to_dolly_as_well_and_can_be_split(build: Build, cut: Cut, tmp_path: Path) -> None:
    script = (
        SHOT
        + """
other = bpy.data.objects.new("Other", camera.data.copy())
away = bpy.data.collections.new("switched off")
scene.collection.children.link(away)
away.objects.link(other)
scene.view_layers[0].layer_collection.children["switched off"].exclude = True
other.location, other.rotation_euler = (-3, -9, 2), (1.4, 0, -0.3)
# so near that the camera that rides past must see nearer things than the film's
near = add("plane", "near", (1, 1, 0), size=0.8)
near.parent, near.location = other, (0.4, 0.2, -7.2)
for frame, value in ((1, 55.0), (3, 40.0), (4, 50.0)):
    other.data.lens = value
    other.data.keyframe_insert("lens", frame=frame)
hidden = bpy.data.objects.new("Hidden", camera.data)
scene.collection.objects.link(hidden)
hidden.hide_render = True
for frame, film in ((1, camera), (2, hidden), (3, other)):
    scene.timeline_markers.new("mark", frame=frame).camera = film
"""
    )
    source = build("cuts", script)
    config = cut(source, PLAIN, last=4)
    split = tmp_path / "split.yaml"
    split.write_text(f"inherit: {config.name}\nname: split\ncamera_cuts: split\n")
    config.write_text(f"{config.read_text()}camera_cuts: mark\n")
    refused = run_kept("render", config, "--out", tmp_path / "out", check=False)
    assert "nothing is known of the motion from frame 2 to 3" in refused.stdout
    dataset, said = render_cuts(tmp_path, split)
    assert "fixed the focal length of camera 'Other' at 40 mm" in said
    whole = dataset.clip("cuts")
    assert not whole.has("valid_forward", 2)
    assert [(clip.cut, clip.frame_numbers) for clip in dataset.clips() if clip.cut != "cuts"] == [
        ("split-1", (1, 2)),
        ("split-2", (3, 4)),
    ]
    for name, frame in (("split-1", 1), ("split-2", 3)):
        clip = dataset.clip(name)
        assert np.array_equal(clip.read("flow_forward", frame), whole.read("flow_forward", frame))
        assert np.array_equal(clip.read("flat", frame), whole.read("flat", frame))
    assert extent(dataset.clip("split-2"), 4, "near") > 10.0
    # the camera itself stands still; the world's axes may be its own
    world = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    before, after = state(world, 40, 36, 0.02), state(world.copy(), 40, 36, 0.02)
    depth = dataset.clip("split-2").read("depth", 3)
    after["matrix_world"][2, 3] = np.median(depth[np.isfinite(depth)]) * (40 / 50 - 1)  # type: ignore[index]
    assert_flow_of_a_still_world(dataset.clip("split-2"), {3: before, 4: after}, least=0.5)


def test_a_focus_object_behind_the_camera_is_a_sentence(build: Build, cut: Cut, tmp_path: Path) -> None:
    script = SHOT + ZOOMS["lens"]
    script += "behind = bpy.data.objects.new('behind', None)\nscene.collection.objects.link(behind)\n"
    script += "behind.location.y = -50\ncamera.data.dof.focus_object = behind\n"
    config = cut(build("shot", script), PLAIN)
    said = run_kept("render", config, "--out", tmp_path / "out", check=False)
    assert said.returncode == 1
    assert "its focus object 'behind' lies at" in said.stdout
    assert "set 'camera_motion.focus_distance'" in said.stdout
    assert "Traceback" not in said.stdout + said.stderr


@pytest.mark.parametrize("kind", ["mesh", "panorama"])
def test_a_camera_of_the_configuration_films_what_has_none(build: Build, cut: Cut, tmp_path: Path, kind: str) -> None:
    ruin = {
        "mesh": "scene.camera = None\nscene.timeline_markers.new('mark', frame=2).camera = ball\n",
        "panorama": "camera.data.type = 'PANO'\n",
    }
    script = SHOT + ruin[kind]
    source = build("ruin", script)
    config = cut(source, PLAIN)
    refused = run_kept("render", config, "--out", tmp_path / "out", check=False)
    assert refused.returncode == 1
    assert "give it one with 'camera_motion.keyframes'" in refused.stdout
    keys = [
        "{frame: 0, location: [-3, -9, 1], target: [0, 2, 0], lens: 30, roll: -8}",
        "{frame: 4, location: [1, -10, 3], target: [0.5, 2, 0.6], lens: 40, roll: 12}",
    ]
    text = f"camera_motion:\n  focal_length: keep\n  keyframes: [{', '.join(keys)}]\n"
    dataset, said = render_cuts(tmp_path, cut(source, PLAIN + text, last=3))
    assert "the camera follows the 2 keyframes" in said
    cameras = {}
    for frame in (1, 2, 3):
        share = frame / 4
        location = (-3 + 4 * share, -9 - share, 1 + 2 * share)
        pose = looking(location, (0.5 * share, 2.0, 0.6 * share), -math.radians(-8 + 20 * share))
        cameras[frame] = state(np.array(pose.matrix), 30 + 10 * share, 36.0)
    assert_flow_of_a_still_world(dataset.clip("ruin"), cameras, least=2.0)


@needs_installed_blender
def test_an_installed_blender_splits_and_dollies_alike(tmp_path: Path) -> None:
    config = tmp_path / "vertigo.yaml"
    inherited = PROJECT / "configs" / "conversions" / "vertigo.yaml"
    text = "resolution: [160, 90]\nlines: {freestyle: false}\nmotion: {extras: [ids]}\nframes: {first: 6, last: 10}\n"
    config.write_text(f"inherit: {inherited}\n{text}")
    run_kept("render", config, "--out", tmp_path / "one")
    # one clip, which ends at the cut: each takes that Blender a process
    run_kept("render", config, "--out", tmp_path / "other", "--blender", "blender", "--frames", "6:8")
    one, other = Dataset(tmp_path / "one"), Dataset(tmp_path / "other")
    assert [(clip.cut, clip.frame_numbers) for clip in one.clips()] == [
        ("vertigo-1", (6, 7, 8)),
        ("vertigo-2", (9, 10)),
    ]
    assert [(clip.cut, clip.frame_numbers) for clip in other.clips()] == [("vertigo-1", (6, 7, 8))]
    for twin in other.clips():
        clip = one.clip(twin.cut)
        for frame in clip.frame_numbers[:-1]:
            same = clip.read("object_id", frame) == twin.read("object_id", frame)
            assert same.mean() > 0.999
            valid = clip.read("valid_forward", frame)
            assert np.array_equal(valid[same], twin.read("valid_forward", frame)[same])
            difference = clip.read("flow_forward", frame) - twin.read("flow_forward", frame)
            assert np.abs(difference[valid & same]).max() < 1e-3
