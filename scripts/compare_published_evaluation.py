"""Holds 'animerun-gen evaluate flow' against the published evaluation of AnimeRun, on the same predictions.

    python scripts/compare_published_evaluation.py CHECKOUT [DATASET] [--method NAME] [--script evaluate.py]

CHECKOUT is a copy of the repository lisiyao21/AnimeRun, whose scripts flow/evaluate.py, evaluate_gma.py and
evaluate_gmflow.py are run as they are; what they take for their network gives the flow that our method predicted.
Without DATASET a small one is made up: noise with motions of all speeds, whose motion is known everywhere.  It needs
torch, matplotlib, Pillow and SciPy, and numpy below 2.4, with which the published reader of .flo files works.

Prints a Markdown table, and ends with 1 where a figure differs by more than what sums of float32 lose.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import re
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from animerun_gen.benchmark.flow.evaluation import open_evaluation
from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.benchmark.run import evaluate
from animerun_gen.dataset import ClipWriter, Dataset, read_flow

PUBLISHED = {
    "EPE": "epe",
    "Non-Occ": "epe_visible",
    "Occ": "epe_occluded",
    "Line": "epe_line",
    "Flat": "epe_flat",
    "s<10": "epe_slow",
    "s10-50": "epe_medium",
    "s>50": "epe_fast",
}
"""What the published scripts call a figure, and what we do."""

TOLERANCE = 1e-5
"""Relative; the published scripts add up float32."""


def make_up(root: Path) -> None:
    """Write two clips whose sides are no multiples of 8, so that what the published scripts pad is seen, too."""
    random = np.random.default_rng(0)
    shape = (101, 150)
    for cut, frames in (("fight", range(8, 12)), ("run", range(3, 6))):
        clip = ClipWriter(root, "test", cut)
        for frame in frames:
            clip.write("frame", frame, random.integers(0, 256, (*shape, 3), np.uint8))
        for frame in frames[:-1]:
            speed = random.choice([1, 10, 60], (*shape, 1))
            clip.write("flow_forward", frame, (random.normal(size=(*shape, 2)) * speed).astype(np.float32))
            clip.write("occlusion_forward", frame, random.random(shape) < 0.2)
            clip.write("line_area", frame, random.random(shape) < 0.4)


class Predicted:
    """Stands for a network: pads what was predicted as the published scripts pad their frames.

    Args:
        folder: The predictions.
        made: The published datasets that were opened; the last one tells which pair comes next.
        multiple: Of what the sides of the frames become multiples.
        in_table: Whether the answer is a table, as GMFlow's is.
    """

    def __init__(self, folder: Path, made: list[Any], multiple: int, in_table: bool) -> None:
        self.folder = folder
        self.made = made
        self.multiple = multiple
        self.in_table = in_table
        self.calls = 0

    def eval(self) -> None:
        """Nothing is trained here."""

    def __call__(self, first: torch.Tensor, second: torch.Tensor, **settings: Any) -> Any:
        path = Path(self.made[-1].flow_list[self.calls])
        self.calls += 1
        flow = torch.from_numpy(read_flow(self.folder / "test" / path.parent.parent.name / path.name))
        height, width = flow.shape[:2]
        # half of it on each side, the larger half behind
        down, right = first.shape[-2] - height, first.shape[-1] - width
        pads = (right // 2, right - right // 2, down // 2, down - down // 2)
        padded = functional.pad(flow.permute(2, 0, 1)[None], pads)
        return {"flow_preds": [padded]} if self.in_table else (None, padded)


def published_figures(checkout: Path, script: str, root: Path, predictions: Path) -> dict[str, float]:
    """What a published script prints."""
    code = (checkout / "flow").resolve()
    sys.path[:0] = [str(code), str(code / "core")]
    with chdir(code):
        published = importlib.import_module(script.removesuffix(".py"))
    made: list[Any] = []
    begin = published.datasets.AnimeRun.__init__

    def begin_here(dataset: Any, **settings: Any) -> None:
        begin(dataset, root=str(root.resolve()), **settings)
        made.append(dataset)

    # where the data lie is written into the class
    published.datasets.AnimeRun.__init__ = begin_here
    if not torch.cuda.is_available():
        torch.Tensor.cuda = lambda tensor, *_, **__: tensor
    is_gmflow = script == "evaluate_gmflow.py"
    network = Predicted(predictions.resolve(), made, 32 if is_gmflow else 8, is_gmflow)
    with redirect_stdout(io.StringIO()) as printed:
        published.validate_anime(network)
    [line] = re.findall(r"^Test \(Frame_Anime\) (.*)$", printed.getvalue(), re.MULTILINE)
    return {name: float(value) for name, value in re.findall(r"([\w<>-]+): ([\d.]+|nan)", line)}


def main() -> int:
    """Compare and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="a copy of the repository lisiyao21/AnimeRun")
    parser.add_argument("dataset", type=Path, nargs="?", help="a dataset with a split test (default: one is made up)")
    parser.add_argument("--method", default="dis", help="whose predictions are measured (default: dis)")
    parser.add_argument("--script", default="evaluate.py", help="the published script (default: evaluate.py)")
    chosen = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "agg")
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.dataset or Path(folder, "made_up")
        if chosen.dataset is None:
            make_up(root)
        for clip in Dataset(root).clips("test"):
            for frame in clip.frames("flow_forward"):
                if clip.has("valid_forward", frame) and not clip.read("valid_forward", frame).all():
                    print(
                        f"cut '{clip.cut}', frame {frame}: not all motion is known, which the published scripts ignore"
                    )
                    return 2
        options = EvaluationOptions(
            root, Path(folder, "ours"), method=chosen.method, save=Path(folder, "kept"), worst=0
        )
        ours = evaluate(open_evaluation(options), options.output, worst=0).result
        assert ours is not None
        theirs = published_figures(chosen.checkout, chosen.script, root, Path(folder, "kept"))
    print(f"| {chosen.method}, {ours.pairs} pairs | {chosen.script} | animerun-gen |\n| --- | ---: | ---: |")
    differ = 0
    for name, key in PUBLISHED.items():
        figure = ours.averages.figure(key, "pooled")
        print(f"| {name} | {theirs[name]:.6f} | {'nan' if figure is None else f'{figure:.6f}'} |")
        same = np.isnan(theirs[name]) if figure is None else abs(theirs[name] - figure) <= TOLERANCE * figure + 1e-6
        differ += not same
    print("all figures are the same" if not differ else f"{differ} figures differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
