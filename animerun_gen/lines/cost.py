"""What Freestyle's lines cost a frame, predicted from the frame itself.

Freestyle takes every triangle in, finds the edges that make lines, cuts them into pieces where they cross each other in
the picture, and asks for each piece whether it is seen.  So it takes a time for each triangle and one for each piece.
Measured with Blender 4.5.15 at 960x540, in CPU seconds, by ``scripts/benchmark_freestyle.py``: of 25 scenes that took
from 0.13 s to 78 s, the farthest off took 1.6 times what this says, or 0.7 of it.  One of 10 million triangles, which
was measured another time, took 2.2 times that.
"""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_A_FRAME = 0.1
"""Freestyle's time for whatever there is."""

SECONDS_A_TRIANGLE = 8e-6
"""Freestyle's time a triangle."""

SECONDS_A_PIECE = 14.4e-6
"""Freestyle's time a piece of a line."""

SECONDS_A_VISIT = 1.1e-8
"""Freestyle's time a triangle that is asked whether it hides an edge."""

GIGABYTES_A_TRIANGLE = 2.2e-6
"""Freestyle's memory a triangle (10 million triangles took 22 GB, Blender's own included; up to 3 million, 1.4 kB)."""

GIGABYTES_A_PIECE = 2e-6
"""Freestyle's memory a piece of a line (4 million pieces took 7.2 GB)."""

SLOW_SECONDS = 15.0
"""Where a frame takes Freestyle longer, a draft, and ``lines.engine: auto``, do without it.

It needs at most 4 GB then, so that memory is no second reason.
"""


@dataclass(frozen=True)
class LineFigures:
    """What Freestyle has to do in a frame.

    Attributes:
        frame: Frame number.
        triangles: Triangles, those of every instance.
        edges: Edges in the picture that make lines, hidden ones as well.
        crossings: How often these cross each other in the picture.
        visits: How many triangles are asked whether they hide an edge, because they lie in its cell of Freestyle's
            grid; counted where that can be many, see
            :func:`animerun_gen.lines.crossings.count_grid_visits`.
    """

    frame: int
    triangles: int
    edges: int
    crossings: int
    visits: int

    @property
    def pieces(self) -> int:
        """Into so many pieces the edges are cut: a crossing cuts two."""
        return self.edges + 2 * self.crossings


def freestyle_seconds(triangles: int, pieces: int, visits: int = 0) -> float:
    """Seconds that Freestyle will take for a frame.

    Args:
        triangles: Triangles, those of every instance.
        pieces: Pieces of lines, see :attr:`LineFigures.pieces`.
        visits: As :attr:`LineFigures.visits`.
    """
    return SECONDS_A_FRAME + SECONDS_A_TRIANGLE * triangles + SECONDS_A_PIECE * pieces + SECONDS_A_VISIT * visits


def freestyle_gigabytes(triangles: int, pieces: int = 0) -> float:
    """Memory that Freestyle will take for a frame, in GB; without the pieces where these are not known.

    Args:
        triangles: Triangles, those of every instance.
        pieces: Pieces of lines, see :attr:`LineFigures.pieces`.
    """
    return GIGABYTES_A_TRIANGLE * triangles + GIGABYTES_A_PIECE * pieces


def rounded(value: float) -> str:
    """A prediction with the two digits that it is worth, and never as a power of ten."""
    return f"{float(f'{value:.2g}'):g}"
