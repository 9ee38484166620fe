"""Lines as the frame shows them: where they lie, what they cover, in which colour, and where they are open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from animerun_gen.lines.contours import Contours, find_contours
from animerun_gen.lines.hand import HandFinder
from animerun_gen.lines.kernels.inking import cover
from animerun_gen.lines.kinds import LineKind
from animerun_gen.lines.styled import Rule, StyledLines, StyleSettings, draw_styled
from animerun_gen.lines.surface_edges import SurfaceEdgeFinder
from animerun_gen.motion import companions, raster
from animerun_gen.motion.geometry import FrameGeometry
from animerun_gen.motion.islands import IslandFinder
from tests.lines.test_contours import EVERYTHING, larger, leaks, sphere
from tests.motion.synthetic import Thing, camera, cube, frame, orthographic, perspective, rotation, translation

VIEW = larger(camera(perspective(1.2)), 96, 64)
ALL = np.ones(1 << 16, bool)
NONE = np.zeros(1 << 16, bool)


def drawn(geometry: FrameGeometry, settings: StyleSettings, flat: np.ndarray | None = None) -> StyledLines:
    contours, seen = found(geometry), raster.draw(geometry)
    picture = np.full((*seen.instance.shape, 3), 200, np.uint8) if flat is None else flat
    objects, materials = companions.object_id_map(geometry, seen), companions.material_id_map(geometry, seen)
    hand = HandFinder(settings.seed).find(geometry)
    return draw_styled(geometry, seen, contours, picture, objects, materials, settings, hand)


def found(geometry: FrameGeometry) -> Contours:
    edges = SurfaceEdgeFinder().find(geometry)
    return find_contours(geometry, raster.draw(geometry), IslandFinder().find(geometry), EVERYTHING, edges)


def ball(x: float = 0.0, radius: float = 1.0, rings: int = 20, key: str = "ball") -> Thing:
    thing = sphere(key, translation(x, 0.05, -4.0) @ np.diag([radius, radius, radius, 1.0]), rings)
    return replace(thing, identities=np.arange(1, len(thing.vertices) + 1))


def ids(*numbers: int) -> np.ndarray:
    chosen = NONE.copy()
    chosen[list(numbers)] = True
    return chosen


def test_a_segment_covers_pixels_as_a_strip_of_its_width_does() -> None:
    """Against the share of the strip in a pixel, by many points, for lines along rows."""
    for width in (0.4, 1.0, 2.3):
        for offset in (0.0, 0.3, 0.5):
            coverage, nearest = np.zeros((9, 30), np.float32), np.full((9, 30), -1, np.int32)
            points = np.array([[-5.0, 4.0 + offset], [40.0, 4.0 + offset]])
            cover(points, np.full(2, width), np.array([[0, 1]], np.int32), coverage, nearest)
            within = np.abs(np.arange(-0.5, 8.5, 0.001) - (4.0 + offset)) <= width / 2
            expected = within.reshape(9, 1000).mean(axis=1)
            assert np.allclose(coverage, expected[:, None], atol=2e-3)
            assert ((nearest == 0) == (coverage > 0)).all()


@pytest.mark.parametrize("thickness", [0.6, 1.0, 2.5])
def test_the_outline_of_a_ball_lies_on_its_silhouette_whatever_the_pixels(thickness: float) -> None:
    """Orthographic, so that the silhouette is a circle: the ink's amount and its mean radius are those of the ring."""
    view = larger(camera(orthographic(2.0)), 96, 64)
    scale = 96 / 4.0
    for x in (0.0, 0.013, 0.027):
        art = drawn(frame(1, view, [ball(x, rings=90)]), StyleSettings(thickness=thickness, antialias=True))
        ink = art.coverage / 255.0
        rows, columns = np.mgrid[:64, :96]
        middle = (47.5 + x * scale, 31.5 - 0.05 * scale)
        radius = np.hypot(columns - middle[0], rows - middle[1])
        assert ink.sum() == pytest.approx(2 * math.pi * scale * thickness, rel=0.1)
        assert (ink * radius).sum() / ink.sum() == pytest.approx(scale, abs=0.25)


def test_hard_lines_of_one_pixel_part_what_the_line_art_parts() -> None:
    geometry = frame(1, VIEW, [ball(-0.8), cube("box", translation(1.0, 0.2, -4.5) @ rotation(1, 0.5))])
    art = drawn(geometry, StyleSettings(thickness=1.0))
    assert set(np.unique(art.coverage)) == {0, 255}
    assert leaks(raster.draw(geometry).instance, art.coverage > 0) == 0


def test_rules_give_colour_and_thickness_and_the_first_that_fits_counts() -> None:
    box = cube("box", translation(1.7, 0.2, -4.5) @ rotation(1, 0.5) @ rotation(0, 0.4))
    geometry = frame(1, VIEW, [ball(-1.5), box])
    rules = [
        Rule(frozenset({LineKind.CREASE}), ids(2), NONE, (250, 0, 0), 3.0),
        Rule(frozenset(), ids(2), NONE, (0, 250, 0), 1.0),
        Rule(frozenset(), ALL, ALL, None, 0.5),
    ]
    art = drawn(geometry, StyleSettings(color=(1, 2, 3), thickness=1.0, antialias=True, rules=rules))
    colors = {tuple(color) for color in art.ink[art.coverage > 0].tolist()}
    assert colors == {(250, 0, 0), (0, 250, 0), (1, 2, 3)}
    right = art.ink[:, 48:][art.coverage[:, 48:] > 0]
    assert (1, 2, 3) not in {tuple(color) for color in right.tolist()}
    assert art.coverage[(art.ink == (250, 0, 0)).all(axis=2)].max() == 255
    assert art.coverage[:, :48].max() <= 128


def test_an_automatic_colour_is_a_darker_tone_of_what_is_beside_the_line() -> None:
    geometry = frame(1, VIEW, [ball(-1.5), ball(1.5, key="other")])
    flat = np.full((64, 96, 3), 255, np.uint8)
    instance = raster.draw(geometry).instance
    flat[instance == 0], flat[instance == 1] = (240, 150, 130), (100, 140, 230)
    rule = Rule(frozenset(), ALL, ALL, "auto", 1.0)
    art = drawn(geometry, StyleSettings(thickness=2.0, rules=[rule]), flat)
    for half, (channel, other) in ((np.s_[:, :48], (0, 2)), (np.s_[:, 48:], (2, 0))):
        ink = art.ink[half][art.coverage[half] > 0]
        assert len(np.unique(ink, axis=0)) == 1
        assert ink[0, channel] > ink[0, other]
        assert ink.max() < 140


def test_lines_get_thinner_with_the_distance() -> None:
    near, far = (
        ball(-1.0),
        replace(ball(3.0, 2.0, key="far"), matrix=translation(2.0, 0.1, -8.0) @ np.diag([2, 2, 2, 1])),
    )
    settings = StyleSettings(thickness=2.0, antialias=True, near=4.0, far=8.0, far_thickness=0.5)
    geometry = frame(1, VIEW, [near, far])
    thinner, usual = drawn(geometry, settings), drawn(geometry, replace(settings, far_thickness=1.0))
    left, right = np.s_[:, :47], np.s_[:, 49:]
    assert thinner.coverage[left].sum() == pytest.approx(usual.coverage[left].sum(), rel=0.02)
    assert thinner.coverage[right].sum() == pytest.approx(0.55 * usual.coverage[right].sum(), rel=0.12)


def test_a_hand_moves_lines_by_about_its_offset_and_goes_along_with_the_object() -> None:
    geometry = frame(1, VIEW, [ball()])
    plain = StyleSettings(thickness=1.5, antialias=True)
    hand = replace(plain, hand_offset=1.0, hand_thickness=0.3, seed=4)
    one, still = drawn(geometry, hand), drawn(geometry, plain)
    assert not np.array_equal(one.coverage, still.coverage)
    # every pixel of the line is near the usual one
    rows, columns = np.nonzero(still.coverage)
    for row, column in np.argwhere(one.coverage > 0):
        assert np.hypot(rows - row, columns - column).min() <= 4.6
    # a camera whose picture moves by whole pixels takes the wobble along
    moved = replace(VIEW, projection=VIEW.projection.copy())
    moved.projection[0, 2] += 2 * 7 / 96
    there = drawn(replace(geometry, camera=moved), hand)
    assert np.abs(there.coverage[:, :-7].astype(int) - one.coverage[:, 7:]).max() <= 1
    assert np.array_equal(drawn(geometry, hand).coverage, one.coverage)
    assert not np.array_equal(drawn(geometry, replace(hand, seed=5)).coverage, one.coverage)


def openings(things: Sequence[Thing], share: float, seed: int = 1, radius: float = 2.0) -> StyledLines:
    return drawn(frame(1, VIEW, things), StyleSettings(thickness=1.0, gap_share=share, gap_radius=radius, seed=seed))


def test_gaps_open_lines_by_their_radius_and_the_line_art_stays_closed() -> None:
    things = [ball(), cube("box", translation(0.5, 0.2, -5.5) @ rotation(1, 0.5))]
    geometry = frame(1, VIEW, things)
    closed = found(geometry).line_art == 0
    none, some, every = (openings(things, share) for share in (0.0, 0.4, 1.0))
    assert not none.gaps.any()
    opened = [int((art.gaps > 0).sum()) for art in (some, every)]
    assert 0 < opened[0] < opened[1] < closed.sum()
    for art in (some, every):
        assert set(np.unique(art.gaps)) == {0, 2}
        assert not (art.gaps[~closed] > 0).any()
        assert not art.coverage[art.gaps > 0].any()
        # what is left is what there is without gaps
        assert np.array_equal(art.coverage[art.coverage > 0], none.coverage[art.coverage > 0])
    # of each place that is open in some, all are
    assert not ((some.gaps > 0) & (every.gaps == 0)).any()
    assert openings(things, 1.0, radius=3.4).gaps.max() == 3


def test_gaps_stay_where_they_are_on_a_surface_that_moves() -> None:
    view = larger(camera(orthographic(2.0)), 96, 64)
    settings = StyleSettings(thickness=1.0, gap_share=0.5, gap_radius=2.0, seed=1)
    step = 4.0 / 96
    one, two = (drawn(frame(n, view, [ball(5 * n * step)]), settings) for n in (0, 1))
    assert one.gaps.any()
    differ = (one.gaps[:, :-5] > 0) != (two.gaps[:, 5:] > 0)
    assert differ.sum() <= 0.1 * (one.gaps > 0).sum()


def test_lines_that_the_line_art_has_lost_are_not_drawn() -> None:
    geometry = frame(1, VIEW, [ball(-1.0), ball(1.0, key="other")])
    seen, contours = raster.draw(geometry), found(geometry)
    left = contours.line_art.copy()
    left[:, 48:] = 255
    ids_of = companions.object_id_map(geometry, seen), companions.material_id_map(geometry, seen)
    flat = np.zeros((64, 96, 3), np.uint8)
    art = draw_styled(geometry, seen, replace(contours, line_art=left), flat, *ids_of, StyleSettings(thickness=1.0))
    assert art.coverage[:, :46].any()
    assert not art.coverage[:, 50:].any()


def test_lines_are_laid_over_colours_by_what_they_cover() -> None:
    ink, coverage = np.zeros((1, 3, 3), np.uint8), np.array([[0, 51, 255]], np.uint8)
    ink[:] = (0, 100, 200)
    none = np.zeros((1, 3), np.uint8)
    art = StyledLines(ink, coverage, none, none, none.astype(np.int32), none.astype(np.uint16))
    assert art.over(np.full((1, 3, 3), 100, np.uint8)).tolist() == [[[100, 100, 100], [80, 100, 120], [0, 100, 200]]]
    assert art.on_white()[0, 0].tolist() == [255, 255, 255]


def test_an_empty_frame_has_no_lines() -> None:
    art = drawn(frame(1, VIEW, []), StyleSettings(antialias=True, hand_offset=1.0, gap_share=1.0))
    assert not art.coverage.any()
    assert not art.gaps.any()
