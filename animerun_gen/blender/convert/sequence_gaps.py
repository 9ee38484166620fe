"""Fills image sequences of which some files are missing or broken, where Blender would paint magenta."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import bpy
import cv2
import numpy as np

from animerun_gen.blender.convert.images import problem_of_file
from animerun_gen.blender.convert.moving_images import Moving, key_of
from animerun_gen.blender.external_files import file_of_frame
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.srgb import linear_to_hex
from animerun_gen.config.messages import and_more

LISTED = 6
"""So many files are named in a sentence."""


def fill_sequences(moving: Moving) -> tuple[TemporaryDirectory[str] | None, list[str]]:
    """Show a material's colour in the frames in which its image sequence has no file that can be read.

    The active image nodes count, which Workbench paints; a sequence without any file is none of them.

    Args:
        moving: What image nodes show in the clip's frames.

    Returns:
        The folder of what stands in for such sequences, which has to stay as long as the scene is rendered; and what
        is lacking, a sentence a sequence.
    """
    folder: TemporaryDirectory[str] | None = None
    notes: list[str] = []
    for material in sorted(bpy.data.materials, key=lambda each: str(each.name_full)):
        node = material.node_tree.nodes.active if material.node_tree is not None else None
        if node is None or node.type != "TEX_IMAGE" or node.image is None or node.image.source != "SEQUENCE":
            continue
        image = node.image
        numbers = sorted(set(moving.get(key_of(node), {}).values()))
        lacking = [number for number in numbers if problem_of_file(image, number)]
        if not lacking:
            continue
        if folder is None:
            folder = TemporaryDirectory(prefix="animerun-gen-")
        color = linear_to_hex(tuple(material.diffuse_color[:3]))
        node.image = _filled(image, numbers, set(lacking), Path(folder.name, str(len(notes))), color)
        names = [file_of_frame(image, number).name for number in lacking]
        listed = and_more(names, LISTED)
        notes.append(
            f"image sequence '{image.name}' of material '{material.name}' lacks {listed}, or they cannot be decoded: "
            "the material has its own colour there"
        )
    return folder, notes


def _filled(image: bpy.types.Image, numbers: list[int], lacking: set[int], folder: Path, color: str) -> bpy.types.Image:
    """A copy of a sequence whose files are all there."""
    folder.mkdir()
    for number in numbers:
        path = file_of_frame(image, number)
        if number in lacking:
            _write_plain(folder / path.name, color)
        else:
            try:
                os.symlink(path, folder / path.name)
            except OSError:
                # file systems without links
                shutil.copyfile(path, folder / path.name)
    filled = image.copy()
    filled.filepath = str(folder / Path(file_of_frame(image, numbers[0])).name)
    return filled


def _write_plain(path: Path, color: str) -> None:
    """A picture of one colour; Blender knows its kind by its first bytes, whatever its name."""
    picture = np.full((4, 4, 3), rgb(color)[::-1], np.uint8)
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
