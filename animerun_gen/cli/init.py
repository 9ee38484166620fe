"""``init``: write a first configuration for a film scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.errors import UsageError
from animerun_gen.settings import File, group, setting
from animerun_gen.shot.question import Question
from animerun_gen.terminal import as_command, say


@dataclass(frozen=True)
class Init:
    """Write a first configuration for a film scene."""

    name: ClassVar = "init"
    summary: ClassVar = "write a first configuration for a film scene"
    description: ClassVar = """\
Looks at a film scene as 'inspect' does and writes a configuration in which every decision stands explicitly with its
reason, ready to be changed. A scene without a usable camera gets one that shows what moves.

    animerun-gen init shots/fight_010.blend -o fight_010.yaml
    animerun-gen generate fight_010.yaml --out dataset
"""

    question: Question = group(Question)
    blender: str | None = shared.blender()
    output: Path | None = setting(
        None,
        names=("-o", "--output"),
        reads=File(),
        metavar="CUT.yaml",
        help="where to write it (default: beside the shot)",
    )
    cut: str | None = setting(None, names=("--name",), metavar="NAME", help="name of the cut (default: the file's)")
    force: bool = shared.force("overwrite an existing file")

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.config import load_cuts
        from animerun_gen.dataset.files import refuse_to_overwrite, write_text
        from animerun_gen.engines.blenders import find_engine
        from animerun_gen.shot.draft import cut_name, draft
        from animerun_gen.shot.findings import describe
        from animerun_gen.shot.run import inspect_shot

        target = self.output or self.question.source.with_suffix(".yaml")
        if target.suffix.lower() not in {".yaml", ".yml"}:
            raise UsageError("is not a .yaml file", target, "give the name of the configuration to write with -o")
        refuse_to_overwrite(target, "-o", force=self.force)
        shot = inspect_shot(self.question, find_engine(self.blender))
        text = draft(shot, target, self.cut or cut_name(self.question.source))
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, text)
        load_cuts([target])
        for line in describe(shot):
            say(line)
        command = as_command("animerun-gen", "generate", target, "--out", "DATASET")
        say(f"wrote {target}; look through it, then run: {command}")
        return 0
