from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from animerun_gen.errors import SceneError
from animerun_gen.shot import run
from animerun_gen.shot.draft import draft
from animerun_gen.shot.findings import describe, wants_freestyle
from animerun_gen.shot.question import Question
from animerun_gen.shot.run import inspect_shot
from tests.blender.test_blend_libraries import write_blend
from tests.shot.shots import shot

HEAD = """
import json, os, signal, sys
answers = os.fdopen(int(sys.argv[2]), "w")
def say(answer):
    answers.write(json.dumps(answer) + "\\n")
    answers.flush()
say({"event": "progressed", "done": 1, "total": 2, "doing": "looking at frame 7"})
"""


@dataclass(frozen=True)
class FakeBlender:
    """An engine whose program is a script of the test."""

    script: Path
    version: str = "Blender 0.0"

    def module_command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, str(self.script), *arguments]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGABRT)", "died of SIGABRT while it was looking at frame 7"),
        ("print('Error: out of luck'); sys.exit(3)", "ended with status 3 while it was looking at frame 7"),
        ("say({'event': 'failed', 'message': 'it has no scene'})", "it has no scene"),
        ("answers.write('{\"sho'); answers.flush()", "ended with status 0"),
    ],
)
def test_whatever_becomes_of_blender_is_a_sentence(tmp_path: Path, script: str, words: str) -> None:
    source = tmp_path / "film.blend"
    source.touch()
    program = tmp_path / "program.py"
    program.write_text(HEAD + script, encoding="utf-8")
    with pytest.raises(SceneError) as raised:
        inspect_shot(Question(source), FakeBlender(program))
    assert words in str(raised.value)


def test_what_is_no_film_scene_is_refused_before_blender_starts(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"does not exist or is not a \.blend file"):
        inspect_shot(Question(tmp_path / "film.mov"), FakeBlender(tmp_path / "none"))


def test_what_is_too_new_is_refused_before_blender_starts(tmp_path: Path) -> None:
    write_blend(tmp_path / "film.blend", [], large=True, saved_with=502, oldest_reader=405)
    blender = FakeBlender(tmp_path / "none", "Blender 4.2.23")
    with pytest.raises(SceneError, match=r"was saved with Blender 5\.2 and needs Blender 4\.5 or newer"):
        inspect_shot(Question(tmp_path / "film.blend"), blender)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import time; time.sleep(60)", "Freestyle had drawn no frame after 0.5 s"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "Freestyle made Blender fail (died of SIGSEGV)"),
    ],
)
def test_freestyle_that_does_not_end_costs_the_trial_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    monkeypatch.setattr(run, "TRIAL_SECONDS", 0.5)
    source = tmp_path / "film.blend"
    source.touch()
    program = tmp_path / "program.py"
    facts = json.dumps(shot().to_json())
    program.write_text(
        f"{HEAD}say({{'event': 'found', 'what': 'untried', 'answer': json.loads({facts!r})}})\n{script}",
        encoding="utf-8",
    )
    found = inspect_shot(Question(source), FakeBlender(program))
    assert found.survey is not None
    assert not wants_freestyle(found.survey)
    assert words in " ".join(describe(found))
    assert "engine: geometry" in draft(found, tmp_path / "cut.yaml", "cut")
