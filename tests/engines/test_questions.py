"""Several Blenders may be asked about films at the same time; here they are other programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.engines.questions import (
    CAMERA_MARKS,
    LAYERS,
    LINE_FIGURES,
    AskedCut,
    CameraMark,
    FilmQuestion,
    ask_blenders,
)
from animerun_gen.errors import SceneError
from tests.engines.test_protocol import CHILD
from tests.pipeline.datasets import make_cut

ANSWER = """
open(os.path.join({folder!r}, request["config"]["name"]), "w").close()
deadline = time.monotonic() + 60
while len(os.listdir({folder!r})) < {together} and time.monotonic() < deadline:
    time.sleep(0.01)
if request["config"]["name"] == "broken":
    tell("failed", message="it has no camera")
elif request["config"]["name"] == "lost":
    os._exit(3)
else:
    tell("opened", engine="Blender", notes=[], inputs={{"library.blend": "a mark"}})
    tell("found", what="camera marks", answer=[{{"frame": 7, "camera": request["config"]["name"]}}])
    if request["config"]["name"] == "partly":
        tell("failed", message="nothing moves in it")
    if "layers" in request["questions"]:
        tell("found", what="layers", answer={{"hero": ["Hero", "Hat"]}})
"""


def asked(folder: Path, *names: str, about: tuple[FilmQuestion[Any], ...] = (CAMERA_MARKS,)) -> list[AskedCut]:
    return [AskedCut(make_cut(folder, {"name": name}), folder / f"{name}.log", about) for name in names]


def saying(program: str) -> Callable[[str, str], list[str]]:
    """The command that starts a program in Blender's place."""
    return lambda *arguments: [sys.executable, "-c", CHILD + program, *arguments]


@pytest.mark.parametrize(("at_once", "together"), [(1, 1), (3, 3), (8, 4)])
def test_answers_come_in_order_whoever_is_asked_at_once(tmp_path: Path, at_once: int, together: int) -> None:
    there = tmp_path / "there"
    there.mkdir()
    # a program answers only when so many have been started
    command = saying(ANSWER.format(folder=str(there), together=together))
    names = ("one", "broken", "lost", "two")
    one, broken, lost, two = ask_blenders(command, asked(tmp_path, *names), at_once)
    for reply, name in ((one, "one"), (two, "two")):
        assert reply.answers == {CAMERA_MARKS.name: (CameraMark(7, name),)}
        assert reply.inputs == {"library.blend": "a mark"}
        assert reply.error is None
    assert (broken.answers, lost.answers) == ({}, {})
    assert isinstance(broken.error, SceneError)
    assert str(broken.error) == f"cut 'broken': it has no camera (log: {tmp_path / 'broken.log'})"
    assert isinstance(lost.error, SceneError)
    assert "cut 'lost': Blender" in str(lost.error)
    assert "while it looked for camera cuts in" in str(lost.error)
    assert "set camera_cuts to mark" in str(lost.error)


def test_one_blender_answers_all_that_is_asked_about_a_film(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    started = tmp_path / "started"
    note = f"open({str(started)!r}, 'a').write('started ')\n"
    command = saying(note + ANSWER.format(folder=str(there), together=1))
    [reply] = ask_blenders(command, asked(tmp_path, "one", about=(CAMERA_MARKS, LAYERS)), 2)
    assert reply.answers == {CAMERA_MARKS.name: (CameraMark(7, "one"),), LAYERS.name: {"hero": ("Hero", "Hat")}}
    assert reply.error is None
    assert started.read_text() == "started "


def test_what_was_answered_before_it_failed_or_died_counts(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    command = saying(ANSWER.format(folder=str(there), together=1))
    cuts = [
        *asked(tmp_path, "partly", about=(CAMERA_MARKS, LAYERS)),
        *asked(tmp_path, "one", about=(CAMERA_MARKS, LINE_FIGURES)),
    ]
    refused, died = ask_blenders(command, cuts, 1)
    assert refused.answers == {CAMERA_MARKS.name: (CameraMark(7, "partly"),)}
    assert str(refused.error) == f"cut 'partly': nothing moves in it (log: {tmp_path / 'partly.log'})"
    assert died.answers == {CAMERA_MARKS.name: (CameraMark(7, "one"),)}
    # the sentence is about what it was doing then
    assert "while it counted what Freestyle would have to draw" in str(died.error)
    assert "set lines.engine to freestyle or geometry" in str(died.error)


def test_a_program_that_cannot_be_started_is_a_sentence(tmp_path: Path) -> None:
    [failed] = ask_blenders(lambda *_: [str(tmp_path / "none")], asked(tmp_path, "one"), 2)
    assert isinstance(failed.error, SceneError)
    assert "cannot be started" in str(failed.error)


def test_whoever_stops_listening_ends_them_all(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    waits = "if request['config']['name'] != 'one': time.sleep(600)\n"
    command = saying(waits + ANSWER.format(folder=str(there), together=1))
    began = time.monotonic()
    replies = ask_blenders(command, asked(tmp_path, "one", "two", "three"), 3)
    assert next(replies).error is None
    replies.close()
    assert time.monotonic() - began < 300
    assert list(replies) == []
