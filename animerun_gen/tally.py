"""How often values occur, in compiled loops: as a sort would tell, in the time of a look at each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


def tally(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The values that occur, ascending, and how often each does.

    Pictures of flat surfaces are long runs of one value, each of which is looked up once.

    Args:
        values: ``(N,)`` int64.

    Returns:
        ``(M,)`` int64 each, as :func:`numpy.unique` gives them.

    Example:
        >>> [part.tolist() for part in tally(np.array([7, 7, -1, 7]))]
        [[-1, 7], [1, 3]]
    """
    found, counts = _tally(values)
    order = np.argsort(found)
    return found[order], counts[order]


@kernel
def _tally(values):  # type: ignore[no-untyped-def]
    """The values that occur, in the order in which they first do, and how often."""
    counted = 0
    places = np.full(64, -1, np.int64)
    found, counts = np.empty(len(places) // 2, np.int64), np.empty(len(places) // 2, np.int64)
    n = 0
    while n < len(values):
        value = values[n]
        beyond = n + 1
        while beyond < len(values) and values[beyond] == value:
            beyond += 1
        slot = _slot(places, found, value)
        if places[slot] < 0:
            if counted == len(found):
                places, found, counts = _enlarged(places, found, counts)
                slot = _slot(places, found, value)
            places[slot] = counted
            found[counted], counts[counted] = value, 0
            counted += 1
        counts[places[slot]] += beyond - n
        n = beyond
    return found[:counted], counts[:counted]


@kernel
def _slot(places, found, value):  # type: ignore[no-untyped-def]
    """Where the place of a value is kept, or would be; half of the slots are empty."""
    # a multiplicative hash (Knuth), whose upper bits are the irregular ones
    slot = np.int64((np.uint64(value) * np.uint64(11400714819323198485)) >> np.uint64(32)) & (len(places) - 1)
    while places[slot] >= 0 and found[places[slot]] != value:
        slot = (slot + 1) & (len(places) - 1)
    return slot


@kernel
def _enlarged(places, found, counts):  # type: ignore[no-untyped-def]
    """The same with room for four times as many values."""
    more = np.full(4 * len(places), -1, np.int64)
    more_found, more_counts = np.empty(len(more) // 2, np.int64), np.empty(len(more) // 2, np.int64)
    more_found[: len(found)] = found
    more_counts[: len(found)] = counts
    for place in range(len(found)):
        more[_slot(more, more_found, found[place])] = place
    return more, more_found, more_counts
