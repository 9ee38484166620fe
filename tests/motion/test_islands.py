"""Parts of meshes, against a slow labelling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from animerun_gen.motion import islands
from animerun_gen.motion.islands import IslandFinder
from tests.motion.synthetic import camera, frame, perspective, plane, translation

SEEN_BY = camera(perspective(1.5))


def strip(triangles: int, first: int = 0) -> np.ndarray:
    """Triangles that hang together in a row."""
    return np.array([(first + n, first + n + 1, first + n + 2) for n in range(triangles)], np.int32)


def geometry_of(*meshes: np.ndarray):  # type: ignore[no-untyped-def]
    """A frame with meshes of these triangles, at whatever places."""
    vertices = [mesh.max() + 1 for mesh in meshes]
    base = frame(1, SEEN_BY, [plane("plane", translation(0, 0, -5))])
    return replace(
        base,
        vertices=np.arange(3 * sum(vertices), dtype=np.float32).reshape(-1, 3),
        triangles=np.concatenate(meshes),
        vertex_start=np.cumsum([0, *vertices], dtype=np.int64),
        triangle_start=np.cumsum([0, *map(len, meshes)], dtype=np.int64),
        topologies=tuple(mesh.tobytes() for mesh in meshes),
    )


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_islands_are_the_connected_components(vertices: int, seed: int) -> None:
    triangles = np.random.default_rng(seed).integers(0, vertices, (vertices // 2 + 1, 3), np.int32)
    labels, count = islands._label(triangles, np.arange(vertices, dtype=np.int32))
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [0, 2]]])
    links = coo_array((np.ones(len(pairs)), pairs.T), (vertices, vertices))
    _, components = connected_components(links, directed=False)
    wanted = components[triangles[:, 0]]
    assert count == len(np.unique(wanted))
    assert np.array_equal(labels[:, None] == labels, wanted[:, None] == wanted)


def test_parts_are_told_apart_and_whole_meshes_are_not() -> None:
    one, two = strip(30), np.concatenate([strip(30), strip(40, first=32)])
    found = IslandFinder().find(geometry_of(one, two))
    assert (found[:30] == 0).all()
    assert (found[30:60] == 0).all()
    assert (found[60:] == 1).all()


def test_faces_that_were_taken_apart_are_one_part() -> None:
    apart = np.arange(3 * 50, dtype=np.int32).reshape(50, 3)
    assert (IslandFinder().find(geometry_of(apart)) == 0).all()


def test_parts_that_share_a_place_are_one_in_that_frame() -> None:
    two = np.concatenate([strip(30), strip(40, first=32), strip(40, first=74)])
    apart = geometry_of(two)
    assert len(np.unique(IslandFinder().find(apart))) == 3
    touching = apart.vertices.copy()
    # a zero of the other sign is the same place
    touching[0] = [0.0, 1.0, 2.0]
    touching[32 + 5] = [-0.0, 1.0, 2.0]
    finder = IslandFinder()
    finder.find(apart)
    found = finder.find(replace(apart, vertices=touching))
    assert (found[:70] == 0).all()
    assert (found[70:] == 2).all()
    assert len(np.unique(finder.find(apart))) == 3


@given(st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_places_are_compared_exactly(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 3, (count, 3)).astype(np.uint32)
    part = generator.integers(0, count, count).astype(np.int32)
    found = islands._weld(bits, part, np.arange(count, dtype=np.int32))
    same = (bits[:, None] == bits).all(axis=-1)
    rows, columns = np.nonzero(same)
    links = coo_array((np.ones(len(rows)), (part[rows], part[columns])), (count, count))
    _, components = connected_components(links, directed=False)
    assert np.array_equal(found[:, None] == found, components[:, None] == components)


def test_only_vertices_on_open_edges_are_compared() -> None:
    """A sheet of squares: its rim, and nothing within."""
    row, column = np.meshgrid(np.arange(5), np.arange(7), indexing="ij")
    a = (row * 8 + column).ravel()
    sheet = np.concatenate([np.stack([a, a + 1, a + 9], axis=1), np.stack([a, a + 9, a + 8], axis=1)]).astype(np.int32)
    is_open = islands.open_vertices(sheet, 48)
    rim = np.ones((6, 8), bool)
    rim[1:-1, 1:-1] = False
    assert np.array_equal(is_open.reshape(6, 8), rim)


def test_nothing_is_searched_twice_and_nothing_old_is_kept() -> None:
    finder = IslandFinder()
    two = np.concatenate([strip(30), strip(40, first=32)])
    first = finder.find(geometry_of(two))
    assert np.array_equal(finder.find(geometry_of(two)), first)
    assert finder._known.keys() == {two.tobytes()}
    finder.find(geometry_of(strip(20)))
    assert finder._known.keys() == {strip(20).tobytes()}
