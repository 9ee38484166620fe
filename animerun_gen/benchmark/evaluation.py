"""What a kind of evaluation gives to :mod:`animerun_gen.benchmark.run`, which does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from animerun_gen.benchmark.results import Average, Column, Measured, MethodFacts, Pair

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ClipToMeasure:
    """A clip, or another group of pairs, whose figures are kept in one file: a run that was stopped goes on after it.

    Attributes:
        split: Its split.
        cut: Its name.
        pairs: How many pairs it has.
        basis: Changes with everything that its figures depend on.
        again: Whether it is measured again all the same, because predictions that are to be kept are not there.
    """

    split: str
    cut: str
    pairs: int
    basis: str
    again: bool = False


@dataclass(frozen=True)
class Panel:
    """A picture of a pair on the page of a result.

    Attributes:
        title: What it shows.
        picture: ``(H, W, 3)`` uint8, RGB.
        exact: Whether its colours mean something, so that none may be mixed with its neighbour's.
    """

    title: str
    picture: Picture
    exact: bool = False


@dataclass(frozen=True)
class Swatch:
    """A colour of the panels, explained.

    Attributes:
        color: As ``#rrggbb``.
        meaning: What it stands for.
    """

    color: str
    meaning: str


class Evaluation(Protocol):
    """Measures one method on one dataset.

    Attributes:
        kind: Its name in :data:`~animerun_gen.benchmark.kinds.KINDS`.
        columns: What it measures; the first one ranks.
        average: Which average the paper has.
        measured: What it measures on.
        method: What it measures.
        legend: What the colours of its panels mean.
    """

    @property
    def kind(self) -> str: ...
    @property
    def columns(self) -> Sequence[Column]: ...
    @property
    def average(self) -> Average: ...
    @property
    def measured(self) -> Measured: ...
    @property
    def method(self) -> MethodFacts: ...
    @property
    def legend(self) -> Sequence[Swatch]: ...

    def clips(self) -> Sequence[ClipToMeasure]:
        """What there is to measure, in order."""

    def measure(self, clip: ClipToMeasure, done: Callable[[str], None]) -> list[Pair]:
        """Measure all pairs of a clip.

        Args:
            clip: One of :meth:`clips`.
            done: To be called after each pair, with a few words about it.

        Raises:
            DatasetError: A label or a prediction is missing or cannot be used.
        """

    def draw(self, clip: ClipToMeasure, frames: tuple[int | str, ...]) -> Sequence[Panel]:
        """Show a pair: frame, truth, prediction and where it errs.

        Raises:
            DatasetError: A label or a prediction is missing or cannot be used.
        """

    def remarks(self, counts: Mapping[str, int]) -> list[str]:
        """What a reader of the figures has to know, in sentences.

        Args:
            counts: The sums of what was counted.
        """
