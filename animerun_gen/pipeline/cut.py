"""A cut on its way through a run: begun, split, decided about, planned, made, summed up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.engines.blend_file import require_readable
from animerun_gen.engines.questions import Looker
from animerun_gen.errors import SceneError
from animerun_gen.pipeline.state.ledger import Ledger, open_ledger
from animerun_gen.pipeline.summary import CutSummary


@dataclass
class Cut:
    """A cut to be made: one that was asked for, or a stretch of it.

    Each step of a run takes it from the one before and adds to it.

    Attributes:
        config: The cut.
        ledger: All that is written down about it.
        decided: What was decided about it before its scene was opened, and why, a sentence each.
        summary: What becomes of it; a cut that has failures there before it is planned is not begun.
    """

    config: CutConfig
    ledger: Ledger
    decided: list[str] = field(default_factory=list)
    summary: CutSummary = field(init=False)

    def __post_init__(self) -> None:
        self.summary = CutSummary(self.config, notes=list(self.decided))

    @property
    def name(self) -> str:
        """Its name."""
        return self.config.name

    @property
    def output(self) -> Path:
        """Root folder of the dataset."""
        return self.ledger.output

    @property
    def clip(self) -> ClipWriter:
        """Its files."""
        config = self.config
        return ClipWriter(self.output, config.split, config.name, config.dataset.compressed)

    def decide(self, config: CutConfig, why: str) -> None:
        """Go on with another configuration of the cut.

        Args:
            config: It, of the same name.
            why: A sentence.
        """
        self.config = self.summary.config = config
        self.decided.append(why)
        self.summary.notes.append(why)


def begin_cuts(
    configs: Iterable[CutConfig], output: Path, engine: Looker | None, decided: Mapping[str, Sequence[str]]
) -> list[Cut]:
    """Take up cuts that were asked for; what is written down about them is read here, and nowhere else in a run.

    Args:
        configs: The cuts.
        output: Root folder of the dataset; the caller holds its lock.
        engine: The Blender that will render, if any; a cut whose film is too new for it has failed.
        decided: By cut, what an earlier run decided about it, and why, a sentence each.
    """
    begun = []
    for config in configs:
        cut = Cut(config, open_ledger(output, config.name), list(decided.get(config.name, ())))
        if engine is not None:
            try:
                require_readable(config.source, engine.version)
            except SceneError as error:
                cut.summary.fail(f"cut '{config.name}': {error}")
        begun.append(cut)
    return begun
