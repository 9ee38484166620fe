"""``inspect``: report what is in a film scene."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.settings import group, setting
from animerun_gen.shot.question import Question
from animerun_gen.terminal import say


@dataclass(frozen=True)
class Inspect:
    """Report what is in a film scene."""

    name: ClassVar = "inspect"
    summary: ClassVar = "report what is in a film scene and what clashes with 2D style"
    description: ClassVar = """\
Opens any film scene and reports what is in it and what clashes with 2D style: objects that a film camera does not see,
volumes, lights, hair, particles, transparency, zooms, missing files, held frames, changing topology and costs, each
with the reason and with what will be done about it. Nothing is changed or written, and no script of the file runs.

    animerun-gen inspect shots/fight_010.blend
"""

    question: Question = group(Question)
    blender: str | None = shared.blender()
    json: bool = setting(False, help="print the facts as JSON, for other programs")

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.engines.blenders import find_engine
        from animerun_gen.shot.findings import describe
        from animerun_gen.shot.run import inspect_shot

        shot = inspect_shot(self.question, find_engine(self.blender))
        if self.json:
            print(json.dumps(shot.to_json(), indent=2))
        else:
            for line in describe(shot):
                say(line)
        return 0
