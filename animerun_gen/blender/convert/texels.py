"""What image nodes give at points of surfaces: for images that Workbench cannot paint as the film shows them.

Workbench paints a file's own colours, and lays them on by the active UV map.  Where nodes change these colours, mix
them with others, or lay the image on in another way, the nodes are computed at each pixel, and here are the texels for
that: mixed as Cycles mixes them (encoded as in the file, between the centres of texels), and of a smaller copy of the
image where a pixel covers several.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import bpy
import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.blender.convert.images import (
    UnreadableImageError,
    alpha_mode,
    is_encoded,
    is_moving,
    problem_of_file,
    read_bytes,
)
from animerun_gen.blender.convert.moving_images import Moving, key_of
from animerun_gen.blender.convert.shader_values import UnknownValueError
from animerun_gen.blender.convert.surfaces import ACTIVE_UVS, SurfacePoints
from animerun_gen.blender.texture_coordinates import (
    TextureCoordinates,
    UnreadableCoordinatesError,
    texture_coordinates,
)
from animerun_gen.color.srgb import srgb_to_linear

Float32Array = npt.NDArray[np.float32]

KEPT_BYTES = 400_000_000
"""Images that are kept at once take no more, but for one that is larger: 400 MB are four of 4096 x 4096 texels."""

MOST_TAPS = 8
"""Places at most at which the smaller copy is looked up along the longer side of what a pixel covers."""


class LacksImageError(UnknownValueError):
    """The colour is that of an image which nobody has."""


class Texels(Protocol):
    """What image nodes give."""

    def at(self, node: Any, groups: Sequence[Any], points: SurfacePoints) -> Float32Array:
        """Colours (linear) and alpha at points, ``(N, 1, 4)``.

        Args:
            node: An image node with an image.
            groups: The group nodes around it, innermost last.
            points: The points.
        """


@dataclass
class AskedImages:
    """Makes colours up, and remembers for which images: tells what a shader makes of images, whatever they show.

    Attributes:
        nodes: The image nodes that were asked, each with how its image lies on the surface; None where no UV map says.
        given: What each image gave, as often as images lie in different ways.
        problems: Why one does not lie as a UV map says.
    """

    nodes: list[tuple[Any, tuple[Any, ...], TextureCoordinates | None]] = field(default_factory=list)
    given: dict[Any, Float32Array] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def at(self, node: Any, groups: Sequence[Any], points: SurfacePoints) -> Float32Array:
        """As :class:`Texels` has it; colours and alpha of all kinds."""
        coordinates: TextureCoordinates | None = None
        try:
            coordinates = texture_coordinates(node, groups)
        except UnreadableCoordinatesError as error:
            self.problems.append(str(error))
        if all(node != known or tuple(groups) != around for known, around, _ in self.nodes):
            self.nodes.append((node, tuple(groups), coordinates))
        key = (node.image.name_full, coordinates or (node.as_pointer(), len(groups)))
        if key not in self.given:
            colors = np.random.default_rng(len(self.given)).random((len(points), 1, 4), np.float32)
            self.given[key] = colors
        return self.given[key]


class TexelLookup:
    """Looks texels up in the images of the film, in one frame after the other.

    Args:
        moving: Which picture each image node shows in each frame, of sequences and movies.
    """

    def __init__(self, moving: Moving) -> None:
        self.moving = moving
        self.frame = 0
        self._images: OrderedDict[tuple[str, int | None], list[npt.NDArray[Any]]] = OrderedDict()

    def at(self, node: Any, groups: Sequence[Any], points: SurfacePoints) -> Float32Array:
        """As :class:`Texels` has it.

        Raises:
            LacksImageError: The image is missing or cannot be decoded.
            UnknownValueError: It is laid on in a way that no UV map says.
        """
        image = node.image.original
        try:
            coordinates = texture_coordinates(node, groups)
        except UnreadableCoordinatesError as error:
            raise UnknownValueError(str(error)) from error
        levels = self._levels(image, self.number_of(node))
        height, width = levels[0].shape[:2]
        name = coordinates.uv_map or ACTIVE_UVS
        (a, b, c), (d, e, f) = coordinates.matrix
        uv = points.attribute(name)[0][:, 0, :2].astype(np.float64)
        turn = np.array([[a, d], [b, e]]) * (width, height)
        places = uv @ turn + np.array([c, f]) * (width, height)
        if points.steps is None or not coordinates.smooth:
            found = _sampled(levels[0], places, coordinates)
        else:
            along = [_attribute_step(points, name, step) @ turn for step in points.steps]
            found = _covered(levels, places, along[0], along[1], coordinates)
        if node.outputs["Alpha"].is_linked and _is_associated(image):
            # where nobody asks for alpha, Cycles leaves the colours dark where an image is clear
            alpha = found[:, 3:]
            found[:, :3] = np.divide(found[:, :3], alpha, out=found[:, :3], where=alpha > 0.0)
        if is_encoded(image):
            found[:, :3] = srgb_to_linear(found[:, :3])
        return found.astype(np.float32)[:, None]

    def number_of(self, node: Any) -> int | None:
        """Which picture of a sequence or movie a node shows in the frame; None of other images."""
        if not is_moving(node.image):
            return None
        if node.id_data.is_evaluated:
            return int(node.image_user.frame_current)
        return self.moving.get(key_of(node), {}).get(self.frame)

    def lacks(self, node: Any) -> bool:
        """Whether any file is missing or broken that a node shows of a sequence."""
        if node.image.source != "SEQUENCE":
            return False
        return any(problem_of_file(node.image.original, number) for number in set(self._numbers(node)))

    def _numbers(self, node: Any) -> list[int]:
        return [*self.moving.get(key_of(node), {}).values()]

    def _levels(self, image: bpy.types.Image, number: int | None) -> list[npt.NDArray[Any]]:
        """The image, and copies of it that are half as large each."""
        key = (image.name_full, number)
        if key in self._images:
            self._images.move_to_end(key)
            return self._images[key]
        try:
            levels: list[npt.NDArray[Any]] = [read_bytes(image, number)]
        except UnreadableImageError as error:
            raise LacksImageError(f"its image '{image.name}' is missing or cannot be read") from error
        if _is_associated(image):
            _associate(levels[0])
        while max(levels[-1].shape[:2]) > 1:
            height, width = (max(side // 2, 1) for side in levels[-1].shape[:2])
            levels.append(cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA))
        self._images[key] = levels
        while len(self._images) > 1 and sum(map(_size, self._images.values())) > KEPT_BYTES:
            self._images.popitem(last=False)
        return levels


def _is_associated(image: bpy.types.Image) -> bool:
    """Whether Cycles multiplies an image's colours by its alpha when it loads the file (4.5.15)."""
    return alpha_mode(image) == "STRAIGHT" and not image.colorspace_settings.is_data


def _associate(texels: npt.NDArray[Any]) -> None:
    """Multiply colours by alpha, in place, as Cycles does when it loads a file: what is clear has no colour to mix."""
    # row by row, since a copy of numbers of a larger type would be four times as large
    whole = 255 if texels.dtype == np.uint8 else 1.0
    for row in texels:
        if (row[:, 3] < whole).any():
            colors = row[:, :3].astype(np.float32) * (row[:, 3:].astype(np.float32) / whole)
            row[:, :3] = np.rint(colors) if texels.dtype == np.uint8 else colors


def _size(levels: list[npt.NDArray[Any]]) -> int:
    return sum(level.nbytes for level in levels)


def _attribute_step(points: SurfacePoints, name: str, step: Float32Array) -> npt.NDArray[np.float64]:
    """By how much texture coordinates change over a step, ``(N, 2)``."""
    return points.mixed(name, step)[:, :2].astype(np.float64)


def _covered(
    levels: list[npt.NDArray[Any]],
    places: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    down: npt.NDArray[np.float64],
    coordinates: TextureCoordinates,
) -> npt.NDArray[np.float64]:
    """What pixels show that may cover many texels.

    Args:
        levels: The image, and smaller and smaller copies.
        places: ``(N, 2)``, the middles of the pixels in texels.
        right: ``(N, 2)``, how far the next pixel is to the right.
        down: ``(N, 2)``, and the next one below.
        coordinates: How the image goes on beyond its edges.

    Returns:
        ``(N, 4)``.
    """
    lengths = np.stack([np.linalg.norm(right, axis=1), np.linalg.norm(down, axis=1)])
    long, short = lengths.max(axis=0), lengths.min(axis=0)
    main = np.where((lengths[0] >= lengths[1])[:, None], right, down)
    taps = np.clip(np.ceil(long / np.maximum(short, 1.0)), 1, MOST_TAPS).astype(int)
    # what a place stands for, in texels; no less than one
    reach = np.maximum(np.maximum(long / taps, np.minimum(short, long)), 1.0)
    level = np.clip(np.log2(reach), 0.0, len(levels) - 1.0)
    found = np.zeros((len(places), 4))
    lower = level.astype(int)
    for number in np.unique(lower).tolist():
        of_level = np.flatnonzero(lower == number)
        for tap in range(int(taps[of_level].max())):
            here = of_level[taps[of_level] > tap]
            offset = (tap + 0.5) / taps[here] - 0.5
            at = places[here] + main[here] * offset[:, None]
            share = (level[here] - number)[:, None]
            value = _of_level(levels, number, at, coordinates)
            if number + 1 < len(levels) and share.max() > 0.0:
                value = value + share * (_of_level(levels, number + 1, at, coordinates) - value)
            found[here] += value / taps[here][:, None]
    return found


def _of_level(
    levels: list[npt.NDArray[Any]], number: int, places: npt.NDArray[np.float64], coordinates: TextureCoordinates
) -> npt.NDArray[np.float64]:
    (height, width), (rows, columns) = levels[0].shape[:2], levels[number].shape[:2]
    return _sampled(levels[number], places * (columns / width, rows / height), coordinates)


def _sampled(
    texels: npt.NDArray[Any], places: npt.NDArray[np.float64], coordinates: TextureCoordinates
) -> npt.NDArray[np.float64]:
    """The image at places in texels, ``(N, 4)`` in 0..1: mixed between four of them, or the nearest alone."""
    if not coordinates.smooth:
        column, row = np.floor(places).astype(np.int64).T
        return _texel(texels, row, column, coordinates.extension)
    corner = np.floor(places - 0.5)
    x, y = (places - 0.5 - corner).T[..., None]
    column, row = corner.astype(np.int64).T

    def texel(down: int, right: int) -> npt.NDArray[np.float64]:
        return _texel(texels, row + down, column + right, coordinates.extension)

    lower = texel(0, 0) * (1.0 - x) + texel(0, 1) * x
    upper = texel(1, 0) * (1.0 - x) + texel(1, 1) * x
    mixed: npt.NDArray[np.float64] = lower * (1.0 - y) + upper * y
    return mixed


def _texel(
    texels: npt.NDArray[Any], row: npt.NDArray[np.int64], column: npt.NDArray[np.int64], extension: str
) -> npt.NDArray[np.float64]:
    rows, columns = texels.shape[:2]
    i, j = _within(row, rows, extension), _within(column, columns, extension)
    found = texels[i, j].astype(np.float64)
    if texels.dtype == np.uint8:
        found /= 255.0
    if extension == "CLIP":
        found[(row < 0) | (row >= rows) | (column < 0) | (column >= columns)] = 0.0
    return found


def _within(index: npt.NDArray[np.int64], count: int, extension: str) -> npt.NDArray[np.int64]:
    """The row or column that stands for one beyond the image."""
    if extension == "REPEAT":
        return index % count
    if extension == "MIRROR":
        turned = index % (2 * count)
        return np.minimum(turned, 2 * count - 1 - turned)
    return np.clip(index, 0, count - 1)
