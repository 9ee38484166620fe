"""Gives every material the one flat colour (or the image) that its shader shows in the film."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.convert.film_materials import (
    ObjectColor,
    animated_materials,
    evaluated_frames,
    object_color,
    objects_of_animated_color,
)
from animerun_gen.blender.convert.images import (
    MISSING,
    UnreadableImageError,
    encoded_colors,
    is_moving,
    linear_colors,
    mean_color,
    problem_of,
    read_texels,
)
from animerun_gen.blender.convert.material_colors import ColorFinder, Found, LinearColor, quoted
from animerun_gen.blender.convert.moving_images import Moving, image_nodes, key_of, numbers_shown
from animerun_gen.blender.convert.patterns import Treatments
from animerun_gen.blender.convert.shader_color import (
    SurfaceColor,
    attributes_needed,
    properties_needed,
    shown_by,
    surface_input,
)
from animerun_gen.blender.convert.shader_values import UnknownValueError
from animerun_gen.blender.convert.surfaces import SurfacePoints, active_colors
from animerun_gen.blender.convert.texels import TexelLookup
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.texture_coordinates import (
    UnreadableCoordinatesError,
    laid_out,
    texture_coordinates,
)
from animerun_gen.color.srgb import hex_to_linear, linear_to_hex
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted

UNTOUCHED = ((0.8, 0.8, 0.8), (1.0, 1.0, 1.0))
"""Viewport colours (linear) that Blender gives a material nobody painted: today's grey, and the white of 2.7x files."""

DEFAULT_COLOR = (0.8, 0.8, 0.8)
"""What Workbench paints surfaces with (linear) that have no material."""


@dataclass(frozen=True)
class PaintedByAttributes:
    """A material whose colours vary with attributes or objects, and are computed at each pixel.

    Attributes:
        material: The material.
        attributes: Names of the attributes that it may ask its surfaces for.
        properties: Names of the properties that it may ask its objects for.
        by_hand: The attribute that the cut's configuration assigns to it, whatever its nodes say.
        changes: Whether its colours may be others in other frames.
        is_animated: Whether animation changes its nodes.
        images: Where its images are looked up; None where it shows none, or Workbench paints its image.
        moves: Whether any of these is a sequence or a movie.
    """

    material: bpy.types.Material
    attributes: frozenset[str]
    properties: frozenset[str] = frozenset()
    by_hand: str | None = None
    changes: bool = False
    is_animated: bool = False
    images: TexelLookup | None = None
    moves: bool = False

    @property
    def index(self) -> int:
        """The material's pass index."""
        return int(self.material.pass_index)

    def at(self, points: SurfacePoints) -> npt.NDArray[np.float32]:
        """The colours (linear) at points of its surfaces, ``(3,)`` or ``(N, 1, 3)``."""
        if self.by_hand is not None:
            return points.attribute(self.by_hand)[0][..., :3]
        return np.asarray(SurfaceColor(points, texels=self.images).at(surface_input(self.material)), np.float32)


@dataclass
class MaterialColors:
    """The colours of a cut's materials, in all its frames.

    Attributes:
        clipped: The materials with holes.
        keyed: Of materials whose one colour changes, by full name: frame to colour (linear); of those whose colours
            vary, to the mean.
        by_attributes: The materials whose colours vary with attributes or objects, by full name.
        active_layers: The layer of colours that each mesh of the film has active for rendering, by full name.
        object_colors: The colours (linear, with alpha) of all objects by full name, as the clip's first frame has them.
        keyed_objects: Of objects whose colour changes: frame to colour.
        unread: The materials whose colour could not be read as the film has it, and why.
        repainted: Clipped materials whose holes or image are others in other frames, by full name, with what they show.
        moving: Which picture each image node shows in each frame, of sequences and movies.
        texels: Where images are looked up that Workbench cannot paint as the film shows them.
    """

    clipped: ClippedMaterials
    keyed: dict[str, dict[int, LinearColor]] = field(default_factory=dict)
    by_attributes: dict[str, PaintedByAttributes] = field(default_factory=dict)
    active_layers: dict[str, str] = field(default_factory=dict)
    object_colors: dict[str, ObjectColor] = field(default_factory=dict)
    keyed_objects: dict[str, dict[int, ObjectColor]] = field(default_factory=dict)
    unread: list[tuple[str, str]] = field(default_factory=list)
    repainted: dict[str, Found | None] = field(default_factory=dict)
    moving: Moving = field(default_factory=dict)
    texels: TexelLookup = field(default_factory=lambda: TexelLookup({}))

    def at(self, frame: int) -> dict[str, Any]:
        """What a frame of the clip is painted with that may be otherwise in others, to be compared."""
        keyed = {name: colors.get(frame) for name, colors in self.keyed.items()}
        return keyed | {f"object {name}": colors.get(frame) for name, colors in self.keyed_objects.items()}

    def show(self, frame: int) -> None:
        """Paint the materials whose colours change as they are in a frame of the clip."""
        self.texels.frame = frame
        for material in bpy.data.materials:
            color = self.keyed.get(material.name_full, {}).get(frame)
            if color is not None:
                _paint(material, color)
            if material.name_full in self.repainted:
                self.clipped.show(material, frame)
                _paint_clipped(material, self.repainted[material.name_full], self.clipped, self.number_of, frame)
            elif color is not None and material in self.clipped:
                self.clipped.paint(material, linear_to_hex(color))
        animated = [painted.material for painted in self.by_attributes.values() if painted.is_animated]
        if animated:
            # leaves the nodes themselves as the frame has them
            for _ in evaluated_frames(animated, (), (frame,)):
                pass

    def number_of(self, node: bpy.types.Node | None, frame: int) -> int | None:
        """Which picture of a sequence or movie an image node shows in a frame."""
        return self.moving.get(key_of(node), {}).get(frame) if node is not None else None

    def object_colors_at(self, frame: int) -> dict[str, ObjectColor]:
        """The colours of all objects in a frame of the clip, by full name."""
        return self.object_colors | {
            name: colors[frame] for name, colors in self.keyed_objects.items() if frame in colors
        }


def convert_colors(
    opened: OpenedScene, config: CutConfig, clipped: ClippedMaterials, moving: Moving
) -> tuple[MaterialColors, list[str]]:
    """Set the viewport colours that Workbench paints with, and point it at the image to paint in texture mode.

    Args:
        opened: The opened scene, at the cut's first frame.
        config: The cut: ``style.color``, ``style.color_source``, ``style.overrides`` and ``style.textures``.
        clipped: The materials with holes, which are painted by images of their own.
        moving: What image nodes show in the clip's frames; nodes of images that are assigned by hand are added.

    Returns:
        The colours of all frames; how many came from shaders, which change, which could not be read, and each pattern
        that matched nothing.
    """
    colors = MaterialColors(
        clipped,
        active_layers={mesh.name_full: active_colors(mesh) for mesh in bpy.data.meshes},
        object_colors={obj.name_full: object_color(obj) for obj in bpy.data.objects},
        moving=moving,
        texels=TexelLookup(moving),
    )
    finder = ColorFinder(opened.view_layer, len(config.frame_numbers), colors.texels)
    try:
        notes = _Painting(config, colors, finder).paint()
    finally:
        finder.close()
    _still()
    colors.show(config.frames.first)
    colors.unread = finder.doubts.listed()
    return colors, [*notes, *finder.doubts.notes()]


@dataclass
class _Track:
    """What an animated material shows.

    Attributes:
        colors: Frame to its colour (linear).
        found: What its shader shows, frame by frame; None where the viewport colour counts.
    """

    colors: dict[int, LinearColor] = field(default_factory=dict)
    found: list[Found | None] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether any two frames show different colours."""
        return len({linear_to_hex(color) for color in self.colors.values()}) > 1

    @property
    def varies(self) -> bool:
        """Whether it shows several colours at once in any frame."""
        return any(each is not None and each.varies for each in self.found)


class _Painting:
    """Paints all materials of the open file as they are in the clip's first frame."""

    def __init__(self, config: CutConfig, colors: MaterialColors, finder: ColorFinder) -> None:
        self._config = config
        self._colors = colors
        self._clipped = colors.clipped
        self._finder = finder
        self._overrides = Treatments(config.style.overrides)
        self._by_hand = Treatments(config.style.textures)
        self._from_shaders = 0
        self._moving = colors.moving
        self._notes: list[str] = []

    def paint(self) -> list[str]:
        """Paint them; returns what was done."""
        style = self._config.style
        fixed = {material.name_full: self._overrides.of(material.name) for material in bpy.data.materials}
        assigned = {
            material.name_full: self._assigned(material, name)
            for material in bpy.data.materials
            if (name := self._by_hand.of(material.name)) is not None and fixed[material.name_full] is None
        }
        tracks = self._follow([one for one in animated_materials() if fixed[one.name_full] is None])
        paints_images = style.color == "texture" or any(
            isinstance(one, Found) and one.image is not None for one in assigned.values()
        )
        for material in bpy.data.materials:
            name, override = material.name_full, fixed[material.name_full]
            by_hand = assigned.get(name)
            if override is not None:
                _paint(material, hex_to_linear(override))
                self._show(material, None, paints_images)
            elif by_hand is not None:
                _paint(material, by_hand.color)
                self._show(material, by_hand, paints_images)
            else:
                self._paint_own(material, tracks.get(name), paints_images)
        shows_images = paints_images or bool(self._clipped)
        bpy.context.scene.display.shading.color_type = "TEXTURE" if shows_images else "MATERIAL"
        return self._sentences()

    def _follow(self, materials: list[bpy.types.Material]) -> dict[str, _Track]:
        """The colours of animated materials in all frames of the clip, by full name; those of objects on the way."""
        objects = objects_of_animated_color()
        if not materials and not objects:
            return {}
        source = self._config.style.color_source
        tracks = {material.name_full: _Track() for material in materials}
        from_shader = {material.name_full for material in materials if wants_shader(material, source)}
        for at in evaluated_frames(materials, objects, self._config.frame_numbers):
            for name, color in at.object_colors.items():
                self._colors.keyed_objects.setdefault(name, {})[at.frame] = color
            for material in materials:
                name, shader = material.name_full, at.materials[material.name_full]
                found = None
                if name in from_shader:
                    found = self._finder.find(
                        material,
                        shader,
                        at.frame,
                        at.object_colors,
                        shows_image=self._config.style.color == "texture",
                    )
                red, green, blue = found.color if found is not None else shader.diffuse_color[:3]
                tracks[name].colors[at.frame] = (red, green, blue)
                tracks[name].found.append(_of_film(found, material))
        return tracks

    def _paint_own(self, material: bpy.types.Material, track: _Track | None, paints_images: bool) -> None:
        """Paint a material as its own nodes, or its viewport colour, say."""
        style, first, name = self._config.style, self._config.frames.first, material.name_full
        in_texture_mode = style.color == "texture"
        found: Found | None
        if track is not None:
            found = track.found[0] or _image_alone(material)
            _paint(material, track.colors[first])
            self._from_shaders += track.found[0] is not None
        elif not wants_shader(material, style.color_source):
            found = _image_alone(material)
        else:
            found = self._finder.find(material, material, first, shows_image=in_texture_mode)
            if found is not None:
                whole = material not in self._clipped or bool(found.uv_maps)
                _paint(material, found.color if whole else _color_of_the_rest(material, found, self._clipped))
                self._from_shaders += 1
            elif _image_problems(material, self._moving):
                # without its image nothing is known of it
                _paint(material, DEFAULT_COLOR)
        uv_maps = frozenset(name for each in (found, *_found_in(track)) if each is not None for name in each.uv_maps)
        if self._show(material, found if in_texture_mode and not uv_maps else None, paints_images):
            return
        if track is not None and track.changes:
            self._colors.keyed[name] = track.colors
        varies = (found is not None and found.varies) or (track is not None and track.varies)
        if found is not None and found.asks_surfaces and self._finder.may_change(material):
            if style.color == "material" and (track is None or self._finder.may_change(material, besides_color=True)):
                self._finder.doubt_change(material)
            varies = True
        if style.color != "material" and varies:
            self._colors.by_attributes[name] = PaintedByAttributes(
                material,
                attributes_needed(material) | uv_maps,
                properties_needed(material),
                changes=track is not None or self._finder.may_change(material),
                is_animated=track is not None,
                images=self._colors.texels if uv_maps else None,
                moves=any(each is not None and each.moves for each in (found, *_found_in(track))),
            )

    def _show(self, material: bpy.types.Material, shown: Found | None, paints_images: bool) -> bool:
        """Have Workbench paint a material by the image that it shows, if any; returns whether it does."""
        if material in self._clipped:
            first = self._config.frames.first
            if self._clipped.changes(material) or (shown is not None and is_moving(shown.image)):
                self._colors.repainted[material.name_full] = shown
                self._clipped.show(material, first)
            _paint_clipped(material, shown, self._clipped, self._colors.number_of, first)
            return self._clipped.is_picture(material)
        if paints_images or self._clipped:
            _show_image(material, shown, self._moving)
            return shown_image(material) is not None
        return False

    def _assigned(self, material: bpy.types.Material, name: str) -> Found | None:
        """What ``style.textures`` has a material painted with: an image, or an attribute of what wears it."""
        image = bpy.data.images.get(name)
        if image is not None:
            versions.give_nodes(material)
            node = material.node_tree.nodes.new("ShaderNodeTexImage")
            node.image = image
            if is_moving(image):
                node.image_user.use_auto_refresh = True
                node.image_user.frame_duration = image.frame_duration
                self._moving.update(numbers_shown(bpy.context.scene, self._config.frame_numbers, [material]))
            return Found(mean_color(image, [node.image_user.frame_current]) or DEFAULT_COLOR, image, node)
        try:
            found = self._finder.mean_of_attribute(material, name)
        except UnknownValueError as error:
            self._notes.append(f"style.textures: '{name}' for material '{material.name}' is no image, and {error}")
            return None
        self._colors.by_attributes[material.name_full] = PaintedByAttributes(
            material, frozenset({name}), by_hand=name, changes=self._finder.may_change(material)
        )
        return found

    def _sentences(self) -> list[str]:
        colors = self._colors
        notes = [
            *self._overrides.unused("style.overrides", "no material is"),
            *self._by_hand.unused("style.textures", "no material is"),
            *self._notes,
        ]
        if self._from_shaders:
            notes.append(f"took the colours of {counted(self._from_shaders, 'material')} from shaders")
        if colors.keyed:
            notes.append(f"the colours of {quoted(sorted(colors.keyed))} change with the frame")
        if colors.by_attributes:
            notes.append(
                f"painted {quoted(sorted(colors.by_attributes))} pixel by pixel, by attributes, objects or images"
            )
        for problem, names in undecodable_images(self._moving).items():
            notes.append(f"{problem}: material {quoted(names)} gets one flat colour")
        return notes


def _of_film(found: Found | None, material: bpy.types.Material) -> Found | None:
    """What was found in an evaluated copy of a material, which will be gone, told of the material itself."""
    if found is None or found.image is None:
        return found
    node = material.node_tree.nodes[found.node.name] if found.node is not None else None
    return replace(found, image=found.image.original, node=node)


def _found_in(track: _Track | None) -> list[Found | None]:
    """What an animated material shows in all frames."""
    return track.found if track is not None else []


def _image_alone(material: bpy.types.Material) -> Found | None:
    """The image that a material shows which has its viewport colour where it shows none."""
    surface = surface_input(material)
    if surface is None:
        return None
    red, green, blue = material.diffuse_color[:3]
    return Found((red, green, blue), *shown_by(surface))


def _still() -> None:
    """Keep the film's animation from changing colours again that were set."""
    for material in bpy.data.materials:
        material.diffuse_color[3] = 1.0
        # nothing else of a material itself, beside its nodes, is looked at any more
        material.animation_data_clear()
    for obj in bpy.data.objects:
        versions.mute_animation(obj, "color")


def wants_shader(material: bpy.types.Material, source: str) -> bool:
    """Whether a material's colour is to come from its shader nodes, by the cut's ``style.color_source``."""
    if source != "auto":
        return source == "shader"
    if versions.animates(material, "diffuse_color"):
        return False
    painted = material.diffuse_color[:3]
    return any(all(abs(a - b) < 1e-4 for a, b in zip(painted, color, strict=True)) for color in UNTOUCHED)


def shown_image(material: bpy.types.Material) -> bpy.types.Image | None:
    """The image that Workbench paints a converted material with in texture mode; None where it takes its colour."""
    node = material.node_tree.nodes.active if material.node_tree is not None else None
    return node.image if node is not None and node.type == "TEX_IMAGE" else None


def _paint(material: bpy.types.Material, color: tuple[float, float, float]) -> None:
    # between two values of 8 bits Workbench would take now the one, now the other
    material.diffuse_color = (*hex_to_linear(linear_to_hex(color)), 1.0)


def undecodable_images(moving: Moving) -> dict[str, list[str]]:
    """Images whose files are there and yet cannot be shown; changes nothing.

    Args:
        moving: What image nodes show in the clip's frames.

    Returns:
        A sentence about each, and the materials whose nodes name it.
    """
    found: dict[str, set[str]] = {}
    for material in bpy.data.materials:
        for problem in _image_problems(material, moving):
            # what is missing is told when the film is opened
            if not problem.endswith(MISSING):
                found.setdefault(problem, set()).add(material.name)
    return {problem: sorted(names) for problem, names in sorted(found.items())}


def _image_problems(material: bpy.types.Material, moving: Moving) -> list[str]:
    """Why images of a material cannot be shown, a sentence each."""
    if not versions.has_nodes(material) or material.users == 0:
        return []
    nodes = [node for _, node in image_nodes(material) if node.image is not None]
    numbers = (tuple(moving.get(key_of(node), {}).values()) for node in nodes)
    problems = (problem_of(node.image, shown) for node, shown in zip(nodes, numbers, strict=True))
    return sorted({problem for problem in problems if problem})


def _show_image(material: bpy.types.Material, found: Found | None, moving: Moving) -> None:
    """Make the image that the shader shows the active node, which is the one Workbench paints in texture mode."""
    if material.node_tree is None:
        return
    nodes = material.node_tree.nodes
    if found is not None and found.node is not None and found.image is not None:
        node = found.node
        if not problem_of(node.image, tuple(moving.get(key_of(node), {}).values())):
            nodes.active = node
            return
    # An image node that was once active is painted until another one is, and so is one within a group (3.4.1, 4.5.15).
    # One without an image leaves Workbench with the viewport colour.
    nodes.active = nodes.new("ShaderNodeTexImage")


def _color_of_the_rest(
    material: bpy.types.Material, found: Found, clipped: ClippedMaterials
) -> tuple[float, float, float]:
    """The colour of a clipped material, in which the texels that are holes have no part.

    Whatever the shader does to its image is done to the mean of all texels; the texels that are left may have another.
    """
    texels = _readable(found.image)
    if texels is None or found.image is None:
        return found.color
    opacity, _ = clipped.opacity(material)
    colors = linear_colors(found.image, texels).astype(np.float64)
    weights = cv2.resize(opacity, (colors.shape[1], colors.shape[0])).astype(np.float64)
    before = colors.mean(axis=(0, 1))
    after = (colors * weights[..., None]).sum(axis=(0, 1)) / max(weights.sum(), 1.0)
    scale = np.divide(after, before, out=np.ones(3), where=before > 0.0)
    red, green, blue = np.clip(np.array(found.color) * scale, 0.0, 1.0).tolist()
    return red, green, blue


def _paint_clipped(
    material: bpy.types.Material,
    shown: Found | None,
    clipped: ClippedMaterials,
    number_of: Callable[[bpy.types.Node | None, int], int | None],
    frame: int,
) -> None:
    """Paint what is left of a clipped material in a frame: by the image that it shows, or in its colour."""
    picture = None
    if shown is not None:
        picture = _picture_of_the_rest(material, shown, clipped, number_of(shown.node, frame))
    clipped.paint(material, linear_to_hex(tuple(material.diffuse_color[:3])) if picture is None else picture)


def _picture_of_the_rest(
    material: bpy.types.Material, shown: Found, clipped: ClippedMaterials, number: int | None
) -> npt.NDArray[np.uint8] | None:
    """What a clipped material shows on the unit square of its UV map; None where one image cannot hold that."""
    texels = _readable(shown.image, number)
    if texels is None or shown.image is None:
        return None
    opacity, coordinates = clipped.opacity(material)
    if shown.node is not None:
        try:
            own = texture_coordinates(shown.node)
        except UnreadableCoordinatesError:
            return None
        if (own.uv_map, own.matrix, own.extension) != (coordinates.uv_map, coordinates.matrix, coordinates.extension):
            return None
    colors = encoded_colors(shown.image, texels)
    # the colour of texels that nobody sees, mostly black or white, must not creep into the border of those that are
    weights = cv2.resize(opacity, (colors.shape[1], colors.shape[0])).astype(np.float32) / 255.0
    shape = clipped.mask_shape(material)
    whole = laid_out(colors, coordinates, shape)
    weight = laid_out(weights, coordinates, shape)[..., None]
    visible = laid_out(colors * weights[..., None], coordinates, shape)
    mixed = np.divide(visible, weight, out=whole, where=weight > 1.0 / 255.0)
    return np.rint(255.0 * np.clip(mixed, 0.0, 1.0)).astype(np.uint8)


def _readable(image: bpy.types.Image | None, number: int | None = None) -> npt.NDArray[np.float32] | None:
    try:
        return read_texels(image, number)
    except UnreadableImageError:
        return None
