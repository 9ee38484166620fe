"""What is wrong with a file's values, by the model that they are held against, in words and with their places."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from animerun_gen.config.messages import expected, item_type, shown
from animerun_gen.config.yaml_file import BROKEN, Keys, Node, Problem, plain

NO_KEYS = ("[key]", "[auto]", "[groups]")
"""Parts of pydantic's places that stand for no key of the file."""


def problems_of(
    error: ValidationError, root: Node, model: type[BaseModel], complete: bool = True, other_keys: Sequence[str] = ()
) -> Iterator[Problem]:
    """What pydantic found, in our words, at the lines where the values stand.

    Args:
        error: What it found.
        root: The file's mapping.
        model: The model that it was held against.
        complete: Whether the whole file could be read; if not, nothing is said of what is missing.
        other_keys: Keys that the file may have beside those of the model.
    """
    for details in error.errors(include_url=False):
        keys: Keys = tuple(key for key in details["loc"] if key not in NO_KEYS)
        # A list that is too short is "missing" something too; its complaint is about the list.
        missing = details["type"] == "missing" and isinstance(keys[-1], str)
        if missing and not complete:
            continue
        found = _find(root, keys, model)
        if details["type"] == "extra_forbidden":
            text = _unknown_key(str(keys[-1]), found.section, other_keys if len(keys) == 1 else ())
        elif details["type"] == "value_error":
            text = str(details["ctx"]["error"])
        elif details["loc"][-1:] == ("[key]",):
            text = "is not a name or pattern; write one or remove this entry"
        elif missing and found.field is not None:
            text = f"is missing; add it: {expected(found.field.annotation, found.field.metadata)}"
        elif holds_broken(found.node):
            continue
        else:
            text = f"must be {found.expectation}, but is {said(found.node)}{_hint(found)}"
        yield Problem(found.node.file, found.node.line, keys if missing else found.keys, text)


def lost_colors(node: Node, keys: Keys = ()) -> Iterator[Problem]:
    """Colours without quotes where a key may also be empty: the model takes what YAML makes a comment of for null.

    Args:
        node: The file's mapping, or a part of it.
        keys: Where the part stands.
    """
    inside: Iterable[tuple[str | int, Node]] = ()
    if isinstance(node.value, dict):
        inside = node.value.items()
    elif isinstance(node.value, list):
        inside = enumerate(node.value)
    for key, item in inside:
        yield from lost_colors(item, (*keys, key))
    if node.lost_color:
        what = f'is empty; a # outside quotes begins a comment, so put the colour in quotes: "{node.lost_color}"'
        yield Problem(node.file, node.line, keys, what)


def holds_broken(node: Node) -> bool:
    """Whether something in it was refused before, so that no more need be said."""
    if isinstance(node.value, dict):
        return any(holds_broken(item) for item in node.value.values())
    if isinstance(node.value, list):
        return any(holds_broken(item) for item in node.value)
    return node.value is BROKEN


@dataclass
class _Found:
    """The value that a complaint is about: its path, where it stands, the model around it and what it must be."""

    keys: Keys
    node: Node
    section: type[BaseModel]
    field: FieldInfo | None = None
    expectation: str = ""


def _find(root: Node, keys: Keys, model: type[BaseModel]) -> _Found:
    """Follow a key path through the file and the models, as far as the file goes and messages speak of parts."""
    found = _Found((), root, model, None, expected(model))
    annotation: Any = model
    for key in keys:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.section = annotation
            found.field = annotation.model_fields.get(str(key))
            annotation = found.field.annotation if found.field else None
            metadata = found.field.metadata if found.field else []
        else:
            annotation, metadata = item_type(annotation), []
            if annotation is None:
                break
        inside = found.node.value
        if isinstance(inside, dict) and key in inside:
            found.node = inside[str(key)]
        elif isinstance(inside, list) and isinstance(key, int) and key < len(inside):
            found.node = inside[key]
        else:
            break
        found.keys = (*found.keys, key)
        found.expectation = expected(annotation, metadata) if annotation is not None else ""
    return found


def _unknown_key(key: str, section: type[BaseModel], other_keys: Sequence[str]) -> str:
    known = [*section.model_fields, *other_keys]
    near = difflib.get_close_matches(key.lower(), known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"the keys known here are {', '.join(known)}"
    return f"is not a known key; {advice}"


def said(node: Node) -> str:
    """A value as the user wrote it."""
    if node.text and not node.quoted and not isinstance(node.value, str):
        return node.text[:60]
    return shown(plain(node))


def _hint(found: _Found) -> str:
    """What to do about a value that YAML rather than the user made what it is, by the words that say what is wanted."""
    node, wanted = found.node, found.expectation
    if "#" in wanted and node.value is None:
        return "; a # outside quotes begins a comment, so put the colour in quotes"
    if isinstance(node.value, (bool, int, float)) and "text" in wanted:
        return f'; put it in quotes: "{node.text}"'
    if isinstance(node.value, str) and wanted.startswith(("a number", "a whole number")):
        try:
            number = float(node.value)
        except ValueError:
            return ""
        return f"; write it as a plain decimal number without quotes: {number:.15g}" if math.isfinite(number) else ""
    if node.value is None and wanted.startswith("a list"):
        return "; write its entries below it, each behind a hyphen, or remove it"
    if node.value is None and "section" in wanted:
        return "; write its keys below it, indented, or remove it"
    return ""
