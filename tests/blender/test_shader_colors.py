"""Colours that come from nodes are those that Cycles shows, flat: held against its own picture of the same scene."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from tests.blender.conftest import render_cuts, run_cli, save_blend

pytestmark = pytest.mark.blender

TOLERANCE = 2
"""Steps of 1/255 between a mean over sampled points and the mean over the pixels of a picture."""

TILES = """
import numpy as np
camera.data.type, camera.data.ortho_scale = "ORTHO", 12.0
scene.view_settings.view_transform = "Standard"

def tile(name, x, z, make, seen=None):
    # a board of a few faces, with colours at corners, vertices and faces, before the camera
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=4, y_subdivisions=4, size=1.0, location=(x, 0, z),
                                    rotation=(math.pi / 2, 0, 0))
    board = bpy.context.object
    board.name = name
    board.color = (0.1, 0.7, 0.3, 1.0)
    board.pass_index = 3
    mesh = board.data
    random = np.random.default_rng(list(name.encode()))
    painted = mesh.color_attributes.new("Painted", "FLOAT_COLOR", "CORNER")
    painted.data.foreach_set("color", np.c_[random.random((len(mesh.loops), 3)), np.ones(len(mesh.loops))].ravel())
    bytes_ = mesh.color_attributes.new("Bytes", "BYTE_COLOR", "CORNER")
    bytes_.data.foreach_set("color", np.tile((0.9, 0.2, 0.05, 1.0), len(mesh.loops)))
    mesh.color_attributes.render_color_index = mesh.color_attributes.find("Painted")
    shade = mesh.attributes.new("shade", "FLOAT", "POINT")
    shade.data.foreach_set("value", random.random(len(mesh.vertices)))
    whole = mesh.attributes.new("whole", "INT", "FACE")
    whole.data.foreach_set("value", np.arange(len(mesh.polygons)) % 2)
    material = bpy.data.materials.new(name)
    mesh.materials.append(material)
    tree, output = nodes_of(material)
    light = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(make(tree), light.inputs["Color"])
    tree.links.new(light.outputs[0], output.inputs["Surface"])
    return board

def node(tree, kind, _values=(), **settings):
    made = tree.nodes.new("ShaderNode" + kind)
    for name, value in settings.items():
        setattr(made, name, value)
    for name, value in dict(_values).items():
        if hasattr(value, "is_linked"):
            tree.links.new(value, made.inputs[name])
        else:
            made.inputs[name].default_value = value
    return made

def ramp(tree, factor):
    made = node(tree, "ValToRGB", {0: factor})
    made.color_ramp.elements[0].color = (0.9, 0.1, 0.0, 1)
    made.color_ramp.elements[1].color = (0.0, 0.2, 0.8, 1)
    return made.outputs[0]

painted = lambda t: node(t, "VertexColor", layer_name="Painted").outputs["Color"]
constant = lambda t: node(t, "RGB").outputs[0]
def rgb(t, *color):
    made = node(t, "RGB")
    made.outputs[0].default_value = (*color, 1)
    return made.outputs[0]
def mixed(t, blend, a, b, factor=1.0):
    return node(t, "MixRGB", {0: factor, 1: a, 2: b}, blend_type=blend).outputs[0]
def curves(t, color):
    made = node(t, "RGBCurve", {"Color": color})
    made.mapping.curves[3].points.new(0.3, 0.6)
    made.mapping.curves[0].points.new(0.5, 0.2)
    made.mapping.update()
    return made.outputs[0]
def grouped(t):
    inner = bpy.data.node_groups.new("inner", "ShaderNodeTree")
    out = inner.nodes.new("NodeGroupOutput")
    if hasattr(inner, "interface"):
        inner.interface.new_socket("Tint", in_out="OUTPUT", socket_type="NodeSocketColor")
        inner.interface.new_socket("Key", in_out="INPUT", socket_type="NodeSocketColor")
    else:
        inner.outputs.new("NodeSocketColor", "Tint")
        inner.inputs.new("NodeSocketColor", "Key")
    arriving = inner.nodes.new("NodeGroupInput")
    inner.links.new(mixed(inner, "MULTIPLY", arriving.outputs["Key"], painted(inner)), out.inputs["Tint"])
    made = t.nodes.new("ShaderNodeGroup")
    made.node_tree = inner
    made.inputs["Key"].default_value = (0.2, 0.9, 0.9, 1)
    return made.outputs["Tint"]
def combined(t, mode):
    return node(t, "CombineColor", {0: 0.55, 1: 0.8, 2: 0.4}, mode=mode).outputs[0]
def separated(t, mode):
    return node(t, "SeparateColor", {0: rgb(t, 0.7, 0.3, 0.1)}, mode=mode).outputs[1]
coordinates = lambda t, name: node(t, "TexCoord").outputs[name]

MAKES = {
    "vertex_color": painted,
    "vertex_color_active": lambda t: node(t, "VertexColor").outputs["Color"],
    "bytes": lambda t: node(t, "Attribute", attribute_name="Bytes").outputs["Color"],
    "attribute_number": lambda t: node(t, "Attribute", attribute_name="shade").outputs[2],
    "attribute_whole": lambda t: node(t, "Attribute", attribute_name="whole").outputs["Color"],
    "attribute_ramp": lambda t: ramp(t, node(t, "Attribute", attribute_name="shade").outputs[2]),
    "object_color": lambda t: node(t, "ObjectInfo").outputs["Color"],
    "object_random": lambda t: ramp(t, node(t, "ObjectInfo").outputs["Random"]),
    "object_index": lambda t: node(t, "Math", {0: node(t, "ObjectInfo").outputs["Object Index"], 1: 0.2},
                                   operation="MULTIPLY").outputs[0],
    "combine_rgb": lambda t: combined(t, "RGB"),
    "combine_hsv": lambda t: combined(t, "HSV"),
    "combine_hsl": lambda t: combined(t, "HSL"),
    "separate_hsv": lambda t: separated(t, "HSV"),
    "separate_hsl": lambda t: separated(t, "HSL"),
    "hue": lambda t: node(t, "HueSaturation", {"Hue": 0.7, "Saturation": 1.2, "Value": 0.8,
                                               "Color": rgb(t, 0.7, 0.3, 0.1)}).outputs[0],
    "gamma": lambda t: node(t, "Gamma", {"Color": rgb(t, 0.7, 0.3, 0.1), "Gamma": 2.2}).outputs[0],
    "bright": lambda t: node(t, "BrightContrast", {"Color": painted(t), "Bright": 0.1, "Contrast": 0.3}).outputs[0],
    "invert": lambda t: node(t, "Invert", {"Color": painted(t)}).outputs[0],
    "curves": lambda t: curves(t, rgb(t, 0.7, 0.3, 0.1)),
    "multiply": lambda t: mixed(t, "MULTIPLY", painted(t), rgb(t, 0.2, 0.9, 0.5)),
    "screen": lambda t: mixed(t, "SCREEN", painted(t), rgb(t, 0.2, 0.9, 0.5), 0.7),
    "overlay": lambda t: mixed(t, "OVERLAY", painted(t), rgb(t, 0.2, 0.9, 0.5), 0.7),
    "difference": lambda t: mixed(t, "DIFFERENCE", painted(t), rgb(t, 0.2, 0.9, 0.5)),
    "dodge": lambda t: mixed(t, "DODGE", painted(t), rgb(t, 0.2, 0.5, 0.5), 0.5),
    "group": grouped,
    "map_range": lambda t: ramp(t, node(t, "MapRange", {0: node(t, "Attribute", attribute_name="shade").outputs[2],
                                                        1: 0.2, 2: 0.6}).outputs[0]),
    "checker": lambda t: node(t, "TexChecker", {"Color1": (0.9, 0.1, 0, 1), "Color2": (0, 0.1, 0.6, 1),
                                                "Scale": 6.0}).outputs["Color"],
    "checker_uv": lambda t: node(t, "TexChecker", {"Vector": coordinates(t, "UV"), "Color1": (0.9, 0.1, 0, 1),
                                                   "Color2": (0, 0.1, 0.6, 1), "Scale": 4.0}).outputs["Color"],
    "noise": lambda t: ramp(t, node(t, "TexNoise", {"Scale": 3.0}).outputs[0]),
    "voronoi": lambda t: node(t, "TexVoronoi", {"Vector": coordinates(t, "Object"), "Scale": 9.0}).outputs["Color"],
    "wave": lambda t: ramp(t, node(t, "TexWave", {"Vector": coordinates(t, "UV"), "Scale": 3.0}).outputs["Color"]),
    "magic": lambda t: node(t, "TexMagic", {"Scale": 4.0}).outputs["Color"],
    "brick": lambda t: node(t, "TexBrick", {"Scale": 1.7, "Color1": (0.8, 0.2, 0.1, 1)}).outputs["Color"],
    "gradient": lambda t: ramp(t, node(t, "TexGradient").outputs[0]),
    "white_noise": lambda t: node(t, "TexWhiteNoise", {0: painted(t)}).outputs["Color"],
    "facing": lambda t: ramp(t, node(t, "LayerWeight").outputs["Facing"]),
    "fresnel": lambda t: ramp(t, node(t, "Fresnel", {"IOR": 2.5}).outputs[0]),
    "blackbody": lambda t: mixed(t, "MULTIPLY", node(t, "Blackbody", {0: 3000.0}).outputs[0], (0.3, 0.3, 0.3, 1)),
    "noise_of_attribute": lambda t: mixed(t, "MULTIPLY", painted(t), node(t, "TexNoise", {"Scale": 3.0}).outputs[1]),
}
names = sorted(MAKES)
for number, name in enumerate(names):
    tile(name, -5.0 + 1.25 * (number % 9), 2.8 - 1.25 * (number // 9), MAKES[name])
"""

CYCLES = """
import bpy, os, sys
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
scene.render.engine = "CYCLES"
cycles = scene.cycles
cycles.device, cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling = "CPU", 1, False, False
cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 960, 540, 100
scene.render.image_settings.file_format = "PNG"
scene.render.image_settings.color_depth = "16"
scene.render.dither_intensity = 0.0
scene.frame_set(1)
scene.render.filepath = sys.argv[2]
bpy.ops.render.render(write_still=True)
sys.stdout.flush()
os._exit(0)
"""


def linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    return 255.0 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def by_cycles(blend: Path, picture: Path) -> np.ndarray:
    """What Cycles shows of a film in its first frame, ``(H, W, 3)`` linear."""
    subprocess.run(
        [sys.executable, "-c", CYCLES, str(blend), str(picture)], capture_output=True, timeout=300, check=True
    )
    found = cv2.imread(str(picture), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    assert found is not None
    return linear(found[..., ::-1] / 65535.0)


def means(clip: ClipFiles, picture: np.ndarray) -> dict[str, np.ndarray]:
    """The mean of a picture (linear) over the inner pixels of each material, as 8 bits show it."""
    ids = clip.read("material_id", 1)
    names = {int(number): name for number, name in clip.read_names("material_id").items()}
    return {
        names[number]: encoded(picture[ids == number].mean(axis=0)) for number in np.unique(ids).tolist() if number > 1
    }


PAINTED = ("attribute_number", "attribute_ramp", "bright", "group", "map_range", "multiply", "overlay", "vertex_color")
"""Materials whose colours vary with attributes."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """The film of many materials, and what Cycles shows of it."""
    folder = tmp_path_factory.mktemp("tiles")
    blend = save_blend(folder / "tiles.blend", TILES)
    return blend, by_cycles(blend, folder / "cycles.png")


def render(blend: Path, folder: Path, style: str) -> tuple[ClipFiles, str]:
    path = folder / "tiles.yaml"
    path.write_text(
        f"name: tiles\nsource: {json.dumps(str(blend))}\nframes: {{first: 1, last: 2}}\nresolution: [960, 540]\n"
        f"lines: {{freestyle: false}}\nstyle: {style}\n",
        encoding="utf-8",
    )
    made, said = render_cuts(folder, path)
    return made.clip("tiles"), said


def test_flat_colors_are_the_means_of_what_cycles_shows(film: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    blend, shown = film
    clip, said = render(blend, tmp_path, "{color: material}")
    flat = linear(clip.read("flat", 1) / 255.0)
    wanted, found = means(clip, shown), means(clip, flat)
    assert len(wanted) > 35
    wrong = {
        name: (wanted[name].round(1).tolist(), found[name].round(1).tolist())
        for name in wanted
        if np.abs(wanted[name] - found[name]).max() > TOLERANCE
    }
    assert wrong == {}
    assert "cannot be read" not in said


def test_colors_of_attributes_are_those_of_cycles_at_every_pixel(film: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    blend, shown = film
    clip, _ = render(blend, tmp_path, "{color: attribute}")
    flat, ids = clip.read("flat", 1), clip.read("material_id", 1)
    number_of = {name: int(number) for number, name in clip.read_names("material_id").items()}
    table = clip.read_colors().colors
    for name in PAINTED:
        here = ids == number_of[name]
        off = np.abs(encoded(shown[here]) - flat[here]).max(axis=-1)
        assert len(off) > 5000
        assert (off > TOLERANCE).mean() < 0.001, name
        assert len(np.unique(flat[here], axis=0)) > 100
        assert table[number_of[name]] == "image"
    assert table[number_of["object_color"]] == "#59da94"


# frames 1 to 4, and a film that goes on; one box a kind of animation, from red to green
KEYED = """
scene.frame_end = 9
def fade(owner, path, values=((1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0))):
    for frame, value in zip((1, 4), values):
        target, _, name = path.rpartition(".")
        setattr(owner.path_resolve(target) if target else owner, name, value)
        owner.keyframe_insert(path, frame=frame)
    owner.keyframe_insert(path, frame=9)
    action = owner.animation_data.action
    curves = action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbag(
        owner.animation_data.action_slot).fcurves
    for curve in curves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"
    return action

def shaded(name, x, z):
    box = add("cube", name, (0.8, 0.8, 0.8), size=0.9, location=(x, 0, z))
    tree, output = nodes_of(box.data.materials[0])
    light = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(light.outputs[0], output.inputs[0])
    return box, tree, light

_, tree, light = shaded("socket", -3, 1)
fade(tree, 'nodes["Emission"].inputs[0].default_value')

_, tree, light = shaded("strip", -1.5, 1)
action = fade(tree, 'nodes["Emission"].inputs[0].default_value')
strip = tree.animation_data.nla_tracks.new().strips.new("fade", 1, action)
if hasattr(strip, "action_slot") and strip.action_slot is None:
    strip.action_slot = action.slots[0]
tree.animation_data.action = None

_, tree, light = shaded("driven", 0, 1)
for channel, expression in enumerate(("1 - (frame - 1) / 3", "(frame - 1) / 3", "0")):
    curve = light.inputs[0].driver_add("default_value", channel)
    curve.driver.expression = expression

_, tree, light = shaded("ramp", 1.5, 1)
stops = tree.nodes.new("ShaderNodeValToRGB")
tree.links.new(stops.outputs[0], light.inputs[0])
fade(tree, 'nodes["' + stops.name + '"].color_ramp.elements[0].color')
stops.inputs[0].default_value = 0.0

_, tree, light = shaded("group", 3, 1)
inner = bpy.data.node_groups.new("inner", "ShaderNodeTree")
constant, leaving = inner.nodes.new("ShaderNodeRGB"), inner.nodes.new("NodeGroupOutput")
if hasattr(inner, "interface"):
    inner.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
else:
    inner.outputs.new("NodeSocketColor", "Color")
inner.links.new(constant.outputs[0], leaving.inputs[0])
made = tree.nodes.new("ShaderNodeGroup")
made.node_tree = inner
tree.links.new(made.outputs[0], light.inputs[0])
fade(inner, 'nodes["' + constant.name + '"].outputs[0].default_value')

box = add("cube", "viewport", (1, 0, 0), size=0.9, location=(-3, 0, -1))
fade(box.data.materials[0], "diffuse_color")

box, tree, light = shaded("object", -1.5, -1)
tree.links.new(tree.nodes.new("ShaderNodeObjectInfo").outputs["Color"], light.inputs[0])
fade(box, "color")

# the viewport does not show it, so nothing evaluates its animation there
box, tree, light = shaded("unshown", 0, -1)
fade(tree, 'nodes["Emission"].inputs[0].default_value')
box.hide_viewport = True

# what only Cycles knows, of two colours that fade
box, tree, light = shaded("checked", 1.5, -1)
check = tree.nodes.new("ShaderNodeTexChecker")
tree.links.new(check.outputs[0], light.inputs[0])
for index in (1, 2):
    fade(tree, f'nodes["{check.name}"].inputs[{index}].default_value')

box, tree, light = shaded("still", 3, -1)
light.inputs[0].default_value = (0.0, 0.0, 1.0, 1.0)
box.keyframe_insert("location", frame=1)
box.location.x = 3.2
box.keyframe_insert("location", frame=4)
"""


def fading(frame: int) -> str:
    share = (frame - 1) / 3
    red, green = (round(float(encoded(np.array(part)))) for part in (1 - share, share))
    return f"#{red:02x}{green:02x}00"


def test_keyed_colors_are_those_of_each_frame(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    path = cut(build("keyed", KEYED), "lines: {freestyle: false}\nrecolor: {passes: 1}\n", last=4)
    said = run_cli("generate", path, "--out", tmp_path / "out").stdout
    clip = Dataset(tmp_path / "out").clip("keyed")
    number_of = {name: int(number) for number, name in clip.read_names("material_id").items()}
    table = clip.read_colors()
    kinds = ["socket", "strip", "driven", "ramp", "group", "viewport", "object", "unshown", "checked"]
    wanted = {frame: fading(frame) for frame in (1, 2, 3, 4)}
    assert {name: table.colors[number_of[name]] for name in kinds} == dict.fromkeys(kinds, wanted)
    assert table.colors[number_of["still"]] == "#0000ff"
    for frame in (1, 2, 3, 4):
        flat, ids = clip.read("flat", frame), clip.read("material_id", frame)
        for name in kinds:
            seen = np.unique(flat[ids == number_of[name]], axis=0)
            assert seen.tolist() == [list(bytes.fromhex(wanted[frame][1:]))], (name, frame)
    # flow is not to blame for colours that change, and that they are not compared is said
    quality = json.loads((tmp_path / "out" / "quality" / "keyed.json").read_text(encoding="utf-8"))
    assert quality["failures"] == []
    assert quality["summary"]["agreement"]["worst"] > 0.999
    assert quality["summary"]["repainted_share"]["worst"] > 0.05
    assert "colours that change by themselves" in said
    # another palette leaves what fades fading
    painted = [clip.read("color_1", frame)[clip.read("material_id", frame) == number_of["socket"]] for frame in (1, 4)]
    assert np.abs(np.median(painted[0], axis=0) - np.median(painted[1], axis=0)).max() > 10
    # whichever process renders a frame
    run_cli("render", path, "--out", tmp_path / "alone", "--frames", "3:3")
    alone = Dataset(tmp_path / "alone").clip("keyed")
    assert alone.read_colors() == table
    assert alone.path("flat", 3).read_bytes() == clip.path("flat", 3).read_bytes()
