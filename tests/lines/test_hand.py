"""The numbers by which a line varies belong to surfaces: not to their shape, their place or the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from animerun_gen.lines.hand import BUMPS, HandFinder, smooth_numbers
from animerun_gen.lines.kernels.matching import match_neighbours
from tests.lines.test_contours import joined, sheet, sphere
from tests.motion.synthetic import Thing, camera, cube, frame, perspective, rotation, translation

VIEW = camera(perspective(1.2))


def named(thing: Thing, first: int = 1) -> Thing:
    return replace(thing, identities=np.arange(first, first + len(thing.vertices)))


def hand(thing: Thing, seed: int = 0) -> np.ndarray:
    return HandFinder(seed).find(frame(1, VIEW, [thing]))


def test_it_stays_with_a_surface_that_moves_and_bends() -> None:
    ball = named(sphere("ball", translation(0, 0, -4), 20))
    bent = replace(ball, vertices=ball.vertices * [1.0, 0.5, 2.0] + 0.3 * np.sin(ball.vertices[:, ::-1]))
    turned = replace(bent, matrix=translation(1, 0, -9) @ rotation(0, 0.7))
    expected = hand(ball)
    assert expected.shape == (len(ball.vertices), 2)
    assert np.array_equal(hand(bent), expected)
    assert np.array_equal(hand(turned), expected)


def test_it_does_not_depend_on_the_frames_that_were_seen_before() -> None:
    ball, box = named(sphere("ball", translation(0, 0, -4), 12)), named(cube("box", translation(0, 0, -4)))
    finder = HandFinder(3)
    for things in ([ball], [ball, box], [box], [ball]):
        geometry = frame(1, VIEW, things)
        assert np.array_equal(finder.find(geometry), HandFinder(3).find(geometry))


def test_seeds_and_identities_make_other_numbers() -> None:
    ball = sphere("ball", translation(0, 0, -4), 12)
    found = [hand(named(ball)), hand(named(ball), seed=1), hand(named(ball, 1000))]
    for one in range(3):
        for other in range(one):
            assert abs(np.corrcoef(found[one][:, 0], found[other][:, 0])[0, 1]) < 0.5


def test_it_has_mean_0_and_variance_1_and_is_smooth() -> None:
    ball = named(sphere("ball", translation(0, 0, -4), 40))
    found = hand(ball).astype(np.float64)
    assert np.allclose(found.mean(axis=0), 0.0, atol=1e-5)
    assert np.allclose(found.std(axis=0), 1.0, atol=1e-4)
    a, b = ball.triangles[:, 0], ball.triangles[:, 1]
    # white noise would have 2
    assert ((found[a] - found[b]) ** 2).mean() < 0.2


def test_both_sides_of_a_seam_have_the_same_numbers() -> None:
    whole = sheet(6, np.eye(4))
    centre = whole.vertices[whole.triangles].mean(axis=1)
    halves = [Thing("half", whole.vertices, whole.triangles[centre[:, 0] * side > 0], np.eye(4)) for side in (-1, 1)]
    both = named(replace(joined(*halves), matrix=translation(0, 0, -4)))
    found = hand(both)
    on_seam = np.abs(whole.vertices[:, 0]) < 1e-9
    assert on_seam.sum() == 7
    assert np.array_equal(found[: len(on_seam)][on_seam], found[len(on_seam) :][on_seam])


def test_a_mesh_of_few_vertices_and_one_without_any_have_numbers() -> None:
    assert hand(named(cube("box", translation(0, 0, -4)))).std() > 0.5
    assert HandFinder(0).find(frame(1, VIEW, [])).shape == (0, 2)
    nothing = smooth_numbers(np.empty((0, 3), np.int32), np.empty(0, np.int32), np.empty(0, np.uint64), np.uint64(0))
    assert nothing.shape == (0, 2)
    loose = smooth_numbers(
        np.empty((0, 3), np.int32), np.arange(200, dtype=np.int32), np.zeros(200, np.uint64), np.uint64(0)
    )
    assert len(np.unique(loose[:, 0])) == 200 > BUMPS


def test_neighbours_are_joined_and_no_others() -> None:
    generator = np.random.default_rng(2)
    for _ in range(30):
        count = int(generator.integers(1, 30))
        start, end = generator.integers(0, count, (2, int(generator.integers(0, 60)))).astype(np.int32)
        apart = start != end
        start, end = start[apart], end[apart]
        group, groups = match_neighbours(start, end, count)
        assert sorted(set(group.tolist())) == list(range(groups))
        linked = {(a, b) for a, b in zip(start.tolist(), end.tolist(), strict=True)}
        linked |= {(b, a) for a, b in linked}
        for v in range(count):
            others = [u for u in range(count) if u != v and group[u] == group[v]]
            has_neighbour = any(a == v for a, _ in linked)
            assert bool(others) == has_neighbour
            assert not others or any((v, u) in linked for u in others)
