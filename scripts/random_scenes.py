#!/usr/bin/env python3
"""Holds the program against random scenes whose truth comes from rays of a camera of its own.

    scripts/random_scenes.py --scenes 200 --seed 1 --out out/random_scenes
    scripts/random_scenes.py --only 17 --out out/random_scenes

Each seed names a scene: modifiers, node groups, instancers and caches in random stacks.  A child process with Blender
in it builds the scene and writes what is true of its pixels, `animerun-gen generate` makes a dataset of it, and the
flow, its validity and the exact occlusion are held against the truth.  docs/random_scenes.md says how the truth is
known.

The exit status is 1 if anything that is called valid is wrong, if an occlusion is wrong away from edges, if a scene
could not be built or made, or if less than 95% of the pixels of surfaces that Blender keeps identical are valid.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "scripts"))

from random_scene.hold import Verdict, hold_cut  # noqa: E402
from random_scene.truth import read_truth  # noqa: E402

GROUP = 10
"""So many scenes share a process that builds and one that generates."""

LEAST_KEPT = 0.95
"""Share of the pixels of surfaces that Blender keeps identical that must be valid."""

MOST_UNSTEADY = 0.1
"""Share of the scenes that may be left out because Blender does not make the same twice."""

PATIENCE_SECONDS = 120.0
"""A scene that takes longer to build, or to make, has failed."""


@dataclass
class Outcome:
    """What became of a seed."""

    seed: int
    recipes: list[str] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    failure: str = ""
    unsteady: list[str] = field(default_factory=list)

    @property
    def total(self) -> Verdict:
        total = Verdict()
        for verdict in self.verdicts.values():
            total.add(verdict)
        return total


def build(seeds: list[int], folder: Path) -> None:
    """Have scenes built; where the process dies, go on behind the scene that killed it."""
    left = list(seeds)
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "scripts")}
    while left:
        log = folder / f"build{left[0]}.log"
        with open(log, "wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "random_scene.child", str(folder), *map(str, left)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
            )
            try:
                process.wait(timeout=PATIENCE_SECONDS * len(left))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        missing = [seed for seed in left if not _is_built(seed, folder)]
        if missing:
            (folder / f"scene{missing[0]}.error").write_text(
                f"Blender ended with status {process.returncode}; see {log}\n"
            )
        left = missing[1:]


def _is_built(seed: int, folder: Path) -> bool:
    return (folder / f"scene{seed}.json").exists() or (folder / f"scene{seed}.error").exists()


def _is_steady(seed: int, folder: Path) -> bool:
    words = folder / f"scene{seed}.json"
    return words.exists() and not json.loads(words.read_text())["unsteady"]


def generate(seeds: list[int], folder: Path, workers: int) -> None:
    """Make the dataset of built scenes."""
    configurations = []
    for seed in seeds:
        words = json.loads((folder / f"scene{seed}.json").read_text())
        cut = {
            "name": f"scene{seed}",
            "source": f"scene{seed}.blend",
            "frames": {"first": words["frames"][0], "last": words["frames"][1]},
            "resolution": words["resolution"],
            "remove": {"rules": []},
            # the truth has the film's own camera, zoom and all
            "camera_motion": {"focal_length": "keep"},
            "style": {"color": "material"},
            "lines": {"engine": "geometry"},
            "motion": {"extras": ["ids", "exact_occlusion", "depth"]},
        }
        path = folder / f"scene{seed}.yaml"
        path.write_text(yaml.safe_dump(cut))
        configurations.append(str(path))
    if not configurations:
        return
    command = [sys.executable, "-m", "animerun_gen", "generate", *configurations, "--out", str(folder / "dataset")]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with open(folder / f"generate{seeds[0]}.log", "wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            process.wait(timeout=PATIENCE_SECONDS * len(seeds))
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()


def judge(seed: int, folder: Path) -> Outcome:
    """Hold one scene's part of the dataset against its truth."""
    outcome = Outcome(seed)
    error = folder / f"scene{seed}.error"
    if error.exists():
        outcome.failure = f"not built: {error.read_text().strip().splitlines()[-1]}"
        return outcome
    words = json.loads((folder / f"scene{seed}.json").read_text())
    outcome.recipes, outcome.unsteady = words["recipes"], words["unsteady"]
    if outcome.unsteady:
        return outcome
    try:
        outcome.verdicts = hold_cut(folder / "dataset", f"scene{seed}", read_truth(folder / f"truth{seed}.npz"))
    except (OSError, ValueError) as problem:
        outcome.failure = f"not made: {problem}"
    except Exception:
        outcome.failure = f"not held: {traceback.format_exc().strip().splitlines()[-1]}"
    return outcome


def report(outcome: Outcome, command: str) -> None:
    """One line, and one more for each recipe that is wrong."""
    if outcome.failure:
        print(f"seed {outcome.seed}: FAILED ({outcome.failure}); again: {command}", flush=True)
        return
    if outcome.unsteady:
        print(f"seed {outcome.seed}: left out, Blender does not make the same twice: {', '.join(outcome.unsteady)}")
        return
    total = outcome.total
    mark = "WRONG" if total.faulty else "ok"
    unknown = total.held - total.valid
    print(
        f"seed {outcome.seed}: {mark}, {total.valid} px valid, {total.wrong} wrong (worst {total.worst:.5f} px), "
        f"{total.nameless} without identity, {unknown} unknown, kept {_share(total.kept_valid, total.kept)}, "
        f"occlusion {total.occlusion} wrong of {total.occlusion_held}; {', '.join(outcome.recipes)}",
        flush=True,
    )
    for recipe, verdict in sorted(outcome.verdicts.items()):
        name = outcome.recipes[recipe] if recipe >= 0 else "background"
        for kind, example in verdict.examples.items():
            print(f"    {name}: {kind}: {example.pixels} px, such as {example.words}")
    if total.faulty:
        print(f"    again: {command}", flush=True)


def table(outcomes: list[Outcome]) -> str:
    """What became of each kind of recipe."""
    rows: dict[str, Verdict] = defaultdict(Verdict)
    scenes: dict[str, int] = defaultdict(int)
    for outcome in outcomes:
        for recipe, verdict in outcome.verdicts.items():
            name = outcome.recipes[recipe].split()[0] if recipe >= 0 else "background"
            rows[name].add(verdict)
            scenes[name] += 1
    lines = [
        f"{'recipe':24}{'seen':>6}{'px':>9}{'valid':>8}{'wrong':>8}{'no id':>8}{'occl.':>7}{'kept':>9}{'carried':>9}"
    ]
    for name, row in sorted(rows.items()):
        lines.append(
            f"{name:24}{scenes[name]:6}{row.held:9}{_share(row.valid, row.held):>8}{row.wrong:8}{row.nameless:8}"
            f"{row.occlusion:7}{_share(row.kept_valid, row.kept):>9}{_share(row.carried_valid, row.carried):>9}"
        )
    return "\n".join(lines)


def stack_table(outcomes: list[Outcome]) -> str:
    """The same for each kind of modifier in the stacks that Blender keeps: a stack counts for all that stand in it."""
    rows: dict[str, Verdict] = defaultdict(Verdict)
    for outcome in outcomes:
        for recipe, verdict in outcome.verdicts.items():
            words = outcome.recipes[recipe].split() if recipe >= 0 else []
            if words[:1] == ["stack"]:
                for word in sorted(set(words[1:])):
                    rows[word].add(verdict)
    lines = [f"{'in stacks':24}{'px kept':>9}{'valid':>9}{'wrong':>8}"]
    for name, row in sorted(rows.items()):
        lines.append(f"{name:24}{row.kept:9}{_share(row.kept_valid, row.kept):>9}{row.wrong:8}")
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=200, help="how many seeds (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: 1)")
    parser.add_argument("--only", type=int, nargs="+", metavar="SEED", help="these seeds instead")
    parser.add_argument("--out", type=Path, required=True, help="folder for scenes, truth and dataset")
    parser.add_argument("--workers", type=int, default=1, help="processes that make the dataset (default: 1)")
    parser.add_argument("--truth-kept", action="store_true", help="keep scenes and truth that are there from before")
    arguments = parser.parse_args()
    folder = arguments.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    seeds = arguments.only or list(range(arguments.seed, arguments.seed + arguments.scenes))
    start = time.monotonic()
    outcomes: list[Outcome] = []
    for first in range(0, len(seeds), GROUP):
        group = seeds[first : first + GROUP]
        if not arguments.truth_kept:
            for seed in group:
                for name in (f"scene{seed}.json", f"scene{seed}.error"):
                    (folder / name).unlink(missing_ok=True)
        build([seed for seed in group if not _is_built(seed, folder)], folder)
        generate([seed for seed in group if _is_steady(seed, folder)], folder, arguments.workers)
        for seed in group:
            outcomes.append(judge(seed, folder))
            report(outcomes[-1], f"scripts/random_scenes.py --only {seed} --out {arguments.out}")
        done, passed = first + len(group), time.monotonic() - start
        left = passed / done * (len(seeds) - done)
        print(f"-- {done} of {len(seeds)} scenes, {passed / done:.1f} s a scene, {left / 60:.1f} min left", flush=True)

    total = Verdict()
    for outcome in outcomes:
        total.add(outcome.total)
    failed = [outcome.seed for outcome in outcomes if outcome.failure]
    unsteady = [outcome.seed for outcome in outcomes if outcome.unsteady]
    print()
    print(table(outcomes))
    print()
    print(stack_table(outcomes))
    print()
    print(
        f"{len(outcomes)} scenes, seeds {seeds[0]} to {seeds[-1]}: {total.held} px held, {total.valid} valid, "
        f"{total.wrong} wrong, {total.nameless} without identity; occlusion {total.occlusion} wrong of "
        f"{total.occlusion_held}; kept identical by Blender: {total.kept} px, "
        f"{_share(total.kept_valid, total.kept)} valid"
    )
    wrong = [outcome.seed for outcome in outcomes if outcome.total.faulty]
    print(f"wrong seeds: {wrong}; failed: {failed}; left out: {unsteady}")
    enough = total.kept > 0 and total.kept_valid >= LEAST_KEPT * total.kept
    steady = len(unsteady) <= MOST_UNSTEADY * len(outcomes)
    return 0 if enough and steady and not wrong and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
