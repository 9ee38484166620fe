"""What a Blender can be asked about a cut's film before it is rendered, and the process that answers."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

from pydantic import TypeAdapter

from animerun_gen.config import CutConfig
from animerun_gen.dataset.files import open_log, system_says
from animerun_gen.engines.conversation import Conversation
from animerun_gen.errors import AnimerunGenError, SceneError
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


class AskedCut(NamedTuple):
    """A cut about which a Blender is asked.

    Attributes:
        config: The cut.
        log: File to which everything that Blender prints is appended.
    """

    config: CutConfig
    log: Path


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


Marked = Generator[MarkedCut | AnimerunGenError, None, None]
"""The camera marks of some cuts, in their order, or why they cannot be had; closed, it goes on with nothing."""


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


@dataclass(frozen=True)
class LayeredCut:
    """The layers that a Blender found in a cut.

    Attributes:
        groups: By the name of each layer but the set, patterns of its objects.
        inputs: Files besides the ``.blend`` that it read, name to mark (see
            :func:`~animerun_gen.engines.job.input_mark`).
    """

    groups: dict[str, tuple[str, ...]]
    inputs: dict[str, str]


class Looker(Protocol):
    """A Blender that looks into a cut's file."""

    @property
    def version(self) -> str:
        """Which Blender it is."""

    def camera_marks(self, asked: Sequence[AskedCut], at_once: int) -> Marked:
        """The camera marks of some cuts, in their order, or why they cannot be had.

        Args:
            asked: The cuts.
            at_once: How many Blenders may look into files at the same time.
        """

    def count_lines(self, config: CutConfig, log: Path) -> CountedCut:
        """What Freestyle would have to do in a cut; what Blender prints goes to a log file.

        Raises:
            AnimerunGenError: It cannot be counted.
        """

    def find_layers(self, config: CutConfig, log: Path) -> LayeredCut:
        """Which layers a cut has by itself; what Blender prints goes to a log file.

        Raises:
            AnimerunGenError: The scene cannot be opened or converted.
        """


def one_by_one(look: Callable[[AskedCut], MarkedCut], asked: Iterable[AskedCut]) -> Marked:
    """The camera marks of some cuts, for a Blender that looks into one after the other.

    Args:
        look: Looks into one.
        asked: The cuts.
    """
    for one in asked:
        try:
            yield look(one)
        except AnimerunGenError as error:
            yield error


def ask_for_camera_marks(command: Callable[[str, str], list[str]], asked: Sequence[AskedCut], at_once: int) -> Marked:
    """Start Blenders that open the files of some cuts, read their markers and follow their cameras.

    Args:
        command: Gives the command that reads the cut's configuration from a file (its path) and answers to an inherited
            file descriptor (its number).
        asked: The cuts.
        at_once: How many Blenders there may be at the same time.

    Returns:
        The camera marks of the cuts, in their order, or why they cannot be had.  When it is closed, all Blenders end.
    """
    remedy = "look into the log, or set camera_cuts to mark where the film has no camera cuts"
    with ExitStack() as until_all_end:
        begun: deque[tuple[ExitStack, _Question[MarkedCut]]] = deque()
        waiting = deque(asked)
        while waiting or begun:
            while waiting and len(begun) < max(at_once, 1):
                one = until_all_end.enter_context(ExitStack())
                question = _Question(command, waiting.popleft(), MarkedCut, "looked for camera cuts", remedy)
                begun.append((one, one.enter_context(question)))
            # the others go on while this one is waited for: an answer waits in its pipe
            one, question = begun.popleft()
            answer: MarkedCut | AnimerunGenError
            with one:
                try:
                    answer = question.answer()
                except AnimerunGenError as error:
                    answer = error
            yield answer


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
    remedy = "look into the log, or set lines.engine to freestyle or geometry"
    return ask_blender(command, config, log, CountedCut, "counted what Freestyle would have to draw", remedy)


def ask_for_layers(command: Callable[[str, str], list[str]], config: CutConfig, log: Path) -> LayeredCut:
    """Start a Blender that opens and converts the cut's scene and looks for what moves by itself.

    Args:
        command: Gives the command that reads the cut's configuration from a file (its path) and answers to an inherited
            file descriptor (its number).
        config: The cut.
        log: File to which everything that Blender prints is appended.

    Returns:
        The layers.

    Raises:
        SceneError: They could not be found; the sentence says why.
    """
    return ask_blender(command, config, log, LayeredCut, "looked for layers", "Or name them in layers.groups.")


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
        remedy: What to do about it, or how to do without it.

    Returns:
        The answer.

    Raises:
        SceneError: There is none; the sentence says why.
    """
    with _Question(command, AskedCut(config, log), form, doing, remedy) as question:
        return question.answer()


class _Question(Generic[Answer]):
    """A Blender that has been asked; it has ended when the ``with`` block has.  As :func:`ask_blender` takes it."""

    def __init__(
        self, command: Callable[[str, str], list[str]], asked: AskedCut, form: type[Answer], doing: str, remedy: str
    ) -> None:
        self.asked = asked
        self._form = form
        self._said = (doing, remedy)
        self._ended = ""
        self._conversation: Conversation | None = None
        with ExitStack() as opened:
            try:
                file = opened.enter_context(open_log(asked.log))
                self._conversation = opened.enter_context(Conversation(command, asked.config, file, TIMEOUT))
            except OSError as error:
                self._ended = f"cannot be started ({system_says(error)})"
            self._open = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def answer(self) -> Answer:
        """What it answers; this waits for it.

        Raises:
            SceneError: There is no answer; the sentence says why.
        """
        config, log = self.asked
        if self._conversation is not None:
            for event in self._conversation.events():
                if event["event"] == "failed":
                    raise SceneError(f"{event['message']} (log: {log})", f"cut '{config.name}'")
                if event["event"] == "found":
                    return TypeAdapter(self._form).validate_python(event["answer"])
            self._ended = self._conversation.ended
        doing, remedy = self._said
        raise SceneError(
            f"Blender {self._ended} while it {doing} in {config.source} (log: {log})", f"cut '{config.name}'", remedy
        )
