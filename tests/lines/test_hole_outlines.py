"""Outlines of holes against formulas, against what each pixel sees, and from frame to frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from animerun_gen.dataset.strokes import HOLE, STROKE_KINDS, Strokes
from animerun_gen.lines import hole_outlines
from animerun_gen.lines.hole_outlines import HoleOutlineFinder
from animerun_gen.lines.strokes import StrokeSettings, find_strokes
from animerun_gen.motion import raster
from animerun_gen.motion.geometry import CLIP, EXTEND, MIRROR, REPEAT, Camera, FrameGeometry
from tests.motion.synthetic import Thing, cube, frame, masks, project, rotation, translation
from tests.shade import scenes

ALL = StrokeSettings()
CAMERA = scenes.camera()
TEXELS = np.stack(np.meshgrid(np.arange(256) + 0.5, np.arange(256) + 0.5), axis=-1) / 256
"""Where texels have their centres, x and y, lowest row first."""

RING = ~((np.hypot(*(TEXELS - 0.5).transpose(2, 0, 1)) < 0.4) & (np.hypot(*(TEXELS - 0.5).transpose(2, 0, 1)) > 0.2))
LEFT = TEXELS[..., 0] < 0.5


def card(key: str, matrix: np.ndarray, parts: int = 1, low: float = 0.0, high: float = 1.0, turn: float = 0.0) -> Thing:
    """A square of so many squares each way, from -1 to 1, that wears a part of an image, turned by an angle."""
    line = np.linspace(-1.0, 1.0, parts + 1)
    x, y = np.meshgrid(line, line)
    vertices = np.stack([x, y, 0.0 * x], axis=-1).reshape(-1, 3)
    number = np.arange((parts + 1) ** 2).reshape(parts + 1, parts + 1)
    a, b, c, d = (each.ravel() for each in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    laid = vertices[:, :2] @ rotation(2, turn)[:2, :2].T
    uvs = (low + (high - low) * (laid + 1) / 2)[triangles]
    identities = np.arange(1, len(vertices) + 1)
    return Thing(key, vertices, triangles, matrix, uvs=uvs, slot_masks=(0,), identities=identities)


def pixels_of(strokes: Strokes, which: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The pixels that strokes go through."""
    drawn = np.zeros(shape, bool)
    for first, last in strokes.position[strokes.segments(which)]:
        steps = np.linspace(0.0, 1.0, int(np.ceil(8 * np.hypot(*(last - first)))) + 2)[:, None]
        x, y = np.rint(first + steps * (last - first)).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
        drawn[y[inside], x[inside]] = True
    return drawn


def grown(there: np.ndarray) -> np.ndarray:
    """Pixels, and all around them."""
    padded = np.pad(there, 1)
    height, width = there.shape
    return np.logical_or.reduce(
        [padded[down : down + height, right : right + width] for down in range(3) for right in range(3)]
    )


def borders_of(geometry: FrameGeometry) -> np.ndarray:
    """Pixels beside which another instance is seen, or none."""
    seen = raster.draw(geometry).instance
    beside = np.zeros(seen.shape, bool)
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        differs = seen[here] != seen[there]
        beside[here] |= differs
        beside[there] |= differs
    return beside


def count(strokes: Strokes, name: str, *, hidden: bool = False) -> int:
    return int(((strokes.kind == {v: k for k, v in STROKE_KINDS.items()}[name]) & (strokes.hidden == hidden)).sum())


@pytest.mark.parametrize("parts", [1, 5])
def test_a_ring_has_two_outlines_that_are_circles(parts: int) -> None:
    geometry = frame(1, CAMERA, [card("ring", translation(0.3, 0.1, -5), parts)], masks(RING))
    strokes = find_strokes(geometry, ALL)
    assert (strokes.kind == HOLE).all()
    assert len(strokes) == 2
    for number in range(2):
        points = strokes.points(number)
        assert points[0] == points[-1]
    middle = project(CAMERA, np.array([[0.3, 0.1, -5.0]]))[0]
    scale = project(CAMERA, np.array([[1.3, 0.1, -5.0]]))[0, 0] - middle[0]
    away = np.hypot(*(strokes.position - middle).T) / scale / 2.0
    texel = 1.0 / 256
    # the circle goes through the texels, so points on their corners lie a diagonal beside it at most
    error = np.minimum(np.abs(away - 0.4), np.abs(away - 0.2))
    assert error.max() < np.sqrt(2.0) * texel
    for radius in (0.2, 0.4):
        assert (np.abs(away - radius) < 0.02).sum() >= 8


@pytest.mark.parametrize("extension", [REPEAT, MIRROR, EXTEND, CLIP], ids=["repeat", "mirror", "extend", "clip"])
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_strokes_are_where_surfaces_end_in_the_picture(extension: int, turn: float) -> None:
    """Blobs on an image that a slanted card wears beyond its borders, whatever lies there."""
    blobs = np.zeros((48, 64), bool)
    y, x = np.mgrid[:48, :64]
    for column, row, radius in ((10, 12, 9), (50, 40, 13), (40, 10, 7), (63, 22, 8)):
        blobs |= np.hypot(x - column, y - row) < radius
    leaning = translation(0.0, 0.2, -4.5) @ rotation(1, 0.5) @ rotation(0, 0.4) @ np.diag([1.4, 1.4, 1, 1])
    geometry = frame(1, CAMERA, [card("card", leaning, 3, -0.6, 1.7, turn)], masks(blobs, extensions=[extension]))
    strokes = find_strokes(geometry, ALL)
    beside = borders_of(geometry)
    drawn = pixels_of(strokes, ~strokes.hidden, beside.shape)
    assert beside.sum() > 500
    # what is narrower than a pixel has a stroke around it and no pixel
    assert grown(beside)[drawn].mean() > 0.985
    assert grown(drawn)[beside].mean() > 0.999


def test_a_card_that_ends_before_its_image_has_borders_where_it_is_there() -> None:
    """The left half of the image is a hole, up to the card's edge; the image begins anew behind it."""
    geometry = frame(1, scenes.camera(half_width=2.0), [card("card", translation(0, 0, -5), 2)], masks(LEFT))
    strokes = find_strokes(geometry, ALL)
    scale = scenes.WIDTH / 4.0
    lengths = {}
    for kind in np.unique(strokes.kind).tolist():
        first, last = strokes.position[strokes.segments(strokes.kind == kind)].transpose(1, 0, 2)
        lengths[STROKE_KINDS[kind]] = np.hypot(*(last - first).T).sum() / scale
    # the middle is an edge of the mesh: on one side of it there is a surface, and none on the other
    assert lengths == {"border": pytest.approx(2.0 + 2.0 + 1.0 + 1.0, abs=1e-6)}
    assert strokes.position[:, 0].min() == pytest.approx(scenes.WIDTH / 2 - 0.5, abs=1e-6)


def test_an_outline_within_a_face_ends_at_the_edges_of_the_card() -> None:
    geometry = frame(1, scenes.camera(half_width=2.0), [card("card", translation(0, 0, -5), 1)], masks(LEFT))
    strokes = find_strokes(geometry, ALL)
    assert count(strokes, "hole") == 1
    outline = strokes.polyline(int(np.flatnonzero(strokes.kind == HOLE)[0]))
    np.testing.assert_allclose(outline[:, 0], scenes.WIDTH / 2 - 0.5, atol=1e-6)
    assert np.ptp(outline[:, 1]) == pytest.approx(2.0 * scenes.WIDTH / 4.0, abs=1e-6)


def test_points_stick_to_the_surface_from_frame_to_frame() -> None:
    here = card("ring", translation(0.3, 0.1, -5), 3)
    there = replace(here, matrix=translation(0.1, -0.2, -4.9) @ rotation(1, 0.2))
    finder = HoleOutlineFinder()
    one, other = (frame(k, CAMERA, [thing], masks(RING)) for k, thing in enumerate((here, there), 1))
    first, second = find_strokes(one, ALL, outliner=finder), find_strokes(other, ALL, outliner=finder)
    pairs = first.matches(second)
    assert len(pairs) == len(first.position)
    assert first.within().sum() > 20
    assert first.corners is not None
    assert first.shares is not None
    within = pairs[first.within()[pairs[:, 0]]]
    shares, corners = first.shares[within[:, 0]], first.corners[within[:, 0]]
    local = (shares[..., None] * here.vertices[corners]).sum(axis=1)
    for strokes, thing, column in ((first, here, 0), (second, there, 1)):
        world = local @ thing.matrix[:3, :3].T + thing.matrix[:3, 3]
        np.testing.assert_allclose(project(CAMERA, world), strokes.position[within[:, column]], atol=1e-5)


def test_another_card_or_another_place_of_the_image_is_not_the_same() -> None:
    here = frame(1, CAMERA, [card("ring", translation(0.3, 0.1, -5), 1)], masks(RING))
    renamed = frame(2, CAMERA, [card("other", translation(0.3, 0.1, -5), 1)], masks(RING))
    slid = frame(2, CAMERA, [card("ring", translation(0.3, 0.1, -5), 1, 0.01, 1.01)], masks(RING))
    strokes = find_strokes(here, ALL)
    for other in (renamed, slid):
        pairs = strokes.matches(find_strokes(other, ALL))
        assert not strokes.within()[pairs[:, 0]].any()


def test_farther_away_fewer_of_the_same_points_stay() -> None:
    near, far = (frame(1, CAMERA, [card("ring", translation(0.0, 0.0, z))], masks(RING)) for z in (-3.0, -12.0))
    first, second = find_strokes(near, ALL), find_strokes(far, ALL)
    assert len(second.position) < len(first.position) / 2
    within = second.within()
    assert within[second.matches(first)[:, 0]].sum() == within.sum()


def test_what_lies_before_an_outline_hides_it() -> None:
    ring = card("ring", translation(0.0, 0.0, -5))
    box = cube("box", translation(0.0, -0.6, -3.5) @ np.diag([0.3, 0.3, 0.3, 1.0]))
    geometry = frame(1, CAMERA, [ring, box], masks(RING))
    strokes = find_strokes(geometry, ALL)
    assert count(strokes, "hole", hidden=True) >= 1
    assert count(strokes, "hole") >= 1
    beside = borders_of(geometry)
    drawn = pixels_of(strokes, ~strokes.hidden & (strokes.kind == HOLE), beside.shape)
    assert grown(beside)[drawn].all()
    # where it disappears it is no point of the image
    ends = np.concatenate([strokes.points(k)[[0, -1]] for k in np.flatnonzero((strokes.kind == HOLE) & strokes.hidden)])
    assert (strokes.identity[ends] == 0).all()


def test_without_holes_nothing_is_said_of_faces() -> None:
    strokes = find_strokes(frame(1, CAMERA, [cube("box", translation(0, 0, -5))]), ALL)
    assert strokes.corners is None
    assert strokes.shares is None
    assert not strokes.within().any()


def test_a_frame_with_too_many_pieces_has_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = frame(1, CAMERA, [card("ring", translation(0.3, 0.1, -5), 1)], masks(RING))
    monkeypatch.setattr(hole_outlines, "MOST", 10)
    assert len(find_strokes(geometry, ALL)) == 0


@pytest.mark.parametrize("high", [1e7, 1e30, np.nan])
def test_an_image_that_is_repeated_without_end_has_no_outlines(high: float) -> None:
    geometry = frame(1, CAMERA, [card("ring", translation(0.3, 0.1, -5), 1, 0.0, high)], masks(RING))
    assert len(find_strokes(geometry, ALL)) == 0


def test_an_image_of_nothing_but_dots_is_followed_in_parts() -> None:
    dots = np.random.default_rng(3).random((256, 256)) < 0.5
    geometry = frame(1, CAMERA, [card("dots", translation(0, 0, -3), 1)], masks(dots))
    strokes = find_strokes(geometry, ALL)
    beside = borders_of(geometry)
    drawn = pixels_of(strokes, ~strokes.hidden, beside.shape)
    assert grown(drawn)[beside].mean() > 0.999


def test_outlines_are_strokes_where_borders_are() -> None:
    geometry = frame(1, CAMERA, [card("ring", translation(0.3, 0.1, -5), 1)], masks(RING))
    assert len(find_strokes(geometry, replace(ALL, borders=False))) == 0


def test_an_outline_that_leaves_the_picture_ends_at_its_border() -> None:
    seen_by: Camera = scenes.camera(half_width=1.5)
    geometry = frame(1, seen_by, [card("ring", translation(1.4, 0.0, -5), 1)], masks(RING))
    strokes = find_strokes(geometry, ALL)
    assert strokes.position[:, 0].max() == pytest.approx(scenes.WIDTH - 0.5, abs=1e-9)
    at_border = np.abs(strokes.position[:, 0] - (scenes.WIDTH - 0.5)) < 1e-9
    assert at_border.sum() == 4
    assert (strokes.identity[at_border] == 0).all()
