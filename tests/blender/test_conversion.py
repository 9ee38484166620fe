"""Scenes made to spoil pictures, run scripts or lack things, and what becomes of them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from tests.blender.conftest import SCENE, render_cuts, run_kept

pytestmark = pytest.mark.blender


DISK_CACHE = (
    SCENE
    + """
cache = ball.modifiers.new("cloth", "CLOTH").point_cache
# a cache can lie on disk only beside a file that was saved
bpy.ops.wm.save_as_mainfile(filepath=BLEND_FILE)
cache.use_disk_cache = True
"""
)


def material_numbers(clip: ClipFiles) -> dict[str, int]:
    """Material name to id."""
    return {name: int(number) for number, name in clip.read_names("material_id").items()}


def colors(clip: ClipFiles, frame: int = 1) -> dict[str, set[tuple[int, ...]]]:
    """Material name to the colours of its pixels in the flat frame."""
    flat, ids = clip.read("flat", frame), clip.read("material_id", frame)
    names = clip.read_names("material_id")
    return {names[str(n)]: {tuple(color) for color in flat[ids == n].tolist()} for n in np.unique(ids)}


def test_nothing_of_the_film_look_reaches_the_picture(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    spoil = """
        render = scene.render
        render.use_motion_blur = True
        camera.data.dof.use_dof = True
        camera.data.dof.aperture_fstop = 0.1
        render.use_border = True
        render.use_crop_to_border = True
        render.border_min_x, render.border_max_x = 0.3, 0.6
        render.use_stamp = True
        render.stamp_font_size = 30
        render.use_simplify = True
        render.simplify_subdivision_render = 0
        render.use_multiview = True
        render.film_transparent = True
        render.dither_intensity = 2
        render.resolution_percentage = 50
        render.pixel_aspect_x = 2
        render.filter_size = 5
        render.image_settings.file_format = "JPEG"
        render.image_settings.color_mode = "BW"
        scene.display.render_aa = "32"
        shading = scene.display.shading
        shading.light = "STUDIO"
        shading.show_shadows = shading.show_cavity = shading.show_xray = True
        shading.color_type = "RANDOM"
        view = scene.view_settings
        view.view_transform, view.exposure, view.gamma = "AgX", 1.5, 0.7
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        layers, invert = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("CompositorNodeInvert")
        composite = tree.nodes.new("CompositorNodeComposite")
        tree.links.new(layers.outputs[0], invert.inputs["Color"])
        tree.links.new(invert.outputs[0], composite.inputs[0])
        scene.sequence_editor_create().strips.new_effect("strip", "COLOR", 1, frame_start=1, frame_end=9)
        scene.view_layers.new("another").material_override = paint("override", (0, 1, 0))
        bpy.data.objects["ball"].show_in_front = True
        bpy.data.materials["box"].diffuse_color[3] = 0.3
        world = bpy.data.worlds.new("world")
        scene.world = world
        world.color = (0, 0, 0)
        scene.keyframe_insert("view_settings.exposure", frame=1)
    """
    world = 'scene.world = bpy.data.worlds.new("world"); scene.world.color = (0, 0, 0)\n'
    plain, spoiled = build("plain", SCENE + world), build("spoiled", SCENE + textwrap.dedent(spoil))
    dataset, said = render_cuts(tmp_path, cut(plain), cut(spoiled))
    one, other = dataset.clip("plain"), dataset.clip("spoiled")
    for frame in (1, 2):
        for name in ("frame", "contour", "flat"):
            assert np.array_equal(one.read(name, frame), other.read(name, frame)), name
    assert np.array_equal(one.read("flow_forward", 1), other.read("flow_forward", 1))
    # 231 = 0.8 and 63 = 0.05 encoded as sRGB
    assert colors(one)["box"] == {(231, 89, 63)}
    assert colors(one)["ball"] == {(63, 124, 231)}
    assert colors(one)["background"] == {(0, 0, 0)}
    for word in ("motion blur", "render border", "stamp", "simplification", "stereo", "compositor", "sequencer"):
        assert word in said
    assert "made solid: box" in said
    assert "the film's pixels are 2 wide to 1 high" in said
    assert "the shape 1920 x 540 shows" in said


def test_colours_come_from_the_shaders_where_nobody_painted(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    script = """
        def plate(name, x, viewport=(0.8, 0.8, 0.8)):
            thing = add("plane", name, viewport, size=1.2, location=(x, 0, 0), rotation=(math.pi / 2, 0, 0))
            return nodes_of(thing.data.materials[0])

        tree, output = plate("base", -3)
        shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
        shader.inputs["Base Color"].default_value = (1, 0, 0, 1)
        tree.links.new(shader.outputs[0], output.inputs[0])

        tree, output = plate("white of old files", -1.5, (1, 1, 1))
        shader = tree.nodes.new("ShaderNodeEmission")
        shader.inputs["Color"].default_value = (0, 1, 0, 1)
        tree.links.new(shader.outputs[0], output.inputs[0])

        tree, output = plate("pane", 0)
        clear, solid = tree.nodes.new("ShaderNodeBsdfTransparent"), tree.nodes.new("ShaderNodeBsdfDiffuse")
        solid.inputs["Color"].default_value = (0, 0, 1, 1)
        mix = tree.nodes.new("ShaderNodeMixShader")
        mix.inputs[0].default_value = 0.2
        tree.links.new(clear.outputs[0], mix.inputs[1])
        tree.links.new(solid.outputs[0], mix.inputs[2])
        tree.links.new(mix.outputs[0], output.inputs[0])

        tree, output = plate("image", 1.5)
        image = bpy.data.images.new("picture", 4, 4)
        image.pixels = [1, 1, 0, 0.05] * 16
        image.pack()
        texture, shader = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeBsdfDiffuse")
        texture.image = image
        tree.links.new(texture.outputs[0], shader.inputs["Color"])
        tree.links.new(shader.outputs[0], output.inputs[0])

        tree, output = plate("painted", 3, (0.0, 1.0, 1.0))
        shader = tree.nodes.new("ShaderNodeBsdfDiffuse")
        tree.links.new(shader.outputs[0], output.inputs[0])
        camera.location.y = -12
    """
    source = build("colours", script)
    textured, overridden = build("textured", script), build("overridden", script)
    dataset, said = render_cuts(
        tmp_path,
        cut(source),
        cut(textured, "style: {color: texture}\n"),
        cut(
            overridden,
            'style: {color: texture, background: "#102030", '
            'overrides: {"pa*": "#0a0b0c", image: "#0a0b0c", nothing: "#ffffff"}}\n',
        ),
    )
    expected = {
        "base": {(255, 0, 0)},
        "white of old files": {(0, 255, 0)},
        "pane": {(0, 0, 255)},
        "image": {(255, 255, 0)},
        "painted": {(0, 255, 255)},
    }
    seen = colors(dataset.clip("colours"))
    assert {name: seen[name] for name in expected} == expected
    # transparent texels are no holes: picture and labels would not agree
    seen = colors(dataset.clip("textured"))
    assert {name: seen[name] for name in expected} == expected
    seen = colors(dataset.clip("overridden"))
    ink = {(10, 11, 12)}
    assert {name: seen[name] for name in expected} == expected | {"pane": ink, "painted": ink, "image": ink}
    assert seen["background"] == {(16, 32, 48)}
    assert "style.overrides: no material is named 'nothing'" in said


def test_removed_things_strands_and_volumes_leave_picture_and_labels(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    script = (
        SCENE
        + """
fog = add("cube", "fog bank", (1, 1, 1), size=5)
panel = add("plane", "panel", (1, 1, 1), size=9, location=(0, -3, 0), rotation=(math.pi / 2, 0, 0))
panel.keyframe_insert("hide_render", frame=1)
boards = bpy.data.collections.new("boards")
scene.collection.children.link(boards)
board = add("plane", "board", (0, 1, 0), size=9, location=(0, -2, 0), rotation=(math.pi / 2, 0, 0))
boards.objects.link(board)
ball.data.materials.append(paint("glow", (1, 1, 0)))
for face in ball.data.polygons:
    face.material_index = int(face.center.x < 0)
box = bpy.data.objects["box"]
for kind in ("HAIR", "EMITTER"):
    box.modifiers.new(kind, "PARTICLE_SYSTEM").particle_system.settings.type = kind
volume = bpy.data.objects.new("smoke", bpy.data.volumes.new("smoke"))
curves = bpy.data.objects.new("fur", bpy.data.hair_curves.new("fur"))
for thing in (volume, curves):
    scene.collection.objects.link(thing)
"""
    )
    text = """
        remove:
          objects: ["fog*", panel, "no such thing"]
          collections: [boards]
          materials: [glow]
        hair: {mode: remove}
        particles: {mode: remove}
    """
    plain = build("plain", SCENE)
    dataset, said = render_cuts(tmp_path, cut(plain), cut(build("full", script), text))
    one, other = dataset.clip("plain"), dataset.clip("full")
    shares = {
        clip.cut: {
            name: (clip.read("material_id", 1) == number).mean() for name, number in material_numbers(clip).items()
        }
        for clip in (one, other)
    }
    # the left half of the ball is gone (chosen by place: Blender numbers a sphere's faces anew each time), and where it
    # was a little more of the box is seen
    assert shares["plain"]["box"] > 0.1
    assert shares["plain"]["box"] <= shares["full"]["box"] < 1.1 * shares["plain"]["box"]
    assert 0.4 < shares["full"]["ball"] / shares["plain"]["ball"] < 0.7
    assert set(colors(other)) == {"background", "box", "ball"}
    for words in (
        "removed by name: board, fog bank, panel",
        "remove.objects: nothing in the file is named 'no such thing'",
        "faces of removed materials from 'ball'",
        "removed hair 'box/HAIR'",
        "removed particles 'box/EMITTER'",
        "removed hair 'fur'",
    ):
        assert words in said
    # empty, it draws nothing anyway
    assert "'smoke'" not in said


def test_no_script_of_a_file_runs_unless_it_is_trusted(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    script = (
        SCENE
        + f"""
text = bpy.data.texts.new("startup.py")
text.write("open({str(tmp_path)!r} + '/' + __import__('bpy').path.basename(__import__('bpy').data.filepath) + '.ran', 'w')")
text.use_module = True
curve = ball.driver_add("location", 2)
curve.driver.expression = "len(str(frame)) * 0 + max(0.0, len(bpy.data.objects) * 0.1)"
"""  # noqa: E501
    )
    dataset, said = render_cuts(
        tmp_path, cut(build("stranger", script)), cut(build("friend", script), "trust_scripts: true")
    )
    assert not (tmp_path / "stranger.blend.ran").exists()
    assert (tmp_path / "friend.blend.ran").exists()
    assert (
        "drivers with Python expressions are switched off (1) because scripts are not trusted: ball: location" in said
    )
    assert said.count("are not trusted") == 1
    assert dataset.clip("stranger").frame_numbers == (1, 2)


def test_a_scene_that_lacks_something_ends_in_a_sentence(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    cut_short = build("cut_short", SCENE)
    cut_short.write_bytes(cut_short.read_bytes()[:3000])
    no_blend = tmp_path / "no_blend.blend"
    no_blend.write_text("this is no blend file", encoding="utf-8")
    configs = [
        cut(build("no_camera", SCENE + "scene.camera = None")),
        cut(build("no_camera_at_all", SCENE + "bpy.data.objects.remove(camera)")),
        cut(build("mesh_camera", SCENE + "scene.camera = ball")),
        cut(build("panorama", SCENE + 'camera.data.type = "PANO"')),
        cut(build("other_names", SCENE), "scene: Shot 7"),
        cut(build("other_layer", SCENE), "view_layer: front"),
        cut(build("other_camera", SCENE), "camera: ball"),
        cut(build("disk_cache", DISK_CACHE)),
        cut(cut_short),
        cut(no_blend),
        cut(build("good", SCENE)),
    ]
    result = run_kept("render", *configs, "--out", tmp_path / "out", check=False)
    assert result.returncode == 1
    for words in (
        "has no camera; set 'camera' in the cut's configuration to one of these: 'Camera'",
        "has no camera; give it one with 'camera_motion.keyframes', or add one in Blender",
        "has 'ball', an object of type MESH, as its camera; set 'camera'",
        "is of type PANO; only perspective and orthographic cameras have exact flow",
        "has no scene named 'Shot 7'; it has 'Scene'",
        "has no view layer named 'front'; it has 'ViewLayer'",
        "has no camera named 'ball'; it has 'Camera'",
        "modifier 'cloth' of 'ball'",
        "keeps its simulation in a disk cache that is not baked",
        f"{cut_short} cannot be opened by Blender",
        f"{no_blend} cannot be opened by Blender",
    ):
        assert words in result.stdout
    assert re.search(r"good: \w+; 2 frames rendered", result.stdout)
    assert "Traceback" not in result.stdout + result.stderr
    assert Dataset(tmp_path / "out").clip("good").frame_numbers == (1, 2)


def test_lines_come_out_of_a_file_that_has_none_set_up(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    """No line set, a line set without style, Freestyle off: each draws nothing, silently, if it is left as it is."""
    bare = build("bare", SCENE + "scene.render.use_freestyle = False\n")
    purged = build(
        "purged",
        SCENE
        + """
scene.render.use_freestyle = True
scene.view_layers[0].use_freestyle = True
line_set = scene.view_layers[0].freestyle_settings.linesets.new("empty")
bpy.data.linestyles.remove(line_set.linestyle)
assert line_set.linestyle is None
""",
    )
    no_outline = "lines: {outline: false, edges: [silhouette, crease, border, contour]}\n"
    dataset, said = render_cuts(tmp_path, cut(bare, no_outline), cut(purged, no_outline))
    for name in ("bare", "purged"):
        line_art = dataset.clip(name).read("contour", 1)
        assert 0.01 < (line_art == 0).mean() < 0.3
    assert "Freestyle drew no line" not in said
    behind = "add('cube', 'box', (0.8, 0.1, 0.05), location=(0, -30, 0))\n"
    _, said = render_cuts(tmp_path, cut(build("nothing", behind), no_outline))
    assert "Freestyle drew no line in frame 1" in said
