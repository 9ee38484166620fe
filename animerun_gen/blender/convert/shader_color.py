"""Reads the one colour that a tree of shader nodes mostly shows, without rendering it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.convert.images import bounded_texels, linear_colors

MAX_DEPTH = 64
"""Nodes followed in a row before a tree is taken for circular."""

BY_COLOR_INPUT = {
    "BSDF_DIFFUSE": "Color",
    "BSDF_GLOSSY": "Color",
    "BSDF_ANISOTROPIC": "Color",
    "BSDF_TOON": "Color",
    "BSDF_VELVET": "Color",
    "BSDF_SHEEN": "Color",
    "BSDF_GLASS": "Color",
    "BSDF_REFRACTION": "Color",
    "BSDF_TRANSLUCENT": "Color",
    "BSDF_HAIR": "Color",
    "BSDF_HAIR_PRINCIPLED": "Color",
    "SUBSURFACE_SCATTERING": "Color",
    "EEVEE_SPECULAR": "Base Color",
    "EMISSION": "Color",
    "BACKGROUND": "Color",
    "HUE_SAT": "Color",
    "GAMMA": "Color",
    "BRIGHTCONTRAST": "Color",
    "INVERT": "Color",
    "CURVE_RGB": "Color",
    "SHADERTORGB": "Shader",
}
"""Nodes whose look is that of one of their inputs."""


@dataclass(frozen=True)
class ShaderColor:
    """What a shader shows.

    Attributes:
        color: Linear red, green and blue in 0..1.
        image: The image that it shows, where it shows one.
        node: The image's node in the material's own tree; None when it sits inside a group.
    """

    color: tuple[float, float, float]
    image: bpy.types.Image | None = None
    node: bpy.types.Node | None = None


def shader_color(material: bpy.types.Material) -> ShaderColor | None:
    """The colour that a material's nodes give its surface.

    Base or emission colour; an image's mean colour; mixes by their factor, of which transparent branches are no part.

    Args:
        material: A material of the open file.

    Returns:
        The colour; None when the material has no nodes, or what they show depends on more than colours and images.
    """
    if not versions.has_nodes(material):
        return None
    output = material.node_tree.get_output_node("ALL") or material.node_tree.get_output_node("EEVEE")
    if output is None or not output.inputs["Surface"].is_linked:
        return None
    found = socket_color(output.inputs["Surface"], [], 0)
    if found is None:
        return None
    red, green, blue = (min(max(float(channel), 0.0), 1.0) for channel in found.color)
    return ShaderColor((red, green, blue), found.image, found.node)


def socket_color(socket: Any, groups: list[Any], depth: int) -> ShaderColor | None:
    """What arrives at an input of a node.

    Args:
        socket: The input.
        groups: The group nodes around its node, innermost last.
        depth: Nodes followed so far.

    Returns:
        The colour (a number as grey); None where it depends on more than colours and images.
    """
    if depth > MAX_DEPTH:
        return None
    links = [link for link in socket.links if link.is_valid] if socket.is_linked else []
    if links:
        return _node(links[0].from_node, links[0].from_socket, groups, depth + 1)
    value = getattr(socket, "default_value", None)
    if value is None or isinstance(value, str):
        return None
    if isinstance(value, float | int):
        return ShaderColor((value, value, value))
    return ShaderColor((value[0], value[1], value[2]))


def _node(node: Any, socket: Any, groups: list[Any], depth: int) -> ShaderColor | None:
    kind = node.type
    if node.mute or kind == "REROUTE":
        return next((socket_color(entry, groups, depth) for entry in node.inputs if entry.is_linked), None)
    if kind in BY_COLOR_INPUT and BY_COLOR_INPUT[kind] in node.inputs:
        return socket_color(node.inputs[BY_COLOR_INPUT[kind]], groups, depth)
    if kind == "BSDF_PRINCIPLED":
        return _principled(node, groups, depth)
    if kind == "MIX_SHADER":
        return _mix_shaders(node, groups, depth)
    if kind == "ADD_SHADER":
        parts = [part for part in (socket_color(entry, groups, depth) for entry in node.inputs) if part is not None]
        return _sum(parts)
    if kind == "TEX_IMAGE":
        return _image(node, groups)
    if kind == "RGB":
        value = node.outputs[0].default_value
        return ShaderColor((value[0], value[1], value[2]))
    if kind in {"MIX_RGB", "MIX"}:
        return _mix_colors(node, groups, depth)
    if kind == "VALTORGB":
        samples = [node.color_ramp.evaluate(position / 16.0) for position in range(17)]
        mean = np.mean([sample[:3] for sample in samples], axis=0)
        return ShaderColor((float(mean[0]), float(mean[1]), float(mean[2])))
    if kind == "GROUP" and node.node_tree is not None:
        inner = next((entry for entry in node.node_tree.nodes if entry.type == "GROUP_OUTPUT"), None)
        target = inner.inputs.get(socket.name) if inner is not None else None
        return socket_color(target, [*groups, node], depth) if target is not None else None
    if kind == "GROUP_INPUT" and groups:
        outer = groups[-1].inputs.get(socket.name)
        return socket_color(outer, groups[:-1], depth) if outer is not None else None
    return None


def _principled(node: Any, groups: list[Any], depth: int) -> ShaderColor | None:
    base = socket_color(node.inputs["Base Color"], groups, depth)
    emission, strength = versions.principled_emission(node)
    glow = socket_color(emission, groups, depth)
    power = socket_color(strength, groups, depth)
    if glow is None or power is None or max(glow.color) * power.color[0] < 1e-3:
        return base
    if base is None or max(base.color) * 2.0 < max(glow.color) * power.color[0]:
        return glow
    return base


def _mix_shaders(node: Any, groups: list[Any], depth: int) -> ShaderColor | None:
    branches = node.inputs[1], node.inputs[2]
    opaque = [branch for branch in branches if not _is_transparent(branch)]
    if len(opaque) == 1:
        return socket_color(opaque[0], groups, depth)
    return _mix(
        socket_color(branches[0], groups, depth), socket_color(branches[1], groups, depth), _factor(node.inputs[0])
    )


def _is_transparent(socket: Any) -> bool:
    return bool(socket.is_linked) and socket.links[0].from_node.type in {"BSDF_TRANSPARENT", "HOLDOUT"}


def _mix_colors(node: Any, groups: list[Any], depth: int) -> ShaderColor | None:
    if node.type == "MIX":
        if node.data_type != "RGBA":
            return None
        colors = [entry for entry in node.inputs if entry.type == "RGBA"]
        factor = _factor(node.inputs[0])
    else:
        colors = [node.inputs["Color1"], node.inputs["Color2"]]
        factor = _factor(node.inputs["Fac"])
    first, second = (socket_color(entry, groups, depth) for entry in colors)
    if node.blend_type == "MULTIPLY" and first is not None and second is not None:
        product = tuple(a * b for a, b in zip(first.color, second.color, strict=True))
        shown = first if first.image is not None else second
        multiplied = ShaderColor((product[0], product[1], product[2]), shown.image, shown.node)
        return _mix(first, multiplied, factor)
    return _mix(first, second, factor)


def _factor(socket: Any) -> float:
    """A mix's factor; one half where it is computed (by a Fresnel node, say) and so differs over the surface."""
    return 0.5 if socket.is_linked else min(max(float(socket.default_value), 0.0), 1.0)


def _mix(first: ShaderColor | None, second: ShaderColor | None, factor: float) -> ShaderColor | None:
    if first is None or second is None:
        return first or second
    mixed = [a * (1.0 - factor) + b * factor for a, b in zip(first.color, second.color, strict=True)]
    main, other = (first, second) if factor <= 0.5 else (second, first)
    shown = main if main.image is not None or factor in {0.0, 1.0} else other
    return ShaderColor((mixed[0], mixed[1], mixed[2]), shown.image, shown.node)


def _sum(parts: Sequence[ShaderColor]) -> ShaderColor | None:
    if not parts:
        return None
    total = [sum(part.color[channel] for part in parts) for channel in range(3)]
    shown = next((part for part in parts if part.image is not None), parts[0])
    return ShaderColor((total[0], total[1], total[2]), shown.image, shown.node)


def _image(node: Any, groups: list[Any]) -> ShaderColor | None:
    image = node.image
    if image is None:
        return None
    mean = _mean_color(image)
    return ShaderColor(mean, image, None if groups else node)


def _mean_color(image: bpy.types.Image) -> tuple[float, float, float]:
    """The mean over all texels, linear; Blender's own magenta for a file that is not there."""
    width, height = image.size
    if width * height == 0:
        return (1.0, 0.0, 1.0)
    color = linear_colors(image, bounded_texels(image)).reshape(-1, 3).astype(np.float64)
    mean = color.mean(axis=0)
    return (float(mean[0]), float(mean[1]), float(mean[2]))
