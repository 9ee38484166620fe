"""The child process with Blender in it: builds scenes, and writes what is true of their pixels.

python -m random_scene.child FOLDER SEED [SEED ...]
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path

import bpy
import numpy as np

from random_scene.build import build
from random_scene.capture import capture, register
from random_scene.frames import Frame
from random_scene.stage import FRAMES
from random_scene.truth import PairTruth, World, pair_truth, write_truth

STEADY = 1e-5
"""Units by which a vertex may be elsewhere when its frame is played again."""


def make(seed: int, folder: Path) -> None:
    """Build one scene, save it, open it again and write its truth beside it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    path = folder / f"scene{seed}.blend"
    stage = build(seed, folder)
    _bake_particles(stage.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, compress=True)
    proofs, recipe_of, recipes = dict(stage.proofs), dict(stage.recipe_of), list(stage.recipes)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    width, height = scene.render.resolution_x, scene.render.resolution_y
    frames = capture(scene, FRAMES)
    unsteady = _unsteady(frames, capture(scene, FRAMES))
    worlds = [World(frame) for frame in frames]
    truths: dict[tuple[str, int], PairTruth] = {}
    for direction, step in (("forward", 1), ("backward", -1)):
        for number, here in enumerate(worlds):
            if 0 <= number + step < len(worlds):
                there = worlds[number + step]
                truths[direction, here.frame.number] = pair_truth(here, there, proofs, recipe_of)
    write_truth(folder / f"truth{seed}.npz", truths)
    words = {
        "recipes": recipes,
        "resolution": [width, height],
        "frames": [FRAMES[0], FRAMES[-1]],
        "unsteady": sorted({recipes[recipe_of[name]] for name in unsteady}),
    }
    (folder / f"scene{seed}.json").write_text(json.dumps(words))


def _bake_particles(scene: bpy.types.Scene) -> None:
    """Keep what is shown at particles in the file.

    Blender shows a particle in the frame of its birth elsewhere when it is read from a cache than when it is played.
    """
    for obj in scene.objects:
        for system in obj.particle_systems:
            if system.settings.render_type != "OBJECT":
                continue
            system.point_cache.frame_start, system.point_cache.frame_end = FRAMES[0], FRAMES[-1]
            with bpy.context.temp_override(scene=scene, point_cache=system.point_cache):
                bpy.ops.ptcache.bake(bake=True)
    scene.frame_set(FRAMES[0])


def _unsteady(first: list[Frame], second: list[Frame]) -> set[str]:
    """Objects that Blender itself does not make the same when the frames are played again."""
    unsteady = set()
    for one, other in zip(first, second, strict=True):
        if [placed.name for placed in one.placed] != [placed.name for placed in other.placed]:
            unsteady |= {placed.name for placed in one.placed} ^ {placed.name for placed in other.placed}
            continue
        for here, there in zip(one.placed, other.placed, strict=True):
            alike = len(here.surface.points) == len(there.surface.points) and np.array_equal(
                here.surface.triangles, there.surface.triangles
            )
            # in the last bit some modifiers differ with every run
            if not (
                alike
                and np.allclose(here.surface.points, there.surface.points, atol=STEADY)
                and np.allclose(here.matrix, there.matrix, atol=STEADY)
            ):
                unsteady.add(here.name)
    return unsteady


def main() -> None:
    folder = Path(sys.argv[1])
    register()
    for seed in map(int, sys.argv[2:]):
        start = time.monotonic()
        try:
            make(seed, folder)
        except Exception:
            (folder / f"scene{seed}.error").write_text(traceback.format_exc())
        print(f"{seed} {time.monotonic() - start:.2f}", flush=True)
    # Blender hangs when it ends in the ordinary way after an engine written in Python has rendered
    os._exit(0)


if __name__ == "__main__":
    main()
