"""A crash zoom down an avenue to a statue, from a shaken tripod that rolls, then a cut to a second camera.

    blender --background --factory-startup --python scenes/conversions/vertigo.py

builds ``vertigo.blend`` beside it; run it with Blender 3.4, whose files later versions read.  What there is to convert:
an animated focal length with depth of field on the statue, and timeline markers that switch cameras.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT))

from scenes.motion import Camera, Choreography, Motion  # noqa: E402
from scenes.shapes import (  # noqa: E402
    Shape,
    ball,
    box,
    capsule,
    card,
    circle,
    cone,
    cylinder,
    ellipsoid,
    hills,
    plate,
    pose,
    revolve,
    rounded,
    star,
)
from scenes.transforms import Pose, Vector, Y, Z, ease, looking, mix, turned  # noqa: E402

FIRST, CUT, LAST = 1, 9, 12

BACKGROUND = "#f6c9a0"
PALETTE = {
    "lawn": "#7fae62",
    "lawn light": "#93c06f",
    "path": "#e9d3ac",
    "path dark": "#dcc095",
    "curb": "#b89a78",
    "trunk": "#7a5140",
    "leaf": "#4f9468",
    "leaf shade": "#35735a",
    "hedge": "#5da06a",
    "hedge shade": "#43805a",
    "iron": "#3b4256",
    "lamp": "#fff0c2",
    "stone": "#d8d3cb",
    "stone shade": "#b3aca8",
    "bronze": "#5f9a93",
    "bronze shade": "#437872",
    "gold": "#f2b544",
    "palace": "#f3dfc6",
    "palace shade": "#d5b99c",
    "roof": "#7d6b8f",
    "roof shade": "#665676",
    "window": "#6f7fa6",
    "far hill": "#d59a86",
    "sun": "#fff2cf",
    "balloon": "#e5484d",
    "balloon shade": "#b9363f",
    "string": "#5a3d3d",
    "dove": "#fffaf2",
    "wing": "#d9d5e0",
}

STATUE: Vector = (0.0, 0.0, 0.0)
EYES: Vector = (0.0, 0.0, 3.1)
"""Middle of the statue, on which the first camera focuses."""

LIGHT: Vector = (-0.8, -0.6, 0.0)
"""Level, so that the shadow of a round thing ends in a straight line."""

TREES = tuple((side * 4.6, -19.0 + 3.6 * row) for row in range(13) for side in (-1, 1))
LAMPS = tuple((side * 3.2, -17.2 + 7.2 * row) for row in range(6) for side in (-1, 1))
DOVES = ((-1.6, -3.0, 4.6, 0.0), (1.2, -5.0, 5.3, 0.9), (2.6, -1.5, 5.9, 1.9))


def share(frame: int) -> float:
    """0 on the first frame, 1 at the cut."""
    return (frame - FIRST) / (CUT - 1 - FIRST)


def tripod(frame: int) -> Pose:
    """It rolls to the side, and is scaled as things in films are."""
    return Pose((mix(-1.1, 0.5, ease(share(frame))), -21.0, 0.0), turned(Z, 0.0), (1.6, 1.6, 1.6))


def head(frame: int) -> Pose:
    """The camera on the tripod, in the tripod's coordinates, aimed at the statue."""
    here = tripod(frame).location
    aim = tuple((there - own) / 1.6 for there, own in zip(EYES, here, strict=True))
    sway = 0.04 * math.sin(1.3 * frame)
    return looking((sway, -sway, 1.15 + 0.5 * sway), aim)  # type: ignore[arg-type]


def lens(frame: int) -> float:
    """The zoom, mm."""
    return mix(26.0, 44.0, share(frame))


def second(frame: int) -> Pose:
    """A low camera that passes the statue."""
    time = (frame - CUT) / (LAST - CUT)
    return looking((mix(-2.4, -1.5, time), -6.0, 1.0), (0.4, 0.0, 3.0))


def dove(x: float, y: float, z: float, start: float) -> Motion:
    """A bird that circles."""

    def motion(frame: int) -> Pose:
        angle = start + 0.16 * (frame - FIRST)
        place = (x + 1.6 * math.cos(angle), y + 1.6 * math.sin(angle), z + 0.2 * math.sin(2 * angle))
        return Pose(place, turned(Z, angle + math.pi), (0.8, 0.8, 0.8))

    return motion


def balloon(frame: int) -> Pose:
    """A lost balloon rises beside the path."""
    time = frame - FIRST
    return Pose((1.9 + 0.05 * math.sin(time), -7.0, 1.6 + 0.14 * time), turned(Y, 0.1 * math.sin(0.7 * time)))


CHOREOGRAPHY = Choreography(
    name="vertigo",
    first=FIRST,
    last=LAST,
    cameras={"Zoom": Camera(head, lens=lens, clip=(0.5, 120.0)), "Second": Camera(second, lens=lambda frame: 24.0)},
    camera_marks=((FIRST, "Zoom"), (CUT, "Second")),
    poses={
        "Tripod": tripod,
        "Lawn": Pose(),
        "Path": Pose(),
        "Hedges": Pose(),
        "Palace": Pose((0.0, 34.0, 0.0)),
        "Hills": Pose((0.0, 75.0, 0.0)),
        "Sun": Pose((-9.0, 85.0, 15.0)),
        "Pedestal": Pose(STATUE),
        "Statue": Pose((0.0, 0.0, 1.7)),
        "Focus": Pose(EYES),
        "Balloon": balloon,
        **{f"Tree {i + 1}": pose(x, y, 0.0, 0.0, 1.0 + 0.08 * math.sin(5 * i)) for i, (x, y) in enumerate(TREES)},
        **{f"Lamp {i + 1}": pose(x, y, 0.0) for i, (x, y) in enumerate(LAMPS)},
        **{f"Dove {i + 1}": dove(*places) for i, places in enumerate(DOVES)},
    },
)


def shaded(shape: Shape, material: str, threshold: float = 0.0) -> Shape:
    """What turns away from the light wears the darker material."""
    return shape.shade({material: f"{material} shade"}, LIGHT, threshold)


def path() -> Shape:
    """Slabs between curbs, and a round place about the statue."""
    whole = Shape()
    for row in range(8):
        whole.add(box(4.4, 8.0, 0.04, "path" if row % 2 else "path dark").at(0, -26.0 + 8.0 * row, 0))
    for side in (-1, 1):
        whole.add(box(0.3, 64.0, 0.16, "curb").at(2.35 * side, 2.0, 0))
    return whole.add(plate(circle(3.9, 40), 0.07, "path")).add(plate(circle(3.2, 40), 0.1, "path dark"))


def pedestal() -> Shape:
    """Steps and a block with a plaque."""
    shape = box(3.0, 3.0, 0.3, "stone").add(box(2.3, 2.3, 0.3, "stone").at(z=0.3))
    shape.add(box(1.5, 1.5, 1.0, "stone").at(z=0.6)).add(box(1.8, 1.8, 0.15, "stone").at(z=1.55))
    shape = shaded(shape, "stone")
    return shape.add(card(rounded(0.8, 0.45, 0.06, 2), 0.06, "gold").at(0, -0.77, 1.1))


def statue() -> Shape:
    """A robed figure that holds up a star."""
    robe = [(0.0, 0.0), (0.62, 0.0), (0.56, 0.25), (0.44, 0.8), (0.3, 1.35), (0.36, 1.75), (0.27, 2.0), (0.0, 2.08)]
    shape = revolve(robe, "bronze", 20)
    shape.add(capsule((0.3, 0.0, 1.8), (0.62, -0.12, 2.4), 0.13, 0.11, "bronze", 12))
    shape.add(capsule((0.62, -0.12, 2.4), (0.66, -0.16, 3.0), 0.11, 0.09, "bronze", 12))
    shape.add(capsule((-0.3, 0.0, 1.8), (-0.52, -0.22, 1.35), 0.13, 0.11, "bronze", 12))
    shape.add(capsule((-0.52, -0.22, 1.35), (-0.12, -0.42, 1.3), 0.11, 0.09, "bronze", 12))
    shape.add(cylinder(0.1, 0.2, "bronze", 12).at(z=2.03)).add(ball(0.28, "bronze", 18, 12).at(z=2.42))
    shape.add(ellipsoid(0.32, 0.3, 0.2, "bronze", 18, 8).at(0, 0.06, 2.58))
    shape = shaded(shape, "bronze")
    shape.add(card([(-0.36, -0.1), (-0.02, -0.1), (-0.02, 0.12), (-0.36, 0.12)], 0.3, "stone").at(-0.02, -0.42, 1.32))
    return shape.add(card(star(5, 0.42, 0.18), 0.16, "gold").at(0.67, -0.17, 3.42))


def tree() -> Shape:
    """A poplar."""
    crown = shaded(ellipsoid(1.0, 1.0, 2.7, "leaf", 16, 12).at(z=3.9), "leaf")
    return cylinder(0.16, 1.6, "trunk", 8).add(crown)


def lamp() -> Shape:
    """A lantern on a post."""
    shape = cylinder(0.12, 0.25, "iron", 10).add(cylinder(0.05, 2.6, "iron", 8))
    return shape.add(ball(0.24, "lamp", 14, 10).at(z=2.8)).add(cone(0.2, 0.18, "iron", 10).at(z=3.0))


def palace() -> Shape:
    """A long front with wings, a dome and many windows."""
    shape = box(30, 6, 6.5, "palace").add(box(9, 8, 9.0, "palace"))
    shape.add(box(31, 6.6, 0.5, "stone").at(z=6.5)).add(box(9.8, 8.8, 0.5, "stone").at(z=9.0))
    shape = shaded(shape, "palace")
    dome = [(3.4, 0.0), (3.3, 1.2), (2.6, 2.6), (1.4, 3.6), (0.5, 4.1), (0.5, 4.8), (0.0, 5.6)]
    shape.add(shaded(revolve(dome, "roof", 20).at(z=9.5), "roof"))
    for column in range(-6, 7):
        wide = abs(column) < 2
        for row in (0, 1):
            front = -4.0 if wide else -3.0
            shape.add(card(rounded(0.9, 1.7, 0.3, 3), 0.16, "window").at(2.2 * column, front, 2.0 + 2.9 * row))
    return shape.add(card(rounded(1.2, 1.4, 0.4, 3), 0.16, "window").at(0, -4.0, 7.8))


def balloon_shape() -> Shape:
    """A balloon and its string."""
    shape = shaded(ellipsoid(0.36, 0.36, 0.44, "balloon", 16, 10), "balloon")
    return shape.add(cone(0.07, 0.1, "balloon", 8).at(z=-0.52)).add(cylinder(0.012, 0.9, "string", 5).at(z=-1.4))


def dove_shape() -> Shape:
    """A bird along +Y, wings out."""
    shape = ellipsoid(0.1, 0.26, 0.09, "dove", 12, 8).add(ball(0.08, "dove", 10, 6).at(0, 0.26, 0.05))
    for side in (-1, 1):
        wing = [(0.0, -0.12), (0.55, -0.2), (0.62, -0.05), (0.0, 0.14)]
        outline = wing if side > 0 else [(-x, y) for x, y in reversed(wing)]
        shape.add(plate(outline, 0.03, "wing").turn(Y, -18 * side).at(z=0.03))
    return shape


def build(stage: Any) -> None:
    """Add everything to the stage."""
    lawn = box(120, 160, 0.3, "lawn").at(0, 40, -0.32)
    for row in range(3):
        lawn.add(box(120, 5, 0.02, "lawn light").at(0, -24 + 10 * row, -0.02))
    stage.mesh("Lawn", lawn)
    stage.mesh("Path", path())
    hedges = Shape()
    for side in (-1, 1):
        for start, length in ((-24.0, 19.0), (5.0, 24.0)):
            hedges.add(box(0.9, length, 0.9, "hedge").at(6.6 * side, start + length / 2, 0))
    stage.mesh("Hedges", shaded(hedges, "hedge"))
    stage.mesh("Palace", palace())
    profile = hills(340, lambda x: 7 + 3.5 * math.sin(x / 13) + 2 * math.sin(x / 5.3 + 1), -2.0, 90)
    stage.mesh("Hills", card(profile, 1.0, "far hill"))
    stage.mesh("Sun", card(circle(7.0, 40), 0.2, "sun"))
    stage.mesh("Pedestal", pedestal())
    stage.mesh("Statue", statue())
    stage.mesh("Balloon", balloon_shape())
    poplar, lantern, bird = tree(), lamp(), dove_shape()
    for index in range(len(TREES)):
        stage.mesh(f"Tree {index + 1}", poplar)
    for index in range(len(LAMPS)):
        stage.mesh(f"Lamp {index + 1}", lantern)
    for index in range(len(DOVES)):
        stage.mesh(f"Dove {index + 1}", bird)
    hang_camera(stage)


def hang_camera(stage: Any) -> None:
    """The first camera stands on the tripod, shakes more than is keyed, and focuses on the statue."""
    camera = stage.scene.objects["Zoom"]
    camera.parent = stage.add("Tripod", None)
    for curve in camera.animation_data.action.fcurves:
        if curve.data_path == "location":
            shake = curve.modifiers.new("NOISE")
            shake.scale, shake.strength, shake.phase = 2.3, 0.06, 7.0 * curve.array_index
    focus = camera.data.dof
    focus.use_dof, focus.aperture_fstop = True, 1.4
    focus.focus_object = stage.add("Focus", None)


def main() -> None:
    """Build the file and say how large it became."""
    from scenes.toolkit import Stage

    stage = Stage(CHOREOGRAPHY, PALETTE, BACKGROUND)
    build(stage)
    target = Path(__file__).with_suffix(".blend")
    stage.save(target)
    print(f"built {target.name}: {target.stat().st_size / 1e3:.0f} kB, {stage.triangles()} triangles")


if __name__ == "__main__":
    main()
