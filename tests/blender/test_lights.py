"""One decision for all that wears a material that shines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.blender.conftest import PREAMBLE, run_script

pytestmark = pytest.mark.blender

GLOW = """
def glow(name, strength=4.0):
    material = paint(name, (0.9, 0.1, 0.6))
    tree, output = nodes_of(material)
    node = tree.nodes.new("ShaderNodeEmission")
    node.inputs["Strength"].default_value = strength
    tree.links.new(node.outputs[0], output.inputs[0])
    return material

def thing(kind, name, material, **place):
    made = add(kind, name, (1, 1, 1), **place)
    made.data.materials.clear()
    made.data.materials.append(material)
    return made
"""

FIND = """
bpy.ops.wm.save_as_mainfile(filepath=FOLDER + "/film.blend")
import json
from pathlib import Path
from animerun_gen.blender.convert.rules import find_removals, remove_by_rules
from animerun_gen.blender.opening import open_scene
from animerun_gen.config import CutConfig
config = CutConfig.model_validate({
    "name": "film", "source": Path(FOLDER) / "film.blend", "frames": {"first": 1, "last": LAST}, "resolution": (96, 64)
})
opened = open_scene(config)
before = sorted(obj.name for obj in bpy.data.objects), len(bpy.data.scenes)
found = [[each.rule, each.object, list(each.materials)] for each in find_removals(opened, config)]
assert before == (sorted(obj.name for obj in bpy.data.objects), len(bpy.data.scenes))
assert opened.scene.frame_current == 1
print("ANSWER", json.dumps([found, remove_by_rules(opened, config)]))
"""


def removed(folder: Path, script: str, last: int = 4) -> tuple[list[list[object]], list[str]]:
    """What the rules find in a scene, as rule, object and materials, and what is noted when it goes."""
    text = f"FOLDER, LAST = {str(folder)!r}, {last}\n{PREAMBLE}{GLOW}{script}{FIND}"
    result = run_script(text)
    answers = [line for line in result.stdout.splitlines() if line.startswith("ANSWER")]
    assert answers, result.stderr
    found, notes = json.loads(answers[0][len("ANSWER") :])
    return found, notes


STREET = """
pink = glow("pink")
for number in range(36):
    # near ones are large, far ones small
    sign = thing("cube", f"sign.{number:03}", pink, size=0.4, location=(0.6 * (-1) ** number, 2.0 * number - 6.0, 0.5))
    sign.scale = (1.0, 0.4, 0.7)
"""


def test_equal_signs_stay_or_go_together(tmp_path: Path) -> None:
    assert removed(tmp_path, STREET) == ([], [])
    far = STREET + "for sign in bpy.data.objects:\n    if sign != camera: sign.location.y += 40\n"
    found, notes = removed(tmp_path, far)
    assert [each[:2] for each in found] == [["glowing", f"sign.{number:03}"] for number in range(36)]
    assert len(notes) == 1
    assert notes[0].startswith("removed 36 objects 'sign*': it shines and is small in the picture (emission 4, at most")


COMES = """
orb = thing("ico_sphere", "orb", glow("white"), radius=0.3, location=(0, 30, 0))
still = thing("ico_sphere", "still", glow("still"), radius=0.3, location=(1, 30, 0))
def move(what):
    what.keyframe_insert("location", frame=1)
    what.location.y -= 33
    what.keyframe_insert("location", frame=40)
"""


@pytest.mark.parametrize(
    "moving",
    [
        "move(orb)",
        "holder = bpy.data.objects.new('holder', None); scene.collection.objects.link(holder); orb.parent = holder; "
        "move(holder)",
        # drawn by a collection instance alone, whose origin is elsewhere
        "kit = bpy.data.collections.new('kit'); kit.instance_offset = (0, 5, 0); kit.objects.link(orb); "
        "scene.collection.objects.unlink(orb); place = bpy.data.objects.new('place', None); "
        "place.instance_type, place.instance_collection = 'COLLECTION', kit; place.location.y = 5; "
        "scene.collection.objects.link(place); move(place)",
    ],
    ids=["itself", "parent", "collection instance"],
)
def test_what_comes_near_later_in_the_film_is_no_glint(tmp_path: Path, moving: str) -> None:
    script = f"{COMES}\n{moving}\nscene.frame_end = FILM_END\n"
    # however long the clip is: a longer one must not change frames that are made already
    for last in (4, 40):
        assert [each[1] for each in removed(tmp_path, script.replace("FILM_END", "40"), last)[0]] == ["still"]
    # the film ends before it comes near
    assert [each[1] for each in removed(tmp_path, script.replace("FILM_END", "10"), 40)[0]] == ["orb", "still"]


PANELS = """
def letters(name, extrude):
    text = bpy.data.objects.new(name, bpy.data.curves.new(name, "FONT"))
    text.data.body, text.data.extrude = "OPEN", extrude
    text.data.materials.append(glow(name))
    scene.collection.objects.link(text)
    text.rotation_euler.x = math.pi / 2
    text.location = (-1, -3, 0)
letters("written", 0.0)
letters("extruded", 0.02)
upright = {"rotation": (math.pi / 2, 0, 0), "location": (0, -4, 0), "size": 3}
thing("plane", "panel", glow("panel"), **upright)
thing("plane", "thick", glow("thick"), **upright).modifiers.new("solid", "SOLIDIFY").thickness = 0.5
box = thing("cube", "sign box", glow("sign box"), location=(0, -4, 1), size=1)
box.scale = (2.0, 0.08, 0.6)
tube = thing("cylinder", "tube", glow("tube"), radius=0.05, depth=2.5, location=(0, -4, 1))
# a flat thing of the material of thick ones is judged with them
shared = glow("shared")
thing("plane", "flat one", shared, **upright)
thing("cube", "thick one", shared, location=(0, -4, 1), size=1)
"""


def test_only_flat_things_are_panels(tmp_path: Path) -> None:
    assert [each[:2] for each in removed(tmp_path, PANELS)[0]] == [["light_panels", "panel"]]


def test_what_stands_behind_the_camera_does_not_count(tmp_path: Path) -> None:
    script = """
pink = glow("pink")
thing("cube", "far", pink, size=0.4, location=(0, 30, 0))
thing("cube", "behind", pink, size=0.4, location=(0, -8.7, 0))
"""
    assert [each[1] for each in removed(tmp_path, script)[0]] == ["behind", "far"]
