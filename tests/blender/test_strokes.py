"""Strokes of a real scene: their points are found again as far as Blender's modifiers let anybody say so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import STROKE_KINDS
from animerun_gen.dataset.strokes import HOLE, SHADE
from tests.blender.conftest import render_cuts, run_kept
from tests.blender.kept_blender import PROJECT
from tests.blender.test_transparency import WEARING
from tests.lines.test_hole_outlines import grown, pixels_of

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
folded = bpy.data.meshes.new("folded")
folded.from_pydata([(-1.2, -1, 1.2), (-0.2, -1, 1.2), (-0.2, -1, 2), (-1.2, -0.2, 2)], [], [(0, 1, 2, 3)])
folded.materials.append(box.data.materials[0])
scene.collection.objects.link(bpy.data.objects.new("folded", folded))
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
    # an edge within a face is no crease, however much the face is bent
    folded = np.array([names[int(number)] == "folded" for number in here.object_id])
    assert {STROKE_KINDS[int(kind)] for kind in here.kind[folded]} == {"border"}
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


LEAVES_IN_THE_SUN = (
    WEARING
    + """
wall = add("plane", "wall", (0.8, 0.7, 0.5), location=(0, 2, 0), rotation=(math.pi / 2, 0, 0), size=12)
ball = add("uv_sphere", "ball", (0.05, 0.2, 0.8), location=(1.6, 0, 0), segments=48, ring_count=24)
ball.data.shade_smooth()
bpy.ops.mesh.primitive_plane_add(size=2.6, location=(-1.6, 0, 0), rotation=(math.pi / 2, 0.2, 0.1))
leaf = bpy.context.object
leaf.name = "leaf"
leaf.data.materials.append(surface("leaf", picture("leaf", disc, 64))[0])
for thing in (ball, leaf):
    thing.keyframe_insert("location", frame=1)
    thing.location.x += 0.35
    thing.keyframe_insert("location", frame=2)
"""
)

SUNNY = """
lines: {engine: geometry, vector: true, shade_border: true}
style: {shade: {tones: 3, direction: [0.6, 0.5, -0.8]}}
motion: {extras: [ids, correspondence]}
resolution: [192, 108]
"""


def test_borders_of_the_shade_and_of_holes(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    config = cut(build("leaves", LEAVES_IN_THE_SUN), "", last=2)
    config.write_text(config.read_text(encoding="utf-8").replace("resolution: [96, 64]\n", "") + SUNNY)
    dataset, _ = render_cuts(tmp_path, config)
    clip = dataset.clip("leaves")
    names = {int(number): name for number, name in clip.read_names("object_id").items()}
    here, there = (clip.read("strokes", frame) for frame in (1, 2))
    owners = {kind: {names[int(n)] for n in here.object_id[here.kind == kind]} for kind in (SHADE, HOLE)}
    assert owners[HOLE] == {"leaf"}
    assert {"ball", "wall"} <= owners[SHADE]
    # what lies on the leaf is found again, and what the light makes never is
    found = here.matches(there)[:, 0]
    in_kind = {kind: np.unique(here.segments(here.kind == kind)) for kind in (SHADE, HOLE)}
    assert np.isin(in_kind[HOLE], found).mean() > 0.9
    assert not np.isin(in_kind[SHADE], found).any()
    # strokes lie where the picture has lines, and the other way round
    contour, trace = clip.read("contour", 1) == 0, clip.read("trace", 1)
    leaf = clip.read("object_id", 1) == next(number for number, name in names.items() if name == "leaf")
    colored = trace.max(axis=2) != trace.min(axis=2)
    drawn = {kind: pixels_of(here, (here.kind == kind) & ~here.hidden, contour.shape) for kind in (SHADE, HOLE)}
    assert grown(contour)[drawn[HOLE]].all()
    assert grown(drawn[HOLE])[contour & grown(leaf)].all()
    assert grown(colored | contour)[drawn[SHADE]].all()
    assert grown(drawn[SHADE])[colored].mean() > 0.98
    checked = subprocess.run(
        [sys.executable, "scripts/check_stroke_motion.py", str(dataset.root)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    # files of labels are missing, which nobody asked for, and nothing else
    assert "Vector" not in run_kept("verify", dataset.root, check=False).stdout
