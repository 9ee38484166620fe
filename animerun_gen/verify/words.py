"""Numbers as sentences have them."""

from __future__ import annotations

from typing import Any

import numpy as np


def pixels(count: int | np.integer[Any]) -> str:
    """So many pixels, in words."""
    return "1 pixel" if count == 1 else f"{count} pixels"
