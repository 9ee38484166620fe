"""Reads the colour that a tree of shader nodes gives its surface, without light: base or emission colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.convert.images import mean_color
from animerun_gen.blender.convert.moving_images import shown_by as files_shown_by
from animerun_gen.blender.convert.shader_values import (
    MAX_DEPTH,
    ShaderValues,
    UnknownValueError,
    Values,
    as_color,
    is_passed_through,
    link_to,
    mix_inputs,
    passed_through,
    through_group,
)
from animerun_gen.blender.convert.surfaces import SurfacePoints
from animerun_gen.blender.convert.texels import LacksImageError, Texels
from animerun_gen.blender.node_trees import nodes_within

BY_COLOR_INPUT = {
    "BSDF_DIFFUSE": "Color",
    "BSDF_GLOSSY": "Color",
    "BSDF_ANISOTROPIC": "Color",
    "BSDF_METALLIC": "Base Color",
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
}
"""Shaders whose look is that of one of their inputs."""

HANDING_ON = {
    "HUE_SAT": "Color",
    "GAMMA": "Color",
    "BRIGHTCONTRAST": "Color",
    "INVERT": "Color",
    "CURVE_RGB": "Color",
    "SHADERTORGB": "Shader",
}
"""Nodes that make of an image another one of the same pattern."""

FAINT = 1e-3
"""Strength of emission below which nothing glows."""


NEUTRAL = 0.8
"""What a missing image shows (linear): the grey of a new material."""


ImageMeans = dict[tuple[str, tuple[int, ...]], tuple[float, float, float] | None]
"""The mean colour of an image (linear) by its full name and the numbers of the files that it shows; None: no image."""


@dataclass(frozen=True)
class ShaderColor:
    """What a shader shows.

    Attributes:
        color: Linear red, green and blue in 0..1.
        image: The image that it shows, where it shows one.
        node: The image's node in the material's own tree; None when it sits inside a group.
        lit: Whether it depends on light, and is the mean of what light may make of it.
    """

    color: tuple[float, float, float]
    image: bpy.types.Image | None = None
    node: bpy.types.Node | None = None
    lit: bool = False


class NeedsSurfaceError(UnknownValueError):
    """The colour is not the same wherever the material is worn."""


def surface_input(material: Any) -> Any:
    """The socket at which the shader of a material or world arrives; None where it has none."""
    if not versions.has_nodes(material):
        return None
    output = material.node_tree.get_output_node("ALL") or material.node_tree.get_output_node("EEVEE")
    if output is None or not output.inputs["Surface"].is_linked:
        return None
    return output.inputs["Surface"]


def shader_color(material: Any, means: ImageMeans | None = None) -> ShaderColor | None:
    """The colour that the nodes of a material or world give wherever it is worn.

    Base or emission colour; an image's mean colour; mixes by their factor, of which transparent branches are no part.

    Args:
        material: A material or world of the open file.
        means: Mean colours of images, which are kept there.

    Returns:
        The colour; None when there are no nodes.

    Raises:
        NeedsSurfaceError: It depends on the surface: see :class:`SurfaceColor`.
        UnknownValueError: It depends on nodes that are not known here.
    """
    surface = surface_input(material)
    if surface is None:
        return None
    image, node = shown_by(surface)
    evaluation = SurfaceColor(None, means)
    red, green, blue = np.clip(evaluation.at(surface), 0.0, 1.0).tolist()
    return ShaderColor((red, green, blue), image, node, bool(evaluation.lit))


def attributes_needed(material: bpy.types.Material) -> frozenset[str]:
    """Names of the attributes that the nodes of a material may ask its surfaces for."""
    names = set()
    for node in nodes_within(material.node_tree) if material.node_tree is not None else ():
        if node.type == "VERTEX_COLOR":
            names.add(node.layer_name)
        elif node.type == "ATTRIBUTE" and node.attribute_type == "GEOMETRY":
            names.add(node.attribute_name)
    return frozenset(names)


_OBJECT_INFO = {"Color": "color", "Alpha": "color", "Location": "location", "Object Index": "pass_index"}
"""By output of an Object Info node, the property that it gives and animation may change."""


def properties_needed(material: bpy.types.Material) -> frozenset[str]:
    """Names of the properties that the nodes of a material may ask its objects for."""
    if material.node_tree is None:
        return frozenset()
    asking = [node for node in nodes_within(material.node_tree) if node.type == "ATTRIBUTE"]
    return frozenset(node.attribute_name for node in asking if node.attribute_type == "OBJECT")


def surface_asks(material: bpy.types.Material) -> frozenset[str]:
    """Names of the properties of objects, built in or not, that the nodes of a material may ask for."""
    if material.node_tree is None:
        return frozenset()
    asked = {
        _OBJECT_INFO[output.name]
        for node in nodes_within(material.node_tree)
        if node.type == "OBJECT_INFO"
        for output in node.outputs
        if output.is_linked and output.name in _OBJECT_INFO
    }
    return properties_needed(material) | asked


class SurfaceColor(ShaderValues):
    """Computes the colour of one material, over points on the surfaces that wear it.

    Args:
        points: The points; None where the colour must not depend on them.
        means: Mean colours of images, which are kept there.
        texels: What images show at the points; by default their means count.

    Attributes:
        lacking: Attributes that were asked for and that no surface has; a shader finds 0 there.
        lit: Names of nodes whose colour depends on light, of which the mean is taken.
    """

    def __init__(
        self, points: SurfacePoints | None, means: ImageMeans | None = None, texels: Texels | None = None
    ) -> None:
        super().__init__("its colour")
        self._points = points
        self._texels = texels
        self._means: ImageMeans = {} if means is None else means
        self.lacking: set[str] = set()
        self.lit: set[str] = set()
        self._nesting = 0

    def at(self, surface: Any) -> Values:
        """The colour of the shader that arrives at an input, ``(3,)``, or ``(N, 1, 3)`` where it varies; linear.

        Raises:
            NeedsSurfaceError: It depends on the points, and there are none.
            UnknownValueError: It depends on nodes that are not known here.
        """
        found = self._shade(surface, [], 0)
        if found is None:
            raise UnknownValueError("its shader has no colour")
        return as_color(found)

    def _shade(self, socket: Any, groups: list[Any], depth: int) -> Values | None:
        """The colour of the shader at an input; None where it has none."""
        found: Values | None = self.remembered(0, socket, groups, lambda: self._shader(socket, groups, depth + 1))
        return found

    def _shader(self, socket: Any, groups: list[Any], depth: int) -> Values | None:
        if depth > MAX_DEPTH:
            raise UnknownValueError("its shader goes round in circles")
        link = link_to(socket)
        if link is None:
            return None
        node, output = link.from_node, link.from_socket
        kind = node.type
        if is_passed_through(node):
            entry = passed_through(node)
            return self._shade(entry, groups, depth) if entry is not None else None
        onwards = through_group(node, output, groups)
        if onwards is not None:
            return self._shade(*onwards, depth)
        if kind == "BSDF_PRINCIPLED":
            return self._principled(node, groups, depth)
        if kind in BY_COLOR_INPUT and BY_COLOR_INPUT[kind] in node.inputs:
            return self.color(node.inputs[BY_COLOR_INPUT[kind]], groups, depth)
        if kind == "MIX_SHADER":
            opaque = opaque_branches(node)
            parts = [self._shade(branch, groups, depth) for branch in opaque]
            if len(parts) == 1 or parts[0] is None or parts[1] is None:
                return next((part for part in parts if part is not None), None)
            factor = np.clip(self.factor(node.inputs[0], groups, depth), 0.0, 1.0)
            return parts[0] + as_color(factor) * (parts[1] - parts[0])
        if kind == "ADD_SHADER":
            added = [part for part in (self._shade(entry, groups, depth) for entry in node.inputs) if part is not None]
            return sum(added[1:], start=added[0]) if added else None
        if kind in {"BSDF_TRANSPARENT", "HOLDOUT"}:
            return None
        if output.type != "SHADER":
            # a colour where a shader belongs is shown as emission
            return self.color(socket, groups, depth)
        raise UnknownValueError(f"its colour depends on a node '{node.name}' ({kind})")

    def _principled(self, node: Any, groups: list[Any], depth: int) -> Values:
        emission, strength = versions.principled_emission(node)
        if link_to(strength) is None and float(self.number(strength, groups, depth)) < FAINT:
            return self.color(node.inputs["Base Color"], groups, depth)
        glow, power = self.color(emission, groups, depth), self.number(strength, groups, depth)
        shining = float(np.mean(np.max(glow, axis=-1) * power))
        if shining < FAINT:
            return self.color(node.inputs["Base Color"], groups, depth)
        base = self.color(node.inputs["Base Color"], groups, depth)
        return glow if float(np.mean(np.max(base, axis=-1))) * 2.0 < shining else base

    def brought_in(self, node: Any, output: Any, groups: list[Any]) -> Values | None:
        """As everywhere; images or their mean colours, attributes, what Object Info says."""
        kind = node.type
        if kind == "TEX_IMAGE":
            return self._image(node, output, groups)
        if kind == "VERTEX_COLOR":
            return self._attribute(node.layer_name, output)
        if kind == "ATTRIBUTE" and node.attribute_type == "GEOMETRY":
            return self._attribute(node.attribute_name, output)
        if kind == "ATTRIBUTE" and node.attribute_type == "OBJECT":
            return self._property(node.attribute_name, output)
        if kind == "OBJECT_INFO":
            return self._object(node, output)
        if kind == "SHADERTORGB":
            # what light makes of it is not known; where only its colour counts, that is the shader's
            self.lit.add(node.name)
            return np.float32(1.0) if output.name == "Alpha" else self._unlit(node.inputs["Shader"], groups)
        return super().brought_in(node, output, groups)

    def ramp(self, node: Any, output: Any, groups: list[Any], depth: int) -> Values:
        """What a colour ramp gives; one that makes steps of light gives the mean of its colours."""
        if not _is_lit(node.inputs[versions.factor_name(node)], groups, 0):
            return super().ramp(node, output, groups, depth)
        self.lit.add(node.name)
        return _mean_of_ramp(node, output)

    def _unlit(self, socket: Any, groups: list[Any]) -> Values | None:
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise UnknownValueError("its shader goes round in circles")
        try:
            return self._shade(socket, groups, 0)
        finally:
            self._nesting -= 1

    def _attribute(self, name: str, output: Any) -> Values:
        if self._points is None:
            raise NeedsSurfaceError(f"its colour comes from the attribute '{name}' of its surfaces")
        if not self._points.has(name):
            self.lacking.add(name)
        return _as_asked(*self._points.attribute(name), output)

    def _property(self, name: str, output: Any) -> Values:
        if self._points is None:
            raise NeedsSurfaceError(f"its colour comes from the property '{name}' of its objects")
        return _as_asked(*self._points.object_property(name), output)

    def _object(self, node: Any, output: Any) -> Values | None:
        if self._points is None:
            raise NeedsSurfaceError("its colour comes from its objects")
        points = self._points
        if output.name == "Color":
            return points.object_color()[..., :3]
        if output.name == "Alpha":
            return points.object_color()[..., 3]
        if output.name == "Location":
            return points.object_location()
        if output.name == "Object Index":
            return points.object_index()
        if output.name == "Material Index":
            return np.float32(points.material_index)
        return points.object_random() if output.name == "Random" else None

    def _image(self, node: Any, output: Any, groups: list[Any]) -> Values:
        if node.image is None:
            # as Cycles and EEVEE have it
            return np.float32(1.0) if output.name == "Alpha" else np.zeros(3, np.float32)
        if self._texels is not None and self._points is not None:
            shown = self._texels.at(node, groups, self._points)
            return shown[..., 3] if output.name == "Alpha" else shown[..., :3]
        if output.name == "Alpha":
            raise UnknownValueError(f"its colour depends on the alpha of image '{node.image.name}'")
        numbers = tuple(files_shown_by(node))
        key = (node.image.name_full, numbers)
        if key not in self._means:
            self._means[key] = mean_color(node.image, numbers)
        mean = self._means[key]
        if mean is None:
            raise LacksImageError(f"its image '{node.image.name}' is missing or cannot be read")
        return np.array(mean, np.float32)


def _as_asked(colors: Values, numbers: Values, output: Any) -> Values:
    """What of an attribute an output of its node gives."""
    if output.name == "Alpha":
        return np.asarray(colors)[..., 3]
    return numbers if output.name in {"Fac", "Factor"} else np.asarray(colors)[..., :3]


class RoughColor(SurfaceColor):
    """What can be said of a colour where nobody can compute it: a ramp's mean, and one half for unknown factors."""

    def __init__(self) -> None:
        super().__init__(None)

    def ramp(self, node: Any, output: Any, groups: list[Any], depth: int) -> Values:
        """What a colour ramp gives, or the mean of its colours."""
        try:
            return super().ramp(node, output, groups, depth)
        except UnknownValueError:
            return _mean_of_ramp(node, output)

    def factor(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """By how much something mixes."""
        try:
            return super().factor(socket, groups, depth)
        except UnknownValueError:
            return np.float32(0.5)

    def brought_in(self, node: Any, output: Any, groups: list[Any]) -> Values | None:
        """As everywhere; grey for an image that is missing, which Blender would show in magenta."""
        try:
            return super().brought_in(node, output, groups)
        except LacksImageError:
            return np.full(3, NEUTRAL, np.float32)


def rough_color(material: Any) -> ShaderColor | None:
    """As :func:`shader_color`, but as well as it can be said; None where nothing can."""
    surface = surface_input(material)
    if surface is None:
        return None
    try:
        red, green, blue = np.clip(RoughColor().at(surface), 0.0, 1.0).tolist()
    except UnknownValueError:
        return None
    return ShaderColor((red, green, blue), *shown_by(surface))


def rough_values(socket: Any, groups: list[Any]) -> Values | None:
    """What arrives at an input of a node, as well as it can be said; None where nothing can."""
    try:
        return RoughColor().value(socket, groups, 0)
    except UnknownValueError:
        return None


def shown_by(surface: Any, groups: Sequence[Any] = ()) -> tuple[bpy.types.Image | None, bpy.types.Node | None]:
    """The image that a shader shows, and the image's node in the outermost tree; None where it shows none.

    Of a mix the larger part counts, or the only one that shows an image.
    """
    found = _shown(surface, list(groups), 0)
    return found if found is not None else (None, None)


def _shown(socket: Any, groups: list[Any], depth: int) -> tuple[bpy.types.Image, bpy.types.Node | None] | None:
    link = link_to(socket)
    if link is None or depth > MAX_DEPTH:
        return None
    node, output = link.from_node, link.from_socket
    if is_passed_through(node):
        entry = passed_through(node)
        return _shown(entry, groups, depth + 1) if entry is not None else None
    onwards = through_group(node, output, groups)
    if onwards is not None:
        return _shown(*onwards, depth + 1)
    kind = node.type
    if kind == "TEX_IMAGE":
        return (node.image, None if groups else node) if node.image is not None and output.name == "Color" else None
    if kind == "BSDF_PRINCIPLED":
        emission, strength = versions.principled_emission(node)
        glowing = _shown(emission, groups, depth + 1) if strength.is_linked or strength.default_value > FAINT else None
        return _shown(node.inputs["Base Color"], groups, depth + 1) or glowing
    name = BY_COLOR_INPUT.get(kind) or HANDING_ON.get(kind)
    if name is not None:
        return _shown(node.inputs[name], groups, depth + 1) if name in node.inputs else None
    mixed = _mixed(node)
    return next((shown for entry in mixed if (shown := _shown(entry, groups, depth + 1)) is not None), None)


def _mixed(node: Any) -> list[Any]:
    """The inputs between which a node mixes, the larger part first; none where it is no mix."""
    if node.type == "MIX_SHADER":
        entries = opaque_branches(node)
        factor = node.inputs[0]
    elif node.type == "ADD_SHADER":
        return list(node.inputs)
    elif node.type == "MIX_RGB":
        entries, factor = [node.inputs["Color1"], node.inputs["Color2"]], node.inputs[0]
    elif node.type == "MIX" and node.data_type == "RGBA":
        entries, factor = mix_inputs(node), node.inputs[0]
    else:
        return []
    if factor.is_linked or (node.type in {"MIX_RGB", "MIX"} and node.blend_type != "MIX"):
        return entries
    if factor.default_value in {0.0, 1.0} and len(entries) == 2:
        return [entries[int(factor.default_value)]]
    return entries if factor.default_value <= 0.5 else entries[::-1]


def opaque_branches(mix_shader: Any) -> list[Any]:
    """The inputs of a Mix Shader node at which no transparent shader arrives; both, where all are."""
    branches = [mix_shader.inputs[1], mix_shader.inputs[2]]
    opaque = [branch for branch in branches if not _is_transparent(branch)]
    return opaque if len(opaque) == 1 else branches


def _is_transparent(socket: Any) -> bool:
    return bool(socket.is_linked) and socket.links[0].from_node.type in {"BSDF_TRANSPARENT", "HOLDOUT"}


def _mean_of_ramp(node: Any, output: Any) -> Values:
    samples = np.array([node.color_ramp.evaluate(position / 255.0) for position in range(256)], np.float32)
    mean = samples.mean(axis=0)
    return np.float32(mean[3]) if output.name == "Alpha" else mean[:3]


def _is_lit(socket: Any, groups: list[Any], depth: int) -> bool:
    """Whether light takes part in what arrives at an input: a Shader to RGB node is somewhere behind it."""
    pending = [(socket, groups)]
    seen: set[tuple[int, int]] = set()
    while pending and len(seen) < MAX_DEPTH * MAX_DEPTH:
        entry, around = pending.pop()
        link = link_to(entry)
        if link is None or (entry.as_pointer(), len(around)) in seen:
            continue
        seen.add((entry.as_pointer(), len(around)))
        node = link.from_node
        if node.type == "SHADERTORGB":
            return True
        onwards = through_group(node, link.from_socket, around)
        pending += [onwards] if onwards is not None else [(each, around) for each in node.inputs]
    return False
