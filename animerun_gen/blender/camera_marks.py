"""Which camera films which frame, where markers on the timeline switch cameras."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy

from animerun_gen.engines.questions import CameraMark, mark_at


def camera_marks(scene: bpy.types.Scene) -> list[CameraMark]:
    """The timeline's switches of cameras, by frame.

    Args:
        scene: A scene of the open file.

    Returns:
        The marks; empty when the scene's own camera films it all.
    """
    return [CameraMark(frame, camera.name) for frame, camera in _switches(scene)]


def cameras_of_clip(scene: bpy.types.Scene, frames: Sequence[int]) -> dict[bpy.types.Object, int]:
    """The cameras that film these frames, each with the first one that it films.

    Args:
        scene: A scene of the open file.
        frames: Frames of the clip, ascending.
    """
    filming: dict[bpy.types.Object, int] = {}
    for frame, camera in cameras_by_frame(scene, frames).items():
        filming.setdefault(camera, frame)
    return filming


def cameras_by_frame(scene: bpy.types.Scene, frames: Sequence[int]) -> dict[int, bpy.types.Object]:
    """The camera that films each of these frames; none where the scene has no camera.

    Args:
        scene: A scene of the open file.
        frames: Frames of the clip, ascending.
    """
    switches = _switches(scene)
    if not switches:
        return {} if scene.camera is None else dict.fromkeys(frames, scene.camera)
    starts = [frame for frame, _ in switches]
    return {frame: switches[mark_at(starts, frame)][1] for frame in frames}


def _switches(scene: bpy.types.Scene) -> list[tuple[int, bpy.types.Object]]:
    """The markers that Blender heeds, as first frame and camera.

    It passes over those whose camera is hidden in renders, and of several in one frame takes the first (3.4.1, 4.5).
    Where time is stretched (frame mapping), they stand in stretched time.
    """
    stretch = scene.render.frame_map_new / scene.render.frame_map_old
    first: dict[int, bpy.types.Object] = {}
    for marker in sorted(scene.timeline_markers, key=lambda marker: marker.frame):
        if marker.camera is not None and not marker.camera.hide_render:
            first.setdefault(marker.frame, marker.camera)
    # of several that fall into one frame of the scene the last counts
    return list({math.ceil(frame * stretch): camera for frame, camera in first.items()}.items())
