"""Renders two tiny pictures to see whether Blender can, for ``animerun-gen doctor``; writes ``key=value`` lines."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import bpy
import gpu

from animerun_gen.blender import versions
from animerun_gen.blender.convert.clipped import ClippedMaterials
from animerun_gen.blender.convert.film_look import remove_film_look
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.config import CutConfig


def main(answers: Path) -> None:
    """Render a cube with Workbench, then with Freestyle, and write what came of it."""
    with open(answers, "w", encoding="utf-8", buffering=1) as file:
        bpy.ops.wm.read_factory_settings(use_empty=False)
        scene = bpy.context.scene
        config = CutConfig.model_validate(
            {"name": "probe", "source": Path("probe.blend"), "frames": {"first": 1, "last": 2}, "resolution": (64, 64)}
        )
        opened = OpenedScene(scene, scene.view_layers[0])
        remove_film_look(opened, config)
        with tempfile.TemporaryDirectory() as scratch:
            renderer = FrameRenderer(opened, config, Path(scratch), ClippedMaterials())
            flat = renderer.flat()
            file.write(f"renderer={_renderer_name()}\n")
            colors = len({tuple(pixel) for pixel in flat.reshape(-1, 3).tolist()})
            file.write(f"workbench={'draws a cube' if colors == 2 else f'failed: {colors} colours where 2 are due'}\n")
            drawn = renderer.strokes().min() == 0
            file.write(f"freestyle={'draws lines' if drawn else 'failed: it drew no line'}\n")


SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast")
"""How the names begin of what draws where EGL finds no GPU."""


def _renderer_name() -> str:
    try:
        name = gpu.platform.renderer_get()
        drawn_by = "on the CPU, no GPU takes part" if name.startswith(SOFTWARE_RENDERERS) else "on the GPU"
        return f"{name}, which draws {drawn_by} ({versions.engine_name()})"
    except SystemError:  # the module has no context of its own in background mode before 4.0; rendering still works
        return "there, renderer not named"


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
    os._exit(0)
