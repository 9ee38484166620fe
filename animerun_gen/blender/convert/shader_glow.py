"""Reads from a tree of shader nodes how strongly it shines, and whether a camera sees it at all, without rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.convert.shader_color import rough_values, shown_by
from animerun_gen.blender.convert.shader_values import MAX_DEPTH, as_number

UNSEEN_NODES = {"BSDF_TRANSPARENT", "HOLDOUT"}
"""Shaders of which the picture shows nothing."""


@dataclass(frozen=True)
class Glow:
    """What of a surface is light.

    Attributes:
        emission: Emitted light, strength times brightest channel, as a camera sees it.
        pictured: Whether an image is what shines: a screen or a painted backdrop, which belongs to the picture.
        opaque: The share of the surface that is seen at all, 0..1: transparent branches are no part of it.
        volume: Whether it has a volume.
    """

    emission: float
    pictured: bool
    opaque: float
    volume: bool


NO_GLOW = Glow(0.0, False, 1.0, False)


def shader_glow(material: bpy.types.Material | None) -> Glow:
    """How a material shines, by its nodes.

    A mix counts by its factor; a computed factor counts as one half, except that a light path's "is camera ray" is 1
    and its other answers are 0: what counts is what a camera sees directly.

    Args:
        material: A material of the open file; None for a surface without one.

    Returns:
        What was found; nothing that shines where there are no nodes.
    """
    if material is None or not versions.has_nodes(material):
        return NO_GLOW
    output = material.node_tree.get_output_node("ALL") or material.node_tree.get_output_node("CYCLES")
    if output is None:
        return NO_GLOW
    volume = bool(output.inputs["Volume"].is_linked)
    if not output.inputs["Surface"].is_linked:
        # without a surface shader Cycles draws black, unless the material is a volume
        return Glow(0.0, False, 0.0 if volume else 1.0, volume)
    found = _arriving(output.inputs["Surface"], [], 0)
    return Glow(found.emission, found.pictured, found.opaque, volume)


def _arriving(socket: Any, groups: list[Any], depth: int) -> Glow:
    """What comes in at a shader socket; ``groups`` are the group nodes around it, innermost last."""
    links = [link for link in socket.links if link.is_valid] if socket.is_linked else []
    if not links or depth > MAX_DEPTH:
        return Glow(0.0, False, 0.0, False)
    return _node(links[0].from_node, links[0].from_socket, groups, depth + 1)


def _node(node: Any, socket: Any, groups: list[Any], depth: int) -> Glow:
    kind = node.type
    if node.mute or kind == "REROUTE":
        linked = next((entry for entry in node.inputs if entry.is_linked), None)
        return NO_GLOW if linked is None else _arriving(linked, groups, depth)
    if kind in UNSEEN_NODES:
        return Glow(0.0, False, 0.0, False)
    if kind == "EMISSION":
        return _emitting(node.inputs["Color"], node.inputs["Strength"], groups)
    if kind == "BSDF_PRINCIPLED":
        color, strength = versions.principled_emission(node)
        shining = _emitting(color, strength, groups)
        alpha = node.inputs["Alpha"]
        opaque = 1.0 if alpha.is_linked else float(alpha.default_value)
        return Glow(shining.emission * opaque, shining.pictured, opaque, False)
    if kind == "MIX_SHADER":
        share = seen_factor(node.inputs[0])
        first, second = _arriving(node.inputs[1], groups, depth), _arriving(node.inputs[2], groups, depth)
        return Glow(
            first.emission * (1.0 - share) + second.emission * share,
            (first.pictured and share < 1.0) or (second.pictured and share > 0.0),
            first.opaque * (1.0 - share) + second.opaque * share,
            False,
        )
    if kind == "ADD_SHADER":
        parts = [_arriving(entry, groups, depth) for entry in node.inputs]
        return Glow(
            sum(part.emission for part in parts),
            any(part.pictured for part in parts),
            min(sum(part.opaque for part in parts), 1.0),
            False,
        )
    if kind == "GROUP" and node.node_tree is not None:
        inner = next((entry for entry in node.node_tree.nodes if entry.type == "GROUP_OUTPUT"), None)
        target = inner.inputs.get(socket.name) if inner is not None else None
        return NO_GLOW if target is None else _arriving(target, [*groups, node], depth)
    if kind == "GROUP_INPUT" and groups:
        outer = groups[-1].inputs.get(socket.name)
        return NO_GLOW if outer is None else _arriving(outer, groups[:-1], depth)
    return NO_GLOW


def _emitting(color: Any, strength: Any, groups: list[Any]) -> Glow:
    """Light of a colour and a strength; what is computed and cannot be read counts as white, and as 1."""
    shown, power = rough_values(color, groups), rough_values(strength, groups)
    brightest = float(np.max(shown)) if shown is not None else 1.0
    image, _ = shown_by(color, groups)
    return Glow(
        max(brightest * (float(as_number(power)) if power is not None else 1.0), 0.0),
        image is not None,
        1.0,
        False,
    )


def seen_factor(socket: Any) -> float:
    """The factor of a mix of shaders for what a camera sees directly, 0..1."""
    if not socket.is_linked:
        return min(max(float(socket.default_value), 0.0), 1.0)
    source = socket.links[0]
    if source.from_node.type == "LIGHT_PATH":
        return 1.0 if source.from_socket.name == "Is Camera Ray" else 0.0
    return 0.5
