"""Finds meshes with edges that someone marked for Freestyle."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions


def may_be_marked() -> bool:
    """Whether evaluated meshes may have marked edges: since 5.0 nodes can mark them, before the file's meshes alone."""
    return versions.NODES_MARK_EDGES or bool(marked_meshes())


def marked_meshes() -> list[str]:
    """Names of the meshes that have marked edges."""
    return sorted(mesh.name for mesh in bpy.data.meshes if mesh.users and versions.marked_edges(mesh).any())
