"""Names and patterns of the configuration, held against what a file contains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import bpy


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
    """The objects that a part of the configuration names, also by their collections: full name to object."""
    found = {obj.name_full: obj for obj in bpy.data.objects if matches(obj.name, named.objects)}
    for collection in bpy.data.collections:
        if matches(collection.name, named.collections):
            found |= {obj.name_full: obj for obj in collection.all_objects}
    return found


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
