"""Lets a Blender process count the triangles of a film's frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.pipeline.question_process import ask_blender


def ask_for_triangle_count(command: Callable[[str, str], list[str]], config: CutConfig, log: Path) -> int:
    """Start a Blender that opens and converts the cut's scene and counts the triangles of its first frame.

    Args:
        command: Gives the command that reads the cut's configuration from one file and answers in another.
        config: The cut.
        log: File to which everything that Blender prints is appended.

    Returns:
        The number of triangles, those of every instance.

    Raises:
        SceneError: They could not be counted; the sentence says why.
    """
    remedy = "Or set lines.engine to freestyle or geometry."
    return int(ask_blender(command, config, log, "triangles", "counted the triangles of the first frame", remedy))
