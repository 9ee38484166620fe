"""Finds the materials that can be seen through, and those whose image says where; nothing is changed.

How opaque a surface is is computed from its shader nodes as they stand, for every texel of the image that takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.convert.images import UnreadableImageError, linear_colors, read_texels
from animerun_gen.blender.convert.texture_coordinates import (
    TextureCoordinates,
    UnreadableCoordinatesError,
    texture_coordinates,
)

Values = npt.NDArray[np.float32] | np.float32
"""Numbers ``()`` or ``(H, W)``, colours ``(3,)`` or ``(H, W, 3)``: the same everywhere, or one for each texel."""

MAX_DEPTH = 64
"""Nodes followed in a row before a tree is taken for circular."""

MAX_NODES = 2000
"""Nodes evaluated for one material before it is taken for made to keep us busy."""

MAX_MOMENTS = 16
"""Frames at most at which an animated opacity is looked at."""

GLASS = "glass"
"""The reason that stands for glass and for shaders that light passes through."""

REFLECTED = 0.1
"""What Fresnel and Layer Weight nodes are, about, where a surface is seen from the front."""

OPAQUE = 0.999
"""Opacity from which nothing shines through that anybody would see."""


@dataclass(frozen=True)
class AlphaTexture:
    """An image that says where a material can be seen through.

    Attributes:
        image: Name of the image.
        channel: What of it counts: its ``alpha``, or its ``color``.
        below: Share of the texels that are less opaque than the threshold, 0..1; None where that cannot be known.
        problem: Why the material cannot be clipped, the rest of a sentence; empty where it can.
        opacity: ``(H, W)`` uint8, 255 where opaque, lowest row first; where an animation changes it, the most opaque
            that it becomes in the film.  None with a problem.
        coordinates: How the image lies on the surface; None with a problem.
    """

    image: str
    channel: Literal["alpha", "color"]
    below: float | None
    problem: str
    opacity: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    coordinates: TextureCoordinates | None = None


@dataclass(frozen=True)
class SeeThrough:
    """A material that can be seen through.

    Attributes:
        material: Its name, with the library where it is linked.
        reasons: What is see-through about it: ``glass``, ``a transparent shader``, ``alpha 0.30``, ...
        texture: The image that says where; None where none does.
        shows: How much of itself it shows where it is most opaque, 0..1, while glass shows what lies behind; where it
            is animated the most in the film.  1 where an image takes part and that cannot be known.
        fades: Whether an animation makes it as clear as a hole in some frames and opaque in others.
    """

    material: str
    reasons: tuple[str, ...]
    texture: AlphaTexture | None = None
    shows: float = 1.0
    fades: bool = False


def find_see_through(threshold: float, frames: Sequence[int]) -> list[SeeThrough]:
    """Look through all materials that the open file uses.

    Args:
        threshold: Opacity below which a texel counts as a hole, 0..1.
        frames: The film's frames, for what is animated.

    Returns:
        Those that can be seen through, by name.
    """
    found = []
    for material in sorted(bpy.data.materials, key=lambda material: material.name_full):
        if material.users == 0 or material.is_grease_pencil:
            continue
        one = _look_through(material, threshold, frames)
        if one.reasons or one.texture is not None:
            found.append(one)
    return found


def _look_through(material: bpy.types.Material, threshold: float, frames: Sequence[int]) -> SeeThrough:
    name, reasons = material.name_full, []
    if material.diffuse_color[3] < OPAQUE:
        reasons.append(f"viewport alpha {material.diffuse_color[3]:.2f}")
    output = None
    if material.use_nodes and material.node_tree is not None:
        output = material.node_tree.get_output_node("ALL") or material.node_tree.get_output_node("EEVEE")
    if output is None or not output.inputs["Surface"].is_linked:
        # nodes alone count where there are any
        return SeeThrough(name, tuple(reasons), shows=1.0 if output is not None else float(material.diffuse_color[3]))
    surface = output.inputs["Surface"]
    evaluation = _Evaluation()
    try:
        opacity = evaluation.most_opaque(surface, frames)
    except _UnknownOpacityError as error:
        reasons += evaluation.reasons
        if evaluation.image is None:
            return SeeThrough(name, (*reasons, str(error)), shows=_shows(surface, frames))
        texture = AlphaTexture(evaluation.image.name, evaluation.channel, None, str(error))
        return SeeThrough(name, tuple(reasons), texture)
    reasons += evaluation.reasons
    shows = _shows(surface, frames) if GLASS in evaluation.reasons else float(opacity.max())
    if opacity.ndim == 0 or evaluation.image is None:
        fades = evaluation.least < threshold <= float(opacity.max())
        if fades:
            reasons.append("an animated opacity")
        if opacity < OPAQUE:
            reasons.append(f"alpha {float(opacity):.2f}")
        return SeeThrough(name, tuple(reasons), shows=shows, fades=fades)
    if float(opacity.min()) >= OPAQUE:
        return SeeThrough(name, tuple(reasons), shows=shows)
    texture = AlphaTexture(
        image=evaluation.image.name,
        channel=evaluation.channel,
        below=float(np.mean(opacity < threshold)),
        problem="",
        opacity=np.rint(255.0 * np.clip(opacity, 0.0, 1.0)).astype(np.uint8),
        coordinates=evaluation.coordinates,
    )
    return SeeThrough(name, tuple(reasons), texture, shows)


def _shows(surface: Any, frames: Sequence[int]) -> float:
    """How much of itself a surface shows at most, see :attr:`SeeThrough.shows`."""
    try:
        return float(_Evaluation(from_the_front=True).most_opaque(surface, frames).max())
    except _UnknownOpacityError:
        return 1.0


class _UnknownOpacityError(Exception):
    """What cannot be told from nodes and one image; says why."""


class _Evaluation:
    """Computes the opacity of one material, and remembers what took part in it.

    Args:
        from_the_front: Whether to say what is seen of a surface by somebody who looks at it from the front: what light
            passes through, such as glass, counts as a hole, and what depends on the angle is what it is there.

    Attributes:
        least: How opaque the surface is at most in that of the frames in which it is least so.
    """

    def __init__(self, from_the_front: bool = False) -> None:
        self.least = 1.0
        self._from_the_front = from_the_front
        self.image: bpy.types.Image | None = None
        self.channel: Literal["alpha", "color"] = "alpha"
        self.coordinates: TextureCoordinates | None = None
        self.reasons: list[str] = []
        self._texels: tuple[Values, Values] | None = None
        self._frame = 0
        self._moments: set[int] = set()
        self._known: dict[tuple[int, ...], Values] = {}

    def most_opaque(self, surface: Any, frames: Sequence[int]) -> Values:
        """The opacity behind the output's socket: where it is animated, the largest in these frames."""
        opacity = self._at(surface, frames[0])
        self.least = float(opacity.max())
        moments = sorted({min(max(moment, frames[0]), frames[-1]) for moment in self._moments} | {frames[-1]})
        if self._moments:
            for moment in moments[:: -(-len(moments) // MAX_MOMENTS)]:
                then = self._at(surface, moment)
                self.least = min(self.least, float(then.max()))
                opacity = np.maximum(opacity, then)
        return opacity

    def _at(self, surface: Any, frame: int) -> Values:
        self._frame = frame
        self._known.clear()
        return self._opacity(surface, [], 0)

    def _reason(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    def _remembered(self, kind: int, socket: Any, groups: list[Any], compute: Callable[[], Values]) -> Values:
        """Look at every socket once: trees that fork again and again have more paths than anybody can walk."""
        key = (kind, socket.as_pointer(), *(group.as_pointer() for group in groups))
        if key not in self._known:
            if len(self._known) >= MAX_NODES:
                raise _UnknownOpacityError("its shader has too many nodes")
            self._known[key] = compute()
        return self._known[key]

    def _opacity(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """How opaque the shader at an input is."""
        return self._remembered(0, socket, groups, lambda: self._shader(socket, groups, depth + 1))

    def _shader(self, socket: Any, groups: list[Any], depth: int) -> Values:
        link = _link(socket)
        if link is None:
            return np.float32(1.0)
        if depth > MAX_DEPTH:
            raise _UnknownOpacityError("its shader goes round in circles")
        node, output = link.from_node, link.from_socket
        kind = node.type
        if node.mute or kind == "REROUTE":
            entry = next((entry for entry in node.inputs if entry.is_linked), None)
            return self._opacity(entry, groups, depth) if entry is not None else np.float32(1.0)
        if kind in {"BSDF_TRANSPARENT", "HOLDOUT"}:
            self._reason("a transparent shader" if kind == "BSDF_TRANSPARENT" else "a holdout")
            return np.float32(0.0)
        if kind in {"BSDF_GLASS", "BSDF_REFRACTION"}:
            self._reason(GLASS)
            return np.float32(0.0 if self._from_the_front else 1.0)
        elif kind == "BSDF_PRINCIPLED":
            alpha = self._number(node.inputs["Alpha"], groups, depth)
            transmission = node.inputs.get("Transmission Weight") or node.inputs.get("Transmission")
            if transmission is not None and (transmission.is_linked or transmission.default_value > 0.0):
                self._reason(GLASS)
                if self._from_the_front:
                    return alpha * (1.0 - np.clip(self._number(transmission, groups, depth), 0.0, 1.0))
            return alpha
        elif kind == "EEVEE_SPECULAR":
            return 1.0 - self._number(node.inputs["Transparency"], groups, depth)
        elif kind == "MIX_SHADER":
            factor = np.clip(self._number(node.inputs[0], groups, depth), 0.0, 1.0)
            first, second = (self._opacity(node.inputs[index], groups, depth) for index in (1, 2))
            return (1.0 - factor) * first + factor * second
        elif kind == "ADD_SHADER":
            first, second = (self._opacity(entry, groups, depth) for entry in node.inputs)
            return np.clip(first + second - 1.0, 0.0, 1.0)
        elif kind == "GROUP" and node.node_tree is not None:
            inner = _group_output(node, output)
            return self._opacity(inner, [*groups, node], depth) if inner is not None else np.float32(1.0)
        elif kind == "GROUP_INPUT" and groups and output.name in groups[-1].inputs:
            return self._opacity(groups[-1].inputs[output.name], groups[:-1], depth)
        return np.float32(1.0)

    def _number(self, socket: Any, groups: list[Any], depth: int) -> Values:
        return _as_number(self._value(socket, groups, depth))

    def _color(self, socket: Any, groups: list[Any], depth: int) -> Values:
        return _as_color(self._value(socket, groups, depth))

    def _value(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """What arrives at an input: numbers or colours."""
        return self._remembered(1, socket, groups, lambda: self._arriving(socket, groups, depth + 1))

    def _arriving(self, socket: Any, groups: list[Any], depth: int) -> Values:
        link = _link(socket)
        if link is None:
            return self._own_value(socket)
        if depth > MAX_DEPTH:
            raise _UnknownOpacityError("its shader goes round in circles")
        node, output = link.from_node, link.from_socket
        kind = node.type
        if node.mute or kind == "REROUTE":
            entry = next((entry for entry in node.inputs if entry.is_linked), None)
            if entry is None:
                raise _UnknownOpacityError(f"its opacity comes from node '{node.name}', which is switched off")
            return self._value(entry, groups, depth)
        if kind == "TEX_IMAGE":
            return self._image(node, output, groups)
        if kind in {"VALUE", "RGB"}:
            return self._own_value(output)
        if kind == "LIGHT_PATH":
            # what a camera sees is what counts
            return np.float32(output.name == "Is Camera Ray")
        if kind in {"FRESNEL", "LAYER_WEIGHT"} and self._from_the_front:
            return np.float32(REFLECTED)
        if kind == "NEW_GEOMETRY" and output.name == "Backfacing":
            return np.float32(0.0)
        if kind == "GROUP" and node.node_tree is not None:
            inner = _group_output(node, output)
            if inner is not None:
                return self._value(inner, [*groups, node], depth)
        if kind == "GROUP_INPUT" and groups and output.name in groups[-1].inputs:
            return self._value(groups[-1].inputs[output.name], groups[:-1], depth)
        computed = self._computed(node, output, groups, depth)
        if computed is None:
            raise _UnknownOpacityError(f"its opacity depends on a node '{node.name}' ({kind})")
        return computed

    def _computed(self, node: Any, output: Any, groups: list[Any], depth: int) -> Values | None:
        """What a node of the simple kinds makes of its inputs; None for all other kinds."""

        def number(name: str | int) -> Values:
            return self._number(node.inputs[name], groups, depth)

        def color(name: str) -> Values:
            return self._color(node.inputs[name], groups, depth)

        kind = node.type
        if kind == "MATH" and node.operation in MATH:
            operands, compute = MATH[node.operation]
            with np.errstate(all="ignore"):
                result = np.nan_to_num(compute(*[number(index) for index in range(operands)])).astype(np.float32)
            return np.clip(result, 0.0, 1.0) if node.use_clamp else result
        if kind == "CLAMP":
            return np.clip(number("Value"), number("Min"), number("Max"))
        if kind == "INVERT":
            factor, colors = number("Fac"), color("Color")
            return colors + _as_color(factor) * (1.0 - 2.0 * colors)
        if kind == "RGBTOBW":
            return number("Color")
        if kind in {"SEPRGB", "SEPARATE_COLOR"} and getattr(node, "mode", "RGB") == "RGB":
            channel = list(node.outputs).index(output)
            separated: Values = np.asarray(color("Image" if kind == "SEPRGB" else "Color"))[..., channel]
            return separated
        if kind == "VALTORGB":
            return _ramp(node.color_ramp, number("Fac"), output.name)
        if kind == "MAP_RANGE" and node.data_type == "FLOAT" and node.interpolation_type == "LINEAR":
            low, high = number("From Min"), number("From Max")
            with np.errstate(all="ignore"):
                share = np.nan_to_num((number("Value") - low) / (high - low)).astype(np.float32)
            share = np.clip(share, 0.0, 1.0) if node.clamp else share
            return number("To Min") + share * (number("To Max") - number("To Min"))
        if kind == "MIX_RGB":
            return _blend(node.blend_type, number("Fac"), color("Color1"), color("Color2"))
        if kind == "MIX" and node.data_type in {"RGBA", "FLOAT"}:
            return self._mix(node, groups, depth)
        return None

    def _mix(self, node: Any, groups: list[Any], depth: int) -> Values | None:
        """The Mix node of 3.4 and later has inputs of one name for every type."""
        of_type = {"RGBA": "RGBA", "FLOAT": "VALUE"}[node.data_type]
        entries = [entry for entry in node.inputs if entry.enabled and entry.type == of_type and entry.name in "AB"]
        if len(entries) != 2:
            return None
        factor = self._number(node.inputs[0], groups, depth)
        factor = np.clip(factor, 0.0, 1.0) if node.clamp_factor else factor
        first, second = (self._value(entry, groups, depth) for entry in entries)
        if node.data_type == "FLOAT":
            first, second = _as_number(first), _as_number(second)
            return first + factor * (second - first)
        return _blend(node.blend_type, factor, _as_color(first), _as_color(second))

    def _image(self, node: Any, output: Any, groups: list[Any]) -> Values:
        image = node.image
        if self.image is None or self._texels is None:
            if image is not None:
                self.image, self.channel = image, "alpha" if output.name == "Alpha" else "color"
            try:
                coordinates = texture_coordinates(node, groups)
                texels = read_texels(image)
            except (UnreadableImageError, UnreadableCoordinatesError) as error:
                raise _UnknownOpacityError(str(error)) from error
            self.coordinates = coordinates
            self._texels = linear_colors(image, texels), texels[..., 3]
        elif image != self.image:
            raise _UnknownOpacityError(f"its opacity comes from two images, '{self.image.name}' and another")
        return self._texels[1] if output.name == "Alpha" else self._texels[0]

    def _own_value(self, socket: Any) -> Values:
        """The value of a socket to which nothing is linked, at the current frame."""
        value = getattr(socket, "default_value", None)
        if value is None or isinstance(value, str):
            raise _UnknownOpacityError(f"its opacity comes from a socket '{socket.name}' without a value")
        values = [float(value)] if isinstance(value, float | int) else [float(channel) for channel in value][:3]
        owner, path = socket.id_data, f"{socket.path_from_id()}.default_value"
        for curve in versions.fcurves(owner) if owner.animation_data else ():
            if curve.data_path == path and not curve.mute and curve.array_index < len(values):
                values[curve.array_index] = float(curve.evaluate(self._frame))
                self._moments.update(round(key.co[0]) for key in curve.keyframe_points)
        return np.float32(values[0]) if len(values) == 1 else np.array(values, np.float32)


MATH: dict[str, tuple[int, Callable[..., Any]]] = {
    "ADD": (2, np.add),
    "SUBTRACT": (2, np.subtract),
    "MULTIPLY": (2, np.multiply),
    "DIVIDE": (2, np.divide),
    "MULTIPLY_ADD": (3, lambda a, b, c: a * b + c),
    "POWER": (2, np.power),
    "SQRT": (1, np.sqrt),
    "ABSOLUTE": (1, np.abs),
    "MINIMUM": (2, np.minimum),
    "MAXIMUM": (2, np.maximum),
    "LESS_THAN": (2, np.less),
    "GREATER_THAN": (2, np.greater),
    "COMPARE": (3, lambda a, b, c: np.abs(a - b) <= np.maximum(c, 1e-5)),
    "ROUND": (1, lambda a: np.floor(a + 0.5)),
    "FLOOR": (1, np.floor),
    "CEIL": (1, np.ceil),
    "TRUNC": (1, np.trunc),
}
"""Operations of the Math node that opacity is made by: how many inputs each has, and what it does."""


def _link(socket: Any) -> Any:
    if not socket.is_linked:
        return None
    return next((link for link in socket.links if link.is_valid), None)


def _group_output(node: Any, output: Any) -> Any:
    inner = [entry for entry in node.node_tree.nodes if entry.type == "GROUP_OUTPUT" and entry.is_active_output]
    return inner[0].inputs.get(output.name) if inner else None


def _is_color(values: Values) -> bool:
    return values.ndim in {1, 3}


def _as_number(values: Values) -> Values:
    """Colours as their luminance, which is what Blender makes of them."""
    if not _is_color(values):
        return values
    return values @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def _as_color(values: Values) -> Values:
    return values if _is_color(values) else np.repeat(np.asarray(values)[..., None], 3, axis=-1)


def _ramp(ramp: Any, position: Values, output: str) -> Values:
    steps = 1024
    table = np.array([ramp.evaluate(index / steps) for index in range(steps + 1)], np.float32)
    found = table[np.rint(np.clip(position, 0.0, 1.0) * steps).astype(int)]
    return found[..., 3] if output == "Alpha" else found[..., :3]


def _blend(kind: str, factor: Values, first: Values, second: Values) -> Values | None:
    share = _as_color(factor)
    if kind == "MIX":
        return first + share * (second - first)
    if kind == "MULTIPLY":
        return first * (1.0 - share + share * second)
    if kind == "ADD":
        return first + share * second
    if kind == "SUBTRACT":
        return first - share * second
    return None
