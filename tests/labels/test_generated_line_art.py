from __future__ import annotations

from functools import partial
from typing import get_args

import cv2
import numpy as np
import pytest

from animerun_gen.labels.generated_line_art import Shapes, Style, generate_line_art

draw = partial(generate_line_art, width=240, height=180)


@pytest.mark.parametrize("shapes", get_args(Shapes))
@pytest.mark.parametrize("style", get_args(Style))
def test_gaps_break_the_lines_and_not_the_truth(shapes: Shapes, style: Style) -> None:
    whole = draw(shapes, 30, 1, thickness=3, style=style)
    broken = draw(shapes, 30, 1, thickness=3, style=style, gap_radius=2)
    assert np.array_equal(whole.truth, broken.truth)
    changed = whole.line_art != broken.line_art
    assert changed.any()
    assert np.all(broken.line_art[changed] == 255)
    again = draw(shapes, 30, 1, thickness=3, style=style, gap_radius=2)
    assert np.array_equal(broken.line_art, again.line_art)


@pytest.mark.parametrize("shapes", ["convex", "curved"])
def test_every_cell_is_a_region(shapes: Shapes) -> None:
    assert draw(shapes, 30, 2).region_count == 30


@pytest.mark.parametrize("shapes", get_args(Shapes))
@pytest.mark.parametrize("style", get_args(Style))
def test_closed_lines_hold_the_regions_apart(shapes: Shapes, style: Style) -> None:
    art = draw(shapes, 30, 3, thickness=2, style=style)
    darkest = art.line_art.reshape(*art.truth.shape, -1).min(axis=2)
    assert np.all(darkest[art.truth > 0] == 255)
    _, pieces = cv2.connectedComponents((art.truth > 0).view(np.uint8), connectivity=4)
    pairs = np.unique(np.stack([pieces[art.truth > 0], art.truth[art.truth > 0]]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1]


@pytest.mark.parametrize("thickness", [1, 2, 3, 4])
def test_lines_are_as_thick_as_they_should_be(thickness: int) -> None:
    art = draw("convex", 20, 4, thickness=thickness)
    lines = (art.line_art == 0).view(np.uint8)

    def fits(size: int) -> float:
        return float(cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones((size, size), np.uint8)).sum() / lines.sum())

    # Where lines meet there is room for more.
    assert fits(thickness + 3) < 0.1
    assert thickness == 1 or fits(thickness - 1) > 0.9
