"""Grease Pencil: strokes and fills are seen where they are drawn, named, and followed while a drawing is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles
from tests.blender.conftest import render_cuts, run_kept

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]

WIDTH, HEIGHT, DISTANCE = 96, 64, 8.0
FOCAL = WIDTH * 50.0 / 36.0
"""Pixels; the camera of the test scenes stands at (0, -8, 0) and looks along y."""

DRAW = """
def ink(name, color, fill=None, show_stroke=True):
    material = bpy.data.materials.new(name)
    bpy.data.materials.create_gpencil_data(material)
    style = material.grease_pencil
    style.color, style.show_stroke = (*color, 1), show_stroke
    if fill is not None:
        style.show_fill, style.fill_color = True, (*fill, 1)
    return material

def sketch(name, *materials):
    kinds = bpy.data.grease_pencils_v3 if hasattr(bpy.data, "grease_pencils_v3") else bpy.data.grease_pencils
    data = kinds.new(name)
    for material in materials:
        data.materials.append(material)
    thing = bpy.data.objects.new(name, data)
    scene.collection.objects.link(thing)
    return thing

def draw(drawing, points, radius=0.15, slot=0, closed=False, color=None):
    drawing.add_strokes([len(points)])
    stroke = drawing.strokes[len(drawing.strokes) - 1]
    stroke.material_index, stroke.cyclic = slot, closed
    for point, place in zip(stroke.points, points):
        point.position, point.radius = place, radius
        if color is not None:
            point.vertex_color = (*color, 1)
    if color is not None:
        stroke.fill_color = (*color, 1)

def move(thing, *places):
    for frame, (location, rotation) in enumerate(places, start=1):
        thing.location, thing.rotation_euler = location, rotation
        thing.keyframe_insert("location", frame=frame)
        thing.keyframe_insert("rotation_euler", frame=frame)
"""

EXTRAS = "motion: {extras: [depth, ids, exact_occlusion]}\nstyle: {background: '#ffffff'}\n"


def shown(clip: ClipFiles, frame: int, kind: str, name: str) -> np.ndarray:
    """The pixels of an object or a material."""
    numbers = {each.partition(" [")[0]: int(number) for number, each in clip.read_names(kind).items()}
    return clip.read(kind, frame) == numbers[name]


def rays() -> np.ndarray:
    """Where each pixel looks (H, W, 3), one unit along the view axis."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([(x - (WIDTH - 1) / 2) / FOCAL, np.ones((HEIGHT, WIDTH)), -(y - (HEIGHT - 1) / 2) / FOCAL], axis=2)


def project(world: np.ndarray) -> np.ndarray:
    """Pixels at which world points are seen."""
    away = world[..., 1] + DISTANCE
    return np.stack(
        [(WIDTH - 1) / 2 + FOCAL * world[..., 0] / away, (HEIGHT - 1) / 2 - FOCAL * world[..., 2] / away], axis=-1
    )


def turned(angle: float) -> np.ndarray:
    """About the z axis."""
    matrix = np.eye(3)
    matrix[0, 0] = matrix[1, 1] = np.cos(angle)
    matrix[1, 0], matrix[0, 1] = np.sin(angle), -np.sin(angle)
    return matrix


def on_sheet(turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """What each pixel sees of a sheet that stands like an object's plane y = 0, in its coordinates (H, W, 3)."""
    normal, camera = turn[:, 1], np.array([0.0, -DISTANCE, 0.0])
    away = ((place - camera) @ normal) / (rays() @ normal)
    seen: np.ndarray = (camera + rays() * away[..., None] - place) @ turn
    return seen


MOVING = (
    DRAW
    + """
card = sketch("card", ink("paper", (0, 0, 0), (0.9, 0.5, 0.1), show_stroke=False), ink("chalk", (1, 1, 1)))
layer = card.data.layers.new("sheet")
# a notch makes it concave; a patch of another colour lies on it
draw(layer.frames.new(1).drawing, [(-1, 0, -1), (1, 0, -1), (1, 0, 1), (0, 0, 0.2), (-1, 0, 1)], closed=True)
draw(layer.frames[0].drawing, [(-0.8, 0, -0.9), (0.8, 0, -0.9), (0.8, 0, -0.4)], closed=True, color=(0, 0, 1))
draw(layer.frames[0].drawing, [(-0.9, 0, -0.5), (0.9, 0, -0.5)], slot=1)
move(card, ((-1, 0, 0), (0, 0, 0)), ((-0.8, 0.5, 0.1), (0, 0, 0.6)), ((-0.8, 0.5, 0.1), (0, 0, 0.6)))

line = sketch("line", ink("red", (0.8, 0, 0)))
layer = line.data.layers.new("ink")
draw(layer.frames.new(1).drawing, [(-0.4, 0, -0.9), (0.2, 0, 0), (-0.2, 0, 0.9)])
draw(layer.frames.new(3).drawing, [(-0.4, 0, -0.9), (0.3, 0, 0), (-0.2, 0, 0.9)])
move(line, ((1.5, 0, 0), (0, 0, 0)), ((1.2, -0.5, 0.2), (0, 0, 0)), ((1.2, -0.5, 0.2), (0, 0, 0)))
gone = sketch("gone", bpy.data.materials["red"])
layer = gone.data.layers.new("ink")
for frame in (1, 4):
    draw(layer.frames.new(frame).drawing, [(-2, 0, 1.2), (2, 0, 1.2)])
"""
)


def test_strokes_and_fills_move_by_formula_and_are_unknown_across_drawings(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    removed = "remove: {objects: [gone], materials: [chalk]}\n"
    config = cut(build("drawn", MOVING), EXTRAS + removed + "lines: {engine: geometry}\n", last=3)
    dataset, said = render_cuts(tmp_path, config)
    clip = dataset.clip("drawn")
    assert "drew 'card', 'line' of Grease Pencil as surfaces: 4 strokes in frame 1" in said
    assert "removed strokes and fills of 'chalk' from 'card'" in said

    # the fill is what a point-in-polygon test says, by a pinhole of our own
    here, there = (np.eye(3), np.array([-1, 0, 0.0])), (turned(0.6), np.array([-0.8, 0.5, 0.1]))
    fill = shown(clip, 1, "object_id", "card")
    x, z = np.moveaxis(on_sheet(*here)[..., [0, 2]], 2, 0)
    expected = (np.abs(x) < 1) & (z > -1) & (z < 0.2 + 0.8 * np.abs(x))
    assert (fill == expected).mean() > 0.995
    flow, valid = clip.read("flow_forward", 1), clip.read("valid_forward", 1)
    moved = on_sheet(*here) @ there[0].T + there[1]
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    wanted = project(moved) - np.stack([x, y], axis=2)
    assert valid[fill].all()
    assert np.abs(wanted[fill]).max() > 5
    assert np.abs(flow[fill] - wanted[fill]).max() < 1e-3

    # a stroke that is only moved keeps its shape
    stroke = shown(clip, 1, "object_id", "line")
    assert 60 < stroke.sum() < 400
    world = on_sheet(np.eye(3), np.array([1.5, 0, 0])) + np.array([1.2, -0.5, 0.2])
    wanted = project(world) - np.stack([x, y], axis=2)
    assert valid[stroke].all()
    assert np.abs(flow[stroke] - wanted[stroke]).max() < 1e-3
    # another drawing of the layer at frame 3, while the fill stays what it is
    valid = clip.read("valid_forward", 2)
    assert not valid[shown(clip, 2, "object_id", "line")].any()
    assert valid[shown(clip, 2, "object_id", "card")].all()
    assert (clip.read("flow_forward", 2)[shown(clip, 2, "object_id", "card")] == 0).all()

    # its pixels are line, in its own colour, and nothing is drawn around them
    assert (clip.read("contour", 1)[stroke] == 0).all()
    assert (clip.read("frame", 1)[stroke] == [231, 0, 0]).all()
    beside = np.zeros_like(stroke)
    beside[:, 70:] = True
    assert (clip.read("contour", 1)[beside & ~stroke] == 255).all()
    # both colours of one material
    colors = {tuple(color) for color in clip.read("flat", 1)[fill].tolist()}
    assert colors == {(243, 188, 89), (0, 0, 255)}
    assert "gone" in clip.read_names("object_id").values()
    assert not shown(clip, 1, "object_id", "gone").any()


MODIFIED = (
    DRAW
    + """
black = ink("black", (0, 0, 0))
for number, kind in enumerate(("NOISE", "SUBDIV", "MIRROR", "LENGTH", "DASH")):
    thing = sketch(kind, black)
    x = -1.9 + 0.75 * number
    layer = thing.data.layers.new("ink")
    draw(layer.frames.new(1).drawing, [(x, 0, -1.2), (x + 0.1, 0, 0), (x, 0, 1.1)], radius=0.12)
    modifier = thing.modifiers.new(kind, "GREASE_PENCIL_" + kind)
    if kind == "MIRROR":
        modifier.use_axis_x, modifier.use_axis_y = False, True
    move(thing, ((0, 0, 0), (0, 0, 0)), ((0.1, 0, 0), (0, 0, 0)))
lines = sketch("art", black)
lines.data.layers.new("Lines")
modifier = lines.modifiers.new("contour", "LINEART")
modifier.source_type, modifier.target_layer, modifier.target_material = "SCENE", "Lines", black
add("cube", "box", (0.1, 0.6, 0.1), size=0.5, location=(2, 0, 0))
"""
)


def test_what_modifiers_leave_is_followed_and_what_they_make_anew_is_not(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    dataset, said = render_cuts(tmp_path, cut(build("modified", MODIFIED), EXTRAS))
    clip = dataset.clip("modified")
    valid = clip.read("valid_forward", 1)
    for name, known in (("NOISE", True), ("SUBDIV", True), ("MIRROR", True), ("LENGTH", False), ("DASH", False)):
        here = shown(clip, 1, "object_id", name)
        assert here.sum() > 30, name
        assert valid[here].mean() == known, name
        assert (f"the motion of '{name}' is unknown: its modifier '{name}' makes strokes anew" in said) != known
    assert "switched Line Art 'contour' of 'art' off" in said


def test_inspect_says_what_becomes_of_it_and_it_can_be_removed(build: Build, cut: Cut, tmp_path: Path) -> None:
    source = build("drawn", MOVING)
    said = run_kept("inspect", source).stdout
    # all else stands from frame 3 on
    assert json.loads(run_kept("inspect", source, "--json").stdout)["animated_range"] == [1, 4]
    assert "'card': 3 strokes on 1 layer" in said
    assert "points are followed as long as the same drawing is shown (grease_pencil)" in said
    dataset, said = render_cuts(tmp_path, cut(source, EXTRAS + "grease_pencil: remove\n"))
    assert "removed 'card': grease pencil is not drawn" in said
    assert (dataset.clip("drawn").read("object_id", 1) == 0).all()
