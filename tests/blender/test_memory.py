"""A scene for whose lines there is no room, made by Blender under a limit of the system."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import read_json
from tests.blender.conftest import PROJECT
from tests.blender.test_graphs import run_in_blender
from tests.blender.test_transparency import CARDS

pytestmark = pytest.mark.blender

BALL = """
ball = add("uv_sphere", "ball", (0.05, 0.2, 0.8), segments=128, ring_count=64)
smooth = ball.modifiers.new("smooth", "SUBSURF")
smooth.levels, smooth.render_levels = 0, 3
"""
LIMIT = 1_400_000_000
"""Bytes of data of a process: Blender draws the ball in 0.8 GB, Freestyle takes 1.4 GB more."""


def generate(*arguments: object) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))

    command = [sys.executable, "-m", "animerun_gen", "generate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=PROJECT, preexec_fn=limited)


def test_lines_that_do_not_fit_are_refused_before_they_take_the_memory(
    tmp_path: Path, build: Callable[[str, str], Path], cut: Callable[..., Path]
) -> None:
    film, output = build("ball", BALL), tmp_path / "out"
    refused = generate(cut(film, "lines: {engine: freestyle}\n", last=2), "--out", output)
    assert refused.returncode == 1
    assert "Freestyle would need about 2.3 GB for the" in refused.stdout
    assert "triangles of frame 1, and only" in refused.stdout
    assert "set lines.engine to geometry (or auto)" in refused.stdout
    # one attempt, in which nothing died
    assert "restarted" not in refused.stdout + refused.stderr
    assert not list(output.glob("train/contour/**/*.png"))

    made = generate(cut(film, "lines: {engine: geometry}\n", last=2), "--out", output)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Blender used up to" in made.stdout
    held = read_json(layout.ledger_file(output, "ball"))["worker_memory"]["bytes"]
    assert 300_000_000 < held < LIMIT


COUNTED = """
from pathlib import Path
import numpy as np
from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.clipped import NO_MASK
from animerun_gen.blender.geometry import evaluate, geometry_engine, read_graph, scene_names
from animerun_gen.blender.opening import open_scene
from animerun_gen.blender.scene_size import scene_size
from animerun_gen.config import load_cuts

config = load_cuts([Path(sys.argv[1])])[0].config
with geometry_engine():
    opened = open_scene(config)
    clipped = convert_scene(opened, config).clipped
    names = scene_names()
    size, read = evaluate(opened.scene, lambda graph: (scene_size(graph, clipped), read_graph(graph, names, clipped)))
with_lines = 0
for number, mesh in enumerate(read.mesh):
    slots = read.triangle_slots[read.triangle_start[mesh] : read.triangle_start[mesh + 1]]
    masks = read.holes.slot_masks[read.slot_start[number] : read.slot_start[number + 1]]
    with_lines += sum(slot >= len(masks) or masks[slot] == NO_MASK for slot in slots)
answer = {
    "counted": [size.vertices, size.triangles, size.line_triangles],
    "read": [
        len(read.vertices),
        len(read.triangles),
        int(with_lines),
    ],
    "drawn": int(np.diff(read.triangle_start)[read.mesh].sum()),
}
"""


def test_what_is_counted_is_what_is_read(build: Callable[[str, str], Path], cut: Callable[..., Path]) -> None:
    answer = run_in_blender(COUNTED, cut(build("cards", CARDS)))
    assert answer["counted"] == answer["read"]
    _, triangles, with_lines = answer["counted"]
    assert triangles < answer["drawn"]
    assert 0 < with_lines < answer["drawn"]
