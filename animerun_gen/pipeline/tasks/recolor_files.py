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
from animerun_gen.config.palette import SHIPPED, load_palette
from animerun_gen.dataset import layout
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.dataset.clip import ClipFiles, ClipWriter
from animerun_gen.dataset.files import write_if_changed
from animerun_gen.dataset.modalities import color_pass
from animerun_gen.lines.compose import draw_lines
from animerun_gen.pipeline.state.on_disk import has_content
from animerun_gen.recolor.assignment import Pass, choose_pass
from animerun_gen.recolor.repaint import repaint
from animerun_gen.recolor.survey import Colors, Survey, survey_frame
from animerun_gen.shade.colors import shade_picture
from animerun_gen.shade.design import design_of, fixed_colors


def lasting_colors(clip: ClipFiles) -> Colors:
    """The one colour that each material has in the whole clip.

    A colour that changes counts as a texture whose colours are seen one after the other: what is red at first and then
    green becomes two other colours at the same times.

    Raises:
        DatasetError: The table is missing or damaged.
    """
    return clip.read_colors().lasting()


def survey_files(clip: ClipFiles, frame: int) -> Survey:
    """What a frame shows of which material.

    Raises:
        DatasetError: A file is missing or cannot be read.
    """
    return survey_frame(clip.read("flat", frame), clip.read("material_id", frame), lasting_colors(clip))


def recolor_frame(clip: ClipWriter, config: CutConfig, frame: int, passes: tuple[Pass, ...]) -> None:
    """Make the passes of a frame that are missing; each file is complete or absent.

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
    names = [color_pass(number).name for number in range(1, len(passes) + 1)]
    missing = {name: one for name, one in zip(names, passes, strict=True) if not has_content(clip.path(name, frame))}
    if not missing:
        return
    flat, line_art, materials = (clip.read(name, frame) for name in ("flat", "contour", "material_id"))
    ink = rgb(config.lines.color)
    painted = repaint(flat, materials, lasting_colors(clip), [one.design for one in missing.values()])
    tones = clip.read("shade", frame) if config.style.shade.is_on else None
    for (name, one), picture in zip(missing.items(), painted, strict=True):
        colored = picture if tones is None else _shaded(picture, tones, materials, clip, config, one)
        clip.write(name, frame, draw_lines(colored, line_art, ink))


def _shaded(
    picture: U8Array,
    tones: npt.NDArray[np.uint8],
    materials: npt.NDArray[np.integer[Any]],
    clip: ClipFiles,
    config: CutConfig,
    one: Pass,
) -> U8Array:
    """A pass's picture in the frame's shade: in its scene's own shadow colours, if the palette has any."""
    shade = config.style.shade
    scenes = {scene.name: scene for scene in load_palette(config.recolor.palette).scenes}
    palette = None if shade.palette is None else load_palette(shade.palette)
    names = {int(number): name for number, name in clip.read_names("material_id").items()}
    # what has another colour in a pass has another shadow, too
    kept = {number: name for number, name in names.items() if number not in one.design}
    return shade_picture(
        picture, tones, design_of(shade, palette, scenes.get(one.scene)), materials, fixed_colors(shade, kept)
    )


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
