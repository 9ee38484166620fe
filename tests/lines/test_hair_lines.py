from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.lines.hair_lines import MOST_INK, thin_hair_lines
from animerun_gen.motion.raster import BACKGROUND, VisibilityBuffer

HEIGHT, WIDTH = 60, 90


def buffer(instance: np.ndarray, depth: np.ndarray) -> VisibilityBuffer:
    return VisibilityBuffer(instance.astype(np.int32), np.zeros_like(instance, np.int32), depth.astype(np.float64))


def hatched(pitch: int, background: int = 20) -> tuple[np.ndarray, VisibilityBuffer]:
    """Locks side by side, each a little farther than the last, every fifth a lot, beside a background."""
    columns = np.arange(WIDTH)
    lock = columns // pitch
    depth = np.where(columns < background, np.inf, 5.0 + 0.01 * (lock % 2) + 0.5 * ((lock // 5) % 2))
    instance = np.where(columns < background, BACKGROUND, 1)
    lines = np.where((columns % pitch == 0) | (np.abs(columns - background) < 1), 0, 255)
    lines[:background] = np.where(columns[:background] == background - 1, 0, 255)
    art = np.tile(lines, (HEIGHT, 1)).astype(np.uint8)
    return art, buffer(np.tile(instance, (HEIGHT, 1)), np.tile(depth, (HEIGHT, 1)))


IS_HAIR = np.array([False, True])


def ink_share(art: np.ndarray, seen: VisibilityBuffer) -> float:
    return float((art < 128)[seen.instance == 1].mean())


def test_black_hatching_becomes_the_lines_at_the_largest_steps() -> None:
    art, seen = hatched(2)
    assert ink_share(art, seen) > 0.45
    thinned = thin_hair_lines(art, seen, IS_HAIR, 1.5)
    assert 0.02 < ink_share(thinned, seen) <= MOST_INK
    # no line is made
    assert (thinned >= art).all()
    drawn = np.flatnonzero((thinned[HEIGHT // 2] < 128) & (seen.instance[HEIGHT // 2] == 1))
    row = seen.depth[HEIGHT // 2]
    large = [max(abs(row[c] - row[c - 1]), abs(row[c + 1] - row[c])) > 0.1 for c in drawn if 25 < c < WIDTH - 5]
    assert large
    assert np.mean(large) > 0.5


def test_lines_that_are_not_crowded_stay_and_so_do_those_of_everything_else() -> None:
    art, seen = hatched(12)
    assert (thin_hair_lines(art, seen, IS_HAIR, 1.5) == art).all()
    crowded, seen = hatched(2)
    assert (thin_hair_lines(crowded, seen, np.array([False, False]), 1.5) == crowded).all()


@pytest.mark.parametrize("other", [BACKGROUND, 0, 2])
@pytest.mark.parametrize("pitch", [1, 2, 3])
def test_different_things_remain_parted(other: int, pitch: int) -> None:
    art, seen = hatched(pitch)
    instance = np.where(seen.instance == BACKGROUND, other, seen.instance)
    seen = buffer(instance, np.nan_to_num(seen.depth, posinf=9.0))
    thinned = thin_hair_lines(art, seen, np.array([False, True, True]), 1.5)
    borders = instance[:, :-1] != instance[:, 1:]
    inked = (thinned[:, :-1] < 128) | (thinned[:, 1:] < 128)
    assert inked[borders].all()
