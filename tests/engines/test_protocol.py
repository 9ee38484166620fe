"""The one protocol to a child, and a child that is asked something."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from animerun_gen.engines.conversation import Conversation
from animerun_gen.engines.protocol import Event, decode, encode, from_text, of_task, to_text

CHILD = """
import json, os, sys, time
request = json.load(open(sys.argv[1]))
pipe = os.fdopen(int(sys.argv[2]), "w", buffering=1)
def tell(event, **more):
    pipe.write(json.dumps({"event": event, **more}) + "\\n")
"""


@dataclass(frozen=True)
class Ask:
    """A request of the tests."""

    source: Path
    frames: tuple[tuple[int, int], ...] = ()


def answers(tmp_path: Path, program: str, seconds: float | None = 60.0) -> tuple[list[Event], str]:
    """What a child answers, and how it ended."""

    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-c", CHILD + program, *arguments]

    request = Ask(Path("film.blend"), ((1, 2),))
    with open(tmp_path / "log", "wb") as log, Conversation(command, request, log, seconds) as conversation:
        events = list(conversation.events())
    return events, conversation.ended


@pytest.mark.parametrize(
    "event",
    [
        {"event": "opened", "engine": "Blender 4.5", "notes": ["n"], "inputs": {"/a.png": "1 2 3"}},
        {"event": "frame_done", "frame": 3},
        {"event": "cross_checked", "frame": 3, "other": 4, "figures": {"median": None, "p99": 0.25}},
        {"event": "task_done", "number": 0, "frame": 3, "result": [1]},
        {"event": "failed", "message": "it has no camera"},
        {"event": "finished"},
    ],
)
def test_an_event_arrives_as_it_was_told(event: Event) -> None:
    line = encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == event
    # what a dying child cut short
    assert decode(line[:-3]) is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"3",
        b'{"event": "dances"}',
        b'{"event": "begins", "frame": 3}',
        b'{"event": "begins", "frame": "three", "stage": "flat"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_none(line: bytes) -> None:
    assert decode(line) is None


def test_events_of_tasks_are_told_from_others() -> None:
    assert of_task({"event": "finished"}) is None
    assert of_task({"event": "task_lacks", "number": 2, "missing": "a.png"}) is not None


def test_a_request_arrives_whole_and_anything_else_is_refused() -> None:
    ask = Ask(Path("film.blend"), ((1, 2), (2, 3)))
    assert from_text(to_text(ask), Ask) == ask
    with pytest.raises(ValueError, match="source"):
        from_text("{}", Ask)


def test_a_child_is_asked_and_answers(tmp_path: Path) -> None:
    events, ended = answers(tmp_path, 'print("chatter"); tell("found", what="all", answer=request); sys.exit(3)')
    assert events == [{"event": "found", "what": "all", "answer": {"source": "film.blend", "frames": [[1, 2]]}}]
    assert ended == "ended with status 3"
    assert (tmp_path / "log").read_bytes() == b"chatter\n"


def test_a_child_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    events, ended = answers(tmp_path, 'tell("progressed", done=1, total=2, doing="a look"); time.sleep(60)', 0.5)
    assert ended == "did not answer within 0.5 seconds"
    assert len(events) <= 1


def test_a_child_is_ended_with_its_conversation(tmp_path: Path) -> None:
    def command(*arguments: str) -> list[str]:
        return [
            sys.executable,
            "-c",
            CHILD + 'tell("found", what="pid", answer=os.getpid()); time.sleep(60)',
            *arguments,
        ]

    with open(tmp_path / "log", "wb") as log, Conversation(command, None, log, None) as conversation:
        event = next(conversation.events())
        assert event["event"] == "found"
        assert Path(f"/proc/{event['answer']}").exists()
    assert not Path(f"/proc/{event['answer']}").exists()


def test_a_child_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as log, pytest.raises(FileNotFoundError):
        Conversation(lambda *arguments: [str(tmp_path / "gone"), *arguments], None, log, 1.0)
