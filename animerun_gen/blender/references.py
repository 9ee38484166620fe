"""Which data-blocks of the open file need which others."""

from __future__ import annotations

from collections.abc import Iterable

import bpy


def needed_by(roots: Iterable[bpy.types.ID]) -> set[bpy.types.ID]:
    """All that data-blocks name, and what that names in turn: the instances that an object draws, its parents, what its
    modifiers and constraints look at.

    Other scenes, which strips or compositing nodes may name, are not followed.

    Args:
        roots: Where to begin.

    Returns:
        The roots and all that they need.
    """
    uses: dict[bpy.types.ID, set[bpy.types.ID]] = {}
    for used, users in bpy.data.user_map().items():
        for user in users:
            uses.setdefault(user, set()).add(used)
    waiting = list(roots)
    reached = set(waiting)
    while waiting:
        for used in uses.get(waiting.pop(), ()):
            if used not in reached and not isinstance(used, bpy.types.Scene):
                reached.add(used)
                waiting.append(used)
    return reached
