"""Reads off a ``.blend`` which libraries it links, without Blender: Blender opens them before anybody can look.

A ``.blend`` is a list of blocks, each with a head, and one of them describes the layout of all structures
(``doc/blender_file_format`` in Blender's sources).  Only what holds a library's path is looked at.  What cannot be made
out is left to Blender, which says what is wrong with a file.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from animerun_gen import film_files
from animerun_gen.errors import SceneError

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
"""How compressed files begin: until Blender 2.9 and since."""

LARGEST_BLOCK = 4 * 1024 * 1024
"""Bytes of a block that is read at most: the layout has 130 kB, a library 3."""

MOST_LIBRARIES = 10_000
"""So many libraries are followed at most."""

SKIPPED_AT_ONCE = 1 << 20

SHORTEST_PATH = 160
"""Bytes that a structure has for a path: 1024, and fewer in old files."""


@dataclass(frozen=True)
class _Form:
    """How the heads of blocks are written.

    Attributes:
        head: The code of a block, its length, and what else there is.
        length: Which part of it is the length.
        pointer: Bytes of a pointer.
        byte_order: ``"<"`` or ``">"``.
    """

    head: struct.Struct
    length: int
    pointer: int
    byte_order: str


def refuse_endless_libraries(film: Path) -> None:
    """Stop before Blender opens a library that is a named pipe or a device, which would keep it waiting for ever.

    Args:
        film: The ``.blend``.

    Raises:
        SceneError: It links one, or a library of it does.
    """
    waiting, seen = [film], {film}
    while waiting:
        holder = waiting.pop()
        for named in linked_libraries(holder):
            path = holder.parent / named.removeprefix("//") if named.startswith("//") else Path(named)
            problem = film_files.endless(str(path))
            if problem:
                raise SceneError(
                    f"{holder} links the library {named}, but {problem}, which has no end to read to; put the library "
                    "in its place, or take it out of the film."
                )
            if path not in seen and len(seen) < MOST_LIBRARIES and film_files.is_file(path):
                seen.add(path)
                waiting.append(path)


def linked_libraries(blend: Path) -> list[str]:
    """The libraries that a ``.blend`` names, as it names them; none where it cannot be read."""
    # foreign bytes fail in many ways
    with suppress(OSError, EOFError, ValueError, struct.error, IndexError, UnicodeDecodeError), _opened(blend) as file:
        return _libraries(file)
    return []


@contextmanager
def _opened(blend: Path) -> Iterator[BinaryIO]:
    """The content of a file, uncompressed."""
    with open(blend, "rb") as raw:
        begin = raw.read(4)
        raw.seek(0)
        if begin[:2] == GZIP:
            with gzip.open(raw) as file:
                yield file  # type: ignore[misc]
        elif begin == ZSTANDARD:
            # what reads it comes with the bpy module; an installed Blender may be without
            try:
                import zstandard
            except ImportError as error:
                raise ValueError("nothing here reads the file") from error
            try:
                with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as file:
                    yield file
            except zstandard.ZstdError as error:
                raise ValueError("the file is damaged") from error
        else:
            yield raw


def _libraries(file: BinaryIO) -> list[str]:
    form = _form(file)
    found, layout = [], None
    while True:
        head = form.head.unpack(_read(file, form.head.size))
        code, length = head[0].rstrip(b"\0"), head[form.length]
        if code == b"ENDB":
            break
        if code == b"LI":
            found.append(_read(file, length))
        elif code == b"DNA1" and found:
            layout = _read(file, length)
            break
        else:
            _skip(file, length)
    if layout is None:
        return []
    offset = _offset_of_path(layout, form)
    paths = [block[offset:].split(b"\0")[0].decode(errors="surrogateescape") for block in found]
    # Blender takes the separators of every system
    return [path.replace("\\", "/") for path in paths]


def _form(file: BinaryIO) -> _Form:
    """Read the file's own head."""
    begin = _read(file, 12)
    if begin[:7] != b"BLENDER":
        raise ValueError("it is no .blend")
    if begin[7:8] in b"-_":
        byte_order = "<" if begin[8:9] == b"v" else ">"
        pointer = "Q" if begin[7:8] == b"-" else "I"
        return _Form(struct.Struct(f"{byte_order}4si{pointer}ii"), 1, struct.calcsize(pointer), byte_order)
    # since 5.0: the head's own size, and the number of the form
    size = int(begin[7:9])
    if begin[9:12] != b"-01":
        raise ValueError("it is of a form that is not known")
    byte_order = "<" if _read(file, size - 12)[:1] == b"v" else ">"
    return _Form(struct.Struct(f"{byte_order}4siQqq"), 3, 8, byte_order)


def _read(file: BinaryIO, length: int) -> bytes:
    if not 0 <= length <= LARGEST_BLOCK:
        raise ValueError("a block has no such length")
    content = file.read(length)
    if len(content) < length:
        raise EOFError
    return content


def _skip(file: BinaryIO, length: int) -> None:
    if length < 0:
        raise ValueError("a block has no such length")
    if isinstance(file, gzip.GzipFile) or not file.seekable():
        while length > 0:
            length -= len(_read(file, min(length, SKIPPED_AT_ONCE)))
    else:
        file.seek(length, 1)


def _offset_of_path(layout: bytes, form: _Form) -> int:
    """Where in the structure of a library its path stands: the first of its texts that is long enough for one."""
    place = 4

    def number(kind: str) -> int:
        nonlocal place
        value = struct.unpack_from(form.byte_order + kind, layout, place)[0]
        place += struct.calcsize(kind)
        return int(value)

    def section(code: bytes) -> None:
        nonlocal place
        place = (place + 3) // 4 * 4
        if layout[place : place + 4] != code:
            raise ValueError("the layout is damaged")
        place += 4

    def texts() -> list[bytes]:
        nonlocal place
        read = []
        for _ in range(number("i")):
            end = layout.index(b"\0", place)
            read.append(layout[place:end])
            place = end + 1
        return read

    section(b"NAME")
    names = texts()
    section(b"TYPE")
    types = texts()
    section(b"TLEN")
    lengths = [number("H") for _ in types]
    section(b"STRC")
    for _ in range(number("i")):
        kind = types[number("H")]
        members = [(types[number("H")], names[number("H")]) for _ in range(number("H"))]
        if kind != b"Library":
            continue
        offset = 0
        for of, name in members:
            size = _size(name, lengths[types.index(of)], form.pointer)
            if of == b"char" and size >= SHORTEST_PATH:
                return offset
            offset += size
    raise ValueError("the layout knows no libraries")


def _size(name: bytes, length: int, pointer: int) -> int:
    """Bytes of a member of a structure: its name says whether it is a pointer, or several in a row."""
    size = pointer if name.startswith((b"*", b"(*")) else length
    for part in name.split(b"[")[1:]:
        size *= int(part.rstrip(b"]"))
    return size
