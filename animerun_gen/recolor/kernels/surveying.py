"""What there is to colour in a frame: which material a pixel shows, which touch, and which colours they have."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)

KEPT, PLAIN, TEXTURED = 0, 1, 2
"""What becomes of a material: nothing, one colour, or its own colours moved."""

_REACH = 2
"""So many pixels the coverage of Workbench and of the geometry may differ at an edge."""


@kernel
def correct_materials(flat, materials, kinds, colors):  # type: ignore[no-untyped-def]
    """Materials by what the picture shows, see :func:`animerun_gen.recolor.survey.materials_drawn`.

    ``materials`` (H, W) int32 are numbers into ``kinds`` (M,) and ``colors`` (M, 3).
    """
    height, width = materials.shape
    corrected = materials.copy()
    for row in range(height):
        for column in range(width):
            own = materials[row, column]
            if kinds[own] == TEXTURED or _same(flat, row, column, colors, own):
                continue
            found, textured = -1, -1
            for reach in range(1, _REACH + 1):
                for y in range(max(0, row - reach), min(height, row + reach + 1)):
                    for x in range(max(0, column - reach), min(width, column + reach + 1)):
                        other = materials[y, x]
                        if kinds[other] == TEXTURED:
                            if textured < 0:
                                textured = other
                        elif found < 0 and _same(flat, row, column, colors, other):
                            found = other
                if found >= 0:
                    break
            if found >= 0:
                corrected[row, column] = found
            elif textured >= 0:
                corrected[row, column] = textured
    return corrected


@kernel
def _same(flat, row, column, colors, material):  # type: ignore[no-untyped-def]
    """Whether a pixel has a material's colour, but for rounding."""
    off = 0
    for channel in range(3):
        off = max(off, abs(int(flat[row, column, channel]) - int(colors[material, channel])))
    return off <= 1


@kernel
def count_borders(materials, count):  # type: ignore[no-untyped-def]
    """``(count, count)`` int64: how many pairs of pixels, diagonal ones too, have these two numbers; symmetric."""
    height, width = materials.shape
    borders = np.zeros((count, count), np.int64)
    for row in range(height):
        for column in range(width):
            own = materials[row, column]
            for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
                y, x = row + down, column + right
                if y < height and 0 <= x < width:
                    other = materials[y, x]
                    if other != own:
                        borders[own, other] += 1
                        borders[other, own] += 1
    return borders


@kernel
def count_colors(flat, materials, rows, counted, bits):  # type: ignore[no-untyped-def]
    """``(rows, 8 ** bits)`` uint32: how often the upper bits of a colour occur in each counted material."""
    height, width = materials.shape
    counts = np.zeros((max(1, rows[-1] + 1), 1 << 3 * bits), np.uint32)
    drop = 8 - bits
    for row in range(height):
        for column in range(width):
            material = materials[row, column]
            if counted[material]:
                code = 0
                for channel in range(3):
                    code = code << bits | flat[row, column, channel] >> drop
                counts[rows[material], code] += 1
    return counts[: rows[-1] + 1]
