"""A Blender that takes a setting and does nothing with it, as 5.0 did with the colour of the background."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.engines.conversation import Conversation
from tests.blender.conftest import PROJECT

pytestmark = pytest.mark.blender

DEAF = """
import runpy, sys
from animerun_gen.blender import versions
paint_world = versions.paint_world
versions.paint_world = lambda world, color: paint_world(world, (0.05, 0.05, 0.05))
sys.argv = ["probe", *sys.argv[1:]]
"""


def test_the_doctor_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    program = DEAF + "runpy.run_module('animerun_gen.blender.probe', run_name='__main__')"

    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-c", program, *arguments]

    with open(tmp_path / "log", "wb") as log, Conversation(command, None, log, 300.0) as conversation:
        said = {event["what"]: event["answer"] for event in conversation.events() if event["event"] == "found"}
    assert said["surface"] == "#d2691e, as asked for"
    assert said["background"] == "failed: #3f3f3f where #3c78b4 is due"
    assert said["lines"] == "failed: beside the lines the picture is #3f3f3f where #ffffff is due"


def test_a_cut_fails_at_once_instead_of_showing_another_background(
    configure: Callable[..., Path], tmp_path: Path
) -> None:
    config = configure("courier", "", (96, 54))
    program = (
        DEAF
        + f"""
from pathlib import Path
from animerun_gen.blender.here import ThisBlender
from animerun_gen.config import load_cuts
from animerun_gen.pipeline.options import Options
from animerun_gen.pipeline.run import generate
cuts = [cut.config for cut in load_cuts([Path({str(config)!r})])]
summary, = generate(cuts, Options(Path({str(tmp_path / "out")!r}), ThisBlender(), frames=(1, 3)))
print(*summary.failures, sep="\\n")
"""
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, cwd=PROJECT)
    assert result.returncode == 0, result.stderr
    failures = result.stdout.splitlines()
    assert len(failures) == 1, failures
    assert "painted the background of frame 1 #3f3f3f, where #" in failures[0]
    assert not list((tmp_path / "out").rglob("original/*.png"))
