"""Measures what a worker needs to load a pair of frames, beside the published loader of AnimeRun, in one run.

    python scripts/benchmark_reading.py CHECKOUT DATASET [--split test] [--pairs 24] [--repeats 5]

CHECKOUT is a copy of the repository lisiyao21/AnimeRun, whose loader is run as it is; DATASET is any dataset in its
layout.  It needs torch, torchvision and Pillow.  Of the test split the published loader reads two frames, flow,
occlusion and line area, and makes a valid mask; ours reads two frames, flow, valid mask and occlusion.

Each loader works in a worker process of its own, as a ``torch.utils.data.DataLoader`` starts it.  They take turns, in
one thread each.  The fastest turn of each counts, because what else the machine does only adds; processor time, which
that touches less, stands beside wall time.  After the first turn, files are in the system's cache.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from animerun_gen.dataset import files
from animerun_gen.dataset.opencv import cv2
from animerun_gen.dataset.torch import FlowPairs


def published_loader(checkout: Path, root: Path, split: str) -> Any:
    """The published dataset, from a checkout of its repository."""
    sys.path.insert(0, str(checkout / "flow"))
    from datasets.flow_datasets import AnimeRun  # type: ignore[import-not-found]

    with redirect_stdout(io.StringIO()):
        return AnimeRun(split=split, root=str(root), dstype="Frame_Anime")


class Timed(Dataset[tuple[float, float]]):  # type: ignore[misc]
    """What loading each sample of a dataset takes, in milliseconds on the wall and of the processor."""

    def __init__(self, dataset: Any, without: str = "") -> None:
        self._dataset = dataset
        self._without = without

    def __getitem__(self, index: int) -> tuple[float, float]:
        if self._without:
            files.unpacking = zlib
        wall, processor = time.perf_counter(), time.process_time()
        self._dataset[index]
        return (time.perf_counter() - wall) * 1000, (time.process_time() - processor) * 1000


def worker_of(dataset: Any, indices: Sequence[int], without: str = "") -> Callable[[], tuple[float, float]]:
    """Starts a worker; each call of what this returns is a turn: means of the wall and of the processor."""
    loader: Any = DataLoader(
        Timed(dataset, without), batch_size=None, sampler=indices, num_workers=1, persistent_workers=True
    )

    def turn() -> tuple[float, float]:
        spent = [tuple(map(float, sample)) for sample in loader]
        return sum(wall for wall, _ in spent) / len(spent), sum(processor for _, processor in spent) / len(spent)

    return turn


def main() -> int:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="a copy of the repository lisiyao21/AnimeRun")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--pairs", type=int, default=24, help="how many pairs a turn loads (default: 24)")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each loader (default: 5)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as kept:
        published = published_loader(chosen.checkout, chosen.dataset, chosen.split)
        # both by the order of the published one, which takes cuts as the disk has them
        ours = FlowPairs(chosen.dataset, chosen.split)
        cached = FlowPairs(chosen.dataset, chosen.split, decoded=kept)
        indices = random.Random(0).sample(range(len(ours)), min(chosen.pairs, len(ours)))
        # as its loader's import leaves OpenCV, for all of them
        cv2.setNumThreads(0)
        for index in indices:
            cached[index]
        workers = {"published loader": worker_of(published, indices)}
        if files.unpacking is not zlib:
            workers["`FlowPairs` with zlib-ng"] = worker_of(ours, indices)
        workers["`FlowPairs` without zlib-ng"] = worker_of(ours, indices, "zlib-ng")
        workers["`FlowPairs(decoded=FOLDER)`, filled"] = worker_of(cached, indices)
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in workers}
        for _ in range(chosen.repeats):
            for name, turn in workers.items():
                turns[name].append(turn())
    height, width = ours[0]["flows"].shape[-2:]
    print(f"{len(indices)} pairs of {width}x{height} in random order, {chosen.repeats} turns of each loader\n")
    print("| loader | ms a pair, wall | ms a pair, processor | as a share of the published one's processor time |")
    print("| --- | --- | --- | --- |")
    best = {name: tuple(min(column) for column in zip(*rows, strict=True)) for name, rows in turns.items()}
    base = best["published loader"][1]
    for name, (wall, processor) in best.items():
        print(f"| {name} | {wall:.1f} | {processor:.1f} | {processor / base:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
