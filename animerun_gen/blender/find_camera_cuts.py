"""Looks into a cut's film for markers that switch cameras, and for cameras that jump."""

from __future__ import annotations

from animerun_gen.blender.asked_film import AskedFilm
from animerun_gen.blender.camera_jumps import JumpFinder
from animerun_gen.blender.camera_marks import camera_marks, cameras_by_frame
from animerun_gen.engines.questions import CameraMark


def find_camera_marks(film: AskedFilm) -> list[CameraMark]:
    """Read the camera marks of the cut's scene, and look for jumps of its cameras within the cut.

    Args:
        film: The film, which nothing has converted yet.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    config, opened = film.config, film.opened
    marks = camera_marks(opened.scene)
    first = config.frames.first
    begins = CameraMark(first, cameras_by_frame(opened.scene, [first])[first].name)
    finder = JumpFinder(opened, config)
    if not finder.is_needed:
        return marks
    # only a converted scene shows what the pictures will
    conversion = film.convert()
    jumps = finder.find(conversion.clipped, conversion.going_to(opened.scene))
    if not jumps:
        return marks
    # a mark counts before its frame as well where none comes before it
    later = [mark for mark in marks if mark.frame > first]
    found = [begins, *later, *(CameraMark(jump.frame, jump.camera, jumps=True) for jump in jumps)]
    return sorted(found, key=lambda mark: mark.frame)
