"""Refuses a film in which nothing can draw: whatever is made of it shows nothing."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from animerun_gen.blender.drawings import is_grease_pencil, modifiers_of
from animerun_gen.blender.references import needed_by
from animerun_gen.blender.simulations import scenes_drawn
from animerun_gen.blender.unreadable import draws_nothing
from animerun_gen.config import CutConfig
from animerun_gen.config.messages import and_more
from animerun_gen.engines.film_files import MissingFile
from animerun_gen.errors import SceneError

SURFACES_OR_HAIR = {"CURVE", "SURFACE", "FONT", "META", "CURVES"}
"""Types of objects, besides meshes, that draw something of their own."""

SHOWN_LIBRARIES = 3
"""So many missing libraries are named in the sentence."""


def require_drawable(config: CutConfig, scene: bpy.types.Scene, missing: Sequence[MissingFile]) -> None:
    """Stop at a film that holds nothing to draw, in whatever frame, from wherever it is looked at.

    What is hidden counts, and so does every mesh that a modifier may give faces: only what is certain to show nothing
    is refused.

    Args:
        config: The cut.
        scene: Its scene, as the file has it.
        missing: Files that the film names and that are not there: a library may have held all that it shows.

    Raises:
        SceneError: No object of the scene, or of the collections that it instances, can draw anything.
    """
    if any(isinstance(block, bpy.types.Object) and _can_draw(block) for block in needed_by(scenes_drawn(scene))):
        return
    reason = f"scene '{scene.name}' of {config.source} has nothing that draws: no surface, no hair and no stroke"
    if libraries := [file for file in missing if file.kind == "library"]:
        lost = and_more([file.path for file in libraries], SHOWN_LIBRARIES)
        which = "the library" if len(libraries) == 1 else "libraries"
        raise SceneError(
            f"{reason}. It lacks {which} {lost}, and what comes from there is left out",
            remedy="put it back where the film looks for it, and run the same command again",
        )
    raise SceneError(
        reason,
        remedy="give another film, or name another of its scenes",
    )


def _can_draw(obj: bpy.types.Object) -> bool:
    # nodes make anything of anything
    if any(modifier.type == "NODES" for modifier in obj.modifiers):
        return True
    if obj.type == "MESH":
        return bool(obj.modifiers) or len(obj.data.polygons) > 0
    if is_grease_pencil(obj):
        return bool(modifiers_of(obj)) or not draws_nothing(obj.data)
    return obj.type in SURFACES_OR_HAIR
