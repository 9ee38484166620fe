"""An orchard in the wind: swaying cards of leaves and grass, a cold frame of half-transparent panes, a jug of glass.

    blender --background --factory-startup --python scenes/conversions/orchard.py

builds ``orchard.blend`` beside it; run it with Blender 3.4, whose files later versions read.  What there is to convert:
two images that say by their alpha where cards can be seen through (by a mix with a transparent shader, and by the
Principled shader), one of which repeats; panes and glass that become solid; and a net whose image says it by colour.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT))

import bpy  # noqa: E402

from scenes.shapes import Shape, ball, box, card, cylinder, hills, join, revolve, tube  # noqa: E402
from scenes.toolkit import linear  # noqa: E402
from scenes.transforms import Vector  # noqa: E402

FIRST, LAST = 1, 8

BACKGROUND = "#bfe6f2"
PALETTE = {
    "lawn": "#9ccf6b",
    "meadow": "#b7dc7c",
    "far hill": "#8fc3a0",
    "hill": "#a5d28c",
    "cloud": "#fdfdf6",
    "bark": "#8a5a44",
    "bark dark": "#6c4437",
    "apple": "#e2483d",
    "wood": "#d8a26a",
    "wood dark": "#b57f4d",
    "soil": "#7b5847",
    "lettuce": "#77c057",
    "juice": "#f3b23e",
    "basket": "#c98d4b",
    "house": "#f7ead2",
    "roof": "#d9694f",
    "door": "#4f86a8",
}

Color = tuple[float, float, float]
LEAF_GREENS: tuple[Color, ...] = ((0.34, 0.64, 0.33), (0.4, 0.71, 0.35), (0.46, 0.76, 0.38))
GRASS_GREENS: tuple[Color, ...] = ((0.36, 0.66, 0.33), (0.42, 0.72, 0.36))


def main() -> None:
    """Build the scene and save it."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.name = "orchard"
    scene.frame_start, scene.frame_end = FIRST, LAST
    scene.render.resolution_x, scene.render.resolution_y = 480, 270
    scene.view_settings.view_transform = "Standard"
    scene.world = bpy.data.worlds.new("sky")
    scene.world.color = linear(BACKGROUND)[:3]
    materials = {name: flat(name, color) for name, color in PALETTE.items()}
    materials["leaves"] = mixed_with_transparent("leaves", leaves_image())
    materials["grass"] = principled_alpha("grass", grass_image())
    materials["net"] = alpha_by_color("net", net_image())
    materials["pane"] = half_transparent("pane", "#a9dcea")
    materials["glass"] = glass("glass", "#d5f1ee")
    set_stage(materials)
    add_camera()
    path = Path(__file__).resolve().with_suffix(".blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)
    print(f"built {path.name}: {path.stat().st_size / 1e3:.0f} kB")


# Images


def picture(name: str, width: int, height: int, paint: Callable[[float, float], tuple[Color, float]]) -> Any:
    """An image packed into the file; ``paint`` gives colour and alpha at a place in pixels from the lower left."""
    image = bpy.data.images.new(name, width, height, alpha=True)
    texels: list[float] = []
    for y in range(height):
        for x in range(width):
            color, alpha = paint(x + 0.5, y + 0.5)
            texels += [*color, alpha]
    image.pixels[:] = texels
    image.pack()
    return image


def leaves_image() -> Any:
    """A twig full of leaves on black that nobody is to see."""
    size = 128
    generator = random.Random(4)
    leaves = []
    for ring, count in ((0.35, 8), (0.16, 5), (0.0, 1)):
        for index in range(count):
            angle = 2 * math.pi * (index + generator.uniform(-0.2, 0.2)) / count + ring * 9
            center = (size / 2 + ring * size * math.cos(angle), size / 2 + ring * size * math.sin(angle))
            leaves.append((*center, angle + generator.uniform(-0.5, 0.5), generator.choice(LEAF_GREENS)))

    def paint(x: float, y: float) -> tuple[Color, float]:
        color, alpha = (0.0, 0.0, 0.0), 0.0
        for center_x, center_y, angle, green in leaves:
            along = (x - center_x) * math.cos(angle) + (y - center_y) * math.sin(angle)
            across = (y - center_y) * math.cos(angle) - (x - center_x) * math.sin(angle)
            if abs(along) >= 22.0:
                continue
            edge = 9.5 * math.cos(math.pi * along / 44.0) - abs(across)
            if edge > -1.0:
                color = green
                alpha = max(alpha, min(1.0, 0.5 + 0.5 * edge))
        return color, alpha

    return picture("leaves", size, size, paint)


def grass_image() -> Any:
    """Blades of grass that go on at the left where they end at the right."""
    width, height = 96, 48
    generator = random.Random(2)
    blades = [
        (96.0 * index / 17, generator.uniform(-14.0, 14.0), generator.uniform(26.0, 46.0), GRASS_GREENS[index % 2])
        for index in range(17)
    ]

    def paint(x: float, y: float) -> tuple[Color, float]:
        color, alpha = (0.0, 0.0, 0.0), 0.0
        for root, lean, tip, green in blades:
            share = y / tip
            if share >= 1.0:
                continue
            across = abs((x - root - lean * share * share + width / 2) % width - width / 2)
            edge = 4.2 * (1.0 - share) - across
            if edge > -0.7:
                color, alpha = green, max(alpha, min(1.0, 0.5 + 0.7 * edge))
        return color, alpha

    return picture("grass", width, height, paint)


def net_image() -> Any:
    """One mesh of a net, white on black, without any alpha."""

    def paint(x: float, y: float) -> tuple[Color, float]:
        thread = min(x, 16.0 - x, y, 16.0 - y) < 1.6
        return ((0.95, 0.95, 0.95) if thread else (0.0, 0.0, 0.0)), 1.0

    return picture("net", 16, 16, paint)


# Materials


def nodes_of(name: str) -> tuple[Any, Any, Any]:
    """A new material, its node tree without nodes, and the output of that."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    return material, tree, tree.nodes.new("ShaderNodeOutputMaterial")


def flat(name: str, color: str) -> Any:
    """A material of one colour."""
    material = bpy.data.materials.new(name)
    material.diffuse_color = linear(color)
    return material


def textured(tree: Any, image: Any) -> Any:
    """An image node."""
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return node


def mixed_with_transparent(name: str, image: Any) -> Any:
    """The image, mixed with nothing by its alpha."""
    material, tree, output = nodes_of(name)
    texture, surface = textured(tree, image), tree.nodes.new("ShaderNodeBsdfDiffuse")
    clear, mix = tree.nodes.new("ShaderNodeBsdfTransparent"), tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(texture.outputs["Color"], surface.inputs["Color"])
    tree.links.new(texture.outputs["Alpha"], mix.inputs[0])
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(surface.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])
    return material


def principled_alpha(name: str, image: Any) -> Any:
    """The image, its alpha in the socket that is made for it."""
    material, tree, output = nodes_of(name)
    texture, surface = textured(tree, image), tree.nodes.new("ShaderNodeBsdfPrincipled")
    tree.links.new(texture.outputs["Color"], surface.inputs["Base Color"])
    tree.links.new(texture.outputs["Alpha"], surface.inputs["Alpha"])
    tree.links.new(surface.outputs[0], output.inputs["Surface"])
    return material


def alpha_by_color(name: str, image: Any) -> Any:
    """White where the image is bright, laid on many times."""
    material, tree, output = nodes_of(name)
    texture, surface = textured(tree, image), tree.nodes.new("ShaderNodeBsdfPrincipled")
    places, scaled = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
    bright = tree.nodes.new("ShaderNodeMath")
    bright.operation = "GREATER_THAN"
    scaled.inputs["Scale"].default_value = (8.0, 5.0, 1.0)
    surface.inputs["Base Color"].default_value = linear("#f4f6ee")
    tree.links.new(places.outputs["UV"], scaled.inputs["Vector"])
    tree.links.new(scaled.outputs[0], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], bright.inputs[0])
    tree.links.new(bright.outputs[0], surface.inputs["Alpha"])
    tree.links.new(surface.outputs[0], output.inputs["Surface"])
    return material


def half_transparent(name: str, color: str) -> Any:
    """A colour through which something shines."""
    material, tree, output = nodes_of(name)
    surface, clear = tree.nodes.new("ShaderNodeBsdfDiffuse"), tree.nodes.new("ShaderNodeBsdfTransparent")
    mix = tree.nodes.new("ShaderNodeMixShader")
    surface.inputs["Color"].default_value = linear(color)
    mix.inputs[0].default_value = 0.45
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(surface.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])
    return material


def glass(name: str, color: str) -> Any:
    """Glass."""
    material, tree, output = nodes_of(name)
    surface = tree.nodes.new("ShaderNodeBsdfGlass")
    surface.inputs["Color"].default_value = linear(color)
    tree.links.new(surface.outputs[0], output.inputs["Surface"])
    return material


# Things


def solid(name: str, shape: Shape, materials: dict[str, Any]) -> Any:
    """An object of a shape."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(shape.vertices, [], shape.faces)
    used = list(dict.fromkeys(shape.materials))
    for material in used:
        mesh.materials.append(materials[material])
    for polygon, material in zip(mesh.polygons, shape.materials, strict=True):
        polygon.material_index = used.index(material)
    return stand(name, mesh)


Corners = tuple[Vector, Vector, Vector, Vector]


def cards(name: str, corners: Sequence[Corners], material: Any, repeat: float = 1.0) -> Any:
    """An object of cards; the image lies on each from its first corner to its third, ``repeat`` times across."""
    mesh = bpy.data.meshes.new(name)
    vertices = [corner for card_corners in corners for corner in card_corners]
    mesh.from_pydata(vertices, [], [tuple(range(start, start + 4)) for start in range(0, len(vertices), 4)])
    layer = mesh.uv_layers.new(name="UVMap")
    for index, loop in enumerate(layer.data):
        loop.uv = ((0.0, 0.0), (repeat, 0.0), (repeat, 1.0), (0.0, 1.0))[index % 4]
    mesh.materials.append(material)
    return stand(name, mesh)


def stand(name: str, mesh: Any) -> Any:
    """A mesh in the scene."""
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    return item


def tilted_card(center: Vector, width: float, height: float, turn: float, tilt: float, roll: float) -> Corners:
    """A card about a point: turned about the vertical, tilted backwards and rolled in its plane, in radians."""
    corners = []
    for x, z in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        x, z = width * x, height * z
        x, z = x * math.cos(roll) - z * math.sin(roll), x * math.sin(roll) + z * math.cos(roll)
        y, z = z * math.sin(tilt), z * math.cos(tilt)
        x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        corners.append((center[0] + x, center[1] + y, center[2] + z))
    return corners[0], corners[1], corners[2], corners[3]


def sway(item: Any, path: str, axis: int, size: float, phase: float) -> None:
    """Have a property swing once in ten frames or so, with a key at every frame."""
    rest = getattr(item, path)[axis]
    for frame in range(FIRST - 1, LAST + 2):
        getattr(item, path)[axis] = rest + size * math.sin(2 * math.pi * frame / 11 + phase)
        item.keyframe_insert(path, index=axis, frame=frame)


def tree(name: str, place: Vector, size: float, seed: int, materials: dict[str, Any]) -> None:
    """A trunk, apples, and a crown of cards in three parts that sway each in its own way."""
    generator = random.Random(seed)
    trunk = tube(
        [(0.0, 0.0, -0.1), (0.06, 0.0, 0.8), (-0.05, 0.0, 1.6), (0.05, 0.0, 2.4)],
        [0.26, 0.19, 0.16, 0.08],
        ["bark dark", "bark", "bark"],
    )
    branches = [
        tube([(0.0, 0.0, 1.3), (0.5 * side, -0.1, 1.9), (0.95 * side, -0.1, 2.2)], [0.1, 0.07, 0.03], "bark", sides=8)
        for side in (-1.0, 1.0)
    ]
    wood = solid(f"{name} trunk", join(trunk, *branches), materials)
    wood.location, wood.scale = place, (size,) * 3
    for part, (x, y, z) in enumerate(((-0.8, 0.1, 2.35), (0.8, 0.0, 2.4), (0.0, -0.15, 2.95))):
        made = []
        for _ in range(7):
            center = (generator.uniform(-0.4, 0.4), generator.uniform(-0.5, 0.5), generator.uniform(-0.35, 0.35))
            angles = generator.uniform(-0.9, 0.9), generator.uniform(-0.5, 0.5), generator.uniform(0.0, 6.3)
            made.append(tilted_card(center, 1.25, 1.25, *angles))
        # one that is seen from its edge
        made.append(tilted_card((0.1, 0.0, 0.0), 1.3, 1.3, 1.5, 0.0, 0.3))
        crown = cards(f"{name} crown {part}", made, materials["leaves"])
        crown.location = (place[0] + size * x, place[1] + size * y, place[2] + size * z)
        crown.scale = (size,) * 3
        sway(crown, "rotation_euler", 1, 0.09, seed + part)
        sway(crown, "location", 0, 0.06 * size, seed + part)
    for index in range(3):
        apple = solid(f"{name} apple {index}", ball(0.13, "apple", segments=16, rings=8), materials)
        apple.location = (
            place[0] + size * (-0.75 + 0.75 * index),
            place[1] - 0.75 * size,
            place[2] + size * (2.0 + 0.25 * (index % 2)),
        )
        apple.scale = (size,) * 3
        sway(apple, "location", 0, 0.05, seed + index)


def set_stage(materials: dict[str, Any]) -> None:
    """Everything but the camera."""
    landscape = {
        "far hills": (hills(60.0, lambda x: 3.2 + 0.9 * math.sin(0.35 * x + 1.0), -2.0), "far hill", 26.0),
        "hills": (hills(50.0, lambda x: 1.6 + 0.7 * math.sin(0.45 * x - 0.6), -2.0), "hill", 19.0),
    }
    for name, (outline, material, distance) in landscape.items():
        solid(name, card(outline, 0.1, material), materials).location[1] = distance
    ground = join(box(60.0, 13.0, 0.1, "meadow").at(y=12.0, z=-0.12), box(60.0, 9.0, 0.1, "lawn").at(y=1.0, z=-0.1))
    solid("ground", ground, materials)
    cottage = join(
        box(2.2, 1.0, 1.3, "house"),
        box(0.5, 0.1, 0.85, "door").at(x=0.3, y=-0.52),
        card([(-1.35, 1.25), (1.35, 1.25), (0.9, 2.1), (-0.9, 2.1)], 1.2, "roof"),
    )
    solid("cottage", cottage, materials).location = (-1.2, 10.0, 0.0)
    tree("apple tree", (-1.75, 2.0, 0.0), 1.0, 1, materials)
    tree("young tree", (3.5, 5.5, 0.0), 0.85, 5, materials)
    tree("far tree", (-6.6, 10.5, 0.0), 0.95, 9, materials)
    grass_rows(materials)
    cold_frame(materials)
    table(materials)
    net = cards("net", [((-0.9, 0.0, 0.0), (0.9, 0.0, 0.0), (0.9, 0.0, 1.2), (-0.9, 0.0, 1.2))], materials["net"])
    net.location, net.rotation_euler[2] = (4.6, 3.6, 0.1), -0.35
    posts = join(*[cylinder(0.05, 1.45, "wood dark", segments=8).at(x=x) for x in (-0.92, 0.92)])
    poles = solid("net posts", posts, materials)
    poles.location, poles.rotation_euler[2] = (4.6, 3.6, 0.0), -0.35


def grass_rows(materials: dict[str, Any]) -> None:
    """Long cards on which the image repeats."""
    for index, (distance, height, width) in enumerate(((-2.1, 0.42, 9.0), (0.6, 0.36, 12.0), (7.5, 0.5, 26.0))):
        upright = ((-width / 2, 0.0, 0.0), (width / 2, 0.0, 0.0), (width / 2, 0.05, height), (-width / 2, 0.05, height))
        row = cards(f"grass {index}", [upright], materials["grass"], repeat=width)
        row.location = (0.13 * index, distance, -0.02)
        sway(row, "rotation_euler", 0, 0.12, index)


def cold_frame(materials: dict[str, Any]) -> None:
    """A bed of lettuce under panes that something shines through, until they become solid."""
    lettuce = ball(0.16, "lettuce", segments=14, rings=7).scale(1.0, 1.0, 0.7)
    bed = join(
        box(1.7, 0.9, 0.32, "wood"),
        box(1.56, 0.76, 0.02, "soil").at(z=0.32),
        *[lettuce.at(-0.5 + 0.5 * index, 0.0, 0.37) for index in range(3)],
        box(0.06, 0.06, 0.75, "wood dark").at(-0.8, 0.4),
        box(0.06, 0.06, 0.75, "wood dark").at(0.8, 0.4),
    )
    solid("cold frame", bed, materials).location = (1.15, 1.0, 0.0)
    panes = bpy.data.meshes.new("panes")
    vertices = []
    for left, right in ((-0.82, -0.03), (0.03, 0.82)):
        vertices += [(left, -0.45, 0.34), (right, -0.45, 0.34), (right, 0.42, 0.74), (left, 0.42, 0.74)]
    panes.from_pydata(vertices, [], [(0, 1, 2, 3), (4, 5, 6, 7)])
    panes.materials.append(materials["pane"])
    lid = stand("panes", panes)
    lid.location = (1.15, 1.0, 0.0)
    sway(lid, "location", 2, 0.05, 0.5)


def table(materials: dict[str, Any]) -> None:
    """A table with a jug of glass, juice in it, and a basket."""
    legs = [box(0.1, 0.1, 0.6, "wood dark").at(x, y) for x in (-0.6, 0.6) for y in (-0.25, 0.25)]
    solid("table", join(*legs, box(1.5, 0.7, 0.08, "wood").at(z=0.6)), materials).location = (2.35, -0.7, 0.0)
    jug = revolve([(0.0, 0.0), (0.14, 0.0), (0.17, 0.12), (0.12, 0.3), (0.14, 0.38)], "glass")
    solid("jug", jug, materials).location = (2.1, -0.75, 0.68)
    juice = revolve([(0.0, 0.02), (0.12, 0.02), (0.14, 0.12), (0.12, 0.2), (0.0, 0.2)], "juice")
    solid("juice", juice, materials).location = (2.1, -0.75, 0.68)
    basket = revolve([(0.0, 0.0), (0.2, 0.0), (0.27, 0.2), (0.2, 0.2), (0.0, 0.1)], "basket")
    apples = [
        ball(0.11, "apple", segments=14, rings=7).at(0.12 * math.cos(turn), 0.12 * math.sin(turn), 0.23)
        for turn in (0.3, 2.4, 4.5)
    ]
    solid("basket", join(basket, *apples), materials).location = (2.65, -0.7, 0.68)


def add_camera() -> None:
    """A camera that drifts to the right."""
    data = bpy.data.cameras.new("Camera")
    data.lens, data.clip_end = 38.0, 100.0
    camera = stand("Camera", data)
    camera.location, camera.rotation_euler = (0.15, -7.6, 1.75), (math.radians(90.5), 0.0, math.radians(-2.0))
    for frame in range(FIRST - 1, LAST + 2):
        camera.location[0] = 0.15 + 0.035 * (frame - FIRST)
        camera.keyframe_insert("location", index=0, frame=frame)
    bpy.context.scene.camera = camera


main()
