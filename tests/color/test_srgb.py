from __future__ import annotations

import numpy as np

from animerun_gen.color.srgb import hex_to_linear, linear_to_hex, linear_to_srgb, srgb_to_linear


def test_known_values() -> None:
    # the standard's own knee, and middle grey by CSS Color Module Level 4
    linear = srgb_to_linear(np.array([0.0, 0.04045, 0.5, 1.0]))
    np.testing.assert_allclose(linear, [0.0, 0.0031308, 0.21404, 1.0], atol=1e-5)
    assert linear_to_hex((0.2158605, 0.0, 1.0)) == "#8000ff"


def test_every_level_comes_back() -> None:
    levels = np.arange(256) / 255.0
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(levels)), levels, atol=1e-12)
    assert all(linear_to_hex(hex_to_linear(f"#{level:02x}0000")) == f"#{level:02x}0000" for level in range(256))


def test_light_out_of_range_is_clipped() -> None:
    assert linear_to_hex((-1.0, 2.0, 0.0)) == "#00ff00"
