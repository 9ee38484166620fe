"""Borders of the shade against formulas, and against the tones that pixels have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animerun_gen.dataset.strokes import SHADE, Strokes
from animerun_gen.lines.shade_borders import find_shade_borders
from animerun_gen.lines.strokes import StrokeSettings, find_strokes
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.shade.light import Light
from animerun_gen.shade.tones import Shading, ToneSettings, shade_frame
from tests.lines.test_hole_outlines import pixels_of
from tests.motion.synthetic import cube, plane, project, rotation, translation
from tests.shade import scenes

HALF = 1.5
SIDEWAYS = Light.parallel(np.array([-1.0, -0.6, -0.7]))
NEAR = Light(np.array([3.0, 2.0, -2.0]), np.array([0.0, 0.0, -1.0]))


def borders(
    geometry: FrameGeometry, light: Light, settings: ToneSettings, ink: np.ndarray | None = None
) -> tuple[Strokes, Shading]:
    seen = raster.draw(geometry)
    shading = shade_frame(geometry, seen, light, settings)
    line_art = np.full(seen.depth.shape, 255, np.uint8)
    if ink is not None:
        line_art[ink] = 0
    return find_shade_borders(geometry, seen, light, settings, shading, line_art), shading


def ball() -> FrameGeometry:
    return scenes.frame(scenes.camera(half_width=HALF), [scenes.sphere("ball", translation(0, 0, -5), 120)], [True])


def boxes() -> FrameGeometry:
    """A floor that is seen from above, and a ball and a box over it."""
    things = [
        plane("floor", translation(0, 0, -8) @ rotation(0, -0.5), half=3.0),
        cube("box", translation(0.3, 0.2, -6.5) @ rotation(1, 0.4) @ rotation(0, 0.3) @ np.diag([0.5, 0.5, 0.5, 1])),
        scenes.sphere("ball", translation(-1.2, 0.3, -6.0) @ np.diag([0.6, 0.6, 0.6, 1.0]), 60),
    ]
    return scenes.frame(scenes.camera(), things, [False, False, True])


@pytest.mark.parametrize("light", [SIDEWAYS, NEAR], ids=["parallel", "lamp"])
def test_the_borders_on_a_ball_are_where_the_formulas_say(light: Light) -> None:
    settings = ToneSettings(terminator=0.1, highlight=0.95)
    strokes, _ = borders(ball(), light, settings)
    assert len(strokes) == 2
    scale = 2 * HALF / scenes.WIDTH
    x = (strokes.position[:, 0] + 0.5 - scenes.WIDTH / 2) * scale
    y = -(strokes.position[:, 1] + 0.5 - scenes.HEIGHT / 2) * scale

    def level(x: np.ndarray, y: np.ndarray, is_highlight: bool) -> np.ndarray:
        normal = np.stack([x, y, np.sqrt(np.maximum(1 - x * x - y * y, 0.0))], axis=1)
        to_light = np.tile(-light.direction, (len(x), 1))
        if light.place is not None:
            to_light = light.place - (normal + np.array([0.0, 0.0, -5.0]))
            to_light /= np.linalg.norm(to_light, axis=1, keepdims=True)
        if not is_highlight:
            return (normal * to_light).sum(axis=1) - 0.1
        half = to_light + np.array([0.0, 0.0, 1.0])
        return (normal * half / np.linalg.norm(half, axis=1, keepdims=True)).sum(axis=1) - 0.95

    lengths = []
    for number in range(len(strokes)):
        points = strokes.points(number)
        is_ring = points[0] == points[-1]
        # the highlight is a ring, the terminator ends at the ball's outline
        found = level(x[points], y[points], is_ring)
        slope = np.hypot(
            level(x[points] + 1e-6, y[points], is_ring) - found, level(x[points], y[points] + 1e-6, is_ring) - found
        )
        away = np.abs(found) / (slope / 1e-6) / scale
        # where the border was cleaned, near the ball's outline, it is known to the pixel
        assert np.percentile(away, 95) < 0.02
        assert away.max() < 1.0
        lengths.append(len(points))
    assert min(lengths) > 100


def test_a_cast_shadow_ends_where_the_light_passes_its_edge() -> None:
    """A square over a floor, and light that falls at an angle: its shadow is the square, moved."""
    floor = plane("floor", translation(0, 0, -9), half=6.0)
    square = plane("square", translation(0.9, 0, -6), half=1.0)
    geometry = scenes.frame(scenes.camera(half_width=4.0), [floor, square], [False, False])
    light = Light.parallel(np.array([-1.0, 0.0, -1.0]))
    strokes, _ = borders(geometry, light, ToneSettings())
    scale = scenes.WIDTH / 8.0
    x = (strokes.position[:, 0] + 0.5 - scenes.WIDTH / 2) / scale
    y = -(strokes.position[:, 1] + 0.5 - scenes.HEIGHT / 2) / scale
    assert set(strokes.object_id) == {1}
    left = 0.9 - 1.0 - 3.0
    side = np.flatnonzero((np.abs(y) < 0.9) & (x < left + 0.5))
    assert len(side) > 40
    np.testing.assert_allclose(x[side] * scale, left * scale, atol=0.5 / 17 + 1e-6)
    level = np.flatnonzero((np.abs(np.abs(y) - 1.0) < 0.2) & (x > left + 0.2) & (x < left + 1.8))
    assert len(level) > 60
    np.testing.assert_allclose(np.abs(y[level]) * scale, scale, atol=0.5 / 17 + 1e-6)


def test_points_have_a_place_on_a_triangle_and_are_never_found_again() -> None:
    geometry = boxes()
    strokes, _ = borders(geometry, SIDEWAYS, ToneSettings())
    assert (strokes.kind == SHADE).all()
    assert not strokes.hidden.any()
    assert len(strokes.matches(strokes)) == 0
    assert (strokes.identity == 0).all()
    assert strokes.within().all()
    assert strokes.corners is not None
    assert strokes.shares is not None
    start = geometry.vertex_start[geometry.mesh[strokes.instance]][:, None]
    local = (strokes.shares[..., None] * geometry.vertices[start + strokes.corners]).sum(axis=1)
    matrices = geometry.matrices[strokes.instance]
    world = np.einsum("nij,nj->ni", matrices[:, :3, :3], local) + matrices[:, :3, 3]
    np.testing.assert_allclose(project(geometry.camera, world), strokes.position, atol=1e-6)
    np.testing.assert_allclose(-world[:, 2], strokes.depth, rtol=1e-9)


def test_strokes_and_tones_cover_each_other() -> None:
    geometry = boxes()
    strokes, shading = borders(geometry, Light.parallel(np.array([-0.5, -0.3, -1.0])), ToneSettings())
    seen = raster.draw(geometry)
    beside = np.zeros(seen.depth.shape, bool)
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        meets = (seen.instance[here] == seen.instance[there]) & (shading.tones[here] != shading.tones[there])
        beside[here] |= meets
        beside[there] |= meets
    drawn = pixels_of(strokes, np.ones(len(strokes), bool), beside.shape)
    assert drawn.sum() > 150
    # each pixel of a stroke is beside a border, and each border has a stroke at one of its two pixels at least
    assert beside[drawn].mean() > 0.99
    grown = np.zeros_like(drawn)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            grown |= np.roll(drawn, (down, right), axis=(0, 1))
    assert grown[beside].all()


def test_a_border_on_the_edge_of_a_box_lies_on_it_unless_it_is_inked() -> None:
    box = cube("box", translation(0, 0, -6) @ rotation(1, 0.6) @ rotation(0, 0.4))
    geometry = scenes.frame(scenes.camera(), [box], [False])
    light = Light.parallel(np.array([1.0, 0.0, -0.2]))
    strokes, _ = borders(geometry, light, ToneSettings())
    edges = find_strokes(geometry, StrokeSettings())
    creases = edges.position[edges.segments((edges.kind == 2) & ~edges.hidden)]
    apart = np.full(len(strokes.position), np.inf)
    for first, last in creases:
        along = (strokes.position - first) @ (last - first) / ((last - first) ** 2).sum()
        nearest = first + np.clip(along, 0, 1)[:, None] * (last - first)
        apart = np.minimum(apart, np.hypot(*(strokes.position - nearest).T))
    # but for the corners, which cleaning rounds
    assert len(apart) > 40
    assert np.percentile(apart, 90) < 1e-6
    inked, _ = borders(geometry, light, ToneSettings(), ink=np.ones((scenes.HEIGHT, scenes.WIDTH), bool))
    assert len(inked) == 0


def test_three_tones_that_meet_are_joined_in_one_point() -> None:
    # a shadow falls over a highlight
    bar = plane("bar", translation(-0.3, 0.0, -2.0) @ np.diag([0.15, 3.0, 1.0, 1.0]))
    light = Light.parallel(np.array([0.25, 0.0, -1.0]))
    things = [scenes.sphere("ball", translation(0, 0, -5), 90), bar]
    geometry = scenes.frame(scenes.camera(half_width=HALF), things, [True, False])
    strokes, shading = borders(geometry, light, ToneSettings(highlight=0.9))
    assert set(np.unique(shading.tones)) == {0, 1, 2, 3}
    ends = np.concatenate([strokes.points(k)[[0, -1]] for k in range(len(strokes))])
    _, counts = np.unique(ends, return_counts=True)
    assert (counts == 3).sum() >= 2


def test_no_shade_no_borders() -> None:
    geometry = ball()
    flat, _ = borders(geometry, Light.parallel(np.array([0.0, 0.0, -1.0])), ToneSettings(terminator=-2.0))
    assert len(flat) == 0
    assert flat.position.shape == (0, 2)
    lines = find_strokes(geometry, StrokeSettings())
    joined = Strokes.joined([lines, flat])
    assert len(joined) == len(lines)
    assert joined.position.tolist() == lines.position.tolist()
    with pytest.raises(ValueError, match="no normals"):
        borders(replace(geometry, normals=None), SIDEWAYS, ToneSettings())
