"""Finds the materials that can be seen through, and those whose image says where; nothing is changed.

How opaque a surface is is computed from its shader nodes as they stand, for every texel of the image that takes part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.convert.images import UnreadableImageError, is_moving, linear_colors, read_texels
from animerun_gen.blender.convert.moving_images import Moving, NodeKey, key_of, numbers_shown
from animerun_gen.blender.convert.shader_values import (
    MAX_DEPTH,
    ShaderValues,
    UnknownValueError,
    Values,
    is_passed_through,
    link_to,
    passed_through,
    through_group,
)
from animerun_gen.blender.texture_coordinates import (
    TextureCoordinates,
    UnreadableCoordinatesError,
    texture_coordinates,
)

MAX_MOMENTS = 16
"""Frames at most at which an animated opacity is looked at."""

GLASS = "glass"
"""The reason that stands for glass and for shaders that light passes through."""

REFLECTED = 0.1
"""What Fresnel and Layer Weight nodes are, about, where a surface is seen from the front."""

MAX_PICTURES = 64
"""Pictures at most of an image sequence that is see-through."""

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
        by_frame: Of an image sequence or a movie the opacity in each frame of the clip; empty otherwise.
    """

    image: str
    channel: Literal["alpha", "color"]
    below: float | None
    problem: str
    opacity: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    coordinates: TextureCoordinates | None = None
    by_frame: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict, repr=False)


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


def find_see_through(
    threshold: float, frames: Sequence[int], clip: Sequence[int] = (), moving: Moving | None = None
) -> list[SeeThrough]:
    """Look through all materials that the open file uses.

    Args:
        threshold: Opacity below which a texel counts as a hole, 0..1.
        frames: The film's frames, for what is animated.
        clip: The clip's frames, for image sequences and movies; by default the film's first alone.
        moving: What image nodes show in these, where it is known.

    Returns:
        Those that can be seen through, by name.
    """
    found = []
    clip = clip or frames[:1]
    numbers = numbers_shown(bpy.context.scene, clip) if moving is None else moving
    for material in sorted(bpy.data.materials, key=lambda material: material.name_full):
        if material.users == 0 or material.is_grease_pencil:
            continue
        one = _look_through(material, threshold, frames, clip, numbers)
        if one.reasons or one.texture is not None:
            found.append(one)
    return found


def _look_through(
    material: bpy.types.Material,
    threshold: float,
    frames: Sequence[int],
    clip: Sequence[int],
    numbers: Mapping[NodeKey, Mapping[int, int]],
) -> SeeThrough:
    name, reasons = material.name_full, []
    if material.diffuse_color[3] < OPAQUE:
        reasons.append(f"viewport alpha {material.diffuse_color[3]:.2f}")
    output = None
    if versions.has_nodes(material):
        output = material.node_tree.get_output_node("ALL") or material.node_tree.get_output_node("EEVEE")
    if output is None or not output.inputs["Surface"].is_linked:
        # nodes alone count where there are any
        return SeeThrough(name, tuple(reasons), shows=1.0 if output is not None else float(material.diffuse_color[3]))
    surface = output.inputs["Surface"]
    evaluation = _Evaluation(numbers)
    by_frame: dict[int, Values] = {}
    try:
        opacity = evaluation.at(surface, clip[0])
        if is_moving(evaluation.image):
            by_frame = evaluation.in_frames(surface, clip)
        else:
            opacity = evaluation.most_opaque(surface, frames)
    except UnknownValueError as error:
        reasons += evaluation.reasons
        if evaluation.image is None:
            return SeeThrough(name, (*reasons, str(error)), shows=_shows(surface, frames, numbers))
        texture = AlphaTexture(evaluation.image.name, evaluation.channel, None, str(error))
        return SeeThrough(name, tuple(reasons), texture)
    reasons += evaluation.reasons
    shows = _shows(surface, frames, numbers) if GLASS in evaluation.reasons else float(opacity.max())
    if opacity.ndim == 0 or evaluation.image is None:
        fades = evaluation.least < threshold <= float(opacity.max())
        if fades:
            reasons.append("an animated opacity")
        if opacity < OPAQUE:
            reasons.append(f"alpha {float(opacity):.2f}")
        return SeeThrough(name, tuple(reasons), shows=shows, fades=fades)
    pictures = list(by_frame.values()) or [opacity]
    if all(float(picture.min()) >= OPAQUE for picture in pictures):
        return SeeThrough(name, tuple(reasons), shows=shows)
    texture = AlphaTexture(
        image=evaluation.image.name,
        channel=evaluation.channel,
        below=float(np.mean([np.mean(picture < threshold) for picture in pictures])),
        problem="",
        opacity=_in_bytes(opacity),
        coordinates=evaluation.coordinates,
        by_frame={frame: _in_bytes(picture) for frame, picture in by_frame.items()},
    )
    return SeeThrough(name, tuple(reasons), texture, shows)


def _shows(surface: Any, frames: Sequence[int], numbers: Mapping[NodeKey, Mapping[int, int]]) -> float:
    """How much of itself a surface shows at most, see :attr:`SeeThrough.shows`."""
    try:
        return float(_Evaluation(numbers, from_the_front=True).most_opaque(surface, frames).max())
    except UnknownValueError:
        return 1.0


def _in_bytes(opacity: Values) -> npt.NDArray[np.uint8]:
    return np.atleast_2d(np.rint(255.0 * np.clip(opacity, 0.0, 1.0)).astype(np.uint8))


class _Evaluation(ShaderValues):
    """Computes the opacity of one material, and remembers what took part in it.

    Args:
        numbers: What nodes show of image sequences and movies, see
            :func:`~animerun_gen.blender.convert.moving_images.numbers_shown`.
        from_the_front: Whether to say what is seen of a surface by somebody who looks at it from the front: what light
            passes through, such as glass, counts as a hole, and what depends on the angle is what it is there.

    Attributes:
        least: How opaque the surface is at most in that of the frames in which it is least so.
    """

    def __init__(self, numbers: Mapping[NodeKey, Mapping[int, int]], from_the_front: bool = False) -> None:
        super().__init__("its opacity")
        self.least = 1.0
        self._numbers = numbers
        self._number: int | None = None
        self._from_the_front = from_the_front
        self.image: bpy.types.Image | None = None
        self.channel: Literal["alpha", "color"] = "alpha"
        self.coordinates: TextureCoordinates | None = None
        self.reasons: list[str] = []
        self._texels: tuple[Values, Values] | None = None
        self._frame = 0
        self._moments: set[int] = set()

    def most_opaque(self, surface: Any, frames: Sequence[int]) -> Values:
        """The opacity behind the output's socket: where it is animated, the largest in these frames."""
        opacity = self.at(surface, frames[0])
        self.least = float(opacity.max())
        moments = sorted({min(max(moment, frames[0]), frames[-1]) for moment in self._moments} | {frames[-1]})
        if self._moments:
            for moment in moments[:: -(-len(moments) // MAX_MOMENTS)]:
                then = self.at(surface, moment)
                self.least = min(self.least, float(then.max()))
                opacity = np.maximum(opacity, then)
        return opacity

    def in_frames(self, surface: Any, clip: Sequence[int]) -> dict[int, Values]:
        """The opacity in each frame of the clip, of what an image sequence or a movie makes see-through."""
        known: dict[tuple[int | None, int], Values] = {}
        found = {}
        for frame in clip:
            if len(known) > MAX_PICTURES:
                raise UnknownValueError(f"its holes have more than {MAX_PICTURES} shapes in the clip")
            opacity = self.at(surface, frame)
            # of what else is animated every frame is another
            found[frame] = known.setdefault((self._number, frame if self._moments else 0), opacity)
        return found

    def at(self, surface: Any, frame: int) -> Values:
        """The opacity behind the output's socket in a frame."""
        self._frame = frame
        self.forget()
        return self._opacity(surface, [], 0)

    def _reason(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    def _opacity(self, socket: Any, groups: list[Any], depth: int) -> Values:
        """How opaque the shader at an input is."""
        found: Values = self.remembered(0, socket, groups, lambda: self._shader(socket, groups, depth + 1))
        return found

    def _shader(self, socket: Any, groups: list[Any], depth: int) -> Values:
        link = link_to(socket)
        if link is None:
            return np.float32(1.0)
        if depth > MAX_DEPTH:
            raise UnknownValueError("its shader goes round in circles")
        node, output = link.from_node, link.from_socket
        kind = node.type
        if is_passed_through(node):
            entry = passed_through(node)
            return self._opacity(entry, groups, depth) if entry is not None else np.float32(1.0)
        onwards = through_group(node, output, groups)
        if onwards is not None:
            return self._opacity(*onwards, depth)
        if kind in {"BSDF_TRANSPARENT", "HOLDOUT"}:
            self._reason("a transparent shader" if kind == "BSDF_TRANSPARENT" else "a holdout")
            return np.float32(0.0)
        if kind in {"BSDF_GLASS", "BSDF_REFRACTION"}:
            self._reason(GLASS)
            return np.float32(0.0 if self._from_the_front else 1.0)
        elif kind == "BSDF_PRINCIPLED":
            alpha = self.number(node.inputs["Alpha"], groups, depth)
            transmission = node.inputs.get("Transmission Weight") or node.inputs.get("Transmission")
            if transmission is not None and (transmission.is_linked or transmission.default_value > 0.0):
                self._reason(GLASS)
                if self._from_the_front:
                    return alpha * (1.0 - np.clip(self.number(transmission, groups, depth), 0.0, 1.0))
            return alpha
        elif kind == "EEVEE_SPECULAR":
            return 1.0 - self.number(node.inputs["Transparency"], groups, depth)
        elif kind == "MIX_SHADER":
            factor = np.clip(self.number(node.inputs[0], groups, depth), 0.0, 1.0)
            first, second = (self._opacity(node.inputs[index], groups, depth) for index in (1, 2))
            return (1.0 - factor) * first + factor * second
        elif kind == "ADD_SHADER":
            first, second = (self._opacity(entry, groups, depth) for entry in node.inputs)
            return np.clip(first + second - 1.0, 0.0, 1.0)
        return np.float32(1.0)

    def brought_in(self, node: Any, output: Any, groups: list[Any]) -> Values | None:
        """As everywhere, and the texels of one image."""
        if node.type == "TEX_IMAGE":
            return self._image(node, output, groups)
        if node.type in {"FRESNEL", "LAYER_WEIGHT"} and self._from_the_front:
            return np.float32(REFLECTED)
        return super().brought_in(node, output, groups)

    def _image(self, node: Any, output: Any, groups: list[Any]) -> Values:
        image = node.image
        number = self._number_of(node)
        if self.image is None or self._texels is None or (image == self.image and number != self._number):
            self._number = number
            if image is not None:
                self.image, self.channel = image, "alpha" if output.name == "Alpha" else "color"
            try:
                coordinates = texture_coordinates(node, groups)
                if image is not None and image.source == "MOVIE" and output.name == "Alpha":
                    raise UnreadableImageError(f"it is the alpha of movie '{image.name}'")
                texels = read_texels(image, number)
            except (UnreadableImageError, UnreadableCoordinatesError) as error:
                raise UnknownValueError(str(error)) from error
            self.coordinates = coordinates
            self._texels = linear_colors(image, texels), texels[..., 3]
        elif image != self.image:
            raise UnknownValueError(f"its opacity comes from two images, '{self.image.name}' and another")
        return self._texels[1] if output.name == "Alpha" else self._texels[0]

    def _number_of(self, node: Any) -> int | None:
        """Which picture of a sequence or movie a node shows in the frame."""
        shown = self._numbers.get(key_of(node), {}) if is_moving(node.image) else {}
        return shown.get(self._frame, next(iter(shown.values()), None))

    def channels_of(self, socket: Any) -> list[float]:
        """The value of a socket at the current frame, by its F-curves: nothing has evaluated those."""
        values = super().channels_of(socket)
        owner, path = socket.id_data, f"{socket.path_from_id()}.default_value"
        for curve in versions.fcurves(owner) if owner.animation_data else ():
            if curve.data_path == path and not curve.mute and curve.array_index < len(values):
                values[curve.array_index] = float(curve.evaluate(self._frame))
                self._moments.update(round(key.co[0]) for key in curve.keyframe_points)
        return values
