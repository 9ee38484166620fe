"""In which frames a film changes, kind by kind: each builds a scene, and Blender says what it sees of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.config import load_cuts
from animerun_gen.dataset import Dataset
from tests.blender.conftest import PREAMBLE, PROJECT, SCENE, run_kept, run_script

pytestmark = pytest.mark.blender

WHOLE = [1, 100]

KINDS: dict[str, tuple[str, list[int] | None]] = {
    "nothing": ("pass", None),
    "keys": ("key(thing, 10, 20)", [10, 20]),
    "one key changes nothing": ("key(thing, 10, 20); other().keyframe_insert('location', frame=70)", [10, 20]),
    "a driver that names the frame": ("thing.driver_add('location', 0).driver.expression = 'sin(frame / 10)'", WHOLE),
    "a driver of the frame beside keys": ("key(thing, 10, 20); reads_frame(other())", WHOLE),
    "a driver that only scripts could run": (
        "thing.driver_add('location', 0).driver.expression = 'len([frame]) * frame'",
        None,
    ),
    "a driver of something still": (
        "driver = thing.driver_add('location', 0).driver; driver.expression = 'var'; variable(driver, other(), "
        "'location.x')",
        None,
    ),
    "a driver of something animated": (
        "o = other(); key(o, 30, 40); driver = thing.driver_add('location', 0).driver; driver.expression = 'var'; "
        "variable(driver, o, 'location.x')",
        [30, 40],
    ),
    "a driver whose variable is called frame": (
        "driver = thing.driver_add('location', 0).driver; driver.expression = 'frame'; "
        "variable(driver, other(), 'location.x', 'frame')",
        None,
    ),
    "a seed that changes in every frame": (
        "key(thing, 10, 20); scene.driver_add('render.dither_intensity').driver.expression = 'frame'",
        [10, 20],
    ),
    "a slope that goes on": ("key(thing, 10, 20).extrapolation = 'LINEAR'", WHOLE),
    "cycles": ("key(thing, 10, 20).modifiers.new('CYCLES')", WHOLE),
    "cycles before and not after": ("m = key(thing, 10, 20).modifiers.new('CYCLES'); m.mode_after = 'NONE'", [1, 20]),
    "limits": ("key(thing, 10, 20).modifiers.new('LIMITS')", [10, 20]),
    "a curve that is muted": ("key(thing, 10, 20)\nfor curve in versions.fcurves(thing): curve.mute = True", None),
    "a strip, whose cycles end with it": (
        "key(thing, 10, 20).modifiers.new('CYCLES'); strip(thing, 31)",
        [31, 41],
    ),
    "a strip of a muted track": ("key(thing, 10, 20); strip(thing, 31).mute = True", None),
    "time at double speed": ("key(thing, 10, 20); scene.render.frame_map_new = 50", [5, 10]),
    "time at half speed": ("key(thing, 10, 20); scene.render.frame_map_new = 200", [20, 40]),
    "a strip at half speed": ("key(thing, 10, 20); strip(thing, 31); scene.render.frame_map_new = 200", [62, 82]),
    "before frame 0": ("key(thing, -30, -10)", [-30, -10]),
    "a shape key": (
        "thing.shape_key_add(); k = thing.shape_key_add(); set_keys(k, 'value', 30, 60)",
        [30, 60],
    ),
    "a material": (
        "m = thing.active_material; m.use_nodes = True; "
        "set_keys(m.node_tree.nodes['Principled BSDF'].inputs['Alpha'], 'default_value', 30, 60)",
        [30, 60],
    ),
    "a focal length, and a focus that no picture shows": (
        "set_keys(camera.data, 'lens', 30, 60); set_keys(camera.data.dof, 'focus_distance', 1, 90)",
        [30, 60],
    ),
    "a lamp": ("light = lamp(); key(light, 1, 90); key(thing, 30, 60)", [30, 60]),
    "what a lamp carries": ("light = lamp(); key(light, 1, 90); thing.parent = light", [1, 90]),
    "what is in no scene": ("o = other(); key(o, 1, 90); scene.collection.objects.unlink(o)", None),
    "scene time in nested groups of nodes": ("nested_time(thing)", WHOLE),
    "particles that draw nothing": (
        "key(thing, 10, 20); thing.modifiers.new('p', 'PARTICLE_SYSTEM'); "
        "thing.particle_systems[0].settings.render_type = 'NONE'; thing.particle_systems[0].settings.physics_type = "
        "'NO'",
        [10, 20],
    ),
    "a wave": ("thing.modifiers.new('w', 'WAVE')", WHOLE),
    "a wave that is not rendered": ("thing.modifiers.new('w', 'WAVE').show_render = False", None),
}

HELPERS = """
from animerun_gen.blender import versions
from animerun_gen.blender.animation import animated_range

def key(obj, first, last):
    set_keys(obj, "location", first, last)
    return next(iter(versions.fcurves(obj)))

def set_keys(owner, name, first, last):
    before = getattr(owner, name)
    for frame, shift in ((first, 0.0), (last, 0.5)):
        if name == "location":
            owner.location.x = shift
        else:
            setattr(owner, name, before - shift)
        owner.keyframe_insert(name, frame=frame)
    block = owner.id_data
    for curve in versions.fcurves(block):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"

def other():
    return add("cube", "other", (0.2, 0.2, 0.2), location=(2, 0, 0))

def lamp():
    made = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    scene.collection.objects.link(made)
    return made

def variable(driver, obj, path, name="var"):
    made = driver.variables.new()
    made.name = name
    made.targets[0].id, made.targets[0].data_path = obj, path

def reads_frame(obj):
    driver = obj.driver_add("location", 0).driver
    driver.expression = "var / 50"
    made = driver.variables.new()
    made.targets[0].id_type, made.targets[0].id, made.targets[0].data_path = "SCENE", scene, "frame_current"

def strip(obj, start):
    track = obj.animation_data.nla_tracks.new()
    made = track.strips.new("strip", start, obj.animation_data.action)
    obj.animation_data.action = None
    return track

def nested_time(obj):
    inner = bpy.data.node_groups.new("inner", "GeometryNodeTree")
    inner.nodes.new("GeometryNodeInputSceneTime")
    outer = bpy.data.node_groups.new("outer", "GeometryNodeTree")
    outer.nodes.new("GeometryNodeGroup").node_tree = inner
    obj.modifiers.new("nodes", "NODES").node_group = outer
"""


def test_every_kind_of_animation_reaches_as_far_as_it_changes_the_picture(tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    script = [
        f"import json, sys; sys.path.insert(0, {str(PROJECT)!r}); found = {{}}",
    ]
    for kind, (text, _) in KINDS.items():
        script.append(PREAMBLE + HELPERS)
        script.append("scene.frame_end = 100\nthing = add('cube', 'thing', (0.8, 0.1, 0.1))")
        script.append(f"{text}\nfound[{kind!r}] = animated_range(scene, trust_scripts=False)")
    script.append(f"open({str(answer)!r}, 'w').write(json.dumps(found))")
    result = run_script("\n".join(script))
    assert answer.exists(), result.stderr
    found = json.loads(answer.read_text(encoding="utf-8"))
    assert found == {kind: expected for kind, (_, expected) in KINDS.items()}


BEYOND = """
import sys
from animerun_gen.blender.beyond_scene import note_frames_beyond
from animerun_gen.config import CutConfig

def beyond(first, last, step=1):
    frames = {"first": first, "last": last, "step": step, "offset": 1000}
    values = {"name": "a", "source": "/a.blend", "resolution": [64, 48], "frames": frames}
    said = note_frames_beyond(scene, CutConfig.model_validate(values).in_film_numbers())
    assert (scene.frame_start, scene.frame_end) == (1, 10)
    return said

found = {}
scene.frame_start, scene.frame_end = 1, 10
thing = add("cube", "thing", (0.8, 0.1, 0.1))
found["still"] = beyond(1, 12)
thing.keyframe_insert("location", frame=3)
thing.location.x = 1
thing.keyframe_insert("location", frame=14)
found["within"] = beyond(1, 10)
found["animated"] = beyond(4, 14)
found["past"] = beyond(1, 20)
found["one"] = beyond(1, 16, step=5) + beyond(1, 17, step=16)
found["both"] = beyond(-5, 16)
curve = thing.driver_add("rotation_euler", 0)
curve.driver.expression = "frame / 10"
found["for ever"] = beyond(1, 200)
"""


def test_frames_beyond_the_scene_are_noted_where_nothing_moves(tmp_path: Path) -> None:
    answer = tmp_path / "found.json"
    script = f"{PREAMBLE}{BEYOND}\nimport json\nopen({str(answer)!r}, 'w').write(json.dumps(found))"
    result = run_script(script)
    assert answer.exists(), result.stderr
    nothing = "and nothing is animated there"
    early = f"frames -5 to 0 are before the scene's start, 1, {nothing}: these 6 frames of the clip show the same; "
    assert json.loads(answer.read_text(encoding="utf-8")) == {
        "still": [
            f"frames 11 to 12 are past the scene's end, 10, {nothing}: these 2 frames of the clip show the same; lower "
            "frames.last to leave them out"
        ],
        "within": [],
        "animated": [],
        "past": [
            f"frames 15 to 20 are past the scene's end, 10, {nothing}: these 6 frames of the clip show the same; lower "
            "frames.last to leave them out"
        ],
        "one": [
            f"frame {frame} is past the scene's end, 10, {nothing}; lower frames.last to leave it out"
            for frame in (16, 17)
        ],
        "both": [
            f"{early}raise frames.first to leave them out",
            f"frames 15 to 16 are past the scene's end, 10, {nothing}: these 2 frames of the clip show the same; lower "
            "frames.last to leave them out",
        ],
        "for ever": [],
    }


def test_a_clip_that_outlasts_its_scene_says_so(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    said = run_kept("generate", cut(build("short", SCENE), last=6), "--out", tmp_path / "out", "--frames", "5:6").stdout
    assert "note: frames 5 to 6 are past the scene's end, 4, and nothing is animated there: these 2 frames" in said


def test_a_film_before_frame_0_is_rendered_under_numbers_that_files_can_have(
    build: Callable[[str, str], Path], tmp_path: Path
) -> None:
    source = build("before 0", SCENE.replace("frame=1", "frame=-4").replace("frame=4", "frame=-1"))
    config = tmp_path / "cut.yaml"
    run_kept("init", source, "-o", config)
    text = config.read_text(encoding="utf-8")
    assert "frames: {first: -4, last: -1, offset: 1000}" in text
    config.write_text(text.replace("resolution: [960, 540]", "resolution: [96, 54]"), encoding="utf-8")
    # the same film, moved to where nothing needs an offset
    later = build("later", SCENE)
    plain = tmp_path / "plain.yaml"
    run_kept("init", later, "-o", plain)
    plain.write_text(plain.read_text("utf-8").replace("resolution: [960, 540]", "resolution: [96, 54]"), "utf-8")
    (loaded,) = load_cuts([config])
    assert loaded.config.frame_numbers == (996, 997, 998, 999)
    run_kept("generate", config, plain, "--out", tmp_path / "out")
    shifted, reference = Dataset(tmp_path / "out").clip("before_0"), Dataset(tmp_path / "out").clip("later")
    for frame in (1, 2, 3):
        for name in ("frame", "flow_forward", "valid_forward", "object_id"):
            assert (shifted.read(name, frame + 995) == reference.read(name, frame)).all()
