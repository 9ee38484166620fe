"""Counts the triangles that a cut's first frame is rendered from, for ``lines.engine: auto``.

As a program (``python -m animerun_gen.blender.count_triangles QUESTION ANSWER``) it reads the cut's configuration from
one file and writes what it found, ``{"triangles": number}`` or ``{"problem": sentence}``, to another.
"""

from __future__ import annotations

from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.geometry import evaluate, geometry_engine
from animerun_gen.blender.opening import open_scene
from animerun_gen.blender.scene_size import scene_size
from animerun_gen.config import CutConfig


def count_triangles(config: CutConfig) -> int:
    """Open and convert the cut's scene and count the triangles of its first frame, those of every instance.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    with geometry_engine():
        opened = open_scene(config)
        conversion = convert_scene(opened, config)
        return evaluate(opened.scene, lambda graph: scene_size(graph, conversion.clipped)).drawn_triangles


if __name__ == "__main__":
    answer_and_exit("triangles", count_triangles)
