"""The table of a cut's colour passes, ``recolor/<cut>.json``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError


class RecolorTable(BaseModel):
    """Which colours the passes of a cut have.

    Attributes:
        cut: Name of the cut.
        passes: Name of each pass to what it says.
    """

    cut: str
    passes: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Names of the passes, the first one first."""
        return sorted(self.passes, key=lambda name: (len(name), name))


def parse_recolor(data: Any) -> RecolorTable | None:
    """The content of such a table; None where it is none."""
    try:
        return RecolorTable.model_validate(data)
    except ValidationError:
        return None
