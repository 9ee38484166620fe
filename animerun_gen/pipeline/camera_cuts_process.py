"""Lets a Blender process look for the camera cuts of a film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.pipeline.camera_cuts import CameraMark, MarkedCut
from animerun_gen.pipeline.question_process import ask_blender


def ask_for_camera_marks(command: Callable[[str, str], list[str]], config: CutConfig, log: Path) -> MarkedCut:
    """Start a Blender that opens the cut's file, reads its markers and follows its cameras.

    Args:
        command: Gives the command that reads the cut's configuration from one file and answers in another.
        config: The cut.
        log: File to which everything that Blender prints is appended.

    Returns:
        The camera marks of the cut.

    Raises:
        SceneError: It could not; the sentence says why.
    """
    remedy = "Or set camera_cuts to mark."
    found = ask_blender(command, config, log, "camera cuts", "looked for camera cuts", remedy)
    return MarkedCut([CameraMark(**mark) for mark in found["marks"]], found["inputs"])
