"""Node trees of all kinds (of materials, worlds, geometry) with the groups that they use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy


def trees_within(tree: bpy.types.NodeTree) -> Iterator[bpy.types.NodeTree]:
    """A tree and all groups in it at any depth, each once; the tree itself comes first."""
    waiting, seen = [tree], {tree}
    while waiting:
        current = waiting.pop()
        yield current
        for node in current.nodes:
            inner = node.node_tree if node.type == "GROUP" else None
            if inner is not None and inner not in seen:
                seen.add(inner)
                waiting.append(inner)


def nodes_within(tree: bpy.types.NodeTree) -> Iterator[Any]:
    """All nodes of a tree and of the groups in it at any depth, those of each group once."""
    for each in trees_within(tree):
        yield from each.nodes
