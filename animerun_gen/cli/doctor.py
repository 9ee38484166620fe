"""``doctor``: check that everything needed is installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.settings import File, setting


@dataclass(frozen=True)
class Doctor:
    """Check that everything needed is installed."""

    name: ClassVar = "doctor"
    summary: ClassVar = "check that everything animerun-gen needs is installed"
    description: ClassVar = "Tries everything that generate needs, and says how to fix each failure."

    blender: str | None = shared.blender("check this Blender program instead of the bpy module")
    output: Path = setting(
        Path(), names=("--out",), reads=File(), metavar="DIR", help="folder whose free disk space is checked"
    )

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen import doctor

        return doctor.run_doctor(self.blender, self.output)
