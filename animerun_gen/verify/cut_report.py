"""What came of checking a cut."""

from __future__ import annotations

from dataclasses import dataclass, field

from animerun_gen.verify.findings import (
    Defect,
)

RUN_AGAIN = "run 'animerun-gen generate' again"
DELETE = "delete it"
MOVE = "move it elsewhere"
"""What to do about what does not belong there, where no manifest says that this program made the rest."""

DAMAGED = ("damaged", "form", "changed", "link")
"""What may be wrong with a file that is not the one that was made."""


@dataclass
class CutReport:
    """What came of a cut.

    Attributes:
        cut: Its name; empty for what belongs to no cut.
        split: ``"train"``, ``"val"`` or ``"test"``.
        frames: How many frames it should have.
        files: How many of its files were looked at.
        ours: Whether this program made it.
        has_manifest: Whether it has a manifest that can be read.
        defects: What is wrong.
        notes: What may be right and is unusual, or could not be checked.
    """

    cut: str
    split: str
    frames: int = 0
    files: int = 0
    ours: bool = False
    has_manifest: bool = False
    defects: list[Defect] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
