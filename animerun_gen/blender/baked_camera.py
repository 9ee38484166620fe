"""A camera of our own that stands wherever the film's camera was, or will be, at another frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from animerun_gen.blender.camera_files import take_cameras
from animerun_gen.blender.geometry import read_camera
from animerun_gen.errors import SceneError
from animerun_gen.motion.geometry import Camera

NAME = "animerun-gen held view"

TOLERANCE = 1e-5
"""Matrices of the camera differ by no more from those that it takes over, which Blender keeps in single precision."""


@dataclass(frozen=True)
class CameraView:
    """A camera of the film at one frame.

    Attributes:
        camera: What it sees.
        properties: What makes it again in Blender, beside its place: names and values of the properties of its data.
    """

    camera: Camera
    properties: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CameraView) or self.properties != other.properties:
            return False
        one, two = self.camera, other.camera
        return np.array_equal(one.world, two.world) and np.array_equal(one.projection, two.projection)

    def clipped_as(self, other: CameraView) -> CameraView:
        """The same view, cut off as near and as far as another one is."""
        clipping = {name: other.properties[name] for name in ("clip_start", "clip_end")}
        return CameraView(self.camera, {**self.properties, **clipping})


def view_in(graph: bpy.types.Depsgraph) -> CameraView:
    """The view of the camera that films the frame that a graph is evaluated for."""
    camera = read_camera(graph.scene.camera.evaluated_get(graph), graph)
    return CameraView(camera, take_cameras(graph, None).filming.blender)


class BakedCamera:
    """Films in place of the film's cameras.

    Args:
        scene: The converted scene.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene
        self._data = bpy.data.cameras.new(NAME)
        self._camera = bpy.data.objects.new(NAME, self._data)
        self._camera.rotation_mode = "QUATERNION"
        scene.collection.objects.link(self._camera)

    @contextmanager
    def filming(self, view: CameraView) -> Iterator[None]:
        """Have whatever is rendered while the body runs filmed by this view."""
        scene = self._scene
        # rendering would switch to a marker's camera
        marked = [(marker, marker.camera) for marker in scene.timeline_markers]
        film = scene.camera
        for marker, _ in marked:
            marker.camera = None
        scene.camera = self._camera
        self._camera.matrix_basis = Matrix(view.camera.world.tolist())
        for name, value in view.properties.items():
            setattr(self._data, name, value)
        try:
            yield
        finally:
            scene.camera = film
            for marker, camera in marked:
                marker.camera = camera


def require_view(graph: bpy.types.Depsgraph, view: CameraView) -> None:
    """Make sure that what is about to be drawn is filmed as it should be.

    Args:
        graph: The graph that is evaluated for it.
        view: What should film it.

    Raises:
        SceneError: Another view films it.
    """
    require_same(read_camera(graph.scene.camera.evaluated_get(graph), graph), view.camera)


def require_same(found: Camera, wanted: Camera) -> None:
    """Make sure that two cameras see the same.

    Raises:
        SceneError: They do not.
    """
    distance = TOLERANCE * (1.0 + np.abs(wanted.world[:3, 3]).max())
    is_same = (
        np.allclose(found.world[:3, :3], wanted.world[:3, :3], rtol=0.0, atol=TOLERANCE)
        and np.allclose(found.world[:3, 3], wanted.world[:3, 3], rtol=0.0, atol=distance)
        # the third row says only how deep things are cut off
        and np.allclose(found.projection[[0, 1, 3]], wanted.projection[[0, 1, 3]], rtol=TOLERANCE, atol=TOLERANCE)
    )
    if not is_same:
        raise SceneError(
            f"camera '{wanted.name}' stands elsewhere whenever the film is played to the same frame, so that no "
            "layer can be held before it",
            remedy="leave 'timing' out, or give the cut a camera with 'camera_motion.keyframes'",
        )
