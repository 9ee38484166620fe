"""Lets a Blender process count what Freestyle would have to do in a film's frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.lines.cost import LineFigures
from animerun_gen.pipeline.line_engine import CountedCut
from animerun_gen.pipeline.question_process import ask_blender


def ask_for_line_figures(command: Callable[[str, str], list[str]], config: CutConfig, log: Path) -> CountedCut:
    """Start a Blender that opens and converts the cut's scene and looks at some of its frames.

    Args:
        command: Gives the command that reads the cut's configuration from one file and answers in another.
        config: The cut.
        log: File to which everything that Blender prints is appended.

    Returns:
        What it counted.

    Raises:
        SceneError: It could not be counted; the sentence says why.
    """
    remedy = "Or set lines.engine to freestyle or geometry."
    found = ask_blender(command, config, log, "lines", "counted what Freestyle would have to draw", remedy)
    return CountedCut([LineFigures(**frame) for frame in found["frames"]], found["inputs"])
