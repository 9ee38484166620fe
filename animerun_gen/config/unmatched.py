"""Patterns of a cut's styles that nothing in the film fits, which is nearly always a misspelling."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from animerun_gen.config.model import CutConfig


def unmatched_styles(config: CutConfig, objects: Collection[str], materials: Collection[str]) -> list[str]:
    """What lines and shade are told about things that are not there.

    Args:
        config: The cut.
        objects: The names of the film's objects.
        materials: Those of its materials.

    Returns:
        A sentence for each pattern of ``lines.style.rules`` and ``style.shade`` that fits none of them.

    Example:
        >>> cut = {"name": "a", "source": Path("a.blend"), "frames": {"first": 1, "last": 2}}
        >>> config = CutConfig(**cut, style={"shade": {"tones": 2, "cast": {"Sky*": False}}})
        >>> unmatched_styles(config, ["Fox"], ["Fur"])
        ["style.shade.cast: no object is named 'Sky*'"]
    """
    return [
        f"{key}: no {what} is named '{pattern}'"
        for key, what, pattern, names in _patterns(config, objects, materials)
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in names)
    ]


def _patterns(
    config: CutConfig, objects: Collection[str], materials: Collection[str]
) -> Iterator[tuple[str, str, str, Collection[str]]]:
    """Key, what the pattern is for, the pattern, and the names that it may fit."""
    either = "object or material", {*objects, *materials}
    for number, rule in enumerate(config.lines.style.rules):
        yield f"lines.style.rules[{number}].on", either[0], rule.on, either[1]
    shade = config.style.shade
    if not shade.is_on:
        return
    for key, patterns, what, names in (
        ("cast", shade.cast, "object", objects),
        ("receive", shade.receive, *either),
        ("shadows", shade.shadows, "material", materials),
        ("highlights", shade.highlights, "material", materials),
    ):
        for pattern in patterns:
            yield f"style.shade.{key}", what, pattern, names
