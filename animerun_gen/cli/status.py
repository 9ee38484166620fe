"""``status``: show how complete a dataset is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.terminal import say


@dataclass(frozen=True)
class Status:
    """Show how complete a dataset is."""

    name: ClassVar = "status"
    summary: ClassVar = "show how complete a dataset is"
    description: ClassVar = """\
Shows how complete a dataset is: for each cut, how many files of each stage exist, what is missing, and why its last run
failed. It reads the dataset alone, needs neither Blender nor a configuration, and works while a run is in progress.

    animerun-gen status out/toy

Exits with status 0 when every cut is complete, 1 when one is not, and 2 when there is no such dataset.
"""

    dataset: Path = shared.dataset()
    json: Path | None = shared.json_file()

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.dataset.files import write_json
        from animerun_gen.pipeline.state.status import as_json, describe_status, read_status

        status = read_status(self.dataset)
        for line in describe_status(status, self.dataset):
            say(line)
        if self.json is not None:
            write_json(self.json, as_json(status, self.dataset))
        return 0 if status.complete else 1
