"""Shade of real scenes: Blender's normals, the film's key light, and everything that is made of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import Dataset
from animerun_gen.shade.tone import BASE, HIGHLIGHT, SHADOW
from tests.blender.conftest import needs_installed_blender, render_cuts, run_kept

pytestmark = pytest.mark.blender

Build = Callable[[str, str], Path]
Cut = Callable[..., Path]

SHADED = "style: {shade: {tones: 2, direction: [1, 0.6, -0.5], terminator: 0.0, smallest: 0}}\n"

BALLS = """
for number, x in enumerate((-2.4, 0.0, 2.4)):
    ball = add("uv_sphere", f"ball{number}", (0.8, 0.3, 0.1), location=(x, 0, 0), segments=32, ring_count=16)
    ball.data.polygons.foreach_set("use_smooth", [number != 1] * len(ball.data.polygons))
    if number == 2:
        if hasattr(ball.data, "use_auto_smooth"):
            ball.data.use_auto_smooth = True
        ball.data.normals_split_custom_set([(0, -0.6, 0.8)] * len(ball.data.loops))
scene.camera.data.type = "ORTHO"
scene.camera.data.ortho_scale = 8.0
"""


def object_mask(clip, name: str, frame: int = 1) -> np.ndarray:  # type: ignore[no-untyped-def]
    number = next(int(key) for key, found in clip.read_names("object_id").items() if found == name)
    return np.asarray(clip.read("object_id", frame) == number)


def test_normals_are_those_that_blender_shades_by(build: Build, cut: Cut, tmp_path: Path) -> None:
    """A smooth ball, a faceted one, and one whose artist had all normals point one way."""
    dataset, _ = render_cuts(tmp_path, cut(build("balls", BALLS), SHADED))
    clip = dataset.clip("balls")
    tones = clip.read("shade", 1)
    y, x = np.mgrid[:64, :96]
    toward = -np.array([1.0, 0.6, -0.5])
    toward /= np.linalg.norm(toward)

    def cosine(center: float) -> tuple[np.ndarray, np.ndarray]:
        across, up = (x + 0.5 - 48) * 8.0 / 96 - center, (32 - y - 0.5) * 8.0 / 96
        inside = across**2 + up**2 < 0.9
        depth = -np.sqrt(np.clip(1.0 - across**2 - up**2, 0.0, None))
        return inside, across * toward[0] + depth * toward[1] + up * toward[2]

    inside, lit = cosine(-2.4)
    assert (tones[inside & (lit > 0.06)] == BASE).all()
    assert (tones[inside & (lit < -0.06)] == SHADOW).all()
    # of a facet all points are lit or none, so that it goes farther astray; but not by more than a facet is wide
    inside, lit = cosine(0.0)
    assert (tones[inside & (lit > 0.25)] == BASE).all()
    assert (tones[inside & (lit < -0.25)] == SHADOW).all()
    assert object_mask(clip, "ball2").sum() > 100
    assert np.array([0, -0.6, 0.8]) @ toward > 0
    # where it turns away from the light it stands in the way of that itself
    inside, lit = cosine(2.4)
    assert (tones[inside & (lit > 0.3)] == BASE).all()


LAMPS = """
add("plane", "floor", (0.5, 0.5, 0.5), size=20, location=(0, 0, -1))
add("cube", "box", (0.8, 0.1, 0.05), location=(0, 0, 0), rotation=(0.3, 0.2, 0.5))
def lamp(name, kind, energy, location, rotation=(0, 0, 0)):
    data = bpy.data.lights.new(name, kind)
    data.energy = energy
    made = bpy.data.objects.new(name, data)
    scene.collection.objects.link(made)
    made.location, made.rotation_euler = location, rotation
    return made
"""


@pytest.mark.parametrize(
    ("lamps", "key"),
    [
        ('lamp("weak", "SUN", 1.0, (0, 0, 5)); lamp("strong", "SUN", 3.0, (0, 0, 5), (0.6, 0, 0))', "strong"),
        # a power is spread, a sun's strength is not
        ('lamp("sun", "SUN", 2.0, (0, 0, 5)); lamp("area", "AREA", 50.0, (0, -3, 4), (0.6, 0, 0))', "sun"),
        ('lamp("sun", "SUN", 0.1, (0, 0, 5)); lamp("spot", "SPOT", 2000.0, (0, -3, 4), (0.6, 0, 0))', "spot"),
        # it looks the other way, and a roof is no window
        ('lamp("sun", "SUN", 0.1, (0, 0, 5)); lamp("away", "AREA", 5000.0, (0, -3, 4), (math.pi, 0, 0))', "sun"),
        (
            'add("plane", "roof", (1, 1, 1), size=40, location=(0, 0, 5)); lamp("sun", "SUN", 9.0, (0, 0, 9)); '
            'lamp("inside", "AREA", 10.0, (0, -3, 4), (0.6, 0, 0))',
            "inside",
        ),
        ('lamp("point", "POINT", 5000.0, (0, -3, 4))', None),
    ],
)
def test_the_key_light_is_the_one_that_lights_the_focus(
    build: Build, cut: Cut, tmp_path: Path, lamps: str, key: str | None
) -> None:
    shade = "style: {shade: {tones: 3}}\n"
    config = cut(build("lamps", f"{LAMPS}{textwrap.dedent(lamps)}\n"), shade)
    dataset, said = render_cuts(tmp_path, config)
    assert (f"'{key}'" in said) if key else ("comes from above" in said)
    assert (dataset.clip("lamps").read("shade", 1) == BASE).any()


def test_a_light_that_is_not_there_is_an_error(build: Build, cut: Cut, tmp_path: Path) -> None:
    config = cut(
        build("lamps", f'{LAMPS}lamp("sun", "SUN", 1.0, (0, 0, 5))\n'), "style: {shade: {tones: 2, light: x}}\n"
    )
    answer = run_kept("render", config, "--out", tmp_path / "out", check=False)
    assert answer.returncode != 0
    assert "'sun'" in answer.stdout + answer.stderr


EVERYTHING = """
glow = add("uv_sphere", "bulb", (1, 1, 0.5), radius=0.6, location=(2.2, 0, 1.2))
tree, output = nodes_of(glow.data.materials[0])
emission = tree.nodes.new("ShaderNodeEmission")
emission.inputs["Strength"].default_value = 20.0
tree.links.new(emission.outputs[0], output.inputs[0])
ball = add("uv_sphere", "ball", (0.2, 0.4, 0.8), location=(-1.2, -2, 0), segments=48, ring_count=24)
ball.data.polygons.foreach_set("use_smooth", [True] * len(ball.data.polygons))
ball.keyframe_insert("location", frame=1)
ball.location.x = -0.8
ball.keyframe_insert("location", frame=3)
lamp("sun", "SUN", 3.0, (0, 0, 5), (0.7, 0.5, 0))
"""


def test_pictures_labels_and_passes_of_a_shaded_clip(build: Build, cut: Cut, tmp_path: Path) -> None:
    text = """
        remove: {rules: []}
        style: {shade: {tones: 3, highlight: 0.9, smallest: 12, shadows: {floor: "#102030"}}}
        labels: {segment_by: regions}
        recolor: {passes: 1, keep: [floor]}
    """
    config = cut(build("all", LAMPS + EVERYTHING), text, last=3)
    run_kept("generate", config, "--out", tmp_path / "out")
    clip = Dataset(tmp_path / "out").clip("all")
    for frame in clip.frame_numbers:
        tones, flat, shown = clip.read("shade", frame), clip.read("flat", frame), clip.read("frame", frame)
        paper = clip.read("contour", frame) == 255
        assert set(np.unique(tones)) == {0, SHADOW, BASE, HIGHLIGHT}
        assert ((tones == 0) == (clip.read("object_id", frame) == 0)).all()
        unshaded = (tones == 0) | (tones == BASE)
        assert (shown[paper & unshaded] == flat[paper & unshaded]).all()
        assert (shown[paper & ~unshaded] != flat[paper & ~unshaded]).any(axis=-1).mean() > 0.99
        assert (tones[object_mask(clip, "bulb", frame)] == BASE).all()
        on_floor = object_mask(clip, "floor", frame) & (tones == SHADOW) & paper
        assert on_floor.sum() > 30
        for name in ("frame", "color_1"):
            assert (clip.read(name, frame)[on_floor] == (0x10, 0x20, 0x30)).all()
        traced = clip.read("trace", frame)
        assert (traced[~paper] == clip.read("contour", frame)[~paper][:, None]).all()
        assert (traced[paper] != 255).any()
        segments = clip.read("segment", frame)
        # segments end where the shade does, but for lines and what is too small
        for segment in np.unique(segments):
            own = tones[(segments == segment) & paper]
            if len(own) > 40:
                assert np.bincount(own).max() > 0.8 * len(own)
    still = object_mask(clip, "box", 1) & object_mask(clip, "box", 2)
    assert (clip.read("flow_forward", 1)[object_mask(clip, "box", 1)] == 0).all()
    assert still.any()


@needs_installed_blender
def test_two_blenders_shade_alike(configure: Callable[..., Path], tmp_path: Path) -> None:
    shade = "style: {shade: {tones: 3, direction: [1, 1, -1]}}\n"
    tones = []
    for name, options in (("module", ()), ("installed", ("--blender", "blender"))):
        config = configure("courier", shade, (160, 90))
        run_kept("render", config, "--out", tmp_path / name, "--frames", "1:2", *options)
        clip = Dataset(tmp_path / name).clip("courier")
        tones.append(clip.read("shade", clip.frame_numbers[0]))
    assert (tones[0] == tones[1]).mean() > 0.995
    assert len(np.unique(tones[0])) >= 3
