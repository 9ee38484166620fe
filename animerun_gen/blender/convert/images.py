"""The texels of the film's images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.blender.external_files import file_of_frame, files_of_tiles
from animerun_gen.color.srgb import linear_to_srgb, srgb_to_linear

LARGEST_SIDE = 2048
"""Larger images are scaled down to this before they are looked at: 4 million texels are 67 MB of floats."""

LARGEST_PAINTED_SIDE = 4096
"""And larger ones to this before their colours are painted with: 16 million texels are 67 MB of bytes."""

MOVING = {"SEQUENCE", "MOVIE"}
"""Kinds of images that show something else in other frames."""

FILM_ALPHA = "animerun_gen_alpha_mode"
"""Property of images whose alpha a conversion has switched off: what the film has it do."""

MISSING = "is missing"
"""How a sentence ends about an image whose file is not there."""

Mean = tuple[float, float, float]


class UnreadableImageError(Exception):
    """An image of which nothing can be read, or nothing that could be told for the whole clip; says why."""


def is_moving(image: bpy.types.Image | None) -> bool:
    """Whether an image may show something else in other frames: it is a sequence or a movie."""
    return image is not None and image.source in MOVING


def read_texels(
    image: bpy.types.Image | None, number: int | None = None, largest: int = LARGEST_SIDE
) -> npt.NDArray[np.float32]:
    """The texels of an image as they are in the file, or in a smaller copy of it.

    Args:
        image: An image of the open file; it is not changed.
        number: Which file of a sequence, or picture of a movie, counted from 1, is meant.
        largest: Texels at most on each side.

    Returns:
        ``(H, W, 4)`` float32, lowest row first: red, green, blue (encoded as in the file) and alpha, which movies do
        not have.

    Raises:
        UnreadableImageError: There is no image, its file is missing or broken, or it is several at once.
    """
    if image is None:
        raise UnreadableImageError("its image node is empty")
    if image.source == "SEQUENCE" and number is not None:
        with single_image(image, file_of_frame(image, number)) as single:
            return bounded_texels(single, largest)
    if image.source == "MOVIE" and number is not None:
        return _movie_texels(image, number)
    if image.source not in {"FILE", "GENERATED"} and not (image.source == "TILED" and image.packed_files):
        raise UnreadableImageError(f"its image '{image.name}' is of the kind {image.source.lower()}")
    if not _has_texels(image):
        raise UnreadableImageError(_what_is_wrong(image, _path(image)))
    return bounded_texels(image, largest)


def alpha_mode(image: bpy.types.Image) -> str:
    """What the film has an image's alpha do, as Blender names it."""
    return str(image.get(FILM_ALPHA, image.alpha_mode))


def read_bytes(image: bpy.types.Image, number: int | None = None) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    """The texels of an image of 8 bits as they are in the file, a quarter as large as :func:`read_texels` has them.

    Args:
        image: An image of the open file; it is not changed.
        number: Which file of a sequence, or picture of a movie, counted from 1, is meant.

    Returns:
        ``(H, W, 4)`` uint8, lowest row first, with :data:`LARGEST_PAINTED_SIDE` texels on each side at most and the
        alpha that the film has; float32 of an image of floats.

    Raises:
        UnreadableImageError: As there.
    """
    largest = LARGEST_SIDE if image.is_float else LARGEST_PAINTED_SIDE
    mode = alpha_mode(image)
    # what Blender has thrown away of a file's alpha a copy reads anew; what is in no file it has kept
    if mode != image.alpha_mode and image.source in {"FILE", "SEQUENCE"}:
        copied = image.copy()
        try:
            copied.alpha_mode = mode
            texels = read_texels(copied, number, largest)
        finally:
            bpy.data.images.remove(copied)
    else:
        texels = read_texels(image, number, largest)
    if image.is_float:
        return texels
    texels *= np.float32(255.0)
    return np.rint(texels, out=texels).astype(np.uint8)


def problem_of(image: bpy.types.Image, numbers: Sequence[int] = ()) -> str:
    """Why an image cannot be shown, a sentence without its full stop; empty where it can.

    Args:
        image: An image of the open file.
        numbers: Of a sequence, which of its files are shown; it can be shown where one of them can.
    """
    if image.source == "SEQUENCE":
        problem = ""
        for number in dict.fromkeys(numbers):
            problem = problem_of_file(image, number)
            if not problem:
                break
        return problem
    if image.source == "TILED" and not image.packed_files:
        return next((found for file in files_of_tiles(image) if (found := _problem_of_path(image, file))), "")
    # of a movie Blender reads the size of its first picture
    return "" if _has_texels(image) else _what_is_wrong(image, _path(image)).removeprefix("its ")


def problem_of_file(image: bpy.types.Image, number: int) -> str:
    """Why one file of a sequence cannot be shown, a sentence without its full stop; empty where it can."""
    return _problem_of_path(image, file_of_frame(image, number))


@contextmanager
def single_image(image: bpy.types.Image, path: Path) -> Iterator[bpy.types.Image]:
    """One file of a sequence or of tiles as an image of its own, while the body runs.

    Raises:
        UnreadableImageError: It is missing, or cannot be decoded.
    """
    if not path.is_file():
        raise UnreadableImageError(f"its image '{image.name}' ({path.name}) {MISSING}")
    single = bpy.data.images.load(str(path))
    try:
        single.colorspace_settings.name = image.colorspace_settings.name
        single.alpha_mode = image.alpha_mode
        if not _has_texels(single):
            raise UnreadableImageError(f"its image '{image.name}' ({path.name}) cannot be decoded")
        yield single
    finally:
        bpy.data.images.remove(single)


def mean_color(image: bpy.types.Image, numbers: Sequence[int] = ()) -> Mean | None:
    """The mean over all texels, linear.

    Args:
        image: An image of the open file.
        numbers: Of a sequence or movie, what it shows: a number for each frame that is looked at.

    Returns:
        The mean, also over the files, of those that can be read; None where none can.
    """
    return _mean(image, numbers, lambda colors: colors.reshape(-1, 3).astype(np.float64).mean(axis=0))


def mean_over_sphere(
    image: bpy.types.Image, numbers: Sequence[int] = (), projection: str = "EQUIRECTANGULAR"
) -> Mean | None:
    """The mean colour of an environment, each direction counted alike, as :func:`mean_color` gives it.

    What is brighter than white counts as white, as a picture shows it.

    Args:
        image: An image of the open file.
        numbers: Of a sequence or movie, what it shows.
        projection: How it lies on the sphere: ``"EQUIRECTANGULAR"``, or ``"MIRROR_BALL"``.
    """

    def mean(colors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        height, width = colors.shape[:2]
        v = (np.arange(height) + 0.5) / height - 0.5
        if projection == "MIRROR_BALL":
            # equal parts of the disc are equal parts of the sphere that it reflects
            u = (np.arange(width) + 0.5) / width - 0.5
            weights = (u[None, :] ** 2 + v[:, None] ** 2 <= 0.25).astype(np.float64)
        else:
            weights = np.repeat(np.cos(math.pi * v)[:, None], width, axis=1)
        shown = np.clip(colors.astype(np.float64), 0.0, 1.0)
        result: npt.NDArray[np.float64] = np.tensordot(weights, shown, axes=2) / weights.sum()
        return result

    return _mean(image, numbers, mean)


def _mean(
    image: bpy.types.Image,
    numbers: Sequence[int],
    mean: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]],
) -> Mean | None:
    found: dict[int | Path | None, npt.NDArray[np.float64]] = {}
    counts: dict[int | Path | None, int] = {}
    parts: list[int | Path | None] = [None]
    if is_moving(image):
        parts = [*numbers]
    elif image.source == "TILED" and not image.packed_files:
        parts = [*files_of_tiles(image)]
    for part in parts:
        counts[part] = counts.get(part, 0) + 1
    for part in counts:
        try:
            if isinstance(part, Path):
                with single_image(image, part) as single:
                    texels = bounded_texels(single)
            else:
                texels = read_texels(image, part)
        except UnreadableImageError:
            continue
        found[part] = mean(linear_colors(image, texels))
    if not found:
        return None
    total = sum(counts[part] * value for part, value in found.items()) / sum(counts[part] for part in found)
    red, green, blue = np.asarray(total, np.float64).tolist()
    return red, green, blue


def bounded_texels(image: bpy.types.Image, largest: int = LARGEST_SIDE) -> npt.NDArray[np.float32]:
    """What :func:`read_texels` gives, of an image that is known to have texels, whatever becomes of them later."""
    if max(image.size) <= largest:
        return _texels(image)
    smaller = image.copy()
    try:
        factor = largest / max(image.size)
        smaller.scale(*[max(1, int(side * factor)) for side in image.size])
        return _texels(smaller)
    finally:
        bpy.data.images.remove(smaller)


def linear_colors(image: bpy.types.Image, texels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(H, W, 3)`` float32: the texels' colours as shaders see them."""
    colors = texels[..., :3]
    return srgb_to_linear(colors.astype(np.float64)).astype(np.float32) if is_encoded(image) else colors


def encoded_colors(image: bpy.types.Image, texels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(H, W, 3)`` float32 in 0..1: the texels' colours as a picture of 8 bits holds them (sRGB)."""
    colors = texels[..., :3]
    if is_encoded(image):
        return np.clip(colors, 0.0, 1.0)
    return linear_to_srgb(colors.astype(np.float64)).astype(np.float32)


def _texels(image: bpy.types.Image) -> npt.NDArray[np.float32]:
    width, height = image.size
    raw = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(raw)
    raw = raw.reshape(height, width, image.channels)
    texels = np.ones((height, width, 4), np.float32)
    texels[..., :3] = raw[..., :3] if image.channels >= 3 else raw[..., :1]
    if image.channels == 4 and image.alpha_mode != "NONE":
        texels[..., 3] = raw[..., 3]
    return texels


def _movie_texels(image: bpy.types.Image, number: int) -> npt.NDArray[np.float32]:
    """One picture of a movie, its last for a number beyond it.

    Blender hands Python nothing but the first; its own decoder may round colours otherwise.
    """
    path = _path(image)
    movie = cv2.VideoCapture(str(path)) if path.is_file() else None
    picture: npt.NDArray[Any] | None = None
    if movie is not None:
        for _ in range(max(number, 1)):
            read, found = movie.read()
            if not read:
                break
            picture = found
        movie.release()
    if picture is None:
        raise UnreadableImageError(_what_is_wrong(image, path))
    largest = max(picture.shape[:2])
    if largest > LARGEST_SIDE:
        size = [max(1, side * LARGEST_SIDE // largest) for side in picture.shape[1::-1]]
        picture = cv2.resize(picture, (size[0], size[1]), interpolation=cv2.INTER_AREA)
    texels = np.ones((*picture.shape[:2], 4), np.float32)
    texels[..., :3] = picture[::-1, :, ::-1] / np.float32(255.0)
    return texels


def _problem_of_path(image: bpy.types.Image, path: Path) -> str:
    try:
        with single_image(image, path):
            return ""
    except UnreadableImageError as error:
        return str(error).removeprefix("its ")


def _what_is_wrong(image: bpy.types.Image, path: Path) -> str:
    there = image.packed_file is not None or path.is_file()
    return f"its image '{image.name}' " + ("cannot be decoded" if there else MISSING)


def _path(image: bpy.types.Image) -> Path:
    return file_of_frame(image, None)


def _has_texels(image: bpy.types.Image) -> bool:
    # to ask for its size has Blender load it
    width, height = image.size
    return bool(width * height > 0 and image.has_data)


def is_encoded(image: bpy.types.Image) -> bool:
    """Whether texels are sRGB-encoded, and not linear as they are."""
    return not image.is_float and image.colorspace_settings.name == "sRGB"
