"""Reads a ``.blend`` without Blender: the form of its blocks, and which Blender saved it and may open it.

A ``.blend`` is a list of blocks, each with a head, behind a head of the file's own (``doc/blender_file_format`` in
Blender's sources).  It may be compressed as a whole: with gzip until Blender 2.9, and with Zstandard since 3.0.
"""

from __future__ import annotations

import gzip
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from animerun_gen.dataset.files import open_regular
from animerun_gen.errors import SceneError

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
"""How compressed files begin."""

LARGEST_BLOCK = 4 * 1024 * 1024
"""Bytes of a block that is read at most: the layout has 130 kB, a library 3."""

SKIPPED_AT_ONCE = 1 << 20

MOST_BLOCKS_BEFORE_GLOBALS = 16
"""The block of the file's global settings is the second or third."""

_GLOBALS = "4s3h"
"""How that block begins, in every Blender since 2.5: text, and the numbers of the subversion and of the oldest Blender
that may open the file."""

Version = tuple[int, int]
"""Major and minor version of a Blender, such as ``(4, 5)``."""


@dataclass(frozen=True)
class Form:
    """How the heads of blocks are written.

    Attributes:
        head: The code of a block, its length, and what else there is.
        length: Which part of it is the length.
        pointer: Bytes of a pointer.
        byte_order: ``"<"`` or ``">"``.
        version: The Blender that saved the file.
    """

    head: struct.Struct
    length: int
    pointer: int
    byte_order: str
    version: Version


@dataclass(frozen=True)
class SavedBy:
    """Which Blender saved a file.

    Attributes:
        version: That Blender.
        oldest_reader: The oldest Blender that opens the file without harm, as the file itself says.  An older one
            loses what it does not know, or dies: 3.4.1 of any mesh saved by 4.0 or newer, which ask for 3.6.
    """

    version: Version
    oldest_reader: Version


def saved_by(blend: Path) -> SavedBy | None:
    """Which Blender saved a file; None where it cannot be read, or is no ``.blend``: Blender says what is wrong."""
    # foreign bytes fail in many ways
    with suppress(OSError, EOFError, ValueError, struct.error), opened(blend) as file:
        form = read_form(file)
        for _ in range(MOST_BLOCKS_BEFORE_GLOBALS):
            code, length = read_head(file, form)
            if code == b"GLOB":
                content = read(file, min(length, struct.calcsize(form.byte_order + _GLOBALS)))
                _, _, oldest, _ = struct.unpack(form.byte_order + _GLOBALS, content)
                # the number stood for something else before 2.5, and no file is too new for whoever saved it
                return SavedBy(form.version, min(form.version, divmod(max(oldest, 0), 100)))
            skip(file, length)
    return None


def require_readable(blend: Path, engine: str) -> None:
    """Stop before a Blender opens a file that is too new for it.

    Args:
        blend: The file.
        engine: The Blender that is to open it, such as ``"Blender 4.5.15"``.

    Raises:
        SceneError: It says of itself that it needs a newer one.
    """
    saved, reader = saved_by(blend), version_of(engine)
    if saved is not None and reader is not None and reader < saved.oldest_reader:
        raise SceneError(
            f"was saved with Blender {dotted(saved.version)} and needs Blender {dotted(saved.oldest_reader)} or newer, "
            f"but this is {engine}",
            blend,
            "use a newer one (docs/versions.md)",
        )


def note_newer(blend: Path, engine: str) -> list[str]:
    """What is to be said of a file that is newer than the Blender that opens it: a sentence, or none.

    Args:
        blend: The file.
        engine: The Blender, such as ``"Blender 4.5.15"``.
    """
    saved, reader = saved_by(blend), version_of(engine)
    if saved is None or reader is None or saved.version <= reader:
        return []
    return [
        f"{blend.name} was saved with Blender {dotted(saved.version)}, which is newer than {engine}: what only the "
        "newer one knows is missing"
    ]


def version_of(engine: str) -> Version | None:
    """Major and minor version in an engine's name, such as ``"Blender 4.5.15"``; None where it names none."""
    found = re.match(r"Blender (\d+)\.(\d+)", engine)
    return (int(found[1]), int(found[2])) if found is not None else None


def dotted(version: Version) -> str:
    """A version as people write it: ``"4.5"``, and ``"2.79"``."""
    return f"{version[0]}.{version[1]}"


@contextmanager
def opened(blend: Path) -> Iterator[BinaryIO]:
    """The content of a file, uncompressed.

    Raises:
        OSError: It cannot be read, or is no regular file.
        ValueError: It is damaged, or nothing here reads it.
    """
    with open_regular(blend) as raw:
        begin = raw.read(4)
        raw.seek(0)
        if begin[:2] == GZIP:
            with gzip.open(raw) as file:
                yield file  # type: ignore[misc]
        elif begin == ZSTANDARD:
            # an installed Blender may borrow the packages of an environment without it
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


def read_form(file: BinaryIO) -> Form:
    """Read the file's own head.

    Raises:
        EOFError: The file ends in it.
        ValueError: It is no ``.blend``, or of a form that is not known.
    """
    begin = read(file, 12)
    if begin[:7] != b"BLENDER":
        raise ValueError("it is no .blend")
    if begin[7:8] in b"-_":
        byte_order = "<" if begin[8:9] == b"v" else ">"
        pointer = "Q" if begin[7:8] == b"-" else "I"
        head = struct.Struct(f"{byte_order}4si{pointer}ii")
        return Form(head, 1, struct.calcsize(pointer), byte_order, divmod(int(begin[9:12]), 100))
    # since 5.0: the head's own size, the number of the form, the byte order, and the version in four digits
    size = int(begin[7:9])
    if begin[9:12] != b"-01":
        raise ValueError("it is of a form that is not known")
    rest = read(file, size - 12)
    byte_order = "<" if rest[:1] == b"v" else ">"
    return Form(struct.Struct(f"{byte_order}4siQqq"), 3, 8, byte_order, divmod(int(rest[1:5]), 100))


def read_head(file: BinaryIO, form: Form) -> tuple[bytes, int]:
    """Read the head of the next block: its code, and the bytes behind the head.

    Raises:
        EOFError: The file ends in it.
    """
    head = form.head.unpack(read(file, form.head.size))
    return head[0].rstrip(b"\0"), head[form.length]


def read(file: BinaryIO, length: int) -> bytes:
    """Read so many bytes.

    Raises:
        EOFError: There are fewer.
        ValueError: Nothing that is read has that length.
    """
    if not 0 <= length <= LARGEST_BLOCK:
        raise ValueError("a block has no such length")
    content = file.read(length)
    if len(content) < length:
        raise EOFError
    return content


def skip(file: BinaryIO, length: int) -> None:
    """Pass so many bytes over.

    Raises:
        EOFError: There are fewer.
        ValueError: Nothing has that length.
    """
    if length < 0:
        raise ValueError("a block has no such length")
    if isinstance(file, gzip.GzipFile) or not file.seekable():
        while length > 0:
            length -= len(read(file, min(length, SKIPPED_AT_ONCE)))
    else:
        file.seek(length, 1)
