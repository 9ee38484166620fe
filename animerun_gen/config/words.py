"""Types and values of the configuration in words, for messages and for the reference page alike."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

SHOWN_CHARACTERS = 60
"""Longer values are cut off in messages."""


@dataclass(frozen=True)
class Expected:
    """Put into ``Annotated[...]``: what a value of this type must be, where the bare type does not say it all."""

    text: str


def expected(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What a value of this type must be, as in "<key> must be <what this returns>".

    Args:
        annotation: the type of a configuration field, or of the items of one.
        metadata: what pydantic keeps beside it: limits (``Ge``, ``Le``, ...) and :class:`Expected`.
    """
    annotation, metadata = _unwrapped(annotation, metadata)
    for item in metadata:
        if isinstance(item, Expected):
            return item.text
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return ", or ".join("null" if argument is type(None) else expected(argument) for argument in arguments)
    if origin is Literal:
        return either(f'"{argument}"' for argument in arguments)
    if origin is tuple:
        return f"a list, each entry {expected(arguments[0])}"
    if annotation is bool:
        return "true or false"
    if annotation is int:
        return "a whole number" + _limits(metadata)
    if annotation is float:
        return "a number" + _limits(metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a section with keys of its own"
    raise TypeError(f"no words for {annotation!r}: add Expected(...) to it")


def item_type(annotation: Any) -> Any:
    """The type of the entries of a list or of the values of a mapping; None for everything else."""
    annotation, _ = _unwrapped(annotation, ())
    if get_origin(annotation) is tuple:
        return get_args(annotation)[0]
    if isinstance(get_origin(annotation), type) and issubclass(get_origin(annotation), Mapping):
        return get_args(annotation)[1]
    return None


def either(choices: Iterable[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *most, last = choices
    return f"{', '.join(most)} or {last}" if most else last


def shown(value: object) -> str:
    """A value as it would stand in the YAML file, on one line, cut to a readable length, harmless to a terminal."""
    if value is None:
        return "empty (null)"
    # what is cut off need not be written first
    return excerpt(written(value[: SHOWN_CHARACTERS + 1] if isinstance(value, str) else value))


def excerpt(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """A text, cut to a readable length."""
    return text if len(text) <= most else text[: most - 3] + "..."


def written(value: object) -> str:
    """A value as it would stand in a YAML file, on one line, with everything unprintable escaped."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if value is not None and not isinstance(value, (bool, int, float)):
        value = str(value)
    return "".join(
        character if character.isprintable() else ascii(character).strip("'").replace("\\x", "\\u00")
        for character in json.dumps(value, ensure_ascii=False)
    )


def _unwrapped(annotation: Any, metadata: Iterable[Any]) -> tuple[Any, list[Any]]:
    """The bare type and everything that ``Annotated`` and pydantic's ``Field`` attach to it."""
    collected = list(metadata)
    while get_origin(annotation) is Annotated:
        annotation, *extra = get_args(annotation)
        for item in extra:
            collected.extend(item.metadata if isinstance(item, FieldInfo) else [item])
    return annotation, collected


def _limits(metadata: Iterable[Any]) -> str:
    limits = {
        name: getattr(item, name) for item in metadata for name in ("ge", "gt", "le", "lt") if hasattr(item, name)
    }
    if "ge" in limits and "le" in limits:
        return f" from {limits['ge']} to {limits['le']}"
    words = {"ge": "of at least", "gt": "above", "le": "at most", "lt": "below"}
    said = [f"{words[name]} {limits[name]}" for name in ("ge", "gt", "le", "lt") if name in limits]
    return " " + " and ".join(said) if said else ""
