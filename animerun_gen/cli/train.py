"""``train``: train a network on datasets."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, cast

from animerun_gen.cli import shared
from animerun_gen.settings import Choice, File, Whole, setting
from animerun_gen.terminal import say

KINDS = {
    "flow": "animerun_gen.training.flow",
    "segments": "animerun_gen.training.segments",
}
"""What can be trained, and the module that does it (:class:`Trainer`), which needs PyTorch."""


class Trainer(Protocol):
    """A module of a kind of training."""

    def train_from(self, config: Path, output: Path, *, device: str, workers: int) -> list[str]:
        """Train as a YAML file says, or go on with it.

        Returns:
            Sentences about what came of it.
        """


@dataclass(frozen=True)
class Train:
    """Train a network on datasets."""

    name: ClassVar = "train"
    summary: ClassVar = "train a network for optical flow or segment matching on datasets"
    description: ClassVar = """\
Trains a network as a YAML file says, on datasets of this project and of others (docs/training.md). It needs PyTorch.
Stopped or killed at any moment and run again, the command goes on where it stopped. The folder then holds final.pt and
best.pt (weights, for 'animerun-gen evaluate'), log.jsonl and state.pt.

    animerun-gen train flow configs/training/flow_small_cpu.yaml --out out/training/flow
    animerun-gen train segments configs/training/ant_small_cpu.yaml --out out/training/ant
"""

    kind: str = setting(placed=True, reads=Choice(tuple(KINDS)), metavar="KIND", help=f"what for: {' or '.join(KINDS)}")
    config: Path = setting(placed=True, reads=File(), metavar="CONFIG", help="YAML file that describes the training")
    output: Path = setting(
        names=("--out",), reads=File(), metavar="FOLDER", help="folder to write to: a new one, or that of a training"
    )
    device: str = setting("auto", metavar="NAME", help="where to compute: cpu, cuda, cuda:1 (default: a GPU if any)")
    workers: int = setting(
        0, reads=Whole(0), metavar="N", help="processes that read samples; 0: none beside this one (default: {default})"
    )

    def run(self) -> int:
        shared.require_output(self.output)
        # says what to install where there is no PyTorch
        importlib.import_module("animerun_gen.networks")
        trainer = cast(Trainer, importlib.import_module(KINDS[self.kind]))
        for sentence in trainer.train_from(self.config, self.output, device=self.device, workers=self.workers):
            say(sentence)
        return 0
