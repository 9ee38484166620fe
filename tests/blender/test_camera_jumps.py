"""Hard cuts keyed on one camera are found, whatever makes it jump, and marked or split as the configuration says."""

from __future__ import annotations

import filecmp
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.dataset import Dataset
from tests.blender.conftest import run_elsewhere, run_kept

pytestmark = pytest.mark.blender

JUMPING = """
import random
random.seed(3)
for number in range(90):
    place = (random.uniform(-30, 30), random.uniform(-30, 30), random.uniform(-2, 3))
    if max(abs(place[0]), abs(place[1])) > 3:
        add("cube", f"house {number}", (0.2, 0.4, 0.6), size=2, location=place)
add("plane", "floor", (0.5, 0.5, 0.5), size=90, location=(0, 0, -2))

def keep_values(block):
    for layer in block.animation_data.action.layers:
        for bag in layer.strips[0].channelbags:
            for point in (point for curve in bag.fcurves for point in curve.keyframe_points):
                point.interpolation = "CONSTANT"

# before frame 5 what it hangs on jumps, before 10 a constraint takes hold, before 15 another strip begins to count for
# the constraint's target, and before 20 the lens changes
cart, spot = bpy.data.objects.new("cart", None), bpy.data.objects.new("spot", None)
for empty in (cart, spot):
    scene.collection.objects.link(empty)
for frame, place in ((1, (0, 0, 0)), (5, (14, 6, 0))):
    cart.location = place
    cart.keyframe_insert("location", frame=frame)
keep_values(cart)
camera.parent, camera.location = cart, (0, 0, 0)
held = camera.constraints.new("COPY_TRANSFORMS")
held.target = spot
for frame, influence in ((9, 0.0), (10, 1.0)):
    held.influence = influence
    held.keyframe_insert("influence", frame=frame)
spot.location = (-9, 2, 1)
for start, turn in ((1, 2.6), (15, 5.4)):
    for frame in (start, start + 9):
        spot.rotation_euler = (1.5, 0, turn + 0.002 * frame)
        spot.keyframe_insert("rotation_euler", frame=frame)
    action, spot.animation_data.action = spot.animation_data.action, None
    strip = spot.animation_data.nla_tracks.new().strips.new("strip", start, action)
    strip.action_slot = action.slots[0]
    strip.extrapolation = "HOLD_FORWARD"
for frame, lens in ((1, 30.0), (20, 400.0)):
    camera.data.lens = lens
    camera.data.keyframe_insert("lens", frame=frame)
keep_values(camera.data)
# the viewport alone would not evaluate it
camera.hide_viewport = True
"""

PLAIN = """
resolution: [96, 64]
lines: {freestyle: false}
camera_motion: {focal_length: keep}
motion: {extras: [], gaps: [1, 2]}
camera_cuts: mark
"""

JUMPS = (5, 10, 15, 20)


@pytest.fixture
def config(build: Callable[[str, str], Path], tmp_path: Path) -> Path:
    source, path = build("jumping", JUMPING), tmp_path / "jumping.yaml"
    path.write_text(f"name: jumping\nsource: {source.name}\nframes: {{first: 2, last: 22}}\n{PLAIN}")
    return path


def test_a_camera_that_jumps_is_marked_alike_wherever_a_process_begins(config: Path, tmp_path: Path) -> None:
    result = run_kept("render", config, "--out", tmp_path / "whole", check=False)
    said = result.stdout
    assert result.returncode == 1
    for frame in JUMPS:
        refused = (
            f"nothing is known of the motion from frame {frame - 1} to {frame} (the shot was cut to another camera)"
        )
        assert refused in result.stdout + result.stderr
        assert f"camera 'Camera' is cut to another view between frames {frame - 1} and {frame}: motion across" in said
    assert said.count("is cut to another view") == len(JUMPS)
    run_elsewhere("render", config, "--out", tmp_path / "parts", "--chunk-frames", 7, check=False)
    whole = tmp_path / "whole" / "train"
    files = [file.relative_to(whole) for file in sorted(whole.rglob("*")) if file.is_file()]
    assert not [f for f in files if not filecmp.cmp(whole / f, tmp_path / "parts" / "train" / f, shallow=False)]
    clip = Dataset(tmp_path / "whole").clip("jumping")
    for frame in clip.frame_numbers[:-1]:
        across = frame + 1 in JUMPS
        # a pair without any motion is not written
        assert clip.has("flow_forward", frame) == clip.has("flow_backward", frame + 1) == (not across)
        assert across or clip.read("valid_forward", frame).any()
    for frame in clip.frame_numbers[:-2]:
        across = frame + 1 in JUMPS or frame + 2 in JUMPS
        assert clip.read("valid_forward_gap2", frame).any() != across


def test_a_camera_that_jumps_is_split_where_it_does(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace("camera_cuts: mark", "camera: Camera"))
    run_kept("render", config, "--out", tmp_path / "out")
    clips = [(clip.cut, clip.frame_numbers[0], clip.frame_numbers[-1]) for clip in Dataset(tmp_path / "out").clips()]
    assert clips == [
        ("jumping-1", 2, 4),
        ("jumping-2", 5, 9),
        ("jumping-3", 10, 14),
        ("jumping-4", 15, 19),
        ("jumping-5", 20, 22),
    ]
