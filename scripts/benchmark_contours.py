"""Prints what lines from the geometry cost a frame, for scenes of a few thousand to millions of triangles.

    python scripts/benchmark_contours.py [--resolution 960x540] [--repeat 5]

A large smooth ball, and a rough ground on which hardly two pixels show one plane: the most that there can be to look
into.  The seconds are processor seconds on one core, the best of several; the visibility buffer is not counted, because
motion needs it anyway.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from animerun_gen.lines.contours import ContourSettings, draw_contours
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.islands import IslandFinder

SIDES = (70, 220, 700, 2200)
"""Vertices along a side of each mesh, for 10^4 to 10^7 triangles."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", default="960x540", metavar="WxH")
    parser.add_argument("--repeat", type=int, default=5, help="how often each is measured (default: 5)")
    options = parser.parse_args()
    width, _, height = options.resolution.partition("x")
    print("| scene | triangles | line pixels | CPU s |\n| --- | ---: | ---: | ---: |")
    for name, surface in (("ball", _ball), ("rough ground", _ground)):
        for side in SIDES:
            geometry = _frame(surface(side), side, int(width), int(height))
            seen = raster.draw(geometry)
            finder = IslandFinder()
            times = []
            for _ in range(options.repeat + 1):
                start = time.process_time()
                lines = draw_contours(geometry, seen, finder.find(geometry), ContourSettings())
                times.append(time.process_time() - start)
            # the first one reads the compiled code
            best = min(times[1:])
            print(f"| {name} | {len(geometry.triangles):,} | {(lines == 0).sum():,} | {best:.3f} |", flush=True)


def _ball(side: int) -> np.ndarray:
    around, along = np.meshgrid(np.linspace(0, 2 * np.pi, side), np.linspace(0.01, np.pi - 0.01, side))
    return np.stack([np.sin(along) * np.cos(around), np.cos(along), np.sin(along) * np.sin(around)], axis=-1)


def _ground(side: int) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(-1.6, 1.6, side), np.linspace(-1.0, 1.0, side))
    height = np.random.default_rng(0).uniform(-0.4, 0.4, (side, side)) * 3.2 / side
    return np.stack([x, y, height], axis=-1)


def _frame(grid: np.ndarray, side: int, width: int, height: int) -> FrameGeometry:
    """A grid of vertices, seen from 2.2 units away."""
    row, column = np.meshgrid(np.arange(side - 1), np.arange(side - 1), indexing="ij")
    a = row * side + column
    b, c, d = a + 1, a + side + 1, a + side
    triangles = np.concatenate([np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))])
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = 1.4, 1.4 * width / height
    projection[2, 2], projection[2, 3], projection[3, 2] = -1.002, -0.2, -1.0
    place = np.eye(4)
    place[2, 3] = -2.2
    return FrameGeometry(
        frame=1,
        camera=Camera("camera", np.eye(4), projection, 0.1, 100.0, width, height),
        vertices=grid.reshape(-1, 3).astype(np.float32),
        triangles=triangles.astype(np.int32),
        triangle_slots=np.zeros(len(triangles), np.int32),
        vertex_start=np.array([0, side * side]),
        triangle_start=np.array([0, len(triangles)]),
        topologies=(b"",),
        identities=np.zeros(side * side, np.uint64),
        numberings=(b"",),
        distinct=np.zeros(1, bool),
        keys=("surface",),
        mesh=np.zeros(1, np.int32),
        matrices=place[None],
        object_ids=np.ones(1, np.uint16),
        ordered=np.ones(1, bool),
        single=np.zeros(1, bool),
        modifiers=("",),
        slot_start=np.array([0, 1]),
        slot_materials=np.full(1, 2, np.uint16),
    )


if __name__ == "__main__":
    main()
