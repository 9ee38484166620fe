"""Names that stand for one file or for many, and what tells whether these changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from animerun_gen.engines import film_files
from animerun_gen.engines.film_files import (
    MISSING,
    MissingFile,
    endless,
    files_of,
    in_folder,
    is_file,
    look,
    looking_anew,
    looking_once,
)
from animerun_gen.engines.job import input_mark
from animerun_gen.pipeline.state.films import input_digest


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    for number in range(1, 6):
        (tmp_path / f"fire_{number:04d}.png").write_bytes(b"%d" % number)
    (tmp_path / "fire_note.png").write_bytes(b"no number")
    return tmp_path


def touch_later(path: Path, content: bytes) -> None:
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_bytes(content)
    os.utime(path, ns=(0, before + 1_000_000))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("fire_0001.png", ("fire_", "0001", ".png")),
        ("v2_fire_001_final.exr", ("v2_fire_", "001", "_final.exr")),
        ("0001", ("", "0001", "")),
        (".0001", (".", "0001", "")),
        ("mp3.mp4", ("mp", "3", ".mp4")),
        ("fire.png", ("fire", "", ".png")),
        ("fire\u0663.png", ("fire\u0663", "", ".png")),
    ],
)
def test_the_last_number_before_the_extension_counts(name: str, parts: tuple[str, str, str]) -> None:
    assert film_files.split_number(name) == parts


def test_names_of_several_files(sequence: Path) -> None:
    of_frames = film_files.numbered(sequence, "fire_", 4, ".png", (2, 3))
    assert of_frames == f"{sequence}//fire_<0002-0003>.png"
    assert list(files_of(of_frames)) == [sequence / "fire_0002.png", sequence / "fire_0003.png"]
    any_number = film_files.numbered(sequence, "fire_", 4, ".png", None)
    assert [path.name for path in files_of(any_number)] == [f"fire_{number:04d}.png" for number in range(1, 6)]
    assert [file for file, _ in look(in_folder(sequence))] == sorted(path.name for path in sequence.iterdir())
    assert list(files_of("/film/wood.png")) == [Path("/film/wood.png")]


def test_a_sequence_that_no_clip_can_be_as_long_as_is_looked_up_in_its_folder(sequence: Path) -> None:
    name = film_files.numbered(sequence, "fire_", 4, ".png", (0, 1_000_000_000))
    assert len(look(name)) == 5


def test_names_that_look_like_patterns_mean_themselves(tmp_path: Path) -> None:
    for name in ("fire_<0001-0002>.png", "*", "fire_<*>.png", "a?[b].png"):
        path = tmp_path / name
        path.write_bytes(b"x")
        assert list(files_of(str(path))) == [path]
        assert [file for file, _ in look(str(path))] == [name]
        # in a sequence only the number is none of the name
        (tmp_path / f"{name}_7.png").write_bytes(b"y")
        assert [file for file, _ in look(film_files.numbered(tmp_path, f"{name}_", 1, ".png", (7, 7)))] == [
            f"{name}_7.png"
        ]


@pytest.mark.parametrize("numbers", [(1, 5), None])
def test_every_change_to_a_sequence_is_one(sequence: Path, numbers: tuple[int, int] | None) -> None:
    name = film_files.numbered(sequence, "fire_", 4, ".png", numbers)

    def state() -> tuple[str, str]:
        return input_mark(name), input_digest(name)

    before = state()
    assert state() == before
    (sequence / "other.png").write_bytes(b"another file")
    assert state() == before
    seen = {before}
    touch_later(sequence / "fire_0003.png", b"x")
    seen.add(state())
    (sequence / "fire_0005.png").unlink()
    seen.add(state())
    os.rename(sequence / "fire_0004.png", sequence / "fire_0005.png")
    seen.add(state())
    assert len(seen) == 4
    assert len({mark for mark, _ in seen}) == len({digest for _, digest in seen}) == 4
    for path in sequence.iterdir():
        path.unlink()
    assert state() == (MISSING, MISSING)


def test_only_the_frames_of_the_clip_count(sequence: Path) -> None:
    name = film_files.numbered(sequence, "fire_", 4, ".png", (1, 4))
    before = input_mark(name), input_digest(name)
    touch_later(sequence / "fire_0005.png", b"x")
    assert (input_mark(name), input_digest(name)) == before
    touch_later(sequence / "fire_0004.png", b"x")
    assert input_mark(name) != before[0]


def test_the_digest_depends_on_nothing_but_names_and_contents(sequence: Path) -> None:
    other = sequence / "elsewhere"
    other.mkdir()
    for number in reversed(range(1, 6)):
        touch_later(other / f"fire_{number:04d}.png", b"%d" % number)
    one, two = (film_files.numbered(folder, "fire_", 4, ".png", None) for folder in (sequence, other))
    assert input_digest(one) == input_digest(two)
    assert input_mark(one) != input_mark(two)


def test_looking_once_asks_the_disk_once(sequence: Path) -> None:
    name = in_folder(sequence)
    with looking_once():
        before = input_mark(name)
        touch_later(sequence / "fire_0003.png", b"x")
        assert input_mark(name) == before
        with looking_once():
            assert input_mark(name) == before
        with looking_anew():
            now = input_mark(name)
            assert now != before
        # and from then on once more
        assert input_mark(name) == now
        touch_later(sequence / "fire_0003.png", b"y")
        assert input_mark(name) == now
    assert input_mark(name) not in {before, now}


def test_what_is_no_file_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.symlink("nowhere", tmp_path / "dangling")
    os.symlink("loop", tmp_path / "loop")
    long = "x" * 1000
    for name in ("folder", "dangling", "loop", "none", long, "null\0byte", "folder/../none/x"):
        path = f"{tmp_path}/{name}"
        assert not is_file(path)
        assert input_mark(path) == input_digest(path) == MISSING
        assert endless(path) == ""


def test_pipes_and_devices_have_no_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fire_0002.png")
    (tmp_path / "fire_0001.png").write_bytes(b"1")
    os.symlink("/dev/zero", tmp_path / "zero")
    os.symlink("/dev/null", tmp_path / "null")
    assert endless(str(tmp_path / "fire_0001.png")) == ""
    assert endless(str(tmp_path / "fire_0002.png")) == "fire_0002.png is a named pipe"
    assert endless(film_files.numbered(tmp_path, "fire_", 4, ".png", (1, 2))) == "fire_0002.png is a named pipe"
    assert endless(in_folder(tmp_path)) != ""
    assert endless(str(tmp_path / "zero")) == "zero is a device"
    assert endless(str(tmp_path / "null")) == ""
    # none of them is read, either
    assert input_digest(str(tmp_path / "fire_0002.png")) == MISSING
    assert input_digest(film_files.numbered(tmp_path, "fire_", 4, ".png", (1, 2))) != MISSING
    assert not is_file(tmp_path / "zero")


def test_sentences_about_missing_files() -> None:
    assert str(MissingFile("cache", "//tex/lost.abc", ("Baked",))) == "missing: cache //tex/lost.abc (seen on Baked)"
    assert str(MissingFile("font", "//a.ttf", ())) == "missing: font //a.ttf (nothing shows it)"
    assert str(MissingFile("library", "//a.blend", ())) == "missing: library //a.blend (nothing needs it)"
    assert str(MissingFile("library", "//a.blend", ("tree",))) == (
        "missing: library //a.blend (what comes from it is left out: tree)"
    )
    assert str(MissingFile("image sequence", "//f_1.png", ("fire",), "2 of its 5 files")) == (
        "missing: image sequence //f_1.png, 2 of its 5 files (seen on fire)"
    )
    many = MissingFile("image", "//a.png", tuple("abcdefghi"))
    assert str(many) == "missing: image //a.png (seen on a, b, c, d, e, f, g, h and 1 more)"
