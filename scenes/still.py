"""A cat asleep on a window sill: nothing moves, so every flow vector must be exactly zero."""

from __future__ import annotations

import math
from typing import Any

from scenes.motion import Camera, Choreography
from scenes.shapes import (
    Shape,
    ball,
    box,
    card,
    circle,
    cloud,
    cone,
    cylinder,
    ellipsoid,
    hills,
    join,
    plate,
    pose,
    revolve,
    rounded,
    tube,
)
from scenes.transforms import Pose, Y, Z, looking

FIRST, LAST = 1, 3

BACKGROUND = "#8f8fd0"
PALETTE = {
    "sky low": "#ffc9a8",
    "sky middle": "#e8a2bf",
    "moon": "#fff1c4",
    "far roofs": "#7a6fb8",
    "near roofs": "#574f96",
    "lit window": "#ffd977",
    "cloud": "#f7c6cf",
    "wall": "#f3e2d3",
    "frame": "#fff9f0",
    "sill": "#d68f5f",
    "sill edge": "#a9683f",
    "cat": "#4a4560",
    "cat light": "#fff4e6",
    "cat ear": "#f29aa0",
    "cat line": "#1d1a2c",
    "cushion": "#e0605a",
    "pot": "#d9754c",
    "pot rim": "#b9583b",
    "leaf": "#5aa366",
    "leaf dark": "#3d8258",
    "cactus": "#7fb868",
    "flower": "#ff7fa0",
    "tea": "#c9773f",
    "cup": "#4f86c6",
    "saucer": "#f5fbff",
    "steam": "#fffdf7",
    "book one": "#3f6fa8",
    "book two": "#f0b13f",
    "book three": "#7c4f8f",
    "page": "#fff6df",
    "curtain": "#7cc0b8",
    "curtain fold": "#5aa39f",
}


def camera(frame: int) -> Pose:
    """A camera on a tripod."""
    return looking((0.9, -9.4, 2.75), (0.1, 0.0, 1.88))


CHOREOGRAPHY = Choreography(
    name="still",
    first=FIRST,
    last=LAST,
    cameras={"Camera": Camera(camera, lens=lambda frame: 43.0)},
    poses={
        "Sky middle": Pose((0.0, 60.0, 0.0)),
        "Sky low": Pose((0.0, 56.0, 0.0)),
        "Moon": Pose((-10.5, 52.0, 8.3)),
        "Cloud": Pose((9.0, 48.0, 6.0)),
        "Far roofs": Pose((0.0, 40.0, -6.6)),
        "Near roofs": Pose((0.0, 24.0, -4.9)),
        "Wall": Pose((0.0, 1.0, 0.0)),
        "Frame": Pose((0.0, 1.0, 0.0)),
        "Sill": Pose(),
        "Cushion": Pose((-0.75, -0.1, 0.0)),
        "Cat": pose(-0.75, -0.1, 0.3, -12),
        "Plant": Pose((-3.0, 0.1, 0.0)),
        "Cactus": Pose((2.95, 0.2, 0.0)),
        "Cup": pose(1.25, -0.55, 0.0, -25),
        "Steam": Pose((1.25, -0.55, 0.55)),
        "Books": pose(2.0, 0.1, 0.0, 8),
        "Curtain left": Pose((-4.15, 0.35, 0.0)),
        "Curtain right": Pose((4.15, 0.35, 0.0)),
    },
)


def cat() -> Shape:
    """A sleeping cat, curled up, head to the left; it lies on z = 0."""
    shape = ellipsoid(1.12, 0.66, 0.62, "cat", 28, 16).at(0.2, 0.1, 0.55)
    shape.add(ellipsoid(0.55, 0.5, 0.46, "cat", 24, 14).at(0.85, 0.0, 0.42))
    head = ellipsoid(0.52, 0.46, 0.42, "cat", 24, 14)
    for side in (-1, 1):
        ear = cone(0.2, 0.36, "cat", 4).scale(1.0, 0.5, 1.0).turn(Y, 20 * side).at(0.28 * side, 0.0, 0.3)
        inner = cone(0.11, 0.22, "cat ear", 4).scale(1.0, 0.5, 1.0).turn(Y, 20 * side).at(0.29 * side, -0.08, 0.33)
        head.add(join(ear, inner))
        droop = (3.14, 3.7, 4.7, 5.7, 6.28)
        lid = [(0.19 * side + 0.11 * math.cos(a), -0.475, 0.04 + 0.06 * math.sin(a)) for a in droop]
        head.add(tube(lid, [0.022] * 5, "cat line", 5))
    head.add(ellipsoid(0.23, 0.12, 0.15, "cat light", 16, 10).at(0, -0.4, -0.14))
    head.add(ellipsoid(0.06, 0.04, 0.04, "cat ear", 10, 6).at(0, -0.525, -0.07))
    shape.add(head.turn(Y, -10).at(-0.72, -0.42, 0.5))
    shape.add(tube([(-0.95, -0.42, 0.17), (-0.6, -0.7, 0.13)], [0.13, 0.15], "cat light", 12))
    shape.add(ellipsoid(0.24, 0.16, 0.13, "cat light", 14, 8).at(-0.5, -0.78, 0.13))
    tail = [(1.32 + 0.1 * math.sin(a), -0.62 * math.sin(a * 0.5), 0.16) for a in (0.2, 0.6)]
    tail += [(1.2, -0.55, 0.16), (0.85, -0.7, 0.15), (0.4, -0.76, 0.15), (0.0, -0.76, 0.16), (-0.2, -0.74, 0.2)]
    shape.add(tube(tail, [0.12, 0.15, 0.15, 0.15, 0.14, 0.13, 0.0], ["cat"] * 4 + ["cat light"] * 2, 12))
    return shape


def plant() -> Shape:
    """A pot with broad leaves."""
    shape = revolve([(0.36, 0.0), (0.5, 0.62)], "pot", 20).add(cylinder(0.56, 0.16, "pot rim", 20).at(z=0.62))
    edge = [(0.16, 0.25), (0.24, 0.6), (0.18, 0.98)]
    blade = [(0.0, 0.0), *edge, (0.0, 1.35), *[(-x, z) for x, z in reversed(edge)]]
    for index, (lean, turn) in enumerate(((-48, 10), (-22, -20), (2, 15), (26, -10), (50, 20))):
        leaf = card(blade, 0.04, "leaf dark" if index % 2 else "leaf").turn(Y, lean).turn(Z, turn)
        shape.add(leaf.at(0, 0.08 * (index % 2) - 0.04, 0.74))
    return shape


def cactus() -> Shape:
    """A round cactus with a flower."""
    shape = revolve([(0.3, 0.0), (0.4, 0.42)], "pot", 18).add(cylinder(0.45, 0.12, "pot rim", 18).at(z=0.42))
    shape.add(ellipsoid(0.36, 0.36, 0.46, "cactus", 18, 12).at(z=0.86))
    shape.add(tube([(0.3, 0, 0.85), (0.56, 0, 0.9), (0.58, 0, 1.22)], [0.11, 0.13, 0.0], "cactus", 10))
    return shape.add(ball(0.13, "flower", 12, 8).at(-0.04, -0.05, 1.36))


def cup() -> Shape:
    """A cup of tea on its saucer."""
    shape = cylinder(0.55, 0.06, "saucer", 28, 0.6).add(revolve([(0.2, 0.06), (0.34, 0.22), (0.38, 0.52)], "cup", 22))
    shape.add(cylinder(0.33, 0.03, "tea", 20).at(z=0.51))
    handle = [(0.36 + 0.17 * math.sin(a), 0.0, 0.32 + 0.14 * math.cos(a)) for a in (0.1, 0.6, 1.1, 1.6, 2.1, 2.6, 3.0)]
    return shape.add(tube(handle, [0.04] * 7, "cup", 8))


def books() -> Shape:
    """A pile of three books."""
    shape = Shape()
    for index, (name, width, turn) in enumerate((("book one", 1.3, 0), ("book two", 1.15, 9), ("book three", 1.2, -7))):
        cover = join(box(width, 0.85, 0.045, name), box(width, 0.85, 0.045, name).at(z=0.195))
        cover.add(box(width - 0.08, 0.78, 0.15, "page").at(z=0.045))
        cover.add(box(0.05, 0.85, 0.24, name).at(width / 2 + 0.025))
        shape.add(cover.turn(Z, turn).at(z=0.25 * index))
    return shape


def roofs(spans: list[tuple[float, float, float]], material: str, lights: list[tuple[float, float]]) -> Shape:
    """Silhouettes of gabled houses (centre, width, height) with lit windows."""
    shape = Shape()
    for index, (x, width, height) in enumerate(spans):
        half = width / 2
        gable = [(x - half, -6), (x + half, -6), (x + half, height), (x, height + 0.45 * width), (x - half, height)]
        shape.add(card(gable, 0.4, material).at(y=0.6 * (index % 3)))
    for x, z in lights:
        shape.add(card(rounded(0.55, 0.8, 0.06, 1), 0.1, "lit window").at(x, -0.26, z))
    return shape


def drape(side: int) -> Shape:
    """A curtain drawn aside."""
    shape = Shape()
    for index in range(3):
        x = 0.42 * (index - 1)
        fold = [(x - 0.26, -0.4), (x + 0.26, -0.4), (x + 0.3, 5.6), (x - 0.3, 5.6)]
        shape.add(card(fold, 0.1, "curtain fold" if index % 2 else "curtain").at(side * 0.1, 0.13 * (index % 2)))
    return shape


def build(stage: Any) -> None:
    """Add everything to the stage."""
    stage.mesh("Sky middle", card(hills(90, lambda x: 8.6 + 1.0 * math.sin(x / 9), -8, 40), 0.2, "sky middle"))
    stage.mesh("Sky low", card(hills(90, lambda x: 2.6 + 0.9 * math.sin(x / 7 + 2), -8, 40), 0.2, "sky low"))
    stage.mesh("Moon", card(circle(2.7, 48), 0.2, "moon"))
    stage.mesh("Cloud", card(cloud([(-3.0, 1.0), (-1.2, 1.7), (1.0, 2.1), (3.0, 1.3)]), 0.2, "cloud"))
    far = [(-16, 5, 5.2), (-11.5, 4, 7.0), (-7, 5, 4.6), (-2.5, 4, 6.4), (2, 5, 5.0), (7, 5, 7.4), (12, 5, 5.6)]
    lights = [(-11.8, 5.6), (-2.2, 5.0), (6.2, 6.2), (7.8, 6.2), (12.4, 4.6)]
    stage.mesh("Far roofs", roofs([*far, (17, 5, 6.6)], "far roofs", lights))
    near = [(-11, 4, 3.9), (-7, 4.2, 2.9), (-3, 3.6, 4.2), (1.2, 4.2, 3.1), (5.4, 3.8, 4.3), (9.8, 4.4, 3.2)]
    lights = [(-7.6, 2.4), (-6.4, 2.4), (-3.3, 3.4), (-2.2, 2.0), (1.6, 2.5), (5.0, 3.5), (9.6, 2.6)]
    stage.mesh("Near roofs", roofs(near, "near roofs", lights))
    wall = join(*[box(4.0, 0.3, 8.0, "wall").at(x, 0, -1.5) for x in (-5.9, 5.9)])
    wall.add(box(7.8, 0.3, 2.0, "wall").at(0, 0.02, -2.05)).add(box(7.8, 0.3, 2.0, "wall").at(z=5.1))
    stage.mesh("Wall", wall)
    bars = [box(0.24, 0.34, 5.3, "frame").at(x, -0.05, -0.1) for x in (-3.8, 0.0, 3.8)]
    bars += [box(7.4, 0.28, 0.2, "frame").at(0, -0.02, z) for z in (0.0, 3.0, 4.9)]
    stage.mesh("Frame", join(*bars))
    stage.mesh("Sill", plate(rounded(8.6, 2.3, 0.12), 0.2, "sill", "sill edge").at(0, -0.25, -0.2))
    rim = [(1.35 + 0.15 * math.sin(a), 0.15 - 0.15 * math.cos(a)) for a in (math.pi * step / 6 for step in range(7))]
    stage.mesh("Cushion", revolve(rim, "cushion", 32).scale(1.0, 0.62, 1.0))
    stage.mesh("Cat", cat())
    stage.mesh("Plant", plant())
    stage.mesh("Cactus", cactus())
    stage.mesh("Cup", cup())
    wisp = [(0.12 * math.sin(0.55 * index), 0.0, 0.06 * index) for index in range(19)]
    stage.mesh("Steam", tube(wisp, [0.09 * math.sin(math.pi * index / 18) for index in range(18)] + [0.0], "steam", 8))
    stage.mesh("Books", books())
    stage.mesh("Curtain left", drape(-1))
    stage.mesh("Curtain right", drape(1))
