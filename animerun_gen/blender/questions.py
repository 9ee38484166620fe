"""Answers what is asked about a cut's film before it is rendered (see :mod:`animerun_gen.engines.questions`).

As a program (``python -m animerun_gen.blender.questions INQUIRY PIPE``) it tells that the film is open, and then what
it found, see :mod:`animerun_gen.engines.protocol`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from animerun_gen.blender import versions
from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.asked_film import AskedFilm
from animerun_gen.engines.job import Reporter
from animerun_gen.engines.questions import CAMERA_MARKS, LAYERS, LINE_FIGURES, Inquiry


def answer_questions(inquiry: Inquiry, reporter: Reporter) -> None:
    """Open the film of a cut, and tell one answer after the other.

    Args:
        inquiry: The cut, and what is asked about it.
        reporter: Is told of the film that is open, and of each answer.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    with ExitStack() as until_done:
        film = AskedFilm(inquiry.config, until_done)
        # before anything of its files is looked at, so that what changes meanwhile is noticed
        reporter.opened(versions.engine_name(), film.opened.notes, film.opened.inputs)
        for question in inquiry.questions:
            reporter.found(question, _finder(question)(film))


def _finder(question: str) -> Callable[[AskedFilm], object]:
    """Who answers a question; each loads what it needs, which may take longer than to answer another one."""
    if question == CAMERA_MARKS.name:
        from animerun_gen.blender.find_camera_cuts import find_camera_marks

        return find_camera_marks
    if question == LAYERS.name:
        from animerun_gen.blender.find_layers import find_layers

        return find_layers
    if question == LINE_FIGURES.name:
        from animerun_gen.blender.count_lines import count_lines

        return count_lines
    raise ValueError(f"nobody answers '{question}'")


if __name__ == "__main__":
    answer_and_exit(Inquiry, answer_questions)
