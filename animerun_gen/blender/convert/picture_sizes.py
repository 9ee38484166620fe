"""How large things become in the picture, in some frames spread over the film.

By the film and not by the clip: a clip that becomes longer keeps the frames that are made already.

Only where things stand is evaluated, see :mod:`animerun_gen.blender.alone`, and no mesh: whatever is asked for has the
extents that it has in its own coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender.alone import alone, needs_all
from animerun_gen.blender.camera_marks import cameras_by_frame
from animerun_gen.blender.moments import film_frames
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig

Float64Array = npt.NDArray[np.float64]

LOOKED_AT = 12
"""So many frames of the film are looked at."""

DEEPEST = 16
"""Instances within instances are followed so far."""


@dataclass(frozen=True)
class Moment:
    """A frame, as far as sizes go.

    Attributes:
        view: ``(4, 4)`` world to camera.
        projection: ``(4, 4)`` camera to clip space.
        placed: By full name of an object where it is drawn, ``(4, 4)`` object to world each.
    """

    view: Float64Array
    projection: Float64Array
    placed: Mapping[str, Sequence[Float64Array]]

    def sizes(self, matrix: Float64Array, low: Float64Array, high: Float64Array) -> tuple[Float64Array, Float64Array]:
        """How large boxes are in the picture.

        Args:
            matrix: ``(4, 4)`` box coordinates to world.
            low: ``(K, 3)`` lowest coordinates.
            high: ``(K, 3)`` highest coordinates.

        Returns:
            ``(K,)``: the largest extent of each box as a share of the picture's height, 0 where the box is not in the
            picture; and the same as if what is beside or behind the camera stood before it.
        """
        extents = box_sides(matrix, low, high)
        largest = extents.max(axis=1)
        radius = 0.5 * np.linalg.norm(extents, axis=1)
        centers = np.concatenate([0.5 * (low + high), np.ones((len(low), 1))], axis=1) @ (self.view @ matrix).T
        clip = centers @ self.projection.T
        away = -centers[:, 2]
        is_orthographic = self.projection[3, 2] == 0.0
        # the camera may stand within the box
        scale = np.ones(len(low)) if is_orthographic else np.maximum(away, 0.1 * np.maximum(radius, 1e-9))
        across, up = (np.abs(self.projection[row, row]) * radius for row in (0, 1))
        seen = (away + radius > 0.0) & (np.abs(clip[:, 0]) <= scale + across) & (np.abs(clip[:, 1]) <= scale + up)
        half = 0.5 * np.abs(self.projection[1, 1]) * largest
        as_if = np.ones(len(low)) if is_orthographic else np.maximum(np.abs(away), 1e-6)
        return np.where(seen, half / scale, 0.0), half / as_if


def box_sides(matrix: Float64Array, low: Float64Array, high: Float64Array) -> Float64Array:
    """``(K, 3)``: how long the sides of boxes are in the world."""
    return np.asarray((high - low) * np.linalg.norm(matrix[:3, :3], axis=0))


def look_at(opened: OpenedScene, config: CutConfig, objects: Sequence[bpy.types.Object]) -> list[Moment]:
    """Where objects stand in the scene's current frame, and in up to :data:`LOOKED_AT` frames of the film.

    What scripts or simulations move is looked at in the current frame only, and so are instances that particles and
    nodes draw, and whatever a camera films that moves through key frames of the configuration: it has its way through
    the clip alone.

    Args:
        opened: The opened scene, at the clip's first frame; it has a camera.
        config: The cut.
        objects: The objects.

    Returns:
        The frames, the current one first.
    """
    moments = [_here(opened, config, objects)]
    if len(config.camera_motion.keyframes) > 1:
        return moments
    numbers = film_frames()
    count = min(LOOKED_AT, len(numbers))
    frames = sorted({numbers[round(i * (len(numbers) - 1) / max(count - 1, 1))] for i in range(count)})
    cameras = cameras_by_frame(opened.scene, frames)
    ways = _ways_to(objects, opened.scene)
    instancers = {instancer for found in ways.values() for way in found for instancer in way}
    needed = {*objects, *cameras.values(), *instancers}
    if needs_all(opened.scene, needed):
        return moments
    # a set has another order in each process, and the names that Blender gives hang on the order
    ordered = sorted(needed, key=lambda obj: str(obj.name_full))
    with alone(opened.scene, ordered) as own:
        for frame in frames:
            own.frame_set(frame)
            graph = own.view_layers[0].depsgraph
            world = {obj: np.array(obj.evaluated_get(graph).matrix_world, np.float64) for obj in ordered}
            placed = {
                obj.name_full: [_through(way, world) @ world[obj] for way in found] for obj, found in ways.items()
            }
            moments.append(_moment(cameras[frame].evaluated_get(graph), graph, config, placed))
    return moments


def _here(opened: OpenedScene, config: CutConfig, objects: Iterable[bpy.types.Object]) -> Moment:
    """The current frame, with whatever draws instances."""
    graph = bpy.context.evaluated_depsgraph_get()
    placed: dict[str, list[Float64Array]] = {obj.name_full: [] for obj in objects}
    for instance in graph.object_instances:
        name = instance.object.original.name_full
        if name in placed:
            placed[name].append(np.array(instance.matrix_world, np.float64))
    for obj in objects:
        # what is hidden now may be shown later
        if not placed[obj.name_full]:
            placed[obj.name_full].append(np.array(obj.matrix_world, np.float64))
    return _moment(opened.scene.camera.evaluated_get(graph), graph, config, placed)


def _moment(
    camera: bpy.types.Object,
    graph: bpy.types.Depsgraph,
    config: CutConfig,
    placed: Mapping[str, Sequence[Float64Array]],
) -> Moment:
    width, height = config.resolution
    projection = camera.calc_matrix_camera(graph, x=width, y=height, scale_x=1.0, scale_y=1.0)
    view = np.linalg.inv(np.array(camera.matrix_world.normalized(), np.float64))
    return Moment(view, np.array(projection, np.float64), placed)


Way = tuple[bpy.types.Object, ...]
"""The empties that draw an object as part of a collection, the outermost first."""


def _ways_to(objects: Iterable[bpy.types.Object], scene: bpy.types.Scene) -> dict[bpy.types.Object, list[Way]]:
    """How a scene comes to draw each object: itself, and by each chain of collection instances."""
    shown = set(scene.objects)
    drawing: dict[bpy.types.Object, list[bpy.types.Object]] = {}
    for instancer in bpy.data.objects:
        if instancer.instance_type == "COLLECTION" and instancer.instance_collection is not None:
            for member in instancer.instance_collection.all_objects:
                drawing.setdefault(member, []).append(instancer)
    found: dict[bpy.types.Object, list[Way]] = {}
    for obj in objects:
        found[obj] = []
        waiting: list[tuple[bpy.types.Object, Way]] = [(obj, ())]
        while waiting:
            thing, way = waiting.pop()
            if thing in shown:
                found[obj].append(way)
            if len(way) < DEEPEST:
                waiting += [(each, (each, *way)) for each in drawing.get(thing, ()) if each not in way]
    return found


def _through(way: Way, world: Mapping[bpy.types.Object, Float64Array]) -> Float64Array:
    """``(4, 4)``: from the coordinates of what is in a collection to the world, through the empties that draw it."""
    matrix = np.eye(4)
    for instancer in way:
        offset = np.eye(4)
        offset[:3, 3] = -np.array(instancer.instance_collection.instance_offset)
        matrix = matrix @ world[instancer] @ offset
    return matrix
