#!/usr/bin/env python3
"""Kills everything that makes a dataset, again and again, and looks whether the dataset comes out as if nobody had.

    scripts/soak.py --minutes 15 --folder out/soak

Twenty small cuts of the project's own scenes are made undisturbed once.  Then they are made again and again, in turn by
local workers and by a Dask scheduler with two workers on this machine, while every few seconds one of the processes is
killed (``kill -9``) or stopped for good: a Blender, a labelling process, a Dask worker, its nanny, the scheduler, or
the main process.  Whenever the dataset is complete, files of it are deleted, so that there is something to do until the
time is over.  At last it is completed undisturbed and compared with the first one, byte by byte.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import yaml

from animerun_gen.engines.processes import descendants

PROJECT = Path(__file__).resolve().parent.parent
SCENES = ("blueprint", "courier", "festival", "flyover", "postcard", "workshop")
CUTS = 20
LAST_RUN_SECONDS = 1800.0

STOPPED = "Blender (stopped, not killed)"
MAIN_SHARE = 0.2
"""So often the main process is among those that may be killed."""

WEIGHTS = {
    "Blender": 6,
    "labelling process": 5,
    "Dask worker": 3,
    "nanny": 2,
    "scheduler": 2,
    "main process": 6,
    STOPPED: 1,
}


def write_cuts(folder: Path) -> None:
    """Small cuts that together have everything a cut can have."""
    folder.mkdir(parents=True)
    for number in range(CUTS):
        first = 1 + number % 5
        cut = {
            "name": f"cut{number:02d}",
            "source": str(PROJECT / "scenes" / f"{SCENES[number % len(SCENES)]}.blend"),
            "split": "test" if number % 5 == 0 else "train",
            "frames": {"first": first, "last": first + 3 + number % 3},
            "resolution": [192, 108],
            "lines": {"thickness": 1.0},
            "motion": {
                "extras": ["depth", "ids", "normals", "exact_occlusion"],
                "gaps": [1, 2] if number % 4 == 1 else [1],
                "tracks": 20 if number % 6 == 2 else 0,
            },
            "recolor": {"passes": 2 if number % 3 == 0 else 0},
        }
        (folder / f"{cut['name']}.yaml").write_text(yaml.safe_dump(cut))


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}


def start(log: Path, *command: str) -> subprocess.Popen[bytes]:
    """A program in a session of its own, whose words go to a log."""
    with open(log, "ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment(),
            start_new_session=True,
        )


class Cluster:
    """A Dask scheduler and two workers with nannies; what was killed of it is started again when it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.nannies: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def ensure(self) -> str:
        self.nannies = [nanny for nanny in self.nannies if nanny.poll() is None]
        if self.scheduler is None or self.scheduler.poll() is not None:
            # workers of a scheduler that is gone end by themselves, some time
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self.address = f"tcp://127.0.0.1:{port}"
            log = self.folder / "scheduler.log"
            self.scheduler = start(
                log, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
            )
            self.nannies = []
        for number in range(len(self.nannies), 2):
            options = ("--nthreads", "1", "--no-dashboard", "--death-timeout", "30", "--local-directory")
            log = self.folder / f"worker{number}.log"
            self.nannies.append(start(log, "distributed.cli.dask_worker", self.address, *options, str(self.folder)))
        return self.address

    def end(self) -> None:
        for process in (*self.nannies, *([self.scheduler] if self.scheduler else [])):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def victims(main: subprocess.Popen[bytes], cluster: Cluster) -> dict[str, list[int]]:
    """Who can be killed, by kind."""
    found: dict[str, list[int]] = {"main process": [main.pid]}
    roots = [main.pid]
    if cluster.scheduler is not None and cluster.scheduler.poll() is None:
        found["scheduler"] = [cluster.scheduler.pid]
    alive = [nanny.pid for nanny in cluster.nannies if nanny.poll() is None]
    if alive:
        found["nanny"] = alive
        roots += alive
    for process in (child for root in roots for child in descendants(root)):
        with suppress(OSError):
            command = Path(f"/proc/{process}/cmdline").read_bytes()
            for mark, kind in (
                (b"animerun_gen.blender.worker", "Blender"),
                (b"animerun_gen.engines.pool_child", "labelling process"),
                (b"spawn_main", "Dask worker"),
            ):
                if mark in command:
                    found.setdefault(kind, []).append(process)
    if "Blender" in found:
        found[STOPPED] = found["Blender"]
    return found


def strike(main: subprocess.Popen[bytes], cluster: Cluster, uses_cluster: bool, dice: random.Random) -> str | None:
    """Kill somebody; returns of which kind."""
    found = victims(main, cluster)
    if not uses_cluster:
        found.pop("scheduler", None)
        found.pop("nanny", None)
        found.pop("Dask worker", None)
    if dice.random() > MAIN_SHARE and len(found) > 1:
        # where nothing else is there yet, it would be killed all the time
        del found["main process"]
    elif dice.random() > MAIN_SHARE:
        return None
    kinds = sorted(found)
    [kind] = dice.choices(kinds, [WEIGHTS[kind] for kind in kinds])
    with suppress(ProcessLookupError):
        os.kill(dice.choice(found[kind]), signal.SIGSTOP if kind == STOPPED else signal.SIGKILL)
        return kind
    return None


def end_stopped(folder: Path) -> None:
    """End Blenders that were stopped while they started, and whose parent was killed: they never hear of that."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if b"animerun_gen.blender.worker" in command and bytes(folder) in command:
                os.kill(int(entry.name), signal.SIGKILL)


def damage(output: Path, dice: random.Random) -> str:
    """Delete something of a complete dataset."""
    if dice.random() < 0.3:
        shutil.rmtree(output, ignore_errors=True)
        return "everything"
    files = sorted(path for split in ("train", "test") for path in (output / split).rglob("*.*") if path.is_file())
    chosen = dice.sample(files, min(len(files), dice.randint(50, 1500)))
    for path in chosen:
        path.unlink()
    return f"{len(chosen)} of {len(files)} files"


def contents(output: Path) -> dict[str, bytes]:
    """All files of a dataset but the run's own."""
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file() and ".animerun-gen" not in path.relative_to(output).parts
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0, help="how long to kill (default: 15)")
    parser.add_argument("--folder", type=Path, required=True, help="an empty or new folder for everything")
    parser.add_argument("--seed", type=int, default=1, help="of the dice (default: 1)")
    options = parser.parse_args()
    if options.folder.exists() and any(options.folder.iterdir()):
        parser.error(f"{options.folder} is not empty")
    dice = random.Random(options.seed)
    folder = options.folder.absolute()
    write_cuts(folder / "cuts")
    undisturbed, output = folder / "undisturbed", folder / "disturbed"
    command = ["animerun_gen", "generate", str(folder / "cuts"), "--out"]
    begun = time.monotonic()
    if start(folder / "undisturbed.log", *command, str(undisturbed)).wait():
        print(f"the undisturbed dataset cannot be made, see {folder / 'undisturbed.log'}")
        return 1
    print(f"undisturbed, by one worker: {len(contents(undisturbed))} files in {time.monotonic() - begun:.0f} s")
    cluster = Cluster(folder)
    kills: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    deleted: list[str] = []
    end = time.monotonic() + 60 * options.minutes
    runs = 0
    try:
        while time.monotonic() < end:
            uses_cluster = runs % 2 == 1
            runs += 1
            ways = ["--chunk-frames", str(dice.randint(2, 5)), "--patience", "0.25"]
            ways += ["--scheduler", cluster.ensure()] if uses_cluster else ["--workers", str(dice.randint(1, 3))]
            process = start(folder / "disturbed.log", *command, str(output), *ways)
            next_strike = time.monotonic() + dice.uniform(2.0, 8.0)
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.1)
                if time.monotonic() < next_strike:
                    continue
                next_strike = time.monotonic() + dice.uniform(2.0, 8.0)
                if (kind := strike(process, cluster, uses_cluster, dice)) is not None:
                    kills[kind] += 1
            if process.poll() is None:
                process.kill()
                kills["main process"] += 1
            status = process.wait()
            ends["killed" if status == -signal.SIGKILL else f"status {status}"] += 1
            if status == 0:
                deleted.append(damage(output, dice))
            left, place = (end - time.monotonic()) / 60, "Dask" if uses_cluster else "local"
            print(
                f"{left:5.1f} minutes left: run {runs} ({place}) ended with status {status}, "
                f"{sum(kills.values())} kills so far",
                flush=True,
            )
    finally:
        last = start(folder / "last.log", *command, str(output), "--workers", "2")
        status = last.wait(LAST_RUN_SECONDS)
        cluster.end()
        end_stopped(folder)
    print("kills:", ", ".join(f"{count} {kind}" for kind, count in sorted(kills.items())))
    print(f"{runs} runs:", ", ".join(f"{count} {how}" for how, count in sorted(ends.items())))
    print(f"complete {len(deleted)} times, after which was deleted: {', '.join(deleted) or 'nothing'}")
    whole, made = contents(undisturbed), contents(output)
    different = sorted(name for name in whole.keys() | made.keys() if whole.get(name) != made.get(name))
    for name in different[:20]:
        print(f"differs: {name}")
    print(f"the last, undisturbed run ended with status {status}; {len(different)} of {len(whole)} files differ")
    return 1 if different or status else 0


if __name__ == "__main__":
    sys.exit(main())
