"""A YAML file as values that remember where they stand; what YAML can do beyond plain data is refused.

The file is untrusted: nothing is constructed from tags, anchors cannot multiply it, and its size and depth are
limited.  It is read from the parser's events, so none of these is ever built before it is refused.

``yaml.compose`` would build nodes that know their lines, but it is of no use here: its nodes do not tell anchors and
aliases, it recurses as deep as the file does before anyone can look (two thousand brackets end it with a
RecursionError), and one mistake in the syntax loses everything else that is wrong, which users are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.resolver import Resolver

from animerun_gen.config.messages import SHOWN_CHARACTERS, excerpt, shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_TEXT = 1_000
"""Characters of a sentence about a mistake: YAML's own may quote whatever stands in the file."""

_TAG = "tag:yaml.org,2002:"
_WORDS = ("on", "off")
"""As keys they are words, as YAML 1.2 has them; YAML 1.1 has truth values of them."""

_KNOWN_TAGS = {_TAG + kind for kind in ("str", "int", "float", "bool", "null", "seq", "map")}
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]{0,17})")
_PLAIN_KEY = re.compile(rf"[A-Za-z_][A-Za-z0-9_-]{{0,{SHOWN_CHARACTERS - 1}}}")
_LOST_COLOR = re.compile(r"[ \t]+(#[0-9A-Fa-f]{6})\b")
_LOST_COLORS = re.compile(r":[ \t]+#[0-9A-Fa-f]{6}\b")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_SAY = {
    "int": "a number in octal, hexadecimal, binary or base-60 notation, or a very long one",
    "float": "a base-60 number",
    "timestamp": "a date",
    "merge": "YAML's merge key",
    "value": "YAML's default key",
}


class Broken:
    """Stands where a value was refused and reported; nothing more is said about it."""


BROKEN = Broken()

Value = str | int | float | bool | None | list["Node"] | dict[str, "Node"] | Broken
Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Node:
    """A value and where it stands.

    Attributes:
        value: The value.
        file: The file.
        line: The line, counted from 1.
        text: How a scalar is written, without its quotes.
        quoted: Whether a scalar has quotes.
        lost_color: A colour without quotes that stands where the value is empty: to YAML it is a comment.
    """

    value: Value
    file: Path
    line: int
    text: str = ""
    quoted: bool = False
    lost_color: str = ""


@dataclass(frozen=True)
class Kind:
    """What a file is to its user, for messages.

    Attributes:
        noun: What it describes.
        needed: What it must hold at least.
        example: A line of it.
        instead: What else there is where YAML has anchors and merge keys.
        most_values: How many keys, values, lists and mappings it may have.
    """

    noun: str
    needed: str
    example: str
    instead: str
    most_values: int


CUT = Kind("cut", "at least name, source and frames", "name: my_cut", "use inherit", most_values=20_000)


@dataclass(frozen=True)
class Problem:
    """One sentence for the user; ``keys`` is the path of the value in the file, ``line`` 0 speaks of the whole file."""

    file: Path
    line: int
    keys: Keys
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        text = excerpt(self.text, MAX_TEXT)
        return f"{place}: {key_path(self.keys)}: {text}" if self.keys else f"{place}: {text}"


def key_path(keys: Keys) -> str:
    """``lines.edges[2]``; a key that is no plain word stands in quotes."""
    said = ""
    for key in keys:
        if isinstance(key, int):
            said += f"[{key}]"
        else:
            said += ("." if said else "") + (key if _PLAIN_KEY.fullmatch(key) else shown(key))
    return said


def read_yaml_file(file: Path, kind: Kind = CUT) -> tuple[Node | None, list[Problem]]:
    """Read a YAML file of plain mappings, lists, texts, numbers, truth values and nulls.

    Args:
        file: The file.
        kind: What it should be.

    Returns:
        The mapping it holds (None when the file could not be read as one) and everything wrong with it.
    """
    try:
        if not file.is_file():
            what = "is not a regular file; give a YAML file" if file.exists() else "does not exist; check the path"
            return None, [Problem(file, 0, (), what)]
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return None, [Problem(file, 0, (), f"cannot be read ({error.strerror}); check the path and its permissions")]
    if len(data) > MAX_BYTES:
        return None, [
            Problem(file, 0, (), f"is larger than {MAX_BYTES:,} bytes, so it is not a {kind.noun}; check the path")
        ]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return None, [Problem(file, line, (), "is not UTF-8 text; save the file in that encoding")]
    builder = _Builder(file, kind)
    try:
        parser = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [
            Problem(file, line, (), f"holds the character {error.character:#x}, which YAML forbids; remove it")
        ]
    try:
        root = builder.document(_events(parser))
    except _UnreadableError as error:
        return None, [*builder.problems, error.problem]
    except yaml.MarkedYAMLError as error:
        return None, [*builder.problems, _syntax_problem(file, error)]
    # the library turns digits into numbers and characters without a look at how many, and how large, they are
    except (ValueError, OverflowError):
        what = "holds a version or the number of a character that is far too large; correct or remove it"
        return None, [*builder.problems, Problem(file, parser.line + 1, (), what)]
    return root, builder.problems


def _events(parser: yaml.SafeLoader) -> Iterator[yaml.Event]:
    while parser.check_event():
        yield parser.get_event()  # type: ignore[no-untyped-call]


class _UnreadableError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _Builder:
    """Builds nodes from the parser's events and collects what is wrong on the way."""

    def __init__(self, file: Path, kind: Kind) -> None:
        self.file = file
        self.kind = kind
        self.problems: list[Problem] = []
        self._resolver = Resolver()
        self._values = 0

    def document(self, events: Iterable[yaml.Event]) -> Node | None:
        """The mapping that the file's only document holds; None, and a problem, when there is none."""
        content = (e for e in events if not isinstance(e, (yaml.StreamStartEvent, yaml.DocumentEndEvent)))
        if isinstance(next(content), yaml.StreamEndEvent):
            self._report(1, (), f"is empty; write {self.kind.needed}")
            return None
        root = self._node(next(content), content, (), None)
        after = next(content)
        if isinstance(after, yaml.DocumentStartEvent):
            self._report(
                _line(after),
                (),
                f"a second YAML document begins here; put every {self.kind.noun} into a file of its own",
            )
        if not isinstance(root.value, (dict, Broken)):
            self._report(
                root.line,
                (),
                f'must hold keys and values such as "{self.kind.example}" and not just {_spoken(root)}; rewrite it so',
            )
        return root if isinstance(root.value, dict) else None

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], keys: Keys, key_line: int | None) -> Node:
        line = _line(event)
        self._values += 1
        if self._values > self.kind.most_values:
            what = f"holds more than {self.kind.most_values:,} keys and values, so it is not a {self.kind.noun}"
            raise _UnreadableError(Problem(self.file, 0, (), f"{what}; check the path"))
        if isinstance(event, yaml.AliasEvent):
            name = excerpt(event.anchor or "")
            self._report(line, keys, f"the alias *{name} is not supported; write the value out, or {self.kind.instead}")
            return Node(BROKEN, self.file, line)
        if not isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            raise TypeError(f"the YAML parser sent {event!r} where a value begins")
        if event.anchor is not None:
            self._report(line, keys, f"the anchor &{excerpt(event.anchor)} is not supported; remove it")
        if len(keys) > MAX_DEPTH:
            raise _UnreadableError(
                Problem(self.file, line, (), f"is nested deeper than {MAX_DEPTH} levels; flatten it")
            )
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, keys)
        collection = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._list
        value: Value = collection(events, keys)
        if event.tag is not None and event.tag != _TAG + ("map" if isinstance(value, dict) else "seq"):
            self._report(line, keys, f"the tag {shown(event.tag)} is not supported; remove it")
            value = BROKEN
        # A collection belongs to the line of its key: that is where something missing in it has to be added.
        return Node(value, self.file, key_line or line)

    def _list(self, events: Iterator[yaml.Event], keys: Keys) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, (*keys, len(items)), None))
        return items

    def _mapping(self, events: Iterator[yaml.Event], keys: Keys) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        first_lines: dict[str, int] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = _line(event)
            key = self._key(event, events, keys)
            value = self._node(next(events), events, keys if key is None else (*keys, key), line)
            if key in first_lines:
                self._report(line, (*keys, key), f"stands here and in line {first_lines[key]}; remove one of the two")
            elif key is not None:
                first_lines[key] = line
                entries[key] = value
        return entries

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], keys: Keys) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            self._report(_line(event), keys, f"YAML's merge key << is not supported; {self.kind.instead}")
            return None
        if isinstance(event, yaml.ScalarEvent) and event.value in _WORDS and event.tag is None:
            return event.value
        known = len(self.problems)
        # The level counts although a key has no path of its own, or keys of keys could nest without end.
        node = self._node(event, events, (*keys, "?"), None)
        if isinstance(node.value, str):
            return node.value
        if len(self.problems) == known:
            self._report(node.line, keys, f"a key must be text, not {_spoken(node)}; put it in quotes")
        return None

    def _scalar(self, event: yaml.ScalarEvent, keys: Keys) -> Node:
        line, text = _line(event), event.value
        resolved = str(self._resolver.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]
        tag: str = event.tag or (resolved if event.implicit[0] else _TAG + "str")
        value: Value = BROKEN
        if half := _HALF_CHARACTER.search(text):
            code = f"{ord(half[0]):x}"
            self._report(line, keys, f"holds \\u{code}, which is half of a character; write the character itself")
        elif tag not in _KNOWN_TAGS and event.tag is not None:
            self._report(line, keys, f"the tag {shown(tag)} is not supported; remove it")
        elif event.tag is not None and tag not in (_TAG + "str", resolved):
            self._report(line, keys, f"{shown(text)} is not what its tag says; remove the tag")
        elif tag == _TAG + "str":
            value = text
        elif tag == _TAG + "null":
            value = None
        elif tag == _TAG + "bool":
            value = text.lower() in ("yes", "true", "on")
        elif tag == _TAG + "int" and _DECIMAL.fullmatch(text):
            value = int(text.replace("_", ""))
        elif tag == _TAG + "float" and ":" not in text:
            # YAML writes .inf and .nan where Python writes inf and nan.
            value = float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        else:
            # YAML 1.1 reads 0010 as eight and 1:30 as ninety: nobody who writes a cut means that.
            kind = _SAY[tag.removeprefix(_TAG)]
            advice = "write a plain decimal number, or put quotes around it if it is text"
            self._report(line, keys, f"`{text[:40]}` is to YAML {kind}; {advice}")
        lost = _lost_color(event) if value is None else ""
        return Node(value, self.file, line, text, quoted=not event.implicit[0], lost_color=lost)

    def _report(self, line: int, keys: Keys, text: str) -> None:
        self.problems.append(Problem(self.file, line, keys, text))


def plain(node: Node) -> Any:
    """The bare value of a node; what was refused becomes an object that no model accepts."""
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def _spoken(node: Node) -> str:
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        return f"the text {shown(node.value)}"
    return f"`{node.text}`" if node.text else "nothing"


def _lost_color(event: yaml.ScalarEvent) -> str:
    """The colour that follows an empty value on its line; an empty text where there is none."""
    mark = event.end_mark
    if event.value or mark is None or mark.buffer is None:
        return ""
    found = _LOST_COLOR.match(mark.buffer, mark.pointer)
    return found[1] if found else ""


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _syntax_problem(file: Path, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    reason = error.problem or "it ends too early"
    if "\\t" in reason:
        return Problem(file, line, (), "YAML does not allow tabs here; indent with spaces")
    what = f"is not valid YAML ({reason}); check the indentation, colons and quotes here and just above"
    if mark is not None and mark.buffer is not None and _LOST_COLORS.search(mark.buffer[: mark.pointer]):
        # what closes the brackets around such a colour is a part of the comment
        what += "; a # outside quotes begins a comment, so put colours in quotes"
    return Problem(file, line, (), what)
