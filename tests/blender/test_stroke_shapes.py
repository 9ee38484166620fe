"""What stands for strokes and fills: where it is seen, what lies over what, and which vertex is which."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from animerun_gen.blender.stroke_shapes import Shapes, Strokes, View, build_shapes

FAN = np.array([[0, 1, 2], [0, 2, 3]], np.int64)


def turned(angle: float) -> np.ndarray:
    """About the vertical axis (y of the view)."""
    matrix = np.eye(4)
    matrix[0, 0] = matrix[2, 2] = math.cos(angle)
    matrix[0, 2], matrix[2, 0] = math.sin(angle), -math.sin(angle)
    return matrix


def view(angle: float = 0.0, place: tuple[float, float, float] = (0.0, 0.0, -6.0), ortho: bool = False) -> View:
    """An object six units before the camera, turned by an angle."""
    matrix = turned(angle)
    matrix[:3, 3] = place
    return View(matrix, ortho, 0.1, 100.0, (0.5, 0.5) if not ortho else (3.0, 3.0))


def strokes(*lines: np.ndarray, radius: float = 0.1, fills: bool = False, cyclic: bool = False) -> Strokes:
    """Strokes of one radius and material, of points that are numbered."""
    counts = np.array([len(line) for line in lines], np.int64)
    points, number = np.concatenate(lines).astype(np.float64), len(lines)
    return Strokes(
        counts=counts,
        layers=np.zeros(number, np.int64),
        by_order=True,
        points=points,
        radii=np.full(len(points), radius),
        shown=np.ones(len(points), bool),
        identities=np.arange(1, len(points) + 1, dtype=np.uint64),
        cyclic=np.full(number, cyclic),
        round_start=np.ones(number, bool),
        round_end=np.ones(number, bool),
        dots=np.zeros(number, bool),
        has_stroke=np.ones(number, bool),
        has_fill=np.full(number, fills),
        stroke_slot=2 * np.arange(number),
        fill_slot=2 * np.arange(number) + 1,
        stroke_colors=np.zeros((number, 3)),
        fill_colors=np.ones((number, 3)),
    )


NO_FILLS = [np.empty((0, 3), np.int64)] * 8


def seen(shapes: Shapes, of: View) -> np.ndarray:
    """Vertices in view coordinates."""
    return shapes.vertices @ of.matrix[:3, :3].T + of.matrix[:3, 3]


def on_picture(places: np.ndarray, of: View) -> np.ndarray:
    return places[:, :2] if of.is_orthographic else places[:, :2] / -places[:, 2:]


def covered(shapes: Shapes, of: View, points: np.ndarray, slot: int | None = None) -> np.ndarray:
    """The nearest distance along the view axis at points of the picture, by asking every triangle; inf for none."""
    places = seen(shapes, of)
    flat = on_picture(places, of)
    nearest = np.full(len(points), np.inf)
    for corners, own in zip(shapes.triangles, shapes.slots, strict=True):
        if slot is not None and own != slot:
            continue
        a, b, c = flat[corners]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0.0:
            continue
        v = ((points[:, 0] - a[0]) * (c[1] - a[1]) - (points[:, 1] - a[1]) * (c[0] - a[0])) / area
        w = ((b[0] - a[0]) * (points[:, 1] - a[1]) - (b[1] - a[1]) * (points[:, 0] - a[0])) / area
        away = -places[corners, 2]
        # depth is harmonic over a triangle that is seen in perspective
        mixed = (1 - v - w) * away[0] + v * away[1] + w * away[2]
        if not of.is_orthographic:
            mixed = 1.0 / ((1 - v - w) / away[0] + v / away[1] + w / away[2])
        inside = (v >= 0) & (w >= 0) & (v + w <= 1)
        nearest = np.where(inside & (mixed < nearest), mixed, nearest)
    return nearest


WAVE = np.stack([np.linspace(-2, 2, 40), 0.4 * np.sin(np.linspace(0, 6, 40)), np.zeros(40)], axis=1)
KINK = np.array([(-1.5, -1, 0), (0, 1, 0), (1.5, -1, 0), (-1.5, 0.3, 0)], float)


@pytest.mark.parametrize("line", [WAVE, KINK], ids=["wave", "kink"])
@pytest.mark.parametrize("ortho", [False, True])
def test_a_stroke_covers_what_is_nearer_to_it_than_its_radius(line: np.ndarray, ortho: bool) -> None:
    """As Blender draws it: across the line of sight, whichever way the drawing is turned."""
    of = view(0.0, ortho=ortho)
    shapes = build_shapes(strokes(line), NO_FILLS, of)
    scale = 1.0 if ortho else 1.0 / 6.0
    x, y = np.meshgrid(np.linspace(-2.4, 2.4, 121), np.linspace(-1.4, 1.4, 71))
    points = scale * np.stack([x.ravel(), y.ravel()], axis=1)
    distance = np.full(len(points), np.inf)
    for a, b in zip(scale * line[:-1, :2], scale * line[1:, :2], strict=True):
        along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        distance = np.minimum(distance, np.linalg.norm(points - a - along[:, None] * (b - a), axis=1))
    inked = np.isfinite(covered(shapes, of, points))
    # half circles are polygons of six corners, which lack 3.4 % of the radius at most
    assert inked[distance < 0.095 * scale].all()
    assert not inked[distance > 0.105 * scale].any()


def test_a_turned_stroke_keeps_its_width_in_the_picture() -> None:
    line = np.stack([np.linspace(-1, 1, 9), np.zeros(9), np.zeros(9)], axis=1)
    for angle in (0.0, 0.7, 1.3):
        of = view(angle)
        shapes = build_shapes(strokes(line), NO_FILLS, of)
        # at the middle, which stays six units away
        points = np.stack([np.zeros(401), np.linspace(-0.04, 0.04, 401)], axis=1)
        inked = np.isfinite(covered(shapes, of, points))
        assert inked.sum() * 0.0002 == pytest.approx(2 * 0.1 / 6.0, abs=0.0005)


SHEET = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], float)


@pytest.mark.parametrize("ortho", [False, True])
@pytest.mark.parametrize("angle", [0.0, 0.6, -1.1])
def test_what_is_drawn_later_lies_over_what_was_drawn_before(angle: float, ortho: bool) -> None:
    """A fill with its stroke, a smaller one on it, and a line on top: in one plane, seen from any side."""
    of = view(angle, ortho=ortho)
    drawn = strokes(SHEET, 0.5 * SHEET, WAVE, fills=True, cyclic=True)
    drawn = replace(drawn, has_fill=np.array([True, True, False]), cyclic=np.array([True, True, False]))
    shapes = build_shapes(drawn, [FAN, FAN, NO_FILLS[0]], of)
    low, high = (-0.4, 0.4) if not ortho else (-2.5, 2.5)
    x, y = np.meshgrid(np.linspace(low, high, 61), np.linspace(low, high, 61))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    depths = [covered(shapes, of, points, slot) for slot in (1, 0, 3, 2, 4)]
    compared = 0
    for lower, depth in enumerate(depths):
        for above in depths[lower + 1 :]:
            both = np.isfinite(depth) & np.isfinite(above)
            compared += both.sum()
            assert (above[both] < depth[both]).all()
            assert (above[both] > 0.99 * depth[both]).all()
    assert compared > 200


def test_order_moves_nothing_in_the_picture() -> None:
    of = view(0.4)
    drawn = strokes(*[SHEET + np.array([0, 0.01 * number, 0]) for number in range(30)], fills=True, cyclic=True)
    shapes = build_shapes(drawn, [FAN] * 30, of)
    corners = np.unique(shapes.triangles[shapes.slots % 2 == 1])
    expected = on_picture(drawn.points @ of.matrix[:3, :3].T + of.matrix[:3, 3], of)
    assert np.abs(on_picture(seen(shapes, of), of)[corners] - expected).max() < 1e-12


def test_a_vertex_keeps_its_identity_whatever_the_view_and_has_it_alone() -> None:
    drawn = strokes(WAVE, KINK, radius=0.05)
    one = build_shapes(drawn, NO_FILLS, view(0.1))
    other = build_shapes(drawn, NO_FILLS, view(0.4, (0.5, 0.2, -9.0)))
    assert np.array_equal(one.triangles, other.triangles)
    assert np.array_equal(one.identities, other.identities)
    assert len(np.unique(one.identities)) == len(one.identities)
    assert (one.identities != 0).all()
    redrawn = build_shapes(replace(drawn, identities=drawn.identities + np.uint64(1000)), NO_FILLS, view(0.1))
    assert not np.isin(redrawn.identities, one.identities).any()
    unknown = build_shapes(replace(drawn, identities=np.zeros_like(drawn.identities)), NO_FILLS, view(0.1))
    assert (unknown.identities == 0).all()


def test_what_is_clear_or_goes_nowhere() -> None:
    of = view()
    clear = replace(strokes(WAVE), shown=np.arange(40) >= 20)
    places = seen(build_shapes(clear, NO_FILLS, of), of)
    used = build_shapes(clear, NO_FILLS, of).triangles
    assert places[used.ravel(), 0].min() > WAVE[18, 0] - 0.2
    dot = build_shapes(strokes(np.zeros((3, 3))), NO_FILLS, of)
    spread = np.abs(seen(dot, of)[:, :2]).max(axis=0)
    assert spread == pytest.approx([0.1, 0.1], rel=1e-3)
    assert len(build_shapes(replace(strokes(WAVE), has_stroke=np.zeros(1, bool)), NO_FILLS, of).triangles) == 0


def test_a_stroke_that_leads_to_behind_the_camera_is_still_finite() -> None:
    line = np.array([(0, 0, -2), (0.1, 0, 3), (0.2, 0, 9), (0.2, 0, 9), (0.4, 0.1, -3)], float)
    shapes = build_shapes(strokes(line), NO_FILLS, view())
    assert np.isfinite(shapes.vertices).all()
