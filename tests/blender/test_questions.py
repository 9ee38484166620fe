"""What a Blender finds out about a film does not depend on what else it is asked about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from animerun_gen.engines.questions import CAMERA_MARKS, LAYERS, LINE_FIGURES
from tests.blender.conftest import run_script, save_blend

pytestmark = pytest.mark.blender

# something of each: a camera whose lens jumps, an object that moves, and lines that come into view with it
SCENE = """
add("plane", "wall", (0.4, 0.5, 0.6), size=30, location=(0, 6, 0), rotation=(math.pi / 2, 0, 0))
ball = add("uv_sphere", "ball", (0.8, 0.1, 0.05), radius=0.8, location=(-30, 0, 0))
for frame, x in ((1, -30.0), (8, 0.0)):
    ball.location.x = x
    ball.keyframe_insert("location", frame=frame)
for frame, lens in ((1, 400.0), (5, 30.0)):
    camera.data.lens = lens
    camera.data.keyframe_insert("lens", frame=frame)
for layer in camera.data.animation_data.action.layers:
    for bag in layer.strips[0].channelbags:
        for point in (point for curve in bag.fcurves for point in curve.keyframe_points):
            point.interpolation = "CONSTANT"
"""

ASK = """
import json, sys
from pathlib import Path
from animerun_gen.blender.questions import answer_questions
from animerun_gen.config import CutConfig
from animerun_gen.engines.job import Reporter
from animerun_gen.engines.questions import Inquiry

config = CutConfig.model_validate({
    "name": "film", "source": Path(sys.argv[1]), "frames": {"first": 1, "last": 8}, "resolution": (96, 64)
})
for questions in json.loads(sys.argv[2]):
    told = []
    answer_questions(Inquiry(config, tuple(questions)), Reporter(told.append))
    print("ANSWERS", json.dumps(told))
"""


def test_answers_are_the_same_together_and_alone(tmp_path: Path) -> None:
    film = save_blend(tmp_path / "film.blend", SCENE)
    alone = [[question.name] for question in (CAMERA_MARKS, LAYERS, LINE_FIGURES)]
    together = [name for (name,) in alone]
    result = run_script(ASK, film, json.dumps([*alone, together]))
    assert result.returncode == 0, result.stderr
    told = [json.loads(line.removeprefix("ANSWERS ")) for line in result.stdout.splitlines() if "ANSWERS " in line]
    of_each, (opened, *of_all) = told[:3], told[3]
    assert opened["event"] == "opened"
    assert [events[0] for events in of_each] == [opened] * 3
    assert [events[1:] for events in of_each] == [[event] for event in of_all]
    marks, layers, figures = (event["answer"] for event in of_all)
    assert [(mark["frame"], mark["jumps"]) for mark in marks] == [(1, False), (5, True)]
    assert layers == {"ball": ["ball"]}
    assert [each["frame"] for each in figures] == [1, 5, 8]
    assert figures[2]["edges"] > figures[0]["edges"]
