"""What a Blender can be asked about a cut's film before it is rendered, and the process that answers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import TypeAdapter

from animerun_gen.config import CutConfig
from animerun_gen.dataset.files import open_log, system_says
from animerun_gen.engines.conversation import Conversation
from animerun_gen.errors import SceneError
from animerun_gen.lines.cost import LineFigures

Answer = TypeVar("Answer")

TIMEOUT = 600.0
"""Seconds after which a Blender that opens a file is given up."""


@dataclass(frozen=True)
class CameraMark:
    """From a frame on, until the next mark, a camera films.

    Attributes:
        frame: First frame.
        camera: Name of the camera object.
        jumps: Whether it is the camera that films before as well, and is cut to another view.
    """

    frame: int
    camera: str
    jumps: bool = False


def mark_at(starts: Sequence[int], frame: int) -> int:
    """Which of the marks counts at a frame: the last one until then; before the first, the first (as in Blender).

    Args:
        starts: Frames of the marks, ascending; at least one.
        frame: The frame.

    Returns:
        Index into ``starts``.
    """
    return max(0, bisect_right(starts, frame) - 1)


@dataclass(frozen=True)
class MarkedCut:
    """What a Blender found in a cut.

    Attributes:
        marks: The camera marks of its scene, by frame; those of jumps only within the cut.
        inputs: Libraries and images besides the ``.blend`` that it read, path to mark (see
            :func:`~animerun_gen.engines.job.input_mark`).
    """

    marks: list[CameraMark]
    inputs: dict[str, str]


@dataclass(frozen=True)
class CountedCut:
    """What a Blender counted in a cut.

    Attributes:
        frames: What Freestyle would have to do in each frame that was looked at, ascending.
        inputs: Files besides the ``.blend`` that it read, name to mark (see
            :func:`~animerun_gen.engines.job.input_mark`).
    """

    frames: list[LineFigures]
    inputs: dict[str, str]


class Looker(Protocol):
    """A Blender that looks into a cut's file."""

    @property
    def version(self) -> str:
        """Which Blender it is."""

    def camera_marks(self, config: CutConfig, log: Path) -> MarkedCut:
        """The camera marks of a cut; what Blender prints goes to a log file.

        Raises:
            AnimerunGenError: They cannot be had.
        """

    def count_lines(self, config: CutConfig, log: Path) -> CountedCut:
        """What Freestyle would have to do in a cut; what Blender prints goes to a log file.

        Raises:
            AnimerunGenError: It cannot be counted.
        """


def ask_for_camera_marks(command: Callable[[str, str], list[str]], config: CutConfig, log: Path) -> MarkedCut:
    """Start a Blender that opens the cut's file, reads its markers and follows its cameras.

    Args:
        command: Gives the command that reads the cut's configuration from a file (its path) and answers to an inherited
            file descriptor (its number).
        config: The cut.
        log: File to which everything that Blender prints is appended.

    Returns:
        The camera marks of the cut.

    Raises:
        SceneError: It could not; the sentence says why.
    """
    remedy = "Or set camera_cuts to mark, where the film has none."
    return ask_blender(command, config, log, MarkedCut, "looked for camera cuts", remedy)


def ask_for_line_figures(command: Callable[[str, str], list[str]], config: CutConfig, log: Path) -> CountedCut:
    """Start a Blender that opens and converts the cut's scene and looks at some of its frames.

    Args:
        command: Gives the command that reads the cut's configuration from a file (its path) and answers to an inherited
            file descriptor (its number).
        config: The cut.
        log: File to which everything that Blender prints is appended.

    Returns:
        What it counted.

    Raises:
        SceneError: It could not be counted; the sentence says why.
    """
    remedy = "Or set lines.engine to freestyle or geometry."
    return ask_blender(command, config, log, CountedCut, "counted what Freestyle would have to draw", remedy)


def ask_blender(
    command: Callable[[str, str], list[str]],
    config: CutConfig,
    log: Path,
    form: type[Answer],
    doing: str,
    remedy: str,
) -> Answer:
    """Start a Blender that opens the cut's file and finds something out.

    Args:
        command: Gives the command that reads the cut's configuration from a file (its path) and answers to an inherited
            file descriptor (its number).
        config: The cut.
        log: File to which everything that Blender prints is appended.
        form: Of the answer, a dataclass.
        doing: What it does, as in ``"looked for camera cuts"``.
        remedy: How to do without it, a sentence.

    Returns:
        The answer.

    Raises:
        SceneError: There is none; the sentence says why.
    """
    try:
        with open_log(log) as file, Conversation(command, config, file, TIMEOUT) as conversation:
            for event in conversation.events():
                if event["event"] == "failed":
                    raise SceneError(f"cut '{config.name}': {event['message']} (log: {log})")
                if event["event"] == "found":
                    return TypeAdapter(form).validate_python(event["answer"])
            ended = conversation.ended
    except OSError as error:
        ended = f"cannot be started ({system_says(error)})"
    raise SceneError(
        f"cut '{config.name}': Blender {ended} while it {doing} in {config.source}; the log is {log}. {remedy}"
    )
