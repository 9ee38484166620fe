"""Where what is measured comes from: a method by name, or a folder of predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.config.messages import counted
from animerun_gen.errors import UsageError

_Method = TypeVar("_Method")


@dataclass(frozen=True)
class MethodChoice:
    """Which method is wanted.

    Attributes:
        name: Its name, as its kind of evaluation knows it.
        checkpoint: Weights of a learned method: a file, or a name that its library knows.
        random_weights: Whether a learned method may run without weights.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
    """

    name: str
    checkpoint: str | None = None
    random_weights: bool = False
    device: str = "auto"


def chosen_source(options: EvaluationOptions, open_method: Callable[[MethodChoice], _Method]) -> _Method | Path:
    """The method that is measured, or the folder of its predictions.

    Args:
        options: What is measured, and on what.
        open_method: Makes a method of the kind that is evaluated.

    Raises:
        UsageError: Neither or both are named, there is no such folder, or as ``open_method``.
    """
    if (options.method is None) == (options.predictions is None):
        raise UsageError("a method or predictions are measured", remedy="give --method NAME or --predictions FOLDER")
    if options.method is not None:
        return open_method(MethodChoice(options.method, options.checkpoint, options.random_weights, options.device))
    assert options.predictions is not None
    if not options.predictions.is_dir():
        raise UsageError("is no folder of predictions", options.predictions, "check the path")
    return options.predictions


def remarks_on_left_out(sentences: Sequence[str], thing: str = "pair") -> list[str]:
    """The remark of a result about what was not measured; none where there is nothing.

    Args:
        sentences: One about each pair or triplet.
        thing: What it is.

    Example:
        >>> remarks_on_left_out(["fight 9-10 has no flow_forward", "fight 10-11 has no flow_forward"])
        ['2 pairs were left out: fight 9-10 has no flow_forward, and 1 more.']
    """
    if not sentences:
        return []
    count = len(sentences)
    more = f", and {count - 1} more" if count > 1 else ""
    return [f"{counted(count, thing)} {'was' if count == 1 else 'were'} left out: {sentences[0]}{more}."]
