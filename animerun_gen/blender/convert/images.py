"""The texels of the film's images."""

from __future__ import annotations

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender.convert.srgb import linear_to_srgb, srgb_to_linear

LARGEST_SIDE = 2048
"""Larger images are scaled down to this before they are looked at: 4 million texels are 67 MB of floats."""


class UnreadableImageError(Exception):
    """An image without texels that stay the same; says why."""


def read_texels(image: bpy.types.Image | None) -> npt.NDArray[np.float32]:
    """The texels of an image as they are in the file, or in an image as large as :data:`LARGEST_SIDE` at most.

    Args:
        image: An image of the open file; it is not changed.

    Returns:
        ``(H, W, 4)`` float32, lowest row first: red, green, blue (encoded as in the file) and alpha.

    Raises:
        UnreadableImageError: There is no image, its file is missing or broken, or it changes from frame to frame.
    """
    if image is None:
        raise UnreadableImageError("its image node is empty")
    if image.source not in {"FILE", "GENERATED"}:
        raise UnreadableImageError(f"its image '{image.name}' is of the kind {image.source.lower()}")
    width, height = image.size
    if width * height == 0 or not image.has_data:
        raise UnreadableImageError(f"its image '{image.name}' is missing")
    if max(width, height) <= LARGEST_SIDE:
        return _texels(image)
    smaller = image.copy()
    try:
        factor = LARGEST_SIDE / max(width, height)
        smaller.scale(max(1, int(width * factor)), max(1, int(height * factor)))
        return _texels(smaller)
    finally:
        bpy.data.images.remove(smaller)


def linear_colors(image: bpy.types.Image, texels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(H, W, 3)`` float32: the texels' colours as shaders see them."""
    colors = texels[..., :3]
    return srgb_to_linear(colors.astype(np.float64)).astype(np.float32) if _is_encoded(image) else colors


def encoded_colors(image: bpy.types.Image, texels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(H, W, 3)`` float32 in 0..1: the texels' colours as a picture of 8 bits holds them (sRGB)."""
    colors = texels[..., :3]
    if _is_encoded(image):
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


def _is_encoded(image: bpy.types.Image) -> bool:
    return not image.is_float and image.colorspace_settings.name == "sRGB"
