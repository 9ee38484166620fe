"""What an evaluation found: figures of each pair, of each clip, and of all of them.

A figure is a mean: of pixels, segments or frames, which its weight counts.  *Pooled* figures are the mean over all that
there is, as the published scripts compute the end-point error; the *mean of the pairs* gives each pair the same weight,
as they compute the accuracy of segment matching.  Both are kept of everything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from animerun_gen.dataset.files import read_json, write_json
from animerun_gen.errors import UsageError

FORMAT: Literal[1] = 1
"""Of the files; it changes when older programs could not read them."""

RESULT = "result.json"
"""The file of a result in the folder of an evaluation."""

Unit = Literal["px", "%", "dB", "levels", ""]
Better = Literal["lower", "higher"]
Average = Literal["pooled", "mean_of_pairs"]
Weights = Literal["none", "trained", "random", "unknown"]


class _Stored(BaseModel):
    """What is kept as JSON: nothing may be in it that is not known, no number that JSON cannot hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Column(_Stored):
    """A figure that an evaluation measures.

    Attributes:
        key: What it is called in the files.
        title: What stands above it in tables.
        unit: Its unit; shares are in percent.
        better: Whether a low figure is good or a high one.
        meaning: A sentence about it.
        paper: Whether the paper's table has it.
    """

    key: str
    title: str
    unit: Unit
    better: Better
    meaning: str
    paper: bool = True


class Figure(_Stored):
    """A mean, and of how much.

    Attributes:
        value: The mean; None where there is nothing to average.
        weight: Of how many pixels, segments or frames.

    Example:
        >>> Figure.mean(6.0, 4)
        Figure(value=1.5, weight=4.0)
        >>> Figure.mean(0.0, 0)
        Figure(value=None, weight=0.0)
    """

    value: float | None
    weight: float

    @classmethod
    def mean(cls, total: float, weight: float) -> Figure:
        """The mean of what adds up to ``total``."""
        return cls(value=total / weight if weight else None, weight=weight)


class Pair(_Stored):
    """The figures of one pair of frames (of a triplet, in interpolation).

    Attributes:
        frames: Their numbers, or what they are called.
        figures: Column key to figure.
        counts: What else was counted, such as pixels that were left out.
    """

    frames: tuple[int | str, ...]
    figures: dict[str, Figure]
    counts: dict[str, int] = {}


class Averages(_Stored):
    """Figures of several pairs.

    Attributes:
        pooled: Column key to the mean over everything.
        mean_of_pairs: Column key to the mean over the pairs that have the figure.
        counts: The sums of what was counted.
    """

    pooled: dict[str, Figure]
    mean_of_pairs: dict[str, Figure]
    counts: dict[str, int]

    @classmethod
    def of(cls, pairs: Iterable[Pair], columns: Sequence[Column]) -> Averages:
        """Of some pairs; whatever their order, the figures are the same to the last bit."""
        pairs = list(pairs)
        pooled, means = {}, {}
        for column in columns:
            figures = [pair.figures[column.key] for pair in pairs if column.key in pair.figures]
            known = [(figure.value, figure.weight) for figure in figures if figure.value is not None]
            total = math.fsum(value * weight for value, weight in known)
            pooled[column.key] = Figure.mean(total, math.fsum(weight for _, weight in known))
            means[column.key] = Figure.mean(math.fsum(value for value, _ in known), len(known))
        counts: Counter[str] = Counter()
        for pair in pairs:
            counts.update(pair.counts)
        return cls(pooled=pooled, mean_of_pairs=means, counts=dict(counts))

    def figure(self, key: str, average: Average) -> float | None:
        """One figure; None where there is nothing to average."""
        figure = (self.pooled if average == "pooled" else self.mean_of_pairs).get(key)
        return None if figure is None else figure.value


class Clip(_Stored):
    """The figures of one clip.

    Attributes:
        split: Its split.
        cut: Its name.
        pairs: Its pairs, in order.
        averages: Over its pairs.
    """

    split: str
    cut: str
    pairs: tuple[Pair, ...]
    averages: Averages

    @classmethod
    def of(cls, split: str, cut: str, pairs: Sequence[Pair], columns: Sequence[Column]) -> Clip:
        """A clip of pairs."""
        return cls(split=split, cut=cut, pairs=tuple(pairs), averages=Averages.of(pairs, columns))

    @property
    def name(self) -> str:
        """What tells it from the others of the dataset."""
        return f"{self.split}/{self.cut}"


class Measured(_Stored):
    """What was measured on.

    Attributes:
        name: Name of the dataset's folder.
        splits: The splits.
        pictures: What the method was shown: ``"frame"``, ``"contour"``, ``"color_1"``.
        truth: Checksum of which pairs there are and of what the files of their labels hold.
    """

    name: str
    splits: tuple[str, ...]
    pictures: str
    truth: str


class MethodFacts(_Stored):
    """What was measured.

    Attributes:
        name: Its name as on the command line; ``"predictions"`` where they come from a folder.
        title: What it is called in tables.
        weights: ``"none"``: it has none to train; ``"trained"``; ``"random"``: what it gives is no result;
            ``"unknown"``: predictions of a folder.
        trained_on: What it was trained on; empty where nobody said.
        details: What else tells it from others: versions, checksums, settings.
    """

    name: str
    title: str
    weights: Weights
    trained_on: str = ""
    details: dict[str, str] = {}

    def called(self, title: str | None, trained_on: str) -> MethodFacts:
        """The same under the name that a caller gives it, and with what the caller says that it was trained on.

        Args:
            title: None: as it is called.
            trained_on: Empty: as it is known.
        """
        return self.model_copy(update={"title": title or self.title, "trained_on": trained_on or self.trained_on})


class Result(_Stored):
    """A whole evaluation.

    Attributes:
        format: :data:`FORMAT`.
        program: Name and version of what measured.
        kind: ``"flow"``, ``"segments"`` or ``"interpolation"``.
        measured: What was measured on.
        method: What was measured.
        columns: The figures, in the order of tables.
        average: Which average the paper has.
        averages: Over all pairs.
        clips: The clips.
        remarks: What a reader has to know, in sentences.
    """

    format: Literal[1] = FORMAT
    program: str
    kind: str
    measured: Measured
    method: MethodFacts
    columns: tuple[Column, ...]
    average: Average
    averages: Averages
    clips: tuple[Clip, ...]
    remarks: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it is a result: what random weights give shows that a path works, and nothing else."""
        return self.method.weights != "random"

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return sum(len(clip.pairs) for clip in self.clips)


def write_result(folder: Path, result: Result) -> Path:
    """Write a result into the folder of an evaluation.

    Raises:
        DatasetError: It cannot be written.
    """
    path = folder / RESULT
    write_json(path, result.model_dump(mode="json"))
    return path


def read_result(path: Path) -> Result:
    """Read a result.

    Args:
        path: The file, or the folder of the evaluation.

    Raises:
        UsageError: There is none, or the file is none.
        DatasetError: The file is damaged.
    """
    file = path / RESULT if path.is_dir() else path
    if not file.is_file():
        raise UsageError("is no result", path, "give the folder that 'animerun-gen evaluate' wrote with --out")
    try:
        return Result.model_validate(read_json(file))
    except ValidationError as error:
        raise UsageError(
            f"is no result of this program ({error.error_count()} mistakes in it)",
            file,
            "give the folder that 'animerun-gen evaluate' wrote with --out",
        ) from error


def summed(counts: Mapping[str, int], part: str, whole: str) -> float:
    """The share of one count in another, in percent; 0 where there is nothing."""
    return 100 * counts.get(part, 0) / counts[whole] if counts.get(whole) else 0.0
