"""A night street on a film set, lit for a renderer: fog, panels, blockers, bulbs, a will-o'-the-wisp, glints in eyes.

    blender --background --factory-startup --python scenes/conversions/backlot.py

builds ``backlot.blend`` beside it; run it with Blender 3.4, whose files later versions read.  What there is to convert:
everything that the rules of ``remove`` know, and beside each what looks like it and must stay (a moon that is paint, a
screen whose image shines); depth of field, motion blur, a film look, and colours that stand in shader nodes only.
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
    join,
    plate,
    revolve,
    rounded,
)
from scenes.transforms import Pose, Y, Z, looking, turned  # noqa: E402

FIRST, LAST = 1, 10

BACKGROUND = "#1f2b4d"
PALETTE = {
    "street": "#4a5578",
    "curb": "#6b7699",
    "brick": "#8c5562",
    "brick dark": "#6f4254",
    "plaster": "#5f7b93",
    "plaster dark": "#4a6279",
    "roof": "#38466b",
    "window": "#26335a",
    "door": "#b5763f",
    "iron": "#2a3146",
    "moon": "#f7efc8",
    "robot": "#e8e4da",
    "robot dark": "#b9b3ab",
    "robot trim": "#e2674a",
    "face": "#39456b",
    "eye": "#9be3e0",
    "screen": "#ffffff",
    "screen box": "#3b3f55",
    "bulb": "#fff3c4",
    "wisp": "#c9ffe9",
    "glint": "#ffffff",
    "panel": "#ffffff",
    "board": "#202020",
    "fog": "#ffffff",
    "catcher": "#808080",
    "cage": "#ffffff",
}

EMISSION = {"bulb": 40.0, "wisp": 25.0, "glint": 8.0, "panel": 12.0, "moon": 1.0}
"""Strengths of what shines; 1 is plain paint."""


def walk(frame: int) -> Pose:
    """The robot waddles across the street."""
    time = frame - FIRST
    return Pose((-1.5 + 0.17 * time, -0.4, 0.05 * abs(math.sin(1.1 * time))), turned(Y, 0.07 * math.sin(1.1 * time)))


def float_about(frame: int) -> Pose:
    """The will-o'-the-wisp circles above the street."""
    time = frame - FIRST
    return Pose((1.5 + 0.25 * math.cos(0.6 * time), -1.2, 1.75 + 0.14 * math.sin(0.9 * time)))


def camera(frame: int) -> Pose:
    """A slow push along the street."""
    time = (frame - FIRST) / (LAST - FIRST)
    return looking((-0.5 + 0.7 * time, -8.2 + 0.5 * time, 1.7), (0.2, 0.0, 1.55))


def follows(motion: Motion, dx: float, dy: float, dz: float) -> Motion:
    """A motion from another place."""

    def moved(frame: int) -> Pose:
        pose = motion(frame)
        x, y, z = pose.location
        return Pose((x + dx, y + dy, z + dz), pose.rotation, pose.scale)

    return moved


CHOREOGRAPHY = Choreography(
    name="backlot",
    first=FIRST,
    last=LAST,
    cameras={"Camera": Camera(camera, lens=lambda frame: 35.0, clip=(0.1, 100.0))},
    poses={
        "Street": Pose(),
        "Houses": Pose((0.0, 4.2, 0.0)),
        "Moon": Pose((5.6, 22.0, 8.2)),
        "Robot": walk,
        "Cage": follows(walk, 0.0, 0.0, 0.0),
        "Street lamp left": Pose((-3.3, 0.9, 0.0)),
        "Street lamp right": Pose((2.9, 0.9, 0.0)),
        "Wisp": float_about,
        "Screen": Pose((0.62, 3.3, 2.5)),
        "Soft box": Pose((3.6, -1.6, 1.5), turned(Z, 0.6)),
        "Bounce panel": Pose((-2.6, -4.6, 1.2), turned(Z, -0.4)),
        "Light blocker": Pose((1.4, -5.4, 2.0)),
        "Fog": Pose((0.0, 0.0, -0.5)),
        "Shadow catcher": Pose((0.0, -2.0, 0.02)),
    },
)


def house(width: float, height: float, wall: str, shade: str, roof: bool) -> Shape:
    """A front with rows of windows."""
    shape = box(width, 1.2, height, wall)
    shape.add(box(width, 0.1, 0.35, shade).at(y=-0.62))
    rows = int(height / 1.25)
    for row in range(1, rows):
        for column in range(int(width / 0.95)):
            x = -width / 2 + 0.55 + 0.95 * column
            shape.add(card(rounded(0.5, 0.75, 0.08), 0.08, "window").at(x, -0.62, 0.35 + 1.2 * row))
    if roof:
        shape.add(
            plate([(-width / 2, -0.7), (width / 2, -0.7), (width / 2, 0.6), (-width / 2, 0.6)], 0.7, "roof").at(
                z=height
            )
        )
    return shape


def robot() -> Shape:
    """A round robot that looks at the camera; the glints float before its eyes as pieces of their own."""
    body = revolve([(0.0, 0.35), (0.42, 0.4), (0.55, 0.75), (0.48, 1.15), (0.0, 1.25)], "robot", 28)
    body.add(box(0.36, 0.08, 0.3, "robot trim").at(0, -0.5, 0.72))
    head = ellipsoid(0.52, 0.45, 0.4, "robot", 28, 14).at(z=1.62)
    head.add(ellipsoid(0.4, 0.12, 0.25, "face", 24, 10).at(0, -0.37, 1.62))
    for side in (-1, 1):
        head.add(ellipsoid(0.1, 0.05, 0.13, "eye", 18, 10).at(0.17 * side, -0.47, 1.64))
        head.add(ball(0.032, "glint", 12, 8).at(0.17 * side + 0.04, -0.56, 1.7))
        head.add(cylinder(0.07, 0.12, "robot trim", 14).turn(Y, 90 * side).at(0.5 * side, 0, 1.62))
        body.add(capsule((0.5 * side, 0, 1.05), (0.72 * side, -0.1, 0.62), 0.11, 0.14, "robot dark"))
        body.add(capsule((0.22 * side, 0, 0.45), (0.24 * side, -0.05, 0.1), 0.14, 0.17, "robot dark"))
    antenna = cylinder(0.02, 0.3, "iron", 8).at(z=2.0)
    antenna.add(ball(0.07, "robot trim", 14, 8).at(z=2.33))
    return join(body, head, antenna)


def street_lamp() -> Shape:
    """A lamp whose bulb is a piece of its own."""
    post = cylinder(0.07, 2.75, "iron", 10, 0.05)
    post.add(cylinder(0.2, 0.12, "iron", 14, 0.12))
    post.add(cone(0.34, 0.2, "iron", 14).at(z=3.16))
    post.add(cylinder(0.2, 0.06, "iron", 14).at(z=2.72))
    for side in (-1, 1):
        post.add(cylinder(0.02, 0.46, "iron", 6).at(0.22 * side, 0.0, 2.74))
    return post.add(ball(0.19, "bulb", 16, 10).at(z=2.97))


def build(stage: Any) -> None:
    """Add everything to the stage."""
    street = box(40, 24, 0.3, "street").at(0, 4, -0.3)
    stage.mesh("Street", street.add(box(40, 0.5, 0.16, "curb").at(0, 2.9)))
    houses = house(3.6, 3.4, "brick", "brick dark", True).at(-4.0)
    houses.add(house(2.8, 4.4, "plaster", "plaster dark", True).at(-0.75))
    houses.add(house(4.2, 3.0, "brick dark", "brick", True).at(2.8))
    houses.add(card(rounded(0.7, 1.5, 0.06), 0.12, "door").at(-0.75, -0.68, 0.75))
    stage.mesh("Houses", houses)
    stage.mesh("Moon", card(circle(2.1, 40), 0.1, "moon"))
    stage.mesh("Robot", robot())
    for side in ("left", "right"):
        stage.mesh(f"Street lamp {side}", street_lamp())
    stage.mesh("Wisp", ball(0.16, "wisp", 16, 10))
    television = card(rounded(1.0, 0.7, 0.08), 0.2, "screen box")
    stage.mesh("Screen", television.add(card(rounded(0.84, 0.54, 0.05), 0.02, "screen").at(0, -0.12)))

    stage.mesh("Soft box", card(rounded(1.3, 1.7, 0.05), 0.05, "panel"))
    stage.mesh("Bounce panel", card(rounded(2.6, 2.0, 0.05), 0.05, "panel")).visible_camera = False
    stage.mesh("Light blocker", card(rounded(1.6, 1.2, 0.02), 0.02, "board")).visible_camera = False
    stage.mesh("Fog", box(30, 18, 7, "fog"))
    catcher = plate([(-6, -2), (6, -2), (6, 2), (-6, 2)], 0.02, "catcher")
    stage.mesh("Shadow catcher", catcher).is_shadow_catcher = True
    cage = stage.mesh("Cage", box(1.9, 1.4, 2.6, "cage"))
    cage.data.materials.clear()
    cage.display_type = "WIRE"
    for name in PALETTE:
        shade(stage, name)
    spoil(stage)


def shade(stage: Any, name: str) -> None:
    """Move a colour from the viewport, where Workbench takes it from, into shader nodes, where a film has it."""
    import bpy

    from scenes.toolkit import linear

    material = stage.material(name)
    color = linear(PALETTE[name])
    material.diffuse_color = (0.8, 0.8, 0.8, 1.0)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    if name == "fog":
        volume = tree.nodes.new("ShaderNodeVolumePrincipled")
        volume.inputs["Density"].default_value = 0.02
        tree.links.new(volume.outputs[0], output.inputs["Volume"])
        return
    if name in EMISSION:
        shader = tree.nodes.new("ShaderNodeEmission")
        shader.inputs["Strength"].default_value = EMISSION[name]
        shader.inputs["Color"].default_value = color
    elif name == "screen":
        shader = tree.nodes.new("ShaderNodeEmission")
        shader.inputs["Strength"].default_value = 6.0
        image = bpy.data.images.new("programme", 4, 4)
        image.pixels = [*linear("#7fd6c2")] * 16
        image.pack()
        texture = tree.nodes.new("ShaderNodeTexImage")
        texture.image = image
        tree.links.new(texture.outputs[0], shader.inputs["Color"])
    else:
        shader = tree.nodes.new("ShaderNodeBsdfDiffuse")
        shader.inputs["Color"].default_value = color
    tree.links.new(shader.outputs[0], output.inputs["Surface"])


def spoil(stage: Any) -> None:
    """Switch on what a film has switched on."""
    scene = stage.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 16
    scene.render.use_motion_blur = True
    scene.view_settings.view_transform = "Filmic"
    focus = scene.camera.data.dof
    focus.use_dof, focus.focus_distance, focus.aperture_fstop = True, 7.8, 0.4


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
