from __future__ import annotations

import time

import numpy as np

from animerun_gen.color.oklab import hex_to_oklab, to_oklab
from animerun_gen.recolor.repaint import Part, repaint

COLORS = {0: (10, 20, 30), 2: (200, 0, 0), 7: None}
GREYS = Part("#808080", "#2060c0", 0.2, 0.9)


def ramp(height: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """A texture from dark to light grey beside a plain material and the background."""
    materials = np.zeros((height, 300), np.uint16)
    materials[:, 20:276], materials[:, 276:] = 7, 2
    flat = np.empty((*materials.shape, 3), np.uint8)
    flat[:, :20], flat[:, 276:] = COLORS[0], COLORS[2]
    flat[:, 20:276] = np.arange(256)[:, None]
    return flat, materials


def test_plain_materials_become_exactly_the_colour_and_kept_ones_nothing() -> None:
    flat, materials = ramp()
    one, other = repaint(
        flat, materials, COLORS, [{2: (Part("#c80000", "#123456"),)}, {2: (Part("#c80000", "#fedcba"),)}]
    )
    assert (one[materials == 2] == (0x12, 0x34, 0x56)).all()
    assert (other[materials == 2] == (0xFE, 0xDC, 0xBA)).all()
    for picture in (one, other):
        np.testing.assert_array_equal(picture[materials != 2], flat[materials != 2])


def test_a_texture_keeps_the_order_of_its_lightness_about_the_new_colour() -> None:
    flat, materials = ramp()
    [painted] = repaint(flat, materials, COLORS, [{7: (GREYS,)}])
    before, after = (to_oklab(picture[0, 20 + 52 : 20 + 230]) for picture in (flat, painted))
    assert (np.diff(after[:, 0]) > -0.003).all()
    assert after[-1, 0] - after[0, 0] > 0.5 * (before[-1, 0] - before[0, 0])
    target = hex_to_oklab(["#2060c0"])[0]
    middle = to_oklab(painted[0, 20 + 128])
    np.testing.assert_allclose(middle, target, atol=0.01)
    # blue all over
    hues = np.arctan2(after[:, 2], after[:, 1]) - np.arctan2(target[2], target[1])
    assert np.abs(hues).max() < 0.15
    np.testing.assert_array_equal(painted[materials != 7], flat[materials != 7])


def test_near_the_ends_of_lightness_the_contrast_is_less_but_not_lost() -> None:
    flat, materials = ramp()
    [painted] = repaint(flat, materials, COLORS, [{7: (Part("#808080", "#f4f0ff", 0.2, 0.9),)}])
    lightness = to_oklab(painted[0, 20 + 40 : 20 + 220])[:, 0]
    assert (np.diff(lightness) > -0.003).all()
    assert lightness.max() < 1.0
    assert lightness[-1] - lightness[100] > 0.01


def test_the_parts_of_a_texture_move_on_their_own_and_without_a_seam() -> None:
    materials = np.full((4, 256), 7, np.uint16)
    flat = np.empty((4, 256, 3), np.uint8)
    share = np.linspace(0, 1, 256)[:, None]
    flat[:] = np.rint((1 - share) * (200, 40, 40) + share * (60, 60, 200))
    parts = (Part("#c82828", "#30a040", 0.3, 0.7), Part("#3c3cc8", "#f0d060", 0.3, 0.7))
    [painted] = repaint(flat, materials, COLORS, [{7: parts}])
    np.testing.assert_allclose(to_oklab(painted[0, [0, 255]]), hex_to_oklab(["#30a040", "#f0d060"]), atol=0.02)
    steps = np.abs(np.diff(to_oklab(painted[0]), axis=0)).max()
    assert steps < 0.03


def test_the_same_pixel_becomes_the_same_wherever_it_lies() -> None:
    rng = np.random.default_rng(3)
    flat = rng.integers(0, 256, (9, 9, 3)).astype(np.uint8)
    materials = np.full((9, 9), 7, np.uint16)
    order = rng.permutation(81)
    design = {7: (GREYS, Part("#c82828", "#30a040", 0.3, 0.7))}
    [painted] = repaint(flat, materials, COLORS, [design])
    [shuffled] = repaint(flat.reshape(81, 3)[order].reshape(9, 9, 3), materials, COLORS, [design])
    np.testing.assert_array_equal(painted.reshape(81, 3)[order], shuffled.reshape(81, 3))


def test_a_pass_of_a_frame_takes_less_than_50_ms() -> None:
    flat = np.random.default_rng(0).integers(0, 256, (540, 960, 3)).astype(np.uint8)
    materials = np.full((540, 960), 7, np.uint16)
    design = {7: (GREYS, Part("#c82828", "#30a040", 0.3, 0.7), Part("#3c3cc8", "#f0d060", 0.3, 0.7))}
    repaint(flat[:9], materials[:9], COLORS, [design] * 4)
    took = []
    for _ in range(3):
        start = time.process_time()
        repaint(flat, materials, COLORS, [design] * 4)
        took.append((time.process_time() - start) / 4)
    # noise is the worst case; the limit leaves room for a slow machine
    assert min(took) < 0.15
