"""A summer night's festival: instances of every kind, shape keys, text, a bevelled curve and a metaball, all moving."""

from __future__ import annotations

import math
from typing import Any

from scenes.motion import Camera, Choreography, Motion, ShapeKey
from scenes.shapes import (
    Shape,
    arc,
    ball,
    box,
    card,
    circle,
    cylinder,
    ellipsoid,
    hills,
    join,
    plate,
    pose,
    revolve,
    rounded,
    star,
    tube,
)
from scenes.transforms import Matrix, Pose, Vector, X, Y, Z, looking, quaternion_product, turned

FIRST, LAST = 1, 16

BACKGROUND = "#262059"
PALETTE = {
    "moon": "#ffe9a8",
    "moon spot": "#f5d98a",
    "night cloud": "#4b3f8f",
    "far ridge": "#352c75",
    "near ridge": "#2b2463",
    "ground": "#5a4a86",
    "stones": "#6d5c9b",
    "post": "#7a3b47",
    "counter": "#b5533f",
    "counter shade": "#8a3c3d",
    "counter top": "#e9b06a",
    "awning red": "#f0473e",
    "awning white": "#fff3dc",
    "back wall": "#7f4a52",
    "curtain": "#2f7f9f",
    "sign board": "#ffe0a0",
    "letters": "#c62f3b",
    "bowl": "#fffaf0",
    "soup": "#f2a23c",
    "rope": "#d9b27c",
    "lantern red": "#ff5a48",
    "lantern glow": "#ffb347",
    "lantern cap": "#3b2a4d",
    "sky lantern": "#ffc35c",
    "sky lantern low": "#ff8f4a",
    "sky lantern rim": "#8c3d3a",
    "pennant": "#3fc1b0",
    "doll": "#e8343f",
    "doll face": "#ffe3c9",
    "doll eye": "#2b1a2a",
    "doll gold": "#ffd04d",
    "pole": "#c98f4e",
    "carp": "#3f8fe0",
    "carp belly": "#f7f4ea",
    "carp eye": "#1f1b3c",
    "sweet": "#ff86b3",
    "stick": "#f3e3c8",
}

MOON: Vector = (-15.0, 40.0, 9.6)
DOLL: Vector = (-3.1, -1.0, 0.0)
CARP: Vector = (3.75, -0.25, 4.0)
KNOTS = 9
"""Lanterns on a string, pennants on a line: both hang from this many points."""

SKY_LANTERNS = (
    # x, y, z on the first frame, size, degrees that it has turned
    (-5.2, 4.0, 2.9, 1.0, 10),
    (-7.3, 9.0, 3.4, 1.1, 70),
    (-3.4, 6.0, 4.0, 0.8, 130),
    (5.4, 6.0, 2.2, 0.9, 200),
    (8.2, 9.0, 3.3, 1.1, 260),
    (3.9, 11.0, 2.9, 0.8, 320),
)
OFFSET: Vector = (0.0, 0.0, 0.45)
"""The collection's own offset: the lantern's middle, which the instances turn and scale about."""

CARP_WAVES = 2.3
"""Wave number of the streamer's ripple, radians a unit."""


def knots(width: float, sag: float) -> list[Vector]:
    """Points of a hanging string between (-width/2, 0, 0) and (width/2, 0, 0), ends excluded."""
    xs = [width * ((index + 0.5) / KNOTS - 0.5) for index in range(KNOTS)]
    return [(x, 0.0, -sag * (1 - (2 * x / width) ** 2)) for x in xs]


STRING = knots(9.8, 0.5)
BACK_STRING = knots(13.0, 0.7)
LINE = knots(4.4, 0.3)


def camera(frame: int) -> Pose:
    """A slow walk sideways."""
    time = (frame - FIRST) / (LAST - FIRST)
    return looking((-0.9 + 1.3 * time, -12.4 + 0.5 * time, 2.0 + 0.2 * time), (0.35, 0.0, 2.3))


def swinging(x: float, y: float, z: float, turn: float, degrees: float, delay: float) -> Motion:
    """A string that swings about the line between its ends."""

    def motion(frame: int) -> Pose:
        angle = math.radians(degrees * math.sin(0.55 * (frame - FIRST) + delay))
        return Pose((x, y, z), quaternion_product(turned(Z, math.radians(turn)), turned(X, angle)))

    return motion


def rising(x: float, y: float, z: float, size: float, turn: float) -> Motion:
    """A sky lantern climbs, sways, turns and swells a little."""

    def motion(frame: int) -> Pose:
        time = frame - FIRST
        sway = 0.25 * math.sin(0.4 * time + turn)
        tilt = turned(Y, math.radians(7 * math.sin(0.5 * time + turn)))
        rotation = quaternion_product(turned(Z, math.radians(turn + 4 * time)), tilt)
        scale = size * (1 + 0.05 * math.sin(0.6 * time + turn))
        return Pose((x + sway, y, z + 0.07 * time), rotation, (scale, scale, scale))

    return motion


def doll(frame: int) -> Pose:
    """A roly-poly hops and rocks."""
    time = frame - FIRST
    hop = abs(math.sin(math.pi * time / 8))
    rock = turned(Y, math.radians(9 * math.sin(math.pi * time / 8 + 0.3)))
    return Pose((DOLL[0], DOLL[1], 0.55 * hop), quaternion_product(turned(Z, math.radians(14)), rock))


def squash(frame: int) -> float:
    """Flat on landing, drawn out in the air."""
    return 0.55 - 1.1 * abs(math.sin(math.pi * (frame - FIRST) / 8))


def carp(frame: int) -> Pose:
    """The streamer turns on its pole in the wind."""
    return Pose(CARP, turned(Z, math.radians(-6 + 10 * math.sin(0.4 * (frame - FIRST)))))


def carp_wave(sine: bool) -> tuple[Any, Any]:
    """Displacement and value of one of two standing waves whose sum travels along the streamer."""

    def displacement(point: Vector) -> Vector:
        swell = 0.16 * point[0]
        wave = math.sin(CARP_WAVES * point[0]) if sine else math.cos(CARP_WAVES * point[0])
        return (0.0, 0.5 * swell * wave, swell * wave)

    def value(frame: int) -> float:
        angle = 2 * math.pi * (frame - FIRST) / 12
        return math.cos(angle) if sine else -math.sin(angle)

    return displacement, value


def sweet(frame: int) -> Pose:
    """A giant lollipop turns about its stick's end."""
    return Pose((3.35, -2.7, 1.35), turned(Y, -0.16 * (frame - FIRST)))


def sign(frame: int) -> Pose:
    """The stall's sign swings."""
    return Pose((0.2, -1.62, 3.32), turned(Y, math.radians(3 * math.sin(0.6 * (frame - FIRST)))))


def letters(frame: int) -> Pose:
    """The letters stand before the sign and swing with it."""
    return Pose((0.0, -0.08, -0.25), turned(X, math.pi / 2)).then(sign(frame))


def night_cloud(frame: int) -> Pose:
    """A cloud drifts across the moon."""
    return Pose((-17.0 + 0.2 * (frame - FIRST), 36.0, 7.6))


def curtain(frame: int) -> Pose:
    """The short curtains move in the draught, all in one."""
    return Pose((0.2, -1.45, 2.86), turned(X, math.radians(8 + 7 * math.sin(0.5 * (frame - FIRST) + 1))))


def doll_stretch(point: Vector) -> Vector:
    """What the shape key does to the doll: wider and lower, in proportion to the place."""
    return (0.18 * point[0], 0.18 * point[1], -0.26 * point[2])


DOLL_STRETCH: Matrix = ((0.18, 0, 0, 0), (0, 0.18, 0, 0), (0, 0, -0.26, 0), (0, 0, 0, 0))


def moved(x: float, y: float, z: float) -> Matrix:
    """A plain translation."""
    return Pose((x, y, z)).matrix


LANTERN_PARTS = ("Sky lantern shade", "Sky lantern rim")

CHOREOGRAPHY = Choreography(
    name="festival",
    first=FIRST,
    last=LAST,
    cameras={"Camera": Camera(camera, lens=lambda frame: 38.0)},
    poses={
        "Moon": Pose(MOON),
        "Night cloud": night_cloud,
        "Far ridge": Pose((0.0, 34.0, 0.0)),
        "Near ridge": Pose((0.0, 22.0, 0.0)),
        "Ground": Pose(),
        "Stones": Pose(),
        "Stall": Pose((0.2, 0.0, 0.0)),
        "Awning": Pose((0.2, 0.0, 0.0)),
        "Curtain": curtain,
        "Sign": sign,
        "Letters": letters,
        "Bowl": Pose((-0.35, -1.15, 1.19)),
        "Bowl 2": Pose((0.95, -1.15, 1.19)),
        "Doll": doll,
        "Pole": Pose((3.7, -0.2, 0.0)),
        "Carp": carp,
        "Stick": Pose((3.35, -2.62, 0.0)),
        "Lollipop": sweet,
        "Lantern string front": swinging(0.0, -2.6, 5.15, 3, 11, 0.0),
        "Lantern string back": swinging(0.8, 3.6, 5.9, -6, 9, 1.3),
        "String lantern": Pose(),
        "Face lantern": Pose(),
        "Front rope": swinging(0.0, -2.6, 5.15, 3, 11, 0.0),
        "Back rope": swinging(0.8, 3.6, 5.9, -6, 9, 1.3),
        "Pennant line": swinging(0.2, -1.75, 2.62, 0, 16, 0.6),
        "Pennant": Pose(),
        "Sky lantern shade": Pose(),
        "Sky lantern rim": Pose(),
        **{f"Sky lantern {i + 1}": rising(*start) for i, start in enumerate(SKY_LANTERNS)},
    },
    shape_keys={
        "Doll": (ShapeKey("Squash", doll_stretch, squash, DOLL_STRETCH),),
        "Carp": (ShapeKey("Wave", *carp_wave(True)), ShapeKey("Wave later", *carp_wave(False))),
    },
    deforming={"Carp": None},
    instancers={
        **{
            f"Sky lantern {i + 1}": tuple((part, moved(-OFFSET[0], -OFFSET[1], -OFFSET[2])) for part in LANTERN_PARTS)
            for i in range(len(SKY_LANTERNS))
        },
        "Lantern string front": tuple(("String lantern", moved(*knot)) for knot in STRING),
        "Lantern string back": tuple(("Face lantern", moved(*knot)) for knot in BACK_STRING),
        "Pennant line": tuple(("Pennant", moved(*knot)) for knot in LINE),
    },
    unseen=frozenset(
        {
            "String lantern",
            "Pennant",
            *LANTERN_PARTS,
            *(f"Sky lantern {i + 1}" for i in range(len(SKY_LANTERNS))),
            "Face lantern",
            "Lantern string front",
            "Lantern string back",
            "Pennant line",
        }
    ),
)


def lantern(small: bool) -> Shape:
    """A paper lantern that hangs from the origin."""
    shade = ellipsoid(0.3, 0.3, 0.26, "lantern glow" if small else "lantern red", 16, 10).at(z=-0.42)
    for z in (-0.2, -0.7):
        shade.add(cylinder(0.14, 0.07, "lantern cap", 12).at(z=z))
    return shade.add(cylinder(0.02, 0.2, "lantern cap", 6).at(z=-0.16))


def stall() -> Shape:
    """The noodle stall: counter, posts and back wall."""
    wall = box(4.2, 0.12, 2.9, "back wall").at(y=1.2)
    counter = box(4.3, 0.9, 1.05, "counter").at(y=-0.95).shade({"counter": "counter shade"}, (0.3, -1.0, 0.2), 0.0)
    counter.add(box(4.6, 1.2, 0.14, "counter top").at(y=-0.95, z=1.05))
    for index in range(7):
        counter.add(box(0.1, 0.06, 0.95, "counter shade").at(-1.8 + 0.6 * index, -1.42, 0.05))
    posts = [box(0.16, 0.16, 3.1, "post").at(x, y) for x in (-2.12, 2.12) for y in (-1.3, 1.1)]
    return join(wall, counter, *posts)


def awning() -> Shape:
    """A striped roof, sloping to the front, with a scalloped hem."""
    whole = Shape()
    for index in range(9):
        material = "awning white" if index % 2 else "awning red"
        x = -2.48 + 0.55 * index
        strip = Shape()
        strip.vertices = [(x, -1.75, 3.0), (x + 0.55, -1.75, 3.0), (x + 0.55, 1.5, 3.75), (x, 1.5, 3.75)]
        strip.face((0, 1, 2, 3), material)
        hem = [(x + 0.55, 3.0), (x, 3.0), *arc(0.275, 180, 360, 8, x + 0.275, 2.82)]
        strip.vertices += [(a, -1.76, b) for a, b in hem]
        strip.face(range(4, 4 + len(hem)), material)
        whole.add(strip)
    return whole


def roly_poly() -> Shape:
    """A daruma doll standing on the origin, looking to -Y."""
    profile = [(0.0, 0.0), (0.5, 0.03), (0.75, 0.2), (0.9, 0.55), (0.88, 0.9), (0.74, 1.25), (0.48, 1.5), (0.0, 1.62)]
    body = revolve(profile, "doll", 24)
    body.add(ellipsoid(0.56, 0.24, 0.42, "doll face", 20, 10).at(0, -0.68, 1.02))
    for side in (-1, 1):
        body.add(ellipsoid(0.1, 0.05, 0.14, "doll eye", 12, 8).at(0.2 * side, -0.9, 1.08))
        brow = tube([(0.1 * side, -0.9, 1.3), (0.36 * side, -0.82, 1.36)], [0.04, 0.055], "doll eye", 6)
        body.add(brow)
    mouth = tube([(-0.1, -0.93, 0.86), (0.0, -0.94, 0.82), (0.1, -0.93, 0.86)], [0.025] * 3, "doll eye", 5)
    body.add(mouth)
    return body.add(card(star(5, 0.22, 0.1), 0.12, "doll gold").at(0, -0.89, 0.38))


def streamer() -> Shape:
    """A carp streamer hanging from the origin along +X: mouth, body in bands, tail."""
    points = [(0.14 * index, 0.0, 0.0) for index in range(18)]
    girth = [0.36, 0.4, 0.41, 0.41, 0.4, 0.39, 0.37, 0.35, 0.33, 0.31, 0.28, 0.25, 0.22, 0.19, 0.17, 0.2, 0.28, 0.36]
    bands = ["carp belly", *(["carp"] * 4 + ["carp belly"]) * 3, "carp"]
    body = tube(points, girth, bands[:17], 14, flatten=0.5).turn(X, 90)
    for side in (-1, 1):
        body.add(ellipsoid(0.12, 0.05, 0.12, "carp belly", 10, 6).at(0.32, 0.2 * side, 0.12))
        body.add(ellipsoid(0.06, 0.04, 0.06, "carp eye", 8, 6).at(0.31, 0.24 * side, 0.12))
    return body


def bowl() -> Shape:
    """A bowl of noodles."""
    dish = revolve([(0.16, 0.0), (0.2, 0.08), (0.38, 0.3)], "bowl", 18)
    return dish.add(cylinder(0.33, 0.03, "soup", 16).at(z=0.29))


def build(stage: Any) -> None:
    """Add everything to the stage."""
    spots = ((-1.0, 0.7, 0.55), (0.9, 1.3, 0.4), (0.5, -1.2, 0.7))
    moon = card(circle(4.0, 56), 0.2, "moon")
    stage.mesh("Moon", join(moon, *[card(circle(r, 20), 0.1, "moon spot").at(x, -0.1, z) for x, z, r in spots]))
    stage.mesh("Far ridge", card(hills(60, lambda x: 4.2 + 1.1 * math.sin(x / 4.5), -1, 48), 0.2, "far ridge"))
    stage.mesh("Near ridge", card(hills(46, lambda x: 3.0 + 0.8 * math.sin(x / 2.7 + 2), -1, 48), 0.2, "near ridge"))
    stage.mesh("Ground", plate([(-24, -9), (24, -9), (24, 21), (-24, 21)], 0.1, "ground").at(z=-0.1))
    slabs = Shape()
    for row in range(3):
        for column in range(9):
            slab = plate(rounded(1.5, 0.9, 0.12, 3), 0.03, "stones")
            slabs.add(slab, pose(-7.2 + 1.7 * column + 0.6 * (row % 2), -4.6 + 1.15 * row, 0.0))
    stage.mesh("Stones", slabs)
    stage.mesh("Stall", stall())
    stage.mesh("Awning", awning())
    cloths = [card(rounded(0.92, 0.62, 0.05, 2), 0.03, "curtain").at(-1.5 + index, 0, -0.31) for index in range(4)]
    stage.mesh("Curtain", join(*cloths))
    stage.mesh("Sign", card(rounded(3.0, 0.78, 0.16), 0.1, "sign board"))
    stage.text("Letters", "RAMEN", 0.72, "letters")
    stage.mesh("Bowl", bowl())
    stage.mesh("Bowl 2", bowl())
    stage.shaped("Doll", roly_poly())
    stage.mesh("Pole", cylinder(0.07, 4.9, "pole", 10).add(ball(0.16, "doll gold", 12, 8).at(z=4.95)))
    stage.shaped("Carp", streamer())
    stage.mesh("Stick", cylinder(0.06, 1.4, "stick", 8))
    turns = [0.13 * index for index in range(112)]
    stage.curve("Lollipop", [(0.055 * a * math.cos(a), 0.0, 0.055 * a * math.sin(a)) for a in turns], 0.14, "sweet")
    puffs = [(-3.6, 0, 0, 1.7), (-1.4, 0, 0.6, 2.3), (1.3, 0, 0.3, 2.1), (3.5, 0, -0.2, 1.5)]
    stage.metaball("Night cloud", puffs, "night cloud")

    for side, width, string, child, small in (
        ("front", 9.8, STRING, "String lantern", False),
        ("back", 13.0, BACK_STRING, "Face lantern", True),
    ):
        sag = -min(z for _, _, z in string)
        arch = [width * (index / 24 - 0.5) for index in range(25)]
        stage.curve(f"{side.title()} rope", [(x, 0, -sag * (1 - (2 * x / width) ** 2)) for x in arch], 0.03, "rope")
        anchors = Shape()
        for x, y, z in string:
            start = len(anchors.vertices)
            square = [(-0.05, -0.05), (0.05, -0.05), (0.05, 0.05), (-0.05, 0.05)] if small else [(0.0, 0.0)]
            anchors.vertices += [(x + a, y + b, z) for a, b in square]
            if small:
                anchors.face(range(start, start + 4), "rope")
        instancer = stage.mesh(f"Lantern string {side}", anchors)
        stage.duplicate(instancer, stage.mesh(child, lantern(small)), "FACES" if small else "VERTS")

    flag = card([(-0.18, 0.0), (0.0, -0.42), (0.18, 0.0)], 0.03, "pennant")
    points = Shape()
    points.vertices = list(LINE)
    stage.scatter(stage.mesh("Pennant line", points), stage.mesh("Pennant", flag, stage.hidden_collection("Pennants")))

    parts = stage.hidden_collection("Sky lantern")
    parts.instance_offset = OFFSET
    profile = [(0.36, 0.08), (0.42, 0.5), (0.4, 0.75), (0.24, 0.95), (0.0, 1.0)]
    bands = ["sky lantern low", "sky lantern", "sky lantern", "sky lantern"]
    stage.mesh(LANTERN_PARTS[0], revolve(profile, bands, 12), parts)
    stage.mesh(LANTERN_PARTS[1], cylinder(0.3, 0.09, "sky lantern rim", 12), parts)
    for index in range(len(SKY_LANTERNS)):
        stage.instance(f"Sky lantern {index + 1}", parts)
