"""Renders tiny pictures to see whether Blender draws what it is asked for, for ``animerun-gen doctor``.

``python -m animerun_gen.blender.probe NOTHING PIPE`` tells what was tried and what came of it (see
:mod:`animerun_gen.engines.protocol`); answers that begin with "failed" are faults.
"""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import gpu
import numpy as np

from animerun_gen.blender import versions
from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.convert.film_look import remove_film_look
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.probe_picture import (
    GROUND,
    REPAINTED,
    SIZE,
    SQUARE,
    SURFACE,
    judge_ground,
    judge_lines,
    judge_surface,
)
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.color.srgb import hex_to_linear
from animerun_gen.config import CutConfig
from animerun_gen.engines.job import Reporter
from animerun_gen.engines.scratch import TemporaryFolder


def probe(reporter: Reporter) -> None:
    """Render a block with Workbench, then its lines with Freestyle, and tell what came of it."""
    config = CutConfig.model_validate(
        {
            "name": "probe",
            "source": Path("probe.blend"),
            "frames": {"first": 1, "last": 2},
            "resolution": (SIZE, SIZE),
            "style": {"background": GROUND},
        }
    )
    opened, material = _build_scene()
    remove_film_look(opened, config)
    with TemporaryFolder() as scratch:
        renderer = FrameRenderer(opened, config, Path(scratch), ClippedMaterials())
        flat = renderer.flat()
        reporter.found("renderer", _renderer_name())
        reporter.found("surface", judge_surface(flat))
        reporter.found("background", judge_ground(flat))
        renderer.color_type = "TEXTURE"
        _show_image(material)
        textured = judge_surface(renderer.flat(), REPAINTED)
        with renderer.clipped.painted({material: SURFACE}):
            repainted = judge_surface(renderer.flat())
        reporter.found("image", textured if textured.startswith("failed") else repainted)
        reporter.found("lines", judge_lines(renderer.strokes(), config.lines.thickness))


def _build_scene() -> tuple[OpenedScene, bpy.types.Material]:
    """A block before a camera that sees one side of it, as a square."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    half = (SQUARE.stop - SQUARE.start) / SIZE
    corners = [(x, y, z) for x in (-half, half) for y in (0.0, 1.0) for z in (-half, half)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new("block")
    mesh.from_pydata(corners, [], faces)
    mesh.uv_layers.new(name="UV")
    material = bpy.data.materials.new("block")
    material.diffuse_color = (*hex_to_linear(SURFACE), 1.0)
    mesh.materials.append(material)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0.0, -5.0, 0.0), (math.pi / 2, 0.0, 0.0)
    camera.data.type, camera.data.ortho_scale = "ORTHO", 2.0
    for thing in (bpy.data.objects.new("block", mesh), camera):
        scene.collection.objects.link(thing)
    scene.camera = camera
    return OpenedScene(scene, scene.view_layers[0]), material


def _show_image(material: bpy.types.Material) -> None:
    """Have Workbench paint a material by an image of one colour."""
    image = bpy.data.images.new("block", 4, 4)
    color = [int(REPAINTED[place : place + 2], 16) / 255.0 for place in (1, 3, 5)]
    image.pixels.foreach_set(np.tile(np.array([*color, 1.0], np.float32), 16))
    image.update()
    versions.give_nodes(material)
    nodes = material.node_tree.nodes
    node = nodes.new("ShaderNodeTexImage")
    node.image = image
    nodes.active = node


SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast")
"""How the names begin of what draws where EGL finds no GPU."""


def _renderer_name() -> str:
    try:
        name = gpu.platform.renderer_get()
        drawn_by = "on the CPU (no GPU is used)" if name.startswith(SOFTWARE_RENDERERS) else "on the GPU"
        return f"{name}, which draws {drawn_by} ({versions.engine_name()})"
    except SystemError:  # the module has no context of its own in background mode before 4.0; rendering still works
        return "there, renderer not named"


if __name__ == "__main__":
    answer_and_exit(type(None), lambda nothing, reporter: probe(reporter))
