"""A walker on twos before a set under a panning camera, against formulas."""

from __future__ import annotations

import filecmp
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles, Dataset
from animerun_gen.dataset.colors import CHANGING, IMAGE
from animerun_gen.dataset.files import read_json
from tests.blender.conftest import run_kept, run_script, save_blend

pytestmark = pytest.mark.blender

WALK, PAN, AWAY = 0.25, 0.1, 8.0
WALL = 6.0
PIXELS_A_UNIT = 50 / 36 * 96
"""At distance 1, by the lens of 50 mm and the sensor of 36."""

FILM = f"""
from animerun_gen.blender import versions


def keyed(thing, first, last):
    for frame, x in ((1, first), (4, last)):
        thing.location.x = x
        thing.keyframe_insert("location", frame=frame)
    for curve in versions.fcurves(thing):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"

walker = add("plane", "walker", (0.8, 0.1, 0.05), rotation=(math.pi / 2, 0, 0), size=1.5)
walker.data.materials.append(paint("belt", (0.1, 0.1, 0.6)))
keyed(walker, -1.0, -1.0 + 3 * {WALK})
cap = add("plane", "cap", (0.1, 0.1, 0.6), location=(0, 1.0, 0.1), size=0.6)
cap.parent = walker
for frame, green in ((1, 0.1), (4, 0.7)):
    cap.active_material.diffuse_color[1] = green
    cap.active_material.keyframe_insert("diffuse_color", frame=frame)
sash = add("plane", "sash", (0.8, 0.8, 0.8), location=(0, 0, 0.2), size=0.9)
sash.parent = walker
tree, output = nodes_of(sash.active_material)
shader, painted = tree.nodes.new("ShaderNodeBsdfDiffuse"), tree.nodes.new("ShaderNodeAttribute")
painted.attribute_name = "painted"
tree.links.new(painted.outputs["Color"], shader.inputs["Color"])
tree.links.new(shader.outputs[0], output.inputs["Surface"])
colors = sash.data.color_attributes.new("painted", "FLOAT_COLOR", "POINT")
for corner, color in zip(colors.data, ((1, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1), (1, 1, 1, 1))):
    corner.color = color
wall = add("plane", "wall", (0.5, 0.7, 0.5), location=(1.5, {WALL}, 0), rotation=(math.pi / 2, 0, 0), size=9)
runner = add("plane", "runner", (0.9, 0.8, 0.1), location=(0, 1, -1.6), rotation=(math.pi / 2, 0, 0), size=0.8)
keyed(runner, 0.0, 3 * {WALK})
if CAMERA_PANS:
    keyed(camera, 0.0, 3 * {PAN})
if CLOTH:
    flag = add("grid", "flag", (0.2, 0.2, 0.9), x_subdivisions=6, y_subdivisions=6, location=(2.0, 1.0, 1.2), size=1.5)
    flag.vertex_groups.new(name="pinned").add(list(range(7)), 1.0, "REPLACE")
    flag.modifiers.new("cloth", "CLOTH").settings.vertex_group_mass = "pinned"
"""

COMMON = """
frames: {first: 1, last: 4}
resolution: [96, 64]
lines: {engine: geometry}
quality: {max_warp_error: 0.05, max_edge_error: 0.05}
style: {color: attribute}
motion: {gaps: [1, 2], tracks: 20, extras: [ids, exact_occlusion, depth]}
layers: {groups: {hero: {objects: [walker]}}}
"""
TWOS = "timing: {layers: {hero: {on: 2}}}\n"

CUTS = {
    "still": ("still", TWOS),
    "pan": ("pan", TWOS),
    "screen": ("pan", "timing: {layers: {hero: {on: 2, hold: screen}}}\n"),
    "sheet": ("pan", "timing: {sheet: sheet.csv, cells: drawings}\n"),
    "ones": ("pan", "timing: {layers: {hero: {on: 1}, set: {on: 1}}}\n"),
    "plain": ("pan", ""),
    "cloth": ("cloth", TWOS),
    "written": ("pan", TWOS),
}


def write_cuts(folder: Path) -> Path:
    for name, pans, has_cloth in (("still", False, False), ("pan", True, False), ("cloth", True, True)):
        save_blend(folder / f"{name}.blend", f"CAMERA_PANS, CLOTH = {pans}, {has_cloth}\n{FILM}")
    (folder / "sheet.csv").write_text("frame,hero,set\n1,1,1\n2,,\n3,2,\n4,1,\n")
    configs = folder / "configs"
    configs.mkdir()
    for name, (film, text) in CUTS.items():
        text = text.replace("sheet.csv", str(folder / "sheet.csv"))
        common = COMMON.replace("layers: {groups", "layers: {write: true, groups") if name == "written" else COMMON
        (configs / f"{name}.yaml").write_text(f"name: {name}\nsource: {folder / film}.blend\n{common}{text}")
    return configs


@pytest.fixture(scope="module")
def timed(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Dataset:
    def make(folder: Path) -> None:
        run_kept("generate", write_cuts(folder), "--out", folder / "out")

    return Dataset(made_once("timed", make) / "out")


def pixels_of(clip: ClipFiles, frame: int, name: str) -> np.ndarray:
    table = clip.read_names("object_id")
    number = next(int(number) for number, named in table.items() if named == name)
    return np.asarray(clip.read("object_id", frame) == number)


def assert_moves(clip: ClipFiles, frame: int, name: str, x: float) -> None:
    """All pixels of a thing move so many pixels to the right, and are known to."""
    here = pixels_of(clip, frame, name)
    assert here.sum() > 20
    assert clip.read("valid_forward", frame)[here].all()
    np.testing.assert_allclose(clip.read("flow_forward", frame)[here], [[x, 0.0]] * here.sum(), atol=2e-4)


def test_under_a_still_camera_what_is_held_stands_still(timed: Dataset) -> None:
    clip = timed.clip("still")
    step = PIXELS_A_UNIT / AWAY
    for frame, walks in ((1, False), (2, True), (3, False)):
        held = pixels_of(clip, frame, "walker")
        assert held.sum() > 100
        if not walks:
            assert (clip.read("flow_forward", frame)[held] == 0.0).all()
            assert np.array_equal(held, pixels_of(clip, frame + 1, "walker"))
            colors = clip.read("flat", frame)[held], clip.read("flat", frame + 1)[held]
            assert np.array_equal(*colors)
        assert_moves(clip, frame, "walker", 2 * WALK * step if walks else 0.0)
        assert_moves(clip, frame, "wall", 0.0)
        # what is not named is on ones
        assert_moves(clip, frame, "runner", WALK * PIXELS_A_UNIT / (AWAY + 1))
    covered = clip.read("exact_occlusion_forward", 1)
    assert not covered[pixels_of(clip, 1, "walker")].any()
    over_two = clip.read("flow_forward_gap2", 1)[pixels_of(clip, 1, "walker")]
    np.testing.assert_allclose(over_two[:, 0], 2 * WALK * step, atol=2e-4)


def test_colours_are_those_of_the_film_frame_that_is_shown(timed: Dataset) -> None:
    clip = timed.clip("still")
    materials = {name: int(number) for number, name in clip.read_names("material_id").items()}
    table = clip.read_colors()
    assert table.colors[materials["cap"]] == CHANGING
    assert table.colors[materials["wall"]] not in {CHANGING, IMAGE}
    for name, least in (("cap", 1), ("sash", 20)):
        found = []
        for frame in (1, 2, 3, 4):
            here = pixels_of(clip, frame, name)
            assert here.sum() > 10
            found.append(clip.read("flat", frame)[here])
        assert np.array_equal(found[0], found[1])
        assert np.array_equal(found[2], found[3])
        assert not np.array_equal(found[1][:10], found[2][:10])
        assert len(np.unique(found[0], axis=0)) >= least


def test_under_a_pan_what_is_held_moves_as_far_away_as_it_is(timed: Dataset) -> None:
    clip = timed.clip("pan")
    for frame in (1, 2, 3):
        walked = 2 * WALK if frame == 2 else 0.0
        assert_moves(clip, frame, "walker", (walked - PAN) * PIXELS_A_UNIT / AWAY)
        assert_moves(clip, frame, "wall", -PAN * PIXELS_A_UNIT / (AWAY + WALL))
        assert_moves(clip, frame, "runner", (WALK - PAN) * PIXELS_A_UNIT / (AWAY + 1))
        assert (clip.read("flat", frame)[pixels_of(clip, frame, "walker")] == (231, 89, 63)).all()
    tracks = clip.read_tracks()
    ids = {name: int(number) for number, name in clip.read_names("object_id").items()}
    on_walker = tracks.object_id == ids["walker"]
    assert on_walker.any()
    steps = np.diff(tracks.position[:, on_walker, 0], axis=0)
    expected = (np.array([0.0, 2 * WALK, 0.0]) - PAN) * PIXELS_A_UNIT / AWAY
    np.testing.assert_allclose(steps, np.repeat(expected[:, None], on_walker.sum(), axis=1), atol=2e-4)


def test_what_is_held_on_the_screen_moves_with_the_camera(timed: Dataset) -> None:
    clip = timed.clip("screen")
    for frame in (1, 3):
        assert_moves(clip, frame, "walker", 0.0)
        assert np.array_equal(pixels_of(clip, frame, "walker"), pixels_of(clip, frame + 1, "walker"))
        assert (clip.read("flat", frame + 1)[pixels_of(clip, frame + 1, "walker")] == (231, 89, 63)).all()
    # the new drawing shows the film as it is
    assert_moves(clip, 2, "walker", (2 * WALK - 2 * PAN) * PIXELS_A_UNIT / AWAY)
    assert_moves(clip, 1, "wall", -PAN * PIXELS_A_UNIT / (AWAY + WALL))


def test_an_exposure_sheet_may_go_back(timed: Dataset) -> None:
    """Drawings 1, 1, 2, 1 are frames 1, 1, 3 and 1 of the film; and the whole set is held."""
    clip = timed.clip("sheet")
    for frame, walked in ((1, 0.0), (2, 2 * WALK), (3, -2 * WALK)):
        assert_moves(clip, frame, "walker", (walked - PAN) * PIXELS_A_UNIT / AWAY)
        assert_moves(clip, frame, "runner", -PAN * PIXELS_A_UNIT / (AWAY + 1))


def test_simulations_are_played_while_other_layers_are_held(timed: Dataset) -> None:
    cloth, pan = timed.clip("cloth"), timed.clip("pan")
    for frame in (1, 2, 3):
        walked = 2 * WALK if frame == 2 else 0.0
        assert_moves(cloth, frame, "walker", (walked - PAN) * PIXELS_A_UNIT / AWAY)
        flag = pixels_of(cloth, frame, "flag")
        assert flag.sum() > 20
        # it falls
        assert (cloth.read("flow_forward", frame)[flag, 1] > 0.0).mean() > 0.5
        walker = pixels_of(pan, frame, "walker") & pixels_of(cloth, frame, "walker")
        assert np.array_equal(cloth.read("flat", frame)[walker], pan.read("flat", frame)[walker])


def test_the_gate_passes_and_says_what_is_held(timed: Dataset) -> None:
    for name in CUTS:
        quality = read_json(timed.root / "quality" / f"{name}.json")
        assert quality["failures"] == [], name
        assert ("timing" in quality) == (name != "plain")
    shares = read_json(timed.root / "quality" / "still.json")["timing"]
    assert shares["hero"]["pairs"] == pytest.approx(2 / 3, abs=1e-8)
    assert 0.6 < shares["hero"]["pixels"] < 0.72
    assert shares["set"] == {"pairs": 0.0, "pixels": 0.0}
    assert read_json(timed.root / "quality" / "ones.json")["timing"] == {}


def test_the_quality_file_has_the_exposure_sheet(timed: Dataset) -> None:
    quality = read_json(timed.root / "quality" / "still.json")
    frames = timed.clip("still").frame_numbers
    assert [row["frame"] for row in quality["exposures"]] == list(frames)
    shown = [row["layers"] for row in quality["exposures"]]
    assert [layers["set"]["film_frame"] for layers in shown] == list(frames)
    hero = [layers["hero"]["film_frame"] for layers in shown]
    held = [one == other for one, other in pairwise(hero)]
    assert sum(held) / len(held) == pytest.approx(quality["timing"]["hero"]["pairs"], abs=1e-8)
    assert read_json(timed.root / "quality" / "ones.json")["exposures"] == []


def test_layers_that_are_written_are_those_that_are_shown(timed: Dataset) -> None:
    """What ``verify`` looks at: put together, the cels are the frame; a held one is the same drawing."""
    run_kept("verify", timed.root)
    clip = timed.clip("written")
    for frame in (1, 2, 3):
        flow = clip.read("flow_forward@hero", frame)[clip.read("cel@hero", frame)[..., 3] > 0]
        expected = ((2 * WALK if frame == 2 else 0.0) - PAN) * PIXELS_A_UNIT / AWAY
        # cap and sash stand a little nearer
        assert np.abs(flow[:, 0] - expected).max() < 0.05 * max(abs(expected), 1.0)


def files_of(root: Path, cut: str) -> dict[str, Path]:
    folder = root / "train"
    return {
        str(path.relative_to(folder)).replace(cut, "CUT"): path
        for path in folder.rglob("*")
        if path.is_file() and cut in (*path.parts, path.stem)
    }


def assert_same_files(one: dict[str, Path], other: dict[str, Path], least: int) -> None:
    assert one.keys() == other.keys()
    assert len(one) > least
    differing = [name for name in one if not filecmp.cmp(one[name], other[name], shallow=False)]
    # the file of cameras and tracks say nothing of the cut's name
    assert differing == []


def test_everything_on_ones_is_as_without_timing(timed: Dataset) -> None:
    assert_same_files(files_of(timed.root, "ones"), files_of(timed.root, "plain"), 60)


def test_cameras_are_those_of_the_film(timed: Dataset) -> None:
    ours, theirs = timed.clip("pan"), timed.clip("plain")
    for frame in (1, 2, 3, 4):
        assert np.array_equal(ours.camera(frame).matrix_world, theirs.camera(frame).matrix_world)


@pytest.mark.parametrize("name", ["pan", "cloth"])
def test_where_a_process_begins_changes_nothing(timed: Dataset, tmp_path: Path, name: str) -> None:
    configs = write_cuts(tmp_path)
    run_kept("render", configs / f"{name}.yaml", "--out", tmp_path / "out", "--frames", "2:3")
    run_kept("generate", configs / f"{name}.yaml", "--out", tmp_path / "out")
    assert_same_files(files_of(tmp_path / "out", name), files_of(timed.root, name), 60)


def test_a_layer_that_is_not_there_and_a_cross_check(tmp_path: Path) -> None:
    configs = write_cuts(tmp_path)
    config = configs / "pan.yaml"
    refused = run_kept("render", config, "--out", tmp_path / "out", "--cross-check", check=False)
    assert refused.returncode == 1
    assert "run the command without --cross-check" in refused.stdout + refused.stderr
    config.write_text(config.read_text().replace("timing: {layers: {hero", "timing: {layers: {villain"))
    refused = run_kept("render", config, "--out", tmp_path / "out", check=False)
    assert refused.returncode == 2
    assert 'names "villain", which is no layer; the layers are set, hero' in refused.stderr


def test_a_film_with_a_history_is_not_played_backwards(tmp_path: Path) -> None:
    config = write_cuts(tmp_path) / "cloth.yaml"
    config.write_text(config.read_text().replace("{on: 2}", "{frames: [1, 3, 3, 4]}"))
    refused = run_kept("render", config, "--out", tmp_path / "out", check=False)
    assert refused.returncode == 1
    assert "timing shows film frame 3 in frame 2, ahead of it" in refused.stdout + refused.stderr


SHOTS = """
from animerun_gen.blender.camera_jumps import CameraJump
from animerun_gen.blender.timesheet import _shots
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
cameras = []
for name in "ab":
    cameras.append(bpy.data.objects.new(name, bpy.data.cameras.new(name)))
    scene.collection.objects.link(cameras[-1])
scene.camera = cameras[0]
print("still", _shots(scene, (1, 3, 5, 7, 9), ()))
for frame, camera in ((1, 0), (4, 1)):
    scene.timeline_markers.new(str(frame), frame=frame).camera = cameras[camera]
print("marked", _shots(scene, (1, 3, 5, 7, 9), [CameraJump(8, "b")]))
"""


def test_a_shot_begins_with_another_camera_or_another_view() -> None:
    said = run_script(SHOTS).stdout
    assert "still [0]" in said
    assert "marked [0, 2, 4]" in said
