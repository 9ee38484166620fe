"""Holds what Freestyle's lines cost against what is predicted, and prints a table in Markdown.

    python scripts/benchmark_freestyle.py [CONFIG ...] --out out/freestyle [--triangles 10000 100000 1000000]
        [--grass 10x40x3 50x40x3 100x40x3 50x100x1]

Makes scenes of many triangles with ``heavy_scene.py`` and meadows of tufts x blades x segments with ``grass_scene.py``,
takes the cuts of the configurations as well, and has Freestyle draw the first frame of each, a Blender after the other.
Seconds are those of the processor, because Freestyle computes on one core; memory is what the process took beyond what
it had when the scene was evaluated.  A scene for which more than --memory GB are predicted is left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.errors import AnimerunGenError
from animerun_gen.lines.cost import LineFigures, freestyle_gigabytes, freestyle_seconds, rounded

SCRIPTS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Cost:
    """What Freestyle had to do in a frame, and what that took; no seconds where it was left out."""

    figures: LineFigures
    seconds: float | None = None
    gigabytes: float | None = None


def main() -> int:
    """Run the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", type=Path, metavar="CONFIG")
    parser.add_argument("--out", type=Path, default=Path("out/freestyle"), metavar="FOLDER")
    parser.add_argument("--triangles", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    meadows = [(10, 40, 3), (50, 40, 3), (100, 40, 3), (50, 100, 1)]
    parser.add_argument("--grass", type=_shape, nargs="*", default=meadows, metavar="TUFTSxBLADESxSEGMENTS")
    parser.add_argument("--memory", type=float, default=8.0, metavar="GB", help="at most (default: 8)")
    options = parser.parse_args()
    try:
        made = [heavy_scene(triangles, options.out) for triangles in options.triangles]
        made += [grass_scene(shape, options.out) for shape in options.grass]
        print(
            "| scene | triangles | edges | crossings | predicted s | measured s | ratio | predicted GB | measured GB |"
        )
        print("| --- |" + 8 * " ---: |")
        for cut in load_cuts([*made, *options.configs]):
            # a process of its own for each: a peak of memory is never forgotten
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                print(row(cut.config.name, pool.submit(measure, cut.config, options.memory).result()), flush=True)
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def heavy_scene(triangles: int, folder: Path) -> Path:
    """The configuration of a scene with so many triangles, which is made where it is not there."""
    return _made(folder / f"heavy_{triangles}.yaml", "heavy_scene.py", "--triangles", str(triangles))


def grass_scene(shape: tuple[int, ...], folder: Path) -> Path:
    """The configuration of a meadow of so many tufts, blades a tuft, and segments a blade."""
    tufts, blades, segments = map(str, shape)
    options = ("--tufts", tufts, "--blades", blades, "--segments", segments)
    return _made(folder / f"grass_{tufts}x{blades}x{segments}.yaml", "grass_scene.py", *options)


def _shape(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in text.split("x"))
    if len(numbers) != 3 or min(numbers) < 1:
        raise ValueError(text)
    return numbers


def _made(config: Path, script: str, *options: str) -> Path:
    if not config.exists():
        command = [sys.executable, str(SCRIPTS / script), *options, "--out", str(config.parent)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not config.exists():
            raise AnimerunGenError(f"{script} did not make {config}: {done.stderr.strip()}")
    return config


def measure(config: CutConfig, most: float) -> Cost:
    """Have Freestyle draw the lines of a cut's first frame, in this process, unless more GB than that are predicted."""
    # what Blender prints goes past sys.stdout and sys.stderr
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    # Blender belongs into the process of a measurement and not into the one that prints
    from animerun_gen.blender.convert import convert_scene
    from animerun_gen.blender.count_lines import line_figures
    from animerun_gen.blender.geometry import geometry_engine, scene_names, take_down
    from animerun_gen.blender.opening import open_scene
    from animerun_gen.blender.rendering import FrameRenderer

    with tempfile.TemporaryDirectory(prefix="animerun-gen-") as scratch, geometry_engine():
        opened = open_scene(config)
        conversion = convert_scene(opened, config)
        geometry = take_down(opened.scene, scene_names(), conversion.clipped)
        figures = line_figures(geometry, config.lines.crease_angle)
        del geometry
        if freestyle_gigabytes(figures.triangles, figures.pieces) > most:
            return Cost(figures)
        renderer = FrameRenderer(opened, config, Path(scratch), conversion.clipped)
        # has Linux count the peak anew
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before, start = _resident("VmRSS"), time.process_time()
        renderer.strokes()
        return Cost(figures, time.process_time() - start, (_resident("VmHWM") - before) / 1e9)


def _resident(name: str) -> int:
    """Bytes of memory of this process, by the name that Linux has for them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def row(name: str, cost: Cost) -> str:
    """A row of the table."""
    figures = cost.figures
    seconds = freestyle_seconds(figures.triangles, figures.pieces, figures.visits)
    gigabytes = freestyle_gigabytes(figures.triangles, figures.pieces)
    measured = ("not tried", "", rounded(gigabytes), "")
    if cost.seconds is not None and cost.gigabytes is not None:
        measured = (
            f"{cost.seconds:.2f}",
            f"{seconds / cost.seconds:.2f}",
            rounded(gigabytes),
            f"{cost.gigabytes:.2f}",
        )
    counts = (f"{figures.triangles:,}", f"{figures.edges:,}", f"{figures.crossings:,}")
    return "| " + " | ".join((name, *counts, rounded(seconds), *measured)) + " |"


if __name__ == "__main__":
    sys.exit(main())
