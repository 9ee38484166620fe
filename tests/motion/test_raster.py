"""The visibility buffer against a ray caster."""

from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.motion import raster
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    Thing,
    camera,
    cast,
    cube,
    frame,
    orthographic,
    perspective,
    pixel_grid,
    plane,
    rotation,
    soup,
    translation,
)

PROJECTIONS = {
    "perspective": perspective(1.2),
    "shifted": perspective(0.9, (0.3, -0.4)),
    "orthographic": orthographic(3.0, (0.1, 0.2)),
}


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("seed", range(6))
def test_buffer_is_what_rays_hit(projection: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    world = translation(*generator.uniform(-0.5, 0.5, 3)) @ rotation(seed % 3, generator.uniform(-0.4, 0.4))
    things = [soup(generator, 30), cube("cube", translation(0.3, 0.2, -5) @ rotation(1, 0.7))]
    geometry = frame(1, camera(PROJECTIONS[projection], world), things)
    seen = raster.draw(geometry)
    instance, triangle, depth = cast(geometry, *pixel_grid())
    assert (instance >= 0).mean() > 0.3
    assert np.array_equal(seen.instance.ravel(), instance)
    assert np.array_equal(seen.triangle.ravel(), triangle)
    assert np.allclose(seen.depth.ravel(), depth, rtol=1e-9)


def test_neighbouring_triangles_leave_no_crack_where_edges_meet_pixel_centres() -> None:
    # an orthographic camera under which the edges of a grid run exactly through pixel centres
    half = WIDTH / 2
    corners = np.array([[x - half + 0.5, half - 0.5 - y, 0.0] for y in range(41) for x in range(41)])
    triangles = []
    for y in range(40):
        for x in range(40):
            a = 41 * y + x
            triangles += [(a, a + 1, a + 42), (a, a + 42, a + 41)]
    grid = Thing("grid", corners, np.array(triangles), translation(0, -8, -5))
    seen = raster.draw(frame(1, camera(orthographic(half)), [grid]))
    assert (seen.instance[:, :40] == 0).all(axis=1).sum() >= HEIGHT - 9


def test_turned_closed_surface_has_no_crack() -> None:
    for angle in np.linspace(0.0, 3.0, 25):
        thing = cube("cube", translation(0, 0, -2.2) @ rotation(2, angle) @ rotation(0, 2 * angle))
        seen = raster.draw(frame(1, camera(perspective(1.0)), [thing]))
        covered = seen.instance == 0
        for line in [*covered, *covered.T]:
            inside = np.flatnonzero(line)
            assert len(inside) == 0 or line[inside[0] : inside[-1] + 1].all()


def test_clipping_range_is_respected() -> None:
    near = plane("too near", translation(0, 0, -0.05))
    middle = plane("seen", translation(0, 0, -50), 100.0)
    far = plane("too far", translation(0, 0, -150), 500.0)
    seen = raster.draw(frame(1, camera(perspective(1.0)), [near, far, middle]))
    assert (seen.instance == 2).all()
    assert np.allclose(seen.depth, 50.0)


def test_coordinates_that_are_no_numbers_draw_nothing() -> None:
    broken = plane("broken", translation(0, 0, -5))
    broken.vertices[1] = np.nan
    broken.vertices[2] = np.inf
    seen = raster.draw(frame(1, camera(perspective(1.0)), [broken]))
    assert (seen.instance == raster.BACKGROUND).all()
    assert np.isinf(seen.depth).all()


def test_an_empty_frame_is_background() -> None:
    seen = raster.draw(frame(1, camera(perspective(1.0)), []))
    assert (seen.instance == raster.BACKGROUND).all()


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_hidden_points_are_those_whose_ray_meets_something_else_first(projection: str) -> None:
    generator = np.random.default_rng(7)
    geometry = frame(1, camera(PROJECTIONS[projection]), [soup(generator, 40), cube("cube", translation(0, 0, -4))])
    x = generator.uniform(-3.0, WIDTH + 2.0, 600)
    y = generator.uniform(-3.0, HEIGHT + 2.0, 600)
    instance, triangle, depth = cast(geometry, x, y)
    # every third point is put behind what is seen there, in empty space
    behind = (np.arange(600) % 3 == 0) & (instance >= 0)
    depth = np.where(behind, depth * 1.01, depth)
    triangle = np.where(behind, -2, triangle)
    hidden = raster.hidden_points(geometry, x, y, depth, instance.astype(np.int32), triangle.astype(np.int32))
    outside = (x < -0.5) | (x >= WIDTH - 0.5) | (y < -0.5) | (y >= HEIGHT - 0.5)
    assert np.array_equal(hidden, behind | outside | (behind & (depth > 100.0)))
    assert behind.sum() > 50
    assert outside.sum() > 50
