"""Looks into a cut's file for markers that switch cameras.

As a program (``python -m animerun_gen.blender.find_camera_cuts QUESTION ANSWER``) it reads the cut's configuration from
one file and writes what it found, ``{"marks": [[frame, camera], ...]}`` or ``{"problem": sentence}``, to another.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from animerun_gen.blender.camera_marks import camera_marks
from animerun_gen.blender.opening import load_scene
from animerun_gen.config import CutConfig
from animerun_gen.errors import AnimerunGenError
from animerun_gen.lifetime import die_with_parent
from animerun_gen.pipeline.camera_cuts import CameraMark


def find_camera_marks(config: CutConfig) -> list[CameraMark]:
    """Open the cut's file and read the camera marks of its scene.

    Raises:
        SceneError: The file cannot be read, or holds no such scene.
    """
    scene, _ = load_scene(config)
    return camera_marks(scene)


def main(question: Path, answer: Path) -> None:
    """Answer the question in a file."""
    die_with_parent()
    try:
        marks = find_camera_marks(CutConfig.model_validate_json(question.read_text(encoding="utf-8")))
        told: dict[str, object] = {"marks": [[mark.frame, mark.camera] for mark in marks]}
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
