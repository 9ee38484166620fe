"""A shaggy yak walks over a meadow: fur, grass and flowers are hair, petals are particles.

``blender --background --factory-startup --python scenes/conversions/meadow.py`` builds ``meadow.blend`` beside this
file.  Run it with Blender 3.4, which cannot read what later versions save.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))

from scenes.motion import Camera, Choreography, Motion  # noqa: E402
from scenes.shapes import Shape, ball, capsule, card, circle, cloud, cylinder, ellipsoid, hills, join, tube  # noqa: E402
from scenes.transforms import Pose, Vector, Y, Z, looking, turned  # noqa: E402

FIRST, LAST = 1, 12

BACKGROUND = "#bfe3f2"
PALETTE = {
    "far hill": "#9fcbb4",
    "near hill": "#86bd8a",
    "cloud": "#fdfdf6",
    "sun": "#ffe48a",
    "earth": "#8fc866",
    "grass": "#5fa84c",
    "skin": "#7d4a2f",
    "coat": "#b56a3c",
    "mop": "#cf8b50",
    "muzzle": "#f0c6a4",
    "hoof": "#4b3328",
    "horn": "#f7ecd2",
    "eye": "#241a18",
    "petal": "#ff9fbd",
    "bloom": "#fff3c9",
    "bloom heart": "#f5b02e",
    "stalk": "#4d8f45",
}


def ground(x: float, y: float) -> float:
    """Height of the meadow."""
    return 0.35 * math.sin(0.35 * x + 0.4) + 0.05 * (y + 2.0) - 0.012 * x * x


def walk(frame: float) -> tuple[float, float]:
    """How far the yak came, and how it bobs."""
    return -1.0 + 0.14 * (frame - FIRST), 0.05 * math.sin(1.05 * frame)


def carried(at: Vector, nod: float = 0.0) -> Motion:
    """What a part of the yak does; the head nods, the body sways a little."""

    def motion(frame: int) -> Pose:
        x, bob = walk(frame)
        turn = 0.03 * math.sin(1.05 * frame + 0.8) + nod * math.sin(0.7 * frame)
        return Pose((x + at[0], at[1], ground(x, 0.0) + bob + at[2]), turned(Y, turn))

    return motion


def step(at: Vector, phase: float) -> Motion:
    """What a leg does: it swings about the hip."""

    def motion(frame: int) -> Pose:
        x, bob = walk(frame)
        swing = 0.38 * math.sin(0.9 * frame + phase)
        return Pose((x + at[0], at[1], ground(x, 0.0) + bob + at[2]), turned(Y, swing))

    return motion


LEGS = {
    "Leg one": ((0.75, -0.42, 1.15), 0.0),
    "Leg two": ((0.7, 0.42, 1.15), math.pi),
    "Leg three": ((-0.7, -0.42, 1.15), math.pi * 0.9),
    "Leg four": ((-0.75, 0.42, 1.15), 0.1),
}


def camera(frame: int) -> Pose:
    """It follows the yak a little."""
    x = 0.05 * (frame - FIRST)
    return looking((x, -9.5, 2.3), (x * 1.1, 0.0, 1.35))


CHOREOGRAPHY = Choreography(
    name="meadow",
    first=FIRST,
    last=LAST,
    cameras={"Camera": Camera(camera, lens=lambda frame: 40.0)},
    poses={
        "Sun": Pose((-8.0, 60.0, 10.5)),
        "Cloud one": Pose((7.0, 45.0, 8.0)),
        "Cloud two": Pose((-17.0, 50.0, 10.5)),
        "Far hill": Pose((0.0, 40.0, 0.0)),
        "Near hill": Pose((0.0, 26.0, 0.0)),
        "Meadow": Pose(),
        "Flower bed": Pose(),
        "Flower": Pose((0.0, -60.0, 0.0)),
        "Tree top": Pose((2.0, 0.5, 5.6)),
        "Coat": carried((0.0, 0.0, 1.75)),
        "Head": carried((1.3, 0.0, 1.95), nod=0.05),
        "Face": carried((1.3, 0.0, 1.95), nod=0.05),
        **{name: step(at, phase) for name, (at, phase) in LEGS.items()},
    },
    unseen=frozenset({"Flower bed", "Flower", "Tree top"}),
)


def meadow(half_width: float, near: float, far: float, columns: int, rows: int, material: str) -> Shape:
    """A sheet of the ground."""
    shape = Shape()
    for row in range(rows + 1):
        for column in range(columns + 1):
            x = half_width * (2.0 * column / columns - 1.0)
            y = near + (far - near) * row / rows
            shape.vertices.append((x, y, ground(x, y)))
    for row in range(rows):
        for column in range(columns):
            low = row * (columns + 1) + column
            shape.face((low, low + 1, low + columns + 2, low + columns + 1), material)
    return shape


def face() -> Shape:
    """Muzzle, eyes and horns, about the middle of the head."""
    shape = ellipsoid(0.34, 0.3, 0.26, "muzzle", 20, 12).at(0.42, 0.0, -0.3)
    for side in (-1, 1):
        shape.add(ball(0.05, "eye", 10, 6).at(0.7, 0.11 * side, -0.22))
        horn = [(0.0, 0.28 * side, 0.28), (0.05, 0.62 * side, 0.36), (0.1, 0.8 * side, 0.62), (0.08, 0.76 * side, 0.9)]
        shape.add(tube(horn, [0.11, 0.1, 0.07, 0.0], "horn", 10))
    return shape.turn(Z, -50)


def flower() -> Shape:
    """A daisy on its stalk, standing on z = 0; it looks along X, which turns towards the camera."""
    shape = cylinder(0.035, 0.75, "stalk", 6)
    petals = [
        ellipsoid(0.15, 0.08, 0.03, "bloom", 8, 4).at(0.17, 0, 0).turn(Z, 60 * number).turn(Y, 55).at(z=0.8)
        for number in range(6)
    ]
    return join(shape, *petals, ellipsoid(0.1, 0.1, 0.07, "bloom heart", 10, 6).turn(Y, 55).at(0.02, 0, 0.82))


def grow(item: Any, name: str, material: int, count: int, length: float, seed: int) -> Any:
    """Give an object a hair system; returns its settings."""
    system = item.modifiers.new(name, "PARTICLE_SYSTEM").particle_system
    system.seed = seed
    hair = system.settings
    hair.name = name
    hair.type = "HAIR"
    hair.count, hair.hair_length, hair.material = count, length, material
    hair.use_modifier_stack = True
    return hair


def build(stage: Any) -> None:
    """Add everything to the stage."""
    stage.mesh("Sun", card(circle(3.0, 40), 0.2, "sun"))
    stage.mesh("Cloud one", card(cloud([(-3.2, 1.1), (-1.2, 1.9), (1.2, 2.2), (3.2, 1.2)]), 0.2, "cloud"))
    stage.mesh("Cloud two", card(cloud([(-2.6, 1.0), (-0.6, 1.6), (1.6, 1.1)]), 0.2, "cloud"))
    stage.mesh("Far hill", card(hills(90, lambda x: 5.5 + 2.2 * math.sin(x / 8 + 1), -9, 48), 0.2, "far hill"))
    stage.mesh("Near hill", card(hills(70, lambda x: 2.4 + 1.4 * math.sin(x / 6 - 0.5), -9, 48), 0.2, "near hill"))

    land = stage.mesh("Meadow", meadow(7.5, -4.5, 12.0, 24, 20, "earth"))
    land.data.materials.append(stage.material("grass"))
    near = land.vertex_groups.new(name="Near")
    near.add([corner.index for corner in land.data.vertices if corner.co.y < 2.0], 1.0, "REPLACE")
    grass = grow(land, "Grass", 2, 2600, 0.6, 3)
    grass.brownian_factor = 0.015
    grass.length_random = 0.5
    land.particle_systems["Grass"].vertex_group_density = "Near"

    bed = stage.mesh("Flower bed", meadow(4.6, -3.4, 2.5, 8, 6, "earth"))
    bed.show_instancer_for_render = bed.show_instancer_for_viewport = False
    daisies = grow(bed, "Flowers", 1, 26, 1.0, 5)
    daisies.render_type = "OBJECT"
    daisies.instance_object = stage.mesh("Flower", flower())
    daisies.rotation_mode = "NONE"
    daisies.particle_size, daisies.size_random = 1.0, 0.4

    coat = stage.mesh("Coat", ellipsoid(1.25, 0.72, 0.78, "skin", 28, 16))
    coat.data.materials.append(stage.material("coat"))
    fur = grow(coat, "Fur", 2, 1400, 0.5, 1)
    # a hair's length is four times its velocity
    fur.normal_factor = 0.09
    fur.object_align_factor = (-0.05, 0.0, -0.1)
    fur.length_random = 0.3

    head = stage.mesh("Head", ellipsoid(0.48, 0.44, 0.46, "skin", 20, 12))
    head.data.materials.append(stage.material("mop"))
    mop = grow(head, "Mop", 2, 500, 0.5, 2)
    mop.normal_factor = 0.06
    mop.object_align_factor = (0.03, -0.03, -0.06)
    mop.length_random = 0.3
    scalp = head.vertex_groups.new(name="Scalp")
    scalp.add([corner.index for corner in head.data.vertices if corner.co.z > 0.08], 1.0, "REPLACE")
    head.particle_systems["Mop"].vertex_group_density = "Scalp"
    stage.mesh("Face", face())
    for name in LEGS:
        leg = capsule((0.0, 0.0, 0.1), (0.0, 0.0, -0.85), 0.24, 0.19, "skin", 14)
        stage.mesh(name, leg.add(cylinder(0.21, 0.26, "hoof", 14).at(z=-1.18)))

    tree = stage.mesh("Tree top", meadow(5.0, -2.5, 1.5, 2, 2, "petal"))
    tree.show_instancer_for_render = tree.show_instancer_for_viewport = False
    system = tree.modifiers.new("Petals", "PARTICLE_SYSTEM").particle_system
    system.seed = 11
    petals = system.settings
    petals.name = "Petals"
    petals.count, petals.frame_start, petals.frame_end, petals.lifetime = 150, -60, 40, 60
    petals.normal_factor, petals.factor_random = 0.0, 0.7
    petals.object_align_factor = (-0.8, 0.0, -0.4)
    petals.brownian_factor = 1.5
    petals.effector_weights.gravity = 0.06
    petals.particle_size, petals.size_random = 0.07, 0.5
    petals.render_type = "HALO"


def main() -> None:
    """Build the file and say how large it became."""
    from scenes.toolkit import Stage

    stage = Stage(CHOREOGRAPHY, PALETTE, BACKGROUND)
    build(stage)
    path = FOLDER / "meadow.blend"
    stage.save(path)
    print(f"built {path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
