"""Strokes of solids that can be worked out by hand, against a slow ray caster, and from frame to frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animerun_gen.config.model import Lines
from animerun_gen.dataset.strokes import STROKE_KINDS, Strokes
from animerun_gen.lines.strokes import StrokeSettings, find_strokes
from animerun_gen.motion.counterparts import NO_INSTANCE, NO_TRIANGLE, find_counterparts
from animerun_gen.motion.geometry import FrameGeometry, MarkedEdges
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    Thing,
    camera,
    cast,
    cube,
    frame,
    masks,
    orthographic,
    perspective,
    plane,
    project,
    rotation,
    soup,
    translation,
)

NEAR, FAR = (perspective(1.5), orthographic(4.0))
ALL = StrokeSettings()
NOTHING = StrokeSettings(False, False, False, False, False, False)
TILTED = translation(0.2, 0.1, -6.0) @ rotation(1, 0.6) @ rotation(0, 0.5)


def strokes_of(*things: Thing, projection: np.ndarray = NEAR, wanted: StrokeSettings = ALL) -> Strokes:
    return find_strokes(frame(1, camera(projection), things), wanted)


def kinds(strokes: Strokes, *, hidden: bool) -> list[str]:
    return sorted(STROKE_KINDS[kind] for kind in strokes.kind[strokes.hidden == hidden].tolist())


def length(strokes: Strokes, which: np.ndarray) -> float:
    first, last = strokes.position[strokes.segments(which)].transpose(1, 0, 2)
    return float(np.hypot(*(last - first).T).sum())


def seam(key: str, split: bool) -> Thing:
    """Two squares side by side that share an edge, or have an edge each at the same place."""
    corners = np.array([[-1, -1, 0], [0, -1, 0], [0, 1, 0], [-1, 1, 0], [1, -1, 0.5], [1, 1, 0.5]], np.float64)
    if split:
        corners = np.concatenate([corners, corners[1:3]])
    b, c = (6, 7) if split else (1, 2)
    triangles = np.array([(0, 1, 2), (0, 2, 3), (b, 4, 5), (b, 5, c)])
    slots = np.array([0, 0, 1, 1])
    return Thing(key, corners, triangles, translation(0.0, 0.0, -4.0), slots=(2, 3), triangle_slots=slots)


@pytest.mark.parametrize("projection", [NEAR, FAR], ids=["perspective", "orthographic"])
def test_a_box_has_its_outline_as_one_ring_and_three_edges_behind_it(projection: np.ndarray) -> None:
    box = cube("box", TILTED)
    strokes = strokes_of(box, projection=projection)
    assert kinds(strokes, hidden=False) == ["crease"] * 3 + ["silhouette"]
    assert kinds(strokes, hidden=True) == ["crease"] * 3
    [ring] = np.flatnonzero(strokes.kind == 1)
    points = strokes.points(ring)
    assert len(points) == 7
    assert points[0] == points[-1]
    placed = box.vertices @ TILTED[:3, :3].T + TILTED[:3, 3]
    assert len(strokes.position) == 8
    expected = project(camera(projection), placed)[strokes.vertices[:, 0]]
    np.testing.assert_allclose(strokes.position, expected, atol=1e-4)
    np.testing.assert_allclose(strokes.depth, -placed[strokes.vertices[:, 0], 2], rtol=1e-6)
    # the corner that is farthest away is the one where the hidden edges meet
    hidden_edges = strokes.segments(strokes.hidden)
    assert set.intersection(*map(set, hidden_edges.tolist())) == {int(strokes.depth.argmax())}


def test_an_outline_ends_where_another_box_begins() -> None:
    """The square in front covers the middle third of a wide one behind: what is seen is worked out by hand."""
    behind = plane("behind", translation(0, 0, -8) @ np.diag([3.0, 1.0, 1.0, 1.0]))
    before = plane("before", translation(0, 0, -4) @ np.diag([0.5, 1.0, 1.0, 1.0]))
    strokes = strokes_of(before, behind, projection=FAR)
    scale = WIDTH / 8.0
    long_sides = 2 * 6.0 * scale
    assert kinds(strokes, hidden=True) == ["border", "border"]
    assert length(strokes, strokes.hidden) == pytest.approx(2 * 1.0 * scale, abs=1e-9)
    assert length(strokes, ~strokes.hidden & (strokes.object_id == 2)) == pytest.approx(
        long_sides - 2 * scale + 2 * 2 * scale, abs=1e-9
    )
    assert length(strokes, strokes.object_id == 1) == pytest.approx(2 * (1 + 2) * scale, abs=1e-9)
    # it disappears and appears a twelfth of its length beside the middle
    cut = strokes.along[(strokes.along > 0) & (strokes.along < 1)]
    np.testing.assert_allclose(np.sort(cut), [5 / 12, 5 / 12, 7 / 12, 7 / 12], atol=1e-9)


def test_an_edge_that_goes_into_a_surface_is_hidden_from_there_on() -> None:
    wall = plane("wall", translation(0, 0, -6), half=2.5)
    needle = Thing(
        "needle",
        np.array([[-0.5, 0, 2.0], [0.5, 0, -2.0], [0.5, 0.3, -2.0]]),
        np.array([[0, 1, 2]]),
        translation(0, 0, -6),
    )
    strokes = strokes_of(wall, needle, projection=FAR, wanted=replace(ALL, intersections=False))
    tip = strokes.along[(strokes.along > 0) & (strokes.along < 1)]
    np.testing.assert_allclose(tip, [0.5, 0.5], atol=1e-6)
    mine = strokes.object_id == 2
    # half of both long sides, and all of the short one
    assert length(strokes, mine & strokes.hidden) == pytest.approx(
        (0.5 + np.hypot(0.5, 0.15) + 0.3) * WIDTH / 8.0, abs=1e-5
    )


def icosphere(levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a unit ball, and triangles between them that all are turned outwards."""
    t = (1.0 + 5.0**0.5) / 2.0
    points = [(-1, t, 0), (1, t, 0), (-1, -t, 0), (1, -t, 0), (0, -1, t), (0, 1, t), (0, -1, -t), (0, 1, -t)]
    points += [(t, 0, -1), (t, 0, 1), (-t, 0, -1), (-t, 0, 1)]
    faces = [(0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6)]
    faces += [(7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10)]
    faces += [(8, 6, 7), (9, 8, 1)]
    vertices = [np.array(p) / np.linalg.norm(p) for p in points]
    for _ in range(levels):
        middles: dict[tuple[int, int], int] = {}
        finer = []
        for a, b, c in faces:
            between = []
            for one, other in ((a, b), (b, c), (c, a)):
                key = (min(one, other), max(one, other))
                if key not in middles:
                    middles[key] = len(vertices)
                    middle = vertices[one] + vertices[other]
                    vertices.append(middle / np.linalg.norm(middle))
                between.append(middles[key])
            ab, bc, ca = between
            finer += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        faces = finer
    return np.array(vertices), np.array(faces)


def test_a_ball_has_one_ring_around_it_and_nothing_else() -> None:
    vertices, triangles = icosphere(3)
    distance, focal = 5.0, 1.5
    strokes = strokes_of(Thing("ball", vertices, triangles, translation(0, 0, -distance)))
    assert kinds(strokes, hidden=False) == ["silhouette"]
    assert kinds(strokes, hidden=True) == []
    assert strokes.points(0)[0] == strokes.points(0)[-1]
    # the silhouette of the ball itself, seen at an angle whose sine is 1 / distance
    radius = focal * WIDTH / 2 / np.sqrt(distance**2 - 1.0)
    from_middle = np.hypot(*(strokes.position - [(WIDTH - 1) / 2, (HEIGHT - 1) / 2]).T)
    longest = np.linalg.norm(vertices[triangles[:, 0]] - vertices[triangles[:, 1]], axis=1).max()
    assert (from_middle <= radius * (1 + 1e-6)).all()
    assert (from_middle >= radius * np.cos(longest)).all()


def test_faces_that_go_round_the_other_way_make_no_silhouette() -> None:
    vertices, triangles = icosphere(2)
    turned = triangles.copy()
    turned[::3] = turned[::3, ::-1]
    ball, mixed = (Thing("ball", vertices, faces, translation(0, 0, -5)) for faces in (triangles, turned))
    assert len(strokes_of(ball).segments()) == len(strokes_of(mixed).segments())


@pytest.mark.parametrize("split", [False, True], ids=["shared", "split"])
def test_kinds_of_edges_and_what_asks_for_them(split: bool) -> None:
    """Copies of vertices at one place, as importers leave them along seams, are one."""
    thing = seam("seam", split)
    strokes = strokes_of(thing)
    assert kinds(strokes, hidden=False) == ["border", "material"]
    of_border = strokes.points(int(np.flatnonzero(strokes.kind == 3)[0]))
    assert len(of_border) == 7
    without = strokes_of(thing, wanted=replace(ALL, materials=False))
    # 153 degrees
    assert kinds(without, hidden=False) == ["border"]
    flatter = strokes_of(thing, wanted=replace(ALL, materials=False, crease_angle=160.0))
    assert kinds(flatter, hidden=False) == ["border", "crease"]
    assert len(strokes_of(thing, wanted=NOTHING)) == 0


def bent_quads(first_cut: int, bend: float = 0.7) -> FrameGeometry:
    """Two quads side by side that meet at an angle; the first one is bent, and cut along one diagonal or the other."""
    corners = np.array([[-1, -1, 0], [0, -1, 0], [0, 1, 0], [-1, 1, bend], [1, -1, -1], [1, 1, -1]], np.float64)
    cuts = ([(0, 1, 2), (0, 2, 3)], [(1, 2, 3), (1, 3, 0)])
    triangles = np.array([*cuts[first_cut], (1, 4, 5), (1, 5, 2)])
    thing = Thing("quads", corners, triangles, translation(0.1, 0.2, -4.0) @ rotation(1, -0.4))
    return replace(frame(1, camera(NEAR), [thing]), faces=np.array([0, 0, 1, 1], np.int32))


@pytest.mark.parametrize("cut", [0, 1])
def test_an_edge_within_a_face_is_no_crease(cut: int) -> None:
    """Into which triangles a bent face is cut differs between versions of Blender."""
    geometry = bent_quads(cut)
    strokes = find_strokes(geometry, replace(ALL, crease_angle=170.0))
    [crease] = np.flatnonzero(strokes.kind == 2)
    assert set(strokes.vertices[strokes.points(crease), 0].tolist()) == {1, 2}
    assert kinds(strokes, hidden=False) == ["border", "crease"]
    # of triangles, of which nothing is known, the diagonal is one
    unknown = find_strokes(replace(geometry, faces=None), replace(ALL, crease_angle=170.0))
    assert len(unknown.segments(unknown.kind == 2)) == 2


def test_a_flat_face_has_one_normal() -> None:
    """The one whose rim does not depend on the triangles: a sliver of it may point anywhere."""
    # the first face is flat to a fraction of a degree, but for a sliver along the edge that both faces share
    corners = np.array(
        [[-1, -1, 0], [0, -1, 0], [-0.0005, 0, 0.0004], [0, 1, 0], [-1, 1, 0], [1, -1, 0.15], [1, 1, 0.15]], np.float64
    )
    triangles = np.array([(0, 1, 2), (0, 2, 4), (2, 3, 4), (1, 3, 2), (1, 5, 6), (1, 6, 3)])
    thing = Thing("quads", corners, triangles, translation(0.0, 0.0, -4.0))
    geometry = replace(frame(1, camera(NEAR), [thing]), faces=np.array([0, 0, 0, 0, 1, 1], np.int32))
    assert kinds(find_strokes(geometry, ALL), hidden=False) == ["border"]
    assert "crease" in kinds(find_strokes(replace(geometry, faces=None), ALL), hidden=False)


def test_a_silhouette_may_go_along_the_diagonal_of_a_bent_face() -> None:
    """What is drawn are its triangles, of which one is seen from behind."""
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, -4]], np.float64)
    turn = translation(0, 0, -8) @ rotation(1, -0.9)
    thing = Thing("quad", corners, np.array([(0, 1, 2), (0, 2, 3)]), turn)
    geometry = replace(frame(1, camera(NEAR), [thing]), faces=np.zeros(2, np.int32))
    strokes = find_strokes(geometry, ALL)
    [line] = np.flatnonzero(strokes.kind == 1)
    assert set(strokes.vertices[strokes.points(line), 0].tolist()) == {0, 2}


@pytest.mark.parametrize("projection", [NEAR, FAR], ids=["perspective", "orthographic"])
@pytest.mark.parametrize("turn", [0.3, 0.8, 1.4, 2.5])
def test_a_face_that_is_seen_from_its_edge_hides_nothing(projection: np.ndarray, turn: float) -> None:
    """A box whose bottom is in one plane with the camera: its front edges are seen there, those that they cover not."""
    whole = rotation(0, 0.37) @ rotation(2, 0.21) @ translation(0.013, 0.0, 0.0)
    box = cube("box", whole @ translation(0.3, 1.0, -6.0) @ rotation(1, turn))
    bottom = np.flatnonzero(box.vertices[:, 1] < 0)
    placed = np.linalg.inv(whole) @ box.matrix @ np.append(box.vertices, np.ones((8, 1)), axis=1).T
    geometry = frame(1, camera(projection, whole), [box])
    for known in (None, np.repeat(np.arange(6), 2).astype(np.int32)):
        strokes = find_strokes(replace(geometry, faces=known), ALL)
        first, last = strokes.segments(~strokes.hidden).T
        seen = {frozenset(ends) for ends in zip(strokes.vertices[first, 0], strokes.vertices[last, 0], strict=True)}
        # the ones that end at the nearest corner, or at the nearest two; the others are behind them
        columns = project(geometry.camera, (box.matrix @ np.append(box.vertices, np.ones((8, 1)), axis=1).T)[:3].T)
        sides = bottom[np.argsort(columns[bottom, 0])][[0, -1]]
        corner = bottom[np.argmax(placed[2, bottom])]
        expected = {frozenset((int(corner), int(side))) for side in sides if side != corner}
        in_plane = {edge for edge in seen if edge <= set(bottom.tolist())}
        assert in_plane == expected
        # the outline goes along them, also where faces meet too smoothly for a crease
        outline = strokes.vertices[strokes.segments((strokes.kind == 1) & ~strokes.hidden)][..., 0]
        assert expected <= set(map(frozenset, outline.tolist()))
        # nothing but rounding tells of a silhouette along a diagonal
        ends = box.vertices[strokes.vertices[strokes.segments(strokes.kind == 1)][..., 0]]
        apart = np.abs(ends[:, 0] - ends[:, 1]).sum(axis=1)
        assert (apart == 2).all()


def test_a_marked_edge_is_a_stroke_of_its_kind() -> None:
    wall = frame(1, camera(NEAR), [plane("wall", translation(0.0, 0.0, -6.0))])
    marked = replace(wall, marked_edges=MarkedEdges(np.array([[2, 0]], np.int32), np.array([0, 1], np.int64)))
    assert kinds(find_strokes(marked, ALL), hidden=False).count("mark") == 1
    for strokes in (find_strokes(wall, ALL), find_strokes(marked, replace(ALL, marks=False))):
        assert "mark" not in kinds(strokes, hidden=False)


def test_marked_edges_are_strokes_where_they_are_nothing_else() -> None:
    thing = seam("seam", split=True)
    # the diagonal of the second square and a border, of copies of vertices
    marks = MarkedEdges(np.array([[5, 6], [3, 0]], np.int32), np.array([0, 2]))
    geometry = replace(frame(1, camera(NEAR), [thing]), marked_edges=marks)
    strokes = find_strokes(geometry, ALL)
    assert kinds(strokes, hidden=False) == ["border", "mark", "material"]
    [diagonal] = np.flatnonzero(strokes.kind == 6)
    assert set(strokes.vertices[strokes.points(diagonal), 0].tolist()) == {1, 5}
    without_borders = find_strokes(geometry, replace(ALL, borders=False))
    assert kinds(without_borders, hidden=False) == ["mark", "mark", "material"]
    assert (find_strokes(geometry, replace(ALL, marks=False)).kind != 6).all()


def test_strokes_end_where_picture_and_clipping_range_end() -> None:
    wide = plane("wide", translation(0, 0, -5) @ np.diag([40.0, 0.5, 1.0, 1.0]))
    strokes = strokes_of(wide)
    assert sorted(strokes.position[:, 0].round(9).tolist()) == [-0.5, -0.5, WIDTH - 0.5, WIDTH - 0.5]
    rails = plane("rails", translation(0, -0.5, 0) @ rotation(0, np.pi / 2) @ np.diag([0.3, 200.0, 1.0, 1.0]))
    strokes = strokes_of(rails)
    assert strokes.depth.max() == pytest.approx(100.0)
    assert strokes.depth.min() > 0.1
    assert np.isfinite(strokes.position).all()
    assert (strokes.position >= -0.5 - 1e-9).all()


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_what_is_hidden_is_what_a_ray_caster_does_not_see(seed: int, far: bool) -> None:
    chance = np.random.default_rng(seed)
    (x, y), (u, v) = chance.uniform(-2, 2, (2, 2)).tolist()
    things = [
        soup(chance, 6),
        cube("a", translation(x, y, -7) @ rotation(1, chance.uniform(0, 3)) @ rotation(0, 0.4)),
        cube("b", translation(u, v, -6) @ rotation(0, chance.uniform(0, 3)) @ rotation(1, 0.3)),
    ]
    geometry = frame(1, camera(FAR if far else NEAR), things)
    strokes = find_strokes(geometry, ALL)
    first, last = strokes.segments().T
    hidden = np.concatenate([np.full(len(strokes.points(k)) - 1, strokes.hidden[k]) for k in range(len(strokes))])
    start, end = strokes.position[first], strokes.position[last]
    for share in (0.1, 0.5, 0.93):
        place = start + share * (end - start)
        depths = strokes.depth[first], strokes.depth[last]
        depth = depths[0] + share * (depths[1] - depths[0])
        if not far:
            # the inverse of the distance is linear in the picture
            depth = 1.0 / (1.0 / depths[0] + share * (1.0 / depths[1] - 1.0 / depths[0]))
        _, _, before = cast(geometry, *place.T)
        long = np.hypot(*(end - start).T) > 0.05
        # the caster may miss a face by rounding where the point lies on its edge
        assert not (long & hidden & (before >= depth * (1 - 1e-9))).any()
        assert not (long & ~hidden & (before < depth * (1 - 1e-5))).any()
    assert hidden.any()
    assert not hidden.all()


def crossing(shift: float = 0.0) -> tuple[Thing, Thing]:
    """A board that goes through a wall, upright and at 45 degrees; nothing of both is symmetric."""
    wall = plane("wall", translation(0.1, 0, -6), half=2.0)
    board = plane("board", translation(shift, 0.3, -6.0) @ rotation(1, np.pi / 4))
    return wall, board


def test_surfaces_that_cut_through_each_other_have_a_line_there() -> None:
    strokes = strokes_of(*crossing(), projection=FAR)
    [line] = np.flatnonzero(strokes.kind == 4)
    points = strokes.points(line)
    places = strokes.polyline(line)
    scale = WIDTH / 8.0
    assert not strokes.hidden[line]
    np.testing.assert_allclose(places[:, 0], (WIDTH - 1) / 2, atol=1e-6)
    np.testing.assert_allclose(np.sort(places[[0, -1], 1]), (HEIGHT - 1) / 2 + scale * np.array([-1.3, 0.7]), atol=1e-6)
    # it begins and ends in the middle of two sides of the board, and crosses one diagonal of each
    assert strokes.instance[points[[0, -1]]].tolist() == [1, 1]
    np.testing.assert_allclose(strokes.along[points[[0, -1]]], [0.5, 0.5], atol=1e-6)
    assert sorted(strokes.instance[points[1:-1]].tolist()) == [0, 1]
    # the half of the board that is behind the wall
    assert length(strokes, strokes.hidden & (strokes.object_id == 2)) == pytest.approx(
        (2 * np.sqrt(0.5) + 2.0) * scale, abs=1e-4
    )
    assert (strokes_of(*crossing(), wanted=replace(ALL, intersections=False)).kind != 4).all()


@pytest.mark.parametrize("parts", [False, True], ids=["two objects", "one mesh"])
def test_balls_that_cut_through_each_other_have_a_circle_there(parts: bool) -> None:
    """Of two unit balls at (-+0.6, 0, 0) it has the radius 0.8; seen from the side half of it is hidden."""
    vertices, triangles = icosphere(3)
    turn = rotation(1, 0.9)[:3, :3]
    one, other = vertices @ turn.T - [0.6, 0, 0], vertices @ turn.T + [0.6, 0, 0]
    place = translation(0, 0, -6) @ rotation(1, 0.7)
    if parts:
        both = np.concatenate([one, other]), np.concatenate([triangles, triangles + len(vertices)])
        things = [Thing("balls", *both, place)]
    else:
        things = [Thing("one", one, triangles, place), Thing("other", other, triangles, place)]
    strokes = strokes_of(*things, projection=FAR)
    assert {STROKE_KINDS[kind] for kind in strokes.kind.tolist()} == {"silhouette", "intersection"}
    lines = np.flatnonzero(strokes.kind == 4)
    assert set(strokes.hidden[lines].tolist()) == {False, True}
    # in the plane between the balls
    scale = WIDTH / 8.0
    points = np.unique(strokes.segments(strokes.kind == 4))
    x = (strokes.position[points, 0] - (WIDTH - 1) / 2) / scale
    y = -(strokes.position[points, 1] - (HEIGHT - 1) / 2) / scale
    z = 6.0 - strokes.depth[points]
    away = x * np.cos(0.7) - z * np.sin(0.7)
    np.testing.assert_allclose(away, 0.0, atol=0.02)
    np.testing.assert_allclose(np.sqrt(x**2 + y**2 + z**2), 0.8, atol=0.02)
    # one ring, if what is seen and what is hidden are put together
    assert (np.bincount(strokes.segments(strokes.kind == 4).ravel(), minlength=len(x))[points] == 2).all()


def test_surfaces_that_touch_do_not_cut_through_each_other() -> None:
    floor = plane("floor", translation(0, -1, -6) @ rotation(0, -np.pi / 2), half=3.0)
    box = cube("box", translation(0.13, 0, -6) @ rotation(1, 0.4))
    strokes = strokes_of(floor, box)
    assert (strokes.kind != 4).all()
    raised = replace(floor, matrix=translation(0, -0.9, -6) @ rotation(0, -np.pi / 2))
    assert (strokes_of(raised, box).kind == 4).any()


def test_intersections_of_what_moves_together_are_found_again() -> None:
    step = translation(0.2, 0.1, 0.3) @ rotation(2, 0.2)
    here = find_strokes(frame(1, camera(NEAR), crossing()), ALL)
    there = find_strokes(frame(2, camera(NEAR), [moved(each, step @ each.matrix) for each in crossing()]), ALL)
    shifted = find_strokes(frame(2, camera(NEAR), crossing(0.1)), ALL)

    def partners(other: Strokes) -> int:
        points = np.unique(here.segments(here.kind == 4))
        return int(np.isin(here.matches(other)[:, 0], points).sum())

    assert partners(here) == partners(there) == 4
    # the line stays in the middle of two sides of the board, and moves over the wall
    assert partners(shifted) == 3
    inner = here.identity[:, 0] == 0
    assert (here.vertices[inner] == -1).all()
    assert (here.instance[~inner] >= 0).all()


def test_holes_hide_nothing() -> None:
    """A card whose right half is a hole, before a bar."""
    image = np.zeros((2, 2), bool)
    image[:, 1] = True
    uvs = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    card = plane("card", translation(0, 0, -4))
    card.uvs = uvs[card.triangles]
    card.slot_masks = (0,)
    bar = plane("bar", translation(0, 0, -8) @ np.diag([3.0, 0.2, 1.0, 1.0]))
    geometry = frame(1, camera(FAR), [card, bar], masks(image))
    strokes = find_strokes(geometry, ALL)
    scale = WIDTH / 8.0
    behind = strokes.object_id == 2
    assert length(strokes, behind & strokes.hidden) == pytest.approx(2 * scale, abs=2 * 0.125)
    assert length(strokes, behind & ~strokes.hidden) == pytest.approx((2 * 6 + 2 * 0.4 - 2) * scale, abs=2 * 0.125)
    # of the card itself its left half is left
    assert not strokes.hidden[~behind].any()
    assert length(strokes, strokes.kind == 8) == pytest.approx(2 * scale, abs=1e-9)
    assert length(strokes, ~behind & (strokes.kind == 3)) == pytest.approx((2 + 1 + 1) * scale, abs=1e-9)


def test_nothing_to_draw_is_no_strokes() -> None:
    strokes = strokes_of()
    assert (len(strokes), len(strokes.position), strokes.segments().shape) == (0, 0, (0, 2))


def moved(thing: Thing, matrix: np.ndarray, **changes: Any) -> Thing:
    return replace(thing, matrix=matrix, **changes)


def pair(one: Thing, other: Thing) -> tuple[FrameGeometry, FrameGeometry]:
    eye = translation(0.3, 0.0, 0.2)
    return frame(1, camera(NEAR), [one]), frame(2, camera(perspective(1.7), eye), [other])


def exact_places(strokes: Strokes, source: FrameGeometry, target: FrameGeometry) -> np.ndarray:
    """``(N, 2)``: where the points of strokes are in another frame, by the triangles that have their edges, as flow has
    it; NaN where that is unknown."""
    twins = find_counterparts(source, target)
    places = np.full((len(strokes.position), 2), np.nan)
    matrices = target.instance_pixel_matrices()
    for stroke in range(len(strokes)):
        for point in strokes.points(stroke).tolist():
            instance = int(strokes.instance[point])
            other = int(twins.instance[instance])
            corners = source.mesh_triangles(source.mesh[instance])
            a, b = strokes.vertices[point]
            having = np.flatnonzero((corners == a).any(axis=1) & (corners == b).any(axis=1))
            if other == NO_INSTANCE:
                continue
            triangle, there = twins.triangles_of(source, np.full(len(having), instance), having)
            for number, found in zip(having, np.flatnonzero(triangle != NO_TRIANGLE), strict=False):
                number = having[found]
                shares = np.where(corners[number] == b, strokes.along[point], 0.0)
                shares += np.where(corners[number] == a, 1.0 - strokes.along[point] if a != b else 0.0, 0.0)
                shares = np.where((corners[number] == a) & (a == b), 1.0, shares)
                local = shares @ target.mesh_vertices(target.mesh[other])[there[found]].astype(np.float64)
                x, y, _, w = matrices[other] @ np.append(local, 1.0)
                places[point] = x / w, y / w
    return places


@pytest.mark.parametrize("how", ["rigid", "deformed", "renumbered"])
def test_points_of_one_identity_move_as_the_surface_does(how: str) -> None:
    vertices, triangles = icosphere(2)
    identities = np.arange(1000, 1000 + len(vertices)).astype(np.uint64)
    ball = Thing("ball", vertices, triangles, translation(-0.2, 0, -5), identities=identities)
    there = translation(0.3, 0.1, -4.8) @ rotation(2, 0.2)
    other = moved(ball, there)
    if how != "rigid":
        other = moved(ball, there, vertices=vertices * (1.0 + 0.1 * np.sin(3 * vertices[:, ::-1])))
    if how == "renumbered":
        # as modifiers leave it that keep, drop or sort: numbers say nothing, what vertices carry does
        order = np.random.default_rng(1).permutation(len(vertices))
        place = np.argsort(order)
        other = replace(other, vertices=other.vertices[order], triangles=place[triangles], identities=identities[order])
        ball, other = (replace(thing, ordered=False, single=True) for thing in (ball, other))
    source, target = pair(ball, other)
    here, next_one = find_strokes(source, ALL), find_strokes(target, ALL)
    first, second = here.matches(next_one).T
    assert len(first) > 10
    expected = exact_places(here, source, target)
    np.testing.assert_allclose(next_one.position[second], expected[first], atol=1e-7, rtol=0)
    # what is proven to be in both frames is found, wherever both have a stroke through it
    assert not np.isnan(expected).any()
    assert len(np.unique(here.identity[:, 0] + here.along)) == len(here.position)


def test_points_that_nobody_proves_to_be_the_same_have_no_partner() -> None:
    vertices, triangles = icosphere(1)
    ball = Thing("ball", vertices, triangles, translation(0, 0, -5), ordered=False)
    still, grown = moved(ball, translation(0.2, 0, -5)), replace(ball, vertices=1.1 * vertices)
    renamed, cut = replace(ball, key="another"), frame(2, camera(NEAR, name="other"), [ball])
    here = find_strokes(frame(1, camera(NEAR), [ball]), ALL)

    def partners(target: FrameGeometry) -> int:
        return len(here.matches(find_strokes(target, ALL)))

    # a mesh in which nothing moves is known even so
    assert partners(frame(2, camera(NEAR), [still])) > 5
    assert partners(frame(2, camera(NEAR), [grown])) == 0
    assert partners(frame(2, camera(NEAR), [renamed])) == 0
    assert partners(cut) == 0


def test_a_mirrored_copy_is_not_taken_for_what_it_mirrors() -> None:
    """Of a mirrored mesh a mask leaves one half in one frame and the other half in the next."""
    quad = plane("half", translation(0, 0, -5))
    identities = np.array([11, 12, 13, 14], np.uint64)
    half = replace(
        quad, vertices=quad.vertices + np.array([1.5, 0, 0]), identities=identities, ordered=False, single=True
    )
    mirror = replace(half, vertices=half.vertices * [-1, 1, 1], triangles=half.triangles[:, ::-1])
    shown = [find_strokes(frame(number, camera(NEAR), [one]), ALL) for number, one in enumerate((half, half, mirror))]
    assert len(shown[0].matches(shown[1])) == 4
    assert len(shown[0].matches(shown[2])) == 0


def test_what_a_configuration_asks_for() -> None:
    def wanted(**changes: Any) -> StrokeSettings:
        return StrokeSettings.from_config(Lines(engine="geometry", vector=True, **changes))

    assert wanted() == ALL
    assert wanted(freestyle=False) == replace(NOTHING, silhouettes=True, borders=True, intersections=True)
    assert wanted(intersections=False) == replace(ALL, intersections=False)
    assert wanted(outline=False, edges=("crease",)) == replace(NOTHING, creases=True)
    assert wanted(outline=False, edges=("border", "edge_mark"), crease_angle=90.0) == replace(
        NOTHING, borders=True, marks=True, crease_angle=90.0
    )
    with pytest.raises(ValueError, match="set engine to geometry"):
        Lines(vector=True)
