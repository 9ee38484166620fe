"""Settings: what a caller or a command line may choose, each declared once, as a field of a dataclass.

The field's type and default are Python's; beside them stands what people are told and what the setting may be.  The
command line is made of these fields (``cli.command``), and so are the sentences about values that cannot be:

>>> @dataclass(frozen=True)
... class Options:
...     workers: int = setting(1, help="number of processes (default: {default})", metavar="N", reads=Whole(1))
>>> [(one.name, of.metavar) for one, of in settings_of(Options)]
[('workers', 'N')]
>>> settings_of(Options)[0][1].reads.read("0")
Traceback (most recent call last):
ValueError: must be 1 or more, not 0
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, Protocol

_SETTING = "animerun_gen.setting"
_GROUP = "animerun_gen.group"

MOST_DIGITS = 18
"""Numbers are not longer than this."""


class Kind(Protocol):
    """What values of a setting are, and how they are written on a command line."""

    def read(self, text: str) -> Any:
        """The value.

        Raises:
            ValueError: It is none; the message goes on from the setting's name: "must be 1 or more, not 0".
        """

    def written(self, value: Any) -> str:
        """A value as it is written."""


@dataclass(frozen=True)
class Text:
    """Any text."""

    def read(self, text: str) -> str:
        return text

    def written(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class File:
    """The path of a file or folder, which may not exist yet."""

    def read(self, text: str) -> Path:
        return Path(text)

    def written(self, value: Path) -> str:
        return str(value)


@dataclass(frozen=True)
class Switch:
    """On where it is named, off otherwise."""

    def read(self, text: str) -> bool:
        raise ValueError(f"takes no value, not '{text}'")

    def written(self, value: bool) -> str:
        return str(value).lower()


@dataclass(frozen=True)
class Whole:
    """A whole number, from ``least`` to ``most``."""

    least: int
    most: int | None = None

    def read(self, text: str) -> int:
        limits = f"{self.least} or more" if self.most is None else f"from {self.least} to {self.most}"
        if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
            raise ValueError(f"must be a whole number {'of ' if self.most is None else ''}{limits}, not '{text}'")
        value = int(text)
        if value < self.least or (self.most is not None and value > self.most):
            raise ValueError(f"must be {limits}, not {value}")
        return value

    def written(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True)
class Number:
    """A number from ``least`` to ``most``, written in units of ``unit``.

    Attributes:
        what: What it must be, in words.
        least: The least value, as it is written.
        most: The largest.
        unit: The value that is written "1".
    """

    what: str
    least: float
    most: float
    unit: float = 1.0

    def read(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        # no comparison with what is no number is true
        if not self.least <= value <= self.most:
            raise ValueError(f"must be {self.what}, not '{text}'")
        return value * self.unit

    def written(self, value: float) -> str:
        return f"{value / self.unit:g}"


@dataclass(frozen=True)
class Frames:
    """The first and the last of some frames."""

    def read(self, text: str) -> tuple[int, int]:
        first, separator, last = text.partition(":")
        numbers = [part for part in (first, last) if part.isascii() and part.isdecimal() and len(part) <= MOST_DIGITS]
        if not separator or len(numbers) < 2 or int(first) > int(last):
            raise ValueError(f"must be FIRST:LAST, such as 10:20, not '{text}'")
        return int(first), int(last)

    def written(self, value: tuple[int, int]) -> str:
        return f"{value[0]}:{value[1]}"


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"must be {' or '.join(self.words)}, not '{text}'")
        return text

    def written(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Setting:
    """What is known of a setting beside its type and default.

    Attributes:
        help: What it does; ``{default}`` stands for its default, as it is written.
        metavar: What stands for its value in helps; of a setting without a name, what it is called.
        names: Its names on the command line; none: it has no name but a place.
        reads: What its values are.
        several: Whether it takes several values.
    """

    help: str
    metavar: str
    names: tuple[str, ...]
    reads: Kind
    several: bool


def setting(
    default: Any = MISSING,
    *,
    help: str,
    names: tuple[str, ...] = (),
    metavar: str = "",
    reads: Kind | None = None,
    several: bool = False,
    placed: bool = False,
) -> Any:
    """A field of a dataclass that is a setting.

    Args:
        default: Its value where it is not chosen; it has to be chosen where there is none.
        help: What it does; ``{default}`` stands for its default, as it is written.
        names: On the command line, such as ``"-o", "--output"``; made of the field's name where none is given.
        metavar: What stands for its value in helps.
        reads: What its values are; text by default, and a switch where the default is False.
        several: Whether it takes several values: the field is a tuple.
        placed: Whether it has no name on the command line, but a place.
    """
    if reads is None:
        reads = Switch() if default is False else Text()
    # dataclasses put the field's name in later
    known = Setting(help, metavar, names or (() if placed else ("",)), reads, several)
    return dataclasses.field(default=default, metadata={_SETTING: known})


def settings_of(options: type) -> list[tuple[dataclasses.Field[Any], Setting]]:
    """The settings among the fields of a dataclass, in order."""
    found = []
    for field in dataclasses.fields(options):
        if (known := field.metadata.get(_SETTING)) is not None:
            names = tuple(name or f"--{field.name.replace('_', '-')}" for name in known.names)
            found.append((field, dataclasses.replace(known, names=names)))
    return found


@dataclass(frozen=True)
class Group:
    """The settings of another dataclass, as part of one.

    Attributes:
        options: That dataclass.
        without: Its fields that cannot be chosen here.
        fixed: Its fields that have one value here.
    """

    options: type
    without: frozenset[str]
    fixed: Mapping[str, Any]


def group(options: type, without: tuple[str, ...] = (), **fixed: Any) -> Any:
    """A field of a dataclass that holds the settings of another one.

    Args:
        options: That dataclass.
        without: Its fields that cannot be chosen here.
        fixed: Its fields that have one value here.
    """
    return dataclasses.field(metadata={_GROUP: Group(options, frozenset(without), fixed)})


def groups_of(options: type) -> list[tuple[dataclasses.Field[Any], Group]]:
    """The groups among the fields of a dataclass, in order."""
    return [(field, field.metadata[_GROUP]) for field in dataclasses.fields(options) if _GROUP in field.metadata]


def require(options: Any) -> None:
    """See that values that a caller has chosen can be: an options class calls it when it is made.

    Raises:
        ValueError: One cannot be: "workers must be 1 or more, not 0".
    """
    for field, known in settings_of(type(options)):
        value = getattr(options, field.name)
        if value is None or value == field.default or isinstance(known.reads, (Text, File, Switch)):
            continue
        try:
            known.reads.read(known.reads.written(value))
        except ValueError as error:
            raise ValueError(f"{field.name} {error}") from error
