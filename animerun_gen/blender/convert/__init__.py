"""Converts an opened film scene to 2D style (section 3.1 of the AnimeRun paper), one module a conversion.

Each module has one entry function, takes the cut's configuration, changes the open scene and returns what it did as
sentences for the cut's log.  The order matters: what is removed needs no colour.
"""

from __future__ import annotations

from animerun_gen.blender.convert.colors import convert_colors
from animerun_gen.blender.convert.film_look import remove_film_look
from animerun_gen.blender.convert.removal import remove_named
from animerun_gen.blender.convert.strands import remove_strands_and_particles
from animerun_gen.blender.convert.transparency import make_solid
from animerun_gen.blender.convert.unreadable import remove_unreadable
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig


def convert_scene(opened: OpenedScene, config: CutConfig) -> list[str]:
    """Convert the scene; it stands at the cut's first frame before and after.

    Args:
        opened: The opened scene.
        config: The cut.

    Returns:
        What was changed, a sentence each.
    """
    notes = remove_film_look(opened, config)
    notes += remove_named(config)
    notes += remove_strands_and_particles()
    notes += remove_unreadable()
    notes += make_solid()
    notes += convert_colors(config)
    opened.scene.frame_set(config.frames.first)
    return notes
