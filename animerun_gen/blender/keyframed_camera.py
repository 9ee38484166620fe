"""Makes the camera that a configuration describes by key frames."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np
from mathutils import Matrix

from animerun_gen.blender import versions
from animerun_gen.blender.camera_path import CameraPath, Float64Array, camera_path
from animerun_gen.config import CutConfig

NAME = "animerun-gen camera"

SURFACES = {"MESH", "CURVE", "SURFACE", "FONT", "META"}

DEEPEST = 1000.0
"""Clipping distance in a scene that shows nothing at the clip's first frame."""


def make_keyframed_camera(config: CutConfig, scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> list[str]:
    """Film the cut with a camera of our own, which moves through ``camera_motion.keyframes``.

    It has real key frames, one for every frame, so that all of Blender sees its motion.  Its distance of focus is that
    of its target.

    Args:
        config: The cut.
        scene: The scene, at the cut's first frame.
        view_layer: The layer to render.

    Returns:
        What was made.

    Raises:
        SceneError: Between two keys the camera meets its target.
    """
    keys = config.camera_motion.keyframes
    # one more on either side, because the Vector pass of Cycles looks there
    path = camera_path(keys, config.frames.first - 1, config.frames.last + 1)
    data = bpy.data.cameras.new(NAME)
    camera = bpy.data.objects.new(NAME, data)
    scene.collection.objects.link(camera)
    camera.rotation_mode = "QUATERNION"
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    # from where Blender's time is stretched, animation is read at other frames than the scene's
    times = path.frames * (scene.render.frame_map_old / scene.render.frame_map_new)
    _key(camera, "location", times, path.location)
    _key(camera, "rotation_quaternion", times, _quaternions(path))
    _key(data, "lens", times, path.lens[:, None])
    _key(data, "dof.focus_distance", times, path.distance[:, None])
    data.clip_start, data.clip_end = _clipping(path, view_layer)
    for marker in scene.timeline_markers:
        marker.camera = None
    scene.camera = camera
    return [f"the camera follows the {len(keys)} keyframes of the configuration"] if len(keys) > 1 else []


def _key(animated: bpy.types.ID, data_path: str, times: Float64Array, values: Float64Array) -> None:
    """Key a property at every time; ``values`` are ``(n, d)``.  What never changes is only set."""
    holder, _, name = data_path.rpartition(".")
    owner = animated.path_resolve(holder) if holder else animated
    setattr(owner, name, values[0].tolist() if values.shape[1] > 1 else float(values[0, 0]))
    if (values == values[0]).all():
        return
    # the ways to make an F-curve changed in 4.4 and 5.0, this one did not
    owner.keyframe_insert(name, frame=float(times[0]))
    for curve in versions.fcurves(animated):
        if curve.data_path == data_path:
            points = curve.keyframe_points
            points.add(len(times) - 1)
            points.foreach_set("co", np.stack([times, values[:, curve.array_index]], axis=1).ravel())
            for point in points:
                point.interpolation = "LINEAR"
            curve.update()


def _quaternions(path: CameraPath) -> Float64Array:
    """``(n, 4)``, neighbours of like sign."""
    turns = np.array([Matrix(rotation.tolist()).to_quaternion() for rotation in path.rotation], np.float64)
    # Blender's own make_compatible changes their last bits, and a camera that stands still must not tremble
    against = np.sum(turns[1:] * turns[:-1], axis=1) < 0.0
    turns[1:][np.cumsum(against) % 2 == 1] *= -1.0
    return turns


def _clipping(path: CameraPath, view_layer: bpy.types.ViewLayer) -> tuple[float, float]:
    """Near enough for what the camera looks at, far enough for all that is there at the first frame, and moves away."""
    near = float(path.distance.min()) / 100.0
    corners = np.concatenate([np.empty((0, 3)), *_corners(view_layer.depsgraph.object_instances)])
    corners = corners[np.isfinite(corners).all(axis=1)]
    if not len(corners):
        return near, max(DEEPEST, 10.0 * float(path.distance.max()))
    low, high = corners.min(axis=0), corners.max(axis=0)
    farthest = np.linalg.norm(np.maximum(np.abs(path.location - low), np.abs(path.location - high)), axis=1)
    # a far plane costs no precision, a near one does
    return near, 10.0 * float(max(farthest.max(), path.distance.max()))


def _corners(instances: Iterable[bpy.types.DepsgraphObjectInstance]) -> Iterable[Float64Array]:
    """Corners of the box around each thing that has surfaces, ``(8, 3)``, world coordinates."""
    for instance in instances:
        if instance.object.type in SURFACES:
            world = np.array(instance.matrix_world, np.float64)
            yield np.array(instance.object.bound_box, np.float64) @ world[:3, :3].T + world[:3, 3]
