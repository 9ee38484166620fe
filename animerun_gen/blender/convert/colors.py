"""Gives every material the one flat colour (or the image) that its shader shows in the film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import bpy
import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.convert.clipped import ClippedMaterials
from animerun_gen.blender.convert.film_materials import (
    animated_materials,
    film_frames,
    objects_of_animated_color,
)
from animerun_gen.blender.convert.images import (
    MISSING,
    UnreadableImageError,
    encoded_colors,
    linear_colors,
    problem_of,
    read_texels,
)
from animerun_gen.blender.convert.material_colors import ColorFinder, Found, LinearColor
from animerun_gen.blender.convert.moving_images import NodeKey, image_nodes, key_of, numbers_shown
from animerun_gen.blender.convert.patterns import Treatments
from animerun_gen.blender.convert.shader_color import shown_by, surface_input
from animerun_gen.blender.convert.srgb import hex_to_linear, linear_to_hex
from animerun_gen.blender.convert.texture_coordinates import (
    UnreadableCoordinatesError,
    laid_out,
    texture_coordinates,
)
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig

UNTOUCHED = ((0.8, 0.8, 0.8), (1.0, 1.0, 1.0))
"""Viewport colours (linear) that Blender gives a material nobody painted: today's grey, and the white of 2.7x files."""

DEFAULT_COLOR = (0.8, 0.8, 0.8)
"""What Workbench paints surfaces with (linear) that have no material."""


@dataclass
class MaterialColors:
    """The colours of a cut's materials, in all its frames.

    Attributes:
        keyed: Of materials whose one colour changes, by full name: frame to colour (linear).
        clipped: The materials with holes.
    """

    clipped: ClippedMaterials
    keyed: dict[str, dict[int, LinearColor]] = field(default_factory=dict)

    def show(self, frame: int) -> None:
        """Paint the materials whose colours change as they are in a frame of the clip."""
        for material in bpy.data.materials:
            color = self.keyed.get(material.name_full, {}).get(frame)
            if color is None:
                continue
            _paint(material, color)
            if material in self.clipped:
                self.clipped.paint(material, linear_to_hex(color))


def convert_colors(
    opened: OpenedScene, config: CutConfig, clipped: ClippedMaterials
) -> tuple[MaterialColors, list[str]]:
    """Set the viewport colours that Workbench paints with, and point it at the image to paint in texture mode.

    Args:
        opened: The opened scene, at the cut's first frame.
        config: The cut: ``style.color``, ``style.color_source`` and ``style.overrides``.
        clipped: The materials with holes, which are painted by images of their own.

    Returns:
        The colours of all frames; how many came from shaders, which change, which could not be read, and each override
        that matched nothing.
    """
    style = config.style
    overrides = Treatments(style.overrides)
    chosen = {material.name_full: overrides.of(material.name) for material in bpy.data.materials}
    finder = ColorFinder(opened.view_layer)
    try:
        animated = [material for material in animated_materials() if chosen[material.name_full] is None]
        tracks = _colors_of_frames(animated, config, finder)
        colors, notes = _paint_materials(config, clipped, chosen, tracks, finder)
    finally:
        finder.close()
    _still()
    colors.show(config.frames.first)
    return colors, [*overrides.unused("style.overrides", "no material is"), *notes, *finder.doubts.notes()]


@dataclass(frozen=True)
class _Track:
    """What an animated material shows.

    Attributes:
        colors: Frame to its colour (linear).
        found: What its shader showed in the clip's first frame; None where the viewport colour counts.
    """

    colors: dict[int, LinearColor]
    found: Found | None


def _colors_of_frames(materials: list[bpy.types.Material], config: CutConfig, finder: ColorFinder) -> dict[str, _Track]:
    """The colours of animated materials in all frames of the clip, by full name."""
    if not materials:
        return {}
    tracks: dict[str, _Track] = {}
    from_shader = {material.name_full for material in materials if wants_shader(material, config.style.color_source)}
    for at in film_frames(materials, objects_of_animated_color(), config.frame_numbers):
        for material in materials:
            name, shader = material.name_full, at.materials[material.name_full]
            found = None
            if name in from_shader:
                found = finder.find(material, shader, at.frame, dict(at.object_colors))
            red, green, blue = found.color if found is not None else shader.diffuse_color[:3]
            tracks.setdefault(name, _Track({}, found)).colors[at.frame] = (red, green, blue)
    return tracks


def _paint_materials(
    config: CutConfig,
    clipped: ClippedMaterials,
    chosen: dict[str, str | None],
    tracks: dict[str, _Track],
    finder: ColorFinder,
) -> tuple[MaterialColors, list[str]]:
    """Paint all materials as they are in the clip's first frame."""
    style, first = config.style, config.frames.first
    paints_images = style.color == "texture"
    colors = MaterialColors(clipped)
    from_shaders = 0
    moving = numbers_shown(bpy.context.scene, config.frame_numbers)
    for material in bpy.data.materials:
        name, override, found = material.name_full, chosen[material.name_full], None
        track = tracks.get(name)
        if override is not None:
            _paint(material, hex_to_linear(override))
        elif track is not None:
            found = track.found
            from_shaders += found is not None
            _paint(material, track.colors[first])
            if len({linear_to_hex(color) for color in track.colors.values()}) > 1:
                colors.keyed[name] = track.colors
        else:
            if not wants_shader(material, style.color_source):
                found = _image_alone(material)
            elif (found := finder.find(material, material, first, shows_image=paints_images)) is not None:
                in_one = found.color if material not in clipped else _color_of_the_rest(material, found, clipped)
                _paint(material, in_one)
                from_shaders += 1
            elif _image_problems(material, moving):
                # without its image nothing is known of it
                _paint(material, DEFAULT_COLOR)
        shown = found if paints_images else None
        if material in clipped:
            _paint_clipped(material, shown, clipped)
        elif paints_images or clipped:
            _show_image(material, shown, moving)
        if shown_image(material) is not None and (material not in clipped or clipped.is_picture(material)):
            colors.keyed.pop(name, None)
    bpy.context.scene.display.shading.color_type = "TEXTURE" if paints_images or clipped else "MATERIAL"
    notes = []
    if from_shaders:
        notes.append(f"took the colours of {from_shaders} materials from their shaders")
    if colors.keyed:
        notes.append(f"the colours of {', '.join(repr(name) for name in sorted(colors.keyed))} change with the frame")
    for problem, names in undecodable_images(config).items():
        worn = ", ".join(f"'{name}'" for name in names)
        notes.append(f"{problem}: material {worn} gets one flat colour")
    return colors, notes


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
    material.diffuse_color = (*color, 1.0)


def undecodable_images(config: CutConfig) -> dict[str, list[str]]:
    """Images whose files are there and yet cannot be shown; changes nothing.

    Args:
        config: The cut: ``frames``.

    Returns:
        A sentence about each, and the materials whose nodes name it.
    """
    moving = numbers_shown(bpy.context.scene, config.frame_numbers)
    found: dict[str, set[str]] = {}
    for material in bpy.data.materials:
        for problem in _image_problems(material, moving):
            # what is missing is told when the film is opened
            if not problem.endswith(MISSING):
                found.setdefault(problem, set()).add(material.name)
    return {problem: sorted(names) for problem, names in sorted(found.items())}


def _image_problems(material: bpy.types.Material, moving: Mapping[NodeKey, Mapping[int, int]]) -> list[str]:
    """Why images of a material cannot be shown, a sentence each."""
    if not material.use_nodes or material.users == 0:
        return []
    nodes = [node for _, node in image_nodes(material) if node.image is not None]
    numbers = (tuple(moving.get(key_of(node), {}).values()) for node in nodes)
    problems = (problem_of(node.image, shown) for node, shown in zip(nodes, numbers, strict=True))
    return sorted({problem for problem in problems if problem})


def _show_image(material: bpy.types.Material, found: Found | None, moving: Mapping[NodeKey, Mapping[int, int]]) -> None:
    """Make the image that the shader shows the active node, which is the one Workbench paints in texture mode."""
    if material.node_tree is None:
        return
    nodes = material.node_tree.nodes
    if found is not None and found.node is not None and found.image is not None:
        numbers = tuple(moving.get(key_of(found.node), {}).values())
        if not problem_of(found.image, numbers):
            nodes.active = found.node
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


def _paint_clipped(material: bpy.types.Material, shown: Found | None, clipped: ClippedMaterials) -> None:
    """Paint what is left of a clipped material: by the image that it shows, or in its colour."""
    picture = _picture_of_the_rest(material, shown, clipped) if shown is not None else None
    clipped.paint(material, linear_to_hex(tuple(material.diffuse_color[:3])) if picture is None else picture)


def _picture_of_the_rest(
    material: bpy.types.Material, shown: Found, clipped: ClippedMaterials
) -> npt.NDArray[np.uint8] | None:
    """What a clipped material shows on the unit square of its UV map; None where one image cannot hold that."""
    texels = _readable(shown.image)
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


def _readable(image: bpy.types.Image | None) -> npt.NDArray[np.float32] | None:
    try:
        return read_texels(image)
    except UnreadableImageError:
        return None
