"""What a training is asked to do: its YAML file as typed models, and everything wrong with it in sentences.

What every training has is here: the schedule.  What is trained on what is declared beside each kind of training
(:class:`FlowTraining` in ``flow_config``).  Nothing here imports torch, so that a mistake is told before it is loaded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from animerun_gen.config.checking import problems_of
from animerun_gen.config.messages import Expected
from animerun_gen.config.model import Section
from animerun_gen.config.yaml_file import Kind, plain, read_yaml_file
from animerun_gen.errors import ConfigError

_KIND = Kind(
    "training",
    "at least model and data",
    "model: {name: torchvision:raft_small}",
    "write everything out",
    most_values=20_000,
)

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _expanded(value: object) -> object:
    if not isinstance(value, str):
        return value
    for name in _VARIABLE.findall(value):
        if not os.environ.get(name):
            raise ValueError(
                f"the environment variable {name} is not set; set it before the command, for example: "
                f"export {name}=/path/to/its/folder"
            )
    return Path(_VARIABLE.sub(lambda match: os.environ[match[1]], value))


FilePath = Annotated[
    Path, Field(strict=False), BeforeValidator(_expanded), Expected("the path of a file or folder (text)")
]
"""A path that may hold ``${VARIABLE}``; one that is relative begins at the folder in which the command runs."""

Name = Annotated[str, Field(min_length=1, max_length=200), Expected("a name (text)")]
Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=16, le=16384)]
Crop = Annotated[
    tuple[Side, Side],
    Field(strict=False),
    Expected("a list [width, height] of two whole numbers, each from 16 to 16384"),
]
Steps = Annotated[int, Field(ge=1, le=100_000_000)]


class Schedule(Section):
    """How long, how fast and how exactly a network is trained."""

    steps: Steps = Field(description="How often the weights are changed.")
    batch: int = Field(ge=1, le=4096, description="Samples that the network sees at once.")
    accumulate: int = Field(
        default=1, ge=1, le=4096, description="Batches whose gradients are added up before the weights are changed."
    )
    optimizer: Literal["adamw", "adam"] = Field(default="adamw", description="How gradients change weights.")
    rate: float = Field(gt=0, le=10, description="The learning rate; with `one_cycle` its peak.")
    decay: float = Field(default=0.0, ge=0, le=10, description="Weight decay.")
    epsilon: float = Field(default=1e-8, gt=0, le=1, description="The optimiser's epsilon.")
    shape: Literal["one_cycle", "constant"] = Field(
        default="one_cycle",
        description="How the rate runs: up to its peak and down again in straight lines, or always the same.",
    )
    warm_up: float = Field(default=0.05, gt=0, lt=1, description="Share of the steps up to the peak of `one_cycle`.")
    clip: float | None = Field(default=1.0, gt=0, description="Longest gradient (2-norm); null: of any length.")
    precision: Literal["full", "bf16", "fp16"] = Field(
        default="full", description="In which numbers a GPU computes; on a CPU it is always full."
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Decides all that is drawn at random.")
    deterministic: bool = Field(
        default=False, description="Whether a GPU, too, must compute the same bits each time, which is slower."
    )
    validate_every: Steps = Field(default=1000, description="Steps after which the network is tried on `validation`.")
    save_every: Steps = Field(default=500, description="Steps after which a killed training can go on.")
    log_every: Steps = Field(default=50, description="Steps of which the log has one line, with their means.")


class Data(Section):
    """A dataset that a network is trained or tried on."""

    root: FilePath = Field(description="Its root folder.")
    name: Name | None = Field(default=None, description="What the log calls it; null: its kind or its split.")
    repeat: int = Field(
        default=1, ge=1, le=100_000, description="How often each pair comes while the others come once: its weight."
    )
    direction: Literal["forward", "backward", "both"] = Field(
        default="forward", description="Which way pairs go; `both`: each pair of frames once each way."
    )
    cuts: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="The cuts to take of a dataset in the layout of AnimeRun; null: all of the split."
    )
    most: int | None = Field(
        default=None, ge=1, description="So many pairs at most, spread evenly over the split; null: all."
    )


def require_data(data: Sequence[Data], tried_on: Sequence[str]) -> None:
    """See whether there is something to train on, and whether the log can tell what is tried on apart.

    Args:
        data: The datasets to train on.
        tried_on: What the log calls the datasets of the validation.

    Raises:
        ValueError: There is none, or two have the same name.
    """
    if not data:
        raise ValueError("data lists no dataset; give it at least one")
    for name in tried_on:
        if tried_on.count(name) > 1:
            raise ValueError(f"validation has two datasets called {name!r}; give one of them another name")


_Model = TypeVar("_Model", bound=Section)


def read_training(file: Path, model: type[_Model]) -> _Model:
    """Read what a training is asked to do.

    Args:
        file: The YAML file.
        model: What it should describe.

    Raises:
        ConfigError: Something is wrong; ``problems`` holds all of it, each with file, line and key.
    """
    root, problems = read_yaml_file(file, _KIND)
    if root is None:
        raise ConfigError([str(problem) for problem in problems])
    try:
        read = model.model_validate(plain(root))
    except ValidationError as error:
        problems = [*problems, *problems_of(error, root, model)]
    if problems:
        raise ConfigError([str(problem) for problem in dict.fromkeys(problems)])
    return read
