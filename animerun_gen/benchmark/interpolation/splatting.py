"""Forward warping ("splatting"): each pixel of a frame is carried along its motion and laid down where it arrives.

A pixel that arrives between pixel centres is shared out among the four around it, by bilinear weights.  Where several
arrive, they are averaged, and each counts by ``exp(importance)``: with equal importances this is average splatting,
else softmax splatting (Niklaus and Liu, CVPR 2020, arXiv:2003.05534).  Pixels of several frames may be laid into one
picture, so that what is hidden in one of them comes from the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled

kernel = compiled.kernels(__name__)

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """What is carried from one frame.

    Attributes:
        picture: ``(H, W, C)``, its pixels: uint8, or floats.
        flow: ``(H, W, 2)``, where they go, in pixels; a vector that is not finite, or leads out of the picture, carries
            nothing, and neither does :data:`~animerun_gen.conventions.UNKNOWN_FLOW`.
        importance: ``(H, W)``, how much each pixel counts where several arrive, as the exponent of ``e``; only
            differences matter, also those between layers.  None: 0 everywhere.
    """

    picture: npt.NDArray[Any]
    flow: npt.NDArray[Any]
    importance: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class Splatted:
    """What has been laid down.

    Attributes:
        picture: ``(H, W, C)`` float64, the weighted mean of what arrived at each pixel; 0 where nothing did.
        coverage: ``(H, W)`` float64, the sum of the bilinear weights of what arrived, importances left out; 0 where
            nothing did, and 1 where a shift by whole pixels lays one layer down.
    """

    picture: Float64Array
    coverage: Float64Array

    @property
    def holes(self) -> npt.NDArray[np.bool_]:
        """``(H, W)`` bool: where nothing arrived."""
        return self.coverage <= LEAST_WEIGHT


LEAST_WEIGHT = 1e-6
"""Bilinear weights that are not larger carry nothing: they come from rounding, of places that are pixel centres."""


def splat(layers: Sequence[Layer]) -> Splatted:
    """Carry the pixels of frames along their motion, into one picture.

    Args:
        layers: The frames, all of one size.

    Returns:
        The picture, as large as the frames.

    Raises:
        ValueError: There are no layers, their shapes do not agree, or an importance is not finite.

    Example:
        >>> row = np.array([[[10.0], [20.0], [30.0]]])
        >>> right = np.zeros((1, 3, 2))
        >>> right[..., 0] = 0.5
        >>> splat([Layer(row, right)]).picture[0, :, 0].tolist()
        [10.0, 15.0, 25.0]
    """
    prepared = _prepared(layers)
    height, width, channels = prepared[0][0].shape
    # the largest importance that arrives at each pixel: exponents of differences from it can neither overflow nor all
    # vanish
    largest = np.full((height, width), -np.inf)
    for _, flow, importance in prepared:
        _find_largest(flow, importance, largest)
    total, weight, coverage = np.zeros((height, width, channels)), np.zeros((height, width)), np.zeros((height, width))
    for picture, flow, importance in prepared:
        _lay_down(picture, flow, importance, largest, total, weight, coverage)
    np.divide(total, weight[..., None], out=total, where=weight[..., None] > 0)
    return Splatted(total, coverage)


def _prepared(layers: Sequence[Layer]) -> list[tuple[Float64Array, Float64Array, Float64Array]]:
    if not layers:
        raise ValueError("there is no frame to carry")
    shape = layers[0].picture.shape
    if len(shape) != 3:
        raise ValueError(f"a picture must be (H, W, C), not {shape}")
    prepared = []
    for layer in layers:
        importance = np.zeros(shape[:2]) if layer.importance is None else layer.importance
        if layer.picture.shape != shape or layer.flow.shape != (*shape[:2], 2) or importance.shape != shape[:2]:
            raise ValueError(
                f"picture, flow and importance must be {shape}, {(*shape[:2], 2)} and {shape[:2]}, not "
                f"{layer.picture.shape}, {layer.flow.shape} and {importance.shape}"
            )
        if not np.isfinite(importance).all():
            raise ValueError("an importance is not finite")
        picture, flow, importance = (
            np.ascontiguousarray(array, np.float64) for array in (layer.picture, layer.flow, importance)
        )
        prepared.append((picture, flow, importance))
    return prepared


@kernel
def _share(x, y, corner, width, height):  # type: ignore[no-untyped-def]
    """One of the four pixels around a place, and its bilinear weight; a weight of 0 where it lies outside."""
    left, top = np.floor(x), np.floor(y)
    right, lower = corner & 1, corner >> 1
    across, down = x - left, y - top
    weight = (across if right else 1.0 - across) * (down if lower else 1.0 - down)
    column, row = left + right, top + lower
    if weight <= LEAST_WEIGHT or column < 0 or column >= width or row < 0 or row >= height:
        return 0, 0, 0.0
    return int(row), int(column), weight


@kernel
def _leads_near(x, y, width, height):  # type: ignore[no-untyped-def]
    """Whether a place is less than a pixel from some pixel centre; False for NaN and for unknown motion."""
    return x > -1.0 and x < width and y > -1.0 and y < height


@kernel
def _find_largest(flow, importance, largest):  # type: ignore[no-untyped-def]
    height, width = largest.shape
    for row in range(height):
        for column in range(width):
            x, y = column + flow[row, column, 0], row + flow[row, column, 1]
            if not _leads_near(x, y, width, height):
                continue
            for corner in range(4):
                to_row, to_column, weight = _share(x, y, corner, width, height)
                if weight > 0.0 and importance[row, column] > largest[to_row, to_column]:
                    largest[to_row, to_column] = importance[row, column]


@kernel
def _lay_down(picture, flow, importance, largest, total, weight, coverage):  # type: ignore[no-untyped-def]
    height, width, channels = picture.shape
    for row in range(height):
        for column in range(width):
            x, y = column + flow[row, column, 0], row + flow[row, column, 1]
            if not _leads_near(x, y, width, height):
                continue
            for corner in range(4):
                to_row, to_column, share = _share(x, y, corner, width, height)
                if share == 0.0:
                    continue
                counts = share * np.exp(importance[row, column] - largest[to_row, to_column])
                for channel in range(channels):
                    total[to_row, to_column, channel] += counts * picture[row, column, channel]
                weight[to_row, to_column] += counts
                coverage[to_row, to_column] += share
