"""Which Blender saved a .blend and which may open it, read off the file itself."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from animerun_gen.engines.blend_file import SavedBy, note_newer, require_readable, saved_by, version_of
from animerun_gen.errors import SceneError
from tests.blender.test_blend_libraries import FORMS, write_blend

PROJECT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("saved_with", "oldest_reader"), [(304, 304), (405, 306), (502, 405)])
def test_files_of_every_form(tmp_path: Path, form: dict[str, object], saved_with: int, oldest_reader: int) -> None:
    film = tmp_path / "film.blend"
    content = write_blend(film, [], saved_with=saved_with, oldest_reader=oldest_reader, **form)  # type: ignore[arg-type]
    expected = SavedBy(divmod(saved_with, 100), divmod(oldest_reader, 100))
    assert saved_by(film) == expected
    film.write_bytes(gzip.compress(content))
    assert saved_by(film) == expected
    zstandard = pytest.importorskip("zstandard")
    # the head of a file of 5.0 may be cut by the end of a frame
    film.write_bytes(b"".join(zstandard.ZstdCompressor().compress(part) for part in (content[:9], content[9:])))
    assert saved_by(film) == expected


@pytest.mark.parametrize("name", ["courier", "still", "conversions/orchard"])
def test_the_scenes_that_are_shipped_open_in_the_oldest_blender(name: str) -> None:
    """These were really saved by Blender 3.4."""
    assert saved_by(PROJECT / "scenes" / f"{name}.blend") == SavedBy((3, 4), (3, 4))


def test_no_file_is_too_new_for_whoever_saved_it(tmp_path: Path) -> None:
    """Before 2.5 another number stood where the oldest reader stands now."""
    write_blend(tmp_path / "old.blend", [], saved_with=249, oldest_reader=12_345)
    assert saved_by(tmp_path / "old.blend") == SavedBy((2, 49), (2, 49))


def test_what_is_no_blend_is_left_to_blender(tmp_path: Path) -> None:
    path = tmp_path / "film.blend"
    whole = write_blend(path, [])
    for content in (b"", b"BLENDER-v4x5REND", b"BLENDER17-02v0500", b"\x1f\x8b" + bytes(9), whole[:60], bytes(50)):
        path.write_bytes(content)
        assert saved_by(path) is None
        require_readable(path, "Blender 2.79")
    assert saved_by(tmp_path / "gone.blend") is None
    os.mkfifo(tmp_path / "pipe.blend")
    assert saved_by(tmp_path / "pipe.blend") is None


@pytest.mark.parametrize(
    ("saved_with", "oldest_reader", "engine", "says"),
    [
        (304, 304, "Blender 3.4.1", ""),
        (405, 306, "Blender 3.4.1", "needs Blender 3.6 or newer, but this is Blender 3.4.1"),
        (405, 306, "Blender 4.5.15", ""),
        (502, 405, "Blender 4.2.23", "needs Blender 4.5 or newer, but this is Blender 4.2.23"),
        (502, 405, "Blender 4.5.15", "newer than Blender 4.5.15"),
        (502, 405, "Blender 5.0.1", "newer than Blender 5.0.1"),
        (502, 405, "Blender 5.10.0 LTS", ""),
        (405, 306, "a test", ""),
    ],
)
def test_what_is_said_of_newer_files(
    tmp_path: Path, saved_with: int, oldest_reader: int, engine: str, says: str
) -> None:
    film = tmp_path / "film.blend"
    write_blend(film, [], saved_with=saved_with, oldest_reader=oldest_reader)
    if says.startswith("needs"):
        with pytest.raises(SceneError, match=says) as refused:
            require_readable(film, engine)
        assert str(film) in str(refused.value)
        return
    require_readable(film, engine)
    assert [says in note for note in note_newer(film, engine)] == [True] * bool(says)


def test_versions_in_names() -> None:
    assert version_of("Blender 4.5.15 LTS") == (4, 5)
    assert version_of("no Blender 4.5") is None
