"""A toy railway on drafting paper, filmed without perspective: the picture window shifts, scales and slides."""

from __future__ import annotations

import math
from typing import Any

from scenes.motion import Camera, Choreography, Motion
from scenes.shapes import (
    Shape,
    arc,
    ball,
    box,
    card,
    circle,
    cone,
    cylinder,
    gear,
    house,
    join,
    plate,
    pose,
    rounded,
    tube,
)
from scenes.transforms import Pose, Vector, X, Y, Z, ease, looking, mix, quaternion_product, turned

FIRST, LAST = 1, 14

BACKGROUND = "#17305c"
PALETTE = {
    "paper": "#2b5ba6",
    "paper edge": "#1f4685",
    "square": "#3a6cb8",
    "sleeper": "#1d3a70",
    "rail": "#e8f0ff",
    "bed": "#8fb4e8",
    "engine": "#f2543d",
    "engine shade": "#c93c31",
    "engine dark": "#25345c",
    "brass": "#ffcf4a",
    "coach": "#fff3dc",
    "coach shade": "#dfc9b4",
    "coach roof": "#25a39a",
    "tanker": "#ffb03a",
    "wheel": "#25345c",
    "steam": "#f7fbff",
    "hill": "#6fd0ae",
    "hill shade": "#45ab93",
    "tunnel": "#17305c",
    "gear one": "#ffc93f",
    "gear two": "#ff8a5c",
    "hub": "#1d3a70",
    "pencil": "#ffd84d",
    "pencil shade": "#e8b02e",
    "pencil wood": "#f7ddb0",
    "pencil lead": "#2a3350",
    "rubber": "#ff8fa3",
    "ferrule": "#c9d6ea",
    "house wall": "#f7fbff",
    "house wall shade": "#bcd2f2",
    "house roof": "#ff7a59",
    "house roof shade": "#d95b47",
    "window": "#3a6cb8",
    "tree": "#54c59c",
    "tree shade": "#379d83",
    "trunk": "#1d3a70",
    "drawing": "#f7fbff",
    "mast": "#f7fbff",
    "signal": "#f2543d",
}

BEND, STRAIGHT = 2.6, 2.4
"""The track: two straights of twice ``STRAIGHT`` along X joined by half circles of radius ``BEND``."""

LENGTH = 4 * STRAIGHT + 2 * math.pi * BEND
VIEW: Vector = (-0.9, 1.3, -1.05)
"""The direction in which the camera looks, always."""

TREES = ((-1.0, 5.0, 1.0), (-2.4, 4.4, 0.8), (5.6, 3.4, 1.1), (-5.9, -3.1, 1.0), (6.4, -3.2, 0.8), (-6.6, 1.9, 1.1))
DRAWN = (-2.6, 0.1, 1.15)
"""The circle that the pencil draws: centre and radius."""

PUFFS = (-1.0, -4.5, -8.5)


def along(distance: float) -> tuple[float, float, float]:
    """A point of the track and its heading: (x, y, radians), counter-clockwise from the front straight's left end."""
    distance %= LENGTH
    if distance < 2 * STRAIGHT:
        return (distance - STRAIGHT, -BEND, 0.0)
    distance -= 2 * STRAIGHT
    if distance < math.pi * BEND:
        angle = distance / BEND
        return (STRAIGHT + BEND * math.sin(angle), -BEND * math.cos(angle), angle)
    distance -= math.pi * BEND
    if distance < 2 * STRAIGHT:
        return (STRAIGHT - distance, BEND, math.pi)
    angle = (distance - 2 * STRAIGHT) / BEND
    return (-STRAIGHT - BEND * math.sin(angle), BEND * math.cos(angle), math.pi + angle)


def rolling(behind: float) -> Motion:
    """A vehicle on the track, ``behind`` the engine."""

    def motion(frame: int) -> Pose:
        x, y, heading = along(1.0 + 0.33 * (frame - FIRST) - behind)
        return Pose((x, y, 0.16), turned(Z, heading))

    return motion


def steam(birth: float) -> Motion:
    """A puff that left the chimney at frame ``birth``: it stays behind, rises and swells."""

    def motion(frame: int) -> Pose:
        age = frame - FIRST - birth
        x, y, heading = along(1.0 + 0.33 * birth)
        size = 0.17 + 0.019 * age
        return Pose((x + 0.45 * math.cos(heading), y + 0.45 * math.sin(heading), 1.35 + 0.13 * age), scale=(size,) * 3)

    return motion


def cog(x: float, y: float, z: float, speed: float, start: float) -> Motion:
    """A wheel that turns flat on the paper."""

    def motion(frame: int) -> Pose:
        return Pose((x, y, z), turned(Z, start + speed * (frame - FIRST)))

    return motion


def pencil(frame: int) -> Pose:
    """A pencil follows a curve with its point on the paper, wobbling as a hand does."""
    angle = 0.5 + 0.17 * (frame - FIRST)
    tip = (DRAWN[0] + DRAWN[2] * math.cos(angle), DRAWN[1] + DRAWN[2] * math.sin(angle), 0.06)
    lean = turned(X, math.radians(-30 + 5 * math.sin(angle * 2)))
    return Pose(tip, quaternion_product(turned(Z, 0.8 + 0.2 * math.sin(angle)), lean), (0.8, 0.8, 0.8))


def signal(frame: int) -> Pose:
    """The signal arm drops as the train comes."""
    return Pose((4.3, -4.1, 1.72), turned(Y, math.radians(mix(-8, 46, ease((frame - FIRST - 2) / 8)))))


def camera(frame: int) -> Pose:
    """The camera slides across the paper and never turns."""
    time = (frame - FIRST) / (LAST - FIRST)
    aim = (mix(-1.4, 0.9, ease(time)), mix(-0.8, 0.2, time), 0.25 * math.sin(4 * time))
    location = (aim[0] - 12 * VIEW[0], aim[1] - 12 * VIEW[1], aim[2] - 12 * VIEW[2])
    return looking(location, aim)


def shift(frame: int) -> tuple[float, float]:
    """The picture window's shift, in picture widths."""
    time = (frame - FIRST) / (LAST - FIRST)
    return (0.07 * math.sin(2.2 * time), -0.03 + 0.06 * ease(time))


def scale(frame: int) -> float:
    """Width of the picture in scene units."""
    return mix(15.5, 11.5, ease((frame - FIRST) / (LAST - FIRST)))


CHOREOGRAPHY = Choreography(
    name="blueprint",
    first=FIRST,
    last=LAST,
    cameras={"Camera": Camera(camera, kind="ORTHO", shift=shift, ortho_scale=scale, clip=(0.5, 80.0))},
    poses={
        "Paper": Pose(),
        "Squares": Pose(),
        "Track": Pose(),
        "Drawing": Pose(),
        "Engine": rolling(0.0),
        "Coach": rolling(1.75),
        "Tanker": rolling(3.45),
        **{f"Steam {i + 1}": steam(birth) for i, birth in enumerate(PUFFS)},
        "Tunnel": Pose((0.4, BEND, 0.0)),
        "Gear one": cog(0.45, 0.15, 0.05, 0.1, -math.tau * 0.32 / 12),
        "Gear two": cog(2.31, 0.15, 0.09, -0.15, math.pi - math.tau * 3.82 / 8),
        "Pencil": pencil,
        "Station": pose(-3.3, -4.5, 0.0, 0),
        "Signal mast": Pose((4.3, -4.0, 0.0)),
        "Signal arm": signal,
        **{f"Tree {i + 1}": pose(x, y, 0.0, 0.0, size) for i, (x, y, size) in enumerate(TREES)},
    },
)


def rounded_track(offset: float, height: float) -> list[Vector]:
    """The track's centre line moved outwards by ``offset``."""
    points = []
    count = 72
    for step in range(count):
        x, y, heading = along(LENGTH * step / count)
        points.append((x + offset * math.sin(heading), y - offset * math.cos(heading), height))
    return points


def track() -> Shape:
    """Bed, sleepers and rails."""
    outer = [(x, y) for x, y, _ in rounded_track(0.62, 0.0)]
    inner = [(x, y) for x, y, _ in rounded_track(-0.62, 0.0)]
    bed, count = Shape(), len(outer)
    for outline in (outer, inner):
        bed.vertices += [(x, y, 0.0) for x, y in outline] + [(x, y, 0.08) for x, y in outline]
    for here in range(count):
        there = (here + 1) % count
        out, out_next, into, into_next = here, there, 2 * count + here, 2 * count + there
        bed.face((out, out_next, count + out_next, count + out), "bed")
        bed.face((into_next, into, count + into, count + into_next), "bed")
        bed.face((count + out, count + out_next, count + into_next, count + into), "bed")
    for step in range(34):
        x, y, heading = along(LENGTH * (step + 0.5) / 34)
        bed.add(box(0.2, 0.96, 0.05, "sleeper"), Pose((x, y, 0.08), turned(Z, heading)))
    for offset in (-0.3, 0.3):
        bed.add(tube(rounded_track(offset, 0.16), [0.045] * 72, "rail", 4, closed=True))
    return bed


def wheels(*places: float) -> Shape:
    """Pairs of wheels at these places along the vehicle."""
    whole = Shape()
    for x in places:
        for y in (-0.36, 0.36):
            whole.add(cylinder(0.2, 0.1, "wheel", 14).at(z=-0.05).turn(X, 90).at(x, y, 0.2))
    return whole


def engine() -> Shape:
    """A little steam engine, its front along +X."""
    shape = wheels(-0.45, 0.05, 0.5)
    shape.add(box(1.6, 0.6, 0.18, "engine dark").at(z=0.22))
    shape.add(cylinder(0.32, 1.0, "engine", 18).turn(Y, 90).at(-0.25, 0, 0.72))
    shape.add(cylinder(0.335, 0.12, "brass", 18).turn(Y, 90).at(0.25, 0, 0.72))
    shape.add(cylinder(0.25, 0.08, "engine dark", 18).turn(Y, 90).at(0.74, 0, 0.72))
    shape.add(cylinder(0.1, 0.4, "engine dark", 12, 0.16).at(0.5, 0, 0.98))
    shape.add(ball(0.13, "brass", 12, 8).at(0.08, 0, 1.05))
    cab = box(0.55, 0.72, 0.85, "engine").at(-0.52, 0, 0.4).shade({"engine": "engine shade"}, threshold=0.2)
    cab.add(box(0.72, 0.86, 0.09, "engine dark").at(-0.52, 0, 1.25))
    cab.add(card(rounded(0.28, 0.28, 0.04, 2), 0.76, "brass").at(-0.52, 0, 0.95))
    return shape.add(cab).add(cone(0.3, 0.35, "engine dark", 4).turn(Y, 90).at(0.72, 0, 0.22))


def coach() -> Shape:
    """A passenger coach."""
    body = box(1.45, 0.68, 0.68, "coach").at(z=0.3).shade({"coach": "coach shade"}, threshold=0.2)
    body.add(box(1.6, 0.8, 0.12, "coach roof").at(z=0.98))
    for x in (-0.45, 0.0, 0.45):
        body.add(card(rounded(0.27, 0.3, 0.05, 2), 0.74, "window").at(x, 0, 0.68))
    return body.add(wheels(-0.45, 0.45))


def tanker() -> Shape:
    """A tank wagon."""
    shape = box(1.4, 0.56, 0.14, "engine dark").at(z=0.24).add(wheels(-0.42, 0.42))
    shape.add(cylinder(0.33, 1.2, "tanker", 18).turn(Y, 90).at(-0.6, 0, 0.7))
    shape.add(cylinder(0.345, 0.14, "rail", 18).turn(Y, 90).at(-0.07, 0, 0.7))
    return shape.add(cylinder(0.13, 0.16, "engine dark", 10).at(0, 0, 1.0))


def tunnel() -> Shape:
    """A hill over the back straight, with a gate at each end."""
    profile = [(1.35, 0.0), *arc(1.35, 0, 180, 14, 0, 0.25), (-1.35, 0.0)]
    gate = [(0.62, 0.0), *arc(0.62, 0, 180, 10, 0, 0.75), (-0.62, 0.0)]
    hill = card(profile, 2.6, "hill", "hill").shade({"hill": "hill shade"}, (-0.2, 0.3, 1.0), -0.2)
    hill.add(card(gate, 2.68, "tunnel", "tunnel"))
    return hill.turn(Z, 90)


def pencil_shape() -> Shape:
    """A hexagonal pencil standing on its point at the origin."""
    shape = cone(0.1, 0.22, "pencil lead", 6).turn(X, 180).at(z=0.22)
    wood = cylinder(0.1, 0.42, "pencil wood", 6, 0.27).at(z=0.22)
    shaft = cylinder(0.27, 2.9, "pencil", 6).at(z=0.64).shade({"pencil": "pencil shade"}, (1.0, 0.2, 0.0), 0.3)
    end = join(cylinder(0.275, 0.3, "ferrule", 12).at(z=3.54), cylinder(0.25, 0.35, "rubber", 12).at(z=3.84))
    return shape.add(wood).add(shaft).add(end)


def gear_shape(teeth: int, radius: float, material: str) -> Shape:
    """A cog wheel lying flat."""
    wheel = plate(gear(teeth, radius + 0.16, radius - 0.14), 0.22, material)
    wheel.add(plate(circle(radius * 0.5, 24), 0.1, "hub").at(z=0.22))
    for step in range(3):
        angle = 2 * math.pi * step / 3
        x, y = 0.3 * radius * math.cos(angle), 0.3 * radius * math.sin(angle)
        wheel.add(plate(circle(radius * 0.1, 10), 0.07, material).at(x, y, 0.32))
    return wheel


def build(stage: Any) -> None:
    """Add everything to the stage."""
    stage.mesh("Paper", box(21, 17, 0.3, "paper edge").at(z=-0.36).add(box(20.6, 16.6, 0.06, "paper").at(z=-0.06)))
    squares = Shape()
    for column in range(-5, 5):
        for row in range(-4, 4):
            if (column + row) % 2:
                squares.add(box(2, 2, 0.02, "square").at(2 * column + 1, 2 * row + 1))
    stage.mesh("Squares", squares)
    stage.mesh("Track", track())
    line = [(*corner, 0.04) for corner in circle(DRAWN[2], 52, DRAWN[0], DRAWN[1])]
    stage.mesh("Drawing", tube(line, [0.06] * 52, "drawing", 6, closed=True))
    stage.mesh("Engine", engine())
    stage.mesh("Coach", coach())
    stage.mesh("Tanker", tanker())
    for index in range(len(PUFFS)):
        stage.mesh(f"Steam {index + 1}", ball(1.0, "steam", 18, 12))
    stage.mesh("Tunnel", tunnel())
    stage.mesh("Gear one", gear_shape(12, 1.1, "gear one"))
    stage.mesh("Gear two", gear_shape(8, 0.73, "gear two"))
    stage.mesh("Pencil", pencil_shape())
    walls = house(1.9, 1.1, 0.9, 0.7, ("house wall", "house roof", "house wall"))
    walls.shade({"house wall": "house wall shade", "house roof": "house roof shade"}, (-0.3, -1.0, 0.6), 0.1)
    for x in (-0.5, 0.1):
        walls.add(card(rounded(0.3, 0.36, 0.05, 2), 0.1, "window").at(x, -0.55, 0.5))
    door = card([(0.45, 0), (0.78, 0), (0.78, 0.62), (0.45, 0.62)], 0.1, "house roof").at(y=-0.55)
    stage.mesh("Station", walls.add(door))
    stage.mesh("Signal mast", cylinder(0.07, 2.0, "mast", 8).add(ball(0.12, "brass", 10, 6).at(z=2.05)))
    stage.mesh("Signal arm", card([(-0.05, -0.1), (1.0, -0.1), (1.0, 0.12), (-0.05, 0.12)], 0.06, "signal"))
    tree = cylinder(0.08, 0.3, "trunk", 6).add(cone(0.55, 0.9, "tree", 12).at(z=0.25))
    tree.add(cone(0.4, 0.75, "tree shade", 12).at(z=0.8))
    for index in range(len(TREES)):
        stage.mesh(f"Tree {index + 1}", tree)
