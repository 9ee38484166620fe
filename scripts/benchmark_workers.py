#!/usr/bin/env python3
"""Prints how many times the throughput of one worker two workers have.

    python scripts/benchmark_workers.py [CONFIG_OR_FOLDER ...] [--workers 2] [--repeats 3] [--frames 1:8]

Without a configuration it takes configs/toy.  One worker and several make the same dataset in turn, each from nothing,
and the fastest of each counts, because what else the machine does only adds.  Beside the wall time stands the processor
time of everything: what it grows by is what several workers cost together.

One worker alone uses other processors, too, as far as the renderer and the compiled loops can.  So it is measured
twice: with all processors of the machine, and on one, which is what each of several workers has.
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


@dataclass(frozen=True)
class Way:
    """How a dataset is made."""

    workers: int
    one_processor: bool = False

    def __str__(self) -> str:
        where = " on one processor" if self.one_processor else ""
        return f"{self.workers} worker{'s' if self.workers > 1 else ''}{where}"


def make(configs: list[Path], output: Path, way: Way, more: list[str]) -> Took:
    """Make a dataset from nothing."""
    more = [*more, "--workers", str(way.workers)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "animerun_gen", "generate", *map(str, configs), "--out", str(output), *more]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    processors = os.sched_getaffinity(0)
    # what is started here inherits it
    os.sched_setaffinity(0, {min(processors)} if way.one_processor else processors)
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    finally:
        os.sched_setaffinity(0, processors)
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
    alone, pinned, several = Way(1), Way(1, one_processor=True), Way(options.workers)
    took: dict[Way, list[Took]] = {way: [] for way in (pinned, alone, several)}
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            for number, (way, found) in enumerate(took.items()):
                found.append(make(options.configs, Path(folder, f"{repeat}-{number}"), way, limit))
                print(
                    f"{way}: {found[-1].wall:.1f} s, {found[-1].processor:.1f} s of processor time; load "
                    f"{os.getloadavg()[0]:.1f}",
                    flush=True,
                )
    best = {way: min(found, key=lambda run: run.wall) for way, found in took.items()}
    for way in (pinned, alone):
        print(
            f"{several} have {best[way].wall / best[several].wall:.2f} times the throughput of {way}, with "
            f"{best[several].processor / best[way].processor:.2f} times the processor time"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
