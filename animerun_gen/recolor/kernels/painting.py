"""A frame in other colours."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled
from animerun_gen.color.oklab_kernels import oklab_to_pixel, pixel_to_oklab
from animerun_gen.recolor.kernels.surveying import KEPT, PLAIN

kernel = compiled.kernels(__name__)

_NEAR = 1e-4
"""Added to squared distances to the parts' colours, so that a pixel right on one belongs to it alone."""


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
            lightness, a, b = pixel_to_oklab(red, green, blue)
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
                red_byte, green_byte, blue_byte = oklab_to_pixel(new_lightness, new_a, new_b)
                painted[one, row, column, 0] = red_byte
                painted[one, row, column, 1] = green_byte
                painted[one, row, column, 2] = blue_byte
    return painted
