"""Counts the triangles that a cut's first frame is rendered from, for ``lines.engine: auto``.

As a program (``python -m animerun_gen.blender.count_triangles QUESTION ANSWER``) it reads the cut's configuration from
one file and writes what it found, ``{"triangles": number}`` or ``{"problem": sentence}``, to another.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import numpy as np

from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.geometry import geometry_engine, scene_names, take_down
from animerun_gen.blender.opening import open_scene
from animerun_gen.config import CutConfig
from animerun_gen.errors import AnimerunGenError
from animerun_gen.lifetime import die_with_parent


def count_triangles(config: CutConfig) -> int:
    """Open and convert the cut's scene and count the triangles of its first frame, those of every instance.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    with geometry_engine():
        opened = open_scene(config)
        conversion = convert_scene(opened, config)
        geometry = take_down(opened.scene, scene_names(), conversion.clipped)
    return int(np.diff(geometry.triangle_start)[geometry.mesh].sum())


def main(question: Path, answer: Path) -> None:
    """Answer the question in a file."""
    die_with_parent()
    try:
        triangles = count_triangles(CutConfig.model_validate_json(question.read_text(encoding="utf-8")))
        told: dict[str, object] = {"triangles": triangles}
    except AnimerunGenError as error:
        told = {"problem": str(error)}
    answer.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    status = 0
    try:
        main(Path(sys.argv[-2]), Path(sys.argv[-1]))
    except Exception:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own exit handlers can hang or crash after everything is done
    os._exit(status)
