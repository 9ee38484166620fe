"""Makes a meadow of as many tufts of grass as you like, and the configuration of its cut, for measuring.

    python scripts/grass_scene.py --tufts 200 --blades 40 --out out/grass

Each tuft is a mesh of its own look, turned and scaled at random: bent blades of a few faces each, open at their edges.
Few triangles, but the edges of many blades cross each other in the picture, which is what Freestyle takes minutes for.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
from pathlib import Path

import bpy

SPREAD = 4.0
"""Half the width of the meadow, in units."""

CONFIG = """\
# Made by scripts/grass_scene.py.
name: {name}
source: {name}.blend
frames: {{first: 1, last: 8}}
resolution: [960, 540]
lines:
  engine: auto
"""


def main() -> None:
    """Write ``<out>/grass_<tufts>x<blades>x<segments>.blend`` and ``.yaml``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tufts", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--blades", type=int, default=40, help="of each tuft (default: 40)")
    parser.add_argument("--segments", type=int, default=3, help="of each blade, two triangles each (default: 3)")
    parser.add_argument("--out", type=Path, default=Path("out/grass"), metavar="FOLDER")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    name = f"grass_{options.tufts}x{options.blades}x{options.segments}"
    build(options.tufts, options.blades, options.segments)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str((options.out / f"{name}.blend").resolve()), compress=True)
    (options.out / f"{name}.yaml").write_text(CONFIG.format(name=name), encoding="utf-8")
    print(f"{options.out / name}.blend and .yaml")


def build(tufts: int, blades: int, segments: int) -> None:
    """Fill an empty file with a meadow before a camera."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 8
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.45, 0.62, 0.85)
    green = bpy.data.materials.new("Grass")
    green.diffuse_color = (0.25, 0.5, 0.15, 1.0)
    chance = random.Random(0)
    tuft = bpy.data.meshes.new("Tuft")
    tuft.from_pydata(*_tuft(blades, segments, chance))
    tuft.materials.append(green)
    for number in range(tufts):
        item = bpy.data.objects.new(f"Tuft {number}", tuft)
        item.location = (chance.uniform(-SPREAD, SPREAD), chance.uniform(-SPREAD, SPREAD), 0.0)
        item.rotation_euler = (0.0, 0.0, chance.uniform(0.0, 2.0 * math.pi))
        item.scale = [chance.uniform(0.7, 1.3)] * 3
        scene.collection.objects.link(item)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0.0, -9.0, 2.4), (math.radians(78.0), 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.frame_set(1)


def _tuft(
    blades: int, segments: int, chance: random.Random
) -> tuple[list[tuple[float, float, float]], list[tuple[int, int]], list[tuple[int, int, int, int]]]:
    """Vertices, no edges of their own, and faces of one tuft."""
    vertices: list[tuple[float, float, float]] = []
    faces: list[tuple[int, int, int, int]] = []
    for _ in range(blades):
        around, facing = chance.uniform(0.0, 2.0 * math.pi), chance.uniform(0.0, math.pi)
        lean, height = chance.uniform(0.1, 0.6), chance.uniform(0.4, 1.0)
        root = 0.1 * chance.random()
        first = len(vertices)
        for step in range(segments + 1):
            along = step / segments
            out = root + lean * along**2
            half_width = 0.015 * (1.0 - 0.9 * along)
            for side in (-half_width, half_width):
                vertices.append(
                    (
                        out * math.cos(around) + side * math.cos(facing),
                        out * math.sin(around) + side * math.sin(facing),
                        height * along,
                    )
                )
        faces += [
            (first + 2 * step, first + 2 * step + 1, first + 2 * step + 3, first + 2 * step + 2)
            for step in range(segments)
        ]
    return vertices, [], faces


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
