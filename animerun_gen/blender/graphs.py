"""Watches Blender evaluate the scene: counts how often it does, and reads a graph that a render needs anyway.

Whatever renders, Blender calls ``frame_change_post`` with the *render* dependency graph as soon as that is evaluated,
before anything is drawn (3.4.1 and 4.5.15).  So a frame's geometry can be taken down from the very graph that its flat
picture is then drawn from, without evaluating a heavy scene once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from animerun_gen.errors import SceneError

GraphReader = Callable[[bpy.types.Depsgraph], Any]


class GraphWatch:
    """Sees every dependency graph that Blender evaluates for a change of frame, while its context is entered.

    Args:
        scene: The scene whose graphs are watched.

    Attributes:
        evaluations: How often the scene was evaluated, by mode of the graph: ``"RENDER"`` or ``"VIEWPORT"``.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene
        self._reader: GraphReader | None = None
        self._failure: BaseException | None = None
        self.evaluations = {"RENDER": 0, "VIEWPORT": 0}

    def __enter__(self) -> GraphWatch:
        bpy.app.handlers.frame_change_post.append(self._on_evaluated)
        return self

    def __exit__(self, *_: object) -> None:
        # opening a file has emptied the list
        if self._on_evaluated in bpy.app.handlers.frame_change_post:
            bpy.app.handlers.frame_change_post.remove(self._on_evaluated)

    @contextmanager
    def reading(self, reader: GraphReader) -> Iterator[None]:
        """Have the first render in the body hand its graph to a reader, before it draws.

        Args:
            reader: Is called once with the evaluated graph, which ends with the render.

        Raises:
            SceneError: Nothing was rendered in the body.
        """
        self._reader, self._failure = reader, None
        try:
            yield
            unread = self._reader is not None
        finally:
            self._reader = None
        if self._failure is not None:
            raise self._failure
        if unread:
            raise SceneError(
                f"Blender rendered frame {self._scene.frame_current} without handing over what it had evaluated; run "
                "'animerun-gen doctor'."
            )

    def _on_evaluated(self, _: bpy.types.Scene, graph: bpy.types.Depsgraph | None = None) -> None:
        if graph is None or graph.scene.original != self._scene:
            return
        self.evaluations[graph.mode] += 1
        if graph.mode != "RENDER" or self._reader is None:
            return
        reader, self._reader = self._reader, None
        try:
            reader(graph)
        except BaseException as error:  # an exception that leaves a handler is printed and lost
            self._failure = error
