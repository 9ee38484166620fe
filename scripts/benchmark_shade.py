"""Prints what shade costs a frame, for scenes of ten thousand to ten million triangles.

    python scripts/benchmark_shade.py [--resolution 960x540] [--repeat 5]

A smooth ball over a rough ground, lit by a sun.  The seconds are processor seconds on one core, the best of several:
the tones of all pixels, and the picture painted by them.  The visibility buffer is not counted, because motion needs it
anyway.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, FrameGeometry, Normals
from animerun_gen.shade.colors import ShadeColors, shade_picture
from animerun_gen.shade.light import Light
from animerun_gen.shade.tones import ToneSettings, shade_map

SIDES = (50, 160, 500, 1600)
"""Vertices along a side of each mesh, for 10^4 to 10^7 triangles together."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", default="960x540", metavar="WxH")
    parser.add_argument("--repeat", type=int, default=5, help="how often each is measured (default: 5)")
    options = parser.parse_args()
    width, height = (int(side) for side in options.resolution.split("x"))
    # no two pixels alike: of painted areas neighbours have one colour, which costs nothing
    flat = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    light = Light.parallel(np.array([1.0, -0.7, -1.0]))
    print("| triangles | in shadow | tones, CPU s | picture, CPU s |\n| ---: | ---: | ---: | ---: |")
    for side in SIDES:
        geometry = _frame(side, width, height)
        seen = raster.draw(geometry)
        seconds: list[tuple[float, float]] = []
        for _ in range(options.repeat + 1):
            start = time.process_time()
            tones = shade_map(geometry, seen, light, ToneSettings(highlight=0.97))
            middle = time.process_time()
            shade_picture(flat, tones, ShadeColors())
            seconds.append((middle - start, time.process_time() - middle))
        # the first one reads the compiled code
        first, second = (min(times) for times in zip(*seconds[1:], strict=True))
        print(f"| {len(geometry.triangles):,} | {(tones == 1).mean():.0%} | {first:.3f} | {second:.3f} |", flush=True)


def _frame(side: int, width: int, height: int) -> FrameGeometry:
    """A ball of two thirds of the picture's height before a ground that fills it."""
    around, along = np.meshgrid(np.linspace(0, 2 * np.pi, side), np.linspace(0.01, np.pi - 0.01, side))
    ball = np.stack([np.sin(along) * np.cos(around), np.cos(along), np.sin(along) * np.sin(around)], axis=-1)
    x, y = np.meshgrid(np.linspace(-4.0, 4.0, side), np.linspace(-2.4, 2.4, side))
    bumps = np.random.default_rng(0).uniform(-0.4, 0.4, (side, side)) * 8.0 / side
    ground = np.stack([x, y, bumps - 1.2], axis=-1)
    up = np.broadcast_to(np.array([0.0, 0.0, 1.0]), ground.shape)
    row, column = np.meshgrid(np.arange(side - 1), np.arange(side - 1), indexing="ij")
    a = row * side + column
    b, c, d = a + 1, a + side + 1, a + side
    corners = np.concatenate([np.stack(each, axis=-1).reshape(-1, 3) for each in ((a, b, c), (a, c, d))])
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = 1.4, 1.4 * width / height
    projection[2, 2], projection[2, 3], projection[3, 2] = -1.002, -0.2, -1.0
    place = np.eye(4)
    place[2, 3] = -4.0
    vertices = side * side
    return FrameGeometry(
        frame=1,
        camera=Camera("camera", np.eye(4), projection, 0.1, 100.0, width, height),
        vertices=np.concatenate([ball.reshape(-1, 3), ground.reshape(-1, 3)]).astype(np.float32),
        triangles=np.concatenate([corners, corners]).astype(np.int32),
        triangle_slots=np.zeros(2 * len(corners), np.int32),
        vertex_start=np.array([0, vertices, 2 * vertices]),
        triangle_start=np.array([0, len(corners), 2 * len(corners)]),
        topologies=(b"ball", b"ground"),
        identities=np.zeros(2 * vertices, np.uint64),
        numberings=(b"", b""),
        distinct=np.zeros(2, bool),
        keys=("ball", "ground"),
        mesh=np.arange(2, dtype=np.int32),
        matrices=np.stack([place, place]),
        object_ids=np.array([1, 2], np.uint16),
        ordered=np.ones(2, bool),
        single=np.zeros(2, bool),
        modifiers=("", ""),
        slot_start=np.array([0, 1, 2]),
        slot_materials=np.full(2, 2, np.uint16),
        normals=Normals(
            np.concatenate([ball.reshape(-1, 3), up.reshape(-1, 3)]).astype(np.float32),
            np.array([0, vertices]),
            np.empty((0, 3), np.int32),
            np.array([-1, -1]),
        ),
    )


if __name__ == "__main__":
    main()
