"""Finds the hard cuts of a clip that are keyed on one camera, see :mod:`animerun_gen.motion.camera_jumps`.

The way of a camera is evaluated in a scene of its own, see :mod:`animerun_gen.blender.alone`.  Whether a pair of frames
is a cut depends on the frames around it and on what these two show, and on nothing else: not on where a clip or a
process begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy
import numpy as np

from animerun_gen.blender.alone import alone, needs_all
from animerun_gen.blender.camera_marks import cameras_by_frame
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.simulations import first_played_frame
from animerun_gen.config import CutConfig
from animerun_gen.motion.camera_steps import WINDOW, CameraSteps, camera_steps, may_be_cut
from animerun_gen.motion.geometry import Camera, FrameGeometry

if TYPE_CHECKING:
    from animerun_gen.blender.clipped import ClippedMaterials
    from animerun_gen.motion.camera_jumps import View


@dataclass(frozen=True)
class CameraJump:
    """A cut from a view of a camera to another one of the same camera.

    Attributes:
        frame: The first frame after it.
        camera: Name of the camera object.
    """

    frame: int
    camera: str

    def describe(self) -> str:
        """What it is, a sentence."""
        return f"camera '{self.camera}' is cut to another view between frames {self.frame - 1} and {self.frame}"


def note_jumps(jumps: Sequence[CameraJump], config: CutConfig) -> list[str]:
    """What is to be known of a clip in which a camera jumps, a sentence each."""
    # a camera of the configuration makes one clip whatever it does
    advice = "" if config.camera_motion.keyframes else "; camera_cuts: split makes several clips"
    return [f"{jump.describe()}: motion across is unknown{advice}" for jump in jumps]


def name_shot(geometry: FrameGeometry, jumps: Sequence[CameraJump]) -> FrameGeometry:
    """Give what films a frame another name before and after each jump: it counts as another camera.

    Args:
        geometry: The frame.
        jumps: All jumps of the clip.
    """
    latest = max((jump.frame for jump in jumps if jump.frame <= geometry.frame), default=None)
    if latest is None:
        return geometry
    return replace(geometry, camera=replace(geometry.camera, name=f"{geometry.camera.name} from frame {latest}"))


@dataclass(frozen=True)
class _Suspect:
    """A pair of frames between which a camera may jump: its way around them, and which step of it is meant."""

    frame: int
    camera: bpy.types.Object
    steps: CameraSteps
    step: int


class JumpFinder:
    """Looks for the keyed cuts of a clip.

    To be made before the scene is converted; a conversion may let another camera film in a camera's place.

    Args:
        opened: The opened scene.
        config: The cut.

    Attributes:
        is_needed: Whether any pair of frames has to be looked at.
    """

    def __init__(self, opened: OpenedScene, config: CutConfig) -> None:
        self._opened = opened
        self._first = config.frames.first
        self._suspects = list(_suspects(opened, config))
        self.is_needed = bool(self._suspects)

    def find(self, clipped: ClippedMaterials, go_to: Callable[[int], None]) -> list[CameraJump]:
        """Look at what is seen before and after, and decide.

        Args:
            clipped: The materials with holes of the scene, which is converted by now;
                :func:`~animerun_gen.blender.geometry.geometry_engine` must be active.
            go_to: Changes the scene's frame, followers of the conversion included.

        Returns:
            The cuts, by frame.
        """
        if not self._suspects:
            return []
        # most cuts have no such pair, and these load the compiled loops
        from animerun_gen.blender.geometry import scene_names, take_down
        from animerun_gen.motion.camera_jumps import View, is_cut

        names = scene_names()
        views: dict[int, View] = {}

        def view(frame: int) -> View:
            if frame not in views:
                go_to(frame)
                views[frame] = View.of(take_down(self._opened.scene, names, clipped))
            return views[frame]

        found = []
        for suspect in self._suspects:
            before, after = view(suspect.frame - 1), view(suspect.frame)
            if is_cut(suspect.steps, suspect.step, before, after):
                found.append(CameraJump(suspect.frame, suspect.camera.name))
            views = {suspect.frame: after}
        go_to(self._first)
        return found


def _suspects(opened: OpenedScene, config: CutConfig) -> Iterator[_Suspect]:
    first, last = config.frames.first, config.frame_numbers[-1]
    filming = cameras_by_frame(opened.scene, range(first, last + 1))
    ways = _ways(opened, config, set(filming.values()), range(first - WINDOW, last + WINDOW + 1))
    for frame in range(first + 1, last + 1):
        camera = filming[frame]
        if filming[frame - 1] != camera:
            continue
        # the step to this frame, among those from WINDOW before it to WINDOW behind it
        start = frame - first - 1
        steps = ways[camera].part(start, start + 2 * WINDOW + 1)
        if may_be_cut(steps, WINDOW):
            yield _Suspect(frame, camera, steps, WINDOW)


def _ways(
    opened: OpenedScene, config: CutConfig, cameras: set[bpy.types.Object], frames: range
) -> dict[bpy.types.Object, CameraSteps]:
    """How cameras move from each frame to the next."""
    scene = opened.scene
    if needs_all(scene, cameras):
        # the whole film has to be played
        play_from = min(frames.start, first_played_frame(scene))
        found = _film(scene, opened.view_layer, cameras, range(play_from, frames.stop), config.resolution)
        found = {camera: way[frames.start - play_from :] for camera, way in found.items()}
        scene.frame_set(config.frames.first)
    else:
        # what a graph evaluates that no window shows leaves the film's own objects as they are
        with alone(scene, cameras) as own:
            found = _film(own, own.view_layers[0], cameras, frames, config.resolution)
    return {camera: camera_steps(way) for camera, way in found.items()}


def _film(
    scene: bpy.types.Scene,
    view_layer: bpy.types.ViewLayer,
    cameras: Iterable[bpy.types.Object],
    frames: range,
    resolution: tuple[int, int],
) -> dict[bpy.types.Object, list[Camera]]:
    width, height = resolution
    ways: dict[bpy.types.Object, list[Camera]] = {camera: [] for camera in cameras}
    for frame in frames:
        scene.frame_set(frame)
        graph = view_layer.depsgraph
        for camera, way in ways.items():
            there = camera.evaluated_get(graph)
            projection = there.calc_matrix_camera(graph, x=width, y=height, scale_x=1.0, scale_y=1.0)
            world = np.array(there.matrix_world.normalized(), np.float64)
            way.append(
                Camera(
                    name=camera.name_full,
                    world=world,
                    projection=np.array(projection, np.float64),
                    clip_start=there.data.clip_start,
                    clip_end=there.data.clip_end,
                    width=width,
                    height=height,
                )
            )
    return ways
