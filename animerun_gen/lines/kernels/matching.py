"""Joins neighbours of a graph in pairs."""

from __future__ import annotations

import numpy as np

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def match_neighbours(start, end, count):  # type: ignore[no-untyped-def]
    """Join each of so many vertices with a neighbour that is still alone, in the order of the edges.

    Returns:
        ``(count,)`` int32, the number of the pair that a vertex is in, and how many there are; what finds no partner
        joins a pair beside it, and is one of its own where it has no neighbour.
    """
    partner = np.full(count, -1, np.int32)
    for e in range(len(start)):
        a, b = start[e], end[e]
        if partner[a] < 0 and partner[b] < 0:
            partner[a] = b
            partner[b] = a
    for e in range(len(start)):
        a, b = start[e], end[e]
        if partner[a] < 0:
            partner[a] = b
        elif partner[b] < 0:
            partner[b] = a
    group = np.full(count, -1, np.int32)
    groups = 0
    for v in range(count):
        other = partner[v]
        # of a pair the lower one counts; partners of what came later are always in a pair
        if other < 0 or (partner[other] == v and v < other):
            group[v] = groups
            groups += 1
    for v in range(count):
        if group[v] < 0:
            other = partner[v]
            pair = other if partner[other] == v else min(other, partner[other])
            group[v] = group[pair]
    return group, groups
