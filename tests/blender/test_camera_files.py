"""The cameras that a dataset states, against Blender's own projection and against depth and flow of a film."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import Dataset
from animerun_gen.verify.run import verify
from tests.blender.conftest import PREAMBLE, run_kept, run_script

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]

AGAINST_BLENDER = """
import itertools, json
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from animerun_gen.blender.camera_files import take_cameras

points = [(x, y, z) for x in (-1.5, 0.3, 2) for y in (-2, 0, 5) for z in (-1, 0.5, 1.2)]
told = []
camera.rotation_euler = (1.4, 0.2, 0.15)
camera.data.lens, camera.data.sensor_width, camera.data.sensor_height = 31.0, 30.0, 28.0
camera.data.shift_x, camera.data.shift_y = 0.13, -0.21
camera.data.ortho_scale = 7.3
cases = itertools.product(
    ("PERSP", "ORTHO"), ("AUTO", "HORIZONTAL", "VERTICAL"), ((320, 180), (180, 320)), ((1, 1), (1.5, 1), (1, 1.25))
)
for kind, fit, size, aspect in cases:
    camera.data.type, camera.data.sensor_fit = kind, fit
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = aspect
    graph = bpy.context.evaluated_depsgraph_get()
    taken = take_cameras(graph, None)
    places = taken.filming.stated.project(points).tolist()
    shown = [world_to_camera_view(scene, camera, Vector(point)) for point in points]
    told.append({
        "case": [kind, fit, size, aspect],
        "stated": places,
        "depth": taken.filming.stated.depth(points).tolist(),
        "blender": [[x * size[0] - 0.5, (1 - y) * size[1] - 0.5, z] for x, y, z in shown],
        "own": taken.film is None,
        "properties": taken.filming.blender,
    })
with open(TOLD_FILE, "w") as file:
    json.dump(told, file)
"""


def test_stated_cameras_project_as_blender_does(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    script = f"TOLD_FILE = {str(told)!r}\n{PREAMBLE}\n{AGAINST_BLENDER}"
    result = run_script(script)
    assert told.exists(), result.stderr
    cases = json.loads(told.read_text())
    assert len(cases) == 36
    for case in cases:
        blender = np.array(case["blender"])
        # Blender's own helper works in single precision
        np.testing.assert_allclose(case["stated"], blender[:, :2], rtol=0, atol=1e-3, err_msg=str(case["case"]))
        np.testing.assert_allclose(case["depth"], blender[:, 2], rtol=0, atol=1e-5)
        assert case["own"]
        assert case["properties"]["sensor_fit"] == case["case"][1]
    # the cases differ from each other, so each of them is a test of its own
    assert len({json.dumps(np.round(case["stated"], 2).tolist()) for case in cases}) > 20


ZOOM = """
wall = add("plane", "wall", (0.2, 0.2, 0.8), size=60, location=(0, 6, 0), rotation=(math.pi / 2, 0, 0))
add("cube", "box", (0.8, 0.1, 0.05), location=(-1, 0, 0), rotation=(0.3, 0.2, 0.5))
ball = add("uv_sphere", "ball", (0.05, 0.8, 0.2), location=(1.2, 0, 0.2))
ball.keyframe_insert("location", frame=1)
ball.location.x = 0.6
ball.keyframe_insert("location", frame=4)
camera.data.shift_x, camera.data.sensor_fit, camera.data.sensor_height = 0.1, "VERTICAL", 20.0
camera.data.dof.use_dof, camera.data.dof.focus_distance = True, 8.0
for frame, lens, x in ((1, 30.0, 0.0), (4, 45.0, 0.4)):
    camera.data.lens, camera.location.x = lens, x
    camera.data.keyframe_insert("lens", frame=frame)
    camera.keyframe_insert("location", frame=frame)
curves = camera.data.animation_data.action.fcurves
for point in curves[0].keyframe_points:
    point.interpolation = "LINEAR"
"""


def test_a_film_that_zooms_has_both_cameras_and_depth_lies_where_they_say(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    film = cut(
        build("zoom", ZOOM), "lines: {freestyle: false, outline: false}\nmotion: {extras: [depth, ids]}\n", last=3
    )
    run_kept("generate", film, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("zoom")
    width, height = 96, 64
    lenses = [30.0, 35.0, 40.0]
    for frame, lens in zip((1, 2, 3), lenses, strict=True):
        own, filming = clip.camera(frame, film=True), clip.camera(frame)
        assert own.K is not None
        assert filming.K is not None
        # a sensor of 20 mm that fits the height; shift counts in heights then
        np.testing.assert_allclose(np.diag(own.K)[:2], lens / 20.0 * height, rtol=1e-5)
        np.testing.assert_allclose(np.diag(filming.K)[:2], 30.0 / 20.0 * height, rtol=1e-5)
        np.testing.assert_allclose(own.K[:2, 2], [width / 2 - 0.5 - 0.1 * height, height / 2 - 0.5], atol=1e-3)
        # it went along its axis, to where what is in focus is as large
        assert own.name == "Camera"
        assert "dolly" in filming.name
        travelled = filming.world_to_camera @ own.matrix_world[:, 3]
        np.testing.assert_allclose(travelled[:3], [0, 0, 8.0 * (30.0 / lens - 1.0)], atol=1e-4)
        depth, ids = clip.read("depth", frame), clip.read("object_id", frame)
        number = next(int(key) for key, name in clip.read_names("object_id").items() if name == "wall")
        rows, columns = np.nonzero(ids == number)
        assert len(rows) > 500
        points = filming.unproject(depth[rows, columns], np.stack([columns, rows], axis=-1))
        np.testing.assert_allclose(points[:, 1], 6.0, atol=1e-4)
    quality = json.loads((tmp_path / "out/quality/zoom.json").read_text())
    for pair in quality["pairs"]:
        for direction in ("forward", "backward"):
            assert pair[direction]["reprojection_error"] < 1e-4
            assert pair[direction]["reprojection_compared"] > 0.3
    assert quality["bars"]["reprojection"] == 1e-3
    written = json.loads((tmp_path / "out/train/Camera/zoom.json").read_text())
    assert [entry["film_camera"]["blender"]["lens"] for entry in written["frames"]] == pytest.approx(lenses)
    # without lines, surfaces run together
    defects = [defect for report in verify(tmp_path / "out") for defect in report.defects]
    assert [defect for defect in defects if defect.kind != "quality"] == []
