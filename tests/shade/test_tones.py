"""The shade map against formulas, against rays, and in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from animerun_gen.motion import raster
from animerun_gen.motion.geometry import Camera, FrameGeometry
from animerun_gen.motion.raster import VisibilityBuffer
from animerun_gen.shade.light import Light, cameras_of
from animerun_gen.shade.tone import BASE, FORM, HIGHLIGHT, SHADOW, UNSHADED
from animerun_gen.shade.tones import ToneSettings, shade_map
from tests.motion.synthetic import cube, plane, rotation, translation
from tests.shade import scenes

RAW = ToneSettings(smallest=0)
SLANTED = Light.parallel(np.array([1.0, -1.2, -0.6]))


def ball_on_floor(light_rows: int = 24) -> FrameGeometry:
    """A ball over a floor and a box on it, seen from above the horizon."""
    world = translation(0.0, 1.5, 0.0) @ rotation(0, -0.2)
    things = [
        scenes.sphere("ball", translation(0.0, 0.0, -6.0), light_rows),
        plane("floor", translation(0.0, -1.2, -6.0) @ rotation(0, -np.pi / 2), 5.0),
        cube("box", translation(1.6, -0.7, -6.0) @ rotation(1, 0.5) @ np.diag([0.5, 0.5, 0.5, 1.0])),
    ]
    return scenes.frame(scenes.camera(world), things, [True, False, False])


def pixel_rays(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Where the ray through each pixel begins and in which direction it goes, in the world."""
    y, x = np.mgrid[: camera.height, : camera.width]
    across = ((x + 0.5) / (0.5 * camera.width) - 1.0 + camera.projection[0, 2]) / camera.projection[0, 0]
    up = (1.0 - (y + 0.5) / (0.5 * camera.height) + camera.projection[1, 2]) / camera.projection[1, 1]
    ones = np.ones_like(across)
    if camera.is_orthographic:
        starts = np.stack([across, up, 0.0 * ones, ones], -1) @ camera.world.T
        return starts[..., :3], np.broadcast_to(-camera.world[:3, 2], starts[..., :3].shape)
    return np.broadcast_to(camera.world[:3, 3], (*x.shape, 3)), np.stack([across, up, -ones], -1) @ camera.world[
        :3, :3
    ].T


def is_cut(starts: np.ndarray, directions: np.ndarray, triangle: np.ndarray) -> np.ndarray:
    """Which rays, ``(n, 3)`` each, a triangle cuts in front of where they begin (Moeller and Trumbore)."""
    p, q, r = triangle
    across = np.cross(directions, r - p)
    determinant = across @ (q - p)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = starts - p
        u = (apart * across).sum(-1) / determinant
        other = np.cross(apart, q - p)
        v = (directions * other).sum(-1) / determinant
        t = other @ (r - p) / determinant
        return (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 1e-6)


def slow_shadow(geometry: FrameGeometry, seen: VisibilityBuffer, light: Light) -> np.ndarray:
    """Where a ray from the surface towards the light is cut, or the flat face turns away; only for flat meshes."""
    starts, directions = pixel_rays(geometry.camera)
    along = directions @ -geometry.camera.world[:3, 2]
    points = starts + directions * (seen.depth / along)[..., None]
    surface = seen.instance >= 0
    points = np.where(surface[..., None], points, 0.0)
    toward = np.broadcast_to(-light.direction, points.shape) if light.place is None else light.place - points
    toward = toward / np.linalg.norm(toward, axis=-1, keepdims=True)
    dark = np.zeros(surface.shape, bool)
    triangles = []
    for i in range(len(geometry.mesh)):
        vertices = (
            geometry.mesh_vertices(i).astype(float) @ geometry.matrices[i, :3, :3].T + geometry.matrices[i, :3, 3]
        )
        triangles += list(vertices[geometry.mesh_triangles(i)])
        own = seen.instance == i
        p, q, r = np.moveaxis(vertices[geometry.mesh_triangles(i)][seen.triangle[own]], 1, 0)
        normal = np.cross(q - p, r - p)
        normal *= np.sign((normal * -directions[own]).sum(-1, keepdims=True))
        dark[own] = (normal * toward[own]).sum(-1) < 0.0
    for triangle in triangles:
        # from a little off the surface, as that is what the shade promises
        dark |= is_cut(points + 0.02 * toward, toward, triangle)
    return dark & surface


def test_a_smooth_ball_is_dark_where_its_normal_turns_away() -> None:
    camera = scenes.camera(half_width=1.5)
    geometry = scenes.frame(camera, [scenes.sphere("ball", translation(0.0, 0.0, -5.0), 48)], [True])
    seen = raster.draw(geometry)
    for terminator in (0.0, 0.1, 0.4):
        tones = shade_map(geometry, seen, SLANTED, ToneSettings(terminator=terminator, smallest=0))
        starts, _ = pixel_rays(camera)
        x, y = starts[..., 0], starts[..., 1]
        on_ball = x**2 + y**2 < 0.95
        normal = np.stack([x, y, np.sqrt(np.clip(1.0 - x**2 - y**2, 0.0, None))], -1)
        cosine = normal @ -SLANTED.direction - terminator
        assert (tones[on_ball & (cosine > 0.02)] == BASE).all()
        assert (tones[on_ball & (cosine < -0.02)] == SHADOW).all()
        assert (on_ball & (np.abs(cosine) > 0.02)).sum() > 0.9 * on_ball.sum()


@pytest.mark.parametrize("rows", [6, 12, 24])
def test_facets_do_not_show_at_the_terminator(rows: int) -> None:
    camera = scenes.camera(half_width=1.5)
    geometry = scenes.frame(camera, [scenes.sphere("ball", translation(0.0, 0.0, -5.0), rows)], [True])
    seen = raster.draw(geometry)
    with_shadows = shade_map(geometry, seen, SLANTED, RAW)
    without = shade_map(geometry, seen, SLANTED, RAW, casts=np.zeros(1, bool))
    assert (with_shadows != without).sum() <= 0.002 * (without > 0).sum()


def test_a_highlight_is_where_the_half_way_vector_is() -> None:
    camera = scenes.camera(half_width=1.5)
    geometry = scenes.frame(camera, [scenes.sphere("ball", translation(0.0, 0.0, -5.0), 48)], [True])
    tones = shade_map(geometry, raster.draw(geometry), SLANTED, ToneSettings(highlight=0.97, smallest=0))
    half = np.array([0.0, 0.0, 1.0]) - SLANTED.direction
    half /= np.linalg.norm(half)
    starts, _ = pixel_rays(camera)
    middle = starts[tones == HIGHLIGHT][:, :2].mean(axis=0)
    assert np.allclose(middle, half[:2], atol=0.02)
    # a cap of the ball, seen at an angle
    assert np.isclose((tones == HIGHLIGHT).sum() * (3.0 / scenes.WIDTH) ** 2, np.pi * (1 - 0.97**2) * half[2], rtol=0.1)


def test_flat_faces_have_no_highlight() -> None:
    geometry = scenes.frame(scenes.camera(), [plane("floor", translation(0.0, 0.0, -3.0))], [False])
    light = Light.parallel(np.array([0.0, 0.0, -1.0]))
    tones = shade_map(geometry, raster.draw(geometry), light, ToneSettings(highlight=0.5, smallest=0))
    assert set(np.unique(tones)) == {0, BASE}


@pytest.mark.parametrize(
    "light",
    [
        SLANTED,
        Light(np.array([-2.0, 2.5, -4.0]), np.array([0.0, -1.0, 0.0])),
        # amid what is seen, so that one camera cannot look at all of it
        Light(np.array([-0.5, 1.6, -6.0]), np.array([0.0, -1.0, 0.0])),
    ],
    ids=["sun", "lamp", "lamp in the midst"],
)
def test_cast_shadows_are_those_of_rays(light: Light) -> None:
    world = translation(0.0, 1.5, 0.0) @ rotation(0, -0.2)
    things = [
        plane("floor", translation(0.0, -1.2, -6.0) @ rotation(0, -np.pi / 2), 5.0),
        cube("box", translation(1.0, -0.4, -6.0) @ rotation(1, 0.5) @ np.diag([0.5, 0.8, 0.5, 1.0])),
        cube("beam", translation(-1.0, 0.5, -6.0) @ rotation(0, 0.4) @ np.diag([0.1, 1.2, 0.3, 1.0])),
    ]
    geometry = scenes.frame(scenes.camera(world), things, [False] * 3)
    seen = raster.draw(geometry)
    tones = shade_map(geometry, seen, light, ToneSettings(terminator=0.0, smallest=0))
    expected = slow_shadow(geometry, seen, light)
    surface = seen.instance >= 0
    wrong = ((tones == SHADOW) != expected) & surface
    assert 0.05 < expected[surface].mean() < 0.9
    # along borders, where the vote and the step towards the light count
    assert wrong.sum() < 0.01 * surface.sum()
    assert not _within(wrong, 2).any()


def _within(mask: np.ndarray, reach: int) -> np.ndarray:
    """What lies deeper in a mask than so many pixels."""
    size = 2 * reach + 1
    padded = np.pad(mask, reach)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return windows.all(axis=(-1, -2))


def test_a_lamp_far_away_is_a_sun() -> None:
    geometry = ball_on_floor()
    seen = raster.draw(geometry)
    far = Light(-1e5 * SLANTED.direction, SLANTED.direction)
    assert (shade_map(geometry, seen, far, RAW) != shade_map(geometry, seen, SLANTED, RAW)).mean() < 1e-3


def test_nothing_is_lit_outside_the_cone_of_a_spot() -> None:
    geometry = ball_on_floor()
    seen = raster.draw(geometry)
    place, axis = np.array([-2.0, 4.0, -4.0]), np.array([2.0, -4.0, -2.0])
    axis /= np.linalg.norm(axis)
    wide, narrow = Light(place, axis), Light(place, axis, 0.95)
    starts, directions = pixel_rays(geometry.camera)
    along = directions @ -geometry.camera.world[:3, 2]
    points = starts + directions * (np.where(seen.instance >= 0, seen.depth, 1.0) / along)[..., None]
    toward = points - place
    cosine = (toward @ axis) / np.linalg.norm(toward, axis=-1)
    one, other = (shade_map(geometry, seen, light, RAW) for light in (wide, narrow))
    surface = seen.instance >= 0
    assert (other[surface & (cosine < 0.945)] == SHADOW).all()
    inside = surface & (cosine > 0.955)
    assert (one[inside] == other[inside]).all()


def test_what_becomes_of_surfaces_and_what_casts() -> None:
    geometry = ball_on_floor()
    seen = raster.draw(geometry)
    floor = seen.instance == 1
    full = shade_map(geometry, seen, SLANTED, RAW)
    assert (full[floor] == SHADOW).any()
    form = shade_map(geometry, seen, SLANTED, RAW, treatment=np.where(floor, FORM, 0).astype(np.uint8))
    assert (form[floor] == BASE).all()
    assert (form[~floor] == full[~floor]).all()
    ball = seen.instance == 0
    bare = shade_map(geometry, seen, SLANTED, RAW, treatment=np.where(ball, UNSHADED, 0).astype(np.uint8))
    assert (bare[ball] == BASE).all()
    assert (bare[~ball] == full[~ball]).all()
    no_ball = shade_map(geometry, seen, SLANTED, RAW, casts=np.array([False, True, True]))
    assert (no_ball[floor] == SHADOW).sum() < 0.7 * (full[floor] == SHADOW).sum()


def test_the_side_that_is_seen_is_the_front() -> None:
    """A board that is lit from behind is dark, from whichever side its triangles are wound."""
    for turn in (0.0, np.pi):
        board = plane("board", translation(0.0, 0.0, -3.0) @ rotation(1, turn))
        geometry = scenes.frame(scenes.camera(), [board], [False])
        seen = raster.draw(geometry)
        for z, tone in ((-1.0, BASE), (1.0, SHADOW)):
            tones = shade_map(geometry, seen, Light.parallel(np.array([0.0, 0.1, z])), RAW)
            assert set(np.unique(tones[seen.instance >= 0])) == {tone}


def test_mirrored_and_squashed_meshes_are_shaded_as_they_look() -> None:
    light = SLANTED
    for scale in ((-1.0, 1.0, 1.0), (1.0, 0.4, 1.0), (-0.5, -1.0, -1.3)):
        matrix = translation(0.0, 0.0, -5.0) @ np.diag([*scale, 1.0])
        ball = scenes.sphere("ball", matrix, 48)
        geometry = scenes.frame(scenes.camera(half_width=1.5), [ball], [True])
        tones = shade_map(geometry, raster.draw(geometry), light, RAW, casts=np.zeros(1, bool))
        # the ellipsoid's own normal
        starts, _ = pixel_rays(geometry.camera)
        a, b, c = np.abs(scale)
        x, y = starts[..., 0], starts[..., 1]
        rest = 1.0 - (x / a) ** 2 - (y / b) ** 2
        on_it = rest > 0.1
        normal = np.stack([x / a**2, y / b**2, np.sqrt(np.clip(rest, 0.0, None)) / c], -1)
        cosine = (normal / np.linalg.norm(normal, axis=-1, keepdims=True)) @ -light.direction - RAW.terminator
        assert (tones[on_it & (cosine > 0.03)] == BASE).all()
        assert (tones[on_it & (cosine < -0.03)] == SHADOW).all()


def test_no_pixel_flickers_under_a_slow_light() -> None:
    """A border that wanders over a still picture passes each pixel once."""
    geometry = ball_on_floor(12)
    seen = raster.draw(geometry)
    rows = []
    for step in range(40):
        angle = np.radians(0.5 * step)
        direction = rotation(1, angle)[:3, :3] @ SLANTED.direction
        rows.append(shade_map(geometry, seen, Light.parallel(direction), ToneSettings()))
    tones = np.stack(rows)
    assert (tones[1:] != tones[:-1]).any()
    back = (tones[:-2] == tones[2:]) & (tones[1:-1] != tones[2:])
    assert back[:, seen.instance >= 0].mean() <= 0.001


@pytest.mark.parametrize("light", [SLANTED, Light(np.array([-3.0, 4.0, -3.0]), SLANTED.direction)])
def test_what_moves_elsewhere_changes_no_pixel_of_a_still_surface(light: Light) -> None:
    """Neither the light's own camera nor the order of the triangles may show: both change with what moves."""
    still = ball_on_floor()
    world = still.camera.world

    def frame(place: float) -> FrameGeometry:
        things = [
            scenes.sphere("ball", translation(0.0, 0.0, -6.0), 24),
            plane("floor", translation(0.0, -1.2, -6.0) @ rotation(0, -np.pi / 2), 5.0),
            cube("box", translation(1.6, -0.7, -6.0) @ rotation(1, 0.5) @ np.diag([0.5, 0.5, 0.5, 1.0])),
            cube("mover", translation(place, 1.3, -6.0) @ rotation(1, place) @ np.diag([0.2, 0.2, 0.2, 1.0])),
        ]
        return scenes.frame(scenes.camera(world), things, [True, False, False, False])

    casts = np.array([True, True, True, False])
    frames = [frame(place) for place in (-1.9, -0.4, 1.1, 2.2)]
    seen = [raster.draw(geometry) for geometry in frames]
    tones = [shade_map(geometry, each, light, RAW, casts=casts) for geometry, each in zip(frames, seen, strict=True)]
    near = np.zeros(tones[0].shape, bool)
    for each in seen:
        near |= ndimage.binary_dilation(each.instance == 3, iterations=3)
    assert 0.01 < near.mean() < 0.3
    borders = tones[0][:, 1:] != tones[0][:, :-1]
    assert borders.sum() > 100
    for other in tones[1:]:
        assert (other == tones[0])[~near].all()


def test_every_point_is_looked_at_by_a_camera_that_has_it_in_its_picture() -> None:
    generator = np.random.default_rng(1)
    points = generator.normal(size=(500, 3)) * 4.0
    for light in (Light(np.zeros(3), np.array([0.0, 0.0, -1.0])), Light(np.full(3, 30.0), np.ones(3)), SLANTED):
        found = []
        for camera, among in cameras_of(light, points, 5000):
            x, y, depth, w = (points[among] @ camera.pixel_matrix()[:, :3].T + camera.pixel_matrix()[:, 3]).T
            assert ((x / w > -0.5) & (x / w < camera.width - 0.5)).all()
            assert ((y / w > -0.5) & (y / w < camera.height - 0.5)).all()
            assert (depth > camera.clip_start).all()
            found += among.tolist()
        assert sorted(found) == list(range(500))


def test_geometry_without_normals_is_refused() -> None:
    geometry = ball_on_floor()
    bare = replace(geometry, normals=None)
    with pytest.raises(ValueError, match="normals"):
        shade_map(bare, raster.draw(bare), SLANTED, RAW)
