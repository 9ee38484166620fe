"""Lets Blender play every simulation that the film renders, whether its viewport shows it or not."""

from __future__ import annotations

from animerun_gen.blender.convert.viewport import show_as_rendered
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.simulations import find_simulations, has_rigid_bodies
from animerun_gen.config.messages import and_more

SHOWN_NAMES = 8
"""So many objects are listed in a sentence."""


def show_simulations(opened: OpenedScene) -> list[str]:
    """Have the viewport, in which simulations run, show what the renderer shows of them, at the renderer's detail.

    What the viewport hides would stand still, or jump where a process begins; the cache of a mesh of another
    subdivision level would not fit.  Particles and hair are seen to by their own conversions.

    Args:
        opened: The opened scene.

    Returns:
        What is played, a sentence; nothing where nothing is.
    """
    found = [each for each in find_simulations(opened.scene) if each.modifier.type != "PARTICLE_SYSTEM"]
    show_as_rendered([each.owner for each in found if not each.owner.hide_render], opened.view_layer)
    names = list(dict.fromkeys(f"'{each.owner.name}'" for each in found))
    if has_rigid_bodies(opened.scene):
        names.append("the rigid body world")
    if not names:
        return []
    shown = and_more(names, SHOWN_NAMES)
    return [f"simulations are played before the first frame of the clip: {shown}"]
