"""Evaluates a few objects in a scene of their own, to follow them through many frames.

That takes a millisecond for a hundred frames, and whatever moves the objects (their parents, constraints, drivers,
strips) is evaluated with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy

from animerun_gen.blender.graphs import has_film_handlers
from animerun_gen.blender.references import needed_by
from animerun_gen.blender.simulations import find_simulations, has_rigid_bodies


def needs_all(scene: bpy.types.Scene, objects: Iterable[bpy.types.Object]) -> bool:
    """Whether objects move only in the scene as a whole: by scripts, or carried by what is simulated."""
    if has_film_handlers():
        return True
    needed = needed_by(objects)
    carried = has_rigid_bodies(scene) and any(
        isinstance(block, bpy.types.Object) and block.rigid_body is not None for block in needed
    )
    return carried or any(each.owner in needed for each in find_simulations(scene))


@contextmanager
def alone(scene: bpy.types.Scene, objects: Iterable[bpy.types.Object]) -> Iterator[bpy.types.Scene]:
    """A scene of the same time and picture in which nothing but some objects, and what they hang on, is evaluated."""
    own = scene.copy()
    holders = []
    try:
        for child in list(own.collection.children):
            own.collection.children.unlink(child)
        for obj in list(own.collection.objects):
            own.collection.objects.unlink(obj)
        for marker in own.timeline_markers:
            marker.camera = None
        for layer in list(own.view_layers)[1:]:
            own.view_layers.remove(layer)
        own.background_set = None
        if own.rigidbody_world is not None:
            # its bodies belong to the film's own world as well
            own.rigidbody_world.collection = own.rigidbody_world.constraints = None
        for obj in objects:
            # what hangs on an object has it evaluated, even where the viewport hides it
            holder = bpy.data.objects.new("animerun-gen holder", None)
            holder.parent = obj
            own.collection.objects.link(holder)
            holders.append(holder)
        yield own
    finally:
        for holder in holders:
            bpy.data.objects.remove(holder)
        bpy.data.scenes.remove(own)
