"""Holds two results against each other, clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from animerun_gen.benchmark.results import Averages, Column, Measured, MethodFacts, Result, read_result
from animerun_gen.config.messages import counted
from animerun_gen.errors import UsageError


@dataclass(frozen=True)
class ClipDifference:
    """A clip in two results.

    Attributes:
        name: Split and name of the clip.
        ours: The figure of the one result; None where it has none.
        theirs: That of the other.
        gain: By how much the one is better; negative where it is worse.
    """

    name: str
    ours: float | None
    theirs: float | None
    gain: float | None


@dataclass(frozen=True)
class Comparison:
    """Two results on the same pairs.

    Attributes:
        column: The figure that is compared.
        ours: Title of the one method.
        theirs: Title of the other.
        clips: The clips, those where the one is better by most first.
    """

    column: Column
    ours: str
    theirs: str
    clips: Sequence[ClipDifference]

    @property
    def better(self) -> list[ClipDifference]:
        """The clips where the one is better."""
        return [clip for clip in self.clips if clip.gain is not None and clip.gain > 0]

    @property
    def worse(self) -> list[ClipDifference]:
        """The clips where it is worse."""
        return [clip for clip in self.clips if clip.gain is not None and clip.gain < 0]

    @property
    def sentence(self) -> str:
        """What comes of it."""
        better, worse, count = len(self.better), len(self.worse), len(self.clips)
        equal = count - better - worse
        rest = f", worse in {worse}, and equal in {equal}" if equal else f" and worse in {worse}"
        return (
            f"By {self.column.title}, {self.ours} is better than {self.theirs} in {better} of"
            f" {counted(count, 'clip')}{rest}."
        )


def compare(ours: Result, theirs: Result) -> Comparison:
    """Compare two results by the first column.

    Example:
        >>> comparison = compare(one, other)  # doctest: +SKIP
        >>> print(comparison.sentence)  # doctest: +SKIP
    """
    column = ours.columns[0]
    known = {clip.name: clip.averages for clip in theirs.clips}
    clips = [_difference(clip.name, clip.averages, known.get(clip.name), ours, column) for clip in ours.clips]
    clips.sort(key=lambda clip: -float("inf") if clip.gain is None else clip.gain, reverse=True)
    return Comparison(column, ours.method.title, theirs.method.title, clips)


def _difference(name: str, ours: Averages, theirs: Averages | None, result: Result, column: Column) -> ClipDifference:
    one = ours.figure(column.key, result.average)
    other = None if theirs is None else theirs.figure(column.key, result.average)
    if one is None or other is None:
        return ClipDifference(name, one, other, None)
    return ClipDifference(name, one, other, other - one if column.better == "lower" else one - other)


def read_comparable(path: Path, kind: str, measured: Measured, method: MethodFacts) -> Result:
    """Read a result that another one is to be compared with.

    Args:
        path: Its file or folder.
        kind: The kind of that other one.
        measured: What that was measured on.
        method: What was measured there.

    Raises:
        UsageError: There is no such result, it is of another kind, other pairs or other labels, or one of the two is
            none.
    """
    result = read_result(path)
    if result.kind != kind:
        raise UsageError(
            f"is a result of {result.kind}, which cannot be compared with one of {kind}", path, f"give one of {kind}"
        )
    for facts, whose in ((method, "this method"), (result.method, f"'{result.method.title}' in {path}")):
        if facts.weights == "random":
            raise UsageError(f"{whose} has random weights, so there is no result to compare", remedy="give it weights")
    if result.measured.truth != measured.truth:
        raise UsageError(
            f"was measured on other pairs, or on other labels of the same pairs ({result.measured.name}:"
            f" {counted(result.pairs, 'pair')} of {', '.join(result.measured.splits)})",
            path,
            "measure both on the same dataset, splits and cuts; if labels have changed, run both again",
        )
    return result
