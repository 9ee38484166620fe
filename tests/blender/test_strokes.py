"""Strokes of a real scene: their points are found again as far as Blender's modifiers let anybody say so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import STROKE_KINDS
from tests.blender.conftest import render_cuts
from tests.blender.kept_blender import PROJECT

pytestmark = pytest.mark.blender

MOVING = """
add("cube", "box", (0.8, 0.1, 0.05), location=(-1.8, 0, 0), rotation=(0.3, 0.2, 0.5), size=1)
box = bpy.context.object
box.keyframe_insert("rotation_euler", frame=1)
box.rotation_euler.z += 0.3
box.keyframe_insert("rotation_euler", frame=2)
def bent(name, x, *modifiers):
    ball = add("uv_sphere", name, (0.05, 0.2, 0.8), location=(x, 0, 0), segments=24, ring_count=12)
    for kind in modifiers:
        modifier = ball.modifiers.new(kind, kind)
        if kind == "SIMPLE_DEFORM":
            modifier.deform_method = "BEND"
            modifier.angle = 0.2
            modifier.keyframe_insert("angle", frame=1)
            modifier.angle = 0.6
            modifier.keyframe_insert("angle", frame=2)
        if kind == "REMESH":
            modifier.mode, modifier.voxel_size = "VOXEL", 0.15
bent("known", 0.2, "SUBSURF", "SIMPLE_DEFORM")
bent("unknown", 2.2, "SIMPLE_DEFORM", "REMESH")
wall = add("plane", "wall", (0.6, 0.6, 0.6), location=(0, 3, 0), rotation=(math.pi / 2, 0.1, 0), size=4)
scene.camera.keyframe_insert("location", frame=1)
scene.camera.location.x += 0.2
scene.camera.keyframe_insert("location", frame=2)
"""

VECTOR = "lines: {engine: geometry, vector: true}\nmotion: {extras: [ids, correspondence]}\n"


def test_points_of_strokes_move_with_their_surface(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    dataset, _ = render_cuts(tmp_path, cut(build("moving", MOVING), VECTOR, last=2))
    clip = dataset.clip("moving")
    names = {int(number): name for number, name in clip.read_names("object_id").items()}
    here, there = (clip.read("strokes", frame) for frame in (1, 2))
    owner = np.full(len(here.position), "", object)
    for stroke in range(len(here)):
        owner[here.points(stroke)] = names[int(here.object_id[stroke])]
    # the box has twelve edges, and all that is seen of it is an outline and three of them
    box = np.array([names[int(number)] == "box" for number in here.object_id])
    kinds = {STROKE_KINDS[int(kind)] for kind in here.kind[box & ~here.hidden]}
    assert kinds == {"silhouette", "crease"}
    assert len(np.unique(here.vertices[owner == "box"])) == 8
    # the wall goes on behind the others
    wall = np.array([names[int(number)] == "wall" for number in here.object_id])
    assert set(here.hidden[wall]) == {False, True}
    found = owner[here.matches(there)[:, 0]]
    assert (found == "box").sum() == 8
    assert (found == "known").sum() > 20
    assert (found == "unknown").sum() == 0
    checked = subprocess.run(
        [sys.executable, "scripts/check_stroke_motion.py", str(dataset.root)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
