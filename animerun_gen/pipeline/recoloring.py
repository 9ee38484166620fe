"""Makes the colour passes of clips whose pictures and ids are on disk; needs no Blender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import cv2

from animerun_gen.config import CutConfig, rgb
from animerun_gen.config.palette import SHIPPED, load_palette
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.dataset.files import read_json
from animerun_gen.dataset.modalities import color_pass
from animerun_gen.errors import DatasetError
from animerun_gen.pictures import draw_lines
from animerun_gen.pipeline import paths
from animerun_gen.pipeline.coverage import has_content
from animerun_gen.pipeline.labelling import material_colors
from animerun_gen.pipeline.record import file_digest, write_if_changed
from animerun_gen.recolor.assignment import Pass, choose_pass
from animerun_gen.recolor.repaint import repaint
from animerun_gen.recolor.survey import Colors, Survey, survey_frame

NEEDED = ("flat", "contour", "material_id")
"""What the passes of a frame are made from."""


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
        clip = _clip(self.config, self.output)
        return survey_frame(clip.read("flat", self.frame), clip.read("material_id", self.frame), material_colors(clip))


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
        # threads of OpenCV gain nothing beside other workers
        cv2.setNumThreads(1)
        clip = _clip(self.config, self.output)
        names = [color_pass(number).name for number in range(1, len(self.passes) + 1)]
        missing = {
            name: one.design
            for name, one in zip(names, self.passes, strict=True)
            if not has_content(clip.path(name, self.frame))
        }
        if not missing:
            return
        flat, line_art, materials = (clip.read(name, self.frame) for name in NEEDED)
        ink = rgb(self.config.lines.color)
        painted = repaint(flat, materials, material_colors(clip), list(missing.values()))
        for name, picture in zip(missing, painted, strict=True):
            clip.write(name, self.frame, draw_lines(picture, line_art, ink))


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

    def why_not(self) -> str | None:
        """Why the colours cannot be chosen yet, as a sentence; None where they can."""
        clip = _clip(self.config, self.output)
        lacking = [
            frame
            for frame in self.config.frame_numbers
            if not all(has_content(clip.path(name, frame)) for name in NEEDED)
        ]
        if not lacking:
            return None
        return (
            f"no colour passes were made: their colours are chosen for the whole clip, of which {len(lacking)} frames "
            f"are not rendered yet, frame {lacking[0]} first"
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
        config, clip = self.config, _clip(self.config, self.output)
        palette = load_palette(config.recolor.palette)
        names = {int(number): name for number, name in clip.read_names("material_id").items()}
        patterns = config.recolor.keep
        kept = {number for number, name in names.items() if any(fnmatchcase(name, pattern) for pattern in patterns)}
        notes = [
            f"recolor.keep: no material is named '{pattern}'"
            for pattern in patterns
            if not any(fnmatchcase(name, pattern) for name in names.values())
        ]
        colors = material_colors(clip)
        passes = tuple(
            choose_pass(survey, colors, kept, palette, number, config.name, config.seed)
            for number in range(1, config.recolor.passes + 1)
        )
        described = {
            "cut": config.name,
            "palette": {"about": palette.about, "sha256": file_digest(config.recolor.palette or SHIPPED)},
            "passes": {
                color_pass(number).name: _described(one, names, colors) for number, one in enumerate(passes, start=1)
            },
        }
        write_if_changed(paths.recolor_file(self.output, config.name), described)
        return [RecolorTask(config, self.output, frame, passes) for frame in self.frames], notes


def passes_listed(output: Path, cut: str) -> list[str]:
    """Names of the colour passes whose colours are on disk; none where they cannot be read."""
    try:
        content = read_json(paths.recolor_file(output, cut))
    except DatasetError:
        return []
    passes = content.get("passes") if isinstance(content, dict) else None
    return sorted(passes, key=lambda name: (len(name), name)) if isinstance(passes, dict) else []


def _clip(config: CutConfig, output: Path) -> ClipWriter:
    return ClipWriter(output, config.split, config.name)


def _described(one: Pass, names: Mapping[int, str], colors: Colors) -> dict[str, Any]:
    """A pass as its table says it: by material id its name and its new colour, of a texture what its parts become."""
    materials: dict[str, dict[str, Any]] = {}
    for number, parts in one.design.items():
        materials[str(number)] = {"name": names.get(number, "")}
        if colors.get(number) is None:
            materials[str(number)]["parts"] = [asdict(part) for part in parts]
        else:
            materials[str(number)]["color"] = parts[0].target
    return {"scene": one.scene, "materials": materials}
