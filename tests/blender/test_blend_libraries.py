"""What a .blend links, read off the file itself: every form of it that Blender ever wrote, and damaged ones."""

from __future__ import annotations

import gzip
import os
import random
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from animerun_gen.blender.blend_libraries import linked_libraries, look_at_files
from animerun_gen.errors import SceneError

ENGINE = "Blender 5.0.1"


def write_blend(
    path: Path,
    libraries: Sequence[str],
    pointer: int = 8,
    byte_order: str = "<",
    large: bool = False,
    path_length: int = 1024,
    saved_with: int = 405,
    oldest_reader: int = 306,
) -> bytes:
    """A file with nothing in it but its settings, libraries and the layout of their structure."""
    of_order = "v" if byte_order == "<" else "V"
    form = f"{byte_order}4siQqq" if large else f"{byte_order}4si{'Q' if pointer == 8 else 'I'}ii"
    mark = f"17-01{of_order}0" if large else f"{'-' if pointer == 8 else '_'}{of_order}"
    begin = f"BLENDER{mark}{saved_with}"

    def block(code: bytes, content: bytes) -> bytes:
        fields = (code, 1, 99, len(content), 1) if large else (code, len(content), 99, 1, 1)
        return struct.pack(form, *fields) + content

    def library(named: str) -> bytes:
        # the head that all data-blocks have, a pointer, and the path
        return bytes(36 + pointer) + named.encode().ljust(path_length, b"\0") + b"more"

    names = [b"name[12]", b"*next", b"tint[2][3]", f"name[{path_length}]".encode(), b"id"]
    types, lengths = [b"char", b"float", b"ID", b"Library"], [1, 4, 36, 40 + path_length + pointer]

    def padded(content: bytes) -> bytes:
        return content + bytes(-len(content) % 4)

    def number(kind: str, *values: int) -> bytes:
        return struct.pack(byte_order + kind * len(values), *values)

    layout = padded(b"SDNANAME" + number("i", len(names)) + b"\0".join(names) + b"\0")
    layout = padded(layout + b"TYPE" + number("i", len(types)) + b"\0".join(types) + b"\0")
    layout = padded(layout + b"TLEN" + number("H", *lengths))
    # ID: name[12], tint[2][3] (of floats); Library: id, *next, name
    layout += b"STRC" + number("i", 2) + number("H", 2, 2, 0, 0, 1, 2) + number("H", 3, 3, 2, 4, 2, 1, 0, 3)
    content = (
        begin.encode()
        + block(b"REND", bytes(72))
        + block(b"GLOB", struct.pack(f"{byte_order}4s3h", b"  92", 92, oldest_reader, 13) + bytes(90))
    )
    content += b"".join(block(b"LI\0\0", library(named)) for named in libraries)
    content += block(b"DATA", bytes(3)) + block(b"DNA1", layout) + block(b"ENDB", b"")
    path.write_bytes(content)
    return content


FORMS = [
    {},
    {"pointer": 4, "path_length": 240},
    {"pointer": 4, "byte_order": ">"},
    {"byte_order": ">"},
    {"large": True},
]


@pytest.mark.parametrize("form", FORMS)
def test_libraries_of_files_of_every_form(tmp_path: Path, form: dict[str, object]) -> None:
    film = tmp_path / "film.blend"
    content = write_blend(film, ["//props.blend", "//..\\trees.blend", "/abs/é.blend"], **form)  # type: ignore[arg-type]
    expected = ["//props.blend", "//../trees.blend", "/abs/é.blend"]
    assert linked_libraries(film) == expected
    film.write_bytes(gzip.compress(content))
    assert linked_libraries(film) == expected
    zstandard = pytest.importorskip("zstandard")
    # Blender writes a frame for each piece of the file
    pieces = [content[:500], content[500:]]
    film.write_bytes(b"".join(zstandard.ZstdCompressor().compress(piece) for piece in pieces))
    assert linked_libraries(film) == expected


def test_a_film_without_libraries(tmp_path: Path) -> None:
    write_blend(tmp_path / "film.blend", [])
    assert linked_libraries(tmp_path / "film.blend") == []
    look_at_files(tmp_path / "film.blend", ENGINE)


@pytest.mark.parametrize("form", FORMS)
def test_damaged_files_are_left_to_blender(tmp_path: Path, form: dict[str, object]) -> None:
    film, chance = tmp_path / "film.blend", random.Random(1)
    content = write_blend(film, ["//props.blend"], **form)  # type: ignore[arg-type]
    for length in [*range(0, len(content), 37), len(content) - 1]:
        film.write_bytes(content[:length])
        linked_libraries(film)
    for _ in range(500):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        film.write_bytes(damaged)
        linked_libraries(film)
    for foreign in (b"", b"BLENDER", b"\x28\xb5\x2f\xfd" + bytes(50), b"\x1f\x8b" + bytes(50), os.urandom(1000)):
        film.write_bytes(foreign)
        assert linked_libraries(film) == []


def test_libraries_that_are_too_new(tmp_path: Path) -> None:
    film = tmp_path / "film.blend"
    write_blend(film, ["//a.blend"], saved_with=304, oldest_reader=304)
    write_blend(tmp_path / "a.blend", ["//b.blend"], saved_with=304, oldest_reader=304)
    write_blend(tmp_path / "b.blend", [], saved_with=405, oldest_reader=306)
    with pytest.raises(SceneError, match=r"b\.blend was saved with Blender 4\.5 and needs Blender 3\.6 or newer"):
        look_at_files(film, "Blender 3.4.1")
    [note] = look_at_files(film, "Blender 4.2.23")
    assert note.startswith("b.blend was saved with Blender 4.5, which is newer than Blender 4.2.23")
    assert look_at_files(film, "Blender 4.5.0") == []


def test_pipes_are_found_however_deep_they_lie(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    write_blend(tmp_path / "film.blend", ["//lib/a.blend", "//none.blend", ""])
    write_blend(tmp_path / "lib" / "a.blend", ["//b.blend", "//../film.blend"])
    look_at_files(tmp_path / "film.blend", ENGINE)
    os.mkfifo(tmp_path / "lib" / "b.blend")
    with pytest.raises(SceneError, match=r"lib/a\.blend links the library //b\.blend, but b\.blend is a named pipe"):
        look_at_files(tmp_path / "film.blend", ENGINE)
