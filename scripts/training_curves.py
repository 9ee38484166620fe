#!/usr/bin/env python3
"""Draws how trainings went, of the logs that `animerun-gen train` writes.

python scripts/training_curves.py flow=out/flow/log.jsonl --figure epe --unit px --out curves.svg

Each training has a name; beside the figure of the validation there are the losses.  `--line NAME=VALUE` draws a line
for something else at a figure, such as a method that nothing is trained for.  It needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def read_log(file: Path) -> list[Line]:
    """The lines of a log; a torn one at the end of a training that still runs is left out."""
    found = []
    for text in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


def curve(lines: Sequence[Line], figure: str) -> tuple[list[int], list[float]]:
    """Steps, and what the validation found after them.

    Example:
        >>> curve([{"step": 0, "validation": {"epe": 4.0}}, {"step": 5, "loss": 1.0}], "epe")
        ([0], [4.0])
    """
    points = [(line["step"], line["validation"][figure]) for line in lines if figure in line.get("validation", {})]
    return [step for step, _ in points], [value for _, value in points]


def losses(lines: Sequence[Line]) -> tuple[list[int], list[float]]:
    """Steps, and the mean losses before them."""
    points = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    return [step for step, _ in points], [value for _, value in points]


def draw(logs: dict[str, list[Line]], figure: str, unit: str, lines: dict[str, float], out: Path) -> None:
    """Draw losses and figures side by side."""
    import matplotlib

    matplotlib.use("agg")
    # the same figures give the same file
    matplotlib.rcParams.update({"svg.hashsalt": "animerun-gen", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    picture, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for name, log in logs.items():
        left.plot(*losses(log), label=name, linewidth=1)
        right.plot(*curve(log, figure), label=name, marker="o", markersize=3)
    for at, (name, value) in enumerate(lines.items()):
        right.axhline(value, color="grey", linestyle=("--", ":", "-.")[at % 3], linewidth=1, label=name)
    left.set(xlabel="steps", ylabel="loss", yscale="log")
    right.set(xlabel="steps", ylabel=f"{figure} [{unit}]" if unit else figure)
    right.set_ylim(bottom=0)
    for plot in (left, right):
        plot.grid(alpha=0.3)
    right.legend(frameon=False)
    metadata = {"Date": None} if out.suffix == ".svg" else {}
    picture.savefig(out, dpi=110, metadata=metadata)


def named(text: str) -> tuple[str, str]:
    """What stands before and behind the sign of equality."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"must be NAME=..., not {text!r}")
    return name, value


def main() -> int:
    """Draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", type=named, metavar="NAME=LOG", help="what to call it, and its log.jsonl")
    parser.add_argument("--figure", default="epe", help="the figure of the validation (default: epe)")
    parser.add_argument("--unit", default="", help="what it is measured in")
    parser.add_argument("--line", nargs="+", action="extend", default=[], type=named, metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="an .svg or .png")
    options = parser.parse_args()
    try:
        logs = {name: read_log(Path(file)) for name, file in options.logs}
        draw(logs, options.figure, options.unit, {name: float(value) for name, value in options.line}, options.out)
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
