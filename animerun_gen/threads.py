"""Compiled loops side by side: they leave the interpreter to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numba

_Task = TypeVar("_Task")
_Answer = TypeVar("_Answer")

MOST = 2
"""So many at most: other workers need cores too, and what each has in its hands takes memory."""


def available_threads() -> int:
    """How many loops may run side by side: no more than Numba may (``NUMBA_NUM_THREADS``), and :data:`MOST`."""
    return int(min(MOST, numba.get_num_threads()))


def in_parallel(function: Callable[[_Task], _Answer], tasks: Iterable[_Task]) -> list[_Answer]:
    """What a function answers to each task, in their order; :func:`available_threads` of them run at a time.

    Raises:
        Exception: whatever the function raises.
    """
    todo, threads = list(tasks), available_threads()
    if threads == 1 or len(todo) <= 1:
        return [function(task) for task in todo]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, todo))


def bands(length: int, count: int) -> list[range]:
    """A picture's rows in so many parts of about one size, none of them empty.

    Example:
        >>> bands(5, 2)
        [range(0, 2), range(2, 5)]
    """
    ends = [length * part // count for part in range(count + 1)]
    return [range(start, end) for start, end in pairwise(ends) if start < end]
