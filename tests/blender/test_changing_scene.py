"""What the film changes from frame to frame beside motion: cameras' sight, images, the world's colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles
from tests.blender.conftest import render_cuts

pytestmark = pytest.mark.blender

MOUTHS = {1: (255, 0, 0), 2: (0, 255, 0), 3: (0, 0, 255)}
"""Colours of the files of a sequence."""

CARDS = """
def card(name, x, path, source, length):
    bpy.ops.mesh.primitive_plane_add(location=(x, 0, 0), rotation=(math.pi / 2, 0, 0), size=1.2)
    thing = bpy.context.object
    thing.name = name
    material = paint(name, (0.8, 0.8, 0.8))
    thing.data.materials.append(material)
    material.use_nodes = True
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    tree.links.new(node.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])
    node.image = bpy.data.images.load(path)
    node.image.source = source
    node.image_user.frame_duration = length
    node.image_user.use_auto_refresh = True
    return thing, node

folder = os.path.dirname(BLEND_FILE)
_, mouth = card("mouth", -2, folder + "/mouth_1.png", "SEQUENCE", 1)
# as rigs have it: the offset chooses the picture
for frame, number in ((1, 3), (2, 1), (3, 2), (4, 3)):
    mouth.image_user.frame_offset = number - 1
    mouth.image_user.keyframe_insert("frame_offset", frame=frame)
_, cyclic = card("cyclic", -0.6, folder + "/mouth_1.png", "SEQUENCE", 3)
cyclic.image_user.use_cyclic = True
quiet, untold = card("untold", -2, folder + "/mouth_1.png", "SEQUENCE", 3)
quiet.location.z = -1.5
untold.image_user.use_cyclic, untold.image_user.use_auto_refresh = True, False
card("film", 0.8, folder + "/film.avi", "MOVIE", 4)
_, broken = card("broken", 2.2, folder + "/broken_1.png", "SEQUENCE", 4)
broken.id_data.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0, 0, 1, 1)
bpy.data.materials["broken"].diffuse_color = (0.5, 0.25, 0.25, 1)

def seen(name, x, **switches):
    thing = add("cube", name, (0.9, 0.9, 0.1), size=0.5, location=(x, 0, 1.6))
    for frame in (1, 3):
        for switch, values in switches.items():
            setattr(thing, switch, values[frame > 1])
            thing.keyframe_insert(switch, frame=frame)
    return thing

seen("arriving", -2, visible_camera=(False, True))
seen("leaving", -1, visible_camera=(True, False))
seen("catcher", 0, is_shadow_catcher=(False, True))
both = seen("both", 1, visible_camera=(False, True), hide_render=(False, True))
driven = add("cube", "driven", (0.9, 0.9, 0.1), size=0.5, location=(2, 0, 1.6))
curve = driven.driver_add("is_holdout")
curve.driver.expression = "frame > 2"
pushed = seen("pushed", 2.8, visible_camera=(False, True))
pushed.animation_data.nla_tracks.new().strips.new("strip", 1, pushed.animation_data.action)
pushed.animation_data.action = None

from animerun_gen.blender import versions

tree = bpy.data.node_groups.new("copies", "GeometryNodeTree")
versions.add_geometry_sockets(tree)
arriving, leaving = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
points, other = tree.nodes.new("GeometryNodeInstanceOnPoints"), tree.nodes.new("GeometryNodeObjectInfo")
other.inputs["Object"].default_value = seen("copied", 9, visible_camera=(True, False))
tree.links.new(arriving.outputs[0], points.inputs["Points"])
tree.links.new(other.outputs["Geometry"], points.inputs["Instance"])
tree.links.new(points.outputs[0], leaving.inputs[0])
bpy.ops.mesh.primitive_plane_add(location=(0, 0, -9))
bpy.context.object.modifiers.new("copies", "NODES").node_group = tree

scene.world = bpy.data.worlds.new("sky")
scene.world.use_nodes = True
sky = scene.world.node_tree.nodes["Background"].inputs["Color"]
for frame, color in ((1, (1, 0, 0, 1)), (4, (0, 0, 1, 1))):
    sky.default_value = color
    sky.keyframe_insert("default_value", frame=frame)
"""


def write_pictures(folder: Path) -> None:
    """The files that the cards show."""
    for number, color in MOUTHS.items():
        cv2.imwrite(str(folder / f"mouth_{number}.png"), np.full((8, 8, 3), color[::-1], np.uint8))
    for number in (1, 3):
        cv2.imwrite(str(folder / f"broken_{number}.png"), np.full((8, 8, 3), (255, 255, 0), np.uint8))
    (folder / "broken_2.png").write_text("no picture")
    movie = cv2.VideoWriter(str(folder / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 24, (64, 64))
    for number in range(4):
        movie.write(np.full((64, 64, 3), 60 * number, np.uint8))
    movie.release()


def shown(clip: ClipFiles, frame: int) -> dict[str, list[int]]:
    """Material name to the colour in the middle of its values, of the materials in the picture."""
    flat, ids, names = clip.read("flat", frame), clip.read("material_id", frame), clip.read_names("material_id")
    return {names[str(number)]: np.median(flat[ids == number], axis=0).tolist() for number in np.unique(ids)}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClipFiles, str]:
    """The clip of all of this, and what the program said."""
    from tests.blender.conftest import save_blend

    folder = tmp_path_factory.mktemp("changing")
    write_pictures(folder)
    source = save_blend(folder / "changing.blend", "scene.render.fps = 24\n" + CARDS)
    config = folder / "changing.yaml"
    config.write_text(
        f"name: changing\nsource: {source.name}\nframes: {{first: 1, last: 4}}\nresolution: [160, 96]\n"
        "style: {color: texture}\nlines: {engine: geometry}\n"
    )
    dataset, said = render_cuts(folder, config)
    return dataset.clip("changing"), said


def test_sequences_and_movies_show_the_picture_of_each_frame(clip: tuple[ClipFiles, str]) -> None:
    files, _ = clip
    frames = [shown(files, frame) for frame in (1, 2, 3, 4)]
    for frame, mouth, cyclic in zip(frames, (3, 1, 2, 3), (1, 2, 3, 1), strict=True):
        assert np.abs(np.subtract(frame["mouth"], MOUTHS[mouth])).max() <= 1
        assert np.abs(np.subtract(frame["cyclic"], MOUTHS[cyclic])).max() <= 1
        assert np.abs(np.subtract(frame["untold"], MOUTHS[cyclic])).max() <= 1
    for frame, gray in zip(frames, (0, 60, 120, 180), strict=True):
        assert np.abs(np.subtract(frame["film"], gray)).max() <= 3


def test_what_a_sequence_lacks_has_the_colour_of_its_material(clip: tuple[ClipFiles, str]) -> None:
    files, said = clip
    own = [188, 137, 137]
    for frame, color in ((1, [0, 255, 255]), (2, own), (3, [0, 255, 255]), (4, own)):
        assert np.abs(np.subtract(shown(files, frame)["broken"], color)).max() <= 1
    assert "lacks broken_2.png, broken_4.png" in said


def test_what_a_camera_sees_in_some_frames_comes_and_goes(clip: tuple[ClipFiles, str]) -> None:
    files, said = clip
    expected = {
        "arriving": {3, 4},
        "pushed": {3, 4},
        "leaving": {1, 2},
        "catcher": {1, 2},
        "driven": {1, 2},
        # where a camera would see it, it is hidden
        "both": set(),
    }
    for frame in (1, 2, 3, 4):
        there = shown(files, frame)
        assert {name for name in expected if name in there} == {name for name in expected if frame in expected[name]}
    assert "'arriving' comes and goes: in 2 frames of the clip, first in 1, no camera sees it" in said
    assert "geometry nodes or particles use 'copied', and copies that they show stay" in said


def test_the_background_follows_a_keyed_world(clip: tuple[ClipFiles, str]) -> None:
    files, _ = clip
    backgrounds = [shown(files, frame)["background"] for frame in (1, 2, 3, 4)]
    assert backgrounds[0] == [255, 0, 0]
    assert backgrounds[3] == [0, 0, 255]
    assert backgrounds[0][0] > backgrounds[1][0] > backgrounds[2][0] > backgrounds[3][0]


CLIPPED = """
import numpy as np
folder = os.path.dirname(BLEND_FILE)
for number in (1, 2):
    image = bpy.data.images.new("eye", 32, 32, alpha=True)
    texels = np.zeros((32, 32, 4), np.float32)
    texels[..., number - 1] = 1
    # the second has twice as wide a surface
    texels[:, : 8 * number, 3] = 1
    image.pixels.foreach_set(texels.ravel())
    image.filepath_raw, image.file_format = folder + f"/eye_{number}.png", "PNG"
    image.save()
camera.data.type, camera.data.ortho_scale = "ORTHO", 4
scene.render.resolution_x, scene.render.resolution_y = 96, 64
bpy.ops.mesh.primitive_plane_add(rotation=(math.pi / 2, 0, 0), size=2)
card = bpy.context.object
material = paint("card", (0.8, 0.8, 0.8))
card.data.materials.append(material)
material.use_nodes = True
tree = material.node_tree
node = tree.nodes.new("ShaderNodeTexImage")
for name, target in (("Color", "Base Color"), ("Alpha", "Alpha")):
    tree.links.new(node.outputs[name], tree.nodes["Principled BSDF"].inputs[target])
node.image = bpy.data.images.load(folder + "/eye_1.png")
node.image.source = "SEQUENCE"
node.image_user.frame_duration, node.image_user.use_auto_refresh = 2, True
card.keyframe_insert("location", frame=1)
card.location.x = 0.25
card.keyframe_insert("location", frame=3)
"""


def test_a_sequence_cuts_other_holes_in_each_frame(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    source = build("eye", CLIPPED)
    dataset, _ = render_cuts(tmp_path, cut(source, "style: {color: texture}\nlines: {engine: geometry}", last=3))
    files = dataset.clip("eye")
    sizes = []
    for frame, color in ((1, [255, 0, 0]), (2, [0, 255, 0]), (3, [0, 255, 0])):
        flat = files.read("flat", frame)
        seen = (np.abs(flat.astype(int) - color) <= 1).all(axis=-1)
        names = files.read_names("material_id")
        card = files.read("material_id", frame) == next(int(n) for n, name in names.items() if name == "card")
        # picture and labels have the same holes
        assert np.array_equal(seen, card)
        sizes.append(int(card.sum()))
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.1)
    # where the holes change, a point of the card may be one; where they stay, its motion is known
    card = files.read("material_id", 2) == next(int(n) for n, name in names.items() if name == "card")
    assert not files.read("valid_backward", 2)[card].any()
    assert files.read("valid_forward", 2)[card].all()
    assert files.read("exact_occlusion_backward", 2)[card].all()
    assert files.read_colors().colors[next(int(n) for n, name in names.items() if name == "card")] == "changing"


HALVES = """
import numpy as np
image = bpy.data.images.new("halves", 64, 32, float_buffer=True)
texels = np.zeros((32, 64, 4), np.float32)
texels[..., 3] = 1
# the poles' caps, above and below 45 degrees, and what lies between
texels[:8, :, 0] = texels[24:, :, 0] = 1
texels[8:24, :, 1] = 0.5
image.pixels.foreach_set(texels.ravel())
image.pack()
scene.world = bpy.data.worlds.new("sky")
scene.world.use_nodes = True
tree = scene.world.node_tree
environment = tree.nodes.new("ShaderNodeTexEnvironment")
environment.image = image
tree.links.new(environment.outputs[0], tree.nodes["Background"].inputs["Color"])
add("cube", "box", (0.9, 0.9, 0.1), size=0.5)
"""

COMPUTED = """
# the same by nodes that only Cycles can compute
correct = tree.nodes.new("ShaderNodeGamma")
tree.links.new(environment.outputs[0], correct.inputs["Color"])
tree.links.new(correct.outputs[0], tree.nodes["Background"].inputs["Color"])
"""


@pytest.mark.parametrize("nodes", [HALVES, HALVES + COMPUTED], ids=["image", "nodes"])
def test_an_environment_counts_by_its_share_of_the_sphere(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path, nodes: str
) -> None:
    source = build("sky", nodes)
    dataset, _ = render_cuts(tmp_path, cut(source, "lines: {engine: geometry}"))
    color = shown(dataset.clip("sky"), 1)["background"]
    band = np.sin(np.pi / 4)
    expected = [255 * (1.055 * value ** (1 / 2.4) - 0.055) for value in (1 - band, 0.5 * band)] + [0]
    assert np.abs(np.subtract(color, expected)).max() <= 2
