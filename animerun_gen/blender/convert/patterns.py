"""Names and patterns of the configuration, held against what a file contains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Generic, Protocol, TypeVar

import bpy

Treatment = TypeVar("Treatment")


class Named(Protocol):
    """A part of the configuration that names objects, collections and materials."""

    @property
    def objects(self) -> Sequence[str]:
        """Patterns of objects."""

    @property
    def collections(self) -> Sequence[str]:
        """Patterns of collections."""

    @property
    def materials(self) -> Sequence[str]:
        """Patterns of materials."""


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of the patterns'; upper and lower case differ."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def named_objects(named: Named) -> dict[str, bpy.types.Object]:
    """The objects that a part of the configuration names, also by their collections: full name to object.

    What draws nothing itself stands for all that hangs on it.
    """
    found = {}
    for obj in bpy.data.objects:
        if matches(obj.name, named.objects):
            found[obj.name_full] = obj
            if not draws(obj):
                found |= {each.name_full: each for each in hanging_on(obj)}
    for collection in bpy.data.collections:
        if matches(collection.name, named.collections):
            found |= {obj.name_full: obj for obj in collection.all_objects}
    return found


def draws(obj: bpy.types.Object) -> bool:
    """Whether an object puts anything into the picture itself, were it not hidden: a surface, strands, instances."""
    if obj.type == "EMPTY":
        return obj.instance_type == "COLLECTION" and obj.instance_collection is not None
    return obj.type not in {"ARMATURE", "CAMERA", "LATTICE", "LIGHT", "LIGHT_PROBE", "SPEAKER"}


def hanging_on(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """All that has an object as its parent, over however many steps, or is bent by it as its armature."""
    found = {obj}
    waiting = [obj]
    carried: dict[bpy.types.Object, list[bpy.types.Object]] = {}
    for each in bpy.data.objects:
        carriers = {each.parent, *(modifier.object for modifier in each.modifiers if modifier.type == "ARMATURE")}
        for carrier in carriers - {None}:
            carried.setdefault(carrier, []).append(each)
    while waiting:
        for each in carried.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return sorted(found - {obj}, key=lambda each: str(each.name_full))


def without_effect(section: str, named: Named) -> list[str]:
    """A sentence for each pattern of objects that fits some, none of which, nor what hangs on them, draws anything."""
    notes = []
    for pattern in named.objects:
        fitting = [obj for obj in bpy.data.objects if fnmatchcase(obj.name, pattern)]
        reached = {*fitting, *(each for obj in fitting if not draws(obj) for each in hanging_on(obj))}
        if fitting and not any(map(draws, reached)):
            notes.append(
                f"{section}.objects: '{pattern}' names only what draws nothing, so nothing visible changed; name the "
                "objects that draw what you mean"
            )
    return notes


def unmatched(section: str, named: Named) -> list[str]:
    """A sentence for each pattern that nothing in the file fits: nearly always a misspelling."""
    return [
        f"{section}.{kind}: nothing in the file is named '{pattern}'"
        for kind, blocks, patterns in (
            ("objects", bpy.data.objects, named.objects),
            ("collections", bpy.data.collections, named.collections),
            ("materials", bpy.data.materials, named.materials),
        )
        for pattern in patterns
        if not any(fnmatchcase(block.name, pattern) for block in blocks)
    ]


class Treatments(Generic[Treatment]):
    """What a mapping from patterns to treatments says of each name; of several patterns that fit, the first counts.

    Args:
        by_pattern: The mapping, as it stands in the configuration.
    """

    def __init__(self, by_pattern: Mapping[str, Treatment]) -> None:
        self._by_pattern = by_pattern
        self._unused = dict.fromkeys(by_pattern)

    def of(self, name: str) -> Treatment | None:
        """What becomes of it; None where no pattern fits."""
        for pattern, treatment in self._by_pattern.items():
            if fnmatchcase(name, pattern):
                self._unused.pop(pattern, None)
                return treatment
        return None

    def unused(self, section: str, what: str) -> list[str]:
        """A sentence for each pattern that fitted nothing that was asked for.

        Args:
            section: The mapping's key in the configuration.
            what: What there is none of, such as ``no material is``.
        """
        return [f"{section}: {what} named '{pattern}'" for pattern in self._unused]
