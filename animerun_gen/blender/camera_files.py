"""Takes down the cameras of a frame as the dataset states them: the one that films, and the film's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from animerun_gen.blender.geometry import read_camera
from animerun_gen.dataset.cameras import FrameCamera
from animerun_gen.motion.reprojection import frame_camera


@dataclass(frozen=True)
class TakenCamera:
    """A camera of a frame.

    Attributes:
        stated: As the dataset states it.
        blender: What makes the same camera again in Blender, beside its ``matrix_world``: names and values of the
            properties of its data.
    """

    stated: FrameCamera
    blender: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the record of a frame."""
        return {**self.stated.as_dict(), "blender": self.blender}


@dataclass(frozen=True)
class TakenCameras:
    """The cameras of a frame.

    Attributes:
        filming: What films it.
        film: The film's own camera, where the conversion filmed with another one and Blender still evaluates it.
    """

    filming: TakenCamera
    film: TakenCamera | None


PROPERTIES = (
    "type",
    "lens",
    "sensor_fit",
    "sensor_width",
    "sensor_height",
    "shift_x",
    "shift_y",
    "ortho_scale",
    "clip_start",
    "clip_end",
)


def take_cameras(graph: bpy.types.Depsgraph, film: bpy.types.Object | None) -> TakenCameras:
    """Take down the cameras of the frame that a graph is evaluated for.

    Args:
        graph: The graph, of mode ``"RENDER"``.
        film: The film's own camera in this frame; None where it has none that could film.

    Returns:
        What films, which :func:`~animerun_gen.blender.geometry.read_graph` has made sure can be stated; and the film's.
    """
    camera = graph.scene.camera
    filming = _take(camera.evaluated_get(graph), graph)
    own = None
    if film is not None and film.name_full != camera.name_full:
        there = film.evaluated_get(graph)
        # what the graph does not have is handed back as it is, at whatever frame it was evaluated last
        if there.is_evaluated and there.data.type in {"PERSP", "ORTHO"}:
            own = _take(there, graph)
    return TakenCameras(filming, own)


def _take(camera: bpy.types.Object, graph: bpy.types.Depsgraph) -> TakenCamera:
    taken = read_camera(camera, graph)
    scale = camera.data.ortho_scale if taken.is_orthographic else None
    return TakenCamera(frame_camera(taken, scale), {name: getattr(camera.data, name) for name in PROPERTIES})
