"""The same mistake has the same exit status in every command: docs/exit_status.md."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from animerun_gen import doctor
from animerun_gen.cli import main
from animerun_gen.engines.blenders import BpyModule
from tests.pipeline.fake_engine import FakeEngine

WRONG, FAILED = 2, 1

CUT = "name: a\nsource: film.blend\nframes: {first: 1, last: 5}\nresolution: [64, 48]\n"

MISTAKES = {
    "an option that does not exist": {
        "generate": "a.yaml --out out --fast",
        "render": "a.yaml --out out --fast",
        "label": "a.yaml --out made --fast",
        "status": "made --fast",
        "verify": "made --fast",
        "report": "made --fast",
        "evaluate": "flow made --method zero --out out --fast",
        "inspect": "film.blend --fast",
        "init": "film.blend --fast",
        "preview": "a.yaml --fast",
        "palette": "pictures --fast",
        "doctor": "--fast",
    },
    "a value that an option cannot have": {
        "generate": "a.yaml --out out --workers 0",
        "render": "a.yaml --out out --frames 5:1",
        "label": "a.yaml --out made --workers two",
        "train": "flow a.yaml --out out --workers two",
        "verify": "made --workers 0",
        "report": "made --max-size 0",
        "evaluate": "flow made --method zero --out out --worst -1",
        "preview": "a.yaml --frame -1",
        "palette": "pictures --colors 1",
    },
    "something is not there": {
        "generate": "none.yaml --out out",
        "render": "none.yaml --out out",
        "label": "none.yaml --out made",
        "status": "none",
        "verify": "none",
        "report": "none",
        "evaluate": "flow made --predictions none --out out --split train",
        "inspect": "none.blend",
        "init": "none.blend -o new.yaml",
        "preview": "none.yaml",
        "palette": "none",
        "train": "flow none.yaml --out out",
    },
    "a file of another kind": {
        "generate": "film.blend --out out",
        "render": "film.blend --out out",
        "label": "film.blend --out made",
        "status": "film.blend",
        "verify": "film.blend",
        "report": "film.blend",
        "evaluate": "flow film.blend --method zero --out out",
        "inspect": "a.yaml",
        "init": "a.yaml -o new.yaml",
        "preview": "made",
        "palette": "film.blend",
        "train": "flow film.blend --out out",
    },
    "a configuration with a mistake": {
        "train": "flow a.yaml --out out",
        "generate": "bad.yaml --out out",
        "render": "bad.yaml --out out",
        "label": "bad.yaml --out made",
        "preview": "bad.yaml",
    },
    "a film that is not there": {
        "generate": "filmless.yaml --out out",
        "render": "filmless.yaml --out out",
        "preview": "filmless.yaml",
    },
    "frames that the cut does not have": {
        "generate": "a.yaml --out out --frames 7:9",
        "render": "a.yaml --out out --frames 7:9",
        "label": "a.yaml --out made --frames 7:9",
        "preview": "a.yaml --frame 7",
    },
    "a folder that is no dataset": {
        "label": "a.yaml --out none",
        "status": "empty",
        "verify": "empty",
        "report": "empty",
        "evaluate": "flow empty --method zero --out out",
        "palette": "empty",
    },
    "a cut that is not there": {
        "verify": "made --cut z",
        "report": "made --cut z",
        "evaluate": "flow made --method zero --out out --split train --cut z",
        "preview": "a.yaml --cut z",
    },
    "a Blender that is not there": {
        "generate": "a.yaml --out out --blender no-such-blender",
        "render": "a.yaml --out out --blender no-such-blender",
        "verify": "made --blender no-such-blender",
        "inspect": "film.blend --blender no-such-blender",
        "init": "film.blend -o new.yaml --blender no-such-blender",
        "preview": "a.yaml --blender no-such-blender",
        "doctor": "--blender no-such-blender",
    },
    "a file that would be overwritten": {
        "init": "film.blend -o a.yaml",
        "preview": "a.yaml --out taken.png",
        "palette": "made/train/Frame_Anime/a/original -o a.yaml",
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cut, its film, a dataset made of them, and what can be mistaken for these."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "a.yaml").write_text(CUT)
    (folder / "bad.yaml").write_text(CUT.replace("first: 1", "first: one"))
    (folder / "filmless.yaml").write_text(CUT.replace("film.blend", "none.blend"))
    (folder / "film.blend").write_bytes(b"a film")
    (folder / "taken.png").write_bytes(b"a picture")
    (folder / "empty").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BpyModule, "find", FakeEngine)
        assert main(["generate", str(folder / "a.yaml"), "--out", str(folder / "made")]) == 0
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, in which commands are given; the Blender that is not named is a fake."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(BpyModule, "find", FakeEngine)
    return folder


def status_of(command: str) -> int:
    try:
        return main(command.split())
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else -1


@pytest.mark.parametrize(
    ("mistake", "command"),
    [(mistake, f"{command} {words}") for mistake, of in MISTAKES.items() for command, words in of.items()],
)
def test_a_wrong_command_line_ends_with_2_and_begins_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], mistake: str, command: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    assert status_of(command) == WRONG, mistake
    assert capsys.readouterr().err, "it has to say why"
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before


def test_what_fails_or_is_found_under_way_ends_with_1(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BpyModule, "find", lambda: FakeEngine(fails_in={"a": 2}))
    for command in ("generate a.yaml --out out", "render a.yaml --out out2", "preview a.yaml --frame 1"):
        assert status_of(command) == FAILED, command
    (project / "made" / "train" / "contour" / "a" / "0002.png").unlink()
    for command in ("status made", "verify made"):
        assert status_of(command) == FAILED, command
    monkeypatch.setattr(doctor, "checks", lambda *arguments: [lambda: [doctor.Finding("disk", False, "full")]])
    assert status_of("doctor") == FAILED


@pytest.mark.parametrize("command", ["palette made/train/Frame_Anime/a/original -o", "init film.blend -o"])
def test_the_message_about_an_existing_file_names_the_way_out(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert status_of(f"{command} a.yaml") == WRONG
    assert capsys.readouterr().err == ("a.yaml exists; choose another name with -o, or overwrite it with --force\n")
    assert (project / "a.yaml").read_text() == CUT
