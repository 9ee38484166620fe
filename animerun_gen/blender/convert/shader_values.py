"""What arrives at the inputs of shader nodes, computed from the nodes as they stand: one evaluator for all who ask.

Whoever asks says over what the values are computed (the texels of an image, points on surfaces) by what he makes of
the nodes that bring something in: images, attributes, facts about objects.  Everything behind them is arithmetic, and
that is here.  What is not here is said to be unknown; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions

Values = npt.NDArray[np.float32] | np.float32
"""Numbers ``()`` or ``(h, w)``, colours ``(3,)`` or ``(h, w, 3)``: the same everywhere, or one for each place."""

MAX_DEPTH = 64
"""Nodes followed in a row before a tree is taken for circular."""

MAX_NODES = 2000
"""Nodes evaluated for one material before it is taken for made to keep us busy."""


class UnknownValueError(Exception):
    """What cannot be told from the nodes; says why, a sentence without its full stop."""


class ShaderValues:
    """Computes values that arrive at inputs of shader nodes.

    Args:
        subject: What is computed, for sentences: ``"its opacity"``.
    """

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._known: dict[tuple[int, ...], Any] = {}

    def forget(self) -> None:
        """Compute everything anew from now on."""
        self._known.clear()

    def brought_in(self, node: Any, output: Any, groups: list[Any]) -> Values | None:
        """What a node gives that takes no part of its values from other nodes; None for nodes that nobody knows."""
        if node.type in {"VALUE", "RGB"}:
            return self.own_value(output)
        if node.type == "LIGHT_PATH":
            # what a camera sees is what counts
            return np.float32(output.name == "Is Camera Ray")
        if node.type == "NEW_GEOMETRY" and output.name == "Backfacing":
            return np.float32(0.0)
        return None

    def own_value(self, socket: Any) -> Values:
        """The value of a socket to which nothing is linked."""
        values = self.channels_of(socket)
        return np.float32(values[0]) if len(values) == 1 else np.array(values, np.float32)

    def channels_of(self, socket: Any) -> list[float]:
        """One number, or three, as a socket to which nothing is linked holds them."""
        value = getattr(socket, "default_value", None)
        if value is None or isinstance(value, str):
            raise UnknownValueError(f"{self.subject} comes from a socket '{socket.name}' without a value")
        if isinstance(value, float | int):
            return [float(value)]
        return [float(channel) for channel in value][:3]

    def remembered(self, kind: int, socket: Any, groups: list[Any], compute: Callable[[], Any]) -> Any:
        """Look at every socket once: trees that fork again and again have more paths than anybody can walk."""
        key = (kind, socket.as_pointer(), *(group.as_pointer() for group in groups))
        if key not in self._known:
            if len(self._known) >= MAX_NODES:
                raise UnknownValueError("its shader has too many nodes")
            self._known[key] = compute()
        return self._known[key]

    def number(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """What arrives at an input, as numbers."""
        return as_number(self.value(socket, groups, depth))

    def factor(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """By how much something mixes, as numbers."""
        return self.number(socket, groups, depth)

    def color(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """What arrives at an input, as colours."""
        return as_color(self.value(socket, groups, depth))

    def value(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """What arrives at an input: numbers or colours.

        Raises:
            UnknownValueError: A node takes part that nobody knows.
        """
        found: Values = self.remembered(1, socket, groups, lambda: self._arriving(socket, groups, depth + 1))
        return found

    def _arriving(self, socket: Any, groups: list[Any], depth: int) -> Values:
        link = link_to(socket)
        if link is None:
            return self.own_value(socket)
        if depth > MAX_DEPTH:
            raise UnknownValueError("its shader goes round in circles")
        node, output = link.from_node, link.from_socket
        if is_passed_through(node):
            entry = passed_through(node)
            if entry is None:
                raise UnknownValueError(f"{self.subject} comes from node '{node.name}', which is switched off")
            return self.value(entry, groups, depth)
        onwards = through_group(node, output, groups)
        if onwards is not None:
            return self.value(*onwards, depth)
        found = self.brought_in(node, output, groups)
        if found is None:
            found = self._computed(node, output, groups, depth)
        if found is None:
            raise UnknownValueError(f"{self.subject} depends on a node '{node.name}' ({node.type})")
        return found

    def _computed(self, node: Any, output: Any, groups: list[Any], depth: int) -> Values | None:
        """What a node of the simple kinds makes of its inputs; None for all other kinds."""

        def number(name: str | int) -> Values:
            return self.number(node.inputs[name], groups, depth)

        def color(name: str | int) -> Values:
            return self.color(node.inputs[name], groups, depth)

        kind = node.type
        if kind == "MATH" and node.operation in MATH:
            operands, compute = MATH[node.operation]
            with np.errstate(all="ignore"):
                result = np.nan_to_num(compute(*[number(index) for index in range(operands)])).astype(np.float32)
            return np.clip(result, 0.0, 1.0) if node.use_clamp else result
        if kind == "CLAMP" and node.clamp_type == "MINMAX":
            return np.clip(number("Value"), number("Min"), number("Max"))
        if kind == "RGBTOBW":
            return number("Color")
        if kind in SEPARATING:
            return self._separated(node, list(node.outputs).index(output), color(0))
        if kind in COMBINING:
            channels = [number(index) for index in range(3)]
            return _from_model(_stacked(channels), COMBINING[kind] or node.mode)
        if kind == "VALTORGB":
            return self.ramp(node, output, groups, depth)
        if kind == "MAP_RANGE" and node.data_type == "FLOAT" and node.interpolation_type == "LINEAR":
            low, high = number("From Min"), number("From Max")
            with np.errstate(all="ignore"):
                share = np.nan_to_num((number("Value") - low) / (high - low)).astype(np.float32)
            share = np.clip(share, 0.0, 1.0) if node.clamp else share
            return number("To Min") + share * (number("To Max") - number("To Min"))
        if kind == "MIX_RGB":
            factor = np.clip(self.factor(node.inputs[versions.factor_name(node)], groups, depth), 0.0, 1.0)
            return _clamped(_blend(node.blend_type, factor, color("Color1"), color("Color2")), node.use_clamp)
        if kind == "MIX" and node.data_type in {"RGBA", "FLOAT"}:
            return self._mix(node, groups, depth)
        if kind in {"INVERT", "GAMMA", "BRIGHTCONTRAST", "HUE_SAT", "CURVE_RGB"}:
            return _corrected(node, number, color)
        return None

    def ramp(self, node: Any, output: Any, groups: list[Any], depth: int) -> Values:
        """What a colour ramp gives."""
        position = self.number(node.inputs[versions.factor_name(node)], groups, depth)
        steps = 1024
        table = np.array([node.color_ramp.evaluate(index / steps) for index in range(steps + 1)], np.float32)
        found = table[np.rint(np.clip(position, 0.0, 1.0) * steps).astype(int)]
        return found[..., 3] if output.name == "Alpha" else found[..., :3]

    def _separated(self, node: Any, channel: int, colors: Values) -> Values:
        separated: Values = np.asarray(_to_model(colors, SEPARATING[node.type] or node.mode))[..., channel]
        return separated

    def _mix(self, node: Any, groups: list[Any], depth: int) -> Values | None:
        """The Mix node of 3.4 and later has inputs of one name for every type."""
        entries = mix_inputs(node)
        if len(entries) != 2:
            return None
        factor = self.factor(node.inputs[0], groups, depth)
        factor = np.clip(factor, 0.0, 1.0) if node.clamp_factor else factor
        first, second = (self.value(entry, groups, depth) for entry in entries)
        if node.data_type == "FLOAT":
            first, second = as_number(first), as_number(second)
            return first + factor * (second - first)
        return _clamped(_blend(node.blend_type, factor, as_color(first), as_color(second)), node.clamp_result)


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
    "FRACT": (1, lambda a: a - np.floor(a)),
    "SINE": (1, np.sin),
    "COSINE": (1, np.cos),
    "SIGN": (1, np.sign),
}
"""Operations of the Math node that are known: how many inputs each has, and what it does."""

SEPARATING = {"SEPRGB": "RGB", "SEPHSV": "HSV", "SEPXYZ": "RGB", "SEPARATE_COLOR": ""}
COMBINING = {"COMBRGB": "RGB", "COMBHSV": "HSV", "COMBXYZ": "RGB", "COMBINE_COLOR": ""}
"""Nodes between a colour and its channels, and by which model; empty where the node says."""


def link_to(socket: Any) -> Any:
    """The link that ends at an input; None where none does."""
    if not socket.is_linked:
        return None
    return next((link for link in socket.links if link.is_valid), None)


def is_passed_through(node: Any) -> bool:
    """Whether a node hands on what arrives: a reroute, or one that is muted."""
    return bool(node.mute) or node.type == "REROUTE"


def passed_through(node: Any) -> Any:
    """The input that such a node hands on; None where nothing is linked to it."""
    return next((entry for entry in node.inputs if entry.is_linked), None)


def through_group(node: Any, output: Any, groups: list[Any]) -> tuple[Any, list[Any]] | None:
    """Into a group node, or out of the group that a node is in.

    Args:
        node: Any node.
        output: The output of it that is wanted.
        groups: The group nodes around it, innermost last.

    Returns:
        The input at which to go on, and the group nodes around that; None where the node is nothing of a group.
    """
    if node.type == "GROUP" and node.node_tree is not None:
        inner = [entry for entry in node.node_tree.nodes if entry.type == "GROUP_OUTPUT" and entry.is_active_output]
        socket = inner[0].inputs.get(output.name) if inner else None
        return None if socket is None else (socket, [*groups, node])
    if node.type == "GROUP_INPUT" and groups and output.name in groups[-1].inputs:
        return groups[-1].inputs[output.name], groups[:-1]
    return None


def mix_inputs(node: Any) -> list[Any]:
    """The two inputs between which a Mix node of 3.4 and later mixes."""
    of_type = {"RGBA": "RGBA", "FLOAT": "VALUE"}.get(node.data_type)
    return [entry for entry in node.inputs if entry.enabled and entry.type == of_type and entry.name in "AB"]


def is_color(values: Values) -> bool:
    """Whether values are colours, not numbers."""
    return values.ndim in {1, 3}


def as_number(values: Values) -> Values:
    """Colours as their luminance, which is what Blender makes of them."""
    if not is_color(values):
        return values
    return values @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def as_color(values: Values) -> Values:
    """Numbers as greys."""
    return values if is_color(values) else np.repeat(np.asarray(values)[..., None], 3, axis=-1)


def _stacked(channels: list[Values]) -> Values:
    return np.stack(np.broadcast_arrays(*channels), axis=-1).astype(np.float32)


def _clamped(values: Values | None, clamp: bool) -> Values | None:
    return np.clip(values, 0.0, 1.0) if clamp and values is not None else values


def _blend(kind: str, factor: Values, first: Values, second: Values) -> Values | None:
    share = as_color(factor)
    if kind == "MIX":
        return first + share * (second - first)
    if kind == "MULTIPLY":
        return first * (1.0 - share + share * second)
    if kind == "ADD":
        return first + share * second
    if kind == "SUBTRACT":
        return first - share * second
    if kind == "SCREEN":
        return 1.0 - (1.0 - share + share * (1.0 - second)) * (1.0 - first)
    if kind == "DIFFERENCE":
        return (1.0 - share) * first + share * np.abs(first - second)
    if kind == "DARKEN":
        return first + share * (np.minimum(first, second) - first)
    if kind == "LIGHTEN":
        return first + share * (np.maximum(first, second) - first)
    if kind == "OVERLAY":
        dark = first * (1.0 - share + 2.0 * share * second)
        light = 1.0 - (1.0 - share + 2.0 * share * (1.0 - second)) * (1.0 - first)
        return np.where(first < 0.5, dark, light)
    return None


def _corrected(node: Any, number: Callable[[str], Values], color: Callable[[str], Values]) -> Values:
    """What the nodes for correcting colours make of them."""
    colors, kind = color("Color"), node.type
    if kind == "INVERT":
        return colors + as_color(number(versions.factor_name(node))) * (1.0 - 2.0 * colors)
    if kind == "GAMMA":
        # what is not above zero stays
        with np.errstate(all="ignore"):
            return np.where(colors > 0.0, np.power(np.maximum(colors, 0.0), as_color(number("Gamma"))), colors)
    if kind == "BRIGHTCONTRAST":
        bright, contrast = as_color(number("Bright")), as_color(number("Contrast"))
        return np.maximum((1.0 + contrast) * colors + (bright - contrast * 0.5), 0.0)
    factor = as_color(number(versions.factor_name(node)))
    if kind == "HUE_SAT":
        hsv = np.asarray(_to_model(colors, "HSV"))
        hue = np.mod(hsv[..., 0] + number("Hue") + 0.5, 1.0)
        saturation = np.clip(hsv[..., 1] * number("Saturation"), 0.0, 1.0)
        changed = _from_model(_stacked([hue, saturation, hsv[..., 2] * number("Value")]), "HSV")
        return np.maximum(colors + factor * (changed - colors), 0.0)
    return colors + factor * (_curves(node, colors) - colors)


def _curves(node: Any, colors: Values) -> Values:
    """What an RGB Curves node makes of colours: each channel by the combined curve, then by its own."""
    mapping = node.mapping
    mapping.initialize()
    curves = list(mapping.curves)
    steps = 256
    # beyond 0..1 curves go on as they are set to
    low, high = min(float(np.min(colors)), 0.0), max(float(np.max(colors)), 1.0)
    positions = np.linspace(low, high, steps + 1)
    tables = [np.array([mapping.evaluate(curve, position) for position in positions]) for curve in (curves[3],)]
    combined = np.interp(np.asarray(colors), positions, tables[0])
    lows, highs = min(float(combined.min()), 0.0), max(float(combined.max()), 1.0)
    own = np.linspace(lows, highs, steps + 1)
    channels = [
        np.interp(combined[..., channel], own, [mapping.evaluate(curves[channel], position) for position in own])
        for channel in range(3)
    ]
    return _stacked(channels)  # type: ignore[arg-type]


def _to_model(colors: Values, model: str) -> Values:
    """Colours in the channels of another model, each in 0..1."""
    if model == "RGB":
        return colors
    red, green, blue = (np.asarray(colors)[..., channel].astype(np.float64) for channel in range(3))
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    span = most - least
    with np.errstate(all="ignore"):
        sextant = np.where(
            most == red,
            (green - blue) / span % 6.0,
            np.where(most == green, (blue - red) / span + 2.0, (red - green) / span + 4.0),
        )
        hue = np.where(span > 0.0, sextant / 6.0, 0.0)
        if model == "HSV":
            return _stacked([hue, np.where(most > 0.0, span / most, 0.0), most])
        light = (most + least) / 2.0
        saturation = span / np.where(light > 0.5, 2.0 - most - least, most + least)
        return _stacked([hue, np.where(span > 0.0, saturation, 0.0), np.minimum(light, 1.0)])


def _from_model(channels: Values, model: str) -> Values:
    """The colours that channels of another model stand for."""
    if model == "RGB":
        return channels
    hue, saturation, last = (np.asarray(channels)[..., [channel]].astype(np.float64) for channel in range(3))
    sextant = 6.0 * hue
    pure = np.concatenate(
        [np.abs(sextant - 3.0) - 1.0, 2.0 - np.abs(sextant - 2.0), 2.0 - np.abs(sextant - 4.0)], axis=-1
    )
    pure = np.clip(pure, 0.0, 1.0)
    if model == "HSL":
        found = (pure - 0.5) * (1.0 - np.abs(2.0 * last - 1.0)) * saturation + last
    else:
        found = ((pure - 1.0) * saturation + 1.0) * last
    return found.astype(np.float32)
