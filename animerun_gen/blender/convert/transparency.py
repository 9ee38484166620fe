"""Makes every surface solid: in 2D style nothing shines through, and a pixel shows exactly one surface."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions


def make_solid() -> list[str]:
    """Set the alpha of every material's viewport colour, object colour and image texture to opaque.

    Returns:
        How many materials were see-through.
    """
    see_through = []
    for material in bpy.data.materials:
        versions.mute_animation(material, "diffuse_color")
        if material.diffuse_color[3] < 1.0:
            see_through.append(material.name)
        material.diffuse_color[3] = 1.0
    for obj in bpy.data.objects:
        versions.mute_animation(obj, "color")
        obj.color[3] = 1.0
    for image in bpy.data.images:
        # Workbench leaves out texels that are transparent; the labels would not know
        image.alpha_mode = "NONE"
    return [f"made solid: {', '.join(sorted(see_through))}"] if see_through else []
