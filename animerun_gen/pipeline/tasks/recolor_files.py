"""Makes the colour passes of one frame, after the colours of its clip have been chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.oklab import U8Array
from animerun_gen.config import CutConfig
from animerun_gen.config.model import SET_LAYER
from animerun_gen.config.palette import SHIPPED, load_palette
from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.dataset.clip import ClipFiles, ClipWriter
from animerun_gen.dataset.files import write_if_changed
from animerun_gen.dataset.layers import cel_of, lines_over
from animerun_gen.dataset.modalities import color_pass, composed_of, pass_modalities
from animerun_gen.lines.compose import draw_lines
from animerun_gen.lines.ink import draw_ink, ink_colors
from animerun_gen.pipeline.state.on_disk import has_content
from animerun_gen.recolor.assignment import Pass, choose_pass
from animerun_gen.recolor.repaint import repaint
from animerun_gen.recolor.survey import Colors, Survey, survey_frame
from animerun_gen.shade.colors import shade_picture
from animerun_gen.shade.design import design_of, fixed_colors

BACKGROUND_ID = 0
"""Material id of the background."""


def lasting_colors(clip: ClipFiles) -> Colors:
    """The one colour that each material has in the whole clip.

    A colour that changes counts as a texture whose colours are seen one after the other: what is red at first and then
    green becomes two other colours at the same times.

    Raises:
        DatasetError: The table is missing or damaged.
    """
    return clip.read_colors().lasting()


def survey_files(clip: ClipFiles, config: CutConfig, frame: int) -> Survey:
    """What a frame, and each of its layers whose cels are recoloured, shows of which material.

    Raises:
        DatasetError: A file is missing or cannot be read.
    """
    colors = lasting_colors(clip)
    survey = survey_frame(clip.read("flat", frame), clip.read("material_id", frame), colors)
    if config.recolored_layers:
        survey.behind = Survey()
    for layer in config.recolored_layers:
        flat = _flat_of_layer(clip, config, layer, frame)
        alone = survey_frame(flat, clip.read(f"material_id@{layer}", frame), colors)
        if layer != SET_LAYER:
            # where others have nothing
            alone.forget(BACKGROUND_ID)
        survey.add(Survey(behind=alone))
    return survey


def _flat_of_layer(clip: ClipFiles, config: CutConfig, layer: str, frame: int) -> U8Array:
    """The colours of a layer alone, without shade and lines, in the background's colour where it has no surface."""
    cel = clip.read(f"cel@{layer}", frame)
    # without shade they are those of the cel
    flat: U8Array = clip.read(f"flat@{layer}", frame) if config.style.shade.is_on else cel[..., :3].copy()
    background = lasting_colors(clip).get(BACKGROUND_ID)
    if background is not None:
        flat[cel[..., 3] == 0] = background
    return flat


def recolor_frame(clip: ClipWriter, config: CutConfig, frame: int, passes: tuple[Pass, ...]) -> None:
    """Make what is missing of a frame in the colours of passes; each file is complete or absent.

    Args:
        clip: The cut's files.
        config: The cut.
        frame: The frame.
        passes: All passes of the cut, the first one first.

    Raises:
        DatasetError: A file is missing or cannot be read or written.
    """
    # threads of OpenCV gain nothing beside other workers
    cv2.setNumThreads(1)
    painting = _Painting(clip, config, frame)
    missing = {number: one for number, one in enumerate(passes, start=1) if painting.misses(number)}
    if missing:
        painting.paint(missing)


class _Painting:
    """A frame that is painted in the colours of passes.

    Args:
        clip: The cut's files.
        config: The cut.
        frame: The frame.
    """

    def __init__(self, clip: ClipWriter, config: CutConfig, frame: int) -> None:
        self.clip, self.config, self.frame = clip, config, frame

    def misses(self, number: int) -> bool:
        """Whether a pass lacks a file of this frame."""
        made = pass_modalities(number, self.config.recolored_layers)
        return not all(has_content(self.clip.path(what.name, self.frame)) for what in made)

    def paint(self, passes: Mapping[int, Pass]) -> None:
        """Make what some passes, by their numbers, lack of this frame."""
        flat, materials = self._read("flat"), self._read("material_id")
        painted = self._repaint(flat, materials, passes)
        tones = self._read("shade") if self.config.style.shade.is_on else None
        colored = {number: self._shaded(painted[number], tones, materials, one) for number, one in passes.items()}
        for number, one in passes.items():
            inked = self._inked(colored[number], painted[number], one)
            self._write(color_pass(number).name, inked)
            if self.config.recolored_layers:
                self._write(composed_of(color_pass(number).name).lines, lines_over(colored[number], inked))
        for layer in self.config.recolored_layers:
            self._paint_cels(layer, passes, colored)

    def _paint_cels(self, layer: str, passes: Mapping[int, Pass], colored: Mapping[int, U8Array]) -> None:
        """Make the cels of a layer; what the frame shows of one is what the frame's own pass shows there."""
        alpha, visible = self._read(f"cel@{layer}")[..., 3], self._read(f"visible@{layer}")
        flat, materials = _flat_of_layer(self.clip, self.config, layer, self.frame), self._read(f"material_id@{layer}")
        painted = self._repaint(flat, materials, passes)
        tones = self._read(f"shade@{layer}") if self.config.style.shade.is_on else None
        for number, one in passes.items():
            alone = self._shaded(painted[number], tones, materials, one)
            name = composed_of(color_pass(number).name).cel
            self._write(f"{name}@{layer}", cel_of(alpha, visible, colored[number], alone))

    def _repaint(
        self, flat: U8Array, materials: npt.NDArray[np.integer[Any]], passes: Mapping[int, Pass]
    ) -> dict[int, U8Array]:
        designs = [one.design for one in passes.values()]
        return dict(zip(passes, repaint(flat, materials, lasting_colors(self.clip), designs), strict=True))

    def _inked(self, colored: U8Array, painted: U8Array, one: Pass) -> U8Array:
        """A pass's picture with its lines: in the line art's one colour, or as their style has them."""
        lines = self.config.lines
        color = rgb(lines.color)
        if not lines.style.is_on:
            return draw_lines(colored, self._read("contour"), color)
        ink = self._read("line_ink")
        kept = self._kept(one)
        colors = ink_colors(ink, painted, kept, lines.style.auto_value, lines.style.auto_chroma)
        return draw_ink(colored, ink, colors, color)

    def _shaded(
        self, picture: U8Array, tones: U8Array | None, materials: npt.NDArray[np.integer[Any]], one: Pass
    ) -> U8Array:
        """A pass's picture in its shade: in its scene's own shadow colours, if the palette has any."""
        if tones is None:
            return picture
        shade = self.config.style.shade
        scenes = {scene.name: scene for scene in load_palette(self.config.recolor.palette).scenes}
        palette = None if shade.palette is None else load_palette(shade.palette)
        design = design_of(shade, palette, scenes.get(one.scene))
        return shade_picture(picture, tones, design, materials, fixed_colors(shade, self._kept(one)))

    def _kept(self, one: Pass) -> dict[int, str]:
        """The materials that keep their colours in a pass: what has another colour has another shadow and line, too."""
        names = {int(number): name for number, name in self.clip.read_names("material_id").items()}
        return {number: name for number, name in names.items() if number not in one.design}

    def _read(self, name: str) -> Any:
        return self.clip.read(name, self.frame)

    def _write(self, name: str, value: U8Array) -> None:
        """Write a file that is missing; what is there is what would be written."""
        if not has_content(self.clip.path(name, self.frame)):
            self.clip.write(name, self.frame, value)


def choose_passes(clip: ClipFiles, config: CutConfig, survey: Survey) -> tuple[tuple[Pass, ...], list[str]]:
    """Choose the colours of a clip's passes, and write them into the dataset.

    Args:
        clip: The cut's files.
        config: The cut.
        survey: Those of all frames of the clip, added up in any order.

    Returns:
        The passes, the first one first, and what the user should know, a sentence each.

    Raises:
        ConfigError: The palette is none.
        DatasetError: A table is missing or damaged, or the colours cannot be written.
    """
    palette = load_palette(config.recolor.palette)
    names = {int(number): name for number, name in clip.read_names("material_id").items()}
    patterns = config.recolor.keep
    kept = {number for number, name in names.items() if any(fnmatchcase(name, pattern) for pattern in patterns)}
    notes = [
        f"recolor.keep: no material is named '{pattern}'"
        for pattern in patterns
        if not any(fnmatchcase(name, pattern) for name in names.values())
    ]
    colors = lasting_colors(clip)
    survey = survey.with_unseen()
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
    write_if_changed(layout.recolor_file(clip.root, config.name), described)
    return passes, notes


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
