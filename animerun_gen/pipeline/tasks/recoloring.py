"""Makes the colour passes of clips whose pictures and ids are on disk; needs no Blender."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from animerun_gen.config import CutConfig
from animerun_gen.dataset import layout
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.files import read_json
from animerun_gen.dataset.modalities import recolored_from
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.on_disk import has_content
from animerun_gen.recolor.table import parse_recolor

if TYPE_CHECKING:
    from animerun_gen.recolor.assignment import Pass
    from animerun_gen.recolor.survey import Survey


@dataclass(frozen=True)
class SurveyTask:
    """Find out what a frame shows of which material.

    Attributes:
        config: The cut.
        output: Root folder of the dataset.
        frame: The frame.
    """

    config: CutConfig
    output: Path
    frame: int

    def run(self) -> Survey:
        """Look at it.

        Raises:
            DatasetError: A file is missing or cannot be read.
        """
        # the compiled kernels take their time to load, which a run with nothing to do need not spend
        from animerun_gen.pipeline.tasks.recolor_files import survey_files

        return survey_files(_clip(self.config, self.output), self.config, self.frame)


@dataclass(frozen=True)
class RecolorTask:
    """Make the passes of a frame that are missing.

    Attributes:
        config: The cut.
        output: Root folder of the dataset.
        frame: The frame.
        passes: All passes of the cut, the first one first.
    """

    config: CutConfig
    output: Path
    frame: int
    passes: tuple[Pass, ...]

    def run(self) -> None:
        """Make the files; each is complete or absent.

        Raises:
            DatasetError: A file is missing or cannot be read or written.
        """
        from animerun_gen.pipeline.tasks.recolor_files import recolor_frame

        recolor_frame(_clip(self.config, self.output), self.config, self.frame, self.passes)


@dataclass(frozen=True)
class PassPlan:
    """The colour passes of a cut that have still to be made.

    Their colours are a function of the whole clip: whichever frames are made, in whatever order and however often the
    program is stopped, a material has one colour in each pass.

    Attributes:
        config: The cut.
        output: Root folder of the dataset.
        frames: The frames that lack a pass, ascending.
    """

    config: CutConfig
    output: Path
    frames: tuple[int, ...]

    def inputs(self) -> list[Path]:
        """The files of the whole clip that they are made from."""
        clip = _clip(self.config, self.output)
        tables = [clip.names_path(name) for name in ("material_id", "flat")]
        return [*tables, *(clip.path(name, frame) for name in self._made_from for frame in self.config.frame_numbers)]

    def why_not(self) -> str | None:
        """Why the colours cannot be chosen yet, as a sentence; None where they can."""
        clip = _clip(self.config, self.output)
        lacking = [
            frame
            for frame in self.config.frame_numbers
            if not all(has_content(clip.path(name, frame)) for name in self._made_from)
        ]
        if not lacking:
            return None
        return (
            "no colour passes were made: their colours are chosen for the whole clip, but frames of it are "
            f"not rendered yet ({len(lacking)}, the first is {lacking[0]})"
        )

    @property
    def _made_from(self) -> tuple[str, ...]:
        config = self.config
        return recolored_from(
            shade=config.style.shade.is_on, styled=config.lines.style.is_on, layers=config.recolored_layers
        )

    @property
    def surveys(self) -> list[SurveyTask]:
        """What has to be looked at first: every frame of the clip."""
        return [SurveyTask(self.config, self.output, frame) for frame in self.config.frame_numbers]

    def choose(self, survey: Survey) -> tuple[list[RecolorTask], list[str]]:
        """Choose the colours, and write them into the dataset.

        Args:
            survey: Those of all frames of the clip, added up in any order.

        Returns:
            What is then to be done, and what the user should know, a sentence each.

        Raises:
            ConfigError: The palette is none.
            DatasetError: A table is missing or damaged, or the colours cannot be written.
        """
        from animerun_gen.pipeline.tasks.recolor_files import choose_passes

        passes, notes = choose_passes(_clip(self.config, self.output), self.config, survey)
        return [RecolorTask(self.config, self.output, frame, passes) for frame in self.frames], notes


def passes_listed(output: Path, cut: str) -> list[str]:
    """Names of the colour passes whose colours are on disk; none where they cannot be read."""
    try:
        table = parse_recolor(read_json(layout.recolor_file(output, cut)))
    except DatasetError:
        return []
    return [] if table is None else table.names


def _clip(config: CutConfig, output: Path) -> ClipWriter:
    return ClipWriter(output, config.split, config.name)
