"""Colours as the eye compares them: Oklab.

Ottosson, "A perceptual color space for image processing", 2020, https://bottosson.github.io/posts/oklab.  It was chosen
over CIELAB because hue stays hue when chroma changes (CIELAB's blue turns violet), and because distances between the
saturated colours that animation is made of are more even there; both matter when colours are moved.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from animerun_gen.color import oklab_kernels
from animerun_gen.color.hexadecimal import rgb

TELLABLE = 0.05
"""Distance from which on two colours side by side are told apart without effort; the eye just sees about 0.02."""

FloatArray = npt.NDArray[np.float64]
U8Array = npt.NDArray[np.uint8]


def to_oklab(colors: U8Array) -> FloatArray:
    """Lightness in 0..1 and the green-red and blue-yellow axes.

    Args:
        colors: ``(..., 3)`` uint8, sRGB.

    Returns:
        ``(..., 3)`` float64.
    """
    flat = np.ascontiguousarray(colors).reshape(-1, 3)
    lab: FloatArray = oklab_kernels.colors_to_oklab(flat).reshape(colors.shape)
    return lab


def from_oklab(lab: FloatArray) -> U8Array:
    """The inverse of :func:`to_oklab`; a colour that no screen has keeps lightness and hue and loses chroma.

    Args:
        lab: ``(..., 3)`` float64.

    Returns:
        ``(..., 3)`` uint8, sRGB.
    """
    flat = np.ascontiguousarray(lab, np.float64).reshape(-1, 3)
    colors: U8Array = oklab_kernels.oklab_to_colors(flat).reshape(lab.shape)
    return colors


def hex_to_oklab(colors: Sequence[str]) -> FloatArray:
    """``(N, 3)`` float64 of colours such as ``"#20a0ff"``."""
    return to_oklab(np.array([rgb(color) for color in colors], np.uint8).reshape(-1, 3))


def distances(one: FloatArray, other: FloatArray) -> FloatArray:
    """How far colours are from each other, ``(N, M)`` of ``(N, 3)`` and ``(M, 3)`` in Oklab."""
    lengths: FloatArray = np.sqrt(((one[:, None] - other[None]) ** 2).sum(axis=-1))
    return lengths
