"""Joins pieces of lines that have ends in common into chains."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animerun_gen.lines.kernels.strokes import join_pieces


def joined_pieces(
    points: npt.NDArray[np.int32], classes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Put pieces behind each other.

    Args:
        points: ``(k, 2)`` int32, the points at both ends of each piece.
        classes: ``(k,)`` int64, below 256: only what is of one class is joined.

    Returns:
        ``(n + 1,)`` int64, where each chain begins in the second, ``(m,)`` int32, the points of chains, and ``(n,)``
        int64, a piece of each.  A chain ends where none goes on, or several.
    """
    joined: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int64]]
    joined = join_pieces(points, _mates(points, classes))
    return joined


def _mates(points: npt.NDArray[np.int32], classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each end of a piece the end of the one that goes on from there; -1 where none does, or several could."""
    sides = points.ravel().astype(np.int64) << 8 | np.repeat(classes, 2)
    order = np.argsort(sides, kind="stable")
    ordered = sides[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else order
    twice = begins[np.diff(np.append(begins, len(ordered))) == 2]
    mates = np.full(len(sides), -1, np.int64)
    mates[order[twice]], mates[order[twice + 1]] = order[twice + 1], order[twice]
    return mates
