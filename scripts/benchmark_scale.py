"""Measures what a frame costs against its triangles and against its resolution, beyond what Blender itself takes.

    python scripts/benchmark_scale.py --out out/scale [--triangles 10000 100000 1000000 10000000] [--frames 4]

Makes scenes with ``heavy_scene.py``, renders a few frames of each, and prints two tables: seconds a frame (median, but
for the first frame) and peak memory.  "Blender" is what it takes to evaluate the scene and to paint the flat picture;
its memory is that of a process that does nothing else.  With matplotlib installed it draws the tables as plots.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.engines.blenders import BpyModule
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError

HEAVY_SCENE = Path(__file__).resolve().parent / "heavy_scene.py"
RESOLUTIONS = ((960, 540), (1920, 1080), (3840, 2160))
OURS = {
    "geometry": "read geometry",
    "visibility": "visibility buffer",
    "companions": "ids, depth",
    "motion": "motion and exact occlusion, both ways",
    "lines": "lines from geometry",
}


@dataclass(frozen=True)
class Cost:
    """What a frame of a scene costs.

    Attributes:
        label: Triangles or resolution, as the table shows it.
        x: The same as a number, for the plot.
        blender: Seconds that Blender takes to evaluate the scene and to paint the flat picture.
        stages: Seconds of each of :data:`OURS`.
        pair: Seconds of ours for two frames and the motion between them, when nothing else is made.
        blender_memory: Peak bytes of a process that only renders flat pictures.
        memory: Peak bytes of one that makes everything.
        evaluations: How often the scene was evaluated for a frame.
    """

    label: str
    x: float
    blender: float
    stages: dict[str, float]
    blender_memory: int
    memory: int
    evaluations: float

    @property
    def ours(self) -> float:
        return sum(self.stages.values())

    @property
    def pair(self) -> float:
        twice = sum(self.stages[stage] for stage in ("geometry", "visibility", "companions"))
        return 2.0 * twice + self.stages["motion"]


@dataclass(frozen=True)
class Run:
    """What one Blender process did."""

    seconds: dict[str, float]
    memory: int
    evaluations: float


def main() -> int:
    """Run the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/scale"), metavar="FOLDER")
    parser.add_argument("--triangles", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--resolution-triangles", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--frames", type=int, default=4, help="frames of each scene (default: 4)")
    options = parser.parse_args()
    try:
        print(f"{BpyModule.find().version}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
        by_triangles = []
        for triangles in options.triangles:
            config = heavy_cut(triangles, options.out, options.frames)
            by_triangles.append(measure(config, f"{triangles:,}", triangles))
        print_table("triangles at 960x540", by_triangles)
        by_resolution = []
        config = heavy_cut(options.resolution_triangles, options.out, options.frames)
        for width, height in RESOLUTIONS:
            larger = config.model_copy(update={"resolution": (width, height)})
            by_resolution.append(measure(larger, f"{width}x{height}", width * height))
        print_table(f"resolution, {options.resolution_triangles:,} triangles", by_resolution)
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    plot(by_triangles, by_resolution, options.out / "scale.png")
    return 0


def heavy_cut(triangles: int, folder: Path, frames: int) -> CutConfig:
    """The cut of a scene with so many triangles, which is made where it is not there."""
    path = folder / f"heavy_{triangles}.yaml"
    if not path.exists():
        command = [sys.executable, str(HEAVY_SCENE), "--triangles", str(triangles), "--out", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AnimerunGenError(f"{' '.join(command)} failed: {done.stderr[-500:]}")
    config = load_cuts([path])[0].config
    lines = config.lines.model_copy(update={"engine": "geometry"})
    motion = config.motion.model_copy(update={"extras": ("depth", "ids", "exact_occlusion")})
    last = config.frames.first + frames - 1
    return config.model_copy(
        update={"frames": config.frames.model_copy(update={"last": last}), "lines": lines, "motion": motion}
    )


def measure(config: CutConfig, label: str, x: float) -> Cost:
    """Render a cut twice: all of it, and the flat pictures alone."""
    frames = config.frame_numbers
    everything = run(config, frames, tuple(pairwise(frames)))
    bare = config.lines.model_copy(update={"engine": "freestyle", "freestyle": False, "outline": False})
    flat_only = run(config.model_copy(update={"lines": bare}), frames, ())
    return Cost(
        label=label,
        x=x,
        blender=everything.seconds["flat"],
        stages={stage: everything.seconds[stage] for stage in OURS},
        blender_memory=flat_only.memory,
        memory=everything.memory,
        evaluations=everything.evaluations,
    )


def run(config: CutConfig, frames: tuple[int, ...], pairs: tuple[tuple[int, int], ...]) -> Run:
    """Have a process start Blender, so that the memory of its children is that of this one Blender."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, config.model_dump_json(), frames, pairs).result()


def _run(config_json: str, frames: tuple[int, ...], pairs: tuple[tuple[int, int], ...]) -> Run:
    config = CutConfig.model_validate_json(config_json)
    of_frame: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    evaluations: list[int] = []

    def on_event(event: Event) -> None:
        if event["event"] == "took":
            of_frame[event["stage"]][event["frame"]] += event["seconds"]
        elif event["event"] == "frame_done":
            evaluations.append(sum(event["evaluations"].values()))

    with tempfile.TemporaryDirectory(prefix="animerun-gen-benchmark-") as folder:
        output = Path(folder)
        job = RenderJob(config, output, pictures=frames, companions=frames if pairs else (), pairs=pairs)
        BpyModule.find().start(job, output / "log").run(on_event)
    steady = {}
    for stage, times in of_frame.items():
        first, *others = times.values()
        # some things are made of the first frame alone
        steady[stage] = statistics.median(others or [first])
    a_frame = (evaluations[-1] - evaluations[0]) / (len(evaluations) - 1)
    return Run(steady, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, a_frame)


def print_table(title: str, costs: list[Cost]) -> None:
    """Print costs as a table, a column each."""
    rows: list[tuple[str, list[str]]] = [
        ("scene evaluations a frame", [f"{cost.evaluations:.1f}" for cost in costs]),
        ("Blender: evaluate, paint flat (s)", [f"{cost.blender:.2f}" for cost in costs]),
        *((f"{title} (s)", [f"{cost.stages[stage]:.3f}" for cost in costs]) for stage, title in OURS.items()),
        ("**ours, a frame (s)**", [f"**{cost.ours:.2f}**" for cost in costs]),
        ("**ours, two frames and their motion alone (s)**", [f"**{cost.pair:.2f}**" for cost in costs]),
        ("Blender alone, peak (GB)", [f"{cost.blender_memory / 1e9:.2f}" for cost in costs]),
        ("with everything, peak (GB)", [f"{cost.memory / 1e9:.2f}" for cost in costs]),
        ("**beyond Blender (GB)**", [f"**{(cost.memory - cost.blender_memory) / 1e9:.2f}**" for cost in costs]),
    ]
    print(f"| {title} | {' | '.join(cost.label for cost in costs)} |")
    print(f"| --- |{' ---: |' * len(costs)}")
    for name, values in rows:
        print(f"| {name} | {' | '.join(values)} |")
    print(flush=True)


def plot(by_triangles: list[Cost], by_resolution: list[Cost], path: Path) -> None:
    """Draw seconds and memory of both tables."""
    try:
        import matplotlib
    except ImportError:
        print("no plot: pip install matplotlib")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(11, 8), layout="constrained")
    for column, (costs, what) in enumerate(((by_triangles, "triangles"), (by_resolution, "resolution"))):
        xs = [cost.x for cost in costs]
        seconds, memory = axes[0, column], axes[1, column]
        seconds.plot(xs, [cost.blender for cost in costs], "o-", color="#999999", label="Blender: evaluate, paint flat")
        for stage, title in OURS.items():
            seconds.plot(xs, [cost.stages[stage] for cost in costs], "o--", label=title, linewidth=1, markersize=4)
        seconds.plot(xs, [cost.ours for cost in costs], "o-", color="black", label="ours, together")
        seconds.set(xscale="log", yscale="log", xlabel=what, ylabel="seconds a frame")
        memory.plot(xs, [cost.blender_memory / 1e9 for cost in costs], "o-", color="#999999")
        memory.plot(xs, [cost.memory / 1e9 for cost in costs], "o-", color="black")
        memory.set(xscale="log", xlabel=what, ylabel="peak memory (GB)", ylim=(0, None))
        for axis in (seconds, memory):
            axis.grid(alpha=0.3)
            axis.set_xticks(xs, [cost.label for cost in costs])
            axis.minorticks_off()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    figure.savefig(path, dpi=80)
    (path.with_suffix(".json")).write_text(
        json.dumps([vars(cost) for cost in (*by_triangles, *by_resolution)], indent=1), encoding="utf-8"
    )
    print(path)


if __name__ == "__main__":
    sys.exit(main())
