"""Has some layers of a scene drawn and nothing of the others.

Each layer's objects are in a collection of our own, and view layers of our own show the collections that are wanted.
They are made once and for all: what a view layer shows must not be changed between frames, or Blender takes simulations
on from the wrong state (cloth, 4.5.15).
Nothing of the film's objects is changed for that: what is hidden in some frames stays hidden there, what instances,
particles or nodes show comes and goes with the object that makes it, and what is not shown still shapes what depends on
it (parents, armatures, modifiers), because Blender evaluates that all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import bpy

from animerun_gen.blender.layer_groups import LayerGroups
from animerun_gen.blender.opening import OpenedScene

NAME = "animerun-gen layers"


class LayerPainter:
    """Shows layers of the converted scene to whoever renders it.

    It is made in every process of a cut that has layers, whether that draws or not, because it may change the order in
    which Blender hands out objects.

    Args:
        opened: The converted scene.
        groups: Its layers.
        shown: The sets of layers that will be shown, by their numbers; nothing may be shown as well.
    """

    def __init__(self, opened: OpenedScene, groups: LayerGroups, shown: Iterable[frozenset[int]]) -> None:
        self._scene = opened.scene
        self._film = opened.view_layer
        self._groups = groups
        self._background = opened.scene.background_set
        _gather_loose(opened.scene)
        drawn = _shown(opened.view_layer.layer_collection)
        collections = [
            _collect(f"{NAME}: {name}", [obj for obj in drawn if groups.of_object(obj.name_full) == number])
            for number, name in enumerate(groups.names)
        ]
        film_layers = list(opened.scene.view_layers)
        for collection in collections:
            opened.scene.collection.children.link(collection)
            for layer in film_layers:
                layer.layer_collection.children[collection.name].exclude = True
        self._own: dict[frozenset[str], bpy.types.ViewLayer] = {}
        for numbers in sorted({frozenset(), *shown}, key=sorted):
            own = opened.scene.view_layers.new(NAME)
            own.use = own.use_freestyle = False
            names = [collections[number].name for number in numbers]
            for child in own.layer_collection.children:
                child.exclude = child.name not in names
            self._own[frozenset(groups.names[number] for number in numbers)] = own

    @contextmanager
    def showing(self, names: Collection[str]) -> Iterator[None]:
        """Have only these layers drawn while the body runs; of no layer the background is left.

        Args:
            names: Names of layers, one of the sets that were announced.
        """
        own = self._own[frozenset(names)]
        # objects of a background scene are in every view layer
        hides = self._background is not None and self._groups.names[0] not in names
        if hides:
            self._scene.background_set = None
        self._film.use, own.use = False, True
        try:
            yield
        finally:
            own.use, self._film.use = False, True
            if hides:
                self._scene.background_set = self._background


def _gather_loose(scene: bpy.types.Scene) -> None:
    """Put objects that are in no collection into one: those are in every view layer, and cannot be left out."""
    loose = list(scene.collection.objects)
    if loose:
        scene.collection.children.link(_collect(f"{NAME}: loose", loose))
        for obj in loose:
            scene.collection.objects.unlink(obj)


def _collect(name: str, objects: Collection[bpy.types.Object]) -> bpy.types.Collection:
    collection = bpy.data.collections.new(name)
    for obj in objects:
        collection.objects.link(obj)
    return collection


def _shown(layer: bpy.types.LayerCollection) -> list[bpy.types.Object]:
    """The objects that a view layer's collections show in renders, each once, whether hidden themselves or not."""
    found: dict[bpy.types.Object, None] = {}
    waiting = [layer]
    while waiting:
        each = waiting.pop(0)
        # what is excluded may have children that are not
        if not each.exclude and not each.collection.hide_render:
            found |= dict.fromkeys(each.collection.objects)
        if not each.collection.hide_render:
            waiting += list(each.children)
    return list(found)
