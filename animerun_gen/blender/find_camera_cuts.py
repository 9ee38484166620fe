"""Looks into a cut's film for markers that switch cameras, and for cameras that jump.

As a program (``python -m animerun_gen.blender.find_camera_cuts CONFIGURATION PIPE``) it answers with a
:class:`~animerun_gen.engines.questions.MarkedCut`, see :mod:`animerun_gen.engines.protocol`.
"""

from __future__ import annotations

from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.camera_jumps import JumpFinder
from animerun_gen.blender.camera_marks import camera_marks, cameras_by_frame
from animerun_gen.blender.opening import open_scene
from animerun_gen.config import CutConfig
from animerun_gen.engines.job import input_mark
from animerun_gen.engines.questions import CameraMark, MarkedCut


def find_camera_marks(config: CutConfig) -> MarkedCut:
    """Open the cut's file, read the camera marks of its scene, and look for jumps of its cameras within the cut.

    Raises:
        SceneError: The scene does not allow it.
    """
    config = config.in_film_numbers()
    opened = open_scene(config)
    # before anything of them is looked at, so that what changes meanwhile is noticed
    read = {str(path): input_mark(path) for path in opened.inputs}
    marks = camera_marks(opened.scene)
    first = config.frames.first
    begins = CameraMark(first, cameras_by_frame(opened.scene, [first])[first].name)
    finder = JumpFinder(opened, config)
    if not finder.is_needed:
        return MarkedCut(marks, read)
    # they load the compiled loops, which takes longer than looking for marks
    from animerun_gen.blender.convert import convert_scene
    from animerun_gen.blender.geometry import geometry_engine

    with geometry_engine():
        # only a converted scene shows what the pictures will
        conversion = convert_scene(opened, config)
        jumps = finder.find(conversion.clipped, conversion.going_to(opened.scene))
    if not jumps:
        return MarkedCut(marks, read)
    # a mark counts before its frame as well where none comes before it
    later = [mark for mark in marks if mark.frame > first]
    found = [begins, *later, *(CameraMark(jump.frame, jump.camera, jumps=True) for jump in jumps)]
    return MarkedCut(sorted(found, key=lambda mark: mark.frame), read)


if __name__ == "__main__":
    answer_and_exit(CutConfig, lambda config, reporter: reporter.found("camera cuts", find_camera_marks(config)))
