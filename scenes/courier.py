"""A fox courier runs through the evening: a skinned character before parallax layers that scroll past."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from scenes.motion import Camera, Choreography, Limb, Motion
from scenes.shapes import (
    Shape,
    arc,
    ball,
    box,
    capsule,
    card,
    circle,
    cloud,
    cone,
    cylinder,
    ellipsoid,
    hills,
    house,
    join,
    plate,
    pose,
    revolve,
    ring,
    rounded,
    tube,
)
from scenes.transforms import Pose, Quaternion, Vector, X, Y, Z, about, looking, mix, quaternion_product, turned

FIRST, LAST = 1, 18
CYCLE = 12
"""Frames of two steps."""

BACKGROUND = "#f7b98b"
PALETTE = {
    "sky low": "#fbd7a0",
    "sky middle": "#f9c794",
    "sun": "#fff4d6",
    "cloud": "#fde8c4",
    "far hills": "#d98a86",
    "middle hills": "#ad6a84",
    "near hills": "#7d5a80",
    "meadow": "#8aa06a",
    "road": "#ecc99c",
    "stone": "#d6a982",
    "cream wall": "#fff0d2",
    "cream wall shade": "#e3c8ac",
    "rose wall": "#f2a490",
    "rose wall shade": "#d07f78",
    "mint wall": "#b9d6b4",
    "mint wall shade": "#8fb398",
    "coral roof": "#d9513f",
    "coral roof shade": "#a83a3d",
    "teal roof": "#2c7a7b",
    "teal roof shade": "#1f5a66",
    "plum roof": "#7a4268",
    "plum roof shade": "#592f54",
    "door": "#8a4b3a",
    "window": "#ffd966",
    "trunk": "#7a4f3d",
    "leaves": "#4f8a63",
    "leaves light": "#79b06c",
    "fence": "#fbeedb",
    "lamp": "#33304f",
    "lamp light": "#fff0a8",
    "bush": "#3d3a5c",
    "paper": "#fffdf2",
    "paper fold": "#e6d8c3",
    "seal": "#d7263d",
    "fox orange": "#ee7f34",
    "fox cream": "#fff1dc",
    "fox dark": "#4b2a2c",
    "fox eye": "#2a1a22",
    "cap": "#2b4f86",
    "cap brim": "#1d3560",
    "badge": "#f6c945",
    "coat": "#3a6ea8",
    "belt": "#5d3426",
    "buckle": "#f3c23b",
    "scarf": "#e02f43",
    "scarf end": "#e5384b",
    "strap": "#6d4030",
    "bag": "#a86a3f",
    "bag flap": "#8a5230",
    "near sleeve": "#356599",
    "near paw": "#472729",
    "far sleeve": "#2c5583",
    "far paw": "#3a2023",
    "near thigh": "#e67a33",
    "near shin": "#ef8136",
    "near boot": "#4f2d2f",
    "far thigh": "#c4632a",
    "far shin": "#c96830",
    "far boot": "#3c2124",
    "tail": "#f08438",
    "tail tip": "#fff3df",
}

# Rest places of the joints, in the fox's own space: it looks along +X and stands on z = 0.
HIP, KNEE, ANKLE = 0.66, 0.4, 0.14
SIDE = 0.18
WAIST: Vector = (0.0, 0.0, 0.8)
NECK: Vector = (0.0, 0.0, 1.36)
SHOULDER = 1.2
TAIL_ROOT: Vector = (-0.36, 0.0, 0.82)
TAIL_BEND: Vector = (-0.95, 0.0, 0.92)
SCARF_ROOT: Vector = (-0.26, 0.0, 1.38)
SCARF_BEND: Vector = (-0.75, 0.0, 1.42)
BAG_HANG: Vector = (-0.05, -0.36, 1.1)


def phase(frame: int) -> float:
    """Where in the running cycle a frame lies, radians."""
    return 2 * math.pi * (frame - FIRST) / CYCLE


def body(frame: int) -> Pose:
    """The trunk bobs twice a cycle and leans into the run."""
    swing = phase(frame)
    lean = turned(Y, math.radians(9 + 2 * math.sin(2 * swing + 0.6)))
    return about(WAIST, lean, (0.0, 0.0, 0.055 + 0.055 * math.cos(2 * swing)))


def head(frame: int) -> Pose:
    """The head stays level and looks about a little."""
    swing = phase(frame)
    level = turned(Y, math.radians(-8 + 4 * math.sin(2 * swing + 2.0)))
    look = turned(Z, math.radians(5 * math.sin(swing * 0.5)))
    return about(NECK, quaternion_product(level, look)).then(body(frame))


def arm(side: int) -> Motion:
    """Arms swing against the legs (side -1 is the one near the camera)."""

    def motion(frame: int) -> Pose:
        angle = side * 46 * math.sin(phase(frame)) - 14
        return about((0.0, side * 0.3, SHOULDER), turned(Y, math.radians(angle))).then(body(frame))

    return motion


def thigh(side: int) -> Motion:
    """A leg swings to and fro about its hip."""

    def motion(frame: int) -> Pose:
        angle = -side * 46 * math.sin(phase(frame)) - 6
        return about((0.0, side * SIDE, HIP), turned(Y, math.radians(angle))).then(body(frame))

    return motion


def shin(side: int) -> Motion:
    """The knee bends most while the leg swings forward."""

    def motion(frame: int) -> Pose:
        bend = 18 + 62 * (0.5 + 0.5 * math.sin(phase(frame) * 1.0 + (math.pi if side > 0 else 0.0) + 1.5)) ** 2
        return about((0.02, side * SIDE, KNEE), turned(Y, math.radians(bend))).then(thigh(side)(frame))

    return motion


def tail_root(frame: int) -> Pose:
    """The tail's first half sways."""
    return about(TAIL_ROOT, wag(frame, 12, 0.4)).then(body(frame))


def tail_end(frame: int) -> Pose:
    """Its second half sways later and further."""
    return about(TAIL_BEND, wag(frame, 26, -0.7)).then(tail_root(frame))


def scarf_root(frame: int) -> Pose:
    """The scarf's loose end flutters."""
    return about(SCARF_ROOT, wag(frame, 10, 1.2)).then(body(frame))


def scarf_end(frame: int) -> Pose:
    """Its tip flutters more."""
    return about(SCARF_BEND, wag(frame, 30, 0.2)).then(scarf_root(frame))


def bag(frame: int) -> Pose:
    """The bag bounces at the hip."""
    angle = 12 * math.sin(2 * phase(frame) + 1.0)
    return about(BAG_HANG, turned(Y, math.radians(angle))).then(body(frame))


def wag(frame: int, degrees: float, delay: float) -> Quaternion:
    """A sway up and down with a little sideways."""
    swing = phase(frame) + delay
    upward = turned(Y, math.radians(degrees * math.sin(2 * swing)))
    return quaternion_product(turned(Z, math.radians(0.7 * degrees * math.sin(swing))), upward)


def fox(frame: int) -> Pose:
    """The fox keeps its place in the picture, three quarters to the camera, and drifts a little."""
    return Pose((0.1 + 0.25 * math.sin((frame - 3) / 9), 0.0, 0.0), turned(Z, math.radians(-32)))


def scrolling(x: float, y: float, z: float, speed: float, turn: float = 0.0, size: float = 1.0) -> Motion:
    """Something that passes to the left at ``speed`` units a frame, at x on the first frame."""

    def motion(frame: int) -> Pose:
        return pose(x - speed * (frame - FIRST), y, z, turn, size)

    return motion


def letter(start: Vector, drift: Vector, axis: Vector, spin: float, delay: float) -> Motion:
    """A letter lost in the slipstream, tumbling."""

    def motion(frame: int) -> Pose:
        time = frame - FIRST
        height = start[2] + drift[2] * time + 0.22 * math.sin(0.45 * time + delay)
        turn = quaternion_product(turned(axis, spin * time + delay), turned(X, math.radians(60)))
        return Pose((start[0] + drift[0] * time, start[1] + drift[1] * time, height), turn)

    return motion


def plane(frame: int) -> Pose:
    """A paper plane overtakes, passing behind the fox's head and on before the trees."""
    share = (frame - FIRST) / (LAST - FIRST)
    bank = quaternion_product(turned(Y, math.radians(-14 + 22 * share)), turned(X, math.radians(50 - 35 * share)))
    rise = 2.0 + 1.35 * math.sin(math.pi * (0.12 + 0.72 * share))
    return Pose((mix(-3.4, 4.3, share), mix(1.0, 2.2, share), rise), bank)


def camera(frame: int) -> Pose:
    """A hand-held drift."""
    time = frame - FIRST
    sway, push, lift = 0.12 * math.sin(time / 5), 0.3 * math.sin(time / 7), 0.06 * math.sin(time / 4 + 1)
    return looking((0.35 + sway, -11.0 + push, 2.05 + lift), (0.3, 0.0, 1.5 + 0.05 * math.sin(time / 6)))


HOUSES = (
    (-9.6, "cream wall", "coral roof", 2.6, 2.3),
    (-5.9, "rose wall", "teal roof", 2.4, 2.9),
    (-0.9, "mint wall", "plum roof", 3.2, 2.0),
    (4.4, "cream wall", "teal roof", 2.4, 2.7),
    (8.3, "rose wall", "coral roof", 3.0, 2.0),
    (11.9, "mint wall", "teal roof", 2.4, 2.6),
)
TREES = ((-7.6, 1.1), (-3.6, 1.3), (1.9, 1.05), (6.2, 1.25), (10.3, 1.1))
LAMPS = (-1.2, 4.4)
BUSHES = ((-4.2, 1.3), (-0.6, 1.1), (2.9, 1.4), (6.3, 1.2))
CLOUDS = ((-3.0, 14.6, 0.9), (13.0, 11.2, 1.2), (27.0, 14.0, 0.8), (-25.0, 13.0, 0.7))
GROUND, TOWN, NEAR = 0.21, 0.15, 0.3

CHOREOGRAPHY = Choreography(
    name="courier",
    first=FIRST,
    last=LAST,
    cameras={"Camera": Camera(camera, lens=lambda frame: 56.0)},
    poses={
        "Sky middle": Pose((0.0, 90.0, 0.0)),
        "Sky low": Pose((0.0, 86.0, 0.0)),
        "Sun": Pose((-14.0, 80.0, 11.0)),
        "Far hills": scrolling(0.0, 70.0, 0.0, 0.06),
        "Middle hills": scrolling(4.0, 48.0, 0.0, 0.09),
        "Near hills": scrolling(6.0, 26.0, 0.0, 0.12),
        "Meadow": scrolling(4.0, 13.0, 0.0, 0.0),
        "Road": scrolling(4.0, 0.0, 0.0, GROUND),
        "Fence": scrolling(4.0, 3.2, 0.0, GROUND),
        "Fox": fox,
        "Fox rig": fox,
        "Paper plane": plane,
        "Letter 1": letter((-1.1, -0.5, 1.2), (-0.075, -0.01, 0.035), (0.3, 1.0, 0.4), 0.31, 0.3),
        "Letter 2": letter((-0.4, 0.5, 1.9), (-0.09, 0.02, 0.012), (1.0, 0.4, 0.2), -0.26, 1.7),
        "Letter 3": letter((0.7, -1.0, 0.75), (-0.13, 0.0, 0.028), (0.2, 0.6, 1.0), 0.24, 3.0),
        **{f"Cloud {i + 1}": scrolling(x, 76.0, z, 0.05, 0, size) for i, (x, z, size) in enumerate(CLOUDS)},
        **{f"House {i + 1}": scrolling(x, 12.0, 0.0, TOWN) for i, (x, *_) in enumerate(HOUSES)},
        **{f"Tree {i + 1}": scrolling(x, 9.0, 0.0, 0.17, 0, size) for i, (x, size) in enumerate(TREES)},
        **{f"Lamp {i + 1}": scrolling(x, -1.5, 0.0, GROUND) for i, x in enumerate(LAMPS)},
        **{f"Bush {i + 1}": scrolling(x, -3.4, 0.0, NEAR, 0, size) for i, (x, size) in enumerate(BUSHES)},
    },
    limbs={
        "body": Limb("Fox", body, frozenset({"coat", "belt", "buckle", "scarf", "strap"})),
        "head": Limb(
            "Fox", head, frozenset({"fox orange", "fox cream", "fox dark", "fox eye", "cap", "cap brim", "badge"})
        ),
        "near arm": Limb("Fox", arm(-1), frozenset({"near sleeve", "near paw"})),
        "far arm": Limb("Fox", arm(1), frozenset({"far sleeve", "far paw"})),
        "near thigh": Limb("Fox", thigh(-1), frozenset({"near thigh"})),
        "near shin": Limb("Fox", shin(-1), frozenset({"near shin", "near boot"})),
        "far thigh": Limb("Fox", thigh(1), frozenset({"far thigh"})),
        "far shin": Limb("Fox", shin(1), frozenset({"far shin", "far boot"})),
        "bag": Limb("Fox", bag, frozenset({"bag", "bag flap"})),
        "tail root": Limb("Fox", tail_root),
        "tail end": Limb("Fox", tail_end),
        "scarf root": Limb("Fox", scarf_root),
        "scarf end": Limb("Fox", scarf_end),
    },
    deforming={"Fox": frozenset({"tail", "tail tip", "scarf end"})},
    unseen=frozenset({"Fox rig"}),
)


def bending(root: str, end: str, start: float, bend: float) -> Any:
    """Weights that pass smoothly from one bone to the next around a joint, backwards along -X."""

    def weights(point: Vector) -> dict[str, float]:
        share = min(1.0, max(0.0, (start - point[0]) / (2 * (start - bend))))
        share = share * share * (3 - 2 * share)
        return {root: 1 - share, end: share}

    return weights


def fox_shape() -> Shape:
    """The courier at rest, every vertex given to its bones."""
    trunk = revolve([(0.47, 0.6), (0.46, 0.66), (0.41, 0.85), (0.36, 1.05), (0.27, 1.3), (0.0, 1.36)], "coat", 20)
    trunk.add(revolve([(0.44, 0.84), (0.42, 0.94)], "belt", 20))
    trunk.add(card(rounded(0.16, 0.15, 0.03), 0.05, "buckle").turn(Z, 90).at(0.43, 0.0, 0.89))
    trunk.add(ring(0.27, 0.125, "scarf", 20, 8).scale(1.0, 1.1, 1.0).at(0.02, 0.0, 1.37))
    sash = [(0.47 * math.cos(a), 0.44 * math.sin(a), 1.02 + 0.3 * math.sin(a)) for a in steps(24)]
    trunk.add(tube(sash, [0.035] * 24, "strap", 6, closed=True))

    skull = ellipsoid(0.56, 0.6, 0.52, "fox orange", 24, 14).at(0.04, 0.0, 1.84)
    for side in (-1, 1):
        cheek = cone(0.26, 0.5, "fox cream", 16).scale(0.8, 0.55, 1.0).turn(X, -side * 108).at(0.16, side * 0.36, 1.7)
        ear = cone(0.25, 0.62, "fox orange", 12).scale(0.55, 1.0, 1.0)
        tip = cone(0.118, 0.285, "fox dark", 12).scale(0.55, 1.0, 1.0).at(z=0.345)
        eye = ellipsoid(0.05, 0.085, 0.135, "fox eye", 12, 8).turn(Z, side * 24).at(0.535, side * 0.235, 1.9)
        skull.add(join(cheek, eye))
        skull.add(join(ear, tip).turn(X, -side * 24).at(-0.08, side * 0.33, 2.16))
    skull.add(ellipsoid(0.34, 0.27, 0.2, "fox cream", 16, 10).at(0.5, 0.0, 1.68))
    skull.add(ball(0.085, "fox dark", 10, 8).at(0.83, 0.0, 1.74))
    skull.add(revolve([(0.4, 0.0), (0.43, 0.1), (0.36, 0.26), (0.0, 0.33)], "cap", 20).turn(Y, 8).at(0.0, 0.0, 2.22))
    brim = plate([*arc(0.44, -70, 70, 14), *arc(0.3, 70, -70, 8)], 0.05, "cap brim").scale(1.35, 1.0, 1.0)
    skull.add(brim.turn(Y, 14).at(0.02, 0.0, 2.25))
    skull.add(card(circle(0.1, 16), 0.05, "badge").turn(Z, 90).turn(Y, -8).at(0.43, 0.0, 2.37))

    whole = Shape().add(trunk.group("body")).add(skull.group("head"))
    for side, near in ((-1, "near"), (1, "far")):
        sleeve = capsule((0.0, side * 0.3, SHOULDER), (0.06, side * 0.46, 0.86), 0.13, 0.12, f"{near} sleeve", 10)
        paw = ball(0.135, f"{near} paw", 12, 8).at(0.09, side * 0.49, 0.77)
        whole.add(join(sleeve, paw).group(f"{near} arm"))
        upper = capsule((0.0, side * SIDE, HIP), (0.02, side * SIDE, KNEE), 0.16, 0.13, f"{near} thigh", 10)
        whole.add(upper.group(f"{near} thigh"))
        lower = capsule((0.02, side * SIDE, KNEE), (0.0, side * SIDE, ANKLE), 0.125, 0.11, f"{near} shin", 10)
        boot = ellipsoid(0.25, 0.15, 0.13, f"{near} boot", 14, 8).at(0.08, side * SIDE, 0.13)
        cuff = cylinder(0.15, 0.12, f"{near} boot", 12).at(0.0, side * SIDE, 0.14)
        whole.add(join(lower, boot, cuff).group(f"{near} shin"))
    satchel = box(0.56, 0.2, 0.4, "bag").at(-0.05, -0.53, 0.66)
    flap = box(0.6, 0.26, 0.2, "bag flap").at(-0.05, -0.53, 0.88)
    whole.add(join(satchel, flap).group("bag"))

    spine = [(-0.3 - 0.12 * i, 0.0, 0.8 + 0.014 * i * i - 0.0004 * i**3) for i in range(13)]
    girth = [0.1, 0.16, 0.21, 0.26, 0.29, 0.31, 0.32, 0.31, 0.29, 0.25, 0.2, 0.12, 0.0]
    brush = tube(spine, girth, ["tail"] * 8 + ["tail tip"] * 4, 14)
    whole.add(brush.group(bending("tail root", "tail end", TAIL_ROOT[0], TAIL_BEND[0])))
    cloth = [(-0.22 - 0.12 * i, 0.03, 1.38 + 0.012 * i) for i in range(11)]
    width = [0.1, 0.13, 0.15, 0.16, 0.165, 0.17, 0.175, 0.18, 0.185, 0.19, 0.19]
    ribbon = tube(cloth, width, "scarf end", 8, flatten=0.3)
    whole.add(ribbon.group(bending("scarf root", "scarf end", SCARF_ROOT[0], SCARF_BEND[0])))
    return whole


def steps(count: int) -> list[float]:
    """Angles evenly around the circle."""
    return [2 * math.pi * index / count for index in range(count)]


def house_shape(width: float, wall: float, walls: str, roof: str) -> Shape:
    """A town house with lit windows, its long side to the road."""
    colors = {walls: f"{walls} shade", roof: f"{roof} shade"}
    shape = house(width, 2.2, wall, 1.25, (walls, roof, walls)).shade(colors, threshold=0.0)
    door = card([(-0.24, 0.0), (0.24, 0.0), (0.24, 0.62), *arc(0.24, 0, 180, 8, 0, 0.66), (-0.24, 0.62)], 0.1, "door")
    shape.add(door.at(-width * 0.24, -1.12))
    pane = card(rounded(0.42, 0.5, 0.06, 2), 0.1, "window")
    for x in (0.06 * width, 0.32 * width):
        shape.add(pane.at(x, -1.12, 0.85))
    if wall > 2.5:
        for x in (-0.26 * width, 0.06 * width, 0.32 * width):
            shape.add(pane.at(x, -1.12, 1.85))
    chimney = box(0.32, 0.32, 0.9, walls).shade(colors, threshold=0.0)
    return shape.add(chimney.at(0.28 * width, -0.35, wall + 0.75))


def tree_shape() -> Shape:
    """A round tree with a lit crown."""
    crown = card(circle(0.72, 28), 0.3, "leaves").scale(1.0, 1.0, 1.15).at(z=1.75)
    light = card(circle(0.4, 20), 0.1, "leaves light").scale(1.0, 1.0, 1.1).at(-0.2, -0.22, 1.95)
    return join(box(0.2, 0.2, 1.4, "trunk"), crown, light)


def lamp_shape() -> Shape:
    """A street lamp."""
    post = join(cylinder(0.13, 0.3, "lamp", 10, 0.08), cylinder(0.05, 2.1, "lamp", 8))
    post.add(cylinder(0.1, 0.36, "lamp light", 6, 0.18).at(z=2.1)).add(cone(0.27, 0.22, "lamp", 6).at(z=2.46))
    return post


def envelope() -> Shape:
    """A letter with its flap and seal, on both sides so that it never shows an empty back."""
    sheet = plate([(-0.27, -0.18), (0.27, -0.18), (0.27, 0.18), (-0.27, 0.18)], 0.03, "paper").at(z=-0.015)
    flap = plate([(-0.27, 0.18), (0.0, -0.02), (0.27, 0.18)], 0.012, "paper fold").at(z=0.016)
    seal = plate(circle(0.055, 12), 0.02, "seal").at(z=0.03)
    return sheet.add(flap).add(seal)


def paper_plane() -> Shape:
    """A folded dart, nose along +X."""
    shape = Shape()
    shape.vertices = [(0.55, 0, 0.06), (-0.45, 0.36, 0.12), (-0.45, 0.05, 0.06), (-0.42, 0, -0.14)]
    shape.vertices += [(-0.45, -0.05, 0.06), (-0.45, -0.36, 0.12)]
    shape.face((0, 1, 2), "paper")
    shape.face((0, 2, 3), "paper fold")
    shape.face((0, 3, 4), "paper fold")
    shape.face((0, 4, 5), "paper")
    return shape


def ridge(height: float, swell: float, length: float, x: float) -> float:
    """How high hills are at a place."""
    return height + swell * math.sin(x / length + height)


def build(stage: Any) -> None:
    """Add everything to the stage."""
    stage.mesh("Sky middle", card(hills(90, lambda x: 13.2 + 0.9 * math.sin(x / 11 + 1), -4, 48), 0.2, "sky middle"))
    stage.mesh("Sky low", card(hills(90, lambda x: 8.6 + 0.8 * math.sin(x / 9), -4, 48), 0.2, "sky low"))
    stage.mesh("Sun", card(circle(5.2, 64), 0.2, "sun"))
    puffs = [(-3.4, 1.1), (-1.6, 1.9), (0.8, 2.5), (3.2, 1.5), (4.9, 0.9)]
    for index in range(len(CLOUDS)):
        stage.mesh(f"Cloud {index + 1}", card(cloud(puffs), 0.2, "cloud"))
    for name, width, height, swell, length in (("far", 100, 6.4, 1.7, 7.3), ("middle", 70, 4.3, 0.9, 4.1)):
        outline = hills(width, partial(ridge, height, swell, length), -4, 56)
        stage.mesh(f"{name.title()} hills", card(outline, 0.3, f"{name} hills"))
    stage.mesh("Near hills", card(hills(50, lambda x: 2.9 + 0.5 * math.sin(x / 2.6 + 4), -4, 56), 0.3, "near hills"))
    stage.mesh("Meadow", plate([(-26, -10.5), (26, -10.5), (26, 10), (-26, 10)], 0.05, "meadow").at(z=-0.12))
    road = plate([(-15, -2.4), (15, -2.4), (15, 2.2), (-15, 2.2)], 0.06, "road").at(z=-0.06)
    pebble = plate(rounded(0.62, 0.3, 0.14, 3), 0.02, "stone")
    for i in range(17):
        road.add(pebble, pose(-11.4 + 1.35 * i, -0.5 + 1.5 * math.sin(2.4 * i), 0.0, 0.0, 1 + 0.25 * math.sin(i)))
    stage.mesh("Road", road)
    pales = [box(0.16, 0.05, 0.62, "fence").at(-13 + 0.5 * i) for i in range(48)]
    stage.mesh("Fence", join(*pales, *[box(24.6, 0.04, 0.08, "fence").at(-1.2, 0.06, z) for z in (0.18, 0.42)]))
    for index, (_, walls, roof, front, wall) in enumerate(HOUSES):
        stage.mesh(f"House {index + 1}", house_shape(front, wall, walls, roof))
    for index in range(len(TREES)):
        stage.mesh(f"Tree {index + 1}", tree_shape())
    for index in range(len(LAMPS)):
        stage.mesh(f"Lamp {index + 1}", lamp_shape())
    leaves = [(-0.85, 0.3), (-0.45, 0.46), (0.1, 0.36), (0.55, 0.5), (0.95, 0.27)]
    for index in range(len(BUSHES)):
        stage.mesh(f"Bush {index + 1}", card(cloud(leaves), 0.1, "bush"))
    stage.mesh("Paper plane", paper_plane())
    for index in range(3):
        stage.mesh(f"Letter {index + 1}", envelope())
    heads = {
        "body": WAIST,
        "head": NECK,
        "near arm": (0.0, -0.3, SHOULDER),
        "far arm": (0.0, 0.3, SHOULDER),
        "near thigh": (0.0, -SIDE, HIP),
        "far thigh": (0.0, SIDE, HIP),
        "near shin": (0.02, -SIDE, KNEE),
        "far shin": (0.02, SIDE, KNEE),
        "bag": BAG_HANG,
        "tail root": TAIL_ROOT,
        "tail end": TAIL_BEND,
        "scarf root": SCARF_ROOT,
        "scarf end": SCARF_BEND,
    }
    stage.character("Fox", fox_shape(), "Fox rig", heads)
