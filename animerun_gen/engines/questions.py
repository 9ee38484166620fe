"""What a Blender can be asked about a cut's film before it is rendered, and the process that answers."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from pydantic import TypeAdapter

from animerun_gen.config import CutConfig
from animerun_gen.dataset.files import open_log, system_says
from animerun_gen.engines.conversation import Conversation
from animerun_gen.engines.protocol import Event
from animerun_gen.errors import AnimerunGenError, SceneError
from animerun_gen.lines.cost import LineFigures

Found = TypeVar("Found")

TIMEOUT = 600.0
"""Seconds after which a Blender that opens a file, or looks for one thing in it, is given up."""


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
class FilmQuestion(Generic[Found]):
    """What a Blender can be asked about a cut's film; :mod:`animerun_gen.blender.questions` finds it out.

    Attributes:
        name: Of the question; both ends know it by that.
        seeks: What it looks for, as in "camera cuts".
        form: What an answer is read with.
        doing: What the Blender did that ended too early, as in "looked for camera cuts".
        remedy: What to do where there is no answer, or how to do without one.
        converts: Whether the whole scene is converted for it, which takes the memory of rendering it.
    """

    name: str
    seeks: str
    form: TypeAdapter[Found]
    doing: str
    remedy: str
    converts: bool = False

    def read(self, answer: object) -> Found:
        """An answer, from plain data."""
        return self.form.validate_python(answer)


CAMERA_MARKS = FilmQuestion(
    "camera marks",
    "camera cuts",
    TypeAdapter(tuple[CameraMark, ...]),
    "looked for camera cuts",
    "look into the log, or set camera_cuts to mark where the film has no camera cuts",
)
"""The camera marks of the cut's scene, by frame; those of jumps only within the cut."""

LAYERS = FilmQuestion(
    "layers",
    "layers",
    TypeAdapter(dict[str, tuple[str, ...]]),
    "looked for layers",
    "look into the log, or name them in layers.groups",
    converts=True,
)
"""The layers that the film has by itself: by the name of each but the set, patterns of its objects."""

LINE_FIGURES = FilmQuestion(
    "line figures",
    "lines to draw",
    TypeAdapter(tuple[LineFigures, ...]),
    "counted what Freestyle would have to draw",
    "look into the log, or set lines.engine to freestyle or geometry",
    converts=True,
)
"""What Freestyle would have to do in some frames of the cut, ascending."""


class AskedCut(NamedTuple):
    """A cut about which a Blender is asked.

    Attributes:
        config: The cut.
        log: File to which everything that Blender prints is appended.
        questions: What it is asked, in the order in which it answers.
    """

    config: CutConfig
    log: Path
    questions: tuple[FilmQuestion[Any], ...]


@dataclass(frozen=True)
class Inquiry:
    """What a Blender process is told.

    Attributes:
        config: The cut.
        questions: Names of what it is asked, in the order in which it answers.
    """

    config: CutConfig
    questions: tuple[str, ...]


@dataclass
class Reply:
    """What a Blender answered about a cut.

    Attributes:
        asked: The cut.
        inputs: Files besides the ``.blend`` that it read, name to mark (see
            :func:`~animerun_gen.engines.job.input_mark`).
        answers: By the name of each question that it answered, what it found.
        error: Why the first of the others has no answer; None where there are no others.
    """

    asked: AskedCut
    inputs: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    error: AnimerunGenError | None = None

    @property
    def next_question(self) -> FilmQuestion[Any] | None:
        """What it answers now; None where everything is answered."""
        return next((question for question in self.asked.questions if question.name not in self.answers), None)

    def take(self, event: Event) -> None:
        """Take one event of the process that answers."""
        if event["event"] == "opened":
            self.inputs = event["inputs"]
        elif event["event"] == "found":
            [question] = [each for each in self.asked.questions if each.name == event["what"]]
            self.answers[question.name] = question.read(event["answer"])


Replies = Generator[Reply, None, None]
"""What Blenders answered about some cuts, in their order; closed, it goes on with nothing."""


class Looker(Protocol):
    """A Blender that looks into a cut's file."""

    @property
    def version(self) -> str:
        """Which Blender it is."""

    def ask(self, asked: Sequence[AskedCut], at_once: int) -> Replies:
        """What it finds out about some cuts, in their order.  Each film is opened once, whatever is asked about it.

        Args:
            asked: The cuts.
            at_once: How many Blenders may look into files at the same time.
        """


def ask_blenders(command: Callable[[str, str], list[str]], asked: Sequence[AskedCut], at_once: int) -> Replies:
    """Start Blenders that each open the film of a cut and answer what they are asked about it.

    Args:
        command: Gives the command that reads an :class:`Inquiry` from a file (its path) and answers to an inherited
            file descriptor (its number).
        asked: The cuts.
        at_once: How many Blenders there may be at the same time.

    Returns:
        What they answered, in the order of the cuts.  When it is closed, all Blenders end.
    """
    with ExitStack() as until_all_end:
        begun: deque[tuple[ExitStack, _AskedBlender]] = deque()
        waiting = deque(asked)
        while waiting or begun:
            while waiting and len(begun) < max(at_once, 1):
                one = until_all_end.enter_context(ExitStack())
                begun.append((one, one.enter_context(_AskedBlender(command, waiting.popleft()))))
            # the others go on while this one is waited for: an answer waits in its pipe
            one, blender = begun.popleft()
            with one:
                reply = blender.reply()
            yield reply


class _AskedBlender:
    """A Blender that has been asked; it has ended when the ``with`` block has.  As :func:`ask_blenders` takes it."""

    def __init__(self, command: Callable[[str, str], list[str]], asked: AskedCut) -> None:
        self._asked = asked
        self._ended = ""
        self._conversation: Conversation | None = None
        inquiry = Inquiry(asked.config, tuple(question.name for question in asked.questions))
        with ExitStack() as opened:
            try:
                file = opened.enter_context(open_log(asked.log))
                self._conversation = opened.enter_context(Conversation(command, inquiry, file, TIMEOUT))
            except OSError as error:
                self._ended = f"cannot be started ({system_says(error)})"
            self._open = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def reply(self) -> Reply:
        """What it answers; this waits for it."""
        config, log, _ = self._asked
        reply, where = Reply(self._asked), f"cut '{config.name}'"
        if self._conversation is not None:
            for event in self._conversation.events():
                if event["event"] == "failed":
                    reply.error = SceneError(f"{event['message']} (log: {log})", where)
                    return reply
                reply.take(event)
                if reply.next_question is None:
                    return reply
                if event["event"] == "found":
                    self._conversation.allow(TIMEOUT)
            self._ended = self._conversation.ended
        if (unanswered := reply.next_question) is not None:
            reply.error = SceneError(
                f"Blender {self._ended} while it {unanswered.doing} in {config.source} (log: {log})",
                where,
                unanswered.remedy,
            )
        return reply
