"""A cardboard sea on a little stage, animated on twos: a 12 fps cut of a 24 fps scene, every second frame."""

from __future__ import annotations

import math
from typing import Any

from scenes.motion import Camera, Choreography, Motion
from scenes.shapes import Outline, Shape, arc, box, card, circle, cloud, join, rounded, star, tube
from scenes.transforms import Pose, Y, looking, turned

FIRST, LAST, STEP = 2, 24, 2

BACKGROUND = "#2a3568"
PALETTE = {
    "sky": "#ffd9b0",
    "sky band": "#ffc39a",
    "sky top": "#f79f8c",
    "sun": "#fff2c9",
    "sun ray": "#ffb35c",
    "cloud": "#fff8ec",
    "cloud far": "#ffe3cf",
    "string": "#8a5a6a",
    "wave far": "#7fd0cf",
    "wave middle": "#3fa9bd",
    "wave near": "#2a7fa8",
    "wave front": "#24558c",
    "crest": "#f3fbf6",
    "whale": "#46568f",
    "whale belly": "#dfe6f5",
    "whale eye": "#1c2346",
    "spout": "#bfeaf0",
    "hull": "#c8443f",
    "hull band": "#fff3df",
    "mast": "#7a4a3a",
    "sail": "#fffaf0",
    "sail stripe": "#f08a3c",
    "flag": "#e8433f",
    "rock": "#8c6a7c",
    "tower": "#fff6e6",
    "tower band": "#e8554a",
    "tower light": "#ffe27a",
    "curtain": "#c63a4a",
    "curtain fold": "#9c2c44",
    "fringe": "#f2c14e",
    "stage": "#a8623f",
    "stage edge": "#7f4632",
    "fish": "#ff9d4d",
    "fish fin": "#e86f3a",
}


def phase(frame: int) -> float:
    """Radians; one turn in the 24 frames of a second."""
    return 2 * math.pi * frame / 24


def sliding(y: float, z: float, reach: float, lift: float, delay: float) -> Motion:
    """A row of waves: cardboard on a crank, to and fro and up and down."""

    def motion(frame: int) -> Pose:
        angle = phase(frame) + delay
        return Pose((reach * math.sin(angle), y, z + lift * math.cos(angle)))

    return motion


def boat(frame: int) -> Pose:
    """The boat crosses, riding the waves."""
    angle = phase(frame)
    rock = turned(Y, math.radians(9 * math.sin(angle + 0.8)))
    return Pose((-2.3 + 0.085 * frame + 0.0016 * frame * frame, 0.55, 0.72 + 0.16 * math.sin(angle)), rock)


def whale(frame: int) -> Pose:
    """The whale comes up, blows and goes down."""
    rise = math.sin(math.pi * (frame + 2) / 30) ** 2
    tip = turned(Y, math.radians(14 - 30 * (frame / 24)))
    return Pose((2.35 - 0.035 * frame, 1.35, -0.75 + 1.75 * rise), tip)


def spout(frame: int) -> Pose:
    """Water from the whale's back; it swells with the height."""
    size = 0.25 + 0.75 * math.sin(math.pi * (frame + 1) / 28) ** 2
    return Pose((0.25, 0.06, 0.52), scale=(size, size, size)).then(whale(frame))


def fish(frame: int) -> Pose:
    """A fish jumps over the nearest wave."""
    share = (frame - 1) / 24
    angle = math.pi * share
    turn = turned(Y, math.radians(-62 + 124 * share))
    return Pose((-3.1 + 2.9 * share, -0.75, -0.75 + 2.0 * math.sin(angle)), turn)


def sun(frame: int) -> Pose:
    """The sun's rays turn, faster and faster."""
    return Pose((1.15, 4.6, 3.35), turned(Y, -0.012 * frame - 0.0009 * frame * frame))


def hanging(x: float, y: float, z: float, delay: float) -> Motion:
    """A cloud on a string that swings from the flies."""

    def motion(frame: int) -> Pose:
        return Pose((x, y, z), turned(Y, math.radians(7 * math.sin(phase(frame) + delay))))

    return motion


def curtain(side: int) -> Motion:
    """The curtains breathe."""

    def motion(frame: int) -> Pose:
        angle = math.radians(side * (2 + 1.5 * math.sin(phase(frame) + side)))
        return Pose((side * 4.35, -2.0, 4.9), turned(Y, angle))

    return motion


def camera(frame: int) -> Pose:
    """The camera nods with the music."""
    angle = phase(frame)
    location = (0.25 * math.sin(angle), -11.0 + 0.3 * math.cos(angle), 2.05 + 0.1 * math.sin(2 * angle))
    return looking(location, (0.0, 0.0, 1.75))


CHOREOGRAPHY = Choreography(
    name="postcard",
    first=FIRST,
    last=LAST,
    step=STEP,
    cameras={"Camera": Camera(camera, lens=lambda frame: 40.0)},
    poses={
        "Backdrop": Pose((0.0, 6.0, 0.0)),
        "Sun rays": sun,
        "Sun": Pose((1.15, 4.35, 3.35)),
        "Cloud 1": hanging(-2.9, 3.4, 6.6, 0.0),
        "Cloud 2": hanging(3.6, 2.6, 6.9, 1.9),
        "Cloud 3": hanging(-0.7, 3.9, 6.5, 3.6),
        "Lighthouse": Pose((-3.9, 2.4, 0.4)),
        "Wave far": sliding(2.0, 0.62, 0.35, 0.08, 0.0),
        "Whale": whale,
        "Spout": spout,
        "Wave middle": sliding(0.95, 0.3, -0.4, 0.1, 1.1),
        "Boat": boat,
        "Wave near": sliding(0.05, -0.02, 0.45, 0.1, 2.3),
        "Fish": fish,
        "Wave front": sliding(-1.3, -0.38, -0.5, 0.12, 3.2),
        "Stage": Pose((0.0, -2.2, -0.05)),
        "Curtain left": curtain(-1),
        "Curtain right": curtain(1),
        "Valance": Pose((0.0, -2.25, 4.25)),
    },
)


def waves(crests: int, width: float, height: float, depth: float) -> Outline:
    """A row of curling crests above a base."""
    pitch = width / crests
    outline: list[tuple[float, float]] = [(-width / 2, -depth), (width / 2, -depth)]
    for index in range(crests):
        right = width / 2 - pitch * index
        for share, level in ((0.0, 0.0), (0.14, 0.12), (0.3, 0.45), (0.42, 0.85), (0.5, 1.0), (0.6, 0.92), (0.7, 0.62)):
            outline.append((right - pitch * share, height * level))
        outline += [(right - pitch * 0.82, height * 0.3), (right - pitch * 0.92, height * 0.08)]
    return [*outline, (-width / 2, 0.0)]


def wave_row(crests: int, material: str, height: float) -> Shape:
    """One row of cardboard waves with white caps."""
    width = 12.0
    shape = card(waves(crests, width, height, 1.6), 0.08, material)
    pitch = width / crests
    cap = [(-0.12, 0.62), (0.08, 0.86), (0.17, 0.8), (0.06, 1.02), (-0.02, 1.04), (-0.12, 0.93)]
    for index in range(crests):
        middle = width / 2 - pitch * (index + 0.5)
        shape.add(card([(middle + pitch * x, height * z) for x, z in cap][::1], 0.05, "crest").at(y=-0.05))
    return shape


def whale_shape() -> Shape:
    """A whale in profile, swimming to the left."""
    outline = [(-1.15, -0.12), (-0.9, -0.38), (-0.2, -0.52), (0.5, -0.4), (1.0, -0.05), (1.3, 0.35), (1.62, 0.42)]
    outline += [(1.85, 0.62), (1.6, 0.72), (1.42, 0.66), (1.3, 0.92), (1.12, 1.0), (1.1, 0.7), (0.98, 0.44)]
    outline += [(0.6, 0.34), (0.2, 0.52), (-0.4, 0.58), (-0.9, 0.42), (-1.15, 0.14)]
    belly = [(-1.05, -0.16), (-0.85, -0.34), (-0.2, -0.47), (0.42, -0.36), (0.1, -0.22), (-0.5, -0.14)]
    fin = [(-0.3, -0.25), (0.05, -0.25), (0.3, -0.75), (0.0, -0.62)]
    shape = card(outline, 0.1, "whale").add(card(belly, 0.06, "whale belly").at(y=-0.06))
    shape.add(card(circle(0.07, 12), 0.06, "whale eye").at(-0.82, -0.07, 0.08))
    return shape.add(card(fin, 0.06, "whale").at(y=-0.1))


def spout_shape() -> Shape:
    """Two plumes rising from the origin."""
    plume = [(-0.05, 0.0), (0.05, 0.0), (0.1, 0.35), *arc(0.16, -20, 200, 8, 0.3, 0.5), (0.0, 0.42)]
    other = [(-x, z) for x, z in reversed(plume)]
    return join(card(plume, 0.04, "spout"), card(other, 0.04, "spout").at(y=0.05))


def boat_shape() -> Shape:
    """A sailing boat in profile, bow to the right."""
    shape = card([(-0.95, 0.18), (-0.7, -0.3), (0.62, -0.3), (1.1, 0.22)], 0.1, "hull")
    shape.add(card([(-0.9, 0.1), (-0.82, -0.06), (0.93, -0.03), (1.03, 0.12)], 0.06, "hull band").at(y=-0.06))
    shape.add(card([(-0.04, 0.15), (0.04, 0.15), (0.04, 2.1), (-0.04, 2.1)], 0.06, "mast").at(y=0.08))
    shape.add(card([(-0.85, 0.4), (-0.08, 0.36), (-0.08, 1.95)], 0.05, "sail"))
    shape.add(card([(0.09, 0.36), (0.85, 0.42), (0.09, 1.65)], 0.05, "sail stripe"))
    return shape.add(card([(0.02, 2.05), (-0.42, 1.95), (0.02, 1.83)], 0.04, "flag").at(y=0.02))


def lighthouse() -> Shape:
    """A lighthouse on its rock, in profile."""
    shape = card([(-1.2, -0.8), (1.1, -0.8), (0.8, 0.1), (0.4, 0.32), (-0.5, 0.36), (-0.9, 0.05)], 0.1, "rock")
    for index in range(4):
        low, high, base, top = 0.36 - 0.03 * index, 0.33 - 0.03 * index, 0.3 + 0.42 * index, 0.72 + 0.42 * index
        band = [(-low, base), (low, base), (high, top), (-high, top)]
        shape.add(card(band, 0.1, "tower band" if index % 2 else "tower").at(y=0.11))
    shape.add(card([(-0.17, 2.0), (0.17, 2.0), (0.17, 2.3), (-0.17, 2.3)], 0.1, "tower light").at(y=0.1))
    return shape.add(card([(-0.28, 2.3), (0.28, 2.3), (0.0, 2.62)], 0.12, "tower band").at(y=0.1))


def drape() -> Shape:
    """A curtain hanging from the origin in folds."""
    shape = Shape()
    for index in range(5):
        left, foot, hem = -0.72 + 0.36 * index, -1.0 + 0.4 * index, -5.4 + 0.12 * (index % 2)
        fold = [(left, 0.3), (foot, hem), (foot + 0.38, hem), (left + 0.36, 0.3)]
        shape.add(card(fold, 0.12, "curtain fold" if index % 2 else "curtain").at(y=0.14 * (index % 2)))
    return shape


def build(stage: Any) -> None:
    """Add everything to the stage."""
    backdrop = card(rounded(14, 11, 0.1, 1), 0.1, "sky").at(z=1.0)
    top = [(7, 6.6), (-7, 6.6), (-7, 4.6), *[(-7 + x, 4.6 + 0.25 * math.sin(1.3 * x)) for x in range(1, 14)], (7, 4.6)]
    band = [(7, 6.6), (-7, 6.6), *[(-7 + x, 2.9 + 0.25 * math.sin(1.1 * x + 2)) for x in range(15)]]
    backdrop.add(card(band, 0.06, "sky band").at(y=-0.1)).add(card(top, 0.06, "sky top").at(y=-0.2))
    stage.mesh("Backdrop", backdrop)
    stage.mesh("Sun rays", card(star(14, 1.75, 1.3), 0.06, "sun ray"))
    stage.mesh("Sun", card(circle(1.12, 40), 0.1, "sun"))
    for index, (material, puffs) in enumerate(
        (
            ("cloud", [(-0.75, 0.4), (0.0, 0.62), (0.75, 0.42)]),
            ("cloud", [(-0.6, 0.45), (0.15, 0.6), (0.85, 0.34)]),
            ("cloud far", [(-0.5, 0.3), (0.0, 0.44), (0.55, 0.32)]),
        )
    ):
        drop = (-3.1, -3.5, -2.75)[index]
        shape = card(cloud(puffs), 0.08, material).at(z=drop)
        shape.add(tube([(0, 0.06, drop + 0.3), (0, 0.06, 0.4)], [0.02, 0.02], "string", 4))
        stage.mesh(f"Cloud {index + 1}", shape)
    stage.mesh("Lighthouse", lighthouse())
    for index, name in enumerate(("far", "middle", "near", "front")):
        stage.mesh(f"Wave {name}", wave_row((10, 8, 7, 6)[index], f"wave {name}", (0.42, 0.55, 0.66, 0.8)[index]))
    stage.mesh("Whale", whale_shape())
    stage.mesh("Spout", spout_shape())
    stage.mesh("Boat", boat_shape())
    sides = [(0.42, 0.0), (0.2, 0.16), (-0.15, 0.15), (-0.4, 0.03), (-0.4, -0.03), (-0.15, -0.15), (0.2, -0.16)]
    body = card(sides, 0.06, "fish")
    body.add(card([(-0.36, 0.0), (-0.62, 0.2), (-0.55, 0.0), (-0.62, -0.2)], 0.06, "fish fin").at(y=0.06))
    stage.mesh("Fish", body.add(card(circle(0.04, 8), 0.04, "whale eye").at(0.22, -0.05, 0.04)))
    stage.mesh("Stage", box(13, 0.5, 0.4, "stage").at(z=-0.4).add(box(13, 0.6, 0.16, "stage edge").at(z=-0.05)))
    stage.mesh("Curtain left", drape())
    stage.mesh("Curtain right", drape())
    scallops = [point for index in range(9) for point in arc(0.55, 360, 180, 8, 4.4 - 1.1 * index, -0.25)]
    hem = [(5.2, 1.2), (-5.2, 1.2), *reversed(scallops)]
    fringe = card([(-5.2, -0.2), (5.2, -0.2), (5.2, -0.02), (-5.2, -0.02)], 0.08, "fringe")
    stage.mesh("Valance", card(hem, 0.12, "curtain").add(fringe.at(y=-0.12)))
