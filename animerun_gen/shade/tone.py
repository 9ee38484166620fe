"""The tones of the shade map, as its files have them."""

from __future__ import annotations

BACKGROUND, SHADOW, BASE, HIGHLIGHT = range(4)
"""No surface; in shadow, or turned away from the light; lit; a highlight."""

FULL, FORM, UNSHADED = range(3)
"""What becomes of a surface: all shade; its own alone, without the shadows that others cast on it; none."""
