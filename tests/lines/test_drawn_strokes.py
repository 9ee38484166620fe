"""Strokes of the film itself: lines are drawn as if they were not there, and they are laid over them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from animerun_gen.config.model import Lines
from animerun_gen.lines import compose
from animerun_gen.lines.contours import ContourSettings, draw_contours
from animerun_gen.lines.drawn_strokes import lay_strokes, stroke_pixels, without_strokes
from animerun_gen.lines.strokes import StrokeSettings, find_strokes
from animerun_gen.motion import raster
from animerun_gen.motion.islands import IslandFinder
from tests.motion.synthetic import camera, frame, perspective, plane, translation

INK = 7


def test_strokes_are_seen_through_and_laid_over() -> None:
    wall = plane("wall", translation(0, 0, -6))
    card = plane("card", translation(0, 0, -4))
    # the first of its triangles is a stroke, the second a fill
    card = replace(card, slots=(INK, 3), triangle_slots=np.array([0, 1]))
    # a drawing without fills
    sketch = replace(plane("sketch", translation(0.6, 0, -3), 0.3), slots=(INK,), triangle_slots=np.array([0, 0]))
    geometry = frame(1, camera(perspective(1.5)), [wall, card, sketch])
    seen = raster.draw(geometry)
    is_stroke = stroke_pixels(geometry, seen, [INK])
    assert 0 < is_stroke.sum() < is_stroke.size
    bare = without_strokes(geometry, [INK])
    behind = raster.draw(bare)
    unchanged = seen.depth == behind.depth
    assert unchanged[~is_stroke].all()
    # a pixel on the border between stroke and fill is the fill's, too
    assert unchanged[is_stroke].mean() < 0.1
    assert not (behind.instance == 2).any()
    assert not stroke_pixels(bare, behind, [INK]).any()
    assert (seen.triangle[(seen.instance == 1) & ~is_stroke] == 1).all()
    assert (behind.triangle[behind.instance == 1] == 0).all()
    # lines go by what is left: the border of the fill, the wall's, and nothing around strokes
    lines = draw_contours(bare, behind, IslandFinder().find(bare), ContourSettings())
    parted = compose.outline(behind.instance) < 255
    assert (lines == 0).any()
    assert not (lines[~cv2.dilate(parted.astype(np.uint8), np.ones((3, 3))).astype(bool)] == 0).any()
    settings = StrokeSettings.from_config(Lines(vector=True, engine="geometry"))
    assert set(np.unique(find_strokes(bare, settings).instance)) == {0, 1}
    whole = replace(geometry, faces=np.array([0, 0, 0, 1, 0, 1], np.int32))
    assert [without_strokes(whole, [INK]).mesh_faces(mesh).tolist() for mesh in range(3)] == [[0, 0], [1], []]
    # what has no strokes is what it was
    assert np.array_equal(without_strokes(geometry, [99]).triangles, geometry.triangles)

    line_art = np.full(is_stroke.shape, 255, np.uint8)
    line_art[5] = 0
    both, painted = lay_strokes(line_art, is_stroke)
    assert np.array_equal(both == 0, (line_art == 0) | is_stroke)
    assert np.array_equal(painted == 0, (line_art == 0) & ~is_stroke)
