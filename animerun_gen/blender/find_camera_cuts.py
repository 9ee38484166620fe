"""Looks into a cut's file for markers that switch cameras.

As a program (``python -m animerun_gen.blender.find_camera_cuts QUESTION ANSWER``) it reads the cut's configuration from
one file and writes what it found, ``{"marks": [[frame, camera], ...]}`` or ``{"problem": sentence}``, to another.
"""

from __future__ import annotations

from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.camera_marks import camera_marks
from animerun_gen.blender.opening import load_scene
from animerun_gen.config import CutConfig
from animerun_gen.pipeline.camera_cuts import CameraMark


def find_camera_marks(config: CutConfig) -> list[CameraMark]:
    """Open the cut's file and read the camera marks of its scene.

    Raises:
        SceneError: The file cannot be read, or holds no such scene.
    """
    scene = load_scene(config).scene
    return camera_marks(scene)


if __name__ == "__main__":
    answer_and_exit("marks", lambda config: [[mark.frame, mark.camera] for mark in find_camera_marks(config)])
