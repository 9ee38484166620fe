"""Strokes of the film itself: lines are drawn as if they were not there, and they are laid over them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from animerun_gen.lines.drawn_strokes import lay_strokes, stroke_pixels, without_strokes
from animerun_gen.motion import raster
from tests.motion.synthetic import camera, frame, perspective, plane, translation

INK = 7


def test_strokes_are_seen_through_and_laid_over() -> None:
    wall = plane("wall", translation(0, 0, -6))
    card = plane("card", translation(0, 0, -4))
    # the first of its triangles is a fill, the second a stroke
    card = replace(card, slots=(3, INK), triangle_slots=np.array([0, 1]))
    geometry = frame(1, camera(perspective(1.5)), [wall, card])
    seen = raster.draw(geometry)
    is_stroke = stroke_pixels(geometry, seen, [INK])
    assert 0 < is_stroke.sum() < is_stroke.size
    bare = without_strokes(geometry, [INK])
    behind = raster.draw(bare)
    assert np.array_equal(seen.instance == behind.instance, ~is_stroke)
    assert not stroke_pixels(bare, behind, [INK]).any()
    assert np.array_equal(behind.triangle[~is_stroke], seen.triangle[~is_stroke])
    # what has no strokes is what it was
    assert np.array_equal(without_strokes(geometry, [99]).triangles, geometry.triangles)

    line_art = np.full(is_stroke.shape, 255, np.uint8)
    line_art[5] = 0
    both, painted = lay_strokes(line_art, is_stroke)
    assert np.array_equal(both == 0, (line_art == 0) | is_stroke)
    assert np.array_equal(painted == 0, (line_art == 0) & ~is_stroke)
