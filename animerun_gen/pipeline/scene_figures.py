"""Keeps figures about a cut's scene that only Blender can find out, beside the dataset, until the scene changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from animerun_gen.dataset.files import read_json
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.record import write_if_changed


@dataclass(frozen=True)
class SceneFigure:
    """A figure, and what it was found in.

    Attributes:
        scene: Digest of everything that it depends on.
        value: The figure.
    """

    scene: str
    value: int

    @classmethod
    def read(cls, file: Path, name: str) -> SceneFigure | None:
        """What an earlier run kept under a name; None where there is nothing, or nothing that can be read."""
        try:
            kept = read_json(file)
        except DatasetError:
            return None
        sound = isinstance(kept, dict) and isinstance(kept.get("scene"), str) and isinstance(kept.get(name), int)
        return cls(kept["scene"], kept[name]) if sound else None

    def write(self, file: Path, name: str) -> None:
        """Keep it under a name.

        Raises:
            DatasetError: It cannot be written.
        """
        write_if_changed(file, {"scene": self.scene, name: self.value})
