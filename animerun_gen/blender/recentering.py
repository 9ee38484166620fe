"""Moves a film scene that lies far from the origin to where Blender's numbers are finer.

Blender keeps places and matrices in single precision: 100 km from the origin neighbouring numbers lie 7.8 mm apart, in
whatever is evaluated and in the pictures.  Moved before anything is evaluated, by whole units, a scene is the same one,
only finer: a whole number that is taken from a larger one leaves nothing to be rounded.  So places, key frames and
handles are moved exactly, and what lies between key frames, and on moved parents, is computed near the origin.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.simulations import is_simulated
from animerun_gen.config import CutConfig
from animerun_gen.config.model import CameraMotion
from animerun_gen.errors import SceneError

Float64Array = npt.NDArray[np.float64]

TOLERANCE = 8.0
"""What was moved is where it should be within so many distances of neighbouring numbers: each parent rounds again."""

MOMENTS = 3
"""So many frames of the film are looked at before and after."""


def spacing(place: Iterable[float]) -> float:
    """How far neighbouring numbers of single precision lie apart at a place, in scene units."""
    return float(np.spacing(np.float32(max((abs(value) for value in place), default=0.0))))


def place_of(obj: bpy.types.Object) -> tuple[float, float, float]:
    """Where an object stands in the current frame, as it is evaluated."""
    x, y, z = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world.translation
    return float(x), float(y), float(z)


def recenter(config: CutConfig, scene: bpy.types.Scene) -> tuple[CutConfig, list[str], tuple[float, float, float]]:
    """Move everything so that the camera stands near the origin at the clip's first frame.

    Args:
        config: The cut, which asks for it.
        scene: The scene, at that frame, with the film's camera.

    Returns:
        The cut, its own camera moved as well; what was done; and what was taken from all places.

    Raises:
        SceneError: Something does not follow: a constraint, a driver or a simulation holds it in the world.
    """
    keys = config.camera_motion.keyframes
    stand = keys[0].location if keys else place_of(scene.camera)
    offset = np.array([float(round(value)) for value in stand])
    if not offset.any():
        return config, ["recenter: the camera stands near the origin already, so nothing was moved"], (0.0, 0.0, 0.0)
    if is_simulated(scene):
        raise SceneError(
            "recenter: the scene is simulated, and what simulations keep lies where it was made",
            remedy="set recenter to false",
        )
    frames = sorted({config.frames.first, *_moments(scene)})
    before = {frame: _places(scene, frame) for frame in frames}
    shown = set(scene.objects)
    for collection in bpy.data.collections:
        # what a collection draws elsewhere goes by its origin
        if any(obj in shown for obj in collection.all_objects) and collection.library is None:
            collection.instance_offset = np.array(collection.instance_offset, np.float64) - offset
    for obj in scene.objects:
        if obj.parent is None:
            _move(obj, offset)
    for frame in frames:
        _check(before[frame], _places(scene, frame), offset)
    scene.frame_set(config.frames.first)
    moved = config.model_copy(update={"camera_motion": _moved_camera(config, offset)}) if keys else config
    way = ", ".join(f"{0.0 - value:.0f}" for value in offset)
    apart = f"{spacing(offset):.2g} units apart"
    x, y, z = (float(value) for value in offset)
    return (
        moved,
        [f"moved the whole scene by ({way}): where its camera stood, Blender's numbers lie {apart}"],
        (x, y, z),
    )


def _moved_camera(config: CutConfig, offset: Float64Array) -> CameraMotion:
    keys = tuple(
        key.model_copy(
            update={
                name: tuple(float(value - by) for value, by in zip(getattr(key, name), offset, strict=True))
                for name in ("location", "target")
            }
        )
        for key in config.camera_motion.keyframes
    )
    return config.camera_motion.model_copy(update={"keyframes": keys})


def _moments(scene: bpy.types.Scene) -> list[int]:
    first, last = scene.frame_start, max(scene.frame_start, scene.frame_end)
    return [first + (last - first) * number // (MOMENTS - 1) for number in range(MOMENTS)]


def _move(obj: bpy.types.Object, offset: Float64Array) -> None:
    """Move an object that hangs on nothing, its key frames along with it."""
    animation = obj.animation_data
    curves = [curve for curve in versions.fcurves(obj) if curve.data_path == "location"] if animation else []
    is_plain = animation is None or (
        not any(curve.data_path == "location" for curve in animation.drivers)
        and not any(curve.data_path == "location" for curve in versions.nla_fcurves(obj))
        and not (animation.action is not None and curves and animation.action.users > 1)
        and not any(curve.modifiers for curve in curves)
    )
    if not is_plain:
        # as exact, but what lies between the key frames stays as coarse as it is
        obj.delta_location = np.array(obj.delta_location, np.float64) - offset
        return
    obj.location = np.array(obj.location, np.float64) - offset
    for curve in curves:
        by = offset[curve.array_index]
        for point in curve.keyframe_points:
            # the handles are moved with their point, which may move them itself
            handles = point.handle_left[1] - by, point.handle_right[1] - by
            point.co[1] -= by
            point.handle_left[1], point.handle_right[1] = handles
        curve.update()


Places = dict[tuple[object, ...], tuple[Float64Array, Float64Array]]
"""Matrix and corners of the box around all that is drawn, by what tells each thing from the others."""


def _places(scene: bpy.types.Scene, frame: int) -> Places:
    """Where all that is drawn stands in a frame, and how large it is: matrix and corners of the box around it."""
    scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    found: Places = {}
    for instance in graph.object_instances:
        drawn = instance.object
        parent = instance.parent.name_full if instance.parent is not None else ""
        key = (drawn.original.name_full, parent, tuple(instance.persistent_id))
        box = drawn.bound_box if drawn.type == "MESH" else [(0.0, 0.0, 0.0)] * 8
        found[key] = (np.array(instance.matrix_world, np.float64), np.array(box, np.float64))
    return found


def _check(before: Places, after: Places, offset: Float64Array) -> None:
    """Stop at what did not follow.

    Raises:
        SceneError: Something did not.
    """
    left = sorted({str(key[0]) for key in before.keys() ^ after.keys()})
    for key in before.keys() & after.keys():
        (matrix, box), (moved, same_box) = before[key], after[key]
        wanted = matrix.copy()
        wanted[:3, 3] -= offset
        reach = np.abs(matrix[:3, 3]).max() + np.abs(offset).max()
        fine = TOLERANCE * spacing([reach])
        size = max(float(np.abs(box).max()), 1.0)
        if (
            np.abs(wanted[:3, 3] - moved[:3, 3]).max() > fine
            or np.abs(wanted[:3, :3] - moved[:3, :3]).max() * size > fine
            or np.abs(box - same_box).max() > fine
        ):
            left.append(str(key[0]))
    if left:
        names = ", ".join(f"'{name}'" for name in sorted(set(left))[:5])
        raise SceneError(
            f"recenter: {names} would not follow when the scene is moved, because a constraint, a driver or "
            "nodes hold it in the world",
            remedy="take that out in Blender, or set recenter to false",
        )
