"""The one protocol between this program and the children that it starts, most of them Blenders.

A child is given a request, as JSON in a file, and the number of a file descriptor that it inherits.  There it tells
events, one JSON object a line, from :class:`Progressed` to :class:`Failed`.  What a dying child cut short, and what is
no event, is none.  No ``bpy`` in here: both ends read it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypeVar

from pydantic import Field, TypeAdapter

# pydantic cannot look into those of the standard library before Python 3.12
from typing_extensions import TypedDict

Request = TypeVar("Request")


class Opened(TypedDict):
    """The scene is open and converted.

    ``engine`` is the version of Blender, ``notes`` what there was to say, and ``inputs`` the files that it was read
    from, which need not all be there, by name, with their marks (see :func:`animerun_gen.engines.job.input_mark`).
    """

    event: Literal["opened"]
    engine: str
    notes: list[str]
    inputs: dict[str, str]


class Noticed(TypedDict):
    """Something came up under way that the user should know: the sentence ``note``."""

    event: Literal["noticed"]
    note: str


class Refused(TypedDict):
    """Something of the cut is not to be made; the sentence ``reason`` is meant for the user.  The child goes on."""

    event: Literal["refused"]
    reason: str


class WillHold(TypedDict):
    """The process is predicted to hold ``memory`` bytes when it has made a frame."""

    event: Literal["will_hold"]
    frame: int
    memory: int


class Begins(TypedDict):
    """A stage of a frame begins: the last one of these before a crash says where it was."""

    event: Literal["begins"]
    frame: int
    stage: str


class Took(TypedDict):
    """A stage of a frame is done."""

    event: Literal["took"]
    frame: int
    stage: str
    seconds: float


class FrameDone(TypedDict):
    """All files that a job wanted of a frame are on disk.

    ``evaluations`` is how often the scene was evaluated since the job began, by ``"RENDER"`` and ``"VIEWPORT"``.
    """

    event: Literal["frame_done"]
    frame: int
    evaluations: NotRequired[dict[str, int]]


class CrossChecked(TypedDict):
    """How the two motion backends differ from ``frame`` to ``other``."""

    event: Literal["cross_checked"]
    frame: int
    other: int
    figures: dict[str, Any]


class Progressed(TypedDict):
    """A child that looks into something has done ``done`` steps of ``total``, and what it does now."""

    event: Literal["progressed"]
    done: int
    total: int
    doing: str


class Found(TypedDict):
    """An answer, or a part of it: ``what`` was found, as plain data in ``answer``."""

    event: Literal["found"]
    what: str
    answer: Any


class TaskDone(TypedDict):
    """A task that needs no Blender is done: its ``number`` in its chunk, and what came of it, if anything."""

    event: Literal["task_done"]
    number: int
    frame: int
    result: NotRequired[Any]


class TaskLacks(TypedDict):
    """A task cannot be done, because the file ``missing`` is not there."""

    event: Literal["task_lacks"]
    number: int
    missing: str


class TaskFailed(TypedDict):
    """A task could not be done; the sentence ``failure`` is meant for the user."""

    event: Literal["task_failed"]
    number: int
    failure: str


class Failed(TypedDict):
    """The child cannot go on: the name of the error, and a sentence that is meant for the user."""

    event: Literal["failed"]
    kind: NotRequired[str]
    message: str


class Finished(TypedDict):
    """Everything is done."""

    event: Literal["finished"]


Event = (
    Opened
    | Noticed
    | Refused
    | WillHold
    | Begins
    | Took
    | FrameDone
    | CrossChecked
    | Progressed
    | Found
    | TaskDone
    | TaskLacks
    | TaskFailed
    | Failed
    | Finished
)
"""One message of a child; ``event`` names its kind."""

TaskEvent = TaskDone | TaskLacks | TaskFailed
"""What is told of tasks that need no Blender."""


def encode(event: Event) -> bytes:
    """An event as it goes through the pipe: a line.

    >>> encode({"event": "finished"})
    b'{"event": "finished"}\\n'
    """
    return json.dumps(event).encode() + b"\n"


def decode(line: bytes) -> Event | None:
    """The event of a line; None for one that a dying process cut short, and for what is no event."""
    try:
        return _events().validate_python(json.loads(line))
    except (ValueError, RecursionError):
        return None


def of_task(event: Event) -> TaskEvent | None:
    """An event that is told of a task; None where it is another one."""
    if event["event"] == "task_done" or event["event"] == "task_lacks" or event["event"] == "task_failed":
        return event
    return None


def to_text(request: object) -> str:
    """A request as text, for :func:`from_text` in another process.

    Args:
        request: A dataclass or a model of plain data, such as :class:`animerun_gen.engines.job.RenderJob`.
    """
    return TypeAdapter(type(request)).dump_json(request).decode()


def from_text(text: str, form: type[Request]) -> Request:
    """Read what :func:`to_text` wrote of a request of a form.

    Raises:
        ValueError: It is something else.
    """
    return TypeAdapter(form).validate_json(text)


def write_request(path: Path, request: object) -> None:
    """Write a request to a file.

    Raises:
        OSError: The system refuses.
    """
    path.write_text(to_text(request), encoding="utf-8")


def read_request(path: Path, form: type[Request]) -> Request:
    """Read what :func:`write_request` wrote.

    Raises:
        ValueError: It is something else.
        OSError: The system refuses.
    """
    return from_text(path.read_text(encoding="utf-8"), form)


@cache
def _events() -> TypeAdapter[Event]:
    return TypeAdapter(Annotated[Event, Field(discriminator="event")])
