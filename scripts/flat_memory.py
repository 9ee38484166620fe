#!/usr/bin/env python3
"""Watches memory and open files while one process makes 500 frames; ends with status 1 where they grow.

    python scripts/flat_memory.py [--frames 500] [--config configs/toy/courier.yaml]

One cut of so many frames is made by one Blender and one labelling process.  Every tenth of the way a line is printed:
the resident memory and the open files of the main process, of Blender, and of the labelling process.  Growth is judged
from a quarter of the way on, when caches are warm.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from animerun_gen.config import load_cuts
from animerun_gen.engines.processes import descendants

PROJECT = Path(__file__).resolve().parent.parent

KINDS = {b"animerun_gen.blender.worker": "Blender", b"animerun_gen.engines.pool_child": "labelling"}

MORE_MEMORY = 0.10
"""Growth by this share of what a process held at a quarter of the way is a leak ..."""

MORE_MEGABYTES = 30.0
"""... if it is also more than this."""

MORE_FILES = 3


@dataclass(frozen=True)
class Held:
    """What a process held at one moment."""

    frames: int
    megabytes: float
    files: int


def held(process: int, frames: int) -> Held | None:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        return Held(frames, resident / 1024, len(os.listdir(f"/proc/{process}/fd")))
    return None


def kind_of(process: int) -> str | None:
    with suppress(OSError):
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        return next((kind for mark, kind in KINDS.items() if mark in command), None)
    return None


def write_config(folder: Path, base: Path, frames: int) -> Path:
    """The base cut, longer and smaller: behind its action the scene stands still, but all work is done."""
    [loaded] = load_cuts([base])
    config = loaded.config.model_dump(mode="json")
    first = config["frames"]["first"]
    config["frames"] = {"first": first, "last": first + frames - 1}
    config["resolution"] = [192, 108]
    config["name"] = "long"
    path = folder / "long.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in config.items() if value is not None}))
    return path


def judge(name: str, found: list[Held], frames: int) -> list[str]:
    """What grew, a sentence each."""
    settled = [one for one in found if one.frames >= frames / 4]
    if len(settled) < 2:
        return []
    first, last = settled[0], settled[-1]
    grown = last.megabytes - first.megabytes
    problems = []
    if grown > MORE_MEGABYTES and grown > MORE_MEMORY * first.megabytes:
        problems.append(f"{name}: memory grew from {first.megabytes:.0f} to {last.megabytes:.0f} MB")
    if last.files - first.files > MORE_FILES:
        problems.append(f"{name}: open files grew from {first.files} to {last.files}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=500, help="frames of the cut (default: 500)")
    parser.add_argument("--config", type=Path, default=PROJECT / "configs/toy/courier.yaml", help="cut to make longer")
    options = parser.parse_args()
    found: dict[str, list[Held]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "log"), "wb") as log:
        config = write_config(Path(folder), options.config, options.frames)
        output = Path(folder, "out")
        command = [sys.executable, "-m", "animerun_gen", "generate", str(config), "--out", str(output)]
        more = ["--workers", "1", "--chunk-frames", str(options.frames)]
        environment = os.environ | {"PYTHONPATH": str(PROJECT)}
        main_process = subprocess.Popen([*command, *more], stdout=log, stderr=log, env=environment)
        print(f"{'frames':>7} {'labelled':>8}  resident MB and open files", flush=True)
        marks = {"rendered": 0, "labelled": 0}
        step = max(1, options.frames // 10)
        while main_process.poll() is None:
            time.sleep(0.2)
            rendered = len(list((output / "train/Frame_Anime/long/original").glob("*.png")))
            labelled = len(list((output / "train/SegMatching/long/forward").glob("*.json")))
            if rendered < marks["rendered"] + step and labelled < marks["labelled"] + step:
                continue
            marks = {"rendered": rendered - rendered % step, "labelled": labelled - labelled % step}
            words = []
            children = [(process, kind_of(process)) for process in descendants(main_process.pid)]
            for process, name in [(main_process.pid, "main"), *children]:
                at = labelled if name == "labelling" else rendered
                if name == "main":
                    at = (rendered + labelled) // 2
                if name is not None and (now := held(process, at)) is not None:
                    found[name].append(now)
                    words.append(f"{name} {now.megabytes:.0f} MB {now.files}")
            print(f"{rendered:7d} {labelled:8d}  {', '.join(words)}", flush=True)
        if main_process.wait():
            print(Path(folder, "log").read_text(errors="replace")[-3000:])
            return 1
    problems = [problem for name, values in found.items() for problem in judge(name, values, options.frames)]
    print("\n".join(problems) or "memory and open files stay flat")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
