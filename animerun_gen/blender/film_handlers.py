"""What scripts of a film leave behind when the next film is opened in the same process.

Blender forgets a film's handlers when it loads another one, but for those that ask to be kept (``persistent``): they
would go on moving things in films that are not theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

Handlers = dict[str, list[Callable[..., Any]]]

_before_all_films: Handlers = {}


def forget_film_handlers() -> None:
    """Take out the handlers that scripts of earlier films left.

    Those that were there before the first film, such as an add-on's, stay, and so do this program's own.  To be called
    before each film is opened.
    """
    lists = _lists()
    if not _before_all_films:
        _before_all_films.update({name: list(handlers) for name, handlers in lists.items()})
    for name, handlers in lists.items():
        known = _before_all_films.get(name, [])
        handlers[:] = [handler for handler in handlers if handler in known or _is_ours(handler)]


def _lists() -> Handlers:
    named = ((name, getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers))
    return {name: handlers for name, handlers in named if isinstance(handlers, list)}


def _is_ours(handler: Callable[..., Any]) -> bool:
    return (getattr(handler, "__module__", None) or "").partition(".")[0] == "animerun_gen"
