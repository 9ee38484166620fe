"""Makes the viewport's dependency graph, which Python can read at any time, show what the renderer's would.

Hair is read from it, and simulations run in it, of which the renderer then finds the results in their caches.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.references import needed_by


def show_as_rendered(objects: list[bpy.types.Object], view_layer: bpy.types.ViewLayer) -> None:
    """Have the viewport's dependency graph evaluate objects as the renderer would.

    Args:
        objects: Objects that are to be read from the viewport's graph.
        view_layer: Where they, or instances of them, are shown.
    """
    if not objects:
        return
    for obj in objects:
        _reveal(obj, view_layer, set())
    for block in needed_by(objects):
        if isinstance(block, bpy.types.Object):
            _evaluate_as_rendered(block)


def _evaluate_as_rendered(obj: bpy.types.Object) -> None:
    for modifier in obj.modifiers:
        if modifier.type in {"SUBSURF", "MULTIRES"}:
            _follow(obj, modifier, "levels", "render_levels")
        if modifier.type != "PARTICLE_SYSTEM":
            _follow(obj, modifier, "show_viewport", "show_render")


def _follow(obj: bpy.types.Object, modifier: bpy.types.Modifier, shown: str, rendered: str) -> None:
    """Have a property of the viewport be that of the renderer, in every frame."""
    path = f'modifiers["{modifier.name}"].'
    animated = versions.is_animated(obj, path + rendered)
    differs = getattr(modifier, shown) != getattr(modifier, rendered) or versions.is_animated(obj, path + shown)
    if not differs and not animated:
        return
    versions.mute_animation(obj, path + shown)
    setattr(modifier, shown, getattr(modifier, rendered))
    if animated:
        modifier.driver_remove(shown)
        driver = modifier.driver_add(shown).driver
        driver.type = "SUM"
        variable = driver.variables.new()
        variable.targets[0].id = obj
        variable.targets[0].data_path = path + rendered


def _reveal(obj: bpy.types.Object, view_layer: bpy.types.ViewLayer, done: set[str]) -> None:
    """Let the viewport evaluate an object: it, its collections, and what instances it must not be hidden there."""
    if obj.name_full in done:
        return
    done.add(obj.name_full)
    versions.mute_animation(obj, "hide_viewport")
    obj.hide_viewport = False
    if view_layer.objects.get(obj.name) == obj:
        obj.hide_set(False, view_layer=view_layer)
    holding = [collection for collection in bpy.data.collections if obj in collection.all_objects.values()]
    for collection in holding:
        collection.hide_viewport = False
    for layer in _layer_collections(view_layer.layer_collection):
        if layer.collection in holding:
            layer.hide_viewport = False
    for other in bpy.data.objects:
        if other.instance_collection is not None and other.instance_collection in holding:
            _reveal(other, view_layer, done)


def _layer_collections(root: bpy.types.LayerCollection) -> Iterator[bpy.types.LayerCollection]:
    yield root
    for child in root.children:
        yield from _layer_collections(child)
