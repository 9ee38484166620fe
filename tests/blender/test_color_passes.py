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


STAGE = """
add("plane", "wall", (0.4, 0.5, 0.6), size=30, location=(0, 4, 0), rotation=(math.pi / 2, 0, 0))
add("uv_sphere", "ball", (0.9, 0.5, 0.4), location=(-0.6, 1.2, 0.1), radius=1.3, segments=48, ring_count=32)
bpy.ops.object.shade_smooth()
box = add("cube", "box", (0.2, 0.3, 0.8), size=1.5, location=(0.7, -0.6, 0), rotation=(0.3, 0.2, 0.5))
for frame, turn in ((1, 0.5), (4, 0.8)):
    box.rotation_euler[2] = turn
    box.keyframe_insert("rotation_euler", frame=frame)
"""
DRAWN = """
style: {shade: {tones: 2, direction: [0.6, 0.5, -0.7]}%s}
layers: {write: true%s, groups: {hero: {objects: [box]}}}
lines:
  engine: geometry
  color: "#14101a"
  style:
    antialias: true
    thickness: 2.5
    rules:
      - {on: ball, color: "#c02080"}
      - {kinds: [crease], color: auto, thickness: 0.7}
      - {on: wall, color: auto}
    hand: {thickness: 0.2, offset: 0.3}
    gaps: {share: 0.4, radius: 2}
"""


def test_lines_shade_and_cels_of_a_pass_are_those_of_a_film_in_its_colours(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    film = build("stage", STAGE)
    passes = "recolor: {passes: 2, keep: [ball]}"
    config = cut(film, DRAWN % ("", ", passes: true") + passes)
    run_kept("generate", config, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("stage")
    materials = table_of(clip, "color_2")
    background = materials.pop("0")["color"] if "0" in materials else "auto"
    overrides = {material["name"]: material["color"] for material in materials.values()}
    assert set(overrides) == {"box", "wall"}
    colors = f", background: '{background}', overrides: {json.dumps(overrides)}"
    config.write_text(config.read_text().replace(DRAWN % ("", ", passes: true") + passes, DRAWN % (colors, "")))
    render, _ = render_cuts(tmp_path / "render", config)
    truth = render.clip("stage")
    balls = int(next(number for number, name in clip.read_names("material_id").items() if name == "ball"))
    for frame in clip.frame_numbers:
        assert differing(clip.read("color_2", frame), truth.read("frame", frame)) <= LARGEST_DIFFERENCE
        assert differing(clip.read("line_layer_color_2", frame), truth.read("line_layer", frame)) <= LARGEST_DIFFERENCE
        for layer in ("set", "hero"):
            cel = clip.read(f"cel_color_2@{layer}", frame)
            assert differing(cel, truth.read(f"cel@{layer}", frame)) <= LARGEST_DIFFERENCE
            assert differing(cel, clip.read(f"cel@{layer}", frame)) > 0.05
        # something of the wall and of the ball is hidden
        assert (clip.read("cel@set", frame)[..., 3] > 0)[~clip.read("visible@set", frame)].sum() > 100
        for name in ("frame", "color_1", "color_2"):
            assert np.array_equal(clip.composed_frame(frame, name), clip.read(name, frame))
        # the ball keeps its colours, and so do its lines, which a rule has chosen for it
        ink = clip.read("line_ink", frame)
        whole = ink.pixel[(ink.material == balls) & (ink.coverage == 255)]
        assert len(whole) > 20
        for name in ("frame", "color_1", "color_2"):
            shown = clip.read(name, frame).reshape(-1, 3)
            assert (shown[whole] == tuple(bytes.fromhex("c02080"))).all()
        opened = clip.read("line_gap", frame) > 0
        assert opened.any()
        assert not np.isin(np.flatnonzero(opened), ink.pixel).any()
    checked = run_kept("verify", tmp_path / "out", check=False)
    assert "is not" not in checked.stdout
    assert "Layers" not in checked.stdout
    assert "LineInk" not in checked.stdout
