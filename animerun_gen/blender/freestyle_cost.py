"""Measures what Freestyle's lines cost in one frame as Blender draws them by default, and as this project does.

For ``scripts/benchmark.py``: ``python -m animerun_gen.blender.freestyle_cost JOB ANSWERS`` opens and converts the cut
of a job file and writes seconds as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

import bpy

from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.geometry import geometry_engine
from animerun_gen.blender.opening import open_scene
from animerun_gen.blender.rendering import FrameRenderer
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import read_request
from animerun_gen.engines.scratch import TemporaryFolder


def main(job_file: Path, answers: Path) -> None:
    """Render one frame each way and write ``{"default": seconds, "ours": seconds, "samples": default samples}``."""
    config = read_request(job_file, RenderJob).config.in_film_numbers()
    with TemporaryFolder() as scratch, geometry_engine():
        opened = open_scene(config)
        conversion = convert_scene(opened, config)
        renderer = FrameRenderer(opened, config, Path(scratch), conversion.clipped)
        renderer.strokes()  # whatever Blender prepares once is not to be counted
        times = []
        for _ in range(3):
            start = time.perf_counter()
            renderer.strokes()
            times.append(time.perf_counter() - start)
        ours = statistics.median(times)

        scene = opened.scene
        eevee = scene.eevee
        eevee.taa_render_samples = eevee.bl_rna.properties["taa_render_samples"].default
        scene.render.filter_size = scene.render.bl_rna.properties["filter_size"].default
        scene.render.engine = "BLENDER_WORKBENCH"
        scene.render.filepath = str(Path(scratch) / "default.png")
        seconds = {}
        for freestyle in (False, True):
            scene.render.use_freestyle = freestyle
            start = time.perf_counter()
            bpy.ops.render.render(write_still=True, scene=scene.name)
            seconds[freestyle] = time.perf_counter() - start
    answer = {"default": seconds[True] - seconds[False], "ours": ours, "samples": eevee.taa_render_samples}
    answers.write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)
