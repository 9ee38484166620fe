"""Sets that are joined, in compiled loops: ``parent[item]`` is an item of the same set, in the end its smallest.

At first each item is its own parent.  What a set is called, its smallest item, does not depend on the order of joins.
"""

from __future__ import annotations

from animerun_gen import compiled

kernel = compiled.kernels(__name__)


@kernel
def root(parent, item):  # type: ignore[no-untyped-def]
    """The smallest of all items that are joined to this one."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@kernel
def join(parent, one, other):  # type: ignore[no-untyped-def]
    """Joins the sets that two items belong to; returns the smallest item of both."""
    one, other = root(parent, one), root(parent, other)
    smallest = min(one, other)
    parent[max(one, other)] = smallest
    return smallest
