"""Where computing draws the line between something and nothing; shared by compiled loops and plain numpy."""

from __future__ import annotations

NO_AREA = 1e-24
"""Squared sine between the edges of a triangle below which its corners lie on a line, or on a point."""

SAME_DEPTH = 1e-7
"""Two depths whose relative difference is smaller belong to one surface: blender stores float32 coordinates."""

COVERS_NOTHING = 1e-6
"""Twice the area in the picture, in pixels, below which no point of a triangle counts as seen."""
