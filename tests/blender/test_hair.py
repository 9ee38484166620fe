"""Hair in the picture: what stands for it moves exactly with what it grows on, and nothing flickers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles
from tests.blender.conftest import PROJECT, needs_installed_blender, render_cuts, run_kept, run_script

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]

FIND = """
import os, sys
import bpy
from animerun_gen.blender.convert.hair import find_hair
from animerun_gen.blender.convert.particles import find_particles
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
print(*find_hair(), *find_particles(), sep="\\n", flush=True)
"""

PLAIN = "lines: {freestyle: false}\nmotion: {extras: [depth, ids, exact_occlusion]}\n"
WIDTH, HEIGHT, DISTANCE = 160, 100, 8.0
FOCAL = WIDTH * 50.0 / 36.0
"""Pixels; the camera of the test scenes stands at (0, -8, 0) and looks along y."""


def points(clip: ClipFiles, frame: int) -> np.ndarray:
    """The world point that each pixel shows (H, W, 3), by a pinhole of our own."""
    depth = clip.read("depth", frame).astype(np.float64)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    right, down = (x - (WIDTH - 1) / 2) / FOCAL, (y - (HEIGHT - 1) / 2) / FOCAL
    return np.stack([right * depth, depth - DISTANCE, -down * depth], axis=2)


def project(world: np.ndarray) -> np.ndarray:
    """Pixels at which world points are seen."""
    away = world[..., 1] + DISTANCE
    return np.stack(
        [(WIDTH - 1) / 2 + FOCAL * world[..., 0] / away, (HEIGHT - 1) / 2 - FOCAL * world[..., 2] / away], axis=-1
    )


def shown(clip: ClipFiles, frame: int, material: str) -> np.ndarray:
    """The pixels of a material."""
    numbers = {name.partition(" [")[0]: int(number) for number, name in clip.read_names("material_id").items()}
    return clip.read("material_id", frame) == numbers[material]


def test_locks_move_exactly_with_their_surface_and_do_not_flicker(build: Build, cut: Cut, tmp_path: Path) -> None:
    """Between frames 1 and 2 a hairy ball flies, turns and grows; between 2 and 3 it stands.

    In the viewport the ball is a cube: only a subdivision for renders makes it a ball.
    """
    script = """
        ball = add("cube", "ball", (0.9, 0.5, 0.1), size=2.4)
        ball.data.materials.append(paint("fur", (0.2, 0.1, 0.6)))
        smooth = ball.modifiers.new("smooth", "SUBSURF")
        smooth.levels, smooth.render_levels = 0, 3
        system = ball.modifiers.new("fur", "PARTICLE_SYSTEM").particle_system
        hair = system.settings
        hair.type, hair.count, hair.hair_length, hair.material = "HAIR", 900, 0.3, 2
        hair.tangent_factor, hair.length_random = 0.2, 0.5
        hair.display_percentage = 20
        for frame, place, turn, size in ((1, (-0.6, 0, 0), (0, 0, 0), 1.0), (2, (0.4, 0.5, 0.2), (0.3, 0.1, 0.5), 1.1)):
            ball.location, ball.rotation_euler, ball.scale = place, turn, (size, size, size)
            for path in ("location", "rotation_euler", "scale"):
                ball.keyframe_insert(path, frame=frame)
                ball.keyframe_insert(path, frame=3)
        # a key inserted in place of another differs from it in its last bits
        for curve in ball.animation_data.action.fcurves:
            for point in curve.keyframe_points:
                point.interpolation = "LINEAR"
            curve.keyframe_points[2].co.y = curve.keyframe_points[1].co.y
    """
    text = PLAIN + f"hair: {{locks: 90}}\nresolution: [{WIDTH}, {HEIGHT}]\n"
    config = cut(build("fur", script), text, last=3)
    config.write_text(config.read_text().replace("resolution: [96, 64]\n", ""), encoding="utf-8")
    dataset, said = render_cuts(tmp_path, config)
    clip = dataset.clip("fur")
    assert re.search(r"turned hair 'ball/fur' into \d+ locks and blades that follow 900 hairs", said)

    fur = shown(clip, 1, "fur")
    assert 0.1 < fur.mean() < 0.5
    world = points(clip, 1)[fur]
    # on the cube of the viewport hair would begin up to 2 from the middle
    distance = np.linalg.norm(world - [-0.6, 0, 0], axis=1)
    assert distance.max() < 1.5
    turn = rotation(0.3, 0.1, 0.5)
    moved = 1.1 * (world - [-0.6, 0, 0]) @ turn.T + [0.4, 0.5, 0.2]
    expected = project(moved) - project(world)
    flow, valid = clip.read("flow_forward", 1), clip.read("valid_forward", 1)
    assert valid[fur].all()
    assert np.abs(expected).max() > 10
    assert np.abs(flow[fur] - expected).max() < 1e-3

    still = shown(clip, 2, "fur")
    assert (clip.read("flow_forward", 2)[still] == 0).all()
    assert np.array_equal(clip.read("flat", 2), clip.read("flat", 3))
    # picture and labels are of one mind about where hair is: 124, 89, 203 is its colour as sRGB
    for frame in (1, 2, 3):
        painted = (clip.read("flat", frame) == [124, 89, 203]).all(axis=2)
        assert (painted == shown(clip, frame, "fur")).mean() > 0.999


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Blender's Euler angles of order XYZ as a matrix."""

    def plane(angle: float, a: int, b: int) -> np.ndarray:
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[b, a], turn[a, b] = np.sin(angle), -np.sin(angle)
        return turn

    return plane(z, 0, 1) @ plane(y, 2, 0) @ plane(x, 1, 2)


def test_roots_stay_on_a_surface_that_bends(build: Build, cut: Cut, tmp_path: Path) -> None:
    """Shape keys shear two boards, along whose normals hair grows: tiny things on one of them, locks on the other."""
    script = """
        pin = add("cube", "pin", (0, 0, 1), size=2, location=(0, -50, 0))
        for name, x, count, length in (("pins", -1.1, 150, 0.05), ("locks", 1.1, 600, 0.3)):
            board = add("grid", name, (0.9, 0.5, 0.1), x_subdivisions=12, y_subdivisions=12, size=2)
            board.location, board.rotation_euler = (x, 0, 0), (math.pi / 2, 0, 0)
            board.data.materials.append(paint("hair of " + name, (0.1, 0.6, 0.1)))
            hair = board.modifiers.new("hair", "PARTICLE_SYSTEM").particle_system.settings
            hair.type, hair.count, hair.hair_length, hair.material = "HAIR", count, length, 2
            board.shape_key_add(name="flat")
            sheared = board.shape_key_add(name="sheared")
            for point in sheared.data:
                point.co.y += 0.5 * point.co.x
            for frame, value in ((1, 0.0), (2, 1.0)):
                sheared.value = value
                sheared.keyframe_insert("value", frame=frame)
    """
    text = PLAIN + f"resolution: [{WIDTH}, {HEIGHT}]\n"
    text += "hair: {systems: {pins/*: {mode: instance, object: pin}}}\n"
    config = cut(build("shear", script), text)
    config.write_text(config.read_text().replace("resolution: [96, 64]\n", ""), encoding="utf-8")
    dataset, said = render_cuts(tmp_path, config)
    assert "turned hair 'pins/hair' into 150 instances of 'pin'" in said
    clip = dataset.clip("shear")
    flow, valid = clip.read("flow_forward", 1), clip.read("valid_forward", 1)
    for material, middle, most in (("pin", -1.1, 0.5), ("hair of locks", 1.1, 0.5)):
        hair = shown(clip, 1, material)
        assert hair.sum() > 150
        assert valid[hair].all()
        world = points(clip, 1)[hair]
        moved = world + np.stack([0 * world[:, 0], 0 * world[:, 0], 0.5 * (world[:, 0] - middle)], axis=1)
        expected = project(moved) - project(world)
        assert np.abs(expected).max() > 8
        error = np.linalg.norm(flow[hair] - expected, axis=1)
        assert np.median(error) < 0.25
        assert np.quantile(error, 0.95) < most


def test_every_mode_and_every_kind_of_hair(build: Build, cut: Cut, tmp_path: Path) -> None:
    """Four boards with hair, hair curves, and a film's own instances, each treated in its way."""
    script = """
        thing = add("cube", "thing", (0, 0, 1), size=0.5, location=(0, -50, 0))
        dust = thing.modifiers.new("dust", "PARTICLE_SYSTEM").particle_system.settings
        dust.count = 9
        def board(name, x, z):
            board = add("plane", name, (0.9, 0.5, 0.1), size=1.2, location=(x, 0, z), rotation=(1.2, 0, 0))
            board.data.materials.append(paint("hair of " + name, (0.1, 0.6, 0.1)))
            hair = board.modifiers.new("hair", "PARTICLE_SYSTEM").particle_system.settings
            hair.type, hair.count, hair.hair_length, hair.material = "HAIR", 40, 0.6, 2
            return board, hair
        board("kept", -2, 0.8)
        board("bare", 0, 0.8)
        _, hair = board("scattered", 2, 0.8)
        hair.render_type, hair.instance_object, hair.particle_size = "OBJECT", thing, 0.5
        unseen, _ = board("unseen", 2, -0.8)
        unseen.hide_viewport = True
        unseen.modifiers["hair"].show_viewport = False
        parents, hair = board("parents", 0, -0.8)
        hair.count, hair.child_type, hair.rendered_child_count, hair.root_radius = 5, "INTERPOLATED", 80, 4
        curves = bpy.data.hair_curves.new("curves")
        curves.add_curves([6] * 30)
        rest = []
        for number in range(30):
            for step in range(6):
                rest += [-2.6 + 0.2 * (number % 6) + 0.02 * step * step, 0.1 * (number // 6), -1.2 + 0.2 * step]
        curves.points.foreach_set("position", rest)
        curves.materials.append(paint("hair of curves", (0.6, 0.1, 0.6)))
        tresses = bpy.data.objects.new("tresses", curves)
        scene.collection.objects.link(tresses)
    """
    text = PLAIN + f"resolution: [{WIDTH}, {HEIGHT}]\n"
    text += "hair: {systems: {kept/*: {mode: keep}, 'ba[r]e/*': {mode: remove}, nobody: {mode: remove}}}\n"
    source = build("modes", script)
    config = cut(source, text)
    config.write_text(config.read_text().replace("resolution: [96, 64]\n", ""), encoding="utf-8")
    dataset, said = render_cuts(tmp_path, config)
    for words in (
        "turned hair 'kept/hair' into 40 thin tubes",
        "removed hair 'bare/hair'",
        "hair 'scattered/hair' shows object 'thing' at each hair, as in the film",
        "turned hair 'unseen/hair' into",
        "locks and blades that follow 400 hairs",
        "turned hair 'tresses' into 30 locks and blades that follow 30 hairs",
        "hair.systems: no hair is named 'nobody'",
    ):
        assert words in said
    clip = dataset.clip("modes")
    share = {
        name: shown(clip, 1, name).mean()
        for name in clip.read_names("material_id").values()
        if name[0] != "b" and name[:2] != "no"
    }
    assert share["hair of bare"] == share["hair of scattered"] == 0
    assert 0.001 < share["hair of kept"] < share["hair of parents"]
    assert share["thing"] > 0.005
    assert share["hair of unseen"] > 0.003
    assert share["hair of curves"] > 0.003
    assert clip.read("valid_forward", 1).all()
    assert (clip.read("flow_forward", 1) == 0).all()

    found = run_script(FIND, source).stdout
    for line in (
        "HairFinding(name='kept/hair', kind='particle hair', strands=40, drawn='strands', material='hair of kept')",
        "HairFinding(name='parents/hair', kind='particle hair', strands=400, drawn='strands', ",
        "HairFinding(name='tresses', kind='hair curves', strands=30, drawn='strands', material='hair of curves')",
        "ParticleFinding(name='thing/dust', kind='emitter', particles=9, drawn='halos', material='thing', baked=False)",
    ):
        assert line in found
    assert "drawn=\"object 'thing'\"" in found

    wrong = cut(source, PLAIN + "hair: {systems: {kept/*: {mode: instance, object: no such thing}}}\n")
    result = run_kept("render", wrong, "--out", tmp_path / "wrong", check=False)
    assert result.returncode == 1
    assert "the file has no object with surfaces of that name; it has 'bare', " in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_hair_and_particles_of_a_linked_collection_are_at_every_instance(
    build: Build, cut: Cut, tmp_path: Path
) -> None:
    script = f"""
        ball = add("uv_sphere", "ball", (0.9, 0.5, 0.1), radius=0.6)
        ball.data.materials.append(paint("fur", (0.2, 0.1, 0.6)))
        hair = ball.modifiers.new("fur", "PARTICLE_SYSTEM").particle_system.settings
        # short enough not to reach over the middle, however Blender numbers the faces that it grows on this time
        hair.type, hair.count, hair.hair_length, hair.material = "HAIR", 300, 0.12, 2
        hair.tangent_factor = 0.1
        swarm = add("plane", "swarm", (1, 1, 0), size=1, location=(0, 0, 1))
        swarm.show_instancer_for_render = False
        flies = swarm.modifiers.new("flies", "PARTICLE_SYSTEM").particle_system.settings
        flies.count, flies.frame_start, flies.frame_end, flies.particle_size = 20, 1, 1, 0.1
        beast = bpy.data.collections.new("beast")
        within = bpy.data.collections.new("within")
        beast.children.link(within)
        within.objects.link(ball)
        within.objects.link(swarm)
        bpy.data.libraries.write({str(tmp_path / "beast.blend")!r}, {{beast}})
        for thing in (ball, swarm):
            bpy.data.objects.remove(thing)
        for collection in (beast, within):
            bpy.data.collections.remove(collection)
        with bpy.data.libraries.load({str(tmp_path / "beast.blend")!r}, link=True) as (_, wanted):
            wanted.collections = ["beast"]
        for number, x in enumerate((-1.5, 1.5)):
            copy = bpy.data.objects.new("copy", None)
            scene.collection.objects.link(copy)
            copy.instance_type, copy.instance_collection = "COLLECTION", wanted.collections[0]
            for frame in (1, 2):
                copy.location = (x, 0, 0.2 * frame * number)
                copy.keyframe_insert("location", frame=frame)
    """
    text = PLAIN + f"resolution: [{WIDTH}, {HEIGHT}]\n"
    config = cut(build("linked", script), text)
    config.write_text(config.read_text().replace("resolution: [96, 64]\n", ""), encoding="utf-8")
    dataset, _ = render_cuts(tmp_path, config)
    clip = dataset.clip("linked")
    fur, flow = shown(clip, 1, "fur"), clip.read("flow_forward", 1)
    left, right = fur.copy(), fur.copy()
    left[:, WIDTH // 2 :] = right[:, : WIDTH // 2] = False
    assert abs(int(left.sum()) - int(right.sum())) < 0.2 * left.sum()
    assert left.sum() > 300
    assert clip.read("valid_forward", 1)[fur].all()
    assert (flow[left] == 0).all()
    assert (flow[right][:, 1] < -3).all()
    flies = shown(clip, 1, "swarm")
    assert flies[:, : WIDTH // 2].sum() > 50
    assert flies[:, WIDTH // 2 :].sum() > 50


@needs_installed_blender
def test_the_meadow_is_the_same_in_the_oldest_and_the_newest_blender(tmp_path: Path) -> None:
    """Fur, grass, instanced flowers and petals of the demonstration scene."""
    config = tmp_path / "meadow.yaml"
    config.write_text(
        f"inherit: {PROJECT / 'configs' / 'conversions' / 'meadow.yaml'}\n"
        "resolution: [120, 68]\nframes: {first: 6, last: 7}\nlines: {freestyle: false}\n",
        encoding="utf-8",
    )
    clips = []
    for engine in ([], ["--blender", "blender"]):
        folder = tmp_path / f"out{len(engine)}"
        said = run_kept("render", config, "--out", folder, *engine).stdout
        assert "turned hair 'Coat/Fur' into" in said
        assert "turned the halos of particles 'Tree top/Petals' into balls" in said
        clips.append(ClipFiles(folder, "train", "meadow"))
    one, other = clips
    same = one.read("material_id", 6) == other.read("material_id", 6)
    assert same.mean() > 0.999
    both = same & one.read("valid_forward", 6) & other.read("valid_forward", 6)
    assert np.abs(one.read("flow_forward", 6) - other.read("flow_forward", 6))[both].max() < 1e-3
    seen = {name: shown(one, 6, name).sum() for name in ("coat", "mop", "grass", "petal", "bloom")}
    assert min(seen.values()) > 10, seen
