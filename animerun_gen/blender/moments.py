"""Shows single data-blocks as they are in other frames, without evaluating the film's scene there.

Blender evaluates them itself, so F-curves, strips and drivers of every kind count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import bpy

Block = TypeVar("Block", bpy.types.Object, bpy.types.Material, bpy.types.World)


def film_frames() -> range:
    """All frames of the film's scene: what is animated counts as in the whole film.

    Going by the clip, what was made of it would change in frames that are made already when a clip becomes longer.
    """
    scene = bpy.context.scene
    return range(scene.frame_start, max(scene.frame_start, scene.frame_end) + 1)


class Moments:
    """A scene of our own in which some of the film's data-blocks are evaluated; see :func:`moments`."""

    def __init__(self, scene: bpy.types.Scene, stand_ins: dict[str, bpy.types.Object]) -> None:
        self._scene = scene
        self._stand_ins = stand_ins

    def go_to(self, frame: int) -> None:
        """Evaluate everything at a frame of the film."""
        # naming the frame calls none of the film's handlers, unlike frame_set
        self._scene.frame_current, self._scene.frame_subframe = frame, 0.0
        self._scene.view_layers[0].update()

    def of(self, block: Block) -> Block:
        """A data-block as it is in the frame; of objects only what is animated on them, without parents or modifiers.

        What was given before a change of frame must not be used after it.
        """
        graph = self._scene.view_layers[0].depsgraph
        shown = self._stand_ins[block.name_full] if isinstance(block, bpy.types.Object) else block
        return shown.evaluated_get(graph)


@contextmanager
def moments(
    film: bpy.types.Scene,
    *,
    objects: Iterable[bpy.types.Object] = (),
    materials: Iterable[bpy.types.Material] = (),
    world: bpy.types.World | None = None,
) -> Iterator[Moments]:
    """Have data-blocks evaluated by themselves while the body runs.

    Args:
        film: The film's scene, whose time counts.
        objects: Objects that are asked for.
        materials: Materials that are asked for.
        world: The world that is asked for.
    """
    scene = bpy.data.scenes.new("animerun-gen moments")
    scene.render.fps, scene.render.fps_base = film.render.fps, film.render.fps_base
    scene.render.frame_map_old, scene.render.frame_map_new = film.render.frame_map_old, film.render.frame_map_new
    scene.world = world
    stand_ins = {obj.name_full: _stand_in(obj) for obj in objects}
    mesh = bpy.data.meshes.new(scene.name)
    for material in materials:
        mesh.materials.append(material)
    wearer = bpy.data.objects.new(scene.name, mesh)
    try:
        for each in (wearer, *stand_ins.values()):
            scene.collection.objects.link(each)
        yield Moments(scene, stand_ins)
    finally:
        bpy.data.scenes.remove(scene)
        for each in (wearer, *stand_ins.values()):
            bpy.data.objects.remove(each)
        bpy.data.meshes.remove(mesh)


def _stand_in(obj: bpy.types.Object) -> bpy.types.Object:
    """A copy of an object that moves with what is animated on it, and costs nothing to evaluate."""
    copied = obj.copy()
    copied.parent = None
    copied.modifiers.clear()
    copied.constraints.clear()
    copied.instance_collection = None
    return copied
