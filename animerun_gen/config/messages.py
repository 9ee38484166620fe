"""Types and values of the configuration in words, for messages and for the reference page alike."""

from __future__ import annotations

import glob
import json
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

SHOWN_CHARACTERS = 60
"""Longer values are cut off in messages."""

FEW = 3
"""So many names are listed one by one."""

SHOWN_KINDS = 5
"""So many different beginnings of names are listed."""

_NUMBERED = re.compile(r"[\s._-]*\d+$")


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
        return either(written(argument) for argument in arguments)
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
    if get_origin(annotation) in (Union, types.UnionType):
        # of a word or a mapping the latter has entries
        return next((found for each in get_args(annotation) if (found := item_type(each)) is not None), None)
    if get_origin(annotation) is tuple:
        return get_args(annotation)[0]
    if isinstance(get_origin(annotation), type) and issubclass(get_origin(annotation), Mapping):
        return get_args(annotation)[1]
    return None


def counted(number: int, thing: str, things: str | None = None) -> str:
    """``1 frame``, ``2 frames``; ``things`` is the plural where that is not ``thing`` and an s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def and_more(texts: Sequence[str], most: int) -> str:
    """The first texts of a list, and how many follow: ``a, b and 3 more``.

    Args:
        texts: The texts.
        most: How many of them to show.
    """
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def stem(name: str) -> str:
    """A name without the number at its end: ``sign`` of ``sign.001``, ``sign_2`` and ``sign``."""
    return _NUMBERED.sub("", name) or name


def by_stem(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by their stems, in their order."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(stem(name), []).append(name)
    return groups


def patterns_for(names: Sequence[str], others: Iterable[str]) -> list[str]:
    """Patterns that match names and nothing else; names that begin alike share one where nothing else begins so.

    Args:
        names: The names.
        others: All names that the patterns are held against, those among them.

    Example:
        >>> patterns_for(["sign.1", "sign.2", "sign.3", "sign.4", "lamp[1]"], ["signal"])
        ['sign.*', 'lamp[[]1]']
    """
    strangers = set(others) - set(names)
    patterns = []
    for group in by_stem(names).values():
        begins = _common_beginning(group)
        shared = f"{glob.escape(begins)}*"
        if len(group) > FEW and begins and not any(fnmatchcase(name, shared) for name in strangers):
            patterns.append(shared)
        else:
            patterns += [glob.escape(name) for name in group]
    return patterns


def _common_beginning(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    # of all names in order, the first and the last differ the most
    return next((first[:length] for length in range(len(first), 0, -1) if last.startswith(first[:length])), "")


def named(names: Sequence[str], thing: str) -> str:
    """What many things are called, in a few words: all names of a few, else their number and what the names begin with.

    Args:
        names: At least one.
        thing: What one of them is.

    Example:
        >>> named(["lamp", "sign"], "object")
        "'lamp', 'sign'"
        >>> named([f"sign.{number:03}" for number in range(26)], "object")
        "26 objects 'sign*'"
    """
    if len(names) <= FEW:
        return ", ".join(f"'{name}'" for name in names)
    kinds = [f"'{kind}*'" if len(group) > 1 else f"'{group[0]}'" for kind, group in by_stem(names).items()]
    if len(kinds) == 1:
        return f"{counted(len(names), thing)} {kinds[0]}"
    more = f" and {len(kinds) - SHOWN_KINDS} more kinds" if len(kinds) > SHOWN_KINDS + 1 else ""
    return f"{counted(len(names), thing)} ({', '.join(kinds[:SHOWN_KINDS] if more else kinds)}{more})"


def spans(frames: Sequence[int], among: Sequence[int], most: int | None = None) -> str:
    """Some frames of a row as "1-4, 9", where neighbours in the row are drawn together.

    Args:
        frames: Their numbers, ascending.
        among: The numbers of the whole row, ascending.
        most: So many spans are named, and of more the first ones.
    """
    place = {frame: index for index, frame in enumerate(among)}
    runs: list[list[int]] = []
    for frame in frames:
        if runs and place[frame] == place[runs[-1][-1]] + 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    named = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(named[:most]) + (", ..." if most is not None and len(named) > most else "")


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
