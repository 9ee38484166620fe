"""What every kind of training says and does around the loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from animerun_gen.config.messages import counted
from animerun_gen.errors import ConfigError
from animerun_gen.terminal import say
from animerun_gen.training.config import Data, Schedule
from animerun_gen.training.loop import Task, train
from animerun_gen.training.sampling import OpenData


class CountedTask(Task, Protocol):
    """A task that knows its samples.

    Attributes:
        pairs: How many pairs there are to train on.
        held_out: How many there are for the validation.
        left_out: A sentence for each dataset of which pairs are left out.
        trained_on: What tables say that the network was trained on.
    """

    pairs: int
    held_out: int
    left_out: list[str]
    trained_on: str


class _Wanted(Protocol):
    """The file that says what is trained on what."""

    @property
    def schedule(self) -> Schedule: ...

    def model_dump_json(self) -> str: ...


def run_training(
    task: CountedTask,
    wanted: _Wanted,
    output: Path,
    *,
    device: torch.device,
    workers: int,
    decimals: int,
) -> list[str]:
    """Say what there is to train on, train, and say what came of it.

    Args:
        task: What is trained on what.
        wanted: The file that asked for it.
        output: The folder to write to.
        device: Where to compute, as :func:`~animerun_gen.training.loop.train` takes it.
        workers: Processes that read samples beside this one.
        decimals: Of the figures of the validation.

    Returns:
        Sentences about what came of it.

    Raises:
        AnimerunGenError: As :func:`~animerun_gen.training.loop.train`.
    """
    say(f"{counted(task.pairs, 'pair')} to train on, {counted(task.held_out, 'pair')} for validation")
    for sentence in task.left_out:
        say(sentence)
    folder = train(
        task,
        wanted.schedule,
        wanted.model_dump_json(),
        output,
        device=device,
        workers=workers,
        trained_on=task.trained_on,
    )
    figures = [line["validation"] for line in folder.lines() if "validation" in line]
    told = [f"{name} {value:.{decimals}f}" for name, value in figures[-1].items()] if figures else []
    return [f"trained {counted(wanted.schedule.steps, 'step')}: {folder.final}", *told]


def require_crop_fits(crop: tuple[int, int], wanted: Sequence[Data], sources: Sequence[OpenData]) -> None:
    """See, before anything is trained, whether frames are large enough to be cropped.

    Args:
        crop: Width and height in pixels.
        wanted: What the file says of the datasets to train on.
        sources: The datasets, in the same order; of each the first pair is looked at.

    Raises:
        ConfigError: Frames of a dataset are smaller.
        DatasetError: A file is missing or damaged.
    """
    problems = []
    for data, source in zip(wanted, sources, strict=True):
        width, height = source.frame_size
        if crop[0] > width or crop[1] > height:
            least = f"[{min(crop[0], width)}, {min(crop[1], height)}]"
            problems.append(
                f"crop: [{crop[0]}, {crop[1]}] is larger than the frames of {data.root}, which have {width} x {height}"
                f" pixels; make it {least} or smaller"
            )
    if problems:
        raise ConfigError(problems)


def described(wanted: Sequence[Data], sources: Sequence[OpenData]) -> str:
    """What tables say that a network was trained on: datasets with their numbers of pairs.

    Args:
        wanted: What the file says of the datasets.
        sources: The datasets, in the same order.
    """
    parts = []
    for data, source in zip(wanted, sources, strict=True):
        often = f" x {data.repeat}" if data.repeat > 1 else ""
        parts.append(f"{data.name or data.root.resolve().name} ({counted(len(source), 'pair')}{often})")
    return ", ".join(parts)


def pairs_left_out(wanted: Sequence[Data], sources: Sequence[OpenData]) -> list[str]:
    """A sentence for each dataset of which pairs are left out.

    Args:
        wanted: What the file says of the datasets.
        sources: The datasets, in the same order.
    """
    return [
        f"{data.root}: {counted(len(source.left_out), 'pair')} left out; the first: {source.left_out[0]}"
        for data, source in zip(wanted, sources, strict=True)
        if source.left_out
    ]
