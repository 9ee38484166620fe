#!/usr/bin/env python3
"""Prints how many times the throughput of one worker two workers have.

    python scripts/benchmark_workers.py [CONFIG_OR_FOLDER ...] [--workers 2] [--repeats 3] [--frames 1:8]

Without a configuration it takes configs/toy.  One worker and several make the same dataset in turn, each from nothing,
and the fastest of each counts, because what else the machine does only adds.  Beside the wall time stands the processor
time of everything: what it grows by is what several workers cost together.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Took:
    """What a run took, in seconds."""

    wall: float
    processor: float


def make(configs: list[Path], output: Path, more: list[str]) -> Took:
    """Make a dataset from nothing."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "animerun_gen", "generate", *map(str, configs), "--out", str(output), *more]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"the dataset could not be made:\n{done.stdout}\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(time.monotonic() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", type=Path, default=[PROJECT / "configs" / "toy"])
    parser.add_argument("--workers", type=int, default=2, help="how many are compared with one (default: 2)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each (default: 3)")
    parser.add_argument("--frames", help="only these frames of each cut, FIRST:LAST")
    options = parser.parse_args()
    limit = ["--frames", options.frames] if options.frames else []
    took: dict[int, list[Took]] = {1: [], options.workers: []}
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            for workers, found in took.items():
                found.append(
                    make(options.configs, Path(folder, f"{repeat}-{workers}"), [*limit, "--workers", str(workers)])
                )
                print(
                    f"{workers} worker(s): {found[-1].wall:.1f} s, {found[-1].processor:.1f} s of processor time; load "
                    f"{os.getloadavg()[0]:.1f}",
                    flush=True,
                )
    one, several = (min(found, key=lambda run: run.wall) for found in took.values())
    print(f"{options.workers} workers have {one.wall / several.wall:.2f} times the throughput of one")
    print(f"and need {several.processor / one.processor:.2f} times the processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
