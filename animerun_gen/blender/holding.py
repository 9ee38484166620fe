"""Keeps Blender from evaluating a film while it loads it: nothing has looked at what the film brings along by then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import bpy

IDLE = "animerun-gen idle"
"""Name of the empty scene that the window shows meanwhile."""


@dataclass
class Held:
    """A film that Blender has loaded and not evaluated.

    Attributes:
        scene: The scene that it was saved with; None until it is loaded.
        idle: The empty scene.
    """

    scene: bpy.types.Scene | None = None
    idle: bpy.types.Scene | None = None

    def let_go(self, scene: bpy.types.Scene) -> None:
        """Show a scene in the window, which evaluates it."""
        if bpy.context.window is not None:
            bpy.context.window.scene = scene
        if self.idle is not None:
            bpy.data.scenes.remove(self.idle)
            self.idle = None


@contextmanager
def evaluation_held() -> Iterator[Held]:
    """Within, a film that is loaded is not evaluated until it is let go.

    Fonts, volumes and caches of geometry would be opened, and caches written, as soon as it is loaded: Blender
    evaluates the scene that its window shows, after those handlers (3.4.1, 4.5.15).
    """
    held = Held()

    def hold(*_: object) -> None:
        window = bpy.context.window
        held.scene = bpy.context.scene
        if window is not None:
            held.idle = window.scene = bpy.data.scenes.new(IDLE)

    hold_always = bpy.app.handlers.persistent(hold)
    bpy.app.handlers.load_post.append(hold_always)
    try:
        yield held
    finally:
        bpy.app.handlers.load_post.remove(hold_always)
