from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animerun_gen.quality.agreement import id_agreement, label_picture_agreement

COLORS = {0: (0, 0, 0), 1: (255, 255, 255), 7: (10, 20, 30), 9: None, 65535: (200, 100, 50)}


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_equals_the_slow_reference(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    ids = random.choice([0, 1, 7, 8, 9, 65535], (height, width)).astype(np.uint16)
    flat = np.zeros((height, width, 3), np.uint8)
    agreeing = compared = 0
    for row in range(height):
        for column in range(width):
            color = COLORS.get(int(ids[row, column]), (1, 2, 3))
            off = random.choice([-2, -1, 0, 0, 0, 1, 2], 3)
            flat[row, column] = np.clip(np.array(color or (5, 5, 5)) + off, 0, 255)
            if ids[row, column] == 9:
                continue
            compared += 1
            known = COLORS.get(int(ids[row, column]))
            agreeing += known is not None and all(
                abs(int(a) - b) <= 1 for a, b in zip(flat[row, column], known, strict=True)
            )
    found = label_picture_agreement(flat, ids, COLORS)
    assert found.compared == compared / ids.size
    assert found.share == (agreeing / compared if compared else None)
    assert found.odd == compared - agreeing


def test_nothing_to_compare_gives_none_and_an_id_without_a_color_agrees_with_nothing() -> None:
    flat, ids = np.zeros((2, 3, 3), np.uint8), np.full((2, 3), 9, np.uint16)
    assert label_picture_agreement(flat, ids, COLORS) == (None, 0, 0)
    assert label_picture_agreement(flat, ids, {}) == (0, 1, 6)


def test_wrong_arrays_and_colors_are_refused() -> None:
    flat, ids = np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), np.uint16)
    with pytest.raises(ValueError, match="must have the shape"):
        label_picture_agreement(flat[:1], ids, COLORS)
    with pytest.raises(ValueError, match="must be uint8, not float64"):
        label_picture_agreement(flat.astype(float), ids, COLORS)
    with pytest.raises(ValueError, match="uint16, not"):
        label_picture_agreement(flat, ids.astype(np.int64), COLORS)
    with pytest.raises(ValueError, match=r"colour of material 0 must lie in 0\.\.255"):
        label_picture_agreement(flat, ids, {0: (0, 0, 256)})
    with pytest.raises(ValueError, match="rendered ids must have the shape"):
        id_agreement(ids[:1], ids)


def test_id_agreement_is_the_share_of_equal_ids() -> None:
    ids = np.arange(12, dtype=np.uint16).reshape(3, 4)
    rendered = ids.copy()
    assert id_agreement(rendered, ids) == 1
    rendered[1, :3] = 65535
    assert id_agreement(rendered, ids) == 0.75
