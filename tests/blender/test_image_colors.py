"""What nodes make of images is painted pixel by pixel as Cycles shows it: held against its own picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.blender.test_shader_colors import TILES, by_cycles, encoded, linear, means, render

pytestmark = pytest.mark.blender

# what TILES brings, with boards that show one image, or two, otherwise than its file has it
IMAGES = (
    TILES.partition("MAKES = {")[0]
    + """
def picture(name, seed, size=24, space="sRGB"):
    # blocks, between which texels are mixed, and a hole in the middle
    random = np.random.default_rng(seed)
    texels = np.repeat(np.repeat(random.random((size // 4, size // 4, 4)), 4, axis=0), 4, axis=1)
    texels[..., 3] = 1.0
    texels[size // 3 : 2 * size // 3, size // 3 : 2 * size // 3, 3] = 0.25
    made = bpy.data.images.new(name, size, size, alpha=True)
    made.colorspace_settings.name = space
    made.pixels = texels.ravel()
    made.pack()
    return made

first, second, data = picture("first", 1), picture("second", 2), picture("data", 3, space="Non-Color")
for number, each in enumerate((first, second), 1):
    saved = each.copy()
    saved.filepath_raw = os.path.join(os.path.dirname(BLEND_FILE), f"moving_{number}.png")
    saved.file_format = "PNG"
    saved.save()
moving = bpy.data.images.load(os.path.join(os.path.dirname(BLEND_FILE), "moving_1.png"))
moving.source = "SEQUENCE"
def sequence(t):
    made = node(t, "TexImage", image=moving)
    made.image_user.frame_duration, made.image_user.use_auto_refresh = 2, True
    return mixed(t, "MULTIPLY", made.outputs["Color"], rgb(t, 0.9, 0.5, 0.2))
def shown(t, image=first, vector=None, **settings):
    made = node(t, "TexImage", image=image, **settings)
    if vector is not None:
        t.links.new(vector, made.inputs["Vector"])
    return made
def color(t, **settings):
    return shown(t, **settings).outputs["Color"]
def moved(t):
    return node(t, "Mapping", {"Vector": coordinates(t, "UV"), "Location": (0.2, 0.1, 0), "Rotation": (0, 0, 0.3),
                               "Scale": (2, 1.5, 1)}).outputs[0]
def decal(t):
    image = shown(t)
    return node(t, "MixRGB", {0: image.outputs["Alpha"], 1: (0.1, 0.5, 0.2, 1), 2: image.outputs["Color"]}).outputs[0]
def nested(t):
    inner = bpy.data.node_groups.new("nested", "ShaderNodeTree")
    out = inner.nodes.new("NodeGroupOutput")
    if hasattr(inner, "interface"):
        inner.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    else:
        inner.outputs.new("NodeSocketColor", "Color")
    inner.links.new(color(inner), out.inputs[0])
    made = t.nodes.new("ShaderNodeGroup")
    made.node_tree = inner
    return made.outputs[0]
def steps(t):
    made = ramp(t, color(t))
    made.node.color_ramp.interpolation = "CONSTANT"
    made.node.color_ramp.elements[1].position = 0.4
    return made

def keyed(t):
    tint = rgb(t, 1, 1, 1)
    for frame, value in ((1, 1.0), (2, 0.5)):
        tint.default_value = (value, value, value, 1)
        tint.keyframe_insert("default_value", frame=frame)
    return mixed(t, "MULTIPLY", color(t), tint)

MAKES = {
    "tint": lambda t: mixed(t, "MULTIPLY", color(t), rgb(t, 0.9, 0.5, 0.2)),
    "hue": lambda t: node(t, "HueSaturation", {"Hue": 0.8, "Saturation": 1.3, "Color": color(t)}).outputs[0],
    "gamma": lambda t: node(t, "Gamma", {"Gamma": 1.7, "Color": color(t)}).outputs[0],
    "bright": lambda t: node(t, "BrightContrast", {"Bright": 0.1, "Contrast": 0.4, "Color": color(t)}).outputs[0],
    "curves": lambda t: curves(t, color(t)),
    "ramp": lambda t: ramp(t, color(t)),
    "invert": lambda t: node(t, "Invert", {"Color": color(t)}).outputs[0],
    "math": lambda t: node(t, "Math", {0: color(t), 1: 0.6}, operation="MULTIPLY").outputs[0],
    "vertex_paint": lambda t: mixed(t, "MULTIPLY", color(t), painted(t)),
    "object_color": lambda t: mixed(t, "MULTIPLY", color(t), node(t, "ObjectInfo").outputs["Color"]),
    "two": lambda t: mixed(t, "MIX", color(t), color(t, image=second), 0.4),
    "data": lambda t: mixed(t, "MULTIPLY", color(t, image=data), rgb(t, 0.9, 0.5, 0.2)),
    "mapped": lambda t: color(t, vector=moved(t)),
    "mirrored": lambda t: color(t, vector=moved(t), extension="EXTEND"),
    "closest": lambda t: color(t, vector=moved(t), interpolation="Closest"),
    "decal": decal,
    "nested": nested,
    "steps": steps,
    "keyed": keyed,
    "sequence": sequence,
    "second": lambda t: mixed(t, "MULTIPLY", color(t, image=second), rgb(t, 0.9, 0.5, 0.2)),
}
for number, name in enumerate(sorted(MAKES)):
    tile(name, -5.0 + 1.25 * (number % 9), 2.8 - 1.25 * (number // 9), MAKES[name])
# what is named instead, and what Workbench paints
tile("noisy", -5.0, -1.0, lambda t: mixed(t, "MULTIPLY", color(t), node(t, "TexNoise").outputs[1]))
tile("generated", -3.75, -1.0, lambda t: color(t, vector=coordinates(t, "Generated")))
tile("plain", -2.5, -1.0, color)
"""
)


NAMED = ("generated", "noisy")
"""Materials whose images nobody can show as the film does."""


def test_images_are_those_of_cycles(build: Callable[[str, str], Path], tmp_path: Path) -> None:
    blend = build("images", IMAGES)
    shown = by_cycles(blend, tmp_path / "cycles.png")
    clip, said = render(blend, tmp_path, "{color: texture}")
    flat, ids = clip.read("flat", 1), clip.read("material_id", 1)
    number_of = {name: int(number) for number, name in clip.read_names("material_id").items()}
    wanted, found = means(clip, shown), means(clip, linear(flat / 255.0))
    painted = set(wanted) - {"plain", *NAMED}
    assert len(painted) == 21
    for name in painted:
        here = ids == number_of[name]
        assert np.abs(wanted[name] - found[name]).max() <= 1.0, name
        off = np.abs(encoded(shown[here]) - flat[here]).max(axis=-1)
        # where a ramp jumps, or between texels that are not mixed, the last bit decides
        assert (off > 3).mean() < (0.01 if name in {"steps", "closest"} else 0.003), name
        assert len(np.unique(flat[here], axis=0)) > (1 if name == "steps" else 30), name
    # the file's own colours, in the middle of a block
    assert len(np.unique(flat[ids == number_of["noisy"]], axis=0)) > 30
    [generated] = [line for line in said.splitlines() if "'generated'" in line]
    assert "by the active UV map: its texture coordinates come from a node" in generated
    [noisy] = [line for line in said.splitlines() if "'noisy'" in line]
    assert "its image is shown as its file has it" in noisy
    assert "'plain'" not in said

    # what is keyed is that of each frame
    here = ids == number_of["keyed"]
    off = encoded(linear(flat[here] / 255.0) * 0.5) - clip.read("flat", 2)[here]
    assert np.abs(off).max() < 1.0
    # and so is the picture of a sequence: the first image in frame 1, the second in frame 2
    for frame, same in ((1, "tint"), (2, "second")):
        later, sequence = clip.read("flat", frame), ids == number_of["sequence"]
        assert np.abs(later[sequence].astype(int) - later[ids == number_of[same]]).max() <= 1, frame
    table = clip.read_colors().colors
    assert {table[number_of[name]] for name in ("keyed", "sequence")} == {"changing"}
    assert {table[number_of[name]] for name in ("tint", "plain", "two")} == {"image"}
