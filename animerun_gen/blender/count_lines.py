"""Counts what Freestyle would have to do in a cut, for ``lines.engine: auto``.

As a program (``python -m animerun_gen.blender.count_lines CONFIGURATION PIPE``) it answers with a
:class:`~animerun_gen.engines.questions.CountedCut`, see :mod:`animerun_gen.engines.protocol`.
"""

from __future__ import annotations

import numpy as np

from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.geometry import geometry_engine, scene_names, take_down
from animerun_gen.blender.opening import open_scene
from animerun_gen.blender.stepping import FrameStepper
from animerun_gen.config import CutConfig
from animerun_gen.engines.job import input_mark
from animerun_gen.engines.questions import CountedCut
from animerun_gen.lines.cost import LineFigures
from animerun_gen.lines.crossings import count_crossings, count_grid_visits
from animerun_gen.lines.feature_edges import find_feature_edges
from animerun_gen.motion.geometry import FrameGeometry


def count_lines(config: CutConfig) -> CountedCut:
    """Open and convert the cut's scene and look at its first, middle and last frame.

    A shot often begins with little in view.  Where a simulation runs, only the first frame is looked at: to get to the
    others, all between would have to be played.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    config = config.in_film_numbers()
    with geometry_engine():
        opened = open_scene(config)
        # before anything of them is looked at, so that what changes meanwhile is noticed
        read = {str(path): input_mark(path) for path in opened.inputs}
        conversion = convert_scene(opened, config)
        stepper = FrameStepper(opened, conversion, config.frames.first)
        numbers = config.frame_numbers
        frames = [numbers[0]] if stepper.simulated else sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]})
        names, found = scene_names(), []
        for frame in frames:
            stepper.go_to(frame)
            geometry = take_down(opened.scene, names, conversion.clipped)
            found.append(line_figures(geometry, config.lines.crease_angle))
    return CountedCut(found, read)


def line_figures(geometry: FrameGeometry, crease_angle: float) -> LineFigures:
    """What Freestyle would have to do in a frame whose faces make a crease below an angle in degrees."""
    edges = find_feature_edges(geometry, crease_angle)
    return LineFigures(
        geometry.frame,
        int(np.diff(geometry.triangle_start)[geometry.mesh].sum()),
        len(edges),
        count_crossings(edges, geometry.camera.width, geometry.camera.height),
        count_grid_visits(geometry, edges),
    )


if __name__ == "__main__":
    answer_and_exit(CutConfig, lambda config, reporter: reporter.found("lines", count_lines(config)))
