"""Checks ``quality/<cut>.json``; the figures themselves are the quality gate's matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ValidationError

from animerun_gen.config.messages import counted


class Failure(BaseModel):
    """A figure that is beyond its threshold: its frame, or its pair, and a sentence with an advice behind it."""

    source: int
    target: int | None
    message: str


class _Frame(BaseModel):
    frame: int


class _Pair(BaseModel):
    source: int
    target: int


class QualityFile(BaseModel):
    """What a quality file says of which frames and pairs it has figures."""

    cut: str = ""
    split: str = ""
    resolution: Any = None
    pairs: list[_Pair]
    frame_figures: list[_Frame] = []
    failures: list[Failure] = []

    def problems(self, cut: str, split: str, numbers: Sequence[int], shape: tuple[int, int] | None) -> Iterator[str]:
        """What is wrong with it, as ends of sentences.

        Args:
            cut: Name of the cut.
            split: ``"train"``, ``"val"`` or ``"test"``.
            numbers: The frames that it should have, in the order of the clip.
            shape: Height and width of its pictures; None where that is not known.
        """
        if (self.cut, self.split) != (cut, split):
            yield "holds the figures of another cut"
            return
        if shape is not None and self.resolution != [shape[1], shape[0]]:
            yield f"gives {self.resolution} as the resolution, but the pictures are {shape[1]} x {shape[0]}"
        pairs, frames = [(pair.source, pair.target) for pair in self.pairs], [one.frame for one in self.frame_figures]
        wanted = set(pairwise(numbers))
        if foreign := sorted(set(pairs) - wanted):
            yield f"has figures of {foreign[0][0]}-{foreign[0][1]}, which is not a pair of the clip"
        if missing := sorted(wanted - set(pairs)):
            yield f"lacks the figures of {counted(len(missing), 'pair')}, {missing[0][0]}-{missing[0][1]} first"
        if len(set(pairs)) < len(pairs) or len(set(frames)) < len(frames):
            yield "has figures of the same pair or frame twice"
        if set(frames) - set(numbers):
            yield "has figures of frames that the clip does not have"
        named = {number for failure in self.failures for number in (failure.source, failure.target)} - {None}
        if named - set(numbers):
            yield "has failures of frames that the clip does not have"


def parse_quality(data: Any) -> QualityFile | str:
    """The content of a quality file; as text what is wrong with it, as the end of a sentence."""
    try:
        return QualityFile.model_validate(data)
    except ValidationError as error:
        places = {details["loc"] for details in error.errors()}
        named = places & {(), ("pairs",)}
        return "holds no figures of pairs" if named else "holds figures that name no frames"
