"""Watches Blender evaluate the scene: counts how often it does, and reads a graph that a render needs anyway.

Whatever renders, Blender calls ``frame_change_post`` with the *render* dependency graph as soon as that is evaluated,
before anything is drawn (3.4.1 and 4.5.15).  So a frame's geometry can be taken down from the very graph that its flat
picture is then drawn from, without evaluating a heavy scene once more.

A film whose scripts are trusted may have handlers of its own there.  What they change is evaluated after the last
handler, without any further call; so the graph is brought up to date here, before it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from animerun_gen.errors import SceneError

GraphReader = Callable[[bpy.types.Depsgraph], Any]

FILM_HANDLERS = (
    "frame_change_pre",
    "frame_change_post",
    "depsgraph_update_pre",
    "depsgraph_update_post",
    "render_init",
    "render_pre",
)
"""Lists of functions that Blender calls before a picture is drawn, and that may change the scene."""


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
        self._listen_last()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_listening()

    def _listen_last(self) -> None:
        """Be called after all handlers of the film, which may add some at any time."""
        self._stop_listening()
        bpy.app.handlers.frame_change_post.append(self._on_evaluated)

    def _stop_listening(self) -> None:
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
        self._listen_last()
        try:
            yield
            unread = self._reader is not None
        finally:
            self._reader = None
        if self._failure is not None:
            raise self._failure
        if unread:
            raise SceneError(
                f"Blender rendered frame {self._scene.frame_current} without handing over what it had evaluated",
                remedy="run 'animerun-gen doctor'",
            )

    def _on_evaluated(self, _: bpy.types.Scene, graph: bpy.types.Depsgraph | None = None) -> None:
        if graph is None or graph.scene.original != self._scene:
            return
        self.evaluations[graph.mode] += 1
        if graph.mode != "RENDER" or self._reader is None:
            return
        reader, self._reader = self._reader, None
        try:
            if len(bpy.app.handlers.frame_change_post) > 1:
                _evaluate_changes(graph)
            reader(graph)
        except BaseException as error:  # an exception that leaves a handler is printed and lost
            self._failure = error


def has_film_handlers() -> bool:
    """Whether scripts of the film change the scene whenever a frame is shown or rendered."""
    listed = [handler for name in FILM_HANDLERS for handler in getattr(bpy.app.handlers, name)]
    return any(not isinstance(getattr(handler, "__self__", None), GraphWatch) for handler in listed)


def _evaluate_changes(graph: bpy.types.Depsgraph) -> None:
    """Bring a graph up to date with what handlers changed, as Blender does after the last of them.

    Blender calls no handler then, so those that hear of every other update are kept from hearing of this one.
    """
    lists = (bpy.app.handlers.depsgraph_update_pre, bpy.app.handlers.depsgraph_update_post)
    before = [list(handlers) for handlers in lists]
    for handlers in lists:
        handlers.clear()
    try:
        graph.update()
    finally:
        for handlers, kept in zip(lists, before, strict=True):
            handlers.extend(kept)
