"""What Freestyle would make lines of, and how often that crosses itself, against slow counts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.lines.crossings import count_crossings, count_grid_visits
from animerun_gen.lines.feature_edges import FeatureEdges, find_feature_edges, seen_edges
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import FrameGeometry
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    Thing,
    camera,
    frame,
    masks,
    orthographic,
    perspective,
    plane,
    rotation,
    soup,
    translation,
)

CREASE = 134.43

CUBE = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
CUBE_FACES = np.array(
    [
        *((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5)),
        *((0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6)),
        *((0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)),
    ]
)


def edges_of(*ends: tuple[float, float, float, float], hides: bool = True) -> FeatureEdges:
    """Edges that share no vertex."""
    count = len(ends)
    return FeatureEdges(
        np.array(ends, np.float64).reshape(-1, 4),
        np.arange(2 * count).reshape(-1, 2),
        np.full(count, hides),
        np.ones((count, 2)),
    )


def slow_crossings(edges: FeatureEdges) -> int:
    """Every pair, in exact arithmetic."""

    def side(a: list[Fraction], b: list[Fraction], c: list[Fraction]) -> int:
        turn = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        return (turn > 0) - (turn < 0)

    exact = [[Fraction(value) for value in end] for end in edges.ends]
    count = 0
    for i, one in enumerate(exact):
        for j in range(i):
            other = exact[j]
            a, b, c, d = one[:2], one[2:], other[:2], other[2:]
            crosses = side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
            shares = bool(set(edges.points[i]) & set(edges.points[j]))
            count += crosses and not shares and bool(edges.hides[i] or edges.hides[j])
    return count


@settings(max_examples=40)
@given(st.integers(0, 60), st.sampled_from([(96, 64), (64, 96), (300, 20)]), st.integers(0, 2**32 - 1))
def test_crossings_are_those_of_a_slow_count(count: int, size: tuple[int, int], seed: int) -> None:
    chance = np.random.default_rng(seed)
    ends = chance.uniform(-0.5, [size[0] - 0.5, size[1] - 0.5] * 2, (count, 4))
    short = chance.random(count) < 0.5
    ends[short, 2:] = np.clip(ends[short, :2] + chance.normal(0, 3, (short.sum(), 2)), -0.5, np.array(size) - 0.5)
    edges = FeatureEdges(
        ends, chance.integers(0, 2 * count + 1, (count, 2)), chance.random(count) < 0.6, np.ones((count, 2))
    )
    assert count_crossings(edges, *size) == slow_crossings(edges)


def test_a_lattice_crosses_everywhere_once() -> None:
    columns = [(3.3 * n, 1.0, 3.3 * n + 0.01, 60.0) for n in range(25)]
    rows = [(1.0, 2.7 * n + 2, 90.0, 2.7 * n + 2.01) for n in range(20)]
    # the column at 0 is beside the rows
    assert count_crossings(edges_of(*columns, *rows), 96, 64) == 24 * 20
    # edges that hide nothing cut nothing
    assert count_crossings(edges_of(*columns, *rows, hides=False), 96, 64) == 0
    assert count_crossings(edges_of(), 96, 64) == 0


def test_a_sample_tells_about_as_much_as_all_and_always_the_same() -> None:
    chance = np.random.default_rng(5)
    start = chance.uniform(0, [960, 540], (8000, 2))
    ends = np.clip(np.hstack([start, start + chance.normal(0, 25, (8000, 2))]), 0, [959, 539] * 2)
    edges = edges_of(*map(tuple, ends))
    every, some = count_crossings(edges, 960, 540), count_crossings(edges, 960, 540, counted=2000)
    assert some != every
    assert some == pytest.approx(every, rel=0.1)
    assert some == count_crossings(edges, 960, 540, counted=2000)


def cube(matrix: np.ndarray, **changes: object) -> Thing:
    return Thing(**{"key": "cube", "vertices": CUBE, "triangles": CUBE_FACES, "matrix": matrix} | changes)  # type: ignore[arg-type]


def seen(*things: Thing, **options: object) -> FrameGeometry:
    return frame(1, camera(perspective(1.5)), things, **options)  # type: ignore[arg-type]


TILTED = translation(0, 0, -8) @ rotation(0, 0.5) @ rotation(1, 0.6)


def test_a_cube_has_its_twelve_edges_of_which_six_are_silhouettes() -> None:
    found = find_feature_edges(seen(cube(TILTED)), CREASE)
    assert len(found) == 12
    assert found.hides.sum() == 6
    # its diagonals are flat, and of its edges only silhouettes are left where nothing is sharp
    assert len(find_feature_edges(seen(cube(TILTED)), 30.0)) == 6
    # each hidden edge crosses nothing: three meet at the corner behind, which the front covers
    assert count_crossings(found, WIDTH, HEIGHT) == slow_crossings(found)


def test_corners_with_copies_of_their_own_are_one() -> None:
    apart = cube(TILTED, vertices=CUBE[CUBE_FACES.ravel()], triangles=np.arange(36).reshape(12, 3))
    found = find_feature_edges(seen(apart), CREASE)
    assert (len(found), found.hides.sum()) == (12, 6)


def test_triangles_without_extent_count_for_nothing() -> None:
    flat = np.concatenate([[(0, 0, 1), (2, 3, 3)], CUBE_FACES, [(4, 5, 4), (7, 7, 7)]])
    found = find_feature_edges(seen(cube(TILTED, triangles=flat)), CREASE)
    assert (len(found), found.hides.sum()) == (12, 6)


def test_open_edges_and_borders_of_materials_are_lines() -> None:
    square = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], np.float64)
    halves = np.array([(0, 1, 2), (0, 2, 3)])
    board = Thing("board", square, halves, translation(0, 0, -6))
    assert len(find_feature_edges(seen(board), CREASE)) == 4
    painted = replace(board, slots=(2, 3), triangle_slots=np.array([0, 1]))
    found = find_feature_edges(seen(painted), CREASE)
    assert (len(found), found.hides.sum()) == (5, 4)
    # a half with holes is not there, so that the other one ends at the diagonal
    uvs = np.zeros((2, 3, 2), np.float32)
    holed = replace(painted, uvs=uvs, slot_masks=(-1, 0))
    found = find_feature_edges(seen(holed, with_holes=masks(np.ones((2, 2), bool))), CREASE)
    assert (len(found), found.hides.sum()) == (3, 3)


def test_only_what_is_in_the_picture_counts() -> None:
    assert len(find_feature_edges(seen(cube(translation(0, 0, 8))), CREASE)) == 0
    assert len(find_feature_edges(seen(cube(translation(40, 0, -8))), CREASE)) == 0
    assert len(find_feature_edges(seen(), CREASE)) == 0
    # around the camera: what is left of each edge lies before it, and within the picture
    found = find_feature_edges(seen(cube(translation(0.7, 0.4, -0.95))), CREASE)
    assert 0 < len(found) < 12
    assert (found.ends >= -0.5).all()
    assert (found.ends[:, [0, 2]] <= WIDTH - 0.5).all()
    assert (found.ends[:, [1, 3]] <= HEIGHT - 0.5).all()


@pytest.mark.parametrize("projection", [perspective(1.5), orthographic(6.0)])
def test_edges_are_seen_where_a_ray_caster_finds_nothing_before_them(projection: np.ndarray) -> None:
    chance = np.random.default_rng(3)
    seen_by = camera(projection)
    geometry = frame(1, seen_by, [soup(chance, 12, depth=-9.0), plane("wall", translation(0, 0, -10), half=20.0)])
    edges = find_feature_edges(geometry, 134.43)
    seen = raster.draw(geometry)
    shown = seen_edges(edges, seen.depth, is_orthographic=seen_by.is_orthographic)
    vertices, to_pixels = geometry.mesh_vertices(0).astype(np.float64), seen_by.pixel_matrix()
    held = 0
    for end, points, depths in zip(edges.ends, edges.points, edges.depths, strict=True):
        for place, point, depth in ((end[:2], points[0], depths[0]), (end[2:], points[1], depths[1])):
            if point >= len(vertices):
                continue
            x, y, _, w = to_pixels @ [*vertices[point], 1.0]
            if w <= 0 or not np.allclose([x / w, y / w], place):
                # it was cut off at the picture's border
                continue
            assert np.isclose(depth, -vertices[point, 2])
            column, row = np.rint(place).astype(int)
            window = seen.depth[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            if window.size and depth < 0.999 * window.min():
                assert shown[row, column]
                held += 1
    assert held
    # all edges of the soup lie before the wall or behind it; those behind are never seen alone
    behind = edges.depths.min(axis=1) > 10.0
    some = FeatureEdges(edges.ends[behind], edges.points[behind], edges.hides[behind], edges.depths[behind])
    only_wall = raster.draw(frame(1, seen_by, [plane("wall", translation(0, 0, -10), half=20.0)]))
    assert not seen_edges(some, only_wall.depth, is_orthographic=seen_by.is_orthographic).any()


def test_one_stray_thing_makes_the_grid_of_an_orthographic_camera_useless_and_only_that() -> None:
    boxes = [
        cube(translation(0.5 * (n % 16) - 4, 0.5 * (n // 16) - 2, -8) @ np.diag([0.1, 0.1, 0.1, 1.0]), key=f"box {n}")
        for n in range(128)
    ]
    stray = cube(translation(1e5, 0, -8), key="stray")

    def visits(projection: np.ndarray, *more: Thing) -> int:
        geometry = frame(1, camera(projection), [*boxes, *more])
        return count_grid_visits(geometry, find_feature_edges(geometry, CREASE))

    tidy, strayed = visits(orthographic(6.0)), visits(orthographic(6.0), stray)
    edges = len(find_feature_edges(frame(1, camera(orthographic(6.0)), boxes), CREASE))
    # all edges share one cell, or two, with all triangles
    assert strayed >= 0.4 * edges * 128 * 12
    assert tidy < strayed / 10
    # a perspective camera leaves out what it does not see
    assert visits(perspective(1.5), stray) == visits(perspective(1.5)) == 0
