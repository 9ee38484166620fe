"""What became of the cuts of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from animerun_gen.config import CutConfig
from animerun_gen.errors import AnimerunGenError
from animerun_gen.pipeline.state.coverage import Coverage


@dataclass
class CutSummary:
    """What became of a cut.

    Attributes:
        config: The cut.
        rendered: The frames that Blender visited in this run.
        labelled: Frames and pairs that were labelled in this run.
        recolored: Frames of which colour passes were made in this run.
        redone: Stages that were out of date and cleared away, with the reason.
        notes: What opening, converting and rendering the scene had to say in this run, and what was tried again.
        failures: Why something could not be made.
        quality: The content of the cut's quality file, if it was written.
        cross_checks: How the two motion backends differ, for each flow of the cut that was ever compared.
        memory: Bytes of memory that a Blender held at most that rendered it in this run; 0 where that is not known.
        damaged: Files on disk, by their path below the root, that are not what was made.
        coverage: How much of the cut is on disk now, counting only pictures and motion where labels were not asked for;
            None when nothing could be begun.
    """

    config: CutConfig
    rendered: set[int] = field(default_factory=set)
    labelled: int = 0
    recolored: int = 0
    redone: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    quality: dict[str, Any] | None = None
    cross_checks: list[dict[str, Any]] = field(default_factory=list)
    memory: int = 0
    damaged: list[str] = field(default_factory=list)
    coverage: Coverage | None = None

    def note(self, sentence: str) -> bool:
        """Keep a note; returns whether it is a new one."""
        new = sentence not in self.notes
        if new:
            self.notes.append(sentence)
        return new

    def fail(self, sentence: str) -> bool:
        """Keep why something could not be made; returns whether it is a new reason."""
        new = sentence not in self.failures
        if new:
            self.failures.append(sentence)
        return new


@contextmanager
def failures_to(summary: CutSummary) -> Iterator[None]:
    """Note what goes wrong with a cut, and go on with the others."""
    try:
        yield
    except AnimerunGenError as error:
        for sentence in error.sentences:
            summary.fail(sentence)
