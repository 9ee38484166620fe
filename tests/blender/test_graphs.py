"""How often a scene is evaluated for a frame, and what is read from the graphs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.config import load_cuts
from animerun_gen.engines.blenders import BpyModule
from animerun_gen.engines.job import RenderJob
from tests.blender.conftest import PROJECT, SCENE, render_cuts

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]


def run_in_blender(script: str, *arguments: object) -> dict[str, Any]:
    """What a script that has ``bpy`` puts into ``answer``."""
    text = f"{script}\nsys.stderr.write('ANSWER' + json.dumps(answer))\nsys.stderr.flush(); os._exit(0)\n"
    command = [sys.executable, "-c", "import bpy, json, os, sys\n" + text, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=PROJECT)
    _, separator, answer = done.stderr.rpartition("ANSWER")
    assert separator, done.stderr
    return dict(json.loads(answer))


MESHES = """
import bmesh, math
import numpy as np
from animerun_gen.blender import versions

bpy.ops.wm.read_homefile(use_empty=True)
bpy.ops.mesh.primitive_monkey_add()
bpy.ops.mesh.primitive_cylinder_add(vertices=33)
bpy.ops.mesh.primitive_uv_sphere_add()
bent = bpy.data.meshes.new("bent")
bent.from_pydata(
    [(0, 0, 0), (1, 0, 0.4), (1, 1, 0), (0, 1, 0.7), (3, 0, 0), (2.2, 0.2, 0), (2, 1, 0)],
    [],
    [(0, 1, 2, 3), (2, 5, 4, 6), (1, 5, 2)],
)
single = bpy.data.meshes.new("single")
single.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
empty = bpy.data.meshes.new("empty")
for mesh in (bent, single, empty):
    bpy.context.scene.collection.objects.link(bpy.data.objects.new(mesh.name, mesh))
for number, polygon in enumerate(bpy.data.meshes["Suzanne"].polygons):
    polygon.material_index = number % 3
answer = {}
graph = bpy.context.evaluated_depsgraph_get()
for item in bpy.context.scene.objects:
    mesh = item.evaluated_get(graph).data
    mesh.calc_loop_triangles()
    triangles = mesh.loop_triangles
    answer[item.name] = [
        len(triangles),
        versions.corner_vertices(mesh).tolist() == [loop.vertex_index for loop in mesh.loops],
        versions.triangle_corners(mesh).tolist() == [list(triangle.loops) for triangle in triangles],
        versions.triangle_slots(mesh).tolist() == [triangle.material_index for triangle in triangles],
    ]
"""


def test_meshes_are_copied_as_blender_hands_them_out_one_by_one() -> None:
    meshes = run_in_blender(MESHES)
    assert {name: found[0] for name, found in meshes.items() if found[0] < 6} == {"bent": 5, "single": 1, "empty": 0}
    assert meshes["Suzanne"][0] == 968
    assert all(all(found[1:]) for found in meshes.values()), meshes


WATCHED = """
from pathlib import Path
import numpy as np
from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.geometry import geometry_engine, read_graph, scene_names, take_down
from animerun_gen.blender.graphs import GraphWatch
from animerun_gen.blender.opening import open_scene
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.config import load_cuts
from animerun_gen.errors import SceneError

config = load_cuts([Path(sys.argv[1])])[0].config
answer = {}
with geometry_engine():
    opened = open_scene(config)
    conversion = convert_scene(opened, config)
    names = scene_names()
    renderer = FrameRenderer(opened, config, Path(sys.argv[2]), conversion.clipped)
    opened.scene.frame_set(3)
    alone = take_down(opened.scene, names, conversion.clipped)
    with GraphWatch(opened.scene) as graphs:
        found = []
        with graphs.reading(lambda graph: found.append(read_graph(graph, names, conversion.clipped))):
            renderer.flat()
            renderer.flat()
        answer["read"] = len(found)
        answer["evaluated"] = graphs.evaluations["RENDER"]
        answer["same"] = [
            name
            for name in ("frame", "keys", "topologies", "vertices", "triangles", "triangle_slots", "matrices")
            if np.array_equal(getattr(found[0], name), getattr(alone, name))
        ]

        def fail(graph):
            raise ValueError("unreadable")

        try:
            with graphs.reading(fail):
                renderer.flat()
        except ValueError as error:
            answer["failure"] = str(error)
        try:
            with graphs.reading(fail):
                pass
        except SceneError as error:
            answer["nothing rendered"] = str(error)
    renderer.flat()
    answer["not counted afterwards"] = graphs.evaluations["RENDER"]
"""


def test_geometry_is_read_from_the_graph_that_the_picture_is_drawn_from(build: Build, cut: Cut, tmp_path: Path) -> None:
    answer = run_in_blender(WATCHED, cut(build("watched", SCENE), last=4), tmp_path)
    assert answer["read"] == 1
    assert answer["evaluated"] == 2
    assert len(answer["same"]) == 7
    assert answer["failure"] == "unreadable"
    assert "frame 3" in answer["nothing rendered"]
    assert answer["not counted afterwards"] == 3


FOLLOWED = """
data = bpy.data.cameras.new("zoom")
camera.data = data
for frame, lens in ((1, 30.0), (4, 60.0)):
    data.lens = lens
    data.keyframe_insert("lens", frame=frame)
"""


@pytest.mark.parametrize(
    ("script", "text", "render", "viewport"),
    [
        ("", "lines: {freestyle: false, outline: false}", 1, 0),
        ("", "lines: {freestyle: false}", 1, 0),
        ("", "", 3, 0),
        ("", "lines: {engine: geometry}", 1, 0),
        # the camera's follower needs the viewport, which Blender then evaluates again after the render
        (FOLLOWED, "lines: {freestyle: false, outline: false}", 1, 2),
    ],
)
def test_scenes_are_evaluated_no_more_often_than_needed(
    build: Build, cut: Cut, tmp_path: Path, script: str, text: str, render: int, viewport: int
) -> None:
    config = load_cuts([cut(build("counted", SCENE + script), text, last=4)])[0].config
    frames = config.frame_numbers
    job = RenderJob(config, tmp_path / "out", pictures=frames, companions=frames, pairs=tuple(pairwise(frames)))
    counts = []
    BpyModule.find().start(job, tmp_path / "log").run(
        lambda event: counts.append(event["evaluations"]) if event["event"] == "frame_done" else None
    )
    assert len(counts) == 4
    for before, after in pairwise(counts):
        assert after["RENDER"] - before["RENDER"] == render
        assert after["VIEWPORT"] - before["VIEWPORT"] == viewport


HANDLED = """
add("cube", "box", (0.8, 0.1, 0.05), location=(0, 0, -1))
add("cube", "ball", (0.05, 0.1, 0.9), location=(0, 0, 1), size=1.5)
text = bpy.data.texts.new("handlers.py")
text.use_module = True
text.write('''
import bpy
def move_box(scene, *_):
    bpy.data.objects["box"].location.x = -2 + 0.6 * scene.frame_current
def move_ball(*_):
    bpy.context.scene.objects["ball"].location.x = 2 - 0.6 * bpy.context.scene.frame_current
bpy.app.handlers.frame_change_post.append(bpy.app.handlers.persistent(move_box))
bpy.app.handlers.frame_change_post.append(bpy.app.handlers.persistent(move_ball))
''')
"""


def test_what_handlers_of_a_trusted_film_move_is_labelled_where_the_picture_shows_it(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    text = "trust_scripts: true\nlines: {freestyle: false, outline: false}\nmotion: {extras: [ids]}\n"
    dataset, _ = render_cuts(tmp_path, cut(build("handled", HANDLED), text, last=4))
    clip = dataset.clip("handled")
    names = {name: int(number) for number, name in clip.read_names("object_id").items()}
    for thing, channel, pixels_a_frame in (("box", 0, 1.0), ("ball", 2, -1.0)):
        places = []
        for frame in clip.frame_numbers:
            flat = clip.read("flat", frame).astype(int)
            pictured = np.argwhere(flat[..., channel] - flat[..., 2 - channel] > 60)
            labelled = np.argwhere(clip.read("object_id", frame) == names[thing])
            assert np.abs(pictured.mean(axis=0) - labelled.mean(axis=0)).max() < 0.2
            places.append(labelled.mean(axis=0)[1])
        assert (np.diff(places) * pixels_a_frame > 4.0).all(), places


def test_handlers_of_one_film_move_nothing_in_the_next(build: Build, cut: Cut, tmp_path: Path) -> None:
    """Both are rendered by one process, as they are inside Blender; the first film's handlers ask to be kept."""
    quick = "lines: {freestyle: false, outline: false}\nmotion: {extras: [ids]}\n"
    moving = cut(build("handled", HANDLED), f"trust_scripts: true\n{quick}", last=2)
    things = "\n".join(line for line in HANDLED.splitlines() if line.startswith("add("))
    still = cut(build("still", things), quick, last=2)
    dataset, _ = render_cuts(tmp_path, moving, still)
    assert np.abs(dataset.clip("handled").read("flow_forward", 1)).max() > 1.0
    assert np.abs(dataset.clip("still").read("flow_forward", 1)).max() == 0.0
