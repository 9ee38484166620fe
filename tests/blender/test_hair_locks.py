"""The shapes that stand for hair, against what a lock must be: closed, outward, pointed, and as rigid as its guides."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from animerun_gen.blender.hair_locks import (
    STEPS,
    StrandPlan,
    place_faces,
    place_vertices,
    plan_locks,
    plan_tubes,
    resample,
    strand_faces,
    strand_vertices,
)


def hairy_ball(count: int = 800, lean: float = 0.6, seed: int = 3) -> np.ndarray:
    """Bent hairs on a unit sphere, combed to one side by ``lean``."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(count, 3))
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    along = np.linspace(0, 1, STEPS)[:, None]
    comb = np.cross(root, [0.3, 0.1, 1.0])
    comb /= np.linalg.norm(comb, axis=1, keepdims=True)
    return root[:, None] + 0.5 * (along * root[:, None] + lean * along**2 * comb[:, None])


def turned(points: np.ndarray) -> np.ndarray:
    """A rigid motion."""
    q, _ = np.linalg.qr(np.random.default_rng(11).normal(size=(3, 3)))
    q *= np.sign(np.linalg.det(q))
    return points @ q.T + [3.0, -2.0, 0.7]


def volumes(plan: StrandPlan, paths: np.ndarray) -> np.ndarray:
    """The signed volume of each strand: positive where its faces look outward."""
    vertices, faces = strand_vertices(plan, paths), strand_faces(plan)
    per = len(faces) // len(plan.leader)
    found = []
    for lock in range(len(plan.leader)):
        total = 0.0
        for face in faces[lock * per : (lock + 1) * per]:
            a, *rest = vertices[list(face)]
            total += sum(np.dot(a, np.cross(b, c)) for b, c in pairwise(rest)) / 6
        found.append(total)
    return np.array(found)


@pytest.mark.parametrize("lean", [0.0, 0.6])
def test_locks_are_closed_look_outward_and_end_in_a_point(lean: float) -> None:
    paths = hairy_ball(lean=lean)
    plan = plan_locks(paths, 40)
    strands = len(plan.leader)
    assert strands == (40 if lean else 120)
    edges = Counter(edge for face in strand_faces(plan) for edge in zip(face, (*face[1:], face[0]), strict=True))
    assert set(edges.values()) == {1}
    assert all((b, a) in edges for a, b in edges)
    assert (volumes(plan, paths) > 0).all()
    shape = strand_vertices(plan, paths).reshape(strands, -1, 3)
    rings = shape[:, :-1].reshape(strands, STEPS - 1, plan.sides, 3)
    radius = np.linalg.norm(rings - rings.mean(axis=2, keepdims=True), axis=3).max(axis=2)
    assert (np.diff(radius[:, 3:], axis=1) < 0).all()
    assert (radius[:, -1] < 0.6 * radius[:, 0]).all()
    # pointed like the guides: the tip is the mean of theirs
    assert np.allclose(shape[:, -1], rings[:, -1].mean(axis=1), atol=0.15)


@pytest.mark.parametrize("count", [1, 2, 3, 12, 400])
def test_what_moves_rigidly_stays_rigid(count: int) -> None:
    paths = hairy_ball(count)
    plan = plan_locks(paths, 60)
    moved = strand_vertices(plan, turned(paths))
    if count > 2:  # one or two roots cannot tell how the surface turns
        assert np.abs(moved - turned(strand_vertices(plan, paths))).max() < 1e-12
    else:
        assert np.isfinite(moved).all()
    places = place_vertices(plan, turned(paths), height=2.0)
    if count > 2:
        assert np.abs(places - turned(place_vertices(plan, paths, height=2.0))).max() < 1e-12


def test_locks_cover_the_surface_and_stand_on_their_guides() -> None:
    paths = hairy_ball(4000)
    plan = plan_locks(paths, 100)
    count = len(set(plan.leader.tolist()))
    # at the poles of the comb a lock or two may stand upright and have blades
    assert 100 <= count == len(plan.leader) < 110
    # discs of the locks' widths cover more than the sphere, whose area is 4 pi
    assert 1.0 < (plan.half_width**2).sum() / 4 < 2.0
    path_roots = paths[plan.leader, 0]
    nearest = np.min(np.linalg.norm(paths[:, None, 0] - path_roots, axis=2), axis=1)
    assert nearest.max() < 0.35
    shape = strand_vertices(plan, paths).reshape(count, -1, 3)
    depth = np.linalg.norm(shape[:, : plan.sides].mean(axis=1) - path_roots, axis=1)
    assert np.allclose(depth, plan.sunk * plan.half_width)


def test_the_same_locks_whatever_the_order_and_from_every_run() -> None:
    paths = hairy_ball()
    plan = plan_locks(paths, 30)
    again = plan_locks(paths.copy(), 30)
    assert np.array_equal(strand_vertices(plan, paths), strand_vertices(again, paths))
    order = np.random.default_rng(0).permutation(len(paths))
    shuffled = plan_locks(paths[order], 30)
    assert np.array_equal(order[shuffled.leader], plan.leader)
    assert np.allclose(strand_vertices(shuffled, paths[order]), strand_vertices(plan, paths), atol=1e-12)


def test_only_the_needed_guides_count() -> None:
    paths = hairy_ball(2000)
    plan = plan_locks(paths, 30)
    needed = plan.needed
    assert len(needed) <= 30 * 11
    assert np.array_equal(strand_vertices(plan.renumbered(), paths[needed]), strand_vertices(plan, paths))


def test_few_hairs_are_thin_and_many_are_wide() -> None:
    lone = plan_locks(hairy_ball(20), 160)
    children = plan_locks(hairy_ball(20), 160, strands_per_guide=100)
    near = plan_locks(hairy_ball(20), 160, strands_per_guide=100, reach=0.05)
    assert len(lone.leader) == 20
    assert lone.half_width.max() < 0.15 * 0.9
    assert children.half_width.min() > 2 * lone.half_width.max()
    assert near.half_width.max() < 0.05 * 1.16


def test_degenerate_hair_gives_numbers() -> None:
    for paths in (np.zeros((1, STEPS, 3)), np.zeros((5, STEPS, 3)), np.ones((3, STEPS, 3))):
        plan = plan_locks(paths, 4)
        assert np.isfinite(strand_vertices(plan, paths)).all()
        assert np.isfinite(place_vertices(plan, paths, height=1.0)).all()


def test_polylines_of_all_lengths_become_paths() -> None:
    line = np.linspace([0.0, 0, 0], [3.0, 0, 6.0], 4)
    bent = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]])
    dot = np.array([[7.0, 7, 7]])
    found = resample(np.concatenate([line, bent, dot]), np.array([4, 3, 1]))
    assert np.allclose(found[0][:, 2], 2 * found[0][:, 0])
    assert np.allclose(found[0][[0, -1]], line[[0, -1]])
    assert np.allclose(found[1][[0, STEPS // 2, -1]], bent)
    assert np.array_equal(found[2], np.tile(dot, (STEPS, 1)))


def test_tubes_and_places_have_the_size_they_were_asked_for() -> None:
    paths = hairy_ball(50)
    tubes = plan_tubes(paths, np.arange(0, 50, 5), radius=0.01)
    shape = strand_vertices(tubes, paths).reshape(10, -1, 3)
    assert np.allclose(np.linalg.norm(shape[:, :3] - paths[::5, :1], axis=2), 0.01)
    assert np.allclose(shape[:, -1], paths[::5, -1])
    assert (volumes(tubes, paths) > 0).all()
    squares = place_vertices(tubes, paths, height=2.0).reshape(10, 4, 3)
    normal = np.cross(squares[:, 1] - squares[:, 0], squares[:, 3] - squares[:, 0])
    length = np.linalg.norm(np.diff(paths[::5], axis=1), axis=2).sum(axis=1)
    # an object two units tall becomes as tall as the hair is long
    assert np.allclose(np.sqrt(np.linalg.norm(normal, axis=1)) * 2.0, length)
    assert (np.sum(normal * (paths[::5, -1] - paths[::5, 0]), axis=1) > 0).all()
    assert len(place_faces(tubes)) == 10
