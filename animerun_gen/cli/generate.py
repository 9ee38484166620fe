"""``generate``, ``render`` and ``label``: make a dataset, or half of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from animerun_gen.pipeline.options import Options
from animerun_gen.settings import File, group, setting
from animerun_gen.terminal import as_command, say

if TYPE_CHECKING:
    from animerun_gen.config import LoadedCut
    from animerun_gen.pipeline.summary import CutSummary


def _configs() -> Any:
    return setting(
        placed=True,
        several=True,
        reads=File(),
        metavar="CONFIG_OR_FOLDER",
        help="YAML file of a cut, or a folder of them",
    )


def _strict() -> Any:
    return setting(
        False, help="exit with status 1 when a figure of a frame or pair is beyond its threshold (docs/quality.md)"
    )


@dataclass(frozen=True)
class Generate:
    """Both halves."""

    name: ClassVar = "generate"
    summary: ClassVar = "make a dataset: render the cuts and label them"
    description: ClassVar = """\
Makes a dataset, or resumes an unfinished one. Complete files are kept; files that are missing, or were made from
another configuration or source, are made again. Stop it at any moment; the same command resumes it.

    animerun-gen generate configs/toy --out out/toy
    animerun-gen generate configs/toy/courier.yaml --out out/test --frames 1:6
"""

    configs: tuple[Path, ...] = _configs()
    options: Options = group(Options)
    strict: bool = _strict()

    def run(self) -> int:
        return make(self.name, self.configs, self.options, strict=self.strict)


@dataclass(frozen=True)
class Render:
    """The half that needs Blender."""

    name: ClassVar = "render"
    summary: ClassVar = "run only the Blender half: pictures and motion"
    description: ClassVar = """\
Makes the half of a dataset that needs Blender: colour frames, line art, flow and its companions. Labels are made by
'label', on another machine if you like. Files that are complete and up to date are kept.

    animerun-gen render configs/toy --out out/toy
"""

    configs: tuple[Path, ...] = _configs()
    options: Options = group(Options, label=False)

    def run(self) -> int:
        return make(self.name, self.configs, self.options)


@dataclass(frozen=True)
class Label:
    """The half that needs none."""

    name: ClassVar = "label"
    summary: ClassVar = "run only the second half: occlusion, segments, matches and quality figures"
    description: ClassVar = """\
Makes the half of a dataset that needs no Blender: occlusion, line areas, segments, matches and the quality figures of
frames that 'render' has made. The .blend files are not needed. Pictures and motion are only read.

    animerun-gen label configs/toy --out out/toy --workers 4
"""

    configs: tuple[Path, ...] = _configs()
    options: Options = group(
        Options, without=("cross_check", "chunk_frames", "despite_memory", "blender"), render=False
    )
    strict: bool = _strict()

    def run(self) -> int:
        return make(self.name, self.configs, self.options, strict=self.strict)


def make(command: str, configs: Sequence[Path], options: Options, *, strict: bool = False) -> int:
    """Make what is missing of some cuts, and say what became of them.

    Args:
        command: The name of the command that does so.
        configs: Configurations, or folders of them.
        options: How.
        strict: Whether figures beyond their thresholds are a failure.

    Returns:
        Exit status.

    Raises:
        AnimerunGenError: Nothing could be begun.
    """
    # libraries that the helps of commands can do without
    from animerun_gen.config import load_cuts
    from animerun_gen.pipeline.describe import describe
    from animerun_gen.pipeline.run import generate, require_frames

    loaded = load_cuts(configs, check_sources=options.render)
    cuts = [cut.config for cut in loaded]
    require_frames(cuts, options.frames)
    output = options.output
    if options.scheduler is not None:
        # whoever works elsewhere has another current folder
        options = dataclasses.replace(options, output=output.absolute())
    summaries = generate(cuts, options)
    for line in describe(summaries, output, partial(_command_for, command, output, options.blender, loaded)):
        say(line)
    failed = any(summary.failures or summary.damaged for summary in summaries)
    beyond = any(summary.quality and summary.quality["failures"] for summary in summaries)
    return 1 if failed or (strict and beyond) else 0


def _command_for(
    command: str, output: Path, blender: str | None, loaded: Sequence[LoadedCut], summary: CutSummary
) -> str | None:
    """The command that makes just what a cut lacks; None where that cannot be said."""
    from animerun_gen.pipeline.state.coverage import frames_to_make

    name = summary.config.name
    paths_of = {cut.config.name: cut.path for cut in loaded}
    # a stretch of a cut that is split at its camera cuts has the name of the cut and a number
    path = paths_of.get(name) or paths_of.get(name.rpartition("-")[0])
    if path is None or summary.coverage is None:
        return None
    if command == "label" and summary.coverage.missing_frames:
        # labels of frames that were never rendered need Blender
        command = "generate"
    words: list[str | Path] = ["animerun-gen", command, path, "--out", output]
    if (frames := frames_to_make(summary.coverage)) is not None:
        words += ["--frames", f"{frames[0]}:{frames[1]}"]
    if blender is not None:
        words += ["--blender", blender]
    return as_command(*words)
