"""Counts what Freestyle would have to do in a cut, for ``lines.engine: auto``."""

from __future__ import annotations

import numpy as np

from animerun_gen.blender.asked_film import AskedFilm
from animerun_gen.blender.geometry import scene_names, take_down
from animerun_gen.blender.stepping import FrameStepper
from animerun_gen.lines.cost import LineFigures
from animerun_gen.lines.crossings import count_crossings, count_grid_visits
from animerun_gen.lines.feature_edges import find_feature_edges
from animerun_gen.motion.geometry import FrameGeometry


def count_lines(film: AskedFilm) -> list[LineFigures]:
    """Look at the first, middle and last frame of a cut.

    A shot often begins with little in view.  Where a simulation runs, only the first frame is looked at: to get to the
    others, all between would have to be played.

    Args:
        film: The film; its scene stands at the last of these frames afterwards.

    Returns:
        The figures of each frame, ascending.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    config, conversion, scene = film.config, film.convert(), film.opened.scene
    stepper = FrameStepper(film.opened, conversion, config.frames.first)
    numbers = config.frame_numbers
    frames = [numbers[0]] if stepper.simulated else sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]})
    names, found = scene_names(), []
    for frame in frames:
        stepper.go_to(frame)
        found.append(line_figures(take_down(scene, names, conversion.clipped), config.lines.crease_angle))
    return found


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
