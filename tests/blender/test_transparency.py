"""Holes: found in shaders, cut into pictures and labels alike; and everything else becomes solid."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from tests.blender.conftest import PREAMBLE, PROJECT, needs_installed_blender, render_cuts, run_kept, run_script

pytestmark = pytest.mark.blender

WEARING = """
def picture(name, paint, size=32):
    # an image of which paint(x, y) in 0..1 gives red, green, blue, alpha
    image = bpy.data.images.new(name, size, size, alpha=True)
    image.pixels = [v for y in range(size) for x in range(size) for v in paint((x + 0.5) / size, (y + 0.5) / size)]
    image.pack()
    return image

def disc(x, y):
    # what is transparent is of a colour that nobody is to see
    inside = (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.1
    return (0.0, 1.0, 0.0, 1.0) if inside else (1.0, 0.0, 1.0, 0.0)

def surface(name, image, color=(0.0, 1.0, 0.0)):
    material = bpy.data.materials.new(name)
    tree, output = nodes_of(material)
    shader, texture = tree.nodes.new("ShaderNodeBsdfPrincipled"), tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    tree.links.new(texture.outputs["Alpha"], shader.inputs["Alpha"])
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    return material, tree, shader, texture
"""

CARDS = (
    WEARING
    + """
camera.location.y = -10.5
leaf = picture("leaf", disc)

def card(name, material, x, z, turn=0.0, uv=1.0):
    bpy.ops.mesh.primitive_plane_add(size=1.7, location=(x, 0, z), rotation=(math.pi / 2, 0, turn))
    thing = bpy.context.object
    thing.name = name
    for corner in thing.data.uv_layers[0].data:
        corner.uv = corner.uv[0] * uv, corner.uv[1] * uv
    if material is not None:
        thing.data.materials.append(material)
    thing.keyframe_insert("location", frame=1)
    thing.location.x += 0.3
    thing.keyframe_insert("location", frame=4)
    return thing

wall = add("plane", "wall", (0.8, 0.1, 0.05), size=30, location=(0, 3, 0), rotation=(math.pi / 2, 0, 0))
plain = card("plain", surface("plain", leaf)[0], -3, 1.2, turn=0.3)

# the same mesh, in other clothes
other = card("other", None, -1, 1.2)
other.data = plain.data
other.material_slots[0].link = "OBJECT"
other.material_slots[0].material = paint("board", (0.1, 0.2, 0.9))

# the modifiers bring texture coordinates beyond the unit square
many = card("many", surface("many", leaf)[0], 0.6, 1.2)
many.scale = (0.5, 0.5, 0.5)
array = many.modifiers.new("array", "ARRAY")
array.count, array.offset_u = 3, 0.25
mirror = many.modifiers.new("mirror", "MIRROR")
mirror.use_axis = (False, True, False)
mirror.use_mirror_v = True

# its image lies on a second UV map, four times
material, tree, shader, texture = surface("second", leaf)
places, scaled = tree.nodes.new("ShaderNodeUVMap"), tree.nodes.new("ShaderNodeMapping")
places.uv_map, scaled.inputs["Scale"].default_value = "second", (2, 2, 1)
tree.links.new(places.outputs[0], scaled.inputs[0])
tree.links.new(scaled.outputs[0], texture.inputs[0])
second = card("second", material, -3, -1.2, uv=0.0)
for corner, place in zip(second.data.uv_layers.new(name="second").data, ((0, 0), (1, 0), (1, 1), (0, 1))):
    corner.uv = place

# the alpha comes out of a group, as black and white
material, tree, shader, texture = surface("grouped", leaf)
group = bpy.data.node_groups.new("group", "ShaderNodeTree")
group.interface.new_socket("Opacity", in_out="OUTPUT", socket_type="NodeSocketFloat")
inner, bright, leaving = (group.nodes.new(n) for n in ("ShaderNodeTexImage", "ShaderNodeMath", "NodeGroupOutput"))
inner.image, inner.extension = leaf, "CLIP"
bright.operation = "GREATER_THAN"
group.links.new(inner.outputs["Alpha"], bright.inputs[0])
group.links.new(bright.outputs[0], leaving.inputs[0])
outer = tree.nodes.new("ShaderNodeGroup")
outer.node_tree = group
tree.links.new(outer.outputs[0], shader.inputs["Alpha"])
card("grouped", material, -1, -1.2, turn=1.2, uv=2.0)

# instances, of a tree whose trunk has no holes
material = surface("crown", leaf)[0]
crown = card("crown", material, 0, 0)
crown.data.materials.append(paint("trunk", (0.3, 0.2, 0.1)))
stem = add("cube", "stem", (0.3, 0.2, 0.1), size=0.2, location=(0, 0.3, -0.5))
grove = bpy.data.collections.new("grove")
for thing in (crown, stem):
    scene.collection.objects.unlink(thing)
    grove.objects.link(thing)
for x, size in ((1.0, 0.9), (2.6, 0.6)):
    stand = bpy.data.objects.new("stand", None)
    stand.instance_type, stand.instance_collection = "COLLECTION", grove
    stand.location, stand.scale = (x, 0, -1.2), (size,) * 3
    scene.collection.objects.link(stand)

add("uv_sphere", "ball", (0.9, 0.9, 0.2), location=(3.1, 0, 1.2), radius=0.5)
add("uv_sphere", "bare", (0.9, 0.9, 0.2), location=(3.6, 0, -0.2), radius=0.3).data.materials.clear()
"""
)


def ids_of(clip: ClipFiles) -> dict[str, int]:
    return {name: int(number) for number, name in clip.read_names("material_id").items()}


def test_holes_are_the_same_in_pictures_and_labels(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    source = build("cards", CARDS)
    common = "resolution: [240, 160]\nlines: {freestyle: false}\n"
    solid = source.with_name("filled.blend")
    shutil.copy(source, solid)
    textured = source.with_name("textured.blend")
    shutil.copy(source, textured)
    configs = [
        cut(source, common),
        cut(solid, common + 'transparency: {alpha_textures: solid, materials: {"no*": clip, ball: clip}}\n'),
        cut(textured, common + "style: {color: texture}\n"),
    ]
    for config in configs:
        config.write_text(config.read_text("utf-8").replace("resolution: [96, 64]\n", ""), encoding="utf-8")
    said = run_kept("generate", *configs, "--out", tmp_path / "out").stdout
    dataset = Dataset(tmp_path / "out")
    clips = {name: dataset.clip(name) for name in ("cards", "filled", "textured")}
    ids = ids_of(clips["cards"])
    shares = {
        name: {material: (clip.read("material_id", 1) == number).mean() for material, number in ids.items()}
        for name, clip in clips.items()
    }
    # what is left of a card is a disc of 0.31 of its area; the wall is seen through the rest
    for material in ("plain", "many", "second", "crown"):
        assert 0.2 < shares["cards"][material] / shares["filled"][material] < 0.45, material
    # beyond its image a card is a hole: a quarter of 0.31
    assert 0.04 < shares["cards"]["grouped"] / shares["filled"]["grouped"] < 0.15
    assert shares["cards"]["wall"] > shares["filled"]["wall"] + 0.1
    assert shares["cards"]["board"] == pytest.approx(shares["filled"]["board"], rel=0.01)
    # Workbench, which knows nothing of our masks, sees the same
    for name in clips:
        quality = json.loads((dataset.root / "quality" / f"{name}.json").read_text("utf-8"))["summary"]
        assert quality["agreement"]["worst"] >= 0.999, name
        assert quality["agreement_ids"]["worst"] >= 0.999, name
        assert quality["warp_error_flat_exact"]["worst"] < 0.001, name
    # nothing of what is transparent shows, neither at borders nor in mean colours
    for name in ("cards", "textured"):
        flat = clips[name].read("flat", 1)
        leaves = np.isin(clips[name].read("material_id", 1), [ids[m] for m in ("plain", "many", "second", "crown")])
        assert (flat[leaves] == (0, 255, 0)).all(axis=1).mean() > 0.99, name
        # surfaces without holes keep their colours, though all are painted by images now
        ball = flat[clips[name].read("material_id", 1) == ids["ball"]].astype(int)
        assert np.abs(ball - (243, 243, 124)).max() <= 1
    # the outline follows the holes: it is no farther from other pixels than from the border of the disc
    contour, shown = clips["cards"].read("contour", 1), clips["cards"].read("material_id", 1)
    near_border = np.zeros(shown.shape, bool)
    for axis in (0, 1):
        differs = np.diff(clips["cards"].read("object_id", 1).astype(int), axis=axis) != 0
        near_border |= np.pad(differs, [(0, 1) if axis == k else (0, 0) for k in (0, 1)])
        near_border |= np.pad(differs, [(1, 0) if axis == k else (0, 0) for k in (0, 1)])
    assert (contour == 0).sum() > 300
    assert near_border[contour == 0].all()
    for words in (
        "clipped 'plain' by the alpha of image 'leaf': 69% of it are holes",
        "clipped 'second'",
        "clipped 'grouped'",
        "filled the holes of 'crown', 'grouped', 'many', 'plain', 'second': as configured",
        "transparency.materials: no material is named 'no*'",
    ):
        assert words in said


LIBRARY = (
    WEARING
    + """
bpy.ops.mesh.primitive_plane_add(size=2, rotation=(math.pi / 2, 0, 0))
bpy.context.object.data.materials.append(surface("leaf", picture("leaf", disc))[0])
tree = bpy.data.collections.new("tree")
tree.use_fake_user = True
tree.objects.link(bpy.context.object)
scene.collection.objects.unlink(bpy.context.object)
"""
)

LINKING = """
add("plane", "wall", (0.8, 0.1, 0.05), size=30, location=(0, 3, 0), rotation=(math.pi / 2, 0, 0))
with bpy.data.libraries.load({library!r}, link=True) as (_, linked):
    linked.collections = ["tree"]
stand = bpy.data.objects.new("stand", None)
stand.instance_type, stand.instance_collection = "COLLECTION", linked.collections[0]
scene.collection.objects.link(stand)
"""


def test_what_is_linked_from_a_library_is_clipped_as_well(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    library = build("library", LIBRARY)
    source = build("linking", LINKING.format(library=str(library)))
    dataset, said = render_cuts(tmp_path, cut(source, "lines: {freestyle: false}\n"))
    clip = dataset.clip("linking")
    leaf = clip.read("material_id", 1) == ids_of(clip)["leaf"]
    green = (clip.read("flat", 1) == (0, 255, 0)).all(axis=2)
    assert 0.01 < leaf.mean() < 0.1
    assert (leaf != green).mean() < 1e-3
    assert "made everything local that the file links" in said


LINES = (
    WEARING
    + """
camera.location.y = -5
def two_sides(x, y):
    return (0.0, 0.5, 0.0, 1.0) if x < 0.5 else (0.0, 0.0, 0.0, 0.0)

material = surface("half", picture("half", two_sides, size=4))[0]
material.node_tree.nodes["Image Texture"].interpolation = "Closest"
bpy.ops.mesh.primitive_plane_add(size=2, rotation=(math.pi / 2, 0, 0))
card = bpy.context.object
card.data.materials.append(material)
# a part of the same mesh that has no holes: its lines stay
bpy.ops.mesh.primitive_cube_add(size=0.4, location=(-0.6, -0.3, 0.9))
block = bpy.context.object
block.data.materials.append(paint("block", (0.9, 0.9, 0.2)))
bpy.ops.object.select_all(action="DESELECT")
for thing in (block, card):
    thing.select_set(True)
bpy.context.view_layer.objects.active = card
bpy.ops.object.join()
# a rail behind both halves of the card
add("cube", "rail", (0.8, 0.1, 0.05), size=1, location=(0, 1, 0)).scale = (6, 0.1, 0.3)
"""
)


def test_lines_stay_away_from_holes_and_from_what_is_seen_in_front(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    only_freestyle = "lines: {outline: false, thickness: 1.0}\n"
    dataset, _ = render_cuts(tmp_path, cut(build("lines", LINES), only_freestyle, last=2))
    clip = dataset.clip("lines")
    inked, shown = clip.read("contour", 1) == 0, clip.read("material_id", 1)
    ids = ids_of(clip)
    leaf = shown == ids["half"]
    assert 0.05 < leaf.mean() < 0.3
    # the rail is seen through the hole, and its upper and lower edge are drawn there, as beside the card
    middle = shown.shape[1] // 2
    through, beside = inked[:, middle + 4 : middle + 15], inked[:, -8:]
    assert beside.any(axis=1).sum() >= 2
    assert (through == beside[:, :1]).all()
    # the card's borders are none of Freestyle's, but for what reaches over from the block in front of it
    rows, columns = np.nonzero(leaf)
    whole = np.zeros(shown.shape, bool)
    whole[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    block = (shown == ids["block"]).astype(np.uint8)
    whole &= cv2.dilate(block, np.ones((5, 5), np.uint8)) == 0
    assert whole.sum() > 100
    assert not inked[whole].any()
    assert inked[block > 0].any()


FINDING = (
    WEARING
    + """
sys.path.insert(0, {project!r})
import json
import numpy as np
from animerun_gen.blender.convert.opacity import find_see_through
from animerun_gen.blender.texture_coordinates import TextureCoordinates, laid_out

half = picture("half", lambda x, y: (x, x, x, 1.0 if y < 0.25 else 0.0))
missing = bpy.data.images.new("missing", 4, 4)
missing.source, missing.filepath = "FILE", "//nowhere.png"
film = bpy.data.images.new("film", 4, 4)
film.source = "MOVIE"

def keep(material):
    material.use_fake_user = True
    return material

def through_math(name, operation, value, channel="Alpha", image=half):
    material, tree, shader, texture = surface(name, image)
    node = tree.nodes.new("ShaderNodeMath")
    node.operation, node.inputs[1].default_value = operation, value
    tree.links.new(texture.outputs[channel], node.inputs[0])
    tree.links.new(node.outputs[0], shader.inputs["Alpha"])
    return keep(material), tree, shader, texture, node

keep(surface("by alpha", half)[0])
keep(surface("missing", missing)[0])
keep(surface("film", film)[0])
through_math("by colour", "GREATER_THAN", 0.5, "Color")
through_math("inverted", "SUBTRACT", 1.0)[4].use_clamp = True
material, tree, shader, texture, node = through_math("fades in", "MULTIPLY", 0.0)
for frame, value in ((1, 0.0), (5, 1.0)):
    node.inputs[1].default_value = value
    node.inputs[1].keyframe_insert("default_value", frame=frame)
material, tree, shader, texture = surface("boxed", half)
keep(material)
texture.projection = "BOX"
material, tree, shader, texture = surface("generated", half)
keep(material)
tree.links.new(tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"], texture.inputs[0])

# two shaders that are mixed by the image, seen by the camera alone
material, tree, shader, texture = surface("mixed", half)
keep(material)
tree.links.remove(shader.inputs["Alpha"].links[0])
path, both = tree.nodes.new("ShaderNodeLightPath"), tree.nodes.new("ShaderNodeMath")
mix, clear = tree.nodes.new("ShaderNodeMixShader"), tree.nodes.new("ShaderNodeBsdfTransparent")
both.operation = "MULTIPLY"
tree.links.new(path.outputs["Is Camera Ray"], both.inputs[0])
tree.links.new(texture.outputs["Alpha"], both.inputs[1])
tree.links.new(both.outputs[0], mix.inputs[0])
tree.links.new(clear.outputs[0], mix.inputs[1])
tree.links.new(shader.outputs[0], mix.inputs[2])
tree.links.new(mix.outputs[0], tree.nodes["Material Output"].inputs[0])

# no image takes part
def plain(name, kind, **inputs):
    material = keep(paint(name, (0.2, 0.3, 0.4)))
    tree, output = nodes_of(material)
    shader = tree.nodes.new(kind)
    for key, value in inputs.items():
        shader.inputs[key].default_value = value
    tree.links.new(shader.outputs[0], output.inputs[0])
    return tree, shader, output

plain("glass", "ShaderNodeBsdfGlass")
plain("pane", "ShaderNodeBsdfPrincipled", Alpha=0.25)
plain("solid", "ShaderNodeBsdfPrincipled")
keep(paint("viewport", (0.2, 0.3, 0.4))).diffuse_color[3] = 0.5
tree, shader, output = plain("by angle", "ShaderNodeBsdfDiffuse")
mix, clear = tree.nodes.new("ShaderNodeMixShader"), tree.nodes.new("ShaderNodeBsdfTransparent")
for index, source in enumerate((tree.nodes.new("ShaderNodeFresnel"), clear, shader)):
    tree.links.new(source.outputs[0], mix.inputs[index])
tree.links.new(mix.outputs[0], output.inputs[0])

# so many forks that nobody could walk every path, and a circle
tree, shader, output = plain("forks", "ShaderNodeBsdfPrincipled")
last = tree.nodes.new("ShaderNodeValue")
last.outputs[0].default_value = 0.5 ** 50
for _ in range(50):
    node = tree.nodes.new("ShaderNodeMath")
    for entry in node.inputs[:2]:
        tree.links.new(last.outputs[0], entry)
    last = node
tree.links.new(last.outputs[0], shader.inputs["Alpha"])

tree, shader, output = plain("fading", "ShaderNodeBsdfPrincipled")
for frame, value in ((1, 1.0), (3, 0.2)):
    shader.inputs["Alpha"].default_value = value
    shader.inputs["Alpha"].keyframe_insert("default_value", frame=frame)
tree, shader, output = plain("skin", "ShaderNodeBsdfPrincipled")
(shader.inputs.get("Transmission Weight") or shader.inputs["Transmission"]).default_value = 0.125

found, shows = {{}}, {{}}
for one in find_see_through(0.5, range(1, 5)):
    image = one.texture
    shows[one.material] = [round(one.shows, 3), one.fades]
    found[one.material] = [list(one.reasons), image and [image.image, image.channel, image.below, image.problem]]

# an image that is laid on anew: what a texture lookup with mixed texels finds
texels = np.random.default_rng(1).random((6, 8)).astype(np.float32)
worst = 0.0
plain, scaled, turned = ((1, 0, 0), (0, 1, 0)), ((3, 0, 0.2), (0, 2, -5.3)), ((0.6, -0.8, 0.4), (0.8, 0.6, 0.1))
for extension in ("REPEAT", "EXTEND", "CLIP", "MIRROR"):
    for matrix in (plain, scaled, turned):
        made = laid_out(texels, TextureCoordinates(None, matrix, extension, True), (48, 64))
        for row, column in ((0, 0), (47, 63), (20, 31), (33, 5), (11, 60)):
            u, v = (column + 0.5) / 64, (row + 0.5) / 48
            x, y = (sum(a * b for a, b in zip(line, (u, v, 1))) * n - 0.5 for line, n in zip(matrix, (8, 6)))
            value = 0.0
            for j, i in ((0, 0), (0, 1), (1, 0), (1, 1)):
                at = [math.floor(y) + j, math.floor(x) + i]
                weight = (1 - abs(at[0] - y)) * (1 - abs(at[1] - x))
                if extension == "CLIP" and not (0 <= at[0] < 6 and 0 <= at[1] < 8):
                    continue
                for axis, n in ((0, 6), (1, 8)):
                    if extension == "REPEAT":
                        at[axis] %= n
                    elif extension == "MIRROR":
                        at[axis] = min(at[axis] % (2 * n), 2 * n - 1 - at[axis] % (2 * n))
                    else:
                        at[axis] = min(max(at[axis], 0), n - 1)
                value += weight * float(texels[at[0], at[1]])
            worst = max(worst, abs(value - float(made[row, column])))
print(json.dumps({{"found": found, "shows": shows, "worst": worst}}))
"""
)


def test_what_can_be_seen_through_is_found_and_nothing_is_changed() -> None:
    script = PREAMBLE + textwrap.dedent(FINDING).format(project=str(PROJECT)).replace("{{", "{")
    result = run_script(script)
    assert result.stdout, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    found = answer["found"]
    assert found == {
        "by alpha": [[], ["half", "alpha", 0.75, ""]],
        "missing": [[], ["missing", "alpha", None, "its image 'missing' is missing"]],
        "film": [[], ["film", "alpha", None, "it is the alpha of movie 'film'"]],
        "by colour": [[], ["half", "color", pytest.approx(0.5, abs=0.3), ""]],
        "inverted": [[], ["half", "alpha", 1.0, ""]],
        # at the last frame of the clip, three quarters of the way, it is most opaque
        "fades in": [[], ["half", "alpha", 0.75, ""]],
        "boxed": [[], ["half", "alpha", None, "its image is projected as a box"]],
        "generated": [[], ["half", "alpha", None, "its texture coordinates come from a node 'Texture Coordinate'"]],
        "mixed": [["a transparent shader"], ["half", "alpha", 0.75, ""]],
        "glass": [["glass"], None],
        "pane": [["alpha 0.25"], None],
        "viewport": [["viewport alpha 0.50"], None],
        "by angle": [["its opacity depends on a node 'Fresnel' (FRESNEL)"], None],
        "fading": [["an animated opacity"], None],
        "skin": [["glass"], None],
    }
    shows = answer["shows"]
    assert {name: shows[name] for name in ("glass", "pane", "viewport", "by angle", "fading", "skin")} == {
        "glass": [0.0, False],
        "pane": [0.25, False],
        "viewport": [0.5, False],
        # from the front, a Fresnel reflects little
        "by angle": [0.1, False],
        "fading": [1.0, True],
        # hardly any light passes through
        "skin": [0.875, False],
    }
    # of what an image says, nothing may be known
    assert shows["missing"] == [1.0, False]
    # OpenCV counts places between texels in 32nds
    assert answer["worst"] < 0.04


@needs_installed_blender
def test_the_orchard_has_the_same_holes_in_both_blenders(tmp_path: Path) -> None:
    config = tmp_path / "orchard.yaml"
    config.write_text(f"inherit: {PROJECT}/configs/conversions/orchard.yaml\n", "utf-8")
    clips = {}
    for name, options in (("module", []), ("installed", ["--blender", "blender"])):
        said = run_kept("generate", config, "--out", tmp_path / name, "--frames", "1:2", *options).stdout
        for words in (
            "clipped 'grass' by the alpha of image 'grass'",
            "clipped 'net' by the color of image 'net'",
            "made solid: glass (glass), pane (a transparent shader, alpha 0.45)",
            "all figures are within their thresholds",
        ):
            assert words in said
        clips[name] = Dataset(tmp_path / name).clip("orchard")
    for kind in ("flat", "contour", "material_id", "exact_occlusion_forward"):
        one, other = (clip.read(kind, 1) for clip in clips.values())
        assert (one != other).mean() < 1e-4, kind
