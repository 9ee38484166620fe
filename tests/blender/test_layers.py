"""Layers of a real scene: who belongs to which, what each of them is alone, and what it is put together to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.blender.conftest import render_cuts, run_kept, save_blend

pytestmark = pytest.mark.blender

SCENE = """
wall = add("plane", "wall", (0.4, 0.5, 0.6), size=30, location=(0, 6, 0), rotation=(math.pi / 2, 0, 0))
# an empty holds the whole film together, and stands still
whole = bpy.data.objects.new("whole", None)
scene.collection.objects.link(whole)
wall.parent = whole

# a character: a bone that turns, a body that it bends, a hat on the bone, and a stick on the hat
rig = bpy.data.objects.new("Hero rig", bpy.data.armatures.new("Hero rig"))
scene.collection.objects.link(rig)
bpy.context.view_layer.objects.active = rig
bpy.ops.object.mode_set(mode="EDIT")
bone = rig.data.edit_bones.new("bone")
bone.head, bone.tail = (0, 0, -1), (0, 0, 1)
bpy.ops.object.mode_set(mode="OBJECT")
rig.parent = whole
body = add("cube", "body", (0.8, 0.1, 0.05), size=1.6, location=(0, 0, 0))
group = body.vertex_groups.new(name="bone")
group.add(range(8), 1.0, "REPLACE")
body.modifiers.new("bend", "ARMATURE").object = rig
hat = add("cube", "hat", (0.1, 0.6, 0.2), size=0.6, location=(0, 0, 0))
hat.parent, hat.parent_type, hat.parent_bone = rig, "BONE", "bone"
stick = add("cube", "stick", (0.9, 0.8, 0.1), size=0.3, location=(0, 0, 0.8))
stick.parent = hat
pose = rig.pose.bones["bone"]
pose.rotation_mode = "XYZ"
for frame, turn in ((1, 0.0), (4, 0.6)):
    pose.rotation_euler = (0, 0, turn)
    pose.keyframe_insert("rotation_euler", frame=frame)

# what moves before it: an instance of a collection whose member is also drawn by itself, as a part of the set
member = add("uv_sphere", "stone", (0.5, 0.3, 0.7), radius=0.5, location=(2.6, 2, -1.5))
stones = bpy.data.collections.new("stones")
scene.collection.children.link(stones)
stones.objects.link(member)
scene.collection.objects.unlink(member)
thrown = bpy.data.objects.new("Thrown stone", None)
thrown.instance_type, thrown.instance_collection = "COLLECTION", stones
scene.collection.objects.link(thrown)
for frame, x in ((1, -3.2), (4, -2.6)):
    thrown.location = (x, -4, 1.6)
    thrown.keyframe_insert("location", frame=frame)

# this one is seen in the first frame alone, and what is keyed without any change moves nothing
ghost = add("cube", "ghost", (0.9, 0.9, 0.9), size=0.8, location=(-2.4, 1, -1.2))
for frame, hidden in ((1, False), (2, True)):
    ghost.hide_render = hidden
    ghost.keyframe_insert("hide_render", frame=frame)
ghost.keyframe_insert("location", frame=1)
ghost.keyframe_insert("location", frame=4)
"""
LAYERED = """
lines: {engine: auto, thickness: 1.0}
layers: {write: true, groups: auto}
motion: {extras: [ids, depth]}
"""
EXPECTED = {
    "set": {"wall", "stone", "ghost"},
    "Hero_rig": {"body", "hat", "stick"},
    "Thrown_stone": {"stone"},
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_blend(tmp_path_factory.mktemp("film") / "stage.blend", SCENE)


def config_of(film: Path, name: str, text: str) -> Path:
    path = film.parent / f"{name}.yaml"
    path.write_text(
        f"name: {name}\nsource: {film.name}\nframes: {{first: 1, last: 3}}\nresolution: [96, 64]\n{text}",
        encoding="utf-8",
    )
    return path


def test_layers_of_a_film_are_exact_and_show_what_is_hidden(film: Path, tmp_path: Path) -> None:
    layered = config_of(film, "stage", LAYERED)
    others = [name for names in EXPECTED.values() for name in names if name not in EXPECTED["Hero_rig"]]
    without = config_of(
        film,
        "alone",
        "lines: {engine: geometry, thickness: 1.0}\nmotion: {extras: [ids, depth], background: invalid}\n"
        f"remove: {{objects: [{', '.join(others)}, Thrown stone]}}\n",
    )
    dataset, said = render_cuts(tmp_path, layered, without)
    assert "layers: Hero_rig (4 objects), Thrown_stone (1 object), and set" in said
    clip, alone = dataset.clip("stage"), dataset.clip("alone")
    assert set(clip.layers) == set(EXPECTED)
    names = clip.read_names("object_id")
    for frame in clip.frame_numbers:
        assert np.array_equal(clip.composed_frame(frame), clip.read("frame", frame))
        for layer, objects in EXPECTED.items():
            shown = {names[str(number)] for number in np.unique(clip.read(f"object_id@{layer}", frame)) if number}
            # it stays hidden where the film hides it
            assert shown == objects - ({"ghost"} if frame > 1 else set()), (frame, layer)
        # the character as if nothing were before it is the film from which everything else is removed
        cel, alpha = clip.read("cel@Hero_rig", frame)[..., :3], clip.read("cel@Hero_rig", frame)[..., 3] > 0
        there = alone.read("object_id", frame) > 0
        assert np.array_equal(alpha, there)
        assert (cel != alone.read("flat", frame))[there].any(axis=-1).mean() < 0.01
        assert np.array_equal(clip.read("depth@Hero_rig", frame), alone.read("depth", frame))
        assert np.array_equal(clip.read("contour@Hero_rig", frame), alone.read("contour", frame))
        hidden = alpha & ~clip.read("visible@Hero_rig", frame)
        assert hidden.any() == any(each.behind == "Hero_rig" for each in clip.read("amodal", frame).layer_occlusions)
    for name in ("flow_forward", "valid_forward"):
        for frame in clip.frames(name):
            assert np.array_equal(clip.read(f"{name}@Hero_rig", frame), alone.read(name, frame))
    assert clip.read("valid_forward@Hero_rig", 1)[clip.read("cel@Hero_rig", 1)[..., 3] > 0].all()
    checked = run_kept("verify", tmp_path / "out", check=False)
    assert "Layers" not in checked.stdout


def test_layers_that_are_named_take_what_hangs_on_them(film: Path, tmp_path: Path) -> None:
    groups = (
        "{hero: {objects: [Hero rig]}, stick: {objects: [stick]}, stones: {collections: [stones]}, "
        "none: {objects: [Nobody]}}"
    )
    text = f"lines: {{engine: geometry}}\nlayers: {{write: true, groups: {groups}}}\n"
    dataset, said = render_cuts(tmp_path, config_of(film, "named", text))
    clip = dataset.clip("named")
    names = clip.read_names("object_id")

    def shown(layer: str) -> set[str]:
        return {names[str(number)] for number in np.unique(clip.read(f"object_id@{layer}", 1)) if number}

    # what draws nothing stands for what hangs on it, and of groups that fit the first counts
    assert shown("hero") == {"body", "hat", "stick"}
    assert shown("stick") == set()
    # the instance belongs to what makes it
    assert shown("stones") == {"stone"}
    assert shown("set") == {"wall", "stone", "ghost"}
    assert "layers.groups.none.objects: nothing in the file is named 'Nobody'" in said
    assert "layer 'stick' has no object of the scene" in said
