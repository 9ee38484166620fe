"""Gives every material the one flat colour (or the image) that its shader shows in the film."""

from __future__ import annotations

from fnmatch import fnmatchcase

import bpy

from animerun_gen.blender.convert.shader_color import ShaderColor, shader_color
from animerun_gen.blender.convert.srgb import hex_to_linear
from animerun_gen.blender.opening import is_there
from animerun_gen.config import CutConfig

UNTOUCHED = ((0.8, 0.8, 0.8), (1.0, 1.0, 1.0))
"""Viewport colours (linear) that Blender gives a material nobody painted: today's grey, and the white of 2.7x files."""

DEFAULT_COLOR = (0.8, 0.8, 0.8)
"""What Workbench paints surfaces with (linear) that have no material."""


def convert_colors(config: CutConfig) -> list[str]:
    """Set the viewport colours that Workbench paints with, and point it at the image to paint in texture mode.

    Args:
        config: The cut: ``style.color``, ``style.color_source`` and ``style.overrides``.

    Returns:
        How many colours came from shaders, and each override that matched nothing.
    """
    style = config.style
    from_shaders = 0
    unreadable_images = set()
    unused = dict.fromkeys(style.overrides, True)
    for material in bpy.data.materials:
        pattern = next((name for name in style.overrides if fnmatchcase(material.name, name)), None)
        found = shader_color(material)
        if found is not None and found.image is not None and not found.image.has_data and is_there(found.image):
            unreadable_images.add(found.image.name)
        if pattern is not None:
            unused[pattern] = False
            _paint(material, hex_to_linear(style.overrides[pattern]))
            _show_image(material, None)
            continue
        if found is not None and wants_shader(material, style.color_source):
            _paint(material, found.color)
            from_shaders += 1
        _show_image(material, found)
    bpy.context.scene.display.shading.color_type = "TEXTURE" if style.color == "texture" else "MATERIAL"

    notes = [f"style.overrides: no material is named '{name}'" for name, nothing in unused.items() if nothing]
    if from_shaders:
        notes.append(f"took the colours of {from_shaders} materials from their shaders")
    notes += [f"image '{name}' cannot be read: its materials get one flat colour" for name in sorted(unreadable_images)]
    return notes


def wants_shader(material: bpy.types.Material, source: str) -> bool:
    """Whether a material's colour is to come from its shader nodes, by the cut's ``style.color_source``."""
    if source != "auto":
        return source == "shader"
    painted = material.diffuse_color[:3]
    return any(all(abs(a - b) < 1e-4 for a, b in zip(painted, color, strict=True)) for color in UNTOUCHED)


def shown_image(material: bpy.types.Material) -> bpy.types.Image | None:
    """The image that Workbench paints a converted material with in texture mode; None where it takes its colour."""
    node = material.node_tree.nodes.active if material.node_tree is not None else None
    return node.image if node is not None and node.type == "TEX_IMAGE" else None


def _paint(material: bpy.types.Material, color: tuple[float, float, float]) -> None:
    material.diffuse_color = (*color, 1.0)


def _show_image(material: bpy.types.Material, found: ShaderColor | None) -> None:
    """Make the image that the shader shows the active node, which is the one Workbench paints in texture mode."""
    if material.node_tree is None:
        return
    nodes = material.node_tree.nodes
    if found is not None and found.node is not None and found.image is not None and found.image.has_data:
        nodes.active = found.node
        return
    # without one, no other image of the tree (a normal map, say) may be painted either
    plain = next((node for node in nodes if node.type != "TEX_IMAGE"), None)
    nodes.active = plain
