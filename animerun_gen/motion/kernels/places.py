"""Where in the picture the instances of a frame are, so that what cannot be seen there is not looked at.

What is skipped is skipped by bounds that hold for the rounded numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled
from animerun_gen.motion.kernels.projection import ROUNDING, matrix_rows, transform

kernel = compiled.kernels(__name__, error_model="numpy", allocates=False)
allocating = compiled.kernels(__name__, error_model="numpy")


class Places(NamedTuple):
    """Where in the picture the instances are.

    Attributes:
        order: ``(n,)`` int64, the instances of which anything can be in the picture, the nearest first: what is drawn
            early saves work behind it.
        nearest: ``(I,)`` float64, a distance along the view axis that no depth in the instance falls below.
        pixels: ``(I, 4)`` int64, ``(x0, x1, y0, y1)``, inclusive, in which anything of the instance can be.
    """

    order: npt.NDArray[np.int64]
    nearest: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.int64]


@allocating
def find_places(meshes, view):  # type: ignore[no-untyped-def]
    """``(I,)`` float64 distances, ``inf`` for what is nowhere, and ``(I, 4)`` int64 pixels, see :class:`Places`."""
    boxes = find_boxes(meshes.vertices, meshes.vertex_start)
    count = len(meshes.mesh)
    nearest = np.empty(count)
    pixels = np.empty((count, 4), np.int64)
    for i in range(count):
        nearest[i], (x0, x1, y0, y1) = _place(matrix_rows(meshes.matrices, i), boxes[meshes.mesh[i]], view)
        pixels[i] = (x0, x1, y0, y1)
        if x0 > x1:
            nearest[i] = np.inf
    return nearest, pixels


@allocating
def find_boxes(vertices, vertex_start):  # type: ignore[no-untyped-def]
    """Lowest and highest coordinates ``(M, 2, 3)`` of each mesh; what is no number counts for nothing."""
    boxes = np.empty((len(vertex_start) - 1, 2, 3))
    boxes[:, 0] = np.inf
    boxes[:, 1] = -np.inf
    for m in range(len(boxes)):
        for v in range(vertex_start[m], vertex_start[m + 1]):
            for axis in range(3):
                value = np.float64(vertices[v, axis])
                if value < boxes[m, 0, axis]:
                    boxes[m, 0, axis] = value
                if value > boxes[m, 1, axis]:
                    boxes[m, 1, axis] = value
    return boxes


@kernel
def _rounding(row, box):  # type: ignore[no-untyped-def]
    """How far a row of a matrix times a point of a box is rounded, at most."""
    size = abs(row[3])
    for axis in range(3):
        size += abs(row[axis]) * max(abs(box[0, axis]), abs(box[1, axis]))
    return ROUNDING * size


@kernel
def _place(matrix, box, view):  # type: ignore[no-untyped-def]
    """Where in the picture a box around a mesh is seen.

    Returns:
        A distance that no depth computed in the box falls below, and the pixels ``(x0, x1, y0, y1)``, inclusive, in
        which anything of it can be; ``x0 > x1`` when there are none.
    """
    clip_start, clip_end, width, height = view
    whole = (0, width - 1, 0, height - 1)
    nowhere = (0, -1, 0, -1)
    across = _rounding(matrix[0], box) + width * _rounding(matrix[3], box)
    down = _rounding(matrix[1], box) + height * _rounding(matrix[3], box)
    along = _rounding(matrix[2], box)
    if not across + down + along < np.inf:
        return -np.inf, whole
    left = right = above = below = z_high = x_high = y_high = -np.inf
    z_low = x_low = y_low = w_low = np.inf
    for corner in range(8):
        x, y, z, w = transform(matrix, (box[corner & 1, 0], box[corner >> 1 & 1, 1], box[corner >> 2, 2]))
        # positive where the corner is not more than half a pixel outside the picture
        left = max(left, x + w)
        right = max(right, width * w - x)
        above = max(above, y + w)
        below = max(below, height * w - y)
        x_low, x_high = min(x_low, x / w), max(x_high, x / w)
        y_low, y_high = min(y_low, y / w), max(y_high, y / w)
        z_low, z_high = min(z_low, z), max(z_high, z)
        w_low = min(w_low, w)
    nearest = z_low - along
    if z_high + along < clip_start or nearest > clip_end:
        return nearest, nowhere
    if left < -across or right < -across or above < -down or below < -down:
        return nearest, nowhere
    if nearest < clip_start or not w_low > 0.0:
        return nearest, whole
    across = across / w_low + 1.0
    down = down / w_low + 1.0
    x0 = int(max(x_low - across, 0.0))
    x1 = int(min(x_high + across, width - 1.0))
    y0 = int(max(y_low - down, 0.0))
    y1 = int(min(y_high + down, height - 1.0))
    if y0 > y1:
        return nearest, nowhere
    return nearest, (x0, x1, y0, y1)
