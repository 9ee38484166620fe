"""Finds the layers that a cut's film has by itself, for ``layers.groups: auto``.

As a program (``python -m animerun_gen.blender.find_layers CONFIGURATION PIPE``) it answers with a
:class:`~animerun_gen.engines.questions.LayeredCut`, see :mod:`animerun_gen.engines.protocol`.
"""

from __future__ import annotations

from animerun_gen.blender.answering import answer_and_exit
from animerun_gen.blender.convert import convert_scene
from animerun_gen.blender.geometry import geometry_engine
from animerun_gen.blender.layer_groups import find_groups
from animerun_gen.blender.opening import open_scene
from animerun_gen.config import CutConfig
from animerun_gen.engines.job import input_mark
from animerun_gen.engines.questions import LayeredCut


def find_layers(config: CutConfig) -> LayeredCut:
    """Open and convert the cut's scene and look at how its objects move.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    config = config.in_film_numbers()
    with geometry_engine():
        opened = open_scene(config)
        # before anything of them is looked at, so that what changes meanwhile is noticed
        read = {str(path): input_mark(path) for path in opened.inputs}
        # what is removed is in no layer
        convert_scene(opened, config)
        groups = find_groups(opened.scene)
    return LayeredCut({name: group.objects for name, group in groups.items()}, read)


if __name__ == "__main__":
    answer_and_exit(CutConfig, lambda config, reporter: reporter.found("layers", find_layers(config)))
