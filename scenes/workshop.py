"""A robot has an idea: things appear, vanish and change their topology, and at the end the camera cuts."""

from __future__ import annotations

import math
from typing import Any

from scenes.motion import EVERYTHING, Camera, Choreography, Event
from scenes.shapes import (
    Shape,
    ball,
    box,
    card,
    circle,
    cloud,
    cylinder,
    join,
    plate,
    pose,
    revolve,
    rounded,
    star,
    tube,
)
from scenes.transforms import Pose, Vector, X, Y, Z, ease, looking, mix, quaternion_product, turned

FIRST, LAST = 31, 46
CLAY_STEPS = ((34, 1), (39, 2))
"""From which frame the lump is subdivided how often; not at all before."""

BLOCK_STEPS = ((33, 3), (41, 4))
"""From which frame how many blocks are piled up; two before."""

IDEA, DRAWER_SHUT, TOOLBOX_EDGES, BUTTERFLY_GONE, CUT = 36, 37, 38, 42, 44

BACKGROUND = "#f6d8a8"
PALETTE = {
    "wall": "#f7dcae",
    "panelling": "#e9b87f",
    "table": "#b9714a",
    "table edge": "#8f5138",
    "board": "#5fa7a0",
    "board frame": "#3b7a7c",
    "tool steel": "#dfe7ee",
    "tool red": "#e8543f",
    "tool blue": "#3f74b5",
    "window frame": "#fff6e6",
    "window sky": "#a9e2f2",
    "window cloud": "#fbfeff",
    "robot": "#82dcc6",
    "robot shade": "#57b8a8",
    "robot dark": "#2c4657",
    "robot screen": "#203545",
    "robot eye": "#ffe27a",
    "robot coral": "#ff7c62",
    "bulb glass": "#fff0a0",
    "bulb screw": "#8f9fb0",
    "ray": "#ffb930",
    "clay": "#f58fa8",
    "turntable": "#6b5a8f",
    "turntable foot": "#4a3d6e",
    "block": "#f2b53a",
    "toolbox": "#d9473e",
    "toolbox handle": "#4a2c33",
    "cabinet": "#8a6fb0",
    "cabinet shade": "#6a5292",
    "drawer": "#b79fd6",
    "knob": "#ffd24a",
    "mug": "#fffaf0",
    "mug stripe": "#3f74b5",
    "butterfly": "#ff9ecb",
    "butterfly body": "#5b3a6e",
    "guide": "#ff00ff",
}

ROBOT: Vector = (-0.35, 0.0, 0.0)
NECK: Vector = (-0.35, 0.0, 1.62)
SLIDE: Vector = (0.0, -0.55, 0.0)


def stepped(steps: tuple[tuple[int, int], ...], before: int) -> Any:
    """A number that jumps on given frames."""

    def value(frame: int) -> int:
        return ([before] + [number for start, number in steps if frame >= start])[-1]

    return value


def head(frame: int) -> Pose:
    """The head looks from the clay up to the idea."""
    time = ease((frame - FIRST - 2) / 5)
    look = turned(Z, math.radians(mix(24, -10, time) + 2 * math.sin(0.9 * frame)))
    return Pose(NECK, quaternion_product(look, turned(X, math.radians(mix(7, -13, time)))))


def near_arm(frame: int) -> Pose:
    """One arm is thrown up."""
    lift = mix(20, 148, ease((frame - FIRST - 4) / 4)) + 9 * math.sin(1.1 * frame)
    return Pose((0.42, -0.1, 1.28), turned(Y, -math.radians(lift)))


def far_arm(frame: int) -> Pose:
    """The other works at the turntable."""
    return Pose((-1.12, -0.1, 1.28), turned(Y, math.radians(58 + 10 * math.sin(0.8 * frame))))


def body(frame: int) -> Pose:
    """The body breathes by rocking."""
    return Pose(ROBOT, turned(Y, math.radians(1.5 * math.sin(0.7 * frame))))


def bulb(frame: int) -> Pose:
    """A light bulb bobs above the robot."""
    time = frame - FIRST
    return Pose((-0.2, -0.1, 4.0 + 0.09 * math.sin(0.9 * time)), turned(Y, math.radians(8 * math.sin(0.6 * time))))


def rays(frame: int) -> Pose:
    """Its rays turn behind it."""
    return Pose((-0.2, 0.15, 4.08), turned(Y, 0.09 * (frame - FIRST)))


def turntable(frame: int) -> Pose:
    """The potter's wheel."""
    return Pose((-2.35, -0.3, 0.32), turned(Z, 0.23 * (frame - FIRST)))


def clay(frame: int) -> Pose:
    """The lump on it."""
    return Pose((0.0, 0.0, 0.4), turned(X, 0.35)).then(turntable(frame))


def blocks(frame: int) -> Pose:
    """A pile of blocks that turns a little as it grows."""
    return Pose((2.05, -0.5, 0.0), turned(Z, math.radians(12 + 2.5 * (frame - FIRST))))


def toolbox(frame: int) -> Pose:
    """The toolbox slides along the table's edge."""
    return Pose((mix(0.35, 1.0, ease((frame - FIRST) / 14)), -1.35, 0.0), turned(Z, math.radians(-8)))


def butterfly(frame: int) -> Pose:
    """A tin butterfly flutters past."""
    time = frame - FIRST
    bank = quaternion_product(turned(Z, 0.5 + 0.08 * time), turned(Y, 0.35 * math.sin(1.7 * time)))
    return Pose((2.5 - 0.17 * time, -0.9, 2.15 + 0.3 * math.sin(0.5 * time)), bank)


def wide(frame: int) -> Pose:
    """The first camera pushes in slowly."""
    time = (frame - FIRST) / (LAST - FIRST)
    return looking((0.7 - 0.5 * time, -10.4 + 0.6 * time, 2.9 - 0.2 * time), (0.1, 0.0, 2.2))


def close(frame: int) -> Pose:
    """The second one circles the robot's face."""
    time = frame - CUT
    return looking((1.5 - 0.12 * time, -5.2, 2.3 + 0.04 * time), (-0.3, 0.0, 2.85))


CHOREOGRAPHY = Choreography(
    name="workshop",
    first=FIRST,
    last=LAST,
    cameras={
        "Wide": Camera(wide, lens=lambda frame: 37.5),
        "Close": Camera(close, lens=lambda frame: 37.0),
    },
    camera_marks=((FIRST, "Wide"), (CUT, "Close")),
    poses={
        "Wall": Pose((0.0, 2.6, 0.0)),
        "Window": Pose((3.4, 2.4, 2.6)),
        "Board": Pose((-2.5, 2.45, 2.7)),
        "Table": Pose(),
        "Robot body": body,
        "Robot head": head,
        "Robot arm near": near_arm,
        "Robot arm far": far_arm,
        "Bulb": bulb,
        "Rays": rays,
        "Wheel foot": Pose((-2.35, -0.3, 0.0)),
        "Wheel": turntable,
        "Clay": clay,
        "Blocks": blocks,
        "Toolbox": toolbox,
        "Cabinet": Pose((3.45, 0.4, 0.0)),
        "Drawer": Pose((3.45, 0.4, 0.72)),
        "Mug": pose(-1.35, -1.25, 0.0, 30),
        "Butterfly": butterfly,
        "Guide": Pose((0.0, -3.0, 1.0)),
    },
    slides={"Drawer": lambda frame: SLIDE if frame < DRAWER_SHUT else (0.0, 0.0, 0.0)},
    unseen=frozenset({"Guide"}),
    events=(
        *(Event("Clay", frame, "its subdivision changes") for frame, _ in CLAY_STEPS),
        *(Event("Blocks", frame, "its array grows", partly=True) for frame, _ in BLOCK_STEPS),
        Event("Bulb", IDEA, "it appears"),
        Event("Rays", IDEA, "they appear"),
        Event("Toolbox", TOOLBOX_EDGES, "its bevel is switched off"),
        Event("Butterfly", BUTTERFLY_GONE, "it disappears"),
        Event(EVERYTHING, CUT, "the camera is cut"),
    ),
)


def robot_body() -> Shape:
    """Trunk and feet."""
    trunk = card(rounded(1.25, 1.12, 0.28), 0.85, "robot", "robot shade").at(z=0.92)
    trunk.add(card(rounded(0.72, 0.5, 0.12), 0.1, "robot dark").at(0, -0.44, 0.95))
    for index, material in enumerate(("robot coral", "robot eye", "robot")):
        trunk.add(card(circle(0.085, 14), 0.1, material).at(-0.2 + 0.2 * index, -0.5, 0.98))
    trunk.add(cylinder(0.2, 0.3, "robot dark", 14).at(z=1.4))
    for x in (-0.36, 0.36):
        trunk.add(card(rounded(0.46, 0.44, 0.16), 0.9, "robot dark").at(x, -0.05, 0.22))
    return trunk


def robot_head() -> Shape:
    """The head; the origin is its neck."""
    skull = card(rounded(1.75, 1.2, 0.38), 1.0, "robot", "robot shade").at(z=0.66)
    skull.add(card(rounded(1.42, 0.86, 0.26), 0.1, "robot screen").at(0, -0.53, 0.66))
    for x in (-0.36, 0.36):
        skull.add(card(rounded(0.24, 0.4, 0.115), 0.08, "robot eye").at(x, -0.6, 0.74))
        skull.add(cylinder(0.24, 0.16, "robot coral", 16).turn(Y, 90).at(x * 2.44 - 0.08, 0, 0.66))
    smile = [(0.16 * math.cos(math.radians(a)), 0.12 * math.sin(math.radians(a))) for a in range(200, 341, 20)]
    skull.add(tube([(x, -0.6, 0.52 + z) for x, z in smile], [0.03] * len(smile), "robot eye", 6))
    skull.add(cylinder(0.05, 0.4, "robot dark", 8).at(z=1.2)).add(ball(0.15, "robot coral", 14, 10).at(z=1.6))
    return skull


def robot_arm() -> Shape:
    """An arm that hangs from the origin, with a claw."""
    arm = tube([(0, 0, 0.02), (0, 0, -0.62)], [0.13, 0.13], "robot dark", 10)
    arm.add(ball(0.2, "robot coral", 14, 10))
    hand = cylinder(0.2, 0.2, "robot", 14).at(z=-0.8)
    for x in (-0.13, 0.13):
        hand.add(box(0.09, 0.2, 0.24, "robot dark").at(x, 0, -1.0))
    return arm.add(hand)


def bulb_shape() -> Shape:
    """A light bulb, screw downwards."""
    profile = [(0.13, -0.3), (0.2, -0.16), (0.34, 0.08), (0.36, 0.25), (0.25, 0.46), (0.0, 0.55)]
    glass = revolve(profile, "bulb glass", 18)
    for index in range(3):
        glass.add(cylinder(0.14 - 0.01 * index, 0.085, "bulb screw", 14).at(z=-0.39 - 0.1 * index))
    return glass


def board() -> Shape:
    """A pegboard with tools."""
    shape = card(rounded(3.6, 2.1, 0.1), 0.1, "board")
    shape.add(card(rounded(3.8, 2.3, 0.15), 0.06, "board frame").at(y=0.06))
    hammer = join(
        card([(-0.07, -0.6), (0.07, -0.6), (0.07, 0.35), (-0.07, 0.35)], 0.1, "tool red"),
        card([(-0.32, 0.3), (0.25, 0.3), (0.25, 0.58), (-0.32, 0.5)], 0.14, "tool steel"),
    )
    saw = card([(-0.75, -0.15), (0.35, -0.15), (0.35, 0.22), (-0.75, 0.0)], 0.06, "tool steel")
    saw.add(card(rounded(0.45, 0.45, 0.12), 0.1, "tool blue").at(0.5, 0, 0.0))
    spanner = card(rounded(0.16, 1.0, 0.06), 0.08, "tool steel").add(
        card(star(6, 0.26, 0.2), 0.1, "tool steel").at(z=0.55)
    )
    tape = card(circle(0.32, 24), 0.1, "tool red").add(card(circle(0.16, 18), 0.14, "board"))
    shape.add(hammer.at(-1.25, -0.15)).add(saw.at(-0.1, -0.13, 0.55))
    return shape.add(spanner.at(1.2, -0.13, -0.1)).add(tape.at(0.1, -0.13, -0.45))


def window() -> Shape:
    """A window onto the sky."""
    shape = card(rounded(2.5, 2.5, 0.08, 2), 0.12, "window frame").add(box(2.9, 0.5, 0.16, "window frame").at(z=-1.4))
    for x in (-0.6, 0.6):
        for z in (-0.6, 0.6):
            shape.add(card(rounded(1.02, 1.02, 0.05, 2), 0.1, "window sky").at(x, -0.06, z))
    puffs = cloud([(-0.28, 0.14), (-0.02, 0.2), (0.24, 0.12)])
    return shape.add(card(puffs, 0.06, "window cloud").at(-0.6, -0.12, 0.45))


def butterfly_shape() -> Shape:
    """A tin butterfly."""
    shape = tube([(0, -0.24, 0), (0, 0, 0), (0, 0.24, 0)], [0.03, 0.06, 0.03], "butterfly body", 6)
    for side in (-1, 1):
        wing = Shape()
        wing.vertices = [(0.04 * side, -0.18, 0.02), (0.04 * side, 0.2, 0.02), (0.5 * side, 0.36, 0.26)]
        wing.vertices += [(0.52 * side, 0.02, 0.24), (0.36 * side, -0.3, 0.18)]
        wing.face((0, 4, 3, 2, 1), "butterfly")
        shape.add(wing)
    return shape


def build(stage: Any) -> None:
    """Add everything to the stage."""
    wall = box(20, 0.2, 9, "wall").at(z=-3)
    stage.mesh("Wall", wall.add(box(20, 0.1, 1.0, "panelling").at(y=-0.16, z=-0.2)))
    stage.mesh("Window", window())
    stage.mesh("Board", board())
    stage.mesh("Table", plate(rounded(11, 4.4, 0.2), 0.22, "table", "table edge").at(0, 0.1, -0.22))
    stage.mesh("Robot body", robot_body())
    stage.mesh("Robot head", robot_head())
    stage.mesh("Robot arm near", robot_arm())
    stage.mesh("Robot arm far", robot_arm())
    idea = stage.mesh("Bulb", bulb_shape())
    beam = card([(-0.06, 0.62), (0.06, 0.62), (0.03, 0.98), (-0.03, 0.98)], 0.06, "ray")
    shine = stage.mesh("Rays", join(*[beam.turn(Y, 45 * index + 22.5) for index in range(8)]))
    for item in (idea, shine):
        stage.key(item, "hide_render", lambda frame: frame < IDEA, stepped=True)
    stage.mesh("Wheel foot", cylinder(0.3, 0.24, "turntable foot", 16, 0.16))
    wheel = cylinder(0.72, 0.1, "turntable", 28).at(z=-0.08)
    stage.mesh("Wheel", wheel.add(box(0.5, 0.08, 0.02, "turntable foot").at(0.4, 0, 0.02)))

    lump = stage.mesh("Clay", box(1.0, 1.0, 1.0, "clay").at(z=-0.5))
    subdivision = lump.modifiers.new("Subdivision", "SUBSURF")
    subdivision.levels = 1  # the viewport's level is another one, for readers who look at the wrong graph
    stage.key(lump, 'modifiers["Subdivision"].render_levels', stepped(CLAY_STEPS, 0), stepped=True)

    sticker = card(star(5, 0.2, 0.09), 0.08, "tool red").at(0, -0.31, 0.28)
    pile = stage.mesh("Blocks", box(0.62, 0.62, 0.58, "block").add(sticker))
    array = pile.modifiers.new("Array", "ARRAY")
    array.use_relative_offset, array.use_constant_offset = False, True
    array.constant_offset_displace = (0.0, 0.0, 0.6)
    stage.key(pile, 'modifiers["Array"].count', stepped(BLOCK_STEPS, 2), stepped=True)

    chest = box(1.15, 0.55, 0.5, "toolbox").add(box(0.7, 0.1, 0.1, "toolbox handle").at(z=0.66))
    for x in (-0.3, 0.3):
        chest.add(box(0.1, 0.1, 0.2, "toolbox handle").at(x, 0, 0.49))
    item = stage.mesh("Toolbox", chest)
    bevel = item.modifiers.new("Bevel", "BEVEL")
    bevel.width, bevel.segments = 0.09, 2
    stage.key(item, 'modifiers["Bevel"].show_render', lambda frame: frame < TOOLBOX_EDGES, stepped=True)

    cabinet = box(1.5, 1.2, 0.68, "cabinet").add(box(1.5, 1.2, 0.42, "cabinet").at(z=1.3))
    for x in (-0.69, 0.69):
        cabinet.add(box(0.12, 1.2, 0.64, "cabinet").at(x, 0, 0.67))
    cabinet.add(box(1.2, 0.1, 0.64, "cabinet").at(0, 0.5, 0.67))
    stage.mesh("Cabinet", cabinet.shade({"cabinet": "cabinet shade"}))
    tray = box(1.2, 1.0, 0.5, "drawer").at(0, -0.12).add(box(1.24, 0.1, 0.54, "drawer").at(0, -0.64, -0.02))
    item = stage.mesh("Drawer", tray.add(ball(0.1, "knob", 12, 8).at(0, -0.75, 0.26)))
    displace = item.modifiers.new("Displace", "DISPLACE")
    displace.direction, displace.mid_level, displace.strength = "Y", 0.0, SLIDE[1]
    stage.key(item, 'modifiers["Displace"].show_render', lambda frame: frame < DRAWER_SHUT, stepped=True)

    cup = revolve([(0.2, 0.0), (0.22, 0.15), (0.22, 0.32), (0.24, 0.5)], ["mug", "mug stripe", "mug"], 16)
    bow = (0.0, 0.5, 1.0, 1.57, 2.1, 2.6, 3.14)
    handle = [(0.22 + 0.16 * math.sin(a), 0.0, 0.26 + 0.15 * math.cos(a)) for a in bow]
    item = stage.mesh("Mug", cup.add(tube(handle, [0.035] * 7, "mug", 6)))
    item.hide_viewport = True  # drawn in renders all the same
    flutter = stage.mesh("Butterfly", butterfly_shape())
    stage.key(flutter, "hide_render", lambda frame: frame >= BUTTERFLY_GONE, stepped=True)
    item = stage.mesh("Guide", box(4.0, 0.1, 1.0, "guide"))
    item.hide_render = True  # visible to whoever works in the file, never in a picture
