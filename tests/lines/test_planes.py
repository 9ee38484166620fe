"""What is known of the pixels of a strip, against the triangles themselves."""

from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.lines.contours import lens_of
from animerun_gen.lines.kernels import planes
from animerun_gen.motion import companions, raster
from animerun_gen.motion.islands import IslandFinder
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    camera,
    cube,
    frame,
    orthographic,
    perspective,
    plane,
    rotation,
    translation,
)

PROJECTIONS = {"perspective": perspective(1.2, (0.1, -0.05)), "orthographic": orthographic(3.0)}
TOP = 20


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_a_pixel_knows_its_plane_and_how_far_its_triangle_goes(projection: str) -> None:
    things = [
        cube("cube", translation(-0.4, 0.1, -4) @ rotation(1, 0.5) @ rotation(0, 0.4)),
        plane("plane", translation(0.6, 0.2, -5) @ rotation(1, -0.6)),
    ]
    geometry = frame(1, camera(PROJECTIONS[projection]), things)
    seen, lens, meshes = raster.draw(geometry), lens_of(geometry.camera), raster.meshes(geometry)
    islands = IslandFinder().find(geometry)
    rows = 30
    strip = np.empty((rows + 2 * planes.MARGIN, WIDTH + 2 * planes.MARGIN), planes.PIXEL)
    materials = companions.material_id_map(geometry, seen)
    planes.find_planes(meshes, islands, seen.instance, seen.triangle, seen.depth, materials, lens, TOP, strip)
    looked_at = 0
    for row in range(TOP - planes.MARGIN, TOP + rows + planes.MARGIN):
        for column in range(-planes.MARGIN, WIDTH + planes.MARGIN):
            pixel = strip[row - TOP + planes.MARGIN, column + planes.MARGIN]
            in_picture = 0 <= row < HEIGHT and 0 <= column < WIDTH
            if not in_picture or seen.instance[row, column] == raster.BACKGROUND:
                assert pixel["instance"] == -1
                continue
            _require_right(pixel, geometry, seen, lens, row, column)
            assert pixel["material"] == materials[row, column]
            looked_at += 1
    assert looked_at > 50


def _require_right(pixel, geometry, seen, lens, row, column) -> None:  # type: ignore[no-untyped-def]
    i, t = seen.instance[row, column], seen.triangle[row, column]
    assert (pixel["instance"], pixel["triangle"]) == (i, t)
    mesh = geometry.mesh[i]
    corners = geometry.mesh_vertices(mesh)[geometry.mesh_triangles(mesh)[t]].astype(np.float64)
    projected = np.c_[corners, np.ones(3)] @ geometry.instance_pixel_matrices()[i].T
    places, nearness = projected[:, :2] / projected[:, 3:], 1.0 / projected[:, 2]
    if lens.is_orthographic:
        nearness = -projected[:, 2]
    # nearness is linear over the picture
    along_x, along_y, constant = np.linalg.solve(np.c_[places, np.ones(3)], nearness)
    assert pixel["nearness"] == pytest.approx(along_x * column + along_y * row + constant, rel=1e-9)
    assert pixel["slope_x"] == pytest.approx(along_x * lens.fx, abs=1e-9)
    assert pixel["slope_y"] == pytest.approx(along_y * lens.fy, abs=1e-9)
    (ax, ay), (bx, by) = places[1] - places[0], places[2] - places[0]
    # y grows downwards
    assert pixel["clockwise"] == (ax * by - ay * bx > 0)
    for name, step in (("right", (1, 0)), ("left", (-1, 0)), ("down", (0, 1)), ("up", (0, -1))):
        assert pixel[name] == pytest.approx(
            _reach(places, np.array([column, row], np.float64), np.array(step)), abs=1e-4
        )


def _reach(corners: np.ndarray, place: np.ndarray, step: np.ndarray) -> float:
    """How far a triangle goes from a place within it, 2 at most, by halving."""
    low, high = 0.0, 2.0
    if _inside(corners, place + 2.0 * step):
        return 2.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _inside(corners, place + middle * step) else (low, middle)
    return low


def _inside(corners: np.ndarray, place: np.ndarray) -> bool:
    sides = []
    for k in range(3):
        (ax, ay), (bx, by) = corners[(k + 1) % 3] - corners[k], place - corners[k]
        sides.append(ax * by - ay * bx)
    return bool(min(sides) >= 0 or max(sides) <= 0)
