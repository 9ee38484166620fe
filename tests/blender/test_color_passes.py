"""A colour pass is what Blender would have rendered in these colours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from tests.blender.conftest import render_cuts, run_kept

pytestmark = pytest.mark.blender

LARGEST_DIFFERENCE = 1e-4
"""Share of a frame's pixels that may differ from a render."""


def table_of(clip: ClipFiles, name: str) -> dict[str, dict[str, str]]:
    """By material id its name and its new colour."""
    table = json.loads((clip.root / "recolor" / f"{clip.cut}.json").read_text(encoding="utf-8"))
    materials: dict[str, dict[str, str]] = table["passes"][name]["materials"]
    return materials


def differing(one: np.ndarray, other: np.ndarray) -> float:
    return float((one != other).any(axis=-1).mean())


def test_a_pass_equals_a_render_in_its_colours(configure: Callable[..., Path], tmp_path: Path) -> None:
    toys = {"courier": "{first: 6, last: 7}", "festival": "{first: 9, last: 10}"}
    configs = [
        configure(toy, f"frames: {frames}\nrecolor: {{passes: 2}}", resolution=(240, 136))
        for toy, frames in toys.items()
    ]
    run_kept("generate", *configs, "--out", tmp_path / "out")
    made = Dataset(tmp_path / "out")
    rendered = []
    for toy, frames in toys.items():
        materials = table_of(made.clip(toy), "color_2")
        background = materials.pop("0")["color"]
        overrides = {material["name"]: material["color"] for material in materials.values()}
        assert len(overrides) > 20
        style = f"style: {{background: '{background}', overrides: {json.dumps(overrides)}}}"
        path = configure(toy, f"name: {toy}_rendered\nframes: {frames}\n{style}", resolution=(240, 136))
        rendered.append(path.rename(path.with_stem(f"{toy}_rendered")))
    renders, _ = render_cuts(tmp_path, *rendered)
    for toy in toys:
        clip, render = made.clip(toy), renders.clip(f"{toy}_rendered")
        for frame in clip.frame_numbers:
            painted, truth = clip.read("color_2", frame), render.read("frame", frame)
            assert differing(painted, truth) <= LARGEST_DIFFERENCE
            # and it is not the frame itself that is compared
            assert differing(clip.read("frame", frame), truth) > 0.5
            assert differing(clip.read("color_1", frame), truth) > 0.5


TEXTURED = """
import numpy as np
image = bpy.data.images.new("boards", 64, 64)
grain = np.ones((64, 64, 4), np.float32)
grain[..., :3] = np.linspace(0.3, 0.7, 64)[None, :, None] * (1.0, 0.6, 0.3)
image.pixels.foreach_set(grain.ravel())
image.pack()
material = paint("boards", (0.5, 0.5, 0.5))
tree, output = nodes_of(material)
shader, texture = tree.nodes.new("ShaderNodeBsdfPrincipled"), tree.nodes.new("ShaderNodeTexImage")
texture.image = image
tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
tree.links.new(shader.outputs[0], output.inputs[0])
bpy.ops.mesh.primitive_plane_add(size=6, location=(0, 2, 0), rotation=(math.pi / 2, 0, 0))
bpy.context.object.data.materials.append(material)
add("cube", "box", (0.8, 0.1, 0.05), size=1.5, rotation=(0.3, 0.2, 0.5))
"""


def test_a_texture_is_moved_and_what_is_plain_beside_it_is_exact(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    path = cut(build("boards", TEXTURED), "style: {color: texture}\nlines: {freestyle: false}\nrecolor: {passes: 1}\n")
    run_kept("generate", path, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("boards")
    flat, materials, painted = (clip.read(name, 1) for name in ("flat", "material_id", "color_1"))
    names = {name: int(number) for number, name in clip.read_names("material_id").items()}
    table = table_of(clip, "color_1")
    bare = clip.read("contour", 1) == 255
    box = bare & (materials == names["box"])
    assert box.sum() > 100
    plain = bytes.fromhex(table[str(names["box"])]["color"][1:])
    assert (painted[box] == tuple(plain)).all(axis=-1).mean() > 0.99
    boards = bare & (materials == names["boards"])
    assert boards.sum() > 1000
    assert "parts" in table[str(names["boards"])]
    before, after = flat[boards].astype(int), painted[boards].astype(int)
    assert (before != after).any(axis=-1).mean() > 0.9
    # the grain is still there: what was darker is darker, and as many tones as before but for rounding
    brightness = [colors @ (0.3, 0.6, 0.1) for colors in (before, after)]
    assert np.corrcoef(*brightness)[0, 1] > 0.98
    assert len(np.unique(after, axis=0)) > 0.5 * len(np.unique(before, axis=0))
