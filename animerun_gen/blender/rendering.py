"""Renders the pictures of one frame of a converted scene: flat colours, and lines on white."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.convert.world import BLACK, LinearColor, world_colors
from animerun_gen.blender.line_surfaces import LineSurfaces, ink_materials
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError

U8Array = npt.NDArray[np.uint8]
WHITE: LinearColor = (1.0, 1.0, 1.0)


class FrameRenderer:
    """Renders pictures of the scene's current frame.

    Args:
        opened: The opened and converted scene.
        config: The cut.
        scratch: An existing folder for the files that Blender writes.
        clipped: The cut's materials with holes.

    Attributes:
        color_type: What Workbench paints surfaces with: ``"MATERIAL"`` or ``"TEXTURE"``.
        backgrounds: Colour where no surface is seen (linear), in each frame of the clip.
        clipped: As given.
    """

    def __init__(self, opened: OpenedScene, config: CutConfig, scratch: Path, clipped: ClippedMaterials) -> None:
        self._scene = opened.scene
        self._layer = opened.view_layer
        self._config = config
        self._scratch = scratch
        self.clipped = clipped
        self.color_type: str = self._scene.display.shading.color_type
        self.backgrounds = world_colors(self._scene, config)
        self._world = _own_world(self._scene)
        self._line_surfaces = LineSurfaces([*clipped.names(), *ink_materials()])
        _set_up_freestyle(opened, config)

    def flat(self) -> U8Array:
        """The frame in flat colours without any line, ``(H, W, 3)`` uint8 RGB."""
        versions.paint_world(self._world, self.backgrounds[self._scene.frame_current])
        return self._render_workbench(self.color_type).astype(np.uint8, copy=False)

    def backdrop(self, frame: int) -> U8Array:
        """The same of a frame of the clip, whichever the scene stands at; for when no surface is shown."""
        versions.paint_world(self._world, self.backgrounds[frame])
        return self._render_workbench(self.color_type).astype(np.uint8, copy=False)

    def flat_with_coverage(self) -> tuple[U8Array, npt.NDArray[np.bool_]]:
        """The same, and where a surface is drawn, ``(H, W)`` bool: colours elsewhere mean nothing."""
        render = self._scene.render
        render.film_transparent, render.image_settings.color_mode = True, "RGBA"
        try:
            picture = self._render_workbench(self.color_type, channels=4).astype(np.uint8, copy=False)
        finally:
            render.film_transparent, render.image_settings.color_mode = False, "RGB"
        return np.ascontiguousarray(picture[..., :3]), picture[..., 3] > 0

    def in_colors(self, colors: Mapping[bpy.types.Material, str], background: LinearColor) -> U8Array:
        """The frame with every material in a flat colour of its own, images left out.

        Args:
            colors: Material to ``"#rrggbb"``; all that are in the picture.
            background: Colour where no surface is seen (linear).

        Returns:
            ``(H, W, 3)`` uint8 RGB.
        """
        versions.paint_world(self._world, background)
        with self.clipped.painted(colors):
            # holes are images, which Workbench does not know in materials' plain colours
            return self._render_workbench("TEXTURE" if self.clipped else "MATERIAL").astype(np.uint8, copy=False)

    def vertex_colors(self) -> npt.NDArray[np.uint16]:
        """The frame with every mesh in the colours of its active layer of colours, on white.

        Returns:
            ``(H, W, 3)`` uint16 RGB, sRGB-encoded; Workbench's own colours have 11 bits.
        """
        versions.paint_world(self._world, WHITE)
        settings = self._scene.render.image_settings
        settings.color_depth = "16"
        try:
            return self._render_workbench("VERTEX").astype(np.uint16, copy=False)
        finally:
            settings.color_depth = "8"

    def strokes(self) -> U8Array:
        """Freestyle's lines alone, black on white, ``(H, W)`` uint8; white where the cut wants none.

        Surfaces with holes have none, and hide none: see :func:`~animerun_gen.lines.compose.cover_lines`.

        The strokes are meshes of their own, which some engine has to draw.  Under Workbench that is EEVEE, which
        compiles its shaders anew for every frame: 3 to 5 s, whatever the picture's size.  Cycles draws the same pixels
        (20 of 17,000 differ) in a tenth of that, and without partly covered ones.
        """
        if not self._config.lines.freestyle:
            return self._blank()
        scene, layer = self._scene, self._layer
        versions.paint_world(self._world, WHITE)
        set_up_single_sample_cycles(scene)
        scene.render.use_freestyle = True
        before = layer.use_solid
        # the lines are found in the scene itself, so the surfaces need not be drawn
        layer.use_solid = False
        try:
            with self._line_surfaces.alone():
                return np.ascontiguousarray(self._render("CYCLES")[..., 0]).astype(np.uint8, copy=False)
        finally:
            layer.use_solid = before
            scene.render.use_freestyle = False

    def _blank(self) -> U8Array:
        width, height = self._config.resolution
        return np.full((height, width), 255, np.uint8)

    def _render_workbench(self, color_type: str, channels: int = 3) -> npt.NDArray[np.integer[Any]]:
        shading = self._scene.display.shading
        shading.color_type = color_type
        # the film may show one; ours is drawn from what the pixels show: see animerun_gen.lines.compose.outline
        shading.show_object_outline = False
        self._scene.render.use_freestyle = False
        return self._render("BLENDER_WORKBENCH", channels)

    def _render(self, engine: str, channels: int = 3) -> npt.NDArray[np.integer[Any]]:
        """``(H, W, channels)`` RGB or RGBA, of as many bits as the scene's pictures have."""
        path = self._scratch / "picture.png"
        path.unlink(missing_ok=True)
        self._scene.render.engine = engine
        self._scene.render.filepath = str(path)
        reason = ""
        try:
            bpy.ops.render.render(write_still=True, scene=self._scene.name)
        except RuntimeError as error:
            reason = complaint(error)
        depth = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH if channels == 3 else cv2.IMREAD_UNCHANGED
        picture = cv2.imread(str(path), depth) if path.exists() and not reason else None
        width, height = self._config.resolution
        if picture is None or picture.shape != (height, width, channels):
            raise SceneError(
                f"Blender rendered frame {self._scene.frame_current} of {self._config.source} without writing "
                f"the picture {path}{reason}",
                remedy="see whether that folder is there and has space, and run 'animerun-gen doctor'",
            )
        order = [2, 1, 0, 3][:channels]
        return np.ascontiguousarray(picture[..., order])


def complaint(error: RuntimeError) -> str:
    """What Blender says when it cannot write a picture (the disk is full, the folder is gone), in parentheses."""
    return f" ({' '.join(str(error).removeprefix('Error: ').split())})"


def set_up_single_sample_cycles(scene: bpy.types.Scene) -> None:
    """Have Cycles look once, straight through each pixel's centre, at what is there and nothing beyond."""
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = 1
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.max_bounces = 0
    cycles.pixel_filter_type = "BOX"
    cycles.filter_width = 0.01


def _own_world(scene: bpy.types.Scene) -> bpy.types.World:
    """Give the scene a world of our own, whose colour nothing animates."""
    world = versions.plain_world("animerun-gen background")
    scene.world = world
    return world


def _set_up_freestyle(opened: OpenedScene, config: CutConfig) -> None:
    """Make the one line set of the cut, with a line style of its own.

    A view layer without line set, or a line set without line style, draws nothing and says nothing.
    """
    lines = config.lines
    layer = opened.view_layer
    layer.use_freestyle = lines.freestyle
    settings = layer.freestyle_settings
    settings.mode = "EDITOR"
    settings.crease_angle = math.radians(lines.crease_angle)
    # edges out of view are left out: a quarter faster, and at most 9 of 36,000 line pixels differ (4.5.15)
    settings.use_culling = True
    settings.as_render_pass = False
    for old in list(settings.linesets):
        settings.linesets.remove(old)
    style = bpy.data.linestyles.new("animerun-gen lines")
    style.color = BLACK
    style.alpha = 1.0
    style.thickness = lines.thickness
    style.thickness_position = "CENTER"
    line_set = settings.linesets.new("animerun-gen lines")
    line_set.linestyle = style
    line_set.visibility = "VISIBLE"
    line_set.select_by_visibility = True
    line_set.select_by_edge_types = True
    line_set.select_by_collection = False
    line_set.select_by_face_marks = False
    line_set.select_by_image_border = False
    line_set.edge_type_combination = "OR"
    line_set.edge_type_negation = "INCLUSIVE"
    for edge in (
        "silhouette",
        "border",
        "crease",
        "ridge_valley",
        "suggestive_contour",
        "material_boundary",
        "contour",
        "external_contour",
        "edge_mark",
    ):
        setattr(line_set, f"select_{edge}", edge in lines.edges)
    render = opened.scene.render
    render.line_thickness_mode = "ABSOLUTE"
    render.line_thickness = 1.0
