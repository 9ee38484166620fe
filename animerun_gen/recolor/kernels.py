"""The compiled loops behind colour passes.  All arrays are in C order."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)

KEPT, PLAIN, TEXTURED = 0, 1, 2
"""What becomes of a material: nothing, one colour, or its own colours moved."""

_ENCODED = np.arange(256) / 255.0
_LINEAR = np.where(_ENCODED <= 0.04045, _ENCODED / 12.92, ((_ENCODED + 0.055) / 1.055) ** 2.4)

_LEVELS = 1 << 16
_SHARES = np.arange(_LEVELS) / (_LEVELS - 1)
# fine enough that a level is off by 0.05 at most, where sRGB is steepest
_TO_BYTE = np.rint(
    255.0 * np.where(_SHARES <= 0.0031308, 12.92 * _SHARES, 1.055 * _SHARES ** (1 / 2.4) - 0.055)
).astype(np.uint8)

_GAMUT_STEPS = 12
"""Halvings of the chroma when a colour is brought into the gamut: to 1/4096 of it."""

_NEAR = 1e-4
"""Added to squared distances to the parts' colours, so that a pixel right on one belongs to it alone."""

_REACH = 2
"""So many pixels the coverage of Workbench and of the geometry may differ at an edge."""


@kernel
def _to_oklab(red, green, blue):  # type: ignore[no-untyped-def]
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
def _to_bytes(lightness, a, b):  # type: ignore[no-untyped-def]
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
        lab[place, 0], lab[place, 1], lab[place, 2] = _to_oklab(colors[place, 0], colors[place, 1], colors[place, 2])
    return lab


@kernel
def oklab_to_colors(lab):  # type: ignore[no-untyped-def]
    """``(N, 3)`` uint8 of ``(N, 3)`` float64."""
    colors = np.empty(lab.shape, np.uint8)
    for place in range(len(lab)):
        colors[place, 0], colors[place, 1], colors[place, 2] = _to_bytes(lab[place, 0], lab[place, 1], lab[place, 2])
    return colors


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


@kernel
def repaint(flat, materials, kinds, colors, first_part, from_lab, to_lab, up, down):  # type: ignore[no-untyped-def]
    """The flat picture in several designs, see :func:`animerun_gen.recolor.repaint.repaint`.

    ``colors`` (P, M, 3) are the new colours of plain materials.  The parts of material ``m`` are those from
    ``first_part[m]`` to ``first_part[m + 1]``; ``from_lab`` (N, 3), ``to_lab`` (P, N, 3), ``up`` and ``down`` (P, N).
    """
    passes = len(colors)
    height, width = materials.shape
    painted = np.empty((passes, height, width, 3), np.uint8)
    longest = 1
    for material in range(len(kinds)):
        longest = max(longest, first_part[material + 1] - first_part[material])
    weights = np.empty(longest)
    for row in range(height):
        for column in range(width):
            material = materials[row, column]
            if kinds[material] == PLAIN:
                for one in range(passes):
                    for channel in range(3):
                        painted[one, row, column, channel] = colors[one, material, channel]
                continue
            red, green, blue = flat[row, column, 0], flat[row, column, 1], flat[row, column, 2]
            if kinds[material] == KEPT:
                for one in range(passes):
                    painted[one, row, column, 0] = red
                    painted[one, row, column, 1] = green
                    painted[one, row, column, 2] = blue
                continue
            if (
                column > 0
                and materials[row, column - 1] == material
                and flat[row, column - 1, 0] == red
                and flat[row, column - 1, 1] == green
                and flat[row, column - 1, 2] == blue
            ):
                for one in range(passes):
                    for channel in range(3):
                        painted[one, row, column, channel] = painted[one, row, column - 1, channel]
                continue
            lightness, a, b = _to_oklab(red, green, blue)
            first, beyond = first_part[material], first_part[material + 1]
            total = 0.0
            for part in range(first, beyond):
                squared = (
                    (lightness - from_lab[part, 0]) ** 2 + (a - from_lab[part, 1]) ** 2 + (b - from_lab[part, 2]) ** 2
                )
                weights[part - first] = 1.0 / (squared + _NEAR) ** 2
                total += weights[part - first]
            for one in range(passes):
                new_lightness, new_a, new_b = 0.0, 0.0, 0.0
                for part in range(first, beyond):
                    share = weights[part - first] / total
                    above = lightness - from_lab[part, 0]
                    scale = up[one, part] if above > 0 else down[one, part]
                    new_lightness += share * (to_lab[one, part, 0] + scale * above)
                    new_a += share * (to_lab[one, part, 1] + a - from_lab[part, 1])
                    new_b += share * (to_lab[one, part, 2] + b - from_lab[part, 2])
                red_byte, green_byte, blue_byte = _to_bytes(new_lightness, new_a, new_b)
                painted[one, row, column, 0] = red_byte
                painted[one, row, column, 1] = green_byte
                painted[one, row, column, 2] = blue_byte
    return painted
