"""What every kind of training says and does around the loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from animerun_gen.config.messages import counted
from animerun_gen.terminal import say
from animerun_gen.training.config import Schedule
from animerun_gen.training.loop import Task, train


class CountedTask(Task, Protocol):
    """A task that knows its samples.

    Attributes:
        pairs: How many pairs there are to train on.
        held_out: How many there are for the validation.
        left_out: A sentence for each dataset of which pairs are left out.
    """

    pairs: int
    held_out: int
    left_out: list[str]


class _Wanted(Protocol):
    """The file that says what is trained on what."""

    @property
    def schedule(self) -> Schedule: ...

    def model_dump_json(self) -> str: ...


class _Data(Protocol):
    @property
    def root(self) -> Path: ...


class _Source(Protocol):
    @property
    def left_out(self) -> Sequence[str]: ...


def run_training(
    task: CountedTask,
    wanted: _Wanted,
    output: Path,
    *,
    device: torch.device,
    workers: int,
    decimals: int,
    trained_on: str = "",
) -> list[str]:
    """Say what there is to train on, train, and say what came of it.

    Args:
        task: What is trained on what.
        wanted: The file that asked for it.
        output: The folder to write to.
        device: Where to compute, as :func:`~animerun_gen.training.loop.train` takes it.
        workers: Processes that read samples beside this one.
        decimals: Of the figures of the validation.
        trained_on: What tables say that the weights were trained on.

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
        trained_on=trained_on,
    )
    figures = [line["validation"] for line in folder.lines() if "validation" in line]
    told = [f"{name} {value:.{decimals}f}" for name, value in figures[-1].items()] if figures else []
    return [f"trained {counted(wanted.schedule.steps, 'step')}: {folder.final}", *told]


def pairs_left_out(wanted: Sequence[_Data], sources: Sequence[_Source]) -> list[str]:
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
