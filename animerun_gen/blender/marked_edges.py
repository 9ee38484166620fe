"""Finds meshes with edges that someone marked for Freestyle."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions


def marked_meshes() -> list[str]:
    """Names of the meshes that have marked edges."""
    return sorted(mesh.name for mesh in bpy.data.meshes if mesh.users and versions.marked_edges(mesh).any())
