"""Renders a frame of a cut as its film has it, with the film's own engine and nothing converted.

For ``scripts/conversion_gallery.py``: ``python -m animerun_gen.blender.film_frame JOB FRAME PICTURE`` takes the cut
from a job file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

from animerun_gen.blender.opening import open_scene
from animerun_gen.engines.job import RenderJob
from animerun_gen.engines.protocol import read_request


def main(job_file: Path, frame: int, picture: Path) -> None:
    """Render the frame to a PNG file of the cut's resolution."""
    config = read_request(job_file, RenderJob).config.in_film_numbers()
    scene = open_scene(config).scene
    scene.frame_set(frame)
    render = scene.render
    render.resolution_x, render.resolution_y = config.resolution
    render.resolution_percentage = 100
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.filepath = str(picture)
    bpy.ops.render.render(write_still=True, scene=scene.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.flush()
    os._exit(0)
