"""What Freestyle's lines cost a frame, as far as the number of triangles tells.

Measured with Blender 4.5.15 at 960x540 on 2 cores: scenes of one kind with up to 10 million triangles, which took 176 s
and 22 GB.  Few triangles can cost as much where they are thick grass; where Freestyle can be tried, that tells more.
"""

from __future__ import annotations

FREESTYLE_SECONDS = 17.6e-6
"""Freestyle's time a triangle (10 million triangles took 176 s)."""

FREESTYLE_GIGABYTES = 2.2e-6
"""Freestyle's memory a triangle (10 million triangles took 22 GB)."""

SLOW_SECONDS = 15.0
"""Where a frame takes Freestyle longer, a draft, and ``lines.engine: auto``, do without it.

It needs 1.9 GB then, so that memory is no second reason.
"""


def freestyle_seconds(triangles: int) -> float:
    """Seconds that Freestyle will take for a frame of so many triangles."""
    return FREESTYLE_SECONDS * triangles


def freestyle_gigabytes(triangles: int) -> float:
    """Memory that Freestyle will take for a frame of so many triangles, in GB."""
    return FREESTYLE_GIGABYTES * triangles


def rounded(value: float) -> str:
    """A prediction with the two digits that it is worth, and never as a power of ten."""
    return f"{float(f'{value:.2g}'):g}"
