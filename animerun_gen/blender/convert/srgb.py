"""From colours as pictures and people write them (sRGB) to the linear ones that Blender's properties hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.config.model import rgb


def srgb_to_linear(encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """sRGB-encoded channels in 0..1, of any shape, as linear light (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def hex_to_linear(color: str) -> tuple[float, float, float]:
    """``"#rrggbb"`` as linear red, green and blue in 0..1."""
    red, green, blue = srgb_to_linear(np.array(rgb(color)) / 255.0).tolist()
    return red, green, blue
