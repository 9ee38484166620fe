"""A flight to an island village: the camera pans, dollies and zooms by focal length and by sensor width at once."""

from __future__ import annotations

import math
from typing import Any

from scenes.motion import Camera, Choreography, Motion
from scenes.shapes import (
    Outline,
    Shape,
    ball,
    box,
    card,
    circle,
    cone,
    cylinder,
    house,
    join,
    plate,
    pose,
    revolve,
    rounded,
    tube,
)
from scenes.transforms import Pose, Vector, X, Y, Z, ease, looking, mix, mix_points, quaternion_product, turned

FIRST, LAST = 101, 116

BACKGROUND = "#bfe8f0"
PALETTE = {
    "sea": "#2493a8",
    "lagoon": "#62c9c0",
    "foam": "#e9fbf0",
    "sand": "#f8e3b0",
    "sand shade": "#e2bf86",
    "grass": "#8fc95f",
    "earth": "#c08a5b",
    "upper grass": "#a9d968",
    "cliff": "#b2805c",
    "path": "#f3d9a3",
    "pine": "#2f7a57",
    "pine tip": "#3f9463",
    "round tree": "#5aa64f",
    "round tree light": "#7fc15b",
    "trunk": "#7b4f38",
    "wall": "#fff6e3",
    "wall shade": "#e0d3c6",
    "coral roof": "#ee6352",
    "coral roof shade": "#c2463f",
    "gold roof": "#f5b43c",
    "gold roof shade": "#d38a26",
    "blue roof": "#3f72b8",
    "blue roof shade": "#2d5492",
    "door": "#80503c",
    "window": "#4f7ea8",
    "tower white": "#fffaf0",
    "tower red": "#e2483d",
    "lantern room": "#ffe27a",
    "iron": "#3a4358",
    "mill": "#f3e6cf",
    "mill cap": "#8c4a3c",
    "sail": "#fffdf4",
    "spar": "#7b4f38",
    "wood": "#a9714a",
    "hull": "#8c3f3a",
    "boat sail": "#fff3d9",
    "boat stripe": "#f0803c",
    "gull": "#fdfdf8",
    "gull wing": "#d6e0ea",
    "cloud": "#fbfeff",
    "balloon red": "#f2545b",
    "balloon cream": "#fff1cf",
    "balloon teal": "#2fa5a0",
    "basket": "#9a6238",
}

HILL: Vector = (-2.6, 2.6, 3.0)
MILL: Vector = (4.4, 1.4, 1.2)
HUB: Vector = (4.4, 0.25, 3.55)
HOUSES = (
    # x, y, z, turn, width, depth, wall, roof color
    (1.2, -1.4, 1.2, 12, 1.5, 1.2, 0.9, "coral"),
    (-1.2, -3.4, 1.2, -20, 1.4, 1.1, 0.8, "gold"),
    (2.9, -3.9, 1.2, 28, 1.3, 1.1, 0.85, "blue"),
    (-3.7, -3.0, 1.2, 40, 1.3, 1.1, 0.8, "blue"),
    (0.7, -5.9, 1.2, 6, 1.6, 1.2, 0.9, "coral"),
    (5.6, -2.2, 1.2, -35, 1.4, 1.1, 0.8, "gold"),
    (1.9, 1.9, 1.2, -8, 1.4, 1.1, 0.8, "blue"),
    (-5.9, -0.8, 1.2, 70, 1.4, 1.1, 0.8, "coral"),
)
CLOUDS = ((-11.0, 9.0, 8.2, 1.3), (9.5, 13.0, 9.6, 1.6), (-21.0, 24.0, 11.0, 2.0), (23.0, 25.0, 9.0, 1.8))
GULLS = ((-8.0, -9.0, 6.4, 0.42), (-6.0, -7.0, 7.3, 0.38), (-9.5, -5.5, 7.9, 0.45))


def share(frame: int) -> float:
    """0 on the first frame, 1 on the last."""
    return (frame - FIRST) / (LAST - FIRST)


def camera(frame: int) -> Pose:
    """A descending arc about the island that ends before the village and the lighthouse."""
    time = share(frame)
    angle = math.radians(mix(-118, -78, ease(time)))
    radius, height = mix(34, 25, ease(time)), mix(13.0, 7.6, ease(time))
    target = mix_points((0.6, -0.5, 3.0), (-0.6, 0.2, 3.9), time)
    location = (target[0] + radius * math.cos(angle), target[1] + radius * math.sin(angle), height)
    return looking(location, target, 0.03 * math.sin(3 * time))


def lens(frame: int) -> float:
    """Focal length grows, mm."""
    return mix(36, 43, ease(share(frame)))


def sensor(frame: int) -> float:
    """The sensor narrows meanwhile, mm, which zooms as well."""
    return mix(36, 30, share(frame) ** 2)


def mill_sails(frame: int) -> Pose:
    """The sails turn about the mill's axis, which points to the sea."""
    return Pose(HUB, turned(Y, 0.19 * (frame - FIRST) + 0.3))


def sailing(frame: int) -> Pose:
    """A boat rounds the island's southern shore, heeling."""
    angle = math.radians(-98 + 1.6 * (frame - FIRST))
    heel = turned(X, math.radians(7 + 3 * math.sin(0.6 * frame)))
    heading = turned(Z, angle + math.pi / 2)
    return Pose((12.8 * math.cos(angle), 12.8 * math.sin(angle), 0.05), quaternion_product(heading, heel))


def gull(x: float, y: float, z: float, speed: float) -> Motion:
    """A gull glides to the right, rising and banking."""

    def motion(frame: int) -> Pose:
        time = frame - FIRST
        bank = turned(X, math.radians(10 * math.sin(0.5 * time + x)))
        return Pose((x + speed * time, y + 0.1 * time, z + 0.25 * math.sin(0.45 * time + x)), bank)

    return motion


def balloon(frame: int) -> Pose:
    """A hot-air balloon close to the camera's path, rising and turning."""
    time = frame - FIRST
    return Pose((-6.6 + 0.12 * time, -9.0, 5.0 + 0.1 * time), turned(Z, 0.05 * time))


def drifting(x: float, y: float, z: float, size: float) -> Motion:
    """A cloud on the wind."""

    def motion(frame: int) -> Pose:
        return pose(x + 0.08 * (frame - FIRST), y, z, 0, size)

    return motion


CHOREOGRAPHY = Choreography(
    name="flyover",
    first=FIRST,
    last=LAST,
    cameras={"Camera": Camera(camera, lens=lens, sensor_width=sensor, clip=(1.0, 300.0))},
    poses={
        "Sea": Pose(),
        "Lagoon": Pose(),
        "Foam": Pose(),
        "Beach": Pose(),
        "Meadow": Pose((0.0, 0.0, 0.35)),
        "Hill": Pose((HILL[0], HILL[1], 1.2)),
        "Path": Pose((0.0, 0.0, 1.2)),
        "Lighthouse": Pose(HILL),
        "Mill": Pose(MILL),
        "Mill sails": mill_sails,
        "Pier": Pose((1.6, -9.2, 0.0)),
        "Pines": Pose((0.0, 0.0, 1.2)),
        "Round trees": Pose((0.0, 0.0, 1.2)),
        "Sailing boat": sailing,
        "Rowing boat": pose(3.0, -11.6, 0.05, 65),
        "Balloon": balloon,
        **{f"House {i + 1}": pose(x, y, z, turn) for i, (x, y, z, turn, *_) in enumerate(HOUSES)},
        **{f"Gull {i + 1}": gull(*start) for i, start in enumerate(GULLS)},
        **{f"Cloud {i + 1}": drifting(*start) for i, start in enumerate(CLOUDS)},
    },
)


def shore(radius: float, wobble: float, steps: int = 56, phase: float = 0.0) -> Outline:
    """A wavy closed coast line."""
    corners = []
    for step in range(steps):
        angle = 2 * math.pi * step / steps
        reach = radius + wobble * (math.sin(3 * angle + phase) + 0.5 * math.sin(5 * angle + 1 + phase))
        corners.append((reach * math.cos(angle), reach * math.sin(angle)))
    return corners


def house_shape(width: float, depth: float, wall: float, roof: str) -> Shape:
    """A cottage with door and windows on its long side."""
    tiles = f"{roof} roof"
    shape = house(width, depth, wall, 0.75, ("wall", tiles, "wall"), 0.14)
    shape.shade({"wall": "wall shade", tiles: f"{tiles} shade"}, threshold=0.12)
    shape.add(card([(-0.14, 0), (0.14, 0), (0.14, 0.5), (-0.14, 0.5)], 0.06, "door").at(-0.12 * width, -depth / 2))
    shape.add(card(rounded(0.26, 0.3, 0.03, 1), 0.06, "window").at(0.24 * width, -depth / 2, 0.45 * wall))
    return shape


def lighthouse() -> Shape:
    """Striped tower with gallery and lantern."""
    profile = [(0.8 - 0.09 * i, 0.75 * i) for i in range(6)]
    tower = revolve(profile, ["tower white", "tower red", "tower white", "tower red", "tower white"], 20)
    tower.add(cylinder(0.58, 0.14, "iron", 20).at(z=3.75)).add(cylinder(0.32, 0.55, "lantern room", 12).at(z=3.89))
    return tower.add(cone(0.45, 0.5, "tower red", 16).at(z=4.44)).add(ball(0.09, "iron", 8, 6).at(z=4.98))


def mill() -> Shape:
    """The windmill without its sails."""
    tower = cylinder(0.85, 2.2, "mill", 16, 0.62).add(cone(0.74, 0.75, "mill cap", 16).at(z=2.2))
    axle = cylinder(0.09, 1.15, "spar", 8).turn(X, 90).at(0, -0.05, 2.35)
    return tower.add(axle).add(card([(-0.2, 0), (0.2, 0), (0.2, 0.65), (-0.2, 0.65)], 0.1, "door").at(0, -0.82))


def sails() -> Shape:
    """Four sails in the XZ plane about the origin."""
    one = card([(0.08, 0.35), (0.5, 0.35), (0.5, 1.9), (0.08, 1.9)], 0.04, "sail")
    one.add(card([(-0.05, 0.0), (0.05, 0.0), (0.05, 2.0), (-0.05, 2.0)], 0.09, "spar"))
    whole = join(*[one.turn(Y, 90 * quarter) for quarter in range(4)])
    return whole.add(cylinder(0.13, 0.2, "mill cap", 10).turn(X, 90).at(0, 0.02))


def pines() -> Shape:
    """A scattered wood of pines."""
    tree = cylinder(0.09, 0.3, "trunk", 6).add(cone(0.5, 0.9, "pine", 10).at(z=0.25))
    tree.add(cone(0.36, 0.75, "pine tip", 10).at(z=0.75))
    spots = [(-6.9, 1.5), (-6.3, 3.2), (-5.9, 4.8), (-4.2, 6.2), (-2.2, 7.2), (0.2, 7.0), (2.3, 6.3), (4.4, 5.4)]
    spots += [(6.5, 3.6), (7.1, 1.5), (6.3, 5.0), (-7.3, -1.9), (-5.6, -4.9)]
    wood = Shape()
    for index, (x, y) in enumerate(spots):
        wood.add(tree, pose(x, y, 0.0, 40 * index, 1.1 + 0.35 * math.sin(2.7 * index)))
    return wood


def round_trees() -> Shape:
    """Round trees among the houses."""
    tree = cylinder(0.08, 0.5, "trunk", 6).add(ball(0.45, "round tree", 12, 8).at(z=0.8))
    tree.add(ball(0.27, "round tree light", 10, 6).at(-0.2, -0.2, 1.05))
    spots = [(-0.4, -1.9), (2.6, -1.9), (-2.6, -5.2), (4.3, -4.6), (3.3, 3.4), (-2.6, -1.5), (6.9, -0.6)]
    grove = Shape()
    for index, (x, y) in enumerate(spots):
        grove.add(tree, pose(x, y, 0.0, 0.0, 1.0 + 0.25 * math.sin(3 * index)))
    return grove


def boat(sail: bool) -> Shape:
    """A boat along +X, floating on z = 0."""
    side = [(-0.9, -0.32), (0.5, -0.32), (1.1, 0.0), (0.5, 0.32), (-0.9, 0.32)]
    hull = plate(side, 0.42, "hull", inset=1.12).at(z=-0.08)
    hull.add(plate([(0.8 * x, 0.75 * y) for x, y in side], 0.03, "wood").at(z=0.35))
    if sail:
        hull.add(cylinder(0.045, 2.2, "spar", 8).at(0.1, 0, 0.35))
        hull.add(card([(0.0, 0.7), (0.0, 2.4), (-1.0, 0.7)], 0.04, "boat sail"))
        hull.add(card([(0.2, 0.75), (0.95, 0.75), (0.2, 2.2)], 0.04, "boat stripe"))
    return hull


def balloon_shape() -> Shape:
    """A striped hot-air balloon with its basket; the origin is the envelope's middle."""
    profile = [(0.28, -1.35), (0.62, -0.95), (1.0, -0.35), (1.12, 0.15), (1.0, 0.7), (0.6, 1.12), (0.0, 1.28)]
    segments = 24
    envelope = revolve(profile, "balloon red", segments)
    stripes = ("balloon red", "balloon cream", "balloon teal", "balloon cream")
    for index in range(segments * (len(profile) - 1)):
        envelope.materials[index] = stripes[(index % segments) // 3 % 4]
    basket = box(0.42, 0.42, 0.34, "basket").at(z=-2.2)
    for x in (-0.19, 0.19):
        for y in (-0.19, 0.19):
            basket.add(tube([(x, y, -1.9), (x * 1.1, y * 1.1, -1.3)], [0.018, 0.018], "iron", 4))
    return envelope.add(basket)


def gull_shape() -> Shape:
    """A gull with spread wings, flying along +X."""
    shape = tube([(-0.45, 0, 0), (-0.2, 0, 0.02), (0.15, 0, 0.04), (0.42, 0, 0)], [0.0, 0.1, 0.12, 0.0], "gull", 8)
    for side in (-1, 1):
        wing = Shape()
        wing.vertices = [(0.15, 0, 0.05), (-0.15, 0, 0.05), (0.14, side * 0.6, 0.2), (-0.1, side * 0.6, 0.2)]
        wing.vertices.append((-0.22, side * 1.25, 0.06))
        wing.face((0, 1, 3, 2), "gull wing")
        wing.face((2, 3, 4), "gull wing")
        shape.add(wing)
    return shape


def build(stage: Any) -> None:
    """Add everything to the stage."""
    stage.mesh("Sea", plate(circle(140, 64), 0.1, "sea").at(z=-0.5))
    stage.mesh("Lagoon", plate(shore(15.0, 0.8, phase=0.6), 0.06, "lagoon").at(z=-0.3))
    stage.mesh("Foam", plate(shore(11.7, 0.6), 0.06, "foam").at(z=-0.12))
    stage.mesh("Beach", plate(shore(11.0, 0.6), 0.45, "sand", "sand shade", 0.97).at(z=-0.1))
    stage.mesh("Meadow", plate(shore(8.9, 0.5, phase=0.4), 0.85, "grass", "earth", 0.96))
    stage.mesh("Hill", plate(shore(3.4, 0.25, 32, 1.0), 1.8, "upper grass", "cliff", 0.86))
    lane = [(-4.6, -1.7), (-2.4, -2.6), (0.1, -2.6), (1.0, -4.2), (1.5, -7.6), (2.2, -7.6), (1.9, -4.4), (1.4, -2.6)]
    lane += [(4.3, -2.7), (4.3, -2.1), (0.6, -1.95), (-2.3, -1.95), (-4.3, -1.1)]
    stage.mesh("Path", plate(lane, 0.05, "path"))
    for index, (*_, width, depth, wall, roof) in enumerate(HOUSES):
        stage.mesh(f"House {index + 1}", house_shape(width, depth, wall, roof))
    stage.mesh("Lighthouse", lighthouse())
    stage.mesh("Mill", mill())
    stage.mesh("Mill sails", sails())
    planks = [box(0.9, 0.36, 0.08, "wood").at(0, -0.45 * i, 0.45) for i in range(9)]
    posts = [cylinder(0.08, 1.0, "spar", 6).at(x, -0.9 * i, -0.45) for i in range(1, 5) for x in (-0.42, 0.42)]
    stage.mesh("Pier", join(*planks, *posts))
    stage.mesh("Pines", pines())
    stage.mesh("Round trees", round_trees())
    stage.mesh("Sailing boat", boat(sail=True))
    stage.mesh("Rowing boat", boat(sail=False))
    stage.mesh("Balloon", balloon_shape())
    for index in range(len(GULLS)):
        stage.mesh(f"Gull {index + 1}", gull_shape())
    puff = [(-1.5, 0.0, 0.0, 0.75), (-0.5, 0.2, 0.3, 1.05), (0.7, 0.0, 0.2, 0.95), (1.7, 0.1, -0.05, 0.65)]
    for index in range(len(CLOUDS)):
        stage.mesh(f"Cloud {index + 1}", join(*[ball(r, "cloud", 16, 10).at(x, y, z) for x, y, z, r in puff]))
