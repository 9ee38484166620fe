"""What the rules take out of a scene, and what they must leave."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from tests.blender.conftest import PROJECT, SCENE, render_cuts, run_kept

pytestmark = pytest.mark.blender

LIGHTS = """
def shader(name, kind, color=(1, 1, 1), strength=1.0, image=None, camera_only=None):
    material = paint(name, (0.8, 0.8, 0.8))
    tree, output = nodes_of(material)
    if kind == "volume":
        tree.links.new(tree.nodes.new("ShaderNodeVolumePrincipled").outputs[0], output.inputs["Volume"])
        return material
    node = tree.nodes.new({"glow": "ShaderNodeEmission", "clear": "ShaderNodeBsdfTransparent"}[kind])
    if kind == "glow":
        node.inputs["Strength"].default_value = strength
        node.inputs["Color"].default_value = (*color, 1)
        if image is not None:
            texture = tree.nodes.new("ShaderNodeTexImage")
            texture.image = image
            tree.links.new(texture.outputs[0], node.inputs["Color"])
    if camera_only is None:
        tree.links.new(node.outputs[0], output.inputs[0])
        return material
    # seen, or not seen, by camera rays alone
    path, mix, clear = (tree.nodes.new("ShaderNode" + n) for n in ("LightPath", "MixShader", "BsdfTransparent"))
    tree.links.new(path.outputs["Is Camera Ray"], mix.inputs[0])
    tree.links.new(node.outputs[0], mix.inputs[2 if camera_only else 1])
    tree.links.new(clear.outputs[0], mix.inputs[1 if camera_only else 2])
    tree.links.new(mix.outputs[0], output.inputs[0])
    return material

def wear(thing, *materials):
    thing.data.materials.clear()
    for material in materials:
        thing.data.materials.append(material)
    return thing

across = {"size": 9, "rotation": (math.pi / 2, 0, 0)}
"""

IN_THE_WAY = (
    LIGHTS
    + """
def curtain(name, y, material=None):
    thing = add("plane", name, (0, 1, 0), location=(0, y, 0), **across)
    return wear(thing, material) if material is not None else thing

curtain("ray visibility", -3).visible_camera = False
curtain("holdout", -3.1).is_holdout = True
curtain("catcher", -3.2).is_shadow_catcher = True
curtain("glass without glass", -3.3, shader("clear", "clear"))
curtain("trick", -3.4, shader("trick", "glow", strength=50, camera_only=False))
curtain("panel", -3.5, shader("panel", "glow", strength=9))
wear(add("cube", "fog", (1, 1, 1), size=9), shader("fog", "volume"))
cage = curtain("cage", -3.6)
cage.data.materials.clear()
cage.display_type = "WIRE"
cutter = curtain("cutter", -3.7)
cutter.display_type = "BOUNDS"
ball.modifiers.new("cut", "BOOLEAN").object = cutter
ball.modifiers["cut"].show_render = False
light_only = bpy.data.collections.new("light only")
scene.collection.children.link(light_only)
light_only.objects.link(curtain("reflector", -3.8))
scene.collection.objects.unlink(bpy.data.objects["reflector"])
scene.view_layers[0].layer_collection.children["light only"].indirect_only = True
wear(add("ico_sphere", "orb", (1, 1, 1), radius=0.1, location=(0, -2, 0)), shader("orb", "glow", strength=20))
# a glint: a loose piece of the ball's own mesh, before it
bpy.ops.mesh.primitive_ico_sphere_add(radius=0.06, location=(1.0, -1.2, 0.3))
glint = bpy.context.object
wear(glint, shader("glint", "glow", strength=5))
ball.data.materials.append(glint.data.materials[0])
glint.parent = None
bpy.ops.object.select_all(action="DESELECT")
glint.select_set(True)
ball.select_set(True)
bpy.context.view_layer.objects.active = ball
bpy.ops.object.join()
"""
)

BELONGS = (
    LIGHTS
    + """
screen = bpy.data.images.new("film", 4, 4)
screen.pixels = [0, 1, 0, 1] * 16
screen.pack()
def plate(name, x, material):
    place = {"size": 0.9, "rotation": (math.pi / 2, 0, 0), "location": (x, -1, 1.3)}
    return wear(add("plane", name, (0, 0, 0), **place), material)
plate("cel", -1.5, shader("cel", "glow", (1, 0, 0), 1.0))
plate("screen", -0.5, shader("screen", "glow", strength=30, image=screen))
plate("lamp face", 0.5, shader("lamp face", "glow", (1, 1, 0), 30.0)).name = "kept lamp"
boxed = plate("bounds", 1.5, paint("bounds", (0, 1, 1)))
boxed.display_type = "BOUNDS"
# one half of a ball shines: paint, not a lamp
moon = add("uv_sphere", "moon", (0.1, 0.1, 0.1), radius=0.3, location=(-2.5, -1, 1.3))
moon.data.materials.append(shader("moon shine", "glow", (1, 1, 1), 5.0))
for face in moon.data.polygons:
    face.material_index = int(face.center.x < 0)
# a large thing that shines is the sun, not a bulb
wear(add("uv_sphere", "sun", (1, 1, 1), radius=1.2, location=(4, 6, -2)), shader("sun", "glow", (1, 0.8, 0), 5.0))
"""
)


def shown(clip: ClipFiles) -> set[str]:
    """Names of the objects that the first frame shows."""
    names = clip.read_names("object_id")
    return {names[str(number)] for number in np.unique(clip.read("object_id", 1))}


def test_what_serves_the_light_is_gone_and_the_rest_is_as_if_it_had_never_been_there(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    plain, full = build("plain", SCENE), build("full", SCENE + IN_THE_WAY)
    # of the same scene, with the rules off, nothing of what is behind is seen
    without = build("without", SCENE + IN_THE_WAY)
    no_lines = "lines: {freestyle: false}\n"
    dataset, said = render_cuts(
        tmp_path, cut(plain, no_lines), cut(full, no_lines), cut(without, "remove: {rules: []}\n" + no_lines)
    )
    one, other = dataset.clip("plain"), dataset.clip("full")
    assert np.array_equal(one.read("flat", 1), other.read("flat", 1))
    assert np.array_equal(one.read("flow_forward", 1), other.read("flow_forward", 1))
    assert "box" not in shown(dataset.clip("without"))
    for words in (
        "removed 'ray visibility': no camera sees it",
        "removed 'holdout': it is a holdout",
        "removed 'catcher': it only catches shadows",
        "removed 'glass without glass', 'trick': its materials are wholly transparent",
        "removed 'panel': a flat surface that shines (emission 9,",
        "removed 'fog': its materials are volumes without a surface",
        "removed 'cage': it is displayed as wire and has no material",
        "removed 'cutter': it is displayed as bounds",
        "removed 'reflector': its collection 'light only' is there for indirect light only",
        "removed 'orb': it shines and is small in the picture (emission 20,",
        "faces of 'glint' from 'ball': it shines and is small in the picture (emission 5,",
    ):
        assert words in said
    # what is taken out is not made solid as well; with the rules off it is
    [solid] = [line for line in said.splitlines() if "made solid" in line]
    assert all(f"{name} (" in solid for name in ("clear", "trick"))


def test_what_belongs_to_the_picture_stays(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    text = """
        keep: {objects: ["kept*", "no such lamp"]}
        lines: {freestyle: false}
    """
    dataset, said = render_cuts(tmp_path, cut(build("belongs", SCENE + BELONGS), text))
    assert shown(dataset.clip("belongs")) >= {"cel", "screen", "kept lamp", "bounds", "moon", "sun", "ball", "box"}
    assert "keep.objects: nothing in the file is named 'no such lamp'" in said


def test_a_kept_material_and_each_rule_switched_off_leave_their_objects(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    script = (
        SCENE
        + LIGHTS
        + textwrap.dedent(
            """
        wear(add("ico_sphere", "orb", (1, 1, 1), radius=0.1, location=(0, -2, 0)), shader("orb", "glow", strength=20))
        wear(add("plane", "panel", (1, 1, 1), size=0.5, location=(0, -2, 1), rotation=(1.5, 0, 0)), shader("panel", "glow", strength=9))
        """  # noqa: E501
        )
    )
    kept, panels_only, strong = (build(name, script) for name in ("kept", "panels_only", "strong"))
    no_lines = "lines: {freestyle: false}\n"
    dataset, _ = render_cuts(
        tmp_path,
        cut(kept, "keep: {materials: ['orb*']}\n" + no_lines),
        cut(panels_only, "remove: {rules: [light_panels]}\n" + no_lines),
        cut(strong, "remove: {glow_strength: 10}\n" + no_lines),
    )
    assert shown(dataset.clip("kept")) == {"background", "ball", "box", "orb"}
    assert shown(dataset.clip("panels_only")) == {"background", "ball", "box", "orb"}
    assert shown(dataset.clip("strong")) == {"background", "ball", "box", "panel"}


def test_the_backlot_loses_its_lights_and_keeps_what_looks_like_them(tmp_path: Path) -> None:
    config = tmp_path / "backlot.yaml"
    config.write_text(
        f"inherit: {PROJECT / 'configs' / 'conversions' / 'backlot.yaml'}\nresolution: [240, 135]\n", encoding="utf-8"
    )
    run_kept("generate", config, "--out", tmp_path / "out", "--frames", "4:5", "--strict")
    clip = Dataset(tmp_path / "out").clip("backlot")
    names, materials = clip.read_names("object_id"), clip.read_names("material_id")
    objects = {names[str(number)] for number in np.unique(clip.read("object_id", 4))}
    worn = {materials[str(number)] for number in np.unique(clip.read("material_id", 4))}
    assert {"Street lamp left", "Street lamp right", "Robot", "Moon", "Screen"} <= objects
    assert not objects & {"Fog", "Soft box", "Bounce panel", "Light blocker", "Shadow catcher", "Wisp"}
    assert {"moon", "screen", "iron", "eye"} <= worn
    assert not worn & {"bulb", "glint", "wisp", "panel", "board", "fog", "catcher"}


SCATTERED = """
def source(name, color):
    made = add("cube", name, color, size=0.6, location=(0, 0, 50))
    return made

def host(name, x, what, as_instance=True):
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    if hasattr(tree, "interface"):
        tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    else:
        tree.outputs.new("NodeSocketGeometry", "Geometry")
    line, put, shown = (tree.nodes.new("GeometryNode" + kind) for kind in
                        ("MeshLine", "InstanceOnPoints", "ObjectInfo"))
    line.inputs["Count"].default_value = 2
    line.inputs["Offset"].default_value = (0, 0, 1)
    shown.inputs["Object"].default_value = what
    shown.inputs["As Instance"].default_value = as_instance
    leaving = tree.nodes.new("NodeGroupOutput")
    tree.links.new(line.outputs[0], put.inputs["Points"])
    tree.links.new(shown.outputs["Geometry"], put.inputs["Instance"])
    tree.links.new(put.outputs[0], leaving.inputs[0])
    thing = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    thing.location = (x, 0, 0)
    scene.collection.objects.link(thing)
    thing.modifiers.new("scatter", "NODES").node_group = tree

unseen = source("unseen", (1, 0, 0))
unseen.visible_camera = False
twin = unseen.copy()
twin.name, twin.visible_camera = "twin", True
twin.location = (3, 0, 0)
scene.collection.objects.link(twin)
host("unseen host", -3, unseen)
host("named host", -1.5, source("named", (0, 1, 0)))
host("kept host", 0, source("kept", (0, 0, 1)))
part = source("part", (1, 1, 0))
part.visible_camera = False
host("part host", 1.5, part, as_instance=False)
twin.keyframe_insert("location", frame=1)
"""


def test_what_goes_is_not_drawn_by_nodes_either(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    path = cut(build("scattered", SCATTERED), "remove: {objects: [named]}\nlines: {freestyle: false}\n")
    dataset, _ = render_cuts(tmp_path, path)
    clip = dataset.clip("scattered")
    seen = {clip.read_names("object_id")[number] for number in map(str, np.unique(clip.read("object_id", 1)))}
    # another object that wears the same mesh stays
    assert {"twin", "kept"} <= seen
    assert seen.isdisjoint({"unseen", "named"})
    # what nodes make a part of their own object is seen as that is
    assert "part host" in seen
