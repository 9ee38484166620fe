"""Flat pictures in the colours of their shade."""

from __future__ import annotations

import math

import numpy as np

from animerun_gen import compiled
from animerun_gen.color.oklab_kernels import oklab_to_pixel, pixel_to_oklab
from animerun_gen.shade.tone import HIGHLIGHT, SHADOW

kernel = compiled.kernels(__name__)

_NEAR = 1e-3
"""Added to squared distances between a colour and those that were learned."""


@kernel
def shade_colors(flat, tones, formula, bases, ratios, offsets, shaded):  # type: ignore[no-untyped-def]
    """Fill ``shaded`` (H, W, 3); ``formula`` is a :class:`~animerun_gen.shade.colors.Formula`.

    ``bases`` (K, 3) are the colours whose shadows were learned, in Oklab, ``ratios`` (K,) of their lightness and
    ``offsets`` (K, 2); without any the formula counts.
    """
    height, width = tones.shape
    for row in range(height):
        before = 0
        old_red = old_green = old_blue = new_red = new_green = new_blue = np.uint8(0)
        for column in range(width):
            tone = tones[row, column]
            red, green, blue = flat[row, column, 0], flat[row, column, 1], flat[row, column, 2]
            if tone != SHADOW and tone != HIGHLIGHT:
                shaded[row, column, 0], shaded[row, column, 1], shaded[row, column, 2] = red, green, blue
                continue
            # neighbours mostly have one colour and one tone
            if tone != before or red != old_red or green != old_green or blue != old_blue:
                before, old_red, old_green, old_blue = tone, red, green, blue
                lab = pixel_to_oklab(red, green, blue)
                if tone == HIGHLIGHT:
                    lab = _highlight(lab, formula)
                elif len(bases):
                    lab = _learned(lab, bases, ratios, offsets)
                else:
                    lab = _shadow(lab, formula)
                new_red, new_green, new_blue = oklab_to_pixel(lab[0], lab[1], lab[2])
            shaded[row, column, 0], shaded[row, column, 1], shaded[row, column, 2] = new_red, new_green, new_blue


@kernel
def _shadow(lab, formula):  # type: ignore[no-untyped-def]
    value, hue, shift, tint, _ = formula
    lightness, a, b = lab
    chroma = math.sqrt(a * a + b * b)
    # at most by the shift, and not at all where the hue is the one or the very opposite
    turned = math.atan2(b, a)
    turned += shift * math.sin(hue - turned)
    return (
        value * lightness,
        chroma * math.cos(turned) + tint * math.cos(hue),
        chroma * math.sin(turned) + tint * math.sin(hue),
    )


@kernel
def _highlight(lab, formula):  # type: ignore[no-untyped-def]
    lift = formula[4]
    lightness, a, b = lab
    return lightness + lift * (1.0 - lightness), (1.0 - 0.5 * lift) * a, (1.0 - 0.5 * lift) * b


@kernel
def _learned(lab, bases, ratios, offsets):  # type: ignore[no-untyped-def]
    """Darkened and shifted as the colours nearest to it were, those near counting more."""
    lightness, a, b = lab
    total = ratio = to_a = to_b = 0.0
    for k in range(len(bases)):
        squared = (lightness - bases[k, 0]) ** 2 + (a - bases[k, 1]) ** 2 + (b - bases[k, 2]) ** 2
        weight = 1.0 / (squared + _NEAR) ** 2
        total += weight
        ratio += weight * ratios[k]
        to_a += weight * offsets[k, 0]
        to_b += weight * offsets[k, 1]
    ratio /= total
    return ratio * lightness, ratio * a + to_a / total, ratio * b + to_b / total
