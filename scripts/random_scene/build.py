"""Builds a random scene from a seed."""

from __future__ import annotations

import functools
from pathlib import Path

import bpy
from mathutils import Euler, Vector

from random_scene import instancers, modifiers, others
from random_scene.stage import FRAMES, Recipe, Stage
from random_scene.truth import Proof

SIZES = ((160, 90), (192, 108), (208, 117), (240, 135))

ORDINARY: dict[str, Recipe] = instancers.ORDINARY | others.ORDINARY
RENUMBERING: dict[str, Recipe] = {
    **{name: functools.partial(modifiers.renumbered_stack, name=name) for name in modifiers.CARRIED},
    **{name: functools.partial(modifiers.new_stack, name=name) for name in modifiers.NEW},
    **instancers.RENUMBERING,
    **others.RENUMBERING,
}

PLACES = [(x, z) for z in (1.4, -1.4) for x in (-2.8, 0.0, 2.8)]
RENUMBERED = 2
"""Of the six objects of a scene so many are of the kinds that Blender renumbers or makes anew."""


def build(seed: int, folder: Path) -> Stage:
    """Build the scene of a seed into the empty file that is open.

    Args:
        seed: Names the scene.
        folder: Where files go that it reads.

    Returns:
        The stage, whose scene is ready to be saved.
    """
    stage = Stage(seed, folder)
    rng = stage.rng
    scene = stage.scene
    scene.frame_start, scene.frame_end = FRAMES[0], FRAMES[-1]
    scene.render.resolution_x, scene.render.resolution_y = rng.choice(SIZES)
    scene.render.resolution_percentage = 100
    scene.render.engine = "BLENDER_WORKBENCH"
    _camera(stage)
    _ground(stage)
    places = list(PLACES)
    rng.shuffle(places)
    # every kind has its turn: the seeds walk through the list, in an order that looks random
    names = sorted(RENUMBERING)
    for number, (x, z) in enumerate(places):
        place = (x + rng.uniform(-0.3, 0.3), rng.uniform(-1.0, 1.0), z + rng.uniform(-0.2, 0.2))
        if number < RENUMBERED:
            name = names[(seed * RENUMBERED + number) * 37 % len(names)]
            stage.begin(name, place)
            RENUMBERING[name](stage)
        elif rng.random() < 0.35:
            name = rng.choice(sorted(ORDINARY))
            stage.begin(name, place)
            ORDINARY[name](stage)
        else:
            stage.begin("stack", place)
            modifiers.ordinary_stack(stage)
    scene.frame_set(FRAMES[0])
    return stage


def _camera(stage: Stage) -> None:
    rng = stage.rng
    data = bpy.data.cameras.new("camera")
    camera = bpy.data.objects.new("camera", data)
    stage.scene.collection.objects.link(camera)
    stage.scene.camera = camera
    data.sensor_fit = rng.choice(["AUTO", "HORIZONTAL", "VERTICAL"])
    data.clip_start, data.clip_end = 0.1, 200.0
    data.shift_x, data.shift_y = rng.uniform(-0.05, 0.05), rng.uniform(-0.05, 0.05)
    if rng.random() < 0.2:
        data.type = "ORTHO"
        data.ortho_scale = 9.0 if data.sensor_fit != "VERTICAL" else 5.2
    else:
        data.lens = 45.0 if data.sensor_fit != "VERTICAL" else 54.0
    if rng.random() < 0.3 and data.type == "PERSP":
        stage.animate(data, "lens", data.lens, data.lens * rng.uniform(0.85, 1.1))
    if rng.random() < 0.2:
        stage.animate(data, "shift_x", data.shift_x, data.shift_x + 0.03)
    place, angle = Vector((0, -11, 0)), Euler((1.5708, 0, 0))
    for frame in (FRAMES[0], FRAMES[-1]):
        camera.location = place + Vector([rng.uniform(-0.3, 0.3) for _ in range(3)])
        camera.rotation_euler = [value + rng.uniform(-0.04, 0.04) for value in angle]
        if rng.random() < 0.7:
            camera.keyframe_insert("location", frame=frame)
            camera.keyframe_insert("rotation_euler", frame=frame)


def _ground(stage: Stage) -> None:
    """A wall behind everything, so that there is something to be hidden by."""
    stage.begin("wall", (0.0, 4.0, 0.0))
    wall = stage.object(stage.mesh("grid", size=5.0, fine=6), Proof.NUMBER)
    wall.rotation_euler = (0, 0, 0)
    wall.scale = (1.1, 1, 0.55)
