"""Colours that come from nodes are those that Cycles shows, flat: held against its own picture of the same scene."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from tests.blender.conftest import render_cuts, run_elsewhere, run_kept, run_script, save_blend

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
    board["tint"], board["level"] = (0.2, 0.6, 0.9), 0.35
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
    edges = len(mesh.edges)
    mesh.attributes.new("edge", "FLOAT_COLOR", "EDGE").data.foreach_set(
        "color", np.c_[random.random((edges, 3)), np.ones(edges)].ravel())
    mesh.attributes.new("edge number", "FLOAT", "EDGE").data.foreach_set("value", random.random(edges))
    mesh.attributes.new("edge flag", "BOOLEAN", "EDGE").data.foreach_set("value", random.random(edges) < 0.15)
    mesh.attributes.new("edge whole", "INT", "EDGE").data.foreach_set("value", random.integers(0, 3, edges, np.int32))
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
    "edge_color": lambda t: node(t, "Attribute", attribute_name="edge").outputs["Color"],
    "edge_number": lambda t: ramp(t, node(t, "Attribute", attribute_name="edge number").outputs[2]),
    "edge_flag": lambda t: node(t, "Attribute", attribute_name="edge flag").outputs["Color"],
    "edge_whole": lambda t: ramp(t, node(t, "Math", {0: node(t, "Attribute", attribute_name="edge whole").outputs[2],
                                                     1: 0.5}, operation="MULTIPLY").outputs[0]),
    "object_color": lambda t: node(t, "ObjectInfo").outputs["Color"],
    "object_random": lambda t: ramp(t, node(t, "ObjectInfo").outputs["Random"]),
    "object_index": lambda t: node(t, "Math", {0: node(t, "ObjectInfo").outputs["Object Index"], 1: 0.2},
                                   operation="MULTIPLY").outputs[0],
    "property_color": lambda t: node(t, "Attribute", attribute_type="OBJECT", attribute_name="tint").outputs["Color"],
    "property_number": lambda t: ramp(t, node(t, "Attribute", attribute_type="OBJECT",
                                              attribute_name="level").outputs[2]),
    "property_noise": lambda t: mixed(t, "MULTIPLY", node(t, "TexNoise", {"Scale": 3.0}).outputs[1],
        node(t, "Attribute", attribute_type="OBJECT", attribute_name="tint").outputs["Color"]),
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
"""


def linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    return 255.0 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def by_cycles(blend: Path, picture: Path) -> np.ndarray:
    """What Cycles shows of a film in its first frame, ``(H, W, 3)`` linear."""
    drawn = run_script(CYCLES, blend, picture)
    assert drawn.returncode == 0, drawn.stderr
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


PAINTED = (
    "attribute_number",
    "attribute_ramp",
    "bright",
    "edge_color",
    "edge_number",
    "edge_whole",
    "group",
    "map_range",
    "multiply",
    "overlay",
    "vertex_color",
)
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
        # means of noise without any pattern depend on where one looks
        if np.abs(wanted[name] - found[name]).max() > TOLERANCE * (2 if name == "white_noise" else 1)
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
        assert len(np.unique(flat[here], axis=0)) > 50
        assert table[number_of[name]] == "image"
    assert table[number_of["object_color"]] == "#59da95"


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
    said = run_kept("generate", path, "--out", tmp_path / "out").stdout
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
    run_elsewhere("render", path, "--out", tmp_path / "alone", "--frames", "3:3")
    alone = Dataset(tmp_path / "alone").clip("keyed")
    assert alone.read_colors() == table
    assert alone.path("flat", 3).read_bytes() == clip.path("flat", 3).read_bytes()


# one mesh, worn by instances of its own object, of a collection, of nodes and of particles; random and object colours
INSTANCED = """
scene.view_settings.view_transform = "Standard"
camera.data.type, camera.data.ortho_scale = "ORTHO", 8.0

def colored(name, output):
    material = bpy.data.materials.new(name)
    tree, out = nodes_of(material)
    light, info = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeObjectInfo")
    source = info.outputs[output]
    if output == "Random":
        stops = tree.nodes.new("ShaderNodeValToRGB")
        stops.color_ramp.elements[0].color = (1, 0, 0, 1)
        stops.color_ramp.elements[1].color = (0, 0.3, 1, 1)
        tree.links.new(source, stops.inputs[0])
        source = stops.outputs[0]
    tree.links.new(source, light.inputs[0])
    tree.links.new(light.outputs[0], out.inputs[0])
    return material

def board(name, x, z, color, material, collection=scene.collection, mesh=None):
    if mesh is None:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata([(-0.4, 0, -0.4), (0.4, 0, -0.4), (0.4, 0, 0.4), (-0.4, 0, 0.4)], [], [(0, 1, 2, 3)])
        mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    thing.location, thing.color = (x, 0, z), (*color, 1)
    collection.objects.link(thing)
    return thing

by_random, by_color = colored("by random", "Random"), colored("by color", "Color")
first = board("Wänd", -3, 1.2, (0.9, 0.1, 0.0), by_random)
for number in range(3):
    board(f"random {number}", -2 + number, 1.2, (1, 1, 1), by_random, mesh=first.data)
painted = board("own", -3, 0, (0.9, 0.1, 0.0), by_color)
for number, color in enumerate([(0, 0.5, 0), (0.1, 0.1, 0.9), (0.8, 0.8, 0)]):
    board(f"own {number}", -2 + number, 0, color, by_color, mesh=painted.data)

group = bpy.data.collections.new("group")
board("member 0", -0.5, 0, (0.2, 0.7, 0.7), by_color, group, painted.data)
board("member 1", 0.5, 0, (0, 0, 0), by_random, group, first.data)
for x in (-2.5, 0.0):
    empty = bpy.data.objects.new("shows group", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", group
    empty.location = (x, 0, -1.2)
    scene.collection.objects.link(empty)

tree = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
if hasattr(tree, "interface"):
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
else:
    tree.outputs.new("NodeSocketGeometry", "Geometry")
line, put, what = (tree.nodes.new(kind) for kind in
                   ("GeometryNodeMeshLine", "GeometryNodeInstanceOnPoints", "GeometryNodeObjectInfo"))
line.inputs["Count"].default_value = 3
line.inputs["Offset"].default_value = (0, 0, 1.1)
what.inputs["Object"].default_value = first
what.inputs["As Instance"].default_value = True
leaving = tree.nodes.new("NodeGroupOutput")
tree.links.new(line.outputs[0], put.inputs["Points"])
tree.links.new(what.outputs["Geometry"], put.inputs["Instance"])
tree.links.new(put.outputs[0], leaving.inputs[0])
host = bpy.data.objects.new("host", bpy.data.meshes.new("host"))
host.location = (3.0, 0, -1.2)
scene.collection.objects.link(host)
host.modifiers.new("scatter", "NODES").node_group = tree
first.keyframe_insert("location", frame=1)
"""


def test_each_instance_has_its_own_color(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    blend = build("instanced", INSTANCED)
    shown = encoded(by_cycles(blend, tmp_path / "cycles.png"))
    path = cut(blend, "style: {color: attribute}\nlines: {freestyle: false}\n")
    path.write_text(path.read_text(encoding="utf-8").replace("[96, 64]", "[960, 540]"), encoding="utf-8")
    # identity pictures give objects other colours, and may not take these away
    run_kept("generate", path, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("instanced")
    for frame in (1, 2):
        flat, ids = clip.read("flat", frame), clip.read("material_id", frame)
        worn = ids > 1
        assert worn.sum() > 90_000
        assert (np.abs(shown[worn] - flat[worn]).max(axis=-1) > TOLERANCE).mean() < 0.002
        assert len(np.unique(flat[worn], axis=0)) >= 10


BY_HAND = """
def board(name, x, z):
    material = bpy.data.materials.new(name)
    bpy.ops.mesh.primitive_plane_add(size=1.2, location=(x, 0, z), rotation=(math.pi / 2, 0, 0))
    thing = bpy.context.object
    thing.data.materials.append(material)
    return thing

image = bpy.data.images.new("halves", 8, 8)
image.pixels = [v for y in range(8) for x in range(8) for v in ((1, 0, 0, 1) if x < 4 else (0, 0, 1, 1))]
image.pack()
image.use_fake_user = True
board("face", -1, 1)
layer = board("ground", 1, 1).data.color_attributes.new("Col", "FLOAT_COLOR", "POINT")
for item, color in zip(layer.data, ((0, 1, 0, 1), (0, 1, 0, 1), (0, 1, 0, 1), (1, 1, 1, 1))):
    item.color = color
board("other", -1, -1)
"""


def test_images_and_attributes_are_assigned_by_hand(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    assigned = "{'fac?': halves, ground: Col, other: nowhere, nobody: halves}"
    path = cut(build("hand", BY_HAND), f"style: {{textures: {assigned}}}\nlines: {{freestyle: false}}\n")
    dataset, said = render_cuts(tmp_path, path)
    clip = dataset.clip("hand")
    flat, ids = clip.read("flat", 1), clip.read("material_id", 1)
    number_of = {name: int(number) for number, name in clip.read_names("material_id").items()}
    face = flat[ids == number_of["face"]]
    left, right = ((face == color).all(axis=-1).sum() for color in ((255, 0, 0), (0, 0, 255)))
    # between the halves Workbench mixes their texels
    assert min(left, right) > 0.3 * len(face)
    assert (face[:, 1] == 0).all()
    ground = flat[ids == number_of["ground"]]
    assert (ground[:, 1] == 255).all()
    assert len(np.unique(ground, axis=0)) > 10
    assert {clip.read_colors().colors[number_of[name]] for name in ("face", "ground")} == {"image"}
    assert "style.textures: 'nowhere' for material 'other' is no image, and no mesh that wears it has such" in said
    assert "style.textures: no material is named 'nobody'" in said


UNREADABLE = """
def board(name, x, socket_of):
    material = bpy.data.materials.new(name)
    tree, output = nodes_of(material)
    light = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(socket_of(tree), light.inputs[0])
    tree.links.new(light.outputs[0], output.inputs[0])
    bpy.ops.mesh.primitive_cube_add(size=1.2, location=(x, 0, 0))
    bpy.context.object.data.materials.append(material)

def lit(tree):
    shaded, steps = tree.nodes.new("ShaderNodeShaderToRGB"), tree.nodes.new("ShaderNodeValToRGB")
    tree.links.new(tree.nodes.new("ShaderNodeBsdfDiffuse").outputs[0], shaded.inputs[0])
    tree.links.new(shaded.outputs[0], steps.inputs[0])
    return steps.outputs[0]

board("islands", -3, lambda tree: tree.nodes.new("ShaderNodeNewGeometry").outputs["Random Per Island"])
board("toon", -1, lit)
board("dust", 1, lambda tree: tree.nodes.new("ShaderNodeParticleInfo").outputs["Random"])
def lacking(tree):
    asked = tree.nodes.new("ShaderNodeVertexColor")
    asked.layer_name = "Gone"
    return asked.outputs[0]
board("lacking", 3, lacking)
# worn by nothing, so nothing is said of it
unworn = bpy.data.materials.new("unworn")
unworn.use_fake_user = True
tree, output = nodes_of(unworn)
light = tree.nodes.new("ShaderNodeEmission")
tree.links.new(tree.nodes.new("ShaderNodeParticleInfo").outputs["Random"], light.inputs[0])
tree.links.new(light.outputs[0], output.inputs[0])
bpy.context.object.keyframe_insert("location", frame=1)
"""


def test_what_cannot_be_read_is_named(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    source = build("unreadable", UNREADABLE)
    _, said = render_cuts(tmp_path, cut(source, "lines: {freestyle: false}\n"))
    reasons = {
        "islands": "its colour depends on its loose parts",
        "toon": "it depends on light",
        "dust": "its colour depends on the particle",
        "lacking": "it comes from an attribute 'Gone' that no surface has",
    }
    run_kept("init", source, "-o", tmp_path / "draft.yaml")
    draft = " ".join((tmp_path / "draft.yaml").read_text(encoding="utf-8").split())
    for name, reason in reasons.items():
        [note] = [line for line in said.splitlines() if line.startswith("  note: the colour of") and reason in line]
        assert f"'{name}'" in note
        assert reason in draft.replace("# ", "")
        assert f"'{name}'" in draft.partition("style:")[2]
    assert "'unworn'" not in said


# nodes give one half of a board that turns another material from frame 2 on
SWITCHED = """
add("plane", "ground", (0.2, 0.2, 0.2), size=20, location=(0, 6, 0), rotation=(math.pi / 2, 0, 0))
bpy.ops.mesh.primitive_grid_add(x_subdivisions=2, y_subdivisions=1, size=4, rotation=(math.pi / 2, 0, 0))
board = bpy.context.object
board.data.materials.append(paint("before", (0.9, 0.1, 0.1)))
board.data.materials.append(paint("after", (0.1, 0.3, 0.9)))
tree = bpy.data.node_groups.new("switch", "GeometryNodeTree")
if hasattr(tree, "interface"):
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
else:
    tree.inputs.new("NodeSocketGeometry", "Geometry")
    tree.outputs.new("NodeSocketGeometry", "Geometry")
entering, leaving, chosen, index, first = (tree.nodes.new(kind) for kind in (
    "NodeGroupInput", "NodeGroupOutput", "GeometryNodeSetMaterialIndex", "GeometryNodeInputIndex",
    "FunctionNodeCompare"))
first.data_type, first.operation = "INT", "EQUAL"
tree.links.new(index.outputs[0], next(each for each in first.inputs if each.enabled and each.name == "A"))
tree.links.new(first.outputs[0], chosen.inputs["Selection"])
tree.links.new(entering.outputs[0], chosen.inputs["Geometry"])
tree.links.new(chosen.outputs[0], leaving.inputs[0])
number = chosen.inputs["Material Index"]
for frame, value in ((1, 0), (2, 1)):
    number.default_value = value
    number.keyframe_insert("default_value", frame=frame)
board.modifiers.new("switch", "NODES").node_group = tree
for frame, turn in ((1, 0.0), (4, 0.05)):
    board.rotation_euler.y = turn
    board.keyframe_insert("rotation_euler", frame=frame)
"""


def test_flow_is_not_blamed_for_materials_that_nodes_switch(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    path = cut(build("switched", SWITCHED), "lines: {freestyle: false}\n", last=3)
    said = run_kept("generate", path, "--out", tmp_path / "out").stdout
    assert "all figures are within their thresholds" in said
    quality = json.loads((tmp_path / "out" / "quality" / "switched.json").read_text(encoding="utf-8"))
    first, second = ({way: pair[way] for way in ("forward", "backward")} for pair in quality["pairs"])
    for figures in first.values():
        # the half of the board that turns another material
        assert 0.3 < figures["repainted_share"] < 0.4
        assert figures["warp_error_flat"] < 0.01
    assert {figures["repainted_share"] for figures in second.values()} == {0.0}
    # of that pair alone there is anything to say
    [*files] = (tmp_path / "out" / ".animerun-gen" / "switched_pictures" / "switched").iterdir()
    assert sorted(file.name for file in files) == ["0001-0002.png", "0002-0001.png"]


# what materials ask their objects for is one colour in each frame, and another in the next; each by another way
ASKED = """
scene.view_settings.view_transform = "Standard"
camera.data.type, camera.data.ortho_scale = "ORTHO", 8.0
red, green = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)

def shaded(name, kind, output, **settings):
    material = bpy.data.materials.new(name)
    tree, out = nodes_of(material)
    light, asking = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new(kind)
    for setting, value in settings.items():
        setattr(asking, setting, value)
    tree.links.new(asking.outputs[output], light.inputs[0])
    tree.links.new(light.outputs[0], out.inputs[0])
    return material

def keyed(owner, name, values, path=None):
    for frame, value in values.items():
        if path is None:
            setattr(owner, name, value)
        else:
            owner[name] = value
        owner.keyframe_insert(path or name, frame=frame)
    action = owner.animation_data.action
    curves = action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbag(
        owner.animation_data.action_slot).fcurves
    for curve in curves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"

def box(name, x, material):
    made = add("cube", name, (1, 1, 1), size=0.9, location=(x, 0, 0))
    made.data.materials.clear()
    made.data.materials.append(material)
    return made

asking = dict(attribute_type="OBJECT")
keyed(box("builtin", -3, shaded("builtin", "ShaderNodeAttribute", "Color", attribute_name="color", **asking)),
      "color", {1: red, 4: green})
keyed(box("property", -1.5, shaded("property", "ShaderNodeAttribute", "Color", attribute_name="tint", **asking)),
      "tint", {1: red[:3], 4: green[:3]}, '["tint"]')
keyed(box("data", 0, shaded("data", "ShaderNodeAttribute", "Color", attribute_name="dye", **asking)).data,
      "dye", {1: red[:3], 4: green[:3]}, '["dye"]')
inner = box("member", 0, shaded("member", "ShaderNodeObjectInfo", "Color"))
group = bpy.data.collections.new("group")
for each in list(inner.users_collection):
    each.objects.unlink(inner)
group.objects.link(inner)
empty = bpy.data.objects.new("shows group", None)
empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", group, (1.5, 0, 0)
scene.collection.objects.link(empty)
keyed(empty, "color", {1: red, 4: green})
"""


def test_one_color_asked_of_objects_is_that_of_each_frame(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    path = cut(build("asked", ASKED), "lines: {freestyle: false}\nstyle: {color: attribute}\n", last=4)
    run_kept("render", path, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("asked")
    number_of = {name: int(number) for number, name in clip.read_names("material_id").items()}
    for frame in (1, 2, 4):
        flat, ids = clip.read("flat", frame), clip.read("material_id", frame)
        wanted = [int(fading(frame)[start : start + 2], 16) for start in (1, 3, 5)]
        for name in ("builtin", "property", "data", "member"):
            seen = flat[ids == number_of[name]].astype(int)
            assert np.abs(seen - wanted).max() <= 1, (name, frame)


def test_keyed_colors_have_the_numbers_of_the_files(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    path = cut(build("keyed", KEYED), "lines: {freestyle: false}\n", last=2)
    path.write_text(path.read_text(encoding="utf-8").replace("last: 2", "last: 2, offset: 1000"), encoding="utf-8")
    run_kept("render", path, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("keyed")
    number_of = {name: int(number) for number, name in clip.read_names("material_id").items()}
    colors = clip.read_colors().colors[number_of["socket"]]
    assert colors == {1001: fading(1), 1002: fading(2)}
    seen = clip.read("flat", 1002)[clip.read("material_id", 1002) == number_of["socket"]]
    assert np.unique(seen, axis=0).tolist() == [list(bytes.fromhex(fading(2)[1:]))]
