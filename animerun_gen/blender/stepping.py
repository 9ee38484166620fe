"""Goes from frame to frame, and has Blender evaluate no more of the scene than that takes."""

from __future__ import annotations

import bpy

from animerun_gen.blender.convert import Conversion
from animerun_gen.blender.graphs import has_film_handlers
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.blender.simulations import first_played_frame, is_simulated


class FrameStepper:
    """Brings the scene to one frame after another.

    ``frame_set`` evaluates the viewport's dependency graph, and Blender does so once more after each render, for the
    scene that its window shows.  Both are work for nothing, unless a simulation runs in that graph, a follower of the
    conversion reads it, or scripts of the film ask for the window's scene: a render evaluates a graph of its own.  So
    the frame is only named, and the window shows an empty scene, wherever nothing needs the viewport.

    Args:
        opened: The opened and converted scene.
        conversion: What was done to it.
        first: The first frame of the clip.

    Attributes:
        simulated: Whether frames depend on the frames before them.
        has_state: Whether a simulation or scripts of the film need the viewport in every frame.
    """

    def __init__(self, opened: OpenedScene, conversion: Conversion, first: int) -> None:
        self._scene = opened.scene
        self._conversion = conversion
        self.simulated = is_simulated(self._scene)
        self._history_start = min(first, first_played_frame(self._scene))
        self.has_state = self.simulated or has_film_handlers()
        self._needs_viewport = self.has_state or bool(conversion.followers)
        self._idle: bpy.types.Scene | None = None
        window = bpy.context.window
        if window is not None and not self._needs_viewport:
            self._idle = window.scene = bpy.data.scenes.new("animerun-gen idle")

    def play_up_to(self, first: int) -> None:
        """Give simulations their history, which begins with the same frame whichever frame of the clip is wanted."""
        if self.simulated:
            for frame in range(self._history_start, first):
                self._scene.frame_set(frame)

    def go_to(self, frame: int) -> None:
        """Bring the scene to a frame; simulations must not be taken backwards without :meth:`play_up_to`."""
        if not self._needs_viewport:
            # Blender takes the number of the frame from the scene that the window shows (4.5.15)
            for scene in (self._scene, self._idle):
                if scene is not None:
                    scene.frame_current, scene.frame_subframe = frame, 0.0
            self._conversion.colors.show(frame)
            return
        if self.simulated:
            for between in range(self._scene.frame_current + 1, frame):
                self._scene.frame_set(between)
        self._scene.frame_set(frame)
        self._conversion.follow(frame)
