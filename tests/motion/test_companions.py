"""Depth, ids and normals against what rays meet."""

from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.motion import companions, raster
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    camera,
    cast,
    cube,
    frame,
    orthographic,
    perspective,
    pixel_grid,
    plane,
    rotation,
    translation,
    world_triangles,
)

VIEWS = {
    "perspective": camera(perspective(1.1), translation(0.2, 0.1, 0.3) @ rotation(1, 0.1)),
    "orthographic": camera(orthographic(3.0), rotation(0, 0.1)),
}


@pytest.mark.parametrize("view", VIEWS)
def test_companions_are_those_of_the_surface_that_rays_meet(view: str) -> None:
    things = [
        cube("a", translation(-0.5, 0, -5) @ rotation(1, 0.4) @ rotation(0, 0.3)),
        plane("b", translation(0.9, 0.4, -4) @ rotation(1, -0.6)),
    ]
    geometry = frame(1, VIEWS[view], things)
    seen = raster.draw(geometry)
    instance, triangle, depth = cast(geometry, *pixel_grid())
    surface = instance >= 0
    assert 0.1 < surface.mean() < 0.9

    assert np.allclose(companions.depth_map(seen).ravel(), depth, rtol=1e-6)
    ids = companions.object_id_map(geometry, seen).ravel()
    assert np.array_equal(ids, instance + 1)

    corners, instances, numbers = world_triangles(geometry)
    place = {pair: index for index, pair in enumerate(zip(instances, numbers, strict=True))}
    normals = companions.normal_map(geometry, seen).reshape(-1, 3)
    assert (normals[~surface] == 0).all()
    to_camera = VIEWS[view].world[:3, :3].T
    for pixel in np.flatnonzero(surface)[::7]:
        a, b, c = corners[place[instance[pixel], triangle[pixel]]]
        normal = to_camera @ np.cross(b - a, c - a)
        normal /= np.linalg.norm(normal)
        assert min(np.abs(normals[pixel] - normal).max(), np.abs(normals[pixel] + normal).max()) < 1e-6
    if view == "orthographic":
        assert (normals[surface, 2] > 0).all()


def test_materials_follow_the_slots_of_each_instance() -> None:
    box = cube("box", translation(0, 0, -3) @ rotation(1, 0.6))
    box.triangle_slots = np.arange(12) // 2
    box.slots = (5, 6, 7, 8)
    geometry = frame(1, camera(perspective(1.0)), [box])
    seen = raster.draw(geometry)
    ids = companions.material_id_map(geometry, seen)
    surface = seen.instance >= 0
    # faces 4 and 5 ask for slots that do not exist and get the last one
    expected = np.array([5, 6, 7, 8, 8, 8])[seen.triangle[surface] // 2]
    assert np.array_equal(ids[surface], expected)
    assert (ids[~surface] == companions.BACKGROUND_ID).all()
    assert len(np.unique(expected)) >= 2


def test_a_thing_without_material_says_so() -> None:
    wall = plane("wall", translation(0, 0, -3), 50.0)
    wall.slots = ()
    geometry = frame(1, camera(perspective(1.0)), [wall])
    ids = companions.material_id_map(geometry, raster.draw(geometry))
    assert ids.shape == (HEIGHT, WIDTH)
    assert (ids == companions.NO_MATERIAL_ID).all()
