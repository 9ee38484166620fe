"""Files that nobody prepared: what inspect says of them, and that what init writes makes the same clip."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.config import load_cuts
from animerun_gen.dataset import Dataset
from animerun_gen.shot.shot import Shot
from tests.blender.conftest import SCENE, render_cuts, run_kept
from tests.blender.test_rules import IN_THE_WAY

pytestmark = pytest.mark.blender

MESS = (
    SCENE
    + IN_THE_WAY
    + """
camera.data.lens = 50
camera.data.keyframe_insert("lens", frame=1)
camera.data.lens = 60
camera.data.keyframe_insert("lens", frame=4)
image = bpy.data.images.new("lost", 4, 4)
image.source, image.filepath = "FILE", "//lost.png"
material = bpy.data.materials["box"]
material.use_nodes = True
node = material.node_tree.nodes.new("ShaderNodeTexImage")
node.image = image
scene.render.use_motion_blur = True
scene.frame_end = 200
"""
)

ON_TWOS = """
thing = add("cube", "thing", (1, 0, 0), size=1)
for frame in range(1, 13, 2):
    thing.location.x = frame / 10
    thing.keyframe_insert("location", frame=frame)
for layer in thing.animation_data.action.layers:
    for strip in layer.strips:
        for bag in strip.channelbags:
            for curve in bag.fcurves:
                for point in curve.keyframe_points:
                    point.interpolation = "CONSTANT"
scene.camera = None
bpy.data.objects.remove(camera)
scene.frame_end = 12
"""


def test_a_draft_makes_the_clip_that_the_rules_make(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    source = build("mess", MESS)
    config = tmp_path / "drafts" / "mess.yaml"
    said = run_kept("init", source, "-o", config).stdout
    (loaded,) = load_cuts([config])
    drafted = loaded.config
    assert drafted.source == source
    # the scene has 200 frames, of which four are animated
    assert drafted.frame_numbers == (1, 2, 3, 4)
    assert drafted.camera == "Camera"
    assert drafted.camera_motion.focal_length == "dolly"
    assert drafted.remove.rules == ()
    assert set(drafted.remove.objects) == {
        *("ray visibility", "holdout", "catcher", "glass without glass", "trick", "panel", "fog", "cage", "cutter"),
        *("reflector", "orb"),
    }
    assert drafted.remove.materials == ("glint",)
    for words in (
        "missing: image //lost.png (seen on box)",
        "the focal length changes ('Camera')",
        "switched on: motion blur",
        "only frames 1 to 4 are animated",
        f"wrote {config}",
    ):
        assert words in said

    small = tmp_path / "small"
    small.mkdir()
    (small / "drafted.yaml").write_text(
        f"inherit: {config}\nname: drafted\nresolution: [96, 64]\nlines: {{freestyle: false}}\n", encoding="utf-8"
    )
    by_rules = cut(source, "style: {color: material}\nlines: {freestyle: false}\n", last=4)
    dataset, _ = render_cuts(tmp_path, small / "drafted.yaml", by_rules)
    one, other = dataset.clip("drafted"), dataset.clip("mess")
    for frame in (1, 3):
        assert np.array_equal(one.read("flat", frame), other.read("flat", frame))
        assert np.array_equal(one.read("flow_forward", frame), other.read("flow_forward", frame))


def test_a_hostile_file_without_a_camera_runs_nothing_and_gets_a_camera(
    build: Callable[[str, str], Path], tmp_path: Path
) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')"
    script = (
        ON_TWOS
        + f"""
text = bpy.data.texts.new("startup.py")
text.write("import bpy\\nbpy.app.handlers.frame_change_post.append(lambda *_: {trap})\\n{trap}")
text.use_module = True
curve = thing.driver_add("rotation_euler", 2)
curve.driver.expression = "len([{trap}]) * 0.1"
"""
    )
    source = build("trap", script)
    shot = Shot.from_json(json.loads(run_kept("inspect", source, "--json").stdout))
    assert shot.drivers == ("thing: rotation_euler",)
    assert shot.camera is None
    assert shot.camera_problem == "has no camera"
    assert shot.survey is not None
    assert shot.survey.held == (1, 3, 5, 7, 9)

    config = tmp_path / "trap.yaml"
    run_kept("init", source, "-o", config)
    (loaded,) = load_cuts([config])
    assert loaded.config.frames.step == 2
    assert loaded.config.camera_motion.keyframes
    config.write_text(
        config.read_text(encoding="utf-8").replace("resolution: [960, 540]", "resolution: [96, 54]"), encoding="utf-8"
    )
    run_kept("generate", config, "--out", tmp_path / "out", "--frames", "1:5")
    assert not (tmp_path / "ran").exists()
    clip = Dataset(tmp_path / "out").clip("trap")
    names = clip.read_names("object_id")
    (number,) = (int(number) for number, name in names.items() if name == "thing")
    for frame in (1, 3, 5):
        seen = clip.read("object_id", frame) == number
        # all of it is in the picture, and it is large
        assert seen.mean() > 0.03
        assert not seen[[0, -1]].any()
        assert not seen[:, [0, -1]].any()
    assert np.abs(clip.read("flow_forward", 1)[seen]).max() > 1.0


NOTHING = "ring = bpy.data.meshes.new('ring')\nscene.collection.objects.link(bpy.data.objects.new('ring', ring))\n"

LINKED = """
props = BLEND_FILE.replace(".blend", "_props.blend")
add("cube", "box", (0.8, 0.1, 0.05))
box = bpy.data.objects["box"]
box.users_collection[0].objects.unlink(box)
stage = bpy.data.collections.new("stage")
stage.objects.link(box)
bpy.data.libraries.write(props, {stage})
bpy.data.objects.remove(box)
bpy.data.collections.remove(stage)
with bpy.data.libraries.load(props, link=True) as (there, here):
    here.collections = ["stage"]
shown = bpy.data.objects.new("shown", None)
shown.instance_type, shown.instance_collection = "COLLECTION", here.collections[0]
scene.collection.objects.link(shown)
"""


def test_a_film_in_which_nothing_draws_is_refused(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    """No configuration of it could show anything; what a missing library held is named."""
    empty, linked = build("empty", NOTHING), build("linked", LINKED)
    target = tmp_path / "drafted.yaml"
    assert run_kept("init", linked, "-o", target).returncode == 0
    target.unlink()
    (tmp_path / "linked_props.blend").rename(tmp_path / "elsewhere.blend")
    for source, words in (
        (empty, "has nothing that draws: no surface, no hair and no stroke; give another film, or name another of its"),
        (linked, "It lacks the library //linked_props.blend, and what comes from there is left out; put it back"),
    ):
        refused = run_kept("init", source, "-o", target, check=False)
        assert (refused.returncode, target.exists()) == (2, False)
        assert words in refused.stderr
        failed = run_kept("generate", cut(source), "--out", tmp_path / "out", check=False)
        assert failed.returncode == 1
        assert words in failed.stdout


def test_what_cannot_be_looked_at_ends_in_a_sentence(build: Callable[[str, str], Path], tmp_path: Path) -> None:
    source = build("good", SCENE)
    broken = tmp_path / "broken.blend"
    broken.write_bytes(source.read_bytes()[:3000])
    existing = tmp_path / "existing.yaml"
    existing.write_text("name: mine\n", encoding="utf-8")
    for arguments, words in (
        (("inspect", tmp_path / "none.blend"), "none.blend does not exist or is not a .blend file"),
        (("inspect", broken), f"{broken} cannot be opened by Blender"),
        (("inspect", source, "--scene", "Shot 9"), "has no scene named 'Shot 9'"),
        (("inspect", source, "--camera", "box"), "has no camera named 'box'"),
        (("init", source, "-o", existing), "existing.yaml exists; choose another name"),
        (("init", source, "-o", tmp_path / "cut.json"), "is not a .yaml file"),
    ):
        result = run_kept(*arguments, check=False)
        assert result.returncode == 2
        assert words in result.stderr
        assert "Traceback" not in result.stdout + result.stderr
    assert existing.read_text(encoding="utf-8") == "name: mine\n"
