"""Prints what a frame costs, stage by stage, and what Freestyle costs at Blender's defaults beside ours.

    python scripts/benchmark.py [CONFIG ...] [--frames 6] [--resolution 960x540] [--rounds 3] [--blender PROGRAM]

Without CONFIG it takes the toy cut 'courier', and 'dungeon_fight' and 'bunnies' where ANIMERUN_SCENES says where they
are.  The figures are seconds a frame, as median over the frames but the first, whose time goes into one-off
preparations and is given beside it.  What comes after Blender runs on one core.  Labelling and checksums are processor
seconds, the smallest of several rounds, which a loaded machine changes little; what Blender's process tells is seconds
by the clock.  Trust ratios more than seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from itertools import pairwise, product
from pathlib import Path

from tqdm import tqdm

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.dataset import ClipFiles
from animerun_gen.engines.blenders import BpyModule, InstalledBlender, ProgramEngine
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event, write_request
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.state.figures import collect_quality
from animerun_gen.pipeline.state.ledger import MadeFrom, open_ledger
from animerun_gen.pipeline.state.lock import exclusive
from animerun_gen.pipeline.state.manifest import write_manifest
from animerun_gen.pipeline.tasks.labelling import LabelTask

LABELS = ("segment", "line_area", "occlusion_forward", "occlusion_backward", "match_forward", "match_backward")
PROJECT = Path(__file__).resolve().parent.parent
BLENDERS = {
    "frame_set": "go to the frame",
    "flat": "flat frame (Workbench)",
    "lines": "lines (Freestyle, outline)",
    "geometry": "take down geometry",
}
AFTER_BLENDER = {
    "write pictures": "write pictures",
    "visibility": "visibility buffer",
    "companions": "ids",
    "motion": "motion and exact occlusion, both ways",
    "shade": "shade",
    "write motion": "write motion",
    "frame labels": "segments, figures of the frame",
    "pair labels": "occlusion, matches, figures, both ways",
    "manifest": "checksums",
}


def main() -> int:
    """Run the benchmark; returns the exit status."""
    os.environ["NUMBA_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=6, help="frames of each cut (default: 6)")
    parser.add_argument("--resolution", default="960x540", metavar="WxH")
    parser.add_argument("--rounds", type=int, default=3, help="how often to label each frame (default: 3)")
    parser.add_argument("--blender", metavar="PROGRAM", help="an installed Blender instead of the bpy module")
    options = parser.parse_args()
    try:
        engine: ProgramEngine = InstalledBlender.find(options.blender) if options.blender else BpyModule.find()
        cuts = [cut.config for cut in load_cuts(options.configs or default_cuts())]
        width, _, height = options.resolution.partition("x")
        print(f"{engine.version}, Python {platform.python_version()}, {os.cpu_count()} cores, {width}x{height}\n")
        for config in cuts:
            changed = {
                "resolution": (int(width), int(height)),
                "frames": config.frames.model_copy(
                    update={"last": config.frames.first + config.frames.step * (options.frames - 1)}
                ),
            }
            measure(config.model_copy(update=changed), engine, options.rounds)
    except AnimerunGenError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def default_cuts() -> list[Path]:
    """The cuts that are measured when none is named."""
    cuts = [PROJECT / "configs" / "toy" / "courier.yaml"]
    if "ANIMERUN_SCENES" in os.environ:
        films = PROJECT / "configs" / "films"
        cuts += [films / name / f"{name}.yaml" for name in ("dungeon_fight", "bunnies")]
    return cuts


def measure(config: CutConfig, engine: ProgramEngine, rounds: int) -> None:
    """Print the table of one cut."""
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="animerun-gen-benchmark-") as folder:
        output = Path(folder)
        opened = render(config, engine, output, seconds)
        label(config, output, seconds, rounds)
        freestyle = freestyle_cost(config, engine, output)
        segments = [
            int(ClipFiles(output, config.split, config.name).read("segment", frame).max()) + 1
            for frame in config.frame_numbers
        ]
    steady = {stage: statistics.median(times[1:] or times) for stage, times in seconds.items()}
    total = sum(steady.values())
    print(f"{config.name}, {statistics.median(segments):.0f} segments a frame")
    print("| stage | s a frame | share | first frame |\n| --- | ---: | ---: | ---: |")
    print(f"| open and convert (once a process) | {opened:.2f} | | |")
    for titles, whose in ((BLENDERS, "Blender's"), (AFTER_BLENDER, "after Blender, on one core")):
        for stage, title in titles.items():
            if stage not in steady:
                # the cut has none
                continue
            share = 100 * steady[stage] / total
            print(f"| {title} | {steady[stage]:.3f} | {share:.0f}% | {seconds[stage][0]:.3f} |")
        together = sum(steady.get(stage, 0.0) for stage in titles)
        print(f"| **{whose}** | **{together:.3f}** | **{100 * together / total:.0f} %** | |")
    print(f"| **all** | **{total:.3f}** | | |")
    ratio = freestyle["default"] / freestyle["ours"]
    print(
        f"\nFreestyle at Blender's defaults ({freestyle['samples']:.0f} samples): {freestyle['default']:.2f} s, "
        f"ours: {freestyle['ours']:.2f} s, 1/{ratio:.1f} of it\n"
    )


def render(config: CutConfig, engine: ProgramEngine, output: Path, seconds: dict[str, list[float]]) -> float:
    """Run the Blender half of a cut; returns the seconds until the scene was open."""
    frames = config.frame_numbers
    job = RenderJob(config, output, pictures=frames, companions=frames, pairs=tuple(pairwise(frames)))
    start = time.perf_counter()
    opened = 0.0
    of_frame: dict[tuple[str, int], float] = defaultdict(float)
    with tqdm(total=len(frames), unit=" frame", desc=f"{config.name}: rendering", file=sys.stderr) as bar:

        def on_event(event: Event) -> None:
            nonlocal opened
            if event["event"] == "opened":
                opened = time.perf_counter() - start
            elif event["event"] == "took":
                of_frame[event["stage"], event["frame"]] += event["seconds"]
            elif event["event"] == "frame_done":
                bar.update(1)

        engine.start(job, output / "log").run(on_event)
    for (stage, frame), value in of_frame.items():
        # the first and the last frame have motion in one direction only
        at_the_end = stage == "write motion" and frame in (frames[0], frames[-1])
        seconds[stage].append(2.0 * value if at_the_end else value)
    return opened


def label(config: CutConfig, output: Path, seconds: dict[str, list[float]], rounds: int) -> None:
    """Label the rendered frames, several times, and sum them up; the smallest processor seconds of each count."""
    frames = config.frame_numbers
    clip = ClipFiles(output, config.split, config.name)
    tasks = [("frame labels", LabelTask(config, output, frame)) for frame in frames]
    tasks += [("pair labels", LabelTask(config, output, earlier, later)) for earlier, later in pairwise(frames)]
    taken: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for name, frame in product(LABELS, frames):
            clip.path(name, frame).unlink(missing_ok=True)
        for (_, task), times in zip(tasks, taken, strict=True):
            start = time.process_time()
            task.run()
            times.append(time.process_time() - start)
    for (stage, _), times in zip(tasks, taken, strict=True):
        # what is compiled or loaded at first is told apart
        first = not seconds[stage]
        seconds[stage].append(times[0] if first else min(times))
    start = time.process_time()
    with exclusive(output):
        ledger = open_ledger(output, config.name)
        ledger.keep(made_from=MadeFrom(config=config.model_dump(mode="json")))
        collect_quality(ledger, config, {})
        write_manifest(ledger, workers=1)
    seconds["manifest"] = [(time.process_time() - start) / len(frames)]


def freestyle_cost(config: CutConfig, engine: ProgramEngine, output: Path) -> dict[str, float]:
    """Seconds that Freestyle adds to a frame, as Blender does it by default and as we do."""
    job_file, answers = output / "job.json", output / "answers.json"
    write_request(job_file, RenderJob(config, output))
    with open(output / "freestyle.log", "wb") as log:
        command = engine.module_command("animerun_gen.blender.freestyle_cost", str(job_file), str(answers))
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    if not answers.exists():
        raise AnimerunGenError(
            f"Blender could not measure Freestyle; its log: {(output / 'freestyle.log').read_text()}"
        )
    answer: dict[str, float] = json.loads(answers.read_text(encoding="utf-8"))
    return answer


if __name__ == "__main__":
    sys.exit(main())
