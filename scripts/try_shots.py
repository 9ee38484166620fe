"""Tries whole folders of film scenes that nobody prepared: init, then generate, with nothing changed by hand.

python scripts/try_shots.py FOLDER_OR_SHOT.blend ... --out OUT [--frames 4] [--longer-side 480]

Writes a configuration for each scene, a dataset of some frames from the middle of each, a table and a contact sheet.  A
scene that cannot be converted is a row of the table with the reason.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from animerun_gen.config import CutConfig, load_cuts

CONTACT_SHEET = Path(__file__).resolve().parent / "contact_sheet.py"


@dataclass
class Trial:
    """What became of a scene."""

    shot: Path
    cut: str
    init_seconds: float = 0.0
    generate_seconds: float = 0.0
    failure: str = ""
    quality: dict[str, Any] | None = None


def main() -> int:
    """Try all scenes; returns the exit status: 1 when any could not be converted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shots", nargs="+", type=Path, metavar="FOLDER_OR_SHOT.blend")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--frames", type=int, default=4, help="how many frames of each (default: 4)")
    parser.add_argument("--blender", help="use this installed Blender instead of the bpy module")
    options = parser.parse_args()
    trials = []
    for shot in _shots(options.shots):
        trial = _try(shot, options)
        trials.append(trial)
        print(_row(trial), flush=True)
    _write_table(trials, options.out / "trials.md")
    sheet = options.out / "contact_sheet.png"
    subprocess.run([sys.executable, str(CONTACT_SHEET), str(options.out / "dataset"), str(sheet)], check=False)
    print(f"the table is in {options.out / 'trials.md'}, the pictures are in {sheet}")
    return 1 if any(trial.failure for trial in trials) else 0


def _shots(paths: list[Path]) -> list[Path]:
    found = []
    for path in paths:
        found += sorted(path.rglob("*.blend")) if path.is_dir() else [path]
    return found


def _try(shot: Path, options: argparse.Namespace) -> Trial:
    config_file = options.out / "configs" / f"{shot.stem}.yaml"
    trial = Trial(shot, shot.stem)
    blender = ["--blender", options.blender] if options.blender else []
    start = time.perf_counter()
    trial.failure = _run("init", shot, "-o", config_file, "--force", *blender)
    trial.init_seconds = time.perf_counter() - start
    if trial.failure:
        return trial
    (loaded,) = load_cuts([config_file])
    trial.cut = loaded.config.name
    first, last = _middle(loaded.config, options.frames)
    start = time.perf_counter()
    trial.failure = _run(
        "generate", config_file, "--out", options.out / "dataset", "--frames", f"{first}:{last}", *blender
    )
    trial.generate_seconds = time.perf_counter() - start
    quality = options.out / "dataset" / "quality" / f"{trial.cut}.json"
    if quality.exists():
        trial.quality = json.loads(quality.read_text(encoding="utf-8"))
    return trial


def _middle(config: CutConfig, count: int) -> tuple[int, int]:
    """Neighbouring frames around the middle of a clip."""
    numbers = config.frame_numbers
    begin = max(0, (len(numbers) - count) // 2)
    chosen = numbers[begin : begin + count]
    return chosen[0], chosen[-1]


def _run(*arguments: object) -> str:
    """Run a command of the command line; what it said when it failed, empty when it did not."""
    command = [sys.executable, "-m", "animerun_gen", *[str(argument) for argument in arguments]]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if result.returncode == 0:
        return ""
    said = [line for line in (result.stdout + result.stderr).splitlines() if line.strip() and "\r" not in line]
    failures = [line for line in said if "fail" in line.lower() or "died" in line] or said[-1:]
    return " ".join(failures[-1:]) or f"ended with status {result.returncode}"


def _row(trial: Trial) -> str:
    name = f"{trial.shot.parent.name}/{trial.shot.name}"
    if trial.quality is None:
        return f"| {name} | {trial.init_seconds:.1f} | {trial.generate_seconds:.1f} | - | - | - | {trial.failure} |"
    frames, pairs = trial.quality["frame_figures"], trial.quality["pairs"]
    agreement = [frame[key] for frame in frames for key in ("agreement", "agreement_ids") if frame[key] is not None]
    flat = [pair[way]["warp_error_flat_exact"] for pair in pairs for way in ("forward", "backward")]
    known = [value for value in flat if value is not None]
    return (
        f"| {name} | {trial.init_seconds:.1f} | {trial.generate_seconds:.1f} "
        f"| {f'{100 * min(agreement):.3f}%' if agreement else 'none to compare'} "
        f"| {f'{max(known):.2g}' if known else '-'} | {len(trial.quality['failures'])} | {trial.failure} |"
    )


def _write_table(trials: list[Trial], path: Path) -> None:
    head = [
        "| scene | init, s | generate, s | worst agreement | worst flat warp error | beyond a threshold | failure |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    path.write_text("\n".join([*head, *map(_row, trials)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
