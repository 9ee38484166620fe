"""Identity pictures show where each surface point is in its mesh, and leave no trace in anything else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.config import load_cuts
from animerun_gen.dataset import Dataset
from animerun_gen.dataset.files import read_image
from animerun_gen.dataset.layout import identity_picture
from animerun_gen.engines.blenders import BpyModule
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import Event
from animerun_gen.quality.identity import NO_PLACE, identity_error
from tests.pipeline.datasets import contents

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]

SQUARES = """
def object_of(name, vertices, faces, color):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    mesh.materials.append(paint(name, color))
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    return thing

# six squares of one mesh in a row
corners = [(i - 3 + x, 0, z) for i in range(6) for x, z in ((0.1, 0), (0.9, 0), (0.9, 1), (0.1, 1))]
row = object_of("row", corners, [(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3) for i in range(6)], (0.8, 0.2, 0.1))

# in frame n the first n - 1 of them are not drawn, nor the last 4 - n: all that is drawn is numbered anew
tree = bpy.data.node_groups.new("window", "GeometryNodeTree")
for direction in ("INPUT", "OUTPUT"):
    tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
def node(kind, **values):
    made = tree.nodes.new(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made
inside, outside, delete = node("NodeGroupInput"), node("NodeGroupOutput"), node("GeometryNodeDeleteGeometry")
frame, index = node("GeometryNodeInputSceneTime"), node("GeometryNodeInputIndex")
begin, end = node("ShaderNodeMath", operation="MULTIPLY_ADD"), node("ShaderNodeMath", operation="MULTIPLY_ADD")
below, above, either = node("FunctionNodeCompare"), node("FunctionNodeCompare"), node("FunctionNodeBooleanMath")
below.operation, above.operation, either.operation = "LESS_THAN", "GREATER_EQUAL", "OR"
for made, offset in ((begin, -4.0), (end, 8.0)):
    tree.links.new(frame.outputs["Frame"], made.inputs[0])
    made.inputs[1].default_value, made.inputs[2].default_value = 4.0, offset
for compared, bound in ((below, begin), (above, end)):
    tree.links.new(index.outputs[0], compared.inputs[0])
    tree.links.new(bound.outputs[0], compared.inputs[1])
tree.links.new(below.outputs[0], either.inputs[0])
tree.links.new(above.outputs[0], either.inputs[1])
tree.links.new(either.outputs[0], delete.inputs["Selection"])
tree.links.new(inside.outputs[0], delete.inputs["Geometry"])
tree.links.new(delete.outputs[0], outside.inputs[0])
row.modifiers.new("window", "NODES").node_group = tree

# what has no places, or loses them
bpy.ops.object.text_add(location=(-2.5, 0, -2), rotation=(math.pi / 2, 0, 0))
bpy.context.object.data.body, bpy.context.object.color = "TEXT", (0.4, 0.5, 0.6, 1)
ball = add("uv_sphere", "ball", (0.1, 0.2, 0.8), location=(2, 0, -1.5), radius=0.8)
remade = ball.modifiers.new("remade", "REMESH")
remade.mode, remade.voxel_size = "VOXEL", 0.1
"""

SIMULATED = """
scene.frame_end = 12
flag = add("grid", "flag", (0.8, 0.2, 0.1), x_subdivisions=12, y_subdivisions=12, size=2, location=(-1.5, 0, 0))
flag.rotation_euler = (1.2, 0.2, 0)
flag.modifiers.new("cloth", "CLOTH")
flag.modifiers.new("smooth", "SUBSURF").render_levels = 2
stone = add("cube", "stone", (0.4, 0.4, 0.4), size=0.3, location=(0, 60, 0))
fountain = add("plane", "fountain", (0.1, 0.6, 0.2), size=1.5, location=(1.5, 0, -1), rotation=(0.5, 0.3, 0))
flight = fountain.modifiers.new("stones", "PARTICLE_SYSTEM").particle_system.settings
flight.count, flight.frame_start, flight.frame_end, flight.lifetime = 40, -5, 12, 20
flight.render_type, flight.instance_object, flight.particle_size = "OBJECT", stone, 0.5
shown = flag.data.color_attributes.new("of the film", "BYTE_COLOR", "CORNER")
"""


def render(config_file: Path, output: Path, *, pictures: bool = True) -> RenderJob:
    """Render all frames and pairs of a cut, with identity pictures of every frame or without any."""
    config = load_cuts([config_file])[0].config.model_copy(update={"resolution": (240, 160)})
    frames = config.frame_numbers
    job = RenderJob(
        config,
        output,
        pictures=frames,
        identity_pictures=frames if pictures else (),
        companions=frames,
        pairs=tuple(pairwise(frames)),
    )
    events: list[Event] = []
    BpyModule.find().start(job, output / "log").run(events.append)
    assert events[-1]["event"] == "finished", events[-1]
    return job


def places_of(job: RenderJob, frame: int) -> Any:
    return read_image(identity_picture(job.output, job.config.name, frame))


def files_of_dataset(output: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(output).items() if name.startswith("train/")}


def test_a_point_has_one_colour_however_it_is_numbered(build: Build, cut: Cut, tmp_path: Path) -> None:
    config = cut(build("squares", SQUARES), last=3)
    job = render(config, tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("squares")
    names = {name: int(number) for number, name in clip.read_names("object_id").items()}
    still = np.zeros((160, 240, 2), np.float32)
    # a square's width, as a flow by numbers would have it
    by_numbers = still + np.array([24.0, 0.0], np.float32)
    for frame in (1, 2):
        here, there = places_of(job, frame), places_of(job, frame + 1)
        shown = [clip.read("object_id", number) == names["row"] for number in (frame, frame + 1)]
        both = shown[0] & shown[1]
        assert both.sum() > 1000
        # the window went on by one square: nothing moved
        assert (here[both] == there[both]).all()
        assert (here[both] != NO_PLACE).all()
        assert identity_error(here, there, still, ~both).error == 0
        wrong = identity_error(here, there, by_numbers, ~both)
        assert wrong.error == 1
        assert wrong.compared > 0.02
        for name in ("Text", "ball"):
            seen = clip.read("object_id", frame) == names[name]
            assert seen.sum() > 100
            assert (here[seen] == NO_PLACE).all(), name


def test_nothing_else_is_changed_by_them_and_exact_flow_leads_to_the_same_places(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    config = cut(build("simulated", SIMULATED), last=12)
    job = render(config, tmp_path / "with")
    render(config, tmp_path / "without", pictures=False)
    made, alone = files_of_dataset(tmp_path / "with"), files_of_dataset(tmp_path / "without")
    assert made
    assert made == alone
    clip = Dataset(tmp_path / "with").clip("simulated")
    for earlier, later in job.pairs:
        for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
            flow, hidden = clip.read(f"flow_{direction}", source), clip.read(f"exact_occlusion_{direction}", source)
            found = identity_error(places_of(job, source), places_of(job, target), flow, hidden)
            assert found.error is not None
            assert found.error < 0.002
            assert found.compared > 0.1


def test_linked_meshes_have_places(build: Build, cut: Cut, tmp_path: Path) -> None:
    library = build(
        "library",
        """
        ball = add("uv_sphere", "ball", (0.1, 0.2, 0.8), location=(1, 0, 0))
    """,
    )
    film = build(
        "film",
        f"""
        with bpy.data.libraries.load({str(library)!r}, link=True) as (found, wanted):
            wanted.objects = ["ball"]
        scene.collection.objects.link(wanted.objects[0])
        add("cube", "box", (0.8, 0.2, 0.1), location=(-1, 0, 0))
    """,
    )
    job = render(cut(film), tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("film")
    numbers = {name: int(number) for number, name in clip.read_names("object_id").items()}
    for name in ("box", f"ball [{library.name}]"):
        seen = clip.read("object_id", 1) == numbers[name]
        assert seen.sum() > 500
        places = places_of(job, 1)[seen]
        assert np.mean(places != NO_PLACE) > 0.95
        # one for each point
        assert len(np.unique(places, axis=0)) > 0.5 * len(places)


def test_a_mesh_that_was_being_edited_has_places_and_the_film_s_own_colours_are_none(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    script = """
        box = add("cube", "box", (0.8, 0.2, 0.1), size=2)
        box.data.color_attributes.new("of the film", "BYTE_COLOR", "CORNER")
        bpy.ops.object.mode_set(mode="EDIT")
    """
    job = render(cut(build("edited", script)), tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("edited")
    names = {name: int(number) for number, name in clip.read_names("object_id").items()}
    for frame in (1, 2):
        places = places_of(job, frame)[clip.read("object_id", frame) == names["box"]]
        assert np.mean(places != NO_PLACE) > 0.95
        assert len(np.unique(places, axis=0)) > 0.5 * len(places)
