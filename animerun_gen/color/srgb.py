"""Between colours as pictures and people write them (sRGB) and the linear ones that Blender's properties hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from animerun_gen.color.hexadecimal import rgb, to_hex


def srgb_to_linear(encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """sRGB-encoded channels in 0..1, of any shape, as linear light (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def hex_to_linear(color: str) -> tuple[float, float, float]:
    """``"#rrggbb"`` as linear red, green and blue in 0..1."""
    red, green, blue = srgb_to_linear(np.array(rgb(color)) / 255.0).tolist()
    return red, green, blue


def linear_to_srgb(linear: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Linear light, of any shape, clipped to 0..1 and sRGB-encoded; the inverse of :func:`srgb_to_linear`."""
    clipped = np.clip(linear, 0.0, 1.0)
    return np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)


def linear_to_hex(color: Sequence[float]) -> str:
    """Linear red, green and blue as ``"#rrggbb"``, as a picture of 8 bits shows them."""
    return to_hex(np.round(255.0 * linear_to_srgb(np.array(color, np.float64))))
