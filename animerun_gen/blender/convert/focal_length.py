"""Fixes animated focal lengths: the zoom becomes a move of the camera along its view axis (the AnimeRun paper, 3.1).

What is in focus is as large in every picture as in the film: at distance ``d`` under magnification ``m`` (pixels per
unit of ``x / depth``) a thing looks as large as at ``d * m0 / m`` under the fixed magnification ``m0``.

The film's camera keeps its parents, constraints, drivers and shake.  A camera of our own hangs on it as a child, moves
along its axis, and films in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from animerun_gen.blender import geometry, versions
from animerun_gen.blender.camera_marks import cameras_of_clip
from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig
from animerun_gen.errors import SceneError
from animerun_gen.motion import raster

ZOOMING = ("lens", "sensor_width", "sensor_height", "sensor_fit")
"""Properties of a camera that change how large things look; its angles cannot be animated (3.4.1, 4.5)."""

REMEDY = "set 'camera_motion.focus_distance', or 'camera_motion.focal_length: keep'"


@dataclass(frozen=True)
class ZoomingCamera:
    """A camera of the clip that zooms.

    Attributes:
        camera: The film's camera object.
        first: The first frame that it films.
        target: What it focuses on, if anything.
        uses_distance: Whether the distance of its depth of field says what is in focus: it had been switched on.
    """

    camera: bpy.types.Object
    first: int
    target: bpy.types.Object | None
    uses_distance: bool


def find_zooming_cameras(opened: OpenedScene, config: CutConfig) -> list[ZoomingCamera]:
    """The cameras of the clip whose focal length is to be fixed.

    To be called before depth of field is switched off.

    Args:
        opened: The opened scene, at the cut's first frame.
        config: The cut: ``camera_motion``.
    """
    if config.camera_motion.focal_length == "keep":
        return []
    found = []
    for camera, first in cameras_of_clip(opened.scene, config.frame_numbers).items():
        if camera.data.type == "PERSP" and _zooms(camera.data, opened.scene, config):
            focus = camera.evaluated_get(opened.view_layer.depsgraph).data.dof
            # the distance of focus of a camera from the configuration is that of its target
            uses_distance = focus.use_dof or bool(config.camera_motion.keyframes)
            found.append(ZoomingCamera(camera, first, camera.data.dof.focus_object, uses_distance))
    return found


def fix_focal_lengths(
    zooming: list[ZoomingCamera],
    opened: OpenedScene,
    config: CutConfig,
    clipped: ClippedMaterials,
    go_to: Callable[[int], None],
) -> tuple[list[str], list[Callable[[], None]]]:
    """Let cameras of one focal length, which move along their view axis, film in place of those that zoom.

    What is fixed is looked up in the first frame that a camera films, so that a cut gives the same pictures whether it
    is split at its camera cuts or not.

    Args:
        zooming: What :func:`find_zooming_cameras` found.
        opened: The converted scene; :func:`~animerun_gen.blender.geometry.geometry_engine` must be active.
        config: The cut: ``camera_motion``.
        clipped: The materials with holes, through which a camera sees what is behind.
        go_to: Changes the scene's frame, followers of other conversions included.

    Returns:
        What was done, and a follower that puts the cameras where they belong; empty when there is nothing to do.

    Raises:
        SceneError: What is in focus lies behind a camera.
    """
    # all at once: whatever they hang on is evaluated from now on, also a camera of a collection that is switched off
    candidates = [_Dolly(zoom, opened, config) for zoom in zooming]
    notes, dollies = [], []
    for dolly in candidates:
        go_to(dolly.zoom.first)
        if dolly.fix(clipped):
            dollies.append(dolly)
            notes.append(dolly.describe())
        else:
            bpy.data.objects.remove(dolly.stand_in)
            notes.append(
                f"camera '{dolly.camera.name}' sees no surface in frame {dolly.zoom.first}, so nothing tells what is "
                "in focus, and its focal length stays animated; set 'camera_motion.focus_distance'"
            )
    if not dollies:
        return notes, []
    stand_ins = {dolly.camera: dolly.stand_in for dolly in dollies}
    for marker in opened.scene.timeline_markers:
        if marker.camera is not None and not marker.camera.hide_render:
            marker.camera = stand_ins.get(marker.camera, marker.camera)
    opened.scene.camera = stand_ins.get(opened.scene.camera, opened.scene.camera)

    def follow() -> None:
        for dolly in dollies:
            # where another camera films, what this one has in focus may be anywhere
            if dolly.stand_in == opened.scene.camera:
                dolly.place()
        opened.view_layer.update()

    return notes, [follow]


def _zooms(data: bpy.types.Camera, scene: bpy.types.Scene, config: CutConfig) -> bool:
    """Whether the view of a camera may become wider or narrower during the clip."""
    if data.animation_data is None:
        return False
    if any(curve.data_path in ZOOMING and not curve.mute for curve in data.animation_data.drivers):
        return True
    if any(curve.data_path in ZOOMING and not curve.mute for curve in versions.nla_fcurves(data)):
        return True
    return any(
        len(set(_values(curve, scene, config))) > 1
        for curve in versions.fcurves(data)
        if curve.data_path in ZOOMING and not curve.mute
    )


def _values(curve: bpy.types.FCurve, scene: bpy.types.Scene, config: CutConfig) -> list[float]:
    """A curve at every frame of the clip; it counts in Blender's stretched time."""
    stretch = scene.render.frame_map_old / scene.render.frame_map_new
    return [curve.evaluate(frame * stretch) for frame in config.frame_numbers]


def _median_depth(camera: bpy.types.Object, opened: OpenedScene, clipped: ClippedMaterials) -> float:
    """Median distance along the view axis of what a camera sees in the current frame; infinity when it sees nothing."""
    scene = opened.scene
    before = scene.camera, [marker.camera for marker in scene.timeline_markers]
    # rendering switches to the marker's camera as well
    for marker in scene.timeline_markers:
        marker.camera = None
    scene.camera = camera
    try:
        depth = raster.draw(geometry.take_down(scene, geometry.scene_names(), clipped)).depth
    finally:
        scene.camera = before[0]
        for marker, marked in zip(scene.timeline_markers, before[1], strict=True):
            marker.camera = marked
    surfaces = depth[np.isfinite(depth)]
    return float(np.median(surfaces)) if len(surfaces) else math.inf


class _Dolly:
    """A camera that zooms, and the one that films in its place.

    Attributes:
        zoom: What is known of the camera.
        camera: The film's camera.
        stand_in: Ours.
    """

    def __init__(self, zoom: ZoomingCamera, opened: OpenedScene, config: CutConfig) -> None:
        self.zoom = zoom
        self.camera = zoom.camera
        self._opened = opened
        self._config = config
        self._distance = config.camera_motion.focus_distance
        self._focus = "what is in focus"
        self._magnification = 0.0
        data = self.camera.data.copy()
        data.animation_data_clear()
        self.stand_in = bpy.data.objects.new(f"{self.camera.name} (dolly)", data)
        # also keeps the film's camera in Blender's graph of what has to be evaluated
        self.stand_in.parent = self.camera
        opened.scene.collection.objects.link(self.stand_in)

    def fix(self, clipped: ClippedMaterials) -> bool:
        """Take over focal length, unless the configuration has one, and sensor of the current frame.

        Returns:
            Whether there is anything to tell what is in focus.
        """
        film, data = self._evaluated().data, self.stand_in.data
        data.sensor_fit = film.sensor_fit
        data.sensor_width, data.sensor_height = film.sensor_width, film.sensor_height
        data.lens = self._config.camera_motion.fixed_focal_length or film.lens
        self._magnification = self._film_magnification() * data.lens / film.lens
        if self._distance is None:
            if self.zoom.target is not None:
                self._focus = f"'{self.zoom.target.name}'"
            elif not self.zoom.uses_distance:
                self._focus = "what is at the median depth of the picture"
                self._distance = _median_depth(self.camera, self._opened, clipped)
        return self._distance is None or math.isfinite(self._distance)

    def place(self) -> None:
        """Bring the stand-in to where it belongs in the current frame.

        Raises:
            SceneError: What is in focus lies behind the camera.
        """
        film, data = self._evaluated(), self.stand_in.data
        data.type, data.ortho_scale = film.data.type, film.data.ortho_scale
        data.shift_x, data.shift_y = film.data.shift_x, film.data.shift_y
        nearer, offset = 1.0, 0.0
        if film.data.type == "PERSP":
            distance = self._focus_distance()
            nearer = self._magnification / self._film_magnification()
            offset = distance * (nearer - 1.0)
        # nothing before or behind what is in focus may be lost that the film showed
        data.clip_start = film.data.clip_start * min(1.0, nearer)
        data.clip_end = film.data.clip_end + max(0.0, offset)
        # a child's place is measured in its parent's scale
        scale = film.matrix_world.col[2].xyz.length
        if scale == 0.0:
            raise SceneError(
                f"camera '{self.camera.name}' is scaled to nothing in frame "
                f"{self._opened.scene.frame_current}, so it cannot move along its view axis",
                remedy="give it a scale in Blender, or set 'camera_motion.focal_length: keep'",
            )
        self.stand_in.location = (0.0, 0.0, offset / scale)

    def describe(self) -> str:
        """What was done, a sentence; the scene stands at the first frame that the camera films."""
        lens, distance = self.stand_in.data.lens, self._focus_distance()
        travel = ""
        curves = [curve for curve in versions.fcurves(self.camera.data) if curve.data_path in ZOOMING]
        if [curve.data_path for curve in curves] == ["lens"]:
            lenses = _values(curves[0], self._opened.scene, self._config)
            ways = [distance * (lens / other - 1.0) for other in (min(lenses), max(lenses))]
            travel = (
                f"; the film zooms between {min(lenses):.4g} and {max(lenses):.4g} mm, which at this distance takes it "
                f"up to {max(0.0, -min(ways)):.3g} units forwards and {max(0.0, max(ways)):.3g} backwards"
            )
        return (
            f"fixed the focal length of camera '{self.camera.name}' at {lens:.4g} mm: it moves along its view axis "
            f"instead, so that {self._focus}, {distance:.4g} units away in frame {self.zoom.first}, is always as large "
            f"as in the film{travel}"
        )

    def _evaluated(self) -> bpy.types.Object:
        return self.camera.evaluated_get(self._opened.view_layer.depsgraph)

    def _film_magnification(self) -> float:
        """How much the film's camera magnifies: with sensor fit and the picture's shape, up to a constant factor."""
        width, height = self._opened.scene.render.resolution_x, self._opened.scene.render.resolution_y
        graph = self._opened.view_layer.depsgraph
        matrix = self._evaluated().calc_matrix_camera(graph, x=width, y=height, scale_x=1.0, scale_y=1.0)
        return float(matrix[0][0])

    def _focus_distance(self) -> float:
        """Distance along the view axis, now, of what is in focus."""
        if self._distance is not None:
            return self._distance
        film = self._evaluated()
        if self.zoom.target is None:
            found, what = film.data.dof.focus_distance, "the focus distance of its depth of field"
        else:
            world = film.matrix_world.normalized()
            found = world.col[2].xyz.dot(world.translation - self._place_of(self.zoom.target))
            what = f"its focus object '{self.zoom.target.name}'"
        if not (math.isfinite(found) and found > 0.0):
            raise SceneError(
                f"camera '{self.camera.name}' cannot keep in size what is in focus: {what} lies at {found:.4g} units "
                f"before it in frame {self._opened.scene.frame_current}",
                remedy=f"{REMEDY} in the cut's configuration",
            )
        return float(found)

    def _place_of(self, target: bpy.types.Object) -> Vector:
        """Where the focus object, or the bone of it that is meant, is in the world."""
        found = target.evaluated_get(self._opened.view_layer.depsgraph)
        bone = found.pose.bones.get(self.camera.data.dof.focus_subtarget) if found.pose is not None else None
        return (found.matrix_world @ bone.matrix if bone is not None else found.matrix_world).translation
