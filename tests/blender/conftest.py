"""The toy dataset, generated once for all tests that look at it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from animerun_gen.dataset import Dataset
from tests.blender.kept_blender import kept_blender

needs_installed_blender = pytest.mark.skipif(
    shutil.which("blender") is None, reason="no installed Blender (Debian: apt-get install blender)"
)

PROJECT = Path(__file__).resolve().parent.parent.parent
TOYS = ("blueprint", "courier", "festival", "flyover", "postcard", "still", "workshop")
CLIPS = ("blueprint", "courier", "festival", "flyover", "postcard", "still", "workshop-1")
"""A clip of each; that of the workshop ends where the camera is cut."""
RESOLUTION = (240, 135)
LAST_FRAMES = {"blueprint": 8, "courier": 13, "festival": 8, "flyover": 113, "postcard": 14}
"""Where clips end before their configuration says: nothing happens later that has not happened by then."""
FAR_TOYS = ("courier", "flyover", "workshop")
"""Toys whose motion is also made over larger distances."""
FAR_CLIPS = ("courier", "flyover", "workshop-1")
GAPS = (1, 2, 4, 8)


def run_cli(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would, in processes of its own; :func:`run_kept` is many times as fast."""
    command = [sys.executable, "-m", "animerun_gen", *[str(argument) for argument in arguments]]
    result = subprocess.run(command, capture_output=True, text=True, timeout=1200, cwd=PROJECT)
    return _checked(result) if check else result


def run_kept(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line in the Blender that is kept for tests (:mod:`tests.blender.kept_blender`)."""
    result = kept_blender().run("command", [str(argument) for argument in arguments])
    return _checked(result) if check else result


def run_elsewhere(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The same as :func:`run_kept` in another process, which must make the same files."""
    result = kept_blender(1).run("command", [str(argument) for argument in arguments])
    return _checked(result) if check else result


def run_script(text: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script that may import ``bpy`` in the Blender that is kept for tests; it ends by running out."""
    return kept_blender().run("script", [text, *[str(argument) for argument in arguments]])


def _checked(result: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    if result.returncode != 0:
        pytest.fail(f"{' '.join(result.args)} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result


def write_config(folder: Path, toy: str, text: str = "", resolution: tuple[int, int] = RESOLUTION) -> Path:
    """A configuration that inherits a toy cut's, small; ``text`` is YAML that changes more."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{toy}.yaml"
    inherited = PROJECT / "configs" / "toy" / f"{toy}.yaml"
    path.write_text(f"inherit: {inherited}\nresolution: [{resolution[0]}, {resolution[1]}]\n{text}", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def toy_dataset(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Dataset:
    """All toy cuts, small, made by the ``bpy`` module."""

    def make(folder: Path) -> None:
        for toy in TOYS:
            text = f"motion: {{gaps: {list(GAPS)}, tracks: 300}}\n" if toy in FAR_TOYS else ""
            if toy in LAST_FRAMES:
                text += f"frames: {{last: {LAST_FRAMES[toy]}}}\n"
            write_config(folder / "configs", toy, text)
        run_kept("generate", folder / "configs", "--out", folder / "dataset")

    return Dataset(made_once("toys", make) / "dataset")


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small configuration of a toy cut into the test's own folder."""

    def write(toy: str, text: str = "", resolution: tuple[int, int] = (160, 90)) -> Path:
        return write_config(tmp_path / "configs", toy, text, resolution)

    return write


PREAMBLE = """
import bpy, math, os, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end = 1, 4

def add(primitive, name, color, **options):
    getattr(bpy.ops.mesh, "primitive_" + primitive + "_add")(**options)
    thing = bpy.context.object
    thing.name = name
    if primitive == "uv_sphere":
        number_anew(thing.data)
    thing.data.materials.append(paint(name, color))
    return thing

def number_anew(mesh):
    # Blender numbers a sphere's edges and faces by addresses in memory: differently in every process
    faces = []
    for face in mesh.polygons:
        corners = [(mesh.loops[k].vertex_index, *mesh.uv_layers[0].data[k].uv) for k in face.loop_indices]
        first = corners.index(min(corners))
        faces.append(corners[first:] + corners[:first])
    faces.sort()
    points = [vertex.co[:] for vertex in mesh.vertices]
    mesh.clear_geometry()
    mesh.from_pydata(points, [], [[corner[0] for corner in face] for face in faces])
    coordinates = [number for face in faces for corner in face for number in corner[1:]]
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", coordinates)

def paint(name, color):
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*color, 1)
    return material

def nodes_of(material):
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    return tree, tree.nodes.new("ShaderNodeOutputMaterial")

camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
scene.collection.objects.link(camera)
camera.location, camera.rotation_euler = (0, -8, 0), (math.pi / 2, 0, 0)
scene.camera = camera
"""

SCENE = """
add("cube", "box", (0.8, 0.1, 0.05), location=(-1, 0, 0), rotation=(0.3, 0.2, 0.5))
ball = add("uv_sphere", "ball", (0.05, 0.2, 0.8), location=(1.2, 0, 0.2))
ball.keyframe_insert("location", frame=1)
ball.location.x = 0.6
ball.keyframe_insert("location", frame=4)
"""


def save_blend(path: Path, script: str) -> Path:
    """Save a .blend that a script makes."""
    text = f"BLEND_FILE = {str(path)!r}\n{PREAMBLE}{textwrap.dedent(script)}\n"
    result = run_script(text + "bpy.ops.wm.save_as_mainfile(filepath=BLEND_FILE)\n")
    assert path.exists(), result.stderr
    # a script that saves under way may have failed after that
    assert result.returncode == 0, result.stderr
    return path


@pytest.fixture
def build(tmp_path: Path) -> Callable[[str, str], Path]:
    """Saves a .blend that a script makes, in the test's own folder."""

    def save(name: str, script: str) -> Path:
        return save_blend(tmp_path / f"{name}.blend", script)

    return save


@pytest.fixture
def cut(tmp_path: Path) -> Callable[..., Path]:
    """Writes the configuration of a cut."""

    def write(source: Path, text: str = "", last: int = 2) -> Path:
        path = tmp_path / f"{source.stem}.yaml"
        path.write_text(
            f"name: {source.stem}\nsource: {source.name}\nframes: {{first: 1, last: {last}}}\n"
            f"resolution: [96, 64]\n{textwrap.dedent(text)}",
            encoding="utf-8",
        )
        return path

    return write


def render_cuts(tmp_path: Path, *configs: Path) -> tuple[Dataset, str]:
    """Render cuts into the test's own dataset; gives it and what the program said."""
    result = run_kept("render", *configs, "--out", tmp_path / "out")
    return Dataset(tmp_path / "out"), result.stdout
