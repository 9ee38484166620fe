"""Trace lines: where they are, and that they enclose the regions of the shade."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from animerun_gen.shade.trace import HIGHLIGHT_TRACE, SHADOW_TRACE, trace_lines


def test_trace_lines_enclose_exactly_the_regions() -> None:
    tones = np.full((30, 40), 2, np.uint8)
    tones[5:20, 5:20], tones[10:15, 25:35] = 1, 3
    traced = trace_lines(tones, np.zeros(tones.shape, np.int32), np.full(tones.shape, 255, np.uint8))
    for tone, color in ((1, SHADOW_TRACE), (3, HIGHLIGHT_TRACE)):
        line = (traced == color).all(axis=-1)
        assert (ndimage.binary_fill_holes(line) == (tones == tone)).all()
        inner = ndimage.binary_erosion(tones == tone)
        assert (line == (tones == tone) & ~inner).all()


def test_ink_stays_and_parts_surfaces() -> None:
    tones = np.full((10, 20), 1, np.uint8)
    tones[:, 10:] = 2
    surface = np.zeros(tones.shape, np.int32)
    surface[:, 10:] = 1
    ink = np.full(tones.shape, 255, np.uint8)
    ink[5] = 0
    traced = trace_lines(tones, surface, ink)
    assert (traced == ink[..., None]).all()
    traced = trace_lines(tones, np.zeros_like(surface), ink)
    assert (traced[5] == 0).all()
    assert (traced[[4, 6], 9] == SHADOW_TRACE).all()


def test_the_background_has_no_trace_line() -> None:
    tones = np.zeros((6, 6), np.uint8)
    tones[:, 3:] = 1
    traced = trace_lines(tones, np.zeros(tones.shape, np.int32), np.full(tones.shape, 255, np.uint8))
    assert (traced == 255).all()
