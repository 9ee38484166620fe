"""Measures what ``animerun-gen generate`` and ``status`` cost on a dataset where there is nothing to do.

    python scripts/benchmark_nothing_to_do.py [--cuts 100] [--frames 40] [--runs 5] [--files 0] [--folder FOLDER]
        [--cold] [--bar 2]

The dataset is made first, by the pipeline itself with the stand-in for Blender that the tests use (minutes for 100
cuts); with ``--folder`` it is kept and taken again the next time.  Then the command is run as a user runs it, as a
process of its own.  Processor seconds matter little to what else the machine does; the seconds by the clock are the
best of the runs.  With ``--files`` all cuts show a cache of so many files.  With ``--cold`` (as root) the system
forgets all files before each run.  With ``--bar`` the exit status is 1 when the best run of ``generate`` takes more
seconds by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from animerun_gen.config import load_cuts  # noqa: E402
from animerun_gen.engines.blenders import BpyModule  # noqa: E402
from animerun_gen.engines.film_files import in_folder  # noqa: E402
from animerun_gen.pipeline.options import Options  # noqa: E402
from animerun_gen.pipeline.run import generate  # noqa: E402
from tests.pipeline.fake_engine import FakeEngine  # noqa: E402


@dataclass(frozen=True)
class Cost:
    """What one run of a command took.

    Attributes:
        clock: Seconds by the clock.
        processor: Seconds of processor time, of the user and the system.
    """

    clock: float
    processor: float


def make_configs(folder: Path, cuts: int, frames: int) -> None:
    """Write a film that is none and the configurations of its cuts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "film.blend").write_bytes(b"not a film")
    for number in range(cuts):
        name = f"cut_{number:03d}"
        text = f"name: {name}\nsource: film.blend\nframes: {{first: 1, last: {frames}}}\nresolution: [64, 48]\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def make_cache(folder: Path, files: int) -> tuple[str, ...]:
    """Write the files of a cache that are none; gives the name of all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        (folder / f"cache_{number:06d}.bphys").write_bytes(b"no cache")
    return (in_folder(folder),) if files else ()


def make_dataset(folder: Path, cuts: int, frames: int, files: int) -> None:
    """Make the configurations and their dataset, unless they are there."""
    make_configs(folder / "configs", cuts, frames)
    engine = FakeEngine(BpyModule.find().version, sequences=make_cache(folder / "cache", files))
    configs = [cut.config for cut in load_cuts([folder / "configs"])]
    for config in configs:
        generate([config], Options(folder / "dataset", engine))


def measure(command: list[str], cold: bool) -> Cost:
    """Run a command that must end well."""
    if cold:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=REPOSITORY)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, default=0, help="files of a cache that all cuts show")
    parser.add_argument("--folder", type=Path, help="where the dataset is made, or was")
    parser.add_argument("--cold", action="store_true", help="let the system forget all files before each run")
    parser.add_argument("--bar", type=float, help="seconds that generate may take")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        make_dataset(folder, options.cuts, options.frames, options.files)
        program = [sys.executable, "-m", "animerun_gen"]
        configs, dataset = str(folder / "configs"), str(folder / "dataset")
        commands = {
            "generate": [*program, "generate", configs, "--out", dataset],
            "status": [*program, "status", dataset],
        }
        found = {
            name: [measure(command, options.cold) for _ in range(options.runs)] for name, command in commands.items()
        }
    best = {}
    for name, costs in found.items():
        best[name] = min(cost.clock for cost in costs)
        processor = min(cost.processor for cost in costs)
        print(f"{name}: {best[name]:.2f} s by the clock, {processor:.2f} s of processor time (best of {options.runs})")
    if options.json is not None:
        text = json.dumps({name: [cost.__dict__ for cost in costs] for name, costs in found.items()}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if options.bar is not None and best["generate"] > options.bar else 0


if __name__ == "__main__":
    sys.exit(main())
