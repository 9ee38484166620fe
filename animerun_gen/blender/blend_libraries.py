"""Reads off a ``.blend`` which libraries it links, without Blender: Blender opens them before anybody can look.

One block of a ``.blend`` describes the layout of all structures.  Only what holds a library's path is looked at.  What
cannot be made out is left to Blender, which says what is wrong with a file.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from animerun_gen.engines import film_files
from animerun_gen.engines.blend_file import Form, note_newer, opened, read, read_form, read_head, require_readable, skip
from animerun_gen.errors import SceneError

MOST_LIBRARIES = 10_000
"""So many libraries are followed at most."""

SHORTEST_PATH = 160
"""Bytes that a structure has for a path: 1024, and fewer in old files."""


def look_at_files(film: Path, engine: str) -> list[str]:
    """See whether a Blender can open a film and its libraries, before it does.

    A library that is a named pipe or a device would keep it waiting for ever, and it dies of files that are too new.

    Args:
        film: The ``.blend``.
        engine: The Blender, such as ``"Blender 4.5.15"``.

    Returns:
        Notes about the files that are newer than that Blender, but can be opened, a sentence each.

    Raises:
        SceneError: One of the files must not be opened.
    """
    require_readable(film, engine)
    notes = note_newer(film, engine)
    waiting, seen = [film], {film}
    while waiting:
        holder = waiting.pop()
        for named in linked_libraries(holder):
            path = holder.parent / named.removeprefix("//") if named.startswith("//") else Path(named)
            problem = film_files.endless(str(path))
            if problem:
                raise SceneError(
                    f"{holder} links the library {named}, but {problem}, which has no end",
                    remedy="put the library in its place, or take it out of the film",
                )
            if path not in seen and len(seen) < MOST_LIBRARIES and film_files.is_file(path):
                seen.add(path)
                waiting.append(path)
                require_readable(path, engine)
                notes += note_newer(path, engine)
    return notes


def linked_libraries(blend: Path) -> list[str]:
    """The libraries that a ``.blend`` names, as it names them; none where it cannot be read."""
    # foreign bytes fail in many ways
    with suppress(OSError, EOFError, ValueError, struct.error, IndexError, UnicodeDecodeError), opened(blend) as file:
        return _libraries(file)
    return []


def _libraries(file: BinaryIO) -> list[str]:
    form = read_form(file)
    found, layout = [], None
    while True:
        code, length = read_head(file, form)
        if code == b"ENDB":
            break
        if code == b"LI":
            found.append(read(file, length))
        elif code == b"DNA1" and found:
            layout = read(file, length)
            break
        else:
            skip(file, length)
    if layout is None:
        return []
    offset = _offset_of_path(layout, form)
    paths = [block[offset:].split(b"\0")[0].decode(errors="surrogateescape") for block in found]
    # Blender takes the separators of every system
    return [path.replace("\\", "/") for path in paths]


def _offset_of_path(layout: bytes, form: Form) -> int:
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
