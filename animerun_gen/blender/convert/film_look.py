"""Switches off everything that stands between a flat 2D picture and the file: film look, post-processing, output."""

from __future__ import annotations

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig

FILM_LOOK_PATHS = ("render.", "display.", "view_settings.", "display_settings.", "eevee.", "cycles.", "use_nodes")
"""Beginnings of a scene's properties that belong to the film look, and are no more animated."""


def remove_film_look(opened: OpenedScene, config: CutConfig) -> list[str]:
    """Set the render up for exact flat colours.

    No anti-aliasing, depth of field, motion blur, dithering, view transform, compositor, sequencer, border, stamp,
    simplification or stereo; one view layer; PNG of 8 bits.

    Args:
        opened: The opened scene.
        config: The cut, for its resolution and background.

    Returns:
        What was on before, or is otherwise in the film, a sentence each.
    """
    scene = opened.scene
    notes = [f"switched off: {name}" for name in film_look_in_use(scene)] + _note_pixel_aspect(scene)
    for path in FILM_LOOK_PATHS:
        versions.mute_animation(scene, path)
    _set_output(opened, config)
    _set_display(scene)
    for camera in bpy.data.cameras:
        versions.mute_animation(camera, "dof.use_dof")
        camera.dof.use_dof = False
    for obj in bpy.data.objects:
        versions.mute_animation(obj, "show_in_front")
        obj.show_in_front = False
    return notes


def square_resolution(scene: bpy.types.Scene) -> tuple[int, int]:
    """Width and height of the film's own pictures, in square pixels."""
    render = scene.render
    share = render.resolution_percentage / 100.0
    width = render.resolution_x * share * render.pixel_aspect_x
    height = render.resolution_y * share * render.pixel_aspect_y
    return max(1, round(width)), max(1, round(height))


def _note_pixel_aspect(scene: bpy.types.Scene) -> list[str]:
    """Pictures and labels alike have square pixels, whatever the film's are."""
    across, down = scene.render.pixel_aspect_x, scene.render.pixel_aspect_y
    if across == down:
        return []
    width, height = square_resolution(scene)
    return [
        f"the film's pixels are {across:g} wide to {down:g} high, but those of the dataset are square: a resolution of "
        f"the shape {width} x {height} shows what the film shows"
    ]


def film_look_in_use(scene: bpy.types.Scene) -> list[str]:
    """What of the film look is switched on in a scene as it was opened."""
    render = scene.render
    on = {
        "motion blur": render.use_motion_blur,
        "a render border": render.use_border,
        "a stamp": render.use_stamp,
        "simplification": render.use_simplify,
        "stereo": render.use_multiview,
        "the compositor": render.use_compositing and versions.has_compositor(scene),
        "the sequencer": render.use_sequencer and versions.has_strips(scene),
        "depth of field": bool(scene.camera and scene.camera.type == "CAMERA" and scene.camera.data.dof.use_dof),
        f"view transform {scene.view_settings.view_transform}": scene.view_settings.view_transform != "Standard",
    }
    return [name for name, was_on in on.items() if was_on]


def _set_output(opened: OpenedScene, config: CutConfig) -> None:
    scene = opened.scene
    render = scene.render
    render.resolution_x, render.resolution_y = config.resolution
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.use_border = False
    render.use_crop_to_border = False
    render.use_stamp = False
    render.use_simplify = False
    render.use_multiview = False
    render.use_sequencer = False
    versions.use_scene_compositor(scene, False)
    render.use_motion_blur = False
    render.use_overwrite = True
    render.use_placeholder = False
    render.use_file_extension = True
    render.film_transparent = False
    render.filter_size = 0.0
    render.dither_intensity = 0.0
    settings = render.image_settings
    versions.use_picture_format(settings, "PNG")
    settings.color_mode = "RGB"
    settings.color_depth = "8"
    settings.compression = 0
    if hasattr(settings, "color_management"):
        settings.color_management = "FOLLOW_SCENE"
    for layer in scene.view_layers:
        layer.use = layer == opened.view_layer
        layer.material_override = None

    scene.display_settings.display_device = "sRGB"
    view = scene.view_settings
    view.view_transform = "Standard"
    view.look = "None"
    view.exposure = 0.0
    view.gamma = 1.0
    view.use_curve_mapping = False


def _set_display(scene: bpy.types.Scene) -> None:
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.display.render_aa = "OFF"
    shading = scene.display.shading
    shading.light = "FLAT"
    shading.show_shadows = False
    shading.show_cavity = False
    shading.show_xray = False
    shading.use_dof = False
    shading.show_backface_culling = False
    shading.show_specular_highlight = False
