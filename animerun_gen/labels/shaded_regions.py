"""Segments that end at the borders of the shade, as the regions of a cel do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.labels.kernels import tones as kernels
from animerun_gen.shade.kernels.cleaning import merge_small
from animerun_gen.shade.tone import BASE


def divide_by_tones(
    segments: npt.NDArray[np.int32],
    tones: npt.NDArray[np.uint8],
    lines: npt.NDArray[np.bool_],
    smallest: int,
) -> npt.NDArray[np.int32]:
    """Divide segments where their shade changes.

    Pixels of lines go to the region of their segment that is nearest.  A region of fewer pixels than ``smallest`` joins
    the one of its segment that it borders on most; a segment of one tone stays whole.

    Args:
        segments: ``(H, W)`` int32, labels from 0.
        tones: ``(H, W)`` uint8, the shade; the background counts as lit.
        lines: ``(H, W)`` bool.
        smallest: Pixels.

    Returns:
        ``(H, W)`` int32, labels from 0 without gaps, in the order of their first pixels, row by row.

    Example:
        >>> tones = np.array([[2, 2, 1, 1]], np.uint8)
        >>> divide_by_tones(np.zeros((1, 4), np.int32), tones, np.zeros((1, 4), bool), 1).tolist()
        [[0, 0, 1, 1]]
    """
    own = np.where(lines, 0, np.where(tones == 0, BASE, tones)).astype(np.uint8)
    kernels.spread_tones(own, segments, np.flatnonzero(own.ravel() == 0))
    # a segment that is all line
    own[own == 0] = BASE
    merge_small(own, segments, smallest)
    pieces = kernels.components(segments, own)
    _, first = np.unique(pieces, return_index=True)
    segment_of, tone_of = segments.ravel()[first].astype(np.int64), own.ravel()[first].astype(np.int64)
    size = np.bincount(pieces.ravel())
    # what is too small to be a region and borders on none belongs to the largest piece of its tone
    kind = 4 * segment_of + tone_of
    home = _largest(kind, size)
    several = _counts(segment_of[np.unique(kind, return_index=True)[1]], segment_of) > 1
    target = np.where(several & (size >= smallest), np.arange(len(size)), home)
    return _numbered(target[pieces])


def _largest(group: npt.NDArray[np.int64], size: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each piece the largest one of its group, of equally large ones the first."""
    order = np.lexsort((np.arange(len(group)), -size, group))
    groups, starts, inverse = np.unique(group[order], return_index=True, return_inverse=True)
    del groups
    found = np.empty(len(group), np.int64)
    found[order] = order[starts][inverse]
    return found


def _counts(values: npt.NDArray[np.int64], asked: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often each number that is asked for is among the values."""
    counted: npt.NDArray[np.int64] = np.bincount(values, minlength=int(asked.max()) + 1)[asked]
    return counted


def _numbered(labels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int32]:
    """Labels from 0 without gaps, in the order of their first pixels."""
    found, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    number = np.empty(len(found), np.int32)
    number[np.argsort(first)] = np.arange(len(found), dtype=np.int32)
    return number[inverse].reshape(labels.shape)
