from __future__ import annotations

import numpy as np
import pytest

from animerun_gen.color.hexadecimal import to_hex
from animerun_gen.color.oklab import distances, from_oklab, hex_to_oklab, to_oklab

# from CSS Color Module Level 4 and its test suite, not from our own code
KNOWN = {
    "#ffffff": (1.0, 0.0, 0.0),
    "#000000": (0.0, 0.0, 0.0),
    "#ff0000": (0.62796, 0.22486, 0.12585),
    "#00ff00": (0.86644, -0.23389, 0.17950),
    "#0000ff": (0.45201, -0.03246, -0.31153),
}


@pytest.mark.parametrize(("color", "lab"), KNOWN.items())
def test_known_colours(color: str, lab: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(hex_to_oklab([color])[0], lab, atol=2e-4)


def test_every_colour_comes_back_exactly() -> None:
    steps = np.arange(0, 256, 3, dtype=np.uint8)
    colors = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    np.testing.assert_array_equal(from_oklab(to_oklab(colors)), colors)


def test_what_no_screen_shows_keeps_lightness_and_hue() -> None:
    hue = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    for lightness in (0.3, 0.6, 0.85):
        wanted = np.stack([np.full(24, lightness), 0.45 * np.cos(hue), 0.45 * np.sin(hue)], axis=-1)
        shown = to_oklab(from_oklab(wanted))
        np.testing.assert_allclose(shown[:, 0], lightness, atol=0.01)
        turned = np.angle(np.exp(1j * (np.arctan2(shown[:, 2], shown[:, 1]) - hue)))
        assert np.abs(turned).max() < 0.05
        assert (np.hypot(shown[:, 1], shown[:, 2]) > 0.02).all()


def test_distances_are_those_of_euclid() -> None:
    lab = hex_to_oklab(["#102030", "#a0b0c0", "#ffee00"])
    apart = distances(lab, lab[:2])
    assert apart.shape == (3, 2)
    assert apart[2, 1] == pytest.approx(np.linalg.norm(lab[2] - lab[1]))
    assert apart[0, 0] == 0


def test_hex() -> None:
    assert to_hex(np.array([1, 35, 255], np.uint8)) == "#0123ff"
