"""Finds edges that someone marked for Freestyle, which no other engine draws."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions
from animerun_gen.config.messages import and_more
from animerun_gen.config.model import Lines

SHOWN = 6
"""So many names are listed in a sentence."""


def note_marked_edges(lines: Lines) -> list[str]:
    """What is to be said of marked edges that a cut wants as lines and does not get: a sentence, or none."""
    if lines.engine != "geometry" or not lines.freestyle or "edge_mark" not in lines.edges:
        return []
    marked = marked_meshes()
    if not marked:
        return []
    names = and_more([f"'{name}'" for name in marked], SHOWN)
    return [
        f"lines: the edges that are marked in meshes ({names}) are not drawn, because engine geometry does not "
        "support edge_mark"
    ]


def marked_meshes() -> list[str]:
    """Names of the meshes that have marked edges."""
    return sorted(mesh.name for mesh in bpy.data.meshes if mesh.users and versions.marked_edges(mesh).any())
