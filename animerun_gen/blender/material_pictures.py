"""What Workbench draws of each material: the flat colours of the picture, and pictures that show ids instead.

Both exist to be held against the material id maps, which come from the geometry that was taken down and not from
Workbench: whatever one of the two saw and the other did not becomes visible.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender.convert.colors import DEFAULT_COLOR, MaterialColors, shown_image
from animerun_gen.blender.convert.images import is_moving
from animerun_gen.blender.geometry import NameTable
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.color.hexadecimal import rgb
from animerun_gen.color.srgb import hex_to_linear, linear_to_hex
from animerun_gen.dataset.colors import CHANGING, IMAGE, Color, ColorTable
from animerun_gen.motion.companions import BACKGROUND_ID, NO_MATERIAL_ID

NO_SUCH_ID = np.iinfo(np.uint16).max
"""In a rendered id map: a colour that stands for no material."""

_STEP = 10_000_019
"""An odd number: multiples of it hit every 24-bit colour once, and those of neighbouring ids look different."""


def flat_colors(
    renderer: FrameRenderer, painted: MaterialColors, materials: NameTable, offset: int = 0, *, held: bool = False
) -> ColorTable:
    """The colour that Workbench paints each material with.

    Args:
        renderer: Renders the converted scene.
        painted: What changes from frame to frame.
        materials: The cut's material ids.
        offset: What the clip's files add to the film's numbers of frames.
        held: Whether layers show other frames of the film than their own: a colour that changes then has several
            values in one frame.

    Returns:
        The colours of all frames of the cut, which have the files' numbers, by material id.
    """
    backgrounds = {frame + offset: linear_to_hex(color) for frame, color in renderer.backgrounds.items()}
    colors: dict[int, Color] = {
        BACKGROUND_ID: _by_frame(backgrounds),
        NO_MATERIAL_ID: linear_to_hex(DEFAULT_COLOR),
    }
    paints_images = renderer.color_type == "TEXTURE"
    for material, number in _numbered(materials):
        image = shown_image(material) if paints_images else None
        textured, moves = image is not None, is_moving(image) or material.name_full in painted.repainted
        if material in renderer.clipped:
            textured = renderer.clipped.is_picture(material)
        keyed, varying = painted.keyed.get(material.name_full), painted.by_attributes.get(material.name_full)
        if varying is not None:
            colors[number] = CHANGING if varying.changes else IMAGE
        elif textured:
            colors[number] = CHANGING if moves else IMAGE
        elif keyed is not None and held:
            colors[number] = linear_to_hex(next(iter(keyed.values()))) if len(set(keyed.values())) == 1 else CHANGING
        elif keyed is not None:
            colors[number] = _by_frame({frame + offset: linear_to_hex(color) for frame, color in keyed.items()})
        else:
            colors[number] = linear_to_hex(tuple(material.diffuse_color[:3]))
    return ColorTable(colors)


def _by_frame(colors: dict[int, str]) -> Color:
    """The one colour of all frames, or that of each."""
    different = set(colors.values())
    return different.pop() if len(different) == 1 else colors


def render_material_ids(renderer: FrameRenderer, materials: NameTable) -> npt.NDArray[np.uint16]:
    """The current frame's material ids as Workbench sees them: every material rendered in a colour of its own.

    Args:
        renderer: Renders the converted scene.
        materials: The cut's material ids.

    Returns:
        ``(H, W)`` uint16, :data:`NO_SUCH_ID` where the picture has a colour that was given to no material.
    """
    codes = np.full(1 << 24, NO_SUCH_ID, np.uint16)
    # surfaces without a material keep the colour that Workbench has for them
    codes[_code(linear_to_hex(DEFAULT_COLOR))] = NO_MATERIAL_ID
    painted: dict[int, str] = {}
    candidate = 0
    for number in [BACKGROUND_ID, *(number for _, number in _numbered(materials))]:
        while codes[candidate] != NO_SUCH_ID:
            candidate = (candidate + _STEP) % len(codes)
        codes[candidate] = number
        painted[number] = f"#{candidate:06x}"
    colors = {material: painted[number] for material, number in _numbered(materials)}
    picture = renderer.in_colors(colors, hex_to_linear(painted[BACKGROUND_ID])).astype(np.uint32)
    return codes[picture[..., 0] << 16 | picture[..., 1] << 8 | picture[..., 2]]


def _code(color: str) -> int:
    red, green, blue = rgb(color)
    return red << 16 | green << 8 | blue


def _numbered(materials: NameTable) -> Iterator[tuple[bpy.types.Material, int]]:
    for material in bpy.data.materials:
        number = materials.ids.get(material.name_full)
        if number is not None:
            yield material, number
