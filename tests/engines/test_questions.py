"""Several Blenders may be asked about camera cuts at the same time; here they are other programs."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from animerun_gen.engines.questions import AskedCut, CameraMark, MarkedCut, ask_for_camera_marks
from animerun_gen.errors import SceneError
from tests.engines.test_protocol import CHILD
from tests.pipeline.datasets import make_cut

ANSWER = """
open(os.path.join({folder!r}, request["name"]), "w").close()
deadline = time.monotonic() + 60
while len(os.listdir({folder!r})) < {together} and time.monotonic() < deadline:
    time.sleep(0.01)
if request["name"] == "broken":
    tell("failed", message="it has no camera")
elif request["name"] == "lost":
    os._exit(3)
else:
    tell("found", what="camera cuts", answer={{"marks": [{{"frame": 7, "camera": request["name"]}}], "inputs": {{}}}})
"""


def asked(folder: Path, *names: str) -> list[AskedCut]:
    return [AskedCut(make_cut(folder, {"name": name}), folder / f"{name}.log") for name in names]


@pytest.mark.parametrize(("at_once", "together"), [(1, 1), (3, 3), (8, 4)])
def test_answers_come_in_order_whoever_is_asked_at_once(tmp_path: Path, at_once: int, together: int) -> None:
    there = tmp_path / "there"
    there.mkdir()
    # a program answers only when so many have been started
    program = CHILD + ANSWER.format(folder=str(there), together=together)

    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-c", program, *arguments]

    names = ("one", "broken", "lost", "two")
    one, broken, lost, two = ask_for_camera_marks(command, asked(tmp_path, *names), at_once)
    assert one == MarkedCut([CameraMark(7, "one")], {})
    assert two == MarkedCut([CameraMark(7, "two")], {})
    assert isinstance(broken, SceneError)
    assert "cut 'broken': it has no camera" in str(broken)
    assert isinstance(lost, SceneError)
    assert "cut 'lost': Blender" in str(lost)
    assert "set camera_cuts to mark" in str(lost)


def test_a_program_that_cannot_be_started_is_a_sentence(tmp_path: Path) -> None:
    [failed] = ask_for_camera_marks(lambda *_: [str(tmp_path / "none")], asked(tmp_path, "one"), 2)
    assert isinstance(failed, SceneError)
    assert "cannot be started" in str(failed)


def test_whoever_stops_listening_ends_them_all(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    waits = "if request['name'] != 'one': time.sleep(600)\n"
    program = CHILD + waits + ANSWER.format(folder=str(there), together=1)

    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-c", program, *arguments]

    began = time.monotonic()
    answers = ask_for_camera_marks(command, asked(tmp_path, "one", "two", "three"), 3)
    assert isinstance(next(answers), MarkedCut)
    answers.close()
    assert time.monotonic() - began < 300
    assert list(answers) == []
