from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from animerun_gen.engines.blenders import START_SCRIPT, BpyModule, InstalledBlender
from animerun_gen.errors import AnimerunGenError


def program(folder: Path, script: str) -> str:
    path = folder / "blender"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_without_bpy_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AnimerunGenError, match=r"bpy \(Blender\) is not installed here; install it with"):
        BpyModule.find()


def test_a_module_of_the_name_bpy_that_is_not_blender(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(AnimerunGenError, match="bpy that is installed here is not Blender's"):
        BpyModule.find()


def test_the_version_of_bpy_is_that_of_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(importlib.metadata, "version", {"bpy": "4.5.15"}.__getitem__)
    engine = BpyModule.find()
    assert engine.version == "Blender 4.5.15"
    assert engine.module_command("json.tool", "a", "b") == [sys.executable, "-m", "json.tool", "a", "b"]


def test_an_installed_blender_answers_for_itself(tmp_path: Path) -> None:
    path = program(tmp_path, "echo 'Read prefs: x'; echo 'Blender 3.4.1'; echo '  build date: 2022'")
    assert InstalledBlender.find(path).version == "Blender 3.4.1"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "no program .* was found"),
        ("exit 3", "does not start"),
        ("kill -SEGV $$", "does not start"),
        ("echo 'Krita 5'", "does not answer --version as Blender does"),
        ("printf '\\377\\376'; echo Blendr", "does not"),
    ],
)
def test_programs_that_are_no_blender(tmp_path: Path, script: str | None, said: str) -> None:
    path = str(tmp_path / "blender") if script is None else program(tmp_path, script)
    with pytest.raises(AnimerunGenError, match=rf"^--blender: .*{said}"):
        InstalledBlender.find(path)


def test_a_module_runs_in_an_installed_blender_as_its_own_python_would(tmp_path: Path) -> None:
    """The start script is tried with a program that does with it what Blender does: run it, with its own arguments."""
    engine = InstalledBlender(
        program(tmp_path, 'while [ "$1" != --python ]; do shift; done; shift; exec python3 "$@"'), ""
    )
    command = engine.module_command("animerun_gen", "--version")
    assert command[command.index("--python") + 1] == str(START_SCRIPT)
    assert "--factory-startup" in command
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert answer.stdout.startswith("animerun-gen ")


def test_a_blender_of_another_python_says_so(tmp_path: Path) -> None:
    """It would have to borrow compiled packages that it cannot load."""
    for version, status in (("9.8", 1), (f"{sys.version_info[0]}.{sys.version_info[1]}", 0)):
        libraries = tmp_path / "lib" / f"python{version}" / "site-packages"
        command = [sys.executable, str(START_SCRIPT), "--", str(libraries), "this"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert result.returncode == status
        assert ("animerun-gen was started by Python 9.8" in result.stderr) == bool(status)
