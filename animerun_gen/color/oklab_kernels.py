"""The compiled loops from bytes to Oklab and back."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.color.srgb import linear_to_srgb, srgb_to_linear

kernel = compiled.kernels(__name__)

_LEVELS = 1 << 16

_LINEAR = srgb_to_linear(np.arange(256) / 255.0)

# fine enough that a level is off by 0.05 at most, where sRGB is steepest
_TO_BYTE = np.rint(255.0 * linear_to_srgb(np.arange(_LEVELS) / (_LEVELS - 1))).astype(np.uint8)

_GAMUT_STEPS = 12
"""Halvings of the chroma when a colour is brought into the gamut: to 1/4096 of it."""


@kernel
def pixel_to_oklab(red, green, blue):  # type: ignore[no-untyped-def]
    r, g, b = _LINEAR[red], _LINEAR[green], _LINEAR[blue]
    long = np.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = np.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = np.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


@kernel
def _to_linear(lightness, a, b):  # type: ignore[no-untyped-def]
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


@kernel
def _is_shown(r, g, b):  # type: ignore[no-untyped-def]
    low, high = -1e-4, 1.0001
    return low <= r <= high and low <= g <= high and low <= b <= high


@kernel
def oklab_to_pixel(lightness, a, b):  # type: ignore[no-untyped-def]
    """The closest sRGB bytes of the same lightness and hue: where there is none the chroma becomes less."""
    lightness = min(max(lightness, 0.0), 1.0)
    red, green, blue = _to_linear(lightness, a, b)
    if not _is_shown(red, green, blue):
        low, high = 0.0, 1.0
        for _ in range(_GAMUT_STEPS):
            share = 0.5 * (low + high)
            red, green, blue = _to_linear(lightness, share * a, share * b)
            if _is_shown(red, green, blue):
                low = share
            else:
                high = share
        red, green, blue = _to_linear(lightness, low * a, low * b)
    top = _LEVELS - 1
    return (
        _TO_BYTE[int(min(max(red, 0.0), 1.0) * top + 0.5)],
        _TO_BYTE[int(min(max(green, 0.0), 1.0) * top + 0.5)],
        _TO_BYTE[int(min(max(blue, 0.0), 1.0) * top + 0.5)],
    )


@kernel
def colors_to_oklab(colors):  # type: ignore[no-untyped-def]
    """``(N, 3)`` float64 of ``(N, 3)`` uint8."""
    lab = np.empty(colors.shape, np.float64)
    for place in range(len(colors)):
        lab[place, 0], lab[place, 1], lab[place, 2] = pixel_to_oklab(
            colors[place, 0], colors[place, 1], colors[place, 2]
        )
    return lab


@kernel
def oklab_to_colors(lab):  # type: ignore[no-untyped-def]
    """``(N, 3)`` uint8 of ``(N, 3)`` float64."""
    colors = np.empty(lab.shape, np.uint8)
    for place in range(len(lab)):
        colors[place, 0], colors[place, 1], colors[place, 2] = oklab_to_pixel(
            lab[place, 0], lab[place, 1], lab[place, 2]
        )
    return colors
